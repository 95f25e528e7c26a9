"""Reflectance of the ground: materials laid over each other, shaded by the relief, then the water."""

from __future__ import annotations

import datetime as dt
from typing import Sequence

import numpy as np

from up42_plugin.sandbox.world.ground import Ground, Land
from up42_plugin.sandbox.world.lattice import Array, F, Number, clamp, step
from up42_plugin.sandbox.world.seasons import Season, season, sun
from up42_plugin.sandbox.world.spectra import BANDS, SPECTRA

_TURN = F(2 * np.pi)


class Canvas:
    """Reflectance of some bands (bands x points) on which materials are laid."""

    def __init__(self, bands: Sequence[str], points: int) -> None:
        self._columns = [BANDS.index(band) for band in bands]
        self.values = np.zeros((len(bands), points), F)

    def over(self, share: Number, material: str, gain: Number = 1) -> None:
        """Lay a material over a share (0..1) of each point, its spectrum times ``gain``."""
        spectrum = SPECTRA[material]
        for k, column in enumerate(self._columns):
            self.values[k] += share * (spectrum[column] * gain - self.values[k])


def paint(g: Ground, date: dt.date, bands: Sequence[str]) -> Array:
    """Return the surface reflectance 0..1 of each band on a day (bands x points)."""
    canvas = Canvas(bands, g.sea.size)
    if g.land is not None:
        canvas.values[:, g.ashore] = _land(g.land, date, bands)
    if g.sea.any():
        _sea(canvas, g)
    return clamp(canvas.values, 0, 1)


def _land(g: Land, date: dt.date, bands: Sequence[str]) -> Array:
    canvas = Canvas(bands, g.lat.size)
    s = season(g, date)
    _wild(canvas, g, s)
    _fields(canvas, g, s)
    _forest(canvas, g, s)
    _built(canvas, g)
    _edges(canvas, g)
    _snow(canvas, g, date)
    canvas.values *= _shade(g, date)
    _waters(canvas, g)
    return canvas.values


def _wild(canvas: Canvas, g: Land, s: Season) -> None:
    t, v, region = g.tex, g.vegetation, g.relief.region
    bright = 1 + 0.16 * t.patch + 0.13 * t.grain
    canvas.over(1, "soil", bright * (1.0 - 0.15 * t.wide))
    canvas.over(0.8 - 0.8 * step(0.05, 0.3, region.wet), "sand", 0.8 * bright)
    canvas.over(v.grass * 0.85, "dry", bright)
    canvas.over(v.grass * s.grass, "grass", 1 + 0.1 * t.grain)
    canvas.over(v.scrub * 0.8, "scrub", 1 + 0.2 * t.grain + 0.5 * (np.minimum(v.crown, 1) - 1) * g.p.weight(7.0))
    canvas.over(v.rock * 0.7, "rock", 0.9 + 0.2 * t.grain + 0.1 * t.patch)
    if np.any(g.relief.form.lava):
        canvas.over(g.relief.form.lava * 0.92, "basalt", 0.95 + 0.25 * t.grain + 0.2 * t.patch)


def _fields(canvas: Canvas, g: Land, s: Season) -> None:
    t, f, farm, soil = g.tex, g.parcels, g.farm, g.relief.region.soil
    own = f.random(8)
    tint = 0.86 + 0.3 * f.random(7)
    w5, w8 = g.p.weight(5.0), g.p.weight(8.0)
    rows: Number = np.sin(f.s * (_TURN / 5)) * w5 if np.any(w5) else 0
    dots: Number = 0
    if np.any(w8):
        dots = (np.cos(f.s * (_TURN / 8) + t.grain) + np.cos(f.t * (_TURN / F(7.5)) - t.grain) + t.grain) * w8
    canvas.over(farm.field, "soil", tint * (1 + 0.08 * t.patch + 0.10 * t.grain + 0.03 * rows))
    canvas.over(farm.field * 0.85 * step(0.55, 1.25, soil + 0.5 * own), "red", tint * (1 + 0.06 * t.grain))
    canvas.over(farm.field * np.minimum(own * own * (1 - 0.7 * soil) + 0.45 * t.fertile, 1), "loam", tint)
    canvas.over(farm.field * s.stubble, "dry", 0.80 + 0.3 * f.random(9) + 0.03 * rows)
    spots = clamp(1 + 0.42 * dots + 0.1 * t.grain, 0, 2)
    green = s.field * (s.orchard * spots + (1 - s.orchard) * (1 + 0.05 * rows))
    lush = (0.88 + 0.3 * f.random(10)) * (1 - 0.25 * s.orchard) * (1 + 0.05 * t.patch + 0.05 * t.grain)
    canvas.over(farm.field * clamp(green, 0, 1), "leaf", lush)
    canvas.over(farm.lane, "soil", 1.15)
    canvas.over(farm.hedge, "broad", 0.8)


