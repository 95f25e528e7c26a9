"""Mends for what is wrong with an area: polygons in, polygons out. The person's layer is never touched.

Unless said otherwise polygons are in longitude and latitude (EPSG:4326). A mend that cannot be made gives an empty
list; nothing here raises for the shape of its input.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, List, Optional, Sequence, Tuple

from osgeo import ogr

from up42_plugin.core.aoi import bbox_ring
from up42_plugin.core.geometry import errors as codes
from up42_plugin.core.geometry.area import SEMI_MAJOR_AXIS_M, polygon_area_km2
from up42_plugin.core.geometry.errors import AoiError
from up42_plugin.core.geometry.polygons import (
    Point,
    Ring,
    Rings,
    made_valid,
    polygons_from_wkb,
    quiet_gdal,
    signed_area,
    tidy_ring,
    to_ogr,
)
from up42_plugin.core.geometry.rounding import DECIMALS

_TURN, _HALF_TURN, _POLE = 360.0, 180.0, 90.0
_SQUARED_ECCENTRICITY = 0.00669437999014
_LEAST_COSINE = 0.01
_QUARTER_SEGMENTS = 8
_LINEARISED_DEG = 1.0
# Rounding to 6 decimals afterwards takes a little of the area away.
_MARGIN = 1.0005
_ROUNDS = 12
# From a grid step (0.1 m) to 100 m: the first that lets the outline be written is the one.
SIMPLIFYING_DEG = (2e-6, 5e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3)


class MendKind(Enum):
    """What can be done to an area, in the order in which it is done."""

    SET_CRS = "set_crs"
    BUFFER = "buffer"
    CUT = "cut"
    REPAIR = "repair"
    SPLIT = "split"
    JOIN = "join"
    SIMPLIFY = "simplify"
    ENLARGE = "enlarge"
    FILL = "fill"
    DIVIDE = "divide"


@dataclass(frozen=True)
class Mend:
    """One mend.

    ``amount`` is the buffer's distance in metres, or the largest area of one job in km² where an area is divided;
    ``crs`` the definition to read coordinates in (WKT).
    """

    kind: MendKind
    amount: float = 0.0
    crs: str = ""


_BY_CODE = {
    codes.PARTS: (MendKind.JOIN,),
    codes.TOO_SMALL: (MendKind.ENLARGE,),
    codes.TOO_LARGE: (MendKind.DIVIDE,),
    codes.SELF_CROSSING: (MendKind.REPAIR,),
    codes.HOLE_CROSSING: (MendKind.REPAIR,),
    codes.TOO_FINE: (MendKind.SIMPLIFY,),
    codes.ANTIMERIDIAN: (MendKind.SPLIT,),
    codes.OUTSIDE_CRS: (MendKind.CUT,),
    codes.OUT_OF_RANGE: (MendKind.CUT, MendKind.SET_CRS),
    codes.NOT_A_POLYGON: (MendKind.BUFFER,),
    codes.NO_CRS: (MendKind.SET_CRS,),
}


def mends_of(code: str) -> Tuple[MendKind, ...]:
    """What may help against a problem, the likeliest first."""
    return _BY_CODE.get(code, ())


def total_km2(polygons: Sequence[Rings]) -> float:
    """The sum of the polygons' areas in km²."""
    return sum(map(polygon_area_km2, polygons))


def joined(polygons: Sequence[Rings]) -> List[Rings]:
    """The convex hull of all polygons: one polygon without holes."""
    points = ogr.Geometry(ogr.wkbMultiPoint)
    for rings in polygons:
        for x, y in rings[0]:
            point = ogr.Geometry(ogr.wkbPoint)
            point.AddPoint_2D(x, y)
            points.AddGeometry(point)
    with quiet_gdal():
        return _found(points.ConvexHull())


def repaired(polygons: Sequence[Rings]) -> List[Rings]:
    """What outlines that cross themselves cover by the even-odd rule; in any CRS. Sound polygons stay as they are."""
    return [part for rings in polygons for part in made_valid(rings)]


