"""What becomes of our jobs on the service, as it was seen last, for a list of jobs that is complete without a network.

Whatever window sees something writes it down here. A job that has ended stays so: an older answer that comes late does
not open it again.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Job, JobState, JobTask, Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import LedgerError, text_of, time_of
from up42_plugin.core.ledger_rows import Submission, moment, read_agreed, read_submission

#: A job seen unchanged is written down again after this long only: lists are asked for every few seconds.
SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class LedgerEntry:
    """A job of ours as a list shows it; ``submission`` is its last one and tells how it stands. Times are UTC.

    ``folder`` is where its output is on disk, None when it is not there. ``announced`` is when a window told the person
    of its end. ``chain`` are its blocks for people.
    """

    id: str
    connection_id: str
    name: str
    mode: Mode
    created: datetime
    workflow_id: str
    workflow_name: str
    chain: str
    aoi_km2: Optional[float]
    agreed: Optional[Range]
    rerun_of: str
    announced: Optional[datetime]
    folder: Optional[Path]
    submission: Submission


@dataclass(frozen=True)
class RecordedTask:
    """A task as it was seen last, and its credits where the service told."""

    task: JobTask
    credits: Optional[float] = None


class LedgerLife:
    """The jobs' lives in a ledger. Safe to use from many threads and processes; every method may raise LedgerError."""

    def __init__(self, ledger: Ledger) -> None:
        self._file, self._now = ledger.file, ledger.now

    def saw(self, connection_id: str, job: Job) -> bool:
        """Commit what the service told of a job; False, and nothing is kept, when it is not ours."""
        return bool(self.saw_all(connection_id, (job,)))

    def saw_all(self, connection_id: str, jobs: Iterable[Job]) -> FrozenSet[str]:
        """Commit what the service's list told; returns the ids, on the service, of those that are ours.

        Nothing is written when nothing is new: what is asked for every few seconds costs the disk nothing.
        """
        now = self._now()
        with self._file.reading() as connection:
            found = [(job, row) for job in jobs for row in _ours(connection, connection_id, job.id)]
        news = [(job, row["id"]) for job, row in found if _is_new(job, row, now)]
        if news:
            with self._file.writing() as connection:
                connection.executemany(_SAW, [_seen(job, number, now) for job, number in news])
        return frozenset(job.id for job, _ in found)

    def saw_tasks(
        self,
        connection_id: str,
        service_job_id: str,
        tasks: Sequence[JobTask],
        credits_used: Optional[Mapping[str, float]] = None,
    ) -> bool:
        """Commit a job's tasks in their order, with credits by task name where they are known; False: not our job."""
        used = credits_used or {}
        with self._file.writing() as connection:
            ours = _ours(connection, connection_id, service_job_id)
            connection.executemany(
                _SAW_TASK,
                [_task_row(row["id"], place, task, used) for row in ours for place, task in enumerate(tasks)],
            )
            return bool(ours)

    def tasks(self, connection_id: str, service_job_id: str) -> Tuple[RecordedTask, ...]:
        """A job's tasks as they were seen last, in their order."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT tasks.* FROM tasks JOIN submissions ON submissions.id = tasks.submission_id"
                " JOIN jobs ON jobs.id = submissions.job_id"
                " WHERE submissions.service_job_id = ? AND jobs.connection_id = ? ORDER BY tasks.place, tasks.id",
                (service_job_id, connection_id),
            ).fetchall()
        return tuple(_read_task(row) for row in rows)

    def found_scenes(self, connection_id: str, service_job_id: str, count: int) -> None:
        """Commit how many scenes a test query found."""
        with self._file.writing() as connection:
            for row in _ours(connection, connection_id, service_job_id):
                connection.execute("UPDATE submissions SET scenes = ? WHERE id = ?", (count, row["id"]))

    def gone(self, connection_id: str, service_job_id: str, reason: str) -> None:
        """Commit that the service no longer knows a job: nobody looks for it again, and it is told of now or never."""
        with self._file.writing() as connection:
            for row in _ours(connection, connection_id, service_job_id):
                connection.execute(_GONE, (JobState.ERROR.value, reason, text_of(self._now()), row["id"]))
                statement = "UPDATE jobs SET announced = ? WHERE id = ? AND announced IS NULL"
                connection.execute(statement, (text_of(self._now()), row["job_id"]))

    def rename(self, job_id: str, name: str) -> None:
        """Commit another name, without tag, of a job of ours."""
        with self._file.writing() as connection:
            changed = connection.execute("UPDATE jobs SET name = ? WHERE id = ?", (name, job_id)).rowcount
            if changed != 1:
                raise LedgerError("The record of this job is gone.", f"no job {job_id}")

    def claim_announcement(self, job_id: str) -> bool:
        """Commit that the caller tells the person of a job's end: True exactly once, over all windows and restarts."""
        with self._file.writing() as connection:
            statement = "UPDATE jobs SET announced = ? WHERE id = ? AND announced IS NULL"
            return connection.execute(statement, (text_of(self._now()), job_id)).rowcount == 1

    def unfinished(self, connection_id: str) -> Tuple[LedgerEntry, ...]:
        """The jobs the service accepted that are not known to have ended, newest first: they are to be watched."""
        return self._entries(f"{ENTRIES} WHERE {_UNFINISHED} {_NEWEST_FIRST}", (connection_id,))

    def finished_unannounced(self, connection_id: str) -> Tuple[LedgerEntry, ...]:
        """The jobs that ended and that nobody was told of, oldest first; see :meth:`claim_announcement`."""
        return self._entries(f"{ENTRIES} WHERE {_UNANNOUNCED} ORDER BY jobs.created, jobs.rowid", (connection_id,))

    def entry(self, job_id: str) -> Optional[LedgerEntry]:
        """One job by our id."""
        return next(iter(self._entries(f"{ENTRIES} WHERE jobs.id = ?", (job_id,))), None)

    def page(
        self,
        connection_id: str,
        limit: int = 100,
        before: Optional[LedgerEntry] = None,
        mode: Optional[Mode] = None,
    ) -> Tuple[LedgerEntry, ...]:
        """Jobs of a connection, newest first: the first page, or the one after the entry ``before``."""
        where, values = ["jobs.connection_id = ?"], [connection_id]
        if mode is not None:
            where.append("jobs.mode = ?")
            values.append(mode.value)
        if before is not None:
            where.append("(jobs.created, jobs.rowid) < (?, (SELECT rowid FROM jobs WHERE id = ?))")
            values += [text_of(before.created), before.id]
        return self._entries(f"{ENTRIES} WHERE {' AND '.join(where)} {_NEWEST_FIRST} LIMIT ?", (*values, limit))

    def counts(self, connection_id: str) -> Mapping[Mode, int]:
        """How many jobs of a connection there are of each mode."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT mode, count(*) FROM jobs WHERE connection_id = ? GROUP BY mode", (connection_id,)
            ).fetchall()
        return {**dict.fromkeys(Mode, 0), **{Mode(mode): int(count) for mode, count in rows}}

    def _entries(self, query: str, values: Sequence[object]) -> Tuple[LedgerEntry, ...]:
        with self._file.reading() as connection:
            return tuple(read_entry(row) for row in connection.execute(query, values))


#: The query behind :func:`read_entry`.
ENTRIES = (
    "SELECT submissions.*, jobs.id AS entry_id, jobs.connection_id, jobs.name AS entry_name, jobs.mode,"
    " jobs.created AS entry_created, jobs.agreed_minimum, jobs.agreed_maximum, jobs.rerun_of, jobs.announced,"
    " configurations.workflow_id, configurations.workflow_name, configurations.chain, configurations.aoi_km2,"
    " (SELECT outputs.folder FROM outputs WHERE outputs.connection_id = jobs.connection_id"
    "  AND outputs.service_job_id = submissions.service_job_id AND outputs.task_id = '' AND outputs.complete = 1"
    "  AND outputs.deleted IS NULL ORDER BY outputs.stored DESC LIMIT 1) AS folder"
    " FROM jobs JOIN configurations ON configurations.id = jobs.configuration_id"
    " JOIN submissions ON submissions.job_id = jobs.id"
    " AND submissions.step = (SELECT max(step) FROM submissions AS steps WHERE steps.job_id = jobs.id)"
)
_NEWEST_FIRST = "ORDER BY jobs.created DESC, jobs.rowid DESC"
_UNFINISHED = (
    "jobs.id IN (SELECT job_id FROM submissions WHERE state = 'ACCEPTED' AND closed = 0) AND jobs.connection_id = ?"
    " AND submissions.state = 'ACCEPTED' AND submissions.closed = 0"
)
_UNANNOUNCED = (
    "jobs.connection_id = ? AND jobs.announced IS NULL AND submissions.state = 'ACCEPTED' AND submissions.closed = 1"
)

# What has ended is opened again by nothing
_SAW = (
    "UPDATE submissions SET service_state = ?, service_word = ?, service_created = ?,"
    " service_started = coalesce(?, service_started), service_finished = coalesce(?, service_finished), seen = ?,"
    " closed = ? WHERE id = ? AND closed <= ?"
)
_GONE = (
    "UPDATE submissions SET service_state = ?, service_word = 'GONE', reason = ?, seen = ?,"
    " service_created = coalesce(service_created, created), closed = 1 WHERE id = ? AND closed = 0"
)
_SAW_TASK = (
    "INSERT INTO tasks (submission_id, place, task_id, name, block_name, state, word, started, finished, credits)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (submission_id, task_id) DO UPDATE SET place = excluded.place,"
    " name = excluded.name, block_name = excluded.block_name, state = excluded.state, word = excluded.word,"
    " started = coalesce(excluded.started, started), finished = coalesce(excluded.finished, finished),"
    " credits = coalesce(excluded.credits, credits)"
)


def _ours(connection: sqlite3.Connection, connection_id: str, service_job_id: str) -> List[sqlite3.Row]:
    return connection.execute(
        "SELECT submissions.* FROM submissions JOIN jobs ON jobs.id = submissions.job_id"
        " WHERE submissions.service_job_id = ? AND submissions.service_job_id <> '' AND jobs.connection_id = ?",
        (service_job_id, connection_id),
    ).fetchall()


def _is_new(job: Job, row: sqlite3.Row, now: datetime) -> bool:
    if row["closed"] and not job.state.terminal:
        return False
    told = (job.state.value, job.word, _text(job.started), _text(job.finished))
    known = (row["service_state"], row["service_word"], row["service_started"], row["service_finished"])
    if told != known:
        return True
    return not row["closed"] and now - time_of(row["seen"]) >= SEEN_EVERY


def _seen(job: Job, submission_id: int, now: datetime) -> Tuple[object, ...]:
    return (
        job.state.value,
        job.word,
        text_of(job.created),
        _text(job.started),
        _text(job.finished),
        text_of(now),
        int(job.state.terminal),
        submission_id,
        int(job.state.terminal),
    )


def _task_row(submission_id: int, place: int, task: JobTask, credits_used: Mapping[str, float]) -> Tuple[object, ...]:
    return (
        submission_id,
        place,
        task.id,
        task.name,
        task.block_name,
        task.state.value,
        task.word,
        _text(task.started),
        _text(task.finished),
        credits_used.get(task.name),
    )


def _text(time: Optional[datetime]) -> Optional[str]:
    return None if time is None else text_of(time)


def _read_task(row: sqlite3.Row) -> RecordedTask:
    task = JobTask(
        id=row["task_id"],
        name=row["name"],
        state=JobState(row["state"]),
        word=row["word"],
        block_name=row["block_name"],
        started=moment(row["started"]),
        finished=moment(row["finished"]),
    )
    return RecordedTask(task, row["credits"])


def read_entry(row: sqlite3.Row) -> LedgerEntry:
    """The job in a row of :data:`ENTRIES`."""
    return LedgerEntry(
        id=row["entry_id"],
        connection_id=row["connection_id"],
        name=row["entry_name"],
        mode=Mode(row["mode"]),
        created=time_of(row["entry_created"]),
        workflow_id=row["workflow_id"],
        workflow_name=row["workflow_name"],
        chain=row["chain"],
        aoi_km2=row["aoi_km2"],
        agreed=read_agreed(row),
        rerun_of=row["rerun_of"],
        announced=moment(row["announced"]),
        folder=Path(row["folder"]) if row["folder"] else None,
        submission=read_submission(row),
    )