def _forest(canvas: Canvas, g: Land, s: Season) -> None:
    v = g.vegetation
    leafy = step(-0.3, 0.4, g.tex.patch + g.tex.wide * 0.4) * (1 - g.tex.cool)
    crown = clamp(v.crown, 0.3, 1.7)
    canvas.over(v.forest * 0.96, "conifer", crown)
    canvas.over(v.forest * leafy * s.leaf * 0.85, "broad", crown)
    canvas.over(v.forest * leafy * (1 - s.leaf) * 0.5, "scrub", crown * 0.9)


def _built(canvas: Canvas, g: Land) -> None:
    t, town = g.tex, g.town
    yard = 1 + 0.3 * t.grain
    canvas.over(town.area, "grey", 0.85 * yard)
    green = clamp(0.62 - 0.5 * town.dense + 0.7 * t.patch + 0.9 * t.grain, 0, 0.85)
    canvas.over(town.area * green, "scrub", 1.1 * yard)
    k = town.roof_kind
    canvas.over(town.roof, "tile", (0.65 + 0.45 * k) * town.ridge)
    canvas.over(town.roof * clamp((k - 0.62) * 9, 0, 1), "grey", 0.5 + 0.65 * k)
    canvas.over(town.roof * clamp((k - 0.84) * 12, 0, 1), "bright")
    canvas.over(town.shadow * 0.6, "asphalt", 0.3)
    canvas.over(town.road, "asphalt", 1.1)


def _edges(canvas: Canvas, g: Land) -> None:
    t, w = g.tex, g.water
    canvas.over(w.bank, "soil", 1.1 + 0.1 * t.grain)
    canvas.over(w.beach, "sand", 0.78 + 0.06 * t.grain + 0.05 * t.patch)
    canvas.over(w.cliff * 0.8, "rock", 0.85 + 0.2 * t.grain)


def _shade(g: Land, date: dt.date) -> Array:
    """Return the light on the slopes relative to flat ground."""
    azimuth, elevation = sun(date, g.lat)
    tilt = np.minimum(1.0 / np.tan(np.maximum(elevation, 0.05)), 1.7)  # horizontal pull of the light
    ex, ey = (np.sin(azimuth) * tilt).astype(F), (np.cos(azimuth) * tilt).astype(F)
    gx, gy = g.relief.gx, g.relief.gy
    lit = (1 - gx * ex - gy * ey) / np.sqrt(1 + gx * gx + gy * gy)
    return 1 + F(0.75) * (clamp(lit, 0.12, 1.9) - 1)


def _snow(canvas: Canvas, g: Land, date: dt.date) -> None:
    far = np.abs(g.lat)
    winter = 9 * np.cos((F(date.timetuple().tm_yday) - 15) * F(2 * np.pi / 365)) * np.sign(g.lat) * far / 40
    frost = far * 0.55 + g.relief.h * F(0.0055) + winter + 1.5 * g.tex.patch + 1.5 * np.maximum(far - 66, 0)
    lying = step(38.5, 42.5, frost + 0.8 * g.tex.grain)
    canvas.over(
        lying * (1 - 0.7 * g.vegetation.forest) * (1 - 0.5 * g.vegetation.rock), "snow", 0.93 + 0.07 * g.tex.patch
    )


def _waters(canvas: Canvas, g: Land) -> None:
    t, w = g.tex, g.water
    canvas.over(w.river, "river", 1 + 0.1 * t.patch)
    canvas.over(w.lake, "deep", 0.9 + 0.1 * t.patch)
    canvas.over(w.lake * 0.25, "river")


def _sea(canvas: Canvas, g: Ground) -> None:
    t, sea = g.tex, g.sea
    depth = np.maximum(-g.relief.h, 0)
    slick = 1 + 0.22 * g.swirl + 0.06 * t.wide + 0.05 * t.patch + 0.10 * t.grain * g.p.weight(10)
    canvas.over(sea, "deep", slick)
    murky = np.exp(-depth / 160) * step(-0.5, 0.7, g.swirl + 0.5 * t.patch)
    canvas.over(sea * F(0.5) * murky, "river", 0.9)
    reach = 1 + 1.6 * step(-0.2, 0.5, t.wide + 0.4 * t.patch)  # shelves and steep shores
    clear = np.exp(-depth / (5 * reach)) * F(0.85) + np.exp(-depth / 30) * F(0.15)
    canvas.over(sea * clear, "shallow", slick)
    surf = clamp(1 - np.abs(-t.shore - 7 - 9 * t.patch) / (6 + F(0.3) * g.p.res), 0, 1)
    swash = clamp(0.15 + 1.1 * t.grain + 0.8 * t.patch, 0, 1)
    canvas.over(sea * surf * swash * 0.8, "foam")
