"""What live jobs cost, job by job, with held, charged and returned credits told apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Optional, Tuple

from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import text_of
from up42_plugin.core.ledger_rows import Submission, SubmissionState, read_agreed, read_submission

_LIVE_JOBS = (
    "SELECT submissions.*, jobs.name AS job_name, jobs.agreed_minimum, jobs.agreed_maximum,"
    " configurations.workflow_id, configurations.workflow_name"
    " FROM submissions JOIN jobs ON jobs.id = submissions.job_id"
    " JOIN configurations ON configurations.id = jobs.configuration_id"
    " WHERE jobs.connection_id = ? AND jobs.mode = ? AND submissions.state = ?"
)


@dataclass(frozen=True)
class Credits:
    """Credits of a job. ``charged`` is None until the service told.

    ``blocked`` were held at its start, None when that is not known; ``held`` are held now; ``returned`` were held and
    came back.
    """

    blocked: Optional[float] = None
    held: float = 0.0
    charged: Optional[float] = None
    returned: float = 0.0


@dataclass(frozen=True)
class JobSpending:
    """A live job that the service got. ``created`` is when it was submitted, in UTC; ``name`` is without tag.

    ``state`` and its ``word`` are what the service told last, None and empty until it was seen. ``ended`` when nothing
    more will be charged.
    """

    job_id: str
    service_job_id: str
    name: str
    workflow_id: str
    workflow_name: str
    created: datetime
    state: Optional[JobState]
    word: str
    agreed: Optional[Range]
    credits: Credits

    @property
    def ended(self) -> bool:
        """Whether it is over: the service said so, or told what it cost."""
        return self.credits.charged is not None or (self.state is not None and self.state.terminal)


def credits_of(submission: Submission, agreed: Optional[Range]) -> Credits:
    """The credits of a submission of a live job for which ``agreed`` was agreed to.

    Where the service does not tell what it holds, that is the least the job may cost.
    """
    blocked = submission.held_credits
    if blocked is None and agreed is not None and agreed.minimum > 0:
        blocked = agreed.minimum
    known, charged, told = blocked or 0.0, submission.charged_credits, submission.returned_credits
    if submission.state is not SubmissionState.ACCEPTED:
        return Credits()
    if charged is not None:
        return Credits(blocked, 0.0, charged, max(0.0, known - charged) if told is None else told)
    ended = submission.life is not None and submission.life.state.terminal
    return Credits(blocked, 0.0 if ended else max(0.0, known - (told or 0.0)), None, told or 0.0)


def spending(
    ledger: Ledger, connection_id: str, since: Optional[datetime] = None, until: Optional[datetime] = None
) -> Tuple[JobSpending, ...]:
    """The live jobs of a connection that the service got, submitted from ``since`` to before ``until``; oldest first.

    Reads a file: for workers only. Raises ``LedgerError``.
    """
    where, values = "", [connection_id, Mode.LIVE.value, SubmissionState.ACCEPTED.value]
    for sign, moment in ((">=", since), ("<", until)):
        if moment is not None:
            where += f" AND submissions.created {sign} ?"
            values.append(text_of(moment))
    found = []
    with ledger.file.reading() as connection:
        for row in connection.execute(f"{_LIVE_JOBS}{where} ORDER BY submissions.created, submissions.id", values):
            submission, agreed = read_submission(row), read_agreed(row)
            life = submission.life
            found.append(
                JobSpending(
                    job_id=submission.job_id,
                    service_job_id=submission.service_job_id,
                    name=row["job_name"],
                    workflow_id=row["workflow_id"],
                    workflow_name=row["workflow_name"],
                    created=submission.created,
                    state=life.state if life else None,
                    word=life.word if life else "",
                    agreed=agreed,
                    credits=credits_of(submission, agreed),
                )
            )
    return tuple(found)
