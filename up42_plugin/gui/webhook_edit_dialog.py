"""Add and Edit Webhook: who is told, of what, and the secret that signs it."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from qgis.gui import QgsPasswordLineEdit
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.webhooks import (
    LONGEST_NAME,
    LONGEST_SECRET,
    ListedWebhook,
    SecretChange,
    WebhookDraft,
    WebhookEvent,
    address_problem,
)
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.widgets import RUNNING, WARNING, MessageRow, hint_label

_MOST_EVENTS_PX = 160
_BEGUN = ("", "http", "http:", "http:/", "http://", "https", "https:", "https:/", "https://")
_SIGNING = (
    "With a secret every notification is signed, so that the receiver can tell who sent it. "
    "The secret goes to the service only and is kept nowhere else."
)


class WebhookEditDialog(QDialog):
    """Fields of a webhook. ``save_asked(draft)`` on the click; then :meth:`saved`, or :meth:`show_failure`.

    A secret is only ever typed here: what the service has is told as set or not set.
    """

    save_asked = pyqtSignal(object)

    def __init__(
        self,
        events: Sequence[WebhookEvent],
        webhook: Optional[ListedWebhook] = None,
        parent: Optional[QWidget] = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("editWebhook")
        self.setWindowTitle("Add Webhook" if webhook is None else "Edit Webhook")
        self.webhook, self._saving = webhook, False
        layout = QVBoxLayout(self)
        self._build_fields(events)
        layout.addLayout(self._build_form())
        layout.addWidget(hint_label(_SIGNING))
        self.problem = MessageRow()
        self.problem.setObjectName("webhookProblem")
        layout.addWidget(self.problem)
        layout.addStretch(1)
        layout.addWidget(self._build_buttons())
        self.setMinimumWidth(480)
        for edit in (self.name, self.address, self.secret):
            edit.textChanged.connect(self._changed)
        for box in self.events:
            box.toggled.connect(self._changed)
        self.remove.toggled.connect(self._changed)
        self._changed()

    def _build_fields(self, events: Sequence[WebhookEvent]) -> None:
        webhook = self.webhook
        self.name = QLineEdit(webhook.name if webhook is not None else "")
        self.name.setObjectName("webhookName")
        self.name.setMaxLength(LONGEST_NAME)
        self.address = QLineEdit(webhook.url if webhook is not None else "")
        self.address.setObjectName("webhookAddress")
        self.address.setPlaceholderText("https://")
        self.address.setCursorPosition(0)
        self.events = _event_boxes(events, webhook.events if webhook is not None else None)
        self.event_area = _scrolled(self.events)
        self.secret = QgsPasswordLineEdit()
        self.secret.setObjectName("webhookSecret")
        self.secret.setAccessibleName("Secret")
        self.secret.setMaxLength(LONGEST_SECRET)
        self.remove = QCheckBox("Re&move the secret")
        self.remove.setObjectName("removeSecret")
        self.remove.setToolTip("Notifications are then no longer signed")
        self.remove.setVisible(webhook is not None and webhook.signed)
        self.active = QCheckBox("Acti&ve: notifications are sent")
        self.active.setObjectName("webhookActive")
        self.active.setChecked(webhook is None or webhook.active)

    def _build_form(self) -> QFormLayout:
        form = QFormLayout()
        form.addRow("&Name", self.name)
        form.addRow("&Address", self.address)
        form.addRow("&Events", self.event_area)
        form.addRow("Sec&ret", self.secret)
        form.addRow("", self.remove)
        form.addRow("", self.active)
        return form

    def _build_buttons(self) -> QDialogButtonBox:
        standard = QDialogButtonBox.StandardButton
        box = QDialogButtonBox(standard.Save | standard.Cancel | standard.Help)
        self.save_button = box.button(standard.Save)
        self.save_button.setDefault(True)
        self.cancel_button = box.button(standard.Cancel)
        box.accepted.connect(self._ask)
        box.rejected.connect(self.reject)
        box.helpRequested.connect(lambda: show_help(Topic.WEBHOOKS))
        return box

    @property
    def draft(self) -> WebhookDraft:
        """What was typed."""
        secret = self.secret.text()
        change = SecretChange.REMOVE if self.remove.isChecked() else SecretChange.SET if secret else SecretChange.KEEP
        return WebhookDraft(
            name=self.name.text().strip(),
            url=self.address.text().strip(),
            events=self._ticked(),
            active=self.active.isChecked(),
            id="" if self.webhook is None else self.webhook.id,
            change=change,
            secret=secret if change is SecretChange.SET else "",
        )

    @property
    def saving(self) -> bool:
        """Whether what was typed is on its way."""
        return self._saving

    def show_failure(self, text: str) -> None:
        """It was not saved: say why, and keep what was typed."""
        self._saving = False
        self._changed()
        self._show(WARNING, text)
        self.save_button.setFocus()  # Qt moved it to Cancel, where Return would lose everything

    def saved(self) -> None:
        """It was saved: close."""
        self._saving = False
        self.accept()

    def done(self, result: int) -> None:
        """Close; the secret does not outlive it."""
        self.secret.clear()
        super().done(result)

    def _ask(self) -> None:
        if not self.save_button.isEnabled():
            return
        self._saving = True
        draft = self.draft
        self._changed()
        self._show(RUNNING, "Saving…")
        self.save_asked.emit(draft)

    def _ticked(self) -> Tuple[str, ...]:
        return tuple(box.objectName() for box in self.events if box.isChecked())

    def _changed(self, *_: object) -> None:
        self._show_secret()
        for field in (self.name, self.address, self.event_area, self.active, self.remove):
            field.setEnabled(not self._saving)
        begun = self.address.text().strip() not in _BEGUN
        problem = self._problem()
        self._show(WARNING, address_problem(self.address.text()) if begun else "")
        self.save_button.setEnabled(not problem and not self._saving)
        self.save_button.setToolTip("Saving…" if self._saving else problem)

    def _show(self, icon: str, text: str) -> None:
        """Show a line above the buttons; the dialog grows where it has no room for it."""
        self.problem.show_message(icon, text)
        self.layout().activate()
        needed = self.layout().totalHeightForWidth(self.width())
        if self.isVisible() and needed > self.height():
            self.resize(self.width(), needed)

    def _show_secret(self) -> None:
        signed = self.webhook is not None and self.webhook.signed
        removing = self.remove.isChecked()
        self.secret.setEnabled(not removing and not self._saving)
        text = "Not set" if not signed or removing else "Set; type another one to replace it"
        self.secret.setPlaceholderText(text)
        self.secret.setToolTip("" if removing or signed else "Not set: notifications are not signed")

    def _problem(self) -> str:
        if not self.name.text().strip():
            return "Give the webhook a name."
        wrong = address_problem(self.address.text())
        if wrong:
            return wrong
        return "" if self._ticked() else "Tick at least one event."


def _event_boxes(events: Sequence[WebhookEvent], chosen: Optional[Tuple[str, ...]]) -> List[QCheckBox]:
    """A box for each event of the service, and for what else a webhook is told of; a new one begins with the first."""
    known = {event.name for event in events}
    strange = [WebhookEvent(name) for name in chosen or () if name not in known]
    boxes = []
    for number, event in enumerate((*events, *strange)):
        box = QCheckBox(event.label.replace("&", "&&"))
        box.setObjectName(event.name)
        box.setToolTip("\n".join(part for part in (event.name, event.description) if part))
        box.setChecked(event.name in chosen if chosen is not None else number == 0)
        boxes.append(box)
    return boxes


def _scrolled(boxes: Sequence[QCheckBox]) -> QScrollArea:
    """Boxes below each other, as high as they need up to a limit; the letter of their label leads to the first."""
    inner = QWidget()
    layout = QVBoxLayout(inner)
    layout.setContentsMargins(0, 0, 0, 0)
    for box in boxes:
        layout.addWidget(box)
    area = QScrollArea()
    area.setObjectName("webhookEvents")
    area.setAccessibleName("Events")
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(inner)
    area.setFixedHeight(min(_MOST_EVENTS_PX, inner.sizeHint().height() + 2))
    if boxes:
        area.setFocusProxy(boxes[0])
    return area
