"""Sending a job exactly once, and finding out how that ended.

The tag is committed to the ledger before the request leaves, the request is sent once, and it is sent again only after
the service has definitely refused it. Whenever it is not known whether it arrived, the tag is looked up on the service
until it is found, or until the service, asked long enough after, does not know it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Callable, List, Optional, Tuple

from up42_plugin.api.errors import (
    Cancelled,
    NotSentError,
    RateLimitedError,
    ServerError,
    ServiceError,
    TooManyJobsError,
    Up42Error,
)
from up42_plugin.api.transport import slow_down
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Job, Mode
from up42_plugin.core.ledger import Clock, Ledger, NewJob, Submission, SubmissionState
from up42_plugin.core.ledger_file import LedgerError, utc_now
from up42_plugin.core.service import JobService, SubmissionRequest
from up42_plugin.core.tags import make_tag, tagged_name

Send = Callable[[SubmissionRequest], Job]
#: Called in the worker once the ledger has the submission, before anything is sent.
Recorded = Callable[[Submission], None]
#: Commits a submission before it is sent: the ledger's own way, or that of a job that waited in it.
Record = Callable[[NewJob], Submission]

#: The service may show a new job late: only after this time does "not in the list" mean "not submitted".
SHOWS_WITHIN = timedelta(minutes=2)
#: Longer than any attempt can take (time-outs included); for attempts of a process that died in the middle.
ATTEMPT_ENDS_WITHIN = timedelta(minutes=2)
#: Clocks differ: jobs are looked for among those made since this long before the submission.
CLOCKS_DIFFER_BY = timedelta(days=1)

_FIRST_STATUS_OF_SERVER_ERRORS = 500


@dataclass(frozen=True)
class Pace:
    """How long to wait, in seconds: each wait is twice the one before, from ``first`` to ``longest``."""

    first: float
    longest: float

    def after(self, wait: float) -> float:
        """The wait that follows ``wait``."""
        return min(wait * 2, self.longest)


@dataclass(frozen=True)
class Waits:
    """Every waiting of a :class:`Submitter`."""

    slot: Pace = Pace(5, 30)
    rate: Pace = Pace(2, 60)
    lookup: Pace = Pace(1, 20)
    shows_within: timedelta = SHOWS_WITHIN
    attempt_ends_within: timedelta = ATTEMPT_ENDS_WITHIN


@dataclass(frozen=True)
class Outcome:
    """How a submission stands after all that could be done now.

    ``job`` is the service's job when it was accepted; None where another window found that out and the job cannot be
    read now. ``error`` says why not, or what made the end unknown. ``state``
    UNKNOWN (or PENDING) means: to be settled later, by :meth:`Submitter.settle`.
    """

    submission: Submission
    job: Optional[Job] = None
    error: Optional[Up42Error] = None

    @property
    def state(self) -> SubmissionState:
        """The submission's state."""
        return self.submission.state

    @property
    def accepted(self) -> bool:
        """Whether the service has the job."""
        return self.state is SubmissionState.ACCEPTED


@dataclass(frozen=True)
class _Wish:
    configuration: JobConfiguration
    mode: Mode
    name: str
    agreed: Optional[Range]
    rerun_of: str = ""
    record: Optional[Record] = None
    patient: bool = True


