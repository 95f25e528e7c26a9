"""Downloads for tests: out of memory, and over real HTTP from a loopback server that fails on demand."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import http.server
import io
import random
import re
import socket
import tarfile
import threading
from dataclasses import dataclass, field
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Tuple

from up42_plugin.api.errors import Cancelled, NetworkError, NotFoundError, ServerError
from up42_plugin.core.context import JobContext


def seeded(seed: int) -> random.Random:
    """Chance that repeats itself."""
    return random.Random(seed)  # noqa: S311 - for tests


def tar_gz(files: Mapping[str, bytes], *, level: int = 1) -> bytes:
    """An output as the service packs it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=level) as archive:
        top = tarfile.TarInfo("output")
        top.type, top.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(top)
        for name, data in files.items():
            info = tarfile.TarInfo(f"output/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def tree(folder) -> Dict[str, bytes]:
    """All files of a folder by their relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass
class MemoryStream:
    """The rest of ``content`` from ``offset``; raises at the absolute byte ``cut_at``, or ends there if ``silent``.

    One read gives at most ``most`` bytes, as sockets do.
    """

    content: bytes
    offset: int = 0
    cut_at: Optional[int] = None
    silent: bool = False
    total: Optional[int] = None
    etag: str = '"1"'
    checksums: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False
    interrupted: bool = False
    most: int = 1 << 15

    def __post_init__(self) -> None:
        self._position = self.offset

    def read(self, size: int) -> bytes:
        end = self._position + min(size, self.most)
        if self.cut_at is not None and end > self.cut_at:
            if self._position >= self.cut_at:
                if self.silent:
                    return b""
                raise NetworkError("The connection was cut.")
            end = self.cut_at
        chunk = self.content[self._position : end]
        self._position += len(chunk)
        return chunk

    def interrupt(self) -> None:
        self.interrupted = True

    def close(self) -> None:
        self.closed = True


class MemorySource:
    """Gives streams of ``content``; ``plan(opening number, offset)`` may make them different, or raise."""

    def __init__(
        self, content: bytes, plan: Optional[Callable[[int, int], Optional[MemoryStream]]] = None, *, sized: bool = True
    ) -> None:
        self.content = content
        self._plan = plan
        self._total = len(content) if sized else None
        self.openings: List[Tuple[int, str]] = []
        self.streams: List[MemoryStream] = []

    def open(self, offset: int = 0, etag: str = "") -> MemoryStream:
        self.openings.append((offset, etag))
        stream = self._plan(len(self.openings), offset) if self._plan is not None else None
        if stream is None:
            stream = MemoryStream(self.content, offset, total=self._total)
        self.streams.append(stream)
        return stream


class DownloadServer:
    """A loopback server with ranges, ETags and URLs that expire.

    ``cuts`` are the absolute bytes at which connections are reset, one after another. ``ranges`` off ignores Range.
    ``signatures`` are the signatures that are valid. ``hang_at`` stops sending at that byte without closing.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = '"1"'
        self.cuts: List[int] = []
        self.ranges = True
        self.signatures = {"1"}
        self.errors: List[int] = []
        self.hang_at: Optional[int] = None
        self.hanging = threading.Event()
        self.release = threading.Event()
        self.sent = 0
        self.requests: List[str] = []
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def stop(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    owner: DownloadServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        owner = self.owner
        owner.requests.append(self.headers.get("Range", ""))
        if owner.errors:
            self._empty(owner.errors.pop(0))
        elif self.path.rpartition("=")[2] not in owner.signatures:
            self._empty(403)
        else:
            self._content()

    def _empty(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _content(self) -> None:
        owner = self.owner
        asked = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
        same = self.headers.get("If-Range", owner.etag) == owner.etag
        start = int(asked.group(1)) if asked and owner.ranges and same else 0
        total = len(owner.content)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start))
        self.send_header("ETag", owner.etag)
        self.end_headers()
        cut = owner.cuts.pop(0) if owner.cuts else total
        for position in range(start, max(cut, start), 16384):
            if owner.hang_at is not None and position >= owner.hang_at:
                owner.hanging.set()
                owner.release.wait()
                self._reset()
                return
            piece = owner.content[position : min(position + 16384, cut)]
            self.wfile.write(piece)
            owner.sent += len(piece)
        if cut < total:
            self._reset()

    def _reset(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def log_message(self, *_arguments) -> None:
        pass


class HttpSource:
    """A download over HTTP that renews its URL, as the service's dialects implement it."""

    def __init__(self, server: DownloadServer, context: Optional[JobContext] = None, signature: str = "1") -> None:
        self._server = server
        self._context = context
        self.signature = signature
        self.renewals = 0

    def open(self, offset: int = 0, etag: str = "") -> HttpStream:
        for _ in range(2):
            answer, connection = self._ask(offset, etag)
            if answer.status == 403:
                connection.close()
                self.renewals += 1
                self.signature = max(self._server.signatures)
                continue
            if answer.status >= 500:
                connection.close()
                raise ServerError("The service has a problem.", status=answer.status)
            return HttpStream(answer, connection, self._context)
        raise NotFoundError("The output is gone.", status=404)

    def _ask(self, offset: int, etag: str) -> Tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=30)
        headers = {"Range": f"bytes={offset}-", "If-Range": etag} if offset else {}
        try:
            connection.request("GET", f"/output.tgz?signature={self.signature}", headers=headers)
            return connection.getresponse(), connection
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise NetworkError("No answer.", str(error)) from error


class HttpStream:
    """An open download; its blocked read is woken by cancellation."""

    def __init__(
        self,
        answer: http.client.HTTPResponse,
        connection: http.client.HTTPConnection,
        context: Optional[JobContext],
    ) -> None:
        self._answer = answer
        self._connection = connection
        where = re.match(r"bytes (\d+)-\d+/(\d+)$", answer.headers.get("Content-Range", ""))
        self.offset = int(where.group(1)) if where else 0
        self.total: Optional[int] = int(where.group(2)) if where else int(answer.headers["Content-Length"])
        self._position = self.offset
        self.etag = answer.headers.get("ETag", "")
        self.checksums: Mapping[str, str] = {}
        self._undo = context.on_cancel(self._wake) if context is not None else lambda: None

    def read(self, size: int) -> bytes:
        try:
            data = self._answer.read1(size)
        except (OSError, http.client.HTTPException) as error:
            raise NetworkError("The connection was cut.", str(error)) from error
        self._position += len(data)
        if not data and self._position < self.total:
            raise NetworkError("The connection was cut.")
        return data

    def interrupt(self) -> None:
        self._wake()

    def close(self) -> None:
        self._undo()
        self._answer.close()
        self._connection.close()

    def _wake(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self._connection.sock.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def serving(content: bytes) -> Iterator[DownloadServer]:
    """A server for the length of ``with``."""
    server = DownloadServer(content)
    try:
        yield server
    finally:
        server.stop()


class Recorder:
    """A context that notes progress and sleeps, and cancels at the ``cancel_at``-th call."""

    def __init__(self, cancel_at: Optional[int] = None) -> None:
        self.reports: List[Tuple[float, str]] = []
        self.sleeps: List[float] = []
        self.calls = 0
        self._cancel_at = cancel_at

    @property
    def texts(self) -> List[str]:
        return [text for _, text in self.reports]

    def check(self) -> None:
        self.calls += 1
        if self._cancel_at is not None and self.calls >= self._cancel_at:
            raise Cancelled

    def progress(self, percent: float, text: str = "") -> None:
        self.check()
        self.reports.append((percent, text))

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.check()

    def on_cancel(self, wake: Callable[[], None]) -> Callable[[], None]:
        return lambda: None


def our_threads() -> List[str]:
    """The transfers' threads that run."""
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("up42 ")]


def md5(content: bytes) -> str:
    """The checksum as servers send it."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
