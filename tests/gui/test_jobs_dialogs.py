"""Logs that grow, and credits that were spent, each in a dialog that is fed from outside."""

from __future__ import annotations

from datetime import timedelta

import pytest
from jobs_kit import NOW, task
from qgis.PyQt.QtCore import QLocale, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QPushButton

from up42_plugin.core.credit_report import CreditRecord
from up42_plugin.gui.logs_dialog import LogsDialog
from up42_plugin.gui.spent_dialog import SpentDialog

N = "\u00a0"
LEFT = Qt.MouseButton.LeftButton
LINES = "".join(f"line {number} of the log\n" for number in range(200))


@pytest.fixture
def logs(shown):
    dialog = LogsDialog("Taormina super-resolution")
    dialog.wanted = []
    dialog.task_wanted.connect(dialog.wanted.append)
    shown(dialog, 600, 400)
    tasks = (
        task(1, "Sentinel-2 L2A (SAFE)", "SUCCEEDED", started=NOW),
        task(2, "Super-resolution", "RUNNING", started=NOW),
    )
    dialog.show_tasks(tasks)
    return dialog


def test_the_block_at_work_is_shown_first(logs):
    assert logs.wanted == ["task-2"]
    assert [logs.blocks.itemText(row) for row in range(2)] == [
        "1  Sentinel-2 L2A (SAFE): Succeeded",
        "2  Super-resolution: Running",
    ]
    assert logs.text.placeholderText() == "Reading the log…"
    logs.show_log("task-2", "", NOW)
    assert logs.text.placeholderText() == "This block has written nothing yet."
    logs.choose("task-1")
    assert logs.wanted == ["task-2", "task-1"]
    logs.show_log("task-2", "too late for the one that is shown", NOW)
    assert logs.text.toPlainText() == ""
    logs.show_log("task-1", "", NOW)
    assert logs.text.placeholderText() == "This block has written nothing."


def test_a_log_that_grows_is_followed_unless_somebody_reads(logs):
    bar = logs.text.verticalScrollBar()
    logs.show_log("task-2", LINES, NOW)
    assert logs.following
    assert bar.value() == bar.maximum() > 0
    assert logs.status.text().startswith("200 lines, read 10:47:00.")
    logs.follow.setChecked(False)
    bar.setValue(20)
    logs.show_log("task-2", LINES + "more\n", NOW)
    assert logs.text.toPlainText().endswith("more\n")
    assert bar.value() == 20
    assert not logs.following
    logs.follow.setChecked(True)
    assert bar.value() == bar.maximum()
    assert logs.wanted[-1] == "task-2"
    logs.show_tasks((task(1, "Sentinel-2 L2A (SAFE)", "SUCCEEDED"), task(2, "Super-resolution", "FAILED")))
    assert not logs.following
    assert logs.task_id == "task-2"
    assert logs.text.toPlainText().endswith("more\n")


def test_a_log_that_is_another_replaces_what_was_shown(logs):
    logs.show_log("task-2", "first\n", NOW)
    logs.show_log("task-2", "begun again\n", NOW)
    assert logs.text.toPlainText() == "begun again\n"


def test_a_log_is_searched_forth_and_back(logs):
    logs.show_log("task-2", "alpha\nbeta alpha\nALPHA\n", NOW)
    QTest.keyClicks(logs.search, "alpha")
    assert logs.found.text() == "3 found"
    cursor = logs.text.textCursor

    assert (cursor().selectedText(), cursor().blockNumber()) == ("alpha", 0)
    QTest.keyClick(logs, Qt.Key.Key_F3)
    assert cursor().blockNumber() == 1
    logs.find_previous()
    logs.find_previous()
    assert cursor().blockNumber() == 2  # round the corner
    assert not logs.following
    logs.show_log("task-2", "alpha\nbeta alpha\nALPHA\nalpha\n", NOW)
    assert logs.found.text() == "4 found"
    logs.search.setText("gamma")
    assert logs.found.text() == "No match"
    logs.search.clear()
    assert logs.found.text() == ""


