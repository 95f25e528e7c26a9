"""An area cut into several of nearly equal size, each small enough for one job.

Cuts are straight, across the longer side, half and half until every piece is one job's. Where a straight cut would
tear a piece apart another direction or place is taken; small lobes beyond a cut stay with the piece they hang on.
Polygons are in longitude and latitude (EPSG:4326).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Iterator, List, Optional, Sequence, Tuple

from osgeo import ogr

from up42_plugin.core.aoi import bbox_ring
from up42_plugin.core.geometry.area import polygon_area_km2
from up42_plugin.core.geometry.polygons import Rings, polygons_from_wkb, quiet_gdal, to_ogr
from up42_plugin.core.geometry.rounding import DECIMALS
from up42_plugin.core.mending import box_of, metres_per_degree

MOST_PIECES = 100
# What rounding to 6 decimals and uneven halves may add to a piece.
_HEADROOM = 0.997
# Degrees between the longer axis and the direction that is cut across, the first that serves.
_TURNS = (0, 90, 45, 135, 22.5, 157.5, 67.5, 112.5)
_MOST_SHARES = 3
_ROUNDS = 24
_EVEN = 5e-4
# Beyond this many vertices the place of a cut is looked for on a simplified outline.
_MANY_VERTICES = 2000
_PROBE_DETAIL = 2000
# Pieces beyond a cut smaller than this share of one job's area stay with the piece they hang on.
_LOBE = 0.05
_CRUMB = 1e-9
_TRIES = 3
_TWO = 2


@dataclass(frozen=True)
class _Cut:
    """Half-planes to both sides of a line in a plane of kilometres: ``x·cos + y·sin`` up to ``place``, and beyond."""

    angle: float
    place: float


def divided(
    rings: Rings, maximum_km2: float, minimum_km2: float = 0.0, boxed: bool = False, most: int = MOST_PIECES
) -> List[Rings]:
    """As few polygons as possible that together cover the polygon, each at most ``maximum_km2`` large.

    ``boxed`` measures the upright box of each. The polygon alone where it is small enough; empty where it takes more
    than ``most`` pieces, or where a piece would fall below ``minimum_km2``.
    """
    if measured(rings, boxed) <= maximum_km2:
        return [rings]
    area = polygon_area_km2(rings)
    count = max(_TWO, math.ceil(area / (maximum_km2 * _HEADROOM)))
    pieces: List[Any] = []
    with quiet_gdal():
        whole = to_ogr(rings)
        for _ in range(_TRIES):
            if count > most:
                break
            pieces = _pieces(whole, count, minimum_km2)
            sizes = [measured(_rings_of(piece), boxed) for piece in pieces]
            if pieces and max(sizes) <= maximum_km2:
                break
            # Boxes hold more than the pieces in them; with more pieces they hold less again.
            count = max(count + 1, math.floor(0.8 * sum(sizes) / maximum_km2))
        found = [small for piece in pieces for small in _fitting(piece, maximum_km2, minimum_km2, boxed, most)]
        return [_rings_of(piece) for piece in found] if None not in found and len(found) <= most else []


def measured(rings: Rings, boxed: bool = False) -> float:
    """The area in km² of a polygon, or of its upright box."""
    return polygon_area_km2((bbox_ring(box_of([rings])),) if boxed else rings)


def _fitting(geometry: Any, maximum_km2: float, minimum_km2: float, boxed: bool, most: int) -> List[Optional[Any]]:
    """The piece, halved until it is small enough; with None where that cannot be."""
    if measured(_rings_of(geometry), boxed) <= maximum_km2:
        return [geometry]
    halves = _pieces(geometry, _TWO, minimum_km2) if most > 1 else []
    found = [small for half in halves for small in _fitting(half, maximum_km2, minimum_km2, boxed, most // _TWO)]
    return found or [None]


def _pieces(geometry: Any, count: int, minimum_km2: float) -> List[Any]:
    """About ``count`` polygons of about the same size; empty where no cut serves."""
    if count <= 1:
        return [geometry]
    unit = _area(geometry) / count
    parts = _torn(geometry, count, unit, minimum_km2)
    found: List[Any] = []
    for part in parts:
        # Half a percent more than one job's share is no reason for another piece.
        wanted = max(1, math.ceil(_area(part) / unit - 0.005)) if len(parts) > _TWO else round(_area(part) / unit)
        below = _pieces(part, max(1, wanted), minimum_km2)
        if not below:
            return []
        found.extend(below)
    return found


def _torn(geometry: Any, count: int, unit: float, minimum_km2: float) -> List[Any]:
    """The pieces to both sides of the best cut: two of them, or the fewest that are all large enough."""
    best: List[Any] = []
    probe = _probe(geometry)
    for share in _shares(count):
        for angle in _angles(geometry):
            cut = _placed(probe, angle, share)
            parts = _sides(geometry, cut, unit) if cut is not None else []
            if not parts or any(_area(part) < minimum_km2 for part in parts):
                continue
            if len(parts) == _TWO:
                return parts
            if not best or len(parts) < len(best):
                best = parts
    return best


def _shares(count: int) -> Iterator[float]:
    """Which parts of the area may lie on one side: half first, then less."""
    half = count // 2
    for jobs in range(half, max(0, half - _MOST_SHARES), -1):
        yield jobs / count


def _angles(geometry: Any) -> Iterator[float]:
    """Directions in radians to cut across: the longer side's first."""
    across, along = _scale(geometry)
    west, east, south, north = geometry.GetEnvelope()
    first = 0.0 if (east - west) * across >= (north - south) * along else 90.0
    for turn in _TURNS:
        yield math.radians((first + turn) % 180)


