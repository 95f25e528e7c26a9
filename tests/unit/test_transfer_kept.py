"""What came of a download is kept, and continued by the next one: never more, never something else."""

from __future__ import annotations

import io
import json
import threading
import zipfile

import pytest
from kept_kit import ARCHIVE, CAME, FILES, begin, fetch, names, unpacked

from tests.byte_sources import (
    HttpSource,
    MemorySource,
    MemoryStream,
    Recorder,
    our_threads,
    seeded,
    serving,
    tar_gz,
)
from tests.hostile_archives import hostile_archives
from up42_plugin.api.errors import NetworkError, NotFoundError
from up42_plugin.core.output_errors import DamagedArchiveError, DiskFullError, HostileArchiveError
from up42_plugin.core.transfer import TransferPolicy, fetch_output
from up42_plugin.core.transfer.part import Content, KeptPart


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert our_threads() == []


@pytest.fixture
def files():
    return FILES


@pytest.fixture
def archive():
    return ARCHIVE


@pytest.fixture
def final(tmp_path):
    return tmp_path / "job" / "final"


def test_the_next_try_asks_only_for_the_rest(archive, files, final):
    begin(final, archive)
    source, context = MemorySource(archive), Recorder()
    fetch_output(source, final, context, policy=TransferPolicy(report_every=0.0))
    assert source.openings == [(CAME, '"1"')]
    assert unpacked(final) == files
    assert names(final) == ["final"]
    assert any(text.startswith("Continuing a download, 4") for text in context.texts)
    percents = [percent for percent, _ in context.reports]
    assert percents == sorted(percents)
    assert percents[-1] == 100.0


def test_what_is_noted_holds_no_address(archive, final):
    with serving(archive) as server:
        server.cuts = [CAME, CAME]
        server.signatures = {"hunter2"}
        with pytest.raises(NetworkError):
            fetch(HttpSource(server, signature="hunter2"), final)
    kept = {path.name: path.read_bytes() for path in final.parent.iterdir()}
    assert kept.pop("final.part") == archive[:CAME]
    note = kept.pop("final.part.json")
    assert kept == {}
    assert json.loads(note) == {"version": 1, "etag": '"1"', "total": len(archive), "checksums": {}}
    assert b"hunter2" not in note
    assert b"http" not in note


@pytest.mark.parametrize("came", [1, 3, 4, 5, 511, 512, 513])
def test_even_a_few_bytes_are_continued(archive, files, final, came):
    begin(final, archive, came)
    source = MemorySource(archive)
    fetch(source, final)
    assert source.openings[0][0] == came
    assert unpacked(final) == files


def test_it_is_continued_again_and_again(archive, files, final):
    for came in range(100_000, 600_001, 100_000):
        begin(final, archive, came)
        assert (final.parent / "final.part").read_bytes() == archive[:came]
    fetch(MemorySource(archive), final)
    assert unpacked(final) == files


def test_a_part_that_is_whole_needs_no_network(archive, files, final):
    begin(final, archive)
    (final.parent / "final.part").write_bytes(archive)
    source = MemorySource(archive)
    fetch(source, final)
    assert source.openings == []
    assert unpacked(final) == files
    assert names(final) == ["final"]


