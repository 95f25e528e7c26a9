"""The form of a job and its JSON: both ways, nothing lost, and where each thing stands."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.generated_forms import BLOCKS, BOX, OTHER, TIME, chain_of, nth_form
from tests.job_samples import STORED, TERRASAR, workflow_of
from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.core.job_form import FROM_JSON, JobForm, line_of, note_of, only_in_json, read
from up42_plugin.core.jobs import Mode
from up42_plugin.core.json_text import JsonTextError
from up42_plugin.core.parameter_choices import choices_of
from up42_plugin.core.parameter_texts import text_of, value_of
from up42_plugin.core.parameter_values import complaint
from up42_plugin.core.parameters import ParameterSchema, ParameterSpec, ParameterType
from up42_plugin.core.service import Limits
from up42_plugin.core.validation import Problem, validate
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, BlockType


def test_form_to_json_to_form_is_the_identity_over_every_block():
    dice = random.Random(20211)  # noqa: S311 - the same cases every time
    seen = set()
    for number in range(1000):
        form = nth_form(dice, number)
        seen.update(step.block.name for step in form.workflow.steps)
        data = form.workflow.data_step.block
        aoi = dice.choice([BOX, OTHER, None])
        again = form.with_body(read(form.text(aoi)).value, aoi)
        assert repr(again.body(aoi)) == repr(form.body(aoi))
        assert again.parameters == form.parameters
        assert again.configuration(aoi).fingerprint == form.configuration(aoi).fingerprint
        if form.geometric_filter.value in data.parameters and aoi is not None:
            assert again.geometries is None, "an area of the map is still the map's"
    assert seen == {block.name for block in BLOCKS}


def test_untouched_defaults_are_those_of_the_vendors_client():
    for block in BLOCKS:
        if block.type is not BlockType.DATA:
            continue
        expected = {
            name: raw.get("default")
            for name, raw in block.parameters.items()
            if ("default" in raw or raw.get("required") is True) and name not in GEOMETRY_PARAMETERS
        }
        assert JobForm.defaults(chain_of(block)).parameters == {f"{block.name}:1": expected}


@pytest.fixture
def form() -> JobForm:
    named = {block.name: block for block in BLOCKS}
    made = JobForm.defaults(chain_of(named["aws-s2-l2a"], named["s2-superresolution"]), GeometricFilter.CONTAINS)
    return made.with_values("s2-superresolution:2", {"clip_to_aoi": True})


def typed(form: JobForm, aoi: Any, change) -> JobForm:
    body = form.body(aoi)
    change(body)
    return form.with_body(read(json.dumps(body)).value, aoi)


def test_a_changed_geometry_becomes_the_area_and_is_used_as_it_is(form):
    def change(body):
        for task in body:
            body[task]["contains"] = OTHER.geojson()

    again = typed(form, BOX, change)
    assert again.geometries is not None
    assert again.typed_area().area_km2 == pytest.approx(OTHER.area_km2)
    configuration = again.configuration(BOX)
    assert configuration.aoi.source == FROM_JSON
    assert configuration.inputs(Mode.LIVE)["aws-s2-l2a:1"]["contains"] == json.loads(json.dumps(OTHER.geojson()))
    # and it stays when something else is selected, or nothing
    assert again.configuration(None).fingerprint == configuration.fingerprint


def test_geometries_that_differ_between_tasks_stay_as_they_are(form):
    def change(body):
        body["s2-superresolution:2"]["contains"] = OTHER.geojson()

    again = typed(form, BOX, change)
    inputs = again.configuration(None).inputs(Mode.LIVE)
    assert inputs["aws-s2-l2a:1"]["contains"] == json.loads(json.dumps(BOX.geojson()))
    assert inputs["s2-superresolution:2"]["contains"] == json.loads(json.dumps(OTHER.geojson()))
    assert not validate(again.configuration(None), Limits(), Mode.LIVE)


def test_a_filter_typed_with_the_same_area_is_a_filter(form):
    def change(body):
        first = body["aws-s2-l2a:1"]
        first["intersects"], first["contains"] = first["contains"], None
        second = body["s2-superresolution:2"]
        second["intersects"], second["contains"] = second["contains"], None

    again = typed(form, BOX, change)
    assert again.geometric_filter is GeometricFilter.INTERSECTS
    assert again.geometries is None


def test_a_wrong_geometry_is_named_and_nothing_else_is_used(form):
    def change(body):
        body["aws-s2-l2a:1"]["contains"] = {"type": "Point", "coordinates": [1, 2]}

    again = typed(form, BOX, change)
    assert again.typed_area() is None
    problems = validate(again.configuration(BOX), Limits(), Mode.LIVE)
    assert any("a single Polygon is needed, not 'Point'" in problem.message for problem in problems)


def test_problems_have_lines(form):
    text = form.with_values("aws-s2-l2a:1", {"max_cloud_cover": 140}).text(BOX)
    document = read(text)
    again = form.with_body(document.value, BOX)
    (problem,) = validate(again.configuration(BOX), Limits(), Mode.LIVE)
    line = line_of(document, problem)
    assert '"max_cloud_cover": 140' in text.splitlines()[line - 1]
    assert problem.message == "max_cloud_cover: 0 to 100 allowed, not 140."


def test_a_note_leaves_out_what_the_line_says():
    assert note_of(Problem("a:1", "limit", "limit: 0 to 1 allowed.")) == "0 to 1 allowed"
    assert note_of(Problem("b:2", "x", "b:2, x: a text is needed.")) == "a text is needed"
    assert note_of(Problem("a:1", "contains", "Below the minimum.")) == "Below the minimum"
    assert note_of(Problem("c:3", "", "This workflow has no task c:3.")) == "This workflow has no task c:3"


def test_a_form_goes_along_when_the_blocks_of_its_workflow_change(form):
    form = form.with_values("aws-s2-l2a:1", {"limit": 9, "own": 1}).with_values("old:7", {"x": 1})
    again = JobForm.defaults(chain_of(*(step.block for step in form.workflow.steps)))
    assert form.adopted(again).parameters == form.parameters
    shorter = JobForm.defaults(chain_of(form.workflow.data_step.block))
    adopted = form.adopted(shorter)
    assert adopted.parameters["aws-s2-l2a:1"]["limit"] == 9
    assert "own" not in adopted.parameters["aws-s2-l2a:1"]
    assert list(adopted.parameters) == ["aws-s2-l2a:1"]


@pytest.mark.parametrize(
    ("text", "line"), [("[]", 1), ("7", 1), ('{\n"a:1": 5}', 2), ('{"a:1": {},\n\n"b:1": [1]}', 3)]
)
def test_a_text_that_is_no_job_is_refused_with_its_line(text, line):
    with pytest.raises(JsonTextError) as caught:
        read(text)
    assert caught.value.line == line


def test_what_is_only_in_json_is_listed(form):
    form = form.with_values("aws-s2-l2a:1", {"x": 1}).with_values("other:1", {"y": 2})
    assert only_in_json(form) == (("aws-s2-l2a:1", "x"), ("other:1", ""))


def test_scene_ids_set_the_limit_to_their_number(form):
    asked = form.with_ids(["A", "B"], 5)
    assert (asked.parameters["aws-s2-l2a:1"]["ids"], asked.parameters["aws-s2-l2a:1"]["limit"]) == (["A", "B"], 2)
    free = asked.with_ids(None, 5)
    assert (free.parameters["aws-s2-l2a:1"]["ids"], free.parameters["aws-s2-l2a:1"]["limit"]) == (None, 5)


def test_offered_choices_are_accepted():
    for block in BLOCKS:
        for spec in ParameterSchema.of(block):
            for choice in choices_of(block.name, spec):
                value = [choice] if spec.type is ParameterType.ARRAY else choice
                assert complaint(spec, value) == "" or spec.choices, (block.name, spec.name, choice)


@pytest.mark.parametrize(
    ("kind", "name", "value", "text"),
    [
        ("string", "model", "SRCNN", "SRCNN"),
        ("string", "model", None, ""),
        ("array", "ids", ["S2A_1", "S2B_2"], "S2A_1, S2B_2"),
        ("array", "ids", ["a,b"], '["a,b"]'),
        ("array", "zones", [{"type": "Feature"}], '[{"type": "Feature"}]'),
        ("array", "zones", [], "[]"),
        ("dateRange", "time", TIME, "2021-05-01 to 2021-06-30"),
        ("dateRange", "time", "2021-05-01T10:00:00Z/2021-05-02T10:00:00Z", "2021-05-01T10:00:00Z/2021-05-02T10:00:00Z"),
        ("array", "time_series", [TIME, TIME], "2021-05-01 to 2021-06-30; 2021-05-01 to 2021-06-30"),
        ("integer", "n", 4, "4"),
        ("", "new", {"a": 1}, '{"a": 1}'),
    ],
)
def test_values_as_one_line_and_back(kind, name, value, text):
    spec = ParameterSpec.parse(name, {"type": kind})
    assert text_of(spec, value) == text
    assert value_of(spec, text) == value


def test_a_line_that_cannot_be_read_is_kept_and_named():
    spec = ParameterSpec.parse("zones", {"type": "array"})
    value = value_of(spec, "[1, ")
    assert value == "[1,"
    assert "a list is needed" in complaint(spec, value)
    series = ParameterSpec.parse("time_series", {"type": "array"})
    assert "range 1: the time range ends before it starts." in complaint(
        series, value_of(series, "2021-06-01 to 2021-05-01")
    )


def test_what_storage_does_not_need_is_kept_for_later_on_the_way_through_json():
    task = "oneatlas-pleiades-display:1"
    form = JobForm.defaults(workflow_of(STORED, TERRASAR)).with_values(task, {"limit": 7, "asset_ids": ["a"]})
    assert form.body(BOX)[task] == {"asset_ids": ["a"]}
    again = form.with_body(read(form.text(BOX)).value, BOX)
    assert again == form
    other = form.with_body({**form.body(BOX), task: {"asset_ids": ["b"]}}, BOX)
    assert other.asset_ids == ("b",)
    assert other.with_values(task, {"asset_ids": None}).body(BOX)[task]["limit"] == 7
