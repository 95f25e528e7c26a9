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


def _slow_fields(q: Points, seed: int) -> Fields:
    """Return base elevation (m) and the other fields of a region; pulled to a coast with hills at the anchor."""
    c, phi = _continents(q, seed)
    base = 130 * np.tanh(c * 18) + 260 * c + 200 * np.minimum(c, 0)
    rugged = step(-0.1, 0.95, fbm(q, 230e3, 5, seed + 120, 0.6) + 0.18)
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
