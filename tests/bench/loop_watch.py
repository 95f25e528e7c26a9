"""How long the event loop leaves events waiting."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from array import array
from dataclasses import dataclass
from typing import IO, List, Optional, Tuple

from qgis.PyQt.QtCore import QObject, Qt, QTimer

_TURN_MS = 1
_SAMPLE_S = 0.005
# Gaps shorter than this are only counted: many thousand objects would make Python's own house-keeping take longer
_WORTH_A_WORD_MS = 5.0


@dataclass(frozen=True)
class Gap:
    """Between two turns of the loop, in milliseconds, and what went on.

    ``computing`` is what the main thread worked, ``queueing`` what it waited for a processor that others had: on a
    busy machine that is most of it. The rest it waited for something else, such as another thread of ours.
    """

    milliseconds: float
    computing: float
    queueing: float
    what: str


class LoopWatch(QObject):
    """A timer that is due every millisecond notes when it is late; the wall clock counts, as it does for the person.

    ``what`` names what goes on.
    """

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self.what = ""
        self.gaps: List[Gap] = []
        self._all = array("d")
        self._wall = self._cpu = self._queued = 0.0
        self._schedule = _Schedule()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_TURN_MS)
        self._timer.timeout.connect(self._turn)

    def start(self) -> None:
        """Count from now on."""
        self._wall, self._cpu, self._queued = time.perf_counter(), time.thread_time(), self._schedule.queued_ms()
        self._timer.start()

    def stop(self) -> None:
        """Count no more; the gap under way is noted."""
        if self._timer.isActive():
            self._turn()
            self._timer.stop()

    def _turn(self) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        milliseconds = (wall - self._wall) * 1000
        self._all.append(milliseconds)
        if milliseconds > _WORTH_A_WORD_MS:
            queued = self._schedule.queued_ms()
            self.gaps.append(Gap(milliseconds, (cpu - self._cpu) * 1000, queued - self._queued, self.what))
        self._queued = self._schedule.queued_ms()
        self._wall, self._cpu = wall, cpu

    @property
    def age_s(self) -> float:
        """Seconds since the last turn; may be asked in any thread."""
        return time.perf_counter() - self._wall if self._timer.isActive() else 0.0

    @property
    def turns(self) -> int:
        """How many turns were counted."""
        return len(self._all)

    def longest(self, number: int = 1) -> Tuple[Gap, ...]:
        """The longest gaps, longest first."""
        return tuple(sorted(self.gaps, key=lambda gap: gap.milliseconds, reverse=True)[:number])

    def quantile(self, share: float) -> float:
        """Milliseconds that this share of the gaps stays below."""
        ordered = sorted(self._all)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class _Schedule:
    """How long this thread has waited for a processor so far, as Linux tells it; 0 elsewhere. Made in the thread."""

    def __init__(self) -> None:
        try:
            self._file: Optional[IO[str]] = open("/proc/thread-self/schedstat", encoding="ascii")  # noqa: SIM115, PTH123
        except OSError:
            self._file = None

    def queued_ms(self) -> float:
        if self._file is None:
            return 0.0
        self._file.seek(0)
        return int(self._file.read().split()[1]) / 1e6


class Culprits:
    """Where the main thread is while the loop is late: prints its stack once for every gap beyond ``over_ms``.

    For finding what to mend, not for measuring: the sampling thread itself takes time.
    """

    def __init__(self, watch: LoopWatch, over_ms: float) -> None:
        self._watch, self._over_s = watch, over_ms / 1000
        self._main = threading.main_thread().ident
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        told = False
        while not self._over.wait(_SAMPLE_S):
            late = self._watch.age_s > self._over_s
            if late and not told:
                frame = sys._current_frames().get(self._main or 0)
                stack = "".join(traceback.format_stack(frame)[-8:]) if frame is not None else ""
                print(f"late at {self._watch.what}:\n{stack}", file=sys.stderr, flush=True)  # noqa: T201
            told = late
