"""Dialogs can be used with Alt: every field and button of their own has a letter, and no two the same."""

from __future__ import annotations

import re

import pytest
from qgis.PyQt.QtWidgets import QAbstractButton, QDialogButtonBox, QLabel, QPushButton

from up42_plugin.gui.confirm_dialog import ConfirmDialog
from up42_plugin.gui.connection_dialog import ConnectionDialog
from up42_plugin.gui.json_window import JsonWindow
from up42_plugin.gui.workflow_builder import WorkflowBuilder


def letters(dialog):
    """The letters of what is shown, standard buttons left out: their texts are the platform's."""
    boxes = dialog.findChildren(QDialogButtonBox)
    standard = [button for box in boxes for button in box.buttons() if box.standardButton(button)]
    shown = [
        widget
        for kind in (QLabel, QAbstractButton)
        for widget in dialog.findChildren(kind)
        if widget.isVisible() and widget not in standard
    ]
    found = [match[1].lower() for widget in shown for match in [re.search("&([A-Za-z])", widget.text())] if match]
    missing = [
        widget.text()
        for widget in shown
        if isinstance(widget, QPushButton) and widget.text() and not re.search("&[A-Za-z]", widget.text())
    ]
    return found, missing


@pytest.fixture
def builder(desk_kit):
    desk_kit.open()
    desk_kit.click(desk_kit.dock.workflow.new_button)
    desk_kit.wait(lambda: desk_kit.dialog(WorkflowBuilder))
    return desk_kit.dialog(WorkflowBuilder)


def test_the_builder(builder):
    found, missing = letters(builder)
    assert len(found) == len(set(found)) >= 4, found
    assert not missing
    for label, target in (("Data blocks", builder.offer_view), ("Workflow", builder.chain_view)):
        assert target.accessibleName()
        assert label


def test_the_connection_dialog(desk_kit):
    desk_kit.open()
    desk_kit.dock.header.add_asked.emit()
    desk_kit.wait(lambda: desk_kit.dialog(ConnectionDialog))
    dialog = desk_kit.dialog(ConnectionDialog)
    for kind in range(dialog.sign_in.count()):
        dialog.sign_in.setCurrentIndex(kind)
        dialog.region.setCurrentIndex(dialog.region.count() - 1)
        found, missing = letters(dialog)
        assert len(found) == len(set(found)) >= 7, found
        assert not missing


def test_the_confirmation_has_letters_but_not_for_what_costs(desk_kit):
    desk_kit.tested()
    desk_kit.confirmation()
    dialog = desk_kit.dialog(ConfirmDialog)
    found, missing = letters(dialog)
    assert found == ["j"]
    assert missing == [dialog.run_button.text()]  # one key pressed by mistake must not spend credits


def test_the_json_window(desk_kit):
    desk_kit.ready_to_test()
    desk_kit.desk.json_window.open()
    dialog = desk_kit.dialog(JsonWindow)
    dialog.line_button.show()
    found, missing = letters(dialog)
    assert found == ["l"]
    assert not missing
