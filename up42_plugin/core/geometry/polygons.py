"""Polygons as plain rings: read from WKB, mended by rule, joined.

All of this is planar and does not mind the unit of the coordinates. GDAL's state is left as it was found: QGIS shares
it, and other plugins decide whether it raises exceptions, so both ways of failing are understood.
"""

from __future__ import annotations

import math
import struct
from contextlib import contextmanager
from itertools import combinations
from typing import Any, Callable, Iterable, Iterator, List, Optional, Sequence, Tuple

from osgeo import gdal, ogr

from up42_plugin.core.geometry.errors import (
    EMPTY,
    HOLE_CROSSING,
    NOT_FINITE,
    SELF_CROSSING,
    UNREADABLE,
    no_area,
    refuse,
)

Point = Tuple[float, float]
Ring = Tuple[Point, ...]
Rings = Tuple[Ring, ...]

_MIN_RING = 4
_AREA_TYPES = frozenset({ogr.wkbPolygon, ogr.wkbTriangle})
_LINE_TYPES = frozenset({ogr.wkbLineString, ogr.wkbMultiLineString})
_POINT_TYPES = frozenset({ogr.wkbPoint, ogr.wkbMultiPoint})
# Degrees of arc between the points of a linearised curve, as QGIS draws them.
_CURVE_STEP_DEG = 1.0
# Lobes of a crossing smaller than this share of the ring's box are noise of the arithmetic, not a drawing mistake.
_NOISE = 1e-9


def polygons_from_wkb(wkb: bytes) -> List[Rings]:
    """The polygons in a geometry: curves linearised, Z and M dropped, rings closed, parts of collections one by one.

    Lines and points beside polygons in a collection are passed over. Raises :class:`AoiError` when the bytes cannot be
    read, a coordinate is not a number, or there is no polygon.
    """
    with quiet_gdal():
        geometry = _read(wkb)
        if geometry.HasCurveGeometry():
            geometry = geometry.GetLinearGeometry(_CURVE_STEP_DEG)
        geometry.FlattenTo2D()
        found: List[Rings] = []
        others: List[int] = []
        _walk(geometry, found, others)
    if found:
        return found
    if any(kind in _LINE_TYPES for kind in others):
        raise no_area("Lines")
    if any(kind in _POINT_TYPES for kind in others):
        raise no_area("Points")
    raise refuse(EMPTY, "The geometry is empty.")


def dissolved(polygons: Sequence[Rings], tolerance: float) -> List[Rings]:
    """The union of polygons, each mended first; one polygon comes back with its points in their order.

    ``tolerance`` is a distance: parts no farther apart than twice that are joined, holes narrower than that
    are closed. Raises :class:`AoiError` when an outline crosses itself or nothing is left.
    """
    mended = [part for polygon in polygons for part in _mended(polygon)]
    if not mended:
        raise refuse(EMPTY, "The area is empty.")
    if len(mended) == 1:
        return mended
    with quiet_gdal():
        joined = _polygons_of(_union(mended))
        if len(joined) > 1:
            joined = _bridged(joined, tolerance)
    if not joined and all(abs(signed_area(polygon[0])) < tolerance**2 for polygon in mended):
        raise refuse(EMPTY, "The area is empty.")
    if not joined:
        raise refuse(UNREADABLE, "The parts cannot be joined.", detail=f"union of {len(mended)} polygons failed")
    return [_without_slits(polygon, tolerance) for polygon in joined]


def is_valid(rings: Rings) -> bool:
    """Whether the polygon is valid by the rules of OGC simple features."""
    with quiet_gdal():
        return bool(_call(to_ogr(rings).IsValid))


def made_valid(rings: Rings) -> List[Rings]:
    """What an invalid polygon covers: its outer ring less its holes, each by the even-odd rule; crumbs are left out."""
    return _less(_inside(rings[0]), [part for hole in rings[1:] for part in _inside(hole)])


def buffered(rings: Rings, distance: float) -> List[Rings]:
    """The polygon grown (or shrunk) by a distance, with corners cut rather than rounded."""
    with quiet_gdal():
        return _polygons_of(_call(to_ogr(rings).Buffer, distance, 1))


