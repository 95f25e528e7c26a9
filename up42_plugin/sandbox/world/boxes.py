"""The smallest turned rectangle around points: what a house or a ship looks like from above."""

from __future__ import annotations

from typing import List, Tuple

import numpy as np

from up42_plugin.sandbox.world.lattice import Array


def smallest_rectangle(points: Array) -> Tuple[Array, float]:
    """Return four corners (4 x 2) around points (n x 2) and the area; one of its sides lies along their hull."""
    hull = _hull(points)
    edges = np.roll(hull, -1, axis=0) - hull
    angles = np.unique(np.round(np.arctan2(edges[:, 1], edges[:, 0]) % (np.pi / 2), 6))
    best: Tuple[float, Array] = (float("inf"), hull)
    for angle in angles:
        c, s = np.cos(angle), np.sin(angle)
        turn = np.array([[c, -s], [s, c]])
        turned = hull @ turn
        (x0, y0), (x1, y1) = turned.min(axis=0), turned.max(axis=0)
        area = float((x1 - x0) * (y1 - y0))
        if area < best[0]:
            best = area, np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]) @ turn.T
    return best[1], best[0]


def _hull(points: Array) -> Array:
    """The convex hull, counter-clockwise (Andrew's monotone chain)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})

    def half(sequence: List[Tuple[float, float]]) -> List[Tuple[float, float]]:
        out: List[Tuple[float, float]] = []
        for x, y in sequence:
            while len(out) > 1:
                (ax, ay), (bx, by) = out[-2:]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                out.pop()
            out.append((x, y))
        return out

    return np.array(half(ordered)[:-1] + half(ordered[::-1])[:-1])
