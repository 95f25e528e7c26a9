"""Inflating a gzip stream with bounded memory, limits against bombs, and its checksums looked at."""

from __future__ import annotations

import zlib
from typing import Any, Callable, Iterator, Union

from up42_plugin.core.output_errors import DamagedArchiveError, HostileArchiveError

Data = Union[bytes, memoryview]
Read = Callable[[int], bytes]
ReadData = Callable[[int], Data]

_GZIP_WINDOW = 31  # 15 bits of window, and 16 for the gzip header and its CRC-32 and length
_CHUNK_IN = 1 << 19
_SLICE_IN = 1 << 18
_CHUNK_OUT = 1 << 20


class ByteBudget:
    """Counts unpacked bytes against what an archive of this size may reasonably hold.

    ``most`` bytes at all; more than ``ratio`` unpacked bytes per archived byte only below ``ratio_from`` bytes (an
    empty raster packs 1000 to 1).
    """

    def __init__(self, most: int, ratio: float, ratio_from: int) -> None:
        self._most = most
        self._ratio = ratio
        self._ratio_from = ratio_from
        self.archived = 0
        self.unpacked = 0

    def add_archived(self, count: int) -> None:
        """Note bytes of the archive that were read."""
        self.archived += count

    def add_unpacked(self, count: int) -> None:
        """Note unpacked bytes; raises ``HostileArchiveError`` above a limit."""
        self.unpacked += count
        if self.unpacked > self._most:
            raise HostileArchiveError(f"more than {self._most} bytes", "unpacks to more than is allowed")
        if self.unpacked > self._ratio_from and self.unpacked > self._ratio * max(self.archived, 1):
            raise HostileArchiveError(
                f"{self.unpacked} bytes from {self.archived}", "unpacks to far more than its size allows"
            )


class GzipReader:
    """The inflated bytes of one or more gzip members, in chunks of at most 1 MiB.

    zlib checks CRC-32 and length at the end of each member. Zero padding behind the last one is accepted.
    """

    def __init__(self, read: Read, budget: ByteBudget) -> None:
        self._source = read
        self._budget = budget
        self._inflate: Any = zlib.decompressobj(_GZIP_WINDOW)
        self._pending: Data = b""

    def chunks(self) -> Iterator[bytes]:
        """All of it in order; raises ``DamagedArchiveError`` and ``HostileArchiveError``."""
        while not self._inflate.eof or self._next_member():
            if not self._pending:
                self._pending = self._fetch()
                if not self._pending:
                    raise DamagedArchiveError("the compressed data ends in the middle")
            data = self._inflated()
            if data:
                self._budget.add_unpacked(len(data))
                yield data

    def _inflated(self) -> bytes:
        """Inflate a slice of what is pending: what a full output leaves of it is copied, so it must not be long."""
        view = memoryview(self._pending)
        try:
            data: bytes = self._inflate.decompress(view[:_SLICE_IN], _CHUNK_OUT)
        except zlib.error as error:
            raise DamagedArchiveError(f"cannot be inflated: {error}") from error
        left = len(self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail)
        self._pending = view[min(_SLICE_IN, len(view)) - left :]
        return data

    def _next_member(self) -> bool:
        """Whether another gzip member follows; only zeros may come instead."""
        padding = False
        while True:
            kept = bytes(self._pending).lstrip(b"\0")
            padding = padding or len(kept) < len(self._pending)
            if kept:
                break
            self._pending = self._fetch()
            if not self._pending:
                return False
        if padding or not kept.startswith(b"\x1f"):
            raise DamagedArchiveError("something follows the compressed data")
        self._pending = kept
        self._inflate = zlib.decompressobj(_GZIP_WINDOW)
        return True

    def _fetch(self) -> bytes:
        chunk = self._source(_CHUNK_IN)
        self._budget.add_archived(len(chunk))
        return chunk


class ChunkReader:
    """Chunks as a stream: ``read(size)`` gives what is at hand, without copying it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._ready: Data = b""

    def read(self, size: int) -> Data:
        """Up to ``size`` bytes, empty at the end."""
        if not self._ready:
            self._ready = next(self._chunks, b"")
        if len(self._ready) <= size:
            chunk, self._ready = self._ready, b""
            return chunk
        view = memoryview(self._ready)
        self._ready = view[size:]
        return view[:size]
