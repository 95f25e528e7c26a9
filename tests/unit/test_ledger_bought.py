"""Whether the same images were bought before: same block, an area that holds this one, same dates or scenes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from ledger_kit import NOON, Clock, new_job

from tests.job_samples import SENTINEL, STORED, STREETS, SUPER_RESOLUTION, workflow_of
from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.jobs import Job, JobState, Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_bought import bought_before
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_outputs import LedgerOutputs, StoredOutput

HOUR = timedelta(hours=1)
BOX = (15.0, 37.0, 16.0, 38.0)
SUMMER = ("2021-06-01", "2021-08-31")
DIAMOND = {"type": "Polygon", "coordinates": [[[15.5, 37], [16, 37.5], [15.5, 38], [15, 37.5], [15.5, 37]]]}


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.sqlite", clock)


def asked(area=BOX, blocks=(SENTINEL,), how=GeometricFilter.INTERSECTS, time=SUMMER, **search):
    aoi = AOI.from_geojson(area) if isinstance(area, dict) else AOI.from_bbox(area)
    return JobConfiguration.of(workflow_of(*blocks), aoi, how).with_search(time=time, **search)


def bought(ledger, configuration, state=JobState.SUCCEEDED, tag="aaaa2222", **changes):
    submission = ledger.accept(ledger.add(new_job(tag, configuration=configuration, **changes)), f"service-{tag}")
    job = Job(f"service-{tag}", "n", state, state.value, Mode.LIVE, NOON)
    LedgerLife(ledger).saw(changes.get("connection_id", "account"), job)
    return submission


def test_the_same_configuration_is_found_with_what_is_on_disk(ledger):
    submission = bought(ledger, asked())
    outputs = LedgerOutputs(ledger)
    for name, complete in (("whole", True), ("part", False), ("gone", True)):
        outputs.stored_output(StoredOutput("account", "service-aaaa2222", Path("/d") / name, 9, NOON, complete))
    outputs.deleted_output("account", Path("/d/gone"))
    (found,) = bought_before(ledger, "account", asked())
    assert found.exact
    assert found.job == ledger.job(submission.job_id)
    assert [output.folder.name for output in found.on_disk] == ["whole"]


def test_the_newest_comes_first(ledger, clock):
    bought(ledger, asked(), tag="aaaa2222", name="old")
    clock.now += HOUR
    bought(ledger, asked(limit=3), tag="aaaa3333", name="new")
    assert [(item.job.name, item.exact) for item in bought_before(ledger, "account", asked())] == [
        ("new", False),
        ("old", True),
    ]
    assert [item.job.name for item in bought_before(ledger, "account", asked(), limit=1)] == ["new"]


@pytest.mark.parametrize(
    "changes",
    [
        {"area": (15.2, 37.2, 15.4, 37.4)},
        {"area": (15.0, 37.2, 15.4, 38.0)},
        {"area": DIAMOND},
        {"how": GeometricFilter.CONTAINS},
        {"how": GeometricFilter.BBOX, "area": (15.2, 37.2, 15.4, 37.4)},
        {"time": ("2021-08-31", "2021-09-30")},
        {"time": None},
        {"limit": 7},
        {"max_cloud_cover": 10},
        {"blocks": (SENTINEL, SUPER_RESOLUTION)},
        {"ids": ["S2A"]},
    ],
)
def test_part_of_the_area_and_of_the_time_was_bought_before(ledger, changes):
    bought(ledger, asked())
    (found,) = bought_before(ledger, "account", asked(**changes))
    assert not found.exact


@pytest.mark.parametrize(
    "changes",
    [
        {"area": (15.2, 37.2, 16.4, 37.4)},
        {"area": (14.0, 36.0, 17.0, 39.0)},
        {"area": (25.0, 37.0, 26.0, 38.0)},
        {"time": ("2021-09-01", "2021-09-30")},
        {"time": ("2020-06-01", "2020-08-31")},
        {"blocks": (STREETS,)},
        {"ids": ["S2A"], "time": ("2020-06-01", "2020-08-31")},
    ],
)
def test_another_area_time_or_block_was_not(ledger, changes):
    bought(ledger, asked())
    assert bought_before(ledger, "account", asked(**changes)) == ()


def test_a_box_around_the_area_is_more_than_the_area(ledger):
    bought(ledger, asked(area=DIAMOND))
    assert bought_before(ledger, "account", asked(area=BOX)) == ()
    assert bought_before(ledger, "account", asked(area=DIAMOND, how=GeometricFilter.BBOX)) == ()
    assert len(bought_before(ledger, "account", asked(area=(15.45, 37.45, 15.55, 37.55)))) == 1


def test_named_scenes_are_compared_by_name(ledger):
    bought(ledger, asked(ids=["S2A", "S2B"]))
    assert len(bought_before(ledger, "account", asked(ids=["S2B", "S2C"]))) == 1
    assert bought_before(ledger, "account", asked(ids=["S2C"])) == ()


def test_data_of_the_storage_are_compared_by_their_assets(ledger):
    def stored(*assets):
        return asked(blocks=(STORED,)).with_parameters("oneatlas-pleiades-display:1", {"asset_ids": list(assets)})

    bought(ledger, stored("a", "b"))
    assert len(bought_before(ledger, "account", stored("b"))) == 1
    assert bought_before(ledger, "account", stored("c")) == ()


@pytest.mark.parametrize("state", [JobState.RUNNING, JobState.FAILED, JobState.CANCELLED])
def test_what_did_not_succeed_was_not_bought(ledger, state):
    bought(ledger, asked(), state)
    assert bought_before(ledger, "account", asked()) == ()


def test_test_queries_and_other_connections_do_not_count(ledger):
    bought(ledger, asked(), tag="aaaa2222", mode=Mode.TEST_QUERY, agreed=None)
    bought(ledger, asked(), tag="aaaa3333", connection_id="sandbox")
    ledger.add(new_job("aaaa4444", configuration=asked()))
    assert bought_before(ledger, "account", asked()) == ()
    assert len(bought_before(ledger, "sandbox", asked())) == 1
