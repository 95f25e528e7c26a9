"""What is known of downloads that stopped, from what lies on disk."""

from __future__ import annotations

import json

import pytest

from up42_plugin.core.kept_parts import discard_part, is_being_fetched, jobs_on_disk, kept_percent
from up42_plugin.core.storage import OutputFolders
from up42_plugin.core.transfer.part import KeptPart

JOB, OTHER, NONE = (f"{letter * 8}-0000" for letter in "abc")


def keep(folder, size=62, note='{"total": 100}'):
    """A part of an output that belongs in ``folder``."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.with_name(f"{folder.name}.part").write_bytes(b"x" * size)
    if note is not None:
        folder.with_name(f"{folder.name}.part.json").write_text(note)


@pytest.mark.parametrize(
    ("size", "note", "percent"),
    [
        (62, '{"total": 100}', 62.0),
        (0, '{"total": 100}', None),
        (62, '{"total": null}', -1.0),
        (62, '{"total": 10}', -1.0),
        (62, "{", -1.0),
        (62, "[]", -1.0),
        (62, None, -1.0),
    ],
)
def test_how_much_has_come(tmp_path, size, note, percent):
    keep(tmp_path / "job" / "final", size, note)
    assert kept_percent(tmp_path / "job" / "final") == percent


def test_of_an_output_that_is_whole_nothing_is_kept(tmp_path):
    keep(tmp_path / "job" / "final")
    (tmp_path / "job" / "final").mkdir()
    assert kept_percent(tmp_path / "job" / "final") is None


def test_jobs_whose_output_came_in_part_are_told_from_those_on_disk(tmp_path):
    folders = OutputFolders(tmp_path)
    keep(folders.output_folder("Coast", JOB))
    folders.output_folder("Coast", OTHER).mkdir(parents=True)
    keep(folders.output_folder("Coast", OTHER, "s2-superresolution:1"))
    found = jobs_on_disk(folders, [JOB, OTHER, NONE])
    assert found.there == {JOB, OTHER}
    assert found.kept == {JOB: 62.0}


def test_no_outputs_folder_is_no_error(tmp_path):
    assert jobs_on_disk(OutputFolders(tmp_path / "none"), [JOB]).there == frozenset()


def test_what_comes_down_now_is_told_from_what_is_kept(tmp_path):
    assert not is_being_fetched(tmp_path / "job")
    keep(tmp_path / "job" / "aws-s2-l2a-1", note='{"version": 1, "etag": "e", "total": 100, "checksums": {}}')
    assert not is_being_fetched(tmp_path / "job")
    part = KeptPart(tmp_path / "job" / "aws-s2-l2a-1")
    assert is_being_fetched(tmp_path / "job")
    part.close(keep=True)
    assert not is_being_fetched(tmp_path / "job")
    assert kept_percent(tmp_path / "job" / "aws-s2-l2a-1") == 62.0


def test_a_discarded_one_leaves_nothing(tmp_path):
    keep(tmp_path / "job" / "final")
    discard_part(tmp_path / "job" / "final")
    assert list(tmp_path.iterdir()) == []
    discard_part(tmp_path / "job" / "final")


def test_what_else_there_is_of_the_job_stays(tmp_path):
    keep(tmp_path / "job" / "final")
    (tmp_path / "job" / "quicklooks").mkdir()
    whole = tmp_path / "job" / "final"
    whole.mkdir()
    (whole / "data.json").write_text(json.dumps({}))
    discard_part(whole)
    assert sorted(path.name for path in (tmp_path / "job").iterdir()) == ["final", "quicklooks"]
    assert (whole / "data.json").exists()
