"""Polygons in longitude and latitude: what is wrong with them, how large they are, what they share.

Standard library only, so that checking a job needs no raster library. Coordinates are degrees in EPSG:4326.
"""

from __future__ import annotations

import math
from typing import Any, List, Mapping, Optional, Sequence, Tuple

Point = Tuple[float, float]
Ring = List[Point]
BBox = Tuple[float, float, float, float]

_SEMI_MAJOR = 6378137.0
_FLATTENING = 1 / 298.257223563
_E2 = _FLATTENING * (2 - _FLATTENING)
_E = math.sqrt(_E2)
_MIN_RING = 4
_MIN_POSITION = 2
_MAX_LONGITUDE, _MAX_LATITUDE = 180.0, 90.0


def polygon_problems(value: Any) -> List[str]:
    """What keeps ``value`` from being one valid GeoJSON polygon; empty when nothing does."""
    if not isinstance(value, Mapping):
        return ["must be a GeoJSON geometry"]
    if value.get("type") != "Polygon":
        return [f"must be one Polygon, got {value.get('type')!r}"]
    rings = value.get("coordinates")
    if not isinstance(rings, list) or not rings:
        return ["coordinates must be a list of rings"]
    problems = [problem for ring in rings for problem in _ring_problems(ring)]
    if problems:
        return sorted(set(problems))
    return _crossing_problems([_ring(ring) for ring in rings])


def bbox_problems(value: Any) -> List[str]:
    """What keeps ``value`` from being ``[west, south, east, north]``."""
    if not isinstance(value, list) or len(value) != _MIN_RING or not all(_is_number(part) for part in value):
        return ["must be four numbers [west, south, east, north]"]
    west, south, east, north = value
    if not _in_range(west, south) or not _in_range(east, north):
        return ["coordinates must be longitudes -180..180 and latitudes -90..90"]
    if west >= east or south >= north:
        return ["west must lie west of east, and south below north"]
    return []


def polygon_of(bbox: Sequence[float]) -> Mapping[str, Any]:
    """A bounding box as a GeoJSON polygon."""
    west, south, east, north = (float(part) for part in bbox)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def bounds(polygon: Mapping[str, Any]) -> BBox:
    """West, south, east, north of a polygon."""
    ring = polygon["coordinates"][0]
    lons, lats = [point[0] for point in ring], [point[1] for point in ring]
    return min(lons), min(lats), max(lons), max(lats)


def area_km2(polygon: Mapping[str, Any]) -> float:
    """Area on the WGS 84 ellipsoid in square kilometres, holes taken off.

    Authalic latitudes turn the ellipsoid into a sphere of the same area; edges are straight in them.
    """
    rings = [_ring(ring) for ring in polygon["coordinates"]]
    return _ring_area(rings[0]) - sum(_ring_area(hole) for hole in rings[1:])


def shared_area_km2(polygon: Mapping[str, Any], convex: Mapping[str, Any]) -> float:
    """Area of the part of ``polygon`` inside a convex polygon (a scene's footprint), in square kilometres."""
    clip = _counter_clockwise(_ring(convex["coordinates"][0]))
    areas = []
    for ring in polygon["coordinates"]:
        clipped = _clip(_ring(ring), clip)
        areas.append(_ring_area(clipped) if len(clipped) >= _MIN_RING - 1 else 0.0)
    return max(0.0, areas[0] - sum(areas[1:]))


def size_m(bbox: BBox) -> Tuple[float, float]:
    """Width and height of a bounding box in metres, at its middle."""
    west, south, east, north = bbox
    middle = math.radians((south + north) / 2)
    width = math.radians(east - west) * _SEMI_MAJOR * math.cos(middle)
    return width, math.radians(north - south) * _SEMI_MAJOR


def _ring_problems(ring: Any) -> List[str]:
    if not isinstance(ring, list) or len(ring) < _MIN_RING:
        return ["every ring needs at least four positions"]
    for point in ring:
        if not isinstance(point, list) or len(point) < _MIN_POSITION or not all(_is_number(part) for part in point[:2]):
            return ["every position must be [longitude, latitude]"]
        if not _in_range(point[0], point[1]):
            return ["coordinates must be longitudes -180..180 and latitudes -90..90"]
    if ring[0][:2] != ring[-1][:2]:
        return ["every ring must be closed"]
    if len({(point[0], point[1]) for point in ring}) < _MIN_RING - 1:
        return ["every ring needs three different positions"]
    return []


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _in_range(lon: float, lat: float) -> bool:
    return abs(lon) <= _MAX_LONGITUDE and abs(lat) <= _MAX_LATITUDE


def _ring(ring: Sequence[Sequence[float]]) -> Ring:
    return [(float(point[0]), float(point[1])) for point in ring]


