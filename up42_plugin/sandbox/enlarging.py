"""Pixels finer than the sensor's optics resolve: computed on a coarser grid and enlarged, as providers do."""

from __future__ import annotations

import math
from typing import Tuple

import numpy as np

from up42_plugin.sandbox.archive import Grid

MARGIN = 2
"""Coarse pixels around a window that the enlargement looks at."""


def coarse_grid(grid: Grid, factor: int) -> Grid:
    """Return the grid of ``factor`` times larger pixels under a grid, with a margin.

    Its pixels' centres are at whole multiples of their size, so that windows of one grid are enlarged from the same.
    """
    step = grid.pixel * factor
    first, last = math.floor(grid.left / step), math.ceil((grid.left + grid.width * grid.pixel) / step)
    low, high = math.floor((grid.top - grid.height * grid.pixel) / step), math.ceil(grid.top / step)
    return Grid(
        grid.epsg,
        (first - MARGIN - 0.5) * step,
        (high + MARGIN + 0.5) * step,
        step,
        last - first + 2 * MARGIN + 1,
        high - low + 2 * MARGIN + 1,
    )


def enlarged(values: np.ndarray, coarse: Grid, grid: Grid) -> np.ndarray:
    """Return values (bands x coarse pixels) at the pixels of a finer grid within, by cubic convolution."""
    columns, across = _taps((grid.left - coarse.left) / coarse.pixel, grid.pixel / coarse.pixel, grid.width)
    rows, down = _taps((coarse.top - grid.top) / coarse.pixel, grid.pixel / coarse.pixel, grid.height)
    wide = sum(values[:, :, columns + k] * across[k] for k in range(4))
    return np.asarray(sum(wide[:, rows + k, :] * down[k][:, None] for k in range(4)), np.float32)


def _taps(start: float, step: float, count: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return the first of four neighbours and their weights (4 x count) for pixels along one axis."""
    at = start + (np.arange(count) + 0.5) * step - 0.5
    first = np.floor(at)
    t = at - first
    weights = (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )
    return first.astype(np.intp) - 1, np.stack(weights).astype(np.float32)
