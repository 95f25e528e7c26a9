"""Block ``s2-superresolution``: all bands of a Sentinel-2 scene on a grid of 10 m, from the SAFE of the task before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np
from osgeo import gdal, osr

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import spatial_reference
from up42_plugin.sandbox.runners import clipping, data_json, grids, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.derived import detail
from up42_plugin.sandbox.runners.errors import NO_OUTPUT_ERROR, WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.scenes import sentinel2

ORIGINAL_BANDS = ("B4", "B3", "B2", "B8")
NEW_BANDS = ("B5", "B6", "B7", "B8A", "B11", "B12", "B1", "B9")
MINIMUM_PIXELS = 192
_PIXEL_M = 10
_STEP_M = 60.0
_COLOURS = {"B4": gdal.GCI_RedBand, "B3": gdal.GCI_GreenBand, "B2": gdal.GCI_BlueBand}
_METADATA = re.compile(r"MTD_MSIL(1C|2A)\.xml")
_WAVELENGTHS = {sentinel2.short_name(name): band.wavelength for name, band in sentinel2.BANDS.items()}
_RESOLUTIONS = {sentinel2.short_name(name): band.pixel for name, band in sentinel2.BANDS.items()}


@dataclass(frozen=True)
class SafeBands:
    """The bands of an open product: resolution (m) -> dataset, band name -> number, and the 10 m grid of all."""

    datasets: Mapping[int, Any]
    numbers: Mapping[str, int]
    grid: Grid
    tags: Mapping[str, str]

    def read(self, band: str, column: int, row: int, width: int, height: int) -> np.ndarray:
        """A window given in pixels of 10 m that lies on whole pixels of the band."""
        pixel = _RESOLUTIONS[band]
        factor = pixel // _PIXEL_M
        source = self.datasets[pixel].GetRasterBand(self.numbers[band])
        return rasters.read(source, column // factor, row // factor, width // factor, height // factor)


@dataclass(frozen=True)
class Cut:
    """Where to compute and what to keep: windows in pixels of 10 m, and which pixels to keep (None: all)."""

    work: Tuple[int, int, int, int]
    keep: Tuple[int, int, int, int]
    area: Optional[Mapping[str, Any]]


def run(task: Task) -> Usage:
    """One uint16 file per product: 4 original bands (``copy_original_bands``) and 8 new ones, nodata 0.

    With ``clip_to_aoi`` the file is cut to the polygon of the task's one geometric filter, or to the data task's area.
    """
    area = clipping.clip_area(task)
    features = []
    square_km, pixels = 0.0, 0
    for source in data_json.read_source(task):
        task.check()
        path = data_json.source_path(task, source)
        name = f"{path.stem if path.is_file() else path.name}_superresolution.tif"
        properties = data_json.provider_properties(source)
        product = _open_product(path)
        cut = _cut(product.grid, area)
        if cut is None:
            task.log("WARNING", f"{path.name} does not meet the area and is left out")
            continue
        task.log("INFO", f"Computing {name}")
        tags = {**product.tags, **data_json.synthetic_tags(properties)}
        grid = _write(task, product, cut, tags, task.target / name)
        features.append(data_json.feature(source.get("id"), grids.outline(grid), properties, name))
        square_km += grids.square_km(grid)
        pixels += grid.width * grid.height
    if not features:
        raise RunnerError(NO_OUTPUT_ERROR, "No input image meets the area")
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def _open_product(path: Path) -> SafeBands:
    """Open the bands of the product at or below a path.

    Raises:
        RunnerError: there is no Sentinel-2 product.
    """
    found = [path] if path.is_file() else sorted(p for p in path.rglob("MTD_MSIL*.xml") if _METADATA.fullmatch(p.name))
    if not found:
        raise RunnerError(WRONG_INPUT_ERROR, f"{path.name} holds no Sentinel-2 product in SAFE format")
    product = rasters.open_raster(found[0])
    datasets: Dict[int, Any] = {}
    numbers: Dict[str, int] = {}
    for name, _ in product.GetSubDatasets():
        resolution = re.search(r":(10|20|60)m:", name)
        if resolution:
            pixel = int(resolution.group(1))
            datasets[pixel] = rasters.open_raster(name)
            numbers.update(_numbers(datasets[pixel]))
    missing = [band for band in ORIGINAL_BANDS + NEW_BANDS if band not in numbers]
    if missing:
        raise RunnerError(WRONG_INPUT_ERROR, f"{found[0].parent.name} lacks {', '.join(missing)}")
    return SafeBands(datasets, numbers, _grid_of(datasets[_PIXEL_M]), _tags(found[0], product))


def _numbers(dataset: Any) -> Dict[str, int]:
    bands = range(1, dataset.RasterCount + 1)
    return {str(dataset.GetRasterBand(number).GetMetadataItem("BANDNAME")): number for number in bands}


def _grid_of(dataset: Any) -> Grid:
    reference = osr.SpatialReference(wkt=dataset.GetProjection())
    code = reference.GetAuthorityCode(None)
    left, _, _, top, _, _ = dataset.GetGeoTransform()
    if code is None:
        raise RunnerError(WRONG_INPUT_ERROR, "The product does not say in which CRS it is")
    spatial_reference(int(code))
    return Grid(int(code), left, top, float(_PIXEL_M), dataset.RasterXSize, dataset.RasterYSize)


def _tags(metadata: Path, product: Any) -> Dict[str, str]:
    """What the result says about its source: name and time."""
    tags = {"SCENE_ID": metadata.parent.name.partition(".")[0]}
    start = str(product.GetMetadataItem("PRODUCT_START_TIME") or "")
    if start:
        tags["TIFFTAG_DATETIME"] = start[:19].replace("-", ":").replace("T", " ")
    return tags


def _cut(grid: Grid, area: Optional[Mapping[str, Any]]) -> Optional[Cut]:
    """Windows for an area: the smallest of at least 192 x 192 pixels to compute, on whole pixels of 60 m."""
    whole = (0, 0, grid.width, grid.height)
    if area is None:
        return Cut(whole, whole, None)
    kept = grids.window_over(grid, area, _PIXEL_M)
    if kept is None:
        return None
    step = int(_STEP_M) // _PIXEL_M
    column, row = round((kept.left - grid.left) / _PIXEL_M), round((grid.top - kept.top) / _PIXEL_M)
    first_column, width = _padded(column, kept.width, grid.width, step)
    first_row, height = _padded(row, kept.height, grid.height, step)
    return Cut((first_column, first_row, width, height), (column, row, kept.width, kept.height), area)


def _padded(first: int, count: int, limit: int, step: int) -> Tuple[int, int]:
    """A span widened on both sides to the minimum and to what the detail depends on, on whole steps within 0..limit."""
    margin = max(detail.OVERLAP * step, -(-(MINIMUM_PIXELS - count) // 2))
    start = max(0, (first - margin) // step * step)
    end = min(limit // step * step, -(-(first + count + margin) // step) * step)
    if end - start < MINIMUM_PIXELS:
        start = max(0, end - MINIMUM_PIXELS)
        end = min(limit // step * step, start + MINIMUM_PIXELS)
    return start, end - start


def _write(task: Task, product: SafeBands, cut: Cut, tags: Mapping[str, str], path: Path) -> Grid:
    grid = grids.part_of(product.grid, *cut.keep)
    originals = ORIGINAL_BANDS if task.parameters.get("copy_original_bands", True) else ()
    labels = [BandSpec(_label(band), _COLOURS.get(band, gdal.GCI_Undefined)) for band in originals]
    labels += [BandSpec(f"SR {_label(band)}") for band in NEW_BANDS]
    spec = TiffSpec(grid.width, grid.height, tuple(labels), "uint16", grid=grid, tags=tags)
    keep = None if cut.area is None else grids.mask(cut.area, grid)
    fine = np.stack([product.read(band, *cut.work) for band in ORIGINAL_BANDS])
    with TiffWriter(path, spec) as writer:
        for number, values in enumerate(fine[: len(originals)], 1):
            _keep(writer, number, values, cut, keep)
        for number, band in enumerate(NEW_BANDS, len(originals) + 1):
            _keep(writer, number, _finer(task, product, band, fine, cut), cut, keep)
    return grid


def _label(band: str) -> str:
    return f"{band} ({_WAVELENGTHS[band]} nm)"


def _keep(writer: TiffWriter, number: int, values: np.ndarray, cut: Cut, mask: Optional[np.ndarray]) -> None:
    """Write the part of the computed window that is kept, 0 outside the area."""
    column, row = cut.keep[0] - cut.work[0], cut.keep[1] - cut.work[1]
    part = values[row : row + cut.keep[3], column : column + cut.keep[2]]
    writer.write(number, part if mask is None else np.where(mask, part, 0).astype(part.dtype))


def _finer(task: Task, product: SafeBands, band: str, fine: np.ndarray, cut: Cut) -> np.ndarray:
    """A band of 20 or 60 m on the 10 m grid of the computed window (uint16), strip by strip."""
    factor = _RESOLUTIONS[band] // _PIXEL_M
    coarse = product.read(band, *cut.work).astype(np.float32)
    weights = detail.weights_for(coarse, fine, factor)
    out = np.empty(fine.shape[1:], np.uint16)
    for first, count in grids.strips(coarse.shape[1], coarse.shape[0], pixels=grids.STRIP_PIXELS // factor**2):
        task.check()
        top, bottom = max(0, first - detail.OVERLAP), min(coarse.shape[0], first + count + detail.OVERLAP)
        window = fine[:, top * factor : bottom * factor].astype(np.float32)
        values = detail.sharpened(coarse[top:bottom], window, weights, factor)
        kept = values[(first - top) * factor : (first - top + count) * factor]
        out[first * factor : (first + count) * factor] = np.clip(np.rint(kept), 0, np.iinfo(np.uint16).max)
    return out
