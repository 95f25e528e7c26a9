"""Sends the calls of one worker: signed in, repeated where that is safe, woken when the person cancels.

Two ways to send. :meth:`Transport.request` is for calls that may be repeated. :meth:`Transport.send_once` is for those
that create or start something: it sends once over a connection of its own and says exactly how that ended.
"""

from __future__ import annotations

import math
import time
from datetime import datetime, timezone
from types import TracebackType
from typing import Any, Callable, Mapping, Optional, Type, TypeVar, Union
from urllib.parse import urljoin

import requests

from up42_plugin.api.calls import Answer, Call
from up42_plugin.api.context import CallContext
from up42_plugin.api.errors import (
    AnswerError,
    AuthError,
    Cancelled,
    NetworkError,
    NotSentError,
    OutcomeUnknownError,
    ServiceError,
    Up42Error,
)
from up42_plugin.api.exchange import Exchange, Outcome, SessionFactory
from up42_plugin.api.failures import Failure, Proxy
from up42_plugin.api.fields import UNREADABLE
from up42_plugin.api.redaction import origin, redact
from up42_plugin.api.refusals import (
    NOT_FOUND,
    PROXY_WANTS_SIGN_IN,
    SERVER_ERROR,
    TIMED_OUT,
    TOO_MANY,
    UNAUTHORIZED,
    Refusal,
    read_problem,
    retry_after,
)
from up42_plugin.api.retrying import RetryPolicy
from up42_plugin.api.tokens import TokenProvider, TokenRequest

T = TypeVar("T")

Notice = Callable[[str], None]

NO_GOOD_ANSWER = "No good answer"
UNKNOWN_OUTCOME = "No answer. Checking whether the job was sent; it is not sent twice."


