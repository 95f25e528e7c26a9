"""What live jobs cost: charged credits where the service told them, else the most that was agreed to."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ledger_kit import NOON, Clock, new_job

from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.spending import SpendingLimits, Spent, read_spent

EARLIER = NOON - timedelta(days=1)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path, clock):
    return Ledger(path, clock)


def accepted(ledger, tag, service_job, **changes):
    return ledger.accept(ledger.add(new_job(tag, **changes)), service_job)


def test_nothing_was_spent_before_the_first_job(ledger):
    assert ledger.spent("account", EARLIER) == 0


def test_an_accepted_live_job_counts_with_the_most_that_was_agreed_to_until_the_charge_is_known(ledger):
    submission = accepted(ledger, "aaaa2222", "job-1", agreed=Range(10, 20))
    assert ledger.spent("account", EARLIER) == 20
    ledger.charge("account", "job-1", 13)
    assert ledger.spent("account", EARLIER) == 13
    assert ledger.submission(submission.id).charged_credits == 13


def test_a_job_that_failed_and_was_charged_nothing_counts_as_nothing(ledger):
    accepted(ledger, "aaaa2222", "job-1")
    ledger.charge("account", "job-1", 0)
    assert ledger.spent("account", EARLIER) == 0


def test_only_live_jobs_of_the_connection_since_the_moment_count(ledger, clock):
    accepted(ledger, "aaaa2222", "job-1", agreed=Range(1, 5))
    clock.now = NOON + timedelta(hours=2)
    accepted(ledger, "bbbb2222", "job-2", agreed=Range(1, 7))
    accepted(ledger, "cccc2222", "job-3", agreed=Range(1, 100), connection_id="other")
    accepted(ledger, "dddd2222", "job-4", mode=Mode.TEST_QUERY, agreed=None)
    assert ledger.spent("account", NOON) == 12
    assert ledger.spent("account", NOON + timedelta(hours=1)) == 7


@pytest.mark.parametrize("state", [SubmissionState.NOT_SENT, SubmissionState.REFUSED])
def test_what_never_became_a_job_costs_nothing(ledger, state):
    ledger.end_attempt(ledger.add(new_job()), state)
    assert ledger.spent("account", EARLIER) == 0


def test_what_may_still_turn_out_to_have_arrived_counts(ledger):
    pending = ledger.add(new_job(agreed=Range(10, 20)))
    assert ledger.spent("account", EARLIER) == 20
    unknown = ledger.end_attempt(pending, SubmissionState.UNKNOWN)
    assert ledger.spent("account", EARLIER) == 20
    ledger.give_up(unknown, "not known there")
    assert ledger.spent("account", EARLIER) == 0


def test_the_charge_of_another_connections_job_with_the_same_id_is_not_touched(ledger):
    accepted(ledger, "aaaa2222", "job-1", agreed=Range(1, 5))
    accepted(ledger, "bbbb2222", "job-1", agreed=Range(1, 5), connection_id="other")
    ledger.charge("other", "job-1", 2)
    assert (ledger.spent("account", EARLIER), ledger.spent("other", EARLIER)) == (5, 2)


COST = Range(30, 50)


@pytest.mark.parametrize(
    ("limits", "spent", "period"),
    [
        (SpendingLimits(per_job=49), Spent(), "job"),
        (SpendingLimits(per_day=100), Spent(today=51, this_month=51), "day"),
        (SpendingLimits(per_month=100), Spent(today=0, this_month=51), "month"),
    ],
)
def test_the_most_a_job_may_cost_is_held_against_each_limit(limits, spent, period):
    number = 49 if period == "job" else 100
    assert limits.problem(COST, spent) == f"Over your limit of {number}\u00a0credits per {period}."


def test_a_price_up_to_the_limit_passes():
    limits = SpendingLimits(per_job=50, per_day=100, per_month=200)
    assert limits.problem(COST, Spent(today=50, this_month=150)) == ""
    assert SpendingLimits().problem(COST, None) == ""


def test_a_limit_that_cannot_be_checked_stops_the_job():
    assert "could not be read" in SpendingLimits(per_month=1000).problem(COST, None)


def test_above_the_threshold_the_least_it_costs_is_to_be_typed():
    assert SpendingLimits(typed_above=49).to_type(COST) == 30
    assert SpendingLimits(typed_above=50).to_type(COST) is None
    assert SpendingLimits().to_type(COST) is None


def test_day_and_month_begin_at_local_midnight():
    asked = []

    class Record:
        def spent(self, connection_id, since):
            asked.append((connection_id, since))
            return len(asked)

    now = datetime(2024, 3, 20, 12, 0, tzinfo=timezone.utc)
    assert read_spent(Record(), "account", now) == Spent(1, 2)
    local = [since.astimezone().replace(tzinfo=None) for _, since in asked]
    today = now.astimezone()
    assert local == [datetime(today.year, today.month, today.day), datetime(today.year, today.month, 1)]
