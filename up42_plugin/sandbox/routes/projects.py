"""The project and its settings."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from up42_plugin.sandbox.messages import ApiError, Request, Response, wrapped
from up42_plugin.sandbox.records.accounts import RANGES
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import Access
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.views import project_view, setting_view

_INVALID = "VALIDATION_ERROR"


class Projects:
    """Answers questions about the project."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    def get(self, request: Request) -> Response:
        """``GET /projects/{project}``."""
        project = self._access.project(request)
        account = self._access.account(request)
        return wrapped(project_view(project, account.workspace_id, account.user_id))

    def settings(self, request: Request) -> Response:
        """``GET …/settings``."""
        return self._settings(self._access.project(request).id)

    def put_settings(self, request: Request) -> Response:
        """``PUT …/settings`` with a list of ``{name, value}``."""
        project = self._access.project(request)
        body = request.json()
        if not isinstance(body, list) or not all(isinstance(entry, dict) for entry in body):
            raise ApiError(400, "A list of settings is expected", _INVALID)
        entries = [(f"list[{n}]", str(entry.get("name")), entry.get("value")) for n, entry in enumerate(body)]
        self._services.accounts.set_limits(project.id, _checked(entries))
        return self._settings(project.id)

    def post_settings(self, request: Request) -> Response:
        """``POST …/settings`` with ``{"settings": {name: value}}``."""
        project = self._access.project(request)
        values = request.json_object().get("settings")
        if not isinstance(values, dict):
            raise ApiError(400, 'Field "settings" must not be null', _INVALID)
        entries = [(f"settings[{name}]", name, value) for name, value in values.items()]
        self._services.accounts.set_limits(project.id, _checked(entries))
        return self._settings(project.id, 201)

    def _settings(self, project_id: str, status: int = 200) -> Response:
        return wrapped([setting_view(setting) for setting in self._services.accounts.settings(project_id)], status)


def _checked(entries: List[Tuple[str, str, Any]]) -> Dict[str, int]:
    values = {}
    for place, name, value in entries:
        if name not in RANGES:
            raise ApiError(400, f'Field "{place}.name" must be one of {", ".join(RANGES)}, got {name}', _INVALID)
        low, high = RANGES[name]
        try:
            number = int(str(value))
        except ValueError:
            raise ApiError(400, f'Field "{place}.value" must be a number, got {value}', _INVALID) from None
        if not low <= number <= high:
            raise ApiError(400, f'Field "{place}.value" must be in range Range[{low},{high}], got {number}', _INVALID)
        values[name] = number
    return values


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    projects = Projects(services)
    return [
        Route("GET", "/projects/{project}", projects.get),
        Route("GET", "/projects/{project}/settings", projects.settings),
        Route("PUT", "/projects/{project}/settings", projects.put_settings),
        Route("POST", "/projects/{project}/settings", projects.post_settings),
    ]
