"""The area of polygons on the WGS84 ellipsoid."""

from __future__ import annotations

import math
from typing import Sequence, Tuple

Point = Tuple[float, float]

SEMI_MAJOR_AXIS_M = 6378137.0
_FLATTENING = 1 / 298.257223563
_ECCENTRICITY_2 = _FLATTENING * (2 - _FLATTENING)
_ECCENTRICITY = math.sqrt(_ECCENTRICITY_2)
# Gauss-Legendre nodes and weights of order 3 on [0, 1].
_NODES = ((0.5 - math.sqrt(0.15), 5 / 18), (0.5, 8 / 18), (0.5 + math.sqrt(0.15), 5 / 18))
_LONGEST_PIECE_DEG = 2.0


def ring_area_km2(ring: Sequence[Point]) -> float:
    """Signed area of a closed ring in km², positive when anticlockwise.

    Edges are straight in longitude and latitude, as GeoJSON (RFC 7946, section 3.1.1) has them. The area under an edge
    is the integral of the authalic function q of the latitude (Snyder, Map Projections: A Working Manual, 1987,
    equation 3-12) over the longitude, which is what a cylindrical equal-area projection measures.
    """
    if not ring:
        return 0.0
    # Subtracting the value at one of the ring's latitudes keeps the sum of a small ring free of cancellation.
    base = _authalic(ring[0][1])
    total = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:]):
        if x1 != x2:
            total -= math.radians(x2 - x1) * (_mean_authalic(y1, y2) - base)
    return total * SEMI_MAJOR_AXIS_M**2 / 2 / 1e6


def polygon_area_km2(rings: Sequence[Sequence[Point]]) -> float:
    """Area in km² of a polygon: its first ring less the others."""
    if not rings:
        return 0.0
    return abs(ring_area_km2(rings[0])) - sum(abs(ring_area_km2(hole)) for hole in rings[1:])


def _mean_authalic(y1: float, y2: float) -> float:
    """The mean of q along an edge between two latitudes."""
    if y1 == y2:
        return _authalic(y1)
    pieces = max(1, math.ceil(abs(y2 - y1) / _LONGEST_PIECE_DEG))
    step = (y2 - y1) / pieces
    total = 0.0
    for piece in range(pieces):
        start = y1 + piece * step
        total += sum(weight * _authalic(start + node * step) for node, weight in _NODES)
    return total / pieces


def _authalic(latitude: float) -> float:
    sine = math.sin(math.radians(latitude))
    scaled = _ECCENTRICITY * sine
    return (1 - _ECCENTRICITY_2) * (sine / (1 - scaled * scaled) + math.atanh(scaled) / _ECCENTRICITY)