class Transport:
    """The calls of one worker to one address, over a session of its own.

    Args:
        address: the service's address, such as ``https://api.up42.com``.
        tokens: the connection's tokens, shared by its workers; None where nothing needs one.
        sessions: makes the worker's session with the person's proxies and certificates.
        context: the worker's; cancelling it wakes whatever blocks here.
        user_agent: ``up42-qgis/<version>``, empty where the factory's sessions name theirs.
        policy: when repeatable calls are repeated.
        notice: told in a sentence before a wait.
    """

    def __init__(
        self,
        address: str,
        tokens: Optional[TokenProvider],
        sessions: SessionFactory,
        context: CallContext,
        *,
        user_agent: str = "",
        policy: Optional[RetryPolicy] = None,
        notice: Optional[Notice] = None,
    ) -> None:
        self._exchange = Exchange(address, sessions, context, user_agent)
        self._tokens = tokens
        self._context = context
        self._policy = policy or RetryPolicy()
        self._notice = notice

    def __repr__(self) -> str:
        return f"Transport({self._exchange!r})"

    def __enter__(self) -> Transport:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    @property
    def context(self) -> CallContext:
        """The worker's context."""
        return self._context

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the current token, empty when there is none."""
        return {} if self._tokens is None else self._tokens.claims

    def close(self) -> None:
        """Release the connections."""
        self._exchange.close()

    # -- calls that may be repeated

    def json(self, call: Call) -> Any:
        """Send a call that may be repeated; gives the parsed JSON of its answer."""
        return self.request(call).json()

    def request(self, call: Call) -> Answer:
        """Send a call that may be repeated; gives a 2xx answer.

        Raises:
            Cancelled: the person cancelled.
            ServiceError, AnswerError, NetworkError: what the last attempt ended with.
        """
        rounds = Rounds(self._policy)
        renewed = False
        while True:
            self._context.check()
            token = self._token(call)
            outcome = self._exchange.follow(call, token)
            rounds.count()
            if isinstance(outcome, Answer):
                # a DELETE whose first answer was lost finds nothing left to delete
                gone = call.method == "DELETE" and rounds.number > 1 and outcome.status == NOT_FOUND
                if outcome.ok or gone or outcome.status in call.accepts:
                    return outcome
                if outcome.status == UNAUTHORIZED and token is not None and not renewed:
                    self._invalidate(token)
                    renewed = True
                    continue
            self.wait_or_raise(rounds, outcome, call.subject)

    def wait_or_raise(self, rounds: Rounds, outcome: Outcome, subject: str = "") -> None:
        """Wait before the next attempt, or raise what this one ended with when there is to be none."""
        wait = rounds.wait(outcome)
        if wait is None:
            raise self._error(outcome, subject) if isinstance(outcome, Answer) else outcome.error(NetworkError)
        self.tell(_waiting(outcome, wait))
        self._context.sleep(wait)

    def tell(self, text: str) -> None:
        """Tell the person of a wait, or of something done anew."""
        if self._notice is not None:
            self._notice(text)

    def rounds(self) -> Rounds:
        """Attempts of a call that repeats itself by this transport's policy."""
        return Rounds(self._policy)

    # -- calls that are sent once

    def send_once(self, call: Call, read: Callable[[Any], T], unknown: str = UNKNOWN_OUTCOME) -> T:
        """Send a call that creates or starts something, once, and read its answer.

        Only a 401 that the service explains is followed by a second sending, with a new token: nothing was done then.
        ``unknown`` is what a person is told when it is not known how the call ended.

        Raises:
            NotSentError: no byte of the request left (name, connection, proxy or TLS failure, or no token).
            ServiceError: refused in the service's own words: 4xx with a readable error, or the sign-in failed.
            OutcomeUnknownError: anything else, a cancellation after the first byte included. Look it up.
            Cancelled: cancelled before the first byte left.
        """
        answer = self._shoot(call, unknown)
        if call.signed_in and answer.status == UNAUTHORIZED and read_problem(answer.body).readable:
            answer = self._shoot(call, unknown)
        try:
            return self._settle(call, answer, read)
        except AnswerError as error:
            detail = error.detail
        raise OutcomeUnknownError(unknown, detail)

    def _shoot(self, call: Call, unknown: str) -> Answer:
        token = self._token_or_not_sent(call)
        self._context.check()
        self._exchange.fresh()
        try:
            outcome = self._exchange.send(call, token)
        except Cancelled:
            if not self._exchange.left:
                raise
            outcome = Failure(unknown, f"{self._exchange.where(call)}: cancelled while under way")
        except Up42Error:
            raise
        except Exception as error:  # nothing may leave here without saying whether the request left
            outcome = Failure(unknown, f"{self._exchange.where(call)}: {type(error).__name__}")
        if isinstance(outcome, Failure):
            if self._exchange.left:
                raise OutcomeUnknownError(unknown, outcome.detail)
            raise outcome.error(NotSentError)
        if outcome.status == PROXY_WANTS_SIGN_IN:  # said by the proxy, which then passes nothing on
            raise NotSentError(Proxy().wants_password, f"{outcome.where}: {outcome.status}")
        if outcome.status == UNAUTHORIZED and token is not None:
            self._invalidate(token)
        return outcome

    def _token_or_not_sent(self, call: Call) -> Optional[str]:
        try:
            return self._token(call)
        except (AuthError, Cancelled):
            raise
        except Up42Error as error:
            failure = Failure(error.user_message, f"no token: {error.detail}")
        raise failure.error(NotSentError)

    def _settle(self, call: Call, answer: Answer, read: Callable[[Any], T]) -> T:
        """What the answer says was done; raises ``AnswerError`` when that cannot be known from it."""
        if not answer.ok:
            refusal = self._error(answer, call.subject)
            client_error = isinstance(refusal, ServiceError) and answer.status < SERVER_ERROR
            if client_error and answer.status != TIMED_OUT and read_problem(answer.body).readable:
                raise refusal
            raise AnswerError(UNREADABLE, refusal.detail)
        try:
            return read(answer.json())
        except AnswerError:
            raise
        except Exception as error:  # whatever is wrong with its description, there may be something to look up
            detail = f"{answer.where}: {type(error).__name__}"
        raise AnswerError(UNREADABLE, detail)

    # -- downloads

    def open(self, url: str, headers: Mapping[str, str], where: str) -> Union[requests.Response, Failure]:
        """GET an address outside the service without a token, once; its body is left to be read."""
        self._context.check()
        return self._exchange.open(url, headers, where)

    def interrupt(self) -> None:
        """Cut the open connections, from any thread: a blocked read of a download fails."""
        self._exchange.interrupt()

    # -- tokens and errors

    def _token(self, call: Call) -> Optional[str]:
        if self._tokens is None or not call.signed_in:
            return None
        return self._tokens.token(self._ask_for_token, self._context)

    def _ask_for_token(self, request: TokenRequest) -> Any:
        return self.json(Call("POST", request.url, form=request.form, basic=request.basic, signed_in=False))

    def _invalidate(self, token: str) -> None:
        if self._tokens is not None:
            self._tokens.invalidate(token)

    def _error(self, answer: Answer, subject: str) -> Up42Error:
        if answer.redirect:
            target = origin(urljoin(self._exchange.url(""), answer.headers.get("Location", "")))
            message = f"The service's address points elsewhere, to {target}. Check the address of the connection."
            return AnswerError(message, f"{answer.where}: {answer.status} to {target}")
        secrets = [] if self._tokens is None else self._tokens.secrets
        return refusal_of(answer, subject).error(lambda text: redact(text, secrets))


class Rounds:
    """The attempts of one call: how many, since when, and whether there is to be another."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._started = time.monotonic()
        self.number = 0

    def count(self) -> None:
        """One more attempt was made."""
        self.number += 1

    def wait(self, outcome: Outcome) -> Optional[float]:
        """Seconds until the next attempt after this outcome, None when another would not help or is not allowed."""
        asked = None
        if isinstance(outcome, Answer):
            if outcome.status not in (TIMED_OUT, TOO_MANY) and outcome.status < SERVER_ERROR:
                return None
            refusal = refusal_of(outcome, "")
            if refusal.too_many_jobs:
                return None
            asked = refusal.wait
        elif not outcome.passing:
            return None
        return self._policy.wait(self.number, time.monotonic() - self._started, asked)


def refusal_of(answer: Answer, subject: str) -> Refusal:
    """What is known of an answer that says no."""
    wait = retry_after(answer.headers, datetime.now(timezone.utc))
    return Refusal(answer.status, read_problem(answer.body), answer.where, subject, wait)


def slow_down(wait: float) -> str:
    """What a person is told while the service wants fewer requests; ``wait`` in seconds."""
    return f"Too many requests; trying again in {max(1, math.ceil(wait))}\u00a0s."


def _waiting(outcome: Outcome, wait: float) -> str:
    if isinstance(outcome, Answer) and outcome.status == TOO_MANY:
        return slow_down(wait)
    return f"{NO_GOOD_ANSWER}; trying again in {max(1, math.ceil(wait))}\u00a0s."
