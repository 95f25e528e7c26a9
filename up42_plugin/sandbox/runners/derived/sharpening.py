"""Block ``sharpening``: an unsharp mask over all bands but alpha."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping, Optional

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.runners import data_json, grids, images, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR, WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.rasters import TiffSpec, TiffWriter

AMOUNTS: Mapping[str, float] = {"light": 0.5, "medium": 1.0, "strong": 2.0}
"""How much of what the blur takes away is added once more."""

_SIGMA_PIXELS = 1.2
_RADIUS = 4
_LEAST_SHARE = 1e-6


def run(task: Task) -> Usage:
    """Every file under its own name, same place, type and bands; alpha and pixels without data stay as they are."""
    strength = task.parameters.get("strength") or "medium"
    if strength not in AMOUNTS:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"strength must be one of {', '.join(AMOUNTS)}, not {strength!r}")
    features = []
    square_km, pixels = 0.0, 0
    for source in data_json.read_source(task):
        path = images.image_file(task, source)
        for file in images.files_of(path):
            task.log("INFO", f"Sharpening {file.name} ({strength})")
            pixels += _sharpen_file(task, file, AMOUNTS[strength])
        relative = source["properties"][data_json.DATA_PATH]
        features.append(data_json.passed_on(source, relative))
        square_km += images.priced_km2(task, source)
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def _sharpen_file(task: Task, path: Path, amount: float) -> int:
    """Write the sharpened file at the same place in the output folder; returns its number of pixels."""
    dataset = rasters.open_raster(path)
    bands = [dataset.GetRasterBand(number) for number in range(1, dataset.RasterCount + 1)]
    if not bands or gdal.DataTypeIsComplex(bands[0].DataType):
        raise RunnerError(WRONG_INPUT_ERROR, f"{path.name} has no bands of real numbers")
    width, height = dataset.RasterXSize, dataset.RasterYSize
    first = rasters.read(bands[0], 0, 0, 1, 1)
    spec = TiffSpec(width, height, rasters.band_specs(dataset), first.dtype.name, bands[0].GetNoDataValue())
    target = task.target / path.relative_to(task.source or path.parent)
    with TiffWriter(target, spec, like=dataset) as writer:
        for number, band in enumerate(bands, 1):
            if band.GetColorTable() is not None:
                writer.paint(number, band.GetColorTable())
            for row, rows in grids.strips(width, height):
                task.check()
                writer.write(number, _strip(band, row, rows, amount), row=row)
    return width * height


def _strip(band: Any, row: int, rows: int, amount: float) -> np.ndarray:
    """Sharpened rows of a band; alpha and class numbers (bands with a colour table) unchanged."""
    if band.GetColorInterpretation() == gdal.GCI_AlphaBand or band.GetColorTable() is not None:
        return rasters.read(band, 0, row, band.XSize, rows)
    top, bottom = max(0, row - _RADIUS), min(band.YSize, row + rows + _RADIUS)
    values = rasters.read(band, 0, top, band.XSize, bottom - top)
    known = rasters.read(band.GetMaskBand(), 0, top, band.XSize, bottom - top) > 0
    sharp = unsharp(values, known & np.isfinite(values), amount, band.GetNoDataValue())
    return sharp[row - top : row - top + rows]


def unsharp(values: np.ndarray, known: np.ndarray, amount: float, nodata: Optional[float] = None) -> np.ndarray:
    """Add ``amount`` times the difference to the blurred image, within the type's range.

    Pixels that are not ``known`` neither change nor count in the blur of others. A known pixel that would become
    ``nodata`` keeps its value.
    """
    work = np.float64 if values.dtype.itemsize > 2 else np.float32  # noqa: PLR2004 - bytes that float32 holds exactly
    plain = np.where(known, values, 0).astype(work)
    share = np.maximum(_blurred(known.astype(np.float32)), _LEAST_SHARE)
    sharp = plain + amount * (plain - _blurred(plain) / share)
    if values.dtype.kind in "iu":
        limits = np.iinfo(values.dtype)
        sharp = np.clip(np.rint(sharp), limits.min, limits.max)
    result = np.where(known, sharp.astype(values.dtype), values)
    return result if nodata is None else np.where(result == nodata, values, result)


def _blurred(values: np.ndarray) -> np.ndarray:
    """Gaussian blur; outside the image nothing counts."""
    steps = np.arange(-_RADIUS, _RADIUS + 1)
    kernel = np.exp(-0.5 * (steps / _SIGMA_PIXELS) ** 2)
    kernel = (kernel / kernel.sum()).astype(values.dtype)
    for axis in (0, 1):
        padding = [(_RADIUS, _RADIUS) if axis == a else (0, 0) for a in (0, 1)]
        padded = np.pad(values, padding)
        size = values.shape[axis]
        parts = [np.take(padded, np.arange(k, k + size), axis=axis) * w for k, w in enumerate(kernel)]
        values = np.add.reduce(parts)
    return values
