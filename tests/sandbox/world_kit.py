"""Points of the made-up Earth for tests."""

from __future__ import annotations

import datetime as dt
from typing import Tuple

import numpy as np

TAORMINA = (15.2905, 37.8488)
BAVARIA = (11.0, 47.0)
CONGO = (30.0, 1.0)
CHILE = (-70.6, -33.2)
RGBN = ("B04", "B03", "B02", "B08")
APRIL, JULY, OCTOBER, JANUARY = (dt.date(2021, month, 20) for month in (4, 7, 10, 1))


def points(place: Tuple[float, float], width: int, height: int, resolution: float) -> Tuple[np.ndarray, np.ndarray]:
    """Longitudes and latitudes of a grid of some metres around a place."""
    lon, lat = place
    dx, dy = resolution / (111_320 * np.cos(np.radians(lat))), resolution / 110_570
    x, y = np.arange(width) - width / 2 + 0.5, np.arange(height) - height / 2 + 0.5
    lons, lats = np.meshgrid(lon + x * dx, lat - y * dy)
    return lons, lats


def ndvi(red: np.ndarray, near_infrared: np.ndarray) -> np.ndarray:
    return (near_infrared - red) / (near_infrared + red + 1e-6)
