"""The ledger's file: how it is opened, made, migrated, and set aside when it cannot be read.

An SQLite file shared by any number of threads and QGIS windows. Every operation opens a connection of its own, waits
for others (busy time-out), and commits durably: what was committed survives a killed process and a power cut.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Iterator, Optional, Sequence

from up42_plugin.api.errors import Up42Error

BUSY_S = 20.0

SCHEMA_1 = """
CREATE TABLE configurations (
    id INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    workflow_name TEXT NOT NULL,
    geometric_filter TEXT NOT NULL,
    inputs TEXT NOT NULL,
    aoi TEXT,
    aoi_km2 REAL,
    created TEXT NOT NULL
);
CREATE INDEX configurations_by_fingerprint ON configurations (fingerprint);
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    connection_id TEXT NOT NULL,
    configuration_id INTEGER NOT NULL REFERENCES configurations (id),
    name TEXT NOT NULL,
    mode TEXT NOT NULL,
    agreed_minimum REAL,
    agreed_maximum REAL,
    rerun_of TEXT NOT NULL DEFAULT '',
    created TEXT NOT NULL
);
CREATE INDEX jobs_by_connection ON jobs (connection_id, created);
CREATE TABLE submissions (
    id INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id),
    step INTEGER NOT NULL,
    tag TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    agreed_credits REAL,
    state TEXT NOT NULL,
    service_job_id TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL,
    created TEXT NOT NULL,
    sent TEXT NOT NULL,
    ended TEXT,
    UNIQUE (job_id, step)
);
CREATE INDEX submissions_by_state ON submissions (state);
CREATE INDEX submissions_by_service_job ON submissions (service_job_id);
"""

# What a job was charged, once the service has told it.
SCHEMA_2 = """
ALTER TABLE submissions ADD COLUMN charged_credits REAL;
"""

# Live jobs that were agreed to and wait for a free slot; of a job that was sent, which submission it became.
SCHEMA_3 = """
CREATE TABLE waiting_jobs (
    id TEXT PRIMARY KEY,
    batch_id TEXT NOT NULL,
    batch_name TEXT NOT NULL,
    place INTEGER NOT NULL,
    places INTEGER NOT NULL,
    label TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    name TEXT NOT NULL,
    configuration TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    agreed_minimum REAL NOT NULL,
    agreed_maximum REAL NOT NULL,
    priced TEXT NOT NULL,
    state TEXT NOT NULL,
    submission_id INTEGER REFERENCES submissions (id),
    created TEXT NOT NULL
);
CREATE INDEX waiting_jobs_by_connection ON waiting_jobs (connection_id, state);
"""

# The n-th entry takes a file from version n to n + 1.
MIGRATIONS: Sequence[str] = (SCHEMA_1, SCHEMA_2, SCHEMA_3)


_DAMAGED = "The ledger was damaged and set aside; your jobs are read from the service again."
_NEWER = "The ledger comes from a newer version. Update the plugin."


class LedgerError(Up42Error):
    """The ledger cannot be read or written. Whoever was about to submit something has sent nothing."""


class LedgerFile:
    """Hands out short connections to one ledger file; makes or migrates it at first use.

    ``notice`` is a message for the person when an unreadable file was set aside, else empty; ``log`` is told where it
    is kept. ``now`` gives the time in UTC. Safe to share between threads.
    """

    def __init__(
        self,
        path: Path,
        now: Callable[[], datetime],
        busy_s: float = BUSY_S,
        log: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.path = path
        self.notice = ""
        self._now = now
        self._busy_s, self._log = busy_s, log
        self._lock = threading.Lock()
        self._ready = False

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries; everything read within one ``with`` is of one moment."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection for changes: committed at the end of ``with``, undone when it raises."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            self._prepare()
            connection = self._connect(create=False)
            try:
                connection.execute(begin)
                try:
                    yield connection
                except BaseException:
                    _undo(connection)
                    raise
                connection.execute("COMMIT")
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: Exception) -> LedgerError:
        damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(
            error, (sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.ProgrammingError)
        )
        if damaged:
            self._ready = False  # looked at again, and set aside, at the next use
            return LedgerError(
                f"The record of your jobs, {self.path.name}, is damaged. "
                "Try again: it will be set aside and a new one begun.",
                f"{self.path}: {error}",
            )
        return LedgerError(
            f"The record of your jobs could not be used ({error}). "
            f"Check that there is space on the disk and that {self.path.parent} can be written to.",
            f"{self.path}: {type(error).__name__}: {error}",
        )

    def _connect(self, create: bool) -> sqlite3.Connection:
        mode = "rwc" if create else "rw"
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={mode}", uri=True, timeout=self._busy_s, isolation_level=None
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self) -> None:
        with self._lock:
            if self._ready and self.path.exists():
                return
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                problem = self._examine()
                if problem is not None:
                    self._set_aside(problem)
                self._migrate()
            except OSError as error:
                raise self._error(error) from error
            self._ready = True

    def _examine(self) -> Optional[str]:
        """Why the file must be set aside: ``damaged`` or ``newer``; None when it may be used (or is not there)."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return None
        try:
            connection = self._connect(create=False)
            try:
                return _problem(connection)
            finally:
                connection.close()
        except sqlite3.OperationalError:
            raise  # busy, no space, no permission: nothing wrong with the content
        except sqlite3.DatabaseError:
            return "damaged"

    def _set_aside(self, problem: str) -> None:
        stamp = self._now().strftime("%Y%m%d-%H%M%S")
        target = self.path.with_name(f"{self.path.name}.{problem}-{stamp}")
        number = 1
        while target.exists():
            number += 1
            target = self.path.with_name(f"{self.path.name}.{problem}-{stamp}-{number}")
        # The write-ahead log belongs to its file and may hold its last changes
        for suffix in ("-wal", "-shm", ""):
            source = Path(f"{self.path}{suffix}")
            if source.exists():
                source.replace(f"{target}{suffix}")
        self.notice = _NEWER if problem == "newer" else _DAMAGED
        self._log(f"{self.notice} It is kept as {target}.")

    def _migrate(self) -> None:
        connection = self._connect(create=True)
        try:
            _choose_journal(connection)
            connection.execute("BEGIN IMMEDIATE")
            try:
                # Asked again inside the transaction: another window may have been faster
                for step in range(_version(connection), len(MIGRATIONS)):
                    for statement in MIGRATIONS[step].split(";"):
                        if statement.strip():
                            connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {step + 1}")
                connection.execute("COMMIT")
            except BaseException:
                _undo(connection)
                raise
        finally:
            connection.close()


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(timezone.utc)


def _problem(connection: sqlite3.Connection) -> Optional[str]:
    version = _version(connection)
    if version > len(MIGRATIONS):
        return "newer"
    somebody_elses = version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    return None if sound and not somebody_elses else "damaged"


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _choose_journal(connection: sqlite3.Connection) -> None:
    """Write-ahead log where the file system can do it; the classic journal is as safe, only slower."""
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError:
        with suppress(sqlite3.OperationalError):  # in use by another window: it has chosen already
            connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()


def _undo(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def text_of(moment: datetime) -> str:
    """A moment as the ledger keeps it: UTC, with microseconds."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time_of(text: str) -> datetime:
    """The moment of :func:`text_of`, aware."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
