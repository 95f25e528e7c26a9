"""What the tests of the API clients share: quick transports, contexts that note their waits, made-up tokens."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any, Callable, List, Optional

import pytest
import requests
from scripted_server import WAIT, Reply, ScriptedServer, Seen

from up42_plugin.api import errors
from up42_plugin.api.classic.client import ClassicClient
from up42_plugin.api.exchange import plain_session
from up42_plugin.api.retrying import RetryPolicy
from up42_plugin.api.tokens import ProjectKeyGrant, TokenProvider
from up42_plugin.api.transport import Transport
from up42_plugin.core.context import ThreadContext

JOBS = "/projects/p/workflows/w/jobs"
JOB = {"id": "j1", "status": "NOT_STARTED", "createdAt": "2026-11-20T10:00:00Z", "name": "n #abcdefgh"}
PROJECT = "11111111-aaaa-4bbb-8ccc-000000000001"
KEY = "PrOjEcTkEy.do-not-show"
QUICK = RetryPolicy(base=0.001, longest=0.002)


class Waits(ThreadContext):
    """A context that notes how long it was asked to wait, and does not."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: List[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.check()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def jwt(number: int, **claims: Any) -> str:
    """A token in the service's form, told apart by its number; unsigned."""
    parts = [{"alg": "none"}, {"jti": number, **claims}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, "c2ln"])


class TokenDesk:
    """The token endpoint of a scripted server: a new number each time, and a list of those that still count."""

    def __init__(self, server: ScriptedServer, **claims: Any) -> None:
        self.issued: List[str] = []
        self.valid: List[str] = []
        self.claims = claims or {"iat": 1000, "exp": 1300}
        self._lock = threading.Lock()
        server.on("POST", "/oauth/token", self.issue)

    def issue(self, seen: Seen) -> Reply:
        with self._lock:
            token = jwt(len(self.issued) + 1, **self.claims)
            self.issued.append(token)
            self.valid = [token]
        return Reply(200, {"data": {"accessToken": token}, "access_token": token, "token_type": "bearer"})

    def guard(self, then: Reply) -> Callable[[Seen], Reply]:
        """Answers ``then`` to who shows a token that counts."""

        def check(seen: Seen) -> Reply:
            if seen.headers.get("Authorization", "").replace("Bearer ", "") in self.valid:
                return then
            body = {"error": {"code": "UNAUTHORIZED", "message": "ACCESS_TOKEN_EXPIRED", "details": None}, "data": None}
            return Reply(401, body)

        return check


def tokens_for(clock: Optional[Callable[[], float]] = None) -> TokenProvider:
    clock = clock or Clock()
    return TokenProvider(ProjectKeyGrant(PROJECT, KEY, clock), clock)


def transport_to(
    address: str,
    context: Optional[ThreadContext] = None,
    tokens: Optional[TokenProvider] = None,
    policy: RetryPolicy = QUICK,
    **more: Any,
) -> Transport:
    more.setdefault("sessions", plain_session)
    return Transport(
        address,
        tokens,
        more.pop("sessions"),
        context or ThreadContext(),
        user_agent="up42-qgis/1.2.3",
        policy=policy,
        **more,
    )


def never_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time-outs so long that a call which ends did so because it was woken."""
    monkeypatch.setattr("up42_plugin.api.exchange.CONNECT_TIMEOUT", 600.0)
    monkeypatch.setattr("up42_plugin.api.exchange.READ_TIMEOUT", 600.0)


class Worker(threading.Thread):
    """Runs something in a thread and keeps how it ended."""

    def __init__(self, work: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.result: Any = None
        self.error: Optional[BaseException] = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as error:
            self.error = error

    def ended(self) -> Worker:
        self.join(WAIT)
        assert not self.is_alive(), "the worker is still blocked"
        return self


def everything_of(error: BaseException) -> str:
    """All that an error could show anybody: texts, attributes, and the errors it was raised from."""
    texts = []
    queue: List[Optional[BaseException]] = [error]
    while queue:
        link = queue.pop()
        if link is not None:
            texts += [str(link), repr(link), repr(vars(link))]
            queue += [link.__cause__, link.__context__]
    return "\n".join(texts)


def send(
    address: str,
    context: Optional[ThreadContext] = None,
    tokens: Optional[TokenProvider] = None,
    sessions: Optional[Callable[[], requests.Session]] = None,
) -> Any:
    """Send a job once."""
    more = {} if sessions is None else {"sessions": sessions}
    with transport_to(address, context or Waits(), tokens, **more) as transport:
        return ClassicClient(transport, "p").jobs.create("w", "n #abcdefgh", {"a:1": {}})


def how_it_ended(address: str, **more: Any) -> errors.Up42Error:
    """The error that sending a job once ended with."""
    with pytest.raises(errors.Up42Error) as caught:
        send(address, **more)
    assert caught.value.__context__ is None
    return caught.value
