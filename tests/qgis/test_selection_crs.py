"""The selected area from any CRS, and from geometries of every kind."""

from __future__ import annotations

import math

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsGeometry,
    QgsPointXY,
    QgsRasterLayer,
    QgsVectorLayer,
)
from selection_kit import TAORMINA, added, ellipsoidal_km2, layer_of, square

from up42_plugin.core.aoi import AoiError
from up42_plugin.core.geometry import errors as codes
from up42_plugin.qgis_bridge.selection import aoi_of


@pytest.mark.parametrize("crs", ["EPSG:32633", "EPSG:3857", "EPSG:3035", "EPSG:4258", "EPSG:3004", "EPSG:2193"])
def test_any_crs_is_reprojected(project, crs):
    lonlat = TAORMINA if crs != "EPSG:2193" else square(172.6, -43.5)
    geometry = QgsGeometry.fromWkt(lonlat)
    target = QgsCoordinateReferenceSystem(crs)
    geometry.transform(QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), target, project))
    layer = layer_of(geometry.asWkt(12), crs=crs)
    layer.selectAll()
    aoi = aoi_of(layer, project)
    expected = QgsGeometry.fromWkt(lonlat).asPolygon()[0]
    for (x, y), point in zip(sorted(aoi.rings[0][:-1]), sorted((p.x(), p.y()) for p in expected[:-1])):
        assert (x, y) == pytest.approx(point, abs=2e-6)


def test_the_transform_context_of_the_project_is_used(project):
    """Two ways from Monte Mario to WGS84 lie metres apart; the project's choice is taken."""
    monte_mario, wgs84 = QgsCoordinateReferenceSystem("EPSG:4265"), QgsCoordinateReferenceSystem("EPSG:4326")
    layer = layer_of(square(15.28, 37.84), crs="EPSG:4265")
    layer.selectAll()
    before = aoi_of(layer, project).bbox
    context = QgsCoordinateTransformContext()
    assert context.addCoordinateOperation(
        monte_mario,
        wgs84,
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        "+step +proj=affine +xoff=0.001 +step +proj=unitconvert +xy_in=rad +xy_out=deg",
    )
    project.setTransformContext(context)
    after = aoi_of(layer, project).bbox
    assert after[0] != pytest.approx(before[0], abs=1e-4)
    assert after[0] == pytest.approx(15.28 + 0.0572958, abs=1e-5)


def test_long_edges_bend_with_the_projection(project):
    """A straight edge of 100 km in UTM lies off the straight line in longitude and latitude by many metres."""
    layer = layer_of(
        "POLYGON((400000 4100000,500000 4100000,500000 4200000,400000 4200000,400000 4100000))", crs="EPSG:32633"
    )
    layer.selectAll()
    aoi = aoi_of(layer, project)
    assert aoi.vertices > 8
    assert aoi.area_km2 == pytest.approx(ellipsoidal_km2(aoi.rings, project), rel=1e-4)


@pytest.mark.parametrize("latitude", [-78, -45, -10, 0, 37.84, 60, 80])
@pytest.mark.parametrize("km", [0.4, 3, 30])
def test_the_area_is_what_qgis_measures(project, latitude, km):
    """A seven-cornered polygon with a hole, from 0.1 to about 1,000 km²."""
    high = km / 111.0
    wide = high / math.cos(math.radians(latitude))

    def ring(size, corners):
        turns = [2 * math.pi * corner / corners for corner in (*range(corners), 0)]
        return ",".join(f"{15 + wide * size * math.cos(t)} {latitude + high * size * math.sin(t)}" for t in turns)

    layer = layer_of(f"POLYGON(({ring(0.6, 7)}),({ring(0.1, 5)}))")
    layer.selectAll()
    aoi = aoi_of(layer, project)
    assert aoi.holes == 1
    assert aoi.area_km2 == pytest.approx(ellipsoidal_km2(aoi.rings, project), rel=1e-4)


def test_the_footprint_of_a_real_image_comes_out_where_the_image_lies(project, landsat, tmp_path):
    """The extent of a Landsat image as a feature in the image's own CRS, turned back on to the image."""
    copy = tmp_path / landsat.name
    copy.write_bytes(landsat.read_bytes())
    image = QgsRasterLayer(str(copy), "landsat")
    assert image.crs().authid() == "EPSG:31985"
    extent = image.extent()
    layer = layer_of(extent.asWktPolygon(), crs="EPSG:31985", name="footprint")
    layer.selectAll()
    aoi = aoi_of(layer, project)
    back = QgsGeometry.fromPolygonXY([[QgsPointXY(x, y) for x, y in aoi.rings[0]]])
    back.transform(QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), image.crs(), project))
    box = back.boundingBox()
    pixel = image.rasterUnitsPerPixelX()
    assert (box.xMinimum(), box.yMinimum()) == pytest.approx((extent.xMinimum(), extent.yMinimum()), abs=pixel / 10)
    assert (box.xMaximum(), box.yMaximum()) == pytest.approx((extent.xMaximum(), extent.yMaximum()), abs=pixel / 10)
    assert aoi.area_km2 == pytest.approx(ellipsoidal_km2(aoi.rings, project), rel=1e-4)


