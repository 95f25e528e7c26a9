"""Resampling by whole factors, with numpy alone. Arrays are rows x columns of float32; no value means no data."""

from __future__ import annotations

from typing import List, Tuple

import numpy as np

_TAPS = 4
_CUBIC = -0.5  # the kernel's slope at 1: Keys' choice, exact for parabolas


def block_means(values: np.ndarray, factor: int) -> np.ndarray:
    """Means of blocks of ``factor`` x ``factor`` pixels."""
    rows, columns = values.shape[0] // factor, values.shape[1] // factor
    return values.reshape(rows, factor, columns, factor).mean(axis=(1, 3), dtype=np.float32)


def enlarged(values: np.ndarray, factor: int) -> np.ndarray:
    """``factor`` times finer by cubic convolution (Keys, 1981); edges are repeated outwards."""
    return _enlarged_rows(_enlarged_rows(values, factor).T, factor).T


def _enlarged_rows(values: np.ndarray, factor: int) -> np.ndarray:
    padded = np.concatenate([values[:1]] * 2 + [values] + [values[-1:]] * 2)
    count = values.shape[0]
    out = np.empty((count * factor, values.shape[1]), np.float32)
    for phase in range(factor):
        first, weights = _phase(phase, factor)
        taps = [weights[k] * padded[first + k : first + k + count] for k in range(_TAPS)]
        out[phase::factor] = taps[0] + taps[1] + taps[2] + taps[3]
    return out


def _phase(phase: int, factor: int) -> Tuple[int, List[np.float32]]:
    """Where the four taps begin in the padded rows, and their weights, for one of the fine rows in a coarse one."""
    position = (phase + 0.5) / factor - 0.5
    below = int(np.floor(position))
    offset = position - below
    return below + 1, [np.float32(_keys(offset - tap)) for tap in (-1, 0, 1, 2)]


def _keys(distance: float) -> float:
    x = abs(distance)
    if x <= 1:
        return (_CUBIC + 2) * x**3 - (_CUBIC + 3) * x**2 + 1
    return _CUBIC * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0  # noqa: PLR2004 - the kernel's width
