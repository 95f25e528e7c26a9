"""Jobs and their tasks."""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from typing import Any, List, Mapping, Optional, Sequence

from up42_plugin.sandbox.clock import stamp
from up42_plugin.sandbox.store import Store, insert

NOT_STARTED = "NOT_STARTED"
PENDING = "PENDING"
RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
CANCELLING = "CANCELLING"
CANCELLED = "CANCELLED"
ERROR = "ERROR"
TERMINAL = (SUCCEEDED, FAILED, CANCELLED, ERROR)
LIVE, TEST_QUERY = "DEFAULT", "DRY_RUN"
SORT_COLUMNS: Mapping[str, str] = {
    "createdAt": "created_at",
    "name": "name",
    "id": "id",
    "mode": "mode",
    "status": "status",
    "startedAt": "started_at",
    "finishedAt": "finished_at",
}
PAGE_SIZE = 100


@dataclass(frozen=True)
class Job:
    """One run. ``elapsed`` counts job seconds in the present state, ``held`` the credits kept aside for it."""

    id: str
    project_id: str
    workflow_id: str
    workflow_name: str
    name: Optional[str]
    mode: str
    status: str
    inputs: Mapping[str, Any]
    estimate: Mapping[str, Any]
    held: int
    elapsed: float
    created_at: str
    updated_at: str
    started_at: Optional[str]
    finished_at: Optional[str]
    created_by: Mapping[str, str]
    updated_by: Mapping[str, str]

    @property
    def is_test_query(self) -> bool:
        """Whether it only searches, and costs nothing."""
        return self.mode == TEST_QUERY

    @property
    def is_over(self) -> bool:
        """Whether its status will not change again."""
        return self.status in TERMINAL


@dataclass(frozen=True)
class JobTask:
    """One block's part. ``planned`` and ``elapsed`` in job seconds; ``usage`` is there once the block is through."""

    id: str
    job_id: str
    name: str
    parent_id: Optional[str]
    block_id: str
    status: str
    planned: float
    elapsed: float
    usage: Optional[Mapping[str, Any]]
    artifact: int
    created_at: str
    updated_at: str
    started_at: Optional[str]
    finished_at: Optional[str]


@dataclass(frozen=True)
class NewJob:
    """What is needed to make a job."""

    project_id: str
    workflow_id: str
    workflow_name: str
    name: Optional[str]
    mode: str
    inputs: Mapping[str, Any]
    estimate: Mapping[str, Any]
    held: int
    auditor: Mapping[str, str]


@dataclass(frozen=True)
class NewJobTask:
    """What is needed to make a job task; ``parent`` is a name."""

    name: str
    parent: Optional[str]
    block_id: str
    planned: float


