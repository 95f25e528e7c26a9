"""Reads what the list of jobs shows, in the background: the ledger's pages, the service's pages, one job's blocks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Callable, Dict, Mapping, Optional, Sequence, Set, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import Cancelled, Up42Error
from up42_plugin.core.aftermath import aftermath
from up42_plugin.core.context import JobContext
from up42_plugin.core.jobs import Job, JobCredits, JobPage, JobState, JobTask, Mode
from up42_plugin.core.kept_parts import JobsOnDisk, jobs_on_disk
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_life import LedgerEntry, LedgerLife
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.service import JobService, ServiceProvider
from up42_plugin.core.storage import OutputFolders
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner

LEDGER_PAGE = 500


@dataclass(frozen=True)
class LedgerPage:
    """Jobs of ours, newest first. ``more`` when there are older ones; ``first`` when none are newer."""

    entries: Tuple[LedgerEntry, ...]
    more: bool
    first: bool


@dataclass(frozen=True)
class Blocks:
    """What was read of one job. ``credits`` are None where they are not known, ``reason`` is empty unless it failed."""

    job: Job
    tasks: Tuple[JobTask, ...]
    credits: Optional[JobCredits] = None
    reason: str = ""


class JobsReader(QObject):
    """Reads for one list. Every answer names its connection.

    ``ledger_read(connection id, LedgerPage)``, ``page_read(connection id, JobPage)``, ``blocks_read(connection id,
    Blocks)``, ``disk_read(connection id, JobsOnDisk, ids looked for)``; ``ledger_failed(connection id, error)``,
    ``page_failed(connection id, error)``, ``blocks_failed(connection id, job id, error)``.
    """

    ledger_read = pyqtSignal(str, object)
    page_read = pyqtSignal(str, object)
    blocks_read = pyqtSignal(str, object)
    disk_read = pyqtSignal(str, object, object)
    ledger_failed = pyqtSignal(str, object)
    page_failed = pyqtSignal(str, object)
    blocks_failed = pyqtSignal(str, str, object)

    def __init__(
        self,
        runner: JobRunner,
        ledger: Ledger,
        folders: Callable[[], OutputFolders],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._folders = runner, folders
        self._life = LedgerLife(ledger)
        self.outputs = LedgerOutputs(ledger)
        self._reading: Set[Tuple[str, str]] = set()
        self._disk_again: Dict[str, Tuple[str, ...]] = {}

    def reads(self, connection_id: str) -> bool:
        """Whether a page of the service is on its way."""
        return ("page", connection_id) in self._reading

    def read_ledger(self, connection_id: str, before: Optional[LedgerEntry] = None) -> None:
        """Read the newest jobs of ours, or those before a job."""

        def work(context: JobContext) -> LedgerPage:
            context.check()
            found = self._life.page(connection_id, LEDGER_PAGE, before)
            return LedgerPage(found, len(found) == LEDGER_PAGE, before is None)

        job = self._begin("ledger", connection_id, "UP42: reading the record of jobs", work)
        if job is not None:
            job.succeeded.connect(lambda page: self.ledger_read.emit(connection_id, page))
            job.failed.connect(lambda error: self.ledger_failed.emit(connection_id, error))

    def read_page(self, provider: ServiceProvider, number: int = 0) -> None:
        """Read a page of the service's list, newest first; what is ours is written down in the ledger."""
        connection_id = provider.connection_id

        def work(context: JobContext) -> JobPage:
            with provider.open(context) as service:
                page = service.jobs(number)
            with suppress(LedgerError):  # the list is what was asked for
                self._life.saw_all(connection_id, page.jobs)
            return page

        job = self._begin("page", connection_id, "UP42: reading the list of jobs", work)
        if job is not None:
            job.succeeded.connect(lambda page: self.page_read.emit(connection_id, page))
            job.failed.connect(lambda error: self.page_failed.emit(connection_id, error))
            job.cancelled.connect(
                lambda: self.page_failed.emit(connection_id, Up42Error("Reading the jobs was cancelled."))
            )

    def read_blocks(self, provider: ServiceProvider, job_id: str, titles: Mapping[str, str]) -> None:
        """Read a job, its tasks, what it was charged and why it failed."""
        connection_id, named = provider.connection_id, dict(titles)

        def work(context: JobContext) -> Blocks:
            with provider.open(context) as service:
                found = service.job(job_id)
                tasks = service.tasks(job_id)
                blocks = Blocks(found, tasks, _credits(service, found), _reason(service, found, tasks, named))
            with suppress(LedgerError):
                self._life.saw(connection_id, found)
                self._life.saw_tasks(connection_id, job_id, tasks, blocks.credits.by_task if blocks.credits else None)
            return blocks

        job = self._begin(f"blocks {job_id}", connection_id, "UP42: reading a job", work)
        if job is not None:
            job.succeeded.connect(lambda blocks: self.blocks_read.emit(connection_id, blocks))
            job.failed.connect(lambda error: self.blocks_failed.emit(connection_id, job_id, error))

    def read_disk(self, connection_id: str, job_ids: Sequence[str]) -> None:
        """Look which jobs have something in the outputs folder, and of which a download stopped half way."""
        folders, wanted = self._folders(), tuple(job_ids)

        def work(context: JobContext) -> JobsOnDisk:
            context.check()
            return jobs_on_disk(folders, wanted)

        def over() -> None:
            again = self._disk_again.pop(connection_id, None)
            if again is not None:
                self.read_disk(connection_id, again)

        job = self._begin("disk", connection_id, "UP42: looking at the outputs folder", work)
        if job is None:
            self._disk_again[connection_id] = wanted  # something may have changed since that look began
            return
        job.succeeded.connect(lambda found: self.disk_read.emit(connection_id, found, wanted))
        job.ended.connect(over)

    def found_scenes(self, connection_id: str, job_id: str, number: int) -> None:
        """Write down how many scenes a test query found."""

        def work(context: JobContext) -> None:
            context.check()
            with suppress(LedgerError):
                self._life.found_scenes(connection_id, job_id, number)

        self._runner.start("UP42: recording what was found", work, hidden=True)

    def rename(self, record_id: str, name: str) -> None:
        """Write down another name of a job of ours."""

        def work(context: JobContext) -> None:
            context.check()
            with suppress(LedgerError):
                self._life.rename(record_id, name)

        self._runner.start("UP42: recording a name", work, hidden=True)

    def _begin(
        self, what: str, connection_id: str, title: str, work: Callable[[JobContext], object]
    ) -> Optional[BackgroundJob]:
        """Start reading, unless the same is being read."""
        key = (what, connection_id)
        if key in self._reading:
            return None
        self._reading.add(key)
        job = self._runner.start(title, work, long_running=True, hidden=True)
        for over in (job.succeeded, job.failed, job.cancelled):
            over.connect(lambda *_: self._reading.discard(key))
        return job


def _credits(service: JobService, job: Job) -> Optional[JobCredits]:
    if job.mode is not Mode.LIVE or not job.state.terminal:
        return None
    try:
        return service.credits(job.id)
    except Cancelled:
        raise
    except Up42Error:
        return None


def _reason(service: JobService, job: Job, tasks: Tuple[JobTask, ...], titles: Mapping[str, str]) -> str:
    if job.state not in (JobState.FAILED, JobState.ERROR):
        return ""
    named = {task.name: titles.get(task.name.partition(":")[0], task.block_name or task.name) for task in tasks}
    return aftermath(service, job, named).reason
