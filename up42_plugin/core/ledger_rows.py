"""What the ledger holds, as values, and how they are read from its rows and written to them."""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Mapping, Optional, Tuple

from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.ledger_file import LedgerError, time_of
from up42_plugin.core.ledger_geopackage import geojson_of, geometry_blob


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
class JobLife:
    """What the service told last of a job, and when we saw that (``seen``). Times are UTC."""

    state: JobState
    word: str
    created: datetime
    seen: datetime
    started: Optional[datetime] = None
    finished: Optional[datetime] = None


@dataclass(frozen=True)
class Submission:
    """One request of a job of ours. Times are UTC.

    ``job_id`` is ours, ``service_job_id`` the service's (empty until accepted). ``name`` is as sent, with the tag.
    ``sent`` is when the last attempt began and ``ended`` when it ended: None while it goes on, and for an attempt whose
    process died in the middle. ``charged_credits`` is what the service charged in the end, None until it told; so are
    ``held_credits`` and ``returned_credits``, which not every service tells. ``life`` is None until the job was seen on
    the service; ``scenes`` is how many a test query found.
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
    held_credits: Optional[float] = None
    returned_credits: Optional[float] = None
    life: Optional[JobLife] = None
    scenes: Optional[int] = None


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


class WaitingState(str, Enum):
    """How a job that waits for a slot stands. SENT: it became a submission, which tells the rest."""

    WAITING = "WAITING"
    SENT = "SENT"
    FORGOTTEN = "FORGOTTEN"


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


JOBS = (
    "SELECT jobs.*, configurations.fingerprint, configurations.workflow_id, configurations.workflow_name,"
    " configurations.geometric_filter, configurations.inputs, configurations.geom, configurations.aoi_km2"
    " FROM jobs JOIN configurations ON configurations.id = jobs.configuration_id"
)


_SAME_CONFIGURATION = (
    "SELECT id FROM configurations WHERE fingerprint = :fingerprint AND workflow_id = :workflow_id"
    " AND workflow_name = :workflow_name AND geometric_filter = :geometric_filter AND inputs = :inputs"
    " AND data_block = :data_block AND chain = :chain AND geom IS :geom AND aoi_km2 IS :aoi_km2"
)
_NEW_CONFIGURATION = (
    "INSERT INTO configurations (fingerprint, workflow_id, workflow_name, geometric_filter, inputs, data_block, chain,"
    " geom, aoi_km2, created) VALUES (:fingerprint, :workflow_id, :workflow_name, :geometric_filter, :inputs,"
    " :data_block, :chain, :geom, :aoi_km2, :created)"
)


def configuration_row(connection: sqlite3.Connection, configuration: JobConfiguration, now: str) -> int:
    """The row of this configuration. Equal fingerprints may have been written differently: each form has its row."""
    aoi = configuration.aoi
    inputs = {name: value for name, value in configuration.inputs(Mode.LIVE).items() if name != "config"}
    values = {
        "fingerprint": configuration.fingerprint,
        "workflow_id": configuration.workflow.id,
        "workflow_name": configuration.workflow.name,
        "geometric_filter": configuration.geometric_filter.value,
        "inputs": json.dumps(inputs),
        "data_block": data_block_of(configuration),
        "chain": configuration.workflow.chain,
        "geom": None if aoi is None else geometry_blob(aoi.rings),
        "aoi_km2": None if aoi is None else aoi.area_km2,
    }
    found = connection.execute(_SAME_CONFIGURATION, values).fetchone()
    if found is not None:
        return int(found["id"])
    return int(connection.execute(_NEW_CONFIGURATION, {**values, "created": now}).lastrowid or 0)


def data_block_of(configuration: JobConfiguration) -> str:
    """The name of the block that brings the images; empty for a workflow whose steps are not known."""
    steps = configuration.workflow.steps
    return steps[0].block.name if steps else ""


def add_job(connection: sqlite3.Connection, new: NewJob, now: str) -> Submission:
    """Write a job with its first submission: PENDING, about to be sent for the first time."""
    job_id, agreed = uuid.uuid4().hex, new.agreed
    connection.execute(
        "INSERT INTO jobs (id, connection_id, configuration_id, name, mode, agreed_minimum, agreed_maximum,"
        " rerun_of, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            job_id,
            new.connection_id,
            configuration_row(connection, new.configuration, now),
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
    return submission_of(connection, int(row or 0))


def send_again(connection: sqlite3.Connection, submission: Submission, now: str) -> Submission:
    """Write that a REFUSED submission is about to be sent once more, with its tag.

    Raises ``LedgerError`` for any other, so that two windows can never send the same one.
    """
    changed = connection.execute(
        "UPDATE submissions SET state = ?, sent = ?, ended = NULL, reason = '', attempts = attempts + 1"
        " WHERE id = ? AND attempts = ? AND state = ?",
        (
            SubmissionState.PENDING.value,
            now,
            submission.id,
            submission.attempts,
            SubmissionState.REFUSED.value,
        ),
    ).rowcount
    found = submission_of(connection, submission.id)
    if changed != 1:
        raise LedgerError(
            f"The job {submission.name!r} is not sent again: it was settled in the meantime.",
            f"submission {found.id} is {found.state.value} after {found.attempts} attempts",
        )
    return found


def submission_of(connection: sqlite3.Connection, submission_id: int) -> Submission:
    """One submission as it stands now; raises ``LedgerError`` when there is none."""
    row = connection.execute("SELECT * FROM submissions WHERE id = ?", (submission_id,)).fetchone()
    if row is None:
        raise LedgerError("The record of this job is gone.", f"no submission {submission_id}")
    return read_submission(row)


def read_submission(row: sqlite3.Row) -> Submission:
    """The submission in a row of ``submissions``."""
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
        ended=moment(row["ended"]),
        charged_credits=row["charged_credits"],
        held_credits=row["held_credits"],
        returned_credits=row["returned_credits"],
        life=_read_life(row),
        scenes=row["scenes"],
    )


def moment(text: Optional[str]) -> Optional[datetime]:
    """The time in a column that may be empty."""
    return time_of(text) if text else None


def read_agreed(row: sqlite3.Row) -> Optional[Range]:
    """The price that was agreed to, in a row of ``jobs``."""
    return None if row["agreed_maximum"] is None else Range(row["agreed_minimum"], row["agreed_maximum"])


def _read_life(row: sqlite3.Row) -> Optional[JobLife]:
    if row["service_state"] is None:
        return None
    return JobLife(
        state=JobState(row["service_state"]),
        word=row["service_word"],
        created=time_of(row["service_created"]),
        seen=time_of(row["seen"]),
        started=moment(row["service_started"]),
        finished=moment(row["service_finished"]),
    )


def read_job(connection: sqlite3.Connection, row: sqlite3.Row) -> RecordedJob:
    """The job in a row of :data:`JOBS`."""
    submissions = connection.execute(
        "SELECT * FROM submissions WHERE job_id = ? ORDER BY step", (row["id"],)
    ).fetchall()
    configuration = RecordedConfiguration(
        fingerprint=row["fingerprint"],
        workflow_id=row["workflow_id"],
        workflow_name=row["workflow_name"],
        geometric_filter=row["geometric_filter"],
        inputs=json.loads(row["inputs"]),
        aoi=geojson_of(row["geom"]) if row["geom"] else None,
        aoi_km2=row["aoi_km2"],
    )
    return RecordedJob(
        id=row["id"],
        connection_id=row["connection_id"],
        name=row["name"],
        mode=Mode(row["mode"]),
        configuration=configuration,
        agreed=read_agreed(row),
        rerun_of=row["rerun_of"],
        created=time_of(row["created"]),
        submissions=tuple(read_submission(item) for item in submissions),
    )


def waiting_credits(connection: sqlite3.Connection, connection_id: str, since: str) -> float:
    """The most that the jobs waiting for a slot may cost, of those agreed to since then."""
    row = connection.execute(
        "SELECT coalesce(sum(agreed_maximum), 0) FROM waiting_jobs WHERE connection_id = ? AND state = ?"
        " AND priced >= ?",
        (connection_id, WaitingState.WAITING.value, since),
    ).fetchone()
    return float(row[0])
