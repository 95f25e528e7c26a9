"""What processing blocks share: the image files of a feature, and the area that counts for the price."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Mapping

from osgeo import osr

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.runners import data_json, grids
from up42_plugin.sandbox.runners.contract import RunnerError, Task
from up42_plugin.sandbox.runners.errors import WRONG_INPUT_ERROR

_SQUARE = 1e-6  # share of a pixel by which its sides may differ

PAN_END, MS_END = "_pan.tif", "_ms.tif"


def image_file(task: Task, source: data_json.Feature) -> Path:
    """The raster file that a feature points to.

    Raises:
        RunnerError: it points to a folder or to nothing.
    """
    path = data_json.source_path(task, source)
    if not path.is_file():
        raise RunnerError(WRONG_INPUT_ERROR, f"{path.name} is a folder, this block works with single GeoTIFF files")
    return path


def free_path(folder: Path, name: str) -> Path:
    """The path for a name; with a number when there is one already: tiles of two images may share a name."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}_{number}{Path(name).suffix}"
    return path


def multispectral_of(path: Path) -> Path:
    """The colour file beside a panchromatic one (``_ms.tif`` for ``_pan.tif``); the path itself where there is none."""
    if path.name.endswith(PAN_END):
        beside = path.with_name(path.name[: -len(PAN_END)] + MS_END)
        if beside.is_file():
            return beside
    return path


def files_of(path: Path) -> List[Path]:
    """The file that a feature points to, and the one that belongs to it."""
    multispectral = multispectral_of(path)
    return [path] if multispectral == path else [path, multispectral]


def priced_km2(task: Task, source: Mapping[str, Any]) -> float:
    """Square kilometres of the data task's area within a feature; margins around the area are free."""
    geometry = source.get("geometry")
    if task.geometry is None or not geometry:
        return 0.0
    return grids.shared_km2(task.geometry, geometry)


def grid_of(dataset: Any) -> Grid:
    """The pixels of an open north-up raster.

    Raises:
        RunnerError: it is turned, its pixels are no squares, or its CRS has no EPSG code.
    """
    transform = dataset.GetGeoTransform(can_return_null=True)
    code = osr.SpatialReference(wkt=dataset.GetProjection()).GetAuthorityCode(None) if dataset.GetProjection() else None
    if transform is None or code is None:
        raise RunnerError(WRONG_INPUT_ERROR, "The input image does not say where it lies on the map")
    left, width, turned, top, skewed, height = transform
    if turned or skewed or abs(width + height) > _SQUARE * width:
        raise RunnerError(WRONG_INPUT_ERROR, "The input image has no square pixels with north up")
    return Grid(int(code), left, top, width, dataset.RasterXSize, dataset.RasterYSize)
