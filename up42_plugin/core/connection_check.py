"""Test Connection: six steps on the way to a project, stopping at the first that fails.

Everything is asked once, without repeating: whoever tests a connection wants to know what is wrong now.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Callable, List, Optional, Tuple
from urllib.parse import urljoin, urlsplit

from up42_plugin.api.calls import Answer, Call
from up42_plugin.api.errors import AnswerError, AuthError, Cancelled, NotFoundError, Up42Error
from up42_plugin.api.exchange import Exchange, Outcome, SessionFactory
from up42_plugin.api.failures import Failure, Obstacle, Proxy
from up42_plugin.api.redaction import origin
from up42_plugin.api.refusals import PROXY_WANTS_SIGN_IN, SERVER_ERROR
from up42_plugin.api.retrying import RetryPolicy
from up42_plugin.api.tokens import TokenProvider, TokenRequest
from up42_plugin.api.transport import Transport
from up42_plugin.core.connections import AccountLogin, Credentials, grant_of
from up42_plugin.core.context import JobContext
from up42_plugin.core.dialects.classic import ClassicProvider

#: The service refuses to sign in clocks that are further off than this.
CLOCK_TOLERANCE_S = 300.0
_MINUTE = 60.0
_NBSP = "\u00a0"
_ONCE = RetryPolicy(tries=1)
# Needs no token, so the address can be looked at before anybody signs in
_PROBE = Call("GET", "/marketplace/blocks", signed_in=False)

NOT_CHECKED = "Not checked"


class StepName(str, Enum):
    """The six steps, in their order."""

    ADDRESS = "Address"
    PROXY = "Proxy"
    CERTIFICATE = "Certificate"
    CLOCK = "Clock"
    SIGN_IN = "Sign-in"
    PROJECT = "Project"


class StepState(str, Enum):
    """How a step stands."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    NOT_CHECKED = "NOT_CHECKED"


@dataclass(frozen=True)
class CheckStep:
    """One step: what was found, or what is wrong and what to do."""

    name: StepName
    state: StepState
    text: str


@dataclass(frozen=True)
class Subject:
    """What is tested. ``proxy`` is host and port of the proxy for this address, empty for none.

    ``proxy_signed_in`` when QGIS has a user for it.
    """

    address: str
    credentials: Credentials
    proxy: str = ""
    proxy_signed_in: bool = False

    @property
    def host(self) -> str:
        """The service's host name."""
        return urlsplit(self.address).hostname or ""


Tell = Callable[[CheckStep], None]
Clock = Callable[[], datetime]


def not_checked(name: StepName) -> CheckStep:
    """A step that was not reached."""
    return CheckStep(name, StepState.NOT_CHECKED, NOT_CHECKED)


def check_connection(
    subject: Subject,
    sessions: SessionFactory,
    context: JobContext,
    tell: Tell,
    *,
    clock: Clock = lambda: datetime.now(timezone.utc),
) -> Tuple[CheckStep, ...]:
    """Walk the six steps; ``tell`` is called in the worker's thread as each ends. Raises ``Cancelled`` only."""
    steps: List[CheckStep] = []

    def ended(step: CheckStep) -> bool:
        steps.append(step)
        tell(step)
        return step.state is StepState.PASSED

    way = _way_to(subject, sessions, context, clock)
    going = all(ended(step) for step in way)
    if going:
        tokens = TokenProvider(grant_of(subject.credentials))
        going = ended(_sign_in(subject, tokens, sessions, context))
        going = going and ended(_project(subject, tokens, sessions, context))
    for name in list(StepName)[len(steps) :]:
        ended(not_checked(name))
    return tuple(steps)


def _way_to(subject: Subject, sessions: SessionFactory, context: JobContext, clock: Clock) -> Tuple[CheckStep, ...]:
    """The first four steps, all told by one request; nothing behind the first that failed."""
    started = time.monotonic()
    try:
        exchange = Exchange(subject.address, sessions, context, "")
    except AnswerError as error:
        return (_failed(StepName.ADDRESS, error.user_message),)
    try:
        outcome = exchange.send(_PROBE, None)
    finally:
        exchange.close()
    seconds = time.monotonic() - started
    trouble = _obstacle(outcome, subject)
    steps = [
        _passed(StepName.ADDRESS, _address_text(subject, seconds, trouble)),
        _passed(StepName.PROXY, f"QGIS proxy, {subject.proxy}" if subject.proxy else "None, as set in QGIS"),
        _passed(StepName.CERTIFICATE, _certificate_text(subject)),
    ]
    if trouble is not None:
        behind = next(number for number, step in enumerate(steps) if step.name is trouble.name)
        return (*steps[:behind], trouble)
    return (*steps, _clock_step(outcome, clock()))


