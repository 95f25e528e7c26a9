"""Settling: cancelled in the middle, a process that died, two windows, a ledger that fails at the wrong moment."""

from __future__ import annotations

import pytest
from ledger_kit import NOON, PRICE, Clock, configuration
from staged_service import LOST, Context, StagedService, failing, recorded

from up42_plugin.api.errors import (
    Cancelled,
    NetworkError,
)
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.submission import SHOWS_WITHIN, Submitter


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ledger(tmp_path, clock):
    return Ledger(tmp_path / "ledger.sqlite", clock)


@pytest.fixture
def context(clock):
    return Context(clock)


@pytest.fixture
def submitter(ledger, clock):
    return Submitter(ledger, "account", clock)


@pytest.fixture
def submit(submitter, context):
    def submit(service, mode=Mode.LIVE, agreed=PRICE):
        return submitter.submit(service, configuration(), mode, "Taormina", agreed, context)

    return submit


@pytest.mark.parametrize("arrived", [True, False])
def test_cancelled_in_the_middle_of_sending_is_unknown_and_settled_later(submit, submitter, ledger, clock, arrived):
    service = StagedService(clock, (arrived, Cancelled()))
    with pytest.raises(Cancelled):
        submit(service)
    assert recorded(ledger).state is SubmissionState.UNKNOWN
    clock.now += SHOWS_WITHIN
    (outcome,) = submitter.settle(service, Context(clock))
    assert outcome.state is (SubmissionState.ACCEPTED if arrived else SubmissionState.NOT_SUBMITTED)
    assert len(service.requests) == 1


def test_cancelled_while_looking_up_stays_unknown(submit, ledger, clock, context):
    context.cancel_in = 2
    with pytest.raises(Cancelled):
        submit(StagedService(clock, (False, LOST)))
    assert recorded(ledger).state is SubmissionState.UNKNOWN


@pytest.mark.parametrize("error", [KeyError("a mistake of ours"), KeyboardInterrupt()])
def test_an_error_nobody_foresaw_leaves_the_end_unknown(submit, ledger, clock, error):
    with pytest.raises(type(error)):
        submit(StagedService(clock, (True, error)))
    assert recorded(ledger).state is SubmissionState.UNKNOWN


def test_a_ledger_that_fails_after_the_service_accepted_does_not_lose_the_job(submit, submitter, ledger, clock):
    service = StagedService(clock)
    with failing(ledger, "accept"):
        outcome = submit(service)
    assert outcome.accepted
    assert outcome.submission.service_job_id == "job-1"
    assert recorded(ledger).state is SubmissionState.PENDING
    (settled,) = submitter.settle(service, Context(clock))
    assert settled.accepted
    assert recorded(ledger).service_job_id == "job-1"


def test_a_ledger_that_fails_after_an_unknown_end_still_looks_it_up(submit, ledger, clock):
    service = StagedService(clock, (True, LOST))
    with failing(ledger, "end_attempt"):
        outcome = submit(service)
    assert outcome.accepted
    assert recorded(ledger).state is SubmissionState.ACCEPTED


class Died(BaseException):
    """The process ends here."""


def left_behind(ledger, clock, arrived):
    """What a killed process leaves: the row as it was committed, PENDING."""
    service = StagedService(clock, (arrived, Died()))
    submitter = Submitter(ledger, "account", clock)
    with failing(ledger, "end_attempt"), pytest.raises(Died):
        submitter.submit(service, configuration(), Mode.LIVE, "Taormina", PRICE, Context(clock))
    assert recorded(ledger).state is SubmissionState.PENDING
    assert recorded(ledger).ended is None
    return service


def test_what_a_dead_process_left_is_found(submitter, ledger, clock, context):
    service = left_behind(ledger, clock, arrived=True)
    (outcome,) = submitter.settle(service, context)
    assert outcome.accepted
    assert recorded(ledger).service_job_id == "job-1"


def test_what_a_dead_process_left_is_not_given_up_while_another_window_may_be_sending_it(submitter, ledger, clock):
    service = left_behind(ledger, clock, arrived=False)
    clock.now += SHOWS_WITHIN
    (outcome,) = submitter.settle(service, Context(clock))
    assert outcome.state is SubmissionState.PENDING
    (outcome,) = submitter.settle(service, Context(clock), wait=True)
    assert outcome.state is SubmissionState.NOT_SUBMITTED
    assert service.asked[-1][2] >= NOON + 2 * SHOWS_WITHIN


