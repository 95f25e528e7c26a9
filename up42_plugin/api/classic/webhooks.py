"""Webhooks of a workspace (section 11 of the service's contract)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Dict, Mapping, Optional, Tuple

from up42_plugin.api.calls import Call, path_of
from up42_plugin.api.classic.envelope import list_of, record_of
from up42_plugin.api.fields import Record
from up42_plugin.api.transport import Transport

MAYBE_MADE = "No answer. The webhook may have been made all the same: refresh before trying again."
MAYBE_TESTED = "No answer. The test may have been sent all the same."


@dataclass(frozen=True)
class WebhookInfo:
    """A notification to ``url``. ``id`` is empty for one that is to be made; ``secret`` signs the notifications."""

    name: str
    url: str
    events: Tuple[str, ...]
    active: bool = False
    secret: Optional[str] = field(default=None, repr=False)
    id: str = ""
    created: Optional[datetime] = None

    @classmethod
    def read(cls, record: Record) -> WebhookInfo:
        listed = record.raw("events")
        # the documentation shows the events once as one text with commas
        events = (
            tuple(part.strip() for part in listed.split(",")) if isinstance(listed, str) else record.texts("events")
        )
        return cls(
            name=record.text_or("name"),
            url=record.text("url"),
            events=events,
            active=bool(record.flag("active")),
            secret=record.text_or("secret") or None,
            id=record.text("id"),
            created=record.time_or_none("createdAt"),
        )

    def json(self) -> Dict[str, Any]:
        """The five members that requests carry, all of them always."""
        return {
            "name": self.name,
            "url": self.url,
            "events": list(self.events),
            "active": self.active,
            "secret": self.secret,
        }


@dataclass(frozen=True)
class EventInfo:
    """Something a webhook can be told of."""

    name: str
    title: str
    category: str
    description: str

    @classmethod
    def read(cls, record: Record) -> EventInfo:
        return cls(
            record.text("name"), record.text_or("title"), record.text_or("category"), record.text_or("description")
        )


class Webhooks:
    """Calls about webhooks; all but the events belong to a workspace."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def events(self) -> Tuple[EventInfo, ...]:
        return list_of(self._transport.json(Call("GET", "/webhooks/events")), EventInfo.read)

    def list(self, workspace_id: str) -> Tuple[WebhookInfo, ...]:
        call = Call("GET", path_of("workspaces", workspace_id, "webhooks"), subject="workspace")
        return list_of(self._transport.json(call), WebhookInfo.read)

    def get(self, workspace_id: str, webhook_id: str) -> WebhookInfo:
        call = Call("GET", path_of("workspaces", workspace_id, "webhooks", webhook_id), subject="webhook")
        return WebhookInfo.read(record_of(self._transport.json(call)))

    def create(self, workspace_id: str, webhook: WebhookInfo) -> WebhookInfo:
        """Make a webhook. Sent once: repeating it would make a second one."""
        path = path_of("workspaces", workspace_id, "webhooks")
        call = Call("POST", path, json=webhook.json(), subject="workspace")
        return self._transport.send_once(call, lambda answer: WebhookInfo.read(record_of(answer)), MAYBE_MADE)

    def update(self, workspace_id: str, webhook: WebhookInfo) -> WebhookInfo:
        path = path_of("workspaces", workspace_id, "webhooks", webhook.id)
        call = Call("PUT", path, json=webhook.json(), subject="webhook")
        return WebhookInfo.read(record_of(self._transport.json(call)))

    def delete(self, workspace_id: str, webhook_id: str) -> None:
        path = path_of("workspaces", workspace_id, "webhooks", webhook_id)
        self._transport.request(Call("DELETE", path, subject="webhook"))

    def test(self, workspace_id: str, webhook_id: str) -> Mapping[str, Any]:
        """Have the service send a test notification; gives its report. Sent once, as each sends another."""
        path = path_of("workspaces", workspace_id, "webhooks", webhook_id, "tests")
        call = Call("POST", path, json={}, subject="webhook")
        return self._transport.send_once(call, lambda answer: record_of(answer).members, MAYBE_TESTED)
