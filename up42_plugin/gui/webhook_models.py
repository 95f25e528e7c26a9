"""The list of webhooks, and how tests of them read."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any, Dict, List, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent
from qgis.PyQt.QtWidgets import QAbstractItemView, QHeaderView, QTreeView, QWidget

from up42_plugin.core.webhooks import Delivery, DeliveryReport, ListedWebhook, WebhookEvent

WEBHOOK_ROLE = int(Qt.ItemDataRole.UserRole)
NAME, ADDRESS, EVENTS, ACTIVE = range(4)
_DISPLAY = Qt.ItemDataRole.DisplayRole
_MOST_NAME_PX, _MOST_EVENTS_PX = 200, 220


class WebhookModel(QAbstractTableModel):
    """Webhooks as the service lists them. ``active_asked(id, active)`` when a box is ticked; the list follows later."""

    titles = ("Name", "Address", "Events", "Active")
    active_asked = pyqtSignal(str, bool)

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._webhooks: Tuple[ListedWebhook, ...] = ()
        self._labels: Dict[str, str] = {}

    def show_webhooks(self, webhooks: Sequence[ListedWebhook], events: Sequence[WebhookEvent]) -> None:
        """Show these; nothing happens where they are shown already, as a box may just be being ticked."""
        labels = {event.name: event.label for event in events}
        if (tuple(webhooks), labels) == (self._webhooks, self._labels):
            return
        self.beginResetModel()
        self._webhooks, self._labels = tuple(webhooks), labels
        self.endResetModel()

    def row_of(self, webhook_id: str) -> int:
        """The row of a webhook, -1 where it is not listed."""
        return next((row for row, hook in enumerate(self._webhooks) if hook.id == webhook_id), -1)

    def label(self, event: str) -> str:
        """What an event is called; one that the service does not list, as it came."""
        return self._labels.get(event, event)

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        return 0 if parent.isValid() else len(self._webhooks)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name, Qt's default
        return 0 if parent.isValid() else len(self.titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = int(_DISPLAY)) -> Any:  # noqa: N802
        if orientation == Qt.Orientation.Horizontal and role == _DISPLAY and 0 <= section < len(self.titles):
            return self.titles[section]
        return None

    def flags(self, index: QModelIndex) -> Any:
        """The last column is a box to be ticked."""
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsUserCheckable if index.isValid() and index.column() == ACTIVE else flags

    def data(self, index: QModelIndex, role: int = int(_DISPLAY)) -> Any:
        if not index.isValid():
            return None
        webhook, column = self._webhooks[index.row()], index.column()
        if role == _DISPLAY:
            return self._texts(webhook)[column]
        if role == Qt.ItemDataRole.CheckStateRole and column == ACTIVE:
            return Qt.CheckState.Checked if webhook.active else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(webhook)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            state = "Active" if webhook.active else "Not active"
            return state if column == ACTIVE else self._texts(webhook)[column]
        return webhook if role == WEBHOOK_ROLE else None

    def setData(self, index: QModelIndex, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:  # noqa: N802
        """Ask for it; the box shows what the service says."""
        if index.isValid() and index.column() == ACTIVE and role == Qt.ItemDataRole.CheckStateRole:
            active = Qt.CheckState(value) == Qt.CheckState.Checked
            self.active_asked.emit(self._webhooks[index.row()].id, active)
        return False

    def _texts(self, webhook: ListedWebhook) -> Tuple[str, str, str, str]:
        events = ", ".join(self.label(event) for event in webhook.events)
        # in words too: some themes draw a ticked box as nothing but another colour
        return webhook.name, webhook.shown_url, events, "Yes" if webhook.active else "No"

    def _tooltip(self, webhook: ListedWebhook) -> str:
        secret = "Secret is set: notifications are signed" if webhook.signed else "Secret is not set: nothing is signed"
        return "\n".join((webhook.name, webhook.shown_url, ", ".join(webhook.events), secret))


class WebhookTable(QTreeView):
    """One row for each webhook. Space ticks *Active*, ``delete_asked`` with Del; Return activates, as in every list."""

    delete_asked = pyqtSignal()

    def __init__(self, model: WebhookModel, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("webhooks")
        self.setAccessibleName("Webhooks of this workspace")
        self.setModel(model)
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setAllColumnsShowFocus(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        for column in (NAME, EVENTS):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(ADDRESS, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(ACTIVE, QHeaderView.ResizeMode.ResizeToContents)

    def fit(self) -> None:
        """Give names and events the width they need, within limits."""
        for column, most in ((NAME, _MOST_NAME_PX), (EVENTS, _MOST_EVENTS_PX)):
            needed = max(self.sizeHintForColumn(column), self.header().sectionSizeHint(column))
            self.header().resizeSection(column, min(most, needed))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """The keys of a row, whichever of its columns is the current one."""
        current = self.currentIndex()
        if current.isValid() and event.key() == Qt.Key.Key_Delete:
            self.delete_asked.emit()
            return
        if current.isValid() and event.key() == Qt.Key.Key_Space:
            box = current.sibling(current.row(), ACTIVE)
            checked = box.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
            wanted = Qt.CheckState.Unchecked if checked else Qt.CheckState.Checked
            self.model().setData(box, wanted, Qt.ItemDataRole.CheckStateRole)
            return
        super().keyPressEvent(event)


def report_text(name: str, report: DeliveryReport) -> str:
    """How the test of a webhook ended, in a sentence."""
    if not report.sent:
        return f"Test of {name}: the service sent nothing."
    if report.whole:
        taken = "the notification" if report.sent == 1 else f"all {report.sent} notifications"
        return f"Test of {name}: the receiver took {taken}."
    took = f"Test of {name}: the receiver took {report.good} of {report.sent} notifications."
    return took if report.deliveries else f"{took} The service does not say why."


def report_lines(model: WebhookModel, report: DeliveryReport) -> List[str]:
    """What the receiver answered to each notification; the time of the whole where nothing is told of them."""
    if report.deliveries:
        return [_delivery_text(model.label(delivery.event), delivery) for delivery in report.deliveries]
    return [f"Tested at {_clock(report.started)}."] if report.started is not None else []


def _delivery_text(label: str, delivery: Delivery) -> str:
    when = f" at {_clock(delivery.moment)}" if delivery.moment is not None else ""
    reason = delivery.reason.rstrip(".")
    if delivery.status:
        status = _status_text(delivery.status)
        more = f" {reason}." if reason and not reason.startswith(str(delivery.status)) else ""
        return f"{label}: answered {status}{when}.{more}"
    outcome = "delivered" if delivery.good else "not delivered"
    return f"{label}: {outcome}{when}." + (f" {reason}." if reason else "")


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"
