"""Webhooks when things go wrong: cut, cancelled, overtaken, closed half-way, and the service gone."""

from __future__ import annotations

import pytest
from plugin_kit import SPEED
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt
from sandbox_process import start_sandbox
from webhook_kit import HOOKS, TESTS, Beside, WebhookKit

from tests.sandbox.dialect_kit import provider_of
from tests.staged_provider import StagedProvider
from up42_plugin.core.service import Webhook

FAR, SECRET = "https://hooks.example.org/up42", "tr0ub4dor&3-hunter2"
LIST, ONE = HOOKS, f"{HOOKS}/*"


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


def names(kit):
    return [row[0] for row in kit.rows]


def test_a_lost_answer_is_settled_and_nothing_is_made_twice(kit, beside, clean_service):
    beside.make("Alerts", "https://hooks.example.org/another")
    kit.open()
    clean_service.arm("POST", LIST, lose_answer=True, times=1)
    kit.add("Alerts", FAR, SECRET)
    assert kit.rows[1][:2] == ("Alerts", FAR)
    assert [hook.secret for hook in beside.hooks()] == [None, SECRET]


def test_what_may_have_been_made_is_told_where_it_cannot_be_settled(kit, beside, clean_service):
    kit.open()
    clean_service.arm("POST", LIST, cut_request_after_bytes=10, times=1)
    editor = kit.edit("Alerts", FAR, SECRET)
    kit.click(editor.save_button)
    kit.wait(lambda: editor.problem.text.startswith("No answer. The webhook may have been made all the same"))
    assert (editor.name.text(), editor.secret.text()) == ("Alerts", SECRET)
    kit.wait(lambda: kit.state == "No webhooks yet.")
    kit.save(editor)
    assert [hook.name for hook in beside.hooks()] == ["Alerts"]


def test_cancelling_half_way_shows_what_the_service_has(kit, beside, clean_service):
    kit.open()
    clean_service.arm("POST", LIST, delay_s=5, times=1)  # made, and the answer does not come
    editor = kit.edit("Alerts", FAR, SECRET)
    kit.click(editor.save_button)
    assert (editor.problem.text, editor.save_button.toolTip()) == ("Saving…", "Saving…")
    assert not editor.name.isEnabled()
    kit.wait(beside.hooks)
    left = []
    editor.finished.connect(lambda _result: left.append(editor.secret.text()))
    kit.click(editor.cancel_button)
    kit.wait(lambda: kit.note == "Saving was cancelled. The list shows what the service has.")
    kit.wait(lambda: names(kit) == ["Alerts"])
    assert kit.desk.editor is None
    assert left == [""]
    assert len(beside.hooks()) == 1


def test_a_service_with_a_problem_makes_nothing(kit, beside, clean_service):
    kit.open()
    clean_service.arm("POST", LIST, status=503, times=1)
    editor = kit.edit("Alerts", FAR)
    kit.click(editor.save_button)
    kit.wait(lambda: editor.problem.text.startswith("No answer. The webhook may have been made all the same"))
    kit.click(editor.cancel_button)
    kit.wait(lambda: kit.desk.editor is None and kit.state == "No webhooks yet.")
    assert beside.hooks() == ()


def test_a_change_that_got_no_answer_is_not_called_undone(kit, beside, clean_service):
    beside.make("Alerts", FAR, SECRET)
    kit.open()
    clean_service.arm("PUT", ONE, lose_answer=True, times=None)
    kit.press(kit.dialog.view, Qt.Key.Key_Space)
    kit.wait(lambda: kit.note and kit.state == "")
    assert "not saved" not in kit.note
    assert not kit.rows[0][3]  # the list was read again
    assert beside.hooks()[0].secret == SECRET


def test_closing_while_the_list_is_read_leaves_nothing_behind(kit, clean_service):
    clean_service.arm("GET", "/webhooks/events", hold_s=40, times=1)
    kit.open(ready=False)
    assert kit.state == "Reading the webhooks…"
    assert kit.dialog.add_button.toolTip() == "Reading the webhooks…"
    kit.wait(lambda: not clean_service.armed())  # under way
    kit.click(kit.dialog.close_button)
    kit.idle()
    assert kit.dialog is None
    assert kit.troubles == []
    kit.open()
    assert kit.state == "No webhooks yet."


def test_closing_while_something_is_tested_ends_the_test(kit, beside, clean_service):
    beside.make("Alerts", FAR)
    kit.open()
    clean_service.arm("POST", TESTS, hold_s=40, times=1)
    kit.click(kit.dialog.test_button)
    kit.wait(lambda: not clean_service.armed())
    assert kit.state == "Testing, waiting for the receiver…"
    for button in (kit.dialog.add_button, kit.dialog.edit_button, kit.dialog.delete_button):
        assert (button.isEnabled(), button.toolTip()) == (False, "Testing, waiting for the receiver…")
    kit.press(kit.dialog.view, Qt.Key.Key_Space)  # one at a time
    assert kit.state == "Testing, waiting for the receiver…"
    kit.click(kit.dialog.close_button)
    kit.idle()
    assert kit.troubles == []
    assert beside.hooks()[0].active


