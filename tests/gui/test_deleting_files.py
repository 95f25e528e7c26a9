"""Deleting what lies on disk of jobs, while something of it is in use."""

from __future__ import annotations

import pytest

from up42_plugin.core.context import ThreadContext
from up42_plugin.core.disk_use import jobs_by_size
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.storage import OutputFolders
from up42_plugin.core.transfer.part import Content, KeptPart
from up42_plugin.gui.job_files import JobFiles
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog


@pytest.fixture
def runner(qgis_app):
    runner = JobRunner(PanelLog())
    yield runner
    runner.shutdown()


def test_what_is_being_downloaded_is_not_deleted_meanwhile(runner, qtbot, tmp_path):
    job = tmp_path / "taormina-2ab7d7ca"
    job.mkdir()
    part = KeptPart(job / "final")
    part.begin(Content("etag", 100))
    part.append(b"x" * 40, 60)
    found = jobs_by_size([tmp_path], (), ThreadContext())
    assert [one.folder for one in found] == [job]
    files = JobFiles(runner, lambda: OutputFolders(tmp_path), LedgerOutputs(Ledger(tmp_path / "ledger.sqlite")))
    told = []
    files.trouble.connect(told.append)
    with qtbot.waitSignal(files.deleted):
        files.delete_folders(found)
    assert (job / "final.part").stat().st_size == 40
    assert told == [f"{job} could not be deleted: a download or another program uses it."]
    part.close(keep=True)
    with qtbot.waitSignal(files.deleted):
        files.delete_folders(found)
    assert not job.exists()
