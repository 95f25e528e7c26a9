"""The dock without a mouse: where Tab goes, what Space and Ctrl+Return do, and what a screen reader is told."""

from __future__ import annotations

import re

import pytest
from qgis.gui import QgsCheckableComboBox
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAbstractButton, QAction, QApplication, QGroupBox, QLabel, QMenu, QTabBar, QWidget

from up42_plugin.gui.tab_order import stops

TWO_PARTS = (
    "MultiPolygon (((15.28 37.84, 15.29 37.84, 15.29 37.85, 15.28 37.85, 15.28 37.84)), "
    "((15.30 37.84, 15.31 37.84, 15.31 37.85, 15.30 37.85, 15.30 37.84)))"
)
#: Groups of later tasks stand between clouds and the foot, an arrow each.
BEFORE_GROUPS = [
    "connection",
    "refresh",
    "options",
    "help",
    "tabBar",
    "collapseButton",
    "areaSource",
    "areaMenu",
    "areaLayer",
    "mend_join",
    "collapseButton",
    "workflow",
    "newWorkflow",
    "workflowMenu",
    "preset",
    "viewForm",
    "viewJson",
    "parametersMenu",
    "collapseButton",
    "geometricFilter",
    "timeStart",
    "timeEnd",
    "timeMenu",
    "limit",
    "clouds",
]


@pytest.fixture
def kit(desk_kit):
    """The dock open, with an area that has a problem."""
    desk_kit.open()
    desk_kit.select(TWO_PARTS)
    desk_kit.wait(lambda: desk_kit.dock.area.problem.button("Join Parts"))
    desk_kit.iface.window.activateWindow()
    desk_kit.qtbot.waitActive(desk_kit.iface.window)
    return desk_kit


def shown_groups(kit):
    return [form for form in kit.dock.parameters.forms if form.isVisible()]


def walk(kit, key, wanted):
    """Press a key until the names begin anew or ``wanted`` stops are gone through; the stops in their order."""
    found = []
    for _ in range(wanted * 4):
        focused = QApplication.focusWidget()
        stop = next((one for one in reversed(stops(kit.dock)) if one is focused or one.isAncestorOf(focused)), None)
        if stop is None:
            break
        if not found or found[-1] is not stop:
            found.append(stop)
        if len(found) == wanted:
            break
        QTest.keyClick(focused, key)
    return [stop.objectName() for stop in found]


def test_tab_goes_through_all_in_the_order_of_deciding(kit):
    kit.idle()  # what is told about the area stands
    kit.wait(lambda: kit.dock.area.problem.button("Join Parts").isVisible())
    for button in (kit.foot.test_button, kit.foot.live_button):
        button.setEnabled(True)
    middle = ["collapseButton"] * len(shown_groups(kit))
    assert middle
    foot = [stop.objectName() for stop in stops(kit.foot)]
    assert foot[-2:] == ["runTestQuery", "runLiveJob"]
    wanted = [*BEFORE_GROUPS, *middle, *foot]
    kit.dock.header.combo.setFocus()
    assert walk(kit, Qt.Key.Key_Tab, len(wanted)) == wanted
    assert walk(kit, Qt.Key.Key_Backtab, len(wanted)) == wanted[::-1]


def test_fields_of_a_group_come_where_they_are_seen(kit):
    """They are made after the foot, and stand above it."""
    kit.foot.live_button.setEnabled(True)
    group = shown_groups(kit)[0]
    group.setCollapsed(False)
    order = stops(kit.dock)
    fields = [stop for stop in order if group.isAncestorOf(stop)]
    assert len(fields) > 1
    assert order.index(kit.dock.search.clouds) < order.index(fields[0])
    below = next(stop for stop in order if kit.foot.isAncestorOf(stop))
    assert order.index(fields[-1]) < order.index(below)


def test_tab_leaves_the_dock_at_its_end(kit):
    kit.foot.live_button.setEnabled(True)
    kit.foot.live_button.setFocus()
    QTest.keyClick(kit.foot.live_button, Qt.Key.Key_Tab)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert not kit.dock.isAncestorOf(focused)


def test_space_opens_and_closes_a_group(kit):
    group = shown_groups(kit)[0]
    arrow = next(button for button in group.findChildren(QAbstractButton) if button.objectName() == "collapseButton")
    arrow.setFocus()
    assert group.isCollapsed()
    QTest.keyClick(arrow, Qt.Key.Key_Space)
    assert not group.isCollapsed()
    QTest.keyClick(arrow, Qt.Key.Key_Space)
    assert group.isCollapsed()


def test_ctrl_return_runs_the_test_query_within_the_dock_only(desk_kit):
    desk_kit.ready_to_test()
    window = desk_kit.iface.window
    window.activateWindow()
    desk_kit.qtbot.waitActive(window)
    desk_kit.iface.canvas.setFocus()
    QTest.keyClick(desk_kit.iface.canvas, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    QApplication.processEvents()
    assert not desk_kit.history
    desk_kit.dock.search.limit.setFocus()
    QTest.keyClick(desk_kit.dock.search.limit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    desk_kit.wait(lambda: len(desk_kit.history) == 1)


def test_everything_one_can_use_has_a_name(kit):
    dock = kit.dock
    for form in dock.parameters.forms:
        form.setCollapsed(False)
    dock.presets.json_button.click()
    dock.presets.form_button.click()
    for kind in range(dock.area.source.count()):
        dock.area.source.setCurrentIndex(kind)
        QApplication.processEvents()
        for stop in stops(dock):
            assert stop.accessibleName() or getattr(stop, "text", str)(), (type(stop).__name__, stop.objectName())
    for widget in dock.findChildren(QWidget):
        if isinstance(widget, QAbstractButton) and widget.isVisible() and widget.focusPolicy():
            assert widget.accessibleName() or widget.text(), widget.objectName()


def test_no_letter_of_the_dock_fights_with_the_main_menu(kit):
    texts = [widget.text() for kind in (QLabel, QAbstractButton) for widget in kit.dock.findChildren(kind)]
    texts += [group.title() for group in kit.dock.findChildren(QGroupBox)]
    bar = kit.dock.findChild(QTabBar, "tabBar")
    texts += [bar.tabText(index) for index in range(bar.count())]
    assert len(texts) > 30
    for text in texts:
        assert not re.search("(?<!&)&[A-Za-z]", text.replace("&&", "")), text


def test_actions_of_the_dock_have_names_of_their_own(kit):
    menus = [menu for menu in kit.dock.findChildren(QMenu) if menu.objectName() != "qt_edit_menu"]
    menus = [menu for menu in menus if not isinstance(menu.parent(), QgsCheckableComboBox)]  # QGIS's own
    ours = [action for menu in menus for action in menu.actions() if not action.isSeparator() and action.text()]
    ours += kit.iface.shortcuts
    names = [action.objectName() for action in ours if isinstance(action, QAction)]
    assert len(names) > 20
    assert all(name.startswith("Up42") for name in names), names
    assert len(set(names)) == len(names), sorted(names)


def test_qgis_lists_the_dock_s_actions_for_shortcuts(kit):
    texts = [action.text() for action in kit.iface.shortcuts]
    assert "UP42: Run Test Query" in texts
    assert "UP42: Open JSON in Window…" in texts
    assert all(kit.dock.actions().count(action) == 1 for action in kit.iface.shortcuts)
