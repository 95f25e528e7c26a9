"""Bearer tokens: got when first needed, renewed before they expire, by one worker at a time.

A :class:`Grant` knows how a token is asked for and how the answer is read; the provider knows when. Tokens live in
memory only, and nothing here shows a secret in its ``repr``.
"""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Callable, List, Mapping, Optional, Protocol, Sequence, Tuple

from up42_plugin.api.context import CallContext
from up42_plugin.api.errors import AnswerError, AuthError, ValidationError

UNREADABLE_LIFE_TIME = 240.0  # renew after four minutes where a token tells nothing
MARGIN = 30.0

SIGNS_IN_WITH_SSO = "This account signs in with SSO. Use a project ID and key instead."


@dataclass(frozen=True)
class TokenRequest:
    """One way to ask for a token: a form, and HTTP Basic credentials where the way needs them.

    ``url`` is a path at the service's address, or a whole address where another host signs in.
    """

    url: str
    form: Mapping[str, str] = field(repr=False)
    basic: Optional[Tuple[str, str]] = field(default=None, repr=False)


@dataclass(frozen=True)
class Token:
    """A bearer token. ``life_time`` in seconds from when it was received; ``renewal`` cures it where there is one."""

    value: str = field(repr=False)
    life_time: float
    renewal: Optional[str] = field(default=None, repr=False)

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the token says about itself, empty when it cannot be read. Nothing may depend on it but its times."""
        return read_claims(self.value)


class Grant(Protocol):
    """A way to sign in."""

    refused_message: str

    @property
    def secrets(self) -> Sequence[str]:
        """What must never be shown."""

    def requests(self, previous: Optional[Token]) -> Sequence[TokenRequest]:
        """Ways to get a token, best first; the next is tried when the service refuses one."""

    def read(self, answer: Any) -> Token:
        """The token in a parsed answer; raises ``AnswerError`` naming what is missing."""


Exchange = Callable[[TokenRequest], Any]


def read_claims(token: str) -> Mapping[str, Any]:
    """The payload of a JSON web token, unverified; empty when it is none."""
    parts = token.split(".")
    if len(parts) < 2:  # noqa: PLR2004 - header and payload
        return {}
    try:
        payload = parts[1].encode("ascii")
        value = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return value if isinstance(value, dict) else {}


def life_time(token: str, expires_in: Any, now: float) -> float:
    """Seconds a token lives: as the answer says, else by its ``iat`` and ``exp``, else four minutes.

    The difference of the token's own times is taken, so that a clock that is wrong here does no harm.
    """
    stated = _seconds(expires_in)
    if stated is not None and stated > 0:
        return stated
    claims = read_claims(token)
    issued, expires = _seconds(claims.get("iat")), _seconds(claims.get("exp"))
    if expires is not None:
        left = expires - (now if issued is None else issued)
        if left > 0:
            return left
    return UNREADABLE_LIFE_TIME + MARGIN


def _seconds(value: Any) -> Optional[float]:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def read_token(answer: Any, now: float) -> Token:
    """The token of either contract's answer: ``access_token``, or ``data.accessToken`` of older services."""
    members = answer if isinstance(answer, dict) else {}
    data = members.get("data")
    older = data.get("accessToken") if isinstance(data, dict) else None
    value = members.get("access_token") or older
    if not isinstance(value, str) or not value.strip():
        raise AnswerError("The answer could not be read. Details are in the log.", "token answer: access_token missing")
    renewal = members.get("refresh_token")
    return Token(
        value=value,
        life_time=life_time(value, members.get("expires_in"), now),
        renewal=renewal if isinstance(renewal, str) and renewal else None,
    )


class ProjectKeyGrant:
    """Sign-in of the classic API with a project ID and its key (HTTP Basic, client credentials)."""

    refused_message = "Project ID or key is wrong. Copy both again from the project settings in the UP42 console."

    def __init__(self, project_id: str, key: str, clock: Callable[[], float] = time.time) -> None:
        self._project_id = project_id
        self._key = key
        self._clock = clock

    def __repr__(self) -> str:
        return f"ProjectKeyGrant(project_id={self._project_id!r})"

    @property
    def secrets(self) -> Sequence[str]:
        return (self._key,)

    def requests(self, previous: Optional[Token]) -> Sequence[TokenRequest]:
        form = {"grant_type": "client_credentials"}
        return (TokenRequest("/oauth/token", form, (self._project_id, self._key)),)

    def read(self, answer: Any) -> Token:
        return read_token(answer, self._clock())