def _placed(probe: Any, angle: float, share: float) -> Optional[_Cut]:
    """Where a cut leaves that share of the area on its near side."""
    near, far = _reach(probe, angle)
    wanted, low_area, high_area = share * _area(probe), 0.0, _area(probe)
    low, high = near, far
    for turn in range(_ROUNDS):
        # Regula falsi is quick, halving now and then keeps it from creeping.
        even = turn % 3 == 2 or high_area - low_area <= 0  # noqa: PLR2004 - every third time
        step = 0.5 if even else (wanted - low_area) / (high_area - low_area)
        place = low + (high - low) * min(0.98, max(0.02, step))
        side = _tried(probe.Intersection, _half_plane(probe, _Cut(angle, place)))
        if side is None:
            return None
        area = _area(side)
        if abs(area - wanted) <= _EVEN * wanted:
            return _Cut(angle, place)
        if area < wanted:
            low, low_area = place, area
        else:
            high, high_area = place, area
    return _Cut(angle, (low + high) / 2)


def _sides(geometry: Any, cut: _Cut, unit: float) -> List[Any]:
    """The polygons a cut leaves, lobes joined to the piece across the line; the near side's largest first."""
    plane = _half_plane(geometry, cut)
    sides = [_tried(geometry.Intersection, plane), _tried(geometry.Difference, plane)]
    parts = [_polygons(side, _CRUMB * _area(geometry)) for side in sides]
    if not all(parts):
        return []
    mains = [max(side, key=_area) for side in parts]
    found: List[Any] = []
    for number, side in enumerate(parts):
        for part in side:
            if part is mains[number]:
                continue
            joined = _joined(mains[1 - number], part) if _area(part) < _LOBE * unit else None
            if joined is None:
                found.append(part)
            else:
                # The main piece of the other side changes, and may be looked at again.
                parts[1 - number] = [joined if known is mains[1 - number] else known for known in parts[1 - number]]
                mains[1 - number] = joined
    return [*mains, *found]


def _joined(one: Any, other: Any) -> Optional[Any]:
    """Both as one polygon, None where they only touch in a point or not at all."""
    together = _polygons(_tried(one.Union, other), 0.0)
    return together[0] if len(together) == 1 else None


