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
    Number,
    Points,
    clamp,
    fbm,
    latitude,
    length,
    noise,
    plane,
    sloped_noise,
    step,
)

ANCHOR = (15.2905, 37.8488)
"""Longitude and latitude of the coastal town around which the made-up Earth is arranged."""
VOLCANO = (14.995, 37.745)
"""Longitude and latitude of the volcano behind it."""
VOLCANO_HEIGHT = 3250.0
VOLCANO_RADIUS = 24e3
OCTAVES = 9
RANGES = (27e3, 13e3)
"""Wavelengths of the mountain ranges and their main valleys (nominal metres)."""

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


@dataclass
class Relief:
    """Elevation (m), slope east and north, slope without fine detail, signed distances to water courses (m).

    ``stem`` is the large river of a region, ``river`` and ``stream`` flow to it. ``lava`` is the share of lava.
    """

    h: Array
    gx: Array
    gy: Array
    steep: Array
    stem: Array
    river: Array
    stream: Array
    lava: Array
    region: Region


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


def _region(p: Points, seed: int) -> Region:
    """Return the slow fields, interpolated on a lattice of 1.5 km."""
    lat = Lattice(p, 1500.0)

    def fields(i: Array, j: Array) -> Fields:
        return _slow_fields(Points(i * lat.size, j * lat.size, np.ones(i.shape, F)), seed)

    u, v = lat.u, lat.v
    a, b, c, e = lat.corners(fields)
    mix = [(1 - v) * (sw + u * (se - sw)) + v * (nw + u * (ne - nw)) for sw, se, nw, ne in zip(a, b, c, e)]
    inv = F(1 / lat.size)
    gx = ((b[0] - a[0]) * (1 - v) + (e[0] - c[0]) * v) * inv
    gy = ((c[0] - a[0]) * (1 - u) + (e[0] - b[0]) * u) * inv
    return Region(mix[0], gx, gy, *mix[1:])


@dataclass
class _Height:
    """Elevation and slope as layers are added to them."""

    h: Array
    gx: Array
    gy: Array

    def add(self, h: Number, gx: Array, gy: Array) -> None:
        self.h, self.gx, self.gy = self.h + h, self.gx + gx, self.gy + gy


def relief(p: Points, seed: int) -> Relief:
    """Return hills cut by valleys: octaves of |noise| whose zero lines are the rivers and streams."""
    region = _region(p, seed)
    height = _Height(region.base, region.gx, region.gy)
    lava = _volcano(p, height, seed)
    stem = _ranges(p, height, region, seed)
    steep, river, stream = _hills(p, height, region, seed)
    return Relief(height.h, height.gx, height.gy, steep, stem, river, stream, lava, region)


def _ranges(p: Points, height: _Height, region: Region, seed: int) -> Array:
    """Add mountain ranges inland; return the distance to the bottom of their main valleys (m)."""
    q = p.moved(noise(p, 11e3, seed + 5) * 1900, noise(p, 10e3, seed + 6) * 1900)
    amplitude = 1900 * region.rugged**1.6 * step(90, 330, region.base)
    stem = amplitude
    for k, size in enumerate(RANGES):
        n, nx, ny = sloped_noise(q, size, seed + 30 + k)
        m = np.sqrt(n * n + F(0.003))
        a = amplitude * F(1 if k == 0 else 0.6)
        height.add(a * (m - F(0.055)), a * n / m * nx, a * n / m * ny)
        if k == 0:
            stem = n / (length(nx, ny) + F(0.12 / size))
    return stem


def _hills(p: Points, height: _Height, region: Region, seed: int) -> Tuple[Array, Array, Array]:
    """Add hills; return the slope without fine detail and the distances to rivers and streams (m)."""
    wx = noise(p, 3400, seed + 1) * 480 + noise(p, 900, seed + 3) * 130
    wy = noise(p, 3100, seed + 2) * 480 + noise(p, 840, seed + 4) * 130
    q = p.moved(wx, wy)
    amplitude = (40 + 1700 * region.rugged**1.7) * step(-50, 130, region.base)
    size, gain = 6400.0, 1.0
    grow = np.ones_like(amplitude)
    river = stream = np.full_like(amplitude, 1e4)
    steep = length(height.gx, height.gy)
    for octave in range(OCTAVES):
        w = p.weight(size)
        if isinstance(w, float) and w == 0.0:
            break
        n, nx, ny = sloped_noise(q, size, seed + 10 + octave)
        m = np.sqrt(n * n + F(0.0016))  # valley floors are narrow, not creased
        k, ridge = n / m, m - F(0.04)
        if octave < 2:
            d = n / (length(nx, ny) + F(0.12 / size))
            river, stream = (d, stream) if octave == 0 else (river, d)
        if octave == 2:  # low coasts still get headlands and bays
            amplitude, grow = np.maximum(amplitude * grow, 85), np.ones_like(amplitude)
        a = amplitude * grow * (F(gain) * w)
        height.add(a * ridge, a * k * nx, a * k * ny)
        if octave < 2:
            grow = grow * clamp(0.3 + 2.0 * ridge, 0, 1.2)
        size, gain = size * 0.5, gain * (0.56 if octave < 4 else 0.42)
        if octave <= 3:
            steep = length(height.gx, height.gy)
    return steep, river, stream


def _volcano(p: Points, height: _Height, seed: int) -> Array:
    """Add the volcano's cone where it is near; return the share of lava."""
    vx, vy = plane(*VOLCANO)
    dx, dy = (p.x - float(vx)).astype(F), (p.y - float(vy)).astype(F)
    d = length(dx, dy) + F(1)
    if float(d.min()) >= VOLCANO_RADIUS:
        return np.zeros(p.x.shape, F)
    rise = clamp(1 - d * F(1 / VOLCANO_RADIUS), 0, 1)
    crater = F(180) * np.exp(-((d / 420) ** 2))
    slope = F(-2.2 * VOLCANO_HEIGHT / VOLCANO_RADIUS) * rise ** F(1.2) + crater * d * F(2 / 420**2)
    height.add(F(VOLCANO_HEIGHT) * rise ** F(2.2) - crater, slope * dx / d, slope * dy / d)
    # Flows run downhill: noise that is stretched along the slope, on a ring that widens slowly, bent here and there.
    bend_x = dx + (noise(p, 5200, seed + 45) * 1500 + noise(p, 1300, seed + 46) * 260) * (1 - rise)
    bend_y = dy + (noise(p, 4900, seed + 47) * 1500 + noise(p, 1200, seed + 48) * 260) * (1 - rise)
    ring = (F(14000) + F(0.3) * d) / (length(bend_x, bend_y) + F(1))
    flow = fbm(Points((bend_x * ring).astype(float), (bend_y * ring).astype(float), p.res), 3000, 5, seed + 40, 0.6)
    return step(0.0, 0.12, flow - 0.1 + 1.7 * (rise - 0.62) + 3 * np.maximum(rise - 0.7, 0)) * step(0.05, 0.3, rise)
