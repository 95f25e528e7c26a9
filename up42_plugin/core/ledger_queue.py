"""Live jobs that were agreed to and wait for a free slot: kept in the ledger, so that none is lost or sent twice.

They are committed before anything is sent. A job leaves the queue and becomes a submission in one transaction, in which
the slots are counted too: whatever dies, or whichever window is faster, it is sent once.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Iterable, Mapping, Sequence, Tuple

from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.configuration_record import configuration_of, configuration_text
from up42_plugin.core.estimation import Range
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import text_of, time_of
from up42_plugin.core.ledger_rows import (
    NewJob,
    Submission,
    SubmissionState,
    WaitingState,
    add_job,
    send_again,
    submission_of,
)
from up42_plugin.core.slots import Listing

#: A price that was agreed to longer ago is read and agreed to anew.
PRICE_HOLDS = timedelta(hours=24)
#: The service may show a new job late: one accepted since this long before the list was asked for is counted anyway.
SHOWN_WITHIN = timedelta(minutes=2)


class PutOff(Enum):
    """Why a waiting job is not sent now. TAKEN: another window sent it or forgot it, and it waits no longer."""

    NO_SLOT = "NO_SLOT"
    NO_ANSWER = "NO_ANSWER"
    TAKEN = "TAKEN"
    TOO_OLD = "TOO_OLD"


class PutOffError(Exception):
    """A waiting job is not sent now; nothing was changed."""

    def __init__(self, why: PutOff) -> None:
        super().__init__(why.value)
        self.why = why


@dataclass(frozen=True)
class WaitingJob:
    """A live job that was agreed to at ``priced`` (UTC) for ``agreed`` credits.

    It is job number ``place`` of ``places`` of a batch; ``name`` is without tag.
    """

    id: str
    batch_id: str
    batch_name: str
    place: int
    places: int
    label: str
    connection_id: str
    name: str
    configuration: JobConfiguration
    agreed: Range
    priced: datetime

    def price_holds(self, now: datetime) -> bool:
        """Whether the agreed price may still be used."""
        return now - self.priced <= PRICE_HOLDS


class LedgerQueue:
    """The waiting jobs in a ledger. Safe to use from many threads and processes; every method may raise LedgerError."""

    def __init__(self, ledger: Ledger) -> None:
        self._file, self._now = ledger.file, ledger.now

    @property
    def now(self) -> datetime:
        """The ledger's time."""
        return self._now()

    def add(self, jobs: Sequence[WaitingJob]) -> None:
        """Commit all of them, or none."""
        now = text_of(self._now())
        with self._file.writing() as connection:
            connection.executemany(_INSERT, [_row(job, now) for job in jobs])

    def waiting(self, connection_id: str) -> Tuple[WaitingJob, ...]:
        """The jobs of a connection that wait, oldest batch first. What cannot be read again is left out."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT * FROM waiting_jobs WHERE connection_id = ? AND state = ? ORDER BY created, batch_id, place",
                (connection_id, WaitingState.WAITING.value),
            ).fetchall()
        found = []
        for row in rows:
            with suppress(ValueError):
                found.append(_read(row))
        return tuple(found)

    def agree(self, agreed: Mapping[str, Range], priced: datetime) -> None:
        """Commit newer prices of waiting jobs, by their ids."""
        with self._file.writing() as connection:
            connection.executemany(
                "UPDATE waiting_jobs SET agreed_minimum = ?, agreed_maximum = ?, priced = ? WHERE id = ? AND state = ?",
                [
                    (cost.minimum, cost.maximum, text_of(priced), job_id, WaitingState.WAITING.value)
                    for job_id, cost in agreed.items()
                ],
            )

    def forget(self, job_ids: Iterable[str]) -> Tuple[str, ...]:
        """Commit that these are not to be sent; returns those that still waited."""
        with self._file.writing() as connection:
            return tuple(
                job_id for job_id in job_ids if _moved(connection, job_id, WaitingState.WAITING, WaitingState.FORGOTTEN)
            )

    def claim(self, job_id: str, new: NewJob, seen: Listing) -> Submission:
        """Commit a waiting job as a submission that is about to be sent, if a slot is free for it.

        ``seen`` is what the service told just now. Raises :class:`PutOffError` where it must not be sent now. A job
        that was put back keeps its tag.
        """
        now = text_of(self._now())
        with self._file.writing() as connection:
            row = connection.execute("SELECT * FROM waiting_jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None or row["state"] != WaitingState.WAITING.value:
                raise PutOffError(PutOff.TAKEN)
            if self._now() - time_of(row["priced"]) > PRICE_HOLDS:
                raise PutOffError(PutOff.TOO_OLD)
            if seen.most is not None and _slots_taken(connection, new.connection_id, seen) >= seen.most:
                raise PutOffError(PutOff.NO_SLOT)
            new = replace(new, agreed=Range(row["agreed_minimum"], row["agreed_maximum"]))
            if row["submission_id"] is None:
                submission = add_job(connection, new, now)
            else:
                submission = send_again(connection, submission_of(connection, row["submission_id"]), now)
            connection.execute(
                "UPDATE waiting_jobs SET state = ?, submission_id = ? WHERE id = ?",
                (WaitingState.SENT.value, submission.id, job_id),
            )
            return submission

    def put_back(self, job_id: str) -> bool:
        """Commit that a job waits again whose submission the service refused for now; False when that is not so."""
        with self._file.writing() as connection:
            row = connection.execute("SELECT submission_id FROM waiting_jobs WHERE id = ?", (job_id,)).fetchone()
            if row is None or row["submission_id"] is None:
                return False
            if submission_of(connection, row["submission_id"]).state is not SubmissionState.REFUSED:
                return False
            return _moved(connection, job_id, WaitingState.SENT, WaitingState.WAITING)


def _slots_taken(connection: sqlite3.Connection, connection_id: str, seen: Listing) -> int:
    """What the service runs, and what we sent that it may not show yet."""
    rows = connection.execute(
        "SELECT submissions.tag, submissions.service_job_id FROM submissions JOIN jobs ON jobs.id = submissions.job_id"
        " WHERE jobs.connection_id = ? AND (submissions.state IN (?, ?) OR submissions.state = ?"
        " AND submissions.ended >= ?)",
        (
            connection_id,
            SubmissionState.PENDING.value,
            SubmissionState.UNKNOWN.value,
            SubmissionState.ACCEPTED.value,
            text_of(seen.asked - SHOWN_WITHIN),
        ),
    ).fetchall()
    shown = seen.job_ids
    unseen = sum(row["service_job_id"] not in shown and not seen.has(row["tag"]) for row in rows)
    return len(seen.unfinished) + unseen


def _moved(connection: sqlite3.Connection, job_id: str, old: WaitingState, new: WaitingState) -> bool:
    statement = "UPDATE waiting_jobs SET state = ? WHERE id = ? AND state = ?"
    return connection.execute(statement, (new.value, job_id, old.value)).rowcount == 1


_INSERT = (
    "INSERT INTO waiting_jobs (id, batch_id, batch_name, place, places, label, connection_id, name, configuration,"
    " fingerprint, agreed_minimum, agreed_maximum, priced, state, created)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _row(job: WaitingJob, now: str) -> Tuple[object, ...]:
    return (
        job.id,
        job.batch_id,
        job.batch_name,
        job.place,
        job.places,
        job.label,
        job.connection_id,
        job.name,
        configuration_text(job.configuration),
        job.configuration.fingerprint,
        job.agreed.minimum,
        job.agreed.maximum,
        text_of(job.priced),
        WaitingState.WAITING.value,
        now,
    )


def _read(row: sqlite3.Row) -> WaitingJob:
    configuration = configuration_of(row["configuration"])
    if configuration.fingerprint != row["fingerprint"]:
        raise ValueError("not the configuration that was agreed to")
    return WaitingJob(
        id=row["id"],
        batch_id=row["batch_id"],
        batch_name=row["batch_name"],
        place=row["place"],
        places=row["places"],
        label=row["label"],
        connection_id=row["connection_id"],
        name=row["name"],
        configuration=configuration,
        agreed=Range(row["agreed_minimum"], row["agreed_maximum"]),
        priced=time_of(row["priced"]),
    )
