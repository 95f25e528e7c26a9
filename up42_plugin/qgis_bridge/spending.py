"""What live jobs have cost, beside the person's limits: read from the ledger and written to it in the background."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Callable, Dict, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.bought import Bought, read_bought
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Range
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.run import Run
from up42_plugin.core.spending import Spending, SpendingLimits, Spent, read_spent
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog

Clock = Callable[[], datetime]


class SpendingBook(QObject):
    """Knows what each connection's live jobs cost today and this month, as read last. Main thread, but for workers'.

    ``changed(connection id)`` when that was read anew, ``limits_changed`` when the person set other limits.
    """

    changed = pyqtSignal(str)
    limits_changed = pyqtSignal()

    def __init__(
        self,
        runner: JobRunner,
        ledger: Ledger,
        limits: Callable[[], SpendingLimits],
        log: PanelLog,
        *,
        clock: Clock = lambda: datetime.now(timezone.utc),
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._ledger, self._limits, self._log, self._clock = runner, ledger, limits, log, clock
        self._known: Dict[str, Tuple[date, Optional[Spent]]] = {}

    @property
    def limits(self) -> SpendingLimits:
        """The person's limits as they are set now."""
        return self._limits()

    def spending(self, connection_id: str) -> Spending:
        """The limits, and what a connection's jobs cost as far as that was read today."""
        day, spent = self._known.get(connection_id, (date.min, None))
        return Spending(self.limits, spent if day == self._today else None)

    def problem(self, connection_id: str, cost: Range, each: Sequence[Range] = ()) -> str:
        """Why a job of this price, or jobs of ``each``, are over a limit, or nothing.

        What is not read yet stops nothing before it is.
        """
        if self._known.get(connection_id, (date.min, None))[0] != self._today:
            self.read(connection_id)
            return self.limits.problem(cost, Spent(), each)
        return self.limits.problem(cost, self._known[connection_id][1], each)

    def read(self, connection_id: str) -> None:
        """Read in the background what the connection's jobs cost."""
        today = self._today
        self._known[connection_id] = (today, self.spending(connection_id).spent or Spent())

        def work(context: JobContext) -> Optional[Spent]:
            context.check()
            return self.read_now(connection_id)

        job = self._runner.start("UP42: reading what was spent", work, hidden=True)

        def read(spent: Optional[Spent]) -> None:
            self._known[connection_id] = (today, spent)
            self.changed.emit(connection_id)

        job.succeeded.connect(read)
        job.failed.connect(lambda _error: read(None))

    def read_now(self, connection_id: str) -> Optional[Spent]:
        """What the connection's jobs cost, None when the ledger cannot be read. For workers only."""
        try:
            return read_spent(self._ledger, connection_id, self._clock())
        except LedgerError as error:
            self._log.exception("Reading what was spent", error)
            return None

    def bought_now(self, connection_id: str, asked: Sequence[JobConfiguration]) -> Tuple[Optional[Bought], ...]:
        """What of these was bought before, one by one; nothing when the ledger cannot be read. For workers only."""
        try:
            return tuple(read_bought(self._ledger, connection_id, configuration) for configuration in asked)
        except LedgerError as error:
            self._log.exception("Reading what was bought before", error)
            return ()

    def run_ended(self, run: Run) -> None:
        """Write down what a live job was charged, where the service told, and read the sums anew."""
        if not run.live:
            return
        charged, job = run.credits_charged, run.job
        if charged is None or job is None:
            self.read(run.connection_id)
            return
        connection_id, job_id, credits_charged = run.connection_id, job.id, float(charged)

        def work(context: JobContext) -> None:
            context.check()
            self._ledger.charge(connection_id, job_id, credits_charged)

        written = self._runner.start("UP42: recording what was charged", work, hidden=True)
        written.failed.connect(lambda error: self._log.exception("Recording what was charged", error))
        written.ended.connect(lambda: self.read(connection_id))

    def tell_limits_changed(self) -> None:
        """The person set other limits."""
        self.limits_changed.emit()

    @property
    def _today(self) -> date:
        return self._clock().astimezone().date()
