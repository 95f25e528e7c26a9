"""Requests, answers and errors as the routes see them, in the service's envelope."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

JSON = "application/json"


class ApiError(Exception):
    """An answer that says no: HTTP ``status`` and the members of the envelope's ``error``."""

    def __init__(
        self,
        status: int,
        message: str,
        code: Any = None,
        details: Any = None,
        extra: Optional[Mapping[str, Any]] = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error: Dict[str, Any] = {"code": status if code is None else code, "message": message}
        if extra is None:
            self.error["details"] = details
        else:
            self.error.update(extra)

    def response(self) -> Response:
        """The answer in the envelope."""
        return Response(self.status, encode({"data": None, "error": self.error}))


@dataclass(frozen=True)
class Principal:
    """Who asks: a project key (``API_KEY``, bound to one project) or a person (``USER``, the whole account)."""

    kind: str
    account_id: str
    user_id: str
    project_id: Optional[str] = None

    @property
    def auditor(self) -> Dict[str, str]:
        """The value of ``createdBy`` and ``updatedBy``."""
        return {"id": self.project_id or self.user_id, "type": self.kind}


@dataclass(frozen=True)
class Request:
    """One request. ``path`` is decoded and has no trailing slash, ``parameters`` are the named parts of the path."""

    method: str
    path: str
    query: Mapping[str, List[str]]
    headers: Mapping[str, str]
    body: bytes
    parameters: Mapping[str, str] = field(default_factory=dict)
    principal: Optional[Principal] = None
    expire_urls: bool = False

    def argument(self, name: str) -> Optional[str]:
        """The last value of a query argument, None when absent."""
        values = self.query.get(name)
        return values[-1] if values else None

    @property
    def caller(self) -> Principal:
        """Who asks, on routes that need a token."""
        if self.principal is None:
            raise ApiError(401, "Full authentication is required to access this resource", "UNAUTHORIZED")
        return self.principal

    def json(self) -> Any:
        """The JSON body. Raises 415 for another media type, 400 for a missing or broken body."""
        content_type = self.headers.get("content-type") or ""
        if self.body and content_type.split(";")[0].strip().lower() != JSON:
            raise ApiError(415, f"Content type '{content_type}' not supported")
        if not self.body:
            raise ApiError(400, "Required request body is missing: ...")
        try:
            return json.loads(self.body.decode("utf-8"), parse_constant=_refuse_constant)
        except RecursionError:
            raise ApiError(400, "JSON parse error: too deeply nested") from None
        except ValueError as error:
            raise ApiError(400, f"JSON parse error: {error}") from error

    def json_object(self) -> Dict[str, Any]:
        """The body as a JSON object, or 400."""
        body = self.json()
        if not isinstance(body, dict):
            raise ApiError(400, "JSON parse error: an object is expected")
        return body


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


@dataclass(frozen=True)
class Response:
    """One answer: ``body``, or ``length`` bytes of ``file`` from ``offset``."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Optional[Path] = None
    offset: int = 0
    length: int = 0

    @property
    def content_length(self) -> int:
        """Bytes of the body."""
        return self.length if self.file is not None else len(self.body)


def encode(value: Any) -> bytes:
    """UTF-8 JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def wrapped(value: Any, status: int = 200) -> Response:
    """An answer in the envelope ``{"data": …, "error": null}``."""
    return Response(status, encode({"data": value, "error": None}))


def bare(value: Any) -> Response:
    """JSON without the envelope."""
    return Response(200, encode(value))


def no_content() -> Response:
    """204, empty."""
    return Response(204)
