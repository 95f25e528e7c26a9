"""Reflectances as providers show them: pictures of 8 bits, dark tones lifted."""

from __future__ import annotations

import numpy as np

from up42_plugin.sandbox.runners import sentinel2

_DARK = 0.012  # the reflectance that is black
_MIDDLE = 0.26  # below it tones are spread, above it pressed together
_GAIN, _LIFT = 1.32, 0.02
_HAZE = (0.018, 0.034, 0.058)  # what the air adds to red, green and blue as they are seen from above it
_CLEAR = 0.93  # what it lets through


def grey_levels(reflectance: np.ndarray) -> np.ndarray:
    """Reflectances (NaN: no data) as a picture's uint8; at least 1 where there is data."""
    known = np.isfinite(reflectance)
    clear = np.maximum(np.where(known, reflectance, 0) - _DARK, 0)
    tone = np.clip(_GAIN * clear / (clear + _MIDDLE) - _LIFT, 0, 1)
    return np.where(known, np.rint(1 + 254 * tone), 0).astype(np.uint8)


def reflectance_of(levels: np.ndarray) -> np.ndarray:
    """The reflectances (float32) that grey levels of 1 and more stand for."""
    tone = np.minimum(((levels.astype(np.float32) - 1) / 254 + _LIFT) / _GAIN, np.float32(0.99))
    return np.asarray(np.maximum(tone, 0) * _MIDDLE / (1 - np.maximum(tone, 0)) + _DARK, np.float32)


def true_colour(reflectance: np.ndarray) -> np.ndarray:
    """Red, green and blue (NaN: no data) as ESA's true-colour image has them."""
    return sentinel2.true_colour(sentinel2.digital_numbers(reflectance))


def hazy_colour(reflectance: np.ndarray) -> np.ndarray:
    """The same with the air's haze, as before atmospheric correction."""
    haze = np.array(_HAZE, np.float32)[:, None, None]
    return true_colour(reflectance * np.float32(_CLEAR) + haze)