def simplified(polygons: Sequence[Rings], tolerance: float) -> List[Rings]:
    """Without details smaller than ``tolerance`` (degrees): gaps and necks narrower than that are closed."""
    found: List[Rings] = []
    with quiet_gdal():
        for rings in polygons:
            wide = _tried(to_ogr(rings).Buffer, 2 * tolerance, 1)
            closed = _tried(wide.Buffer, -tolerance, 1) if wide is not None else None
            found.extend(_found(_tried(closed.SimplifyPreserveTopology, tolerance) if closed is not None else None))
    return found


def enlarged(polygons: Sequence[Rings], minimum_km2: float, boxed: bool = False) -> List[Rings]:
    """All polygons scaled evenly about the middle of their box until they reach ``minimum_km2`` together.

    ``boxed`` takes the area of their box instead. Polygons that are large enough come back unchanged.
    """
    if not polygons or _measured(polygons, boxed) >= minimum_km2:
        return list(polygons)
    # Not rounded: small ones would be nothing.
    area = polygon_area_km2((bbox_ring(box_of(polygons)),)) if boxed else total_km2(polygons)
    if not area > 0:
        return []
    west, south, east, north = box_of(polygons)
    middle = ((west + east) / 2, (south + north) / 2)
    factor = math.sqrt(minimum_km2 / area) * _MARGIN
    for _ in range(_ROUNDS):
        larger = [tuple(_scaled(ring, middle, factor) for ring in rings) for rings in polygons]
        area = _measured(larger, boxed)
        if area >= minimum_km2 or not area > 0:
            return larger if area > 0 else []
        factor *= math.sqrt(minimum_km2 / area) * _MARGIN
    return []


def larger_side(polygons: Sequence[Rings]) -> List[Rings]:
    """Cut along the 180° meridian, and the side with the larger area kept.

    An outline that steps from 179 to -179, or goes on to 181, is understood as crossing the meridian. Empty for an
    outline that goes round a pole.
    """
    whole = [unwrapped(rings) for rings in polygons]
    if not whole or any(not rings for rings in whole):
        return []
    first = _middle_of(whole[0][0])
    near = [_turned(rings, round((first - _middle_of(rings[0])) / _TURN)) for rings in whole]
    west, _, east, _ = box_of(near)
    sides = []
    for turn in range(math.floor((west + _HALF_TURN) / _TURN), math.floor((east + _HALF_TURN) / _TURN) + 1):
        start = -_HALF_TURN + turn * _TURN
        pieces = cut(near, (bbox_ring((start, -_POLE, start + _TURN, _POLE)),))
        sides.append([_turned(piece, -turn) for piece in pieces])
    return max(sides, key=total_km2, default=[])


def cut(polygons: Sequence[Rings], frame: Rings) -> List[Rings]:
    """What lies inside ``frame``; both in the same CRS, whichever it is."""
    found: List[Rings] = []
    with quiet_gdal():
        window = to_ogr(frame)
        for rings in repaired(polygons):
            found.extend(_found(_tried(to_ogr(rings).Intersection, window)))
    return found


def buffered(wkbs: Sequence[bytes], metres: float) -> List[Rings]:
    """Points, lines or polygons (WKB in EPSG:4326) grown by a distance, in one union.

    Measured on a plane through the middle of their box, with the WGS84 ellipsoid's radii there (Snyder, Map
    Projections: A Working Manual, 1987, equations 4-20 and 4-21): good to a percent for areas of some 100 km.
    """
    if not metres > 0:
        return []
    with quiet_gdal():
        together = ogr.Geometry(ogr.wkbGeometryCollection)
        for wkb in wkbs:
            geometry = _tried(ogr.CreateGeometryFromWkb, bytes(wkb))
            if geometry is not None and not geometry.IsEmpty():
                flat = geometry.GetLinearGeometry(_LINEARISED_DEG)
                flat.FlattenTo2D()
                together.AddGeometry(flat)
        if together.IsEmpty():
            return []
        _, _, south, north = together.GetEnvelope()
        across, along = metres_per_degree((south + north) / 2)
        _stretch(together, across, along)
        grown = _tried(together.Buffer, metres, _QUARTER_SEGMENTS)
        if grown is None:
            return []
        _stretch(grown, 1 / across, 1 / along)
        return _found(grown)


