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


class Watched(ThreadContext):
    """Sleeps until the test lets time pass, and tells that it does."""

    def __init__(self, clock):
        super().__init__()
        self.asleep, self._clock = threading.Event(), clock

    def sleep(self, seconds):
        with self._clock.changed:
            self.asleep.set()
            self._clock.changed.wait(0.02)  # time may have passed on just before
        self.check()


class SharedClock(Clock):
    """Time that passes when the test says so, for several threads."""

    def __init__(self):
        super().__init__()
        self.changed = threading.Condition()

    def pass_on(self, seconds):
        with self.changed:
            self.now += seconds
            self.changed.notify_all()


def in_thread(work):
    outcome = []

    def run():
        try:
            outcome.append(work())
        except BaseException as error:  # handed to the test's thread
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, outcome


def ended(thread):
    thread.join(10)
    return not thread.is_alive()


AGES = 10**9


def test_cancelling_wakes_who_waits_and_gives_the_others_their_share():
    bandwidth, context = Bandwidth(1000), ThreadContext()
    thread, outcome = in_thread(lambda: bandwidth.take(AGES, context))
    context.cancel()
    assert ended(thread)
    assert isinstance(outcome[0], Cancelled)
    other, _ = in_thread(lambda: bandwidth.take(50, ThreadContext()))
    assert ended(other)


@pytest.mark.parametrize("limit", [None, 10**12])
def test_a_limit_that_is_lifted_or_raised_counts_at_once(limit):
    clock = SharedClock()
    bandwidth, context = Bandwidth(1000, clock), Watched(clock)
    thread, outcome = in_thread(lambda: bandwidth.take(AGES, context))
    assert context.asleep.wait(10)
    bandwidth.set_limit(limit)
    clock.pass_on(0.1)
    assert ended(thread)
    assert outcome == [None]


def test_downloads_at_the_same_time_are_served_in_the_order_in_which_they_asked():
    clock = SharedClock()
    bandwidth = Bandwidth(1000, clock)
    bandwidth.take(100, clock)  # what may be taken at once
    waiting = []
    for _ in range(3):
        context = Watched(clock)
        waiting.append(in_thread(lambda context=context: bandwidth.take(100, context))[0])
        assert context.asleep.wait(10)
    for number, thread in enumerate(waiting):
        assert all(other.is_alive() for other in waiting[number:])
        clock.pass_on(0.1)
        assert ended(thread)


def test_an_output_comes_no_faster_than_the_limit(tmp_path):
    archive = tar_gz({"data.json": b"{}", "image.tif": seeded(3).randbytes(500_000)})
    started = time.monotonic()
    fetch_output(MemorySource(archive), tmp_path / "final", ThreadContext(), bandwidth=Bandwidth(1_000_000))
    assert time.monotonic() - started > 0.35
