"""Our own record of every job configuration and submission, written before anything is sent.

It is what makes sure that nothing is paid for twice: a submission is committed here, with the tag that its job will
carry on the service, before its request leaves; how it ended is added afterwards. Whatever has no known end is looked
up by its tag, also by the next process when this one died. Everything is keyed by connection id, never by address, and
nothing secret is written.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, Tuple

from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger_file import LedgerError, LedgerFile, text_of, time_of, utc_now

Clock = Callable[[], datetime]


class SubmissionState(str, Enum):
    """How a submission stands.

    PENDING: committed, being sent. ACCEPTED: the service has the job. NOT_SENT: the request never left. REFUSED: the
    service said no. UNKNOWN: it may or may not have arrived; to be looked up. NOT_SUBMITTED: looked up long enough
    after, and the service does not know it.
    """

    PENDING = "PENDING"
    ACCEPTED = "ACCEPTED"
    NOT_SENT = "NOT_SENT"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    NOT_SUBMITTED = "NOT_SUBMITTED"

    @property
    def settled(self) -> bool:
        """Whether the end is known."""
        return self not in (SubmissionState.PENDING, SubmissionState.UNKNOWN)


@dataclass(frozen=True)
class Submission:
    """One request of a job of ours. Times are UTC.

    ``job_id`` is ours, ``service_job_id`` the service's (empty until accepted). ``name`` is as sent, with the tag.
    ``sent`` is when the last attempt began and ``ended`` when it ended: None while it goes on, and for an attempt whose
    process died in the middle. ``charged_credits`` is what the service charged in the end, None until it told.
    """

    id: int
    job_id: str
    step: int
    tag: str
    name: str
    state: SubmissionState
    created: datetime
    sent: datetime
    attempts: int = 1
    agreed_credits: Optional[float] = None
    service_job_id: str = ""
    reason: str = ""
    ended: Optional[datetime] = None
    charged_credits: Optional[float] = None


@dataclass(frozen=True)
class RecordedConfiguration:
    """A job configuration as it was submitted. ``inputs`` is the JSON body without ``config``; ``aoi`` is GeoJSON."""

    fingerprint: str
    workflow_id: str
    workflow_name: str
    geometric_filter: str
    inputs: Mapping[str, Any]
    aoi: Optional[Mapping[str, Any]]
    aoi_km2: Optional[float]


@dataclass(frozen=True)
class RecordedJob:
    """A job of ours. ``name`` is without tag; ``agreed`` is the price the person said yes to, None for a test query."""

    id: str
    connection_id: str
    name: str
    mode: Mode
    configuration: RecordedConfiguration
    agreed: Optional[Range]
    rerun_of: str
    created: datetime
    submissions: Tuple[Submission, ...]


@dataclass(frozen=True)
class NewJob:
    """What is written before a job is sent; ``tagged`` is the name that goes to the service."""

    connection_id: str
    configuration: JobConfiguration
    mode: Mode
    name: str
    tag: str
    tagged: str
    agreed: Optional[Range] = None
    rerun_of: str = ""


class Ledger:
    """The ledger in the file ``path``. Safe to use from many threads and processes; every method may raise LedgerError.

    ``notice`` is a message for the person when an unreadable file was found and set aside; ``log`` is told where.
    """

    def __init__(self, path: Path, now: Clock = utc_now, log: Callable[[str], None] = lambda _line: None) -> None:
        self._file = LedgerFile(path, now, log=log)
        self._now = now

    @property
    def path(self) -> Path:
        """The SQLite file."""
        return self._file.path

    @property
    def notice(self) -> str:
        """Empty, or what happened to an unreadable ledger."""
        return self._file.notice

    def add(self, new: NewJob) -> Submission:
        """Commit a job with its first submission: PENDING, about to be sent for the first time."""
        job_id = uuid.uuid4().hex
        now = text_of(self._now())
        agreed = new.agreed
        with self._file.writing() as connection:
            connection.execute(
                "INSERT INTO jobs (id, connection_id, configuration_id, name, mode, agreed_minimum, agreed_maximum,"
                " rerun_of, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job_id,
                    new.connection_id,
                    _configuration_id(connection, new.configuration, now),
                    new.name,
                    new.mode.value,
                    None if agreed is None else agreed.minimum,
                    None if agreed is None else agreed.maximum,
                    new.rerun_of,
                    now,
                ),
            )
            row = connection.execute(
                "INSERT INTO submissions (job_id, step, tag, name, agreed_credits, state, attempts, created, sent)"
                " VALUES (?, 0, ?, ?, ?, ?, 1, ?, ?)",
                (
                    job_id,
                    new.tag,
                    new.tagged,
                    None if agreed is None else agreed.maximum,
                    SubmissionState.PENDING.value,
                    now,
                    now,
                ),
            ).lastrowid
            return _submission(connection, int(row or 0))

    def begin_again(self, submission: Submission) -> Submission:
        """Commit that a REFUSED submission is about to be sent once more, with its tag.

        Raises ``LedgerError`` for any other, so that two windows can never send the same one.
        """
        with self._file.writing() as connection:
            changed = connection.execute(
                "UPDATE submissions SET state = ?, sent = ?, ended = NULL, reason = '', attempts = attempts + 1"
                " WHERE id = ? AND attempts = ? AND state = ?",
                (
                    SubmissionState.PENDING.value,
                    text_of(self._now()),
                    submission.id,
                    submission.attempts,
                    SubmissionState.REFUSED.value,
                ),
            ).rowcount
            found = _submission(connection, submission.id)
            if changed != 1:
                raise LedgerError(
                    f"The job {submission.name!r} is not sent again: it was settled in the meantime.",
                    f"submission {found.id} is {found.state.value} after {found.attempts} attempts",
                )
            return found

    def end_attempt(self, submission: Submission, state: SubmissionState, reason: str = "") -> Submission:
        """Commit how an attempt ended without a job: NOT_SENT, REFUSED or UNKNOWN. An end known already stays."""
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE submissions SET state = ?, reason = ?, ended = ? WHERE id = ? AND attempts = ? AND state = ?",
                (
                    state.value,
                    reason,
                    text_of(self._now()),
                    submission.id,
                    submission.attempts,
                    SubmissionState.PENDING.value,
                ),
            )
            return _submission(connection, submission.id)

    def accept(self, submission: Submission, service_job_id: str) -> Submission:
        """Commit that the service has the job. This is the truth whatever was written before."""
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE submissions SET state = ?, service_job_id = ?, reason = '', ended = coalesce(ended, ?)"
                " WHERE id = ?",
                (SubmissionState.ACCEPTED.value, service_job_id, text_of(self._now()), submission.id),
            )
            return _submission(connection, submission.id)

    def give_up(self, submission: Submission, reason: str) -> Submission:
        """Commit NOT_SUBMITTED, unless somebody settled or sent it since ``submission`` was read."""
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE submissions SET state = ?, reason = ?, ended = coalesce(ended, ?)"
                " WHERE id = ? AND attempts = ? AND state IN (?, ?)",
                (
                    SubmissionState.NOT_SUBMITTED.value,
                    reason,
                    text_of(self._now()),
                    submission.id,
                    submission.attempts,
                    SubmissionState.PENDING.value,
                    SubmissionState.UNKNOWN.value,
                ),
            )
            return _submission(connection, submission.id)

    def charge(self, connection_id: str, service_job_id: str, charged: float) -> None:
        """Commit what the service charged for a job of ours, in credits; of a job that is not ours nothing is kept."""
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE submissions SET charged_credits = ? WHERE service_job_id = ? AND service_job_id <> ''"
                " AND job_id IN (SELECT id FROM jobs WHERE connection_id = ?)",
                (charged, service_job_id, connection_id),
            )

    def spent(self, connection_id: str, since: datetime) -> float:
        """Credits that live jobs recorded since then cost: what was charged, else the most that was agreed to.

        A submission whose end is not known counts too, because it may yet turn out to have arrived.
        """
        counted = (SubmissionState.ACCEPTED, SubmissionState.PENDING, SubmissionState.UNKNOWN)
        with self._file.reading() as connection:
            row = connection.execute(
                "SELECT coalesce(sum(coalesce(submissions.charged_credits, submissions.agreed_credits, 0)), 0)"
                " FROM submissions JOIN jobs ON jobs.id = submissions.job_id WHERE jobs.connection_id = ?"
                " AND jobs.mode = ? AND submissions.created >= ? AND submissions.state IN (?, ?, ?)",
                (connection_id, Mode.LIVE.value, text_of(since), *(state.value for state in counted)),
            ).fetchone()
        return float(row[0])

    def unsettled(self, connection_id: str) -> Tuple[Submission, ...]:
        """Submissions of a connection whose end is not known, oldest first; also those a dead process left PENDING."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT submissions.* FROM submissions JOIN jobs ON jobs.id = submissions.job_id"
                " WHERE jobs.connection_id = ? AND submissions.state IN (?, ?) ORDER BY submissions.id",
                (connection_id, SubmissionState.PENDING.value, SubmissionState.UNKNOWN.value),
            ).fetchall()
        return tuple(_read_submission(row) for row in rows)

    def submission(self, submission_id: int) -> Submission:
        """One submission as it stands now; raises ``LedgerError`` when there is none."""
        with self._file.reading() as connection:
            return _submission(connection, submission_id)

    def jobs(self, connection_id: str, limit: int = 100) -> Tuple[RecordedJob, ...]:
        """The newest jobs of ours on a connection, newest first."""
        with self._file.reading() as connection:
            rows = connection.execute(
                f"{_JOBS} WHERE jobs.connection_id = ? ORDER BY jobs.created DESC, jobs.rowid DESC LIMIT ?",
                (connection_id, limit),
            ).fetchall()
            return tuple(_read_job(connection, row) for row in rows)

    def job(self, job_id: str) -> Optional[RecordedJob]:
        """A job of ours by our id."""
        with self._file.reading() as connection:
            row = connection.execute(f"{_JOBS} WHERE jobs.id = ?", (job_id,)).fetchone()
            return None if row is None else _read_job(connection, row)

    def job_on_service(self, connection_id: str, service_job_id: str) -> Optional[RecordedJob]:
        """The job of ours that is ``service_job_id`` on the service, None when it is not ours."""
        with self._file.reading() as connection:
            row = connection.execute(
                f"{_JOBS} JOIN submissions ON submissions.job_id = jobs.id"
                " WHERE jobs.connection_id = ? AND submissions.service_job_id = ?",
                (connection_id, service_job_id),
            ).fetchone()
            return None if row is None else _read_job(connection, row)


