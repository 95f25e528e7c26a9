"""From method and path to the function that answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Dict, Iterable, List, Mapping, Pattern, Tuple

from up42_plugin.sandbox.messages import ApiError, Request, Response

Handler = Callable[[Request], Response]


@dataclass(frozen=True)
class Route:
    """``path`` is a pattern like ``/projects/{project}/jobs``; ``token`` says whether it needs a bearer token."""

    method: str
    path: str
    handler: Handler
    token: bool = True


class Router:
    """Finds the route of a request. Fixed parts win over named ones, in the order the routes were given."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._table: List[Tuple[Pattern[str], Dict[str, Route]]] = []
        by_path: Dict[str, Dict[str, Route]] = {}
        for route in routes:
            methods = by_path.setdefault(route.path, {})
            if not methods:
                self._table.append((_pattern(route.path), methods))
            if route.method in methods:
                raise ValueError(f"two routes for {route.method} {route.path}")
            methods[route.method] = route

    def find(self, method: str, path: str) -> Tuple[Route, Mapping[str, str]]:
        """The route and the named parts of the path; raises 404 or 405. HEAD is answered by GET."""
        wanted = "GET" if method == "HEAD" else method
        allowed: List[str] = []
        for pattern, methods in self._table:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            if wanted in methods:
                return methods[wanted], match.groupdict()
            allowed.extend(methods)
        if allowed:
            raise ApiError(405, f"Request method '{method}' not supported")
        raise ApiError(404, f"No endpoint {method} {path}", "RESOURCE_NOT_FOUND")


def _pattern(path: str) -> Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    fixed = [re.escape(part) if index % 2 == 0 else f"(?P<{part}>[^/]+)" for index, part in enumerate(parts)]
    return re.compile("".join(fixed))
