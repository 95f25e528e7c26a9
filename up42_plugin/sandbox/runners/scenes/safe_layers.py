"""The layers of a Sentinel-2 Level-2A product: bands at every resolution, true colour, and the quality maps."""

from __future__ import annotations

from typing import Dict, Mapping, Tuple

import numpy as np

from up42_plugin.sandbox.archive import Grid, Scene
from up42_plugin.sandbox.runners import grids
from up42_plugin.sandbox.runners.contract import Task
from up42_plugin.sandbox.runners.scenes import data_block, sentinel2

RESOLUTIONS = (10, 20, 60)
SCENE_CLASSES = (
    "SC_NODATA",
    "SC_SATURATED_DEFECTIVE",
    "SC_DARK_FEATURE_SHADOW",
    "SC_CLOUD_SHADOW",
    "SC_VEGETATION",
    "SC_NOT_VEGETATED",
    "SC_WATER",
    "SC_UNCLASSIFIED",
    "SC_CLOUD_MEDIUM_PROBA",
    "SC_CLOUD_HIGH_PROBA",
    "SC_THIN_CIRRUS",
    "SC_SNOW_ICE",
)
"""Names of the values 0, 1, 2 … of the scene classification."""

# Which bands a product repeats at coarser resolutions.
_REPEATED: Mapping[int, Tuple[str, ...]] = {
    20: ("B02", "B03", "B04"),
    60: ("B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12"),
}
_AEROSOL = 100  # optical thickness 0.1, in thousandths: the made-up air is evenly clear

# Thresholds of the quality maps: percent, normalised difference, reflectance.
_LIKELY, _SURE, _POSSIBLE = 50, 80, 40
_WATER_INDEX, _GREEN_INDEX = 0.1, 0.4
_WATER_SHORT_WAVE, _DARK_NEAR, _DARK_RED = 0.05, 0.1, 0.05
_LEAST_SUM = 1e-4

Layers = Dict[Tuple[str, int], np.ndarray]
"""(name, resolution in metres) -> array; rows x columns, true colour 3 x rows x columns."""


def sample(task: Task, scene: Scene, window: Grid) -> Layers:
    """Read every band at its own resolution over a window (10 m grid, sides multiples of 60 m) and derive the rest."""
    layers: Layers = {}
    for pixel in RESOLUTIONS:
        names, grid = sentinel2.bands_of(pixel), grids.coarser(window, pixel)
        stack = np.zeros((len(names), grid.height, grid.width), np.uint16)
        for row, reflectance in data_block.scene_strips(task, scene, names, grid):
            stack[:, row : row + reflectance.shape[1]] = sentinel2.digital_numbers(reflectance)
        layers.update({(name, pixel): band for name, band in zip(names, stack)})
    for pixel, repeated in _REPEATED.items():
        for name in repeated:
            own = sentinel2.BANDS[name].pixel
            layers[name, pixel] = shrunk(layers[name, own], pixel // own)
    _add_pictures(layers)
    _add_quality(layers, scene)
    return layers


def shrunk(numbers: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks of ``factor`` x ``factor`` pixels; 0 (no data) does not count unless all are 0."""
    rows, columns = numbers.shape[0] // factor, numbers.shape[1] // factor
    blocks = numbers.reshape(rows, factor, columns, factor)
    total = blocks.sum(axis=(1, 3), dtype=np.uint32)
    count = (blocks > 0).sum(axis=(1, 3), dtype=np.uint32)
    return np.where(count > 0, (total + count // 2) // np.maximum(count, 1), 0).astype(np.uint16)


def _add_pictures(layers: Layers) -> None:
    for pixel in RESOLUTIONS:
        stack = np.stack([layers[name, pixel] for name in sentinel2.TRUE_COLOUR])
        layers["TCI", pixel] = sentinel2.true_colour(stack)


def _add_quality(layers: Layers, scene: Scene) -> None:
    vapour = sentinel2.water_vapour(layers["B8A", 60], layers["B09", 60], scene.sun_elevation)
    for pixel in RESOLUTIONS:
        known = layers["B04", pixel] > 0
        repeat = 60 // pixel
        layers["WVP", pixel] = np.where(known, vapour.repeat(repeat, axis=0).repeat(repeat, axis=1), 0)
        layers["AOT", pixel] = np.where(known, _AEROSOL, 0).astype(np.uint16)
    for pixel in RESOLUTIONS[1:]:
        bands = {name: layers[name, pixel] for name in ("B02", "B03", "B04", "B8A", "B11")}
        layers["CLDPRB", pixel] = _cloud_probability(bands)
        layers["SNWPRB", pixel] = _snow_probability(bands)
        layers["SCL", pixel] = _classes(bands, layers["CLDPRB", pixel], layers["SNWPRB", pixel])


def _share(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 at ``low`` reflectance, 1 at ``high``, straight between."""
    reflectance = values.astype(np.float32) / sentinel2.QUANTIFICATION
    return np.clip((reflectance - low) / (high - low), 0, 1)


def _cloud_probability(bands: Mapping[str, np.ndarray]) -> np.ndarray:
    """Percent: bright in blue, and bright in the short-wave infrared, which snow is not."""
    return np.rint(100 * _share(bands["B02"], 0.26, 0.5) * _share(bands["B11"], 0.15, 0.3)).astype(np.uint8)


def _snow_probability(bands: Mapping[str, np.ndarray]) -> np.ndarray:
    """Percent: bright in green and dark in the short-wave infrared."""
    return np.rint(100 * _share(bands["B03"], 0.35, 0.6) * (1 - _share(bands["B11"], 0.15, 0.3))).astype(np.uint8)


def _classes(bands: Mapping[str, np.ndarray], cloud: np.ndarray, snow: np.ndarray) -> np.ndarray:
    """The scene classification by plain thresholds: far simpler than the real processor's, the same values."""
    red, near, short = (bands[name].astype(np.float32) / sentinel2.QUANTIFICATION for name in ("B04", "B8A", "B11"))
    index = (near - red) / np.maximum(near + red, _LEAST_SUM)
    classes = {
        "SC_NODATA": red == 0,
        "SC_SNOW_ICE": snow >= _LIKELY,
        "SC_CLOUD_HIGH_PROBA": cloud >= _SURE,
        "SC_CLOUD_MEDIUM_PROBA": cloud >= _POSSIBLE,
        "SC_WATER": (index < _WATER_INDEX) & (short < _WATER_SHORT_WAVE),
        "SC_VEGETATION": index >= _GREEN_INDEX,
        "SC_DARK_FEATURE_SHADOW": (near < _DARK_NEAR) & (red < _DARK_RED),
    }
    values = [SCENE_CLASSES.index(name) for name in classes]
    return np.select(list(classes.values()), values, SCENE_CLASSES.index("SC_NOT_VEGETATED")).astype(np.uint8)
