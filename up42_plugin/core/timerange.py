"""Time ranges of job parameters: ``<RFC 3339>/<RFC 3339>``, by the service's contract."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Union

Moment = Union[str, date, datetime]

_STAMP = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))?", re.ASCII
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class TimeRangeError(ValueError):
    """A text that is no time range; the message says why, for people."""


@dataclass(frozen=True)
class TimeRange:
    """From ``start`` to ``end``, both aware and in UTC, both included."""

    start: datetime
    end: datetime

    @classmethod
    def of(cls, start: Moment, end: Moment) -> TimeRange:
        """From dates (``date`` or ``yyyy-mm-dd``, whole days) or times (naive ones are UTC).

        Raises:
            TimeRangeError: a text that is no date or time, or an end before the start.
        """
        first, last = _moment(start, time.min), _moment(end, time(23, 59, 59))
        if last < first:
            raise TimeRangeError("The time range ends before it starts.")
        return cls(first, last)

    @classmethod
    def parse(cls, text: str) -> TimeRange:
        """Read ``2021-05-01T00:00:00+00:00/2021-06-30T23:59:59+00:00``; the offset may be ``Z`` or missing (UTC).

        Raises:
            TimeRangeError: not of this form, no such date, or reversed.
        """
        start, slash, end = text.partition("/")
        if not slash:
            raise TimeRangeError("Two times joined by a slash are needed.")
        return cls.of(_stamp(start), _stamp(end))

    def __str__(self) -> str:
        return f"{_text(self.start)}/{_text(self.end)}"


def _moment(value: Moment, clock: time) -> datetime:
    if isinstance(value, str):
        value = _day(value) if _DAY.fullmatch(value) else _stamp(value)
    if not isinstance(value, datetime):
        return datetime.combine(value, clock, timezone.utc)
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise TimeRangeError(f"There is no day {text}.") from error


def _stamp(text: str) -> datetime:
    match = _STAMP.fullmatch(text)
    if match is None:
        raise TimeRangeError(f"{text!r} is not a time such as 2021-05-01T00:00:00+00:00.")
    *clock, fraction, _, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign else timedelta()
    try:
        zone = timezone(-offset if sign == "-" else offset)
        micro = int((fraction or "0")[:6].ljust(6, "0"))
        return datetime(*map(int, clock), micro, tzinfo=zone).astimezone(timezone.utc)  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError) as error:
        raise TimeRangeError(f"There is no time {text}.") from error


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
