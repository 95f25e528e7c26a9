"""Finding out what became of submissions whose end is not known, after a cut connection or a crash."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Optional, Set, Tuple

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.api.errors import Cancelled, NotFoundError, Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.ledger import Ledger, Submission
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.submission import Outcome, Submitter
from up42_plugin.qgis_bridge.jobs import Job, JobRunner

FIRST_PAUSE_MS = 2_000
LONGEST_PAUSE_MS = 30_000

#: What a look found, and whether there is more to look at.
Look = Tuple[Tuple[Outcome, ...], bool]


class Settler(QObject):
    """Looks submissions up in the background until each has a known end, one look per connection at a time.

    ``settled(Outcome)`` for each submission asked about or found open in the ledger, as it stands then; while it is
    still unknown it is looked up again, less and less often. ``ended(connection id)`` at the end of each look.
    """

    settled = pyqtSignal(object)
    ended = pyqtSignal(str)

    def __init__(
        self,
        runner: JobRunner,
        ledger: Ledger,
        submitter_of: Callable[[str], Submitter],
        provider_of: Callable[[str], Optional[ServiceProvider]],
        *,
        parent: Optional[QObject] = None,
        first_pause_ms: int = FIRST_PAUSE_MS,
    ) -> None:
        super().__init__(parent)
        self._runner, self._ledger = runner, ledger
        self._submitter_of, self._provider_of = submitter_of, provider_of
        self._first_pause = self._pause = first_pause_ms
        self._wanted: Dict[str, Set[int]] = {}
        self._looking: Dict[str, Job] = {}
        self._again: Set[str] = set()
        self._due: Set[str] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._look_at_all)

    def settle(self, connection_id: str, submission_ids: Iterable[int] = ()) -> None:
        """Settle what the connection's ledger has open, and tell how ``submission_ids`` stand."""
        self._wanted.setdefault(connection_id, set()).update(submission_ids)
        self._pause = self._first_pause
        if connection_id in self._looking:
            self._again.add(connection_id)
        else:
            self._look(connection_id)

    def stop(self) -> None:
        """Look no more; what is open stays in the ledger for the next time."""
        self._timer.stop()
        self._due.clear()
        self._again.clear()
        self._wanted.clear()

    def _look_at_all(self) -> None:
        due, self._due = self._due, set()
        for connection_id in sorted(due):
            if connection_id not in self._looking:
                self._look(connection_id)

    def _look(self, connection_id: str) -> None:
        provider = self._provider_of(connection_id)
        ledger, submitter = self._ledger, self._submitter_of(connection_id)
        wanted = frozenset(self._wanted.get(connection_id, ()))

        def work(context: JobContext) -> Look:
            # What the ledger knows is told first: it needs no waiting for the others.
            known = [found for found in map(ledger.submission, sorted(wanted)) if found.state.settled]
            more = bool(ledger.unsettled(connection_id))
            if known:
                return tuple(_outcome(found, provider, context) for found in known), more
            if provider is None or not more:
                return (), more
            with provider.open(context) as service:
                return submitter.settle(service, context), False

        job = self._runner.start("UP42: checking whether jobs were sent", work, long_running=True, hidden=True)
        self._looking[connection_id] = job
        job.succeeded.connect(lambda found: self._found(connection_id, *found))
        job.failed.connect(lambda _error: self._due.add(connection_id))
        job.cancelled.connect(lambda: self._due.add(connection_id))
        job.ended.connect(lambda: self._over(connection_id))

    def _found(self, connection_id: str, outcomes: Tuple[Outcome, ...], more: bool) -> None:
        wanted = self._wanted.setdefault(connection_id, set())
        for outcome in outcomes:
            if _is_over(outcome):
                wanted.discard(outcome.submission.id)
            else:
                more = True
            self.settled.emit(outcome)
        if wanted or more:
            self._due.add(connection_id)

    def _over(self, connection_id: str) -> None:
        self._looking.pop(connection_id, None)
        if connection_id in self._again:
            self._again.discard(connection_id)
            self._look(connection_id)
        elif self._due and not self._timer.isActive():
            self._timer.start(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE_MS)
        self.ended.emit(connection_id)


def _outcome(submission: Submission, provider: Optional[ServiceProvider], context: JobContext) -> Outcome:
    """A settled submission with its job, where it has one; another worker or window may have found that out."""
    outcome = Outcome(submission)
    if not outcome.accepted or provider is None:
        return outcome
    try:
        with provider.open(context) as service:
            return Outcome(submission, service.job(submission.service_job_id))
    except Cancelled:
        raise
    except Up42Error as error:
        return Outcome(submission, error=error)


def _is_over(outcome: Outcome) -> bool:
    """Nothing more to find out: it was never accepted, its job is here, or the service has forgotten it."""
    if not outcome.state.settled:
        return False
    return not outcome.accepted or outcome.job is not None or isinstance(outcome.error, NotFoundError)
