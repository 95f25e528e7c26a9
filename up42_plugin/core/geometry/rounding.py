"""Rounding a polygon's coordinates without making it invalid."""

from __future__ import annotations

from typing import List, Optional, Sequence

from up42_plugin.core.geometry.errors import TOO_FINE, refuse
from up42_plugin.core.geometry.polygons import (
    Ring,
    Rings,
    buffered,
    is_valid,
    length,
    made_valid,
    planar_area,
    signed_area,
    tidy_ring,
    wound,
)

DECIMALS = 6
STEP = 10.0**-DECIMALS
_ROUNDS = 8
# Widths, in steps of the grid, by which a polygon is widened where rounding alone would tear it: 0.2 to 1 m.
_WIDENINGS = (2, 5, 10)


def rounded(rings: Rings) -> Rings:
    """The polygon with every coordinate rounded to 6 decimals (0.11 m), valid, outer ring anticlockwise.

    A polygon that rounding leaves valid keeps its points and their order. Holes and spikes that collapse are dropped.
    Where rounding closes a neck or makes edges cross, the polygon is mended, at worst by widening it by up to a metre.

    Raises:
        AoiError: the polygon has details that no valid polygon of 6 decimals can show.
    """
    first = _settled(rings)
    if first is not None:
        return first
    for steps in _WIDENINGS:
        wider = buffered(rings, steps * STEP)
        if len(wider) == 1:
            found = _settled(wider[0])
            if found is not None:
                return found
    raise refuse(TOO_FINE, f"The outline is too fine for coordinates of {DECIMALS} decimals.")


def rounded_ring(ring: Sequence[Sequence[float]]) -> Ring:
    """The ring on the grid of 6 decimals, tidied; empty when it collapses."""
    # Adding 0.0 turns -0.0 into 0.0, which would be written differently.
    tidy = tidy_ring((round(point[0], DECIMALS) + 0.0, round(point[1], DECIMALS) + 0.0) for point in ring)
    return tidy if tidy and signed_area(tidy) != 0 else ()


def _settled(rings: Rings) -> Optional[Rings]:
    """Rounded and mended in turns until nothing changes; None when it falls apart or does not come to rest."""
    current = rings
    for _ in range(_ROUNDS):
        snapped = _snapped(current)
        if not snapped:
            return None
        if is_valid(snapped):
            return wound(snapped)
        parts = _substantial(made_valid(snapped))
        if len(parts) != 1:
            return None
        current = parts[0]
    return None


def _snapped(rings: Rings) -> Rings:
    shell = rounded_ring(rings[0])
    if not shell:
        return ()
    return (shell, *(ring for ring in map(rounded_ring, rings[1:]) if ring))


def _substantial(parts: List[Rings]) -> List[Rings]:
    """Without the crumbs along edges that came to lie on each other: parts narrower than one step of the grid."""
    return [part for part in parts if planar_area(part) > STEP * length(part[0]) / 2]
