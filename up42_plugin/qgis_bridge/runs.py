"""Runs: test queries and live jobs of ours, carried from the click to the layers."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timezone
from typing import Callable, Dict, List, Optional, Set, Tuple

from qgis.core import QgsMapLayer
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Range
from up42_plugin.core.failure_reason import failure_reason
from up42_plugin.core.fetching import TestQueryFinds, fetch_live_output, fetch_test_query
from up42_plugin.core.jobs import Job, JobState, JobTask, Mode
from up42_plugin.core.layer_plan import JobProvenance, LayerPlan
from up42_plugin.core.ledger import Submission, SubmissionState
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import Output, ServiceProvider
from up42_plugin.core.storage import OutputFolders
from up42_plugin.core.submission import Outcome, Submitter
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.monitor import JobMonitor
from up42_plugin.qgis_bridge.settling import Settler

SENDING = "Sending…"
CHECK_AGAIN_MS = 15_000

ProviderOf = Callable[[str], Optional[ServiceProvider]]


class RunController(QObject):
    """Starts runs, follows them, cancels them and loads what they brought. Main thread only; all work is in jobs.

    ``changed(Run)`` for everything that happens to a run. ``recorded(key)`` once its submission is in the ledger,
    ``ended(Run)`` when the service is done with it or never got it, ``loaded(Run, layers)`` when layers were added.
    """

    changed = pyqtSignal(object)
    recorded = pyqtSignal(str)
    ended = pyqtSignal(object)
    loaded = pyqtSignal(object, object)

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
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._monitor, self._loader = runner, monitor, loader
        self._submitter_of, self._settler = submitter_of, settler
        self._provider_of, self._connection_name, self._folders = provider_of, connection_name, folders
        self._runs: Dict[str, Run] = {}
        self._jobs: Dict[str, BackgroundJob] = {}
        self._submissions: Dict[str, int] = {}
        self._unwanted: Set[str] = set()
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.setInterval(CHECK_AGAIN_MS)
        self._retry.timeout.connect(self._check_all)
        settler.settled.connect(self._settled)
        settler.ended.connect(self._check_again)
        monitor.job_seen.connect(self._job_seen)
        monitor.tasks_seen.connect(self._tasks_seen)
        monitor.gone.connect(self._job_gone)

    def run_of(self, key: str) -> Run:
        """A run of this session; raises ``KeyError`` for another's."""
        return self._runs[key]

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
        self._runs[key] = run
        submitter = self._submitter_of(provider.connection_id)

        def work(context: JobContext) -> Outcome:
            def recorded(submission: Submission) -> None:
                self._submissions[key] = submission.id
                context.progress(-1, SENDING)

            with provider.open(context) as service:
                return submitter.submit(service, configuration, mode, name, agreed, context, recorded)

        job = self._runner.start(f"UP42: sending {name}", work, long_running=True)
        self._jobs[key] = job
        job.progressed.connect(lambda _percent, text: self._sending(key, text))
        job.succeeded.connect(lambda outcome: self._submitted(key, outcome))
        job.failed.connect(lambda error: self._not_submitted(key, _message(error)))
        job.cancelled.connect(lambda: self._cancelled_while_sending(key))
        self._put(run)
        return key

    def cancel(self, key: str) -> None:
        """Cancel a run wherever it stands: its sending, its transfer, or the job on the service."""
        run, job = self._runs[key], self._jobs.get(key)
        if job is not None and job.active:
            job.cancel()
        elif run.job is not None and not run.job.state.terminal:
            self._cancel_on_service(run, run.job.id)

    def load(self, key: str) -> None:
        """Bring the live job's output down and onto the map."""
        run = self._runs[key]
        provider = self._provider_of(run.connection_id)
        if run.job is None or provider is None or self._busy(key):
            return
        job_id, step = run.job.id, run.configuration.workflow.steps[-1]
        folder = self._folders().output_folder(run.name, job_id)

        def work(context: JobContext) -> Tuple[LayerPlan, ...]:
            with provider.open(context) as service:
                return fetch_live_output(service, Output(job_id), step, folder, context)

        self._fetch(run, f"UP42: loading {run.name}", work, self._output_here)

    def _read_test_query(self, run: Run, job_id: str) -> None:
        provider = self._provider_of(run.connection_id)
        if provider is None:
            return
        folder = self._folders().quicklook_folder(run.name, job_id)

        def work(context: JobContext) -> TestQueryFinds:
            with provider.open(context) as service:
                return fetch_test_query(service, job_id, folder, context)

        self._fetch(run, f"UP42: reading {run.name}", work, self._scenes_here)

    def _fetch(self, run: Run, title: str, work: Callable, done: Callable[[str, object], None]) -> None:
        key, before = run.key, run.phase
        job = self._runner.start(title, work, long_running=True)
        self._jobs[key] = job
        job.progressed.connect(lambda percent, text: self._fetching(key, percent, text))
        job.succeeded.connect(lambda result: done(key, result))
        job.failed.connect(lambda error: self._fetch_ended(key, before, _message(error)))
        job.cancelled.connect(lambda: self._fetch_ended(key, before, ""))
        self._put(replace(run, phase=Phase.FETCHING, percent=-1.0, message=""))

    def _busy(self, key: str) -> bool:
        job = self._jobs.get(key)
        return job is not None and job.active

    def _sending(self, key: str, text: str) -> None:
        run = self._runs[key]
        if text == SENDING:
            self.recorded.emit(key)
        if run.phase in (Phase.SENDING, Phase.CHECKING):
            phase = Phase.CHECKING if text.startswith("Checking") else Phase.SENDING
            self._put(replace(run, phase=phase, message=text))

    def _submitted(self, key: str, outcome: Outcome) -> None:
        run = self._runs[key]
        if outcome.job is not None:
            self.recorded.emit(key)
            self._accepted(run, outcome.job)
        elif outcome.state.settled:
            self._not_submitted(key, _why_not(outcome))
        else:
            self._put(replace(run, phase=Phase.CHECKING))
            self._check_again()

    def _accepted(self, run: Run, job: Job) -> None:
        self._put(run.on_service(job))
        self._monitor.watch(run.connection_id, job.id)
        if run.key in self._unwanted:
            self._unwanted.discard(run.key)
            self._cancel_on_service(run, job.id)

    def _not_submitted(self, key: str, message: str) -> None:
        self._unwanted.discard(key)
        run = replace(self._runs[key], phase=Phase.NOT_SUBMITTED, message=message)
        self._put(run)
        self.ended.emit(run)

    def _cancelled_while_sending(self, key: str) -> None:
        """It may have arrived: find out, and then cancel it there."""
        if key not in self._submissions:
            self._not_submitted(key, "Cancelled before it was sent.")
            return
        self._unwanted.add(key)
        self._put(replace(self._runs[key], phase=Phase.CHECKING, message=""))
        self._check(self._runs[key].connection_id)

    def _check(self, connection_id: str) -> None:
        """Ask what became of this connection's submissions that have no known end."""
        waiting = [run.key for run in self._checking() if run.connection_id == connection_id]
        self._settler.settle(connection_id, [self._submissions[key] for key in waiting if key in self._submissions])

    def _checking(self) -> List[Run]:
        return [run for run in self._runs.values() if run.phase is Phase.CHECKING and not self._busy(run.key)]

    def _settled(self, outcome: Outcome) -> None:
        for run in self._checking():
            if self._submissions.get(run.key) == outcome.submission.id and outcome.state.settled:
                self._submitted(run.key, outcome)

    def _check_again(self, _connection_id: str = "") -> None:
        if self._checking():
            self._retry.start()

    def _check_all(self) -> None:
        for connection_id in {run.connection_id for run in self._checking()}:
            self._check(connection_id)

    def _cancel_on_service(self, run: Run, job_id: str) -> None:
        provider = self._provider_of(run.connection_id)
        if provider is None:
            return

        def work(context: JobContext) -> None:
            with provider.open(context) as service:
                service.cancel(job_id)

        job = self._runner.start(f"UP42: cancelling {run.name}", work)
        job.ended.connect(lambda: self._monitor.hurry(run.connection_id))
        job.failed.connect(lambda error: self._put(replace(self._runs[run.key], message=_message(error))))

    def _job_seen(self, connection_id: str, job: Job) -> None:
        run = self._find(connection_id, job.id)
        if run is None:
            return
        was_over = run.job is not None and run.job.state.terminal
        run = run.on_service(job)
        self._put(run)
        if job.state.terminal and not was_over:
            self._over(run, job)

    def _over(self, run: Run, job: Job) -> None:
        if job.state is JobState.SUCCEEDED and not run.live:
            self._read_test_query(run, job.id)
            return
        if run.live or job.state is not JobState.SUCCEEDED:
            self._read_aftermath(run, job)

    def _read_aftermath(self, run: Run, job: Job) -> None:
        """Credits charged and, for a failed job, why."""
        provider = self._provider_of(run.connection_id)
        if provider is None:
            return
        titles = {step.name: step.block.title for step in run.configuration.workflow.steps}

        def work(context: JobContext) -> Tuple[int, str]:
            with provider.open(context) as service:
                used = service.credits(job.id).used
                if job.state not in (JobState.FAILED, JobState.ERROR):
                    return used, ""
                for task in service.tasks(job.id):
                    if task.state in (JobState.FAILED, JobState.ERROR):
                        log = service.logs(job.id, task.id)
                        return used, failure_reason(log, titles.get(task.name, task.name))
                return used, ""

        background = self._runner.start(f"UP42: looking at {run.name}", work, hidden=True)
        background.succeeded.connect(lambda result: self._aftermath(run.key, *result))
        background.failed.connect(lambda _error: self.ended.emit(self._runs[run.key]))

    def _aftermath(self, key: str, used: int, reason: str) -> None:
        run = replace(self._runs[key], credits_charged=used, message=reason)
        self._put(run)
        self.ended.emit(run)

    def _tasks_seen(self, job_id: str, tasks: Tuple[JobTask, ...]) -> None:
        for run in list(self._runs.values()):
            if run.job is not None and run.job.id == job_id:
                self._put(replace(run, tasks=tasks))

    def _job_gone(self, connection_id: str, job_id: str) -> None:
        run = self._find(connection_id, job_id)
        if run is not None:
            self._not_submitted(run.key, "The service no longer knows this job.")

    def _fetching(self, key: str, percent: float, text: str) -> None:
        run = self._runs[key]
        if run.phase is Phase.FETCHING:
            self._put(replace(run, percent=percent, message=text))

    def _fetch_ended(self, key: str, before: Phase, message: str) -> None:
        run = replace(self._runs[key], phase=before, message=message, percent=-1.0)
        self._put(run)
        if not run.live:
            self.ended.emit(run)

    def _scenes_here(self, key: str, finds: TestQueryFinds) -> None:
        run = replace(self._runs[key], scenes=finds.scenes)
        layers = self._add(run, finds.plans, f"{run.name} (test query)") if finds.plans else []
        run = replace(run, phase=Phase.LOADED, layers=len(layers), message="", percent=-1.0)
        self._put(run)
        self.ended.emit(run)
        self.loaded.emit(run, layers)

    def _output_here(self, key: str, plans: Tuple[LayerPlan, ...]) -> None:
        run = self._runs[key]
        try:
            layers = self._add(run, plans, run.name)
        except Up42Error as error:
            self._fetch_ended(key, Phase.ON_SERVICE, error.user_message)
            return
        message = "; ".join(self._loader.problems)
        run = replace(run, phase=Phase.LOADED, layers=len(layers), message=message, percent=-1.0)
        self._put(run)
        self.loaded.emit(run, layers)

    def _add(self, run: Run, plans: Tuple[LayerPlan, ...], group: str) -> List[QgsMapLayer]:
        job = run.job
        if job is None:
            return []
        provenance = JobProvenance(
            job.id,
            run.name,
            run.connection_id,
            self._connection_name(run.connection_id),
            run.mode,
            workflow_name=run.configuration.workflow.name,
            chain=run.configuration.workflow.chain,
            recipe=run.configuration.inputs(run.mode),
            created=job.created,
            finished=job.finished,
            credits=run.credits_charged,
        )
        return self._loader.add(plans, group, provenance)

    def _find(self, connection_id: str, job_id: str) -> Optional[Run]:
        for run in self._runs.values():
            if run.connection_id == connection_id and run.job is not None and run.job.id == job_id:
                return run
        return None

    def _put(self, run: Run) -> None:
        self._runs[run.key] = run
        self.changed.emit(run)


def _why_not(outcome: Outcome) -> str:
    reason = outcome.error.user_message if outcome.error is not None else outcome.submission.reason
    if outcome.state is SubmissionState.NOT_SUBMITTED:
        return "Not submitted: the service does not know this job."
    return reason or "Not submitted."


def _message(error: BaseException) -> str:
    if isinstance(error, Up42Error):
        return error.user_message
    return "Something unexpected happened. Details are in the log."
