"""Jobs are found by words and filters, and put in order."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.job_search import JobFilter, SortBy, arranged, matching
from up42_plugin.core.jobs import JobState, Mode

NOW = datetime(2026, 11, 20, 10, 42, tzinfo=timezone.utc)


def entry(key, **changes):
    values = {"name": key, "mode": Mode.LIVE, "state": JobState.SUCCEEDED, "word": "SUCCEEDED", "created": NOW}
    return JobEntry(key=key, connection_id="one", **{**values, **changes})


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["Etna NDVI", "Taormina", "Messina"]),
        ({"text": "  TAOR "}, ["Taormina"]),
        ({"text": "ndvi coast"}, ["Etna NDVI"]),
        ({"text": "f00d"}, ["Messina"]),
        ({"mode": Mode.TEST_QUERY}, ["Taormina"]),
        ({"statuses": frozenset({"PONDERING"})}, ["Messina"]),
        ({"workflows": frozenset({"Coastal"})}, ["Etna NDVI"]),
        ({"since": date(2026, 11, 20)}, ["Etna NDVI"]),
        ({"until": date(2026, 11, 19)}, ["Taormina", "Messina"]),
        ({"since": date(2026, 11, 18), "until": date(2026, 11, 18)}, ["Taormina"]),
    ],
)
def test_jobs_are_found_by_words_kind_state_workflow_and_days(wanted, found):
    entries = (
        entry("Etna NDVI", workflow="Coastal"),
        entry("Taormina", mode=Mode.TEST_QUERY, created=NOW - timedelta(days=2)),
        entry("Messina", word="PONDERING", state=JobState.UNKNOWN, job_id="F00D", created=NOW - timedelta(days=9)),
    )
    asked = JobFilter(**wanted)
    assert [item.key for item in matching(entries, asked)] == found
    assert asked.active is bool(wanted)
    assert asked.narrowed is bool(set(wanted) - {"text"})


@pytest.mark.parametrize(
    ("by", "descending", "keys"),
    [
        (SortBy.STARTED, True, "abc"),
        (SortBy.STARTED, False, "cba"),
        (SortBy.NAME, False, "bca"),
        (SortBy.CREDITS, True, "bca"),
        (SortBy.CREDITS, False, "cba"),
        (SortBy.DURATION, True, "cba"),
        (SortBy.AREA, False, "acb"),
    ],
)
def test_jobs_are_ordered_and_what_is_not_known_comes_last(by, descending, keys):
    entries = (
        entry("a", name="Siracusa", area_km2=1.0),
        entry("b", name="etna", charged=9.0, started=NOW - timedelta(hours=2), finished=NOW - timedelta(hours=1)),
        entry("c", name="Messina", charged=2.0, area_km2=3.0, started=NOW - timedelta(hours=9), finished=NOW),
    )
    assert "".join(item.key for item in arranged(entries, by, descending, NOW)) == keys
