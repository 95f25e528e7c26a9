"""Polygons out of GeoJSON (RFC 7946), with a reason for everything that cannot be used."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any, List, Mapping, Sequence, Tuple, Union

from up42_plugin.core.geometry.errors import EMPTY, NOT_FINITE, UNREADABLE, AoiError, no_area, refuse
from up42_plugin.core.geometry.polygons import Point, Rings, tidy_ring

_LONGITUDE_LATITUDE = ("CRS84", ":4326", "/4326")
_CONTAINERS = {"FeatureCollection": "features", "GeometryCollection": "geometries"}
_AREAS = frozenset({"Polygon", "MultiPolygon"})
_LINES = frozenset({"LineString", "MultiLineString"})
_POINTS = frozenset({"Point", "MultiPoint"})


@dataclass(frozen=True)
class GeoJsonFeature:
    """The polygons of one feature, and its properties."""

    polygons: Tuple[Rings, ...]
    properties: Mapping[str, Any]


def polygons_from_geojson(value: Union[str, bytes, Mapping[str, Any]]) -> List[Rings]:
    """The polygons of a geometry, Feature or FeatureCollection, given as text or as parsed JSON.

    Raises:
        AoiError: not JSON, not GeoJSON, another CRS than longitude and latitude, or no polygon in it.
    """
    return [rings for feature in features_from_geojson(value) for rings in feature.polygons]


def features_from_geojson(value: Union[str, bytes, Mapping[str, Any]]) -> List[GeoJsonFeature]:
    """The same, feature by feature; those without a polygon are left out, and a lone geometry is one feature."""
    kinds: List[str] = []
    try:
        document = _parsed(value)
        _check_crs(document)
        collected = document.get("type") == "FeatureCollection"
        members = _members(document, "features") if collected else [document]
        read = [GeoJsonFeature(tuple(_polygons(member, kinds)), _properties(member)) for member in members]
    except RecursionError as error:
        raise _unreadable("nested too deeply") from error
    found = [feature for feature in read if feature.polygons]
    if found:
        return found
    if any(kind in _LINES for kind in kinds):
        raise no_area("Lines")
    if any(kind in _POINTS for kind in kinds):
        raise no_area("Points")
    raise refuse(EMPTY, "The GeoJSON holds no polygon.")


def _properties(document: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = document.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _parsed(value: Union[str, bytes, Mapping[str, Any]]) -> Mapping[str, Any]:
    document: Any = value
    if isinstance(value, (str, bytes)):
        try:
            document = json.loads(value)
        except ValueError as error:
            raise refuse(UNREADABLE, "This is not valid JSON.", detail=str(error)) from error
    if not isinstance(document, Mapping):
        raise _unreadable("a GeoJSON object is needed")
    return document


def _check_crs(document: Mapping[str, Any]) -> None:
    """GeoJSON of before 2016 may name a CRS of its own."""
    crs = document.get("crs")
    if not isinstance(crs, Mapping):
        return
    properties = crs.get("properties")
    name = str(properties.get("name", "")) if isinstance(properties, Mapping) else ""
    if name and not name.endswith(_LONGITUDE_LATITUDE):
        raise refuse(UNREADABLE, f"The GeoJSON is in {name}; longitude and latitude (EPSG:4326) are needed.")


def _polygons(document: Mapping[str, Any], kinds: List[str]) -> List[Rings]:
    kind = str(document.get("type"))
    if kind in _CONTAINERS:
        return [found for member in _members(document, _CONTAINERS[kind]) for found in _polygons(member, kinds)]
    if kind == "Feature":
        geometry = document.get("geometry")
        if geometry is not None and not isinstance(geometry, Mapping):
            raise _unreadable("a Feature has no geometry object")
        return _polygons(geometry, kinds) if geometry is not None else []
    if kind in _AREAS:
        parts = _list(document.get("coordinates"), "coordinates")
        return [found for part in ([parts] if kind == "Polygon" else parts) for found in _polygon(part)]
    if kind not in _LINES and kind not in _POINTS:
        raise _unreadable(f"unknown type {kind!r}")
    kinds.append(kind)
    return []


def _members(document: Mapping[str, Any], name: str) -> List[Mapping[str, Any]]:
    members = _list(document.get(name), name)
    if not all(isinstance(member, Mapping) for member in members):
        raise _unreadable(f"{name} holds something else than objects")
    return list(members)


def _polygon(coordinates: Any) -> List[Rings]:
    rings = [tidy_ring(_point(point) for point in _list(ring, "a ring")) for ring in _list(coordinates, "a polygon")]
    if not rings or not rings[0]:
        return []
    return [tuple(ring for ring in rings if ring)]


def _point(position: Any) -> Point:
    numbers: Tuple[Any, ...] = tuple(position) if isinstance(position, (list, tuple)) else ()
    if len(numbers) < 2 or any(isinstance(n, bool) or not isinstance(n, (int, float)) for n in numbers[:2]):  # noqa: PLR2004 - x and y
        raise _unreadable("a position is not a pair of numbers")
    try:
        x, y = float(numbers[0]), float(numbers[1])
    except OverflowError:
        x = y = math.inf
    if not (math.isfinite(x) and math.isfinite(y)):
        raise refuse(NOT_FINITE, "A coordinate is not a number.")
    return x, y


def _list(value: Any, name: str) -> Sequence[Any]:
    if not isinstance(value, (list, tuple)):
        raise _unreadable(f"{name}: a list is needed")
    return value


def _unreadable(detail: str) -> AoiError:
    return refuse(UNREADABLE, "This is not GeoJSON that can be read.", detail=detail)
