"""Tiles of one image: found by their names, and taken for tiles only when they fit together.

Rasters by their pixels; vectors, made from tiles one by one, by their CRS.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from osgeo import gdal

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, open_raster
from up42_plugin.core.imagery.opening import Opening, OpeningKind
from up42_plugin.core.manifest import OutputItem

_ENDING = r"(?P<ending>(?:_[A-Za-z]\w*)?)$"
_NAMES = (
    re.compile(rf"^(?P<image>.+?)_\d{{1,3}}-\d{{1,3}}{_ENDING}"),
    re.compile(rf"^(?P<image>.+?)[_-]R\d{{1,3}}C\d{{1,3}}{_ENDING}", re.IGNORECASE),
)
_FEWEST = 2
_SLACK = 2  # decimals of a pixel

GridKey = Tuple[Any, ...]
Group = List[Opening]


@dataclass(frozen=True)
class Grid:
    """Where something lies. ``key`` is equal for what fits together as it is, ``origin`` is that of one tile only."""

    key: GridKey
    origin: Any


def image_of_tile(stem: str) -> str:
    """``scene_0-1`` as ``scene``, ``scene_0-1_ndvi`` as ``scene_ndvi``; empty for a name that is no tile's."""
    for pattern in _NAMES:
        found = pattern.match(stem)
        if found is not None:
            return found.group("image") + found.group("ending")
    return ""


def joined_tiles(openings: Sequence[Opening], context: JobContext) -> Tuple[Opening, ...]:
    """The openings with the tiles of each image joined to one per grid (or CRS), in the place of its first tile.

    Looks into each tile. Images of different times stay apart, and so do rasters that lie on top of each other.
    """
    groups: Dict[Any, Group] = {}
    for opening in openings:
        joinable = opening.kind is OpeningKind.VECTOR or (opening.kind is OpeningKind.RASTER and not opening.part)
        image = image_of_tile(opening.stem) if joinable else ""
        if image:
            key = (opening.path.parent, image, opening.path.suffix.lower(), opening.item.acquired)
            groups.setdefault(key, []).append(opening)
    stands_for: Dict[Path, Optional[Opening]] = {}
    for (_, image, _, _), members in groups.items():
        for tiles in _fitting(members, context):
            stands_for.update(dict.fromkeys((tile.path for tile in tiles), None))
            stands_for[tiles[0].path] = _joined(image, tiles)
    chosen = [stands_for.get(opening.path, opening) for opening in openings]
    return tuple(opening for opening in chosen if opening is not None)


def _joined(image: str, tiles: Group) -> Opening:
    first = tiles[0]
    kind = OpeningKind.MOSAIC if first.kind is OpeningKind.RASTER else first.kind
    return replace(first, kind=kind, name=image, part="", tiles=tuple(tiles), item=_common_item(tiles))


def _common_item(tiles: Sequence[Opening]) -> OutputItem:
    """The first tile's item; its outline and box are not the mosaic's."""
    first = tiles[0].item
    return first if all(tile.item is first for tile in tiles) else replace(first, geometry=None, bbox=None)


def _fitting(members: Group, context: JobContext) -> List[Group]:
    """Members that fit together, two or more."""
    if len(members) < _FEWEST:
        return []
    by_grid: Dict[GridKey, List[Tuple[Grid, Opening]]] = {}
    for member in members:
        context.check()
        grid = grid_of(member.path) if member.kind is OpeningKind.RASTER else _crs_of(member.path)
        if grid is not None:
            by_grid.setdefault(grid.key, []).append((grid, member))
    return [
        [member for _, member in found]
        for found in by_grid.values()
        if len(found) >= _FEWEST and len({grid.origin for grid, _ in found}) == len(found)
    ]


def grid_of(path: Path) -> Optional[Grid]:
    """The grid of a raster that lies north up; None for any other, and for one that cannot be read."""
    try:
        dataset = open_raster(path)
    except RasterError:
        return None
    left, width, skew, top, other_skew, height = dataset.GetGeoTransform()
    reference = dataset.GetProjection()
    if skew or other_skew or not width or not height or not reference or not dataset.RasterCount:
        return None
    bands = [dataset.GetRasterBand(index) for index in range(1, dataset.RasterCount + 1)]
    shift = tuple(round(value % 1.0, _SLACK) % 1.0 for value in (left / width, top / height))
    scale = (float(f"{width:.9g}"), float(f"{height:.9g}"))
    types = tuple((band.DataType, band.GetNoDataValue(), band.GetColorInterpretation()) for band in bands)
    return Grid((reference, scale, shift, types), (left, top))


def _crs_of(path: Path) -> Optional[Grid]:
    """A vector file with one layer, by its CRS; None for others."""
    try:
        source = gdal_call(gdal.OpenEx, str(path), gdal.OF_VECTOR | gdal.OF_READONLY, what=path.name)
    except RasterError:
        return None
    if source.GetLayerCount() != 1:
        return None
    reference = source.GetLayer(0).GetSpatialRef()
    return Grid((reference.ExportToWkt() if reference is not None else "",), path)
