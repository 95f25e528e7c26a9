"""Downloads whose connection is cut and whose process is killed at any byte: they end whole, and fetch little twice.

Everything is real: the service over HTTP, its signed addresses, the client, the files. A proxy between them cuts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from dataclasses import replace
from pathlib import Path

import pytest
from download_kit import Cut, DownloadProxy, large_output, part_of

from tests.byte_sources import tree
from tests.seeds import SEED, chance_of
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.service import Output
from up42_plugin.core.storage import remove_tree
from up42_plugin.core.transfer import TransferPolicy, fetch_output
from up42_plugin.core.unpack import RECEIPT

SOAK = os.environ.get("UP42_SOAK") == "1"
CUT_DOWNLOADS = 200 if SOAK else 20
KILLS = 50 if SOAK else 5
KILLS_EACH = 5
SIZE = 3_000_000
TWICE_PER_CUT = 256 * 1024
ENDS_WITHIN_S = 120
ANY_TIME_S = 2.0
QUICK = TransferPolicy(first_wait=0.001, longest_wait=0.002)

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800 if SOAK else 240)]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    with large_output(tmp_path_factory.mktemp("downloads") / "data", SIZE) as output:
        yield output


def assert_whole(folder, output):
    found = tree(folder)
    assert found.pop(RECEIPT)
    assert found == output.files
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_downloads_cut_at_random_bytes_with_addresses_that_expire(output, tmp_path):
    chance, expired, cuts_in_all = chance_of(SEED), 0, 0
    for number in range(CUT_DOWNLOADS):
        places = sorted(chance.randrange(1, len(output.archive)) for _ in range(chance.randrange(1, 5)))
        cuts = [Cut(at, chance.random() < 0.5, chance.random() < 0.5) for at in places]
        folder, context = tmp_path / str(number) / "final", ThreadContext()
        with DownloadProxy(deque(cuts)) as proxy:
            with output.entrance(proxy.address).provider().open(context) as service:
                fetch_output(service.open_output(Output(output.job_id)), folder, context, policy=QUICK)
            assert_whole(folder, output)
            made = len(cuts) - len(proxy.cuts)
            assert len(proxy.ranges) == made + 1
            assert proxy.sent - len(output.archive) <= made * TWICE_PER_CUT
            assert proxy.ranges == sorted(proxy.ranges)
            expired += proxy.expired
            cuts_in_all += made
        remove_tree(folder.parent)
    assert cuts_in_all >= CUT_DOWNLOADS
    assert expired >= CUT_DOWNLOADS // 4


class Downloads:
    """Processes that fetch the same output into one folder, until one of them is let live."""

    def __init__(self, output, folder, errors):
        self.output, self.folder, self.errors = output, folder, errors

    def killed_at(self, byte):
        """Kill it when the whole download has come to a byte."""
        running = []
        reached = threading.Event()

        def kill():
            os.kill(running[0].pid, signal.SIGKILL)
            reached.set()

        before = part_of(self.folder) or b""
        with DownloadProxy(deque([Cut(byte, reached=kill)])) as proxy, self._process(proxy) as process:
            running.append(process)
            assert process.wait(ENDS_WITHIN_S) == -signal.SIGKILL, self.errors.read_text()
            assert reached.is_set()
        self._assert_continued(before, proxy)

    def killed_after(self, seconds):
        """Kill it at any time; it may have ended by then."""
        before = part_of(self.folder) or b""
        with DownloadProxy(deque()) as proxy, self._process(proxy) as process:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(ENDS_WITHIN_S)
        if not self.folder.exists():
            self._assert_continued(before, proxy)
        return process.returncode == -signal.SIGKILL

    def let_live(self):
        before = part_of(self.folder) or b""
        with DownloadProxy(deque()) as proxy, self._process(proxy) as process:
            assert process.wait(ENDS_WITHIN_S) == 0, self.errors.read_text()
        asked = [] if len(before) == len(self.output.archive) else [len(before)]
        assert proxy.ranges == asked
        assert proxy.sent == len(self.output.archive) - len(before)

    def _assert_continued(self, before, proxy):
        """It asked for nothing that was there, and left more than it found."""
        assert proxy.ranges in ([], [len(before)])
        kept = part_of(self.folder) or b""
        assert len(kept) >= len(before)
        assert kept == self.output.archive[: len(kept)]
        assert not self.folder.exists()

    def _process(self, proxy):
        entrance = replace(self.output.entrance(proxy.address), folder=str(self.folder))
        script = Path(__file__).with_name("downloading_process.py")
        with self.errors.open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, str(script), entrance.to_json()], stdin=subprocess.DEVNULL, stderr=errors
            )


def test_downloads_whose_process_is_killed_continue_from_what_they_kept(output, tmp_path):
    chance, kills, number = chance_of(SEED), 0, 0
    while kills < KILLS:
        number += 1
        folder = tmp_path / str(number) / "final"
        downloads = Downloads(output, folder, tmp_path / f"{number}.stderr")
        for _ in range(min(KILLS_EACH, KILLS - kills)):
            if chance.random() < 0.2:
                kills += downloads.killed_after(chance.uniform(0.0, ANY_TIME_S))
            else:
                kept = len(part_of(folder) or b"")
                if folder.exists() or kept >= len(output.archive) - 1:
                    break
                downloads.killed_at(chance.randrange(kept + 1, len(output.archive)))
                kills += 1
        if not folder.exists():
            downloads.let_live()
        assert_whole(folder, output)
        remove_tree(folder.parent)
