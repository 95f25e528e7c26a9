"""The service's memory: one SQLite file, short transactions, safe to use from any thread."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Mapping, Optional

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, user_id TEXT NOT NULL, email TEXT NOT NULL, login TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS projects (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts(id), name TEXT NOT NULL,
    description TEXT NOT NULL, api_key TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (
    id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES projects(id), name TEXT NOT NULL, value INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, UNIQUE (project_id, name));
CREATE TABLE IF NOT EXISTS workflows (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL REFERENCES projects(id),
    name TEXT NOT NULL, description TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    created_by TEXT NOT NULL, updated_by TEXT NOT NULL, deleted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS workflow_tasks (
    id TEXT PRIMARY KEY, workflow_id TEXT NOT NULL REFERENCES workflows(id), position INTEGER NOT NULL,
    name TEXT NOT NULL, parent_id TEXT, block_id TEXT NOT NULL, created_at TEXT NOT NULL, created_by TEXT NOT NULL,
    UNIQUE (workflow_id, name));
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL REFERENCES projects(id),
    workflow_id TEXT NOT NULL, workflow_name TEXT NOT NULL, name TEXT, mode TEXT NOT NULL, status TEXT NOT NULL,
    inputs TEXT NOT NULL, estimate TEXT NOT NULL, held INTEGER NOT NULL, elapsed REAL NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, started_at TEXT, finished_at TEXT,
    created_by TEXT NOT NULL, updated_by TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS jobs_by_project ON jobs (project_id, created_at);
CREATE TABLE IF NOT EXISTS job_tasks (
    id TEXT PRIMARY KEY, job_id TEXT NOT NULL REFERENCES jobs(id), position INTEGER NOT NULL, name TEXT NOT NULL,
    parent_id TEXT, block_id TEXT NOT NULL, status TEXT NOT NULL, planned REAL NOT NULL,
    elapsed REAL NOT NULL DEFAULT 0, usage TEXT, artifact INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, started_at TEXT, finished_at TEXT,
    UNIQUE (job_id, position));
CREATE TABLE IF NOT EXISTS charges (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL REFERENCES accounts(id),
    type TEXT NOT NULL, delta INTEGER NOT NULL, created_at TEXT NOT NULL, job_id TEXT, job_task_id TEXT,
    machine_credits INTEGER NOT NULL DEFAULT 0, block_credits INTEGER NOT NULL DEFAULT 0,
    duration_ms INTEGER NOT NULL DEFAULT 0, quantity INTEGER NOT NULL DEFAULT 0, unit TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS charges_by_job ON charges (job_id);
CREATE TABLE IF NOT EXISTS webhooks (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, workspace_id TEXT NOT NULL, url TEXT NOT NULL,
    name TEXT NOT NULL, events TEXT NOT NULL, active INTEGER NOT NULL, signing_key TEXT, created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS assets (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts(id), block TEXT NOT NULL, sensor TEXT NOT NULL,
    scene_id TEXT NOT NULL, polygon TEXT NOT NULL, acquired TEXT NOT NULL, cloud_cover REAL NOT NULL,
    order_id TEXT NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL, tags TEXT NOT NULL, size INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
"""


def insert(db: sqlite3.Connection, table: str, values: Mapping[str, Any]) -> None:
    """Add a row; table and column names come from this package, never from a request."""
    marks = ", ".join("?" * len(values))
    db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))  # noqa: S608 - see above


class Store:
    """One connection behind a lock. Rows come as :class:`sqlite3.Row`."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(str(path), isolation_level=None, check_same_thread=False, timeout=30)
        self._connection.row_factory = sqlite3.Row
        # One process serves a folder: no shared memory is needed, which network drives do not have.
        self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA foreign_keys=ON")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Inside another transaction of the same thread it is part of that one."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A commit that failed (a full disk) leaves the transaction open, or has ended it already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection for reading; nobody writes meanwhile."""
        with self._lock:
            yield self._connection

    def meta(self, name: str) -> Optional[str]:
        """A value kept under a name."""
        with self.reading() as db:
            row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row["value"])

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))

    def close(self) -> None:
        """Close the file; nothing may use the store afterwards."""
        with self._lock:
            self._connection.close()
