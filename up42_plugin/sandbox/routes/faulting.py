"""Arming faults; there only when the sandbox was started with ``--faults``."""

from __future__ import annotations

from typing import List

from up42_plugin.sandbox.faults import PATH, Fault, Faults
from up42_plugin.sandbox.messages import Request, Response, no_content, wrapped
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.services import Services


class FaultRoutes:
    """Arms, lists and clears faults."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def arm(self, request: Request) -> Response:
        """``POST /_sandbox/faults``: one fault, or a list of them."""
        body = request.json()
        for fault in [Fault.from_json(value) for value in (body if isinstance(body, list) else [body])]:
            self._faults.arm(fault)
        return wrapped(self._faults.left())

    def list(self, _request: Request) -> Response:
        """``GET /_sandbox/faults``: what is left."""
        return wrapped(self._faults.left())

    def clear(self, _request: Request) -> Response:
        """``DELETE /_sandbox/faults``."""
        self._faults.clear()
        return no_content()


def routes(services: Services) -> List[Route]:
    """The endpoints of this area: none without faults."""
    if services.faults is None:
        return []
    area = FaultRoutes(services.faults)
    return [
        Route("POST", PATH, area.arm, token=False),
        Route("GET", PATH, area.list, token=False),
        Route("DELETE", PATH, area.clear, token=False),
    ]
