"""What is on disk of jobs' outputs, also of jobs that somebody else made."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Tuple

from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import text_of, time_of
from up42_plugin.core.ledger_rows import moment


@dataclass(frozen=True)
class StoredOutput:
    """The output of a job, or of its task ``task_id``, in a folder. ``complete`` when all of it came down.

    A test query's quicklooks and footprints are kept as if they were the output of a task ``quicklooks``.

    ``stored`` and ``deleted`` are in UTC; the latter is None while the files are there, as far as we know.
    """

    connection_id: str
    service_job_id: str
    folder: Path
    size_bytes: int
    stored: datetime
    complete: bool = True
    task_id: str = ""
    task_name: str = ""
    deleted: Optional[datetime] = None


@dataclass(frozen=True)
class NamedOutput:
    """An output with its job's name, empty for a job that is not in the ledger."""

    job_name: str
    output: StoredOutput


class LedgerOutputs:
    """The outputs in a ledger. Safe to use from many threads and processes; every method may raise LedgerError."""

    def __init__(self, ledger: Ledger) -> None:
        self._file, self._now = ledger.file, ledger.now

    def stored_output(self, output: StoredOutput) -> None:
        """Commit that an output is in a folder; what was known of the same output in that folder is replaced."""
        with self._file.writing() as connection:
            connection.execute(
                "INSERT INTO outputs (connection_id, service_job_id, task_id, task_name, folder, size_bytes, complete,"
                " stored, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (connection_id, service_job_id, task_id, folder) DO UPDATE SET"
                " task_name = excluded.task_name, size_bytes = excluded.size_bytes, complete = excluded.complete,"
                " stored = excluded.stored, deleted = excluded.deleted",
                (
                    output.connection_id,
                    output.service_job_id,
                    output.task_id,
                    output.task_name,
                    str(output.folder),
                    output.size_bytes,
                    int(output.complete),
                    text_of(output.stored),
                    None if output.deleted is None else text_of(output.deleted),
                ),
            )

    def outputs(self, connection_id: str, service_job_id: str) -> Tuple[StoredOutput, ...]:
        """All that was stored of a job, newest first; also what was deleted since."""
        with self._file.reading() as connection:
            return outputs_of(connection, connection_id, service_job_id)

    def places(self, service_job_ids: Iterable[str]) -> Dict[str, Tuple[Path, ...]]:
        """Into which folders outputs of these jobs were put, newest first, whichever connection they were loaded by.

        Without those that are known to be gone. Jobs without any are left out.
        """
        wanted = frozenset(service_job_ids)
        found: Dict[str, List[Path]] = {}
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT service_job_id, folder FROM outputs WHERE deleted IS NULL ORDER BY stored DESC, id DESC"
            )
            for job_id, folder in rows:
                if job_id in wanted:
                    found.setdefault(job_id, []).append(Path(folder))
        return {job_id: tuple(dict.fromkeys(folders)) for job_id, folders in found.items()}

    def there(self) -> Tuple[NamedOutput, ...]:
        """All outputs that are not known to be gone, newest first."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT outputs.*, (SELECT jobs.name FROM jobs JOIN submissions ON submissions.job_id = jobs.id"
                "  WHERE submissions.service_job_id = outputs.service_job_id LIMIT 1) AS job_name"
                " FROM outputs WHERE deleted IS NULL ORDER BY stored DESC, id DESC"
            ).fetchall()
        return tuple(NamedOutput(row["job_name"] or "", _read(row)) for row in rows)

    def deleted_output(self, connection_id: str, folder: Path) -> None:
        """Commit that a folder is gone, with whatever outputs were in it."""
        with self._file.writing() as connection:
            connection.execute(
                "UPDATE outputs SET deleted = ? WHERE connection_id = ? AND folder = ? AND deleted IS NULL",
                (text_of(self._now()), connection_id, str(folder)),
            )

    def note_gone(self, connection_id: str, service_job_id: str) -> None:
        """Commit which outputs of a job are no longer where they were. Looks at the disk: for workers only."""
        for output in self.outputs(connection_id, service_job_id):
            if output.deleted is None and not output.folder.is_dir():
                self.deleted_output(connection_id, output.folder)


def outputs_of(connection: sqlite3.Connection, connection_id: str, service_job_id: str) -> Tuple[StoredOutput, ...]:
    """All that was stored of a job, newest first."""
    rows = connection.execute(
        "SELECT * FROM outputs WHERE connection_id = ? AND service_job_id = ? ORDER BY stored DESC, id DESC",
        (connection_id, service_job_id),
    ).fetchall()
    return tuple(_read(row) for row in rows)


def _read(row: sqlite3.Row) -> StoredOutput:
    return StoredOutput(
        connection_id=row["connection_id"],
        service_job_id=row["service_job_id"],
        folder=Path(row["folder"]),
        size_bytes=row["size_bytes"],
        stored=time_of(row["stored"]),
        complete=bool(row["complete"]),
        task_id=row["task_id"],
        task_name=row["task_name"],
        deleted=moment(row["deleted"]),
    )