def test_a_failure_leaves_what_was_read(logs, qtbot):
    logs.show_log("task-2", "read\n", NOW)
    logs.show_failure("task-2", "No answer from api.up42.com within 30 s.")
    assert logs.message.isVisible()
    assert logs.text.toPlainText() == "read\n"
    logs.show_log("task-2", "read\nagain\n", NOW)
    assert not logs.message.isVisible()
    QTest.mouseClick(logs.findChild(QPushButton, "copyLog"), LEFT)
    assert QApplication.clipboard().text() == "read\nagain\n"
    with qtbot.waitSignal(logs.shut):
        logs.close()
    assert not logs.following


# -- credits


def record(days, charged, ended=True, workflow="Super-resolution"):
    return CreditRecord(
        NOW - timedelta(days=days), "Taormina", workflow, "job-1", blocked=13, charged=charged, ended=ended
    )


RECORDS = (record(0, None, ended=False), record(0, 9), record(1, 20, workflow="NDVI"), record(40, 1300))


@pytest.fixture
def spent(shown):
    dialog = SpentDialog("Coastal study")
    dialog.asked = []
    dialog.export_asked.connect(lambda path, text: dialog.asked.append((path, text)))
    return shown(dialog, 560, 520)


def lines(dialog):
    table = dialog.table
    return [[table.topLevelItem(row).text(column) for column in range(5)] for row in range(table.topLevelItemCount())]


def test_credits_are_added_up_and_told_apart(spent):
    assert spent.total.text() == "Reading the ledger…"
    assert not spent.export_button.isEnabled()
    spent.show_records(RECORDS)
    thousand = f"1{QLocale().groupSeparator()}"
    assert spent.total.text() == f"<b>{thousand}329{N}credits</b> charged, 13{N}credits held, 4{N}credits returned"
    assert lines(spent) == [["2026-11", "3", "29", "13", "4"], ["2026-10", "1", f"{thousand}300", "0", "0"]]
    assert [item.label for item in spent.chart.shown] == ["2026-10", "2026-11"]
    spent.per.setCurrentIndex(2)
    assert [line[0] for line in lines(spent)] == ["Super-resolution", "NDVI"]
    spent.per.setCurrentIndex(0)
    assert [line[0] for line in lines(spent)] == ["2026-11-21", "2026-11-20", "2026-10-12"]


def test_the_bars_are_as_high_as_the_credits(spent):
    spent.show_records(RECORDS)
    (_, october, none), (_, november, held) = spent.chart.bars()
    assert october.height() / november.height() == pytest.approx(1300 / 29)
    assert held.height() / november.height() == pytest.approx(13 / 29)
    assert held.bottom() == pytest.approx(november.top())
    assert none.height() == 0
    picture = spent.chart.grab().toImage()
    middle = october.center().toPoint()
    assert picture.pixelColor(middle) == spent.chart.palette().highlight().color()
    assert picture.pixelColor(middle.x(), 2) != picture.pixelColor(middle)


def test_a_price_that_is_not_known_is_not_zero(spent):
    spent.show_records((record(0, None), record(0, 5)))
    assert lines(spent) == [["2026-11", "2", "5 + ?", "0", "8"]]


def test_all_jobs_are_exported_whatever_is_shown(spent):
    spent.show_records(RECORDS)
    spent.export_to("/somewhere/credits")
    ((path, text),) = spent.asked
    assert path == "/somewhere/credits.csv"
    assert len(text.splitlines()) == 5
    spent.show_failure("The file could not be written: the disk is full.")
    assert spent.message.isVisible()
    spent.show_exported(path)
    assert spent.message.text == "Written to /somewhere/credits.csv"


def test_nothing_spent_has_words_and_very_many_days_are_drawn(spent):
    spent.show_records(())
    assert lines(spent) == []
    assert spent.chart.accessibleName() == "Credits spent: nothing"
    assert not spent.chart.grab().isNull()
    spent.per.setCurrentIndex(0)
    spent.show_records(tuple(record(day, day) for day in range(400)))
    assert len(spent.chart.bars()) == 31
    assert spent.chart.shown[-1].label == "2026-11-21"
    assert not spent.chart.grab().isNull()
