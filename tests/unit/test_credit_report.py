"""Credits that were spent: added up, told apart, and written for others."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta, timezone

import pytest

from up42_plugin.core.credit_report import CreditRecord, Per, credit_records, csv_text, sums, total
from up42_plugin.core.estimation import Range
from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.run import Phase

NOW = datetime(2026, 11, 20, 10, 42, tzinfo=timezone.utc)


def spent(days, charged, blocked=13.0, **changes):
    values = {"job": "Taormina", "workflow": "Super-resolution", "job_id": "job-1"}
    return CreditRecord(NOW - timedelta(days=days), charged=charged, blocked=blocked, **{**values, **changes})


RECORDS = (
    spent(0, None, ended=False),
    spent(0, 9.0),
    spent(1, 20.0, workflow="NDVI"),
    spent(30, None),
)


def test_held_charged_and_returned_are_told_apart():
    whole = total(RECORDS)
    assert (whole.charged, whole.held, whole.returned, whole.jobs, whole.unknown) == (29, 13, 4, 4, 1)


def entry(key, word, **changes):
    values = {"name": key, "mode": Mode.LIVE, "created": NOW, "job_id": key, "estimated": Range(13, 25)}
    return JobEntry(key=key, connection_id="one", state=JobState[word], word=word, **{**values, **changes})


def test_records_are_made_of_the_live_jobs_that_the_service_got():
    records = credit_records(
        (
            entry("running", "RUNNING"),
            entry("ended", "SUCCEEDED", charged=9.0),
            entry("limited", "SUCCEEDED", charged=9.0, estimated=Range(0, 500)),
            entry("free", "SUCCEEDED", mode=Mode.TEST_QUERY),
            entry("never sent", "FAILED", job_id="", phase=Phase.NOT_SUBMITTED),
        ),
        "Coastal study",
    )
    told = [(record.job, record.held, record.charged, record.returned, record.ended) for record in records]
    assert told == [("running", 13, None, 0, False), ("ended", 0, 9, 4, True), ("limited", 0, 9, 0, True)]
    assert {record.connection for record in records} == {"Coastal study"}


@pytest.mark.parametrize(
    ("per", "labels", "charged"),
    [
        (Per.DAY, ["2026-11-20", "2026-11-19", "2026-10-21"], [9, 20, 0]),
        (Per.MONTH, ["2026-11", "2026-10"], [29, 0]),
        (Per.WORKFLOW, ["Super-resolution", "NDVI"], [9, 20]),
    ],
)
def test_credits_are_added_up(per, labels, charged):
    found = sums(RECORDS, per)
    assert [item.label for item in found] == labels
    assert [item.charged for item in found] == charged


def test_the_table_for_others_is_whole_and_harmless():
    rows = list(
        csv.DictReader(io.StringIO(csv_text((*RECORDS, spent(2, 0.5, job='=HYPERLINK("x"), "y"'))), newline=""))
    )
    assert [row["charged"] for row in rows] == ["", "9", "20", "0.5", ""]
    assert [row["held"] for row in rows] == ["13", "0", "0", "0", "0"]
    assert [row["returned"] for row in rows] == ["", "4", "0", "12.5", ""]
    assert rows[3]["job"] == '\'=HYPERLINK("x"), "y"'
