"""Tells webhooks of job status changes. Only loopback addresses are ever called: the sandbox stays on this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import logging
import queue
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any, Callable, Dict, Mapping, Optional, Tuple
from urllib.parse import SplitResult, urlsplit

from up42_plugin.sandbox.messages import encode
from up42_plugin.sandbox.records.webhooks import Webhook

logger = logging.getLogger(__name__)

JOB_STATUS, ORDER_STATUS = "job.status", "order.status"
_TIMEOUT_S = 5.0
_ATTEMPTS = 3
_PAUSE_S = 1.0
_SIGNED_HEADERS = ("date", "content-length")
_GOOD = range(200, 300)
_AWAY = "The sandbox calls addresses of this computer only"


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def job_event(status: str, job_id: str, project_id: str, workflow_id: str, task_id: Optional[str]) -> Dict[str, Any]:
    """The body of a delivery; members beside ``status`` are placeholders, no source shows them."""
    body = {"status": status, "jobId": job_id, "projectId": project_id, "workflowId": workflow_id, "taskId": task_id}
    return {"event": JOB_STATUS, "body": body}


def signed_headers(body: bytes, signing_key: Optional[str], moment: float) -> Dict[str, str]:
    """Headers of a delivery: with a key, HMAC-SHA256 over the listed headers' values, joined as they stand."""
    headers = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "date": formatdate(moment, usegmt=True),
    }
    if signing_key:
        text = "".join(headers[name] for name in _SIGNED_HEADERS)
        digest = hmac.new(signing_key.encode(), text.encode(), hashlib.sha256).digest()
        listed = " ".join(f'"{name}"' for name in _SIGNED_HEADERS)
        headers["signature-input"] = f'up42-sig=({listed});created={int(moment)};keyid="sandbox"'
        headers["signature"] = f"up42-sig={base64.b64encode(digest).decode()}"
    return headers


@dataclass(frozen=True)
class Delivered:
    """How one sending ended: ``status`` of the receiver's answer, None without one, and a few words on it."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    status: Optional[int] = None
    message: str = ""

    @property
    def good(self) -> bool:
        """Whether the receiver took it."""
        return self.status in _GOOD


def attempt(webhook: Webhook, event: Mapping[str, Any]) -> Delivered:
    """Send one event once."""
    address = urlsplit(webhook.form.url)
    if not is_loopback(webhook.form.url):
        return Delivered(message=_AWAY)
    body = encode(event)
    headers = signed_headers(body, webhook.form.signing_key, time.time())
    connection = _connection(address)
    try:
        path = address.path or "/"
        connection.request("POST", f"{path}?{address.query}" if address.query else path, body, headers)
        answer = connection.getresponse()
        return Delivered(headers, answer.status, f"{answer.status} {answer.reason}".strip())
    except (OSError, http.client.HTTPException) as error:
        logger.info("webhook %s: %s", webhook.id, error)
        return Delivered(headers, message=_why(error))
    finally:
        connection.close()


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return "The certificate is not trusted"
    if isinstance(error, ConnectionRefusedError):
        return "Nobody listens at this address"
    if isinstance(error, (TimeoutError, socket.timeout)):
        return f"No answer within {_TIMEOUT_S:.0f} s"
    return f"No answer: {type(error).__name__}"


def deliver(webhook: Webhook, event: Mapping[str, Any]) -> bool:
    """Send one event once; True when the address took it."""
    return attempt(webhook, event).good


def _connection(address: SplitResult) -> http.client.HTTPConnection:
    host, port = address.hostname or "", address.port
    if address.scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)


class Notifier:
    """Delivers events in order, from one thread that starts with the first of them."""

    def __init__(self, send: Callable[[Webhook, Mapping[str, Any]], bool] = deliver, pause_s: float = _PAUSE_S) -> None:
        self._send = send
        self._pause_s = pause_s
        self._queue: queue.Queue[Optional[Tuple[Webhook, Mapping[str, Any]]]] = queue.Queue()
        self._lock = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._closing = threading.Event()

    def tell(self, webhook: Webhook, event: Mapping[str, Any]) -> None:
        """Deliver an event later."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="webhooks", daemon=True)
                self._thread.start()
        self._queue.put((webhook, event))

    def close(self) -> None:
        """Deliver nothing more."""
        self._closing.set()
        self._queue.put(None)

    def _work(self) -> None:
        while True:
            item = self._queue.get()
            if item is None or self._closing.is_set():
                return
            webhook, event = item
            for attempt in range(_ATTEMPTS):
                if self._send(webhook, event) or self._closing.wait(self._pause_s * (attempt + 1)):
                    break
