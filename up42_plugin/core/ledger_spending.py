"""What live jobs cost, job by job and in sums, with held, charged and returned credits told apart."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import text_of, time_of
from up42_plugin.core.ledger_rows import Submission, SubmissionState, read_submission

_COUNTED = (SubmissionState.ACCEPTED, SubmissionState.PENDING, SubmissionState.UNKNOWN)
_LIVE_JOBS = (
    "SELECT submissions.*, jobs.name AS job_name, configurations.workflow_id, configurations.workflow_name"
    " FROM submissions JOIN jobs ON jobs.id = submissions.job_id"
    " JOIN configurations ON configurations.id = jobs.configuration_id"
    " WHERE jobs.connection_id = ? AND jobs.mode = ? AND submissions.state IN (?, ?, ?)"
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Credits:
    """Credits of one job, or of several.

    ``held``: kept back for jobs that are not settled yet. ``charged``: taken for good. ``returned``: were held, and
    came back.
    """

    held: float = 0.0
    charged: float = 0.0
    returned: float = 0.0

    def __add__(self, other: Credits) -> Credits:
        return Credits(self.held + other.held, self.charged + other.charged, self.returned + other.returned)


@dataclass(frozen=True)
class JobSpending:
    """What one live job cost. ``created`` is when it was submitted, in UTC; ``state`` None until it was seen."""

    job_id: str
    service_job_id: str
    name: str
    workflow_id: str
    workflow_name: str
    created: datetime
    state: Optional[JobState]
    credits: Credits


@dataclass(frozen=True)
class SpendingSum:
    """What ``jobs`` jobs cost together; ``key`` is a day (``2024-06-01``), a month (``2024-06``) or a workflow's id."""

    key: str
    label: str
    jobs: int
    credits: Credits


def credits_of(submission: Submission) -> Credits:
    """What a submission of a live job holds, was charged and got back.

    Where the service does not tell what it holds, it is the most that was agreed to, until the charge is known.
    """
    if submission.state not in _COUNTED:
        return Credits()
    held = submission.agreed_credits if submission.held_credits is None else submission.held_credits
    held = held or 0.0
    returned = submission.returned_credits
    if submission.charged_credits is None:
        return Credits(held=max(0.0, held - (returned or 0.0)), returned=returned or 0.0)
    left = max(0.0, held - submission.charged_credits)
    return Credits(charged=submission.charged_credits, returned=left if returned is None else returned)


def spending(
    ledger: Ledger, connection_id: str, since: Optional[datetime] = None, until: Optional[datetime] = None
) -> Tuple[JobSpending, ...]:
    """The live jobs of a connection that cost something or may, submitted from ``since`` to before ``until``.

    Oldest first. Reads a file: for workers only. Raises ``LedgerError``.
    """
    where, values = "", [connection_id, Mode.LIVE.value, *(state.value for state in _COUNTED)]
    for sign, moment in ((">=", since), ("<", until)):
        if moment is not None:
            where += f" AND submissions.created {sign} ?"
            values.append(text_of(moment))
    with ledger.file.reading() as connection:
        rows = connection.execute(
            f"{_LIVE_JOBS}{where} ORDER BY submissions.created, submissions.id", values
        ).fetchall()
    found = []
    for row in rows:
        submission = read_submission(row)
        found.append(
            JobSpending(
                job_id=submission.job_id,
                service_job_id=submission.service_job_id,
                name=row["job_name"],
                workflow_id=row["workflow_id"],
                workflow_name=row["workflow_name"],
                created=time_of(row["created"]),
                state=submission.life.state if submission.life else None,
                credits=credits_of(submission),
            )
        )
    return tuple(found)


def by_day(jobs: Iterable[JobSpending], zone: Optional[tzinfo] = None) -> Tuple[SpendingSum, ...]:
    """Sums per day of the person's own calendar (``zone`` None), oldest first; days without jobs are left out."""
    return _sums(jobs, lambda job: job.created.astimezone(zone).strftime("%Y-%m-%d"))


def by_month(jobs: Iterable[JobSpending], zone: Optional[tzinfo] = None) -> Tuple[SpendingSum, ...]:
    """Sums per month of the person's own calendar (``zone`` None), oldest first."""
    return _sums(jobs, lambda job: job.created.astimezone(zone).strftime("%Y-%m"))


def by_workflow(jobs: Iterable[JobSpending]) -> Tuple[SpendingSum, ...]:
    """Sums per workflow, the dearest first; each has the name that its workflow had last."""
    jobs = tuple(jobs)
    names = {job.workflow_id: job.workflow_name for job in jobs}
    sums = _sums(jobs, lambda job: job.workflow_id, names)
    return tuple(sorted(sums, key=lambda item: (-item.credits.charged - item.credits.held, item.label)))


def spending_csv(jobs: Iterable[JobSpending], zone: Optional[tzinfo] = None) -> str:
    """The jobs as a table for a spreadsheet, with a line of titles; times are the person's own."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["Submitted", "Name", "Workflow", "State", "Held", "Charged", "Returned", "Job ID"])
    for job in jobs:
        credits_used = job.credits
        table.writerow(
            [
                job.created.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
                _harmless(job.name),
                _harmless(job.workflow_name),
                job.state.value if job.state else "",
                *map(_number, (credits_used.held, credits_used.charged, credits_used.returned)),
                job.service_job_id,
            ]
        )
    return text.getvalue()


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else str(round(value, 2))


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _sums(
    jobs: Iterable[JobSpending], key_of: Callable[[JobSpending], str], labels: Optional[Dict[str, str]] = None
) -> Tuple[SpendingSum, ...]:
    groups: Dict[str, List[JobSpending]] = {}
    for job in jobs:
        groups.setdefault(key_of(job), []).append(job)
    return tuple(
        SpendingSum(key, (labels or {}).get(key, key), len(found), sum((job.credits for job in found), Credits()))
        for key, found in sorted(groups.items())
    )
