"""Areas, times and queries for tests of the made-up archive."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, Optional, Sequence

import numpy as np
from osgeo import osr

from up42_plugin.sandbox.archive import Grid, Scene, SceneQuery

NOW = datetime(2024, 6, 1, 12, tzinfo=timezone.utc)


def day(year: int, month: int, date: int, hour: int = 0) -> datetime:
    return datetime(year, month, date, hour, tzinfo=timezone.utc)


PUBLISHED_TIME = (day(2018, 12, 1), day(2021, 12, 31))
SUMMER = (day(2021, 6, 1), day(2021, 9, 1))


def box(west: float, south: float, east: float, north: float) -> Dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def around(lon: float, lat: float, half: float = 0.01) -> Dict[str, Any]:
    return box(lon - half, lat - half, lon + half, lat + half)


TAORMINA = box(15.2819, 37.8431, 15.3018, 37.8541)


def query(geometry: Any = TAORMINA, relation: str = "intersects", sensor: str = "sentinel2", **more: Any) -> SceneQuery:
    """A query without limit over the summer of 2021, changed by ``limit``, ``clouds``, ``times`` and ``ids``."""
    times: Sequence[Any] = more.get("times", (SUMMER,))
    ids: Optional[Sequence[str]] = more.get("ids")
    return SceneQuery(sensor, geometry, relation, times, more.get("limit"), more.get("clouds", 100.0), ids)


def exact_lonlat(x: np.ndarray, y: np.ndarray, epsg: int) -> np.ndarray:
    """Longitude and latitude (n x 2), each point transformed by itself."""
    source, target = osr.SpatialReference(), osr.SpatialReference()
    source.ImportFromEPSG(epsg)
    target.ImportFromEPSG(4326)
    for reference in (source, target):
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    points = [(float(a), float(b)) for a, b in zip(x, y)]
    return np.array(osr.CoordinateTransformation(source, target).TransformPoints(points))[:, :2]


def part_of(scene: Scene, column: int, row: int, width: int, height: int) -> Grid:
    """A window of a scene's own grid."""
    g = scene.grid
    return Grid(g.epsg, g.left + column * g.pixel, g.top - row * g.pixel, g.pixel, width, height)
