"""What a person is told of a running transfer: percent, bytes, rate and the time that is left."""

from __future__ import annotations

import time
from collections import deque
from typing import Callable, Deque, Optional, Tuple

from up42_plugin.core.context import JobContext
from up42_plugin.core.output_errors import format_bytes

STARTING_OVER = "The download could not be continued, starting over"

_NBSP = "\u00a0"
_PERCENT = 100.0
_WINDOW_SECONDS = 4.0
_FIRST_RATE_AFTER = 0.5
_MINUTE, _HOUR = 60, 3600


def amount(count: float) -> str:
    """A number of bytes that changes while it is read: ``45.2 MB``, ``375 MB``."""
    return format_bytes(count, short=True)


def duration(seconds: float) -> str:
    """A time for people: ``6 s``, ``2 min``, ``1 h 5 min`` (no-break spaces)."""
    whole = max(int(seconds + 0.5), 1)
    if whole < _MINUTE:
        return f"{whole}{_NBSP}s"
    minutes = (whole + _MINUTE // 2) // _MINUTE
    if minutes < _HOUR // _MINUTE:
        return f"{minutes}{_NBSP}min"
    hours, minutes = divmod(minutes, _HOUR // _MINUTE)
    return f"{hours}{_NBSP}h {minutes}{_NBSP}min".replace(" ", _NBSP) if minutes else f"{hours}{_NBSP}h"


class Rate:
    """Bytes per second over the last few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._samples: Deque[Tuple[float, int]] = deque()

    def add(self, position: int) -> None:
        """Note that the download has come to ``position``."""
        now = self._clock()
        self._samples.append((now, position))
        while len(self._samples) > 2 and now - self._samples[1][0] >= _WINDOW_SECONDS:  # noqa: PLR2004 - two make a rate
            self._samples.popleft()

    def value(self) -> Optional[float]:
        """Bytes per second; None before there is enough to tell, and when nothing comes."""
        if not self._samples:
            return None
        start, first = self._samples[0]
        _, last = self._samples[-1]
        took = self._clock() - start
        return (last - first) / took if took >= _FIRST_RATE_AFTER and last > first else None


class TransferProgress:
    """Reports to a context, not too often. All from the thread that calls it."""

    def __init__(self, context: JobContext, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._context = context
        self._every = every
        self._clock = clock
        self._rate = Rate(clock)
        self._reported = float("-inf")

    def downloading(self, position: int, total: Optional[int], first: bool = False) -> None:
        """The download has come to ``position`` bytes of ``total``."""
        if not (first or position == total or self._due()):
            return
        self._rate.add(position)
        come = f"{amount(position)} of {amount(total)}" if total else amount(position)
        self._tell(position, total, ", ".join(["Downloading", come, *self._outlook(position, total)]))

    def continuing(self, position: int, total: Optional[int]) -> None:
        """What was kept has been read from disk up to ``position``."""
        if self._due():
            self._tell(position, total, f"Continuing a download{self._share(position, total)}…")

    def interrupted(self, position: int, total: Optional[int]) -> None:
        """The connection is gone; another is to be tried."""
        share = f" at {_percent(position, total):.0f}{_NBSP}%" if total else ""
        self._tell(position, total, f"Download interrupted{share}, continuing")

    def starting_over(self) -> None:
        """Nothing of what has come can be used."""
        self._rate = Rate(self._clock)
        self._context.progress(0.0, STARTING_OVER)

    def unpacking(self, total: Optional[int]) -> None:
        """All of it has come; the rest is being written."""
        if self._due():
            self._tell(total or 0, total, "Unpacking")

    def done(self) -> None:
        """The output is there."""
        self._context.progress(_PERCENT, "Unpacked")

    def _outlook(self, position: int, total: Optional[int]) -> Tuple[str, ...]:
        rate = self._rate.value()
        if rate is None:
            return ()
        pace = f"{amount(rate)}/s"
        if not total or position >= total:
            return (pace,)
        return (pace, f"{duration((total - position) / rate)} left")

    def _share(self, position: int, total: Optional[int]) -> str:
        return f", {_percent(position, total):.0f}{_NBSP}%" if total else ""

    def _due(self) -> bool:
        return self._clock() - self._reported >= self._every

    def _tell(self, position: int, total: Optional[int], text: str) -> None:
        self._reported = self._clock()
        self._context.progress(_percent(position, total), text)


def _percent(position: int, total: Optional[int]) -> float:
    return _PERCENT * position / total if total else -1.0
