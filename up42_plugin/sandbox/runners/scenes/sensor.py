"""Sensor geometry of a very-high-resolution image: a rotated, leaning pixel grid, and the RPC that describe it.

The image is what a flat sensor sees of ground at height 0 (metres above the ellipsoid), which is what the made-up
archive's pixels are. Higher points lean away from the satellite, which the coefficients know; so the image lies right
without an elevation model.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Dict, Iterator, List, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import WGS84, XY, transform

HEIGHT_SCALE_M = 1_000.0
_LATTICE = 9
_HEIGHTS = (-1.0, -0.5, 0.0, 0.5, 1.0)
_TERMS = 20


@dataclass(frozen=True)
class SensorGrid:
    """A pixel grid turned against north.

    ``x``, ``y`` is the ground position of the upper left corner in the CRS ``epsg``. ``heading`` is how far the columns
    (downwards) turn from south to west, in degrees. ``lean`` is how many metres east and north a point seems to move
    per metre of height.
    """

    epsg: int
    x: float
    y: float
    pixel: float
    heading: float
    lean: Tuple[float, float]
    width: int
    height: int

    @property
    def geotransform(self) -> Tuple[float, float, float, float, float, float]:
        """GDAL's six numbers for height 0."""
        sine, cosine = math.sin(math.radians(self.heading)), math.cos(math.radians(self.heading))
        p = self.pixel
        return (self.x, p * cosine, -p * sine, self.y, -p * sine, -p * cosine)

    @property
    def corners(self) -> List[XY]:
        """Upper left, lower left, lower right, upper right in the CRS."""
        return [self.ground(c, r) for c, r in ((0, 0), (0, self.height), (self.width, self.height), (self.width, 0))]

    def ground(self, column: float, row: float) -> XY:
        """Where a position in pixels lies at height 0."""
        x, a, b, y, d, e = self.geotransform
        return x + a * column + b * row, y + d * column + e * row

    def image(self, points: np.ndarray, height: float) -> np.ndarray:
        """Positions in pixels (n x 2) of points of the CRS (n x 2) at a height in metres."""
        sine, cosine = math.sin(math.radians(self.heading)), math.cos(math.radians(self.heading))
        shifted = points + height * np.asarray(self.lean) - (self.x, self.y)
        return shifted @ np.array([[cosine, -sine], [-sine, -cosine]]) / self.pixel

    def rows(self, first: int, count: int) -> SensorGrid:
        """A part of some rows."""
        x, y = self.ground(0, first)
        return replace(self, x=x, y=y, height=count)


def lean_of(incidence: float, azimuth: float) -> Tuple[float, float]:
    """Metres east and north per metre of height, for an incidence angle and the satellite's azimuth in degrees."""
    shift = -math.tan(math.radians(incidence))
    return shift * math.sin(math.radians(azimuth)), shift * math.cos(math.radians(azimuth))


def heading_of(viewing_azimuth: float) -> float:
    """How far a descending track turns from south to west when the satellite looks to its side, in degrees."""
    return (viewing_azimuth % 180.0) - 90.0


def grid_around(points: Sequence[XY], view: SensorGrid, multiple: int) -> SensorGrid:
    """The smallest grid around points of the CRS, turned and leaning like ``view``.

    Its sides are multiples of ``multiple`` pixels.
    """
    image = view.image(np.asarray(points, float), 0.0)
    low = np.floor(image.min(axis=0) / multiple) * multiple
    width, height = np.ceil((image.max(axis=0) - low) / multiple).astype(int) * multiple
    x, y = view.ground(*low)
    return replace(view, x=x, y=y, width=int(width), height=int(height))


