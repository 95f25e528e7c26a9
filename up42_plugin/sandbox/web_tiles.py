"""The tiles of web maps: squares of 256 pixels in EPSG:3857 that providers serve, and charge, one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Tuple

from up42_plugin.sandbox.archive import BBox, Grid

TILE_PIXELS = 256
EQUATOR_M = 2 * math.pi * 6_378_137.0
"""Length of the equator, which is also the width of the whole map, in metres."""

_WEB_MERCATOR = 3857
_HALF_TURN, _WHOLE_TURN = 180.0, 360.0
_LIMIT = 85.0511
_SLACK = 1e-9  # share of a tile that a rounded coordinate may reach into the next one


@dataclass(frozen=True)
class TileRange:
    """A rectangle of tiles of one zoom level; ``column`` counts from the west, ``row`` from the north."""

    zoom: int
    column: int
    row: int
    columns: int
    rows: int

    @property
    def count(self) -> int:
        """How many tiles these are."""
        return self.columns * self.rows

    @property
    def grid(self) -> Grid:
        """Their pixels."""
        side = EQUATOR_M / 2**self.zoom
        left, top = self.column * side - EQUATOR_M / 2, EQUATOR_M / 2 - self.row * side
        width, height = self.columns * TILE_PIXELS, self.rows * TILE_PIXELS
        return Grid(_WEB_MERCATOR, left, top, side / TILE_PIXELS, width, height)


def tiles_over(bbox: BBox, zoom: int) -> TileRange:
    """The tiles that a box (west, south, east, north in degrees) touches."""
    west, south, east, north = bbox
    column, columns = _span(_across(west, zoom), _across(east, zoom))
    row, rows = _span(_down(north, zoom), _down(south, zoom))
    return TileRange(zoom, column, row, columns, rows)


def _span(first: float, last: float) -> Tuple[int, int]:
    start = math.floor(first + _SLACK)
    return start, max(1, math.ceil(last - _SLACK) - start)


def _across(lon: float, zoom: int) -> float:
    return float((lon + _HALF_TURN) / _WHOLE_TURN * 2**zoom)


def _down(lat: float, zoom: int) -> float:
    sine = math.sin(math.radians(max(-_LIMIT, min(_LIMIT, lat))))
    return float((0.5 - math.atanh(sine) / (2 * math.pi)) * 2**zoom)
