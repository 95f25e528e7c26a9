"""Every problem of a configuration at once, in words, before anything is sent."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.job_samples import (
    DATA_TASK,
    GASES,
    RADAR,
    SEARCH,
    SENTINEL,
    SR_TASK,
    STORED,
    STREETS,
    SUPER_RESOLUTION,
    TILING,
    VESSELS,
    chain,
    taormina,
    workflow_of,
)
from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.jobs import Mode
from up42_plugin.core.service import Limits
from up42_plugin.core.validation import ConfigurationError, check, unknown_parameters, validate
from up42_plugin.core.workflow import Block, BlockType, Workflow

CATALOGUE = Path(__file__).parents[2] / "up42_plugin" / "sandbox" / "catalogue.json"
LIMITS = Limits(max_scenes=10, max_aoi_km2=100)
POLYGON = taormina().geojson()


def configuration(workflow=None, geometric_filter=GeometricFilter.CONTAINS):
    return JobConfiguration.of(workflow or chain(), taormina(), geometric_filter)


def with_data(**values):
    return configuration().with_parameters(DATA_TASK, values)


def messages(made, mode=Mode.LIVE, limits=LIMITS):
    return [problem.message for problem in validate(made, limits, mode)]


def typed(task_values, workflow=None):
    """What was typed as JSON, geometries included."""
    return JobConfiguration(workflow or chain(), None, GeometricFilter.CONTAINS, task_values)


@pytest.mark.parametrize("mode", list(Mode))
def test_the_usual_configuration_is_right(mode):
    assert messages(configuration(), mode) == []
    check(configuration(), LIMITS, mode)


def test_the_published_example_is_right():
    """Typed as it is printed: no mode, and a block that clips without naming a geometry."""
    published = {
        DATA_TASK: {
            "ids": None,
            "time": "2018-12-01T00:00:00+00:00/2021-12-31T23:59:59+00:00",
            "limit": 1,
            "time_series": None,
            "max_cloud_cover": 10,
            "contains": POLYGON,
        },
        SR_TASK: {"bbox": None, "contains": None, "intersects": None, "clip_to_aoi": True, "copy_original_bands": True},
    }
    assert messages(typed(published)) == []


def catalogue():
    blocks = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    for raw in blocks["blocks"] if isinstance(blocks, dict) else blocks:
        yield Block(raw["id"], raw["name"], raw["displayName"], BlockType(raw["type"]), parameters=raw["parameters"])


def test_the_defaults_of_every_known_block_are_right_but_for_what_is_required():
    checked = 0
    for block in catalogue():
        workflow = workflow_of(block) if block.type is BlockType.DATA else workflow_of(SENTINEL, block)
        schema = workflow.data_step.block.parameters
        offered = [name for name in ("intersects", "bbox") if name in schema] or ["intersects"]
        made = JobConfiguration.of(workflow, taormina(), GeometricFilter(offered[0]))
        required = {
            name for name, spec in block.parameters.items() if spec.get("required") and spec.get("default") is None
        }
        problems = validate(made, Limits(), Mode.LIVE)
        assert {problem.parameter for problem in problems} == required, block.name
        assert all(problem.message.endswith(": a value is needed.") for problem in problems)
        checked += 1
    assert checked > 50


def test_everything_is_told_at_once():
    made = with_data(limit=0, max_cloud_cover=140, time="2021-05-02T00:00:00Z/2021-05-01T00:00:00Z", ids=[])
    made = made.with_parameters(SR_TASK, {"clip_to_aoi": "yes"})
    problems = validate(made, LIMITS, Mode.TEST_QUERY)
    assert [(problem.task, problem.parameter) for problem in problems] == [
        (DATA_TASK, "ids"),
        (DATA_TASK, "time"),
        (DATA_TASK, "limit"),
        (DATA_TASK, "max_cloud_cover"),
        (SR_TASK, "clip_to_aoi"),
    ]
    assert [problem.message for problem in problems] == [
        "ids: there is no scene ID in the list.",
        "time: the time range ends before it starts.",
        "limit: at least 1 allowed, not 0.",
        "max_cloud_cover: 0 to 100 allowed, not 140.",
        "s2-superresolution:1, clip_to_aoi: true or false is needed, not 'yes'.",
    ]
    with pytest.raises(ConfigurationError) as caught:
        check(made, LIMITS, Mode.TEST_QUERY)
    assert caught.value.problems == problems
    assert caught.value.user_message == " ".join(problem.message for problem in problems)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"limit": "3"}, "limit: a whole number is needed, not '3'."),
        ({"limit": 1.5}, "limit: a whole number is needed, not 1.5."),
        ({"limit": True}, "limit: a whole number is needed, not True."),
        ({"limit": None}, "limit: a value is needed."),
        ({"limit": float("nan")}, "limit: a whole number is needed, not nan."),
        ({"limit": 1000000}, "limit: this project takes at most 10 scenes per job, not 1000000."),
        ({"limit": 11}, "limit: this project takes at most 10 scenes per job, not 11."),
        ({"max_cloud_cover": -1}, "max_cloud_cover: 0 to 100 allowed, not -1."),
        ({"max_cloud_cover": 101}, "max_cloud_cover: 0 to 100 allowed, not 101."),
        ({"ids": "S2A"}, "ids: a list is needed, not 'S2A'."),
        ({"ids": ["S2A", ""]}, "ids: '' is no scene ID."),
        ({"ids": ["S2A", 7]}, "ids: 7 is no scene ID."),
        ({"time": 5}, "time: a time range is needed, not 5."),
        ({"time": "2021-05-01"}, "time: two times joined by a slash are needed."),
        (
            {"time": "2021-05-01/2021-05-02"},
            "time: '2021-05-01' is not a time such as 2021-05-01T00:00:00+00:00.",
        ),
        ({"time": "2021-02-30T00:00:00Z/2021-05-02T00:00:00Z"}, "time: there is no time 2021-02-30T00:00:00Z."),
        ({"time_series": "x"}, "time_series: a list is needed, not 'x'."),
        ({"time_series": []}, "time_series: there is no time range in the list."),
        ({"time_series": [5]}, "time_series: range 1: a time range is needed, not 5."),
        (
            {"time_series": ["2021-05-01T00:00:00Z/2021-05-02T00:00:00Z", "2021-05-02T00:00:00Z/2021-05-01T00:00:00Z"]},
            "time_series: range 2: the time range ends before it starts.",
        ),
        ({"max_cloud_cver": 5}, "max_cloud_cver: there is no such parameter; max_cloud_cover is meant, perhaps."),
    ],
)
def test_a_wrong_value_in_the_search(values, text):
    for mode in Mode:
        assert messages(with_data(**values), mode) == [text]


@pytest.mark.parametrize(
    "values",
    [
        {"limit": 10},
        {"limit": 10.0},
        {"max_cloud_cover": 0},
        {"max_cloud_cover": 100},
        {"ids": ["S2A"]},
        {"time": None},
        {"time": "2021-05-01T00:00:00Z/2021-05-01T00:00:00Z"},
        {"time": "2021-05-01T00:00:00/2021-05-02T00:00:00+02:00"},
        {"time": "2021-05-01T00:00:00.123456789Z/2021-05-02T00:00:00.5-11:30"},
        {"time_series": ["2021-05-01T00:00:00Z/2021-05-02T00:00:00Z"]},
    ],
)
def test_right_values_in_the_search(values):
    assert messages(with_data(**values)) == []


@pytest.mark.parametrize(
    ("block", "values", "text"),
    [
        (TILING, {"tile_width": None}, "a value is needed."),
        (TILING, {"tile_width": "wide"}, "a number is needed, not 'wide'."),
        (TILING, {"tile_width": 5000}, "at most 4096 allowed, not 5000."),
        (TILING, {"output_prefix": 5}, "a text is needed, not 5."),
        (TILING, {"output_prefix": None}, "a value is needed."),
        (TILING, {"nodata": [0]}, "a number is needed, not [0]."),
        (RADAR, {"polarisations": ["VV", "HH"]}, "'HH' is not one of VV, VH."),
        (RADAR, {"polarisations": [1]}, "a text is needed, not 1."),
        (RADAR, {"polarisations": "VV"}, "a list is needed, not 'VV'."),
        (RADAR, {"linear_to_db": 1}, "true or false is needed, not 1."),
        (RADAR, {"linear_to_db": {"a": "x" * 60}}, f"true or false is needed, not {{'a': '{'x' * 32}…."),
    ],
)
def test_a_wrong_value_in_a_later_block(block, values, text):
    task = f"{block.name}:1"
    made = configuration(workflow_of(SENTINEL, block)).with_parameters(task, values)
    (name,) = values
    assert messages(made) == [f"{task}, {name}: {text}"]


@pytest.mark.parametrize(
    ("block", "values"),
    [
        (TILING, {"tile_width": 256.5, "nodata": None, "output_prefix": ""}),
        (TILING, {"odd": {"any": "thing"}}),
        (TILING, {"weights_of_bands": [0.2, 0.34]}),
        (RADAR, {"polarisations": ["VH", "VV"]}),
        (RADAR, {"polarisations": []}),
    ],
)
def test_right_values_in_a_later_block(block, values):
    made = configuration(workflow_of(SENTINEL, block)).with_parameters(f"{block.name}:1", values)
    assert messages(made) == []


def test_unknown_parameters_are_known_as_such():
    made = configuration(workflow_of(SENTINEL, TILING)).with_parameters("tiling:1", {"weights_of_bands": 1})
    assert unknown_parameters(made) == (("tiling:1", "weights_of_bands"),)


def test_a_required_parameter_without_value_is_missing():
    made = configuration(workflow_of(GASES))
    assert messages(made) == ["layer: a value is needed."]
    assert messages(replace(made, parameters={})) == ["layer: a value is needed."]
    task = "esa-s5p-l3-gtiff:1"
    assert messages(made.with_parameters(task, {"layer": "  "})) == ["layer: a value is needed."]
    assert messages(made.with_parameters(task, {"layer": "L3__NO2___"})) == []


def test_no_area():
    made = replace(configuration(), aoi=None)
    for mode in Mode:
        assert messages(made, mode) == ["Choose an area first."]


def test_an_area_above_the_maximum_stops_live_jobs_only():
    made = configuration().with_aoi(AOI.from_bbox((15, 37, 16, 38)))
    assert messages(made, Mode.TEST_QUERY) == []
    assert messages(made, Mode.LIVE) == ["Mend the area first, above 100\u00a0km²."]
    assert messages(made, Mode.LIVE, Limits()) == []


def test_the_box_is_what_counts_with_the_bbox_filter():
    triangle = AOI.from_geojson({"type": "Polygon", "coordinates": [[[15, 37], [15.13, 37], [15, 37.11], [15, 37]]]})
    assert 60 < triangle.area_km2 < 100
    made = configuration().with_aoi(triangle)
    assert messages(made) == []
    assert len(messages(made.with_aoi(triangle, GeometricFilter.BBOX))) == 1


def test_an_area_below_the_minimum_of_the_service():
    for mode in Mode:
        assert messages(configuration(), mode, Limits(min_aoi_km2=5)) == ["Below the minimum of 5\u00a0km²."]


def test_a_filter_the_block_does_not_take():
    made = configuration(workflow_of(STREETS))
    assert messages(made) == ["OpenStreetMap takes the filter Bounding Box only."]
    assert messages(configuration(workflow_of(STREETS), GeometricFilter.BBOX)) == []


def test_a_block_without_geometry_needs_no_area():
    assert messages(replace(configuration(workflow_of(VESSELS)), aoi=None)) == []


def test_stored_assets_need_no_area():
    made = replace(configuration(workflow_of(STORED)), aoi=None)
    assert messages(made) == ["Choose an area first."]
    stored = made.with_parameters("oneatlas-pleiades-display:1", {"asset_ids": ["a"]})
    assert messages(stored) == []
    assert messages(replace(stored, aoi=taormina()), Mode.LIVE, Limits(max_aoi_km2=1)) == []
    typed_too = stored.with_parameters("oneatlas-pleiades-display:1", {"contains": POLYGON})
    assert messages(typed_too) == ["contains: must be left out, for the data comes from storage."]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "Choose an area first."),
        ({"bbox": [1, 2, 3, 4], "contains": POLYGON}, "Only one of bbox and contains can be set."),
        ({"bbox": [1, 2, 3]}, "bbox: west, south, east and north are needed, as four numbers."),
        ({"bbox": [1, 2, 3, "4"]}, "bbox: west, south, east and north are needed, as four numbers."),
        ({"bbox": [1, 2, 3, 10**400]}, "bbox: west, south, east and north are needed, as four numbers."),
        ({"bbox": "1,2,3,4"}, "bbox: west, south, east and north are needed, as four numbers."),
        ({"bbox": [3, 2, 1, 4]}, "bbox: crosses the 180° meridian."),
        ({"bbox": [1, 2, 1.0001, 2.0001]}, "Below the minimum of 0.1\u00a0km²."),
        ({"contains": 5}, "contains: a GeoJSON polygon is needed, not 5."),
        (
            {"contains": {"type": "MultiPolygon", "coordinates": []}},
            "contains: a single Polygon is needed, not 'MultiPolygon'.",
        ),
        (
            {"contains": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}},
            "contains: the outline crosses itself.",
        ),
    ],
)
def test_typed_geometries(values, text):
    for mode in Mode:
        assert messages(typed({DATA_TASK: values}), mode) == [text]


def test_typed_geometries_meet_the_limits_too():
    assert messages(typed({DATA_TASK: {"bbox": [15, 37, 15.1, 37.1]}})) == []
    assert messages(typed({DATA_TASK: {"bbox": [15, 37, 16, 38]}}))[0].startswith("Mend the area first, above 100")


def test_typed_geometries_of_a_block_that_clips():
    wrong = typed(
        {DATA_TASK: {"contains": POLYGON}, SR_TASK: {"bbox": [0, 0, 1, 1], "contains": POLYGON, "clip_to_aoi": True}}
    )
    assert messages(wrong) == [f"{SR_TASK}, contains: only one of bbox and contains can be set."]
    idle = typed({DATA_TASK: {"contains": POLYGON}, SR_TASK: {"contains": POLYGON}})
    assert messages(idle) == [f"{SR_TASK}, contains: must be null while clip_to_aoi is false."]
    right = typed({DATA_TASK: {"contains": POLYGON}, SR_TASK: {"contains": POLYGON, "clip_to_aoi": True}})
    assert messages(right) == []


def test_chains_that_are_none():
    assert messages(configuration(Workflow("w", "empty"))) == ["The workflow has no blocks yet."]
    assert messages(configuration(workflow_of(SUPER_RESOLUTION))) == [
        "The first block of a workflow must be a data block."
    ]
    assert messages(configuration(workflow_of(SENTINEL, STREETS))) == [
        "OpenStreetMap is a data block; only the first block can be one."
    ]


def test_foreign_tasks_and_tasks_that_are_no_objects():
    made = replace(configuration(), parameters={"tiling:1": {}, SR_TASK: 5, "config": {"mode": "DEFAULT"}})
    assert messages(made) == [
        "This workflow has no task tiling:1.",
        "s2-superresolution:1: an object with parameters is needed.",
    ]


def test_a_task_left_out_takes_its_defaults():
    assert messages(replace(configuration(), parameters={})) == []


def test_a_block_without_schema_takes_what_it_is_given():
    bare = Block("b", "custom", "Custom", BlockType.PROCESSING)
    made = configuration(workflow_of(SENTINEL, bare)).with_parameters("custom:1", {"anything": 1})
    assert messages(made) == []


def test_limits_of_a_project_unknown_as_yet():
    assert messages(with_data(limit=400), limits=Limits()) == []
    assert SEARCH["limit"]["minimum"] == 1
