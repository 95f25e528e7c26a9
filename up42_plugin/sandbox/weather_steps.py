"""The moments and data points that a weather task asks for; standard library only, for the estimation.

No source says what a data point is. A variable at one moment is the reading that fits the published estimate (192 data
points for eight days of three variables every three hours).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, List, Mapping

from up42_plugin.sandbox import times


def moments(parameters: Mapping[str, Any]) -> List[List[datetime]]:
    """For each time range, its moments (UTC) from the start on, ``time_interval`` hours apart, the end included."""
    hours = parameters.get("time_interval")
    step = timedelta(hours=hours if isinstance(hours, (int, float)) and hours >= 1 else 1)
    found = []
    for start, end in times.ranges_of(parameters):
        found.append([start + number * step for number in range((end - start) // step + 1)])
    return found


def data_points(parameters: Mapping[str, Any]) -> int:
    """How many values in time: moments x variables."""
    variables = parameters.get("variables")
    count = len(set(map(str, variables))) if isinstance(variables, list) else 0
    return count * sum(len(part) for part in moments(parameters))
