"""What live jobs cost: job by job, per day, month and workflow, with held, charged and returned told apart."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from ledger_kit import NOON, Clock, configuration, new_job

from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Job, JobState, Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_spending import Credits, by_day, by_month, by_workflow, spending, spending_csv

UTC = timezone.utc
AUCKLAND = timezone(timedelta(hours=12))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.sqlite", clock)


def accepted(ledger, tag, service_job, **changes):
    return ledger.accept(ledger.add(new_job(tag, **changes)), service_job)


def the_credits(ledger):
    (job,) = spending(ledger, "account")
    return job.credits


def test_the_most_that_was_agreed_to_is_held_until_the_charge_is_known_and_the_rest_comes_back(ledger):
    accepted(ledger, "aaaa2222", "job-1", agreed=Range(10, 20))
    assert the_credits(ledger) == Credits(held=20)
    ledger.charge("account", "job-1", 13)
    assert the_credits(ledger) == Credits(charged=13, returned=7)


def test_a_job_that_failed_gives_back_all(ledger):
    accepted(ledger, "aaaa2222", "job-1", agreed=Range(10, 20))
    ledger.charge("account", "job-1", 0)
    assert the_credits(ledger) == Credits(returned=20)


def test_what_the_service_tells_of_held_and_returned_credits_counts(ledger):
    accepted(ledger, "aaaa2222", "job-1", agreed=Range(10, 20))
    ledger.charge("account", "job-1", None, held=15)
    assert the_credits(ledger) == Credits(held=15)
    ledger.charge("account", "job-1", 12, returned=2)
    assert the_credits(ledger) == Credits(charged=12, returned=2)
    kept = ledger.jobs("account")[0].submissions[0]
    assert (kept.held_credits, kept.charged_credits, kept.returned_credits) == (15, 12, 2)


def test_a_charge_above_what_was_agreed_to_is_told_as_it_is(ledger):
    accepted(ledger, "aaaa2222", "job-1", agreed=Range(10, 20))
    ledger.charge("account", "job-1", 25)
    assert the_credits(ledger) == Credits(charged=25)


def test_only_live_jobs_that_may_cost_something_are_told(ledger):
    ledger.end_attempt(ledger.add(new_job("aaaa2222")), SubmissionState.REFUSED)
    accepted(ledger, "aaaa3333", "job-3", mode=Mode.TEST_QUERY, agreed=None)
    accepted(ledger, "aaaa4444", "job-4", connection_id="sandbox")
    pending = ledger.add(new_job("aaaa5555"))
    LedgerLife(ledger).saw("account", Job("x", "n", JobState.RUNNING, "RUNNING", Mode.LIVE, NOON))
    (job,) = spending(ledger, "account")
    assert (job.job_id, job.state, job.service_job_id, job.credits) == (pending.job_id, None, "", Credits(held=20))


@pytest.fixture
def months(ledger, clock):
    """Four jobs: two across a month's end in New Zealand, two later, one of another workflow."""
    for number, (hours, price, charged) in enumerate(((0, 20, 5), (25, 20, 7), (24 * 40, 30, None), (24 * 41, 40, 40))):
        clock.now = NOON.replace(month=6, day=29) + timedelta(hours=hours)
        name = "NDVI" if number == 3 else "Visual"
        workflow = configuration(name=name)
        if number == 3:
            workflow = replace(workflow, workflow=replace(workflow.workflow, id="workflow-2"))
        accepted(ledger, f"tag-{number}", f"job-{number}", agreed=Range(1, price), configuration=workflow)
        if charged is not None:
            ledger.charge("account", f"job-{number}", charged)
    return spending(ledger, "account")


def test_days_and_months_are_those_of_the_calendar(months):
    assert [(day.key, day.jobs, day.credits) for day in by_day(months, UTC)] == [
        ("2024-06-29", 1, Credits(charged=5, returned=15)),
        ("2024-06-30", 1, Credits(charged=7, returned=13)),
        ("2024-08-08", 1, Credits(held=30)),
        ("2024-08-09", 1, Credits(charged=40)),
    ]
    assert [(month.key, month.jobs, month.credits) for month in by_month(months, UTC)] == [
        ("2024-06", 2, Credits(charged=12, returned=28)),
        ("2024-08", 2, Credits(held=30, charged=40)),
    ]
    assert [day.key for day in by_day(months, AUCKLAND)] == ["2024-06-30", "2024-07-01", "2024-08-09", "2024-08-10"]
    assert [month.key for month in by_month(months, AUCKLAND)] == ["2024-06", "2024-07", "2024-08"]


def test_workflows_come_dearest_first(months):
    assert [(item.key, item.label, item.jobs, item.credits.charged) for item in by_workflow(months)] == [
        ("workflow-1", "Visual", 3, 12),
        ("workflow-2", "NDVI", 1, 40),
    ]


def test_a_span_of_time_is_from_its_start_to_before_its_end(ledger, months):
    middle = spending(ledger, "account", since=months[1].created, until=months[2].created)
    assert middle == months[1:2]


def test_the_table_is_for_spreadsheets_and_holds_no_formula(ledger, clock):
    clock.now = NOON
    accepted(ledger, "aaaa2222", "job-1", name='=HYPERLINK("http://x")', agreed=Range(1, 1234567.5))
    accepted(ledger, "aaaa3333", "job-2", name='Etna, "north"\nslope', agreed=Range(1, 20))
    ledger.charge("account", "job-2", 12)
    lines = list(csv.reader(io.StringIO(spending_csv(spending(ledger, "account"), UTC))))
    assert lines == [
        ["Submitted", "Name", "Workflow", "State", "Held", "Charged", "Returned", "Job ID"],
        ["2024-06-01 12:00:00", '\'=HYPERLINK("http://x")', "Visual", "", "1234567.5", "0", "0", "job-1"],
        ["2024-06-01 12:00:00", 'Etna, "north"\nslope', "Visual", "", "0", "12", "8", "job-2"],
    ]
