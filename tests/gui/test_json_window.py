"""The JSON in a window of its own: one text in two places, checked in both, never lost."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QMessageBox


@pytest.fixture
def kit(desk_kit):
    desk_kit.ready_to_test()
    desk_kit.dock.presets.actions_by_name["Open in Window…"].trigger()
    desk_kit.wait(lambda: desk_kit.desk.json_window.window is not None)
    assert desk_kit.desk.json_window.window.isVisible()
    return desk_kit


def window(kit):
    return kit.desk.json_window.window


def in_dock(kit):
    return kit.dock.parameters.json


def replace(editor, old, new):
    """As typed: the first place of ``old`` becomes ``new``."""
    assert editor.findFirst(old, False, True, False, True, True, 0, 0)
    editor.replaceSelectedText(new)


def test_it_shows_the_text_and_the_dock_shows_json_too(kit):
    assert kit.dock.presets.json_button.isChecked()
    assert not window(kit).isModal()
    assert window(kit).json.text == in_dock(kit).text
    assert '"limit": 1' in window(kit).json.text


def test_what_is_typed_in_one_is_in_the_other_and_in_the_form(kit):
    replace(window(kit).json.editor, '"limit": 1', '"limit": 3')
    assert '"limit": 3' in in_dock(kit).text
    kit.wait(lambda: kit.dock.search.limit.value() == 3)
    replace(in_dock(kit).editor, '"limit": 3', '"limit": 2')
    assert '"limit": 2' in window(kit).json.text
    kit.wait(lambda: kit.dock.search.limit.value() == 2)
    window(kit).json.editor.undo()
    window(kit).json.editor.undo()
    assert '"limit": 1' not in in_dock(kit).text or '"limit": 1' in window(kit).json.text
    assert window(kit).json.text == in_dock(kit).text


def test_it_is_checked_as_in_the_dock(kit):
    replace(window(kit).json.editor, '"max_cloud_cover": 20', '"max_cloud_cover": 140')
    kit.wait(lambda: in_dock(kit).marks)
    assert window(kit).json.marks == in_dock(kit).marks
    line = next(iter(in_dock(kit).marks))
    assert window(kit).reason.text == kit.reason()
    assert kit.reason().startswith(f"Line {line}, max_cloud_cover: 0 to 100 allowed, not 140")
    window(kit).json.editor.setCursorPosition(0, 0)
    QTest.mouseClick(window(kit).line_button, Qt.MouseButton.LeftButton)
    assert window(kit).json.editor.getCursorPosition()[0] == line - 1
    replace(in_dock(kit).editor, "140", "30")
    kit.wait(lambda: not window(kit).json.marks)
    assert window(kit).reason.text == ""


def test_closing_keeps_a_text_that_cannot_be_read(kit):
    replace(window(kit).json.editor, '"limit": 1', '"limit": ')
    broken = window(kit).json.text
    QTest.keyClick(window(kit), Qt.Key.Key_Escape)
    assert window(kit) is None
    assert in_dock(kit).text == broken
    kit.wait(lambda: in_dock(kit).marks)
    kit.dock.presets.form_button.click()
    question = kit.dialog(QMessageBox)
    assert question.objectName() == "brokenJson"
    question.reject()
    assert in_dock(kit).text == broken
    kit.desk.json_window.open()
    assert window(kit).json.text == broken


def test_it_goes_with_the_json_view(kit):
    kit.dock.presets.form_button.click()
    assert window(kit) is None
    assert not kit.dock.presets.json_button.isChecked()


def test_it_is_opened_once_and_goes_with_the_plugin(kit):
    first = window(kit)
    kit.desk.json_window.open()
    assert window(kit) is first
    kit.desk.close()
    assert window(kit) is None


def keys(widget, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(widget, key, modifier)
    QApplication.processEvents()


@pytest.mark.parametrize("place", ["dock", "window"])
def test_keys_of_the_editor(kit, place):
    page = window(kit).json if place == "window" else in_dock(kit)
    if place == "dock":
        kit.desk.json_window.close()
    page.window().activateWindow()
    kit.qtbot.waitActive(page.window())
    editor = page.editor
    editor.setFocus()
    QApplication.processEvents()
    keys(editor, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert page.find_line.hasFocus()
    QTest.keyClicks(page.find_line, "max_cloud")
    keys(page.find_line, Qt.Key.Key_Return)
    assert editor.selectedText() == "max_cloud"
    replace(editor, '"max_cloud_cover": 20', '"max_cloud_cover": 140')
    kit.wait(lambda: page.marks)
    editor.setCursorPosition(0, 0)
    editor.setFocus()
    keys(editor, Qt.Key.Key_F8)
    assert editor.getCursorPosition()[0] + 1 == next(iter(page.marks))
    before = editor.text(0)
    editor.setCursorPosition(0, 0)
    keys(editor, Qt.Key.Key_Tab)
    assert editor.hasFocus()
    assert editor.text(0) == f"  {before}"
    kit.wait(kit.foot.line_button.isVisible)  # checked again: there is something below the text
    keys(editor, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    left = QApplication.focusWidget()
    assert left is not editor
    assert left.window() is page.window()
    below = left.mapToGlobal(QPoint(0, 0)).y() > editor.mapToGlobal(QPoint(0, 0)).y()
    assert below, left.objectName()
