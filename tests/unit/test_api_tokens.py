from __future__ import annotations

import threading
from typing import Any, List, Optional, Sequence

import pytest
from api_kit import KEY, PROJECT, Clock, Worker, jwt

from up42_plugin.api.errors import AnswerError, AuthError, Cancelled, NetworkError, ServerError, ValidationError
from up42_plugin.api.tokens import (
    AccountGrant,
    ProjectKeyGrant,
    Token,
    TokenProvider,
    TokenRequest,
    life_time,
    read_claims,
    read_token,
)
from up42_plugin.core.context import ThreadContext


class Desk:
    """Gives numbered tokens; may be told to block or to fail."""

    def __init__(self, **claims: Any) -> None:
        self.asked: List[TokenRequest] = []
        self.at_once = 0
        self.most_at_once = 0
        self.fail: List[Optional[Exception]] = []
        self.entered = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self._claims = claims or {"iat": 0, "exp": 300}
        self._lock = threading.Lock()

    def __call__(self, request: TokenRequest) -> Any:
        with self._lock:
            self.asked.append(request)
            number = len(self.asked)
            failure = self.fail.pop(0) if self.fail else None
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self.entered.set()
        self.gate.wait(20)
        with self._lock:
            self.at_once -= 1
        if failure is not None:
            raise failure
        token = jwt(number, **self._claims)
        return {"access_token": token, "data": {"accessToken": token}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(clock: Clock) -> TokenProvider:
    return TokenProvider(ProjectKeyGrant(PROJECT, KEY, clock), clock)


def number_of(token: str) -> int:
    return int(read_claims(token)["jti"])


def test_a_token_is_kept_until_shortly_before_it_ends(provider: TokenProvider, clock: Clock) -> None:
    desk, context = Desk(), ThreadContext()
    assert number_of(provider.token(desk, context)) == 1
    clock.now += 269
    assert number_of(provider.token(desk, context)) == 1
    clock.now += 2
    assert number_of(provider.token(desk, context)) == 2


def test_a_clock_that_is_wrong_here_does_no_harm(clock: Clock) -> None:
    for skew in (-86_400.0, 86_400.0):
        clock.now = 1_000_000 + skew
        provider = TokenProvider(ProjectKeyGrant(PROJECT, KEY, clock), clock)
        desk = Desk(iat=1_000_000, exp=1_000_300)
        for _ in range(3):
            provider.token(desk, ThreadContext())
        assert len(desk.asked) == 1


@pytest.mark.parametrize(
    ("token", "expires_in", "seconds"),
    [
        (jwt(1, iat=100, exp=400), None, 300),
        (jwt(1, iat=100, exp=400), 1800, 1800),
        (jwt(1, exp=1_000_250), None, 250),
        (jwt(1, exp=5), None, 270),
        (jwt(1), None, 270),
        ("opaque", None, 270),
        ("a.%%%.c", None, 270),
        ("ü.ü.ü", None, 270),
        (jwt(1, iat="x", exp=True), None, 270),
    ],
)
def test_how_long_a_token_lives(token: str, expires_in: Any, seconds: float) -> None:
    assert life_time(token, expires_in, 1_000_000.0) == seconds


def test_an_unreadable_token_is_renewed_after_four_minutes(clock: Clock) -> None:
    provider = TokenProvider(ProjectKeyGrant(PROJECT, KEY, clock), clock)
    asked: List[TokenRequest] = []

    def opaque(request: TokenRequest) -> Any:
        asked.append(request)
        return {"access_token": "opaque"}

    provider.token(opaque, ThreadContext())
    clock.now += 239
    provider.token(opaque, ThreadContext())
    assert len(asked) == 1
    clock.now += 2
    provider.token(opaque, ThreadContext())
    assert len(asked) == 2


def test_either_place_of_the_token_is_read() -> None:
    token = jwt(1, iat=0, exp=300)
    assert read_token({"access_token": token}, 0).value == token
    assert read_token({"data": {"accessToken": token}}, 0).value == token
    keycloak = read_token({"access_token": token, "expires_in": 60, "refresh_token": "again"}, 0)
    assert (keycloak.life_time, keycloak.renewal) == (60, "again")
    for bad in (None, [], {}, {"data": None}, {"access_token": ""}, {"access_token": 7}):
        with pytest.raises(AnswerError):
            read_token(bad, 0)


def test_many_workers_get_one_token_and_only_one_of_them_asks(provider: TokenProvider) -> None:
    desk = Desk()
    desk.gate.clear()
    workers = [Worker(lambda: provider.token(desk, ThreadContext())) for _ in range(16)]
    assert desk.entered.wait(20)
    desk.gate.set()
    assert {worker.ended().result for worker in workers} == {workers[0].result}
    assert len(desk.asked) == 1


def test_many_refused_workers_renew_once(provider: TokenProvider) -> None:
    desk = Desk()
    first = provider.token(desk, ThreadContext())

    def refused() -> str:
        provider.invalidate(first)
        return provider.token(desk, ThreadContext())

    workers = [Worker(refused) for _ in range(16)]
    assert {number_of(worker.ended().result) for worker in workers} == {2}
    assert desk.most_at_once == 1


def test_when_the_one_that_asks_fails_the_next_one_takes_over(provider: TokenProvider) -> None:
    desk = Desk()
    desk.gate.clear()
    desk.fail = [NetworkError("cut")]
    first = Worker(lambda: provider.token(desk, ThreadContext()))
    assert desk.entered.wait(20)
    others = [Worker(lambda: provider.token(desk, ThreadContext())) for _ in range(4)]
    desk.gate.set()
    assert isinstance(first.ended().error, NetworkError)
    assert {number_of(worker.ended().result) for worker in others} == {2}
    assert desk.most_at_once == 1


def test_a_worker_that_waits_for_another_can_be_cancelled(provider: TokenProvider) -> None:
    desk = Desk()
    desk.gate.clear()
    first = Worker(lambda: provider.token(desk, ThreadContext()))
    assert desk.entered.wait(20)
    context = ThreadContext()
    waiting = Worker(lambda: provider.token(desk, context))
    context.cancel()
    assert isinstance(waiting.ended().error, Cancelled)
    desk.gate.set()
    assert number_of(first.ended().result) == 1


def test_a_refused_token_that_was_replaced_already_is_no_reason_to_renew(provider: TokenProvider) -> None:
    desk, context = Desk(), ThreadContext()
    old = provider.token(desk, context)
    provider.invalidate(old)
    provider.token(desk, context)
    provider.invalidate(old)
    provider.token(desk, context)
    assert len(desk.asked) == 2


@pytest.mark.parametrize("failure", [AuthError("no", status=401), ValidationError("no", status=415)])
def test_refused_credentials_become_a_sentence_about_them(provider: TokenProvider, failure: Exception) -> None:
    desk = Desk()
    desk.fail = [failure]
    with pytest.raises(AuthError) as caught:
        provider.token(desk, ThreadContext())
    assert caught.value.user_message == ProjectKeyGrant.refused_message
    assert number_of(provider.token(desk, ThreadContext())) == 2


def test_a_problem_of_the_service_is_not_taken_for_wrong_credentials(provider: TokenProvider) -> None:
    desk = Desk()
    desk.fail = [ServerError("problem", status=503)]
    with pytest.raises(ServerError):
        provider.token(desk, ThreadContext())


def test_the_project_key_goes_by_basic_credentials_and_the_account_by_form() -> None:
    (by_key,) = ProjectKeyGrant(PROJECT, KEY).requests(None)
    assert (by_key.url, by_key.basic, by_key.form) == (
        "/oauth/token",
        (PROJECT, KEY),
        {"grant_type": "client_credentials"},
    )
    (by_account,) = AccountGrant("me@example.org", "pass-phrase").requests(None)
    assert by_account.basic is None
    assert by_account.form == {"grant_type": "password", "username": "me@example.org", "password": "pass-phrase"}


def test_a_grant_with_two_ways_tries_the_second_when_the_first_is_refused(clock: Clock) -> None:
    class Refreshing:
        """As another service signs in: by what renews the last token, then by the credentials."""

        refused_message = "Wrong."
        secrets: Sequence[str] = ()

        def requests(self, previous: Optional[Token]) -> Sequence[TokenRequest]:
            again = () if previous is None else (TokenRequest("/token", {"refresh_token": str(previous.renewal)}),)
            return (*again, TokenRequest("/token", {"grant_type": "password"}))

        def read(self, answer: Any) -> Token:
            return read_token({**answer, "refresh_token": "r"}, clock())

    provider = TokenProvider(Refreshing(), clock)
    desk, context = Desk(), ThreadContext()
    provider.token(desk, context)
    clock.now += 1000
    desk.fail = [AuthError("expired", status=400)]
    assert number_of(provider.token(desk, context)) == 3
    assert [list(request.form) for request in desk.asked] == [["grant_type"], ["refresh_token"], ["grant_type"]]


def test_nothing_shows_a_secret(provider: TokenProvider) -> None:
    desk = Desk()
    token = provider.token(desk, ThreadContext())
    account = AccountGrant("me@example.org", "pass-phrase")
    shown = [provider, provider._token, provider._grant, account, *account.requests(None), *desk.asked]  # type: ignore[list-item]
    text = "".join(repr(thing) + str(thing) for thing in shown)
    for secret in (token, KEY, "pass-phrase"):
        assert secret not in text
    assert provider.secrets == [KEY, token]
    provider.forget()
    assert provider.secrets == [KEY]
    assert provider.claims == {}
