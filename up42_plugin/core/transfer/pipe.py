"""A bounded way from one thread to another."""

from __future__ import annotations

import threading
from collections import deque
from typing import Callable, Deque, Iterator, Optional

TICK_SECONDS = 0.1


class Stopped(Exception):  # noqa: N818 - a turn in the way, not an error
    """The pipe was shut: its other end has gone, or the person cancelled."""


class Pipe:
    """Chunks of bytes in order, at most about ``most`` bytes of them at a time. For one writer and one reader."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._chunks: Deque[bytes] = deque()
        self._held = 0
        self._ended = False
        self._stopped = False
        self._changed = threading.Condition(threading.Lock())

    def put(self, chunk: bytes, tick: Optional[Callable[[], None]] = None) -> None:
        """Pass a chunk on, waiting for room; ``tick`` is called now and then meanwhile and may raise."""
        if not chunk:
            return
        while not self._try_put(chunk):
            if tick is not None:
                tick()

    def end(self) -> None:
        """Nothing more will be put."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Wake both ends, which raise ``Stopped`` from now on. May be called from any thread, repeatedly."""
        with self._changed:
            self._stopped = True
            self._chunks.clear()
            self._changed.notify_all()

    def get(self) -> bytes:
        """The next chunk, waiting for it; ``b""`` at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._chunks or self._ended or self._stopped)
            if self._stopped:
                raise Stopped
            if not self._chunks:
                return b""
            chunk = self._chunks.popleft()
            self._held -= len(chunk)
            self._changed.notify_all()
            return chunk

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.get, b"")

    def _try_put(self, chunk: bytes) -> bool:
        with self._changed:
            if self._held >= self._most and not self._stopped:
                self._changed.wait(TICK_SECONDS)
            if self._stopped:
                raise Stopped
            if self._held >= self._most:
                return False
            self._chunks.append(chunk)
            self._held += len(chunk)
            self._changed.notify_all()
            return True
