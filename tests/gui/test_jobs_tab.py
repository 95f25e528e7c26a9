"""The Jobs tab: what it offers, and what a click or a key asks for."""

from __future__ import annotations

import pytest
from jobs_kit import entry, filled_tab, ours, pictured
from qgis.PyQt.QtCore import QItemSelectionModel, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMessageBox, QPushButton, QToolButton

from up42_plugin.core.run import Phase
from up42_plugin.core.service import Capabilities
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.gui.job_questions import RenameJobDialog
from up42_plugin.gui.jobs_rows import Older

N = "\u00a0"
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def tab(shown):
    return filled_tab(shown)


def select(tab, *keys):
    tab.view.selectionModel().clear()
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for key in keys:
        tab.view.selectionModel().select(tab.model.index_of(key), flags)


def texts(menu):
    return ["|" if action.isSeparator() else action.text().split("\t")[0] for action in menu.actions()]


def action(tab, command):
    return next(found for found in tab.menu().actions() if found.objectName() == command.value)


def dialog(tab, kind, qtbot):
    qtbot.waitUntil(lambda: any(found.isVisible() for found in tab.findChildren(kind)))
    return next(found for found in tab.findChildren(kind) if found.isVisible())


# -- what it offers


def test_the_menu_of_a_live_job(tab):
    select(tab, "siracusa")
    menu = tab.menu()
    assert texts(menu) == [
        *("Load Output", "Load Task Output", "Show Quicklooks", "Zoom to Area", "Logs…", "|"),
        *("Clone to New Job", "Re-run as Live Job…", "Rename…", "|"),
        *("Copy", "Open Folder", "Support Report…", "|"),
        *("Cancel Job…", "Delete Local Files…"),
    ]
    assert menu.defaultAction().text() == "Load Output\tReturn"
    assert action(tab, JobCommand.CANCEL).toolTip() == "It has ended."
    assert [one.text() for one in menu.actions() if not one.isEnabled() and not one.isSeparator()] == ["Cancel Job…"]


def test_the_menu_of_a_test_query(tab):
    select(tab, "contains")
    assert texts(tab.menu()) == [
        *("Show Scenes", "Show Quicklooks on Map", "Zoom to Area", "Logs…", "|"),
        *("Run This as Live Job…", "Run Test Query Again", "Clone to New Job", "Rename…", "|"),
        *("Copy", "Support Report…", "|"),
        "Cancel Job…",
    ]


def test_what_the_service_lacks_is_hidden_and_what_is_not_possible_now_says_why(tab):
    select(tab, "taormina")
    assert action(tab, JobCommand.LOAD_OUTPUT).toolTip() == "It has not ended yet."
    assert action(tab, JobCommand.RERUN_LIVE).toolTip() == "It has not ended yet."
    assert action(tab, JobCommand.CANCEL).isEnabled()
    tab.show_capabilities(
        Capabilities(rename_job=False, logs=False, task_outputs=False, cancel_job=False, webhooks=False)
    )
    for gone in ("Rename…", "Logs…", "Load Task Output", "Cancel Job…"):
        assert gone not in texts(tab.menu())
    assert not tab.foot.logs.isVisible()
    assert not tab.webhooks_action.isVisible()
    tab.show_entries([ours(queue_position=1), *pictured()])
    select(tab, "ours")
    assert action(tab, JobCommand.CANCEL).isEnabled()  # it is not on the service yet
    select(tab, "december")
    assert tab.foot.first.toolTip() == "It found no scenes."


def test_a_job_that_was_not_submitted_can_be_sent_again_or_forgotten(tab):
    tab.show_entries([ours(phase=Phase.NOT_SUBMITTED)])
    select(tab, "ours")
    assert texts(tab.menu())[:2] == ["Submit Again…", "Forget It"]
    assert tab.foot.first.text() == "Submit Again…"
    action(tab, JobCommand.FORGET).trigger()
    assert tab.asked.all == [(JobCommand.FORGET, ("ours",))]
    assert action(tab, JobCommand.CANCEL).toolTip() == "The service never got this job."


def test_the_buttons_are_those_of_the_selected_row(tab):
    assert not tab.foot.first.isEnabled()
    assert tab.foot.first.toolTip() == "Select a job first."
    select(tab, "siracusa")
    shown = [tab.foot.first.text(), tab.foot.logs.text(), tab.foot.zoom.text(), tab.foot.more.text()]
    assert shown == ["Load Output", "Logs…", "Zoom", "More"]
    QTest.mouseClick(tab.foot.first, LEFT)
    QTest.mouseClick(tab.foot.zoom, LEFT)
    select(tab, "contains")
    assert tab.foot.first.text() == "Show Scenes"
    QTest.mouseClick(tab.foot.logs, LEFT)
    assert tab.asked.all == [
        (JobCommand.LOAD_OUTPUT, ("siracusa",)),
        (JobCommand.ZOOM, ("siracusa",)),
        ("logs", "contains", ""),
    ]
    tab.foot.more_menu.aboutToShow.emit()
    assert texts(tab.foot.more_menu) == texts(tab.menu())


