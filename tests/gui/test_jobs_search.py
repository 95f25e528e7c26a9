"""The Jobs tab: searching, filtering, columns, and its width."""

from __future__ import annotations

import pytest
from jobs_kit import NOW, clock, entry, filled_tab, pictured, task
from qgis.PyQt.QtCore import QDate, Qt
from qgis.PyQt.QtGui import QFont
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QLabel, QPushButton, QToolButton

from up42_plugin.core.jobs import Mode
from up42_plugin.gui.jobs_foot import ListStatus, status_line
from up42_plugin.gui.jobs_tab import JobsTab

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def tab(shown):
    return filled_tab(shown)


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
    assert [one.text() or "|" for one in menu.actions()] == [
        "Started",
        "Duration",
        "Workflow",
        "Area",
        "Job ID",
        "|",
        "Sort By",
    ]
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
    tab.select_job("contains")
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
