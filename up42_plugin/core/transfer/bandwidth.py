"""A limit to how quickly bytes are fetched, shared by all downloads of one QGIS."""

from __future__ import annotations

import threading
import time
from typing import Callable, Optional

from up42_plugin.api.context import CallContext

_BURST_SECONDS = 0.1
_SLICE_SECONDS = 0.1
_SHORTEST_SECONDS = 0.001
_SMALLEST_PORTION = 1 << 12


class Bandwidth:
    """Bytes per second that several downloads share fairly: whoever asked first is served first. Thread-safe.

    A download says what it has received and sleeps until that was due; TCP then slows the server down.
    """

    def __init__(self, bytes_per_second: Optional[int] = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._limit = _valid(bytes_per_second)
        self._earned = 0.0
        self._asked = 0.0
        self._looked = clock()

    @property
    def limit(self) -> Optional[int]:
        """Bytes per second, None when there is no limit."""
        return self._limit

    def set_limit(self, bytes_per_second: Optional[int]) -> None:
        """Change the limit, at once for running downloads too; None lifts it. Raises ``ValueError`` below 1."""
        limit = _valid(bytes_per_second)
        with self._lock:
            self._earn()
            self._limit = limit
            if limit is None:
                self._earned = self._asked

    def portion(self, most: int) -> int:
        """How many bytes to ask for at once, at most ``most``: little enough for an even flow."""
        limit = self._limit
        return most if limit is None else max(min(most, int(limit * _BURST_SECONDS)), _SMALLEST_PORTION)

    def take(self, count: int, context: CallContext) -> None:
        """Wait until ``count`` bytes that were received are within the limit; raises ``Cancelled`` at once."""
        with self._lock:
            if self._limit is None:
                return
            self._earn()
            self._asked += count
            due = self._asked
        try:
            while True:
                wait = self._until(due)
                if wait < _SHORTEST_SECONDS:
                    return
                context.sleep(min(wait, _SLICE_SECONDS))
        except BaseException:
            with self._lock:
                self._earned += count  # others need not wait for what nobody takes
            raise

    def _until(self, due: float) -> float:
        with self._lock:
            self._earn()
            return 0.0 if self._limit is None else (due - self._earned) / self._limit

    def _earn(self) -> None:
        now = self._clock()
        if self._limit is not None:
            most = self._asked + self._limit * _BURST_SECONDS  # what nobody used is not saved up
            self._earned = min(self._earned + (now - self._looked) * self._limit, max(most, self._earned))
        self._looked = now


def _valid(bytes_per_second: Optional[int]) -> Optional[int]:
    if bytes_per_second is not None and bytes_per_second < 1:
        raise ValueError("a bandwidth limit is at least 1 byte per second")
    return bytes_per_second
