"""The Jobs tab: what it says of jobs and of itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from jobs_kit import NOW, Asked, clock, entry, filled_tab, ours, pictured
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest

from up42_plugin.core.job_entry import OnDisk
from up42_plugin.core.run import Phase
from up42_plugin.gui.job_texts import second_line, state_of, tooltip
from up42_plugin.gui.jobs_foot import ListStatus
from up42_plugin.gui.jobs_tab import JobsTab

N = "\u00a0"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def tab(shown):
    return filled_tab(shown)


@pytest.mark.parametrize(
    ("status", "line", "button"),
    [
        ({"updated": NOW, "next_look": NOW + timedelta(seconds=10)}, f"Updated 10:47. Next update in 10{N}s.", ""),
        ({"updated": NOW, "looking": True}, "Updated 10:47. Updating…", ""),
        ({"updated": NOW}, "Updated 10:47.", ""),
        ({"updated": NOW, "offline_since": NOW}, "Offline since 10:47, showing what is known.", ""),
        ({"to_check": 3}, f"3{N}jobs to check.", "Check Now"),
        (
            {"updated": NOW, "error": "No answer from api.up42.com within 30 s."},
            "Updated 10:47. No answer from api.up42.com within 30 s.",
            "Try Again",
        ),
    ],
)
def test_the_foot_says_how_new_the_list_is(tab, status, line, button):
    tab.show_status(ListStatus(**status))
    assert tab.foot.line.text() == line
    assert tab.foot.again_button.isVisible() is bool(button)
    if button:
        assert tab.foot.again_button.text() == button
        QTest.mouseClick(tab.foot.again_button, LEFT)
        assert tab.asked.all == ["refresh"]


def test_the_countdown_goes_on_while_somebody_looks(shown, qtbot):
    moments = [NOW]
    tab = shown(JobsTab(lambda: moments[0]))
    tab.show_status(ListStatus(updated=NOW, next_look=NOW + timedelta(seconds=10)))
    moments[0] = NOW + timedelta(seconds=4)
    qtbot.waitUntil(lambda: "in 6" in tab.foot.line.text())
    tab.hide()
    assert not tab._timer.isActive()


def test_empty_loading_error_and_nothing_found_each_have_their_words(shown):
    tab = shown(JobsTab(clock))
    asked = Asked(tab)
    assert (tab.notice_text.text(), tab.notice_button.isVisible()) == ("Loading jobs…", False)
    tab.show_status(ListStatus(error="No answer from api.up42.com within 30 s."))
    assert (tab.notice_text.text(), tab.notice_button.text()) == (
        "No answer from api.up42.com within 30 s.",
        "Try Again",
    )
    QTest.mouseClick(tab.notice_button, LEFT)
    assert asked.all == ["refresh"]
    tab.show_status(ListStatus(updated=NOW))
    tab.show_entries(())
    assert tab.notice_text.text() == "No jobs yet. Run a test query in New Job; it is free."
    assert not tab.view.isVisible()
    tab.show_entries(pictured())
    assert tab.view.isVisible()
    assert not tab.notice.isVisible()
    QTest.keyClicks(tab.filter.search, "zzz")
    assert (tab.notice_text.text(), tab.notice_button.text()) == ("No job matches.", "Clear Search")
    QTest.mouseClick(tab.notice_button, LEFT)
    assert tab.filter.search.text() == ""
    assert tab.view.isVisible()
    tab.show_loading()
    assert tab.notice_text.text() == "Loading jobs…"


@pytest.mark.parametrize(
    ("job", "state", "line"),
    [
        (ours(), "Sending…", "10:47"),
        (ours(phase=Phase.CHECKING), "Checking whether it was sent", "10:47"),
        (ours(queue_position=2), "Waiting", "10:47, number 2 in the queue"),
        (
            ours(phase=Phase.NOT_SUBMITTED, message="Not submitted: the service does not know this job."),
            "Not submitted",
            "10:47, Not submitted: the service does not know this job",
        ),
        (entry(phase=Phase.FETCHING, percent=62.4, message="Downloading"), f"Downloading 62{N}%", f"62{N}%"),
        (
            entry(
                phase=Phase.FETCHING,
                percent=32.0,
                message=f"Downloading, 120{N}MB of 375{N}MB, 45.2{N}MB/s, 6{N}s left",
            ),
            f"Downloading 32{N}%",
            f"32{N}%, 6{N}s left",
        ),
        (entry(phase=Phase.FETCHING, message=f"Downloading, 120{N}MB"), "Downloading", f"120{N}MB"),
        (
            entry(phase=Phase.FETCHING, message="Waiting to download"),
            "Waiting to download",
            "waiting for other downloads",
        ),
        (entry(phase=Phase.PAUSED, percent=62.4), f"Paused at 62{N}%", f"10:47, 62{N}%"),
        (entry(phase=Phase.PAUSED), "Paused", "10:47"),
        (entry(phase=Phase.FETCHING, message="Unpacked"), "Unpacking", "10:47"),
        (entry(phase=Phase.FETCHING, message="Preparing a.tif"), "Preparing", "10:47"),
        (entry(word="PONDERING"), "PONDERING", "10:47"),
        (entry(word="RUNNING", message="Cancelling…"), "Cancelling", "10:47"),
        (entry(word="CANCELLING", started=NOW - timedelta(minutes=3)), "Cancelling", f"10:44, 3{N}min"),
        (entry(word="NOT_STARTED"), "Not started", "10:47"),
        (entry(word="", state=None), "Not checked", "10:47"),
        (
            entry(word="RUNNING", started=NOW - timedelta(minutes=3), trouble="No answer within 30 s."),
            "Running",
            f"10:44, 3{N}min, No answer within 30 s, trying again",
        ),
        (entry(created=NOW - timedelta(days=400), on_disk=OnDisk.SOMETHING), "Succeeded", f"17{N}Oct{N}2025, on disk"),
        (entry(word="ERROR", message="Failed."), "Error", "10:47"),
    ],
)
def test_every_stage_has_its_words(job, state, line):
    assert state_of(job) == state
    assert second_line(job, NOW) == line


def test_the_tooltip_tells_credits_apart():
    job = pictured()[0]
    assert f"Held now: 13{N}credits" in tooltip(job, NOW)
    ended = replace(job, word="SUCCEEDED", state=entry().state, charged=9)
    assert f"Charged: 9{N}credits\nReturned: 4{N}credits" in tooltip(ended, NOW)
