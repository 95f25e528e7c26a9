"""Finding out what became of submissions whose end is not known, after a cut connection or a crash."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.context import JobContext
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.submission import Outcome, Submitter
from up42_plugin.qgis_bridge.jobs import Job, JobRunner


class Settler(QObject):
    """Looks submissions up in the background, one look-up per connection at a time.

    ``settled(Outcome)`` for each submission asked about or found open in the ledger, as it stands then: it may still
    be unknown when the service cannot be asked. ``ended(connection id)`` at the end of a look-up.
    """

    settled = pyqtSignal(object)
    ended = pyqtSignal(str)

    def __init__(
        self,
        runner: JobRunner,
        ledger: Ledger,
        submitter_of: Callable[[str], Submitter],
        provider_of: Callable[[str], Optional[ServiceProvider]],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._ledger = runner, ledger
        self._submitter_of, self._provider_of = submitter_of, provider_of
        self._looking: Dict[str, Job] = {}

    def settle(self, connection_id: str, submission_ids: Iterable[int] = ()) -> None:
        """Settle what the connection's ledger has open, and tell how ``submission_ids`` stand."""
        provider = self._provider_of(connection_id)
        if provider is None or connection_id in self._looking:
            return
        ledger, submitter, wanted = self._ledger, self._submitter_of(connection_id), frozenset(submission_ids)

        def work(context: JobContext) -> Tuple[Outcome, ...]:
            if not wanted and not ledger.unsettled(connection_id):
                return ()
            with provider.open(context) as service:
                outcomes = {found.submission.id: found for found in submitter.settle(service, context, wait=True)}
                for submission_id in wanted.difference(outcomes):
                    submission = ledger.submission(submission_id)
                    accepted = submission.state is SubmissionState.ACCEPTED
                    job = service.job(submission.service_job_id) if accepted else None
                    outcomes[submission_id] = Outcome(submission, job)
            return tuple(outcomes.values())

        job = self._runner.start("UP42: checking whether jobs were sent", work, long_running=True, hidden=True)
        self._looking[connection_id] = job
        job.succeeded.connect(self._found)
        job.ended.connect(lambda: self._over(connection_id))

    def _found(self, outcomes: Tuple[Outcome, ...]) -> None:
        for outcome in outcomes:
            self.settled.emit(outcome)

    def _over(self, connection_id: str) -> None:
        self._looking.pop(connection_id, None)
        self.ended.emit(connection_id)
