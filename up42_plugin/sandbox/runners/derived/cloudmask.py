"""Block ``oneatlas-cloudmask``: Pléiades and SPOT images whose alpha band tells clouds from clear ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Tuple

import numpy as np
from osgeo import gdal, ogr, osr

from up42_plugin.sandbox import display
from up42_plugin.sandbox.geodesy import METRES_PER_DEGREE
from up42_plugin.sandbox.runners import data_json, grids, images, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import NO_OUTPUT_ERROR, WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.scenes.pleiades_primary import SCALE

NO_DATA, CLOUD, CLEAR = 0, 1, 255
"""Values of the alpha band."""

_CELL_M = 16.0  # roofs are smaller than the two cells that a cloud is at least
_BRIGHT, _WHITE = 0.27, 0.35  # least blue reflectance; most difference of the colours, as a share of the brightest
_ALPHA = BandSpec("alpha", gdal.GCI_AlphaBand)


def run(task: Task) -> Usage:
    """``<stem>.tif`` with the input's bands and alpha, and the clouds' outlines in ``<stem>.gml``."""
    features: List[data_json.Feature] = []
    square_km, pixels = 0.0, 0
    for source in data_json.read_source(task):
        path = images.multispectral_of(images.image_file(task, source))
        target = task.target / path.relative_to(task.source or path.parent)
        dataset = rasters.open_raster(path)
        clouds = _clouds(dataset, path.name)
        task.log("INFO", f"{path.name}: {100 * clouds.mean():.1f} % of the image are cloudy")
        _write(task, dataset, clouds, target)
        _write_outlines(dataset, clouds, target.with_suffix(".gml"))
        relative = target.relative_to(task.target).as_posix()
        features.append(data_json.passed_on(source, relative))
        square_km += images.priced_km2(task, source)
        pixels += dataset.RasterXSize * dataset.RasterYSize
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def _colours(dataset: Any, name: str) -> List[Any]:
    """The red, green and blue band, the first three where none is marked."""
    marks = [gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand]
    specs = [spec.colour for spec in rasters.band_specs(dataset)]
    if len(specs) < len(marks):
        raise RunnerError(WRONG_INPUT_ERROR, f"{name} has {len(specs)} bands, red, green and blue are needed")
    numbers = [specs.index(mark) if mark in specs else place for place, mark in enumerate(marks)]
    return [dataset.GetRasterBand(number + 1) for number in numbers]


def _clouds(dataset: Any, name: str) -> np.ndarray:
    """Which cells (rows x columns of bool) of about 16 m are cloudy: bright, white, and no single ones."""
    colours = _colours(dataset, name)
    width, height = _cells(dataset)
    values = np.stack([rasters.read_averaged(band, (width, height)) for band in colours])
    reflectance = display.reflectance_of(values) if values.dtype == np.uint8 else values / np.float32(SCALE)
    brightest = np.maximum(reflectance.max(axis=0), 1e-6)
    bright = (reflectance[2] > _BRIGHT) & ((brightest - reflectance.min(axis=0)) / brightest < _WHITE)
    return _grown(_shrunk(bright))


def _cells(dataset: Any) -> Tuple[int, int]:
    transform = dataset.GetGeoTransform(can_return_null=True)
    pixel = abs(transform[1]) if transform else 1.0
    if transform and osr.SpatialReference(wkt=dataset.GetProjection()).IsGeographic():
        pixel *= METRES_PER_DEGREE
    factor = max(1, round(_CELL_M / pixel))
    return max(1, dataset.RasterXSize // factor), max(1, dataset.RasterYSize // factor)


def _shrunk(cells: np.ndarray) -> np.ndarray:
    """Cells whose neighbours are all set; what lies outside counts as set."""
    padded = np.pad(cells, 1, constant_values=True)
    rows, columns = cells.shape
    return np.logical_and.reduce([padded[r : r + rows, c : c + columns] for r in range(3) for c in range(3)])


def _grown(cells: np.ndarray) -> np.ndarray:
    """Cells and those around them, two wide: clouds have soft edges."""
    rows, columns = cells.shape
    padded = np.pad(cells, 2)
    return np.logical_or.reduce([padded[r : r + rows, c : c + columns] for r in range(5) for c in range(5)])


def _write(task: Task, dataset: Any, clouds: np.ndarray, target: Path) -> None:
    width, height = dataset.RasterXSize, dataset.RasterYSize
    kept = [number for number, spec in enumerate(rasters.band_specs(dataset), 1) if spec.colour != gdal.GCI_AlphaBand]
    bands = [dataset.GetRasterBand(number) for number in kept]
    specs = tuple(rasters.band_specs(dataset)[number - 1] for number in kept)
    dtype = rasters.read(bands[0], 0, 0, 1, 1).dtype.name
    columns = np.arange(width) * clouds.shape[1] // width
    with TiffWriter(target, TiffSpec(width, height, (*specs, _ALPHA), dtype, None), like=dataset) as writer:
        for row, rows in grids.strips(width, height):
            task.check()
            for number, band in enumerate(bands, 1):
                writer.write(number, rasters.read(band, 0, row, width, rows), row=row)
            known = rasters.read(bands[0].GetMaskBand(), 0, row, width, rows) > 0
            lines = np.arange(row, row + rows) * clouds.shape[0] // height
            alpha = np.where(clouds[lines][:, columns], CLOUD, CLEAR)
            writer.write(len(bands) + 1, np.where(known, alpha, NO_DATA).astype(dtype), row=row)


def _write_outlines(dataset: Any, clouds: np.ndarray, path: Path) -> None:
    """The clouds as polygons in the image's CRS (of its pixels where it has none). Reading them back adds ``.gfs``."""
    mask = rasters.memory_raster([clouds.astype(np.uint8)])
    transform = dataset.GetGeoTransform(can_return_null=True) or (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    across, down = dataset.RasterXSize / clouds.shape[1], dataset.RasterYSize / clouds.shape[0]
    scaled = [value * (across if place in (1, 4) else down) for place, value in enumerate(transform)]
    mask.SetGeoTransform([transform[0], scaled[1], scaled[2], transform[3], scaled[4], scaled[5]])
    reference = osr.SpatialReference(wkt=dataset.GetProjection()) if dataset.GetProjection() else None
    with rasters.gdal_errors(NO_OUTPUT_ERROR, f"{path.name} cannot be written"):
        source = ogr.GetDriverByName("GML").CreateDataSource(str(path), ["XSISCHEMA=OFF"])
        layer = source.CreateLayer("clouds", reference, ogr.wkbPolygon)
        layer.CreateField(ogr.FieldDefn("cloud", ogr.OFTInteger))
        gdal.Polygonize(mask.GetRasterBand(1), mask.GetRasterBand(1), layer, 0)
        del layer, source
        read = ogr.Open(str(path))
        del read