def _obstacle(outcome: Outcome, subject: Subject) -> Optional[CheckStep]:
    """The step at which the request ended before UP42 answered it, None when it did."""
    if isinstance(outcome, Failure):
        return _failure_step(outcome)
    if outcome.status == PROXY_WANTS_SIGN_IN:
        return _proxy_wants_password(subject)
    text = ""
    if outcome.redirect:
        target = origin(urljoin(subject.address, outcome.headers.get("Location", "")))
        text = f"{subject.host} points elsewhere, to {target}. Check the address."
    elif outcome.status >= SERVER_ERROR:
        text = f"{subject.host} has a problem ({outcome.status}). Try again later."
    elif not _speaks_json(outcome):
        text = _stranger(subject)
    return _failed(StepName.ADDRESS, text) if text else None


def _failure_step(failure: Failure) -> CheckStep:
    name = {
        Obstacle.ADDRESS: StepName.ADDRESS,
        Obstacle.PROXY: StepName.PROXY,
        Obstacle.CERTIFICATE: StepName.CERTIFICATE,
    }[failure.obstacle]
    return _failed(name, failure.user_message)


def _proxy_wants_password(subject: Subject) -> CheckStep:
    host = subject.proxy.rpartition(":")[0] or subject.proxy
    return _failed(StepName.PROXY, Proxy(host, subject.proxy_signed_in).wants_password)


def _speaks_json(answer: Answer) -> bool:
    """Every answer of the service is a JSON object, its refusals too; a portal's or a web site's is not."""
    try:
        return isinstance(json.loads(answer.body), dict)
    except ValueError:
        return False


def _stranger(subject: Subject) -> str:
    return f"What answers at {subject.host} is not UP42. Check the address of the connection."


def _address_text(subject: Subject, seconds: float, trouble: Optional[CheckStep]) -> str:
    if trouble is None:
        return f"{subject.host} answers in {max(1, round(seconds * 1000))}{_NBSP}ms"
    return f"{subject.host}, through a proxy" if subject.proxy else f"{subject.host} is there"


def _certificate_text(subject: Subject) -> str:
    secure = urlsplit(subject.address).scheme == "https"
    return "Trusted by QGIS" if secure else "None: the address begins with http://"


def _clock_step(outcome: Outcome, now: datetime) -> CheckStep:
    date = outcome.headers.get("Date", "") if isinstance(outcome, Answer) else ""
    try:
        theirs = parsedate_to_datetime(date)
    except (TypeError, ValueError, IndexError):
        return _passed(StepName.CLOCK, "The service does not tell its time")
    if theirs.tzinfo is None:  # "-0000": no zone told, and HTTP knows no other than GMT
        theirs = theirs.replace(tzinfo=timezone.utc)
    off = abs((now - theirs).total_seconds())
    if off > CLOCK_TOLERANCE_S:
        amount = _span(off)
        text = f"Your clock is {amount} off; signing in fails above 5{_NBSP}min. Set the clock."
        return _failed(StepName.CLOCK, text)
    return _passed(StepName.CLOCK, f"{_span(off)} off, fine")


def _span(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{round(seconds)}{_NBSP}s"
    minutes = round(seconds / _MINUTE)
    return f"{minutes}{_NBSP}min" if minutes < 120 else f"{round(minutes / 60)}{_NBSP}h"  # noqa: PLR2004 - two hours


def _sign_in(subject: Subject, tokens: TokenProvider, sessions: SessionFactory, context: JobContext) -> CheckStep:
    account = isinstance(subject.credentials, AccountLogin)
    try:
        with Transport(subject.address, None, sessions, context, policy=_ONCE) as transport:

            def exchange(request: TokenRequest) -> object:
                return transport.json(
                    Call("POST", request.url, form=request.form, basic=request.basic, signed_in=False)
                )

            tokens.token(exchange, context)
    except Cancelled:
        raise
    except AuthError as error:
        return _failed(StepName.SIGN_IN, error.user_message)
    except (NotFoundError, AnswerError):
        return _failed(StepName.SIGN_IN, _stranger(subject))
    except Up42Error as error:
        return _failed(StepName.SIGN_IN, error.user_message)
    return _passed(StepName.SIGN_IN, "E-mail and password accepted" if account else "Project ID and key accepted")


def _project(subject: Subject, tokens: TokenProvider, sessions: SessionFactory, context: JobContext) -> CheckStep:
    project_id = subject.credentials.project_id
    provider = ClassicProvider("", subject.address, project_id, tokens, sessions, policy=_ONCE)
    try:
        with provider.open(context) as service:
            name, balance = service.project().name, service.balance()
    except Cancelled:
        raise
    except Up42Error as error:
        return _failed(StepName.PROJECT, error.user_message)
    return _passed(StepName.PROJECT, f"{name}, {balance.credits:,}{_NBSP}credits")


def _passed(name: StepName, text: str) -> CheckStep:
    return CheckStep(name, StepState.PASSED, text)


def _failed(name: StepName, text: str) -> CheckStep:
    return CheckStep(name, StepState.FAILED, text)
