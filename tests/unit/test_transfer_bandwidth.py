"""The limit that downloads share."""

from __future__ import annotations

import threading
import time

import pytest

from tests.byte_sources import MemorySource, seeded, tar_gz
from up42_plugin.api.errors import Cancelled
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.transfer import Bandwidth, fetch_output


class Clock:
    """Time that passes only while somebody sleeps in it."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds

    def check(self):
        pass

    def on_cancel(self, wake):
        return lambda: None


def test_bytes_take_as_long_as_the_limit_says():
    clock = Clock()
    bandwidth = Bandwidth(1_000_000, clock)
    for _ in range(50):
        bandwidth.take(100_000, clock)
    assert clock.now - 100.0 == pytest.approx(5.0, abs=0.11)


def test_what_nobody_used_is_not_saved_up():
    clock = Clock()
    bandwidth = Bandwidth(1_000_000, clock)
    bandwidth.take(1, clock)
    clock.now += 3600
    start = clock.now
    bandwidth.take(2_000_000, clock)
    assert clock.now - start == pytest.approx(2.0, abs=0.11)


def test_without_a_limit_nobody_waits():
    clock = Clock()
    bandwidth = Bandwidth(None, clock)
    bandwidth.take(10**12, clock)
    assert clock.now == 100.0
    assert bandwidth.portion(1 << 19) == 1 << 19


def test_a_limit_asks_for_little_at_once():
    assert Bandwidth(1_000_000).portion(1 << 19) == 100_000
    assert Bandwidth(10).portion(1 << 19) == 1 << 12
    assert Bandwidth(10**9).portion(1 << 19) == 1 << 19


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit):
    with pytest.raises(ValueError, match="at least 1"):
        Bandwidth(limit)
    with pytest.raises(ValueError, match="at least 1"):
        Bandwidth().set_limit(limit)


def in_thread(work):
    outcome = []

    def run():
        started = time.monotonic()
        try:
            work()
        except BaseException as error:  # handed to the test's thread
            outcome.append(error)
        outcome.append(time.monotonic() - started)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def test_cancelling_wakes_who_waits_and_gives_the_others_their_share():
    bandwidth, context = Bandwidth(1000), ThreadContext()
    thread, outcome = in_thread(lambda: bandwidth.take(10**9, context))
    time.sleep(0.05)
    started = time.monotonic()
    context.cancel()
    thread.join(10)
    assert isinstance(outcome[0], Cancelled)
    assert time.monotonic() - started < 8
    bandwidth.take(50, ThreadContext())
    assert time.monotonic() - started < 9


@pytest.mark.parametrize("limit", [None, 10**12])
def test_a_limit_that_is_lifted_or_raised_counts_at_once(limit):
    bandwidth = Bandwidth(1000)
    thread, outcome = in_thread(lambda: bandwidth.take(10**9, ThreadContext()))
    time.sleep(0.05)
    bandwidth.set_limit(limit)
    thread.join(10)
    assert not thread.is_alive()
    assert outcome[0] < 5


def test_downloads_at_the_same_time_get_equal_shares():
    bandwidth, stop = Bandwidth(1_000_000), threading.Event()
    taken = [0, 0, 0]

    def download(number):
        while not stop.is_set():
            bandwidth.take(20_000, ThreadContext())
            taken[number] += 20_000

    started = time.monotonic()
    threads = [in_thread(lambda number=number: download(number))[0] for number in range(3)]
    time.sleep(1.2)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert min(taken) > 0.5 * max(taken)
    assert sum(taken) < 800_000 + 1_000_000 * (time.monotonic() - started)


def test_an_output_comes_no_faster_than_the_limit(tmp_path):
    archive = tar_gz({"data.json": b"{}", "image.tif": seeded(3).randbytes(500_000)})
    started = time.monotonic()
    fetch_output(MemorySource(archive), tmp_path / "final", ThreadContext(), bandwidth=Bandwidth(1_000_000))
    assert time.monotonic() - started > 0.35
