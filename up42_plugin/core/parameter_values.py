"""Whether a value fits a parameter, and why not."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any, Callable, Dict, Mapping

from up42_plugin.core.aoi import AOI, AoiError
from up42_plugin.core.parameters import IDS, TIME_SERIES, ParameterSpec, ParameterType, number_text
from up42_plugin.core.timerange import TimeRange, TimeRangeError

BBOX = "bbox"
_BBOX_LENGTH = 4
_SHOWN = 40
_HUGE = 1e300


def complaint(spec: ParameterSpec, value: Any) -> str:
    """What is wrong with a value, as the end of a sentence (``0 to 100 allowed, not 140.``); empty when nothing is.

    null stands for "not set", which fits parameters that are not required and have no other default.
    """
    if value is None:
        return "a value is needed." if spec.required or _needs_value(spec) else ""
    if spec.name == BBOX:
        return _geometry(value)
    if spec.name == TIME_SERIES and isinstance(value, list):
        return _time_series(value)
    check = _CHECKS.get(spec.type)
    return check(spec, value) if check is not None else ""


def geometry_of(name: str, value: Any, minimum_km2: float = 0.0) -> AOI:
    """The polygon that a geometry parameter stands for.

    Raises:
        AoiError: it stands for none.
    """
    if name != BBOX:
        try:
            text = json.dumps(value)
        except (TypeError, ValueError):
            return AOI.from_geojson(value, minimum_km2=minimum_km2)
        return _polygon(text, minimum_km2)
    return AOI.from_bbox((value[0], value[1], value[2], value[3]), minimum_km2=minimum_km2)


@lru_cache(maxsize=4)
def _polygon(text: str, minimum_km2: float) -> AOI:
    """Typed polygons may be long, and each is asked for by several checks with every key that is typed."""
    return AOI.from_geojson(json.loads(text), minimum_km2=minimum_km2)


def _needs_value(spec: ParameterSpec) -> bool:
    plain = spec.type in (ParameterType.INTEGER, ParameterType.NUMBER, ParameterType.BOOLEAN, ParameterType.STRING)
    return plain and spec.has_default and spec.default is not None


def _integer(spec: ParameterSpec, value: Any) -> str:
    if not _is_number(value) or (isinstance(value, float) and not value.is_integer()):
        return f"a whole number is needed, not {_short(value)}."
    return _bounds(spec, value)


def _number(spec: ParameterSpec, value: Any) -> str:
    return _bounds(spec, value) if _is_number(value) else f"a number is needed, not {_short(value)}."


def _bounds(spec: ParameterSpec, value: float) -> str:
    low = spec.minimum is not None and value < spec.minimum
    high = spec.maximum is not None and value > spec.maximum
    return f"{spec.range_text} allowed, not {number_text(value)}." if low or high else ""


def _boolean(_: ParameterSpec, value: Any) -> str:
    return "" if isinstance(value, bool) else f"true or false is needed, not {_short(value)}."


def _string(spec: ParameterSpec, value: Any) -> str:
    if not isinstance(value, str):
        return f"a text is needed, not {_short(value)}."
    if spec.required and not value.strip():
        return "a value is needed."
    return _choice(spec, value)


def _array(spec: ParameterSpec, value: Any) -> str:
    if not isinstance(value, list):
        return f"a list is needed, not {_short(value)}."
    if spec.name == IDS:
        return _scene_ids(value)
    check = _ITEM_CHECKS.get(spec.item_type)
    for item in value:
        wrong = (check(spec, item) if check is not None else "") or _choice(spec, item)
        if wrong:
            return wrong
    return ""


def _choice(spec: ParameterSpec, value: Any) -> str:
    if not spec.choices or value in spec.choices:
        return ""
    return f"{_short(value)} is not one of {', '.join(map(str, spec.choices))}."


def _scene_ids(value: Any) -> str:
    if not value:
        return "there is no scene ID in the list."
    wrong = next((item for item in value if not isinstance(item, str) or not item.strip()), None)
    return "" if wrong is None else f"{_short(wrong)} is no scene ID."


def _time_series(value: Any) -> str:
    if not value:
        return "there is no time range in the list."
    for number, item in enumerate(value, 1):
        wrong = _time(item)
        if wrong:
            return f"range {number}: {wrong}"
    return ""


def _date_range(_: ParameterSpec, value: Any) -> str:
    return _time(value)


def _time(value: Any) -> str:
    if not isinstance(value, str):
        return f"a time range is needed, not {_short(value)}."
    try:
        TimeRange.parse(value)
    except TimeRangeError as error:
        text = str(error)
        return text[:1].lower() + text[1:]
    return ""


def _geometry_value(_: ParameterSpec, value: Any) -> str:
    if not isinstance(value, Mapping):
        return f"a GeoJSON polygon is needed, not {_short(value)}."
    if value.get("type") != "Polygon":
        return f"a single Polygon is needed, not {_short(value.get('type'))}."
    return _polygon_complaint("", value)


def _geometry(value: Any) -> str:
    if not isinstance(value, list) or len(value) != _BBOX_LENGTH or not all(map(_is_number, value)):
        return "west, south, east and north are needed, as four numbers."
    return _polygon_complaint(BBOX, value)


def _polygon_complaint(name: str, value: Any) -> str:
    try:
        geometry_of(name, value)
    except AoiError as error:
        text = error.user_message
        return text[:1].lower() + text[1:]
    return ""


def _is_number(value: Any) -> bool:
    """Numbers that can be counted with: no NaN, no infinity, no whole number longer than a float can hold."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -_HUGE < value < _HUGE


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


_Check = Callable[[ParameterSpec, Any], str]
_ITEM_CHECKS: Dict[ParameterType, _Check] = {
    ParameterType.INTEGER: _integer,
    ParameterType.NUMBER: _number,
    ParameterType.BOOLEAN: _boolean,
    ParameterType.STRING: _string,
}
_CHECKS: Dict[ParameterType, _Check] = {
    **_ITEM_CHECKS,
    ParameterType.ARRAY: _array,
    ParameterType.DATE_RANGE: _date_range,
    ParameterType.GEOMETRY: _geometry_value,
}
