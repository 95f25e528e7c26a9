"""Shapes as they come from a file or the clipboard: WKB with the CRS they are in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Tuple

from osgeo import gdal, ogr

from up42_plugin.api.context import CallContext
from up42_plugin.core.feature_labels import label_field, label_in, tidy_label
from up42_plugin.core.geometry.errors import (
    EMPTY,
    NOT_A_POLYGON,
    UNREADABLE,
    AoiError,
    refuse,
    too_many,
)
from up42_plugin.core.geometry.geojson import features_from_geojson
from up42_plugin.core.geometry.polygons import quiet_gdal, several_to_wkb

MAX_FEATURES = 1000
MAX_VERTICES = 50_000
MAX_CHARACTERS = 4_000_000
LONGITUDE_LATITUDE = "EPSG:4326"
_VIRTUAL = "/vsi"
_SRID = re.compile(r"^\s*SRID\s*=\s*(\d{1,6})\s*;", re.IGNORECASE)


@dataclass(frozen=True)
class Shapes:
    """Features' geometries as WKB; ``crs`` is an authority code or WKT, empty when it is not known.

    ``names`` are the features' own, one each, empty where there is none.
    """

    wkbs: Tuple[bytes, ...]
    crs: str = ""
    names: Tuple[str, ...] = ()


def pasted_shapes(text: str) -> Shapes:
    """GeoJSON (longitude and latitude) or WKT, also with ``SRID=…;`` before it; without one it is EPSG:4326.

    Raises:
        AoiError: neither of the two, no geometry in it, or too much of it.
    """
    if len(text) > MAX_CHARACTERS:
        raise refuse(UNREADABLE, f"The text is too long: {len(text):,} characters, {MAX_CHARACTERS:,} at most.")
    if text.lstrip()[:1] in ("{", "["):
        return _from_geojson(text)
    srid = _SRID.match(text)
    crs = f"EPSG:{srid.group(1)}" if srid else LONGITUDE_LATITUDE
    body = text[srid.end() :] if srid else text
    with quiet_gdal():
        geometry = _created(ogr.CreateGeometryFromWkt, body.strip())
    if geometry is None:
        raise refuse(UNREADABLE, "This is neither GeoJSON nor WKT.")
    if geometry.IsEmpty():
        raise refuse(EMPTY, "The geometry is empty.")
    _check_vertices(_vertices(geometry))
    return Shapes((bytes(geometry.ExportToWkb(ogr.wkbNDR)),), crs)


def read_vector_file(path: Path, context: CallContext) -> Shapes:
    """All features of the first layer with geometry in a vector file; for workers.

    Raises:
        AoiError: not a vector file, nothing in it, or too much of it.
        Cancelled: the context was cancelled.
    """
    if not str(path).startswith(_VIRTUAL) and not path.exists():
        raise refuse(UNREADABLE, f"{path.name} is not in {path.parent}. Choose the file again.")
    with quiet_gdal():
        dataset = _created(gdal.OpenEx, str(path), gdal.OF_VECTOR | gdal.OF_READONLY)
        if dataset is None:
            raise refuse(UNREADABLE, f"{path.name} cannot be read as vector data.")
        for number in range(dataset.GetLayerCount()):
            layer = dataset.GetLayer(number)
            if layer.GetGeomType() != ogr.wkbNone:
                return _from_layer(layer, context)
    raise refuse(EMPTY, f"{path.name} holds no layer with geometry.")


def _from_layer(layer: ogr.Layer, context: CallContext) -> Shapes:
    wkbs: List[bytes] = []
    names: List[str] = []
    vertices = 0
    definition = layer.GetLayerDefn()
    fields = [definition.GetFieldDefn(number) for number in range(definition.GetFieldCount())]
    field = label_field(field.GetName() for field in fields if field.GetType() == ogr.OFTString)
    for feature in layer:
        context.check()
        geometry = feature.GetGeometryRef()
        if geometry is None or geometry.IsEmpty():
            continue
        vertices += _vertices(geometry)
        _check_vertices(vertices)
        wkbs.append(bytes(geometry.ExportToWkb(ogr.wkbNDR)))
        names.append(tidy_label(feature.GetField(field)) if field is not None else "")
        if len(wkbs) > MAX_FEATURES:
            raise too_many("features", max(len(wkbs), layer.GetFeatureCount()), MAX_FEATURES)
    if not wkbs:
        raise refuse(EMPTY, "The file holds no geometry.")
    reference = layer.GetSpatialRef()
    return Shapes(tuple(wkbs), reference.ExportToWkt() if reference is not None else "", tuple(names))


def _from_geojson(text: str) -> Shapes:
    try:
        features = features_from_geojson(text)
    except AoiError as error:
        with quiet_gdal():
            lone = _created(ogr.CreateGeometryFromJson, text) if error.code == NOT_A_POLYGON else None
        if lone is None:
            raise
        return Shapes((bytes(lone.ExportToWkb(ogr.wkbNDR)),), LONGITUDE_LATITUDE)
    if len(features) > MAX_FEATURES:
        raise too_many("features", len(features), MAX_FEATURES)
    _check_vertices(sum(len(ring) for feature in features for rings in feature.polygons for ring in rings))
    wkbs = tuple(several_to_wkb(feature.polygons) for feature in features)
    return Shapes(wkbs, LONGITUDE_LATITUDE, tuple(label_in(feature.properties) for feature in features))


def _vertices(geometry: ogr.Geometry) -> int:
    inner = sum(_vertices(geometry.GetGeometryRef(number)) for number in range(geometry.GetGeometryCount()))
    return inner or int(geometry.GetPointCount())


def _check_vertices(count: int) -> None:
    if count > MAX_VERTICES:
        raise too_many("vertices", count, MAX_VERTICES)


def _created(call: Any, *arguments: Any) -> Any:
    """A GDAL call whose failure is a None, with exceptions switched on or not."""
    try:
        return call(*arguments)
    except RuntimeError:
        return None
