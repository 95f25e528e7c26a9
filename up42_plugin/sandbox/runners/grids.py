"""Pixel grids over an area: windows of a scene's grid, strips to work in, outlines and masks.

Polygons are GeoJSON in EPSG:4326, grids are in projected CRS; edges of polygons are straight in degrees.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal, ogr

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import WGS84, XY, spatial_reference, transform
from up42_plugin.sandbox.geometry import shared_area_km2
from up42_plugin.sandbox.runners.rasters import empty_memory_raster

STRIP_PIXELS = 1 << 18
"""Pixels computed between two looks at whether the job is being cancelled: well under a second of work."""

_EDGE_PARTS = 16  # an edge's chord then lies within 1 m of the true line for edges up to 100 km
_DECIMALS = 7
_SLACK = 1e-6  # share of a pixel that a rounded coordinate may be off

Bounds = Tuple[float, float, float, float]


def projected_ring(ring: Sequence[Sequence[float]], epsg: int) -> List[XY]:
    """A ring in degrees as points of another CRS, with points added along its edges."""
    dense: List[XY] = []
    for start, end in zip(ring, ring[1:]):
        for part in range(_EDGE_PARTS):
            share = part / _EDGE_PARTS
            dense.append((start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])))
    dense.append((ring[-1][0], ring[-1][1]))
    return transform(dense, WGS84, epsg)


def projected_bounds(polygon: Mapping[str, Any], epsg: int) -> Bounds:
    """Left, bottom, right, top of a polygon in a CRS."""
    points = projected_ring(polygon["coordinates"][0], epsg)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def window_over(whole: Grid, polygon: Mapping[str, Any], step: float, margin: float = 0.0) -> Optional[Grid]:
    """The part of ``whole`` over a polygon and ``margin`` metres around it, on whole steps from the grid's origin.

    ``step`` (metres) is a multiple of the grid's pixel, so that pixels of that size fit in. None when they do not meet.
    """
    left, bottom, right, top = projected_bounds(polygon, whole.epsg)
    across, down = whole.width * whole.pixel, whole.height * whole.pixel
    first = _whole(left - margin - whole.left, step, math.floor)
    last = _whole(right + margin - whole.left, step, math.ceil)
    upper = _whole(whole.top - top - margin, step, math.floor)
    lower = _whole(whole.top - bottom + margin, step, math.ceil)
    first, last = max(first, 0), min(last, int(across // step))
    upper, lower = max(upper, 0), min(lower, int(down // step))
    if first >= last or upper >= lower:
        return None
    factor = round(step / whole.pixel)
    return Grid(
        whole.epsg,
        whole.left + first * step,
        whole.top - upper * step,
        whole.pixel,
        (last - first) * factor,
        (lower - upper) * factor,
    )


def _whole(distance: float, step: float, rounding: Any) -> int:
    steps = distance / step
    nearest = round(steps)
    return nearest if abs(steps - nearest) < _SLACK else int(rounding(steps))


def coarser(grid: Grid, pixel: float) -> Grid:
    """The same area with larger pixels that divide it evenly."""
    factor = round(pixel / grid.pixel)
    return replace(grid, pixel=pixel, width=grid.width // factor, height=grid.height // factor)


def part_of(grid: Grid, column: int, row: int, width: int, height: int) -> Grid:
    """A window of a grid, in its pixels."""
    left, top = grid.left + column * grid.pixel, grid.top - row * grid.pixel
    return replace(grid, left=left, top=top, width=width, height=height)


def strips(width: int, height: int, multiple: int = 1, pixels: int = STRIP_PIXELS) -> Iterator[Tuple[int, int]]:
    """First row and number of rows of parts with about ``pixels``; rows are multiples of ``multiple`` but the last."""
    rows = max(multiple, pixels // max(width, 1) // multiple * multiple)
    for first in range(0, height, rows):
        yield first, min(rows, height - first)


def outline(grid: Grid) -> Dict[str, Any]:
    """The grid's area as a GeoJSON polygon of its four corners."""
    right, bottom = grid.left + grid.width * grid.pixel, grid.top - grid.height * grid.pixel
    corners = [(grid.left, bottom), (right, bottom), (right, grid.top), (grid.left, grid.top)]
    return polygon_of_corners(corners, grid.epsg)


def polygon_of_corners(corners: Sequence[XY], epsg: int) -> Dict[str, Any]:
    """Points of a CRS, in order, as a GeoJSON polygon."""
    ring = [[round(lon, _DECIMALS), round(lat, _DECIMALS)] for lon, lat in transform(corners, epsg, WGS84)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def square_km(grid: Grid) -> float:
    """The grid's area on the map plane."""
    return grid.width * grid.height * grid.pixel**2 / 1e6


def shared_km2(polygon: Mapping[str, Any], footprint: Mapping[str, Any]) -> float:
    """Square kilometres of the part of a polygon inside a convex one, whose longitudes may run past 180."""
    ring = footprint["coordinates"][0]
    turned = [[[point[0] + turn, point[1]] for point in ring] for turn in (-360.0, 0.0, 360.0)]
    return max(shared_area_km2(polygon, {"type": "Polygon", "coordinates": [part]}) for part in turned)


def mask(polygon: Mapping[str, Any], grid: Grid) -> np.ndarray:
    """Which pixels the polygon touches (rows x columns of bool), holes left out."""
    reference = spatial_reference(grid.epsg)
    raster = empty_memory_raster(grid, 1, np.uint8)
    driver = ogr.GetDriverByName("Memory") or ogr.GetDriverByName("MEM")  # one driver since GDAL 3.11
    source = driver.CreateDataSource("")
    layer = source.CreateLayer("area", reference, ogr.wkbPolygon)
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetGeometry(_projected(polygon, grid.epsg))
    layer.CreateFeature(feature)
    gdal.RasterizeLayer(raster, [1], layer, burn_values=[1], options=["ALL_TOUCHED=TRUE"])
    return np.asarray(raster.ReadAsArray()).astype(bool)


def _projected(polygon: Mapping[str, Any], epsg: int) -> Any:
    shape = ogr.Geometry(ogr.wkbPolygon)
    for ring in polygon["coordinates"]:
        line = ogr.Geometry(ogr.wkbLinearRing)
        for x, y in projected_ring(ring, epsg):
            line.AddPoint_2D(x, y)
        shape.AddGeometry(line)
    return shape
