"""The area of interest: one polygon in EPSG:4326, with its area in km²."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Tuple

Ring = Tuple[Tuple[float, float], ...]


@dataclass(frozen=True)
class AOI:
    """One polygon. ``rings`` are closed (first point repeated), outer ring first and anticlockwise, holes after.

    Coordinates are longitude and latitude in degrees (EPSG:4326), rounded to 6 decimals; ``area_km2`` is ellipsoidal.
    ``source`` says for people where it came from: ``1 selected feature of taormina``.
    """

    rings: Tuple[Ring, ...]
    area_km2: float
    source: str = ""

    @property
    def bbox(self) -> Tuple[float, float, float, float]:
        """West, south, east, north."""
        xs = [x for x, _ in self.rings[0]]
        ys = [y for _, y in self.rings[0]]
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def holes(self) -> int:
        """How many holes the polygon has."""
        return len(self.rings) - 1

    def geojson(self) -> Dict[str, Any]:
        """The polygon as a GeoJSON geometry."""
        return {"type": "Polygon", "coordinates": [[list(point) for point in ring] for ring in self.rings]}
