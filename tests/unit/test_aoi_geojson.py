"""Areas from GeoJSON, how large they are, and that GDAL is left alone."""

from __future__ import annotations

import json
import math

import pytest
from aoi_kit import (
    SAMPLE,
    aoi_of,
    gdal_style,  # noqa: F401 - a fixture for every test
    refusal,
)
from osgeo import gdal, osr

from up42_plugin.core.aoi import AOI, AoiError
from up42_plugin.core.geometry import errors as codes
from up42_plugin.core.geometry.area import polygon_area_km2
from up42_plugin.core.geometry.polygons import signed_area


@pytest.mark.parametrize("wrap", ["geometry", "feature", "collection", "multi", "geometries", "text", "bytes"])
def test_geojson_in_every_dress(wrap):
    polygon = {"type": "Polygon", "coordinates": [SAMPLE]}
    feature = {"type": "Feature", "properties": None, "geometry": polygon}
    empty = {"type": "Feature", "properties": {}, "geometry": None}
    dressed = {
        "geometry": polygon,
        "feature": feature,
        "collection": {"type": "FeatureCollection", "features": [empty, feature]},
        "multi": {"type": "MultiPolygon", "coordinates": [[SAMPLE]]},
        "geometries": {"type": "GeometryCollection", "geometries": [polygon]},
        "text": json.dumps(feature),
        "bytes": json.dumps(feature).encode(),
    }[wrap]
    assert AOI.from_geojson(dressed).vertices == 4


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", codes.UNREADABLE),
        ("{", codes.UNREADABLE),
        (b"\xff\xfe", codes.UNREADABLE),
        ("[]", codes.UNREADABLE),
        ("null", codes.UNREADABLE),
        ("{}", codes.UNREADABLE),
        ({"type": ["Polygon"]}, codes.UNREADABLE),
        ({"type": "Polygon"}, codes.UNREADABLE),
        ({"type": "Polygon", "coordinates": 5}, codes.UNREADABLE),
        ({"type": "Polygon", "coordinates": [5]}, codes.UNREADABLE),
        ({"type": "Polygon", "coordinates": [[5]]}, codes.UNREADABLE),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, "1"], [1, 0]]]}, codes.UNREADABLE),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, True], [1, 0]]]}, codes.UNREADABLE),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1], [1, 0]]]}, codes.UNREADABLE),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [1, NaN], [1, 0]]]}', codes.NOT_FINITE),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 10**400], [1, 0]]]}, codes.NOT_FINITE),
        ({"type": "MultiPolygon", "coordinates": [7]}, codes.UNREADABLE),
        ('{"type": "GeometryCollection", "geometries": [' * 5000, codes.UNREADABLE),
        ({"type": "Feature", "geometry": 5}, codes.UNREADABLE),
        ({"type": "FeatureCollection", "features": [5]}, codes.UNREADABLE),
        ({"type": "FeatureCollection"}, codes.UNREADABLE),
        ({"type": "FeatureCollection", "features": []}, codes.EMPTY),
        ({"type": "Polygon", "coordinates": []}, codes.EMPTY),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, codes.NOT_A_POLYGON),
        ({"type": "Point", "coordinates": [0, 0]}, codes.NOT_A_POLYGON),
        ({"type": "Feature", "geometry": {"type": "MultiPoint", "coordinates": []}}, codes.NOT_A_POLYGON),
        (
            {"type": "Polygon", "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}},
            codes.UNREADABLE,
        ),
    ],
)
def test_geojson_that_cannot_be_used(value, code):
    with pytest.raises(AoiError) as caught:
        AOI.from_geojson(value)
    assert caught.value.code == code
    assert caught.value.user_message.endswith(".")


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326"])
def test_geojson_that_names_its_longitude_and_latitude(name):
    crs = {"type": "name", "properties": {"name": name}}
    assert AOI.from_geojson({"type": "Polygon", "crs": crs, "coordinates": [SAMPLE]}).vertices == 4


def test_several_polygons_in_geojson_are_joined_or_refused():
    def square(x):
        return [[[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]]]

    assert AOI.from_geojson({"type": "MultiPolygon", "coordinates": [square(0), square(1)]}).bbox == (0, 0, 2, 1)
    with pytest.raises(AoiError) as caught:
        AOI.from_geojson({"type": "MultiPolygon", "coordinates": [square(0), square(2)]})
    assert caught.value.code == codes.PARTS


def test_geojson_goes_round():
    aoi = aoi_of("POLYGON((0 0,1 0,1 1,0 1,0 0),(0.2 0.2,0.2 0.4,0.4 0.4,0.4 0.2,0.2 0.2))")
    assert AOI.from_geojson(json.dumps(aoi.geojson())) == aoi


@pytest.mark.parametrize("latitude", [-84, -40, 0, 37.85, 66, 84])
@pytest.mark.parametrize("size", [0.003, 0.1, 0.5])
def test_the_area_agrees_with_an_equal_area_projection(latitude, size):
    """Lambert's azimuthal equal-area projection, centred on the polygon, of edges with many points."""
    wide = size / math.cos(math.radians(latitude))
    corners = [(10, latitude), (10 + wide, latitude + size / 3), (10 + wide / 2, latitude + size), (10, latitude)]
    points = [
        (x1 + (x2 - x1) * part / 200, y1 + (y2 - y1) * part / 200)
        for (x1, y1), (x2, y2) in zip(corners, corners[1:])
        for part in range(200)
    ]
    source, target = osr.SpatialReference(), osr.SpatialReference()
    source.ImportFromEPSG(4326)
    target.ImportFromProj4(f"+proj=laea +lat_0={latitude + size / 2} +lon_0={10 + wide / 2} +datum=WGS84 +units=m")
    source.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    transform = osr.CoordinateTransformation(source, target)
    flat = [(x, y) for x, y, _ in transform.TransformPoints([*points, points[0]])]
    assert polygon_area_km2((tuple(corners),)) == pytest.approx(abs(signed_area(flat)) / 1e6, rel=1e-6)


def test_the_area_of_a_hemisphere_and_of_a_slanted_edge():
    north = (((-180, 0), (180, 0), (180, 90), (-180, 90), (-180, 0)),)
    assert polygon_area_km2(north) == pytest.approx(510_065_621.724 / 2, rel=1e-9)
    one = (((0, 0), (60, 0), (60, 80), (0, 0)),)
    other = (((0, 0), (60, 80), (0, 80), (0, 0)),)
    whole = (((0, 0), (60, 0), (60, 80), (0, 80), (0, 0)),)
    assert polygon_area_km2(one) + polygon_area_km2(other) == pytest.approx(polygon_area_km2(whole), rel=1e-9)


def test_nothing_is_printed_by_gdal(capfd):
    refusal("POLYGON((0 0,1 1,1 0,0 1,0 0))")
    with pytest.raises(AoiError):
        AOI.from_wkbs([b"abc"])
    aoi_of("POLYGON((0 0,4 0,4 4,2 0,0 4,0 0))")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_gdal_is_left_as_it_was():
    told = []

    def handler(level, number, message):
        told.append(message)

    gdal.PushErrorHandler(handler)
    try:
        aoi_of("POLYGON((0 0,4 0,4 4,2 0,0 4,0 0))")
        assert told == []
        gdal.Error(gdal.CE_Warning, 1, "still heard")
    finally:
        gdal.PopErrorHandler()
    assert told == ["still heard"]
