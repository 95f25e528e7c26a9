"""Workflows and their tasks."""

from __future__ import annotations

import json
import sqlite3
import uuid
from dataclasses import dataclass
from typing import List, Mapping, Optional, Sequence

from up42_plugin.sandbox.clock import stamp
from up42_plugin.sandbox.store import Store

Auditor = Mapping[str, str]


@dataclass(frozen=True)
class Workflow:
    """A named chain of blocks."""

    id: str
    project_id: str
    name: str
    description: str
    created_at: str
    updated_at: str
    created_by: Auditor
    updated_by: Auditor


@dataclass(frozen=True)
class WorkflowTask:
    """One block's place in a workflow."""

    id: str
    name: str
    parent_id: Optional[str]
    block_id: str
    created_at: str
    created_by: Auditor


@dataclass(frozen=True)
class NewTask:
    """A task to save: its name, its parent's name and its block."""

    name: str
    parent: Optional[str]
    block_id: str


class Workflows:
    """Workflows in the store. Deleted ones are kept for their jobs, and never found again."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, project_id: str, name: str, description: str, auditor: Auditor) -> Workflow:
        """A new workflow without tasks."""
        moment = stamp()
        workflow = Workflow(str(uuid.uuid4()), project_id, name, description, moment, moment, auditor, auditor)
        with self._store.transaction() as db:
            db.execute(
                "INSERT INTO workflows (id, project_id, name, description, created_at, updated_at, created_by,"
                " updated_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (workflow.id, project_id, name, description, moment, moment, json.dumps(auditor), json.dumps(auditor)),
            )
        return workflow

    def list(self, project_id: str) -> List[Workflow]:
        """The workflows of a project, newest first."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM workflows WHERE project_id = ? AND deleted = 0 ORDER BY seq DESC", (project_id,)
            ).fetchall()
        return [_workflow(row) for row in rows]

    def get(self, project_id: str, workflow_id: str) -> Optional[Workflow]:
        """A workflow of a project."""
        with self._store.reading() as db:
            row = db.execute(
                "SELECT * FROM workflows WHERE project_id = ? AND id = ? AND deleted = 0", (project_id, workflow_id)
            ).fetchone()
        return None if row is None else _workflow(row)

    def update(self, workflow_id: str, name: str, description: str, auditor: Auditor) -> None:
        """Rename a workflow."""
        with self._store.transaction() as db:
            db.execute(
                "UPDATE workflows SET name = ?, description = ?, updated_at = ?, updated_by = ? WHERE id = ?",
                (name, description, stamp(), json.dumps(auditor), workflow_id),
            )

    def delete(self, workflow_id: str) -> None:
        """Take a workflow away."""
        with self._store.transaction() as db:
            db.execute("UPDATE workflows SET deleted = 1, updated_at = ? WHERE id = ?", (stamp(), workflow_id))

    def tasks(self, workflow_id: str) -> List[WorkflowTask]:
        """The tasks in chain order."""
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM workflow_tasks WHERE workflow_id = ? ORDER BY position", (workflow_id,)
            ).fetchall()
        return [_task(row) for row in rows]

    def replace_tasks(self, workflow_id: str, tasks: Sequence[NewTask], auditor: Auditor) -> None:
        """Save a whole new chain; every task gets a new id."""
        moment, author = stamp(), json.dumps(auditor)
        ids = {task.name: str(uuid.uuid4()) for task in tasks}
        with self._store.transaction() as db:
            db.execute("DELETE FROM workflow_tasks WHERE workflow_id = ?", (workflow_id,))
            for position, task in enumerate(tasks):
                parent = None if task.parent is None else ids[task.parent]
                db.execute(
                    "INSERT INTO workflow_tasks (id, workflow_id, position, name, parent_id, block_id, created_at,"
                    " created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (ids[task.name], workflow_id, position, task.name, parent, task.block_id, moment, author),
                )
            db.execute(
                "UPDATE workflows SET updated_at = ?, updated_by = ? WHERE id = ?", (moment, author, workflow_id)
            )


def _workflow(row: sqlite3.Row) -> Workflow:
    return Workflow(
        id=row["id"],
        project_id=row["project_id"],
        name=row["name"],
        description=row["description"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        created_by=json.loads(row["created_by"]),
        updated_by=json.loads(row["updated_by"]),
    )


def _task(row: sqlite3.Row) -> WorkflowTask:
    return WorkflowTask(
        id=row["id"],
        name=row["name"],
        parent_id=row["parent_id"],
        block_id=row["block_id"],
        created_at=row["created_at"],
        created_by=json.loads(row["created_by"]),
    )