class TestOtherContent:
    def test_with_another_version_starts_over_without_asking_twice(self, archive, final):
        begin(final, archive)
        other, context = {"data.json": b"other", "x.tif": seeded(9).randbytes(400_000)}, Recorder()
        content = tar_gz(other)
        source = MemorySource(content, lambda *_: MemoryStream(content, 0, etag='"2"', total=len(content)))
        fetch(source, final, context)
        assert unpacked(final) == other
        assert len(source.openings) == 1
        assert "The download could not be continued, starting over" in context.texts
        assert names(final) == ["final"]

    def test_with_another_version_is_seen_although_the_server_continues(self, archive, final):
        begin(final, archive)
        other = tar_gz({"data.json": b"other", "x.tif": seeded(9).randbytes(600_000)})

        def plan(number, offset):
            return MemoryStream(other, offset, etag='"2"', total=len(archive) if number == 1 else len(other))

        source = MemorySource(other, plan)
        fetch(source, final)
        assert source.openings == [(CAME, '"1"'), (0, "")]
        assert unpacked(final)["data.json"] == b"other"

    def test_with_another_length_starts_over(self, archive, files, final):
        begin(final, archive, etag="")
        other = tar_gz({**files, "more.tif": b"more"})
        source = MemorySource(other, lambda _n, at: MemoryStream(other, at, etag="", total=len(other)))
        fetch(source, final)
        assert source.openings == [(CAME, ""), (0, "")]
        assert unpacked(final) == {**files, "more.tif": b"more"}

    def test_with_the_same_length_is_seen_by_the_archives_checksum(self, files, final):
        old, new = (tar_gz({**files, "one/image.tif": seeded(n).randbytes(500_000)}, level=0) for n in (1, 11))
        assert len(old) == len(new)
        begin(final, old, etag="")
        source = MemorySource(new, lambda _n, at: MemoryStream(new, at, etag="", total=len(new)))
        fetch(source, final)
        assert source.openings == [(CAME, ""), (0, "")]
        assert unpacked(final)["one/image.tif"] == seeded(11).randbytes(500_000)

    def test_of_a_server_that_tells_nothing_is_not_continued(self, archive, files, final):
        begin(final, archive, etag="", total=None)
        source = MemorySource(archive, lambda _n, at: MemoryStream(archive, at, etag="", total=None))
        fetch(source, final)
        assert source.openings == [(0, "")]
        assert unpacked(final) == files


def test_without_version_the_same_length_is_continued(archive, files, final):
    begin(final, archive, etag="")
    source = MemorySource(archive, lambda _n, at: MemoryStream(archive, at, etag="", total=len(archive)))
    fetch(source, final)
    assert source.openings == [(CAME, "")]
    assert unpacked(final) == files


def test_a_server_that_ignores_ranges_is_not_asked_twice(archive, files, final):
    begin(final, archive)
    with serving(archive) as server:
        server.ranges = False
        fetch(HttpSource(server), final)
        assert server.requests == [f"bytes={CAME}-"]
        assert server.sent == len(archive)
    assert unpacked(final) == files


class TestDamage:
    @pytest.mark.parametrize("where", [0, 40, 150_000, CAME - 1])
    def test_on_disk_is_thrown_away_and_all_of_it_fetched_once_more(self, archive, files, final, where):
        begin(final, archive)
        part = final.parent / "final.part"
        kept = bytearray(part.read_bytes())
        kept[where] ^= 0x55
        part.write_bytes(kept)
        source = MemorySource(archive)
        fetch(source, final)
        assert source.openings[-1] == (0, "")
        assert len(source.openings) <= 2
        assert unpacked(final) == files
        assert names(final) == ["final"]

    def test_by_a_power_cut_that_left_zeros(self, archive, files, final):
        begin(final, archive)
        part = final.parent / "final.part"
        part.write_bytes(archive[:200_000] + bytes(CAME - 200_000))
        fetch(MemorySource(archive), final)
        assert unpacked(final) == files

    def test_that_comes_again_is_told_after_one_more_time(self, archive, final):
        broken = archive[:-4] + b"\0\0\0\0"
        begin(final, broken)
        source = MemorySource(broken)
        with pytest.raises(DamagedArchiveError):
            fetch(source, final)
        assert source.openings == [(CAME, '"1"'), (0, "")]
        assert not final.parent.exists()

    def test_of_what_came_in_one_piece_is_told_at_once(self, archive, final):
        source = MemorySource(archive[:-4] + b"\0\0\0\0")
        with pytest.raises(DamagedArchiveError):
            fetch(source, final)
        assert len(source.openings) == 1
        assert not final.parent.exists()


