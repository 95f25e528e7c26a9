"""Block ``tiling``: images cut into tiles of one size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.runners import data_json, geojson_files, images, rasters
from up42_plugin.sandbox.runners.checked import whole_number
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import (
    INPUT_PARAMETERS_ERROR,
    NO_OUTPUT_ERROR,
    WRONG_INPUT_ERROR,
)
from up42_plugin.sandbox.runners.rasters import TiffSpec

MOST_TILES = 10_000
_OPAQUE = 255
_SLACK = 1e-3  # share of a pixel that grids of one kind may be off
_MOST_SIDE = 100_000
_FORBIDDEN = {*'/\\:*?"<>|', *map(chr, range(32))}

Window = Tuple[int, int, int, int]


@dataclass(frozen=True)
class Cut:
    """One tile of an image's lattice: the numbers in its name, and its window in pixels of the lattice."""

    column: int
    row: int
    offset: int
    window: Window


@dataclass(frozen=True)
class Image:
    """An open image and where it lies in the lattice: how many pixels right of its corner, and below."""

    source: data_json.Feature
    path: Path
    dataset: Any
    right: int
    below: int

    def window(self, cut: Cut) -> Window:
        """The tile in the image's own pixels; it may reach over the image's edges."""
        column, row, width, height = cut.window
        return column - self.right, row - self.below, width, height


@dataclass(frozen=True)
class Plan:
    """The task's parameters, checked."""

    width: int
    height: int
    offsets: int
    prefix: str
    discard: bool
    nodata: Optional[float]
    match: bool


def run(task: Task) -> Usage:
    """Files ``<stem>/<prefix or stem>_<i>-<j>.tif``: column and row from 0; those of an offset end with its number.

    Tiles at the right and lower edge are filled with nodata. ``match_extents`` gives all images the same tiles, filled
    with 0 (opaque) where an image has no pixels.
    """
    plan = _plan(task.parameters)
    opened = _images(task, match=plan.match)
    features: List[data_json.Feature] = []
    pixels = 0
    for group in [opened] if plan.match else [[image] for image in opened]:
        cuts = _cuts(plan, group)
        task.log("INFO", f"Cutting {len(group)} images into {len(cuts)} tiles each")
        for cut in cuts:
            task.check()
            if plan.discard and not any(_has_data(image, cut, plan.nodata) for image in group):
                continue
            for image in group:
                features.append(_tile(task, plan, image, cut))
                pixels += plan.width * plan.height
    if not features:
        raise RunnerError(NO_OUTPUT_ERROR, "All tiles are empty")
    data_json.write(task, features)
    sources = data_json.read_source(task)
    square_km = sum(images.priced_km2(task, source) for source in sources)
    return Usage(square_km, len(sources), data_json.output_bytes(task), pixels)


def _plan(parameters: Mapping[str, Any]) -> Plan:
    prefix = str(parameters.get("output_prefix") or "")
    if _FORBIDDEN & set(prefix) or prefix.startswith("."):
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"output_prefix {prefix!r} cannot begin a file's name")
    width, height = (whole_number(parameters, name, 1, _MOST_SIDE) for name in ("tile_width", "tile_height"))
    offsets = whole_number(parameters, "augmentation_factor", 1, _MOST_SIDE)
    if offsets > min(width, height):
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"augmentation_factor {offsets} is larger than a tile")
    discard, nodata = parameters.get("discard_empty_tiles", True), parameters.get("nodata")
    match = bool(parameters.get("match_extents"))
    return Plan(width, height, offsets, prefix, bool(discard), None if nodata is None else float(nodata), match)


def _images(task: Task, *, match: bool) -> List[Image]:
    """All input images; those to be matched with their places in a lattice over all of them."""
    found = []
    for source in data_json.read_source(task):
        path = images.image_file(task, source)
        for file in images.files_of(path):
            found.append(Image(source, file, rasters.open_raster(file), 0, 0))
    return _placed(found) if match else found


def _placed(found: Sequence[Image]) -> List[Image]:
    all_grids = [images.grid_of(image.dataset) for image in found]
    first = all_grids[0]
    left, top = min(grid.left for grid in all_grids), max(grid.top for grid in all_grids)
    placed = []
    for image, grid in zip(found, all_grids):
        if grid.epsg != first.epsg or abs(grid.pixel / first.pixel - 1) > _SLACK / max(grid.width, grid.height):
            raise RunnerError(
                WRONG_INPUT_ERROR, f"match_extents needs images of one CRS and pixel size, {image.path.name} differs"
            )
        right, below = round((grid.left - left) / grid.pixel), round((top - grid.top) / grid.pixel)
        placed.append(Image(image.source, image.path, image.dataset, right, below))
    return placed


def _cuts(plan: Plan, group: Sequence[Image]) -> List[Cut]:
    """All tiles of a lattice over a group of images; those of every offset begin that part of a tile further."""
    width = max(image.right + image.dataset.RasterXSize for image in group)
    height = max(image.below + image.dataset.RasterYSize for image in group)
    number = math.ceil(width / plan.width) * math.ceil(height / plan.height) * plan.offsets
    if number > MOST_TILES:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"{number} tiles are too many, the most are {MOST_TILES}")
    return list(_lattice(plan, width, height))


