"""Continents, hills and valleys: elevation with its slope, and the slow fields that the land cover follows."""

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
    fbm,
    noise,
    plane,
    sloped_noise,
    step,
)

ANCHOR = (15.2905, 37.8488)
"""Longitude and latitude of the coastal town around which the made-up Earth is arranged."""
OCTAVES = 9

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
class Relief:
    """Elevation (m), slope east and north, slope without fine detail, signed stream distances (m), slow fields.

    ``rugged``, ``wet`` and ``urban`` are 0..1.
    """

    h: Array
    gx: Array
    gy: Array
    steep: Array
    river: Array
    stream: Array
    rugged: Array
    wet: Array
    urban: Array


def _continents(q: Points, seed: int) -> Tuple[Array, Array]:
    """Return how much a point lies inland (signed) and its latitude."""
    phi = np.degrees(np.arctan(np.sinh(q.y * (2 * np.pi / GIRTH))))
    cx, cy = q.x / GIRTH * 36 + 17.5, np.clip(8.5 - phi / 10, 0, 16.999)
    ci, cj = np.floor(cx).astype(int), np.floor(cy).astype(int)
    u, v = step(0, 1, cx - ci), step(0, 1, cy - cj)

    def row(r: Array) -> Array:
        return _LAND_CELLS[r, ci % 36] * (1 - u) + _LAND_CELLS[r, (ci + 1) % 36] * u

    land = row(cj) * (1 - v) + row(cj + 1) * v
    return (land * 2 - 0.85) + 0.75 * fbm(q, 900e3, 6, seed + 100, 0.55), phi


def _slow_fields(q: Points, seed: int) -> Fields:
    """Return base elevation (m), ruggedness, moisture and urbanity; pulled to a coast with hills at the anchor."""
    c, phi = _continents(q, seed)
    base = 130 * np.tanh(c * 18) + 260 * c + 200 * np.minimum(c, 0)
    rugged = step(-0.15, 0.95, fbm(q, 260e3, 5, seed + 120, 0.6) + 0.18)
    wet = 0.5 + 0.33 * np.cos(np.radians(phi) * 7.2) + 0.45 * fbm(q, 400e3, 5, seed + 140, 0.55)
    urban = step(-0.1, 0.9, fbm(q, 90e3, 3, seed + 160))
    # Around the anchor: sea to the east-south-east, hills climbing to the west.
    ax, ay = plane(*ANCHOR)
    dx, dy = q.x - ax, q.y - ay
    away = np.hypot(dx, dy)
    inland = 330 - (dx * 0.93 - dy * 0.37) + 4200 * fbm(q, 21e3, 3, seed + 180) * step(2e3, 12e3, away)
    local = np.where(inland > 0, 300 * np.tanh(inland / 4200), 900 * np.tanh(inland / 14000))
    near = 1 - step(40e3, 130e3, away)
    base = base + near * (local.astype(F) - base)
    rugged = rugged + near * (0.55 * step(-300, 4200, inland) + 0.12 - rugged)
    wet = wet + near * (0.47 - wet)
    urban = urban + near * (0.45 - urban)
    return tuple(k.astype(F) for k in (base, rugged, np.clip(wet, 0, 1), urban))


def _broad(p: Points, seed: int) -> Fields:
    """Return the slow fields, interpolated on a lattice of 1.5 km: base with its slope, rugged, wet, urban."""
    lat = Lattice(p, 1500.0)

    def fields(i: Array, j: Array) -> Fields:
        return _slow_fields(Points(i * lat.size, j * lat.size, np.ones(i.shape, F)), seed)

    u, v = lat.u, lat.v
    a, b, c, e = lat.corners(fields)
    mix = [(1 - v) * (k + u * (l - k)) + v * (m + u * (n - m)) for k, l, m, n in zip(a, b, c, e)]
    inv = F(1 / lat.size)
    gx = ((b[0] - a[0]) * (1 - v) + (e[0] - c[0]) * v) * inv
    gy = ((c[0] - a[0]) * (1 - u) + (e[0] - b[0]) * u) * inv
    return (mix[0], gx, gy, *mix[1:])


def relief(p: Points, seed: int) -> Relief:
    """Return hills cut by valleys: octaves of |noise| whose zero lines are the rivers and streams."""
    base, gx, gy, rugged, wet, urban = _broad(p, seed)
    wx = noise(p, 3400, seed + 1) * 480 + noise(p, 900, seed + 3) * 130
    wy = noise(p, 3100, seed + 2) * 480 + noise(p, 840, seed + 4) * 130
    q = p.moved(wx, wy)
    amplitude = (40 + 1900 * rugged**1.7) * step(-50, 130, base)
    h, size, gain = base, 6400.0, 1.0
    grow = np.ones_like(h)
    river = stream = steep = h
    for octave in range(OCTAVES):
        w = p.weight(size)
        if isinstance(w, float) and w == 0.0:
            break
        n, nx, ny = sloped_noise(q, size, seed + 10 + octave)
        m = np.sqrt(n * n + F(0.0016))  # valley floors are narrow, not creased
        k, ridge = n / m, m - F(0.04)
        if octave < 2:
            d = n / (np.hypot(nx, ny) + F(0.12 / size))
            river, stream = (d, stream) if octave == 0 else (river, d)
        if octave == 2:  # low coasts still get headlands and bays
            amplitude, grow = np.maximum(amplitude * grow, 85), np.ones_like(h)
        a = amplitude * grow * (F(gain) * w)
        h, gx, gy = h + a * ridge, gx + a * k * nx, gy + a * k * ny
        if octave < 2:
            grow = grow * np.clip(0.3 + 2.0 * ridge, 0, 1.2)
        size, gain = size * 0.5, gain * (0.56 if octave < 4 else 0.42)
        if octave <= 3:
            steep = np.hypot(gx, gy)
    return Relief(h, gx, gy, steep, river, stream, rugged, wet, urban)
