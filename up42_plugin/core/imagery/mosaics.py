"""Many tiles as one virtual raster, and their outlines as a layer of their own."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, Dict, Sequence

from osgeo import gdal, osr

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, gdal_progress, open_raster, writing
from up42_plugin.core.imagery.opening import Opening
from up42_plugin.core.imagery.rasters import describe, implied_nodata, name_bands, placed
from up42_plugin.core.storage import system_path

TILES_GROUP = "Tiles"
TIME_FIELD = "acquired"
_FULL = 0.9999


def mosaic(tiles: Sequence[Opening], target: Path, context: JobContext) -> Path:
    """Write a VRT over tiles of one grid. Gaps between them are transparent: no-data, or hidden by an alpha band."""
    paths = [tile.path for tile in tiles]
    first = describe(paths[0])
    hides_gaps = first.alpha is not None or first.bands[0].nodata is not None or implied_nodata(first) is not None
    alpha = not hides_gaps and _has_gaps(paths)
    with placed(target) as work, writing(target.name):
        with gdal_progress(context, f"Joining {len(paths)} tiles") as progress:
            dataset = gdal_call(
                gdal.BuildVRT,
                str(work),
                [str(path) for path in paths],
                addAlpha=alpha,
                callback=progress,
                what=paths[0].parent.name,
            )
        name_bands(dataset, [band.description for band in first.bands])
        dataset.FlushCache()
        del dataset
    return target


def _has_gaps(paths: Sequence[Path]) -> bool:
    """Whether the tiles do not fill the box around them."""
    covered, boxes = 0.0, []
    for path in paths:
        dataset = open_raster(path)
        left, width, _, top, _, height = dataset.GetGeoTransform()
        right, bottom = left + width * dataset.RasterXSize, top + height * dataset.RasterYSize
        boxes.append((min(left, right), min(top, bottom), max(left, right), max(top, bottom)))
        covered += abs(right - left) * abs(top - bottom)
    west, south, east, north = zip(*boxes)
    return bool(covered < (max(east) - min(west)) * (max(north) - min(south)) * _FULL)


def footprints(tiles: Sequence[Opening], target: Path) -> Path:
    """Write the outlines of tiles with name, file and time, as GeoJSON in EPSG:4326.

    Raises:
        RasterError: their CRS has no place on the globe, or ``target`` cannot be written.
    """
    to_degrees = _to_degrees(open_raster(tiles[0].path))
    collection = {"type": "FeatureCollection", "features": [_footprint(tile, to_degrees) for tile in tiles]}
    with placed(target) as work:
        system_path(work).write_text(json.dumps(collection), encoding="utf-8")
    return target


def _to_degrees(dataset: Any) -> Any:
    there = osr.SpatialReference()
    there.ImportFromEPSG(4326)
    there.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return gdal_call(osr.CreateCoordinateTransformation, dataset.GetSpatialRef(), there, what="The CRS of the tiles")


def _footprint(tile: Opening, to_degrees: Any) -> Dict[str, Any]:
    dataset = open_raster(tile.path)
    left, width, _, top, _, height = dataset.GetGeoTransform()
    right, bottom = left + width * dataset.RasterXSize, top + height * dataset.RasterYSize
    corners = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
    ring = [list(gdal_call(to_degrees.TransformPoint, x, y, what=tile.path.name)[:2]) for x, y in corners]
    if not all(map(math.isfinite, (degrees for corner in ring for degrees in corner))):
        raise RasterError(f"{tile.path.name} lies outside of what its CRS is for.")
    acquired = tile.item.acquired
    return {
        "type": "Feature",
        "properties": {
            "name": tile.path.stem,
            "file": tile.path.name,
            TIME_FIELD: f"{acquired:%Y-%m-%dT%H:%M:%SZ}" if acquired else None,
            "scene_id": tile.item.scene_id,
        },
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
