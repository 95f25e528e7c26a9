"""How vectors are looked at: by what their attributes hold, read from real files."""

from __future__ import annotations

import json

import pytest

from tests.raster_samples import output_of
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.imagery.vector_facts import VectorFacts, read_vector_facts
from up42_plugin.core.layer_plan import VectorLook
from up42_plugin.core.outputs import prepare_output

SHAPES = {
    "point": {"type": "Point", "coordinates": [15, 37]},
    "line": {"type": "LineString", "coordinates": [[15, 37], [16, 38]]},
    "polygon": {"type": "Polygon", "coordinates": [[[15, 37], [16, 37], [16, 38], [15, 37]]]},
}


def geojson(folder, name, rows, shape="polygon"):
    folder.mkdir(parents=True, exist_ok=True)
    features = [{"type": "Feature", "properties": row, "geometry": SHAPES[shape]} for row in rows]
    (folder / name).write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return name


def styles_of(folder, rows, *, block="", name="a.geojson", shape="polygon"):
    (plan,) = prepare_output(output_of(folder, geojson(folder, name, rows, shape)), ThreadContext(), block_name=block)
    assert not plan.problem
    return {plan.style_name: plan.style, **{other.name: other.style for other in plan.other_styles}}


def test_facts_are_those_of_the_features_that_the_layer_shows(tmp_path):
    features = [
        {"type": "Feature", "properties": {"n": 1, "kind": "ship"}, "geometry": SHAPES["point"]},
        {"type": "Feature", "properties": {"n": 5, "kind": "ship"}, "geometry": SHAPES["point"]},
        {"type": "Feature", "properties": {"n": 99, "kind": None}, "geometry": SHAPES["polygon"]},
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    number, kind = read_vector_facts(f"{path}|geometrytype=Point").fields
    assert (number.name, number.kind, number.quantiles[0], number.quantiles[-1]) == ("n", "integer", 1, 5)
    assert (kind.values, kind.everywhere) == (("ship",), True)
    everything = read_vector_facts(str(path)).fields
    assert (everything[0].quantiles[-1], everything[1].everywhere) == (99, False)


def test_what_cannot_be_read_has_no_attributes(tmp_path):
    assert read_vector_facts(str(tmp_path / "gone.geojson")) == VectorFacts("")


def test_many_different_values_are_no_classes(tmp_path):
    name = geojson(tmp_path, "a.geojson", [{"class": f"c{number}"} for number in range(100)])
    (field,) = read_vector_facts(str(tmp_path / name)).fields
    assert field.values == ()
    assert list(styles_of(tmp_path, [{"class": f"c{number}"} for number in range(100)])) == ["Plain"]


@pytest.mark.parametrize("shape", ["point", "line", "polygon"])
def test_detections_are_shown_by_their_confidence(tmp_path, shape):
    rows = [{"confidence": 0.1 * number, "class": ("cargo", "tanker")[number % 2]} for number in range(11)]
    styles = styles_of(tmp_path, rows, block="ship-detection", shape=shape)
    assert list(styles) == ["By Confidence", "By Class", "Plain"]
    look = styles["By Confidence"]
    assert (look.look, look.field, look.limits) == (f"confidence_{shape}", "confidence", (0, 0.2, 0.4, 0.6, 0.8, 1))
    assert [entry.label for entry in styles["By Class"].classes] == ["Cargo", "Tanker"]


def test_confidence_from_a_half_or_in_percent_has_steps_that_tell_apart(tmp_path):
    sure = styles_of(tmp_path / "sure", [{"score": 0.55}, {"score": 0.97}])["By Confidence"]
    assert sure.limits == (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
    percent = styles_of(tmp_path / "percent", [{"score": 5}, {"score": 97}])["By Confidence"]
    assert percent.limits == (0, 20, 40, 60, 80, 100)


def test_zonal_statistics_are_shown_by_the_mean_of_the_first_band(tmp_path):
    rows = [
        {"zone_id": n, "1_mean": n * 1.5, "1_count": 100, "2_mean": -n, "1_std": n / 2, "2_max": n} for n in range(20)
    ]
    styles = styles_of(tmp_path, rows, block="zonal-statistics")
    assert list(styles) == [
        "By Mean of Band 1",
        "By Mean of Band 2",
        "By Maximum of Band 2",
        "By Standard Deviation of Band 1",
        "Plain",
    ], "a count that is the same everywhere says nothing"
    look = styles["By Mean of Band 1"]
    assert (look.look, look.field) == ("counts_polygon", "1_mean")
    assert (len(look.limits), look.limits[0], look.limits[-1]) == (6, 0, 28.5)
    assert list(look.limits) == sorted(look.limits)


def test_counts_have_steps(tmp_path):
    styles = styles_of(tmp_path, [{"object_count": number} for number in range(30)], shape="point")
    assert list(styles) == ["By Count", "Plain"]
    assert styles["By Count"].look == "counts_point"


def test_values_that_repeat_get_equal_steps(tmp_path):
    rows = [{"object_count": 0}] * 90 + [{"object_count": number} for number in range(1, 11)]
    limits = styles_of(tmp_path, rows)["By Count"].limits
    assert len(limits) >= 2
    assert (limits[0], limits[-1]) == (0, 10)


def test_vectorised_classes_keep_their_colour_whichever_occur(tmp_path):
    first = styles_of(tmp_path / "a", [{"DN": 1}, {"DN": 3}], block="vectorising")
    second = styles_of(tmp_path / "b", [{"DN": 3}, {"DN": 4}], block="vectorising")
    assert list(first) == ["By Class", "Plain"]
    assert [entry.label for entry in first["By Class"].classes] == ["Class 1", "Class 3"]
    assert first["By Class"].classes[1].colour == second["By Class"].classes[0].colour


def test_features_without_a_class_are_grey_not_hidden(tmp_path):
    classes = styles_of(tmp_path, [{"class": "a"}, {"class": None}])["By Class"].classes
    assert [(entry.value, entry.label) for entry in classes] == [("a", "A"), (None, "Other")]


@pytest.mark.parametrize(
    ("name", "rows", "names", "look"),
    [
        ("building=-_2020.geojson", ("yes", "house"), ["Buildings", "By Kind", "Plain"], "buildings_polygon"),
        ("highway=-_2020.geojson", ("primary", "path"), ["Roads", "By Kind", "Plain"], "roads_line"),
        ("landuse=forest_2020.geojson", ("forest", "forest"), ["Plain"], "plain_polygon"),
        ("natural=-_2020.geojson", ("peak", "tree"), ["By Kind", "Plain"], "classes_point"),
    ],
)
def test_extracts_of_openstreetmap_are_shown_by_kind(tmp_path, name, rows, names, look):
    key, shape = name.partition("=")[0], look.rpartition("_")[2]
    made = styles_of(tmp_path, [{key: row, "name": "x"} for row in rows], block="openstreetmap", name=name, shape=shape)
    assert list(made) == names
    assert made[names[0]].look == look


def test_other_vectors_are_plain(tmp_path):
    assert styles_of(tmp_path, [{"mmsi": 1}], block="ais-hvp", shape="point") == {"Plain": VectorLook("plain_point")}
    assert styles_of(tmp_path, [{"id": 1}], block="ship-detection") == {"Plain": VectorLook("detections_polygon")}
