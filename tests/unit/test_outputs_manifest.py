"""The manifest: what data.json says, also where it says it oddly."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from tests.raster_samples import data_json, feature
from up42_plugin.core.imagery.scene_facts import acquired_span, cloud_cover, flattened, scene_id, synthetic_note
from up42_plugin.core.manifest import read_manifest
from up42_plugin.core.output_errors import ManifestError
from up42_plugin.core.unpack import RECEIPT

CONTAINER = "/tmp/output"  # noqa: S108 - as blocks write it, never opened


def utc(*numbers):
    return datetime(*numbers, tzinfo=timezone.utc)


def item_of(folder, **properties):
    return read_manifest(data_json(folder, {"type": "Feature", "properties": properties})).items[0]


def test_an_item_knows_its_file_scene_time_and_clouds(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"")
    described = feature(
        "a.tif", "f1", acquisitionDate="2021-09-18T09:50:31.123Z", cloudCover=4.5, parentIdentifier="DS1"
    )
    item = read_manifest(data_json(tmp_path, described)).items[0]
    assert (item.feature_id, item.scene_id, item.cloud_cover) == ("f1", "DS1", 4.5)
    assert item.path == tmp_path / "a.tif"
    assert item.acquired == item.acquired_until == utc(2021, 9, 18, 9, 50, 31, 123000)
    assert item.bbox == (15.2, 37.8, 15.3, 37.9)
    assert item.geometry["type"] == "Polygon"
    assert not item.problem


def test_a_data_path_may_be_a_folder(tmp_path):
    (tmp_path / "uuid").mkdir()
    assert item_of(tmp_path, **{"up42.data_path": "uuid"}).path == tmp_path / "uuid"


@pytest.mark.parametrize(
    "properties",
    [
        {"up42.data_path": f"{CONTAINER}/scene/a.tif"},
        {"up42.data_path": "output/scene/a.tif"},
        {"up42.data_path": "./scene//a.tif"},
        {"up42.data.aoiclipped": "scene/a.tif"},
        {"up42.data.scene.dimap": "scene/a.tif"},
        {"custom.thing": "scene/a.tif"},
    ],
)
def test_older_and_odd_data_paths_are_understood(tmp_path, properties):
    (tmp_path / "scene").mkdir()
    (tmp_path / "scene" / "a.tif").write_bytes(b"")
    assert item_of(tmp_path, **properties).path == tmp_path / "scene" / "a.tif"


def test_a_renamed_file_is_found_by_its_name_in_data_json(tmp_path):
    (tmp_path / "building=__14_36.geojson").write_text("{}")
    (tmp_path / RECEIPT).write_text(json.dumps({"renamed": {"building=*_14:36.geojson": "building=__14_36.geojson"}}))
    assert item_of(tmp_path, **{"up42.data_path": "building=*_14:36.geojson"}).path.name == "building=__14_36.geojson"


@pytest.mark.parametrize("path", ["missing.tif", "a/../missing.tif", f"{'long' * 2000}.tif"])
def test_a_file_that_is_not_there_is_reported(tmp_path, path):
    manifest = read_manifest(data_json(tmp_path, feature(path)))
    assert manifest.items[0].path is None
    assert path in manifest.problems[0]


@pytest.mark.parametrize(
    "path", ["../outside.tif", "/etc/passwd", f"{CONTAINER}/../outside.tif", "a/../../outside.tif"]
)
def test_a_data_path_cannot_leave_the_output(tmp_path, path):
    (tmp_path / "outside.tif").write_bytes(b"")
    manifest = read_manifest(data_json(tmp_path / "output", feature(path)))
    assert manifest.items[0].path is None
    assert "outside the output" in manifest.problems[0]


@pytest.mark.parametrize("path", ["output/..\\outside.tif", "..\\outside.tif"])
def test_a_data_path_cannot_leave_the_output_by_what_windows_takes_for_a_slash(tmp_path, path):
    (tmp_path / "..\\outside.tif").write_bytes(b"")  # a plain name on other systems
    assert read_manifest(data_json(tmp_path, feature(path))).items[0].path is None


def test_a_test_query_points_to_nothing_and_that_is_fine(tmp_path):
    manifest = read_manifest(data_json(tmp_path, feature(None, "f1")))
    assert (manifest.items[0].path, manifest.problems) == (None, ())


def test_an_empty_collection_is_fine(tmp_path):
    assert read_manifest(data_json(tmp_path)).items == ()


def test_usage_is_kept_and_a_broken_one_ignored(tmp_path):
    data_json(tmp_path)
    (tmp_path / "usage.json").write_text('{"credits": 3}')
    assert read_manifest(tmp_path).usage == {"credits": 3}
    (tmp_path / "usage.json").write_text("{")
    assert read_manifest(tmp_path).usage is None


def test_an_output_without_description_is_its_folder(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"")
    manifest = read_manifest(tmp_path)
    assert [item.path for item in manifest.items] == [tmp_path]
    assert manifest.problems == ("data.json is missing.",)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"features": {}}', '{"features": [1]}', "\xff", "[" * 100_000])
def test_a_broken_description_is_an_error_of_its_own(tmp_path, text):
    (tmp_path / "data.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "odd",
    [
        {"properties": None},
        {"properties": [], "bbox": "x", "geometry": 3},
        {"bbox": [1, 2, None, 4]},
        {"bbox": [1, 2, float("inf"), 4]},
        {},
    ],
)
def test_odd_members_of_a_feature_are_passed_over(tmp_path, odd):
    (tmp_path / "data.json").write_text(json.dumps({"features": [odd]}))
    item = read_manifest(tmp_path).items[0]
    assert (item.path, item.bbox, item.geometry) == (None, None, None)


def test_a_box_with_heights_is_read(tmp_path):
    item = read_manifest(data_json(tmp_path, {"properties": {}, "bbox": [1, 2, 0, 3, 4, 900]})).items[0]
    assert item.bbox == (1.0, 2.0, 3.0, 4.0)


def test_synthetic_images_say_so_with_their_note(tmp_path):
    manifest = read_manifest(
        data_json(tmp_path, feature(None, "a", synthetic=True, note="Made up."), feature(None, "b"))
    )
    assert [item.synthetic for item in manifest.items] == [True, False]
    assert manifest.items[0].synthetic_note == manifest.synthetic_note == "Made up."


def test_a_synthetic_collection_makes_its_items_synthetic(tmp_path):
    manifest = read_manifest(data_json(tmp_path, feature(None, "a"), **{"up42:synthetic": "All made up."}))
    assert manifest.items[0].synthetic_note == "All made up."


@pytest.mark.parametrize("value", [False, None, 0, ""])
def test_not_synthetic_is_not_synthetic(value):
    assert synthetic_note({"synthetic": value, "note": "real"}) is None


@pytest.mark.parametrize(
    ("properties", "moment"),
    [
        ({"datetime": "2021-09-18T09:50:31Z"}, utc(2021, 9, 18, 9, 50, 31)),
        ({"datetime": "2021-09-18T11:50:31+02:00"}, utc(2021, 9, 18, 9, 50, 31)),
        ({"datetime": "2021-09-18 09:50"}, utc(2021, 9, 18, 9, 50)),
        ({"datetime": "20210918T095031"}, utc(2021, 9, 18, 9, 50, 31)),
        ({"timeStamp": 1631958631000}, utc(2021, 9, 18, 9, 50, 31)),
        ({"acquisition": {"beginViewingDate": 1631958631000}}, utc(2021, 9, 18, 9, 50, 31)),
        ({"acquisition.beginViewingDate": "2021-09-18T09:50:31.000Z"}, utc(2021, 9, 18, 9, 50, 31)),
        ({"datetime": "soon", "date": "2021-09-18T00:00:00Z"}, utc(2021, 9, 18)),
    ],
)
def test_times_of_every_provider_are_read(properties, moment):
    assert acquired_span(properties) == (moment, moment)


def test_a_day_is_a_day_long():
    start, end = acquired_span({"acquisitionDate": "2021-09-18"})
    assert (start, end - start) == (utc(2021, 9, 18), timedelta(days=1) - timedelta(microseconds=1))
    assert acquired_span({"acquisitionDate": "9999-12-31"}), "as some write that there is no end"


@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("S2A_MSIL2A_20200615T095031_N0214_R079_T33SWB_20200615T123456", utc(2020, 6, 15, 9, 50, 31)),
        ("S2B_33SWB_20210918_0_L2A", utc(2021, 9, 18)),
        ("S5P_abc_2021-09-18.tif", utc(2021, 9, 18)),
        ("no_date_20219918_here", None),
        ("12345678901234", None),
    ],
)
def test_a_date_in_a_name_is_the_last_resort(name, moment):
    span = acquired_span({}, name)
    assert (span[0] if span else None) == moment


@pytest.mark.parametrize(
    "value",
    [True, [], {}, "x", 1e300, float("nan"), "9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "2021-02-30"],
)
def test_what_is_no_time_is_no_time(value):
    assert acquired_span({"datetime": value}) is None


@pytest.mark.parametrize(
    ("properties", "percent"),
    [
        ({"cloudCover": 12}, 12.0),
        ({"eo:cloud_cover": 0}, 0.0),
        ({"cloudcoverpercentage": "3.5"}, 3.5),
        ({"contentDescription": {"cloudCoverPercentage": 7}}, 7.0),
        ({"cloudCover": True}, None),
        ({"cloudCover": "none"}, None),
        ({}, None),
    ],
)
def test_clouds_of_every_provider_are_read(properties, percent):
    assert cloud_cover(properties) == percent


def test_the_scene_id_is_the_one_that_can_be_asked_for():
    assert scene_id({"sourceIdentifier": "s", "parentIdentifier": "p"}, "f") == "p"
    assert scene_id({"identification": {"externalId": "e"}}, "f") == "e"
    assert scene_id({"identifier": 5}, "f") == "f"


def test_nested_properties_become_columns():
    assert flattened({"a": {"b": {"c": 1}}, "d": [1, "ü"]}) == {"a.b.c": 1, "d": '[1, "ü"]'}
