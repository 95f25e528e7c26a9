"""Who stops a download, and who else is at it: what is kept then, and for whom."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from kept_kit import ARCHIVE, CAME, FILES, begin, fetch, names, unpacked

from tests.byte_sources import HttpSource, MemorySource, MemoryStream, Recorder, our_threads, serving
from up42_plugin.api.errors import Cancelled
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.output_errors import BusyOutputError
from up42_plugin.core.transfer import TransferPolicy, fetch_output


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


class TestCancelling:
    def cancelled(self, archive, final, **how):
        """Cancelled while ``CAME`` bytes had come; what the server was asked for afterwards."""
        with serving(archive) as server:
            server.hang_at = CAME // 16384 * 16384
            context, outcome = ThreadContext(), []

            def work():
                try:
                    fetch(HttpSource(server, context), final, context, **how)
                except BaseException as error:  # handed to the test's thread
                    outcome.append(error)

            worker = threading.Thread(target=work)
            worker.start()
            assert server.hanging.wait(30)
            part = final.parent / "final.part"
            while not (part.exists() and part.stat().st_size):
                threading.Event().wait(0.01)
            context.cancel()
            worker.join(30)
            assert isinstance(outcome[0], Cancelled)
        source = MemorySource(archive)
        left = names(final) if final.parent.exists() else []
        fetch(source, final)
        return left, source.openings

    @pytest.mark.parametrize("how", [{}, {"discard": lambda: False}])
    def test_keeps_what_came_when_it_is_paused(self, archive, final, how):
        left, openings = self.cancelled(archive, final, **how)
        assert left == ["final.part", "final.part.json"]
        assert openings == [(CAME // 16384 * 16384, '"1"')]

    def test_discards_what_came_when_the_person_says_so(self, archive, final):
        left, openings = self.cancelled(archive, final, discard=lambda: True)
        assert left == []
        assert openings == [(0, "")]

    def test_at_any_moment_can_be_continued(self, archive, files, tmp_path):
        def plan(number, offset):
            return MemoryStream(archive, offset, cut_at=CAME, total=len(archive)) if number == 1 else None

        policy = TransferPolicy(first_wait=0.0, report_every=0.0)
        for moment in range(1, 1000, 3):
            final = tmp_path / str(moment)
            try:
                fetch_output(MemorySource(archive, plan), final, Recorder(cancel_at=moment), policy=policy)
            except Cancelled:
                part = final.with_name(f"{final.name}.part")
                came = part.read_bytes() if part.exists() else b""
                assert came == archive[: len(came)]
                source = MemorySource(archive)
                fetch(source, final)
                expected = [] if len(came) == len(archive) else [(len(came), '"1"' if came else "")]
                assert source.openings == expected
                assert unpacked(final) == files
            else:
                break
        assert moment > 30


class TestTwoWindows:
    def test_do_not_fetch_the_same_output_at_the_same_time(self, archive, files, final):
        with serving(archive) as server:
            server.hang_at = CAME
            first = threading.Thread(target=lambda: fetch(HttpSource(server), final))
            first.start()
            assert server.hanging.wait(30)
            source = MemorySource(archive)
            with pytest.raises(BusyOutputError, match="Another QGIS window"):
                fetch(source, final)
            assert source.openings == []
            server.hang_at = None
            server.release.set()
            first.join(30)
        assert unpacked(final) == files
        assert names(final) == ["final"]

    def test_one_that_died_blocks_nobody(self, archive, files, final):
        begin(final, archive)
        script = (
            "import sys, time; from pathlib import Path\n"
            "from up42_plugin.core.transfer.part import KeptPart\n"
            "part = KeptPart(Path(sys.argv[1])); print('locked', flush=True); time.sleep(60)"
        )
        root = Path(__file__).parents[2]
        with subprocess.Popen(
            [sys.executable, "-c", script, str(final)], stdout=subprocess.PIPE, cwd=str(root), text=True
        ) as window:
            assert window.stdout.readline() == "locked\n"
            with pytest.raises(BusyOutputError):
                fetch(MemorySource(archive), final)
            assert names(final) == ["final.part", "final.part.json"]
            window.kill()
        source = MemorySource(archive)
        fetch(source, final)
        assert source.openings == [(CAME, '"1"')]
        assert unpacked(final) == files

    def test_what_a_dead_one_was_unpacking_goes_at_once(self, archive, final):
        begin(final, archive)
        for name in ("final.partial-0badcafe", "final.old-0badcafe", "other.partial-0badcafe"):
            (final.parent / name).mkdir()
            (final.parent / name / "image.tif").write_bytes(b"half")
        fetch(MemorySource(archive), final)
        assert names(final) == ["final", "other.partial-0badcafe"]

    def test_many_that_begin_at_once_leave_one_whole_output(self, archive, files, final):
        outcome = []

        def work():
            try:
                fetch(MemorySource(archive), final)
            except BusyOutputError as error:
                outcome.append(error)
            else:
                outcome.append(None)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(outcome) == 8
        assert None in outcome
        assert unpacked(final) == files
        assert names(final) == ["final"]
