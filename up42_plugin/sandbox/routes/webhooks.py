"""Webhooks of the workspace."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping
from urllib.parse import urlsplit

from up42_plugin.sandbox.clock import stamp
from up42_plugin.sandbox.messages import ApiError, Request, Response, no_content, wrapped
from up42_plugin.sandbox.notifier import JOB_STATUS, ORDER_STATUS, attempt, is_loopback, job_event
from up42_plugin.sandbox.records.jobs import SUCCEEDED
from up42_plugin.sandbox.records.webhooks import Webhook, WebhookForm
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import NOT_FOUND, Access
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.views import webhook_view

_INVALID = "VALIDATION_ERROR"
_EVENTS = (
    {
        "name": JOB_STATUS,
        "title": "Job Status",
        "category": "job",
        "description": "Sent when the status of a job changes",
        "documentation": "https://docs.example.org/",
    },
    {
        "name": ORDER_STATUS,
        "title": "Order Status",
        "category": "order",
        "description": "Never sent by the sandbox, which has no orders",
        "documentation": "https://docs.example.org/",
    },
)


class WebhookRoutes:
    """Keeps webhooks."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    @staticmethod
    def events(_request: Request) -> Response:
        """``GET /webhooks/events``."""
        return wrapped(list(_EVENTS))

    def list(self, request: Request) -> Response:
        """``GET /workspaces/{workspace}/webhooks``."""
        workspace = self._access.workspace_id(request)
        return wrapped([webhook_view(webhook) for webhook in self._services.webhooks.list(workspace)])

    def create(self, request: Request) -> Response:
        """``POST /workspaces/{workspace}/webhooks``."""
        workspace = self._access.workspace_id(request)
        return wrapped(webhook_view(self._services.webhooks.add(workspace, _form(request))))

    def get(self, request: Request) -> Response:
        """``GET …/webhooks/{webhook}``."""
        return wrapped(webhook_view(self._webhook(request)))

    def update(self, request: Request) -> Response:
        """``PUT …/webhooks/{webhook}``."""
        self._services.webhooks.update(self._webhook(request).id, _form(request))
        return self.get(request)

    def delete(self, request: Request) -> Response:
        """``DELETE …/webhooks/{webhook}``."""
        self._services.webhooks.delete(self._webhook(request).id)
        return no_content()

    def test(self, request: Request) -> Response:
        """``POST …/webhooks/{webhook}/tests``: one delivery for each event, made up."""
        webhook, started = self._webhook(request), stamp()
        project = request.caller.project_id or ""
        tests = [
            _tested(webhook, {**job_event(SUCCEEDED, "", project, "", None), "event": event})
            for event in webhook.form.events
        ]
        good = sum(test["success"] for test in tests)
        counts = {"testsRun": len(tests), "testsSucceeded": good, "testsFailed": len(tests) - good}
        return wrapped({"startedAt": started, **counts, "tests": tests})

    def _webhook(self, request: Request) -> Webhook:
        workspace, webhook_id = self._access.workspace_id(request), request.parameters["webhook"]
        webhook = self._services.webhooks.get(workspace, webhook_id)
        if webhook is None:
            raise ApiError(404, f"Webhook not found with id {webhook_id}", NOT_FOUND)
        return webhook


def _tested(webhook: Webhook, event: Mapping[str, Any]) -> Dict[str, Any]:
    """One delivery, and what came of it."""
    started = stamp()
    sent = attempt(webhook, event)
    return {
        "startedAt": started,
        "eventName": event["event"],
        "success": sent.good,
        "message": sent.message,
        "request": {"headers": dict(sent.headers), "body": event},
        "response": None if sent.status is None else {"status": sent.status},
    }


def _form(request: Request) -> WebhookForm:
    """The members of a webhook; a plain http address is taken on this machine only."""
    body = request.json_object()
    name, url, events, key = body.get("name"), body.get("url"), body.get("events"), body.get("secret")
    if not isinstance(name, str) or not name.strip():
        raise ApiError(400, 'Field "name" must not be empty', _INVALID)
    if not isinstance(url, str) or not _is_good_address(url):
        raise ApiError(400, f'Field "url" must be an https address, got {url}', _INVALID)
    known = {event["name"] for event in _EVENTS}
    if not isinstance(events, list) or not events or not set(map(str, events)) <= known:
        raise ApiError(400, f'Field "events" must list some of {", ".join(sorted(known))}', _INVALID)
    if key is not None and not isinstance(key, str):
        raise ApiError(400, 'Field "secret" must be a string', _INVALID)
    return WebhookForm(name, url, tuple(events), bool(body.get("active", False)), key)


def _is_good_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        if not parts.hostname or (parts.port or 1) < 1:
            return False
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    area = WebhookRoutes(services)
    base = "/workspaces/{workspace}/webhooks"
    return [
        Route("GET", "/webhooks/events", area.events),
        Route("GET", base, area.list),
        Route("POST", base, area.create),
        Route("GET", base + "/{webhook}", area.get),
        Route("PUT", base + "/{webhook}", area.update),
        Route("DELETE", base + "/{webhook}", area.delete),
        Route("POST", base + "/{webhook}/tests", area.test),
    ]
