"""Clouds and their shadows: noise cut at a level that gives the wanted cover around each point."""

from __future__ import annotations

import datetime as dt
from typing import Callable, Dict, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.world.lattice import (
    GIRTH,
    Array,
    F,
    Fields,
    Lattice,
    Number,
    Points,
    fbm,
    latitude,
    noise,
    nominal,
    sampled,
    step,
)
from up42_plugin.sandbox.world.seasons import sun
from up42_plugin.sandbox.world.spectra import BANDS, SPECTRA
from up42_plugin.sandbox.world.view import in_blocks

CEILING = 1400.0
"""Height of the clouds (m)."""
Cover = Callable[[Array, Array], Array]
Node = Tuple[int, int]

_LEVEL_SIZE = 16e3
_SPREAD = np.linspace(-17e3, 17e3, 26)
_SAMPLE = 400.0
_FINEST = 30.0
_CLEAR = 0.004


class Sky:
    """Clouds of one pass.

    ``cover`` gives the cover 0..1 around longitudes and latitudes in degrees. The level at which the noise is cut
    follows its distribution around the nodes of a 16 km lattice, so the cover holds in any window of some 30 km.
    ``scale`` shrinks the clouds and those windows, for images that are smaller than that. ``date`` gives the sun, from
    which the shadows fall.
    """

    def __init__(self, salt: int, cover: Cover, date: dt.date, scale: float = 1.0) -> None:
        self._salt = salt & 0x1FFFFFFF
        self._scale = scale
        self._cover = cover
        self._date = date
        self._levels: Dict[Node, float] = {}

    def __call__(self, lon: Number, lat: Number, resolution: Number) -> Tuple[Array, Array]:
        """Return opacity of the clouds and depth of their shadow (0..1) at points sampled every ``resolution`` m."""
        opacity, shadow = in_blocks(self._sampled, (2,), F, lon, lat, resolution)
        return opacity, shadow

    def _sampled(self, lon: Array, lat: Array, resolution: Array) -> Array:
        """Clouds have no detail below some 30 m: between the nodes of a lattice of that size they are interpolated."""
        p = sampled(lon, lat, resolution)
        finest = _FINEST * self._scale
        if p.fine >= finest:
            return self._both(p)
        lattice = Lattice(p, finest)

        def at_nodes(i: Array, j: Array) -> Fields:
            opacity, shadow = self._both(lattice.points(i, j))
            return opacity.reshape(i.shape), shadow.reshape(i.shape)

        between = np.stack(lattice.between(at_nodes))
        return between if p.coarse < finest else np.where(p.res < finest, between, self._both(p))

    def _both(self, p: Points) -> Array:
        top = self._opacity(p)
        azimuth, elevation = sun(self._date, latitude(p.y))
        reach = CEILING * self._scale / np.tan(np.maximum(elevation, 0.15)) * nominal(p.y)
        below = p.moved(np.sin(azimuth) * reach, np.cos(azimuth) * reach)
        return np.stack([top, self._opacity(below) * (1 - top)])

    def _opacity(self, p: Points) -> Array:
        lattice = Lattice(p, _LEVEL_SIZE * self._scale)

        def levels(i: Array, j: Array) -> Fields:
            nodes = np.stack([i.ravel(), j.ravel()], 1)
            unique, back = np.unique(nodes, axis=0, return_inverse=True)
            keys = [(int(a), int(b)) for a, b in unique]
            self._measure([key for key in keys if key not in self._levels], lattice.size)
            return (np.array([self._levels[key] for key in keys], F)[back.reshape(-1)].reshape(i.shape),)

        (level,) = lattice.between(levels)
        n = self._field(p) - level
        return F(0.35) * step(-0.22, 0.06, n) + F(0.51) * step(-0.05, 0.12, n) + F(0.14) * step(0.05, 0.6, n)

    def _measure(self, keys: Sequence[Node], size: float) -> None:
        """Find the level of the noise around lattice nodes that leaves the wanted cover above it."""
        if not keys:
            return
        spread = _SPREAD * self._scale
        dx, dy = (a.ravel() for a in np.meshgrid(spread, spread))
        at = np.array(keys, float) * size
        x, y = at[:, :1] + dx, at[:, 1:] + dy
        field = self._field(Points(x.ravel(), y.ravel(), np.full(x.size, _SAMPLE * self._scale, F))).reshape(x.shape)
        lon = at[:, 0] / GIRTH * 360
        for key, values, cover in zip(keys, field, self._cover(lon, latitude(at[:, 1])).tolist()):
            gap = 0.5 * max(0.0, 1 - cover / _CLEAR)  # a clear sky has not even a wisp
            self._levels[key] = float(np.quantile(values, 1.0 - cover)) + gap

    def _field(self, p: Points) -> Array:
        """Return the cloud thickness noise, unbounded, clumped at some kilometres and ragged down to the sample."""
        salt, k = self._salt, self._scale
        p = p.moved(noise(p, 23e3 * k, salt + 23) * (6000 * k), noise(p, 21e3 * k, salt + 24) * (6000 * k))
        q = p.moved(noise(p, 8200 * k, salt + 20) * (1900 * k), noise(p, 7700 * k, salt + 21) * (1900 * k))
        puff = np.abs(noise(q, 2600 * k, salt + 22)) - F(0.29)
        return fbm(p, 12e3 * k, 1, salt) + F(0.62) * fbm(q, 5600 * k, 8, salt + 5, 0.6) + F(0.3) * puff


def under_clouds(values: Array, bands: Sequence[str], opacity: Array, shadow: Array) -> Array:
    """Return reflectance (bands x shape) seen through clouds and in their shadow."""
    white = SPECTRA["cloud"][[BANDS.index(band) for band in bands]].reshape((-1,) + (1,) * opacity.ndim)
    dark = values * (1 - F(0.62) * shadow)
    return dark + opacity * (white * (F(0.7) + F(0.4) * opacity) - dark)