def test_small_areas_get_no_extra_points(project):
    layer = layer_of(
        "POLYGON((500000 4100000,502000 4100000,502000 4102000,500000 4102000,500000 4100000))", crs="EPSG:32633"
    )
    layer.selectAll()
    assert aoi_of(layer, project).vertices == 4


@pytest.mark.parametrize(
    "wkt",
    [
        "POLYGON((500000 4100000,20000000 4100000,20000000 4200000,500000 4100000))",
        "POLYGON((500000 4100000,600000 4100000,600000 20000000,500000 4100000))",
        "POLYGON((1e9 1e9,2e9 1e9,2e9 2e9,1e9 1e9))",
    ],
)
def test_coordinates_outside_the_area_of_the_crs_are_refused(project, wkt):
    layer = layer_of(wkt, crs="EPSG:32633")
    layer.selectAll()
    with pytest.raises(AoiError) as caught:
        aoi_of(layer, project)
    assert caught.value.user_message == "Partly outside the area of EPSG:32633."


def test_the_180th_meridian_in_a_projected_crs_is_refused(project):
    layer = layer_of(
        "POLYGON((1900000 3800000,2250000 3800000,2250000 4000000,1900000 4000000,1900000 3800000))", crs="EPSG:3460"
    )
    layer.selectAll()
    with pytest.raises(AoiError) as caught:
        aoi_of(layer, project)
    assert caught.value.user_message == "Crosses the 180° meridian."


def test_a_web_mercator_map_drawn_past_180_degrees_is_turned_back(project):
    wide = 20037508.342789244
    layer = layer_of(
        f"POLYGON(({wide + 10000} 0,{wide + 30000} 0,{wide + 30000} 20000,{wide + 10000} 20000,{wide + 10000} 0))",
        crs="EPSG:3857",
    )
    layer.selectAll()
    west, _, east, _ = aoi_of(layer, project).bbox
    assert -180 < west < east < -179


def test_a_pole_in_the_area_is_refused(project):
    layer = layer_of("POLYGON((-1e5 -1e5,1e5 -1e5,1e5 1e5,-1e5 1e5,-1e5 -1e5))", crs="EPSG:3995")
    layer.selectAll()
    with pytest.raises(AoiError) as caught:
        aoi_of(layer, project)
    assert caught.value.code == codes.ANTIMERIDIAN


@pytest.mark.parametrize(
    ("kind", "wkt"),
    [
        ("CurvePolygon", "CURVEPOLYGON(CIRCULARSTRING(15 37,15.01 37.01,15.02 37,15.01 36.99,15 37))"),
        ("MultiPolygonZM", "MULTIPOLYGON ZM(((15 37 1 2,15.02 37 1 2,15.02 37.02 1 2,15 37.02 1 2,15 37 1 2)))"),
        (
            "MultiSurface",
            "MULTISURFACE(CURVEPOLYGON(COMPOUNDCURVE(CIRCULARSTRING(15 37,15.01 37.01,15.02 37),(15.02 37,15 37))))",
        ),
    ],
)
def test_curves_and_heights(project, kind, wkt):
    layer = layer_of(wkt, kind=kind)
    layer.selectAll()
    aoi = aoi_of(layer, project)
    assert aoi.holes == 0
    assert all(len(point) == 2 for point in aoi.rings[0])
    assert aoi.bbox[0] == 15.0


def test_holes_are_kept(project):
    layer = layer_of(
        "POLYGON((15 37,15.1 37,15.1 37.1,15 37.1,15 37),(15.02 37.02,15.02 37.04,15.04 37.04,15.04 37.02,15.02 37.02))"
    )
    layer.selectAll()
    assert aoi_of(layer, project).holes == 1


def test_a_layer_from_a_file(project, tracker, tmp_path):
    path = tmp_path / "area.geojson"
    path.write_text(
        '{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":'
        "[[[15,37],[15.02,37],[15.02,37.02],[15,37.02],[15,37]]]}}"
    )
    layer = added(project, QgsVectorLayer(str(path), "area", "ogr"))
    layer.selectAll()
    assert tracker.refresh().aoi.bbox == (15.0, 37.0, 15.02, 37.02)