class Jobs:
    """Jobs in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, new: NewJob, tasks: Sequence[NewJobTask]) -> Job:
        """A new job, not started."""
        moment, author, job_id = stamp(), json.dumps(new.auditor), str(uuid.uuid4())
        ids = {task.name: str(uuid.uuid4()) for task in tasks}
        row = {
            "id": job_id,
            "project_id": new.project_id,
            "workflow_id": new.workflow_id,
            "workflow_name": new.workflow_name,
            "name": new.name,
            "mode": new.mode,
            "status": NOT_STARTED,
            "inputs": json.dumps(new.inputs),
            "estimate": json.dumps(new.estimate),
            "held": new.held,
            "created_at": moment,
            "updated_at": moment,
            "created_by": author,
            "updated_by": author,
        }
        with self._store.transaction() as db:
            insert(db, "jobs", row)
            for position, task in enumerate(tasks):
                task_row = {
                    "id": ids[task.name],
                    "job_id": job_id,
                    "position": position,
                    "name": task.name,
                    "parent_id": ids.get(task.parent or ""),
                    "block_id": task.block_id,
                    "status": NOT_STARTED,
                    "planned": task.planned,
                    "artifact": uuid.UUID(ids[task.name]).time_low,
                    "created_at": moment,
                    "updated_at": moment,
                }
                insert(db, "job_tasks", task_row)
        job = self.get(job_id)
        if job is None:
            raise LookupError(job_id)
        return job

    def get(self, job_id: str) -> Optional[Job]:
        """The job with this id."""
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else _job(row)

    def page(self, project_id: str, page: int, sort: str, descending: bool) -> List[Job]:
        """One page of a project's jobs; ``sort`` is one of :data:`SORT_COLUMNS`."""
        column, direction = SORT_COLUMNS[sort], "DESC" if descending else "ASC"
        statement = (
            f"SELECT * FROM jobs WHERE project_id = ? ORDER BY {column} {direction}, seq {direction} LIMIT ? OFFSET ?"  # noqa: S608 - the column comes from a fixed table
        )
        with self._store.reading() as db:
            rows = db.execute(statement, (project_id, PAGE_SIZE, page * PAGE_SIZE)).fetchall()
        return [_job(row) for row in rows]

    def unfinished(self, project_id: Optional[str] = None) -> List[str]:
        """Ids of the jobs (of one project) that are not over, oldest first."""
        statement = "SELECT id, status FROM jobs WHERE ? IS NULL OR project_id = ? ORDER BY seq"
        with self._store.reading() as db:
            rows = db.execute(statement, (project_id, project_id)).fetchall()
        return [row["id"] for row in rows if row["status"] not in TERMINAL]

    def tasks(self, job_id: str) -> List[JobTask]:
        """The tasks in chain order."""
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM job_tasks WHERE job_id = ? ORDER BY position", (job_id,)).fetchall()
        return [_task(row) for row in rows]

    def processing_seconds(self, workflow_id: str) -> int:
        """How long the tasks of a workflow's succeeded live jobs worked in sum, in seconds on the job clock."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT COALESCE(SUM(planned), 0) AS total FROM job_tasks WHERE job_id IN"
                " (SELECT id FROM jobs WHERE workflow_id = ? AND mode = ? AND status = ?)",
                (workflow_id, LIVE, SUCCEEDED),
            ).fetchone()
        return round(float(row["total"]))

    def artifact(self, job_id: str, number: int) -> Optional[JobTask]:
        """The task whose archive carries this number."""
        with self._store.reading() as db:
            row = db.execute("SELECT * FROM job_tasks WHERE job_id = ? AND artifact = ?", (job_id, number)).fetchone()
        return None if row is None else _task(row)

    def rename(self, job_id: str, name: str, auditor: Mapping[str, str]) -> None:
        """Give a job another name."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE jobs SET name = ?, updated_at = ?, updated_by = ? WHERE id = ?",
                (name, stamp(), json.dumps(auditor), job_id),
            )

    def move(self, job_id: str, before: Sequence[str], after: str) -> bool:
        """Change the status if it is one of ``before``; True when it was. The job's own clock starts anew."""
        moment = stamp()
        started = moment if after == RUNNING else None
        finished = moment if after in TERMINAL else None
        statement = (
            "UPDATE jobs SET status = ?, elapsed = 0, updated_at = ?, started_at = COALESCE(started_at, ?),"
            " finished_at = COALESCE(finished_at, ?) WHERE id = ?"
        )
        with self._store.transaction() as db:
            current = db.execute("SELECT status FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if current is None or current["status"] not in before:
                return False
            db.execute(statement, (after, moment, started, finished, job_id))
        return True

    def release(self, job_id: str) -> None:
        """Nothing is held for the job any more."""
        with self._store.transaction() as db:
            db.execute("UPDATE jobs SET held = 0 WHERE id = ?", (job_id,))

    def keep_clock(self, job_id: str, elapsed: float) -> None:
        """Remember how long the job has been in its present state."""
        with self._store.transaction() as db:
            db.execute("UPDATE jobs SET elapsed = ? WHERE id = ?", (elapsed, job_id))

    def keep_task_clock(self, task_id: str, elapsed: float) -> None:
        """Remember how long a task has been running."""
        with self._store.transaction() as db:
            db.execute("UPDATE job_tasks SET elapsed = ? WHERE id = ?", (elapsed, task_id))

    def keep_usage(self, task_id: str, usage: Mapping[str, Any]) -> None:
        """Remember that a task's block is through, and what it consumed."""
        with self._store.transaction() as db:
            db.execute("UPDATE job_tasks SET usage = ? WHERE id = ?", (json.dumps(usage), task_id))

    def move_task(self, task_id: str, status: str) -> None:
        """Change a task's status."""
        moment = stamp()
        started = moment if status == RUNNING else None
        finished = moment if status in TERMINAL else None
        with self._store.transaction() as db:
            db.execute(
                "UPDATE job_tasks SET status = ?, updated_at = ?, started_at = COALESCE(started_at, ?),"
                " finished_at = COALESCE(finished_at, ?) WHERE id = ?",
                (status, moment, started, finished, task_id),
            )


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    del values["seq"]
    for name in ("inputs", "estimate", "created_by", "updated_by"):
        values[name] = json.loads(values[name])
    return Job(**values)


def _task(row: sqlite3.Row) -> JobTask:
    values = dict(row)
    del values["position"]
    values["usage"] = None if values["usage"] is None else json.loads(values["usage"])
    return JobTask(**values)
