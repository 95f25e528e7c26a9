"""What happens to an archive's bytes after they came: inflated in one thread, written in another.

Bounded pipes lie between the caller, who feeds it, and the two threads. Whatever goes wrong in one of the three ends
the other two, and is raised to the caller; no thread outlives :meth:`Pipeline.close`.
"""

from __future__ import annotations

import threading
import time
from typing import IO, Callable, Iterable, Iterator, List, Optional

from up42_plugin.core.archives.inflate import ByteBudget, ChunkReader, GzipReader
from up42_plugin.core.archives.kind import HEAD_BYTES, ArchiveKind, kind_of
from up42_plugin.core.transfer.pipe import TICK_SECONDS, Pipe, Stopped
from up42_plugin.core.unpack import Unpacker, Watch

_CHUNK = 1 << 19
_GATHER_SECONDS = 0.05
_ARCHIVED_MOST = 4 << 20
_INFLATED_MOST = 8 << 20


class Pipeline:
    """Unpacks what it is fed. ``unpacker`` makes the part that writes; it is handed what tells it to stop.

    A tar.gz is unpacked while it comes. A zip has its directory at its end and waits for :meth:`finish`, which takes it
    from ``whole``, the file that keeps what came.
    """

    def __init__(
        self, unpacker: Callable[[Watch], Unpacker], budget: ByteBudget, whole: Callable[[], IO[bytes]]
    ) -> None:
        self._unpacker = unpacker(self)
        self._budget = budget
        self._whole = whole
        self._archived, self._inflated = Pipe(_ARCHIVED_MOST), Pipe(_INFLATED_MOST)
        self._head = b""
        self._kind: Optional[ArchiveKind] = None
        self._threads: List[threading.Thread] = []
        self._done = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._error: Optional[BaseException] = None

    def feed(self, chunk: bytes, tick: Callable[[], None]) -> None:
        """Pass on what came; ``tick`` is called now and then while that has to wait, and may raise.

        Raises:
            HostileArchiveError, DamagedArchiveError, DiskFullError, FolderError: what the threads ended with.
        """
        if self._kind is None:
            self._head += chunk
            if len(self._head) < HEAD_BYTES:
                return
            chunk = self._begin()
        if self._kind is ArchiveKind.TAR_GZ:
            self._guarded(lambda: self._archived.put(chunk, tick), tick)

    def finish(self, tick: Callable[[], None]) -> None:
        """Everything has been fed: wait until it is written; ``tick`` and errors as with :meth:`feed`."""
        if self._kind is None:
            self._begin()
        if self._kind is ArchiveKind.ZIP:
            self._start("up42 unpack", lambda: self._unpacker.unpack(self._whole()), last=True)
        self._archived.end()
        while not self._done.wait(TICK_SECONDS):
            tick()
        self._raise_error()
        if self._stopping.is_set():
            tick()
            raise Stopped

    def stop(self) -> None:
        """End the threads as soon as may be. May be called from any thread."""
        self._stopping.set()
        self._archived.stop()
        self._inflated.stop()

    def close(self) -> None:
        """End the threads and wait for them; harmless after :meth:`finish`."""
        self.stop()
        for thread in self._threads:
            thread.join()

    def check(self) -> None:
        """Raise ``Stopped`` when the threads are to end."""
        if self._stopping.is_set():
            raise Stopped

    def _begin(self) -> bytes:
        head, self._head = self._head, b""
        self._kind = kind_of(head)
        if self._kind is ArchiveKind.TAR_GZ:
            self._start("up42 inflate", self._inflate)
            self._start("up42 write", self._write, last=True)
        return head

    def _inflate(self) -> None:
        for chunk in GzipReader(lambda _size: self._archived.get(), self._budget).chunks():
            self._inflated.put(chunk)
        self._inflated.end()

    def _write(self) -> None:
        self._unpacker.unpack_tar(ChunkReader(iter(self._inflated)).read)

    def _start(self, name: str, work: Callable[[], object], last: bool = False) -> None:
        def run() -> None:
            try:
                work()
            except Stopped:
                pass
            except BaseException as error:  # raised again to the caller
                self._failed(error)
            finally:
                if last:
                    self._done.set()

        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _failed(self, error: BaseException) -> None:
        with self._lock:
            if self._error is None and not self._stopping.is_set():
                self._error = error
        self.stop()

    def _guarded(self, work: Callable[[], None], tick: Callable[[], None]) -> None:
        try:
            work()
        except Stopped:
            self._raise_error()
            tick()  # tells whether the person cancelled
            raise

    def _raise_error(self) -> None:
        with self._lock:
            if self._error is not None:
                raise self._error


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Small pieces as larger chunks, which cost less to pass on; what came long ago does not wait for more."""
    held: List[bytes] = []
    size, since = 0, 0.0
    for piece in pieces:
        since = since if held else time.monotonic()
        held.append(piece)
        size += len(piece)
        if size >= _CHUNK or time.monotonic() - since >= _GATHER_SECONDS:
            yield _joined(held)
            held, size = [], 0
    if held:
        yield _joined(held)


def _joined(pieces: List[bytes]) -> bytes:
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
