"""A service on loopback that does what a test tells it: whole answers, cut ones, none at all."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union
from urllib.parse import parse_qsl, urlsplit

WAIT = 20.0  # seconds until a test that waits for something fails; only ever reached by a failure


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: List[Tuple[str, str]]
    headers: Dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    """One answer. ``body`` that is no bytes is sent as JSON; ``cut_after`` closes after so many bytes of the body.

    ``hold`` is waited for before the answer starts, ``hold_body`` between its head and its body; ``lose`` closes the
    connection without a word.
    """

    status: int = 200
    body: Any = b""
    headers: Dict[str, str] = field(default_factory=dict)
    cut_after: Optional[int] = None
    hold: Optional[threading.Event] = None
    hold_body: Optional[threading.Event] = None
    lose: bool = False

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Script = Union[Reply, Callable[[Seen], Reply]]


def data(value: Any) -> Reply:
    return Reply(200, {"data": value, "error": None}, {"Content-Type": "application/json"})


def error(status: int, message: str, code: Any = None, **headers: str) -> Reply:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"data": None, "error": {"code": code or status, "message": message, "details": None}}, named)


class ScriptedServer:
    """Answers by method and path. Several replies are given one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.seen: List[Seen] = []
        self.arrived = threading.Condition()
        self.connections = 0
        self._routes: Dict[Tuple[str, str], List[Script]] = {}
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.script = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, method: str, path: str, *replies: Script) -> None:
        self._routes[(method, path)] = list(replies)

    def requests(self, method: str = "", path: str = "") -> List[Seen]:
        with self._lock:
            return [seen for seen in self.seen if method in ("", seen.method) and path in ("", seen.path)]

    def wait_for(self, number: int, method: str = "", path: str = "") -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests(method, path)) >= number, WAIT)

    def answer(self, seen: Seen) -> Reply:
        with self._lock:
            self.seen.append(seen)
            queue = self._routes.get((seen.method, seen.path), [])
            script: Script = error(404, "no such script")
            if queue:
                script = queue.pop(0) if len(queue) > 1 else queue[0]
        with self.arrived:
            self.arrived.notify_all()
        return script if isinstance(script, Reply) else script(seen)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    script: ScriptedServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Cut connections are the point."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.script.connections += 1

    def log_message(self, *args: Any) -> None:
        pass

    def _go(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        parts = urlsplit(self.path)
        query = parse_qsl(parts.query, keep_blank_values=True)
        reply = self.server.script.answer(Seen(self.command, parts.path, query, dict(self.headers.items()), body))
        if reply.hold is not None:
            reply.hold.wait(WAIT)
        if reply.lose:
            reset(self.connection)
            self.close_connection = True
            return
        self._send(reply)

    def _send(self, reply: Reply) -> None:
        content = reply.content
        self.send_response(reply.status)
        if "Content-Length" not in reply.headers and reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.flush()
        if reply.hold_body is not None:
            reply.hold_body.wait(WAIT)
        if reply.cut_after is not None:
            self.wfile.write(content[: reply.cut_after])
            self.wfile.flush()
            self.close_connection = True
            return
        self.wfile.write(content)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._go
        raise AttributeError(name)


def reset(connection: socket.socket) -> None:
    """Close so that the other side gets a reset instead of an end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class RawServer:
    """Hands every accepted connection to ``talk``, which may do anything with it; counts requests that came whole."""

    def __init__(self, talk: Callable[[RawServer, socket.socket], None]) -> None:
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.whole = 0
        self.accepted = 0
        self.touched = threading.Event()
        self.release = threading.Event()
        self._open = True
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        while self._open:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._talk(self, connection)
        with contextlib.suppress(OSError):
            connection.close()

    def read_request(self, connection: socket.socket) -> bytes:
        """The whole request: head, and as much body as it announces."""
        received = b""
        while b"\r\n\r\n" not in received:
            chunk = connection.recv(65536)
            if not chunk:
                return received
            received += chunk
        head, _, body = received.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += connection.recv(65536)
        self.whole += 1
        self.touched.set()
        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        self._open = False
        self.release.set()
        self._listener.close()


@contextlib.contextmanager
def raw_server(talk: Callable[[RawServer, socket.socket], None]) -> Iterator[RawServer]:
    server = RawServer(talk)
    try:
        yield server
    finally:
        server.close()


def closed_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
