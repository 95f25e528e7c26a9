"""The list of webhooks over a sandbox, driven as a person does, and what the service itself says of them."""

from __future__ import annotations

import time
from contextlib import contextmanager

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QMessageBox, QWidget

from tests.sandbox.dialect_kit import provider_of
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.service import Webhook
from up42_plugin.gui.webhook_models import ACTIVE
from up42_plugin.gui.webhooks_desk import WebhooksDesk

WAIT_MS = 20_000
HOOKS, TESTS = "/workspaces/*/webhooks", "/workspaces/*/webhooks/*/tests"
CHECKED, UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class WebhookKit:
    """``lines`` are those of the log panel, ``troubles`` what the desk told without a dialog."""

    def __init__(self, runner, qtbot, provider):
        self.qtbot, self.provider = qtbot, provider
        self.window = QWidget()
        qtbot.addWidget(self.window)
        self.window.resize(900, 600)
        self.window.show()
        self.desk = WebhooksDesk(runner, lambda: self.provider, self.window)
        self.troubles, self.lines = [], []
        self.desk.trouble.connect(self.troubles.append)
        QgsApplication.messageLog().messageReceived.connect(self._logged)

    def _logged(self, text, _tag, _level):
        self.lines.append(text)

    def close(self):
        QgsApplication.messageLog().messageReceived.disconnect(self._logged)
        self.desk.close()

    # -- what a person does

    def open(self, ready=True):
        self.desk.open()
        if ready:
            self.wait(lambda: self.dialog.add_button.isEnabled() and self.dialog._book.doing is None)
        return self

    def click(self, button):
        assert button.isEnabled(), button.toolTip()
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def press(self, widget, key):
        QTest.keyClick(widget, key)

    def edit(self, name=None, address=None, secret=None, button=None):
        """Open Add, or the dialog behind another button, and type."""
        self.click(button or self.dialog.add_button)
        editor = self.desk.editor
        for field, text in ((editor.name, name), (editor.address, address), (editor.secret, secret)):
            if text is not None:
                field.selectAll()
                QTest.keyClicks(field, text)
        return editor

    def save(self, editor):
        self.click(editor.save_button)
        self.wait(lambda: self.desk.editor is None and self.dialog._book.doing is None)

    def add(self, name, address, secret=None):
        self.save(self.edit(name, address, secret))

    def answer_question(self, name):
        question = self.desk.question
        buttons = {button.objectName(): button for button in question.buttons()}
        buttons[""] = question.button(QMessageBox.StandardButton.Cancel)
        self.click(buttons[name])

    def tick_active(self):
        """Click on the box of the selected row."""
        view = self.dialog.view
        index = view.currentIndex()
        rect = view.visualRect(index.sibling(index.row(), ACTIVE))
        QTest.mouseClick(
            view.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            QPoint(rect.left() + 10, rect.center().y()),
        )

    def select(self, name):
        rows = [row[0] for row in self.rows]
        self.dialog.view.setCurrentIndex(self.dialog.model.index(rows.index(name), 0))

    # -- what a person sees

    @property
    def dialog(self):
        return self.desk.dialog

    @property
    def rows(self):
        model = self.dialog.model
        texts = [[model.index(row, column).data() for column in range(3)] for row in range(model.rowCount())]
        ticks = [model.index(row, ACTIVE).data(Qt.ItemDataRole.CheckStateRole) for row in range(model.rowCount())]
        return [(*text, tick == CHECKED) for text, tick in zip(texts, ticks)]

    @property
    def state(self):
        return "" if self.dialog.state.isHidden() else self.dialog.state.text

    @property
    def note(self):
        return "" if self.dialog.note_box.isHidden() else self.dialog.note.text

    @property
    def details(self):
        return "" if self.dialog.details.isHidden() else self.dialog.details.text()

    @property
    def focus(self):
        return self.dialog.focusWidget()

    def wait(self, condition):
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    def idle(self):
        self.wait(lambda: not QgsApplication.taskManager().count())

    def quiet(self, seconds=0.2):
        """Let pass what might still come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.01)


class Beside:
    """Somebody else at the same workspace."""

    def __init__(self, sandbox):
        self._provider = provider_of(sandbox)

    @contextmanager
    def _service(self):
        with self._provider.open(ThreadContext()) as service:
            yield service

    def hooks(self):
        with self._service() as service:
            return service.webhooks()

    def make(self, name, url, secret=None, active=True, events=("job.status",)):
        with self._service() as service:
            return service.save_webhook(Webhook(name, url, events, active, secret))

    def delete(self, webhook_id):
        with self._service() as service:
            service.delete_webhook(webhook_id)

    def clear(self):
        for hook in self.hooks():
            self.delete(hook.id)
