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
from typing import Callable, Iterator, Optional, Tuple

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.ledger_schema import NEWEST, migrate, version_of

BUSY_S = 20.0

_DAMAGED = "The ledger was damaged and set aside; your jobs are read from the service again."
_NEWER = "The ledger comes from a newer version. Update the plugin."
_REPLACED = "The ledger was replaced by an earlier one. Try again: it will be brought up to date."


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
                    self._check_version(connection)
                    yield connection
                except BaseException:
                    _undo(connection)
                    raise
                connection.execute("COMMIT")
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _check_version(self, connection: sqlite3.Connection) -> None:
        """Another window may run a newer plugin since a moment ago: its file is left to it."""
        version = version_of(connection)
        if version > NEWEST:
            raise LedgerError(_NEWER, str(self.path))
        if version < NEWEST:
            self._ready = False  # somebody put an earlier file in its place: migrated at the next use
            raise LedgerError(_REPLACED, str(self.path))

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
                self._clear_way()
                self._migrate()
            except OSError as error:
                raise self._error(error) from error
            self._ready = True

    def _clear_way(self) -> None:
        """Set aside what cannot be used, unless another window did so in the meantime and began a new file."""
        found = _identity(self.path)
        problem = self._examine()
        while problem is not None:
            if _identity(self.path) == found:
                self._set_aside(problem)
                return
            found = _identity(self.path)
            problem = self._examine()

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
        target = self._free_name(problem)
        # The write-ahead log belongs to its file and may hold its last changes
        for suffix in ("-wal", "-shm", ""):
            source = Path(f"{self.path}{suffix}")
            if source.exists():
                source.replace(f"{target}{suffix}")
        self.notice = _NEWER if problem == "newer" else _DAMAGED
        self._log(f"{self.notice} It is kept as {target}.")

    def _free_name(self, word: str) -> Path:
        """A name beside the file that says what became of it and when, and that nothing has yet."""
        name = f"{self.path.name}.{word}-{self._now().strftime('%Y%m%d-%H%M%S')}"
        target, number = self.path.with_name(name), 1
        while target.exists():
            number += 1
            target = self.path.with_name(f"{name}-{number}")
        return target

    def _migrate(self) -> None:
        connection = self._connect(create=True)
        try:
            _choose_journal(connection)
            connection.execute("PRAGMA foreign_keys = OFF")  # tables that others refer to are made anew
            connection.execute("BEGIN IMMEDIATE")
            try:
                # Asked inside the transaction: another window may have been faster
                version = version_of(connection)
                if 0 < version < NEWEST:
                    self._back_up(version)
                migrate(connection)
                connection.execute("COMMIT")
            except BaseException:
                _undo(connection)
                raise
        finally:
            connection.close()

    def _back_up(self, version: int) -> None:
        """Copy the file beside itself before it is migrated. Nothing has been written yet, and nobody else can."""
        target = self._free_name(f"v{version}-backup")
        unfinished = target.with_name(f"{target.name}.part")
        source = self._connect(create=False)
        try:
            copy = sqlite3.connect(str(unfinished))
            try:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE").fetchone()  # one file, with no log beside it
            finally:
                copy.close()
            unfinished.replace(target)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink()
            raise
        finally:
            source.close()


def _identity(path: Path) -> Optional[Tuple[int, int]]:
    """Equal for the same file under this name; None when there is none."""
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_dev, stat.st_ino


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(timezone.utc)


def _problem(connection: sqlite3.Connection) -> Optional[str]:
    version = version_of(connection)
    if version > NEWEST:
        return "newer"
    somebody_elses = version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0
    sound = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    return None if sound and not somebody_elses else "damaged"


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
