"""Map objects of the made-up Earth, in files with names that some systems cannot hold."""

from __future__ import annotations

import json
import math
import tarfile

import numpy as np
import pytest
from derived_kit import made_archive, same_files
from osgeo import gdal, ogr
from runner_kit import Workbench

from up42_plugin.sandbox.awkward_names import on_disk, true_name
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.workspace import Workspace
from up42_plugin.sandbox.world import roads, view
from up42_plugin.sandbox.world.boxes import smallest_rectangle

TOWN = [15.288, 37.847, 15.2915, 37.8495]
COAST = [15.286, 37.842, 15.302, 37.854]
THEN = "2019-01-01T00:00:00Z/2020-08-31T14:36:02Z"
STAMP = "2020-08-31T14_36_02Z"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("map"), made_archive())


def extract(bench, bbox, *tags, **more):
    return bench.run(registry.OPENSTREETMAP, {"bbox": bbox, "time": THEN, "osm_tags": list(tags), **more})


def features_of(ran, tag):
    (path,) = [f["properties"]["up42.data_path"] for f in ran.features if f["properties"]["osm_tag"] == tag]
    assert path.split("/")[1] == f"{tag}_{STAMP}.geojson"
    return json.loads((ran.output / on_disk(path)).read_text(encoding="utf-8"))["features"]


def middle(feature):
    ring = feature["geometry"]["coordinates"][0][:-1]
    return tuple(sum(part) / len(ring) for part in zip(*ring))


@pytest.fixture(scope="module")
def houses(bench):
    return extract(bench, TOWN, "building=*")


def test_houses_stand_on_roofs(houses):
    ran = houses
    found = features_of(ran, "building=*")
    polygons = [feature for feature in found if feature["geometry"]["type"] == "Polygon"]
    assert len(polygons) > 50
    assert {feature["geometry"]["type"] for feature in found} <= {"Polygon", "Point"}
    lon, lat = np.array([middle(feature) for feature in polygons]).T
    assert (view.roofs(lon, lat, 1.5) > 0).mean() > 0.9
    assert all(feature["properties"]["building"] for feature in found)
    assert len({feature["id"] for feature in found}) == len(found)
    assert ran.features[0]["properties"]["osm_timestamp"] == "2020-08-31T14:36:02Z"
    assert ran.features[0]["properties"]["synthetic"] is True


def test_houses_of_a_part_are_those_of_the_whole(bench, houses):
    west, south, east, north = TOWN
    whole = features_of(houses, "building=*")
    part = features_of(extract(bench, [west, south, (west + east) / 2, north], "building=*"), "building=*")
    rings = {json.dumps(feature["geometry"]) for feature in whole}
    assert 0 < len(part) < len(whole)
    assert all(json.dumps(feature["geometry"]) in rings for feature in part)


def test_roads_run_where_the_ground_shows_them(bench):
    found = features_of(extract(bench, COAST, "highway=*"), "highway=*")
    kinds = {feature["geometry"]["type"] for feature in found}
    assert kinds == {"LineString", "Point", "Polygon"}
    lines = [feature for feature in found if feature["geometry"]["type"] == "LineString"]
    points = np.array([point for feature in lines for point in feature["geometry"]["coordinates"]])
    cover = view.land_cover(points[:, 0], points[:, 1], 4.0)
    assert (cover == view.ROAD).mean() > 0.8
    assert not (cover == view.SEA).any()
    off = view.land_cover(points[:, 0] + 6e-4, points[:, 1] + 4e-4, 4.0)
    assert (off == view.ROAD).mean() < 0.4


def test_land_and_shore_agree_with_the_ground(bench):
    ran = extract(bench, COAST, "natural=*", "landuse=orchard", "place=*")
    natural = features_of(ran, "natural=*")
    assert {feature["geometry"]["type"] for feature in natural} >= {"Polygon", "LineString"}
    shore = [f["geometry"]["coordinates"] for f in natural if f["properties"]["natural"] == "coastline"]
    points = np.array([point for line in shore for point in line])
    assert np.abs(view.elevation(points[:, 0], points[:, 1], 5.0)).mean() < 2.5
    orchards = features_of(ran, "landuse=orchard")
    assert {feature["properties"]["landuse"] for feature in orchards} == {"orchard"}
    inside = [ogr.CreateGeometryFromJson(json.dumps(f["geometry"])).PointOnSurface() for f in orchards]
    lon, lat = np.array([(point.GetX(), point.GetY()) for point in inside]).T
    assert (view.land_cover(lon, lat, 5.0, roads=False) == view.ORCHARD).mean() > 0.85
    places = features_of(ran, "place=*")
    assert any(abs(f["geometry"]["coordinates"][0] - 15.2905) < 0.002 for f in places)
    assert all(f["properties"]["name"] for f in places)