def _crossing_problems(rings: List[Ring]) -> List[str]:
    """Rings must not cross or touch themselves or one another along an edge, and holes must lie inside."""
    edges: List[Tuple[int, int, int, Point, Point]] = []
    for number, ring in enumerate(rings):
        points = [point for index, point in enumerate(ring) if index == 0 or point != ring[index - 1]]
        last = len(points) - 2
        edges.extend((number, index, last, points[index], points[index + 1]) for index in range(last + 1))
    edges.sort(key=lambda edge: min(edge[3][0], edge[4][0]))
    for place, first in enumerate(edges):
        east = max(first[3][0], first[4][0])
        for second in edges[place + 1 :]:
            if min(second[3][0], second[4][0]) > east:
                break
            if _conflict(first, second):
                return ["polygon must not cross itself"]
    outside = [hole for hole in rings[1:] if not all(_inside(point, rings[0]) for point in hole)]
    return ["holes must lie inside the polygon"] if outside else []


def _conflict(first: Any, second: Any) -> bool:
    """Whether two edges cross, or overlap, or touch where neighbours do not meet anyway."""
    ring1, index1, last, start1, end1 = first
    ring2, index2, _, start2, end2 = second
    if ring1 == ring2 and abs(index1 - index2) in (1, last):
        return _folds_back(start1, end1, start2, end2)
    turns = (
        _turn(start1, end1, start2),
        _turn(start1, end1, end2),
        _turn(start2, end2, start1),
        _turn(start2, end2, end1),
    )
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    if ring1 != ring2:
        return False
    touching = ((start2, start1, end1), (end2, start1, end1), (start1, start2, end2), (end1, start2, end2))
    return any(turn == 0 and _between(*triple) for turn, triple in zip(turns, touching))


def _folds_back(start1: Point, end1: Point, start2: Point, end2: Point) -> bool:
    """Whether two edges that share an end run over each other."""
    shared = end1 if end1 in (start2, end2) else start1
    if shared not in (start2, end2):
        return False
    one, other = (start1 if shared == end1 else end1), (end2 if shared == start2 else start2)
    if _turn(shared, one, other) != 0:
        return False
    return (one[0] - shared[0]) * (other[0] - shared[0]) + (one[1] - shared[1]) * (other[1] - shared[1]) > 0


def _turn(origin: Point, towards: Point, point: Point) -> float:
    return (towards[0] - origin[0]) * (point[1] - origin[1]) - (towards[1] - origin[1]) * (point[0] - origin[0])


def _between(point: Point, start: Point, end: Point) -> bool:
    return min(start[0], end[0]) <= point[0] <= max(start[0], end[0]) and min(start[1], end[1]) <= point[1] <= max(
        start[1], end[1]
    )


def _inside(point: Point, ring: Ring) -> bool:
    """Whether a point lies inside a ring or on its line."""
    inside = False
    for start, end in zip(ring, ring[1:]):
        if _turn(start, end, point) == 0 and _between(point, start, end):
            return True
        if (start[1] > point[1]) != (end[1] > point[1]):
            crossing = start[0] + (point[1] - start[1]) / (end[1] - start[1]) * (end[0] - start[0])
            inside ^= point[0] < crossing
    return inside


def _q(sine: float) -> float:
    """Snyder's q, equation 3-12, for a latitude's sine."""
    es = _E * sine
    return (1 - _E2) * (sine / (1 - es * es) + math.atanh(es) / _E)


def _ring_area(ring: Ring) -> float:
    sines = [_q(math.sin(math.radians(lat))) for _, lat in ring]
    total = 0.0
    for index, (lon, _) in enumerate(ring):
        following = (index + 1) % len(ring)
        total += math.radians(ring[following][0] - lon) * (sines[index] + sines[following]) / 2
    return abs(total) * _SEMI_MAJOR**2 / 2 / 1e6


def _counter_clockwise(ring: Ring) -> Ring:
    doubled = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:]))
    return ring if doubled >= 0 else ring[::-1]


def _clip(ring: Ring, convex: Ring) -> Ring:
    """Sutherland and Hodgman's clipping of any ring by a convex, counter-clockwise one."""
    points = ring[:-1] if ring[0] == ring[-1] else list(ring)
    for start, end in zip(convex, convex[1:]):
        points = _clip_by_line(points, start, end)
        if not points:
            break
    return points


def _clip_by_line(points: Ring, start: Point, end: Point) -> Ring:
    result: Ring = []
    for index, point in enumerate(points):
        before = points[index - 1]
        here, there = _turn(start, end, point), _turn(start, end, before)
        if (here >= 0) != (there >= 0):
            result.append(_cut(before, point, there, here))
        if here >= 0:
            result.append(point)
    return result


def _cut(before: Point, point: Point, there: float, here: float) -> Point:
    share = there / (there - here)
    return before[0] + share * (point[0] - before[0]), before[1] + share * (point[1] - before[1])


def geometry_of(parameters: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
    """The polygon among a task's parameters (a bounding box as a polygon), None when there is none."""
    for name in ("intersects", "contains"):
        if parameters.get(name) is not None:
            value: Mapping[str, Any] = parameters[name]
            return value
    return None if parameters.get("bbox") is None else polygon_of(parameters["bbox"])