_JOBS = (
    "SELECT jobs.*, configurations.fingerprint, configurations.workflow_id, configurations.workflow_name,"
    " configurations.geometric_filter, configurations.inputs, configurations.aoi, configurations.aoi_km2"
    " FROM jobs JOIN configurations ON configurations.id = jobs.configuration_id"
)


_SAME_CONFIGURATION = (
    "SELECT id FROM configurations WHERE fingerprint = :fingerprint AND workflow_id = :workflow_id"
    " AND workflow_name = :workflow_name AND geometric_filter = :geometric_filter AND inputs = :inputs"
    " AND aoi IS :aoi AND aoi_km2 IS :aoi_km2"
)
_NEW_CONFIGURATION = (
    "INSERT INTO configurations (fingerprint, workflow_id, workflow_name, geometric_filter, inputs, aoi, aoi_km2,"
    " created) VALUES (:fingerprint, :workflow_id, :workflow_name, :geometric_filter, :inputs, :aoi, :aoi_km2,"
    " :created)"
)


def _configuration_id(connection: sqlite3.Connection, configuration: JobConfiguration, now: str) -> int:
    """The row of this configuration. Equal fingerprints may have been written differently: each form has its row."""
    aoi = configuration.aoi
    inputs = {name: value for name, value in configuration.inputs(Mode.LIVE).items() if name != "config"}
    values = {
        "fingerprint": configuration.fingerprint,
        "workflow_id": configuration.workflow.id,
        "workflow_name": configuration.workflow.name,
        "geometric_filter": configuration.geometric_filter.value,
        "inputs": json.dumps(inputs),
        "aoi": None if aoi is None else json.dumps(aoi.geojson()),
        "aoi_km2": None if aoi is None else aoi.area_km2,
    }
    found = connection.execute(_SAME_CONFIGURATION, values).fetchone()
    if found is not None:
        return int(found["id"])
    return int(connection.execute(_NEW_CONFIGURATION, {**values, "created": now}).lastrowid or 0)