def _half_plane(geometry: Any, cut: _Cut) -> Any:
    """Everything of the geometry's surroundings on the near side of a cut."""
    across, along = _scale(geometry)
    west, east, south, north = geometry.GetEnvelope()
    middle = ((west + east) / 2 * across, (south + north) / 2 * along)
    size = 2 * math.hypot((east - west) * across, (north - south) * along)
    ahead, aside = (math.cos(cut.angle), math.sin(cut.angle)), (-math.sin(cut.angle), math.cos(cut.angle))
    away = cut.place - middle[0] * ahead[0] - middle[1] * ahead[1]
    corners = [(away, -size), (away, size), (away - size, size), (away - size, -size), (away, -size)]
    ring = []
    for x, y in corners:
        lon = (middle[0] + x * ahead[0] + y * aside[0]) / across
        lat = (middle[1] + x * ahead[1] + y * aside[1]) / along
        # On the grid of 6 decimals both neighbours of an upright cut get the very same line.
        ring.append((round(lon, DECIMALS), round(lat, DECIMALS)))
    return to_ogr((tuple(ring),))


def _reach(geometry: Any, angle: float) -> Tuple[float, float]:
    """From where to where the box reaches in a direction, in kilometres."""
    across, along = _scale(geometry)
    west, east, south, north = geometry.GetEnvelope()
    reach = [
        lon * across * math.cos(angle) + lat * along * math.sin(angle) for lon in (west, east) for lat in (south, north)
    ]
    return min(reach), max(reach)


def _scale(geometry: Any) -> Tuple[float, float]:
    """Kilometres in a degree of longitude and of latitude at the geometry's middle."""
    _, _, south, north = geometry.GetEnvelope()
    across, along = metres_per_degree((south + north) / 2)
    return across / 1000, along / 1000


def _area(geometry: Any) -> float:
    """In km², as one compares pieces: by the scale at the middle of their mass. Empty ones have none."""
    if geometry is None or geometry.IsEmpty():
        return 0.0
    planar = float(geometry.GetArea())
    centre = _tried(geometry.Centroid) if planar > 0 else None
    if centre is None or centre.IsEmpty():
        return 0.0
    across, along = metres_per_degree(centre.GetY())
    return planar * across * along / 1e6


def _probe(geometry: Any) -> Any:
    """The geometry itself, or a simpler one of nearly the same size where it has very many vertices."""
    if sum(geometry.GetGeometryRef(number).GetPointCount() for number in range(geometry.GetGeometryCount())) < (
        _MANY_VERTICES
    ):
        return geometry
    west, east, south, north = geometry.GetEnvelope()
    simple = _tried(geometry.SimplifyPreserveTopology, max(east - west, north - south) / _PROBE_DETAIL)
    return simple if simple is not None and not simple.IsEmpty() else geometry


def _polygons(geometry: Optional[Any], crumb_km2: float) -> List[Any]:
    """The polygons of a result, without crumbs."""
    if geometry is None or geometry.IsEmpty():
        return []
    kind = ogr.GT_Flatten(geometry.GetGeometryType())
    if kind == ogr.wkbPolygon:
        return [geometry.Clone()] if _area(geometry) > crumb_km2 else []
    inner = [geometry.GetGeometryRef(number) for number in range(geometry.GetGeometryCount())]
    return [
        found
        for part in inner
        if ogr.GT_Flatten(part.GetGeometryType()) in _AREAS
        for found in _polygons(part, crumb_km2)
    ]


_AREAS = frozenset({ogr.wkbPolygon, ogr.wkbMultiPolygon, ogr.wkbGeometryCollection})


def _rings_of(geometry: Any) -> Rings:
    found: Sequence[Rings] = polygons_from_wkb(bytes(geometry.ExportToWkb()))
    return found[0]


def _tried(call: Any, *arguments: Any) -> Any:
    """A GDAL call whose failure is a None, with exceptions switched on or not."""
    try:
        return call(*arguments)
    except RuntimeError:
        return None
