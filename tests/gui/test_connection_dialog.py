"""Adding a connection and signing in: OK is open when it can be right, and nothing typed is lost."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QLineEdit

from tests.staged_connections import SESSION, STORED
from up42_plugin.core.connections import Connection, ConnectionKind, ProjectKey
from up42_plugin.gui.connection_dialog import ConnectionDialog, ConnectionDraft, Purpose
from up42_plugin.qgis_bridge.credentials import CredentialsLockedError


class Saving:
    """Takes drafts, or refuses them."""

    def __init__(self):
        self.drafts = []
        self.error = None

    def __call__(self, draft):
        if self.error is not None:
            raise self.error
        self.drafts.append(draft)


@pytest.fixture
def saving():
    return Saving()


class Hub:
    """What the dialog asks of the connections."""

    keeping_hint = "QGIS protects stored keys with its master password and asks for it once per session."


@pytest.fixture
def open_dialog(qtbot, saving, runner):
    def open_for(connection=None):
        purpose = Purpose.ADD if connection is None else Purpose.SIGN_IN
        dialog = ConnectionDialog(saving, Hub(), runner, purpose=purpose, connection=connection)
        qtbot.addWidget(dialog)
        dialog.show()
        dialog.activateWindow()
        qtbot.waitActive(dialog)
        return dialog

    return open_for


@pytest.fixture
def dialog(open_dialog):
    return open_dialog()


def fill(dialog, **texts):
    for name, text in {"name": "Coastal study", "project_id": "p-1", "key": "a-word", **texts}.items():
        getattr(dialog, name).setText(text)


def choose_other_address(dialog, address):
    dialog.region.setCurrentIndex(dialog.region.findText("Other Address"))
    dialog.address.setText(address)


def test_it_begins_with_the_european_address(dialog):
    assert dialog.windowTitle() == "Add Connection"
    assert dialog.region.currentText() == "Europe (api.up42.com)"
    assert dialog.address.text() == "https://api.up42.com"
    assert dialog.address.isHidden()
    assert dialog.problem.isHidden()


def test_ok_says_why_it_is_grey(dialog):
    assert not dialog.ok_button.isEnabled()
    assert dialog.ok_button.toolTip() == "Fill in all fields first"
    fill(dialog)
    assert dialog.ok_button.isEnabled()
    assert dialog.ok_button.toolTip() == ""


@pytest.mark.parametrize("empty", ["name", "project_id", "key"])
@pytest.mark.parametrize("text", ["", "   "])
def test_every_field_is_needed(dialog, empty, text):
    fill(dialog, **{empty: text})
    assert not dialog.ok_button.isEnabled()


def test_what_was_typed_is_handed_over_without_blanks_around_it(dialog, saving):
    fill(dialog, name=" Coastal study ", project_id=" p-1\t", key=" a-word ")
    dialog.region.setCurrentIndex(1)
    QTest.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)
    connection = Connection("new", "Coastal study", ConnectionKind.CLASSIC, "https://api.sa.up42.com", "p-1")
    assert saving.drafts == [ConnectionDraft(connection, ProjectKey("p-1", "a-word"), True)]
    assert not dialog.isVisible()


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("api.example.org", "must begin with https://"),
        ("ftp://api.example.org", "must begin with https://"),
        ("https://", ""),
        ("https://user:word@api.example.org", "must not hold a user name"),
        ("https://api.example.org/?x=1", "without ? or #"),
        ("https://[::1", "not an address"),
    ],
)
def test_an_address_that_cannot_be_one_is_explained(dialog, address, part):
    fill(dialog)
    choose_other_address(dialog, address)
    assert not dialog.ok_button.isEnabled()
    assert part in dialog.problem.text
    assert dialog.ok_button.toolTip()


def test_an_address_of_one_s_own(dialog, saving):
    fill(dialog)
    choose_other_address(dialog, "https://up42.example.org:8443/base/")
    assert dialog.problem.isHidden()
    QTest.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)
    assert saving.drafts[0].connection.address == "https://up42.example.org:8443/base"


def test_an_address_without_protection_is_warned_of_and_possible(dialog):
    fill(dialog)
    choose_other_address(dialog, "http://api.example.org")
    assert "read the key" in dialog.problem.text
    assert dialog.ok_button.isEnabled()
    choose_other_address(dialog, "http://127.0.0.1:8042")
    assert dialog.problem.isHidden()


def test_going_back_to_a_region_mends_the_address(dialog):
    fill(dialog)
    choose_other_address(dialog, "nonsense")
    dialog.region.setCurrentIndex(0)
    assert dialog.address.text() == "https://api.up42.com"
    assert dialog.ok_button.isEnabled()


def test_the_key_is_not_shown(dialog):
    assert dialog.key.echoMode() == QLineEdit.EchoMode.Password


def test_where_the_key_is_kept_is_said_and_can_be_chosen(dialog, saving):
    assert dialog.keep.currentText() == "QGIS Authentication Database"
    fill(dialog)
    dialog.keep.setCurrentIndex(1)
    QTest.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)
    assert saving.drafts[0].keep is False


def test_when_it_cannot_be_kept_the_dialog_says_why_and_loses_nothing(dialog, saving):
    fill(dialog)
    saving.error = CredentialsLockedError("QGIS's authentication database is locked.")
    QTest.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)
    assert dialog.isVisible()
    assert dialog.problem.text == "QGIS's authentication database is locked."
    assert dialog.key.text() == "a-word"
    saving.error = None
    dialog.keep.setCurrentIndex(1)
    QTest.mouseClick(dialog.ok_button, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()


def test_return_saves_and_escape_does_not(dialog, saving):
    fill(dialog)
    dialog.key.setFocus()
    QTest.keyClick(dialog.key, Qt.Key.Key_Escape)
    assert (dialog.isVisible(), saving.drafts) == (False, [])
    dialog.show()
    QTest.keyClick(dialog.key, Qt.Key.Key_Return)
    assert (dialog.isVisible(), len(saving.drafts)) == (False, 1)


def test_return_does_nothing_while_something_is_missing(dialog, saving):
    fill(dialog, key="")
    QTest.keyClick(dialog.key, Qt.Key.Key_Return)
    assert (dialog.isVisible(), saving.drafts) == (True, [])


class TestSigningIn:
    def test_only_the_key_is_asked_for(self, open_dialog, saving):
        dialog = open_dialog(STORED)
        assert dialog.windowTitle() == "Sign In"
        assert dialog.name.text() == "Coastal study"
        assert dialog.address.text() == "https://api.example.org"
        assert dialog.region.currentText() == "Other Address"
        for widget in (dialog.name, dialog.region, dialog.address):
            assert not widget.isEnabled()
        assert dialog.focusWidget() is dialog.key
        assert not dialog.ok_button.isEnabled()
        QTest.keyClicks(dialog.key, "a-word")
        QTest.keyClick(dialog.key, Qt.Key.Key_Return)
        assert saving.drafts == [ConnectionDraft(STORED, ProjectKey("p-1", "a-word"), True)]

    def test_where_the_key_was_not_kept_it_is_not_proposed_to_be(self, open_dialog):
        assert open_dialog(SESSION).keep.currentText() == "Nowhere, Ask Again Next Time"
