"""Opens the webhooks of the current connection's workspace, and carries out what is asked for there."""

from __future__ import annotations

from typing import Any, Callable, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QMessageBox, QWidget

from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.webhooks import DeliveryReport, ListedWebhook
from up42_plugin.gui.webhook_edit_dialog import WebhookEditDialog
from up42_plugin.gui.webhooks_dialog import WebhooksDialog, delete_question
from up42_plugin.gui.widgets import INFORMATION, WARNING
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.webhooks import Doing, Failure, WebhookBook

_NO_CONNECTION = "Choose a connection first."
_NOT_DONE = {
    Doing.SAVING: "was not saved",
    Doing.DELETING: "was not deleted",
    Doing.TESTING: "was not tested",
}


class WebhooksDesk(QObject):
    """One list is open at a time; it belongs to the connection it was opened for.

    ``trouble(sentence)`` when something failed that no open dialog can tell.
    """

    trouble = pyqtSignal(str)

    def __init__(
        self,
        runner: JobRunner,
        provider: Callable[[], Optional[ServiceProvider]],
        window: QWidget,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._provider, self._window = runner, provider, window
        self.dialog: Optional[WebhooksDialog] = None
        self.editor: Optional[WebhookEditDialog] = None
        self.question: Optional[QMessageBox] = None
        self._book: Optional[WebhookBook] = None

    @property
    def offered(self) -> bool:
        """Whether the service has webhooks; where it has none, nothing in the interface speaks of them."""
        provider = self._provider()
        return provider is None or provider.capabilities.webhooks

    @property
    def why_not(self) -> str:
        """Why the list cannot be opened now, empty when it can."""
        return _NO_CONNECTION if self._provider() is None else ""

    def open(self) -> None:
        """Open the list at once; it fills when the service has answered."""
        provider = self._provider()
        if self.dialog is not None:
            self.dialog.raise_()
            self.dialog.activateWindow()
            return
        if provider is None:
            self.trouble.emit(_NO_CONNECTION)
            return
        if not provider.capabilities.webhooks:
            return
        book = self._book = WebhookBook(provider, self._runner, self)
        dialog = self.dialog = WebhooksDialog(book, self._window)
        dialog.add_asked.connect(lambda: self._edit(None))
        dialog.edit_asked.connect(self._edit)
        dialog.delete_asked.connect(self._ask_to_delete)
        dialog.test_asked.connect(book.test)
        dialog.active_asked.connect(book.set_active)
        dialog.again_asked.connect(book.read)
        dialog.finished.connect(self._closed)
        book.saved.connect(self._saved)
        book.tested.connect(self._tested)
        book.failed.connect(self._failed)
        book.late.connect(lambda failure: self.trouble.emit(_sentence(book, failure)))
        book.read()
        dialog.open()

    def close(self) -> None:
        """Close what is open, as with Cancel."""
        for dialog in (self.question, self.editor, self.dialog):
            if dialog is not None:
                dialog.reject()

    # -- small dialogs on the list

    def _edit(self, webhook: Optional[ListedWebhook]) -> None:
        book, dialog = self._book, self.dialog
        if book is None or dialog is None or self.editor is not None:
            return
        dialog.tell(INFORMATION, "")
        editor = self.editor = WebhookEditDialog(book.events, webhook, dialog)

        def save(draft: Any) -> None:
            if not book.save(draft):
                editor.show_failure("Something else is going on. Wait a moment.")

        editor.save_asked.connect(save)
        editor.finished.connect(self._editor_closed)
        editor.open()

    def _editor_closed(self, *_: object) -> None:
        editor, self.editor = self.editor, None
        if editor is None:
            return
        if editor.saving and self._book is not None and self._book.doing is Doing.SAVING:
            self._book.cancel()
        editor.deleteLater()

    def _ask_to_delete(self, webhook: ListedWebhook) -> None:
        if self._book is None or self.question is not None:
            return
        book, question = self._book, delete_question(webhook, self.dialog)
        self.question = question

        def answered(*_: object) -> None:
            self.question = None
            clicked = question.clickedButton()
            if clicked is not None and clicked.objectName() == "reallyDelete":
                book.delete(webhook.id)
            question.deleteLater()

        question.finished.connect(answered)
        question.open()

    # -- what became of it

    def _saved(self, webhook: ListedWebhook) -> None:
        editor = self.editor
        if self.dialog is not None:
            self.dialog.refresh()
            self.dialog.select(webhook.id)
        if editor is not None and editor.saving:
            editor.saved()

    def _tested(self, webhook: ListedWebhook, report: DeliveryReport) -> None:
        if self.dialog is not None:
            self.dialog.tell_report(webhook, report)

    def _failed(self, failure: Failure) -> None:
        if self.editor is not None and self.editor.saving:
            self.editor.show_failure(failure.message)
            return
        if self.dialog is not None and self._book is not None:
            self.dialog.tell(WARNING, _sentence(self._book, failure))

    def _closed(self, *_: object) -> None:
        dialog, self.dialog = self.dialog, None
        book, self._book = self._book, None
        if book is not None:
            book.close()
        if dialog is not None:
            dialog.deleteLater()


def _sentence(book: WebhookBook, failure: Failure) -> str:
    """What did not go well, with the webhook's name where it was surely not done."""
    if not failure.sure:
        return failure.message
    webhook = book.webhook(failure.webhook_id)
    name = f"The webhook {webhook.name}" if webhook is not None else "The webhook"
    return f"{name} {_NOT_DONE[failure.doing]}. {failure.message}"
