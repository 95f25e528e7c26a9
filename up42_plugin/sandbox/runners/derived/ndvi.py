"""Block ``ndvi``: the normalised difference vegetation index of Pléiades and SPOT images."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, List, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.runners import data_json, grids, images, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter

NODATA = -9999.0
_END = "_ndvi.tif"
_RED, _NEAR = 1, 4
_NAMES = {"red": ("red", "r"), "nir": ("nir", "near infrared", "n")}


def run(task: Task) -> Usage:
    """One float32 file of -1..1 per image (nodata -9999) with the image's place, RPC included.

    ``output_original_raster`` puts the image itself beside it, as a feature of its own.
    """
    features: List[data_json.Feature] = []
    square_km, pixels, scenes = 0.0, 0, 0
    for source in data_json.read_source(task):
        path = images.multispectral_of(images.image_file(task, source))
        target = images.free_path(task.target, _result_name(path))
        task.log("INFO", f"Computing {target.name} from {path.name}")
        pixels += _write(task, path, target)
        features.append(data_json.passed_on(source, target.name))
        scenes += 1
        square_km += images.priced_km2(task, source)
        if task.parameters.get("output_original_raster"):
            original = images.free_path(task.target, path.name)
            shutil.copyfile(path, original)
            features.append(data_json.passed_on(source, original.name))
    data_json.write(task, features)
    return Usage(square_km, scenes, data_json.output_bytes(task), pixels)


def _result_name(path: Path) -> str:
    stem = path.name[: -len(images.MS_END)] if path.name.endswith(images.MS_END) else path.stem
    return stem + _END


def _write(task: Task, path: Path, target: Path) -> int:
    dataset = rasters.open_raster(path)
    red, near = _bands(dataset, path.name)
    width, height = dataset.RasterXSize, dataset.RasterYSize
    spec = TiffSpec(width, height, (BandSpec("ndvi", gdal.GCI_GrayIndex),), "float32", NODATA)
    with TiffWriter(target, spec, like=dataset) as writer:
        for row, rows in grids.strips(width, height):
            task.check()
            window = (0, row, width, rows)
            known = rasters.read(red.GetMaskBand(), *window) > 0
            known &= rasters.read(near.GetMaskBand(), *window) > 0
            writer.write(1, index(rasters.read(red, *window), rasters.read(near, *window), known), row=row)
    return width * height


def _bands(dataset: Any, name: str) -> Tuple[Any, Any]:
    """The red and the near infrared band: by their descriptions, else the first and the fourth."""
    if dataset.RasterCount < _NEAR:
        raise RunnerError(
            WRONG_INPUT_ERROR, f"{name} has {dataset.RasterCount} bands, red and near infrared are needed"
        )
    found = {}
    for number in range(1, dataset.RasterCount + 1):
        description = dataset.GetRasterBand(number).GetDescription().lower()
        for meaning, names in _NAMES.items():
            if description in names:
                found[meaning] = number
    return dataset.GetRasterBand(found.get("red", _RED)), dataset.GetRasterBand(found.get("nir", _NEAR))


def index(red: np.ndarray, near: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(near - red) / (near + red) as float32; ``NODATA`` where nothing is known or both are 0."""
    total = near.astype(np.float32) + red
    usable = known & (total > 0)
    values = (near.astype(np.float32) - red) / np.where(usable, total, 1)
    return np.where(usable, np.clip(values, -1, 1), NODATA).astype(np.float32)
