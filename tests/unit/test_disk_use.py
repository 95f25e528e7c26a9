"""What outputs take on disk: counted, told apart from what is not ours, and found wherever they were put."""

from __future__ import annotations

import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tests.unit.ledger_kit import new_job
from up42_plugin.api.errors import Cancelled
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.disk_use import READ_ONLY, TEMPORARY, TOO_LONG, disk_use, jobs_by_size
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_outputs import LedgerOutputs, StoredOutput
from up42_plugin.core.storage import OutputFolders, is_writable
from up42_plugin.core.unpack import RECEIPT

JOB = "2ab7d7ca-cbf5-4c1a-9e9c-1d4bb1b1b1b1"
OTHER = "99999999-cbf5-4c1a-9e9c-1d4bb1b1b1b1"
NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)


def output(folder: Path, size: int = 1000) -> Path:
    folder.mkdir(parents=True)
    (folder / RECEIPT).write_bytes(b"{}")
    (folder / "a.tif").write_bytes(b"x" * size)
    return folder


@pytest.fixture
def outputs(tmp_path):
    return LedgerOutputs(Ledger(tmp_path / "ledger.sqlite"))


def stored(folder: Path, job_id: str = JOB, **changes) -> StoredOutput:
    values = {"connection_id": "one", "service_job_id": job_id, "folder": folder, "size_bytes": 1, "stored": NOW}
    return StoredOutput(**{**values, **changes})


def test_only_what_is_ours_is_counted(tmp_path):
    root = tmp_path / "out"
    output(root / "taormina-2ab7d7ca" / "final", 3000)
    output(root / "taormina-2ab7d7ca" / "aws-s2-l2a-1", 500)
    (root / "etna-99999999" / "quicklooks").mkdir(parents=True)
    (root / "etna-99999999" / "quicklooks" / "q.tif").write_bytes(b"x" * 70)
    (root / "messina-88888888" / "final.partial-12345678").mkdir(parents=True)
    for foreign in ("holiday-pictures", "my-project1", "notes"):
        (root / foreign / "sub").mkdir(parents=True)
        (root / foreign / "sub" / "x.jpg").write_bytes(b"x" * 9000)
    for name in ("film.part1.rar", "setup.exe.part", "shapes.partial.shp"):
        (root / "holiday-pictures" / name).write_bytes(b"x" * 9000)
    (root / "up42-jobs-20260101.gpkg").write_bytes(b"x" * 100)
    found = disk_use(root, ThreadContext())
    assert (found.jobs, found.size_bytes) == (3, 3000 + 2 + 500 + 2 + 70)
    assert found.free is not None
    assert found.free > 0
    assert found.advice == ""


def test_a_folder_that_is_not_there_yet_is_empty_and_fine(tmp_path):
    found = disk_use(tmp_path / "a" / "b", ThreadContext())
    assert (found.jobs, found.size_bytes, found.advice) == (0, 0, "")
    assert found.free
    assert not (tmp_path / "a").exists()


def test_links_are_not_followed(tmp_path):
    output(tmp_path / "elsewhere", 5000)
    folder = output(tmp_path / "out" / "a-11111111" / "final", 10)
    (folder / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "out" / "b-22222222").symlink_to(tmp_path / "out" / "a-11111111", target_is_directory=True)
    found = disk_use(tmp_path / "out", ThreadContext())
    assert found.jobs == 1
    assert found.size_bytes < 1000


def test_counting_can_be_stopped(tmp_path):
    output(tmp_path / "a-11111111" / "final")

    def stop():
        raise Cancelled

    context = ThreadContext()
    context.check = stop
    with pytest.raises(Cancelled):
        disk_use(tmp_path, context)


