"""What live jobs cost, job by job: held, charged and returned credits told apart."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ledger_kit import NOON, Clock, new_job

from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Job, JobState, Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_spending import Credits, spending

HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.sqlite", clock)


def accepted(ledger, tag="aaaa2222", service_job="job-1", **changes):
    return ledger.accept(ledger.add(new_job(tag, **{"agreed": Range(10, 20), **changes})), service_job)


def told(ledger, state, job_id="job-1"):
    LedgerLife(ledger).saw("account", Job(job_id, "n", state, state.value, Mode.LIVE, NOON))


def the_job(ledger):
    (job,) = spending(ledger, "account")
    return job


def test_the_least_it_costs_is_held_until_the_job_has_ended(ledger):
    submission = accepted(ledger)
    told(ledger, JobState.RUNNING)
    job = the_job(ledger)
    assert (job.job_id, job.service_job_id, job.name) == (submission.job_id, "job-1", "Taormina")
    assert (job.workflow_id, job.workflow_name, job.created) == ("workflow-1", "Visual", NOON)
    assert (job.state, job.word, job.agreed, job.ended) == (JobState.RUNNING, "RUNNING", Range(10, 20), False)
    assert job.credits == Credits(blocked=10, held=10)
    told(ledger, JobState.SUCCEEDED)
    assert the_job(ledger).credits == Credits(blocked=10)
    assert the_job(ledger).ended
    ledger.charge("account", "job-1", 13)
    assert the_job(ledger).credits == Credits(blocked=10, charged=13)


def test_what_was_held_and_not_charged_comes_back(ledger):
    accepted(ledger)
    ledger.charge("account", "job-1", 4)
    assert the_job(ledger).credits == Credits(blocked=10, charged=4, returned=6)
    ledger.charge("account", "job-1", 0)
    assert the_job(ledger).credits == Credits(blocked=10, charged=0, returned=10)


def test_what_the_service_tells_of_held_and_returned_credits_counts(ledger):
    accepted(ledger)
    ledger.charge("account", "job-1", None, held=15)
    assert the_job(ledger).credits == Credits(blocked=15, held=15)
    ledger.charge("account", "job-1", None, returned=5)
    assert the_job(ledger).credits == Credits(blocked=15, held=10, returned=5)
    ledger.charge("account", "job-1", 12, returned=3)
    assert the_job(ledger).credits == Credits(blocked=15, charged=12, returned=3)
    kept = ledger.jobs("account")[0].submissions[0]
    assert (kept.held_credits, kept.charged_credits, kept.returned_credits) == (15, 12, 3)


def test_what_is_held_for_a_job_without_estimation_is_not_known(ledger):
    accepted(ledger, agreed=Range(0, 50))
    assert the_job(ledger).credits == Credits()
    ledger.charge("account", "job-1", 7)
    assert the_job(ledger).credits == Credits(charged=7)


def test_only_live_jobs_that_the_service_got_are_told(ledger):
    for tag, state in (("aaaa2222", SubmissionState.REFUSED), ("aaaa3333", SubmissionState.UNKNOWN)):
        ledger.end_attempt(ledger.add(new_job(tag)), state)
    accepted(ledger, "aaaa4444", "job-4", mode=Mode.TEST_QUERY, agreed=None)
    accepted(ledger, "aaaa5555", "job-5", connection_id="sandbox")
    assert spending(ledger, "account") == ()


def test_a_span_of_time_is_from_its_start_to_before_its_end(ledger, clock):
    for number in range(4):
        clock.now = NOON + number * HOUR
        accepted(ledger, f"tag-{number}", f"job-{number}")
    assert [job.service_job_id for job in spending(ledger, "account")] == ["job-0", "job-1", "job-2", "job-3"]
    middle = spending(ledger, "account", since=NOON + HOUR, until=NOON + 3 * HOUR)
    assert [job.service_job_id for job in middle] == ["job-1", "job-2"]
