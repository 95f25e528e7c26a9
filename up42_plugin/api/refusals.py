"""Answers that say no: every error shape of the service's contracts becomes one error of the tree."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, Callable, List, Mapping, Optional, Tuple, Type

from up42_plugin.api.errors import (
    AccessError,
    AuthError,
    NotFoundError,
    QuotaError,
    RateLimitedError,
    ServerError,
    ServiceError,
    TooManyJobsError,
    ValidationError,
)

BAD_REQUEST = 400
UNAUTHORIZED = 401
FORBIDDEN = 403
NOT_FOUND = 404
PROXY_WANTS_SIGN_IN = 407
TIMED_OUT = 408
TOO_MANY = 429
SERVER_ERROR = 500

_MESSAGE_MEMBERS = ("message", "error_description", "detail", "schema-error", "title")
_LONGEST = 600


@dataclass(frozen=True)
class Problem:
    """What the service said about its refusal: its code, and its words. ``members`` are the rest of what it told."""

    code: str = ""
    message: str = ""
    members: str = ""

    @property
    def readable(self) -> bool:
        """Whether the service said anything at all: a gateway's page or an empty body is no refusal of the service."""
        return bool(self.code or self.message)


def read_problem(body: bytes) -> Problem:
    """The problem in the body of an answer, of any of the shapes the contracts know; an empty one when there is none.

    Known are the envelope ``{"error": {code, message, details}}``, the same members bare, problem details
    (``title``, ``detail``, ``schema-error``, ``errors[]{name, message}``), sign-in errors
    (``error``, ``error_description``), and validation reports (``data.errors[]``).
    """
    try:
        value = json.loads(body)
    except ValueError:
        return Problem()
    if not isinstance(value, dict):
        return Problem()
    inner = value.get("error")
    if isinstance(inner, dict) and inner:
        return _problem_of(inner)
    if not inner and isinstance(value.get("data"), dict) and value["data"]:
        return _problem_of(value["data"])
    return _problem_of(value)


def _problem_of(value: Mapping[str, Any]) -> Problem:
    code = _word(value.get("code")) or _word(value.get("error")) or _word(value.get("status"))
    message = next((_word(value[name]) for name in _MESSAGE_MEMBERS if _word(value.get(name))), "")
    if message and isinstance(value.get("details"), str) and value["details"].strip():
        message = f"{message}: {value['details'].strip()}"
    listed = _listed(value.get("errors"))
    if listed:
        message = "; ".join(([message] if message else []) + listed)
    known = {"code", "status", "errors", "data", *_MESSAGE_MEMBERS}
    if isinstance(value.get("details"), str):
        known.add("details")
    rest = {name: member for name, member in value.items() if name not in known and member not in (None, {}, [])}
    details = json.dumps(rest, ensure_ascii=False)[:_LONGEST] if rest else ""
    return Problem(
        code if message or listed or "code" in value or "error" in value else "", message[:_LONGEST], details
    )


def _word(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return str(value).strip()


def _listed(value: Any) -> List[str]:
    if not isinstance(value, list):
        return []
    texts = []
    for entry in value:
        if isinstance(entry, dict):
            parts = [_word(entry.get(name)) for name in ("name", "message", "details")]
            texts.append(": ".join(part for part in parts if part))
        else:
            texts.append(_word(entry))
    return [text for text in texts if text]


def retry_after(headers: Mapping[str, str], now: datetime) -> Optional[float]:
    """Seconds to wait by the header ``Retry-After`` (seconds or HTTP date), None when absent or unreadable."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        seconds = (moment - now).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


@dataclass(frozen=True)
class Refusal:
    """An answer with status 4xx or 5xx and what is known of it. ``subject`` is what was asked for, in a word."""

    status: int
    problem: Problem
    where: str
    subject: str = ""
    wait: Optional[float] = None

    @property
    def too_many_jobs(self) -> bool:
        """Whether a 429 means the project's unfinished jobs rather than the rate of requests."""
        text = self.problem.message.lower()
        return self.status == TOO_MANY and "job" in text and ("finished" in text or "concurrent" in text)

    def error(self, clean: Callable[[str], str]) -> ServiceError:
        """The error of the tree, with the sentence for the person and the detail for the log.

        ``clean`` takes secrets out of the service's own words.
        """
        said = clean(self.problem.message or self.problem.code)
        members = clean(self.problem.members)
        detail = " · ".join(part for part in (f"{self.where}: {self.status}", said, members) if part)
        code = clean(self.problem.code)
        if self.status == TOO_MANY and not self.too_many_jobs:
            return RateLimitedError(self._slow_down(), detail, self.status, code, self.wait)
        kind, text = self._kind(said)
        return kind(text, detail, self.status, code)

    def _kind(self, said: str) -> Tuple[Type[ServiceError], str]:
        simple: Mapping[int, Tuple[Type[ServiceError], str]] = {
            UNAUTHORIZED: (AuthError, "The service no longer accepts this sign-in. Check the connection's settings."),
            NOT_FOUND: (NotFoundError, f"This {self.subject or 'item'} no longer exists. Refresh."),
            TOO_MANY: (TooManyJobsError, "This project runs as many jobs as it may. Wait until one of them ends."),
        }
        if self.status in simple:
            return simple[self.status]
        if self.status == FORBIDDEN:
            if "credit" in said.lower():
                return QuotaError, "Not enough credits for this job."
            return AccessError, f"This sign-in may not do that{_quoted(said)}."
        if self.status >= SERVER_ERROR:
            return ServerError, f"UP42 has a problem ({self.status}). Nothing was charged. Try again."
        return ValidationError, f"The service does not accept this{_quoted(said) or f' ({self.status})'}."

    def _slow_down(self) -> str:
        if self.wait is None:
            return "Too many requests. Try again in a minute."
        return f"Too many requests. Try again in {math.ceil(self.wait)} s."


def _quoted(said: str) -> str:
    return f": {said.rstrip('.')}" if said else ""
