"""Ranges, hills, valleys and a volcano: elevation with its slope, and the distances to water courses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

import numpy as np

from up42_plugin.sandbox.world.lattice import (
    Array,
    F,
    Number,
    Points,
    clamp,
    fbm,
    length,
    noise,
    plane,
    sloped_noise,
    step,
)
from up42_plugin.sandbox.world.region import Region

VOLCANO = (14.995, 37.745)
"""Longitude and latitude of the volcano behind it."""
VOLCANO_HEIGHT = 3250.0
VOLCANO_RADIUS = 24e3
RANGES = (27e3, 13e3)
"""Wavelengths of the mountain ranges and their main valleys (nominal metres)."""

_FIRST = 6400.0  # wavelength of the hills' first octave
_BROAD, _OCTAVES = 5, 9


@dataclass
class Landform:
    """The part of the relief that has no detail below 400 m: elevation (m), its slope, signed distances to water (m).

    ``stem`` is the large river of a region, ``river`` and ``stream`` flow to it. ``steep`` is the slope of these forms,
    ``lava`` the share of lava. ``warp_x``, ``warp_y`` and ``amplitude`` are for the octaves that follow.
    """

    h: Array
    gx: Array
    gy: Array
    steep: Array
    stem: Array
    river: Array
    stream: Array
    lava: Array
    warp_x: Array
    warp_y: Array
    amplitude: Array


@dataclass
class Relief:
    """Elevation (m) and slope east and north in full detail, what they rest on, and the region."""

    h: Array
    gx: Array
    gy: Array
    form: Landform
    region: Region


@dataclass
class _Height:
    """Elevation and slope as layers are added to them."""

    h: Array
    gx: Array
    gy: Array

    def add(self, h: Number, gx: Array, gy: Array) -> None:
        self.h, self.gx, self.gy = self.h + h, self.gx + gx, self.gy + gy


def landform(p: Points, region: Region, seed: int) -> Landform:
    """Return ranges and hills cut by valleys: octaves of |noise| whose zero lines are the rivers and streams."""
    height = _Height(region.base, region.gx, region.gy)
    lava = _volcano(p, height, seed)
    stem = _ranges(p, height, region, seed)
    return _hills(p, height, region, (stem, lava), seed)


def relief(p: Points, form: Landform, region: Region, seed: int) -> Relief:
    """Return the landforms with their fine detail."""
    height = _Height(form.h, form.gx, form.gy)
    q = p.moved(form.warp_x, form.warp_y)
    for octave in range(_BROAD, _OCTAVES):
        w = p.weight(_FIRST / 2**octave)
        if isinstance(w, float) and w == 0.0:
            break
        _add_octave(q, height, octave, form.amplitude * w, seed)
    return Relief(height.h, height.gx, height.gy, form, region)


def _add_octave(q: Points, height: _Height, octave: int, amplitude: Array, seed: int) -> Tuple[Array, Array]:
    """Add an octave of hills; return its height 0..1 and the signed distance to its valley bottoms (m)."""
    size = _FIRST / 2**octave
    n, nx, ny = sloped_noise(q, size, seed + 10 + octave)
    m = np.sqrt(n * n + F(0.0016))  # valley floors are narrow, not creased
    ridge = m - F(0.04)
    a = amplitude * F(0.56 ** min(octave, 4) * 0.42 ** max(octave - 4, 0))
    k = a * n / m
    height.add(a * ridge, k * nx, k * ny)
    return ridge, n / (length(nx, ny) + F(0.12 / size)) if octave < 2 else n


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


def _hills(p: Points, height: _Height, region: Region, given: Tuple[Array, Array], seed: int) -> Landform:
    """Add the broad octaves of the hills to what is there."""
    wx = noise(p, 3400, seed + 1) * 480 + noise(p, 900, seed + 3) * 130
    wy = noise(p, 3100, seed + 2) * 480 + noise(p, 840, seed + 4) * 130
    q = p.moved(wx, wy)
    amplitude = (40 + 1700 * region.rugged**1.7) * step(-50, 130, region.base)
    away = [np.full_like(amplitude, 1e4)] * 2
    steep = length(height.gx, height.gy)
    for octave in range(_BROAD):
        w = p.weight(_FIRST / 2**octave)
        if isinstance(w, float) and w == 0.0:
            break
        ridge, distance = _add_octave(q, height, octave, amplitude * w, seed)
        if octave < 2:
            away[octave] = distance
            amplitude = amplitude * clamp(0.3 + 2.0 * ridge, 0, 1.2)
        if octave == 1:  # low coasts still get headlands and bays
            amplitude = np.maximum(amplitude, 85)
        if octave <= 3:
            steep = length(height.gx, height.gy)
    stem, lava = given
    return Landform(height.h, height.gx, height.gy, steep, stem, away[0], away[1], lava, wx, wy, amplitude)


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
