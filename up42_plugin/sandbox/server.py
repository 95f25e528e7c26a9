"""The HTTP server: one thread for each connection, standard library only, bound to loopback by default."""

from __future__ import annotations

import logging
import socket
import struct
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Mapping, Optional, Tuple
from urllib.parse import parse_qs, unquote, urlsplit

from up42_plugin.sandbox.faults import PATH as FAULTS_PATH
from up42_plugin.sandbox.faults import Fault, Faults
from up42_plugin.sandbox.messages import ApiError, Request, Response

logger = logging.getLogger(__name__)

Answer = Callable[[Request], Response]
_LARGEST_BODY = 32 * 1024 * 1024
_CHUNK = 256 * 1024
_IDLE_S = 120
_EMPTY_STATUSES = (204, 304)
# Listening everywhere is no address to call.
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared with


class _BadRequest(Exception):  # noqa: N818 - carries an answer
    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class SandboxServer(ThreadingHTTPServer):
    """Listens as soon as it is made, answers from :meth:`start` to :meth:`stop`."""

    daemon_threads = True
    # How long :meth:`stop` may take.
    poll_s = 0.1
    request_queue_size = 128
    # On Windows the option would let another program take the port over.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.answer: Optional[Answer] = None
        self.faults: Optional[Faults] = None
        self._thread: Optional[threading.Thread] = None
        super().__init__((host, port), _Handler)

    @property
    def base_url(self) -> str:
        """Where it can be reached."""
        host, port = self.server_address[:2]
        name = _ANY_ADDRESS.get(str(host), str(host))
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def start(self, answer: Answer, faults: Optional[Faults]) -> None:
        """Answer requests, from a thread of its own."""
        self.answer, self.faults = answer, faults
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": self.poll_s}, name="server", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections; those that are open end with the process."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self._thread = None
        self.server_close()

    def server_bind(self) -> None:
        """Bind without asking the name service for this machine's name, which can take seconds."""
        if self.allow_reuse_address:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are no news."""
        if isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, socket.timeout)):
            logger.info("%s went away", client_address)
        else:
            logger.exception("connection of %s", client_address)


class _Handler(BaseHTTPRequestHandler):
    server: SandboxServer
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    # Buffered, so that headers and a small body leave in one packet.
    wbufsize = _CHUNK

    def version_string(self) -> str:
        """The header ``Server``."""
        return "up42-sandbox"

    def _serve(self) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path).rstrip("/") or "/"
        fault = self._fault(path)
        if fault is not None and fault.cut_request_after_bytes is not None:
            self._read(min(self._content_length(), fault.cut_request_after_bytes))
            self._reset()
            return
        try:
            body = self._body()
        except _BadRequest as bad:
            self.close_connection = True
            self._send(bad.response, None)
            return
        request = Request(
            method=self.command,
            path=path,
            query=parse_qs(address.query, keep_blank_values=True),
            headers=_Headers(self.headers),
            body=body,
            expire_urls=fault is not None and fault.expire_urls,
        )
        self._answer(request, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve  # noqa: N815 - the names of the base class

    def _answer(self, request: Request, fault: Optional[Fault]) -> None:
        if fault is not None and fault.hold_s:
            time.sleep(fault.hold_s)
        response = fault.response() if fault is not None else None
        if response is None and self.server.answer is not None:
            response = self.server.answer(request)
        if response is None:
            response = ApiError(503, "The sandbox is starting").response()
        if fault is not None and fault.delay_s:
            time.sleep(fault.delay_s)
        if fault is not None and fault.lose_answer:
            self.close_connection = True
            return
        self._send(response, fault.cut_after_bytes if fault is not None else None)

    def _fault(self, path: str) -> Optional[Fault]:
        if self.server.faults is None or path == FAULTS_PATH:
            return None
        return self.server.faults.take(self.command, path)

    def _content_length(self) -> int:
        text = self.headers.get("content-length", "0").strip()
        if not text.isdigit():
            raise _BadRequest(ApiError(400, "Content-Length must be a number").response())
        return int(text)

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding"):
            raise _BadRequest(ApiError(411, "Content-Length is required").response())
        length = self._content_length()
        if length > _LARGEST_BODY:
            raise _BadRequest(ApiError(413, "The request body is too large").response())
        body = self._read(length)
        if len(body) < length:
            raise ConnectionResetError("the request was cut")
        return body

    def _read(self, length: int) -> bytes:
        return self.rfile.read(length) if length > 0 else b""

    def _send(self, response: Response, cut: Optional[int]) -> None:
        if cut == 0:
            self._reset()
            return
        empty = response.status in _EMPTY_STATUSES
        self.send_response(response.status)
        if not empty:
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(response.content_length))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if cut is not None:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        if empty or self.command == "HEAD":
            self.end_headers()
        elif response.file is None:
            self.end_headers()
            self.wfile.write(response.body if cut is None else response.body[:cut])
        else:
            self._file(response, response.length if cut is None else min(cut, response.length))

    def _file(self, response: Response, length: int) -> None:
        if response.file is None:
            return
        self.end_headers()
        with response.file.open("rb") as file:
            file.seek(response.offset)
            while length > 0:
                chunk = file.read(min(_CHUNK, length))
                if not chunk:
                    raise ConnectionAbortedError("the file became shorter")
                self.wfile.write(chunk)
                length -= len(chunk)

    def _reset(self) -> None:
        """Close the connection so that the other side sees a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _linger())
        self.connection.close()

    def handle(self) -> None:
        """Serve until the client goes away; that it does is no error."""
        try:
            super().handle()
        except (ConnectionError, TimeoutError, socket.timeout) as error:
            logger.info("%s: %s", self.client_address, error)

    def finish(self) -> None:
        """Close the streams; a reset connection has none."""
        try:
            super().finish()
        except OSError:
            logger.info("%s: closed", self.client_address)

    def send_error(self, code: int, message: Optional[str] = None, explain: Optional[str] = None) -> None:
        """Requests that are no HTTP get the envelope, too."""
        self.close_connection = True
        text = message or explain or HTTPStatus(code).phrase
        # Without it, what is no HTTP at all would be answered without status and headers.
        self.request_version = self.protocol_version
        self._send(ApiError(code, text).response(), None)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """To the log, which is shown with ``--verbose`` only; queries hold signatures and stay out of it."""
        logger.info("%s %s %s", self.client_address[0], self.command, _without_query(args))


def _without_query(args: Tuple[Any, ...]) -> str:
    return " ".join(str(part).split("?", 1)[0] for part in args)


def _linger() -> bytes:
    """Linger on, zero seconds: the socket option's layout differs on Windows."""
    return struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class _Headers(Mapping[str, str]):
    """Request headers, found in any case."""

    def __init__(self, message: Any) -> None:
        self._values = {name.lower(): str(value) for name, value in message.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