class Submitter:
    """Submits the jobs of one connection. Holds nothing but its collaborators: any number of workers may share it."""

    def __init__(self, ledger: Ledger, connection_id: str, now: Clock = utc_now, waits: Optional[Waits] = None) -> None:
        self._ledger = ledger
        self._connection_id = connection_id
        self._now = now
        self._waits = waits or Waits()

    def submit(  # noqa: PLR0917 - everything a paid job is made of, named at the one place that sends it
        self,
        service: JobService,
        configuration: JobConfiguration,
        mode: Mode,
        name: str,
        agreed: Optional[Range],
        context: JobContext,
        recorded: Optional[Recorded] = None,
        *,
        record: Optional[Record] = None,
        patient: bool = True,
    ) -> Outcome:
        """Send a job once. ``agreed`` are the credits the person said yes to; None only for a test query.

        Waits for a slot when the project has too many unfinished jobs, and for the service's rate limit. Raises
        ``LedgerError`` before anything is sent when the ledger cannot be written, and ``Cancelled``: then the ledger
        knows how it stands, and what is not known is for :meth:`settle`. ``recorded`` is called in the worker once
        the submission is committed, before it is sent. ``record`` commits it in another way. Without ``patient``, too
        many unfinished jobs are a refusal like any other.
        """
        wish = _Wish(configuration, mode, name, agreed, record=record, patient=patient)
        return self._run(service, service.submit, wish, context, recorded)

    def rerun(  # noqa: PLR0917 - as submit
        self,
        service: JobService,
        service_job_id: str,
        configuration: JobConfiguration,
        mode: Mode,
        name: str,
        agreed: Optional[Range],
        context: JobContext,
        recorded: Optional[Recorded] = None,
    ) -> Outcome:
        """Run an existing job again as a new one; as :meth:`submit` in everything else.

        ``configuration`` is what that job ran with.
        """

        def send(request: SubmissionRequest) -> Job:
            return service.rerun(service_job_id, request)

        wish = _Wish(configuration, mode, name, agreed, service_job_id)
        return self._run(service, send, wish, context, recorded)

    def settle(self, service: JobService, context: JobContext, wait: bool = False) -> Tuple[Outcome, ...]:
        """Look up every submission of the connection whose end is not known, also those of a process that died.

        One look at each; with ``wait`` looked up again until each is found or its time is over. Returns them all as
        they stand now. A look-up that fails leaves its submission as it is, with the error in the outcome.
        """
        open_ones = list(self._ledger.unsettled(self._connection_id))
        done: List[Outcome] = []
        pause = self._waits.lookup.first
        while open_ones:
            outcomes = [self._look_up(service, submission, context) for submission in open_ones]
            done.extend(outcome for outcome in outcomes if outcome.state.settled)
            left = [outcome for outcome in outcomes if not outcome.state.settled]
            failing = all(outcome.error is not None for outcome in left)
            if not wait or (failing and all(self._time_is_over(outcome.submission) for outcome in left)):
                done.extend(left)
                break
            open_ones = [outcome.submission for outcome in left]
            if open_ones:
                context.progress(-1, _checking(len(open_ones)))
                context.sleep(pause)
                pause = self._waits.lookup.after(pause)
        return tuple(sorted(done, key=lambda outcome: outcome.submission.id))

    def _run(
        self,
        service: JobService,
        send: Send,
        wish: _Wish,
        context: JobContext,
        recorded: Optional[Recorded] = None,
    ) -> Outcome:
        if wish.mode is Mode.LIVE and wish.agreed is None:
            raise ValueError("a live job needs the credits that were agreed to")
        context.check()
        tag = make_tag()
        record = wish.record or self._ledger.add
        submission = record(
            NewJob(
                connection_id=self._connection_id,
                configuration=wish.configuration,
                mode=wish.mode,
                name=wish.name,
                tag=tag,
                tagged=tagged_name(wish.name, tag),
                agreed=wish.agreed,
                rerun_of=wish.rerun_of,
            )
        )
        request = SubmissionRequest(wish.configuration, wish.mode, submission.tag, submission.name)
        if recorded is not None:
            try:
                recorded(submission)
            except BaseException:
                self._written(submission, SubmissionState.NOT_SENT, "Broken off before it was sent.")
                raise
        outcome = self._send_until_not_put_off(send, request, submission, context, wish.patient)
        if not outcome.state.settled:
            outcome = self._search(service, outcome, context)
        return _with_job(service, outcome)

    def _send_until_not_put_off(
        self,
        send: Send,
        request: SubmissionRequest,
        submission: Submission,
        context: JobContext,
        patient: bool,
    ) -> Outcome:
        """Send; when the service says "not now", wait and send the same tag again."""
        slot, rate = self._waits.slot.first, self._waits.rate.first
        while True:
            outcome = self._attempt(send, request, submission)
            error = outcome.error
            if isinstance(error, TooManyJobsError) and patient:
                context.progress(-1, "Waiting for a free job slot…")
                context.sleep(slot)
                slot = self._waits.slot.after(slot)
            elif isinstance(error, RateLimitedError):
                wait = max(error.retry_after or 0, rate)
                context.progress(-1, slow_down(wait))
                context.sleep(wait)
                rate = self._waits.rate.after(rate)
            else:
                return outcome
            submission = self._ledger.begin_again(outcome.submission)

    def _attempt(self, send: Send, request: SubmissionRequest, submission: Submission) -> Outcome:
        """One request. Every way it can end is committed before anything else happens."""
        try:
            job = send(request)
        except Exception as error:
            state = _state_after(error)
            ended = self._written(submission, state, _reason(error))
            if isinstance(error, Cancelled) or not isinstance(error, Up42Error):
                raise
            return Outcome(ended, error=error)
        except BaseException:
            self._written(submission, SubmissionState.UNKNOWN, "The attempt was broken off.")
            raise
        return Outcome(self._accepted(submission, job), job)

    def _search(self, service: JobService, outcome: Outcome, context: JobContext) -> Outcome:
        """Look an unknown end up until it is known, or the time is over and the service cannot be asked."""
        cause = outcome.error
        pause = self._waits.lookup.first
        while True:
            context.progress(-1, _checking(1))
            looked = self._look_up(service, outcome.submission, context)
            if looked.state is SubmissionState.NOT_SUBMITTED:
                return replace(looked, error=cause)
            if looked.state.settled:
                return looked
            if looked.error is not None and self._time_is_over(looked.submission):
                return replace(looked, error=cause or looked.error)
            context.sleep(pause)
            pause = self._waits.lookup.after(pause)

    def _look_up(self, service: JobService, submission: Submission, context: JobContext) -> Outcome:
        """Ask the service once. Only an answer given after the time was over can end as NOT_SUBMITTED."""
        over = self._time_is_over(submission)  # before asking: the answer must be from after
        context.check()
        try:
            job = service.find(submission.tag, submission.created - CLOCKS_DIFFER_BY)
        except Cancelled:
            raise
        except Up42Error as error:
            return Outcome(submission, error=error)
        if job is not None:
            return Outcome(self._accepted(submission, job), job)
        if over:
            now = self._ledger.give_up(submission, "The service does not know this job.")
        else:
            now = self._ledger.submission(submission.id)
        return _with_job(service, Outcome(now))

    def _time_is_over(self, submission: Submission) -> bool:
        if submission.ended is not None:
            begin: datetime = submission.ended
        else:
            begin = submission.sent + self._waits.attempt_ends_within
        return self._now() >= begin + self._waits.shows_within

    def _accepted(self, submission: Submission, job: Job) -> Submission:
        """Record it; when the ledger fails now the job is still accepted, and found by its tag at the next settling."""
        try:
            return self._ledger.accept(submission, job.id)
        except LedgerError:
            return replace(submission, state=SubmissionState.ACCEPTED, service_job_id=job.id, reason="")

    def _written(self, submission: Submission, state: SubmissionState, reason: str) -> Submission:
        """Record it; when the ledger fails now the row stays PENDING there, which is settled by looking it up."""
        try:
            return self._ledger.end_attempt(submission, state, reason)
        except LedgerError:
            return replace(submission, state=state, reason=reason, ended=self._now())


def _with_job(service: JobService, outcome: Outcome) -> Outcome:
    """The outcome with its job, where somebody else recorded the acceptance: another worker or window."""
    if not outcome.accepted or outcome.job is not None:
        return outcome
    job: Optional[Job] = None
    with suppress(Up42Error):
        job = service.job(outcome.submission.service_job_id)
    return Outcome(outcome.submission, job)


def _state_after(error: Exception) -> SubmissionState:
    """What is known after an attempt ended with ``error``: only a readable no is a refusal."""
    if isinstance(error, NotSentError):
        return SubmissionState.NOT_SENT
    refused = (
        isinstance(error, ServiceError)
        and not isinstance(error, ServerError)
        and error.status < _FIRST_STATUS_OF_SERVER_ERRORS
    )
    return SubmissionState.REFUSED if refused else SubmissionState.UNKNOWN


def _reason(error: Exception) -> str:
    if isinstance(error, Up42Error):
        return error.user_message
    return f"{type(error).__name__} while sending"


def _checking(number: int) -> str:
    return "Checking whether the job arrived…" if number == 1 else f"Checking whether {number} jobs arrived…"
