"""What the measured values must keep: one table, by the path of a value in the object that ``run.py`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence

LIMITS: Mapping[str, float] = {
    "transfer.ratio_sdk": 0.35,
    "transfer.ratio_curl_tar": 0.6,
    "transfer.ratio_zlib": 1.3,
    "transfer.peak_mb_512": 64.0,
    "transfer.peak_mb_4096": 64.0,
    "gap_ms": 50.0,
    "first_pixels_ms": 2000.0,
    "final_draw_ms": 150.0,
    "start_ms": 400.0,
    "typing_gap_ms": 50.0,
    "jobs.first_page_ms": 500.0,
    "jobs.search_key_ms": 50.0,
    "jobs.poll_ms": 50.0,
}


@dataclass(frozen=True)
class Verdict:
    """A value beside the most it may be; ``value`` is None where there is none."""

    name: str
    value: Optional[float]
    most: float

    @property
    def kept(self) -> bool:
        """Whether there is a value and it is not above the limit."""
        return self.value is not None and self.value <= self.most


def verdicts(values: Mapping[str, Any], keys: Sequence[str]) -> List[Verdict]:
    """Compare the values of ``keys`` with all limits that these keys have, in the table's order."""
    wanted = [name for name in LIMITS if name.partition(".")[0] in keys]
    return [Verdict(name, _number(values, name), LIMITS[name]) for name in wanted]


def table(found: Sequence[Verdict]) -> str:
    """A line for each value: name, value, limit, and whether it is kept."""
    width = max((len(verdict.name) for verdict in found), default=0)
    lines = []
    for verdict in found:
        value = "no value" if verdict.value is None else f"{verdict.value:.4g}"
        lines.append(f"{verdict.name:<{width}}  {value:>9}  at most {verdict.most:<6g} {_word(verdict)}")
    return "\n".join(line.rstrip() for line in lines)


def _word(verdict: Verdict) -> str:
    return "" if verdict.kept else "MISSED"


def _number(values: Mapping[str, Any], name: str) -> Optional[float]:
    found: Any = values
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    number = isinstance(found, (int, float)) and not isinstance(found, bool) and found == found  # noqa: PLR0124 - NaN
    return float(found) if number else None
