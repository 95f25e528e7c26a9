"""Block ``up42-ndvithreshold``: a vegetation index cut into classes at upper limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.runners import pixels
from up42_plugin.sandbox.runners.checked import whole_number
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.derived import class_rasters
from up42_plugin.sandbox.runners.derived.class_rasters import Classes, Strips
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR

NODATA = 255
_MOST_CLASSES, _MOST_SIEVED = 253, 1_000_000


def run(task: Task) -> Usage:
    """``<stem>_threshold.tif`` per image: uint8, 0 for the class with the lowest limit, nodata 255.

    A limit belongs to the class below it; what lies above the last one is a class of its own.
    """
    limits = limits_of(task.parameters)
    sieve = whole_number(task.parameters, "n_sieve_pixels", 0, _MOST_SIEVED)
    tags: Dict[str, str] = {f"CLASS_{k}": f"{name} (up to {limit:g})" for k, (name, limit) in enumerate(limits)}

    def classify(dataset: Any, _path: Path) -> Classes:
        return Classes(_strips(task, dataset, [limit for _, limit in limits]), NODATA, sieve, tags)

    return class_rasters.run(task, classify, lambda _source, path: f"{path.stem}_threshold.tif")


def _strips(task: Task, dataset: Any, limits: Sequence[float]) -> Strips:
    for row, _, values, known in pixels.strips(task, dataset, [1]):
        classes = np.searchsorted(np.asarray(limits, np.float32), values[0], side="left")
        yield row, np.where(known, classes, NODATA).astype(np.uint8)


def limits_of(parameters: Mapping[str, Any]) -> List[Tuple[str, float]]:
    """Names and upper limits, lowest first.

    Raises:
        RunnerError: anything but a list with one dictionary of different numbers.
    """
    given = parameters.get("threshold_values")
    table = given[0] if isinstance(given, list) and len(given) == 1 else None
    if not isinstance(table, dict) or not 0 < len(table) <= _MOST_CLASSES:
        raise RunnerError(INPUT_PARAMETERS_ERROR, "threshold_values must be a list with one dictionary of limits")
    for name, limit in table.items():
        if isinstance(limit, bool) or not isinstance(limit, (int, float)):
            raise RunnerError(INPUT_PARAMETERS_ERROR, f"threshold_values: the limit of {name} must be a number")
    if len(set(table.values())) < len(table):
        raise RunnerError(INPUT_PARAMETERS_ERROR, "threshold_values: two classes have the same limit")
    return sorted(((str(name), float(limit)) for name, limit in table.items()), key=lambda pair: pair[1])
