"""Sentinel-2's tiles: 109.8 km squares in UTM on the 100 km squares of the Military Grid Reference System."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Iterator, List, Sequence, Tuple

from up42_plugin.sandbox.archive import BBox, Grid
from up42_plugin.sandbox.geodesy import WGS84, XY, transform, transformation

SQUARE = 100_000
SIZE = 109_800
PIXEL = 10.0
_ZONES = 60
_RASTER = 60  # origins lie on the coarsest pixel
_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_SOUTH, _NORTH = -80.0, 84.0
_FALSE_NORTHING = 10_000_000
_SIDE_POINTS = 16
_OVER_EQUATOR = 0.1
_ID = re.compile(r"(\d{2})([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])")

# Zones that are wider or missing, by band: (west, east) in degrees.
_EXCEPTIONS = {
    (31, "V"): (0, 3),
    (32, "V"): (3, 12),
    (31, "X"): (0, 9),
    (33, "X"): (9, 21),
    (35, "X"): (21, 33),
    (37, "X"): (33, 42),
    (32, "X"): (0, 0),
    (34, "X"): (0, 0),
    (36, "X"): (0, 0),
}


@dataclass(frozen=True)
class Tile:
    """One tile. ``column`` counts 100 km from the false easting, ``row`` from the equator (or the false northing)."""

    zone: int
    south: bool
    column: int
    row: int
    band: str

    @property
    def id(self) -> str:
        """Like ``33SWB``: zone, latitude band, column and row letters."""
        column = _COLUMNS[(self.zone - 1) % 3][self.column - 1]
        row = _ROWS[(self.row + (5 if self.zone % 2 == 0 else 0)) % 20]
        return f"{self.zone:02d}{self.band}{column}{row}"

    @property
    def epsg(self) -> int:
        """UTM zone's code."""
        return (32700 if self.south else 32600) + self.zone

    @property
    def grid(self) -> Grid:
        """10980 x 10980 pixels of 10 m; the upper left corner is the square's, moved out to steps of 60 m."""
        equator = _FALSE_NORTHING if self.south else 0
        left = self.column * SQUARE // _RASTER * _RASTER
        top = equator - (equator - (self.row + 1) * SQUARE) // _RASTER * _RASTER
        return Grid(self.epsg, float(left), float(top), PIXEL, int(SIZE / PIXEL), int(SIZE / PIXEL))

    @property
    def outline(self) -> List[XY]:
        """Closed ring of the tile in degrees, counter-clockwise; longitudes run past 180 at the antimeridian."""
        g = self.grid
        return unwrapped(transform(_square(g.left, g.top - SIZE, SIZE), self.epsg, WGS84), self.zone)


def _square(left: float, bottom: float, size: float) -> List[XY]:
    """Return a closed, counter-clockwise ring whose sides have enough points to bend."""
    along = [size * k / _SIDE_POINTS for k in range(_SIDE_POINTS)]
    ring = [(left + d, bottom) for d in along]
    ring += [(left + size, bottom + d) for d in along]
    ring += [(left + size - d, bottom + size) for d in along]
    ring += [(left, bottom + size - d) for d in along]
    return [*ring, ring[0]]


def unwrapped(ring: Sequence[XY], zone: int) -> List[XY]:
    """Return a ring whose longitudes lie around the zone's middle, not cut at the antimeridian."""
    middle = zone * 6 - 183
    return [((lon - middle + 180) % 360 - 180 + middle, lat) for lon, lat in ring]


def band_of(lat: float) -> str:
    """Return the letter of the 8 degree band of a latitude (X has 12 degrees)."""
    return _BANDS[min(max(int((lat - _SOUTH) // 8), 0), len(_BANDS) - 1)]


def zone_bounds(zone: int, band: str) -> Tuple[float, float]:
    """Return west and east of a UTM zone in a latitude band; equal where the zone does not exist."""
    west = zone * 6 - 186
    return _EXCEPTIONS.get((zone, band), (west, west + 6))


def _exists(zone: int, south: bool, column: int, row: int) -> Iterator[Tile]:
    """Yield the tile of a 100 km square if the square has part in its zone."""
    epsg = (32700 if south else 32600) + zone
    ring = unwrapped(transform(_square(column * SQUARE, row * SQUARE, SQUARE), epsg, WGS84), zone)
    lats = [lat for _, lat in ring]
    middle = (min(lats) + max(lats)) / 2
    if not _SOUTH <= middle <= _NORTH:
        return
    band = band_of(middle)
    west, east = zone_bounds(zone, band)
    if west < east and min(lon for lon, _ in ring) < east and max(lon for lon, _ in ring) > west:
        yield Tile(zone, south, column, row, band)


def tile_by_id(tile_id: str) -> Tile:
    """Return the tile with an id like ``33SWB``.

    Raises:
        ValueError: no such tile.
    """
    match = _ID.fullmatch(tile_id)
    zone = int(match.group(1)) if match else 0
    if not match or not 1 <= zone <= _ZONES:
        raise ValueError(f"{tile_id!r} is no tile id")
    band, column = match.group(2), _COLUMNS[(zone - 1) % 3].find(match.group(3)) + 1
    south = band < "N"
    low = _SOUTH + 8 * _BANDS.index(band)
    middle = zone * 6 - 183.0
    ((_, start),) = transform([(middle, low)], WGS84, (32700 if south else 32600) + zone)
    first = int(start // SQUARE) - 2
    for row in range(first, first + 17):
        if column and 0 <= row < _FALSE_NORTHING // SQUARE:
            for tile in _exists(zone, south, column, row):
                if tile.id == tile_id:
                    return tile
    raise ValueError(f"there is no tile {tile_id!r}")


def tiles_around(west: float, south: float, east: float, north: float) -> List[Tile]:
    """Return the tiles that may touch a box in degrees (``east`` may run past 180), in a fixed order."""
    found = []
    pad = 1.4 / max(math.cos(math.radians(max(abs(south), abs(north)))), 0.1)  # a tile reaches over its zone's edge
    first, last = math.floor((west - pad + 180) / 6), math.floor((east + pad + 180) / 6)
    for turn in range(first, min(last, first + 59) + 1):
        zone = turn % 60 + 1
        shift = (turn - turn % 60) * 6.0
        for southern in (False, True):
            if (south if southern else -north) < _OVER_EQUATOR:
                found += _tiles_of_zone(zone, southern, (west - shift, south, east - shift, north))
    return found


def _tiles_of_zone(zone: int, southern: bool, bounds: BBox) -> List[Tile]:
    west, south, east, north = bounds
    epsg = (32700 if southern else 32600) + zone
    middle = zone * 6 - 183.0
    west, east = max(west, middle - 15), min(east, middle + 15)
    if west > east:
        return []
    steps = 8
    box = [
        [west + (east - west) * i / steps, south + (north - south) * j / steps, 0.0]
        for i in range(steps + 1)
        for j in range(steps + 1)
    ]
    points = transformation(WGS84, epsg).TransformPoints(box)
    slack = 3_000  # the box bulges between the points
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    columns = range(max(math.floor((min(xs) - slack - SIZE) / SQUARE), 1), min(int((max(xs) + slack) // SQUARE), 8) + 1)
    rows = range(math.floor((min(ys) - slack) / SQUARE), math.floor((max(ys) + slack + SIZE - SQUARE) / SQUARE) + 1)
    limit = _FALSE_NORTHING // SQUARE
    return [
        tile for row in rows if 0 <= row < limit for column in columns for tile in _exists(zone, southern, column, row)
    ]
