"""The page UP42 in QGIS's options: connections, spending limits, and where outputs go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

from qgis.gui import QgsOptionsPageWidget, QgsOptionsWidgetFactory, QgsScrollArea, QgsSpinBox
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QFormLayout,
    QFrame,
    QGroupBox,
    QHBoxLayout,
    QMessageBox,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.connection_check import Subject
from up42_plugin.core.connections import Connection, ConnectionKind
from up42_plugin.core.spending import SpendingLimits
from up42_plugin.gui.connection_dialog import SIGN_IN_TEXTS
from up42_plugin.gui.connection_editing import ConnectionEditing
from up42_plugin.gui.connection_test_panel import ConnectionTestPanel
from up42_plugin.gui.download_options import DownloadOptions
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.job_files import JobFiles
from up42_plugin.gui.output_place import OutputPlace
from up42_plugin.gui.texts import credits_of, grouping_locale
from up42_plugin.gui.widgets import hint_label, tool_button
from up42_plugin.qgis_bridge.downloads import Downloads
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.network import SessionFactory
from up42_plugin.qgis_bridge.output_places import OutputPlaces
from up42_plugin.qgis_bridge.settings import PluginSettings
from up42_plugin.qgis_bridge.spending import SpendingBook
from up42_plugin.resources import resource_path

TITLE = "UP42"
#: QGIS opens its options at the page whose widget has this name.
PAGE_NAME = "mOptionsPageUp42"
_AIR = 20
_MOST = 10_000_000
_LIMITS = (
    ("per_job", "Limit per &job"),
    ("per_day", "Limit per &day"),
    ("per_month", "Limit per &month"),
    ("typed_above", "Typed confirmation &above"),
)
_FIXED = "The sandbox belongs to the plugin: it can be neither edited nor removed"


@dataclass(frozen=True)
class OptionsParts:
    """What the page works with; built by the composition root."""

    hub: ConnectionHub
    settings: PluginSettings
    spending: SpendingBook
    runner: JobRunner
    log: PanelLog
    places: OutputPlaces
    files: JobFiles
    downloads: Optional[Downloads] = None


class OptionsPageFactory(QgsOptionsWidgetFactory):
    """Makes the page each time QGIS opens its options."""

    def __init__(self, parts: OptionsParts) -> None:
        super().__init__()
        self._parts = parts
        self.setTitle(TITLE)

    def icon(self) -> QIcon:
        """The plugin's own."""
        return QIcon(str(resource_path("icons", "up42_imagery.svg")))

    def createWidget(self, parent: Optional[QWidget] = None) -> QgsOptionsPageWidget:  # noqa: N802 - QGIS's name
        """A new page, which belongs to QGIS."""
        return OptionsPage(self._parts, parent)


