"""The Jobs tab: what it says, what it offers, and what a click or a key asks for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from jobs_kit import NOW, clock, entry, ours, pictured, task
from qgis.PyQt.QtCore import QDate, QItemSelectionModel, Qt
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QToolButton

from up42_plugin.core.job_entry import OnDisk
from up42_plugin.core.jobs import Mode
from up42_plugin.core.run import Phase
from up42_plugin.core.service import Capabilities
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.gui.job_questions import RenameJobDialog
from up42_plugin.gui.job_texts import second_line, state_of, tooltip
from up42_plugin.gui.jobs_foot import ListStatus, status_line
from up42_plugin.gui.jobs_rows import Older
from up42_plugin.gui.jobs_tab import JobsTab

N = "\u00a0"
LEFT = Qt.MouseButton.LeftButton


class Asked:
    """Everything that the tab asked for."""

    def __init__(self, tab):
        self.all = []
        tab.command_asked.connect(lambda command, keys: self.all.append((command, keys)))
        tab.task_asked.connect(lambda key, task: self.all.append(("task", key, task)))
        tab.rename_asked.connect(lambda key, name: self.all.append(("rename", key, name)))
        tab.logs_asked.connect(lambda key, task: self.all.append(("logs", key, task)))
        for name in ("refresh", "older", "ledger", "spent", "webhooks"):
            getattr(tab, f"{name}_asked").connect(lambda *_, name=name: self.all.append(name))


@pytest.fixture
def tab(shown, qtbot):
    tab = shown(JobsTab(clock), width=368)
    tab.show_entries(pictured())
    tab.asked = Asked(tab)
    return tab


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


# -- what it says


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
        (entry(phase=Phase.FETCHING, percent=62.4, message="Downloading"), f"Downloading 62{N}%", f"10:47, 62{N}%"),
        (entry(phase=Phase.FETCHING, message="Unpacked"), "Unpacking", "10:47"),
        (entry(word="PONDERING"), "PONDERING", "10:47"),
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


# -- search and columns


def test_the_filter_offers_what_occurs_and_says_that_it_is_on(tab):
    panel = tab.filter
    assert not panel.mode.isVisible()
    QTest.mouseClick(panel.button, LEFT)
    assert panel.mode.isVisible()
    states = [panel.states.itemText(row) for row in range(panel.states.count())]
    assert states == ["Running", "Succeeded", "Failed", "Cancelled"]
    panel.states.toggleItemCheckState(2)
    assert panel.wanted.statuses == {"FAILED"}
    assert (tab.model.matches, panel.button.text()) == (1, "On")
    tab.show_entries([entry("odd", word="PONDERING"), *pictured()])
    assert panel.wanted.statuses == {"FAILED"}
    assert panel.states.itemText(panel.states.count() - 1) == "PONDERING"
    panel.clear_panel()
    assert tab.model.matches == 10
    panel.mode.setCurrentIndex(2)
    assert panel.wanted.mode is Mode.TEST_QUERY
    panel.since.setDate(QDate(2026, 11, 21))
    assert tab.model.matches == 2
    panel.clear()
    assert (tab.model.matches, panel.button.text()) == (10, "")


def test_a_job_can_be_shown_although_a_filter_hides_it(tab):
    QTest.keyClicks(tab.filter.search, "etna")
    assert tab.select_job("siracusa")
    assert tab.filter.search.text() == ""
    assert [job.key for job in tab.view.selected()] == ["siracusa"]
    assert not tab.select_job("unknown")


def test_further_columns_come_from_the_header_and_are_remembered(tab, shown):
    menu = tab.view.header_menu()
    assert texts(menu) == ["Started", "Duration", "Workflow", "Area", "Job ID", "|", "Sort By"]
    menu.findChild(type(menu.actions()[0]), "columnArea").trigger()
    assert not tab.view.isColumnHidden(6)
    order = menu.actions()[-1].menu()
    next(one for one in order.actions() if one.text() == "Credits").trigger()
    assert tab.model.index(0, 0, tab.model.section(Mode.LIVE)).data() == "Etna NDVI, June"
    other = shown(JobsTab(clock), width=368)
    other.show_entries(pictured())
    other.view.restore_header(tab.view.header_state())
    assert not other.view.isColumnHidden(6)
    assert other.model.index(0, 0, other.model.section(Mode.LIVE)).data() == "Etna NDVI, June"
    other.view.restore_header(b"nonsense")
    assert not other.view.isColumnHidden(0)


@pytest.fixture
def design_font(qgis_app):
    """The font that the dock's width is designed for."""
    font, before = QFont("DejaVu Sans"), QApplication.font()
    font.setPointSize(9)
    QApplication.setFont(font)
    yield
    QApplication.setFont(before)


def test_it_fits_the_dock(design_font, shown):
    tab = shown(JobsTab(clock), width=368)
    tab.show_entries(pictured())
    select(tab, "contains")
    tab.filter.button.click()
    assert tab.minimumSizeHint().width() <= 368
    view = tab.view
    assert sum(view.columnWidth(column) for column in range(3)) == view.viewport().width()
    assert view.horizontalScrollBar().maximum() == 0
    for label in tab.findChildren(QLabel):
        assert "&" not in label.text()


def test_every_button_and_field_has_a_name(tab):
    for button in (*tab.findChildren(QToolButton), *tab.findChildren(QPushButton)):
        if button.isVisible() and button.objectName() and not button.objectName().startswith("qt_"):
            assert button.text() or button.accessibleName(), button.objectName()
    assert task(1, "A", "RUNNING").has_output is False
    assert status_line(ListStatus(), NOW) == ""
