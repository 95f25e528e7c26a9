"""Fetching outputs: whole or not at all, whatever happens to the connection, the disk or the person's mind."""

from __future__ import annotations

import errno
import os
import threading
import tracemalloc

import pytest

from tests.byte_sources import (
    HttpSource,
    MemorySource,
    MemoryStream,
    Recorder,
    our_threads,
    seeded,
    serving,
    tar_gz,
    tree,
)
from tests.hostile_archives import hostile_archives
from up42_plugin.api.errors import Cancelled, NetworkError, NotFoundError, RateLimitedError, ServerError
from up42_plugin.core import disk
from up42_plugin.core import unpack as unpack_module
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.output_errors import DamagedArchiveError, DiskFullError, FolderError, OutputError, format_bytes
from up42_plugin.core.transfer import TransferPolicy, fetch_output
from up42_plugin.core.transfer import part as part_module
from up42_plugin.core.unpack import RECEIPT, UnpackLimits

QUICK = TransferPolicy(first_wait=0.001, longest_wait=0.002)
SOAK = bool(os.environ.get("UP42_SOAK"))


@pytest.fixture(scope="module")
def files():
    chance = seeded(42)
    return {
        "data.json": b'{"type":"FeatureCollection","features":[]}',
        "one/image.tif": chance.randbytes(300_000),
        "two/empty.tif": bytes(400_000),
        "three.tif": chance.randbytes(500_000),
    }


@pytest.fixture(scope="module")
def archive(files):
    return tar_gz(files)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert our_threads() == []


def unpacked(folder):
    found = tree(folder)
    assert found.pop(RECEIPT)
    return found


def test_an_output_arrives_whole(archive, files, tmp_path):
    final = tmp_path / "jobs" / "taormina" / "final"
    with serving(archive) as server:
        assert fetch_output(HttpSource(server), final, ThreadContext()) == final
    assert unpacked(final) == files
    assert [path.name for path in final.parent.iterdir()] == ["final"]


@pytest.mark.soak
def test_downloads_cut_at_random_bytes_end_identical_and_fetch_little_twice(archive, files, tmp_path):
    chance = seeded(7)
    with serving(archive) as server:
        for number in range(200 if SOAK else 20):
            server.cuts = sorted(chance.randrange(1, len(archive)) for _ in range(chance.randrange(1, 4)))
            cuts, server.sent = len(server.cuts), 0
            final = tmp_path / str(number)
            fetch_output(HttpSource(server), final, ThreadContext(), policy=QUICK)
            assert unpacked(final) == files
            assert server.sent <= len(archive) + cuts * 256 * 1024


