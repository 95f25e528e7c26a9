"""Statistics of pixel values, by the names that ``zonal-statistics`` has for them."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, List, Mapping, Sequence

import numpy as np

from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR

_PERCENTILE = re.compile(r"percentile_(\d{1,3}(?:\.\d+)?)")
_HUNDRED = 100.0
_PART = 1 << 20


def _most(values: np.ndarray, pick: Callable[[np.ndarray], Any]) -> float:
    found, counts = np.unique(values, return_counts=True)
    return float(found[pick(counts)])


def _deviation(values: np.ndarray) -> float:
    """The standard deviation, part by part: numpy would hold a whole image as numbers of eight bytes."""
    mean, total = values.mean(dtype=np.float64), 0.0
    for first in range(0, values.size, _PART):
        total += float(((values[first : first + _PART] - mean) ** 2).sum())
    return float(np.sqrt(total / values.size))


_NUMBERS: Mapping[str, Callable[[np.ndarray], float]] = {
    "min": lambda values: float(values.min()),
    "max": lambda values: float(values.max()),
    "mean": lambda values: float(values.mean(dtype=np.float64)),
    "sum": lambda values: float(values.sum(dtype=np.float64)),
    "std": _deviation,
    "median": lambda values: float(np.median(values)),
    "majority": lambda values: _most(values, np.argmax),
    "minority": lambda values: _most(values, np.argmin),
    "unique": lambda values: int(np.unique(values).size),
    "range": lambda values: float(values.max()) - float(values.min()),
}
COUNTS = ("count", "nodata")
NAMES = (*_NUMBERS, *COUNTS)


def checked(names: Any) -> List[str]:
    """The statistics asked for, each once.

    Raises:
        RunnerError: an unknown one, or none.
    """
    if not isinstance(names, list) or not names:
        raise RunnerError(INPUT_PARAMETERS_ERROR, "stats must be a list with at least one statistic")
    for name in names:
        found = _PERCENTILE.fullmatch(name) if isinstance(name, str) else None
        if name not in NAMES and (found is None or float(found.group(1)) > _HUNDRED):
            message = f"stats: {name!r} is none of {', '.join(NAMES)}, percentile_0 to percentile_100"
            raise RunnerError(INPUT_PARAMETERS_ERROR, message)
    return list(dict.fromkeys(names))


def numbers(names: Sequence[str], values: np.ndarray, missing: int) -> Dict[str, Any]:
    """The statistics of values, and of how many pixels had none; None for what needs a value when there is none."""
    counts = {"count": int(values.size), "nodata": missing}
    return {name: counts[name] if name in counts else _number(name, values) for name in names}


def _number(name: str, values: np.ndarray) -> Any:
    if not values.size:
        return None
    percentile = _PERCENTILE.fullmatch(name)
    if percentile is not None:
        return float(np.percentile(values, float(percentile.group(1))))
    return _NUMBERS[name](values)
