"""Answers requests: finds the route, checks the token, turns every error into the service's envelope."""

from __future__ import annotations

import logging
from dataclasses import replace

from up42_plugin.sandbox.messages import ApiError, Request, Response
from up42_plugin.sandbox.router import Router
from up42_plugin.sandbox.routes import (
    accounting,
    assets,
    blocks,
    faulting,
    identity,
    jobs,
    outputs,
    projects,
    stac,
    webhooks,
    workflows,
)
from up42_plugin.sandbox.services import Services

logger = logging.getLogger(__name__)

# Where the storage is a STAC API comes before the assets: "stac" is no asset's id.
_AREAS = (identity, projects, blocks, workflows, jobs, outputs, accounting, webhooks, stac, assets, faulting)


class Application:
    """The service behind the HTTP server."""

    def __init__(self, services: Services) -> None:
        self._tokens = services.tokens
        self._router = Router(route for area in _AREAS for route in area.routes(services))

    def answer(self, request: Request) -> Response:
        """The answer to a request, whatever happens."""
        try:
            route, parameters = self._router.find(request.method, request.path)
            principal = None
            if route.token:
                principal = self._tokens.check(request.headers.get("authorization") or "")
            return route.handler(replace(request, parameters=parameters, principal=principal))
        except ApiError as error:
            return error.response()
        except Exception:
            logger.exception("%s %s", request.method, request.path)
            return ApiError(500, "An unexpected error happened", "UNKNOWN_ERROR").response()
