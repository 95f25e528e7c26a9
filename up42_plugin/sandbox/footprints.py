"""Polygons of scenes and areas: OGR geometries in degrees whose longitudes may run past 180."""

from __future__ import annotations

import json
import math
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np
from osgeo import ogr

from up42_plugin.sandbox.archive import BBox, Grid
from up42_plugin.sandbox.geodesy import EARTH_RADIUS_KM, HALF_TURN, WGS84, XY, transformation

INTERSECTS, CONTAINS = "intersects", "contains"
RELATIONS = (INTERSECTS, CONTAINS)

_DECIMALS = 7
_CHORD_DEGREES = 0.02


def polygon(ring: Sequence[XY]) -> Any:
    """Return an OGR polygon of a closed ring."""
    line = ogr.Geometry(ogr.wkbLinearRing)
    for x, y in ring:
        line.AddPoint_2D(x, y)
    shape = ogr.Geometry(ogr.wkbPolygon)
    shape.AddGeometry(line)
    return shape


def from_geojson(geometry: Mapping[str, Any]) -> Any:
    """Return the OGR geometry of a GeoJSON polygon or multipolygon.

    Raises:
        ValueError: it is neither, or empty.
    """
    if geometry.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValueError(f"a polygon is needed, not {geometry.get('type')!r}")
    try:
        shape = ogr.CreateGeometryFromJson(json.dumps(geometry))
    except RuntimeError as error:
        raise ValueError("the polygon cannot be read") from error
    if shape is None or shape.IsEmpty():
        raise ValueError("the polygon is empty or cannot be read")
    shape.FlattenTo2D()
    return shape if shape.IsValid() else shape.Buffer(0)


def in_one_piece(shape: Any) -> Any:
    """Return a polygon or multipolygon whose parts west of the antimeridian follow those east of it.

    Areas across it come as two parts at 180 and at -180, which would seem to lie a whole turn apart.
    """
    west, east, _, _ = shape.GetEnvelope()
    if east - west <= HALF_TURN or shape.GetGeometryType() == ogr.wkbPolygon:
        return shape
    whole = ogr.Geometry(ogr.wkbMultiPolygon)
    for k in _count(shape):
        part = shape.GetGeometryRef(k)
        whole.AddGeometry(shifted(part, 2 * HALF_TURN if part.GetEnvelope()[1] <= 0 else 0.0))
    return whole


def to_geojson(shape: Any) -> Dict[str, Any]:
    """Return the GeoJSON polygon of an OGR polygon, counter-clockwise, rounded to a centimetre."""
    ring = shape.GetGeometryRef(0)
    points = [[round(x, _DECIMALS), round(y, _DECIMALS)] for x, y in (p[:2] for p in ring.GetPoints())]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:]))
    return {"type": "Polygon", "coordinates": [points if area > 0 else points[::-1]]}


def bounds(shape: Any) -> BBox:
    """Return west, south, east, north."""
    west, east, south, north = shape.GetEnvelope()
    return (round(west, _DECIMALS), round(south, _DECIMALS), round(east, _DECIMALS), round(north, _DECIMALS))


def shifted(shape: Any, degrees: float) -> Any:
    """Return a copy of a polygon or multipolygon moved east by whole turns."""
    if not degrees:
        return shape
    moved = shape.Clone()
    rings = [moved] if moved.GetGeometryType() == ogr.wkbPolygon else [moved.GetGeometryRef(k) for k in _count(moved)]
    for part in rings:
        for k in _count(part):
            ring = part.GetGeometryRef(k)
            for n in range(ring.GetPointCount()):
                ring.SetPoint_2D(n, ring.GetX(n) + degrees, ring.GetY(n))
    return moved


def _count(shape: Any) -> range:
    return range(shape.GetGeometryCount())


def matches(footprint: Any, area: Any, relation: str) -> bool:
    """Tell whether a footprint contains an area, or (any other relation) intersects it."""
    return bool(footprint.Contains(area) if relation == CONTAINS else footprint.Intersects(area))


def beside(lon: float, lat: float, east_km: float, north_km: float) -> XY:
    """Return the point some kilometres east and north of another (flat, for tens of kilometres)."""
    degree = math.radians(1) * EARTH_RADIUS_KM
    return lon + east_km / (degree * math.cos(math.radians(lat))), lat + north_km / degree


def samples(shape: Any, per_side: int) -> Tuple[np.ndarray, np.ndarray]:
    """Return longitudes and latitudes of points spread evenly over a polygon, at least one."""
    west, east, south, north = shape.GetEnvelope()
    while True:
        found: List[XY] = []
        for i in range(per_side):
            for j in range(per_side):
                x = west + (east - west) * (i + 0.5) / per_side
                y = south + (north - south) * (j + 0.5) / per_side
                point = ogr.Geometry(ogr.wkbPoint)
                point.AddPoint_2D(x, y)
                if shape.Contains(point):
                    found.append((x, y))
        if found:
            return np.array([p[0] for p in found]), np.array([p[1] for p in found])
        per_side *= 2


def mask(footprint: Mapping[str, Any], grid: Grid) -> np.ndarray:
    """Return which pixels' centres of a grid lie in a GeoJSON polygon in degrees (bool, height x width)."""
    shape = from_geojson(footprint)
    if grid.epsg != WGS84:
        shape.Segmentize(_CHORD_DEGREES)
        shape.Transform(transformation(WGS84, grid.epsg))
    columns = grid.left + (np.arange(grid.width) + 0.5) * grid.pixel
    rows = grid.top - (np.arange(grid.height) + 0.5) * grid.pixel
    return _inside(shape, columns, rows)


def mask_in_box(footprint: Mapping[str, Any], box: BBox, width: int, height: int) -> np.ndarray:
    """Return which pixels of a picture that fills a box in degrees lie in a GeoJSON polygon (bool, height x width)."""
    west, south, east, north = box
    columns = west + (np.arange(width) + 0.5) * ((east - west) / width)
    rows = north - (np.arange(height) + 0.5) * ((north - south) / height)
    return _inside(from_geojson(footprint), columns, rows)


def _inside(shape: Any, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return where a polygon has the points of a raster (rows x columns): those with an odd number of edges before."""
    crossings = np.zeros((rows.size, columns.size + 1), np.int32)
    for k in _count(shape):
        ring = np.array(shape.GetGeometryRef(k).GetPoints(), float)
        x, y = ring[:, 0], ring[:, 1]
        above = y[:, None] > rows
        edge, row = np.nonzero(above[:-1] != above[1:])
        share = (rows[row] - y[edge]) / (y[edge + 1] - y[edge])
        at = x[edge] + share * (x[edge + 1] - x[edge])
        np.add.at(crossings, (row, np.searchsorted(columns, at)), 1)
    return np.asarray(crossings.cumsum(1)[:, :-1] % 2 == 1)
