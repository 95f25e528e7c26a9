"""What is said of a running transfer."""

from __future__ import annotations

import pytest

from tests.byte_sources import Recorder
from up42_plugin.core.transfer.progress import Rate, TransferProgress, amount, duration

MB = 1_000_000


class Clock:
    now = 50.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (99_940, "99.9 kB"),
        (99_960, "100 kB"),
        (120 * MB, "120 MB"),
        (45_200_000, "45.2 MB"),
        (999_600_000, "1.0 GB"),
        (3_100_000_000, "3.1 GB"),
        (7_000_000_000_000_000, "7000 TB"),
    ],
)
def test_amounts_are_short(count, text):
    assert amount(count) == text.replace(" ", "\u00a0")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (6.4, "6 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (110, "2 min"),
        (3_569, "59 min"),
        (3_571, "1 h"),
        (3_900, "1 h 5 min"),
        (90_000, "25 h"),
    ],
)
def test_times_are_short(seconds, text):
    assert duration(seconds) == text.replace(" ", "\u00a0")


def test_the_rate_is_that_of_the_last_seconds():
    clock = Clock()
    rate = Rate(clock)
    for second in range(20):
        rate.add(second * (10 if second < 10 else 2) * MB if second < 10 else (90 + 2 * (second - 9)) * MB)
        clock.now += 1
    clock.now -= 1
    assert rate.value() == pytest.approx(2 * MB)


def told(steps, total, **options):
    """The texts while a download is at each of ``steps`` (seconds, bytes)."""
    clock, context = Clock(), Recorder()
    progress = TransferProgress(context, options.get("every", 0.0), clock)
    for seconds, position in steps:
        clock.now = 50.0 + seconds
        progress.downloading(position, total)
    return context.reports


def test_a_download_is_told_in_bytes_rate_and_time_left():
    reports = told([(0, 0), (1, 45 * MB), (2, 90 * MB), (3, 135 * MB)], 375 * MB)
    assert reports[0] == (0.0, "Downloading, 0\u00a0bytes of 375\u00a0MB")
    percent, text = reports[-1]
    assert percent == pytest.approx(36)
    assert text.replace("\u00a0", " ") == "Downloading, 135 MB of 375 MB, 45.0 MB/s, 5 s left"


def test_without_a_length_there_is_no_time_left():
    percent, text = told([(0, 0), (2, 9 * MB)], None)[-1]
    assert (percent, text.replace("\u00a0", " ")) == (-1.0, "Downloading, 9.0 MB, 4.5 MB/s")


def test_a_download_that_stalls_has_no_rate():
    assert told([(0, 0), (1, MB), (9, MB), (18, MB)], 2 * MB)[-1][1].replace("\u00a0", " ") == (
        "Downloading, 1.0 MB of 2.0 MB"
    )


def test_reports_are_not_too_many_but_the_last_always_comes():
    reports = told([(number / 100, number) for number in range(101)], 100, every=0.1)
    assert 9 <= len(reports) <= 12
    assert reports[-1][0] == 100.0


def test_continuing_interruptions_and_starting_over_are_said():
    context = Recorder()
    progress = TransferProgress(context, 0.0, Clock())
    progress.continuing(62, 100)
    progress.interrupted(62, 100)
    progress.interrupted(62, None)
    progress.starting_over()
    progress.unpacking(100)
    progress.done()
    assert context.reports == [
        (62.0, "Continuing a download, 62\u00a0%…"),
        (62.0, "Download interrupted at 62\u00a0%, continuing"),
        (-1.0, "Download interrupted, continuing"),
        (0.0, "The download could not be continued, starting over"),
        (100.0, "Unpacking"),
        (100.0, "Unpacked"),
    ]
