"""JSON that people type: read with the place of every member, and written as they would write it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, Dict, List, Mapping, Tuple, Union

Path = Tuple[Union[str, int], ...]

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
# Lists of plain numbers on one line, such as the many points of a polygon, are read at once
_NUMBERS = re.compile(
    r"\[ *-?(?:0|[1-9]\d{0,14})(?:\.\d{1,20})?(?: *, *-?(?:0|[1-9]\d{0,14})(?:\.\d{1,20})?)* *\]", re.ASCII
)
_WORD = re.compile(r"[\w.+-]+")
_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}
_DEEPEST = 60
_ONE_LINE = 60
# Longer whole numbers are no parameters, and slow to read.
_LONGEST_NUMBER = 300
_SHOWN = 20


class JsonTextError(ValueError):
    """A text that is no JSON, at ``line`` and ``column`` (both from 1); ``reason`` says why, for people."""

    def __init__(self, reason: str, line: int, column: int) -> None:
        super().__init__(f"Line {line}: {reason}")
        self.reason, self.line, self.column = reason, line, column


@dataclass(frozen=True)
class JsonText:
    """What a text holds. ``lines`` has the line (from 1) of every member and item, by its path.

    The numbers of a list that stands on one line are left out: the list has the same line.
    """

    value: Any
    lines: Mapping[Path, int] = field(default_factory=dict)

    def line_of(self, path: Path) -> int:
        """The line of a member, or of the closest thing around it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str) -> JsonText:
    """Read a text (RFC 8259, without NaN and infinity); a name given twice in one object is an error.

    Raises:
        JsonTextError: the first thing that is wrong, and where.
    """
    return _Reader(text).read()


def write(value: Any) -> str:
    """JSON with two spaces of indentation, short lists on one line, ending with a line break."""
    return _written(value, 0) + "\n"


class _Reader:
    """A recursive-descent reader: one method for each kind of value."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._counted, self._line = 0, 1
        self._lines: Dict[Path, int] = {}

    def read(self) -> JsonText:
        self._skip()
        value = self._value(())
        self._skip()
        if self._at < len(self._text):
            raise self._error(f"nothing is expected here, not {self._here()}.")
        return JsonText(value, self._lines)

    def _value(self, path: Path) -> Any:
        self._lines.setdefault(path, self._line_here())
        if len(path) > _DEEPEST:
            raise self._error("this is nested too deep.")
        mark = self._text[self._at : self._at + 1]
        if mark == "{":
            return self._object(path)
        if mark == "[":
            return self._array(path)
        if mark == '"':
            return self._string()
        if mark == "-" or mark.isdigit():
            return self._number()
        return self._word()

    def _object(self, path: Path) -> Dict[str, Any]:
        self._at += 1
        found: Dict[str, Any] = {}
        self._skip()
        if self._take("}"):
            return found
        while True:
            if self._text[self._at : self._at + 1] != '"':
                raise self._error(f"a name in double quotes is expected, not {self._here()}.")
            start, line = self._at, self._line_here()
            name = self._string()
            if name in found:
                self._at = start
                raise self._error(f"{name} is there twice.")
            self._lines[(*path, name)] = line
            self._skip()
            if not self._take(":"):
                raise self._error(f"a colon is expected after the name, not {self._here()}.")
            self._skip()
            found[name] = self._value((*path, name))
            self._skip()
            if self._take("}"):
                return found
            self._comma("}")

    def _array(self, path: Path) -> List[Any]:
        numbers = _NUMBERS.match(self._text, self._at)
        if numbers is not None and len(path) < _DEEPEST:
            self._at = numbers.end()
            return list(json.loads(numbers[0]))
        self._at += 1
        found: List[Any] = []
        self._skip()
        if self._take("]"):
            return found
        while True:
            found.append(self._value((*path, len(found))))
            self._skip()
            if self._take("]"):
                return found
            self._comma("]")

    def _comma(self, closing: str) -> None:
        if not self._take(","):
            raise self._error(f"a comma or {closing} is expected, not {self._here()}.")
        self._skip()
        if self._text[self._at : self._at + 1] == closing:
            raise self._error(f"there is a comma before {closing} and nothing after it.")

    def _string(self) -> str:
        match = _STRING.match(self._text, self._at)
        if match is None:
            raise self._error("this text has no closing quote, or a character or escape that JSON does not allow.")
        self._at = match.end()
        return str(json.loads(match[0]))

    def _number(self) -> Union[int, float]:
        match = _NUMBER.match(self._text, self._at)
        if match is None or match.end() - match.start() > _LONGEST_NUMBER:
            raise self._error(f"{self._here()} is not a number.")
        after = self._text[match.end() : match.end() + 1]
        if after.isalnum() or after in ("_", "."):
            raise self._error(f"{self._here()} is not a number.")
        number: Union[int, float] = float(match[0]) if match[1] or match[2] else int(match[0])
        if not math.isfinite(number):
            raise self._error(f"{self._here()} is too large.")
        self._at = match.end()
        return number

    def _word(self) -> Any:
        match = _WORD.match(self._text, self._at)
        if match is None or match[0] not in _WORDS:
            raise self._error(f"a value is expected, not {self._here()}.")
        self._at = match.end()
        return _WORDS[match[0]]

    def _take(self, mark: str) -> bool:
        found = self._text.startswith(mark, self._at)
        self._at += len(mark) if found else 0
        return found

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match is not None else self._at

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _here(self) -> str:
        if self._at >= len(self._text):
            return "the end of the text"
        match = _WORD.match(self._text, self._at)
        return (match[0] if match is not None else self._text[self._at])[:_SHOWN]

    def _error(self, reason: str) -> JsonTextError:
        line = self._text.count("\n", 0, self._at) + 1
        return JsonTextError(reason, line, self._at - (self._text.rfind("\n", 0, self._at) + 1) + 1)


def _written(value: Any, depth: int) -> str:
    if not isinstance(value, (dict, list, tuple)) or not value:
        return _flat(value)
    plain = isinstance(value, (list, tuple)) and not any(isinstance(item, dict) for item in value)
    if plain and _least_size(value) <= _ONE_LINE:
        flat = _flat(value)
        if len(flat) <= _ONE_LINE:
            return flat
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        members = [
            f"{inner}{json.dumps(str(name), ensure_ascii=False)}: {_written(member, depth + 1)}"
            for name, member in value.items()
        ]
        return "{\n" + ",\n".join(members) + f"\n{outer}}}"
    items = [f"{inner}{_written(item, depth + 1)}" for item in value]
    return "[\n" + ",\n".join(items) + f"\n{outer}]"


def _flat(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _least_size(value: Any) -> int:
    """How many characters the value takes on one line at least, counted only as far as it matters."""
    if not isinstance(value, (list, tuple)):
        return 1
    size = 0
    for item in value:
        size += 2 + _least_size(item)
        if size > _ONE_LINE:
            break
    return size
