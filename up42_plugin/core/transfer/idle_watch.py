"""Notices a connection over which nothing comes any more."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Optional, Tuple, Type

from up42_plugin.core.service import ByteStream

_LOOKS_PER_WAIT = 8


class IdleWatch:
    """Interrupts a read that has waited for ``seconds`` without a byte. To be used in ``with``.

    Storage may keep a connection open over which it will never send again; a read then waits for ever.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: Optional[Tuple[ByteStream, float]] = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, name="up42 idle watch", daemon=True)

    def __enter__(self) -> IdleWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._closed.set()
        self._thread.join()

    def read(self, stream: ByteStream, size: int) -> bytes:
        """Read from ``stream``; raises what that raises, ``NetworkError`` when nothing came for too long."""
        self._waiting = (stream, time.monotonic())
        try:
            return stream.read(size)
        finally:
            self._waiting = None

    def _look(self) -> None:
        while not self._closed.wait(self._seconds / _LOOKS_PER_WAIT):
            waiting = self._waiting
            if waiting is not None and time.monotonic() - waiting[1] >= self._seconds:
                waiting[0].interrupt()
