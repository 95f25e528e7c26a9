"""Ships on the made-up sea: drawn in fine images, found in them, and telling of themselves by AIS."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pytest
from derived_kit import document, image_left, layer_of, made_archive, same_files, vectors
from osgeo import gdal, ogr
from runner_kit import Ran, Workbench

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.archive import Grid, SceneQuery
from up42_plugin.sandbox.geodesy import WEB_MERCATOR, WGS84, transform
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError, Usage
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.world import view
from up42_plugin.sandbox.world.ships import Ship, ships

BOX = (15.300, 37.842, 15.316, 37.854)
SEA = geometry.polygon_of(BOX)
DAY = dt.date(2021, 6, 20)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("ships"), made_archive())


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """An 8-bit image of the sea at 1.5 m with the scene's date, and the scene."""
    folder = tmp_path_factory.mktemp("picture")
    archive = made_archive()
    (scene,) = archive.search(SceneQuery("spot", SEA, "contains", limit=1, max_cloud_cover=1))
    (left, bottom), (right, top) = transform([BOX[:2], BOX[2:]], WGS84, WEB_MERCATOR)
    grid = Grid(WEB_MERCATOR, left, top, 1.5, int((right - left) / 1.5), int((top - bottom) / 1.5))
    seen = archive.read(scene, ("B04", "B03", "B02"), grid)
    colours = (gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand)
    spec = TiffSpec(grid.width, grid.height, tuple(BandSpec("", colour) for colour in colours), "uint8", grid=grid)
    image_left(folder, np.ones((1, 2, 2), np.uint8), properties={"acquisitionDate": scene.acquired.isoformat()})
    with TiffWriter(folder / "image.tif", spec) as writer:
        for number, values in enumerate(seen, 1):
            writer.write(number, np.clip(1 + 254 * np.sqrt(values / 0.42), 1, 255).astype(np.uint8))
    return Ran(folder, folder, [], Usage()), scene


def test_ships_float_and_stay_where_they_are():
    wide = (15.28, 37.80, 15.36, 37.86)
    found = ships(wide, DAY, view.SEED)
    assert len(found) > 20
    corners = np.array([corner for ship in found for corner in ship.outline])
    assert (view.elevation(corners[:, 0], corners[:, 1], 5.0) < 0).all()
    part = ships((15.30, 37.82, 15.33, 37.85), DAY, view.SEED)
    assert part == [ship for ship in found if 15.30 <= ship.lon < 15.33 and 37.82 <= ship.lat < 37.85]
    assert ships(wide, DAY + dt.timedelta(days=1), view.SEED) != found


def test_outlines_have_the_ships_size():
    ship = Ship(1, 15.31, 37.85, 100.0, 20.0, 30.0, 0.0, 0.5)
    outline = {"type": "Polygon", "coordinates": [[list(corner) for corner in ship.outline]]}
    assert geometry.area_km2(outline) * 1e6 == pytest.approx(2000, rel=0.01)
    ahead, starboard = ship.local(*np.array([ship.at(40.0, -7.0)]).T)
    assert (ahead[0], starboard[0]) == (pytest.approx(40.0), pytest.approx(-7.0))


def test_what_is_found_is_what_floats_there(bench, picture):
    before, scene = picture
    one, other = (bench.after(before, registry.SHIP_DETECTION) for _ in range(2))
    assert same_files(one, other)
    assert one.files == ["data.json", "image.geojson"]
    found = vectors(one)
    truth = ships(BOX, scene.acquired.date(), view.SEED)
    assert 0 < len(found) <= len(truth)
    assert len(found) >= 0.8 * len(truth)
    assert all(0.5 <= feature["properties"]["confidence"] < 1 for feature in found)
    layer = layer_of(one.output / "image.geojson")
    assert layer.GetSpatialRef().GetAuthorityCode(None) == "4326"
    assert layer.GetGeomType() == ogr.wkbPolygon
    raster = gdal.Open(str(before.output / "image.tif"))
    picture_values = raster.ReadAsArray().mean(axis=0)
    inverse = gdal.InvGeoTransform(raster.GetGeoTransform())
    for feature in found:
        ring = feature["geometry"]["coordinates"][0][:-1]
        lon, lat = (sum(part) / 4 for part in zip(*ring))
        ((x, y),) = transform([(lon, lat)], WGS84, WEB_MERCATOR)
        column, row = (int(value) for value in gdal.ApplyGeoTransform(inverse, x, y))
        assert picture_values[row, column] > np.median(picture_values) + 12


