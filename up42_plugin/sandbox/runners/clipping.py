"""``clip_to_aoi`` of processing blocks: which area they cut to, and the window of an image that it touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple

import numpy as np

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.runners import grids
from up42_plugin.sandbox.runners.contract import RunnerError, Task
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR
from up42_plugin.sandbox.runners.parameters import area_of, given_filters


@dataclass(frozen=True)
class Clip:
    """What of an image is kept: a window (column, row, width, height), its grid, and which area (None: all)."""

    window: Tuple[int, int, int, int]
    grid: Grid
    area: Optional[Mapping[str, Any]]

    def keep(self, values: np.ndarray, row: int) -> np.ndarray:
        """Values (… x rows x columns) from a row of the window on, 0 outside the area."""
        if self.area is None:
            return values
        inside = grids.mask(self.area, grids.part_of(self.grid, 0, row, self.grid.width, values.shape[-2]))
        return np.asarray(values * inside.astype(values.dtype))


def clip_area(task: Task) -> Optional[Mapping[str, Any]]:
    """The polygon to cut to: of the task's own geometric filter, else the data task's. None: nothing is cut.

    Raises:
        RunnerError: a filter without ``clip_to_aoi``, or ``clip_to_aoi`` with nothing to cut to.
    """
    given = given_filters(task.parameters)
    if not task.parameters.get("clip_to_aoi"):
        if given:
            message = f"clip_to_aoi is false, so {' and '.join(given)} must be null"
            raise RunnerError(INPUT_PARAMETERS_ERROR, message)
        return None
    if given:
        return area_of(task.parameters)
    if task.geometry is None:
        raise RunnerError(INPUT_PARAMETERS_ERROR, "clip_to_aoi is true, but there is no area to clip to")
    return task.geometry


def clip_of(grid: Grid, area: Optional[Mapping[str, Any]]) -> Optional[Clip]:
    """The part of an image's grid that an area touches; None when it does not."""
    if area is None:
        return Clip((0, 0, grid.width, grid.height), grid, None)
    part = grids.window_over(grid, area, grid.pixel)
    if part is None:
        return None
    column, row = round((part.left - grid.left) / grid.pixel), round((grid.top - part.top) / grid.pixel)
    return Clip((column, row, part.width, part.height), part, area)
