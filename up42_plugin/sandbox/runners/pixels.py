"""Pixels of images of any kind: which bands carry values, which of them are which colour, and where there is data."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.runners import grids, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task
from up42_plugin.sandbox.runners.errors import WRONG_INPUT_ERROR

RED, GREEN, BLUE, NEAR = "red", "green", "blue", "nir"
_NAMES: Mapping[str, Sequence[str]] = {
    RED: ("red", "r"),
    GREEN: ("green", "g"),
    BLUE: ("blue", "b"),
    NEAR: ("nir", "near infrared", "n"),
}
_COLOURS: Mapping[int, str] = {gdal.GCI_RedBand: RED, gdal.GCI_GreenBand: GREEN, gdal.GCI_BlueBand: BLUE}
_SAMPLE_SIDE = 384


def value_bands(dataset: Any) -> List[int]:
    """Numbers of the bands that are not transparency."""
    numbers = range(1, dataset.RasterCount + 1)
    return [n for n in numbers if dataset.GetRasterBand(n).GetColorInterpretation() != gdal.GCI_AlphaBand]


def colour_bands(dataset: Any, name: str) -> Dict[str, int]:
    """Numbers of red, green, blue and near infrared: by description, else by colour, else the first four.

    Raises:
        RunnerError: there are fewer than four bands.
    """
    numbers = value_bands(dataset)
    if len(numbers) < len(_NAMES):
        message = f"{name} has {len(numbers)} bands, red, green, blue and near infrared are needed"
        raise RunnerError(WRONG_INPUT_ERROR, message)
    found = dict(zip(_NAMES, numbers))
    for number in numbers:
        band = dataset.GetRasterBand(number)
        if band.GetColorInterpretation() in _COLOURS:
            found[_COLOURS[band.GetColorInterpretation()]] = number
    for number in numbers:
        description = dataset.GetRasterBand(number).GetDescription().lower()
        found.update({colour: number for colour, names in _NAMES.items() if description in names})
    return found


def window(dataset: Any, numbers: Sequence[int], place: Tuple[int, int, int, int]) -> Tuple[np.ndarray, np.ndarray]:
    """Values of bands (float32, bands x rows x columns) and where all of them have data."""
    values, known = [], np.ones((place[3], place[2]), bool)
    for number in numbers:
        band = dataset.GetRasterBand(number)
        read = rasters.read(band, *place).astype(np.float32)
        known &= (rasters.read(band.GetMaskBand(), *place) > 0) & np.isfinite(read)
        values.append(read)
    return np.stack(values), known


def strips(
    task: Task, dataset: Any, numbers: Sequence[int], margin: int = 0
) -> Iterator[Tuple[int, int, np.ndarray, np.ndarray]]:
    """First row, number of rows, values and known pixels of strips, each with up to ``margin`` rows more around it."""
    width, height = dataset.RasterXSize, dataset.RasterYSize
    for row, rows in grids.strips(width, height):
        task.check()
        above, below = max(row - margin, 0), min(row + rows + margin, height)
        yield row, rows, *window(dataset, numbers, (0, above, width, below - above))


def sample(dataset: Any, numbers: Sequence[int]) -> np.ndarray:
    """Values of pixels that lie evenly over the image (pixels x bands), without those that have no data."""
    width, height = min(dataset.RasterXSize, _SAMPLE_SIDE), min(dataset.RasterYSize, _SAMPLE_SIDE)
    values, known = [], np.ones((height, width), bool)
    with rasters.gdal_errors(WRONG_INPUT_ERROR, "The input raster cannot be read"):
        for number in numbers:
            band = dataset.GetRasterBand(number)
            read = band.ReadAsArray(buf_xsize=width, buf_ysize=height).astype(np.float32)
            known &= (band.GetMaskBand().ReadAsArray(buf_xsize=width, buf_ysize=height) > 0) & np.isfinite(read)
            values.append(read)
    return np.stack(values)[:, known].T
