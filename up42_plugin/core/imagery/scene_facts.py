"""What the properties of a scene say, whichever provider named them.

The service hands on each provider's metadata as it is; names differ by provider and year, so all are optional.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

_ACQUIRED = (
    "acquisitionDate",
    "datetime",
    "acquisition.beginViewingDate",
    "timeStamp",
    "beginposition",
    "PRODUCT_START_TIME",
    "start_datetime",
    "acquisition_date",
    "date",
)
_CLOUDS = (
    "cloudCover",
    "eo:cloud_cover",
    "cloudcoverpercentage",
    "contentDescription.cloudCoverPercentage",
    "cloud_cover",
)
_SCENE_IDS = ("parentIdentifier", "identification.externalId", "identifier", "sourceIdentifier", "scene_id", "id")
# Airbus writes the time without a T, and with tenths of a second: DS_PHR1A_202106201002033_…
_NAME_STAMP = re.compile(r"(?<!\d)((?:19|20)\d{6})T?(\d{6})\d?(?!\d)")
_NAME_DAY = re.compile(r"(?<!\d)((?:19|20)\d{2})-?(\d{2})-?(\d{2})(?!\d)")
_ISO = re.compile(r"^(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$")
_MILLISECONDS_FROM = 1e11
_DAY = timedelta(days=1)
_LAST_MOMENT = timedelta(microseconds=1)
_MICROSECOND_DIGITS = 6

Span = Tuple[datetime, datetime]


def lookup(properties: Mapping[str, Any], name: str) -> Any:
    """A property by its name, where a dot leads into nested objects; None when absent."""
    if name in properties:
        return properties[name]
    value: Any = properties
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def acquired_span(properties: Mapping[str, Any], *names: str) -> Optional[Span]:
    """When the scene was taken (UTC): first and last moment, equal where the time is known, a day apart otherwise.

    Looked for in the properties, then in ``names`` (scene or file names that carry a date).
    """
    for key in _ACQUIRED:
        span = _span(lookup(properties, key))
        if span is not None:
            return span
    for name in names:
        span = _span_of_name(name)
        if span is not None:
            return span
    return None


def cloud_cover(properties: Mapping[str, Any]) -> Optional[float]:
    """Clouds over the whole scene in percent."""
    for key in _CLOUDS:
        value = lookup(properties, key)
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            try:
                return float(value)
            except ValueError:
                continue
    return None


def scene_id(properties: Mapping[str, Any], feature_id: str) -> str:
    """The id that the parameter ``ids`` understands; the feature's own where the provider names none."""
    for key in _SCENE_IDS:
        value = lookup(properties, key)
        if isinstance(value, str) and value:
            return value
    return feature_id


def synthetic_note(*objects: Mapping[str, Any]) -> Optional[str]:
    """What the provider says of images being made up; None when it does not say so."""
    for holder in objects:
        for key, value in holder.items():
            word = re.split(r"[.:]", str(key))[-1].lower()
            if word == "synthetic" and value:
                return value if isinstance(value, str) else _note(holder)
    return None


def _note(holder: Mapping[str, Any]) -> str:
    for key, value in holder.items():
        word = re.split(r"[.:]", str(key))[-1].lower()
        if word in ("synthetic_note", "syntheticnote", "notice", "note") and isinstance(value, str):
            return value
    return "Synthetic image, not a real acquisition."


def flattened(properties: Mapping[str, Any], prefix: str = "") -> Dict[str, Any]:
    """Nested objects as dotted names; lists as JSON text."""
    flat: Dict[str, Any] = {}
    for key, value in properties.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(flattened(value, f"{name}."))
        elif isinstance(value, (list, tuple)):
            flat[name] = json.dumps(value, ensure_ascii=False)
        else:
            flat[name] = value
    return flat


def moments(texts: Sequence[str]) -> Tuple[datetime, ...]:
    """What texts mean that are moments, every one of them (UTC); empty when one is not."""
    spans = [_span_of_text(text) for text in texts]
    return tuple(span[0] for span in spans if span) if all(spans) else ()


def _span(value: Any) -> Optional[Span]:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        seconds = value / 1000.0 if abs(value) >= _MILLISECONDS_FROM else float(value)
        try:
            moment = datetime.fromtimestamp(seconds, timezone.utc)
        except (OverflowError, OSError, ValueError):
            return None
        return moment, moment
    return _span_of_text(str(value))


def _span_of_text(text: str) -> Optional[Span]:
    found = _ISO.match(text.strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        start = datetime(int(year), int(month), int(day), tzinfo=timezone.utc)
        if hour is None:
            return start, start + (_DAY - _LAST_MOMENT)
        micro = int((fraction or ".0")[1:][:_MICROSECOND_DIGITS].ljust(_MICROSECOND_DIGITS, "0"))
        moment = start + timedelta(hours=int(hour), minutes=int(minute), seconds=int(second or 0), microseconds=micro)
        if zone not in (None, "Z"):
            digits = zone[1:].replace(":", "")
            shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            moment -= shift if zone[0] == "+" else -shift
    except (ValueError, OverflowError):  # no such day, or beyond what the calendar holds
        return None
    return moment, moment


def _span_of_name(name: str) -> Optional[Span]:
    stamp = _NAME_STAMP.search(name)
    if stamp is not None:
        day, clock = stamp.groups()
        span = _span_of_text(f"{day}T{clock[:2]}:{clock[2:4]}:{clock[4:]}")
        if span is not None:
            return span
    found = _NAME_DAY.search(name)
    return _span_of_text("-".join(found.groups())) if found is not None else None