def signed_area(ring: Sequence[Point]) -> float:
    """Planar area, positive when anticlockwise."""
    if not ring:
        return 0.0
    # Relative to the first point: far from the origin the plain formula loses its digits.
    x0, y0 = ring[0]
    total = 0.0
    for (x1, y1), (x2, y2) in zip(ring, ring[1:]):
        total += (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
    return total / 2


def planar_area(rings: Sequence[Ring]) -> float:
    """Planar area of a polygon: its first ring less the others."""
    if not rings:
        return 0.0
    return abs(signed_area(rings[0])) - sum(abs(signed_area(hole)) for hole in rings[1:])


def box_area(ring: Sequence[Point]) -> float:
    """Planar area of the ring's bounding box."""
    xs = [x for x, _ in ring]
    ys = [y for _, y in ring]
    return (max(xs) - min(xs)) * (max(ys) - min(ys))


def length(ring: Sequence[Point]) -> float:
    """Planar length of a ring."""
    return sum(math.hypot(x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in zip(ring, ring[1:]))


def tidy_ring(points: Iterable[Point]) -> Ring:
    """The ring closed, without repeated points and without spikes (there and back on the same line point by point).

    Empty when fewer than three different points are left.
    """
    kept: List[Point] = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        if len(kept) > 1 and kept[-2] == point:
            kept.pop()
            continue
        kept.append(point)
    while len(kept) > 1 and kept[0] == kept[-1]:
        kept.pop()
    # A spike may sit where the ring starts.
    while len(kept) > 2 and kept[1] == kept[-1]:  # noqa: PLR2004 - a spike needs three points
        kept = kept[1:-1] if kept[0] != kept[-1] else kept[1:]
    if len(kept) < _MIN_RING - 1:
        return ()
    return (*kept, kept[0])


def wound(rings: Sequence[Ring]) -> Rings:
    """The outer ring anticlockwise, holes clockwise (RFC 7946, section 3.1.6); starting points stay."""
    turned = []
    for number, ring in enumerate(rings):
        anticlockwise = signed_area(ring) > 0
        turned.append(tuple(ring) if anticlockwise == (number == 0) else tuple(reversed(ring)))
    return tuple(turned)


def to_wkb(rings: Rings) -> bytes:
    """Little-endian WKB of a two-dimensional polygon."""
    parts = [struct.pack("<BII", 1, 3, len(rings))]
    for ring in rings:
        parts.append(struct.pack("<I", len(ring)))
        parts.extend(struct.pack("<dd", x, y) for x, y in ring)
    return b"".join(parts)


def several_to_wkb(polygons: Sequence[Rings]) -> bytes:
    """Little-endian WKB: a polygon, or a multipolygon of several."""
    if len(polygons) == 1:
        return to_wkb(polygons[0])
    return struct.pack("<BII", 1, 6, len(polygons)) + b"".join(map(to_wkb, polygons))


def to_ogr(rings: Rings) -> ogr.Geometry:
    """The polygon as an OGR geometry."""
    return _call(ogr.CreateGeometryFromWkb, to_wkb(rings))


@contextmanager
def quiet_gdal() -> Iterator[None]:
    """GEOS tells GDAL what it finds wrong, which would end up on the person's console."""
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        yield
    finally:
        gdal.PopErrorHandler()


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    """One GDAL call whose failure is a None, with exceptions switched on or not."""
    try:
        return function(*arguments)
    except RuntimeError:
        return None


def _read(wkb: bytes) -> ogr.Geometry:
    geometry = _call(ogr.CreateGeometryFromWkb, bytes(wkb)) if wkb else None
    if geometry is None:
        raise refuse(UNREADABLE, "The geometry cannot be read.", detail=f"{len(wkb)} bytes of WKB")
    return geometry


def _walk(geometry: ogr.Geometry, found: List[Rings], others: List[int]) -> None:
    kind = ogr.GT_Flatten(geometry.GetGeometryType())
    if kind in _AREA_TYPES:
        rings = _rings(geometry)
        if rings:
            found.append(rings)
        return
    if geometry.GetGeometryCount() == 0:
        if not geometry.IsEmpty():
            others.append(kind)
        return
    for number in range(geometry.GetGeometryCount()):
        _walk(geometry.GetGeometryRef(number), found, others)


def _rings(polygon: ogr.Geometry) -> Rings:
    rings: List[Ring] = []
    for number in range(polygon.GetGeometryCount()):
        points = polygon.GetGeometryRef(number).GetPoints() or []
        if any(not (math.isfinite(point[0]) and math.isfinite(point[1])) for point in points):
            raise refuse(NOT_FINITE, "A coordinate is not a number.")
        ring = tidy_ring((float(point[0]), float(point[1])) for point in points)
        if ring:
            rings.append(ring)
        elif number == 0:
            return ()
    return tuple(rings)


def _polygons_of(geometry: Optional[ogr.Geometry]) -> List[Rings]:
    if geometry is None:
        return []
    found: List[Rings] = []
    _walk(geometry, found, [])
    return [rings for rings in found if planar_area(rings) > 0]


def _mended(rings: Rings) -> List[Rings]:
    """The polygon itself when it is valid, else what is left after mending it.

    Where a ring only touches itself, or runs there and back on one line, the area its outline goes round equals the
    area GEOS finds inside it. Where it crosses itself the two differ, by the lobes that are wound the wrong way or
    twice. The same comparison tells whether holes stay inside the outer ring and off each other.
    """
    noise = _NOISE * box_area(rings[0])
    if is_valid(rings):
        return [rings] if planar_area(rings) > noise else []
    insides = [_inside(ring) for ring in rings]
    for ring, parts in zip(rings, insides):
        if abs(sum(map(planar_area, parts)) - abs(signed_area(ring))) > _NOISE * box_area(ring):
            raise refuse(SELF_CROSSING, "The outline crosses itself.")
    shells, holes = insides[0], [part for parts in insides[1:] for part in parts]
    left = _less(shells, holes)
    expected = sum(map(planar_area, shells)) - sum(map(planar_area, holes))
    if abs(expected - sum(map(planar_area, left))) > noise:
        raise refuse(HOLE_CROSSING, "A hole crosses the outline.")
    return left


def _inside(ring: Ring) -> List[Rings]:
    """The polygons a ring goes round by the even-odd rule, without the crumbs that arithmetic leaves on its edges."""
    with quiet_gdal():
        parts = _polygons_of(_call(to_ogr((ring,)).MakeValid))
    return [part for part in parts if planar_area(part) > _NOISE * box_area(ring)]


def _less(shells: Sequence[Rings], holes: Sequence[Rings]) -> List[Rings]:
    """Some polygons without what others cover.

    GEOS is not asked to mend a shell with its holes: a hole that lies on the shell line by line is none to it.
    """
    if not shells:
        return []
    with quiet_gdal():
        area = _union(shells)
        for hole in holes:
            area = _call(area.Difference, to_ogr(hole)) if area is not None else None
        return _polygons_of(area)


def _union(polygons: Sequence[Rings]) -> Optional[ogr.Geometry]:
    together = ogr.Geometry(ogr.wkbMultiPolygon)
    for polygon in polygons:
        together.AddGeometry(to_ogr(polygon))
    return _call(together.UnionCascaded)


def _bridged(polygons: List[Rings], tolerance: float) -> List[Rings]:
    """Parts that touch in a point or have a hairline gap between them, joined there; elsewhere nothing changes.

    The bridge is what lies within the tolerance of both, and in the box of all.
    """
    grown = [_call(to_ogr(polygon).Buffer, tolerance, 1) for polygon in polygons]
    boxes = [geometry.GetEnvelope() for geometry in grown]
    frame = to_ogr((_frame(polygons),))
    bridges: List[Rings] = []
    for one, other in combinations(range(len(polygons)), 2):
        if _boxes_meet(boxes[one], boxes[other]):
            bridge = _call(grown[one].Intersection, grown[other])
            bridges.extend(_polygons_of(_call(frame.Intersection, bridge) if bridge is not None else None))
    return _polygons_of(_union([*polygons, *bridges])) if bridges else polygons


def _frame(polygons: Sequence[Rings]) -> Ring:
    """The bounding box of all polygons."""
    xs = [x for rings in polygons for x, _ in rings[0]]
    ys = [y for rings in polygons for _, y in rings[0]]
    west, south, east, north = min(xs), min(ys), max(xs), max(ys)
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def _boxes_meet(one: Sequence[float], other: Sequence[float]) -> bool:
    """Envelopes as OGR has them: least and greatest x, least and greatest y."""
    return one[0] <= other[1] and other[0] <= one[1] and one[2] <= other[3] and other[2] <= one[3]


def _without_slits(rings: Rings, tolerance: float) -> Rings:
    """Without the holes that are narrower than the tolerance: where shared borders do not match to the last digit."""
    return (rings[0], *(hole for hole in rings[1:] if abs(signed_area(hole)) > tolerance * length(hole) / 2))
