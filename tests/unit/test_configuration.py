"""The job configuration: the JSON it becomes, what changes it, and when two are the same."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.job_samples import (
    DATA_TASK,
    SENTINEL,
    SR_TASK,
    STORED,
    STREETS,
    SUPER_RESOLUTION,
    TERRASAR,
    TILING,
    VESSELS,
    chain,
    taormina,
    workflow_of,
)
from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration, differences
from up42_plugin.core.jobs import Mode
from up42_plugin.core.timerange import TimeRangeError
from up42_plugin.core.workflow import Step


def configuration(geometric_filter=GeometricFilter.CONTAINS, workflow=None, aoi=None):
    return JobConfiguration.of(workflow or chain(), aoi or taormina(), geometric_filter)


def test_the_published_example_comes_out_of_the_form():
    """The body on the page about configuring a job, with the area handed on to the block that clips."""
    body = (
        configuration()
        .with_search(time=("2018-12-01", "2021-12-31"), limit=1, max_cloud_cover=10)
        .with_parameters(SR_TASK, {"clip_to_aoi": True})
        .inputs(Mode.LIVE)
    )
    polygon = taormina().geojson()
    assert body == {
        DATA_TASK: {
            "ids": None,
            "time": "2018-12-01T00:00:00+00:00/2021-12-31T23:59:59+00:00",
            "limit": 1,
            "time_series": None,
            "max_cloud_cover": 10,
            "bbox": None,
            "intersects": None,
            "contains": polygon,
        },
        SR_TASK: {
            "bbox": None,
            "intersects": None,
            "contains": polygon,
            "clip_to_aoi": True,
            "copy_original_bands": True,
        },
        "config": {"mode": "DEFAULT"},
    }
    assert json.loads(json.dumps(body)) == body


@pytest.mark.parametrize(("mode", "word"), [(Mode.TEST_QUERY, "DRY_RUN"), (Mode.LIVE, "DEFAULT")])
def test_test_query_and_live_job_differ_in_the_mode_only(mode, word):
    body = configuration().inputs(mode)
    assert body.pop("config") == {"mode": word}
    other = configuration().inputs(Mode.LIVE)
    other.pop("config")
    assert body == other
    assert list(body) == [DATA_TASK, SR_TASK]


@pytest.mark.parametrize("geometric_filter", list(GeometricFilter))
def test_exactly_one_geometric_filter_is_set(geometric_filter):
    values = configuration(geometric_filter).inputs(Mode.LIVE)[DATA_TASK]
    given_ = {name for name in ("bbox", "intersects", "contains") if values[name] is not None}
    assert given_ == {geometric_filter.value}


def test_the_bbox_filter_sends_west_south_east_north():
    values = configuration(GeometricFilter.BBOX).inputs(Mode.LIVE)[DATA_TASK]
    assert values["bbox"] == [15.281897, 37.843139, 15.301809, 37.854051]


def test_a_block_that_does_not_clip_gets_no_geometry():
    values = configuration().inputs(Mode.LIVE)[SR_TASK]
    assert values == {
        "bbox": None,
        "intersects": None,
        "contains": None,
        "clip_to_aoi": False,
        "copy_original_bands": True,
    }


def test_clipping_by_default_counts():
    block = replace(
        SUPER_RESOLUTION,
        parameters={**SUPER_RESOLUTION.parameters, "clip_to_aoi": {"type": "boolean", "default": True}},
    )
    made = replace(configuration(workflow=workflow_of(SENTINEL, block)), parameters={})
    assert made.inputs(Mode.LIVE)[SR_TASK]["contains"] == taormina().geojson()


def test_a_block_without_the_chosen_filter_clips_to_the_polygon_it_takes():
    made = configuration(workflow=workflow_of(SENTINEL, TERRASAR)).with_parameters(
        "terrasar-conversion:1", {"clip_to_aoi": True}
    )
    values = made.inputs(Mode.LIVE)["terrasar-conversion:1"]
    assert values == {"bbox": None, "intersects": taormina().geojson(), "clip_to_aoi": True}


def test_blocks_without_geometry_get_none():
    body = configuration(workflow=workflow_of(VESSELS, TILING)).inputs(Mode.LIVE)
    assert body["exactearth-ais:1"] == {}
    assert "contains" not in body["tiling:1"]


STORED_TASK = "oneatlas-pleiades-display:1"


def test_stored_assets_are_all_that_the_data_block_gets():
    searched = configuration(workflow=workflow_of(STORED, TERRASAR))
    made = searched.with_parameters(STORED_TASK, {"asset_ids": ["a", "b"]})
    clipped = made.with_parameters("terrasar-conversion:1", {"clip_to_aoi": True})
    body = clipped.inputs(Mode.LIVE)
    assert made.from_storage
    assert body[STORED_TASK] == {"asset_ids": ["a", "b"]}
    assert body["terrasar-conversion:1"] == {"bbox": None, "intersects": None, "clip_to_aoi": False}
    assert not searched.with_parameters(STORED_TASK, {"asset_ids": []}).from_storage


def test_with_stored_assets_neither_area_nor_search_make_a_difference():
    searched = configuration(workflow=workflow_of(STORED))
    made = searched.with_parameters(STORED_TASK, {"asset_ids": ["a"]})
    assert differences(made, replace(made, aoi=None).with_search(limit=7, max_cloud_cover=3)) == ()
    assert differences(searched, made.with_search(limit=7)) == ("From storage",)
    assert differences(made, made.with_parameters(STORED_TASK, {"asset_ids": ["b"]})) == ("From storage",)


def test_without_an_area_geometries_stay_as_they_were_typed():
    typed = {DATA_TASK: {"bbox": [1, 2, 3, 4], "limit": 2}}
    made = JobConfiguration(chain(), None, GeometricFilter.CONTAINS, typed)
    assert made.inputs(Mode.LIVE) == {DATA_TASK: typed[DATA_TASK], SR_TASK: {}, "config": {"mode": "DEFAULT"}}


def test_typed_geometries_give_way_to_the_area():
    typed = {DATA_TASK: {"bbox": [1, 2, 3, 4]}}
    values = replace(configuration(), parameters=typed).inputs(Mode.LIVE)[DATA_TASK]
    assert values["bbox"] is None
    assert values["contains"] == taormina().geojson()


def test_a_typed_mode_does_not_override_the_button():
    typed = {"config": {"mode": "DEFAULT"}, DATA_TASK: {}}
    body = JobConfiguration(chain(), taormina(), GeometricFilter.CONTAINS, typed).inputs(Mode.TEST_QUERY)
    assert body["config"] == {"mode": "DRY_RUN"}


def test_the_body_is_the_caller_s_own():
    made = configuration()
    body = made.inputs(Mode.LIVE)
    body[DATA_TASK]["contains"]["coordinates"][0][0][0] = 99
    body[SR_TASK]["clip_to_aoi"] = True
    assert made.inputs(Mode.LIVE) == configuration().inputs(Mode.LIVE)


def test_updates_leave_the_original_alone():
    made = configuration()
    before = made.fingerprint
    made.with_search(limit=5, ids=["a"], time=None, max_cloud_cover=3)
    made.with_parameters(SR_TASK, {"clip_to_aoi": True})
    made.with_aoi(AOI.from_bbox((0, 0, 1, 1)), GeometricFilter.BBOX)
    assert made.fingerprint == before


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        ("2021-05-01", "2021-06-30", "2021-05-01T00:00:00+00:00/2021-06-30T23:59:59+00:00"),
        (date(2021, 5, 1), date(2021, 5, 1), "2021-05-01T00:00:00+00:00/2021-05-01T23:59:59+00:00"),
        (datetime(2021, 5, 1, 10, 30), "2021-05-02", "2021-05-01T10:30:00+00:00/2021-05-02T23:59:59+00:00"),
        (
            datetime(2021, 5, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            "2021-05-02T00:00:00Z",
            "2021-04-30T23:00:00+00:00/2021-05-02T00:00:00+00:00",
        ),
    ],
)
def test_times_become_ranges_in_utc(start, end, text):
    assert configuration().with_search(time=(start, end)).parameters[DATA_TASK]["time"] == text


@pytest.mark.parametrize(
    "time",
    [
        ("2021-05-02", "2021-05-01"),
        ("yesterday", "2021-05-01"),
        ("2021-02-30", "2021-05-01"),
        ("2021-05-01", "2021-05-01T25:00:00Z"),
        ("", ""),
    ],
)
def test_times_that_are_none_are_refused(time):
    with pytest.raises(TimeRangeError):
        configuration().with_search(time=time)


def test_a_search_changes_only_what_is_given():
    made = configuration().with_search(limit=4)
    assert made.parameters[DATA_TASK] == {**configuration().parameters[DATA_TASK], "limit": 4}
    assert made.with_search(time=None).parameters[DATA_TASK]["time"] is None
    assert made.with_search() == made


def test_scene_ids_set_the_limit_to_their_number():
    made = configuration().with_search(max_cloud_cover=10, ids=["one", "two"])
    values = made.inputs(Mode.LIVE)[DATA_TASK]
    assert (values["ids"], values["limit"], values["max_cloud_cover"]) == (["one", "two"], 2, 10)
    again = made.with_search(ids=None, limit=3)
    assert (again.parameters[DATA_TASK]["ids"], again.parameters[DATA_TASK]["limit"]) == (None, 3)


def test_the_fingerprint_is_that_of_what_is_asked_for():
    made = configuration()
    same = replace(
        made, parameters=json.loads(json.dumps({k: dict(reversed(v.items())) for k, v in made.parameters.items()}))
    )
    assert same.fingerprint == made.fingerprint
    assert replace(made, aoi=replace(made.aoi, source="drawn")).fingerprint == made.fingerprint
    assert replace(made, workflow=replace(made.workflow, name="renamed")).fingerprint == made.fingerprint
    assert replace(made, parameters={}).fingerprint == made.fingerprint, "defaults written out ask for the same"
    assert made.with_search(max_cloud_cover=100.0).fingerprint == made.fingerprint
    assert made.fingerprint == configuration().fingerprint
    assert len(made.fingerprint) == 64


def test_the_fingerprint_changes_with_everything_that_matters():
    made = configuration()
    changed = [
        made.with_search(limit=2),
        made.with_search(time=("2021-01-01", "2021-02-01")),
        made.with_search(max_cloud_cover=99),
        made.with_search(ids=["a"]),
        made.with_aoi(AOI.from_bbox((0, 0, 1, 1))),
        made.with_aoi(made.aoi, GeometricFilter.INTERSECTS),
        made.with_parameters(SR_TASK, {"clip_to_aoi": True}),
        made.with_parameters(SR_TASK, {"unknown": 1}),
        replace(made, workflow=replace(made.workflow, id="w-2")),
        replace(made, workflow=workflow_of(SENTINEL, replace(SUPER_RESOLUTION, id="another version"))),
    ]
    prints = [one.fingerprint for one in (made, *changed)]
    assert len(set(prints)) == len(prints)


def test_the_fingerprint_of_a_known_configuration_stays():
    """A ledger of an earlier version must still recognise what was bought."""
    assert configuration().fingerprint == "bb449af3ab8f3eede8045d00ca1cf8e19d073a03f4c7cab8cea3a7e7b3a73ccb"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(st.dictionaries(st.text(min_size=1, max_size=8), json_values, max_size=6))
def test_any_parameters_go_through_json_with_the_same_fingerprint(values):
    made = configuration().with_parameters(SR_TASK, values)
    body = made.inputs(Mode.LIVE)
    assert json.loads(json.dumps(body)) == body
    back = replace(made, parameters=json.loads(json.dumps(made.parameters)))
    assert back.fingerprint == made.fingerprint
    assert differences(made, back) == ()


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(*[st.dictionaries(st.sampled_from(["a", "clip_to_aoi", "bbox"]), json_values, max_size=2)] * 2)
def test_there_is_a_name_for_every_change_and_none_for_none(one, other):
    old = configuration().with_parameters(SR_TASK, one).with_parameters("foreign:1", other)
    new = configuration().with_parameters(SR_TASK, other).with_parameters("foreign:1", one)
    assert bool(differences(old, new)) == (old.fingerprint != new.fingerprint)
    assert bool(differences(replace(old, aoi=None), new)) == (replace(old, aoi=None).fingerprint != new.fingerprint)


@pytest.mark.parametrize(
    ("change", "labels"),
    [
        (lambda c: c, ()),
        (lambda c: c.with_search(time=("2021-01-01", "2021-02-01")), ("Time",)),
        (
            lambda c: c.with_parameters(DATA_TASK, {"time_series": ["2021-01-01T00:00:00Z/2021-01-02T00:00:00Z"]}),
            ("Time",),
        ),
        (lambda c: c.with_search(max_cloud_cover=5), ("Clouds",)),
        (lambda c: c.with_search(limit=5), ("Limit",)),
        (lambda c: c.with_search(ids=["a"]), ("Scene IDs",)),
        (lambda c: c.with_search(time=("2021-01-01", "2021-02-01"), max_cloud_cover=5), ("Time", "Clouds")),
        (lambda c: c.with_aoi(AOI.from_bbox((0, 0, 1, 1))), ("Area",)),
        (lambda c: c.with_aoi(c.aoi, GeometricFilter.BBOX), ("Filter",)),
        (lambda c: c.with_aoi(AOI.from_bbox((0, 0, 1, 1)), GeometricFilter.BBOX), ("Area", "Filter")),
        (
            lambda c: c.with_parameters(SR_TASK, {"copy_original_bands": False}),
            ("Super-resolution Sentinel-2: Copy original bands",),
        ),
        (lambda c: c.with_parameters(DATA_TASK, {"new_one": 1}), ("Sentinel-2 L2A (SAFE): New one",)),
        (lambda c: replace(c, workflow=replace(c.workflow, id="other")), ("Workflow",)),
        (lambda c: replace(c, workflow=workflow_of(SENTINEL)), ("Workflow",)),
        (lambda c: replace(c, workflow=workflow_of(SENTINEL), parameters={}), ("Workflow",)),
        (lambda c: JobConfiguration.of(workflow_of(STREETS), c.aoi, c.geometric_filter), ("Workflow",)),
        (lambda c: replace(c, parameters={**c.parameters, "foreign:1": {}}), ("foreign:1",)),
        (lambda c: replace(c, aoi=replace(c.aoi, source="drawn")), ()),
    ],
)
def test_what_changed_is_named(change, labels):
    made = configuration()
    assert differences(made, change(made)) == labels


def test_changes_are_told_in_the_order_of_the_form():
    made = configuration()
    other = made.with_parameters(SR_TASK, {"clip_to_aoi": True}).with_search(limit=3, time=None)
    other = other.with_aoi(AOI.from_bbox((0, 0, 1, 1)), GeometricFilter.INTERSECTS)
    assert differences(made, other) == ("Area", "Filter", "Time", "Limit", "Super-resolution Sentinel-2: Clip to area")


def test_typed_geometries_that_differ_are_the_area():
    one = JobConfiguration(chain(), None, GeometricFilter.BBOX, {DATA_TASK: {"bbox": [0, 0, 1, 1]}})
    other = one.with_parameters(DATA_TASK, {"bbox": [0, 0, 2, 2]})
    assert differences(one, other) == ("Area",)


@pytest.mark.parametrize("coordinates", [[[0, 0]], [[[0, 10**400], ["x", None]]], None])
def test_typed_coordinates_of_any_kind_have_a_fingerprint(coordinates):
    typed = {DATA_TASK: {"contains": {"type": "Polygon", "coordinates": coordinates}}}
    one = JobConfiguration(chain(), None, GeometricFilter.CONTAINS, typed)
    assert one.fingerprint != configuration().fingerprint
    assert one.fingerprint == replace(one).fingerprint


def test_a_typed_polygon_asks_for_the_same_as_the_area():
    made = configuration()
    body = made.inputs(Mode.LIVE)
    assert JobConfiguration(chain(), None, GeometricFilter.CONTAINS, body).fingerprint == made.fingerprint


def test_a_step_by_another_name_is_another_workflow():
    made = configuration()
    renamed = replace(made.workflow, steps=(made.workflow.steps[0], Step("sr", SUPER_RESOLUTION)))
    assert differences(made, replace(made, workflow=renamed))[0] == "Workflow"