def test_nothing_is_found_under_clouds_or_where_there_is_no_date(bench, picture, tmp_path):
    before, scene = picture
    white = tmp_path / "white"
    image_left(white, np.ones((1, 2, 2), np.uint8), properties={"acquisitionDate": scene.acquired.isoformat()})
    gdal.GetDriverByName("GTiff").CreateCopy(str(white / "image.tif"), gdal.Open(str(before.output / "image.tif")))
    raster = gdal.Open(str(white / "image.tif"), gdal.GA_Update)
    raster.WriteArray(np.full((3, raster.RasterYSize, raster.RasterXSize), 240, np.uint8))
    del raster
    ran = bench.after(Ran(white, white, [], Usage()), registry.SHIP_DETECTION)
    assert vectors(ran) == []
    assert len(ran.features) == 1
    with pytest.raises(RunnerError, match="when it was taken"):
        bench.after(image_left(tmp_path / "undated", np.ones((3, 9, 9), np.uint8)), registry.SHIP_DETECTION)
    with pytest.raises(RunnerError, match="no 8-bit image") as caught:
        bench.after(image_left(tmp_path / "deep", np.ones((3, 9, 9), np.uint16)), registry.SHIP_DETECTION)
    assert caught.value.code == "WRONG_INPUT_ERROR"


def test_large_ships_are_identified(bench, picture):
    before, _ = picture
    detected = bench.after(before, registry.SHIP_DETECTION)
    ran = bench.after(detected, registry.SHIP_IDENTIFICATION)
    assert ran.files == ["data.json", "ship-identifications.geojson"]
    found = document(ran, "ship-identifications.geojson")["features"]
    assert len(found) == len(vectors(detected))
    for feature in found:
        properties = feature["properties"]
        assert properties["identified"] == (properties["length_m"] >= 24)
        if properties["identified"]:
            assert abs(properties["length"] - properties["length_m"]) < 1
            assert properties["mmsi"] > 247_000_000
    counted = bench.after(detected, registry.COUNT_OBJECTS)
    assert f"'Polygon': {len(found)}" in (counted.output / "count_objects.json").read_text()
    with pytest.raises(RunnerError, match="minutes"):
        bench.after(detected, registry.SHIP_IDENTIFICATION, {"minutes": 721})


def test_positions_are_at_sea_within_the_time(bench):
    time = "2021-06-20T06:00:00Z/2021-06-20T12:00:00Z"
    ran = bench.run(registry.AIS_HVP, {"intersects": SEA, "time": time})
    assert ran.files == ["ais-points.geojson", "data.json"]
    found = document(ran, "ais-points.geojson")["features"]
    assert len(found) > 20
    assert {feature["geometry"]["type"] for feature in found} == {"Point"}
    lon, lat = np.array([feature["geometry"]["coordinates"] for feature in found]).T
    assert (view.elevation(lon, lat, 20.0) < 0).all()
    stamps = [feature["properties"]["timestamp"] for feature in found]
    assert "2021-06-20T06:00:00Z" <= min(stamps) <= max(stamps) <= "2021-06-20T12:00:00Z"
    with pytest.raises(RunnerError, match="24 hours"):
        bench.run(registry.AIS_HVP, {"intersects": SEA})


def test_ships_are_drawn_in_fine_images_alone():
    archive = made_archive()
    (scene,) = archive.search(SceneQuery("spot", SEA, "contains", limit=1, max_cloud_cover=1))
    largest = max(ships(BOX, scene.acquired.date(), view.SEED), key=lambda ship: ship.length)
    for pixel, drawn in ((1.5, True), (10.0, False)):
        degrees = pixel / 111_320
        side = int(240 / pixel)
        grid = Grid(WGS84, largest.lon - side / 2 * degrees, largest.lat + side / 2 * degrees, degrees, side, side)
        (seen,) = archive.read(scene, ["B04"], grid)
        lon = grid.left + (np.arange(side) + 0.5) * degrees
        lat = grid.top - (np.arange(side) + 0.5) * degrees
        lons, lats = np.meshgrid(lon, lat)
        (bare,) = view.render(lons, lats, scene.acquired.date(), ["B04"], resolution=pixel)
        assert (np.abs(seen - bare).max() > 0.05) == drawn, json.dumps({"pixel": pixel})
