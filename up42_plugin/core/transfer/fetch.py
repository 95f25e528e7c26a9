"""Fetching an output: download, inflate and unpack in one pass, into a folder that is whole or not there.

Stages are chained by ``read(size)``: download → inflate → tar → files. A cut connection is reopened at the byte it has,
below the inflater, which goes on as if nothing had happened.
"""

from __future__ import annotations

import base64
import hashlib
import time
from pathlib import Path
from typing import Any, Callable, Optional

from up42_plugin.api.errors import NetworkError, RateLimitedError, ServerError, Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.output_errors import DamagedArchiveError, DiskFullError, format_bytes
from up42_plugin.core.service import ByteSource, ByteStream
from up42_plugin.core.storage import Staging, free_bytes
from up42_plugin.core.transfer.bandwidth import Bandwidth
from up42_plugin.core.transfer.policy import TransferPolicy
from up42_plugin.core.unpack import Unpacker, UnpackLimits

_RETRIED = (NetworkError, ServerError, RateLimitedError)
_CHUNK = 1 << 18
_PERCENT = 100.0


class _StartOver(Exception):  # noqa: N818 - a turn in the way, not an error
    """The server cannot continue where the download stands."""


def fetch_output(
    source: ByteSource,
    folder: Path,
    context: JobContext,
    *,
    limits: UnpackLimits = UnpackLimits(),  # noqa: B008 - frozen
    policy: TransferPolicy = TransferPolicy(),  # noqa: B008 - frozen
    discard: Callable[[], bool] = lambda: False,
    bandwidth: Optional[Bandwidth] = None,
    free_space: Callable[[Path], int] = free_bytes,
) -> Path:
    """Download and unpack an output; returns ``folder``, which then holds all of it (``output/`` itself stripped).

    Blocks; reports 0 to 100 (negative while the length is unknown). On any error, and on cancellation at any moment,
    nothing is left behind and an earlier ``folder`` is untouched.

    Raises:
        Cancelled: the person cancelled.
        NetworkError, ServiceError: the download failed and could not be continued.
        HostileArchiveError, DamagedArchiveError, DiskFullError, FolderError: see their texts.
    """
    context.check()
    with Staging(folder) as staging:
        for _ in range(policy.restarts + 1):
            download = ResumingDownload(source, context, policy)
            try:
                _expect_room(download.start(), folder, policy, free_space)
                Unpacker(staging.path, context, limits, free_space).unpack(download.read)
                download.finish()
            except _StartOver:
                context.progress(0.0, "The download could not be continued, starting over")
                staging.empty()
                continue
            finally:
                download.close()
            context.progress(_PERCENT, "Unpacked")
            return staging.commit()
        raise NetworkError("The download was interrupted and the service could not continue it. Try again later.")


def _expect_room(total: Optional[int], folder: Path, policy: TransferPolicy, free_space: Callable[[Path], int]) -> None:
    needed = int((total or 0) * policy.expansion)
    free = free_space(folder)
    if needed > free:
        raise DiskFullError(needed, free)


class ResumingDownload:
    """The bytes of a source through ``read(size)``, whatever happens to the connection underneath."""

    def __init__(self, source: ByteSource, context: JobContext, policy: TransferPolicy) -> None:
        self._source = source
        self._context = context
        self._policy = policy
        self._stream: Optional[ByteStream] = None
        self._failures = 0
        self._failed_at = 0
        self._etag = ""
        self._expected = b""
        self._digest: Any = None
        self._reported = 0.0
        self.position = 0
        self.total: Optional[int] = None

    def start(self) -> Optional[int]:
        """Open the download; the length of the archive in bytes, when the service tells it."""
        while self._stream is None:
            self._context.check()
            try:
                self._open()
            except _RETRIED as error:
                self._interrupted(error)
        self._report()
        return self.total

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, ``b""`` when all of them have come."""
        while True:
            self._context.check()
            try:
                stream = self._stream or self._open()
                chunk = stream.read(min(size, _CHUNK))
                if not chunk and self.total is not None and self.position < self.total:
                    raise NetworkError("The connection was cut.", f"{self.position} of {self.total} bytes")
            except _RETRIED as error:
                self._interrupted(error)
                continue
            self._advance(chunk)
            return chunk

    def finish(self) -> None:
        """Read what follows the archive and compare the length and the server's checksum."""
        while self.read(_CHUNK):
            pass
        if self.total is not None and self.position != self.total:
            raise DamagedArchiveError(f"{self.position} bytes came, {self.total} were announced")
        if self._digest is not None and self._digest.digest() != self._expected:
            raise DamagedArchiveError("the MD5 checksum differs from the server's")

    def close(self) -> None:
        """Release the connection."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _open(self) -> ByteStream:
        stream = self._source.open(self.position, self._etag)
        self._stream = stream
        if self.position == 0 and stream.offset == 0:
            self.total = stream.total
            self._etag = stream.etag
            self._expect(stream.checksums.get("md5", ""))
        elif stream.offset != self.position or (self.total is not None and stream.total not in (None, self.total)):
            raise _StartOver
        return stream

    def _expect(self, md5: str) -> None:
        self._expected = _digest_bytes(md5)
        self._digest = hashlib.md5(usedforsecurity=False) if self._expected else None

    def _advance(self, chunk: bytes) -> None:
        self.position += len(chunk)
        if self._digest is not None:
            self._digest.update(chunk)
        if self.total is not None and self.position > self.total:
            raise DamagedArchiveError(f"more than the announced {self.total} bytes came")
        if self.position - self._failed_at >= self._policy.progress_bytes:
            self._failures = 0
        self._report()

    def _interrupted(self, error: Up42Error) -> None:
        """Wait before the next attempt, or give up."""
        self.close()
        self._context.check()
        self._failures += 1
        self._failed_at = self.position
        if self._failures >= self._policy.attempts:
            raise error
        wait = min(self._policy.first_wait * 2 ** (self._failures - 1), self._policy.longest_wait)
        if isinstance(error, RateLimitedError) and error.retry_after is not None:
            wait = error.retry_after
        self._context.progress(self._percent(), self._interruption())
        self._context.sleep(wait)

    def _interruption(self) -> str:
        if self.total:
            return f"Download interrupted at {self._percent():.0f}\u00a0%, continuing"
        return "Download interrupted, continuing"

    def _percent(self) -> float:
        return _PERCENT * self.position / self.total if self.total else -1.0

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported < self._policy.report_every and self.position != self.total:
            return
        self._reported = now
        come = format_bytes(self.position)
        text = f"Downloading, {come} of {format_bytes(self.total)}" if self.total else f"Downloading, {come}"
        self._context.progress(self._percent(), text)


def _digest_bytes(text: str) -> bytes:
    """An MD5 as servers send it, base64 or hexadecimal; empty for anything else."""
    size = hashlib.md5(usedforsecurity=False).digest_size
    try:
        raw = bytes.fromhex(text) if len(text) == 2 * size else base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return raw if len(raw) == size else b""