def _lattice(plan: Plan, width: int, height: int) -> Iterator[Cut]:
    for offset in range(plan.offsets):
        right, below = plan.width * offset // plan.offsets, plan.height * offset // plan.offsets
        for row, top in enumerate(range(below, height, plan.height)):
            for column, left in enumerate(range(right, width, plan.width)):
                yield Cut(column, row, offset, (left, top, plan.width, plan.height))


def _inside(image: Image, cut: Cut) -> Optional[Window]:
    """The part of a tile within the image, in its pixels; None when there is none."""
    column, row, width, height = image.window(cut)
    right, lower = min(column + width, image.dataset.RasterXSize), min(row + height, image.dataset.RasterYSize)
    column, row = max(column, 0), max(row, 0)
    return (column, row, right - column, lower - row) if right > column and lower > row else None


def _has_data(image: Image, cut: Cut, nodata: Optional[float]) -> bool:
    """Whether a tile has more than nodata: by ``nodata`` where it is given, else by the image's alpha or nodata."""
    window = _inside(image, cut)
    if window is None:
        return False
    for number in range(1, image.dataset.RasterCount + 1):
        band = image.dataset.GetRasterBand(number)
        if band.GetColorInterpretation() == gdal.GCI_AlphaBand:
            if rasters.read(band, *window).any():
                return nodata is None or _differs(image, window, nodata)
            return False
    if nodata is not None:
        return _differs(image, window, nodata)
    return bool(rasters.read(image.dataset.GetRasterBand(1).GetMaskBand(), *window).any())


def _differs(image: Image, window: Window, nodata: float) -> bool:
    bands = [image.dataset.GetRasterBand(number) for number in range(1, image.dataset.RasterCount + 1)]
    return any(
        bool((rasters.read(band, *window) != nodata).any())
        for band in bands
        if band.GetColorInterpretation() != gdal.GCI_AlphaBand
    )


def _tile(task: Task, plan: Plan, image: Image, cut: Cut) -> data_json.Feature:
    """Write one tile; returns its feature."""
    folder = image.path.relative_to(task.source or image.path.parent).with_suffix("")
    number = f"_{cut.offset}" if cut.offset else ""
    relative = folder / f"{plan.prefix or image.path.stem}_{cut.column}-{cut.row}{number}.tif"
    _write(task.target / relative, plan, image, cut)
    properties = data_json.provider_properties(image.source)
    data_path = relative.as_posix()
    geometry, bbox = image.source["geometry"], image.source.get("bbox")
    dataset = image.dataset
    if dataset.GetProjection() and dataset.GetGeoTransform(can_return_null=True):
        column, row, width, height = image.window(cut)
        corners = [(column, row + height), (column + width, row + height), (column + width, row), (column, row)]
        geometry, bbox = _outline(dataset, corners), None
    return data_json.feature(image.source.get("id"), geometry, properties, data_path, bbox)


def _outline(dataset: Any, corners: Sequence[Tuple[int, int]]) -> Dict[str, Any]:
    """Positions in pixels, in order, as a polygon in degrees."""
    transform, reference = dataset.GetGeoTransform(), geojson_files.reference_of(dataset.GetProjection())
    points = [gdal.ApplyGeoTransform(transform, *corner) for corner in corners]
    shape = geojson_files.shape({"type": "Polygon", "coordinates": [[*points, points[0]]]})
    shape.Transform(geojson_files.to_degrees(reference))
    return geojson_files.as_json(shape)


def _write(path: Path, plan: Plan, image: Image, cut: Cut) -> None:
    """GDAL cuts: place, RPC, colour tables and tags go along."""
    dataset = image.dataset
    dtype = rasters.read(dataset.GetRasterBand(1), 0, 0, 1, 1).dtype.name
    spec = TiffSpec(plan.width, plan.height, rasters.band_specs(dataset), dtype)
    options: Dict[str, Any] = {"srcWin": list(image.window(cut)), "creationOptions": rasters.creation_options(spec)}
    if plan.nodata is not None and not _alpha(dataset):
        options["noData"] = plan.nodata
    with rasters.gdal_errors(NO_OUTPUT_ERROR, f"{path.name} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        tile = gdal.Translate(str(path), dataset, **options)
        if tile is None:
            raise RuntimeError(gdal.GetLastErrorMsg())
        alpha = _alpha(tile)
        if plan.match and alpha is not None:
            _fill(alpha, image, cut)
        tile.FlushCache()
        del tile


def _alpha(dataset: Any) -> Any:
    for number in range(1, dataset.RasterCount + 1):
        if dataset.GetRasterBand(number).GetColorInterpretation() == gdal.GCI_AlphaBand:
            return dataset.GetRasterBand(number)
    return None


def _fill(alpha: Any, image: Image, cut: Cut) -> None:
    """Make opaque what lies outside the image, as the service does."""
    values = np.full((alpha.YSize, alpha.XSize), _OPAQUE, np.uint8)
    inside = _inside(image, cut)
    if inside is not None:
        column, row, _, _ = image.window(cut)
        top, left = inside[1] - row, inside[0] - column
        kept = rasters.read(alpha, left, top, inside[2], inside[3])
        values[top : top + inside[3], left : left + inside[2]] = kept
    alpha.WriteArray(values)
