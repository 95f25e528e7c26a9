"""The moments and data points that a weather task asks for; standard library only, for the estimation.

No source says what a data point is. A variable at one moment is the reading that fits the published estimate (192 data
points for eight days of three variables every three hours).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, List, Mapping

from up42_plugin.sandbox import times

LONGEST_H = 8784
"""Hours between two moments at most: a leap year."""


def counts(parameters: Mapping[str, Any]) -> List[int]:
    """For each time range, the number of its moments."""
    step = _step(parameters)
    return [(end - start) // step + 1 for start, end in times.ranges_of(parameters)]


def moments(parameters: Mapping[str, Any]) -> List[List[datetime]]:
    """For each time range, its moments (UTC) from the start on, ``time_interval`` hours apart, the end included."""
    step = _step(parameters)
    starts = (start for start, _ in times.ranges_of(parameters))
    return [[start + number * step for number in range(count)] for start, count in zip(starts, counts(parameters))]


def _step(parameters: Mapping[str, Any]) -> timedelta:
    hours = parameters.get("time_interval")
    return timedelta(hours=min(hours, LONGEST_H) if isinstance(hours, (int, float)) and hours >= 1 else 1)


def data_points(parameters: Mapping[str, Any]) -> int:
    """How many values in time: moments x variables."""
    variables = parameters.get("variables")
    count = len(set(map(str, variables))) if isinstance(variables, list) else 0
    return count * sum(counts(parameters))
