"""The bytes of an output as they come, whatever happens to the connection underneath."""

from __future__ import annotations

from typing import Optional

from up42_plugin.api.errors import NetworkError, RateLimitedError, ServerError, Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.output_errors import DamagedArchiveError
from up42_plugin.core.service import ByteSource, ByteStream
from up42_plugin.core.transfer.bandwidth import Bandwidth
from up42_plugin.core.transfer.idle_watch import IdleWatch
from up42_plugin.core.transfer.part import Content
from up42_plugin.core.transfer.policy import TransferPolicy
from up42_plugin.core.transfer.progress import TransferProgress

_RETRIED = (NetworkError, ServerError, RateLimitedError)
_MOST = 1 << 19


class StartOver(Exception):  # noqa: N818 - a turn in the way, not an error
    """The server cannot continue where the download stands. ``stream``: what it sends instead, from the beginning."""

    def __init__(self, stream: Optional[ByteStream]) -> None:
        super().__init__()
        self.stream = stream


class ResumingDownload:
    """Reads a source from ``position`` of ``content`` on; a cut connection is reopened at the byte it has.

    ``stream`` is one that is open at the beginning already.
    """

    def __init__(
        self,
        source: ByteSource,
        context: JobContext,
        policy: TransferPolicy,
        progress: TransferProgress,
        *,
        watch: IdleWatch,
        bandwidth: Optional[Bandwidth] = None,
        position: int = 0,
        content: Content = Content(),  # noqa: B008 - frozen
        stream: Optional[ByteStream] = None,
    ) -> None:
        self._source = source
        self._context = context
        self._policy = policy
        self._progress = progress
        self._watch = watch
        self._bandwidth = bandwidth or Bandwidth()
        self._stream = stream
        self._failures = 0
        self._failed_at = 0
        self._kept = position
        self._spliced = False
        self.position = position
        self.content = content
        if stream is not None:
            self._take_content(stream)

    @property
    def doubtful(self) -> bool:
        """Whether it was put together from pieces that nothing but the archive's checksum holds together."""
        return self._kept > 0 or self._spliced

    @property
    def outstanding(self) -> int:
        """How many bytes are still to come, 0 where that is not known."""
        return max((self.content.total or 0) - self.position, 0)

    def start(self) -> None:
        """Open the connection; ``content`` is known then. Raises as :meth:`read`."""
        while self._stream is None:
            self._context.check()
            try:
                self._open()
            except _RETRIED as error:
                self._interrupted(error)
        self._progress.downloading(self.position, self.content.total, first=True)

    def read(self) -> bytes:
        """What came next, ``b""`` when all of it has come.

        Raises:
            StartOver: the server cannot continue.
            NetworkError, ServiceError: the connection failed too often.
            DamagedArchiveError: more came than was announced.
            Cancelled: the person cancelled.
        """
        while True:
            self._context.check()
            try:
                return self._receive()
            except _RETRIED as error:
                self._interrupted(error)

    def advance(self, count: int) -> None:
        """``count`` bytes that were read have been kept: tell of them, and wait where bandwidth is limited."""
        total = self.content.total
        if total is not None and self.position > total:
            raise DamagedArchiveError(f"more than the announced {total} bytes came")
        if self.position - self._failed_at >= self._policy.progress_bytes:
            self._failures = 0
        self._progress.downloading(self.position, total)
        self._bandwidth.take(count, self._context)

    def finish(self) -> None:
        """All of it has been read: compare the length."""
        total = self.content.total
        if total is not None and self.position != total:
            raise DamagedArchiveError(f"{self.position} bytes came, {total} were announced")

    def close(self) -> None:
        """Release the connection."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _receive(self) -> bytes:
        stream = self._stream or self._open()
        piece = self._watch.read(stream, self._bandwidth.portion(_MOST))
        total = self.content.total
        if not piece and total is not None and self.position < total:
            raise NetworkError("The connection was cut.", f"{self.position} of {total} bytes")
        self.position += len(piece)
        return piece

    def _open(self) -> ByteStream:
        stream = self._source.open(self.position, self.content.etag)
        self._stream = stream
        if self.position == 0 and stream.offset == 0:
            self._take_content(stream)
        elif not self._continues(stream):
            self._stream = None
            if stream.offset == 0:
                raise StartOver(stream)
            stream.close()
            raise StartOver(None)
        else:
            self._spliced = self._spliced or not self.content.etag
        return stream

    def _take_content(self, stream: ByteStream) -> None:
        self.content = Content(stream.etag, stream.total, dict(stream.checksums))

    def _continues(self, stream: ByteStream) -> bool:
        """Whether it goes on with the same content: by its version, or at least by its length."""
        known = self.content
        if stream.offset != self.position or (stream.etag and known.etag and stream.etag != known.etag):
            return False
        if known.etag:
            return known.total is None or stream.total in (None, known.total)
        return stream.total == known.total and (known.total is not None or not self._kept)

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
        self._progress.interrupted(self.position, self.content.total)
        self._context.sleep(wait)
