"""Webhooks as the interface sees them: without their secrets, with what is wrong with a form, and how a test ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Mapping, Optional, Tuple
from urllib.parse import urlsplit

from up42_plugin.api.errors import AnswerError
from up42_plugin.api.fields import Record
from up42_plugin.core.addresses import is_loopback
from up42_plugin.core.service import Webhook

LONGEST_NAME = 100  # characters
LONGEST_SECRET = 500  # characters; the service keeps no more
_GREATEST_PORT = 65535
_GOOD = range(200, 300)

_NO_ADDRESS = "Give the address that is to be told."
_BEGINNING = "The address must begin with https:// and name a host, as in https://hooks.example.org/up42."
_PORT = f"The port in the address must be a number from 1 to {_GREATEST_PORT}."
_USER = "The address must not hold a user name or password: everybody in the workspace can read it."
_FRAGMENT = "Leave out the # and what follows it: a receiver never gets to see that."
_PLAIN = "Only https:// is possible; http:// is for receivers on this computer (localhost)."
_BLANK = "The address must not hold blanks."


@dataclass(frozen=True)
class ListedWebhook:
    """A webhook of the workspace. ``signed`` tells that it has a secret; the secret itself never comes here."""

    id: str
    name: str
    url: str
    events: Tuple[str, ...]
    active: bool
    signed: bool

    @classmethod
    def of(cls, webhook: Webhook) -> ListedWebhook:
        """What may be shown of a webhook."""
        return cls(webhook.id, webhook.name, webhook.url, webhook.events, webhook.active, bool(webhook.secret))

    @property
    def shown_url(self) -> str:
        """The address for lists: without its query, which often opens the door of the receiver."""
        start, query, _ = self.url.partition("?")
        return f"{start}?…" if query else start


@dataclass(frozen=True)
class WebhookEvent:
    """Something that a webhook can be told of; ``name`` is the service's."""

    name: str
    title: str = ""
    description: str = ""

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> WebhookEvent:
        """Read from what the service lists."""
        record = Record(dict(members), "event")
        return cls(record.text_or("name"), record.text_or("title"), record.text_or("description"))

    @property
    def label(self) -> str:
        """What it is called in the interface."""
        return self.title or self.name


class SecretChange(Enum):
    """What becomes of the secret that a webhook has."""

    KEEP = "keep"
    SET = "set"
    REMOVE = "remove"


@dataclass(frozen=True)
class WebhookDraft:
    """What was typed. An empty ``id`` makes a new webhook. Printing it shows no secret."""

    name: str
    url: str
    events: Tuple[str, ...]
    active: bool
    id: str = ""
    change: SecretChange = SecretChange.KEEP
    secret: str = field(default="", repr=False)

    def webhook(self, present: Optional[str] = None) -> Webhook:
        """What is sent; ``present`` is the secret that the service has now."""
        secrets = {SecretChange.KEEP: present, SecretChange.SET: self.secret, SecretChange.REMOVE: None}
        return Webhook(self.name, self.url, self.events, self.active, secrets[self.change], self.id)

    def describes(self, webhook: Webhook) -> bool:
        """Whether a webhook of the service may be the one that was to be made of this."""
        told = (webhook.name, webhook.url, frozenset(webhook.events), webhook.active)
        return told == (self.name, self.url, frozenset(self.events), self.active)


def address_problem(text: str) -> str:
    """What is wrong with an address to be told, in a sentence for the person; empty when it can be one."""
    text = text.strip()
    if not text:
        return _NO_ADDRESS
    if any(character.isspace() for character in text):
        return _BLANK
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return _BEGINNING
    if parts.scheme not in ("http", "https") or not host:
        return _BEGINNING
    return _doubts(text, host)


def _doubts(text: str, host: str) -> str:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        return _PORT
    if parts.username is not None or parts.password is not None:
        return _USER
    if "#" in text:
        return _FRAGMENT
    return _PLAIN if parts.scheme == "http" and not is_loopback(host) else ""


@dataclass(frozen=True)
class Delivery:
    """One notification of a test: what the receiver answered, or why it has none. ``status`` is HTTP's, 0 unknown."""

    event: str
    good: bool
    moment: Optional[datetime] = None
    status: int = 0
    reason: str = ""

    @classmethod
    def read(cls, record: Record) -> Delivery:
        status = _status(record.raw("response"))
        good = record.flag("success")
        return cls(
            record.text_or("eventName"),
            status in _GOOD if good is None else good,
            record.time_or_none("startedAt"),
            status,
            record.text_or("message").strip(),
        )


@dataclass(frozen=True)
class DeliveryReport:
    """How a test ended: ``good`` of ``sent`` notifications were taken. Not every service tells of each of them."""

    sent: int
    good: int
    started: Optional[datetime] = None
    deliveries: Tuple[Delivery, ...] = ()

    @classmethod
    def of(cls, members: Mapping[str, Any]) -> DeliveryReport:
        """Read from what the service reports; raises ``AnswerError`` without the numbers."""
        record = Record(dict(members), "data")
        deliveries: Tuple[Delivery, ...] = ()
        try:
            deliveries = record.records("tests", Delivery.read)
        except AnswerError:
            deliveries = ()  # only the numbers are always told
        return cls(
            record.integer("testsRun"),
            record.integer("testsSucceeded"),
            record.time_or_none("startedAt"),
            deliveries,
        )

    @property
    def whole(self) -> bool:
        """Whether everything that was sent was taken, and something was."""
        return 0 < self.sent == self.good


def _status(response: Any) -> int:
    """The status in a receiver's answer, under any of the names it may have."""
    if isinstance(response, dict):
        response = next((response[name] for name in ("status", "statusCode", "code") if name in response), None)
    if isinstance(response, str) and response[:3].isdigit():
        response = int(response[:3])
    return response if isinstance(response, int) and not isinstance(response, bool) else 0
