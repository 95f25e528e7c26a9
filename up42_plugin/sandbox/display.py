"""Reflectances as providers show them: pictures of 8 bits, dark tones lifted, colours a little stronger."""

from __future__ import annotations

import numpy as np

_DARK = 0.014  # the reflectance that is black
_MIDDLE = 0.17  # below it tones are spread, above it pressed together
_GAIN = 1.33  # white is a reflectance of 0.53: only the tops of clouds are brighter
_SATURATION = 1.3  # how much farther apart the colours of a pixel are than their tones
_COLOURS = 3
_HAZE = (0.010, 0.019, 0.032)  # what the air adds to red, green and blue as they are seen from above it
_CLEAR = 0.93  # what it lets through


def grey_levels(reflectance: np.ndarray) -> np.ndarray:
    """Reflectances (bands x rows x columns, NaN: no data) as a picture's uint8; at least 1 where there is data.

    Three bands or more are red, green, blue and others.
    """
    known = np.isfinite(reflectance)
    clear = np.maximum(np.where(known, reflectance, 0) - _DARK, 0)
    tone = np.clip(_saturated(_GAIN * clear / (clear + _MIDDLE), _SATURATION), 0, 1)
    return np.where(known, np.rint(1 + 254 * tone), 0).astype(np.uint8)


def reflectance_of(levels: np.ndarray) -> np.ndarray:
    """The reflectances (float32) that grey levels of 1 and more stand for."""
    tone = _saturated((levels.astype(np.float32) - 1) / 254, 1 / _SATURATION) / np.float32(_GAIN)
    tone = np.clip(tone, 0, np.float32(0.99))
    return np.asarray(tone * _MIDDLE / (1 - tone) + _DARK, np.float32)


def hazy_levels(reflectance: np.ndarray) -> np.ndarray:
    """Red, green and blue with the air's haze, as before atmospheric correction."""
    haze = np.array(_HAZE, np.float32)[:, None, None]
    return grey_levels(reflectance * np.float32(_CLEAR) + haze)


def _saturated(tones: np.ndarray, factor: float) -> np.ndarray:
    """The first three bands ``factor`` times as far from their mean; other numbers of bands as they are."""
    if len(tones) < _COLOURS:
        return tones
    grey = tones[:_COLOURS].mean(axis=0)
    return np.concatenate([grey + factor * (tones[:_COLOURS] - grey), tones[_COLOURS:]])
