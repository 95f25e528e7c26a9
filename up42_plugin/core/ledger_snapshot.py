"""A copy of the ledger for people: a plain GeoPackage with one layer of every job that was ever asked for.

QGIS never opens the ledger itself: opening a file as a layer changes its journal and may lock it.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import List, Optional, Tuple

from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_geopackage import envelope_of, make_geopackage, register_polygons
from up42_plugin.core.ledger_life import ENTRIES, LedgerEntry, read_entry
from up42_plugin.core.ledger_spending import credits_of

LAYER = "jobs"

_TABLE = """
CREATE TABLE jobs (
    fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    geom POLYGON,
    name TEXT,
    mode TEXT,
    state TEXT,
    credits_held DOUBLE,
    credits_charged DOUBLE,
    credits_returned DOUBLE,
    scenes INTEGER,
    submitted DATETIME,
    started DATETIME,
    finished DATETIME,
    workflow TEXT,
    blocks TEXT,
    geometric_filter TEXT,
    area_km2 DOUBLE,
    output_folder TEXT,
    connection_id TEXT,
    job_id TEXT
)
"""
_ROWS = ENTRIES.replace(" FROM jobs JOIN", ", configurations.geom, configurations.geometric_filter FROM jobs JOIN", 1)
_MODES = {Mode.LIVE: "live job", Mode.TEST_QUERY: "test query"}
_INSERT = (
    "INSERT INTO jobs (geom, name, mode, state, credits_held, credits_charged, credits_returned, scenes, submitted,"
    " started, finished, workflow, blocks, geometric_filter, area_km2, output_folder, connection_id, job_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def snapshot(ledger: Ledger, path: Path) -> int:
    """Write all jobs of all connections, as they are at one moment, to the GeoPackage ``path``; returns how many.

    The layer is called ``jobs``, in EPSG:4326. A file that is there is replaced. Takes a while: for workers only.
    Raises ``LedgerError`` when it cannot be written, or when the file that is there is open as a layer.
    """
    if path.absolute() == ledger.path.absolute():
        raise LedgerError("The record of your jobs cannot be replaced by a copy of itself.", str(path))
    if Path(f"{path}-wal").exists():
        raise LedgerError(f"{path.name} is open in QGIS. Remove its layer, or choose another name.", str(path))
    unfinished = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = _rows(ledger)
        _write(unfinished, rows)
        unfinished.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise LedgerError(
            f"{path.name} could not be written ({error}). Check the folder, or choose another one.",
            f"{path}: {type(error).__name__}: {error}",
        ) from error
    finally:
        with suppress(OSError):
            unfinished.unlink()
    return len(rows)


Row = Tuple[object, ...]


def _rows(ledger: Ledger) -> List[Row]:
    with ledger.file.reading() as connection:
        rows = connection.execute(f"{_ROWS} ORDER BY jobs.created, jobs.rowid")
        return [_row(read_entry(row), row["geom"], row["geometric_filter"]) for row in rows]


def _row(entry: LedgerEntry, geometry: Optional[bytes], geometric_filter: str) -> Row:
    submission, life = entry.submission, entry.submission.life
    live = entry.mode is Mode.LIVE
    credits_used = credits_of(submission, entry.agreed)
    return (
        geometry,
        entry.name,
        _MODES[entry.mode],
        life.word if life else submission.state.value,
        credits_used.held if live else None,
        credits_used.charged,
        credits_used.returned if live else None,
        submission.scenes,
        _text(entry.created),
        _text(life.started) if life else None,
        _text(life.finished) if life else None,
        entry.workflow_name,
        entry.chain,
        geometric_filter,
        entry.aoi_km2,
        None if entry.folder is None else str(entry.folder),
        entry.connection_id,
        submission.service_job_id,
    )


def _text(moment: Optional[datetime]) -> Optional[str]:
    """As a GeoPackage has times (clause 1.1.1.1.3, table 1): UTC, with milliseconds."""
    if moment is None:
        return None
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write(path: Path, rows: List[Row]) -> None:
    connection = sqlite3.connect(str(path), isolation_level=None)
    try:
        connection.execute("BEGIN")
        make_geopackage(connection)
        connection.execute(_TABLE)
        register_polygons(connection, LAYER, "geom", "UP42 jobs")
        connection.executemany(_INSERT, rows)
        boxes = [envelope_of(row[0]) for row in rows if isinstance(row[0], bytes)]
        if boxes:
            wests, souths, easts, norths = zip(*boxes)
            connection.execute(
                "UPDATE gpkg_contents SET min_x = ?, min_y = ?, max_x = ?, max_y = ?",
                (min(wests), min(souths), max(easts), max(norths)),
            )
        connection.execute("COMMIT")
    finally:
        connection.close()
