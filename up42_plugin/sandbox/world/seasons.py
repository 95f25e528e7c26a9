"""The sun and the year: where the light comes from and how green fields, grass and forests are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from up42_plugin.sandbox.world.ground import Land
from up42_plugin.sandbox.world.lattice import (
    Array,
    F,
    Number,
    clamp,
    step,
    uniform,
)
from up42_plugin.sandbox.world.parcels import COARSE

PASS_HOUR = 10.5
"""Local solar hour at which the satellites pass."""

# Crops in northern days: share, day of the peak, half width, cover off season, at the peak, day of harvest.
_CROPS = np.array(
    [
        (0.34, 112, 78, 0.06, 0.95, 176),
        (0.20, 205, 50, 0.06, 0.95, 262),
        (0.20, 190, 90, 0.28, 0.50, 400),
        (0.16, 120, 85, 0.38, 0.88, 400),
        (0.10, 70, 50, 0.12, 0.48, 400),
    ],
    F,
)
_CEREAL, _ORCHARD, _MEADOW = 0, 2, 3
_LATER_BY_DEGREE = 2.2
"""Days by which the winter cereal ripens later for each degree beyond latitude 38."""


@dataclass
class Season:
    """State 0..1 of a day: green cover and stubble of the fields, share of orchards, green of the grass, leaf."""

    field: Array
    stubble: Array
    orchard: Array
    grass: Array
    leaf: Array


def sun(date: dt.date, lat: Number, hour: float = PASS_HOUR) -> Tuple[Array, Array]:
    """Return azimuth (from north, clockwise) and elevation of the sun in radians at a local solar hour."""
    declination = np.radians(23.44) * np.sin(2 * np.pi * (date.timetuple().tm_yday - 81) / 365.0)
    phi, ha = np.radians(np.asarray(lat, float)), np.radians(15.0 * (hour - 12.0))
    up = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(ha)
    azimuth = np.arctan2(
        -np.cos(declination) * np.sin(ha),
        np.cos(phi) * np.sin(declination) - np.sin(phi) * np.cos(declination) * np.cos(ha),
    )
    return azimuth, np.arcsin(clamp(up, -1, 1))


def _crops(g: Land) -> Array:
    """Return the crop's number of each point's parcel; rainy land has many meadows."""
    kind = np.searchsorted(np.cumsum(_CROPS[:, 0])[:-1], g.farm.kind)
    rainy = step(0.45, 0.8, g.relief.region.wet)
    return np.where(uniform(g.parcels.parcel, 11) < 0.6 * rainy, _MEADOW, kind)


def orchards(g: Land) -> Array:
    """Return where the fields are orchards."""
    return _crops(g) == _ORCHARD


class _Calendar:
    """A day of the year at the points: the south has its seasons half a year later."""

    def __init__(self, g: Land, date: dt.date) -> None:
        far = np.abs(g.lat)
        self.t = F(date.timetuple().tm_yday) + np.where(g.lat < 0, F(182.5), F(0))
        self.delay = F(_LATER_BY_DEGREE) * clamp(far - 38, 0, 25)
        self.swing = step(3, 22, far)  # no seasons at the equator
        self.mild = step(28, 33, far) * step(45, 41, far)  # winters are rainy and green

    def bump(self, peak: Number, wide: Number) -> Array:
        """Return 0..1 around a day of the year: slow rise, faster fall."""
        d = (self.t - peak + F(182.5)) % F(365) - F(182.5)
        return np.exp(-((np.where(d < 0, d * F(0.62), d) / wide) ** 2))

    def crop(self, kind: Array, late: Array) -> Tuple[Array, Array]:
        """Return the green cover and the stubble 0..1 of crops that are some days late."""
        row = _CROPS.take(kind, 0)
        late = late + self.delay * (kind == _CEREAL)
        green = row[..., 3] + (row[..., 4] - row[..., 3]) * self.bump(row[..., 1] + late, row[..., 2])
        after = (self.t - row[..., 5] - late) % F(365)  # days since the harvest
        ripe = clamp((after - 330) / 30, 0, 1)
        bare = np.maximum(ripe, clamp((110 - after) / 40, 0, 1)) * (kind < _ORCHARD)
        straw = np.maximum(ripe, clamp((95 - after) / 30, 0, 1)) * (kind < _ORCHARD)
        return green * (1 - F(0.9) * bare), F(0.85) * straw


def season(g: Land, date: dt.date) -> Season:
    """Return how the ground looks on a day."""
    c, parcel, wet = _Calendar(g, date), g.parcels.parcel, g.relief.region.wet
    kind = _crops(g)
    late = 36 * (uniform(parcel, 4) - 0.5) + (1 - c.swing) * 300 * uniform(parcel, 5)
    field, stubble = c.crop(kind, late)
    orchard = (kind == _ORCHARD).astype(F)
    if g.p.coarse > COARSE:  # a sample sees many fields at once
        own = g.parcels.own
        every = [c.crop(np.full(kind.shape, k), np.zeros_like(late)) for k in range(len(_CROPS))]
        means = [sum(share * state[n] for share, state in zip(_CROPS[:, 0], every)) for n in (0, 1)]
        field, stubble = (m + own * (v - m) for m, v in zip(means, (field, stubble)))
        orchard = _CROPS[_ORCHARD, 0] + own * (orchard - _CROPS[_ORCHARD, 0])
    vigour = 0.75 + 0.3 * g.parcels.random(6) + 0.10 * g.tex.patch
    rainy = step(0.5, 0.9, wet)
    weeds = c.mild * c.bump(45, 75) * (0.15 + 0.6 * g.parcels.random(13))
    lush = np.maximum(np.maximum(0.62 * rainy, 0.3 * g.tex.fertile), weeds)
    field = np.maximum(field * vigour * (1 + 0.25 * g.tex.fertile), lush * (1 - stubble))
    dryland = 1 - step(0.38, 0.72, wet)
    grass = dryland * (0.12 + 0.75 * c.bump(80, 82)) + (1 - dryland) * (0.55 + 0.4 * c.bump(170, 85))
    leaf = np.maximum(c.bump(196, 85) ** F(0.5) * F(1.15), 1 - step(30, 46, np.abs(g.lat)))
    return Season(
        field=clamp(field, 0, 1),
        stubble=stubble,
        orchard=orchard,
        grass=clamp(grass * c.swing + (1 - c.swing) * wet, 0, 1),
        leaf=clamp(leaf, 0, 1),
    )
