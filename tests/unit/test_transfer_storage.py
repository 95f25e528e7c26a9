"""Where outputs lie, and how folders come to be there."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from up42_plugin.core.output_errors import FolderError
from up42_plugin.core.storage import OutputFolders, Staging, free_bytes, remove_tree

JOB = "3f8c1a90-aaaa-bbbb-cccc-0123456789ab"


def test_a_job_has_a_readable_folder_with_a_short_id(tmp_path):
    folders = OutputFolders(tmp_path)
    assert folders.output_folder("Taormina: Super-Resolution №1", JOB).relative_to(tmp_path).as_posix() == (
        "taormina-super-resolution-no1-3f8c1a90/final"
    )
    assert folders.output_folder("x", JOB, "aws-s2-l2a:1").relative_to(tmp_path).as_posix() == (
        "x-3f8c1a90/aws-s2-l2a-1"
    )
    assert not list(tmp_path.iterdir())


def test_a_renamed_job_keeps_its_folder(tmp_path):
    folders = OutputFolders(tmp_path)
    first = folders.output_folder("First name", JOB)
    first.mkdir(parents=True)
    assert folders.output_folder("Second name", JOB) == first


@pytest.mark.parametrize("name", ["", "***", "../..", "CON", "日本"])
def test_odd_job_names_give_a_folder_below_the_root(tmp_path, name):
    folder = OutputFolders(tmp_path).output_folder(name, "../../" + JOB)
    assert folder.resolve().parent.parent == tmp_path.resolve()


def test_staging_puts_a_folder_in_place_in_one_step(tmp_path):
    final = tmp_path / "a" / "b" / "final"
    with Staging(final) as staging:
        (staging.path / "file").write_text("x")
        assert staging.path.name.startswith("final.partial-")
        assert not final.exists()
        staging.commit()
    assert (final / "file").read_text() == "x"
    assert list(final.parent.iterdir()) == [final]


def test_staging_without_commit_leaves_no_trace(tmp_path):
    def work():
        with Staging(tmp_path / "a" / "b" / "final") as staging:
            (staging.path / "file").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert not list(tmp_path.iterdir())


def test_folders_that_others_use_meanwhile_stay(tmp_path):
    with Staging(tmp_path / "job" / "final"):
        (tmp_path / "job" / "other").mkdir()
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["other"]


def test_leftovers_of_a_killed_process_go_after_two_days(tmp_path):
    old, recent, foreign = (tmp_path / name for name in ("final.partial-1", "final.partial-2", "other.partial-1"))
    for folder in (old, recent, foreign):
        folder.mkdir()
    past = time.time() - 3 * 24 * 3600
    for folder in (old, foreign):
        os.utime(folder, (past, past))
    with Staging(tmp_path / "final") as staging:
        staging.commit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["final", "final.partial-2", "other.partial-1"]


def test_a_folder_in_use_keeps_its_earlier_content(tmp_path, monkeypatch):
    """Windows does not rename a folder whose files are open."""
    final = tmp_path / "final"
    final.mkdir()
    (final / "old").write_text("old")
    rename = Path.rename

    def refusing(path, target):
        if ".partial-" in path.name:
            raise PermissionError(13, "in use")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refusing)
    with pytest.raises(FolderError), Staging(final) as staging:
        staging.commit()
    assert [path.name for path in tmp_path.iterdir()] == ["final"]
    assert (final / "old").read_text() == "old"


def test_free_room_is_that_of_the_nearest_folder_there_is(tmp_path):
    assert free_bytes(tmp_path / "not" / "yet") == pytest.approx(free_bytes(tmp_path), rel=0.2)


def test_read_only_files_are_removed_too(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").write_text("x")
    (folder / "file").chmod(0o400)
    folder.chmod(0o500)
    remove_tree(folder)
    assert not folder.exists()
