"""A TCP proxy on loopback that loses connections: before, during and after a request, and in the answer."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Dict, List, Optional
from urllib.parse import urlsplit

CHUNK = 65536
CONNECT_TIMEOUT_S = 20.0
#: A request may lie somewhere on its way for so long.
LATE_BY_AT_MOST_S = 3.0


class Fate(Enum):
    """What becomes of a connection."""

    PASS = "passed on"
    CUT_UNREAD = "cut before a byte was read"
    CUT_IN_REQUEST = "cut in the middle of the request"
    CUT_AFTER_REQUEST = "request passed on, cut at once"
    LATE_REQUEST = "cut, the request passed on a while later"
    LOSE_ANSWER = "request passed on, answer swallowed"
    CUT_IN_ANSWER = "cut in the middle of the answer"


#: The request cannot have arrived whole.
NEVER_ARRIVES = (Fate.CUT_UNREAD, Fate.CUT_IN_REQUEST)
LOSSES = tuple(fate for fate in Fate if fate is not Fate.PASS)

Match = Callable[[bytes], bool]


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Plan:
    """A fate, the fraction of the way (0 to 1) where a cut in the middle comes, and how it feels to the client.

    ``reached`` is called at that point, before the cut; for a connection that is passed on, after the answer.
    """

    fate: Fate
    where: float = 0.0
    reset: bool = True
    reached: Callable[[], None] = _nothing


class Plans:
    """Seeded fates: ``risk`` for the connections that ``match`` picks by the head of their first request.

    Each kind takes each loss in turn, in shuffled rounds, so that a run has them all; the connections that are not
    picked get ``others`` as their chance of a loss.
    """

    def __init__(self, seed: int, match: Match, risk: float, others: float) -> None:
        self._random = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
        self._match = match
        self._risk = risk
        self._others = others
        self._rounds: Dict[bool, List[Fate]] = {True: [], False: []}
        self._lock = threading.Lock()

    def draw(self, head: bytes) -> Plan:
        with self._lock:
            picked = self._match(head)
            if self._random.random() >= (self._risk if picked else self._others):
                return Plan(Fate.PASS)
            losses = self._rounds[picked]
            if not losses:
                losses.extend(self._random.sample(LOSSES, len(LOSSES)))
            fate = losses.pop()
            return Plan(fate, self._random.random(), self._random.random() < 0.5)

    def picks(self, head: bytes) -> bool:
        return self._match(head)


class CuttingProxy:
    """Passes bytes between clients and ``target`` (a base URL) until the plan of a connection says otherwise."""

    def __init__(self, target: str, plans: Plans) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._plans = plans
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._open = True
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self.fates: Counter[Fate] = Counter()
        self.other_fates: Counter[Fate] = Counter()
        threading.Thread(target=self._serve, name="cutting proxy", daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> CuttingProxy:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._open = False
        self._listener.close()
        with self._lock:
            left = list(self._sockets)
        for connection in left:
            _end(connection, reset=True)

    def _serve(self) -> None:
        while self._open:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with self._lock:
            self._sockets.add(client)
        upstream: Optional[socket.socket] = None
        try:
            upstream = socket.create_connection(self._target, CONNECT_TIMEOUT_S)
            upstream.settimeout(None)
            with self._lock:
                self._sockets.add(upstream)
            _Conversation(client, upstream, self._plans, self._count).run()
        except OSError:
            pass  # the other side went: what a lost connection is
        finally:
            for connection in (client, upstream):
                if connection is not None:
                    _end(connection, reset=False)
                    with self._lock:
                        self._sockets.discard(connection)

    def _count(self, picked: bool, fate: Fate) -> None:
        with self._lock:
            (self.fates if picked else self.other_fates)[fate] += 1


class _Conversation:
    """One connection with its requests, one after the other, until one of them meets its fate."""

    def __init__(
        self, client: socket.socket, upstream: socket.socket, plans: Plans, count: Callable[[bool, Fate], None]
    ) -> None:
        self._client = client
        self._upstream = upstream
        self._plans = plans
        self._count = count

    def run(self) -> None:
        rest = b""
        while True:
            request, rest = _message(self._client, rest)
            if not request:
                return
            head = request.split(b"\r\n\r\n", 1)[0]
            plan = self._plans.draw(head)
            self._count(self._plans.picks(head), plan.fate)
            if not self._request(plan, request) or not self._answer(plan):
                return

    def _request(self, plan: Plan, request: bytes) -> bool:
        if plan.fate is Fate.CUT_UNREAD:
            return self._cut(plan)
        if plan.fate is Fate.CUT_IN_REQUEST:
            self._upstream.sendall(request[: 1 + int(plan.where * (len(request) - 2))])
            return self._cut(plan)
        if plan.fate is Fate.LATE_REQUEST:
            plan.reached()
            _end(self._client, plan.reset)
            time.sleep(plan.where * LATE_BY_AT_MOST_S)
        self._upstream.sendall(request)
        if plan.fate is Fate.LATE_REQUEST:
            _message(self._upstream, b"")
            return False
        if plan.fate is Fate.CUT_AFTER_REQUEST:
            plan.reached()
            _end(self._client, plan.reset)
            _message(self._upstream, b"")  # the service finds nobody only after it has done its work
            return False
        return True

    def _answer(self, plan: Plan) -> bool:
        answer, _ = _message(self._upstream, b"")
        if not answer or plan.fate is Fate.LOSE_ANSWER:
            return self._cut(plan)
        if plan.fate is Fate.CUT_IN_ANSWER:
            self._client.sendall(answer[: 1 + int(plan.where * (len(answer) - 2))])
            return self._cut(plan)
        self._client.sendall(answer)
        plan.reached()
        return True

    def _cut(self, plan: Plan) -> bool:
        plan.reached()
        _end(self._client, plan.reset)
        _end(self._upstream, plan.reset)
        return False


def _message(connection: socket.socket, received: bytes) -> tuple[bytes, bytes]:
    """The next whole HTTP message, and what came after it; empty when the other side has closed."""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(CHUNK)
        if not chunk:
            return b"", b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
        if name.strip().lower() == b"transfer-encoding":
            raise ValueError("the proxy reads messages with a length only")
    while len(body) < length:
        chunk = connection.recv(CHUNK)
        if not chunk:
            return b"", b""
        body += chunk
    whole = len(head) + 4 + length
    message = head + b"\r\n\r\n" + body
    return message[:whole], message[whole:]


def _end(connection: socket.socket, reset: bool) -> None:
    if reset:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    else:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        connection.close()