@pytest.mark.parametrize(
    "note",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 2, "etag": "\\"1\\"", "total": null, "checksums": {}}',
        '{"version": 1, "etag": "", "total": null, "checksums": {}}',
        '{"version": 1, "etag": "\\"1\\"", "total": -1, "checksums": {}}',
        '{"version": 1, "etag": "\\"1\\"", "total": 10, "checksums": {}}',
        '{"version": 1, "etag": "\\"1\\"", "total": 900000, "checksums": 3}',
        None,
    ],
)
def test_a_part_of_which_nothing_is_known_is_not_continued(archive, files, final, note):
    begin(final, archive)
    path = final.parent / "final.part.json"
    if note is None:
        path.unlink()
    else:
        path.write_text(note)
    source = MemorySource(archive)
    fetch(source, final)
    assert source.openings == [(0, "")]
    assert unpacked(final) == files
    assert names(final) == ["final"]


@pytest.mark.parametrize("error", [HostileArchiveError, NotFoundError])
def test_what_nobody_can_use_is_not_kept(archive, final, error):
    if error is NotFoundError:
        begin(final, archive)

        def gone(_number, _offset):
            raise NotFoundError("Gone.", status=404)

        source = MemorySource(archive, gone)
    else:
        hostile = next(hostile for hostile in hostile_archives() if "link or a device" in hostile.words)
        source = MemorySource(hostile.content)
    with pytest.raises(error):
        fetch(source, final)
    assert not final.parent.exists()


def test_a_zip_is_continued_too(files, final):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, data in files.items():
            packed.writestr(f"output/{name}", data)
    content = buffer.getvalue()
    begin(final, content)
    source = MemorySource(content)
    fetch(source, final)
    assert source.openings == [(CAME, '"1"')]
    assert unpacked(final) == files
    assert names(final) == ["final"]


class TestRoom:
    def test_is_asked_for_only_what_is_still_to_come(self, archive, files, final):
        begin(final, archive)
        needed = len(archive) - CAME + int(1.5 * len(archive))
        with pytest.raises(DiskFullError) as full:
            fetch(MemorySource(archive), final, free_space=lambda _folder: needed - 1)
        assert full.value.needed == needed
        assert names(final) == ["final.part", "final.part.json"]
        fetch(MemorySource(archive), final, free_space=lambda _folder: needed)
        assert unpacked(final) == files

    def test_for_a_file_counts_what_the_part_will_take(self, archive, final):
        free = iter([10**9, 500_000 + 100_000])
        stopped = threading.Event()

        def plan(_number, offset):
            stream = MemoryStream(archive, offset, total=len(archive), most=50_000)
            read = stream.read

            def slow(size):
                chunk = read(size)
                if stream._position >= 150_000:
                    stopped.wait(0.3)
                return chunk

            stream.read = slow
            return stream

        with pytest.raises(DiskFullError) as full:
            fetch(MemorySource(archive, plan), final, free_space=lambda _folder: next(free, 0))
        assert full.value.needed > 500_000 + 100_000
        assert not final.parent.exists()


def test_a_part_lets_go_of_its_lock_and_its_files(tmp_path):
    final = tmp_path / "final"
    part = KeptPart(final)
    part.begin(Content('"1"', 10))
    part.append(b"12345", 5)
    part.close(keep=True)
    again = KeptPart(final)
    assert (again.size, again.content, b"".join(again.chunks())) == (5, Content('"1"', 10), b"12345")
    again.append(b"678", 2)
    assert again.file.read() == b"12345678"
    again.close(keep=False)
    assert not list(tmp_path.iterdir())


def test_a_part_that_cannot_be_taken_up_lets_go_of_its_lock(tmp_path, monkeypatch):
    part = KeptPart(tmp_path / "final")
    part.begin(Content("etag", None))
    part.append(b"x" * 10, 0)
    part.close(keep=True)
    with monkeypatch.context() as patch:
        patch.setattr(KeptPart, "_read_note", lambda _part: (_ for _ in ()).throw(PermissionError("no")))
        with pytest.raises(PermissionError) as held:
            KeptPart(tmp_path / "final")
    assert held.traceback, "whoever tells of it later still has it"
    KeptPart(tmp_path / "final").close(keep=False)