class AccountGrant:
    """Sign-in of the classic API with an account's e-mail and password."""

    refused_message = "E-mail or password is wrong, or this account signs in with SSO."

    def __init__(self, username: str, password: str, clock: Callable[[], float] = time.time) -> None:
        self._username = username
        self._password = password
        self._clock = clock

    def __repr__(self) -> str:
        return f"AccountGrant(username={self._username!r})"

    @property
    def secrets(self) -> Sequence[str]:
        return (self._password,)

    def requests(self, previous: Optional[Token]) -> Sequence[TokenRequest]:
        form = {"grant_type": "password", "username": self._username, "password": self._password}
        return (TokenRequest("/oauth/token", form),)

    def read(self, answer: Any) -> Token:
        return read_token(answer, self._clock())


class TokenProvider:
    """One connection's token, shared by its workers.

    ``clock`` gives seconds; only differences are used. Thread-safe: one worker renews over its own session while the
    others wait, woken when it is done, fails or is cancelled.
    """

    def __init__(self, grant: Grant, clock: Callable[[], float] = time.time, margin: float = MARGIN) -> None:
        self._grant = grant
        self._clock = clock
        self._margin = margin
        self._changed = threading.Condition()
        self._renewing = False
        self._token: Optional[Token] = None
        self._renew_at = 0.0

    def __repr__(self) -> str:
        return f"TokenProvider({self._grant!r})"

    @property
    def secrets(self) -> List[str]:
        """What must never be shown: the grant's secrets and the current token."""
        with self._changed:
            token = self._token
        values = list(self._grant.secrets)
        if token is not None:
            values.append(token.value)
            if token.renewal:
                values.append(token.renewal)
        return values

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the current token, empty when there is none."""
        with self._changed:
            return {} if self._token is None else self._token.claims

    def token(self, exchange: Exchange, context: CallContext) -> str:
        """A token that is still good for a while; asks for one through ``exchange`` when there is none.

        Raises:
            AuthError: the service refuses the credentials.
            Cancelled: the person cancelled while this worker waited.
        """
        undo = context.on_cancel(self._wake)
        try:
            with self._changed:
                while True:
                    context.check()
                    if self._token is not None and self._clock() < self._renew_at:
                        return self._token.value
                    if not self._renewing:
                        break
                    self._changed.wait()
                self._renewing = True
                previous = self._token
        finally:
            undo()
        return self._renew(previous, exchange)

    def invalidate(self, value: str) -> None:
        """The service refused this token: the next call gets a new one. Ignored when it is not the current one."""
        with self._changed:
            if self._token is not None and self._token.value == value:
                self._renew_at = float("-inf")

    def forget(self) -> None:
        """Drop the token, for signing out."""
        with self._changed:
            self._token = None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _renew(self, previous: Optional[Token], exchange: Exchange) -> str:
        token = None
        try:
            token = self._ask(previous, exchange)
        finally:
            with self._changed:
                self._renewing = False
                if token is not None:
                    self._token = token
                    self._renew_at = self._clock() + max(token.life_time - self._margin, token.life_time / 2)
                self._changed.notify_all()
        return token.value

    def _ask(self, previous: Optional[Token], exchange: Exchange) -> Token:
        refusal = AuthError(self._grant.refused_message, status=401)
        for request in self._grant.requests(previous):
            try:
                answer = exchange(request)
            except (AuthError, ValidationError) as error:
                message = SIGNS_IN_WITH_SSO if self._sso(error.detail) else self._grant.refused_message
                refusal = AuthError(message, error.detail, error.status, error.code)
            else:
                return self._grant.read(answer)
        raise refusal

    def _sso(self, detail: str) -> bool:
        """Whether the service says of an account, not of a key, that it signs in elsewhere."""
        return isinstance(self._grant, AccountGrant) and "SSO" in detail.upper().replace("-", " ").split()
