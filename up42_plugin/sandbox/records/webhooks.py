"""Webhooks of a workspace."""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from typing import List, Optional, Tuple

from up42_plugin.sandbox.clock import stamp
from up42_plugin.sandbox.store import Store, insert


@dataclass(frozen=True)
class WebhookForm:
    """The members a caller sets. ``signing_key`` is the member ``secret`` of the service's replies."""

    name: str
    url: str
    events: Tuple[str, ...]
    active: bool
    signing_key: Optional[str]


@dataclass(frozen=True)
class Webhook:
    """An address that is told of events."""

    id: str
    workspace_id: str
    form: WebhookForm
    created_at: str
    updated_at: str


class Webhooks:
    """Webhooks in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, workspace_id: str, form: WebhookForm) -> Webhook:
        """A new webhook."""
        moment = stamp()
        webhook = Webhook(str(uuid.uuid4()), workspace_id, form, moment, moment)
        with self._store.transaction() as db:
            insert(
                db,
                "webhooks",
                {
                    "id": webhook.id,
                    "workspace_id": workspace_id,
                    "url": form.url,
                    "name": form.name,
                    "events": json.dumps(form.events),
                    "active": form.active,
                    "signing_key": form.signing_key,
                    "created_at": moment,
                    "updated_at": moment,
                },
            )
        return webhook

    def list(self, workspace_id: str) -> List[Webhook]:
        """The webhooks of a workspace, oldest first."""
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM webhooks WHERE workspace_id = ? ORDER BY seq", (workspace_id,)).fetchall()
        return [_webhook(row) for row in rows]

    def get(self, workspace_id: str, webhook_id: str) -> Optional[Webhook]:
        """One webhook of a workspace."""
        return next((hook for hook in self.list(workspace_id) if hook.id == webhook_id), None)

    def update(self, webhook_id: str, form: WebhookForm) -> None:
        """Change a webhook."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE webhooks SET url = ?, name = ?, events = ?, active = ?, signing_key = ?, updated_at = ?"
                " WHERE id = ?",
                (form.url, form.name, json.dumps(form.events), form.active, form.signing_key, stamp(), webhook_id),
            )

    def delete(self, webhook_id: str) -> None:
        """Take a webhook away."""
        with self._store.transaction() as db:
            db.execute("DELETE FROM webhooks WHERE id = ?", (webhook_id,))


def _webhook(row: sqlite3.Row) -> Webhook:
    form = WebhookForm(
        row["name"], row["url"], tuple(json.loads(row["events"])), bool(row["active"]), row["signing_key"]
    )
    return Webhook(row["id"], row["workspace_id"], form, row["created_at"], row["updated_at"])