def test_advice_about_a_folder(tmp_path):
    def advice(root, temporary="", windows=False):
        return disk_use(root, ThreadContext(), temporary, windows).advice

    assert advice(tmp_path / "x", str(tmp_path)) == TEMPORARY
    assert advice(tmp_path, str(tmp_path / "other")) == ""
    long = tmp_path / ("long " * 20)
    assert advice(long) == ""
    assert advice(long, windows=True) == TOO_LONG
    (tmp_path / "file").write_text("")
    assert advice(tmp_path / "file") == READ_ONLY
    assert advice(tmp_path / "file" / "below") == READ_ONLY


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="a person without rights is needed")
def test_a_place_without_the_right_to_write(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert not is_writable(tmp_path / "x")
    finally:
        tmp_path.chmod(0o700)


def test_jobs_are_listed_wherever_they_were_put_with_what_the_ledger_knows(tmp_path, outputs):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    record = ledger.add(new_job(name="Taormina"))
    ledger.accept(record, JOB)
    here = output(tmp_path / "out" / "taormina-2ab7d7ca" / "final", 2000)
    there = output(tmp_path / "project" / "UP42" / "renamed-99999999" / "final", 4000)
    output(tmp_path / "out" / "unknown-77777777" / "final", 100)
    outputs.stored_output(stored(here, connection_id="account"))
    outputs.stored_output(stored(there, OTHER))
    outputs.stored_output(stored(tmp_path / "gone" / "gone-66666666" / "final", "66666666"))
    outputs.stored_output(stored(tmp_path / "out", "55555555"))  # no folder of a job: never to be deleted
    found = jobs_by_size([tmp_path / "out"], outputs.there(), ThreadContext())
    assert [(job.name, job.folder.name, job.job_id, job.connection_ids) for job in found] == [
        ("renamed-99999999", "renamed-99999999", OTHER, ("one",)),
        ("Taormina", "taormina-2ab7d7ca", JOB, ("account",)),
        ("unknown-77777777", "unknown-77777777", "", ()),
    ]
    assert [job.size_bytes for job in found] == [4002, 2002, 102]
    assert found[1].when == NOW


def test_a_job_is_found_where_it_was_put_after_the_outputs_folder_changed(tmp_path, outputs):
    old = output(tmp_path / "old" / "taormina-2ab7d7ca" / "final")
    outputs.stored_output(stored(old))
    folders = OutputFolders(tmp_path / "new", (), outputs.places)
    assert folders.output_folder("Taormina", JOB) == old
    assert folders.output_folder("Taormina", JOB, "aws-s2-l2a:1").parent == old.parent
    assert folders.folders_of([JOB, OTHER]) == {JOB: old.parent}
    assert folders.job_folder("Etna", OTHER) == tmp_path / "new" / "etna-99999999"
    old.parent.rename(tmp_path / "moved by hand")
    assert folders.job_folder("Taormina", JOB) == tmp_path / "new" / "taormina-2ab7d7ca"
    assert folders.folders_of([JOB]) == {}
    assert folders.all_folders_of(JOB) == ()


def test_a_job_that_was_moved_into_the_outputs_folder_by_hand_is_found(tmp_path, outputs):
    old = output(tmp_path / "old" / "taormina-2ab7d7ca" / "final")
    outputs.stored_output(stored(old))
    new = tmp_path / "new"
    old.parent.parent.rename(new)
    folders = OutputFolders(new, (), outputs.places)
    assert folders.output_folder("Taormina", JOB) == new / "taormina-2ab7d7ca" / "final"


def test_all_folders_of_a_job_are_told(tmp_path, outputs):
    recorded = output(tmp_path / "a" / "x-2ab7d7ca" / "final")
    beside = output(tmp_path / "b" / "y-2ab7d7ca" / "final")
    outputs.stored_output(stored(recorded))
    outputs.stored_output(stored(tmp_path / "important" / "final"))  # not called as a folder of this job is
    (tmp_path / "important" / "final").mkdir(parents=True)
    folders = OutputFolders(tmp_path / "c", (tmp_path / "b",), outputs.places)
    assert folders.all_folders_of(JOB) == (recorded.parent, beside.parent)


def test_a_read_only_root_gives_way_to_the_spare_one(tmp_path):
    (tmp_path / "file").write_text("")
    folders = OutputFolders(tmp_path / "file" / "UP42", (tmp_path / "general",), None, spare=tmp_path / "general")
    assert folders.job_folder("Taormina", JOB) == tmp_path / "general" / "taormina-2ab7d7ca"
    assert folders.all_folders_of(JOB) == ()
    assert folders.folders_of([JOB]) == {}
