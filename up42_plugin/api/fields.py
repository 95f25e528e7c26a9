"""Reading answers: members are taken by name and type, and what is missing is named with its path.

Unknown members are ignored. An optional member of an unexpected type counts as absent: names and types changed over
the years, and an answer is not refused for something nobody asked for.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, List, Optional, Tuple, TypeVar

from up42_plugin.api.errors import AnswerError

T = TypeVar("T")

UNREADABLE = "The answer could not be read. Details are in the log."

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?$")


def parse_time(text: str) -> datetime:
    """An aware UTC time of ISO 8601 text with any number of fraction digits; without an offset it is taken as UTC.

    Raises:
        ValueError: the text is no time.
    """
    match = _TIME.match(text.strip())
    if match is None:
        raise ValueError("not an ISO 8601 time")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    moment = datetime(
        int(year),
        int(month),
        int(day),
        int(hour),
        int(minute),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
    )
    if zone and zone not in "Zz":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        moment += -offset if zone[0] == "+" else offset
    return moment.replace(tzinfo=timezone.utc)


def unreadable(path: str, wanted: str, value: Any) -> AnswerError:
    """The error for a member that is missing or of the wrong type."""
    found = "missing" if value is None else f"not {wanted} but {type(value).__name__}"
    return AnswerError(UNREADABLE, f"{path} is {found}")


class Record:
    """One JSON object of an answer, and where in the answer it lies (``data[3]``)."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise unreadable(path, "an object", value)
        self.members: Dict[str, Any] = value
        self.path = path

    def at(self, name: str) -> str:
        """The path of a member."""
        return f"{self.path}.{name}" if self.path else name

    def raw(self, name: str) -> Any:
        """A member as it is, None when absent."""
        return self.members.get(name)

    def text(self, name: str) -> str:
        """A text that must be there and not be empty."""
        value = self.members.get(name)
        if not isinstance(value, str) or not value:
            raise unreadable(self.at(name), "a text", value or None)
        return value

    def text_or(self, name: str, default: str = "") -> str:
        """A text, or ``default`` when it is absent or null."""
        value = self.members.get(name)
        return value if isinstance(value, str) else default

    def number(self, name: str) -> float:
        """A number that must be there."""
        value = _number(self.members.get(name))
        if value is None:
            raise unreadable(self.at(name), "a number", self.members.get(name))
        return value

    def number_or(self, name: str, default: Optional[float] = None) -> Optional[float]:
        """A number (also written as text), or ``default``."""
        value = _number(self.members.get(name))
        return default if value is None else value

    def integer(self, name: str) -> int:
        """A whole number that must be there; settings write theirs as text."""
        value = self.number(name)
        if value != int(value):
            raise unreadable(self.at(name), "a whole number", self.members.get(name))
        return int(value)

    def flag(self, name: str) -> Optional[bool]:
        """True or false, or None when the answer does not say."""
        value = self.members.get(name)
        return value if isinstance(value, bool) else None

    def time(self, name: str) -> datetime:
        """A time that must be there, in UTC."""
        text = self.text(name)
        try:
            return parse_time(text)
        except ValueError:
            raise AnswerError(UNREADABLE, f"{self.at(name)} is not a time") from None

    def time_or_none(self, name: str) -> Optional[datetime]:
        """A time in UTC, or None when absent or unreadable."""
        try:
            return parse_time(self.text_or(name))
        except ValueError:
            return None

    def mapping(self, name: str) -> Dict[str, Any]:
        """An object as it is, empty when absent."""
        value = self.members.get(name)
        return value if isinstance(value, dict) else {}

    def texts(self, name: str) -> Tuple[str, ...]:
        """The texts of a list, empty when absent."""
        value = self.members.get(name)
        return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else ()

    def record(self, name: str) -> Record:
        """An object that must be there."""
        return Record(self.members.get(name), self.at(name))

    def records(self, name: str, read: Callable[[Record], T]) -> Tuple[T, ...]:
        """Every object of a list that must be there."""
        return read_list(self.members.get(name), self.at(name), read)


def read_list(value: Any, path: str, read: Callable[[Record], T]) -> Tuple[T, ...]:
    """Every object of a list, read by ``read``."""
    if not isinstance(value, list):
        raise unreadable(path, "a list", value)
    entries: List[T] = [read(Record(entry, f"{path}[{index}]")) for index, entry in enumerate(value)]
    return tuple(entries)


def _number(value: Any) -> Optional[float]:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        return None
    return value
