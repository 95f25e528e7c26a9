"""Tiles of one image: found by their names, and taken for tiles only when their pixels fit together."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, open_raster
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
    """Where a raster's pixels lie. ``key`` is equal for rasters that fit together without resampling."""

    key: GridKey
    origin: Tuple[float, float]


def image_of_tile(stem: str) -> str:
    """``scene_0-1`` as ``scene``, ``scene_0-1_ndvi`` as ``scene_ndvi``; empty for a name that is no tile's."""
    for pattern in _NAMES:
        found = pattern.match(stem)
        if found is not None:
            return found.group("image") + found.group("ending")
    return ""


def joined_tiles(openings: Sequence[Opening], context: JobContext) -> Tuple[Opening, ...]:
    """The openings with the tiles of each image joined to one mosaic per grid, in the place of its first tile.

    Looks into each tile. Images of different times stay apart, and so do rasters that lie on top of each other.
    """
    groups: Dict[Any, Group] = {}
    for opening in openings:
        image = image_of_tile(opening.stem) if opening.kind is OpeningKind.RASTER and not opening.part else ""
        if image:
            key = (opening.path.parent, image, opening.path.suffix.lower(), opening.item.acquired)
            groups.setdefault(key, []).append(opening)
    stands_for: Dict[Path, Optional[Opening]] = {}
    for (_, image, _, _), members in groups.items():
        for tiles in _fitting(members, context):
            stands_for.update(dict.fromkeys((tile.path for tile in tiles), None))
            stands_for[tiles[0].path] = replace(
                tiles[0], kind=OpeningKind.MOSAIC, name=image, tiles=tuple(tiles), item=_common_item(tiles)
            )
    chosen = [stands_for.get(opening.path, opening) for opening in openings]
    return tuple(opening for opening in chosen if opening is not None)


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
        grid = grid_of(member.path)
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
    if skew or other_skew or not width or not height or not dataset.GetProjection() or not dataset.RasterCount:
        return None
    bands = [dataset.GetRasterBand(index) for index in range(1, dataset.RasterCount + 1)]
    shift = tuple(round(value % 1.0, _SLACK) % 1.0 for value in (left / width, top / height))
    scale = (float(f"{width:.9g}"), float(f"{height:.9g}"))
    types = tuple((band.DataType, band.GetNoDataValue(), band.GetColorInterpretation()) for band in bands)
    return Grid((dataset.GetProjection(), scale, shift, types), (left, top))
