"""The threads of a transfer: they end, whatever happens, and hold little meanwhile."""

from __future__ import annotations

import threading
import time

import pytest

from tests.byte_sources import HttpSource, MemorySource, MemoryStream, our_threads, seeded, serving, tar_gz, tree
from up42_plugin.api.errors import Cancelled
from up42_plugin.core.archives import inflate
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.output_errors import DamagedArchiveError
from up42_plugin.core.transfer import TransferPolicy, fetch_output
from up42_plugin.core.transfer import pipeline as pipeline_module
from up42_plugin.core.transfer.idle_watch import IdleWatch
from up42_plugin.core.transfer.pipe import Pipe, Stopped
from up42_plugin.core.unpack import Unpacker

QUICK = TransferPolicy(first_wait=0.001, longest_wait=0.002)


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert our_threads() == []


@pytest.fixture(scope="module")
def archive():
    return tar_gz({"data.json": b"{}", "image.tif": seeded(8).randbytes(3_000_000)})


class TestPipe:
    def test_gives_everything_in_order(self):
        pipe, got = Pipe(10), []
        reader = threading.Thread(target=lambda: got.extend(pipe))
        reader.start()
        for number in range(100):
            pipe.put(b"%04d" % number)
        pipe.end()
        reader.join(10)
        assert b"".join(got) == b"".join(b"%04d" % number for number in range(100))

    def test_holds_no_more_than_it_may(self):
        pipe, ticks = Pipe(10), []

        def tick():
            ticks.append(1)
            if len(ticks) > 1:
                raise Cancelled

        pipe.put(b"12345678")
        pipe.put(b"9abc")
        with pytest.raises(Cancelled):
            pipe.put(b"d", tick)
        assert (pipe.get(), pipe.get()) == (b"12345678", b"9abc")

    @pytest.mark.parametrize("end", ["put", "get"])
    def test_stopping_wakes_both_ends(self, end):
        pipe, outcome = Pipe(1), []
        if end == "put":
            pipe.put(b"full")

        def work():
            try:
                pipe.put(b"more") if end == "put" else pipe.get()
            except Stopped as stopped:
                outcome.append(stopped)

        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.05)
        pipe.stop()
        thread.join(5)
        assert len(outcome) == 1


class BrokenError(Exception):
    """Something nobody expects."""


@pytest.mark.parametrize("place", ["inflate", "write", "read"])
def test_an_unexpected_error_anywhere_ends_all_and_is_raised(archive, tmp_path, monkeypatch, place):
    def breaking(*_arguments, **_named):
        raise BrokenError

    source = MemorySource(archive)
    if place == "inflate":
        monkeypatch.setattr(inflate.GzipReader, "_inflated", breaking)
    elif place == "write":
        monkeypatch.setattr(Unpacker, "_write", breaking)
    else:
        monkeypatch.setattr(MemoryStream, "read", breaking)
    with pytest.raises(BrokenError):
        fetch_output(source, tmp_path / "final", ThreadContext(), policy=QUICK)
    assert all(stream.closed for stream in source.streams)
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


def test_an_error_of_the_writer_ends_the_download_at_once(archive, tmp_path, monkeypatch):
    """Not after all the rest of it has come."""
    content = archive[:100] + bytes(100) + archive[200:]
    reads = []

    def plan(_number, offset):
        stream = MemoryStream(content, offset, total=1 << 40)
        read = stream.read

        def endless(size):
            reads.append(size)
            time.sleep(0.001)
            return read(size) or b"more of the same"

        stream.read = endless
        return stream

    with pytest.raises(DamagedArchiveError):
        fetch_output(
            MemorySource(content, plan), tmp_path / "final", ThreadContext(), free_space=lambda _folder: 1 << 50
        )
    assert len(reads) < 2000


def test_a_slow_disk_holds_the_network_back_instead_of_filling_the_memory(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline_module, "_ARCHIVED_MOST", 1 << 18)
    monkeypatch.setattr(pipeline_module, "_INFLATED_MOST", 1 << 18)
    opened, ahead, source = threading.Event(), [], MemorySource(archive)
    write = Unpacker._write

    def slow(self, path, read, size=0):
        if "image" in path:
            opened.wait(0.5)
            ahead.append(source.streams[0]._position)
        return write(self, path, read, size)

    monkeypatch.setattr(Unpacker, "_write", slow)
    fetch_output(source, tmp_path / "final", ThreadContext())
    assert ahead[0] < 2_600_000
    assert len(tree(tmp_path / "final")["image.tif"]) == 3_000_000


def test_cancelling_wakes_a_download_that_waits_for_the_disk(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline_module, "_ARCHIVED_MOST", 1)
    monkeypatch.setattr(pipeline_module, "_INFLATED_MOST", 1)
    context, stuck, release = ThreadContext(), threading.Event(), threading.Event()

    def stands_still(self, path, read, size=0):
        stuck.set()
        release.wait(30)
        self._watch.check()

    monkeypatch.setattr(Unpacker, "_write", stands_still)
    outcome = []

    def work():
        try:
            fetch_output(MemorySource(archive), tmp_path / "final", context)
        except BaseException as error:  # handed to the test's thread
            outcome.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    assert stuck.wait(30)
    context.cancel()
    release.set()
    worker.join(5)
    assert isinstance(outcome[0], Cancelled)


class TestIdleLines:
    def test_are_reconnected(self, archive, tmp_path):
        with serving(archive) as server:
            server.hang_at = 1 << 20
            source = HttpSource(server)
            first = source.open

            def open_again(offset=0, etag=""):
                if offset:
                    server.hang_at = None
                return first(offset, etag)

            source.open = open_again
            policy = TransferPolicy(first_wait=0.001, idle_seconds=0.3)
            started = time.monotonic()
            fetch_output(source, tmp_path / "final", ThreadContext(), policy=policy)
            assert time.monotonic() - started >= 0.3
            assert server.requests == ["", f"bytes={1 << 20}-"]
        assert len(tree(tmp_path / "final")["image.tif"]) == 3_000_000

    def test_are_those_that_bring_nothing_not_those_that_bring_little(self):
        stream = MemoryStream(b"x" * 50, most=1)
        with IdleWatch(0.2) as watch:
            for _ in range(8):
                time.sleep(0.05)
                assert watch.read(stream, 10) == b"x"
            time.sleep(0.4)  # nobody reads: that is not the line's fault
        assert not stream.interrupted

    def test_are_left_alone_when_a_download_has_ended(self):
        stream = MemoryStream(b"")
        with IdleWatch(0.05) as watch:
            watch.read(stream, 10)
            time.sleep(0.2)
        assert not stream.interrupted
