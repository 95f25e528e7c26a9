"""Live jobs that wait for a free slot of their project, sent one after the other as slots become free."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Union

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger_queue import PRICE_HOLDS, LedgerQueue, PutOff, WaitingJob
from up42_plugin.core.queueing import submit_waiting
from up42_plugin.core.run import BatchPlace, Phase, Run
from up42_plugin.core.service import JobService, ServiceProvider
from up42_plugin.core.submission import Outcome, Pace, Recorded, Submitter
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.sending import message_of

TOO_OLD = "Its price is older than 24\u00a0hours and has to be confirmed again."
_TAKEN = "Another QGIS window sent this job, or was told to forget it."


class JobQueue(QObject):
    """Keeps waiting jobs in the ledger and sends them, never more at once than the project runs.

    ``recorded(batch id)`` when the jobs of :meth:`add` are in the ledger, ``refused(batch id, why)`` when they could
    not be written: then nothing waits. ``unsent(connection id, jobs)`` are jobs of an earlier session: none is sent
    before :meth:`go_on`. ``changed(connection id)`` when a job began or stopped to wait, ``trouble(sentence)`` when the
    ledger could not be used. Each job of this session is a run, whose key is the job's id.
    """

    recorded = pyqtSignal(str)
    refused = pyqtSignal(str, str)
    unsent = pyqtSignal(str, object)
    changed = pyqtSignal(str)
    trouble = pyqtSignal(str)

    def __init__(
        self,
        runner: JobRunner,
        runs: RunController,
        ledger: LedgerQueue,
        provider_of: Callable[[str], Optional[ServiceProvider]],
        *,
        pace: Optional[Pace] = None,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._runs, self._ledger, self._provider_of = runner, runs, ledger, provider_of
        self._pace = pace or Pace(5, 30)
        self._pause = self._pace.first
        self._waiting: Dict[str, Dict[str, WaitingJob]] = {}
        self._sent: Set[str] = set()
        self._trying: Dict[str, str] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._send_all)
        runs.changed.connect(self._run_changed)
        runs.ended.connect(self._run_ended)
        runs.put_off.connect(self._put_off)

    @property
    def now(self) -> datetime:
        """The ledger's time."""
        return self._ledger.now

    def waiting(self, connection_id: str) -> Sequence[WaitingJob]:
        """The jobs of this session that wait."""
        return tuple(self._waiting.get(connection_id, {}).values())

    def add(self, jobs: Sequence[WaitingJob]) -> None:
        """Write down the jobs of one batch, and send them as slots become free."""
        batch_id = jobs[0].batch_id

        def work(context: JobContext) -> None:
            context.check()
            self._ledger.add(jobs)

        job = self._runner.start("UP42: recording jobs", work, hidden=True)

        def written(_result: object) -> None:
            self.recorded.emit(batch_id)
            self._take(jobs)

        job.succeeded.connect(written)
        job.failed.connect(lambda error: self.refused.emit(batch_id, message_of(error)))
        job.cancelled.connect(lambda: self.refused.emit(batch_id, "Cancelled before it was sent."))

    def look_for_unsent(self, connection_id: str) -> None:
        """Read what an earlier session left waiting on a connection."""

        def work(context: JobContext) -> List[WaitingJob]:
            context.check()
            return list(self._ledger.waiting(connection_id))

        def found(jobs: List[WaitingJob]) -> None:
            mine = {job.id for job in self.waiting(connection_id)}
            others = [job for job in jobs if job.id not in mine and job.id not in self._sent]
            if others:
                self.unsent.emit(connection_id, others)

        job = self._runner.start("UP42: looking for jobs not sent yet", work, hidden=True)
        job.succeeded.connect(found)

    def go_on(self, jobs: Sequence[WaitingJob], agreed: Optional[Mapping[str, Range]] = None) -> None:
        """Send jobs of an earlier session after all; ``agreed`` are newer prices that were said yes to, by job id."""
        if not agreed:
            self._take(jobs)
            return
        batch_id, priced = jobs[0].batch_id, self.now

        def work(context: JobContext) -> List[WaitingJob]:
            context.check()
            self._ledger.agree(agreed, priced)
            wanted = {job.id for job in jobs}
            return [job for job in self._ledger.waiting(jobs[0].connection_id) if job.id in wanted]

        job = self._runner.start("UP42: recording prices", work, hidden=True)

        def written(found: List[WaitingJob]) -> None:
            self.recorded.emit(batch_id)
            self._take(found)

        job.succeeded.connect(written)
        job.failed.connect(lambda error: self.refused.emit(batch_id, message_of(error)))

    def forget(self, job_ids: Iterable[str]) -> None:
        """Never send these. One that was sent in the meantime is cancelled, where it is one of this session."""
        wanted = tuple(job_ids)

        def work(context: JobContext) -> Set[str]:
            context.check()
            return set(self._ledger.forget(wanted))

        def forgotten(those: Set[str]) -> None:
            for job_id in wanted:
                if job_id in those:
                    self._drop(job_id)
                elif self._is_run(job_id):
                    self._runs.cancel(job_id)

        job = self._runner.start("UP42: forgetting jobs not sent yet", work, hidden=True)
        job.succeeded.connect(forgotten)
        job.failed.connect(lambda error: self.trouble.emit(message_of(error)))

    def stop(self) -> None:
        """Send nothing any more; what waits stays in the ledger."""
        self._timer.stop()
        self._waiting.clear()

    def _take(self, jobs: Sequence[WaitingJob]) -> None:
        for job in jobs:
            self._waiting.setdefault(job.connection_id, {})[job.id] = job
            place = BatchPlace(job.batch_id, job.batch_name, job.place, job.places, job.label)
            run = Run(job.id, job.name, Mode.LIVE, job.configuration, job.connection_id, self.now, batch=place)
            self._runs.put_waiting(run)
        if jobs:
            self.changed.emit(jobs[0].connection_id)
        self._hurry()

    def _hurry(self) -> None:
        self._pause = self._pace.first
        if any(self._waiting.values()):
            self._timer.start(0)

    def _send_all(self) -> None:
        for connection_id in [connection_id for connection_id, jobs in self._waiting.items() if jobs]:
            self._send_next(connection_id)

    def _send_next(self, connection_id: str) -> None:
        provider = self._provider_of(connection_id)
        now = self.now
        job = next((job for job in self.waiting(connection_id) if job.price_holds(now)), None)
        for stale in self.waiting(connection_id):
            if not stale.price_holds(now) and self._runs.run_of(stale.id).message != TOO_OLD:
                self._runs.put_waiting(self._runs.run_of(stale.id), TOO_OLD)
        if connection_id in self._trying or job is None:
            return
        if provider is None:  # the way to the service may be opened again
            self._later()
            return
        chosen = job

        def submit(
            submitter: Submitter, service: JobService, context: JobContext, recorded: Recorded
        ) -> Union[Outcome, PutOff]:
            return submit_waiting(self._ledger, chosen, submitter, service, context, recorded)

        self._trying[connection_id] = job.id
        self._runs.send_waiting(job.id, provider, submit)

    def _later(self) -> None:
        if not self._timer.isActive():
            self._timer.start(int(self._pause * 1000))
            self._pause = self._pace.after(self._pause)

    def _run_changed(self, run: Run) -> None:
        """A run that waits no longer makes way for the next one."""
        if run.phase is Phase.WAITING or run.key not in self._waiting.get(run.connection_id, {}):
            return
        del self._waiting[run.connection_id][run.key]
        self._sent.add(run.key)
        if self._trying.get(run.connection_id) == run.key:
            del self._trying[run.connection_id]
        self.changed.emit(run.connection_id)
        self._hurry()

    def _put_off(self, key: str, why: PutOff) -> None:
        run = self._runs.run_of(key)
        if self._trying.get(run.connection_id) == key:
            del self._trying[run.connection_id]
        job = self._waiting.setdefault(run.connection_id, {}).get(key)
        if why is PutOff.TAKEN:
            self._runs.withdraw(key, _TAKEN, unwanted=False)
            return
        if why is PutOff.TOO_OLD and job is not None:
            self._waiting[run.connection_id][key] = replace(job, priced=job.priced - PRICE_HOLDS)
            self._runs.put_waiting(run, TOO_OLD)
        elif run.unwanted:  # cancelled while it was looked for a slot
            self._runs.put_waiting(run)
            self.forget([key])
        elif run.phase is not Phase.WAITING and job is None:
            self._wait_again(run)
        self._later()

    def _wait_again(self, run: Run) -> None:
        """The service had no slot after all; the ledger has it waiting again."""

        def work(context: JobContext) -> List[WaitingJob]:
            context.check()
            return [job for job in self._ledger.waiting(run.connection_id) if job.id == run.key]

        job = self._runner.start("UP42: waiting for a free slot", work, hidden=True)
        job.succeeded.connect(lambda jobs: self._take_back(run.key, jobs))

    def _take_back(self, key: str, jobs: List[WaitingJob]) -> None:
        self._runs.put_waiting(self._runs.run_of(key))
        for job in jobs:
            self._waiting.setdefault(job.connection_id, {})[job.id] = job
            self._sent.discard(job.id)
        if not jobs:  # forgotten in the meantime
            self._runs.withdraw(key)
        self._later()

    def _run_ended(self, run: Run) -> None:
        if run.phase is Phase.NOT_SUBMITTED and run.unwanted and run.key in self._sent:
            self.forget([run.key])  # it may have been put back just when it was cancelled
        self._hurry()

    def _drop(self, job_id: str) -> None:
        if self._is_run(job_id):
            self._runs.withdraw(job_id)

    def _is_run(self, job_id: str) -> bool:
        return any(run.key == job_id for run in self._runs.all())
