"""From a job that succeeded to layers on the map."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

from qgis.core import QgsMapLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.fetching import TestQueryFinds, fetch_live_output, fetch_test_query
from up42_plugin.core.jobs import JobTask
from up42_plugin.core.layer_plan import LayerPlan
from up42_plugin.core.output_errors import NoLayerError
from up42_plugin.core.outputs import prepare_output
from up42_plugin.core.provenance import provenance_of
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import Output, ServiceProvider
from up42_plugin.core.storage import OutputFolders
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.recording import JobRecords
from up42_plugin.qgis_bridge.run_book import RunBook
from up42_plugin.qgis_bridge.sending import message_of

ProviderOf = Callable[[str], Optional[ServiceProvider]]


class RunLoading(QObject):
    """Fetches what runs brought and loads it. ``loaded(Run, layers)`` when layers were added.

    ``read(Run)`` once for each test query, when its scenes are known or when that was given up.
    """

    loaded = pyqtSignal(object, object)
    read = pyqtSignal(object)

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
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._book, self._runner, self._loader = book, runner, loader
        self._provider_of, self._connection_name, self._folders = provider_of, connection_name, folders
        self._records = records
        self._jobs: Dict[str, BackgroundJob] = {}

    def busy(self, key: str) -> bool:
        """Whether something of the run is being fetched."""
        job = self._jobs.get(key)
        return job is not None and job.active

    def cancel(self, key: str) -> None:
        """Stop fetching; nothing half-made stays."""
        self._jobs[key].cancel()

    def load(self, key: str, task: Optional[JobTask] = None) -> None:
        """Bring the live job's output, or that of one of its tasks, down and onto the map."""
        run = self._book.of(key)
        possible = run.loadable or (task is not None and run.phase in (Phase.ON_SERVICE, Phase.LOADED))
        if run.job is None or not possible or self.busy(key):
            return
        provider = self._provider_of(run.connection_id)
        if provider is None:
            self._book.put(replace(run, message=self.not_connected(run)))
            return
        steps, task_name = run.configuration.workflow.steps, task.name if task is not None else ""
        step = next((step for step in steps if step.name == task_name), steps[-1])
        output = Output(run.job.id, task.id, task_name) if task is not None else Output(run.job.id)
        name, places, records = run.name, self._folders(), self._records

        def work(context: JobContext) -> Tuple[LayerPlan, ...]:
            folder = places.output_folder(name, output.job_id, task_name)
            with provider.open(context) as service:
                plans = fetch_live_output(service, output, step, folder, context)
            if records is not None:
                records.stored(run.connection_id, output, folder)
            return plans

        def here(key: str, plans: Tuple[LayerPlan, ...]) -> None:
            self._output_here(key, plans, task_name)

        self._fetch(run, f"UP42: loading {run.name}", work, here)

    def load_stored(self, key: str, folder: Path) -> None:
        """Bring a live job's output that is in a folder onto the map, without asking the service."""
        run = self._book.of(key)
        step = run.configuration.workflow.steps[-1]
        if run.job is None or self.busy(key):
            return

        def work(context: JobContext) -> Tuple[LayerPlan, ...]:
            return prepare_output(folder, context, block_name=step.block.name, block_title=step.block.title)

        def here(key: str, plans: Tuple[LayerPlan, ...]) -> None:
            self._output_here(key, plans, "")

        self._fetch(run, f"UP42: loading {run.name}", work, here)

    def folder_of(self, run: Run, task_name: str = "") -> Path:
        """Where the output of a run's job lies, or would; for workers. ``ValueError`` for a run without a job."""
        if run.job is None:
            raise ValueError("a run without a job has no output")
        return self._folders().output_folder(run.name, run.job.id, task_name)

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
            now = replace(self._book.of(key), phase=run.phase, message="", percent=-1.0)
            self._book.put(now)
            if layers:
                self.loaded.emit(now, layers)

        self._fetch(run, f"UP42: reading quicklooks of {run.name}", work, here)

    def read_test_query(self, run: Run, job_id: str) -> None:
        """Read the scenes that a test query found, and lay their quicklooks on the map."""
        provider = self._provider_of(run.connection_id)
        if provider is None:
            self._given_up(run.key, run.phase, self.not_connected(run))
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

    def _fetch(self, run: Run, title: str, work: Callable[[JobContext], Any], done: Callable[[str, Any], None]) -> None:
        key, before = run.key, run.phase
        job = self._runner.start(title, work, long_running=True)
        self._jobs[key] = job
        job.progressed.connect(lambda percent, text: self._fetching(key, percent, text))
        job.succeeded.connect(lambda result: self._done(key, before, done, result))
        job.failed.connect(lambda error: self._given_up(key, before, message_of(error)))
        job.cancelled.connect(lambda: self._given_up(key, before, "" if run.live else "Cancelled."))
        self._book.put(replace(run, phase=Phase.FETCHING, percent=-1.0, message=""))

    def _fetching(self, key: str, percent: float, text: str) -> None:
        run = self._book.of(key)
        if run.phase is Phase.FETCHING:
            self._book.put(replace(run, percent=percent, message=text))

    def _done(self, key: str, before: Phase, done: Callable[[str, Any], None], result: object) -> None:
        """Load what came; whatever goes wrong, the run does not stay as if it were still being fetched."""
        try:
            done(key, result)
        except Up42Error as error:
            self._given_up(key, before, error.user_message)
        except Exception as error:
            self._given_up(key, before, message_of(error))
            raise

    def _given_up(self, key: str, before: Phase, message: str) -> None:
        run = replace(self._book.of(key), phase=before, message=message, percent=-1.0)
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

    def _output_here(self, key: str, plans: Tuple[LayerPlan, ...], task_name: str) -> None:
        run = self._book.of(key)
        layers = self._add(run, plans, run.name, task_name)
        message = "; ".join(self._loader.problems)
        run = replace(run, phase=Phase.LOADED, layers=len(layers), message=message, percent=-1.0)
        self._book.put(run)
        self.loaded.emit(run, layers)

    def _add(self, run: Run, plans: Tuple[LayerPlan, ...], group: str, task_name: str = "") -> List[QgsMapLayer]:
        job = run.job
        if job is None:
            raise ValueError("a run without a job has no output")
        provenance = provenance_of(run, job, self._connection_name(run.connection_id), task_name)
        return self._loader.add(plans, group, provenance)