def test_settling_takes_one_look_at_each_and_leaves_what_is_too_young(submit, submitter, clock, context):
    service = StagedService(clock, (False, Cancelled()), (True, Cancelled()), (False, Cancelled()))
    for _ in range(3):
        with pytest.raises(Cancelled):
            submit(service)
        clock.now += SHOWS_WITHIN / 2
    outcomes = submitter.settle(service, context)
    assert [outcome.state for outcome in outcomes] == [
        SubmissionState.NOT_SUBMITTED,
        SubmissionState.ACCEPTED,
        SubmissionState.UNKNOWN,
    ]
    assert len(service.asked) == 3
    assert context.slept == []


def test_settling_with_patience_ends_all_that_can_be_asked_for(submit, submitter, clock, context):
    service = StagedService(clock, (True, Cancelled()), (False, Cancelled()), (True, Cancelled()), shows_after=50)
    for _ in range(3):
        with pytest.raises(Cancelled):
            submit(service)
    outcomes = submitter.settle(service, context, wait=True)
    assert [outcome.accepted for outcome in outcomes] == [True, False, True]
    assert outcomes[1].state is SubmissionState.NOT_SUBMITTED
    assert "Checking whether 3 jobs arrived…" in context.told


def test_settling_without_a_network_changes_nothing_and_ends(submit, submitter, ledger, clock, context):
    service = StagedService(clock, (True, Cancelled()), before_find=[NetworkError("Network down.")] * 1000)
    with pytest.raises(Cancelled):
        submit(service)
    for wait in (False, True):
        (outcome,) = submitter.settle(service, Context(clock), wait=wait)
        assert outcome.state is SubmissionState.UNKNOWN
        assert outcome.error.user_message == "Network down."
    assert recorded(ledger).state is SubmissionState.UNKNOWN


def test_settling_leaves_other_connections_alone(submit, ledger, clock):
    service = StagedService(clock, (True, Cancelled()))
    with pytest.raises(Cancelled):
        submit(service)
    assert Submitter(ledger, "sandbox", clock).settle(service, Context(clock)) == ()
    assert service.asked == []


def test_two_windows_that_settle_at_once_agree(submit, ledger, clock, tmp_path):
    service = StagedService(clock, (True, Cancelled()), (False, Cancelled()))
    for _ in range(2):
        with pytest.raises(Cancelled):
            submit(service)
    clock.now += SHOWS_WITHIN
    second = Submitter(Ledger(tmp_path / "ledger.sqlite", clock), "account", clock)
    first_say = Submitter(ledger, "account", clock).settle(service, Context(clock))
    assert [outcome.submission for outcome in first_say] == list(
        reversed([job.submissions[0] for job in ledger.jobs("account")])
    )
    assert second.settle(service, Context(clock)) == ()


def settle_while_sending(service, ledger, clock):
    """Another worker settles as soon as the request has arrived, before this one hears of any answer."""
    send = service.submit

    def submit(request):
        try:
            return send(request)
        finally:
            (found,) = Submitter(ledger, "account", clock).settle(service, Context(clock))
            assert found.accepted

    service.submit = submit


def test_an_acceptance_found_by_somebody_else_comes_with_its_job(submit, ledger, clock):
    service = StagedService(clock, (True, LOST))
    settle_while_sending(service, ledger, clock)
    outcome = submit(service)
    assert outcome.accepted
    assert outcome.job.id == "job-1"
    assert outcome.error is None
    assert recorded(ledger).service_job_id == "job-1"


def test_an_acceptance_found_by_somebody_else_counts_also_when_the_job_cannot_be_read(submit, ledger, clock):
    service = StagedService(clock, (True, LOST))
    settle_while_sending(service, ledger, clock)

    def job(job_id):
        raise NetworkError("Network down.")

    service.job = job
    outcome = submit(service)
    assert outcome.accepted
    assert outcome.job is None
    assert outcome.submission.service_job_id == "job-1"


def test_another_window_that_gave_up_does_not_hide_a_late_acceptance(submitter, ledger, clock, context):
    """The other window looked while this one's request was still under way."""
    service = StagedService(clock)
    send = service.submit

    def slow(request):
        clock.now += 5 * SHOWS_WITHIN
        Submitter(ledger, "account", clock).settle(StagedService(clock), Context(clock))
        assert recorded(ledger).state is SubmissionState.NOT_SUBMITTED
        return send(request)

    service.submit = slow
    outcome = submitter.submit(service, configuration(), Mode.LIVE, "Taormina", PRICE, context)
    assert outcome.accepted
    assert recorded(ledger).state is SubmissionState.ACCEPTED
