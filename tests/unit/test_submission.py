"""Sending once: every way an attempt can end, staged one by one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from ledger_kit import NOON, PRICE, Clock, configuration
from staged_service import LOST, TOO_MANY, Context, StagedService, recorded

from up42_plugin.api.errors import (
    AccessError,
    AnswerError,
    AuthError,
    Cancelled,
    NetworkError,
    NotFoundError,
    NotSentError,
    QuotaError,
    RateLimitedError,
    ServerError,
    ServiceError,
    ValidationError,
)
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.submission import SHOWS_WITHIN, Submitter
from up42_plugin.core.tags import split_name


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


def test_an_accepted_job_is_sent_once_under_its_tag(submit, ledger, clock):
    service = StagedService(clock)
    outcome = submit(service)
    (request,) = service.requests
    assert outcome.accepted
    assert outcome.job.id == "job-1"
    assert outcome.error is None
    assert outcome.submission == recorded(ledger)
    assert outcome.submission.service_job_id == "job-1"
    assert split_name(request.name) == ("Taormina", request.tag)
    assert request.tag == outcome.submission.tag
    assert service.asked == []


def test_the_tag_is_committed_before_the_request_leaves(submit, ledger, clock):
    service = StagedService(clock)
    seen = []
    send = service.submit

    def looking(request):
        seen.append(recorded(ledger))
        return send(request)

    service.submit = looking
    submit(service)
    (before,) = seen
    assert before.state is SubmissionState.PENDING
    assert before.tag == service.requests[0].tag


def test_the_caller_hears_of_the_record_before_the_request_leaves(submitter, ledger, clock, context):
    service = StagedService(clock)
    heard = []

    def note(submission):
        heard.append((submission, recorded(ledger), len(service.requests)))

    outcome = submitter.submit(service, configuration(), Mode.LIVE, "Taormina", PRICE, context, note)
    ((told, written, sent),) = heard
    assert told == written
    assert told.tag == outcome.submission.tag
    assert sent == 0


def test_a_caller_that_fails_on_hearing_it_has_sent_nothing(submitter, ledger, clock, context):
    service = StagedService(clock)
    with pytest.raises(ZeroDivisionError):
        submitter.submit(service, configuration(), Mode.LIVE, "Taormina", PRICE, context, lambda submission: 1 // 0)
    assert service.requests == []
    assert recorded(ledger).state is SubmissionState.NOT_SENT


def test_nothing_is_sent_when_the_ledger_cannot_be_written(tmp_path, clock, context):
    (tmp_path / "profile").write_text("in the way")
    service = StagedService(clock)
    submitter = Submitter(Ledger(tmp_path / "profile" / "ledger.sqlite", clock), "account", clock)
    with pytest.raises(LedgerError):
        submitter.submit(service, configuration(), Mode.LIVE, "Taormina", PRICE, context)
    assert service.requests == []


def test_a_live_job_without_a_price_is_not_sent(submit, ledger, clock):
    service = StagedService(clock)
    with pytest.raises(ValueError, match="agreed"):
        submit(service, agreed=None)
    assert service.requests == []
    assert ledger.jobs("account") == ()


def test_a_test_query_goes_the_same_way_without_a_price(submit, ledger, clock):
    service = StagedService(clock, (True, LOST))
    outcome = submit(service, Mode.TEST_QUERY, None)
    assert outcome.accepted
    assert service.requests[0].mode is Mode.TEST_QUERY
    assert ledger.jobs("account")[0].agreed is None


def test_nothing_is_sent_or_written_when_already_cancelled(submit, ledger, clock, context):
    service = StagedService(clock)
    context.cancel()
    with pytest.raises(Cancelled):
        submit(service)
    assert service.requests == []
    assert ledger.jobs("account") == ()


def test_a_request_that_never_left_ends_as_not_sent(submit, ledger, clock):
    service = StagedService(clock, NotSentError("No such host."))
    outcome = submit(service)
    assert outcome.state is SubmissionState.NOT_SENT
    assert outcome.error.user_message == "No such host."
    assert recorded(ledger).reason == "No such host."
    assert len(service.requests) == 1
    assert service.asked == []


@pytest.mark.parametrize(
    "error",
    [
        ValidationError("No such parameter.", status=400),
        QuotaError("Not enough credits.", status=403),
        AccessError("Not allowed.", status=403),
        AuthError("Wrong key.", status=401),
        NotFoundError("No such workflow.", status=404),
        ServiceError("A teapot.", status=418),
    ],
)
def test_a_readable_no_ends_as_refused_and_is_not_sent_again(submit, ledger, clock, error):
    service = StagedService(clock, error)
    outcome = submit(service)
    assert outcome.state is SubmissionState.REFUSED
    assert outcome.error is error
    assert recorded(ledger).reason == error.user_message
    assert len(service.requests) == 1
    assert service.asked == []


UNKNOWN_ENDS = [
    LOST,
    NetworkError("The connection was cut."),
    ServerError("The service has a problem.", status=502),
    ServiceError("Odd.", status=500),
    AnswerError("The answer is not JSON."),
]


@pytest.mark.parametrize("error", UNKNOWN_ENDS)
def test_an_unknown_end_that_arrived_is_found_and_never_sent_again(submit, ledger, clock, error):
    service = StagedService(clock, (True, error))
    outcome = submit(service)
    assert outcome.accepted
    assert outcome.job.id == "job-1"
    assert recorded(ledger).service_job_id == "job-1"
    assert len(service.requests) == 1


@pytest.mark.parametrize("error", UNKNOWN_ENDS)
def test_an_unknown_end_that_did_not_arrive_ends_as_not_submitted_after_the_stated_time(submit, ledger, clock, error):
    service = StagedService(clock, (False, error))
    outcome = submit(service)
    assert outcome.state is SubmissionState.NOT_SUBMITTED
    assert outcome.error is error
    assert recorded(ledger).reason == "The service does not know this job."
    assert len(service.requests) == 1
    assert service.asked[-1][2] >= NOON + SHOWS_WITHIN


def test_a_job_that_shows_late_is_still_found(submit, clock):
    service = StagedService(clock, (True, LOST), shows_after=SHOWS_WITHIN.total_seconds() - 1)
    assert submit(service).accepted
    assert len(service.requests) == 1


def test_look_ups_become_rarer(submit, clock, context):
    submit(StagedService(clock, (False, LOST)))
    assert context.slept[0] < 2
    assert context.slept == sorted(context.slept)
    assert max(context.slept) <= 20
    assert len(context.slept) < 20
    assert set(context.told) == {"Checking whether the job arrived…"}


def test_jobs_are_looked_for_with_room_for_clocks_that_differ(submit, clock):
    service = StagedService(clock, (True, LOST))
    submit(service)
    assert NOON - service.asked[0][1] >= timedelta(hours=14)


def test_while_looking_up_fails_the_end_stays_unknown_for_later(submit, ledger, clock):
    service = StagedService(clock, (True, LOST), before_find=[NetworkError("Network down.")] * 1000)
    outcome = submit(service)
    assert outcome.state is SubmissionState.UNKNOWN
    assert outcome.error is LOST
    assert recorded(ledger).state is SubmissionState.UNKNOWN
    assert len(service.requests) == 1


def test_an_answer_from_before_the_time_was_over_does_not_end_it(submit, ledger, clock):
    """Looked up in vain early, then no network when it would count: still unknown."""
    service = StagedService(clock, (False, LOST), before_find=[None] + [NetworkError("Network down.")] * 1000)
    assert submit(service).state is SubmissionState.UNKNOWN
    assert recorded(ledger).state is SubmissionState.UNKNOWN


def test_a_look_up_that_fails_for_a_while_is_repeated(submit, clock):
    service = StagedService(clock, (True, LOST), before_find=[NetworkError("Network down.")] * 4)
    assert submit(service).accepted


def test_too_many_jobs_waits_for_a_slot_and_sends_the_same_tag_again(submit, ledger, clock, context):
    service = StagedService(clock, TOO_MANY, TOO_MANY, TOO_MANY)
    outcome = submit(service)
    assert outcome.accepted
    assert len({request.tag for request in service.requests}) == 1
    assert len(service.requests) == 4
    assert recorded(ledger).attempts == 4
    assert context.told == ["Waiting for a free job slot…"] * 3
    assert context.slept == [5, 10, 20]


def test_while_waiting_for_a_slot_the_ledger_says_refused(submit, ledger, clock, context):
    states = []
    sleep = context.sleep

    def watching(seconds):
        states.append(recorded(ledger).state)
        sleep(seconds)

    context.sleep = watching
    submit(StagedService(clock, TOO_MANY, TOO_MANY))
    assert states == [SubmissionState.REFUSED] * 2


def test_cancelled_while_waiting_for_a_slot_nothing_is_open(submit, submitter, ledger, clock, context):
    service = StagedService(clock, TOO_MANY, TOO_MANY, TOO_MANY)
    context.cancel_in = 2
    with pytest.raises(Cancelled):
        submit(service)
    assert recorded(ledger).state is SubmissionState.REFUSED
    assert len(service.requests) == 2
    assert submitter.settle(service, Context(clock)) == ()


def test_the_rate_limit_is_waited_out_as_long_as_the_service_asks(submit, clock, context):
    service = StagedService(clock, RateLimitedError("Slow down.", retry_after=17.0), RateLimitedError("Slow down."))
    assert submit(service).accepted
    assert len({request.tag for request in service.requests}) == 1
    assert context.slept == [17.0, 4]


def test_after_waiting_for_a_slot_an_unknown_end_is_looked_up_too(submit, ledger, clock):
    service = StagedService(clock, TOO_MANY, (True, LOST))
    assert submit(service).accepted
    assert len(service.requests) == 2
    assert recorded(ledger).attempts == 2


def test_the_time_to_show_counts_from_the_last_attempt(submit, clock):
    service = StagedService(clock, *[TOO_MANY] * 12, (True, LOST), shows_after=100)
    assert submit(service).accepted


def test_a_rerun_is_a_submission_like_any_other(submitter, ledger, clock, context):
    service = StagedService(clock, (True, LOST))
    outcome = submitter.rerun(service, "old-job", configuration(), Mode.LIVE, "Taormina again", PRICE, context)
    assert outcome.accepted
    assert service.reruns == ["old-job"]
    (job,) = ledger.jobs("account")
    assert (job.rerun_of, job.agreed) == ("old-job", PRICE)


def test_no_two_submissions_share_a_tag(submit, clock):
    service = StagedService(clock)
    for _ in range(20):
        submit(service)
    tags = [request.tag for request in service.requests]
    assert len(set(tags)) == 20
    assert all(re.fullmatch(r"[a-z0-9]+", tag) for tag in tags)
