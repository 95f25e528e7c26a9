"""Super-resolution by detail injection: coarse bands take the fine bands' detail and keep their own values.

For each coarse band the fine bands are weighted so that their means over coarse pixels explain it best (least squares).
The weighted picture's ratio to its own blurred version is the detail that the cubic enlargement is multiplied with
(high-pass modulation). At the end every coarse pixel's mean is put back to what was measured, so nothing is invented
at the coarse scale. 0 means no data throughout.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np

from up42_plugin.sandbox.runners.derived.resampling import block_means, enlarged

OVERLAP = 4
"""Coarse pixels around a part of an image that its result depends on."""

_GAIN = (0.5, 2.0)  # how far detail may darken or brighten: more is noise at dark pixels
_SAMPLES = 40_000
_LEAST = 1.0
_ROUNDS = 2


def weights_for(coarse: np.ndarray, fine: np.ndarray, factor: int) -> np.ndarray:
    """Weights of the fine bands (and a constant, last) that explain a coarse band; the plain mean without data.

    ``coarse`` is rows x columns, ``fine`` bands x rows x columns, ``factor`` times finer.
    """
    means = np.stack([block_means(band.astype(np.float32), factor) for band in fine])
    known = (coarse > 0) & (means > 0).all(axis=0)
    samples = np.flatnonzero(known)
    bands = fine.shape[0]
    if samples.size <= bands:
        return np.array([1.0 / bands] * bands + [0.0], np.float32)
    samples = samples[:: max(1, samples.size // _SAMPLES)]
    known_means = means.reshape(bands, -1)[:, samples]
    table = np.vstack([known_means, np.ones(samples.size, np.float32)]).T
    solution = np.linalg.lstsq(table.astype(np.float64), coarse.reshape(-1)[samples].astype(np.float64), rcond=None)
    return np.asarray(solution[0], np.float32)


def sharpened(coarse: np.ndarray, fine: np.ndarray, weights: Sequence[float], factor: int) -> np.ndarray:
    """A coarse band on the fine grid (float32, 0 = no data)."""
    known = coarse > 0
    if not known.any():
        return np.zeros((coarse.shape[0] * factor, coarse.shape[1] * factor), np.float32)
    filled = np.where(known, coarse, coarse[known].mean()).astype(np.float32)
    guide = np.maximum(np.tensordot(np.asarray(weights[:-1], np.float32), fine, 1) + np.float32(weights[-1]), _LEAST)
    blurred = np.maximum(enlarged(block_means(guide, factor), factor), _LEAST)
    result = enlarged(filled, factor) * np.clip(guide / blurred, *_GAIN)
    for _ in range(_ROUNDS):
        result += enlarged(filled - block_means(result, factor), factor)
    result = np.maximum(result, _LEAST)
    result *= _spread(filled / block_means(result, factor), factor)
    return np.where(_spread(known, factor) & (fine > 0).all(axis=0), np.maximum(result, _LEAST), 0).astype(np.float32)


def _spread(values: np.ndarray, factor: int) -> np.ndarray:
    return values.repeat(factor, axis=0).repeat(factor, axis=1)
