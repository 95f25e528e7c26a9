"""Values of parameters as people read and type them in one line, and back."""

from __future__ import annotations

import json
import re
from datetime import time
from typing import Any, List

from up42_plugin.core.json_text import JsonTextError, parse
from up42_plugin.core.parameters import TIME_SERIES, ParameterSpec, ParameterType
from up42_plugin.core.timerange import TimeRange, TimeRangeError

_TO = re.compile(r"\s+to\s+")
_PLAIN_ITEM = re.compile(r'[^\s,"\[\]{}][^,"\[\]{}\n]*')
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_NUMBERS = (ParameterType.INTEGER, ParameterType.NUMBER)


def text_of(spec: ParameterSpec, value: Any) -> str:
    """A value as one line; empty for null."""
    if value is None:
        return ""
    if spec.type is ParameterType.DATE_RANGE and isinstance(value, str):
        return range_text(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        if spec.name == TIME_SERIES and value:
            return "; ".join(map(range_text, value))
        return _list_text(value)
    if spec.type in (ParameterType.STRING, ParameterType.ARRAY) and isinstance(value, str):
        return value
    return compact(value)


def value_of(spec: ParameterSpec, text: str) -> Any:
    """What a typed line stands for; empty is null. What cannot be read stays a text, which the validation names."""
    text = text.strip() if spec.type is not ParameterType.STRING else text
    if not text:
        return None
    if spec.type is ParameterType.STRING:
        return text
    if spec.type is ParameterType.DATE_RANGE:
        return _range(text)
    if spec.name == TIME_SERIES and not text.startswith("["):
        return [_range(part) for part in text.split(";") if part.strip()]
    if spec.type is ParameterType.ARRAY and not text.startswith("["):
        return _list(spec, text)
    return _json(text)


def compact(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def range_text(text: str) -> str:
    """``2021-05-01 to 2021-06-30`` for whole days in UTC, else the time range as it is."""
    try:
        span = TimeRange.parse(text)
    except TimeRangeError:
        return text
    if (span.start.time(), span.end.time()) != (time.min, time(23, 59, 59)):
        return text
    words = f"{span.start.date()} to {span.end.date()}"
    return words if str(span) == text else text


def days(start: str, end: str) -> str:
    """The time range of whole days in UTC; an end before the start is written down too, for the validation to name."""
    try:
        return str(TimeRange.of(start, end))
    except TimeRangeError:
        if not (_DAY.fullmatch(start) and _DAY.fullmatch(end)):
            return f"{start}/{end}"
        return f"{start}T00:00:00+00:00/{end}T23:59:59+00:00"


def _range(text: str) -> str:
    start, *rest = _TO.split(text.strip(), maxsplit=1)
    if not rest:
        return text.strip()
    return days(start, rest[0])


def _list_text(value: List[str]) -> str:
    plain = value and all(_PLAIN_ITEM.fullmatch(item) and item == item.strip() for item in value)
    return ", ".join(value) if plain else compact(value)


def _list(spec: ParameterSpec, text: str) -> List[Any]:
    items = [part.strip() for part in text.split(",") if part.strip()]
    return [_json(item) for item in items] if spec.item_type in _NUMBERS else list(items)


def _json(text: str) -> Any:
    try:
        return parse(text).value
    except JsonTextError:
        return text
