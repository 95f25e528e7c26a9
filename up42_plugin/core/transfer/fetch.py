"""Fetching an output: download, inflate and unpack at the same time, into a folder that is whole or not there.

The caller's thread reads the network and keeps what comes in a part beside the folder; two more inflate and write
(:class:`~up42_plugin.core.transfer.pipeline.Pipeline`). A cut connection is reopened at the byte it has, below the
inflater, which goes on as if nothing had happened. What an earlier process kept is inflated anew, and then continued.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Optional

from up42_plugin.api.errors import Cancelled, NetworkError, NotFoundError
from up42_plugin.core.context import JobContext
from up42_plugin.core.output_errors import DamagedArchiveError, DiskFullError, HostileArchiveError
from up42_plugin.core.service import ByteSource, ByteStream
from up42_plugin.core.storage import Staging, free_bytes
from up42_plugin.core.transfer.bandwidth import Bandwidth
from up42_plugin.core.transfer.checksums import Checksums
from up42_plugin.core.transfer.download import ResumingDownload, StartOver
from up42_plugin.core.transfer.idle_watch import IdleWatch
from up42_plugin.core.transfer.part import KeptPart
from up42_plugin.core.transfer.pipeline import Pipeline, gathered
from up42_plugin.core.transfer.policy import TransferPolicy
from up42_plugin.core.transfer.progress import TransferProgress
from up42_plugin.core.unpack import Unpacker, UnpackLimits, Watch

#: After these nobody can continue.
_WORTHLESS = (DamagedArchiveError, HostileArchiveError, NotFoundError)


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

    Blocks; reports 0 to 100 (negative while the length is unknown), always from the calling thread. On any error, and
    on cancellation at any moment, an earlier ``folder`` is untouched and nothing half unpacked is left. The compressed
    bytes are kept beside it (``<folder>.part``), and the next call continues with them, after network failures, after
    the process was killed, and after a cancellation unless ``discard()`` then says that the person does not want them.
    They go when the archive must not or cannot be unpacked, when it no longer exists, and when they filled the disk.

    Raises:
        Cancelled: the person cancelled.
        NetworkError, ServiceError: the download failed and could not be continued.
        BusyOutputError: another window is fetching it.
        HostileArchiveError, DamagedArchiveError, DiskFullError, FolderError: see their texts.
    """
    context.check()
    with Staging(folder) as staging:
        part = KeptPart(folder)
        fetching = _Fetching(source, staging, part, context, _How(limits, policy, bandwidth, free_space))
        keep = True
        try:
            if part.alone:
                staging.clear_others()
            fetching.run()
            staging.commit()
            keep = False
        except Cancelled:
            keep = not discard()
            raise
        except _WORTHLESS:
            keep = False
            raise
        except DiskFullError:
            keep = not fetching.wrote
            raise
        finally:
            part.close(keep)
    return folder


@dataclass(frozen=True)
class _How:
    """What a caller may want otherwise than usual."""

    limits: UnpackLimits
    policy: TransferPolicy
    bandwidth: Optional[Bandwidth]
    free_space: Callable[[Path], int]


class _Fetching:
    """Brings one output into a staging folder, in as many attempts as that takes."""

    def __init__(self, source: ByteSource, staging: Staging, part: KeptPart, context: JobContext, how: _How) -> None:
        self._source = source
        self._staging = staging
        self._part = part
        self._context = context
        self._how = how
        self._progress = TransferProgress(context, how.policy.report_every)
        self._forgiven = False
        self.wrote = False

    def run(self) -> None:
        """Fill the staging folder; raises as :func:`fetch_output`."""
        stream: Optional[ByteStream] = None
        for _ in range(self._how.policy.restarts + 1):
            try:
                self._attempt(stream)
            except StartOver as turn:
                stream = turn.stream
            else:
                self._progress.done()
                return
            self._start_over(stream)
        if stream is not None:
            stream.close()
        raise NetworkError("The download was interrupted and the service could not continue it. Try again later.")

    def _start_over(self, stream: Optional[ByteStream]) -> None:
        try:
            self._part.reset()
            self._staging.empty()
            self._progress.starting_over()
        except BaseException:
            if stream is not None:
                stream.close()
            raise

    def _attempt(self, stream: Optional[ByteStream]) -> None:
        part, policy = self._part, self._how.policy
        with IdleWatch(policy.idle_seconds) as watch:
            download = ResumingDownload(
                self._source,
                self._context,
                policy,
                self._progress,
                watch=watch,
                bandwidth=self._how.bandwidth,
                position=part.size,
                content=part.content,
                stream=stream,
            )
            pipeline = self._pipeline(download)
            undo = self._context.on_cancel(pipeline.stop)
            try:
                self._transfer(download, pipeline)
            except (DamagedArchiveError, HostileArchiveError):
                # What was put together from pieces may be of two outputs, or have lost some to a power cut.
                if self._forgiven or not download.doubtful:
                    raise
                self._forgiven = True
                raise StartOver(None) from None
            finally:
                undo()
                pipeline.close()
                download.close()

    def _pipeline(self, download: ResumingDownload) -> Pipeline:
        limits, free_space = self._how.limits, self._how.free_space

        def unpacker(watch: Watch) -> Unpacker:
            return Unpacker(self._staging.path, watch, limits, free_space, lambda: download.outstanding)

        return Pipeline(unpacker, limits.budget(), lambda: self._part.file)

    def _transfer(self, download: ResumingDownload, pipeline: Pipeline) -> None:
        """Kept bytes first, then those that come; all through the checksums and the pipeline."""
        part, tick = self._part, self._context.check
        if part.size == 0:
            download.start()
        self._expect_room(download)
        checksums = Checksums(download.content.checksums)
        done = 0
        for chunk in part.chunks():
            tick()
            done += len(chunk)
            self._progress.continuing(done, download.content.total)
            checksums.update(chunk)
            pipeline.feed(chunk, tick)
        self.wrote = True
        for chunk in gathered(self._coming(download)):
            if not done:
                checksums, done = Checksums(download.content.checksums), 1
            checksums.update(chunk)
            pipeline.feed(chunk, tick)
        download.finish()
        pipeline.finish(lambda: self._unpacking(download))
        checksums.verify()

    def _coming(self, download: ResumingDownload) -> Iterator[bytes]:
        """What the network brings, kept already; nobody is asked for anything when all of it is there."""
        part = self._part
        if part.size and part.size == download.content.total:
            return
        download.start()
        for piece in iter(download.read, b""):
            if part.size == 0:
                part.begin(download.content)
            part.append(piece, download.outstanding)
            download.advance(len(piece))
            yield piece

    def _unpacking(self, download: ResumingDownload) -> None:
        self._context.check()
        self._progress.unpacking(download.content.total)

    def _expect_room(self, download: ResumingDownload) -> None:
        unpacked = int((download.content.total or 0) * self._how.policy.expansion)
        needed = download.outstanding + unpacked
        free = self._how.free_space(self._staging.final)
        if needed > free:
            raise DiskFullError(needed, free)
