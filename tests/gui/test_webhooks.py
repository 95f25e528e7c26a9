"""Webhooks in their dialog, over a sandbox that tells a real receiver, signed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from plugin_kit import ANALYTIC
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QLineEdit
from test_dialog_letters import letters
from test_help import Browser, press_help
from webhook_kit import HOOKS, Beside, WebhookKit
from webhook_receiver import Receiver

from tests.sandbox.dialect_kit import provider_of
from up42_plugin.core.service import Capabilities
from up42_plugin.gui.help_pages import Topic, help_url

SECRET, OTHER = 'correct horse, "battery" staple', "tr0ub4dor&3-hunter2"
FAR = "https://hooks.example.org/up42"
INPUT = {
    "esa-s2-l2a-gtiff-analytic:1": {
        "intersects": {
            "type": "Polygon",
            "coordinates": [
                [[15.29, 37.844], [15.298, 37.844], [15.298, 37.85], [15.29, 37.85], [15.29, 37.844]],
            ],
        }
    }
}


@pytest.fixture
def beside(clean_service):
    beside = Beside(clean_service.sandbox)
    beside.clear()
    yield beside
    clean_service.disarm()
    beside.clear()


@pytest.fixture
def kit(runner, qtbot, beside, clean_service):
    kit = WebhookKit(runner, qtbot, provider_of(clean_service.sandbox))
    yield kit
    kit.close()


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


def test_a_webhook_is_added_tested_and_told_of_jobs_with_its_secret(kit, receiver, beside, clean_service):
    kit.open()
    assert (kit.rows, kit.state) == ([], "No webhooks yet.")
    assert kit.dialog.test_button.toolTip() == "Select a webhook first"
    editor = kit.edit("Alerts", receiver.url, SECRET)
    assert editor.windowTitle() == "Add Webhook"
    assert editor.secret.echoMode() == QLineEdit.EchoMode.Password
    assert [box.text() for box in editor.events] == ["Job Status", "Order Status"]
    kit.save(editor)
    shown = receiver.url.replace("?a=b", "?…")
    assert (kit.rows, kit.state) == ([("Alerts", shown, "Job Status", True)], "")
    (hook,) = beside.hooks()
    assert (hook.name, hook.url, hook.events, hook.active, hook.secret) == (
        "Alerts", receiver.url, ("job.status",), True, SECRET
    )  # fmt: skip
    kit.click(kit.dialog.test_button)
    kit.wait(lambda: kit.note == "Test of Alerts: the receiver took the notification.")
    assert re.fullmatch(r"Job Status: answered 200 OK at \d\d:\d\d:\d\d\.", kit.details)
    assert kit.focus is kit.dialog.view  # not Close
    (delivery,) = receiver.deliveries
    assert delivery.signed_with(SECRET)
    assert not delivery.signed_with(OTHER)
    clean_service.submit(ANALYTIC, "told", {**INPUT, "config": {"mode": "DRY_RUN"}})
    kit.wait(lambda: receiver.deliveries[-1].event["body"]["status"] == "SUCCEEDED" and len(receiver.deliveries) > 2)
    assert all(delivery.signed_with(SECRET) for delivery in receiver.deliveries)


def test_editing_keeps_replaces_and_removes_the_secret(kit, receiver, beside):
    beside.make("Alerts", receiver.url, SECRET)
    kit.open()
    editor = kit.edit(name="Renamed", button=kit.dialog.edit_button)
    assert (editor.secret.text(), editor.secret.placeholderText()) == ("", "Set; type another one to replace it")
    kit.save(editor)
    (hook,) = beside.hooks()
    assert (hook.name, hook.secret) == ("Renamed", SECRET)
    kit.save(kit.edit(secret=OTHER, button=kit.dialog.edit_button))
    kit.click(kit.dialog.test_button)
    kit.wait(lambda: kit.note)
    assert receiver.deliveries[0].signed_with(OTHER)
    editor = kit.edit(button=kit.dialog.edit_button)
    editor.remove.click()
    assert (editor.secret.isEnabled(), editor.secret.placeholderText()) == (False, "Not set")
    editor.events[1].click()
    kit.save(editor)
    (hook,) = beside.hooks()
    assert (hook.secret, hook.events) == (None, ("job.status", "order.status"))
    assert not kit.dialog.selected.signed
    kit.click(kit.dialog.test_button)
    kit.wait(lambda: len(receiver.deliveries) == 3)
    assert not receiver.deliveries[-1].signed
    kit.wait(lambda: kit.note == "Test of Renamed: the receiver took all 2 notifications.")


def test_active_is_ticked_in_the_list_and_nothing_else_changes(kit, beside):
    beside.make("Alerts", FAR, SECRET)
    kit.open()
    kit.tick_active()
    kit.wait(lambda: not kit.rows[0][3])
    (hook,) = beside.hooks()
    assert (hook.active, hook.secret, hook.url) == (False, SECRET, FAR)
    kit.press(kit.dialog.view, Qt.Key.Key_Space)
    kit.wait(lambda: kit.rows[0][3])
    assert beside.hooks()[0].active
    assert kit.dialog.selected.name == "Alerts"


def test_a_failed_test_says_why(kit, receiver, beside):
    with Receiver() as gone:
        beside.make("Gone", gone.url)
    beside.make("Broken", receiver.url)
    beside.make("Away", FAR)
    kit.open()
    receiver.statuses = [500]
    for name, said in (
        ("Broken", "answered 500 Internal Server Error at "),
        ("Gone", "Nobody listens at this address."),
        ("Away", "The sandbox calls addresses of this computer only."),
    ):
        kit.select(name)
        kit.click(kit.dialog.test_button)
        kit.wait(lambda name=name: kit.note == f"Test of {name}: the receiver took 0 of 1 notifications.")
        assert said in kit.details
    assert kit.rows[0][3]


def test_deleting_asks_first(kit, beside):
    beside.make("Alerts", FAR)
    gone = beside.make("Gone elsewhere", FAR)
    kit.open()
    kit.press(kit.dialog.view, Qt.Key.Key_Delete)
    assert kit.desk.question.text() == "Delete the webhook Alerts?"
    kit.answer_question("")
    kit.quiet()
    assert len(beside.hooks()) == 2
    kit.click(kit.dialog.delete_button)
    kit.answer_question("reallyDelete")
    kit.wait(lambda: [row[0] for row in kit.rows] == ["Gone elsewhere"])
    beside.delete(gone.id)
    kit.click(kit.dialog.delete_button)
    kit.answer_question("reallyDelete")
    kit.wait(lambda: kit.state == "No webhooks yet.")
    assert beside.hooks() == ()


def test_what_is_wrong_with_an_address_is_told_while_it_is_typed(kit):
    kit.open()
    editor = kit.edit("Alerts", "http")
    assert editor.problem.isHidden()
    for address, said in (
        (
            "http://hooks.example.org/",
            "Only https:// is possible; http:// is for receivers on this computer (localhost).",
        ),
        ("https:///up42", "The address must begin with https:// and name a host"),
        ("hooks.example.org", "The address must begin with https:// and name a host"),
    ):
        editor.address.setText(address)
        assert editor.problem.text.startswith(said)
        assert not editor.save_button.isEnabled()
        assert editor.save_button.toolTip().startswith(said)
    editor.address.setText(FAR)
    assert editor.problem.isHidden()
    assert editor.save_button.isEnabled()
    editor.events[0].click()
    assert editor.save_button.toolTip() == "Tick at least one event."
    editor.name.clear()
    assert editor.save_button.toolTip() == "Give the webhook a name."


def test_secrets_are_nowhere_even_where_the_service_repeats_them(kit, beside, clean_service, tmp_path):
    kit.open()
    echo = {
        "data": None,
        "error": {"code": "VALIDATION_ERROR", "message": f"secret is {SECRET}", "details": {"s": SECRET}},
    }
    clean_service.arm("POST", HOOKS, status=400, body=echo, times=1)
    editor = kit.edit("Alerts", FAR, SECRET)
    kit.click(editor.save_button)
    kit.wait(lambda: "does not accept" in editor.problem.text)
    assert SECRET not in editor.problem.text
    assert editor.focusWidget() is editor.save_button
    assert editor.secret.text() == SECRET  # typed, and not lost
    kit.save(editor)
    assert beside.hooks()[0].secret == SECRET
    clean_service.arm("PUT", f"{HOOKS}/*", status=400, body=echo, times=1)
    kit.tick_active()
    kit.wait(lambda: kit.note.startswith("The webhook Alerts was not saved. The service does not accept this"))
    clean_service.arm("GET", HOOKS, status=200, body=f'{{"data": [{{"secret": "{SECRET}', times=1)
    kit.press(kit.dialog.view, Qt.Key.Key_F5)
    kit.wait(lambda: kit.state == "The answer could not be read. Details are in the log.")
    assert len(kit.lines) >= 3
    QgsSettings().sync()
    told = [*kit.lines, kit.note, kit.details, kit.state, repr(kit.desk._book.webhooks), *kit.troubles]
    assert not [text for text in told if SECRET in text or "horse" in text or "battery" in text]
    folders = [Path(QgsSettings().fileName()).parent, Path(QgsApplication.qgisSettingsDirPath()), tmp_path]
    folders += [Path(os.environ["XDG_CONFIG_HOME"])] if "XDG_CONFIG_HOME" in os.environ else []
    for folder in folders:
        for path in folder.rglob("*"):
            assert not path.is_file() or b"correct horse" not in path.read_bytes(), path


def test_nothing_is_offered_without_webhooks_and_nothing_opens_without_a_connection(kit):
    kit.provider.capabilities = Capabilities(webhooks=False)
    assert not kit.desk.offered
    kit.open(ready=False)
    assert kit.dialog is None
    kit.provider = None
    assert kit.desk.offered
    assert kit.desk.why_not == "Choose a connection first."
    kit.open(ready=False)
    assert kit.dialog is None
    assert kit.troubles == ["Choose a connection first."]


def test_letters_names_and_keys(kit, beside):
    beside.make("Alerts", FAR, SECRET)
    kit.open()
    kit.dialog.again_button.show()
    found, missing = letters(kit.dialog)
    assert sorted(found) == ["a", "d", "e", "g", "t", "w"]
    assert not missing
    assert kit.dialog.view.accessibleName() == "Webhooks of this workspace"
    tooltip = kit.dialog.model.index(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "Secret is set" in tooltip
    assert SECRET not in tooltip
    kit.press(kit.dialog.view, Qt.Key.Key_Return)
    editor = kit.desk.editor
    found, missing = letters(editor)
    assert sorted(found) == ["a", "e", "m", "n", "r", "v"]
    assert not missing
    assert editor.event_area.focusProxy() is editor.events[0]
    for field in (editor.event_area, editor.secret):
        assert field.accessibleName()
    kit.press(editor, Qt.Key.Key_Escape)
    assert kit.desk.editor is None
    assert kit.dialog.isVisible()


def test_help_opens_its_place(kit):
    browser = Browser()
    QDesktopServices.setUrlHandler("file", browser, "open")
    try:
        kit.open()
        press_help(kit.dialog)
        press_help(kit.edit())
    finally:
        QDesktopServices.unsetUrlHandler("file")
    assert browser.asked == [help_url(Topic.WEBHOOKS)] * 2
