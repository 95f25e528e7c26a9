"""Ledgers of every earlier version, with jobs in them: brought up to date whole, with a copy of what was before."""

from __future__ import annotations

import json
import sqlite3
import threading

import pytest
from ledger_kit import NOON, SQUARE, Clock, new_job, rows

from up42_plugin.core import ledger_file
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import Job, JobState, Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_file import LedgerError, LedgerFile, utc_now
from up42_plugin.core.ledger_geopackage import APPLICATION_ID, geojson_of, geometry_blob, rings_of
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_schema import MIGRATIONS, NEWEST, migrate, version_of

HOLE = ((15.22, 37.82), (15.22, 37.84), (15.24, 37.84), (15.24, 37.82), (15.22, 37.82))
AOI = {"type": "Polygon", "coordinates": [[list(point) for point in ring] for ring in (SQUARE, HOLE)]}
INPUTS = {"aws-s2-l2a:1": {"intersects": AOI, "limit": 1}, "ndvi:1": {}}
BLOB = geometry_blob((SQUARE,))
STAMP = "2024-06-01T12:00:00.000000Z"
PLAIN = range(1, 4)


@pytest.fixture
def clock():
    return Clock()


def old_ledger(path, version):
    """A ledger as a plugin of that time left it: two jobs, one of them without an area."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    migrate(connection, version)
    configurations = "id, fingerprint, workflow_id, workflow_name, geometric_filter, inputs, aoi, aoi_km2, created"
    for values in (
        (7, "f7", "w1", "NDVI", "intersects", json.dumps(INPUTS), json.dumps(AOI), 97.5, STAMP),
        (9, "f9", "w2", "Vessels", "bbox", "{}", None, None, STAMP),
    ):
        connection.execute(f"INSERT INTO configurations ({configurations}) VALUES ({', '.join('?' * 9)})", values)  # noqa: S608 - our own names
    for job, configuration, mode in (("job-a", 7, "DEFAULT"), ("job-b", 9, "DRY_RUN")):
        connection.execute(
            "INSERT INTO jobs (id, connection_id, configuration_id, name, mode, agreed_minimum, agreed_maximum,"
            " created) VALUES (?, 'account', ?, ?, ?, 10, 20, ?)",
            (job, configuration, job, mode, STAMP),
        )
        connection.execute(
            "INSERT INTO submissions (job_id, step, tag, name, agreed_credits, state, service_job_id, attempts,"
            " created, sent) VALUES (?, 0, ?, ?, 20, 'ACCEPTED', ?, 1, ?, ?)",
            (job, f"tag-{job}", f"{job} #tag", f"service-{job}", STAMP, STAMP),
        )
    if version > 2:
        connection.execute(
            "INSERT INTO waiting_jobs VALUES"
            " ('w1', 'b', 'B', 1, 1, 'l', 'account', 'n', '{}', 'f', 1, 2, ?, 'WAITING', NULL, ?)",
            (STAMP, STAMP),
        )
    connection.close()


def backups(path):
    return sorted(item for item in path.parent.iterdir() if "-backup-" in item.name)


@pytest.mark.parametrize("version", PLAIN)
def test_a_ledger_of_an_earlier_version_keeps_everything_and_a_copy(tmp_path, clock, version):
    path = tmp_path / "ledger.sqlite"
    old_ledger(path, version)
    before = rows(path, "SELECT id, aoi FROM configurations")
    ledger = Ledger(path, clock)
    second, first = ledger.jobs("account")
    assert (first.id, second.id, ledger.notice) == ("job-a", "job-b", "")
    assert (first.agreed, first.mode, first.created) == (Range(10, 20), Mode.LIVE, NOON)
    assert first.configuration.aoi == AOI
    assert first.configuration.inputs == INPUTS
    assert (second.configuration.aoi, second.configuration.aoi_km2) == (None, None)
    assert first.submissions[0].state is SubmissionState.ACCEPTED
    assert rows(path, "SELECT data_block, chain FROM configurations ORDER BY id") == [
        ("aws-s2-l2a", "aws-s2-l2a → ndvi"),
        ("", ""),
    ]
    assert rows(path, "SELECT count(*) FROM waiting_jobs") == [(int(version > 2),)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    (kept,) = backups(path)
    assert kept.name == f"ledger.sqlite.v{version}-backup-20240601-120000"
    assert rows(kept, "PRAGMA user_version") == [(version,)]
    assert rows(kept, "SELECT id, aoi FROM configurations") == before


@pytest.mark.parametrize("version", PLAIN)
def test_a_migrated_ledger_goes_on_to_be_used(tmp_path, clock, version):
    path = tmp_path / "ledger.sqlite"
    old_ledger(path, version)
    ledger = Ledger(path, clock)
    life = LedgerLife(ledger)
    ledger.add(new_job())
    assert life.saw("account", Job("service-job-a", "n", JobState.SUCCEEDED, "SUCCEEDED", Mode.LIVE, NOON))
    ledger.charge("account", "service-job-a", 11)
    assert ledger.spent("account", NOON) == 31 + (2 if version > 2 else 0)  # a job waits
    # What was asked for long ago is not announced now, but for a live job that may have run on
    assert [entry.id for entry in life.finished_unannounced("account")] == ["job-a"]


def test_a_new_ledger_and_one_that_is_up_to_date_need_no_copy(tmp_path, clock):
    path = tmp_path / "ledger.sqlite"
    for _ in range(2):
        Ledger(path, clock).jobs("account")
    assert backups(path) == []


@pytest.mark.parametrize("version", PLAIN)
@pytest.mark.parametrize("breaks_at", ["DROP TABLE configurations", "PRAGMA application_id =", "COMMIT"])
def test_a_migration_that_breaks_off_leaves_the_file_as_it_was(tmp_path, clock, monkeypatch, version, breaks_at):
    class Full(sqlite3.Connection):
        def execute(self, statement, *arguments):
            if statement.startswith(breaks_at):
                raise sqlite3.OperationalError("database or disk is full")
            return super().execute(statement, *arguments)

    path = tmp_path / "ledger.sqlite"
    old_ledger(path, version)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Full, **k))
    with pytest.raises(LedgerError, match="disk is full"):
        Ledger(path, clock).jobs("account")
    monkeypatch.undo()
    assert rows(path, "PRAGMA user_version") == [(version,)]
    assert rows(path, "SELECT count(*) FROM configurations WHERE aoi IS NOT NULL") == [(1,)]
    assert len(Ledger(path, clock).jobs("account")) == 2


def test_no_migration_without_a_copy(tmp_path, clock, monkeypatch):
    path = tmp_path / "ledger.sqlite"
    old_ledger(path, 3)

    def no_space(_file, _version):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LedgerFile, "_back_up", no_space)
    with pytest.raises(LedgerError, match="space"):
        Ledger(path, clock).jobs("account")
    monkeypatch.undo()
    assert rows(path, "PRAGMA user_version") == [(3,)]


def test_windows_that_open_an_old_ledger_together_migrate_it_once(tmp_path):
    path = tmp_path / "ledger.sqlite"
    old_ledger(path, 2)
    errors, start = [], threading.Barrier(6)

    def window():
        try:
            start.wait()
            assert len(Ledger(path).jobs("account")) == 2
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=window) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(backups(path)) == 1


def test_a_window_of_an_earlier_plugin_can_send_nothing_and_breaks_nothing(tmp_path, clock):
    path = tmp_path / "ledger.sqlite"
    old_ledger(path, 3)
    Ledger(path, clock).add(new_job())
    earlier = sqlite3.connect(path)
    with pytest.raises(sqlite3.OperationalError, match="aoi"):
        earlier.execute("SELECT id FROM configurations WHERE aoi IS NULL")
    assert earlier.execute("PRAGMA user_version").fetchone()[0] > len(MIGRATIONS)  # set aside there as newer
    earlier.close()


def test_a_ledger_that_a_newer_window_took_over_is_left_to_it(tmp_path, clock):
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger(path, clock)
    ledger.add(new_job())
    newer = sqlite3.connect(path)
    newer.execute("UPDATE ledger_schema SET version = ?", (NEWEST + 1,))
    newer.commit()
    newer.close()
    for _ in range(2):
        with pytest.raises(LedgerError, match="newer version"):
            ledger.add(new_job("aaaa3333"))
    assert [item.name for item in tmp_path.iterdir() if "newer" in item.name] == []


def test_an_earlier_ledger_put_in_its_place_is_brought_up_to_date(tmp_path, clock):
    path, earlier = tmp_path / "ledger.sqlite", tmp_path / "earlier"
    ledger = Ledger(path, clock)
    ledger.add(new_job())
    old_ledger(earlier, 2)
    earlier.replace(path)
    with pytest.raises(LedgerError, match="replaced"):
        ledger.add(new_job("aaaa3333"))
    ledger.add(new_job("aaaa4444"))
    assert [job.name for job in ledger.jobs("account")] == ["Taormina", "job-b", "job-a"]


def test_somebody_elses_geopackage_is_set_aside(tmp_path, clock):
    path = tmp_path / "ledger.sqlite"
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    other.execute("PRAGMA user_version = 10300")
    other.execute("CREATE TABLE recipes (name TEXT)")
    other.commit()
    other.close()
    ledger = Ledger(path, clock)
    ledger.add(new_job())
    (kept,) = [item for item in tmp_path.iterdir() if ".damaged-" in item.name]
    assert rows(kept, "SELECT name FROM sqlite_master") == [("recipes",)]


def test_the_version_of_a_file_that_is_no_ledger_is_none():
    assert version_of(sqlite3.connect(":memory:")) == 0


def test_polygons_are_the_same_to_the_last_bit_after_the_blob():
    rings = rings_of(AOI)
    assert geojson_of(geometry_blob(rings)) == AOI
    odd = (((0.1 + 0.2, 1 / 3), (7.1, 2e-16), (5.0, 9.0), (0.1 + 0.2, 1 / 3)),)
    assert rings_of(geojson_of(geometry_blob(odd))) == odd


@pytest.mark.parametrize("blob", [b"", b"GP\x00\x03", BLOB[:-1], b"XX" + BLOB[2:]])
def test_what_is_no_polygon_of_ours_is_said_so(blob):
    with pytest.raises(ValueError, match="polygon"):
        geojson_of(blob)


@pytest.mark.parametrize("geojson", [None, [], {}, {"type": "Point"}, {"type": "Polygon", "coordinates": [[[1]]]}])
def test_what_is_no_polygon_has_no_rings(geojson):
    assert rings_of(geojson) is None


def test_the_time_of_the_file_is_utc():
    assert utc_now().utcoffset().total_seconds() == 0
    assert ledger_file.time_of(ledger_file.text_of(NOON)) == NOON
