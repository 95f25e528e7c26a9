"""Support Report…: what the vendor's support asks for, to be read, copied and sent by the person."""

from __future__ import annotations

import platform
from typing import Optional

from qgis.core import Qgis
from qgis.gui import QgsCodeEditor
from qgis.PyQt.QtCore import QT_VERSION_STR, QObject, Qt
from qgis.PyQt.QtWidgets import QApplication, QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.run import Run
from up42_plugin.core.support_report import support_report
from up42_plugin.gui.widgets import hint_label
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.resources import plugin_version

_HINT = "Nothing is sent. Keys, tokens and signed addresses are left out; the area is in it."


class SupportReportDialog(QDialog):
    """The report, and a button that copies it."""

    def __init__(self, name: str, text: str, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("supportReport")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Support Report, {name}")
        layout = QVBoxLayout(self)
        layout.addWidget(hint_label(_HINT))
        self.text = QPlainTextEdit(text)
        self.text.setObjectName("supportReportText")
        self.text.setAccessibleName("Support report")
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QgsCodeEditor.getMonospaceFont())
        layout.addWidget(self.text)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.copy_button = box.addButton("&Copy All", QDialogButtonBox.ButtonRole.ActionRole)
        self.copy_button.setObjectName("copyReport")
        self.copy_button.clicked.connect(lambda: QApplication.clipboard().setText(self.text.toPlainText()))
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.resize(640, 480)


class SupportReportDesk(QObject):
    """Opens one report at a time."""

    def __init__(self, hub: ConnectionHub, window: QWidget, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._hub, self._window = hub, window
        self.dialog: Optional[SupportReportDialog] = None

    def show(self, entry: JobEntry, run: Run) -> None:
        """Open the report of a job."""
        self.close()
        addresses = {connection.id: connection.address for connection in self._hub.connections}
        versions = {
            "Plugin": plugin_version(),
            "QGIS": Qgis.QGIS_VERSION,
            "Qt": QT_VERSION_STR,
            "Python": platform.python_version(),
            "System": platform.system(),
        }
        text = support_report(entry, run, addresses.get(entry.connection_id, ""), versions)
        dialog = self.dialog = SupportReportDialog(entry.name, text, self._window)
        dialog.finished.connect(self._closed)
        dialog.show()

    def close(self) -> None:
        """Close it if it is open."""
        if self.dialog is not None:
            self.dialog.reject()

    def _closed(self, *_: object) -> None:
        self.dialog = None
