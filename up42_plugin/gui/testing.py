"""Run Test Query: one for the form, or one for each area of a batch, a few at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Sequence, Set, Tuple

from qgis.PyQt.QtCore import QObject, QTimer

from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.jobs import Mode
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import ServiceProvider
from up42_plugin.gui.foot import Foot
from up42_plugin.qgis_bridge.runs import RunController

_SECOND_MS = 1000

#: What to ask: the name of the run, and the configuration.
Question = Tuple[str, JobConfiguration]


@dataclass
class _Round:
    """The test queries that a connection's form waits for. ``most`` is how many run at once, None for no limit."""

    provider: ServiceProvider
    total: int
    left: List[Question]
    most: Optional[int]
    since: float = field(default_factory=time.monotonic)
    keys: Set[str] = field(default_factory=set)
    running: Set[str] = field(default_factory=set)
    cancelled: Set[str] = field(default_factory=set)

    @property
    def cancelling(self) -> bool:
        """Whether the person wants nothing more of it."""
        return not self.left and self.running <= self.cancelled

    @property
    def text(self) -> str:
        """What goes on."""
        if self.total == 1:
            return "Cancelling the test query" if self.cancelling else "Test query running"
        if self.cancelling:
            return "Cancelling the test queries"
        return f"Test queries running, {self.total - len(self.left) - len(self.running)} of {self.total} done"


class TestQueries(QObject):
    """Starts the test queries of the form, one round per connection, and shows in the foot how far they are.

    ``running(bool)`` is called whenever the current connection's form begins or stops to wait.
    """

    __test__ = False  # pytest takes classes called Test… for tests

    def __init__(
        self,
        foot: Foot,
        runs: RunController,
        current: Callable[[], str],
        running: Callable[[bool], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._foot, self._runs, self._current, self._running = foot, runs, current, running
        self._rounds: Dict[str, _Round] = {}
        self._batched: Set[str] = set()
        self._tick = QTimer(self)
        self._tick.setInterval(_SECOND_MS)
        self._tick.timeout.connect(self._show_seconds)

    def stop(self) -> None:
        """Show no more seconds."""
        self._tick.stop()

    def run(self, provider: ServiceProvider, questions: Sequence[Question], most: Optional[int]) -> None:
        """Ask all of them, ``most`` at a time."""
        started = _Round(provider, len(questions), list(questions), most)
        self._rounds[provider.connection_id] = started
        self._fill(started)
        self.show()

    def is_one_of_many(self, key: str) -> bool:
        """Whether a run is the test query of one area of a batch."""
        return key in self._batched

    def show(self) -> None:
        """Show the round of the current connection, or that there is none."""
        found = self._rounds.get(self._current())
        if found is None:
            self._tick.stop()
            self._foot.show_busy(None)
        else:
            self._foot.show_busy(time.monotonic() - found.since, found.text)
            self._foot.show_cancellable(not found.cancelling)
            self._tick.start()
        self._running(found is not None)

    def cancel_all(self) -> None:
        """Cancel the round of the current connection."""
        found = self._rounds.get(self._current())
        if found is None:
            return
        found.left.clear()
        for key in sorted(found.running - found.cancelled):
            self.note_cancelled(key)
            self._runs.cancel(key)
        self.show()

    def note_cancelled(self, key: str) -> None:
        """The person cancels this run."""
        found = self._of(key)
        if found is not None:
            found.cancelled.add(key)
            self.show()

    def not_cancelled(self, key: str) -> None:
        """It could not be cancelled, and goes on."""
        found = self._of(key)
        if found is not None:
            found.cancelled.discard(key)
            self.show()

    def changed(self, run: Run) -> None:
        """A run stands otherwise."""
        if run.unwanted and run.phase is Phase.CHECKING:
            # It is free and will be cancelled if it is found: nobody has to wait for that.
            self.ended(run)

    def ended(self, run: Run) -> bool:
        """The form waits no longer for this run. False when the person did not want it any more."""
        found = self._of(run.key)
        if found is None:
            return True
        wanted = run.key not in found.cancelled
        found.running.discard(run.key)
        self._fill(found)
        if not found.running:
            del self._rounds[run.connection_id]
        self.show()
        return wanted

    def _fill(self, found: _Round) -> None:
        while found.left and (found.most is None or len(found.running) < max(1, found.most)):
            name, configuration = found.left.pop(0)
            key = self._runs.start(found.provider, configuration, Mode.TEST_QUERY, name)
            found.running.add(key)
            if found.total > 1:
                self._batched.add(key)

    def _of(self, key: str) -> Optional[_Round]:
        return next((found for found in self._rounds.values() if key in found.running), None)

    def _show_seconds(self) -> None:
        found = self._rounds.get(self._current())
        if found is not None and not found.cancelling:
            self._foot.show_busy(time.monotonic() - found.since, found.text)
