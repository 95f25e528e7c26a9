"""Time ranges in job parameters: ``<RFC 3339>/<RFC 3339>``, with ``Z``, an offset or nothing (then UTC)."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Mapping, Optional, Tuple

_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)([Zz]|[+-]\d{2}:?\d{2})?")
Range = Tuple[datetime, datetime]


def parse_range(text: Any) -> Range:
    """Both ends in UTC; raises ``ValueError`` that says what is wrong."""
    if not isinstance(text, str) or text.count("/") != 1:
        raise ValueError("must be two times joined by /")
    start, end = (_moment(part) for part in text.split("/"))
    if start > end:
        raise ValueError("must not end before it begins")
    return start, end


def ranges_of(parameters: Mapping[str, Any]) -> Tuple[Range, ...]:
    """The ranges a task's parameters ask for: ``time_series`` replaces ``time``."""
    series = parameters.get("time_series")
    if series:
        return tuple(parse_range(text) for text in series)
    single = parameters.get("time")
    return () if single is None else (parse_range(single),)


def _moment(text: str) -> datetime:
    match = _MOMENT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no RFC 3339 time")
    body, offset = match.group(1).replace(" ", "T").replace("t", "T"), _offset(match.group(2))
    body = body.partition(".")[0] if len(body.partition(".")[2]) not in (0, 3, 6) else body
    try:
        return datetime.fromisoformat(body + offset).astimezone(timezone.utc)
    except (OverflowError, ValueError):
        raise ValueError(f"{text!r} is no RFC 3339 time") from None


def _offset(text: Optional[str]) -> str:
    if text is None or text in "Zz":
        return "+00:00"
    return text if ":" in text else f"{text[:3]}:{text[3:]}"
