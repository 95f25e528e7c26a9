"""Rasters of classes made from images: written strip by strip, small patches sieved away, one per feature."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator, List, Mapping, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.runners import cancelling, data_json, grids, images, rasters
from up42_plugin.sandbox.runners.contract import Task, Usage
from up42_plugin.sandbox.runners.errors import NO_OUTPUT_ERROR
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter

Strips = Iterator[Tuple[int, np.ndarray]]
_CONNECTED = 4


@dataclass(frozen=True)
class Classes:
    """A class raster to be: its strips (first row, rows x columns of uint8) and the value of pixels without data.

    Patches of fewer than ``sieve`` pixels become part of their largest neighbour. ``tags`` tell what the classes are.
    """

    strips: Strips
    nodata: int
    sieve: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


def run(task: Task, classify: Callable[[Any, Path], Classes], name: Callable[[data_json.Feature, Path], str]) -> Usage:
    """Make one uint8 raster per image of the task before, placed as the image is.

    ``classify`` takes the open image and its path, ``name`` the feature and the path and gives the new file's name.
    """
    features: List[data_json.Feature] = []
    square_km, pixels = 0.0, 0
    for source in data_json.read_source(task):
        path = images.multispectral_of(images.image_file(task, source))
        target = images.free_path(task.target, name(source, path))
        task.log("INFO", f"Classifying {path.name}")
        dataset = rasters.open_raster(path)
        _write(task, dataset, target, classify(dataset, path))
        pixels += dataset.RasterXSize * dataset.RasterYSize
        square_km += images.priced_km2(task, source)
        features.append(data_json.passed_on(source, target.name))
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def id_name(source: data_json.Feature, path: Path) -> str:
    """``<feature id>.tif``, as blocks by neural network name their files."""
    return f"{source.get('id') or path.stem}.tif"


def _write(task: Task, dataset: Any, target: Path, classes: Classes) -> None:
    width, height = dataset.RasterXSize, dataset.RasterYSize
    band = BandSpec("class", gdal.GCI_GrayIndex)
    spec = TiffSpec(width, height, (band,), "uint8", classes.nodata, tags=classes.tags)
    with TiffWriter(target, spec, like=dataset) as writer:
        strips = classes.strips if classes.sieve <= 1 else _sieved(task, classes, width, height)
        for row, values in strips:
            writer.write(1, values, row=row)


def _sieved(task: Task, classes: Classes, width: int, height: int) -> Strips:
    """The strips without small patches; the whole raster lies in a scratch file, not in memory."""
    with tempfile.TemporaryDirectory() as folder:
        what = "Small patches cannot be sieved"
        with rasters.gdal_errors(NO_OUTPUT_ERROR, what):
            driver = gdal.GetDriverByName("GTiff")
            scratch = driver.Create(str(Path(folder) / "classes.tif"), width, height, 1, gdal.GDT_Byte)
            band = scratch.GetRasterBand(1)
            band.SetNoDataValue(classes.nodata)
        for row, values in classes.strips:
            band.WriteArray(values, 0, row)
        with cancelling.watched(task.check, NO_OUTPUT_ERROR, what) as watch:
            gdal.SieveFilter(band, band.GetMaskBand(), band, classes.sieve, _CONNECTED, callback=watch)
        for row, rows in grids.strips(width, height):
            task.check()
            yield row, rasters.read(band, 0, row, width, rows)
        band = scratch = None  # the file cannot be deleted while it is open everywhere
