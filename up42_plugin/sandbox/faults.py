"""Faults on demand, for tests of clients: armed for some requests, used up as they come."""

from __future__ import annotations

import fnmatch
import threading
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Optional

from up42_plugin.sandbox.messages import JSON, ApiError, Response, encode

PATH = "/_sandbox/faults"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a request.

    ``status`` (with ``body``, a text or a JSON value, and ``headers``): answered so, and not carried out.
    ``delay_s``: the answer waits. ``hold_s``: the request waits before it is carried out.
    ``lose_answer``: carried out, then the connection is closed without an answer.
    ``cut_after_bytes``: the answer's body stops after so many bytes; 0 resets the connection before any answer.
    ``cut_request_after_bytes``: reset after so many bytes of the request's body, and not carried out.
    ``expire_urls``: signed addresses are given out expired, or taken for expired.
    ``times``: how many requests it concerns, None for all. ``skip``: how many fitting requests go free first.
    """

    method: str = "*"
    path_glob: str = "*"
    times: Optional[int] = 1
    skip: int = 0
    status: Optional[int] = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    hold_s: float = 0.0
    cut_after_bytes: Optional[int] = None
    cut_request_after_bytes: Optional[int] = None
    lose_answer: bool = False
    expire_urls: bool = False

    @classmethod
    def from_json(cls, value: Any) -> Fault:
        """Read an armed fault; raises 400 for unknown or wrong members."""
        match = value.get("match", {}) if isinstance(value, dict) else None
        if not isinstance(match, dict):
            raise ApiError(400, "a fault is an object, and so is its match")
        members = {name: part for name, part in value.items() if name != "match"}
        unknown = sorted((set(members) - _MEMBERS) | (set(match) - {"method", "path_glob"}))
        if unknown:
            raise ApiError(400, f"unknown members of a fault: {', '.join(unknown)}")
        try:
            return cls(**{name: _convert(name, part) for name, part in {**match, **members}.items()})
        except (AttributeError, OverflowError, TypeError, ValueError) as error:
            raise ApiError(400, f"a fault cannot be read: {error}") from error

    def fits(self, method: str, path: str) -> bool:
        """Whether it concerns this request; the path without query and trailing slash."""
        return self.method in ("*", method) and fnmatch.fnmatchcase(path, self.path_glob)

    def response(self) -> Optional[Response]:
        """The answer instead of the real one, if any."""
        if self.status is None:
            return None
        if isinstance(self.body, str):
            kind = "text/plain; charset=utf-8"
            content = self.body.encode("utf-8")
        else:
            kind, content = JSON, b"" if self.body is None else encode(self.body)
        headers = {name: text for name, text in self.headers.items() if name.lower() != "content-type"}
        kinds = [text for name, text in self.headers.items() if name.lower() == "content-type"]
        return Response(self.status, content, kinds[0] if kinds else kind, headers)


_MEMBERS = {
    "times",
    "skip",
    "status",
    "body",
    "headers",
    "delay_s",
    "hold_s",
    "cut_after_bytes",
    "cut_request_after_bytes",
    "lose_answer",
    "expire_urls",
}
_INTEGERS = ("times", "skip", "status", "cut_after_bytes", "cut_request_after_bytes")
_NULLABLE = ("times", "status", "cut_after_bytes", "cut_request_after_bytes")


def _convert(name: str, value: Any) -> Any:
    if value is None and name in _NULLABLE:
        return None
    if name in _INTEGERS:
        return int(value)
    if name in ("delay_s", "hold_s"):
        return float(value)
    if name in ("lose_answer", "expire_urls"):
        return bool(value)
    if name == "headers":
        return {str(key): str(text) for key, text in value.items()}
    return str(value) if name in ("method", "path_glob") else value


@dataclass
class _Armed:
    """A fault and how often it will still come."""

    fault: Fault
    skip: int
    times: Optional[int]


class Faults:
    """The armed faults, in order; the first that fits is taken."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: List[_Armed] = []

    def arm(self, fault: Fault) -> int:
        """Add a fault; returns how many are armed."""
        with self._lock:
            self._armed.append(_Armed(fault, fault.skip, fault.times))
            return len(self._armed)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._armed.clear()

    def take(self, method: str, path: str) -> Optional[Fault]:
        """The fault of this request, used up by one."""
        with self._lock:
            for entry in self._armed:
                if not entry.fault.fits(method, path):
                    continue
                if entry.skip > 0:
                    entry.skip -= 1
                    continue
                if entry.times is not None:
                    entry.times -= 1
                    if entry.times <= 0:
                        self._armed.remove(entry)
                return entry.fault
        return None

    def left(self) -> List[Dict[str, Any]]:
        """What is armed, and how often it will still happen."""
        with self._lock:
            return [
                {
                    "match": {"method": entry.fault.method, "path_glob": entry.fault.path_glob},
                    "skip": entry.skip,
                    "times": entry.times,
                }
                for entry in self._armed
            ]
