"""A receiver of webhooks on this machine, which checks signatures as one in earnest would."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, List, Mapping

_OLDEST_S = 300


@dataclass(frozen=True)
class Received:
    """One notification; the names of the headers in small letters."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        return json.loads(self.body)

    @property
    def signed(self) -> bool:
        return bool({"signature", "signature-input"} & set(self.headers))

    def signed_with(self, secret: str) -> bool:
        """Whether the signature is right and fresh, by the contract's rules."""
        listed = re.match(r"up42-sig=\(([^)]*)\);created=(\d+)(?:;|$)", self.headers.get("signature-input", ""))
        if listed is None or abs(time.time() - int(listed[2])) > _OLDEST_S:
            return False
        text = "".join(self.headers[name] for name in re.findall(r'"([^"]+)"', listed[1]))
        digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
        expected = f"up42-sig={base64.b64encode(digest).decode()}"
        return hmac.compare_digest(self.headers.get("signature", ""), expected)


class Receiver:
    """Listens as long as its ``with`` lasts; answers with ``statuses`` in turn, then with 200, after ``delay_s``."""

    def __init__(self) -> None:
        self.deliveries: List[Received] = []
        self.statuses: List[int] = []
        self.delay_s = 0.0
        taker = type("Taker", (_Taker,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), taker)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/hook?a=b"


class _Taker(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.deliveries.append(Received(self.path, headers, body))
        time.sleep(self.receiver.delay_s)
        self.send_response(self.receiver.statuses.pop(0) if self.receiver.statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass
