"""Keeps the list of jobs up to date: from the ledger, this session's runs, the service's pages, the monitor's looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Callable, Dict, Iterable, Mapping, Optional, Set, Tuple

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.api.errors import NetworkError
from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.job_list import JobList
from up42_plugin.core.jobs import Job, JobPage, JobTask
from up42_plugin.core.kept_parts import JobsOnDisk
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.workflow import Workflow
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.jobs_rows import Older
from up42_plugin.gui.jobs_status import JobsStatus, Reach
from up42_plugin.gui.wanted_job import WantedJob
from up42_plugin.qgis_bridge.hub import ConnectionHub, HubPhase, HubState
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.jobs_reader import Blocks, JobsReader, LedgerPage
from up42_plugin.qgis_bridge.monitor import JobMonitor
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.sending import message_of

_TOGETHER_MS = 60
_SMALLEST_PAGE = 20  # the service does not tell the size of its pages; no list has smaller ones


class JobsDesk(QObject):
    """Presents the jobs of the current connection. The service is asked while somebody looks, and on a click.

    ``listed`` when the list changed.
    """

    listed = pyqtSignal()

    def __init__(
        self,
        dock: Up42Dock,
        *,
        reader: JobsReader,
        hub: ConnectionHub,
        runs: RunController,
        monitor: JobMonitor,
        queue: JobQueue,
        clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._dock, self._tab, self._reader = dock, dock.jobs, reader
        self._hub, self._runs, self._monitor, self._queue = hub, runs, monitor, queue
        self._clock = clock
        self.list = JobList()
        self._reach: Dict[str, Reach] = {}
        self._status = JobsStatus(clock)
        self._forgotten: Set[str] = set()
        self._opened: Set[str] = set()
        self._ledger_known: Set[str] = set()
        self._wanted = WantedJob(self.list, self._tab, reader, hub.provider_of)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_TOGETHER_MS)
        self._soon.timeout.connect(self.show_now)
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.timeout.connect(self._look_again)
        self._connect()

    def _connect(self) -> None:
        tab, reader = self._tab, self._reader
        self._dock.tabs.currentChanged.connect(self._looked_at)
        self._dock.opened.connect(self._looked_at)
        tab.older_asked.connect(self._read_older)
        tab.opened.connect(self._open)
        tab.shut.connect(self._shut)
        tab.blocks_wanted.connect(self._read_blocks)
        reader.ledger_read.connect(self._ledger_read)
        reader.ledger_failed.connect(lambda connection_id, _error: self._ledger_known.discard(connection_id))
        reader.page_read.connect(self._page_read)
        reader.page_failed.connect(self._page_failed)
        reader.blocks_read.connect(self._blocks_read)
        reader.blocks_failed.connect(self._blocks_failed)
        reader.disk_read.connect(self._disk_read)
        self._runs.changed.connect(self._run_changed)
        self._runs.ended.connect(self._run_ended)
        self._runs.recorded.connect(self._recorded)
        self._runs.discarded.connect(lambda _run: self.read_disk())
        self._runs.loaded.connect(lambda *_: self.read_disk())
        self._queue.changed.connect(self._queue_changed)
        self._monitor.listed.connect(self._seen_all)
        self._monitor.tasks_seen.connect(self._tasks_seen)
        self._monitor.gone.connect(self._gone)
        self._monitor.waiting.connect(self._monitor_waits)
        self._monitor.trouble.connect(self._page_failed)
        self._hub.state_changed.connect(self._hub_changed)

    def close(self) -> None:
        """Ask no more, and show nothing of what is still answered."""
        self._next.stop()
        self._soon.blockSignals(True)  # whoever starts it once more

    def now(self) -> datetime:
        """The time, aware."""
        return self._clock()

    @property
    def connection_id(self) -> str:
        """The connection whose jobs are shown."""
        return self._hub.current.id

    @property
    def looking(self) -> bool:
        """Whether the list is on the screen."""
        return self._dock.isVisible() and self._dock.tabs.currentWidget() is self._dock.jobs_page

    # -- what is asked for

    def switched(self, connection_id: str) -> None:
        """Another connection is the current one."""
        self._opened.clear()
        self._next.stop()
        if not self.list.entries(connection_id):
            self._tab.show_loading()
        provider = self._hub.current_provider()
        if provider is not None:
            self._tab.show_capabilities(provider.capabilities)
        self._read_ledger()
        self._show_soon()

    def refresh(self) -> None:
        """Read ledger and service anew: somebody clicked, or began to look."""
        provider = self._hub.current_provider()
        self._ledger_known.discard(self.connection_id)
        self._read_ledger()
        if provider is None or self._hub.state.phase is not HubPhase.READY:
            self._show_hub(self._hub.state)
            return
        self._tab.show_capabilities(provider.capabilities)
        self._status.looking(self.connection_id)
        self._show_status()
        self._reader.read_page(provider)

    def show_job(self, connection_id: str, job_id: str) -> bool:
        """Bring a job before the person's eyes, later if it is not in the list yet; False for another connection."""
        if connection_id != self.connection_id:
            return False
        self._dock.setUserVisible(True)
        self._dock.tabs.setCurrentWidget(self._dock.jobs_page)
        self._wanted.want(connection_id, job_id)
        self.show_now()
        return True

    def forget(self, key: str) -> None:
        """Show a job that the service never got no longer."""
        self._forgotten.add(key)
        self._show_soon()

    def set_workflows(self, workflows: Iterable[Workflow]) -> None:
        """The blocks' titles as the project's workflows have them."""
        self.list.set_block_titles(
            {step.block.name: step.block.title for workflow in workflows for step in workflow.steps}
        )
        self._show_soon()

    def put_jobs(self, connection_id: str, jobs: Iterable[Job]) -> None:
        """What the service told of jobs."""
        self.list.put_jobs(connection_id, jobs)
        self._show_soon()

    def read_disk(self) -> None:
        """Look again at what lies in the outputs folder."""
        ids = [entry.job_id for entry in self.list.entries(self.connection_id) if entry.job_id]
        if ids:
            self._reader.read_disk(self.connection_id, ids)

    def _looked_at(self, *_: object) -> None:
        if self.looking:
            self.refresh()
        else:
            self._next.stop()

    def _look_again(self) -> None:
        provider = self._hub.current_provider()
        if self.looking and provider is not None and not self._monitor.watches(self.connection_id):
            self._status.looking(self.connection_id)
            self._show_status()
            self._reader.read_page(provider)

    def _read_ledger(self) -> None:
        if self.connection_id not in self._ledger_known:
            self._ledger_known.add(self.connection_id)
            self._reader.read_ledger(self.connection_id)

    def _read_older(self) -> None:
        reach = self._reach.get(self.connection_id, Reach())
        self._tab.show_older(Older.LOADING)
        if reach.ledger_more and reach.oldest is not None:
            self._reader.read_ledger(self.connection_id, reach.oldest)
        provider = self._hub.current_provider()
        if provider is not None and not reach.all_pages:
            self._reader.read_page(provider, reach.next_page)

    # -- blocks

    def _open(self, key: str) -> None:
        self._opened.add(key)
        entry = self._entry(key)
        if entry is not None:
            self._monitor.set_opened(entry.job_id, True)
        self._read_blocks(key)

    def _shut(self, key: str) -> None:
        self._opened.discard(key)
        entry = self._entry(key)
        if entry is not None:
            self._monitor.set_opened(entry.job_id, False)

    def _read_blocks(self, key: str) -> None:
        entry = self._entry(key)
        provider = self._hub.provider_of(entry.connection_id) if entry is not None else None
        if entry is None or not entry.job_id:
            return
        if provider is None:
            name = self._hub.name_of(entry.connection_id)
            self._blocks_failed(entry.connection_id, entry.job_id, NetworkError(f"Not connected to {name}."))
            return
        self._reader.read_blocks(provider, entry.job_id, self.titles)

    @property
    def titles(self) -> Mapping[str, str]:
        """Titles of blocks by their names, as far as they are known."""
        return self.list.block_titles

    def _entry(self, key: str) -> Optional[JobEntry]:
        try:
            return self.list.entry(key)
        except KeyError:
            return None

    # -- what came

    def _ledger_read(self, connection_id: str, page: LedgerPage) -> None:
        reach = self._reach.get(connection_id, Reach())
        if page.entries and (not page.first or reach.oldest is None):
            reach = replace(reach, oldest=page.entries[-1], ledger_more=page.more)
            self._reach[connection_id] = reach
        self.list.put_ledger(page.entries, self._runs.submissions())
        self._follow(connection_id)
        self._show_soon()
        if connection_id == self.connection_id:
            self.read_disk()

    def _page_read(self, connection_id: str, page: JobPage) -> None:
        reach = self._reach.get(connection_id, Reach())
        if page.number >= reach.next_page:
            last = page.last or len(page.jobs) < _SMALLEST_PAGE
            reach = replace(reach, next_page=page.number + 1, all_pages=last)
            self._reach[connection_id] = reach
        self.list.put_jobs(connection_id, page.jobs)
        self._updated(connection_id)
        self._wanted.fetch()
        self._follow(connection_id)
        self._arm(connection_id)
        self._show_soon()
        if connection_id == self.connection_id:
            self.read_disk()

    def _page_failed(self, connection_id: str, error: BaseException) -> None:
        self._status.failed(connection_id, error)
        self._arm(connection_id)
        self._show_soon()

    def _blocks_read(self, connection_id: str, blocks: Blocks) -> None:
        self.list.put_jobs(connection_id, [blocks.job])
        self.list.put_tasks(connection_id, blocks.job.id, blocks.tasks)
        if blocks.credits is not None:
            self.list.put_credits(connection_id, blocks.job.id, blocks.credits)
        if blocks.reason:
            self.list.put_reason(connection_id, blocks.job.id, blocks.reason)
        self._show_soon()

    def _blocks_failed(self, connection_id: str, job_id: str, error: BaseException) -> None:
        if self.list.find(connection_id, job_id) is None:  # it was asked for by its layer
            self._wanted.forget()
            return
        self.list.put_tasks_trouble(connection_id, job_id, message_of(error))
        self._show_soon()

    def _disk_read(self, connection_id: str, found: JobsOnDisk, wanted: Tuple[str, ...]) -> None:
        self.list.put_disk(connection_id, found, wanted)
        self._show_soon()

    def _run_changed(self, run: Run) -> None:
        before = self.list.entry_of_run(run.connection_id, run.key)
        self.list.put_run(run)
        if before is not None and before.fetching and run.live and run.phase in (Phase.ON_SERVICE, Phase.PAUSED):
            self.read_disk()  # something may have been kept
        if not run.live and run.phase is Phase.LOADED and run.job is not None:
            self.list.put_scenes(run.connection_id, run.job.id, len(run.scenes))
        self._show_soon()

    def _run_ended(self, run: Run) -> None:
        if run.job is None:
            return
        if not run.live and run.phase is Phase.LOADED:
            self._reader.found_scenes(run.connection_id, run.job.id, len(run.scenes))
        self.read_disk()

    def _recorded(self, key: str) -> None:
        """The ledger knows what was agreed to."""
        self._reader.read_ledger(self._runs.run_of(key).connection_id)

    def _queue_changed(self, connection_id: str) -> None:
        self.list.put_queue(connection_id, [job.id for job in self._queue.waiting(connection_id)])
        self._show_soon()

    def _seen_all(self, connection_id: str, jobs: Tuple[Job, ...]) -> None:
        self.list.put_jobs(connection_id, jobs)
        self._updated(connection_id)
        self._show_soon()

    def _tasks_seen(self, connection_id: str, job_id: str, tasks: Tuple[JobTask, ...]) -> None:
        self.list.put_tasks(connection_id, job_id, tasks)
        self._show_soon()

    def _gone(self, connection_id: str, job_id: str) -> None:
        self.list.mark_gone(connection_id, job_id)
        self._show_soon()

    # -- how new it is

    def _follow(self, connection_id: str) -> None:
        """Jobs that run are watched, whoever began them, while their connection is open."""
        if self._hub.provider_of(connection_id) is None:
            return
        for job_id in self.list.running(connection_id):
            if not self._monitor.watches(connection_id, job_id):
                self._monitor.watch(connection_id, job_id, opened=False)

    def _updated(self, connection_id: str) -> None:
        self._status.updated(connection_id)
        self._show_status()

    def _arm(self, connection_id: str) -> None:
        """While nothing runs, the monitor is silent: the list looks by itself, as long as somebody looks at it."""
        if connection_id != self.connection_id or not self.looking or self._monitor.watches(connection_id):
            return
        if self._hub.current_provider() is None or self._reader.reads(connection_id):
            return
        seconds = self._hub.pace_of(connection_id).slowest
        self._next.start(int(seconds * 1000))
        self._monitor_waits(connection_id, seconds)

    def _monitor_waits(self, connection_id: str, seconds: float) -> None:
        self._status.waits(connection_id, seconds)
        self._show_status()

    def _hub_changed(self, state: HubState) -> None:
        if state.phase is HubPhase.READY:
            self._read_ledger()
            self._follow(self.connection_id)
            if self.looking:
                self.refresh()
        else:
            self._show_hub(state)

    def _show_hub(self, state: HubState) -> None:
        """Why the service cannot be asked: it never asks for a password by itself."""
        running = len(self.list.running(self.connection_id))
        self._status.closed(self.connection_id, state, running, self.looking)
        self._show_status()

    def _show_status(self) -> None:
        self._tab.show_status(self._status.of(self.connection_id))

    # -- showing

    def _show_soon(self) -> None:
        """Many things that happen at once are shown together."""
        if not self._soon.isActive():
            self._soon.start()

    def show_now(self) -> None:
        """Bring the list up to date."""
        connection_id = self.connection_id
        entries = [entry for entry in self.list.entries(connection_id) if entry.key not in self._forgotten]
        known = bool(entries) or connection_id in self._reach or self._status.of(connection_id).updated is not None
        if known:
            self._tab.show_entries(entries)
        self._show_status()
        reach = self._reach.get(connection_id, Reach())
        self._tab.show_older(Older.MORE if reach.more else Older.NONE)
        self._wanted.show(connection_id)
        if not self._next.isActive():
            self._arm(connection_id)
        self.listed.emit()
