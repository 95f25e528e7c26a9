"""The ledger as a GeoPackage: what GDAL finds in a copy for people, and in the ledger's own file."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from ledger_kit import NOON, SQUARE, Clock, configuration, new_job, rows
from osgeo import gdal, ogr

from up42_plugin.core.jobs import Job, JobState, Mode
from up42_plugin.core.ledger import Ledger, SubmissionState
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_geopackage import APPLICATION_ID, geometry_blob
from up42_plugin.core.ledger_life import LedgerLife
from up42_plugin.core.ledger_outputs import LedgerOutputs, StoredOutput
from up42_plugin.core.ledger_snapshot import snapshot

HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite", Clock())
    life = LedgerLife(ledger)
    ledger.accept(ledger.add(new_job()), "service-1")
    life.saw(
        "account",
        Job("service-1", "n", JobState.SUCCEEDED, "SUCCEEDED", Mode.LIVE, NOON, NOON + HOUR, NOON + 2 * HOUR),
    )
    ledger.charge("account", "service-1", 3)
    LedgerOutputs(ledger).stored_output(StoredOutput("account", "service-1", Path("/data/taormina"), 5, NOON))
    test = ledger.add(new_job("aaaa3333", mode=Mode.TEST_QUERY, agreed=None, connection_id="sandbox", name="Etna"))
    ledger.end_attempt(test, SubmissionState.NOT_SENT, "No network.")
    return ledger


@pytest.fixture
def strict_gdal():
    """Warnings of GDAL about the file are failures."""
    said = []
    gdal.PushErrorHandler(lambda _level, _number, message: said.append(message))
    yield
    gdal.PopErrorHandler()
    assert said == []


def features(path, layer):
    source = gdal.OpenEx(str(path), gdal.OF_VECTOR | gdal.OF_READONLY, allowed_drivers=["GPKG"])
    found = source.GetLayerByName(layer)
    assert found.GetSpatialRef().GetAuthorityCode(None) == "4326"
    assert found.GetGeomType() == ogr.wkbPolygon
    return [(feature.items(), feature.geometry().ExportToWkt()) for feature in found], found.GetExtent()


@pytest.mark.usefixtures("strict_gdal")
def test_gdal_finds_every_job_of_every_connection_in_a_copy(ledger, tmp_path):
    path = tmp_path / "copies" / "jobs.gpkg"
    assert snapshot(ledger, path) == 2
    ((live, outline), (test, _)), extent = features(path, "jobs")
    assert live == {
        "name": "Taormina",
        "mode": "live job",
        "state": "SUCCEEDED",
        "credits_held": 0.0,
        "credits_charged": 3.0,
        "credits_returned": 7.0,
        "scenes": None,
        "submitted": "2024/06/01 12:00:00+00",
        "started": "2024/06/01 13:00:00+00",
        "finished": "2024/06/01 14:00:00+00",
        "workflow": "Visual",
        "blocks": "Sentinel-2",
        "geometric_filter": "intersects",
        "area_km2": 97.5,
        "output_folder": str(Path("/data/taormina")),
        "connection_id": "account",
        "job_id": "service-1",
    }
    assert outline == "POLYGON ((" + ",".join(f"{x} {y}" for x, y in SQUARE) + "))"
    assert (test["name"], test["mode"], test["state"], test["finished"]) == ("Etna", "test query", "NOT_SENT", None)
    assert extent == (15.2, 15.3, 37.8, 37.9)
    assert [item.name for item in path.parent.iterdir()] == ["jobs.gpkg"]


def test_a_copy_may_be_edited_by_gdal_and_leaves_the_ledger_alone(ledger, tmp_path):
    path = tmp_path / "jobs.gpkg"
    snapshot(ledger, path)
    source = gdal.OpenEx(str(path), gdal.OF_VECTOR | gdal.OF_UPDATE)
    layer = source.GetLayerByName("jobs")
    feature = layer.GetNextFeature()
    feature["name"] = "mine"
    assert layer.SetFeature(feature) == 0
    del feature, layer, source
    assert rows(path, "SELECT name FROM jobs ORDER BY fid") == [("mine",), ("Etna",)]
    assert ledger.jobs("account")[0].name == "Taormina"


def test_a_newer_copy_replaces_an_older_one_but_none_that_is_open(ledger, tmp_path):
    path = tmp_path / "jobs.gpkg"
    snapshot(ledger, path)
    ledger.add(new_job("aaaa4444"))
    assert snapshot(ledger, path) == 3
    reader = sqlite3.connect(path)
    reader.execute("PRAGMA journal_mode = WAL")
    reader.execute("UPDATE jobs SET name = 'x'")
    reader.commit()
    with pytest.raises(LedgerError, match="open in QGIS"):
        snapshot(ledger, path)
    reader.close()


def test_a_copy_that_cannot_be_written_is_said_so_and_the_ledger_is_never_the_copy(ledger, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(LedgerError, match=r"jobs\.gpkg could not be written"):
        snapshot(ledger, tmp_path / "file" / "jobs.gpkg")
    with pytest.raises(LedgerError, match="copy of itself"):
        snapshot(ledger, ledger.path)
    folder = tmp_path / "folder.gpkg"
    folder.mkdir()
    with pytest.raises(LedgerError, match="could not be written"):
        snapshot(ledger, folder)
    assert [item.name for item in tmp_path.iterdir() if "part" in item.name] == []


def test_an_empty_ledger_makes_an_empty_layer(tmp_path):
    path = tmp_path / "jobs.gpkg"
    assert snapshot(Ledger(tmp_path / "ledger.sqlite", Clock()), path) == 0
    source = gdal.OpenEx(str(path), gdal.OF_VECTOR)
    assert source.GetLayerByName("jobs").GetFeatureCount() == 0


def test_copies_are_whole_while_others_write(ledger, tmp_path):
    done = threading.Event()

    def write():
        number = 0
        while not done.is_set():
            number += 1
            submission = ledger.add(new_job(f"tag-{number:05d}"))
            ledger.accept(submission, f"job-{number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for number in range(5):
            path = tmp_path / f"{number}.gpkg"
            counts.append(snapshot(ledger, path))
            assert rows(path, "SELECT count(*) FROM jobs") == [(counts[-1],)]
            assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    finally:
        done.set()
        writer.join()
    assert counts == sorted(counts)


@pytest.mark.usefixtures("strict_gdal")
def test_the_ledger_itself_is_a_geopackage_without_triggers(ledger, tmp_path):
    assert rows(ledger.path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert rows(ledger.path, "PRAGMA user_version") == [(10200,)]
    assert rows(ledger.path, "SELECT name FROM sqlite_master WHERE type = 'trigger'") == []
    copy = tmp_path / "copy.gpkg"
    connection, target = sqlite3.connect(ledger.path), sqlite3.connect(copy)
    connection.backup(target)
    target.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    target.close()
    ((values, outline),), _ = features(copy, "configurations")
    assert values["workflow_name"] == "Visual"
    assert outline.startswith("POLYGON ((15.2 37.8,")


def test_plain_sqlite_writes_into_it(ledger):
    other = sqlite3.connect(ledger.path)
    blob = geometry_blob((SQUARE,))
    other.execute(
        "INSERT INTO configurations (geom, fingerprint, workflow_id, workflow_name, geometric_filter, inputs,"
        " data_block, chain, created) VALUES (?, 'f', 'w', 'W', 'bbox', '{}', 'b', 'B', 'now')",
        (blob,),
    )
    other.commit()
    other.close()
    assert rows(ledger.path, "SELECT count(*) FROM configurations WHERE geom IS NOT NULL") == [(2,)]


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="GDAL's tools are not installed")
def test_ogrinfo_reads_a_copy(ledger, tmp_path):
    path = tmp_path / "jobs.gpkg"
    snapshot(ledger, path)
    done = subprocess.run(["ogrinfo", "-ro", "-al", "-so", str(path)], capture_output=True, text=True, check=True)  # noqa: S607
    assert done.stderr == ""
    assert "using driver `GPKG' successful" in done.stdout
    assert "Feature Count: 2" in done.stdout


def test_a_configuration_with_the_same_area_is_still_written_once(ledger):
    ledger.add(new_job("bbbb2222"))
    ledger.add(new_job("bbbb3333", configuration=configuration(limit=2)))
    assert rows(ledger.path, "SELECT count(*), count(DISTINCT geom) FROM configurations") == [(2, 1)]
