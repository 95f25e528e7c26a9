"""Runs of batches in the dock: icon, words, bar and buttons at every stage."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QVBoxLayout, QWidget

from tests.job_samples import SR_TASK, chain
from tests.staged_provider import NOW, job, scene, task
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.jobs import Mode
from up42_plugin.core.run import BatchPlace, Phase, Run
from up42_plugin.gui.run_texts import icon_of, line_of
from up42_plugin.gui.runs_section import RunsSection
from up42_plugin.gui.widgets import CANCELLED, ON_HOLD, QUEUED, RUNNING, SUCCESS, WARNING

N = "\u00a0"
LIVE = Run("k", "Taormina super-resolution", Mode.LIVE, JobConfiguration.of(chain()), "one", NOW)
TEST = replace(LIVE, mode=Mode.TEST_QUERY, name="Taormina, Contains")
BEGAN = {"started": NOW}


def alone(run):
    """The run as a batch of its own: a job that waited for a slot."""
    return replace(run, batch=BatchPlace(f"batch of {run.key}", run.name, 1, 1))


def on_service(word, run=LIVE, **changes):
    return replace(run.on_service(job(word, **BEGAN)), **changes)


@pytest.fixture
def section(shown, fresh_settings):
    window = QWidget()
    layout = QVBoxLayout(window)
    section = RunsSection()
    layout.addWidget(section)
    shown(window)
    yield section
    window.close()


@pytest.mark.parametrize(
    ("run", "line", "icon"),
    [
        (LIVE, "Sending…", QUEUED),
        (replace(LIVE, message="Waiting for a free job slot…"), "Waiting for a free job slot…", QUEUED),
        (
            replace(LIVE, phase=Phase.CHECKING),
            "No answer. Checking whether the job was sent; it is not sent twice.",
            QUEUED,
        ),
        (
            replace(LIVE, phase=Phase.CHECKING, unwanted=True),
            "Checking whether the job was sent; if it was, it is cancelled.",
            QUEUED,
        ),
        (replace(LIVE, phase=Phase.NOT_SUBMITTED, message="No network."), "No network.", WARNING),
        (
            replace(LIVE, phase=Phase.NOT_SUBMITTED, message="Cancelled before it was sent.", unwanted=True),
            "Cancelled before it was sent.",
            CANCELLED,
        ),
        (on_service("NOT_STARTED"), f"Not started, 3{N}min", ON_HOLD),
        (on_service("WAITING"), f"Waiting, 3{N}min", QUEUED),
        (on_service("PONDERING"), f"PONDERING, 3{N}min", QUEUED),
        (on_service("RUNNING"), f"Running, 3{N}min", RUNNING),
        (
            on_service("RUNNING", tasks=(task("SUCCEEDED"), task("RUNNING"))),
            f"Running, block 2/2, 3{N}min",
            RUNNING,
        ),
        (
            on_service("RUNNING", trouble="No answer within 30 s."),
            f"Running, 3{N}min. No answer within 30 s. Trying again.",
            RUNNING,
        ),
        (on_service("CANCELLING"), f"Cancelling, 3{N}min", CANCELLED),
        (on_service("CANCELLED"), f"Cancelled, 3{N}min", CANCELLED),
        (on_service("FAILED", message="Failed: no images found"), "Failed: no images found", WARNING),
        (
            on_service("FAILED", tasks=(task("FAILED", SR_TASK),)),
            f"Failed in Super-resolution Sentinel-2, 3{N}min",
            WARNING,
        ),
        (on_service("ERROR"), f"Error, 3{N}min", WARNING),
        (on_service("SUCCEEDED", credits_charged=19), f"Succeeded, 19{N}credits charged, 3{N}min", SUCCESS),
        (on_service("SUCCEEDED", phase=Phase.FETCHING), "Downloading", RUNNING),
        (on_service("SUCCEEDED", phase=Phase.FETCHING, message="Waiting to download"), "Waiting to download", QUEUED),
        (on_service("SUCCEEDED", phase=Phase.PAUSED, percent=62.9), f"Paused at 62{N}%", ON_HOLD),
        (on_service("SUCCEEDED", phase=Phase.PAUSED), "Paused", ON_HOLD),
        (on_service("SUCCEEDED", TEST, phase=Phase.FETCHING), "Reading scenes", RUNNING),
        (on_service("SUCCEEDED", message="No layer in this output."), "No layer in this output.", WARNING),
        (
            on_service("SUCCEEDED", phase=Phase.LOADED, credits_charged=19, layers=1),
            f"Succeeded, 19{N}credits charged, 1{N}layer loaded",
            SUCCESS,
        ),
        (on_service("SUCCEEDED", TEST, phase=Phase.LOADED), "No scenes found", SUCCESS),
        (on_service("SUCCEEDED", TEST, phase=Phase.LOADED, scenes=(scene(),)), f"1{N}scene found", SUCCESS),
    ],
)
def test_every_stage_has_an_icon_and_words(run, line, icon):
    assert line_of(run, NOW + timedelta(minutes=3)) == line
    assert icon_of(run) == icon


def test_a_row_is_added_for_each_run_and_changed_after(section):
    assert section.isHidden()
    section.show_run(alone(LIVE))
    assert section.isVisible()
    row = section.row("k")
    assert row.line.text() == "Sending…"
    section.show_run(alone(on_service("RUNNING")))
    assert len(section.rows()) == 1
    assert row.line.text().startswith("Running")
    assert row.line.accessibleName().startswith("Taormina super-resolution: Running")


def test_the_bar_has_no_text_and_moves_when_something_is_known(section):
    section.show_run(alone(replace(LIVE, percent=-1)))
    bar = section.row("k")._bar
    assert bar.isVisible()
    assert not bar.isTextVisible()
    assert bar.maximum() == 0
    section.show_run(alone(on_service("SUCCEEDED", phase=Phase.FETCHING, percent=62.4)))
    assert (bar.maximum(), bar.value()) == (100, 62)
    section.show_run(alone(on_service("SUCCEEDED")))
    assert bar.isHidden()


@pytest.mark.parametrize(
    ("run", "cancel", "load"),
    [
        (LIVE, "Cancel the job", None),
        (TEST, "Cancel the test query", None),
        (on_service("RUNNING"), "Cancel the job", None),
        (on_service("SUCCEEDED"), None, "Load"),
        (on_service("SUCCEEDED", phase=Phase.FETCHING), "Stop loading the output", None),
        (on_service("SUCCEEDED", phase=Phase.FETCHING, message="Downloading"), "Cancel the download", None),
        (on_service("SUCCEEDED", phase=Phase.LOADED, layers=1), None, "Load Again"),
        (on_service("FAILED"), None, None),
        (on_service("SUCCEEDED", TEST), None, None),
        (replace(LIVE, phase=Phase.NOT_SUBMITTED), None, None),
    ],
)
def test_only_what_is_possible_is_offered(section, run, cancel, load):
    section.show_run(alone(run))
    row = section.row("k")
    assert row.cancel_button.isVisible() is (cancel is not None)
    assert row.load_button.isVisible() is (load is not None)
    if cancel:
        assert row.cancel_button.toolTip() == cancel
        assert row.cancel_button.accessibleName() == f"{cancel}, {run.name}"
    if load:
        assert row.load_button.text() == load
        assert row.load_button.accessibleName() == f"Load the output of {run.name}"


def test_a_download_can_be_paused_and_resumed(section, qtbot):
    section.show_run(alone(on_service("SUCCEEDED", phase=Phase.FETCHING, message="Preparing a.tif")))
    row = section.row("k")
    assert not row.pause_button.isEnabled()
    assert row.pause_button.toolTip() == "Only a download can be paused."
    section.show_run(alone(on_service("SUCCEEDED", phase=Phase.FETCHING, message="Downloading, 1 MB", percent=62.0)))
    with qtbot.waitSignal(section.pause_asked) as paused:
        QTest.mouseClick(row.pause_button, Qt.MouseButton.LeftButton)
    section.show_run(alone(on_service("SUCCEEDED", phase=Phase.PAUSED, percent=62.0)))
    assert not row.pause_button.isVisible()
    assert (row.load_button.text(), row.cancel_button.toolTip()) == ("Resume", "Cancel the download")
    assert row._bar.isVisible()
    with qtbot.waitSignal(section.load_asked) as resumed:
        QTest.mouseClick(row.load_button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(section.cancel_asked) as cancelled:
        QTest.mouseClick(row.cancel_button, Qt.MouseButton.LeftButton)
    assert paused.args == resumed.args == cancelled.args == ["k"]


def test_its_clicks_carry_the_run(section, qtbot):
    section.show_run(alone(LIVE))
    with qtbot.waitSignal(section.cancel_asked) as cancelled:
        QTest.mouseClick(section.row("k").cancel_button, Qt.MouseButton.LeftButton)
    section.show_run(alone(on_service("SUCCEEDED")))
    with qtbot.waitSignal(section.load_asked) as loaded:
        QTest.mouseClick(section.row("k").load_button, Qt.MouseButton.LeftButton)
    assert cancelled.args == loaded.args == ["k"]


def test_the_newest_is_on_top(section):
    for key in ("a", "b"):
        section.show_run(alone(replace(LIVE, key=key)))
    assert section._layout.itemAt(0).widget() is section.row("b")


def test_old_ones_go_but_never_one_that_works_or_waits_to_be_loaded(section):
    section.show_run(alone(replace(LIVE, key="working")))
    section.show_run(alone(on_service("SUCCEEDED", replace(LIVE, key="output"))))
    for number in range(9):
        section.show_run(alone(on_service("FAILED", replace(LIVE, key=f"failed-{number}"))))
    keys = [key for key, _ in section.rows()]
    assert keys == ["working", "output", "failed-5", "failed-6", "failed-7", "failed-8"]
    with pytest.raises(KeyError):
        section.row("failed-0")


def test_a_long_name_does_not_widen_the_dock(section):
    section.show_run(alone(replace(LIVE, name="A very long name of a job " * 9)))
    assert section.minimumSizeHint().width() <= 380
    assert section.row("k")._name.toolTip().startswith("A very long name")


def test_runs_of_no_batch_are_in_the_list_of_jobs_only(section):
    section.show_run(LIVE)
    assert section.isHidden()
    assert section.rows() == ()
