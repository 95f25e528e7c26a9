"""Our own record of every job configuration and submission, written before anything is sent.

It is what makes sure that nothing is paid for twice: a submission is committed here, with the tag that its job will
carry on the service, before its request leaves; how it ended is added afterwards. Whatever has no known end is looked
up by its tag, also by the next process when this one died. Everything is keyed by connection id, never by address, and
nothing secret is written.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Callable, Optional, Tuple

from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger_file import LedgerFile, text_of, utc_now
from up42_plugin.core.ledger_rows import (
    JOBS,
    NewJob,
    RecordedConfiguration,
    RecordedJob,
    Submission,
    SubmissionState,
    add_job,
    read_job,
    read_submission,
    send_again,
    submission_of,
    waiting_credits,
)

__all__ = ["Clock", "Ledger", "NewJob", "RecordedConfiguration", "RecordedJob", "Submission", "SubmissionState"]

Clock = Callable[[], datetime]


class Ledger:
    """The ledger in the file ``path``. Safe to use from many threads and processes; every method may raise LedgerError.

    ``notice`` is a message for the person when an unreadable file was found and set aside; ``log`` is told where.
    ``file`` and ``now`` are for those who keep more in the same file.
    """

    def __init__(self, path: Path, now: Clock = utc_now, log: Callable[[str], None] = lambda _line: None) -> None:
        self.file = LedgerFile(path, now, log=log)
        self.now = now

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self.file.path

    @property
    def notice(self) -> str:
        """Empty, or what happened to an unreadable ledger."""
        return self.file.notice

    def add(self, new: NewJob) -> Submission:
        """Commit a job with its first submission: PENDING, about to be sent for the first time."""
        with self.file.writing() as connection:
            return add_job(connection, new, text_of(self.now()))

    def begin_again(self, submission: Submission) -> Submission:
        """Commit that a REFUSED submission is about to be sent once more, with its tag.

        Raises ``LedgerError`` for any other, so that two windows can never send the same one.
        """
        with self.file.writing() as connection:
            return send_again(connection, submission, text_of(self.now()))

    def end_attempt(self, submission: Submission, state: SubmissionState, reason: str = "") -> Submission:
        """Commit how an attempt ended without a job: NOT_SENT, REFUSED or UNKNOWN. An end known already stays."""
        with self.file.writing() as connection:
            connection.execute(
                "UPDATE submissions SET state = ?, reason = ?, ended = ? WHERE id = ? AND attempts = ? AND state = ?",
                (
                    state.value,
                    reason,
                    text_of(self.now()),
                    submission.id,
                    submission.attempts,
                    SubmissionState.PENDING.value,
                ),
            )
            return submission_of(connection, submission.id)

    def accept(self, submission: Submission, service_job_id: str) -> Submission:
        """Commit that the service has the job. This is the truth whatever was written before."""
        with self.file.writing() as connection:
            connection.execute(
                "UPDATE submissions SET state = ?, service_job_id = ?, reason = '', ended = coalesce(ended, ?)"
                " WHERE id = ?",
                (SubmissionState.ACCEPTED.value, service_job_id, text_of(self.now()), submission.id),
            )
            return submission_of(connection, submission.id)

    def give_up(self, submission: Submission, reason: str) -> Submission:
        """Commit NOT_SUBMITTED, unless somebody settled or sent it since ``submission`` was read."""
        with self.file.writing() as connection:
            connection.execute(
                "UPDATE submissions SET state = ?, reason = ?, ended = coalesce(ended, ?)"
                " WHERE id = ? AND attempts = ? AND state IN (?, ?)",
                (
                    SubmissionState.NOT_SUBMITTED.value,
                    reason,
                    text_of(self.now()),
                    submission.id,
                    submission.attempts,
                    SubmissionState.PENDING.value,
                    SubmissionState.UNKNOWN.value,
                ),
            )
            return submission_of(connection, submission.id)

    def charge(
        self,
        connection_id: str,
        service_job_id: str,
        charged: Optional[float],
        held: Optional[float] = None,
        returned: Optional[float] = None,
    ) -> None:
        """Commit what the service charged for a job of ours, in credits; of a job that is not ours nothing is kept.

        What it holds for the job, and what it gave back, is committed where it tells that; None leaves what is known.
        """
        with self.file.writing() as connection:
            connection.execute(
                "UPDATE submissions SET charged_credits = coalesce(?, charged_credits),"
                " held_credits = coalesce(?, held_credits), returned_credits = coalesce(?, returned_credits)"
                " WHERE service_job_id = ? AND service_job_id <> ''"
                " AND job_id IN (SELECT id FROM jobs WHERE connection_id = ?)",
                (charged, held, returned, service_job_id, connection_id),
            )

    def spent(self, connection_id: str, since: datetime) -> float:
        """Credits that live jobs recorded since then cost: what was charged, else the most that was agreed to.

        A submission whose end is not known counts too, because it may yet turn out to have arrived, and so does a job
        that waits for a free slot.
        """
        counted = (SubmissionState.ACCEPTED, SubmissionState.PENDING, SubmissionState.UNKNOWN)
        with self.file.reading() as connection:
            row = connection.execute(
                "SELECT coalesce(sum(coalesce(submissions.charged_credits, submissions.agreed_credits, 0)), 0)"
                " FROM submissions JOIN jobs ON jobs.id = submissions.job_id WHERE jobs.connection_id = ?"
                " AND jobs.mode = ? AND submissions.created >= ? AND submissions.state IN (?, ?, ?)",
                (connection_id, Mode.LIVE.value, text_of(since), *(state.value for state in counted)),
            ).fetchone()
            return float(row[0]) + waiting_credits(connection, connection_id, text_of(since))

    def unsettled(self, connection_id: str) -> Tuple[Submission, ...]:
        """Submissions of a connection whose end is not known, oldest first; also those a dead process left PENDING."""
        with self.file.reading() as connection:
            rows = connection.execute(
                "SELECT submissions.* FROM submissions JOIN jobs ON jobs.id = submissions.job_id"
                " WHERE jobs.connection_id = ? AND submissions.state IN (?, ?) ORDER BY submissions.id",
                (connection_id, SubmissionState.PENDING.value, SubmissionState.UNKNOWN.value),
            ).fetchall()
        return tuple(read_submission(row) for row in rows)

    def submission(self, submission_id: int) -> Submission:
        """One submission as it stands now; raises ``LedgerError`` when there is none."""
        with self.file.reading() as connection:
            return submission_of(connection, submission_id)

    def jobs(self, connection_id: str, limit: int = 100) -> Tuple[RecordedJob, ...]:
        """The newest jobs of ours on a connection, newest first."""
        with self.file.reading() as connection:
            rows = connection.execute(
                f"{JOBS} WHERE jobs.connection_id = ? ORDER BY jobs.created DESC, jobs.rowid DESC LIMIT ?",
                (connection_id, limit),
            ).fetchall()
            return tuple(read_job(connection, row) for row in rows)

    def job(self, job_id: str) -> Optional[RecordedJob]:
        """A job of ours by our id."""
        with self.file.reading() as connection:
            row = connection.execute(f"{JOBS} WHERE jobs.id = ?", (job_id,)).fetchone()
            return None if row is None else read_job(connection, row)

    def job_on_service(self, connection_id: str, service_job_id: str) -> Optional[RecordedJob]:
        """The job of ours that is ``service_job_id`` on the service, None when it is not ours."""
        with self.file.reading() as connection:
            row = connection.execute(
                f"{JOBS} JOIN submissions ON submissions.job_id = jobs.id"
                " WHERE jobs.connection_id = ? AND submissions.service_job_id = ?",
                (connection_id, service_job_id),
            ).fetchone()
            return None if row is None else read_job(connection, row)
