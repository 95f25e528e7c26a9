"""A finished job with a large output, and a proxy on the way to it that cuts, counts and lets addresses expire."""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import struct
import tarfile
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Callable, Deque, Dict, Iterator, List, Optional
from urllib.parse import urlsplit

from service_kit import ANALYTIC_WORKFLOW, default_runners, published_input, running_service, write_features

from up42_plugin.api.exchange import plain_session
from up42_plugin.api.retrying import RetryPolicy
from up42_plugin.api.tokens import ProjectKeyGrant, TokenProvider
from up42_plugin.core.dialects.classic import ClassicProvider
from up42_plugin.sandbox.runners.contract import Usage

#: What the proxy's system may hold that was sent and will never arrive.
SEND_BUFFER = 32 * 1024
_RELAY = 8 * 1024


@dataclass(frozen=True)
class Entrance:
    """The way to an output: everything a process of its own needs."""

    address: str
    project_id: str
    project_api_key: str
    job_id: str
    proxy: str
    folder: str = ""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    def provider(self) -> ClassicProvider:
        def session():
            made = plain_session()
            made.proxies = {"http": self.proxy}
            return made

        tokens = TokenProvider(ProjectKeyGrant(self.project_id, self.project_api_key))
        quick = RetryPolicy(base=0.001, longest=0.002)
        return ClassicProvider("account", self.address, self.project_id, tokens, session, policy=quick)


@dataclass
class LargeOutput:
    """Where a finished job's output is, and what it holds."""

    service: object
    job_id: str
    archive: bytes
    files: Dict[str, bytes]

    def entrance(self, proxy: str) -> Entrance:
        known = self.service.entrance
        return Entrance(known.base_url, known.project_id, known.project_api_key, self.job_id, proxy)


@contextlib.contextmanager
def large_output(data_dir: Path, size: int) -> Iterator[LargeOutput]:
    """A service with one finished live job whose output has about ``size`` compressed bytes."""

    def runner(task) -> Usage:
        chance = random.Random(1)  # noqa: S311 - for tests
        (task.target / "image.tif").write_bytes(chance.randbytes(size))
        (task.target / "second.tif").write_bytes(bytes(size // 2))
        write_features(task, ["image.tif"])
        return Usage(square_km=2.0, scenes=1, output_bytes=size, pixels=size)

    runners = dict.fromkeys(default_runners(), runner)
    with running_service(data_dir, runners) as service:
        inputs = {"sentinelhub-s2-aws-analytic:1": published_input()["aws-s2-l2a:1"]}
        task = service.get(f"workflows/{service.workflow(ANALYTIC_WORKFLOW)}/tasks")[0]["name"]
        inputs = {task: next(iter(inputs.values()))}
        job = service.run(ANALYTIC_WORKFLOW, inputs)
        assert job["status"] == "SUCCEEDED", job
        (archive,) = data_dir.glob(f"**/{job['id']}/**/output.tgz")
        with tarfile.open(archive) as packed:
            members = [member for member in packed if member.isfile()]
            files = {member.name.split("/", 1)[1]: packed.extractfile(member).read() for member in members}
        yield LargeOutput(service, job["id"], archive.read_bytes(), files)


@dataclass
class Cut:
    """Cut a download after it has come ``at`` bytes (of the whole); ``reached`` is called then.

    With ``expire``, the address is refused as expired when it is used the next time.
    """

    at: int
    reset: bool = True
    expire: bool = False
    reached: Callable[[], None] = lambda: None


@dataclass
class DownloadProxy:
    """An HTTP proxy that passes everything on, but cuts downloads where ``cuts`` say, one after another.

    ``ranges`` are the first bytes that downloads asked for and were given, ``sent`` counts their bytes.
    """

    cuts: Deque[Cut]
    ranges: List[int] = field(default_factory=list)
    sent: int = 0
    expired: int = 0

    def __post_init__(self) -> None:
        self._expire_next = False
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # its connections inherit it
        self._open = True
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> DownloadProxy:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._open = False
        self._listener.close()

    def _serve(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            request = _head_and_body(client)
            if request:
                self._pass(client, request)

    def _pass(self, client: socket.socket, request: bytes) -> None:
        target = urlsplit(request.split(b" ", 2)[1].decode())
        download = target.path.startswith("/artifacts/")
        if download and self._take_expiry():
            request = re.sub(rb"Expires=\d+", b"Expires=1", request, count=1)
        request = request.replace(b"Connection: keep-alive", b"Connection: close", 1)
        with socket.create_connection((target.hostname, target.port), 20) as service:
            service.sendall(request)
            if download:
                self._download(client, service)
            else:
                while chunk := service.recv(_RELAY):
                    client.sendall(chunk)

    def _download(self, client: socket.socket, service: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            received += service.recv(_RELAY)
        head, _, body = received.partition(b"\r\n\r\n")
        if head.split(b" ", 2)[1] not in (b"200", b"206"):
            client.sendall(received)
            return
        asked = re.search(rb"(?i)content-range: bytes (\d+)-", head)
        position = int(asked[1]) if asked else 0
        with self._lock:
            self.ranges.append(position)
            cut = self.cuts[0] if self.cuts and self.cuts[0].at > position else None
            if cut is not None:
                self.cuts.popleft()
        client.sendall(head + b"\r\n\r\n")
        body = body or service.recv(_RELAY)
        while body:
            if cut is not None and position + len(body) >= cut.at:
                self._send(client, body[: cut.at - position])
                self._cut(client, cut)
                return
            self._send(client, body)
            position += len(body)
            body = service.recv(_RELAY)

    def _send(self, client: socket.socket, data: bytes) -> None:
        with self._lock:
            self.sent += len(data)
        client.sendall(data)

    def _cut(self, client: socket.socket, cut: Cut) -> None:
        with self._lock:
            self._expire_next = cut.expire
        cut.reached()
        if cut.reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            client.shutdown(socket.SHUT_RDWR)

    def _take_expiry(self) -> bool:
        with self._lock:
            expire, self._expire_next = self._expire_next, False
            self.expired += expire
            return expire


def _head_and_body(client: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = client.recv(_RELAY)
        if not chunk:
            return b""
        received += chunk
    length = re.search(rb"(?i)content-length: (\d+)", received)
    wanted = received.index(b"\r\n\r\n") + 4 + (int(length[1]) if length else 0)
    while len(received) < wanted:
        received += client.recv(_RELAY)
    return received


def part_of(folder: Path) -> Optional[bytes]:
    """What is kept of the download into a folder."""
    path = folder.with_name(f"{folder.name}.part")
    return path.read_bytes() if path.exists() else None
