"""Coordinate transformations for the scene archive: UTM and whole pixel grids to longitude and latitude."""

from __future__ import annotations

import math
from typing import Any, List, Sequence, Tuple

import numpy as np
from osgeo import osr

from up42_plugin.sandbox.archive import Grid

WGS84 = 4326
WEB_MERCATOR = 3857
EARTH_RADIUS_KM = 6371.0
METRES_PER_DEGREE = 111_320.0
HALF_TURN = 180.0

_LATTICE_PIXELS = 64
_LATTICE_METRES = 6_400.0

XY = Tuple[float, float]


def spatial_reference(epsg: int) -> Any:
    """Return an osr.SpatialReference whose axes are x, y (longitude, latitude).

    Raises:
        ValueError: the code is unknown.
    """
    reference = osr.SpatialReference()
    try:
        failed = reference.ImportFromEPSG(epsg) != 0
    except RuntimeError as error:
        raise ValueError(f"EPSG:{epsg} is unknown") from error
    if failed:
        raise ValueError(f"EPSG:{epsg} is unknown")
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def transformation(source: int, target: int) -> Any:
    """Return an osr.CoordinateTransformation between two EPSG codes, x before y."""
    return osr.CoordinateTransformation(spatial_reference(source), spatial_reference(target))


def transform(points: Sequence[XY], source: int, target: int) -> List[XY]:
    """Return points in another CRS."""
    if source == target:
        return list(points)
    return [(x, y) for x, y, _ in transformation(source, target).TransformPoints([list(p) for p in points])]


def utm_epsg(lon: float, lat: float) -> int:
    """Return the EPSG code of the UTM zone (without the exceptions of Norway and Svalbard) at degrees."""
    zone = math.floor((lon + 180) / 6) % 60 + 1
    return (32600 if lat >= 0 else 32700) + zone


def _lattice_step(grid: Grid) -> float:
    """Return the spacing (CRS units) of the exact coordinates; between them the error is below 1 cm at 10 m pixels."""
    most = _LATTICE_METRES if grid.epsg != WGS84 else _LATTICE_METRES / METRES_PER_DEGREE
    return min(_LATTICE_PIXELS * grid.pixel, max(most, 4 * grid.pixel))


def grid_lonlat(grid: Grid) -> Tuple[np.ndarray, np.ndarray]:
    """Return longitude and latitude (degrees, height x width) of the pixel centres of a grid in any CRS.

    Exact on a lattice that is anchored at the origin of the CRS, bilinear between, so that windows of one grid agree.
    """
    x = grid.left + (np.arange(grid.width) + 0.5) * grid.pixel
    y = grid.top - (np.arange(grid.height) + 0.5) * grid.pixel
    if grid.epsg == WGS84:
        lon, lat = np.meshgrid(x, y)
        return lon, lat
    step = _lattice_step(grid)
    fx, fy = x / step, y / step
    i, j = np.floor(fx).astype(int), np.floor(fy).astype(int)
    columns, rows = np.arange(i.min(), i.max() + 2), np.arange(j.min(), j.max() + 2)
    nodes = [(c * step, r * step) for r in rows.tolist() for c in columns.tolist()]
    exact = np.array(transform(nodes, grid.epsg, WGS84)).reshape(rows.size, columns.size, 2)
    lons = _unwrapped(exact[..., 0])
    return _bilinear(lons, fx, fy, i, j), _bilinear(exact[..., 1], fx, fy, i, j)


def _unwrapped(lon: np.ndarray) -> np.ndarray:
    """Return longitudes without the jump at the antimeridian."""
    return np.where(lon < 0, lon + 360, lon) if np.ptp(lon) > HALF_TURN else lon


def _bilinear(nodes: np.ndarray, fx: np.ndarray, fy: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    u, v = fx - i, (fy - j)[:, None]
    a, b = i - i.min(), j - j.min()
    lines = nodes[b] * (1 - v) + nodes[b + 1] * v
    return lines[:, a] * (1 - u) + lines[:, a + 1] * u


def metres_per_unit(epsg: int) -> float:
    """Return metres per unit of a CRS (per degree of latitude for degrees)."""
    if epsg == WGS84:
        return METRES_PER_DEGREE
    return float(spatial_reference(epsg).GetLinearUnits())


def ground_resolution(grid: Grid, lat: np.ndarray) -> Any:
    """Return metres on the ground per pixel: a number, or one for each latitude where the CRS stretches."""
    if grid.epsg == WEB_MERCATOR:
        return grid.pixel * np.cos(np.radians(lat))
    return grid.pixel * metres_per_unit(grid.epsg)