def _submission(connection: sqlite3.Connection, submission_id: int) -> Submission:
    row = connection.execute("SELECT * FROM submissions WHERE id = ?", (submission_id,)).fetchone()
    if row is None:
        raise LedgerError("The record of this job is gone.", f"no submission {submission_id}")
    return _read_submission(row)


def _read_submission(row: sqlite3.Row) -> Submission:
    return Submission(
        id=row["id"],
        job_id=row["job_id"],
        step=row["step"],
        tag=row["tag"],
        name=row["name"],
        state=SubmissionState(row["state"]),
        created=time_of(row["created"]),
        agreed_credits=row["agreed_credits"],
        service_job_id=row["service_job_id"],
        reason=row["reason"],
        attempts=row["attempts"],
        sent=time_of(row["sent"]),
        ended=time_of(row["ended"]) if row["ended"] else None,
        charged_credits=row["charged_credits"],
    )


def _read_job(connection: sqlite3.Connection, row: sqlite3.Row) -> RecordedJob:
    submissions = connection.execute(
        "SELECT * FROM submissions WHERE job_id = ? ORDER BY step", (row["id"],)
    ).fetchall()
    configuration = RecordedConfiguration(
        fingerprint=row["fingerprint"],
        workflow_id=row["workflow_id"],
        workflow_name=row["workflow_name"],
        geometric_filter=row["geometric_filter"],
        inputs=json.loads(row["inputs"]),
        aoi=json.loads(row["aoi"]) if row["aoi"] else None,
        aoi_km2=row["aoi_km2"],
    )
    agreed = None if row["agreed_maximum"] is None else Range(row["agreed_minimum"], row["agreed_maximum"])
    return RecordedJob(
        id=row["id"],
        connection_id=row["connection_id"],
        name=row["name"],
        mode=Mode(row["mode"]),
        configuration=configuration,
        agreed=agreed,
        rerun_of=row["rerun_of"],
        created=time_of(row["created"]),
        submissions=tuple(_read_submission(item) for item in submissions),
    )
