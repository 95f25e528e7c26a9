"""Webhooks: who is told of what happens in the workspace, with everything that can be done about it."""

from __future__ import annotations

from typing import Any, Optional, Tuple

from qgis.PyQt.QtCore import QItemSelectionModel, QModelIndex, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.webhooks import DeliveryReport, ListedWebhook
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.webhook_models import ACTIVE, WEBHOOK_ROLE, WebhookModel, WebhookTable, report_lines, report_text
from up42_plugin.gui.widgets import INFORMATION, RUNNING, SUCCESS, WARNING, MessageRow, hint_label
from up42_plugin.qgis_bridge.webhooks import Doing, WebhookBook

_SIZE = (720, 380)
_SELECT_FIRST = "Select a webhook first"
_NOT_READ = "The list could not be read"


class WebhooksDialog(QDialog):
    """Shows a :class:`~up42_plugin.qgis_bridge.webhooks.WebhookBook`; whoever opened it carries out what is asked.

    ``add_asked``; ``edit_asked``, ``delete_asked`` and ``test_asked`` with the webhook; ``active_asked(id, active)``.
    """

    add_asked = pyqtSignal()
    edit_asked = pyqtSignal(object)
    delete_asked = pyqtSignal(object)
    test_asked = pyqtSignal(object)
    active_asked = pyqtSignal(str, bool)
    again_asked = pyqtSignal()

    def __init__(self, book: WebhookBook, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("webhooksDialog")
        self.setWindowTitle("Webhooks")
        self._book, self._filled = book, False
        layout = QVBoxLayout(self)
        label = QLabel("&Webhooks of this workspace")
        layout.addWidget(label)
        self.model = WebhookModel(self)
        self.view = WebhookTable(self.model)
        label.setBuddy(self.view)
        layout.addWidget(self.view, 1)
        layout.addLayout(self._build_state())
        layout.addLayout(self._build_tools())
        layout.addWidget(self._build_note())
        layout.addWidget(self._build_buttons())
        self.resize(*_SIZE)
        self.view.selectionModel().selectionChanged.connect(self._open_buttons)
        self.view.delete_asked.connect(lambda: self._ask(self.delete_button))
        self.view.activated.connect(self._activated)
        self.model.active_asked.connect(self._ask_active)
        book.changed.connect(self.refresh)
        self.refresh()

    def _build_state(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.state = MessageRow()
        self.state.setObjectName("webhooksState")
        self.again_button = QPushButton("Try A&gain")
        self.again_button.setObjectName("webhooksTryAgain")
        self.again_button.setAutoDefault(False)
        self.again_button.clicked.connect(self.again_asked)
        row.addWidget(self.state, 1)
        row.addWidget(self.again_button)
        return row

    def _build_tools(self) -> QHBoxLayout:
        row = QHBoxLayout()
        self.add_button = self._tool("&Add…", "addWebhook")
        self.edit_button = self._tool("&Edit…", "editWebhookButton")
        self.test_button = self._tool("&Test", "testWebhook")
        self.delete_button = self._tool("&Delete…", "deleteWebhookButton")
        for button in (self.add_button, self.edit_button, self.test_button):
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.delete_button)
        self.add_button.clicked.connect(self.add_asked)
        for button, asked in self._for_selected:
            button.clicked.connect(lambda _checked=False, asked=asked: self._emit(asked))
        return row

    def _build_note(self) -> QWidget:
        """What became of the last wish."""
        self.note_box = QWidget()
        layout = QVBoxLayout(self.note_box)
        layout.setContentsMargins(0, 0, 0, 0)
        self.note = MessageRow()
        self.note.setObjectName("webhooksNote")
        self.details = hint_label()
        self.details.setObjectName("webhooksDetails")
        self.details.setTextFormat(Qt.TextFormat.PlainText)  # it quotes the receiver
        self.details.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self.note)
        layout.addWidget(self.details)
        self.note_box.hide()
        return self.note_box

    def _build_buttons(self) -> QDialogButtonBox:
        standard = QDialogButtonBox.StandardButton
        box = QDialogButtonBox(standard.Close | standard.Help)
        self.close_button = box.button(standard.Close)
        box.rejected.connect(self.reject)
        box.helpRequested.connect(lambda: show_help(Topic.WEBHOOKS))
        for button in box.buttons():
            button.setAutoDefault(False)
        return box

    @staticmethod
    def _tool(text: str, name: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAutoDefault(False)
        return button

    @property
    def _for_selected(self) -> Tuple[Tuple[QPushButton, Any], ...]:
        return (
            (self.edit_button, self.edit_asked),
            (self.test_button, self.test_asked),
            (self.delete_button, self.delete_asked),
        )

    # -- what is shown

    @property
    def selected(self) -> Optional[ListedWebhook]:
        """The webhook selected in the list."""
        rows = self.view.selectionModel().selectedRows()
        return rows[0].data(WEBHOOK_ROLE) if rows else None

    def select(self, webhook_id: str) -> None:
        """Select a webhook, if it is listed."""
        row = self.model.row_of(webhook_id)
        if row >= 0:
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(self.model.index(row, 0), flags)

    def refresh(self) -> None:
        """Show the book as it is now; what is selected stays selected."""
        book, selected = self._book, self.selected
        shown = book.webhooks or ()
        self.model.show_webhooks(shown, book.events)
        self.view.fit()
        if selected is not None:
            self.select(selected.id)
        if self.selected is None and shown:
            self.select(shown[0].id)
        self.view.setEnabled(bool(shown) and not book.trouble)
        self._show_state()
        self._open_buttons()
        if not self._filled and book.webhooks is not None:
            self._filled = True
            self._move_focus()

    def tell(self, icon: str, text: str, details: str = "") -> None:
        """Show what became of the last wish; empty texts show nothing."""
        self.note.show_message(icon, text)
        self.details.setText(details)
        self.details.setVisible(bool(details))
        self.note_box.setVisible(bool(text))

    def tell_report(self, webhook: ListedWebhook, report: DeliveryReport) -> None:
        """Show how a test ended."""
        icon = SUCCESS if report.whole else WARNING
        self.tell(icon, report_text(webhook.name, report), "\n".join(report_lines(self.model, report)))

    def _show_state(self) -> None:
        book = self._book
        if book.doing is not None:
            self.state.show_message(RUNNING, book.doing.value)
        elif book.trouble:
            self.state.show_message(WARNING, book.trouble)
        elif not book.webhooks:
            self.state.show_message(INFORMATION, "No webhooks yet.")
        else:
            self.state.show_message(INFORMATION, "")
        self.again_button.setVisible(bool(book.trouble) and book.doing is None)

    def _open_buttons(self, *_: object) -> None:
        waiting = self._why_wait()
        selecting = waiting or ("" if self.selected is not None else _SELECT_FIRST)
        for button, reason in (
            (self.add_button, waiting),
            *((button, selecting) for button, _ in self._for_selected),
        ):
            if reason and self.focusWidget() is button:
                self._move_focus()
            button.setEnabled(not reason)
            button.setToolTip(reason)

    def _move_focus(self) -> None:
        """To where keys are of use; Qt would move it to Close, and the next key would close the list."""
        (self.view if self.view.isEnabled() else self.add_button).setFocus()

    def _why_wait(self) -> str:
        book = self._book
        if book.busy or (book.doing is Doing.READING and book.webhooks is None):
            return book.doing.value if book.doing is not None else ""
        return _NOT_READ if book.trouble or book.webhooks is None else ""

    # -- what is asked for

    def _ask(self, button: QPushButton) -> None:
        if button.isEnabled():
            button.click()

    def _emit(self, asked: Any) -> None:
        webhook = self.selected
        if webhook is not None:
            self.tell(INFORMATION, "")
            asked.emit(webhook)

    def _activated(self, index: QModelIndex) -> None:
        if index.column() != ACTIVE:  # a double click there has ticked the box twice
            self._ask(self.edit_button)

    def _ask_active(self, webhook_id: str, active: bool) -> None:
        if not self._why_wait():
            self.tell(INFORMATION, "")
            self.active_asked.emit(webhook_id, active)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """F5 reads the list again."""
        if event.key() == Qt.Key.Key_F5:
            if not self._book.busy:
                self.again_asked.emit()
            return
        super().keyPressEvent(event)


def delete_question(webhook: ListedWebhook, parent: Optional[QWidget] = None) -> QMessageBox:
    """``Delete …?`` with Cancel as the default."""
    box = QMessageBox(parent)
    box.setObjectName("deleteWebhook")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Delete Webhook")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"Delete the webhook {webhook.name}?")
    box.setInformativeText(f"{webhook.shown_url} is told nothing more, for everybody in the workspace.")
    delete = box.addButton("&Delete", QMessageBox.ButtonRole.DestructiveRole)
    delete.setObjectName("reallyDelete")
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    return box