def test_several_jobs_at_once_only_where_it_makes_sense(tab):
    select(tab, "etna", "siracusa", "harbour")
    assert action(tab, JobCommand.ZOOM).toolTip() == "Select one job only."
    assert not action(tab, JobCommand.RENAME).isEnabled()
    action(tab, JobCommand.LOAD_OUTPUT).trigger()
    tab.run(JobCommand.COPY_ID)
    assert tab.asked.all == [
        (JobCommand.LOAD_OUTPUT, ("etna", "siracusa")),  # the failed one has no output
        (JobCommand.COPY_ID, ("etna", "harbour", "siracusa")),
    ]


def test_one_block_can_be_loaded_from_the_menu_once_the_blocks_are_known(tab, qtbot):
    select(tab, "siracusa")
    tasks = action(tab, JobCommand.LOAD_TASK).menu()
    with qtbot.waitSignal(tab.blocks_wanted) as wanted:
        tasks.aboutToShow.emit()
    assert wanted.args == ["siracusa"]
    assert texts(tasks) == ["Reading its blocks…"]
    select(tab, "taormina")
    tasks = action(tab, JobCommand.LOAD_TASK).menu()
    tasks.aboutToShow.emit()
    assert [one.isEnabled() for one in tasks.actions()] == [True, False]
    tasks.actions()[0].trigger()
    assert tab.asked.all == [("task", "taormina", "task-1")]


# -- what is asked for


def test_cancelling_asks_and_keeps_running_by_default(tab, qtbot):
    select(tab, "taormina")
    tab.run(JobCommand.CANCEL)
    box = dialog(tab, QMessageBox, qtbot)
    assert box.text() == "Cancel Taormina super-resolution? Blocks that already succeeded stay charged."
    assert box.defaultButton().text() == "Keep Running"
    QTest.keyClick(box, Qt.Key.Key_Escape)
    assert tab.asked.all == []
    tab.run(JobCommand.CANCEL)
    box = dialog(tab, QMessageBox, qtbot)
    QTest.mouseClick(box.findChild(QPushButton, "really"), LEFT)
    assert tab.asked.all == [(JobCommand.CANCEL, ("taormina",))]


def test_deleting_files_asks(tab, qtbot):
    select(tab, "etna", "siracusa")
    tab.run(JobCommand.DELETE_FILES)
    box = dialog(tab, QMessageBox, qtbot)
    assert box.text().startswith(f"Delete the local files of 2{N}jobs?")
    QTest.mouseClick(box.findChild(QPushButton, "keep"), LEFT)
    assert tab.asked.all == []


def test_a_new_name_is_asked_for_with_f2(tab, qtbot):
    tab.select_job("siracusa")
    tab.view.setFocus()
    QTest.keyClick(tab.view, Qt.Key.Key_F2)
    rename = dialog(tab, RenameJobDialog, qtbot)
    assert (rename.name.text(), rename.ok_button.isEnabled()) == ("Siracusa clusters", False)
    rename.name.setText("  Siracusa classes ")
    QTest.mouseClick(rename.ok_button, LEFT)
    assert tab.asked.all == [("rename", "siracusa", "Siracusa classes")]


def test_the_keys(tab):
    tab.select_job("siracusa")
    tab.view.setFocus()
    QTest.keyClick(tab.view, Qt.Key.Key_Return)
    QTest.keyClick(tab.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(tab.view, Qt.Key.Key_F5)
    assert tab.asked.all == [
        (JobCommand.LOAD_OUTPUT, ("siracusa",)),
        (JobCommand.COPY_ID, ("siracusa",)),
        "refresh",
    ]
    QTest.keyClick(tab.view, Qt.Key.Key_Right)
    assert tab.view.isExpanded(tab.model.index_of("siracusa"))
    QTest.keyClick(tab.view, Qt.Key.Key_Left)
    assert not tab.view.isExpanded(tab.model.index_of("siracusa"))
    QTest.keyClick(tab.view, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert tab.filter.search.hasFocus()
    tab.show_older(Older.MORE)
    tab.view.setFocus()
    QTest.keyClick(tab.view, Qt.Key.Key_End)
    QTest.keyClick(tab.view, Qt.Key.Key_Return)
    assert tab.asked.all[-1] == "older"


def test_return_on_a_block_loads_its_output_and_logs_are_its_own(tab):
    parent = tab.model.index_of("taormina")
    tab.view.expand(parent)
    tab.view.setCurrentIndex(tab.model.index(0, 0, parent))
    tab.view.setFocus()
    QTest.keyClick(tab.view, Qt.Key.Key_Return)
    QTest.mouseClick(tab.foot.logs, LEFT)
    assert tab.asked.all == [("task", "taormina", "task-1"), ("logs", "taormina", "task-1")]


def test_the_tools(tab):
    QTest.mouseClick(tab.findChild(QToolButton, "refreshJobs"), LEFT)
    for tool in (tab.ledger_action, tab.spent_action, tab.webhooks_action):
        tool.trigger()
    assert tab.asked.all == ["refresh", "ledger", "spent", "webhooks"]
    assert texts(tab.menu_button.menu()) == ["Open Ledger as Layer", "Credits Spent…", "Webhooks…"]


def test_the_number_of_running_jobs_is_told_once(tab, qtbot):
    assert tab.running == 1
    with qtbot.assertNotEmitted(tab.running_changed):
        tab.show_entries(pictured())
    with qtbot.waitSignal(tab.running_changed) as told:
        tab.show_entries([entry("a", word="RUNNING"), ours("b"), *pictured()])
    assert told.args == [3]