def test_two_extracts_are_equal_and_every_file_opens(bench):
    tags = ("highway=*", "landuse=*", "shop=bakery")
    one, other = (extract(bench, TOWN, *tags) for _ in range(2))
    assert same_files(one, other)
    for feature in one.features:
        path = one.output / on_disk(feature["properties"]["up42.data_path"])
        dataset = gdal.OpenEx(str(path), gdal.OF_VECTOR)
        assert dataset is not None
        count = dataset.GetLayer(0).GetFeatureCount()
        assert (count == 0) == (feature["properties"]["osm_tag"] == "shop=bakery")


def test_only_the_end_of_a_time_counts(bench):
    series = ["2019-01-01T00:00:00Z/2020-01-01T00:00:00Z", "2018-01-01T00:00:00Z/2020-01-01T00:00:00Z"]
    again = extract(bench, TOWN, "place=*", time_series=[*series, "2018-01-01T00:00:00Z/2019-06-01T12:00:00Z"])
    names = [f["properties"]["up42.data_path"].split("/")[1] for f in again.features]
    assert names == ["place=*_2020-01-01T00_00_00Z.geojson", "place=*_2019-06-01T12_00_00Z.geojson"]
    future = extract(bench, TOWN, "place=*", time="2020-01-01T00:00:00Z/2999-01-01T00:00:00Z")
    assert "2999" not in future.features[0]["properties"]["up42.data_path"]


@pytest.mark.parametrize("tags", [["building"], ["=yes"], ["building=*", 3], ["a=b=c*"], ["ref=" + 300 * "A"]])
def test_what_is_no_tag_is_refused(bench, tags):
    with pytest.raises(RunnerError, match="osm_tags") as caught:
        bench.run(registry.OPENSTREETMAP, {"bbox": TOWN, "osm_tags": tags})
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def test_a_tag_stays_in_its_folder(bench):
    ran = extract(bench, TOWN, "ref=../../../A1/E25")
    (feature,) = ran.features
    assert feature["properties"]["osm_tag"] == "ref=../../../A1/E25"
    assert "/ref=.._.._.._A1_E25_" in feature["properties"]["up42.data_path"]
    assert len(ran.files) == 2


def test_objects_can_be_counted_behind_it(bench):
    ran = bench.after(extract(bench, TOWN, "highway=*", "place=*"), registry.COUNT_OBJECTS)
    text = (ran.output / "count_objects.json").read_text()
    assert text.count("Counter(") == 2
    assert "'LineString':" in text


def test_names_no_windows_holds_are_true_in_the_archive_alone(tmp_path):
    name = 'building=*_<a>:"|?.geojson'
    assert not set(on_disk(name)) & set('<>:"|?*\\')
    assert true_name(on_disk(name)) == name
    files = Workspace(tmp_path).task("job", "task")
    files.prepare()
    (files.output / "u").mkdir()
    (files.output / "u" / on_disk(name)).write_text("{}")
    (files.output / "data.json").write_text('{"features": []}')
    files.pack()
    with tarfile.open(files.archive().path) as archive:
        assert sorted(archive.getnames()) == ["output", "output/data.json", "output/u", f"output/u/{name}"]


def test_the_smallest_rectangle_finds_a_turned_box():
    turn = math.radians(33)
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    points = np.random.default_rng(3).uniform((-10, -4), (10, 4), (400, 2))
    corners = np.array([(-10, -4), (10, -4), (10, 4), (-10, 4)])
    box, area = smallest_rectangle(np.vstack([points, corners]) @ matrix.T)
    assert area == pytest.approx(160, rel=1e-4)
    assert sorted(map(tuple, (box @ matrix).round(2).tolist())) == sorted(map(tuple, corners.astype(float).tolist()))


def test_roads_of_a_box_are_part_of_those_of_a_larger_one():
    small, large = (15.286, 37.846, 15.294, 37.851), (15.27, 37.84, 15.31, 37.86)
    starts = np.array([road.line[0] for road in roads.roads(large)])
    found = roads.roads(small)
    assert found
    for road in found:
        assert np.abs(starts - road.line[0]).max(axis=1).min() < 1e-5