def metres_per_degree(latitude: float) -> Tuple[float, float]:
    """Metres in a degree of longitude and in a degree of latitude, on the WGS84 ellipsoid."""
    sine = math.sin(math.radians(latitude))
    root = math.sqrt(1 - _SQUARED_ECCENTRICITY * sine * sine)
    across = SEMI_MAJOR_AXIS_M / root * max(_LEAST_COSINE, math.cos(math.radians(latitude)))
    along = SEMI_MAJOR_AXIS_M * (1 - _SQUARED_ECCENTRICITY) / root**3
    return math.radians(across), math.radians(along)


def box_of(polygons: Sequence[Rings]) -> Tuple[float, float, float, float]:
    """West, south, east, north of all polygons."""
    xs = [x for rings in polygons for x, _ in rings[0]]
    ys = [y for rings in polygons for _, y in rings[0]]
    return min(xs), min(ys), max(xs), max(ys)


def unwrapped(rings: Rings) -> Rings:
    """The polygon without steps across the 180° meridian: longitudes go on beyond 180 instead; empty round a pole."""
    found: List[Ring] = []
    for ring in rings:
        going, shift = [ring[0]], 0.0
        for (before, _), (x, y) in zip(ring, ring[1:]):
            if _HALF_TURN < abs(x - before) < _TURN:
                shift -= math.copysign(_TURN, x - before)
            going.append((x + shift, y))
        if abs(going[-1][0] - going[0][0]) > _HALF_TURN:
            return ()
        whole = tuple(going)
        if found:
            whole = _turned((whole,), round((_middle_of(found[0]) - _middle_of(whole)) / _TURN))[0]
        found.append(whole)
    return tuple(found)


def _measured(polygons: Sequence[Rings], boxed: bool) -> float:
    """The area once coordinates are rounded."""
    if not polygons:
        return 0.0
    if boxed:
        west, south, east, north = (round(value, DECIMALS) for value in box_of(polygons))
        return polygon_area_km2((bbox_ring((west, south, east, north)),))
    rounded = [
        tuple(tidy_ring((round(x, DECIMALS), round(y, DECIMALS)) for x, y in ring) for ring in rings)
        for rings in polygons
    ]
    return total_km2([tuple(ring for ring in rings if ring) for rings in rounded if rings[0]])


def _scaled(ring: Ring, middle: Point, factor: float) -> Ring:
    return tuple((middle[0] + (x - middle[0]) * factor, middle[1] + (y - middle[1]) * factor) for x, y in ring)


def _turned(rings: Rings, turns: int) -> Rings:
    return tuple(tuple((x + turns * _TURN, y) for x, y in ring) for ring in rings) if turns else rings


def _middle_of(ring: Ring) -> float:
    xs = [x for x, _ in ring]
    return (min(xs) + max(xs)) / 2


def _stretch(geometry: ogr.Geometry, across: float, along: float) -> None:
    """Scale every point of a geometry in place."""
    for number in range(geometry.GetGeometryCount()):
        _stretch(geometry.GetGeometryRef(number), across, along)
    if geometry.GetGeometryCount() == 0:
        for number in range(geometry.GetPointCount()):
            geometry.SetPoint_2D(number, geometry.GetX(number) * across, geometry.GetY(number) * along)


def _found(geometry: Optional[ogr.Geometry]) -> List[Rings]:
    """The polygons of a result, crumbs without area left out."""
    if geometry is None or geometry.IsEmpty():
        return []
    try:
        return [rings for rings in polygons_from_wkb(bytes(geometry.ExportToWkb())) if signed_area(rings[0]) != 0]
    except AoiError:  # lines and points are left where shapes only touch
        return []


def _tried(call: Callable[..., Any], *arguments: Any) -> Any:
    """A GDAL call whose failure is a None, with exceptions switched on or not."""
    try:
        return call(*arguments)
    except RuntimeError:
        return None
