"""A live job rests on a fresh test query of the same thing."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest

from tests.job_samples import SR_TASK, chain, taormina
from up42_plugin.core import freshness
from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.freshness import Freshness

FINISHED = datetime(2026, 11, 20, 10, 42, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def in_utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def configuration():
    return JobConfiguration.of(chain(), taormina(), GeometricFilter.CONTAINS)


def verdict(changed=None, scenes=1, later=timedelta(minutes=20), connection="one"):
    tested = freshness.TestedQuery(configuration(), "one", FINISHED, scenes)
    return Freshness.check(tested, changed or configuration(), connection, FINISHED + later)


def test_nothing_tested():
    result = Freshness.check(None, configuration(), "one", FINISHED)
    assert result == Freshness(False, "Live job: run the free test query first.")


def test_tested_today():
    assert verdict() == Freshness(True, "Tested today 10:42: 1\u00a0scene found.")
    assert verdict(scenes=3).text == "Tested today 10:42: 3\u00a0scenes found."


def test_tested_yesterday():
    assert verdict(later=timedelta(hours=20)) == Freshness(True, "Tested yesterday 10:42: 1\u00a0scene found.")


def test_the_hour_is_the_person_s(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    assert verdict(later=timedelta(minutes=1)).text == "Tested today 19:42: 1\u00a0scene found."


def test_a_day_is_the_limit():
    assert verdict(later=timedelta(hours=24)).fresh
    late = verdict(later=timedelta(hours=24, seconds=1))
    assert late == Freshness(False, "The test query is older than 24\u00a0hours. Test again before a live job.")


def test_no_scenes():
    assert verdict(scenes=0) == Freshness(False, "The test query found no scenes.")


def test_another_connection():
    assert verdict(connection="two") == Freshness(False, "Live job: run the free test query first.")


def test_changes_are_named():
    changed = configuration().with_search(time=("2021-01-01", "2021-02-01"), max_cloud_cover=5)
    expected = "Changed since the test query: Time, Clouds. Test again before a live job."
    assert verdict(changed) == Freshness(False, expected)
    clipped = configuration().with_parameters(SR_TASK, {"clip_to_aoi": True})
    assert not verdict(clipped).fresh
    assert not verdict(configuration().with_aoi(AOI.from_bbox((0, 0, 1, 1)))).fresh


def test_changing_back_makes_it_fresh_again():
    there = configuration().with_search(limit=5)
    assert not verdict(there).fresh
    assert verdict(there.with_search(limit=1)).fresh
