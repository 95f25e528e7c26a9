"""How cloudy it is: a climate by latitude and season, and weather that drifts over it from pass to pass."""

from __future__ import annotations

import numpy as np

from up42_plugin.sandbox.world.lattice import GIRTH, Array, Number, hashed, plane, uniform

_SALT = 51_000
# Wavelength (nominal metres) and share of the variance of the weather's two layers: fronts and what is within them.
_LAYERS = ((620e3, 0.62), (150e3, 0.38))


def mean_cloudiness(lat: Number, day: Number) -> Array:
    """Return the mean cloud cover 0..1 of latitudes (degrees) on days of the year.

    The rain belt follows the sun, the deserts lie beside it, the mediterranean belt is dry in summer and cloudy in
    winter, and the temperate belts are cloudy all the year.
    """
    phi = np.asarray(lat, float)
    far, side = np.abs(phi), np.where(phi < 0, -1.0, 1.0)
    swing = np.cos(2 * np.pi * (np.asarray(day, float) - 200) / 365.25)  # 1 in the northern summer
    summer = 0.5 + 0.5 * swing * side
    tropics = 0.30 + 0.42 * np.exp(-(((phi - 10 * swing) / 11) ** 2))
    desert = np.exp(-(((far - 25) / 7) ** 2))
    mediterranean = np.exp(-(((far - 38) / 5.5) ** 2))
    temperate = 1 / (1 + np.exp(-(far - 46.0) / 3))
    mean = tropics * (1 - temperate) + (0.62 - 0.12 * summer) * temperate
    mean = mean * (1 - 0.62 * desert)
    return np.clip(mean + mediterranean * (0.46 - 0.38 * summer - mean), 0.03, 0.9)


def _normals(i: Array, j: Array, salts: Array, layer: int) -> Array:
    """Return standard normal numbers of lattice nodes."""
    h = hashed(hashed(i, j, _SALT + layer), salts, layer)
    u, v = uniform(h, 1).astype(float), uniform(h, 2).astype(float)
    return np.sqrt(-2 * np.log(u + 1e-7)) * np.cos(2 * np.pi * v)


def weather(x: Array, y: Array, salts: Array) -> Array:
    """Return how bad the weather is, uniform 0..1, at nominal metres on passes with these salts (broadcast)."""
    total = np.zeros(np.broadcast_shapes(np.shape(x), np.shape(salts)))
    for layer, (size, variance) in enumerate(_LAYERS):
        n = round(GIRTH / size)
        fx, fy = x * (n / GIRTH), y * (n / GIRTH)
        i, j = np.floor(fx), np.floor(fy)
        u, v = (k * k * (3 - 2 * k) for k in (fx - i, fy - j))
        value, norm = np.zeros_like(total), np.zeros(np.shape(x))
        for di, dj, weight in ((0, 0, (1 - u) * (1 - v)), (1, 0, u * (1 - v)), (0, 1, (1 - u) * v), (1, 1, u * v)):
            node = _normals(((i + di) % n).astype(np.int64), (j + dj).astype(np.int64), salts, layer)
            value = value + node * weight
            norm = norm + weight * weight
        total = total + value * np.sqrt(variance / norm)
    # The normal distribution function, by the approximation with tanh (error below 0.0003).
    return 0.5 * (1 + np.tanh(0.7978846 * (total + 0.044715 * total**3)))


def cover_of(bad: Array, mean: Array) -> Array:
    """Return the cloud cover 0..1 of uniform weather 0..1 where the mean cover is ``mean``: mostly clear or overcast.

    A Kumaraswamy distribution with a = 1/2, whose mean is 2 / ((b + 1)(b + 2)).
    """
    b = (np.sqrt(1 + 8 / mean) - 3) / 2
    return (1 - (1 - np.clip(bad, 0, 1)) ** (1 / b)) ** 2


def cover(lon: Number, lat: Number, day: Number, salts: Array) -> Array:
    """Return the cloud cover 0..1 around points (degrees) on passes with these days of the year and salts."""
    x, y = plane(lon, lat)
    return cover_of(weather(x, y, salts), mean_cloudiness(lat, day))
