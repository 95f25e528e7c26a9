"""Runs: test queries and live jobs of ours, carried from the click to the layers."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Dict, Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.aftermath import Aftermath, aftermath
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Job, JobState, JobTask, Mode
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import JobService, ServiceProvider
from up42_plugin.core.storage import OutputFolders
from up42_plugin.core.submission import Outcome, Recorded, Submitter
from up42_plugin.qgis_bridge.downloads import Downloads
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.loading import ProviderOf, RunLoading
from up42_plugin.qgis_bridge.monitor import JobMonitor
from up42_plugin.qgis_bridge.recording import JobRecords
from up42_plugin.qgis_bridge.run_book import RunBook
from up42_plugin.qgis_bridge.sending import CANCELLED, FORGOTTEN, Sender, Submit, message_of
from up42_plugin.qgis_bridge.settling import Settler


class RunController(QObject):
    """Starts runs, follows them, cancels them and loads what they brought. Main thread only; all work is in jobs.

    ``changed(Run)`` for everything that happens to a run. ``recorded(key)`` once its submission is in the ledger,
    ``ended(Run)`` once, when the service is done with it or never got it (a test query: when its scenes were read),
    ``loaded(Run, layers)`` when layers were added, ``trouble(Run, sentence)`` when it could not be cancelled.
    ``downloading(Run, task name)`` when an output has to come down, ``discarded(Run)`` when what came of one is gone.
    A test query of an earlier session ends silently.
    ``settled_earlier(Outcome)`` tells how a submission of an earlier session ended, ``put_off(key, PutOff)`` that a run
    still waits for a slot.
    """

    changed = pyqtSignal(object)
    recorded = pyqtSignal(str)
    ended = pyqtSignal(object)
    loaded = pyqtSignal(object, object)
    downloading = pyqtSignal(object, str)
    discarded = pyqtSignal(object)
    trouble = pyqtSignal(object, str)
    settled_earlier = pyqtSignal(object)
    put_off = pyqtSignal(str, object)

    def __init__(
        self,
        *,
        runner: JobRunner,
        monitor: JobMonitor,
        submitter_of: Callable[[str], Submitter],
        settler: Settler,
        loader: LayerLoader,
        provider_of: ProviderOf,
        connection_name: Callable[[str], str],
        folders: Callable[[], OutputFolders],
        records: Optional[JobRecords] = None,
        downloads: Optional[Downloads] = None,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._monitor, self._provider_of = runner, monitor, provider_of
        self._records = records
        self._book = RunBook(self)
        self._sender = Sender(self._book, runner, submitter_of, settler, self)
        self._loading = RunLoading(
            self._book,
            runner,
            loader=loader,
            provider_of=provider_of,
            connection_name=connection_name,
            folders=folders,
            records=records,
            downloads=downloads,
            parent=self,
        )
        self._cancelling: Dict[str, BackgroundJob] = {}
        self._book.changed.connect(self.changed)
        self._sender.recorded.connect(self.recorded)
        self._sender.accepted.connect(self._accepted)
        self._sender.refused.connect(self._not_submitted)
        self._sender.put_off.connect(self.put_off)
        self._loading.loaded.connect(self.loaded)
        self._loading.downloading.connect(self.downloading)
        self._loading.discarded.connect(self.discarded)
        self._loading.read.connect(self.ended)
        settler.settled.connect(self._settled)
        monitor.job_seen.connect(self._job_seen)
        monitor.tasks_seen.connect(self._tasks_seen)
        monitor.gone.connect(self._job_gone)
        monitor.trouble.connect(self._not_seen)

    def run_of(self, key: str) -> Run:
        """A run of this session; raises ``KeyError`` for another's."""
        return self._book.of(key)

    def start(
        self,
        provider: ServiceProvider,
        configuration: JobConfiguration,
        mode: Mode,
        name: str,
        agreed: Optional[Range] = None,
    ) -> str:
        """Submit a configuration; returns the run's key. A live job's ``agreed`` price was confirmed by the person."""
        key = uuid.uuid4().hex
        run = Run(key, name, mode, configuration, provider.connection_id, datetime.now(timezone.utc))
        self._book.put(run)

        def submit(submitter: Submitter, service: JobService, context: JobContext, recorded: Recorded) -> Outcome:
            return submitter.submit(service, configuration, mode, name, agreed, context, recorded)

        self._sender.send(run, provider, submit)
        return key

    def all(self) -> Tuple[Run, ...]:
        """Every run of this session, oldest first."""
        return self._book.all()

    def put_waiting(self, run: Run, message: str = "") -> None:
        """A run that waits for a slot, new or as before."""
        self._book.put(replace(run, phase=Phase.WAITING, message=message))

    def send_waiting(self, key: str, provider: ServiceProvider, submit: Submit) -> None:
        """Have a waiting run sent; it waits on when ``submit`` puts it off."""
        self._sender.send(self._book.of(key), provider, submit)

    def withdraw(self, key: str, message: str = CANCELLED, unwanted: bool = True) -> None:
        """A waiting run is not sent any more; ``unwanted`` when that is what the person wants."""
        if self._book.of(key).phase is Phase.WAITING:
            self._book.put(replace(self._book.of(key), unwanted=unwanted))
            self._not_submitted(key, message)

    def cancel(self, key: str) -> None:
        """Cancel a run wherever it stands: its sending, its transfer (a paused one too), or the job on the service."""
        run = self._book.of(key)
        if self._loading.busy(key) or run.loadable:
            self._loading.cancel(key)
        elif run.phase in (Phase.WAITING, Phase.SENDING, Phase.CHECKING):
            self._sender.cancel(key)
        elif run.job is not None and not run.job.state.terminal:
            self._cancel_on_service(run, run.job.id)

    def load(self, key: str, task: Optional[JobTask] = None) -> None:
        """Bring the live job's output, or that of one of its tasks, down and onto the map; a paused one goes on."""
        self._loading.load(key, task)

    def pause(self, key: str) -> None:
        """Stop a download; the next load goes on where it was."""
        self._loading.pause(key)

    def find(self, connection_id: str, job_id: str) -> Optional[Run]:
        """The run of a job of the service, None when it is not of this session."""
        return self._book.find(connection_id, job_id)

    def adopt(self, run: Run) -> None:
        """Take in a job of an earlier session, or of somebody else; one that runs is followed."""
        self._book.put(run)
        if run.job is not None and not run.job.state.terminal:
            self._monitor.watch(run.connection_id, run.job.id, opened=False)

    def rename(self, key: str, name: str) -> None:
        """Call a run otherwise."""
        self._book.put(replace(self._book.of(key), name=name))

    def read_scenes(self, key: str) -> None:
        """Read once more what a test query found, and have its layers on the map; ``ended`` follows."""
        run = self._book.of(key)
        if run.job is not None and run.succeeded and not run.live and not self._loading.busy(key):
            self._loading.read_test_query(run, run.job.id)

    def show_quicklooks(self, key: str) -> None:
        """Lay the quicklooks of a live job's scenes on the map."""
        self._loading.show_quicklooks(key)

    def submissions(self) -> Dict[int, str]:
        """The runs of this session by the ledger's ids of their submissions."""
        return self._sender.runs_by_submission()

    def load_stored(self, key: str, folder: Path) -> None:
        """Bring the output in a folder onto the map, without asking the service."""
        self._loading.load_stored(key, folder)

    def resume(self, run: Run, submission_id: int) -> None:
        """Take in a job of an earlier session, unless it is known; one that has ended is told of now."""
        job = run.job
        if job is None or self._sender.owns(submission_id) or self.find(run.connection_id, job.id) is not None:
            return
        self.adopt(run)
        if job.state.terminal:
            self._over(run, job)

    def _accepted(self, key: str, job: Job) -> None:
        run = replace(self._book.of(key).on_service(job), unwanted=False)
        unwanted = self._book.of(key).unwanted
        self._book.put(run)
        if job.state.terminal:  # found out late
            self._over(run, job)
            return
        self._monitor.watch(run.connection_id, job.id, opened=False)
        if unwanted:
            self._cancel_on_service(run, job.id)

    def _not_submitted(self, key: str, message: str) -> None:
        run = replace(self._book.of(key), phase=Phase.NOT_SUBMITTED, message=message)
        self._book.put(run)
        self.ended.emit(run)

    def _settled(self, outcome: Outcome) -> None:
        if outcome.state.settled and not self._sender.owns(outcome.submission.id):
            self.settled_earlier.emit(outcome)

    def _cancel_on_service(self, run: Run, job_id: str) -> None:
        under_way = self._cancelling.get(run.key)
        if under_way is not None and under_way.active:
            return
        provider = self._provider_of(run.connection_id)
        if provider is None:
            self.trouble.emit(run, self._loading.not_connected(run))
            return

        def work(context: JobContext) -> None:
            with provider.open(context) as service:
                service.cancel(job_id)

        job = self._runner.start(f"UP42: cancelling {run.name}", work, long_running=True)
        self._cancelling[run.key] = job
        self._book.put(replace(run, message="Cancelling…"))
        job.failed.connect(lambda error: self._not_cancelled(run.key, error))
        job.ended.connect(lambda: self._monitor.hurry(run.connection_id))

    def _not_cancelled(self, key: str, error: BaseException) -> None:
        run = self._book.of(key)
        if run.job is not None and not run.job.state.terminal:  # else it ended by itself meanwhile
            run = replace(run, message="")
            self._book.put(run)
            self.trouble.emit(run, message_of(error))

    def _job_seen(self, connection_id: str, job: Job) -> None:
        run = self._book.find(connection_id, job.id)
        if run is None:
            return
        was_over = run.job is not None and run.job.state.terminal
        run = run.on_service(job)
        self._book.put(run)
        if job.state.terminal and not was_over:
            self._over(run, job)

    def _over(self, run: Run, job: Job) -> None:
        if job.state is JobState.SUCCEEDED and not run.live and run.resumed is None:
            self._loading.read_test_query(run, job.id)
        else:
            self._read_aftermath(run, job)

    def _read_aftermath(self, run: Run, job: Job) -> None:
        """Credits charged, for a failed job why, and whether the person is to be told here."""
        provider, key, records = self._provider_of(run.connection_id), run.key, self._records
        titles = {step.name: step.block.title for step in run.configuration.workflow.steps}

        def work(context: JobContext) -> Tuple[Aftermath, bool]:
            found = Aftermath()
            if provider is not None:
                with suppress(Up42Error), provider.open(context) as service:
                    found = aftermath(service, job, titles)
            context.check()
            return found, records is None or records.ended(run.connection_id, job)

        background = self._runner.start(f"UP42: looking at {run.name}", work, long_running=True, hidden=True)
        background.succeeded.connect(lambda found: self._aftermath(key, *found))
        background.failed.connect(lambda _error: self._aftermath(key, Aftermath()))
        background.cancelled.connect(lambda: self._aftermath(key, Aftermath()))

    def _aftermath(self, key: str, found: Aftermath, tell: bool = True) -> None:
        run = self._book.of(key)
        charged = run.credits_charged if found.charged is None else found.charged
        run = replace(run, credits_charged=charged, message=found.reason or run.message, told_elsewhere=not tell)
        self._book.put(run)
        if _is_told(run):
            self.ended.emit(run)

    def _tasks_seen(self, connection_id: str, job_id: str, tasks: Tuple[JobTask, ...]) -> None:
        run = self._book.find(connection_id, job_id)
        if run is not None:
            self._book.put(replace(run, tasks=tasks))

    def _job_gone(self, connection_id: str, job_id: str) -> None:
        run = self._book.find(connection_id, job_id)
        if run is not None and _is_told(run):
            self._not_submitted(run.key, FORGOTTEN)
        elif run is not None:
            self._book.put(replace(run, phase=Phase.NOT_SUBMITTED, message=FORGOTTEN))

    def _not_seen(self, connection_id: str, error: BaseException) -> None:
        """Told quietly, beside what is known: the monitor goes on by itself."""
        sentence = error.user_message if isinstance(error, Up42Error) else "The service cannot be asked."
        for run in self._book.all():
            on_service = run.phase is Phase.ON_SERVICE and run.job is not None and not run.job.state.terminal
            if on_service and run.connection_id == connection_id and run.trouble != sentence:
                self._book.put(replace(run, trouble=sentence))


def _is_told(run: Run) -> bool:
    """Whether anybody waits for its end: not for a test query of an earlier session."""
    return run.live or run.resumed is None
