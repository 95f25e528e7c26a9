"""The area of interest: one polygon in EPSG:4326, with its area in km²."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from up42_plugin.core.geometry.area import polygon_area_km2
from up42_plugin.core.geometry.errors import (
    ANTIMERIDIAN,
    NOT_FINITE,
    OUT_OF_RANGE,
    PARTS,
    TOO_LARGE,
    TOO_SMALL,
    UNREADABLE,
    AoiError,
    AoiProblem,
    refuse,
    square_km,
)
from up42_plugin.core.geometry.geojson import polygons_from_geojson
from up42_plugin.core.geometry.polygons import Ring, Rings, dissolved, polygons_from_wkb
from up42_plugin.core.geometry.rounding import STEP, rounded

__all__ = [
    "AOI",
    "MINIMUM_KM2",
    "AoiError",
    "AoiProblem",
    "Ring",
    "bbox_ring",
    "box_area_km2",
    "coordinates_digest",
    "size_problems",
]

BBox = Tuple[float, float, float, float]

MINIMUM_KM2 = 0.1
_HALF_TURN = 180.0
_TURN = 360.0
_POLE = 90.0
# Longitudes beyond one more turn than the map shows are no longitudes.
_FARTHEST = 540.0
_FAR_TOO_LARGE = 2**53


@dataclass(frozen=True)
class AOI:
    """One polygon. ``rings`` are closed (first point repeated), outer ring first and anticlockwise, holes after.

    Coordinates are longitude and latitude in degrees (EPSG:4326), rounded to 6 decimals; ``area_km2`` is ellipsoidal.
    ``source`` says for people where it came from: ``1 selected feature of taormina``.
    """

    rings: Tuple[Ring, ...]
    area_km2: float
    source: str = ""

    @classmethod
    def from_wkbs(
        cls, wkbs: Iterable[bytes], source: str = "", boxed: bool = False, minimum_km2: float = MINIMUM_KM2
    ) -> AOI:
        """The union of geometries in EPSG:4326; see :meth:`from_polygons`."""
        return cls.from_polygons(
            [rings for wkb in wkbs for rings in polygons_from_wkb(wkb)], source, boxed, minimum_km2
        )

    @classmethod
    def from_geojson(
        cls,
        value: Union[str, bytes, Mapping[str, Any]],
        source: str = "",
        boxed: bool = False,
        minimum_km2: float = MINIMUM_KM2,
    ) -> AOI:
        """The union of the polygons in a GeoJSON geometry, Feature or FeatureCollection, as text or parsed."""
        return cls.from_polygons(polygons_from_geojson(value), source, boxed, minimum_km2)

    @classmethod
    def from_bbox(cls, bbox: BBox, source: str = "", minimum_km2: float = MINIMUM_KM2) -> AOI:
        """An upright rectangle from west, south, east, north.

        West greater than east means across the 180° meridian, and is refused.
        """
        west, south, east, north = bbox
        if not all(math.isfinite(value) for value in bbox):
            raise refuse(NOT_FINITE, "A coordinate is not a number.")
        if west > east:
            raise refuse(ANTIMERIDIAN, "Crosses the 180° meridian.")
        if south > north:
            raise refuse(UNREADABLE, "The southern edge of the box lies north of its northern edge.")
        return cls.from_polygons([(bbox_ring(bbox),)], source, True, minimum_km2)

    @classmethod
    def from_polygons(
        cls, polygons: Sequence[Rings], source: str = "", boxed: bool = False, minimum_km2: float = MINIMUM_KM2
    ) -> AOI:
        """The union of polygons in EPSG:4326, mended by rule and rounded.

        Mended are repeated points, open rings, winding, rings that touch themselves, parts that touch, whole turns of
        longitude. ``boxed`` is for the geometric filter ``bbox``: separate parts become the box of all of them, and
        the box's area is what must reach ``minimum_km2``.

        Raises:
            AoiError: with everything that is wrong. Its ``aoi`` is set where only the size is.
        """
        located = [_located(rings) for rings in polygons]
        parts = dissolved(located, STEP)
        if len(parts) > 1 and not boxed:
            raise AoiError(_parts_problems(parts, minimum_km2))
        rings = rounded(parts[0] if len(parts) == 1 else (_box_of_parts(parts),))
        aoi = cls(rings, polygon_area_km2(rings), source)
        problems = size_problems(box_area_km2(aoi) if boxed else aoi.area_km2, minimum_km2)
        if problems:
            raise AoiError(problems, aoi)
        return aoi

    @cached_property
    def bbox(self) -> BBox:
        """West, south, east, north."""
        xs = [x for x, _ in self.rings[0]]
        ys = [y for _, y in self.rings[0]]
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def holes(self) -> int:
        """How many holes the polygon has."""
        return len(self.rings) - 1

    @property
    def vertices(self) -> int:
        """How many points all rings have, without the repeated closing ones."""
        return sum(len(ring) - 1 for ring in self.rings)

    def geojson(self) -> Dict[str, Any]:
        """The polygon as a GeoJSON geometry."""
        return {"type": "Polygon", "coordinates": [[list(point) for point in ring] for ring in self.rings]}

    @cached_property
    def digest(self) -> str:
        """Equal for equal polygons; see :func:`coordinates_digest`. Made once: polygons may be long."""
        return coordinates_digest(self.rings)

    def without_holes(self) -> AOI:
        """The same outline, filled."""
        outline = self.rings[:1]
        return replace(self, rings=outline, area_km2=polygon_area_km2(outline))


def box_area_km2(aoi: AOI) -> float:
    """The area in km² of the upright box around the AOI, which the geometric filter ``bbox`` asks for."""
    return polygon_area_km2((bbox_ring(aoi.bbox),))


def coordinates_digest(coordinates: Any) -> str:
    """SHA-256 of the coordinates of a GeoJSON polygon, the same for 15 and 15.0."""
    return hashlib.sha256(json.dumps(_floats(coordinates), separators=(",", ":")).encode()).hexdigest()


def bbox_ring(bbox: BBox) -> Ring:
    """The closed, anticlockwise ring of west, south, east, north."""
    west, south, east, north = bbox
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def size_problems(
    area_km2: float, minimum_km2: float = MINIMUM_KM2, maximum_km2: Optional[float] = None
) -> Tuple[AoiProblem, ...]:
    """What is wrong with a size; ``maximum_km2`` is the project's, which holds for live jobs only."""
    if area_km2 < minimum_km2:
        return (AoiProblem(TOO_SMALL, f"Below the minimum of {square_km(minimum_km2)}."),)
    if maximum_km2 is not None and area_km2 > maximum_km2:
        limit = f"Above {square_km(maximum_km2)}, this project's limit for live jobs."
        told = f"above {square_km(maximum_km2)}."
        return (AoiProblem(TOO_LARGE, f"{limit} Test queries have no upper limit.", told),)
    return ()


