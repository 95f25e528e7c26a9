"""Polygons from any CRS to longitude and latitude."""

from __future__ import annotations

import math
from typing import Dict, List, Sequence, Tuple

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsLineString,
)

from up42_plugin.core.geometry.errors import outside_crs
from up42_plugin.core.geometry.polygons import Point, Ring, Rings, dissolved, polygons_from_wkb

LONGITUDE_LATITUDE = "EPSG:4326"
# Parts closer than this touch: what is left of shared borders after editing and storing. Metres or feet, and degrees.
_TOUCHING = 0.1
_TOUCHING_DEG = 1e-6
# A straight edge of another CRS is bent in longitude and latitude; it gets points until it is this close (1.1 m).
_BEND_DEG = 1e-5
# Shorter edges (2 km) cannot be bent by that much, but for the last degrees before a pole.
_STRAIGHT_DEG = 0.02
_REFINEMENTS = 8
_HALF_TURN = 180.0
# A coordinate that does not come back to within this share of the polygon's size lies outside what its CRS can map.
_ROUND_TRIP = 0.01


class Reprojection:
    """From one CRS to EPSG:4326, with the transform context of the person's project. Main thread only."""

    def __init__(self, crs: QgsCoordinateReferenceSystem, context: QgsCoordinateTransformContext) -> None:
        self._crs = crs
        self._transform = QgsCoordinateTransform(crs, QgsCoordinateReferenceSystem(LONGITUDE_LATITUDE), context)

    def polygons(self, wkbs: Sequence[bytes]) -> List[Rings]:
        """The union of geometries (made in their own CRS, where shared borders match) in longitude and latitude.

        Raises:
            AoiError: no polygon, an outline that crosses itself, or coordinates outside the area of the CRS.
        """
        polygons = [rings for wkb in wkbs for rings in polygons_from_wkb(wkb)]
        joined = dissolved(polygons, self._tolerance())
        return [tuple(self.ring(ring) for ring in rings) for rings in joined]

    def ring(self, ring: Ring) -> Ring:
        """One closed ring in longitude and latitude, with points added where its edges are bent there.

        Raises:
            AoiError: coordinates outside the area of the CRS.
        """
        if self._transform.isShortCircuited():
            return ring
        there = self._forward(ring)
        self._check_round_trip(ring, there)
        return tuple(there if self._crs.isGeographic() else self._refined(list(ring), there))

    def _tolerance(self) -> float:
        return _TOUCHING_DEG if self._crs.isGeographic() else _TOUCHING

    def _refined(self, here: List[Point], there: List[Point]) -> List[Point]:
        for _ in range(_REFINEMENTS):
            long_edges = [number for number in range(len(there) - 1) if _is_long(there[number], there[number + 1])]
            middles = [_middle(here[number], here[number + 1]) for number in long_edges]
            landed = self._forward(middles) if middles else []
            bent = {
                number: (middle, place)
                for number, middle, place in zip(long_edges, middles, landed)
                if _distance(place, _middle(there[number], there[number + 1])) > _BEND_DEG
            }
            if not bent:
                break
            here, there = _inserted(here, bent, 0), _inserted(there, bent, 1)
        return there

    def _forward(self, points: Sequence[Point]) -> List[Point]:
        return self._moved(points, Qgis.TransformDirection.Forward)

    def _moved(self, points: Sequence[Point], direction: Qgis.TransformDirection) -> List[Point]:
        line = QgsLineString([x for x, _ in points], [y for _, y in points])
        try:
            line.transform(self._transform, direction)
        except QgsCsException as error:
            raise outside_crs(self._crs.authid() or "its CRS", str(error)) from error
        moved = [(line.xAt(number), line.yAt(number)) for number in range(line.numPoints())]
        if any(not (math.isfinite(x) and math.isfinite(y)) for x, y in moved):
            raise outside_crs(self._crs.authid() or "its CRS", "a coordinate came out as infinite")
        return moved

    def _check_round_trip(self, ring: Ring, there: List[Point]) -> None:
        """PROJ often returns a place for coordinates its projection was not made for, but not from there back."""
        back = self._moved(there, Qgis.TransformDirection.Reverse)
        offsets = [(x1 - x2, y1 - y2) for (x1, y1), (x2, y2) in zip(ring, back)]
        xs, ys = [x for x, _ in ring], [y for _, y in ring]
        allowed = _ROUND_TRIP * math.hypot(max(xs) - min(xs), max(ys) - min(ys))
        # A map drawn beyond 180° comes back one turn away: the same distance east or west for all points.
        turned = offsets[0][0]
        if any(abs(dy) > allowed or min(abs(dx), abs(dx - turned)) > allowed for dx, dy in offsets):
            raise outside_crs(self._crs.authid() or "its CRS", "coordinates do not come back from EPSG:4326")


def _middle(one: Point, other: Point) -> Point:
    return (one[0] + other[0]) / 2, (one[1] + other[1]) / 2


def _is_long(one: Point, other: Point) -> bool:
    east, north = abs(one[0] - other[0]), abs(one[1] - other[1])
    return max(east, north) > _STRAIGHT_DEG and east <= _HALF_TURN


def _distance(one: Point, other: Point) -> float:
    """In degrees of latitude, good enough near by."""
    return math.hypot((one[0] - other[0]) * math.cos(math.radians(one[1])), one[1] - other[1])


def _inserted(points: List[Point], bent: Dict[int, Tuple[Point, Point]], which: int) -> List[Point]:
    result: List[Point] = []
    for number, point in enumerate(points):
        result.append(point)
        if number in bent:
            result.append(bent[number][which])
    return result
