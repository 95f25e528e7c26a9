"""Sending a job that waits: only when a slot is free, and never twice."""

from __future__ import annotations

from typing import Optional, Union

from up42_plugin.api.errors import Cancelled, TooManyJobsError, Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import NewJob, Submission, SubmissionState
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_queue import LedgerQueue, PutOff, PutOffError, WaitingJob
from up42_plugin.core.service import JobService
from up42_plugin.core.slots import Listing, read_listing
from up42_plugin.core.submission import Outcome, Recorded, Submitter


def submit_waiting(  # noqa: PLR0917 - as Submitter.submit
    queue: LedgerQueue,
    job: WaitingJob,
    submitter: Submitter,
    service: JobService,
    context: JobContext,
    recorded: Optional[Recorded] = None,
) -> Union[Outcome, PutOff]:
    """Send a waiting job if a slot is free now. With a :class:`PutOff` nothing was sent, and nothing is lost."""
    try:
        seen = read_listing(service, lambda: queue.now)
    except Cancelled:
        raise
    except Up42Error:
        return PutOff.NO_ANSWER

    def claim(new: NewJob) -> Submission:
        return _claim(queue, job, new, seen)

    try:
        outcome = submitter.submit(
            service,
            job.configuration,
            Mode.LIVE,
            job.name,
            job.agreed,
            context,
            recorded,
            record=claim,
            patient=False,
        )
    except PutOffError as error:
        return error.why
    refused_for_now = outcome.state is SubmissionState.REFUSED and isinstance(outcome.error, TooManyJobsError)
    return PutOff.NO_SLOT if refused_for_now and queue.put_back(job.id) else outcome


def _claim(queue: LedgerQueue, job: WaitingJob, new: NewJob, seen: Listing) -> Submission:
    try:
        return queue.claim(job.id, new, seen)
    except LedgerError as error:  # it waits on in the ledger: nothing was sent
        raise PutOffError(PutOff.NO_ANSWER) from error