def _located(rings: Rings) -> Rings:
    """The polygon with longitudes between -180 and 180, by whole turns of all of it."""
    xs = [x for x, _ in rings[0]]
    west, east = min(xs), max(xs)
    if max(abs(west), abs(east)) > _FARTHEST or any(abs(y) > _POLE + STEP / 2 for ring in rings for _, y in ring):
        raise refuse(OUT_OF_RANGE, "Outside the range of longitude and latitude. Check the layer's CRS.")
    turns = (
        math.floor(((west + east) / 2 + _HALF_TURN) / _TURN) * _TURN if west < -_HALF_TURN or east > _HALF_TURN else 0.0
    )
    if west - turns < -_HALF_TURN - STEP / 2 or east - turns > _HALF_TURN + STEP / 2 or _jumps(rings[0]):
        raise refuse(ANTIMERIDIAN, "Crosses the 180° meridian.")
    return tuple(tuple((_clamped(x - turns, _HALF_TURN), _clamped(y, _POLE)) for x, y in ring) for ring in rings)


def _jumps(ring: Ring) -> bool:
    """Whether an edge goes more than half round the world, as it does from 179 to -179; a world-wide box does not."""
    steps = (abs(x2 - x1) for (x1, _), (x2, _) in zip(ring, ring[1:]))
    return any(_HALF_TURN < step < _TURN for step in steps)


def _floats(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_floats(member) for member in value]
    # Whole numbers beyond this are no coordinates, and floats cannot hold them.
    return float(value) if isinstance(value, int) and abs(value) < _FAR_TOO_LARGE else value


def _clamped(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


def _parts_problems(parts: Sequence[Rings], minimum_km2: float) -> Tuple[AoiProblem, ...]:
    separate = AoiProblem(PARTS, f"{len(parts):,} separate parts. A job takes one polygon.")
    return (separate, *size_problems(sum(map(polygon_area_km2, parts)), minimum_km2))


def _box_of_parts(parts: Sequence[Rings]) -> Ring:
    points: List[Tuple[float, float]] = [point for rings in parts for point in rings[0]]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    if max(xs) - min(xs) > _HALF_TURN and not any(_spans_half(rings) for rings in parts):
        raise refuse(ANTIMERIDIAN, "Crosses the 180° meridian.")
    return bbox_ring((min(xs), min(ys), max(xs), max(ys)))


def _spans_half(rings: Rings) -> bool:
    xs = [x for x, _ in rings[0]]
    return max(xs) - min(xs) > _HALF_TURN
