"""Pan-sharpening: colours at the pan's pixels (float32, bands x rows x columns) that take its detail. NaN: no data."""

from __future__ import annotations

from typing import Sequence

import numpy as np

_GAIN = (0.4, 2.5)  # how far detail may darken or brighten: more is noise at dark pixels
_LEAST = 1.0


def smoothed(pan: np.ndarray, factor: int) -> np.ndarray:
    """Means of the pan (rows x columns) over windows of about ``factor`` pixels; what is unknown does not count."""
    known = np.isfinite(pan)
    share = np.maximum(_box(known.astype(np.float32), factor), np.float32(1e-6))
    return np.asarray(_box(np.where(known, pan, 0).astype(np.float32), factor) / share)


def sfim(colours: np.ndarray, pan: np.ndarray, factor: int, sharpen: float) -> np.ndarray:
    """Smoothing filter-based intensity modulation (Liu, 2000); ``sharpen`` strengthens the detail."""
    detail = pan / np.maximum(smoothed(pan, factor), _LEAST) - 1
    return colours * np.clip(1 + np.float32(sharpen) * detail, *_GAIN)


def brovey(colours: np.ndarray, pan: np.ndarray, weight: float) -> np.ndarray:
    """Colours times the pan's ratio to their intensity, in which the last band counts ``weight``."""
    weights = np.ones(colours.shape[0], np.float32)
    weights[-1] = weight
    return colours * np.clip(pan / np.maximum(_weighted(colours, weights), _LEAST), *_GAIN)


def esri(colours: np.ndarray, pan: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """Colours plus the difference of the pan to their weighted mean."""
    return colours + (pan - _weighted(colours, np.asarray(weights, np.float32)))


def _weighted(colours: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.asarray(np.tensordot(weights / weights.sum(), colours, 1), np.float32)


def _box(values: np.ndarray, factor: int) -> np.ndarray:
    """Means over ``factor`` pixels both ways, centred; the outermost count half where ``factor`` is even."""
    radius = factor // 2
    kernel = np.ones(2 * radius + 1, np.float32)
    if factor % 2 == 0:
        kernel[[0, -1]] = 0.5
    kernel /= kernel.sum()
    for axis in (0, 1):
        padded = np.pad(values, [(radius, radius) if axis == a else (0, 0) for a in (0, 1)])
        size = values.shape[axis]
        parts = [padded[k : k + size] if axis == 0 else padded[:, k : k + size] for k in range(kernel.size)]
        values = np.add.reduce([part * weight for part, weight in zip(parts, kernel)])
    return values