def test_a_download_goes_on_where_it_was_cut_with_the_same_archive(archive, tmp_path):
    with serving(archive) as server:
        server.cuts = [len(archive) // 3, 2 * len(archive) // 3]
        context = Recorder()
        fetch_output(HttpSource(server), tmp_path / "final", context, policy=QUICK)
        offsets = [request for request in server.requests if request]
    assert offsets == [f"bytes={len(archive) // 3}-", f"bytes={2 * len(archive) // 3}-"]
    assert "Download interrupted at 33\u00a0%, continuing" in context.texts


def test_a_url_that_expires_in_mid_download_is_renewed(archive, files, tmp_path):
    with serving(archive) as server:
        server.cuts = [len(archive) // 2]
        source = HttpSource(server)
        stream_opened = source.open

        def open_and_expire(offset=0, etag=""):
            stream = stream_opened(offset, etag)
            server.signatures = {"2"}
            return stream

        source.open = open_and_expire
        fetch_output(source, tmp_path / "final", ThreadContext(), policy=QUICK)
        assert source.renewals == 1
    assert unpacked(tmp_path / "final") == files


def test_a_server_that_ignores_ranges_is_asked_for_all_of_it_again(archive, files, tmp_path):
    with serving(archive) as server:
        server.ranges = False
        server.cuts = [len(archive) // 2]
        context = Recorder()
        fetch_output(HttpSource(server), tmp_path / "final", context, policy=QUICK)
    assert unpacked(tmp_path / "final") == files
    assert "The download could not be continued, starting over" in context.texts


def test_an_output_that_changed_meanwhile_is_fetched_anew(archive, tmp_path):
    other = tar_gz({"data.json": b"changed"})
    with serving(archive) as server:
        server.cuts = [len(archive) // 2]
        source = HttpSource(server)
        first = source.open

        def open_then_change(offset=0, etag=""):
            if offset:
                server.content, server.etag = other, '"2"'
            return first(offset, etag)

        source.open = open_then_change
        fetch_output(source, tmp_path / "final", ThreadContext(), policy=QUICK)
    assert unpacked(tmp_path / "final") == {"data.json": b"changed"}


def test_a_server_that_never_continues_is_given_up(archive, tmp_path):
    source = MemorySource(archive, lambda _n, _o: MemoryStream(archive, 0, cut_at=100_000, total=len(archive)))
    with pytest.raises(NetworkError, match="could not continue"):
        fetch_output(source, tmp_path / "final", ThreadContext(), policy=QUICK)
    assert not list(tmp_path.iterdir())


def test_an_end_before_the_announced_length_is_a_cut(archive, files, tmp_path):
    def plan(number, offset):
        return MemoryStream(archive, offset, cut_at=200_000, silent=True, total=len(archive)) if number == 1 else None

    source = MemorySource(archive, plan)
    fetch_output(source, tmp_path / "final", ThreadContext(), policy=QUICK)
    assert unpacked(tmp_path / "final") == files
    assert source.openings == [(0, ""), (200_000, '"1"')]
    assert all(stream.closed for stream in source.streams)


def test_a_line_that_stays_dead_ends_with_its_error(archive, tmp_path):
    def plan(number, offset):
        if number > 1:
            raise NetworkError("No answer from the service.")
        return MemoryStream(archive, offset, cut_at=200_000, total=len(archive))

    source, context = MemorySource(archive, plan), Recorder()
    with pytest.raises(NetworkError, match="No answer"):
        fetch_output(source, tmp_path / "jobs" / "final", context, policy=TransferPolicy())
    assert len(source.openings) == TransferPolicy().attempts
    assert context.sleeps == [0.5, 1.0, 2.0, 4.0, 8.0]
    assert sorted(path.name for path in (tmp_path / "jobs").iterdir()) == ["final.part", "final.part.json"]
    assert (tmp_path / "jobs" / "final.part").read_bytes() == archive[:200_000]


def test_progress_earns_new_attempts(archive, files, tmp_path):
    def plan(_number, offset):
        return MemoryStream(archive, offset, cut_at=offset + 70_000, total=len(archive))

    source = MemorySource(archive, plan)
    fetch_output(source, tmp_path / "final", ThreadContext(), policy=QUICK)
    assert len(source.openings) > QUICK.attempts
    assert unpacked(tmp_path / "final") == files


def test_a_trickle_of_bytes_earns_none(archive, tmp_path):
    source = MemorySource(archive, lambda _n, offset: MemoryStream(archive, offset, cut_at=offset + 10))
    with pytest.raises(NetworkError):
        fetch_output(source, tmp_path / "final", ThreadContext(), policy=QUICK)
    assert len(source.openings) == QUICK.attempts


def test_problems_of_the_service_are_waited_out(archive, files, tmp_path):
    def plan(number, _offset):
        if number == 1:
            raise ServerError("The service has a problem.", status=503)
        if number == 2:
            raise RateLimitedError("Too many requests.", retry_after=7.0)

    context = Recorder()
    fetch_output(MemorySource(archive, plan), tmp_path / "final", context, policy=QUICK)
    assert context.sleeps == [QUICK.first_wait, 7.0]
    assert unpacked(tmp_path / "final") == files


def test_an_output_that_is_gone_is_not_asked_for_again(archive, tmp_path):
    def plan(_number, _offset):
        raise NotFoundError("The output is gone.", status=404)

    source = MemorySource(archive, plan)
    with pytest.raises(NotFoundError):
        fetch_output(source, tmp_path / "a" / "b", ThreadContext(), policy=QUICK)
    assert len(source.openings) == 1
    assert not list(tmp_path.iterdir())


def test_more_bytes_than_announced_are_damage(archive, tmp_path):
    source = MemorySource(archive, lambda _n, offset: MemoryStream(archive, offset, total=len(archive) - 9))
    with pytest.raises(DamagedArchiveError):
        fetch_output(source, tmp_path / "final", ThreadContext())
    assert not list(tmp_path.iterdir())


def test_progress_is_told_in_bytes_and_never_goes_back(archive, tmp_path):
    context = Recorder()
    fetch_output(MemorySource(archive), tmp_path / "final", context, policy=TransferPolicy(report_every=0.0))
    percents = [percent for percent, _ in context.reports]
    assert percents == sorted(percents)
    assert (percents[0], percents[-1]) == (0.0, 100.0)
    assert any(" of 8" in text.replace("\u00a0", " ") and text.startswith("Downloading") for _, text in context.reports)


def test_without_a_length_progress_is_unknown_but_told(archive, files, tmp_path):
    context = Recorder()
    fetch_output(MemorySource(archive, sized=False), tmp_path / "final", context)
    assert {percent for percent, _ in context.reports[:-1]} == {-1.0}
    assert unpacked(tmp_path / "final") == files


def test_too_little_room_is_said_before_anything_is_written(archive, tmp_path):
    with pytest.raises(DiskFullError) as full:
        fetch_output(MemorySource(archive), tmp_path / "jobs" / "final", ThreadContext(), free_space=lambda _f: 500_000)
    with_part = int(len(archive) * TransferPolicy().expansion) + len(archive)
    needed = format_bytes(with_part)
    assert full.value.user_message == f"{needed} needed, 500.0\u00a0kB free in the output folder. Change Folder…"
    assert full.value.needed == with_part
    assert not list(tmp_path.iterdir())


def test_a_file_larger_than_the_room_is_not_begun(archive, tmp_path):
    rooms = iter([10**9, 10**9, 10**9, 100])
    with pytest.raises(DiskFullError) as full:
        fetch_output(MemorySource(archive), tmp_path / "final", ThreadContext(), free_space=lambda _f: next(rooms))
    assert (full.value.needed, full.value.free) == (400_000, 100)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("full_at", [0, 1, 150_000, 700_000])
@pytest.mark.parametrize("full", [(errno.ENOSPC, "any"), (errno.EDQUOT, "any"), (errno.ENOSPC, "unpacked")])
def test_a_disk_that_fills_up_while_writing_leaves_no_trace(archive, tmp_path, monkeypatch, full_at, full):
    room, (code, which) = [full_at], full

    def write_all(target, chunk):
        room[0] -= len(chunk)
        if room[0] < 0:
            raise OSError(code, os.strerror(code))
        disk.write_all(target, chunk)

    for module in [unpack_module, part_module] if which == "any" else [unpack_module]:
        monkeypatch.setattr(module, "write_all", write_all)
    with pytest.raises(DiskFullError, match="free in the output folder"):
        fetch_output(MemorySource(archive), tmp_path / "jobs" / "final", ThreadContext())
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_named(archive, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FolderError, match="cannot be written"):
        fetch_output(MemorySource(archive), tmp_path / "file" / "final", ThreadContext())


@pytest.mark.parametrize("hostile", hostile_archives()[::4], ids=lambda hostile: hostile.name)
def test_a_refused_archive_leaves_no_trace(hostile, tmp_path):
    limits = UnpackLimits(ratio_from=1 << 20, members=50)
    with pytest.raises(OutputError):
        fetch_output(MemorySource(hostile.content), tmp_path / "jobs" / "final", ThreadContext(), limits=limits)
    assert not list(tmp_path.iterdir())


def test_cancelling_at_any_moment_leaves_no_trace(archive, files, tmp_path):
    def plan(number, offset):
        return MemoryStream(archive, offset, cut_at=300_000, total=len(archive)) if number == 1 else None

    policy = TransferPolicy(first_wait=0.0, report_every=0.0)
    cancelled = 0
    for moment in range(1, 1000):
        source = MemorySource(archive, plan)
        context = Recorder(cancel_at=moment)
        try:
            fetch_output(source, tmp_path / "jobs" / "final", context, policy=policy, discard=lambda: True)
        except Cancelled:
            cancelled += 1
            assert not list(tmp_path.iterdir())
            assert our_threads() == []
        else:
            break
        finally:
            assert all(stream.closed for stream in source.streams)
    assert cancelled > 60
    assert unpacked(tmp_path / "jobs" / "final") == files


def test_cancelling_wakes_a_blocked_read(archive, tmp_path):
    with serving(archive) as server:
        server.hang_at = 100_000
        context = ThreadContext()
        outcome = []

        def work():
            try:
                fetch_output(HttpSource(server, context), tmp_path / "final", context, discard=lambda: True)
            except BaseException as error:  # handed to the test's thread
                outcome.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        assert server.hanging.wait(30)
        context.cancel()
        worker.join(30)
        assert not worker.is_alive()
    assert isinstance(outcome[0], Cancelled)
    assert not list(tmp_path.iterdir())


def test_an_earlier_output_is_replaced_only_by_a_whole_one(archive, files, tmp_path):
    final = tmp_path / "final"
    final.mkdir()
    (final / "old.txt").write_text("old")
    with pytest.raises(DamagedArchiveError):
        fetch_output(MemorySource(archive[:-50]), final, ThreadContext())
    assert tree(final) == {"old.txt": b"old"}
    fetch_output(MemorySource(archive), final, ThreadContext())
    assert unpacked(final) == files
    assert [path.name for path in tmp_path.iterdir()] == ["final"]


def test_memory_stays_bounded(tmp_path):
    chance = seeded(9)
    block = chance.randbytes(1 << 20)
    archive = tar_gz({"big.tif": block * 48, "zeros.tif": bytes(48 << 20)})
    tracemalloc.start()
    try:
        fetch_output(
            MemorySource(archive), tmp_path / "final", ThreadContext(), limits=UnpackLimits(ratio_from=1 << 40)
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 << 20
