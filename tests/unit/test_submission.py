"""Sending once: every way an attempt can end, staged one by one."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from test_ledger import NOON, PRICE, Clock, configuration

from up42_plugin.api.errors import (
    AccessError,
    AnswerError,
    AuthError,
    Cancelled,
    NetworkError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    QuotaError,
    RateLimitedError,
    ServerError,
    ServiceError,
    TooManyJobsError,
    ValidationError,
)
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.jobs import Job, JobState, Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.submission import SHOWS_WITHIN, Submitter
from up42_plugin.core.tags import split_name

TOO_MANY = TooManyJobsError("This project runs as many jobs as it may.", status=429)
LOST = OutcomeUnknownError("No answer.")


class Context(ThreadContext):
    """Sleeps by moving the clock, and notes what the person was told."""

    def __init__(self, clock):
        super().__init__(self._note)
        self.clock = clock
        self.slept = []
        self.told = []
        self.cancel_in = None

    def _note(self, percent, text):
        self.told.append(text)

    def sleep(self, seconds):
        self.check()
        self.slept.append(seconds)
        self.clock.now += timedelta(seconds=seconds)
        if self.cancel_in is not None and len(self.slept) >= self.cancel_in:
            self.cancel()
        self.check()


class StagedService:
    """Takes jobs like the service; ``script`` says how each attempt ends, and when an arrived job shows in the list."""

    def __init__(self, clock, *script, shows_after=0.0, before_find=()):
        self.clock = clock
        self.script = list(script)
        self.shows_after = timedelta(seconds=shows_after)
        self.before_find = list(before_find)
        self.requests = []
        self.reruns = []
        self.asked = []
        self.jobs = {}

    def submit(self, request):
        self.requests.append(request)
        step = self.script.pop(0) if self.script else "accept"
        arrived, error = step if isinstance(step, tuple) else (step == "accept", None if step == "accept" else step)
        job = None
        if arrived:
            job = Job(
                f"job-{len(self.jobs) + 1}",
                request.name,
                JobState.NOT_STARTED,
                "NOT_STARTED",
                request.mode,
                self.clock(),
            )
            self.jobs[request.tag] = (job, self.clock())
        if error is not None:
            raise error
        return job

    def rerun(self, job_id, request):
        self.reruns.append(job_id)
        return self.submit(request)

    def find(self, tag, since):
        self.asked.append((tag, since, self.clock()))
        if self.before_find:
            trouble = self.before_find.pop(0)
            if trouble is not None:
                raise trouble
        job, arrived = self.jobs.get(tag, (None, None))
        return job if job is not None and arrived >= since and self.clock() >= arrived + self.shows_after else None


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


def recorded(ledger):
    (job,) = ledger.jobs("account")
    (submission,) = job.submissions
    return submission


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


@contextmanager
def failing(ledger, name):
    """The disk is full from now on, for one kind of entry."""

    def fail(*arguments):
        raise LedgerError("The disk is full.")

    setattr(ledger, name, fail)
    yield
    delattr(ledger, name)


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


def test_a_rerun_is_a_submission_like_any_other(submitter, ledger, clock, context):
    service = StagedService(clock, (True, LOST))
    outcome = submitter.rerun(service, "old-job", configuration(), Mode.LIVE, "Taormina again", PRICE, context)
    assert outcome.accepted
    assert service.reruns == ["old-job"]
    (job,) = ledger.jobs("account")
    assert (job.rerun_of, job.agreed) == ("old-job", PRICE)


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


def test_no_two_submissions_share_a_tag(submit, clock):
    service = StagedService(clock)
    for _ in range(20):
        submit(service)
    tags = [request.tag for request in service.requests]
    assert len(set(tags)) == 20
    assert all(re.fullmatch(r"[a-z0-9]+", tag) for tag in tags)