class OptionsPage(QgsOptionsPageWidget):
    """Connections change at once, as with QGIS's own; limits and folder are taken at OK."""

    def __init__(self, parts: OptionsParts, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName(PAGE_NAME)
        self._parts, self._hub, self._settings = parts, parts.hub, parts.settings
        self.editing = ConnectionEditing(parts.hub, parts.runner, parts.log, self.window, self)
        self.question: Optional[QMessageBox] = None
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.addWidget(self._connections_group())
        layout.addWidget(self._spending_group())
        layout.addWidget(self._outputs_group())
        self.downloads = DownloadOptions(parts.settings)
        layout.addWidget(self.downloads)
        layout.addStretch(1)
        # the options' own Help button knows QGIS's manual only
        self.help_button = QPushButton("Help on &UP42")
        self.help_button.setObjectName("up42Help")
        self.help_button.setAutoDefault(False)
        self.help_button.clicked.connect(lambda: show_help(Topic.OPTIONS))
        layout.addWidget(self.help_button, 0, Qt.AlignmentFlag.AlignLeft)
        scroll = QgsScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)
        parts.hub.connections_changed.connect(self.fill)
        parts.hub.state_changed.connect(self._hub_changed)
        parts.spending.changed.connect(self._show_spent)
        self.fill()
        self._show_spent()
        parts.spending.read(parts.hub.current.id)

    def apply(self) -> None:
        """Take the limits and the folder: OK was clicked."""
        values = {name: spin.value() or None for name, spin in self.limits.items()}
        self._settings.set_spending_limits(SpendingLimits(**values))
        self.place.apply()
        self._settings.set_load_at_once(self.load_at_once.isChecked())
        self._settings.set_notify_in_background(self.notify.isChecked())
        self.downloads.apply()
        if self._parts.downloads is not None:
            self._parts.downloads.apply()
        self._parts.spending.tell_limits_changed()

    # -- connections

    def _connections_group(self) -> QGroupBox:
        group = QGroupBox("Connections")
        layout = QVBoxLayout(group)
        row = QHBoxLayout()
        self.list = QTreeWidget()
        self.list.setObjectName("connections")
        self.list.setAccessibleName("Connections")
        self.list.setHeaderLabels(["Name", "Signs in with", "Address"])
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setFixedHeight(self.fontMetrics().height() * 6)
        self.list.currentItemChanged.connect(self._selected)
        self.list.itemActivated.connect(lambda *_: self._edit())
        row.addWidget(self.list, 1)
        tools = QVBoxLayout()
        self.add_button = tool_button("/symbologyAdd.svg", "Add a connection", "addConnection")
        self.remove_button = tool_button("/symbologyRemove.svg", "Remove the connection", "removeConnection")
        self.edit_button = tool_button("/symbologyEdit.svg", "Edit the connection", "editConnection")
        self.add_button.clicked.connect(self.editing.add)
        self.remove_button.clicked.connect(self._ask_to_remove)
        self.edit_button.clicked.connect(self._edit)
        for button in (self.add_button, self.remove_button, self.edit_button):
            tools.addWidget(button)
        tools.addStretch(1)
        row.addLayout(tools)
        layout.addLayout(row)
        self.test = ConnectionTestPanel(self._parts.runner, self._wanted)
        layout.addWidget(self.test)
        return group

    def fill(self) -> None:
        """List the connections as they are now; the selected one stays selected."""
        chosen = self.selected or self._hub.current
        self.list.clear()
        connections = self._hub.connections
        accounts = [item for item in connections if item.kind is not ConnectionKind.SANDBOX]
        sandboxes = [item for item in connections if item.kind is ConnectionKind.SANDBOX]
        for connection in (*accounts, *sandboxes):
            item = QTreeWidgetItem(_row(connection))
            item.setData(0, Qt.ItemDataRole.UserRole, connection.id)
            self.list.addTopLevelItem(item)
            if connection.id == chosen.id:
                self.list.setCurrentItem(item)
        for column in range(self.list.columnCount()):
            self.list.resizeColumnToContents(column)
            self.list.setColumnWidth(column, self.list.columnWidth(column) + _AIR)

    @property
    def selected(self) -> Optional[Connection]:
        """The connection selected in the list."""
        item = self.list.currentItem()
        found = "" if item is None else str(item.data(0, Qt.ItemDataRole.UserRole))
        return next((connection for connection in self._hub.connections if connection.id == found), None)

    def _hub_changed(self, _state: object) -> None:
        self._open_buttons()

    def _selected(self, *_: object) -> None:
        self.test.clear()
        self._open_buttons()

    def _open_buttons(self) -> None:
        selected = self.selected
        own = selected is not None and selected.kind is not ConnectionKind.SANDBOX
        fixed = _FIXED if selected is not None else "Select a connection first"
        for button in (self.edit_button, self.remove_button):
            button.setEnabled(own)
            button.setToolTip(button.accessibleName() if own else fixed)
        starts = "The sandbox is not running; it starts when it is chosen in the dock"
        possible = own or (selected is not None and self._hub.sandbox_runs)
        self.test.set_possible(possible, starts if selected is not None else fixed)

    def _wanted(self) -> Tuple[str, Subject, SessionFactory]:
        selected = self.selected
        if selected is None:
            raise ValueError("Select a connection first.")
        return (selected.name, *self._hub.subject(selected))

    def _edit(self) -> None:
        selected = self.selected
        if selected is not None and selected.kind is not ConnectionKind.SANDBOX:
            self.test.clear()
            self.editing.edit(selected)

    def _ask_to_remove(self) -> None:
        selected = self.selected
        if selected is None or selected.kind is ConnectionKind.SANDBOX:
            return
        question = self.question = QMessageBox(self.window())
        question.setIcon(QMessageBox.Icon.Question)
        question.setWindowTitle("Remove Connection")
        question.setTextFormat(Qt.TextFormat.PlainText)
        question.setText(f"Remove {selected.name}?")
        question.setInformativeText("What it signs in with is removed too. Its jobs stay on the service.")
        remove = question.addButton("&Remove", QMessageBox.ButtonRole.DestructiveRole)
        question.setDefaultButton(question.addButton(QMessageBox.StandardButton.Cancel))

        def answered(*_: object) -> None:
            self.question = None
            if question.clickedButton() is remove:
                self._remove(selected)
            question.deleteLater()

        question.finished.connect(answered)
        question.open()

    def _remove(self, connection: Connection) -> None:
        try:
            self._hub.remove(connection)
        except Up42Error as error:
            self.test.verdict.setText(error.user_message)

    # -- spending

    def _spending_group(self) -> QGroupBox:
        group = QGroupBox("Spending")
        form = QFormLayout(group)
        self.limits: Dict[str, QgsSpinBox] = {}
        self.spent = hint_label()
        self.spent.setObjectName("spentThisMonth")
        self.spent.setToolTip("Live jobs of the connection in use. Each connection counts by itself.")
        now = self._settings.spending_limits()
        for name, label in _LIMITS:
            spin = self.limits[name] = QgsSpinBox()
            spin.setObjectName(name)
            spin.setRange(0, _MOST)
            spin.setClearValue(0, "No limit")
            spin.setSuffix(" credits")
            spin.setLocale(grouping_locale())
            spin.setGroupSeparatorShown(True)
            spin.setSingleStep(100)
            spin.setValue(getattr(now, name) or 0)
            spin.setMinimumWidth(self.fontMetrics().horizontalAdvance("10,000,000 credits") + 70)
            row = QHBoxLayout()
            row.addWidget(spin)
            row.addWidget(self.spent if name == "per_month" else QWidget(), 1)
            form.addRow(label, row)
            form.itemAt(form.rowCount() - 1, QFormLayout.ItemRole.LabelRole).widget().setBuddy(spin)
        return group

    def _show_spent(self, *_: object) -> None:
        spent = self._parts.spending.spending(self._hub.current.id).spent
        self.spent.setText("" if spent is None else f"{credits_of(spent.this_month)} spent this month")

    # -- outputs

    def _outputs_group(self) -> QGroupBox:
        group = QGroupBox("Outputs and jobs")
        form = QFormLayout(group)
        parts = self._parts
        self.place = OutputPlace(
            form, settings=self._settings, runner=parts.runner, places=parts.places, files=parts.files
        )
        self.folder = self.place.folder
        self.load_at_once = QCheckBox("&Load outputs as soon as a job finishes")
        self.load_at_once.setObjectName("loadAtOnce")
        self.load_at_once.setChecked(self._settings.load_at_once())
        self.notify = QCheckBox("Desktop &notification when QGIS is in the background")
        self.notify.setObjectName("notifyInBackground")
        self.notify.setChecked(self._settings.notify_in_background())
        form.addRow(self.load_at_once)
        form.addRow(self.notify)
        return group


def _row(connection: Connection) -> Tuple[str, str, str]:
    if connection.kind is ConnectionKind.SANDBOX:
        return connection.name, "Nothing, runs in QGIS", "Starts when needed"
    return connection.name, SIGN_IN_TEXTS[connection.sign_in], connection.address
