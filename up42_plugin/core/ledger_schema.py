"""The ledger's tables, and how a file of each earlier version gets them.

From version 4 on the file is a GeoPackage. Its ``user_version`` belongs to that standard, so that the ledger's own
version is in a table. A plugin that knows earlier versions only takes it for a newer one and sets it aside.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Callable, Optional, Sequence, Union

from up42_plugin.core.ledger_geopackage import (
    APPLICATION_ID,
    geometry_blob,
    make_geopackage,
    register_polygons,
    rings_of,
)

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

# The life of jobs on the service, their tasks, and what is on disk. The area becomes a geometry under another name: a
# window that still runs an earlier plugin cannot write into this file, and sends nothing.
SCHEMA_4 = """
CREATE TABLE configurations_4 (
    id INTEGER PRIMARY KEY,
    geom POLYGON,
    fingerprint TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    workflow_name TEXT NOT NULL,
    geometric_filter TEXT NOT NULL,
    inputs TEXT NOT NULL,
    data_block TEXT NOT NULL,
    chain TEXT NOT NULL,
    aoi_km2 REAL,
    created TEXT NOT NULL
);
ALTER TABLE jobs ADD COLUMN announced TEXT;
CREATE INDEX jobs_by_mode ON jobs (connection_id, mode, created);
CREATE INDEX jobs_unannounced ON jobs (connection_id) WHERE announced IS NULL;
CREATE INDEX jobs_by_configuration ON jobs (configuration_id);
ALTER TABLE submissions ADD COLUMN service_state TEXT;
ALTER TABLE submissions ADD COLUMN service_word TEXT NOT NULL DEFAULT '';
ALTER TABLE submissions ADD COLUMN service_created TEXT;
ALTER TABLE submissions ADD COLUMN service_started TEXT;
ALTER TABLE submissions ADD COLUMN service_finished TEXT;
ALTER TABLE submissions ADD COLUMN seen TEXT;
ALTER TABLE submissions ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE submissions ADD COLUMN scenes INTEGER;
ALTER TABLE submissions ADD COLUMN held_credits REAL;
ALTER TABLE submissions ADD COLUMN returned_credits REAL;
DROP INDEX submissions_by_state;
CREATE INDEX submissions_by_state ON submissions (state, closed);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    submission_id INTEGER NOT NULL REFERENCES submissions (id),
    place INTEGER NOT NULL,
    task_id TEXT NOT NULL,
    name TEXT NOT NULL,
    block_name TEXT NOT NULL,
    state TEXT NOT NULL,
    word TEXT NOT NULL,
    started TEXT,
    finished TEXT,
    credits REAL,
    UNIQUE (submission_id, task_id)
);
CREATE TABLE outputs (
    id INTEGER PRIMARY KEY,
    connection_id TEXT NOT NULL,
    service_job_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    task_name TEXT NOT NULL,
    folder TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    stored TEXT NOT NULL,
    deleted TEXT,
    UNIQUE (connection_id, service_job_id, task_id, folder)
);
CREATE TABLE ledger_schema (version INTEGER NOT NULL);
INSERT INTO ledger_schema VALUES (4);
UPDATE jobs SET announced = created WHERE mode = 'DRY_RUN' OR EXISTS
    (SELECT 1 FROM submissions WHERE submissions.job_id = jobs.id AND submissions.charged_credits IS NOT NULL)
"""

_COPY = (
    "INSERT INTO configurations_4 (id, geom, fingerprint, workflow_id, workflow_name, geometric_filter, inputs,"
    " data_block, chain, aoi_km2, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _to_version_4(connection: sqlite3.Connection) -> None:
    _run(connection, SCHEMA_4)
    rows = connection.execute(
        "SELECT id, fingerprint, workflow_id, workflow_name, geometric_filter, inputs, aoi, aoi_km2, created"
        " FROM configurations"
    )
    for number, fingerprint, workflow_id, workflow_name, geometric_filter, inputs, aoi, aoi_km2, created in rows:
        tasks = [task.split(":")[0] for task in _read_json(inputs) or ()]
        values = (number, _blob(aoi), fingerprint, workflow_id, workflow_name, geometric_filter, inputs)
        connection.execute(_COPY, (*values, tasks[0] if tasks else "", " → ".join(tasks), aoi_km2, created))
    connection.execute("DROP TABLE configurations")
    connection.execute("ALTER TABLE configurations_4 RENAME TO configurations")
    connection.execute("CREATE INDEX configurations_by_fingerprint ON configurations (fingerprint)")
    connection.execute("CREATE INDEX configurations_by_data_block ON configurations (data_block)")
    make_geopackage(connection)
    register_polygons(connection, "configurations", "geom", "Areas asked for")


def _blob(aoi: Optional[str]) -> Optional[bytes]:
    rings = rings_of(_read_json(aoi)) if aoi else None
    return None if rings is None else geometry_blob(rings)


def _read_json(text: str) -> Any:
    """None for a text that somebody else's tool spoiled: the backup still has it."""
    try:
        return json.loads(text)
    except ValueError:
        return None


Migration = Union[str, Callable[[sqlite3.Connection], None]]

#: The n-th entry takes a file from version n to n + 1.
MIGRATIONS: Sequence[Migration] = (SCHEMA_1, SCHEMA_2, SCHEMA_3, _to_version_4)
NEWEST = len(MIGRATIONS)
_LAST_PLAIN = 3


def version_of(connection: sqlite3.Connection) -> int:
    """The ledger's version; 0 for an empty file, and for one that is no ledger."""
    if _pragma(connection, "application_id") != APPLICATION_ID:
        return _pragma(connection, "user_version")
    try:
        row = connection.execute("SELECT version FROM ledger_schema").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # somebody else's GeoPackage
            return 0
        raise
    return 0 if row is None else int(row[0])


def migrate(connection: sqlite3.Connection, to: int = NEWEST) -> None:
    """Take a file from its version to another; within the transaction, with foreign keys switched off."""
    for step in range(version_of(connection), to):
        migration = MIGRATIONS[step]
        if isinstance(migration, str):
            _run(connection, migration)
        else:
            migration(connection)
        if step < _LAST_PLAIN:
            connection.execute(f"PRAGMA user_version = {step + 1}")
        else:
            connection.execute("UPDATE ledger_schema SET version = ?", (step + 1,))


def _run(connection: sqlite3.Connection, script: str) -> None:
    # Not executescript, which would commit first
    for statement in script.split(";"):
        if statement.strip():
            connection.execute(statement)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