def coarser(grid: SensorGrid, factor: int) -> SensorGrid:
    """The same area with larger pixels."""
    return replace(grid, pixel=grid.pixel * factor, width=grid.width // factor, height=grid.height // factor)


def rpc_of(grid: SensorGrid) -> Dict[str, str]:
    """RPC00B coefficients of a grid, in GDAL's words, fitted to the exact geometry (denominators are 1).

    Position (0, 0) is the middle of the first pixel, as in the GeoTIFF tag.
    """
    lonlat, image, heights = _samples(grid)
    lon_off, lon_scale = _offset_and_scale(lonlat[:, 0])
    lat_off, lat_scale = _offset_and_scale(lonlat[:, 1])
    samp_off, samp_scale = (grid.width - 1) / 2, grid.width / 2
    line_off, line_scale = (grid.height - 1) / 2, grid.height / 2
    terms = _terms((lonlat[:, 0] - lon_off) / lon_scale, (lonlat[:, 1] - lat_off) / lat_scale, heights / HEIGHT_SCALE_M)
    sample = np.linalg.lstsq(terms, (image[:, 0] - 0.5 - samp_off) / samp_scale, rcond=None)[0]
    line = np.linalg.lstsq(terms, (image[:, 1] - 0.5 - line_off) / line_scale, rcond=None)[0]
    one = [1.0] + [0.0] * (_TERMS - 1)
    numbers = {
        "LINE_OFF": line_off,
        "SAMP_OFF": samp_off,
        "LAT_OFF": lat_off,
        "LONG_OFF": lon_off,
        "HEIGHT_OFF": 0.0,
        "LINE_SCALE": line_scale,
        "SAMP_SCALE": samp_scale,
        "LAT_SCALE": lat_scale,
        "LONG_SCALE": lon_scale,
        "HEIGHT_SCALE": HEIGHT_SCALE_M,
    }
    coefficients = {"LINE_NUM": line, "LINE_DEN": one, "SAMP_NUM": sample, "SAMP_DEN": one}
    return {
        "ERR_BIAS": "0",
        "ERR_RAND": "0",
        **{name: f"{value:.15g}" for name, value in numbers.items()},
        **{f"{name}_COEFF": " ".join(f"{c:.15g}" for c in values) for name, values in coefficients.items()},
    }


def _samples(grid: SensorGrid) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Longitude and latitude, pixel position and height of points all over the image and a little around it."""
    columns = np.linspace(-0.1, 1.1, _LATTICE) * grid.width
    rows = np.linspace(-0.1, 1.1, _LATTICE) * grid.height
    ground = [grid.ground(float(c), float(r)) for r in rows for c in columns]
    lonlat = np.asarray(transform(ground, grid.epsg, WGS84))
    points = np.asarray(ground)
    levels = [height * HEIGHT_SCALE_M for height in _HEIGHTS]
    image = np.vstack([grid.image(points, height) for height in levels])
    return np.vstack([lonlat] * len(levels)), image, np.repeat(levels, len(ground))


def _offset_and_scale(values: np.ndarray) -> Tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low + high) / 2, (high - low) / 2


def _terms(lon: np.ndarray, lat: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The twenty terms of RPC00B, in its order, for normalised coordinates."""
    x, y, h = lon, lat, height
    columns = (1 + 0 * x, x, y, h, x * y, x * h, y * h, x * x, y * y, h * h, y * x * h, x**3)
    columns += (x * y * y, x * h * h, x * x * y, y**3, y * h * h, x * x * h, y * y * h, h**3)
    return np.stack(columns, axis=1)


def north_up(grid: SensorGrid, margin: int) -> Grid:
    """The north-up grid around a sensor grid and ``margin`` pixels more."""
    xs, ys = [x for x, _ in grid.corners], [y for _, y in grid.corners]
    p = grid.pixel
    left, top = math.floor(min(xs) / p - margin) * p, math.ceil(max(ys) / p + margin) * p
    width, height = math.ceil((max(xs) - left) / p) + margin, math.ceil((top - min(ys)) / p) + margin
    return Grid(grid.epsg, left, top, p, width, height)


def seen_blocks(
    grid: SensorGrid, whole: Grid, block: Tuple[int, int], margin: int
) -> Iterator[Tuple[int, int, int, int]]:
    """Column, row, width and height of blocks of a north-up grid that the sensor sees, ``margin`` pixels around too."""
    for row in range(0, whole.height, block[1]):
        for column in range(0, whole.width, block[0]):
            width, height = min(block[0], whole.width - column), min(block[1], whole.height - row)
            xs = [whole.left + c * whole.pixel for c in (column, column + width)]
            ys = [whole.top - r * whole.pixel for r in (row, row + height)]
            image = grid.image(np.array([(x, y) for x in xs for y in ys]), 0.0)
            low, high = image.min(axis=0), image.max(axis=0)
            if (high >= -margin).all() and low[0] <= grid.width + margin and low[1] <= grid.height + margin:
                yield column, row, width, height
