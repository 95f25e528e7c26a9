"""From a job that succeeded to layers on the map."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from qgis.core import QgsMapLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.fetching import TestQueryFinds, fetch_live_output, fetch_test_query, stored_output
from up42_plugin.core.jobs import JobTask
from up42_plugin.core.kept_parts import discard_part
from up42_plugin.core.layer_plan import LayerPlan
from up42_plugin.core.output_errors import NoLayerError
from up42_plugin.core.outputs import prepare_output
from up42_plugin.core.provenance import provenance_of
from up42_plugin.core.run import WAITING_TO_DOWNLOAD, Phase, Run
from up42_plugin.core.service import Output, ServiceProvider
from up42_plugin.core.storage import OutputFolders
from up42_plugin.qgis_bridge.downloads import Downloads
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.recording import JobRecords
from up42_plugin.qgis_bridge.run_book import RunBook
from up42_plugin.qgis_bridge.sending import message_of

ProviderOf = Callable[[str], Optional[ServiceProvider]]
Plans = Tuple[LayerPlan, ...]

_DOWNLOADING = "Downloading"
#: Numbers that change more often than this cannot be read.
_TOLD_EVERY_S = 0.25
_ALL = 100.0


@dataclass
class _Load:
    """What of a run is being loaded, and where the run stood before; ``discarded`` when the person wants none of it."""

    before: Phase
    task: Optional[JobTask] = None
    job: Optional[BackgroundJob] = None
    discarded: bool = False
    told: float = 0.0

    @property
    def task_name(self) -> str:
        return self.task.name if self.task is not None else ""


class RunLoading(QObject):
    """Fetches what runs brought and loads it. ``loaded(Run, layers)`` when layers were added.

    ``read(Run)`` once for each test query, when its scenes are known or when that was given up. ``downloading(Run,
    task name)`` when an output has to come down first; ``discarded(Run)`` when what had come of one is gone again.
    """

    loaded = pyqtSignal(object, object)
    read = pyqtSignal(object)
    downloading = pyqtSignal(object, str)
    discarded = pyqtSignal(object)

    def __init__(
        self,
        book: RunBook,
        runner: JobRunner,
        *,
        loader: LayerLoader,
        provider_of: ProviderOf,
        connection_name: Callable[[str], str],
        folders: Callable[[], OutputFolders],
        records: Optional[JobRecords] = None,
        downloads: Optional[Downloads] = None,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._book, self._runner, self._loader = book, runner, loader
        self._provider_of, self._connection_name, self._folders = provider_of, connection_name, folders
        self._records = records
        self._downloads = downloads if downloads is not None else Downloads(parent=self)
        self._loads: Dict[str, _Load] = {}

    def busy(self, key: str) -> bool:
        """Whether something of the run is being fetched, or waits for that."""
        load = self._loads.get(key)
        running = load is not None and load.job is not None and load.job.active
        return running or self._downloads.waits(key)

    def pause(self, key: str) -> None:
        """Stop a download, or its waiting; what has come is kept, and the next load goes on from there."""
        if not self._book.of(key).pausable:
            return
        if self._downloads.withdraw(key):
            self._stopped(key)
        else:
            self._stop(key)

    def cancel(self, key: str) -> None:
        """Stop fetching; nothing half-made stays, and no part of a download that was paused."""
        load = self._loads.get(key)
        if load is not None:
            load.discarded = True
        if self.busy(key) and not self._downloads.withdraw(key):
            self._stop(key)
            return
        run = self._book.of(key)
        if run.paused or run.phase is Phase.FETCHING:
            self._given_up(key, "")
        self._discard(run, load.task_name if load is not None else "")

    def _discard(self, run: Run, task_name: str) -> None:
        if run.job is None:
            return
        key, job_id, places = run.key, run.job.id, self._folders()

        def work(context: JobContext) -> None:
            context.check()
            discard_part(places.output_folder(run.name, job_id, task_name))

        job = self._runner.start(f"UP42: discarding the download of {run.name}", work, hidden=True)
        job.ended.connect(lambda: self.discarded.emit(self._book.of(key)))

    def load(self, key: str, task: Optional[JobTask] = None) -> None:
        """Bring the live job's output, or that of one of its tasks, down and onto the map; a paused one goes on."""
        run, earlier = self._book.of(key), self._loads.get(key)
        if run.paused and earlier is not None:
            task = task or earlier.task
        possible = run.loadable or (task is not None and run.phase in (Phase.ON_SERVICE, Phase.LOADED))
        if run.job is None or not possible or self.busy(key):
            return
        provider = self._provider_of(run.connection_id)
        if provider is None:
            self._book.put(replace(run, message=self.not_connected(run)))
        else:
            self._load(run, run.job.id, provider, task)

    def _load(self, run: Run, job_id: str, provider: ServiceProvider, task: Optional[JobTask]) -> None:
        steps, task_name = run.configuration.workflow.steps, task.name if task is not None else ""
        step = next((step for step in steps if step.name == task_name), steps[-1])
        output = Output(job_id, task.id, task_name) if task is not None else Output(job_id)
        places, records, bandwidth = self._folders(), self._records, self._downloads.bandwidth

        def place() -> Path:  # the ledger is asked for it: for workers
            return places.output_folder(run.name, job_id, task_name)

        def look(context: JobContext) -> Optional[Plans]:
            folder = place()
            return noted(stored_output(step, folder, context), folder)

        def download(context: JobContext) -> Optional[Plans]:
            folder = place()
            with provider.open(context) as service:
                plans = fetch_live_output(
                    service, output, step, folder, context, discard=lambda: load.discarded, bandwidth=bandwidth
                )
            return noted(plans, folder)

        def noted(plans: Optional[Plans], folder: Path) -> Optional[Plans]:
            if records is not None and plans is not None:
                records.stored(run.connection_id, output, folder)
            return plans

        def here(key: str, plans: Plans) -> None:
            self._output_here(key, plans, task_name)

        def looked(key: str, plans: Optional[Plans]) -> None:
            if plans is not None:
                here(key, plans)
            else:
                self._download(key, run.percent if run.paused else -1.0, download, here)

        load = self._fetch(run, f"UP42: loading {run.name}", look, looked, task)

    def load_stored(self, key: str, folder: Path) -> None:
        """Bring a live job's output that is in a folder onto the map, without asking the service."""
        run = self._book.of(key)
        step = run.configuration.workflow.steps[-1]
        if run.job is None or self.busy(key):
            return

        def work(context: JobContext) -> Plans:
            return prepare_output(folder, context, block_name=step.block.name, block_title=step.block.title)

        def here(key: str, plans: Plans) -> None:
            self._output_here(key, plans, "")

        self._fetch(run, f"UP42: loading {run.name}", work, here)

    def show_quicklooks(self, key: str) -> None:
        """Lay the quicklooks of a live job's scenes on the map; what the run has come to stays as it is."""
        run = self._book.of(key)
        provider = self._provider_of(run.connection_id)
        if run.job is None or self.busy(key):
            return
        if provider is None:
            self._book.put(replace(run, message=self.not_connected(run)))
            return
        work = self._scenes_work(provider, run, run.job.id)

        def here(key: str, finds: TestQueryFinds) -> None:
            layers = self._add(self._book.of(key), finds.plans, run.name) if finds.plans else []
            now = replace(self._book.of(key), phase=run.phase, message="", percent=run.percent)
            self._book.put(now)
            if layers:
                self.loaded.emit(now, layers)

        self._fetch(run, f"UP42: reading quicklooks of {run.name}", work, here)

    def read_test_query(self, run: Run, job_id: str) -> None:
        """Read the scenes that a test query found, and lay their quicklooks on the map."""
        provider = self._provider_of(run.connection_id)
        if provider is None:
            self._loads[run.key] = _Load(run.phase)
            self._given_up(run.key, self.not_connected(run))
            return
        work = self._scenes_work(provider, run, job_id)
        self._fetch(run, f"UP42: reading {run.name}", work, self._scenes_here)

    def _scenes_work(self, provider: ServiceProvider, run: Run, job_id: str) -> Callable[[JobContext], TestQueryFinds]:
        places, records = self._folders(), self._records

        def work(context: JobContext) -> TestQueryFinds:
            folder = places.quicklook_folder(run.name, job_id)
            with provider.open(context) as service:
                finds = fetch_test_query(service, job_id, folder, context)
            if records is not None and not run.live:
                records.found_scenes(run.connection_id, job_id, len(finds.scenes))
            if records is not None and finds.plans:
                records.stored_quicklooks(run.connection_id, job_id, folder)
            return finds

        return work

    def not_connected(self, run: Run) -> str:
        """Why nothing can be asked of the run's service."""
        return f"Not connected to {self._connection_name(run.connection_id)}."

    # -- the work

    def _fetch(
        self,
        run: Run,
        title: str,
        work: Callable[[JobContext], Any],
        done: Callable[[str, Any], None],
        task: Optional[JobTask] = None,
    ) -> _Load:
        earlier = self._loads.get(run.key)
        before = earlier.before if run.paused and earlier is not None else run.phase
        kept = earlier.task if run.paused and earlier is not None else None
        load = self._loads[run.key] = _Load(before, task or kept)
        self._start(run.key, title, work, done)
        self._book.put(replace(run, phase=Phase.FETCHING, percent=-1.0, message=""))
        return load

    def _download(
        self, key: str, percent: float, work: Callable[[JobContext], Any], done: Callable[[str, Any], None]
    ) -> None:
        """Have the output come down, once it is its turn; ``percent`` had come before, negative while unknown."""
        run = self._book.of(key)

        def begin() -> BackgroundJob:
            self._book.put(replace(self._book.of(key), percent=percent, message=_DOWNLOADING))
            return self._start(key, f"UP42: downloading {run.name}", work, done, resumable=True)

        if self._downloads.full:
            self._book.put(replace(run, percent=percent, message=WAITING_TO_DOWNLOAD))
        self.downloading.emit(run, self._loads[key].task_name)
        self._downloads.add(key, begin)

    def _start(
        self,
        key: str,
        title: str,
        work: Callable[[JobContext], Any],
        done: Callable[[str, Any], None],
        resumable: bool = False,
    ) -> BackgroundJob:
        job = self._runner.start(title, work, long_running=True, resumable=resumable)
        self._loads[key].job = job
        job.progressed.connect(lambda percent, text: self._fetching(key, percent, text))
        job.succeeded.connect(lambda result: self._done(key, done, result))
        job.failed.connect(lambda error: self._given_up(key, message_of(error)))
        job.cancelled.connect(lambda: self._stopped(key))
        return job

    def _stop(self, key: str) -> None:
        job = self._loads[key].job
        if job is not None:
            job.cancel()

    def _fetching(self, key: str, percent: float, text: str) -> None:
        run, load, now = self._book.of(key), self._loads[key], time.monotonic()
        same_stage = run.message.split(" ")[:1] == text.split(" ")[:1] and (run.percent < 0) == (percent < 0)
        if run.phase is not Phase.FETCHING or (same_stage and now - load.told < _TOLD_EVERY_S and percent < _ALL):
            return
        load.told = now
        self._book.put(replace(run, percent=percent, message=text))

    # -- the end

    def _done(self, key: str, done: Callable[[str, Any], None], result: object) -> None:
        """Load what came; whatever goes wrong, the run does not stay as if it were still being fetched."""
        try:
            done(key, result)
        except Up42Error as error:
            self._given_up(key, error.user_message)
        except Exception as error:
            self._given_up(key, message_of(error))
            raise

    def _stopped(self, key: str) -> None:
        """By the person, or by QGIS: a download is kept unless the person wants none of it."""
        run, load = self._book.of(key), self._loads[key]
        if run.pausable and not load.discarded:
            self._book.put(replace(run, phase=Phase.PAUSED, message=""))
        else:
            self._given_up(key, "" if run.live else "Cancelled.")
            if run.live and load.discarded:
                self._discard(run, load.task_name)

    def _given_up(self, key: str, message: str) -> None:
        run = replace(self._book.of(key), phase=self._loads[key].before, message=message, percent=-1.0)
        self._book.put(run)
        if not run.live:
            self.read.emit(run)

    def _scenes_here(self, key: str, finds: TestQueryFinds) -> None:
        run = replace(self._book.of(key), scenes=finds.scenes)
        layers: List[QgsMapLayer] = []
        message = ""
        if finds.plans:
            try:
                layers = self._add(run, finds.plans, f"{run.name} (test query)")
            except NoLayerError as error:  # the scenes are what was asked for
                message = f"The scenes cannot be shown on the map. {error.detail}".strip()
        run = replace(run, phase=Phase.LOADED, layers=len(layers), message=message, percent=-1.0)
        self._book.put(run)
        self.read.emit(run)
        if layers:
            self.loaded.emit(run, layers)

    def _output_here(self, key: str, plans: Plans, task_name: str) -> None:
        run = self._book.of(key)
        layers = self._add(run, plans, run.name, task_name)
        message = "; ".join(self._loader.problems)
        run = replace(run, phase=Phase.LOADED, layers=len(layers), message=message, percent=-1.0)
        self._book.put(run)
        self.loaded.emit(run, layers)

    def _add(self, run: Run, plans: Plans, group: str, task_name: str = "") -> List[QgsMapLayer]:
        job = run.job
        if job is None:
            raise ValueError("a run without a job has no output")
        provenance = provenance_of(run, job, self._connection_name(run.connection_id), task_name)
        return self._loader.add(plans, group, provenance)
