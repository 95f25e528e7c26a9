"""Ships on the sea of the made-up Earth: where they are on a day, and how they look from above."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import List, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.world.ground import ground
from up42_plugin.sandbox.world.lattice import COS40, GIRTH, Array, F, clamp, hashed, latitude, plane, uniform
from up42_plugin.sandbox.world.spectra import BANDS, SPECTRA

FINEST_M = 4.0
"""Metres per sample above which ships are too small to be drawn."""

_CELL, _SIDE = 360.0, 10  # nominal metres; cells along the side of a block that is remembered
_SALT = 7000
_CLEARANCE_M, _LOOKS = 30.0, 9
_SLENDER = 5.2
_MOVING_MS = 1.0
_FREIGHT_M = 45.0

LonLat = Tuple[float, float]


@dataclass(frozen=True)
class Ship:
    """A ship at the time of the satellites' pass: middle (degrees), size (m), course (degrees from north), speed (m/s).

    ``number`` is its own; ``deck`` (0..1) tells dark from bright ones.
    """

    number: int
    lon: float
    lat: float
    length: float
    width: float
    course: float
    speed: float
    deck: float

    def local(self, lon: Array, lat: Array) -> Tuple[Array, Array]:
        """Metres ahead of the middle and to starboard."""
        east, north = _metres(self.lat)
        x, y = (lon - self.lon) * east, (lat - self.lat) * north
        s, c = math.sin(math.radians(self.course)), math.cos(math.radians(self.course))
        return x * s + y * c, x * c - y * s

    def at(self, ahead: float, starboard: float) -> LonLat:
        """Where a point of the ship lies."""
        east, north = _metres(self.lat)
        s, c = math.sin(math.radians(self.course)), math.cos(math.radians(self.course))
        return self.lon + (ahead * s + starboard * c) / east, self.lat + (ahead * c - starboard * s) / north

    @property
    def outline(self) -> List[LonLat]:
        """The rectangle around it, closed."""
        a, w = self.length / 2, self.width / 2
        return [self.at(*corner) for corner in ((-a, w), (a, w), (a, -w), (-a, -w), (-a, w))]


def _metres(lat: float) -> Tuple[float, float]:
    """Metres per degree of longitude and of latitude."""
    north = GIRTH / 360.0 / COS40
    return north * math.cos(math.radians(lat)), north


def ships(box: Tuple[float, float, float, float], day: date, seed: int) -> List[Ship]:
    """Return the ships whose middle lies in a box (west, south, east, north) on a day."""
    west, south, east, north = box
    (x0, y0), (x1, y1) = ((float(a), float(b)) for a, b in (plane(west, south), plane(east, north)))
    side = _CELL * _SIDE
    found: List[Ship] = []
    for i in range(math.floor(x0 / side), math.floor(x1 / side) + 1):
        for j in range(math.floor(y0 / side), math.floor(y1 / side) + 1):
            block = _block(i, j, day.toordinal(), seed)
            found.extend(s for s in block if west <= s.lon < east and south <= s.lat < north)
    return found


@lru_cache(maxsize=512)
def _block(i: int, j: int, day: int, seed: int) -> Tuple[Ship, ...]:
    """The ships in one block of cells, at most one in each."""
    columns, rows = np.meshgrid(np.arange(i * _SIDE, (i + 1) * _SIDE), np.arange(j * _SIDE, (j + 1) * _SIDE))
    h = hashed(columns.ravel(), rows.ravel() + 131 * (day % 100_000), _SALT + seed)
    x = (columns.ravel() + 0.15 + 0.7 * uniform(h, 1)) * _CELL
    y = (rows.ravel() + 0.15 + 0.7 * uniform(h, 2)) * _CELL
    lon, lat = x / GIRTH * 360.0, latitude(y)
    length = 9 + 26 * uniform(h, 3) + 170 * uniform(h, 3) ** 7
    made = [
        Ship(
            number=int(h[k]),
            lon=float(lon[k]),
            lat=float(lat[k]),
            length=float(length[k]),
            width=float(max(length[k] / _SLENDER, 3.2)),
            course=float(360 * uniform(h, 4)[k]),
            speed=float(max(0.0, 11 * uniform(h, 5)[k] - 4)),
            deck=float(uniform(h, 6)[k]),
        )
        for k in range(h.size)
    ]
    # Many boats along the coast, few ships far out.
    depth = np.maximum(-ground(lon, lat, 10.0, seed).relief.h, 0)
    wanted = uniform(h, 7) < 0.08 + 0.6 * np.exp(-depth / 60)
    some = [ship for ship, want in zip(made, wanted & (depth > 0)) if want]
    return tuple(ship for ship, floats in zip(some, _afloat(some, seed)) if floats)


def _afloat(some: Sequence[Ship], seed: int) -> Array:
    """Which ships have nothing but sea around them."""
    if not some:
        return np.zeros(0, bool)
    turns = np.linspace(0, 2 * math.pi, _LOOKS)
    around = []
    for ship in some:
        reach = ship.length / 2 + _CLEARANCE_M
        around.extend(ship.at(reach * math.cos(turn), reach * math.sin(turn)) for turn in turns)
    lon, lat = np.array(around).T
    sea = ground(lon, lat, 5.0, seed).sea > 0.9
    return np.asarray(sea.reshape(len(some), _LOOKS).all(axis=1))


def with_ships(values: Array, bands: Sequence[str], place: Tuple[Array, Array, float], day: date, seed: int) -> Array:
    """Return reflectances (bands x rows x columns) with the ships drawn in.

    ``place`` is longitude and latitude (degrees, rows x columns) and metres per sample.
    """
    lon, lat, resolution = place
    margin = 0.008  # degrees: the wake of the longest ship
    box = (float(lon.min()) - margin, float(lat.min()) - margin, float(lon.max()) + margin, float(lat.max()) + margin)
    columns = [BANDS.index(band) for band in bands]
    for ship in ships(box, day, seed):
        reach = ship.length * (3.0 if ship.speed > _MOVING_MS else 1.0) + 2 * resolution
        degrees = reach / _metres(ship.lat)[0]
        near = (np.abs(lon - ship.lon) < degrees) & (np.abs(lat - ship.lat) < degrees)
        rows, across = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
        if rows.size and across.size:
            window = (slice(rows[0], rows[-1] + 1), slice(across[0], across[-1] + 1))
            _draw(values[(slice(None), *window)], columns, ship, (*ship.local(lon[window], lat[window]), resolution))
    return values


def _draw(values: Array, columns: Sequence[int], ship: Ship, place: Tuple[Array, Array, float]) -> None:
    """Lay wake, hull and bridge over a window of reflectances, in place."""
    ahead, starboard, resolution = place
    half = ship.length / 2
    side = np.abs(starboard)

    def share(inside: Array) -> Array:
        return clamp(inside / resolution + 0.5, 0, 1).astype(F)

    taper = 1 - clamp((ahead - 0.55 * half) / (0.45 * half), 0, 1) ** 2
    hull = share(ship.width / 2 * taper - side) * share(half - np.abs(ahead))
    bridge = share(0.36 * ship.width - side) * share(0.16 * ship.length - np.abs(ahead + 0.55 * half))
    behind = -ahead - half
    wake = np.zeros_like(hull)
    if ship.speed > _MOVING_MS:
        fade = np.exp(-behind / (0.9 * ship.length)) * (behind > 0)
        wake = (share(0.35 * ship.width + 0.12 * behind - side) * fade * 0.7).astype(F)
    hatches = np.zeros_like(hull)
    deck = "bright"
    if ship.length > _FREIGHT_M:
        deck = "red" if ship.deck < 0.5 else "grey"
        row = 0.45 + 0.55 * np.sign(np.sin(ahead * (14 * np.pi / ship.length)))
        hatches = (
            share(0.32 * ship.width - side) * share(0.32 * ship.length - np.abs(ahead - 0.08 * ship.length))
        ).astype(F) * np.maximum(row, 0).astype(F)
    for layer, material in ((wake, "foam"), (hull, deck), (hatches, "asphalt"), (bridge, "bright")):
        for k, column in enumerate(columns):
            values[k] += layer * (SPECTRA[material][column] - values[k])
