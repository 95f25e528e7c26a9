"""Continents and regions: what changes over kilometres and decides how the land looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

import numpy as np

from up42_plugin.sandbox.world.lattice import (
    GIRTH,
    Array,
    F,
    Fields,
    Lattice,
    Points,
    clamp,
    fbm,
    latitude,
    length,
    plane,
    step,
)

ANCHOR = (15.2905, 37.8488)
"""Longitude and latitude of the coastal town around which the made-up Earth is arranged."""
_CELL = 1500.0

# Land fraction (0-9) of the real Earth in 10 degree cells, north to south from longitude -180, so that the made-up
# continents lie roughly where the real ones do.
_LAND = """000000000344432000000000000000000000 000000445443589951012002234674333111
469999999865539424028899999999999998 002138999689500006578999999999994340
000006999886200004989789999999964000 000002899950000006765799999999651000
001000166320000058999897489898200000 000000014633100079999971072581500000
000000000169820037599981012256300000 000000000059997000079910000045457200
000000000049995000079941000000475011 000000000008971000079540000005999410
000000000018710000045000000003248203 000000000027000000000000000000002023
000000000014100000000000000000000000 000000000002100000000044444444444000
599999999944445999999999999999999999 999999999999999999999999999999999999"""
_LAND_CELLS = np.array([[int(c) for c in row] for row in _LAND.split()], F) / F(9)


# The real mountain belts as lines: west end, east end (longitude, latitude), half width in km at the equator's scale.
_BELTS = (
    ((-150.0, 62.0), (-122.0, 51.0), 330.0),  # Alaska, Coast Mountains
    ((-118.0, 53.0), (-106.0, 36.0), 380.0),  # Rocky Mountains
    ((-121.0, 41.0), (-117.0, 34.0), 150.0),  # Sierra Nevada
    ((-106.0, 28.0), (-97.0, 17.5), 230.0),  # Sierra Madre
    ((-84.0, 35.0), (-73.0, 43.5), 130.0),  # Appalachians
    ((-76.0, 7.0), (-78.5, -3.0), 230.0),  # northern Andes
    ((-78.0, -5.0), (-67.5, -19.0), 280.0),
    ((-68.0, -19.0), (-70.3, -35.0), 230.0),
    ((-71.0, -36.0), (-73.0, -52.0), 170.0),  # Patagonia
    ((6.5, 44.6), (10.0, 46.6), 110.0),  # Alps
    ((10.0, 46.7), (15.0, 47.3), 110.0),
    ((-1.5, 43.0), (2.5, 42.5), 60.0),  # Pyrenees
    ((11.0, 44.0), (16.0, 40.2), 70.0),  # Apennines
    ((15.5, 44.3), (21.5, 40.5), 120.0),  # Dinaric Alps
    ((20.0, 49.2), (25.5, 45.6), 90.0),  # Carpathians
    ((6.5, 60.0), (18.5, 68.5), 190.0),  # Scandinavia
    ((-8.5, 31.0), (4.0, 35.0), 140.0),  # Atlas
    ((29.0, 37.5), (43.0, 39.5), 190.0),  # Anatolia
    ((39.5, 43.5), (48.0, 41.5), 120.0),  # Caucasus
    ((45.0, 36.5), (56.0, 28.0), 220.0),  # Zagros
    ((38.5, 14.5), (38.5, 6.5), 220.0),  # Ethiopian Highlands
    ((29.5, 1.0), (30.0, -9.0), 110.0),  # Albertine Rift
    ((27.5, -31.0), (30.5, -25.0), 120.0),  # Drakensberg
    ((60.0, 65.0), (58.5, 53.0), 120.0),  # Ural
    ((70.5, 36.5), (79.0, 41.5), 330.0),  # Hindu Kush, Tian Shan
    ((73.5, 35.0), (97.0, 28.5), 330.0),  # Himalaya
    ((86.0, 50.0), (110.0, 53.0), 330.0),  # Altai, Sayan
    ((98.0, 30.0), (102.0, 24.0), 280.0),  # Hengduan
    ((130.0, 66.0), (158.0, 66.0), 480.0),  # Verkhoyansk
    ((132.0, 34.0), (141.0, 40.0), 110.0),  # Japan
    ((136.0, -4.0), (147.5, -8.5), 120.0),  # New Guinea
    ((147.0, -37.0), (152.0, -29.5), 110.0),  # Great Dividing Range
    ((167.5, -45.5), (173.0, -42.0), 90.0),  # Southern Alps
)


@dataclass
class Region:
    """Slow fields: base elevation (m) with its slope; the others are 0..1.

    ``wild`` is where forests are left, ``soil`` tells pale from dark soils.
    """

    base: Array
    gx: Array
    gy: Array
    rugged: Array
    wet: Array
    urban: Array
    wild: Array
    soil: Array


def _continents(q: Points, seed: int) -> Tuple[Array, Array]:
    """Return how much a point lies inland (signed) and its latitude."""
    phi = latitude(q.y)
    cx, cy = q.x / GIRTH * 36 + 17.5, clamp(8.5 - phi / 10, 0, 16.999)
    ci, cj = np.floor(cx).astype(int), np.floor(cy).astype(int)
    u, v = step(0, 1, cx - ci), step(0, 1, cy - cj)

    def row(r: Array) -> Array:
        return _LAND_CELLS[r, ci % 36] * (1 - u) + _LAND_CELLS[r, (ci + 1) % 36] * u

    land = row(cj) * (1 - v) + row(cj + 1) * v
    return (land * 2 - 0.85) + 0.75 * fbm(q, 900e3, 6, seed + 100, 0.55), phi


def _mountainous(q: Points) -> Array:
    """Return 0..1 how near a mountain belt is."""
    best = np.zeros(q.x.shape)
    for west, east, width in _BELTS:
        (ax, ay), (bx, by) = plane(*west), plane(*east)
        vx, vy = float(bx - ax), float(by - ay)
        px, py = q.x - float(ax), q.y - float(ay)
        along = clamp((px * vx + py * vy) / (vx * vx + vy * vy), 0, 1)
        away = ((px - along * vx) ** 2 + (py - along * vy) ** 2) / (width * 1000) ** 2
        best = np.maximum(best, np.exp(-away))
    return best


def _slow_fields(q: Points, seed: int) -> Fields:
    """Return base elevation (m) and the other fields of a region; pulled to a coast with hills at the anchor."""
    c, phi = _continents(q, seed)
    base = 130 * np.tanh(c * 18) + 260 * c + 200 * np.minimum(c, 0)
    rugged = step(-0.1, 0.95, fbm(q, 230e3, 5, seed + 120, 0.6) + 0.18 + 0.75 * _mountainous(q))
    wet = 0.5 + 0.33 * np.cos(np.radians(phi) * 7.2) + 0.45 * fbm(q, 400e3, 5, seed + 140, 0.55)
    urban = step(-0.1, 0.9, fbm(q, 90e3, 3, seed + 160))
    wild = step(-0.75, 0.75, fbm(q, 70e3, 4, seed + 165, 0.6))
    soil = step(-0.8, 0.8, fbm(q, 110e3, 5, seed + 170, 0.6))
    # Around the anchor: sea to the east-south-east, hills climbing to the west.
    ax, ay = plane(*ANCHOR)
    dx, dy = q.x - ax, q.y - ay
    away = length(dx, dy)
    inland = 330 - (dx * 0.93 - dy * 0.37) + 4200 * fbm(q, 21e3, 3, seed + 180) * step(2e3, 12e3, away)
    local = np.where(inland > 0, 300 * np.tanh(inland / 4200), 900 * np.tanh(inland / 14000))
    near = 1 - step(40e3, 130e3, away)
    base = base + near * (local.astype(F) - base)
    rugged = rugged + near * (0.55 * step(-300, 4200, inland) + 0.12 - rugged)
    wet = wet + near * (0.47 - wet)
    urban = urban + near * (0.5 - urban)
    wild = wild + near * (0.5 - wild)
    return tuple(k.astype(F) for k in (base, rugged, clamp(wet, 0, 1), urban, wild, soil))


def region_of(p: Points, seed: int) -> Region:
    """Return the slow fields, interpolated between the nodes of a lattice of 1.5 km."""
    lat = Lattice(p, _CELL)

    def fields(i: Array, j: Array) -> Fields:
        return tuple(value.reshape(i.shape) for value in _slow_fields(lat.points(i, j), seed))

    u, v = lat.u, lat.v
    a, b, c, e = lat.corners(fields)
    mix = [(1 - v) * (sw + u * (se - sw)) + v * (nw + u * (ne - nw)) for sw, se, nw, ne in zip(a, b, c, e)]
    inv = F(1 / lat.size)
    gx = ((b[0] - a[0]) * (1 - v) + (e[0] - c[0]) * v) * inv
    gy = ((c[0] - a[0]) * (1 - u) + (e[0] - b[0]) * u) * inv
    return Region(mix[0], gx, gy, *mix[1:])
