"""Blocks ``landcover`` and ``up42-waterfinder-water``: what covers the ground in Pléiades and SPOT images.

The real blocks ask neural networks; this asks the ratios of four colours, which need no calibration.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Tuple

import numpy as np

from up42_plugin.sandbox.runners import pixels
from up42_plugin.sandbox.runners.checked import one_of
from up42_plugin.sandbox.runners.contract import Task, Usage
from up42_plugin.sandbox.runners.derived import class_rasters
from up42_plugin.sandbox.runners.derived.class_rasters import Classes, Strips
from up42_plugin.sandbox.runners.pixels import BLUE, GREEN, NEAR, RED

WATER, HIGH, LOW, BARREN, URBAN = range(1, 6)
NODATA = 0
DRY, WET, NO_WATER_DATA = 0, 1, 255
WATERFINDER = "up42-waterfinder-water"

_WATER_INDEX, _GREEN_INDEX, _ROOF_INDEX = 0.2, 0.38, 0.3
_TREE_SHADE = 0.8
_GREY, _SANDY, _BRIGHT = 1.62, 1.36, 1.35
_AROUND, _TOWNLIKE = 8, 0.3
_COLOURS = (RED, GREEN, BLUE, NEAR)


def run(task: Task) -> Usage:
    """``<id>.tif`` per image: 1 water, 2 high vegetation, 3 low vegetation, 4 barren, 5 urban (nodata 0).

    With four classes urban is part of barren. The waterfinder's are 1 for water, 0 for anything else (nodata 255).
    """
    if task.block["name"] == WATERFINDER:
        return class_rasters.run(task, lambda dataset, path: _waters(task, dataset, path), class_rasters.id_name)
    classes = one_of(task.parameters, "nclasses", (4, 5))
    return class_rasters.run(task, lambda dataset, path: _covers(task, dataset, path, classes), class_rasters.id_name)


def _waters(task: Task, dataset: Any, path: Path) -> Classes:
    bands = pixels.colour_bands(dataset, path.name)

    def strips() -> Strips:
        for row, _, values, known in pixels.strips(task, dataset, [bands[name] for name in _COLOURS]):
            yield row, np.where(known, is_water(dict(zip(_COLOURS, values))), NO_WATER_DATA).astype(np.uint8)

    return Classes(strips(), NO_WATER_DATA)


def _covers(task: Task, dataset: Any, path: Path, classes: int) -> Classes:
    bands = pixels.colour_bands(dataset, path.name)
    numbers = [bands[name] for name in _COLOURS]
    levels = Levels.of(pixels.sample(dataset, numbers))

    def strips() -> Strips:
        for row, rows, values, known in pixels.strips(task, dataset, numbers, margin=_AROUND):
            found = np.where(known, cover(dict(zip(_COLOURS, values)), levels), NODATA)
            if classes < URBAN:
                found = np.where(found == URBAN, BARREN, found)
            above = min(row, _AROUND)
            yield row, found[above : above + rows].astype(np.uint8)

    return Classes(strips(), NODATA)


def _ratio(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one - other) / np.maximum(one + other, 1e-6)


def is_water(colours: Dict[str, np.ndarray]) -> np.ndarray:
    """Where green is reflected and near infrared is swallowed."""
    return np.asarray(_ratio(colours[GREEN], colours[NEAR]) > _WATER_INDEX)


@dataclass(frozen=True)
class Levels:
    """What is dark and bright in an image: the green below which plants are trees, and the brightness of sand.

    Crowns shade one another, meadows and fields do not. Brightness is the sum of the three colours.
    """

    shade: float
    sand: float

    @classmethod
    def of(cls, sample: np.ndarray) -> Levels:
        """Measured on pixels (n x 4 colours)."""
        red, green, blue, near = sample.T if len(sample) else np.ones((4, 1))
        plants = green[_ratio(near, red) > _GREEN_INDEX]
        land = (red + green + blue)[~is_water({GREEN: green, NEAR: near})]
        shade = _TREE_SHADE * float(np.median(plants if plants.size else green))
        return cls(shade, _BRIGHT * float(np.median(land)) if land.size else np.inf)


def cover(colours: Dict[str, np.ndarray], levels: Levels) -> np.ndarray:
    """Classes 1 to 5 of pixels (rows x columns)."""
    red, green, blue, near = (colours[name] for name in _COLOURS)
    greenness = _ratio(near, red)
    water = is_water(colours)
    sand = (red > _SANDY * blue) & (red + green + blue > levels.sand)
    grey = (red < _GREY * blue) & (greenness < _ROOF_INDEX) & ~sand & ~water
    plants = greenness > _GREEN_INDEX
    town = (_share_around(grey) > _TOWNLIKE) & ~plants
    classes = np.where(plants, np.where(green < levels.shade, HIGH, LOW), np.where(town, URBAN, BARREN))
    return np.where(water, WATER, classes)


def _share_around(flags: np.ndarray) -> np.ndarray:
    """The share of true pixels in squares around each."""
    sums, counts = _box(flags.astype(np.float32)), _box(np.ones(flags.shape, np.float32))
    return sums / counts


def _box(values: np.ndarray) -> np.ndarray:
    """Sums over squares of 2 x ``_AROUND`` + 1 pixels, cut at the edges."""
    total = np.zeros((values.shape[0] + 1, values.shape[1] + 1), np.float64)
    total[1:, 1:] = values.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)

    def ends(count: int) -> Tuple[np.ndarray, np.ndarray]:
        at = np.arange(count)
        return np.maximum(at - _AROUND, 0), np.minimum(at + _AROUND + 1, count)

    (top, bottom), (left, right) = ends(values.shape[0]), ends(values.shape[1])
    rows = total[bottom] - total[top]
    return rows[:, right] - rows[:, left]
