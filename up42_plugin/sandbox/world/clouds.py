"""Clouds and their shadows: noise cut at a level that gives the wanted cover around each point."""

from __future__ import annotations

from typing import Callable, Dict, List, Sequence, Tuple

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
    noise,
    sampled,
    step,
)
from up42_plugin.sandbox.world.spectra import BANDS, SPECTRA
from up42_plugin.sandbox.world.view import in_blocks

CEILING = 1400.0
"""Height of the clouds (m)."""
Cover = Callable[[Array, Array], Array]
Node = Tuple[int, int]

_LEVEL_SIZE = 16e3
_SPREAD = np.linspace(-17e3, 17e3, 26)
_SAMPLE = 400.0
_CLEAR = 0.004


class Sky:
    """Clouds of one pass.

    ``cover`` gives the cover 0..1 around longitudes and latitudes in degrees. The level at which the noise is cut
    follows its distribution around the nodes of a 16 km lattice, so the cover holds in any window of some 30 km.
    ``scale`` shrinks the clouds and those windows, for images that are smaller than that. Sun angles in radians.
    """

    def __init__(self, salt: int, cover: Cover, sun_azimuth: float, sun_elevation: float, scale: float = 1.0) -> None:
        self._salt = salt & 0x1FFFFFFF
        self._scale = scale
        self._cover = cover
        reach = CEILING / np.tan(max(sun_elevation, 0.15))
        self._toward_sun = float(np.sin(sun_azimuth) * reach), float(np.cos(sun_azimuth) * reach)
        self._levels: Dict[Node, float] = {}

    def __call__(self, lon: Number, lat: Number, resolution: Number) -> Tuple[Array, Array]:
        """Return opacity of the clouds and depth of their shadow (0..1) at points sampled every ``resolution`` m."""
        opacity, shadow = in_blocks(self._both, (2,), F, lon, lat, resolution)
        return opacity, shadow

    def _both(self, lon: Array, lat: Array, resolution: Array) -> Array:
        p = sampled(lon, lat, resolution)
        scale = p.res / resolution
        dx, dy = self._toward_sun
        top = self._opacity(p)
        return np.stack([top, self._opacity(p.moved(dx * scale, dy * scale)) * (1 - top)])

    def _opacity(self, p: Points) -> Array:
        lat = Lattice(p, _LEVEL_SIZE * self._scale)

        def levels(i: Array, j: Array) -> Fields:
            nodes = np.stack([i.ravel(), j.ravel()], 1)
            unique, back = np.unique(nodes, axis=0, return_inverse=True)
            keys = [(int(a), int(b)) for a, b in unique]
            self._measure([key for key in keys if key not in self._levels], lat.size)
            return (np.array([self._levels[key] for key in keys], F)[back.reshape(-1)].reshape(i.shape),)

        u, v = lat.u, lat.v
        (a,), (b,), (c,), (e,) = lat.corners(levels)
        level = (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + e * u) * v
        n = self._field(p) - level
        return step(-0.11, 0.11, n) * (F(0.86) + F(0.14) * step(0.0, 0.5, n))

    def _measure(self, keys: Sequence[Node], size: float) -> None:
        """Find the level of the noise around lattice nodes that leaves the wanted cover above it."""
        if not keys:
            return
        dx, dy = (a.ravel() for a in np.meshgrid(_SPREAD * self._scale, _SPREAD * self._scale))
        at = np.array(keys, float) * size
        x, y = at[:, :1] + dx, at[:, 1:] + dy
        p = Points(x.ravel(), y.ravel(), np.full(x.size, _SAMPLE * self._scale, F))
        fields: List[Array] = list(self._field(p).reshape(x.shape))
        lon = at[:, 0] / GIRTH * 360
        lat = np.degrees(np.arctan(np.sinh(at[:, 1] * (2 * np.pi / GIRTH))))
        for key, field, cover in zip(keys, fields, self._cover(lon, lat).tolist()):
            gap = 0.3 * max(0.0, 1 - cover / _CLEAR)  # a clear sky has not even a wisp
            self._levels[key] = float(np.quantile(field, 1.0 - cover)) + gap

    def _field(self, p: Points) -> Array:
        """Return the cloud thickness noise, unbounded, clumped at some kilometres and ragged down to the sample."""
        salt, k = self._salt, self._scale
        q = p.moved(noise(p, 8200 * k, salt + 20) * (1300 * k), noise(p, 7700 * k, salt + 21) * (1300 * k))
        puff = np.abs(noise(q, 2600 * k, salt + 22)) - F(0.29)
        return fbm(p, 12e3 * k, 1, salt) + F(0.62) * fbm(q, 5600 * k, 9, salt + 5, 0.6) + F(0.3) * puff


def under_clouds(values: Array, bands: Sequence[str], opacity: Array, shadow: Array) -> Array:
    """Return reflectance (bands x shape) seen through clouds and in their shadow."""
    white = SPECTRA["cloud"][[BANDS.index(band) for band in bands]].reshape((-1,) + (1,) * opacity.ndim)
    dark = values * (1 - F(0.62) * shadow)
    return dark + opacity * (white * (F(0.7) + F(0.4) * opacity) - dark)
