"""What to call features when each becomes a job of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any, Iterable, Mapping, Optional, Sequence, Tuple

_NAMES = ("name", "label", "title", "nom", "nombre", "nome", "bezeichnung", "site", "id")
_LONGEST = 40


def label_field(fields: Iterable[str]) -> Optional[str]:
    """The attribute that is likely a feature's name, whatever its case; None where there is none."""
    known = {field.casefold(): field for field in fields}
    return next((known[name] for name in _NAMES if name in known), None)


def label_in(properties: Mapping[str, Any]) -> str:
    """A feature's name among its attributes, empty without one."""
    field = label_field(key for key, value in properties.items() if isinstance(value, str))
    return tidy_label(properties[field]) if field is not None else ""


def tidy_label(value: Any) -> str:
    """A name on one line, not too long; only text is a name."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"


def telling(names: Sequence[str]) -> Tuple[str, ...]:
    """The names that tell one feature from the others; empty in the place of each that does not."""
    counted = Counter(name.casefold() for name in names)
    return tuple(name if name and counted[name.casefold()] == 1 else "" for name in names)


def numbered(names: Sequence[str]) -> Tuple[str, ...]:
    """Each feature's name where it tells it from the others, else ``2 of 3``."""
    return tuple(name or f"{number:,} of {len(names):,}" for number, name in enumerate(telling(names), 1))