def test_a_change_goes_on_when_the_list_is_closed_and_its_failure_is_told(kit, beside, clean_service):
    beside.make("Alerts", FAR, SECRET)
    kit.open()
    refusal = {"data": None, "error": {"code": "FORBIDDEN", "message": f"not with {SECRET}"}}
    clean_service.arm("PUT", ONE, hold_s=0.3, times=1)
    kit.press(kit.dialog.view, Qt.Key.Key_Space)
    kit.click(kit.dialog.close_button)
    kit.idle()
    kit.quiet()
    assert not beside.hooks()[0].active
    kit.open()
    clean_service.arm("PUT", ONE, status=403, body=refusal, times=1)
    kit.press(kit.dialog.view, Qt.Key.Key_Space)
    kit.click(kit.dialog.close_button)
    kit.wait(lambda: kit.troubles)
    assert kit.troubles == ["The webhook Alerts was not saved. This sign-in may not do that: not with …."]
    assert not [line for line in kit.lines if SECRET in line]


def test_a_webhook_that_is_gone_is_told_and_leaves_the_list(kit, beside):
    hook = beside.make("Alerts", FAR)
    beside.make("Others", FAR)
    kit.open()
    beside.delete(hook.id)
    editor = kit.edit(name="Renamed", button=kit.dialog.edit_button)
    kit.click(editor.save_button)
    kit.wait(lambda: editor.problem.text == "This webhook no longer exists.")
    kit.wait(lambda: names(kit) == ["Others"])
    kit.click(editor.cancel_button)
    assert [row.name for row in beside.hooks()] == ["Others"]


def test_the_service_is_gone_and_comes_back(runner, qtbot, tmp_path):
    sandbox = start_sandbox(tmp_path / "service", *SPEED)
    kit = WebhookKit(runner, qtbot, provider_of(sandbox))
    Beside(sandbox).make("Alerts", FAR, SECRET)
    try:
        kit.open()
        sandbox.kill()
        kit.click(kit.dialog.test_button)
        kit.wait(lambda: "refuses the connection" in kit.note)
        assert kit.note.startswith("The webhook Alerts was not tested.")
        kit.press(kit.dialog.view, Qt.Key.Key_F5)
        kit.wait(lambda: "refuses the connection" in kit.state)
        assert kit.dialog.add_button.toolTip() == "The list could not be read"
        assert names(kit) == ["Alerts"]
        sandbox = start_sandbox(tmp_path / "service", *SPEED, "--port", sandbox.base_url.rpartition(":")[2])
        kit.click(kit.dialog.again_button)
        kit.wait(lambda: kit.dialog.add_button.isEnabled() and kit.state == "")
        assert kit.dialog.again_button.isHidden()
        kit.press(kit.dialog.view, Qt.Key.Key_Space)
        kit.wait(lambda: not kit.rows[0][3])
        assert not [line for line in kit.lines if SECRET in line]
    finally:
        kit.close()
        kit.idle()
        sandbox.stop()


def test_an_earlier_answer_is_dropped(runner, qtbot):
    service = StagedProvider()
    service.answers["webhook_events"] = ({"name": "job.status"},)
    service.answers["webhooks"] = [(Webhook("First", FAR, (), id="1"),), (Webhook("Second", FAR, (), id="2"),)]
    kit = WebhookKit(runner, qtbot, service)
    try:
        service.hold("webhook_events")
        kit.open(ready=False)
        kit.wait(lambda: len(service.called("webhook_events")) == 1)
        first = kit.desk._book._job
        ended = []
        first.ended.connect(lambda: ended.append(kit.state))
        kit.press(kit.dialog, Qt.Key.Key_F5)
        kit.wait(lambda: ended)
        assert ended == ["Reading the webhooks…"]  # of the second, which still goes on
        assert kit.dialog.again_button.isHidden()
        service.let_go("webhook_events")
        kit.wait(lambda: names(kit) == ["First"])
        kit.idle()
        assert len(service.called("webhooks")) == 1
        service.hold("webhooks")
        kit.press(kit.dialog, Qt.Key.Key_F5)
        kit.wait(lambda: len(service.called("webhooks")) == 2)
        QgsApplication.taskManager().cancelAll()
        kit.wait(lambda: kit.state == "Reading the webhooks was cancelled.")
        service.let_go("webhooks")
        kit.click(kit.dialog.again_button)
        kit.wait(lambda: names(kit) == ["Second"])
    finally:
        kit.close()
        kit.idle()
        service.forget()


def test_a_change_makes_reading_wait_and_nothing_comes_in_between(runner, qtbot):
    service = StagedProvider()
    hook = Webhook("Alerts", FAR, ("job.status",), True, SECRET, "1")
    service.answers.update(webhook_events=({"name": "job.status"},), webhooks=(hook,), save_webhook=lambda saved: saved)
    kit = WebhookKit(runner, qtbot, service)
    try:
        kit.open()
        book = kit.desk._book
        service.hold("webhook_events")
        service.hold("save_webhook")
        kit.press(kit.dialog, Qt.Key.Key_F5)
        kit.wait(lambda: len(service.called("webhook_events")) == 2)
        kit.press(kit.dialog.view, Qt.Key.Key_Space)
        kit.wait(lambda: service.called("save_webhook"))
        assert not book.read()
        assert not book.delete("1")
        service.let_go("save_webhook")
        kit.wait(lambda: len(service.called("webhook_events")) == 3)  # what was overtaken is made up for
        assert not kit.rows[0][3]
        assert service.called("delete_webhook") == []
        service.let_go("webhook_events")
        kit.wait(lambda: book.doing is None)
    finally:
        kit.close()
        kit.idle()
        service.forget()
