"""The only thing a worker sees of the world that started it: progress, cancellation, interruptible waiting."""

from __future__ import annotations

import threading
from typing import Callable, Dict, Optional, Protocol

from up42_plugin.api.context import CallContext
from up42_plugin.api.errors import Cancelled

Report = Callable[[float, str], None]


class JobContext(CallContext, Protocol):
    """What a worker may touch. Implemented over a QgsTask, over Processing's feedback, and as a no-op."""

    def progress(self, percent: float, text: str = "") -> None:
        """Report 0 to 100 (negative: unknown) with an optional short text; raises ``Cancelled`` like ``check``."""


class ThreadContext:
    """A :class:`JobContext` of plain threads. ``report`` is called in the worker's thread."""

    def __init__(self, report: Optional[Report] = None) -> None:
        self._cancelled = threading.Event()
        self._report = report
        self._lock = threading.Lock()
        self._wakers: Dict[int, Callable[[], None]] = {}
        self._next = 0

    @property
    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ask the worker to stop; wakes sleeping and blocked calls. May be called from any thread, repeatedly."""
        self._cancelled.set()
        with self._lock:
            wakers = list(self._wakers.values())
            self._wakers.clear()
        for wake in wakers:
            wake()

    def check(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled

    def progress(self, percent: float, text: str = "") -> None:
        self.check()
        if self._report is not None:
            self._report(percent, text)

    def sleep(self, seconds: float) -> None:
        self._cancelled.wait(seconds)
        self.check()

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        with self._lock:
            self._next += 1
            key = self._next
            self._wakers[key] = wake

        def undo() -> None:
            with self._lock:
                self._wakers.pop(key, None)

        if self._cancelled.is_set():
            undo()
            wake()
        return undo


class Part:
    """A context whose 0 to 100 is the stretch from ``start`` to ``end`` of another's."""

    def __init__(self, context: JobContext, start: float, end: float) -> None:
        self._context = context
        self._start = start
        self._end = end

    def check(self) -> None:
        self._context.check()

    def sleep(self, seconds: float) -> None:
        self._context.sleep(seconds)

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        return self._context.on_cancel(wake)

    def progress(self, percent: float, text: str = "") -> None:
        if percent >= 0:
            percent = self._start + (self._end - self._start) * min(percent, 100.0) / 100.0
        self._context.progress(percent, text)
