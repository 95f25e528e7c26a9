"""The sun and the year: where the light comes from and how green fields, grass and forests are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Tuple

import numpy as np

from up42_plugin.sandbox.world.ground import Ground
from up42_plugin.sandbox.world.lattice import Array, F, Number, step, uniform

PASS_HOUR = 10.5
"""Local solar hour at which the satellites pass."""

# Crops in northern days: share, day of the peak, half width, cover off season, at the peak, day of harvest.
_CROPS = np.array(
    [
        (0.34, 112, 46, 0.06, 0.95, 172),
        (0.20, 205, 40, 0.05, 0.95, 262),
        (0.20, 190, 90, 0.28, 0.50, 400),
        (0.16, 120, 70, 0.34, 0.85, 400),
        (0.10, 60, 40, 0.10, 0.40, 400),
    ],
    F,
)
_ORCHARD = 2


@dataclass
class Season:
    """State 0..1 of a day: green cover and stubble of the fields, green of the grass, leaf of the forest."""

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
    return azimuth, np.arcsin(np.clip(up, -1, 1))


def crop_of(kind: Array) -> Array:
    """Return the crop's number of a parcel's random number."""
    return np.searchsorted(np.cumsum(_CROPS[:, 0])[:-1], kind)


def orchards(kind: Array) -> Array:
    """Return where a parcel's random number makes it an orchard."""
    return crop_of(kind) == _ORCHARD


def season(g: Ground, date: dt.date) -> Season:
    """Return how the ground looks on a day; the south has its seasons half a year later, the equator none."""
    t = F(date.timetuple().tm_yday) + np.where(g.lat < 0, F(182.5), F(0))
    swing = step(3, 22, np.abs(g.lat))

    def bump(peak: Number, wide: Number) -> Array:  # slow rise, faster fall
        d = (t - peak + F(182.5)) % F(365) - F(182.5)
        return np.exp(-((np.where(d < 0, d * F(0.62), d) / wide) ** 2))

    kind = crop_of(g.farm.kind)
    crop = _CROPS.take(kind, 0)
    late = 36 * (uniform(g.parcels.parcel, 4) - 0.5) + (1 - swing) * 300 * uniform(g.parcels.parcel, 5)
    vigour = 0.75 + 0.3 * uniform(g.parcels.parcel, 6) + 0.10 * g.tex.patch
    field = crop[:, 3] + (crop[:, 4] - crop[:, 3]) * bump(crop[:, 1] + late, crop[:, 2])
    after = (t - crop[:, 5] - late) % F(365)
    dryland = 1 - step(0.38, 0.72, g.relief.wet)
    grass = dryland * (0.12 + 0.75 * bump(85, 75)) + (1 - dryland) * (0.55 + 0.4 * bump(170, 85))
    leaf = np.maximum(bump(196, 85) ** 0.5 * 1.15, 1 - step(30, 46, np.abs(g.lat)))
    return Season(
        field=np.clip(field * vigour, 0, 1),
        stubble=0.85 * np.clip(after / 8, 0, 1) * np.clip((95 - after) / 30, 0, 1) * (kind < _ORCHARD),
        orchard=kind == _ORCHARD,
        grass=np.clip(grass * swing + (1 - swing) * g.relief.wet, 0, 1),
        leaf=np.clip(leaf, 0, 1),
    )
