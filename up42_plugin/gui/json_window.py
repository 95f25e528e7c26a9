"""The job's JSON in a window of its own: the same text, twice in sight."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.json_editor import JsonEditor
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.widgets import WARNING, MessageRow


class JsonWindow(QDialog):
    """A second view of the dock's editor. Nothing is kept here, so that closing loses nothing."""

    help_asked = pyqtSignal()

    def __init__(self, beside: JsonEditor, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Job as JSON")
        self.setObjectName("jsonWindow")
        self.setModal(False)
        layout = QVBoxLayout(self)
        self.json = JsonEditor(beside=beside)
        self.json.editor.setObjectName("jsonInWindow")
        layout.addWidget(self.json, 1)
        row = QHBoxLayout()
        self.reason = MessageRow()
        self.reason.setObjectName("jsonReason")
        self.line_button = QPushButton("Go to &Line")
        self.line_button.setAutoDefault(False)
        self.line_button.clicked.connect(self._go_to_line)
        row.addWidget(self.reason, 1)
        row.addWidget(self.line_button, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(row)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close | QDialogButtonBox.StandardButton.Help)
        for button in buttons.buttons():
            button.setAutoDefault(False)  # Return belongs to the text
        buttons.rejected.connect(self.reject)
        buttons.helpRequested.connect(self.help_asked)
        layout.addWidget(buttons)
        self.resize(760, 720)
        self._beside = beside
        beside.marked.connect(self._mark)
        self._mark()
        self.json.editor.setFocus()

    def show_reason(self, text: str) -> None:
        """The sentence above the dock's buttons, as far as it is about a line."""
        lines = bool(self._beside.marks)
        self.reason.show_message(WARNING, text if lines else "")
        self.line_button.setVisible(lines)

    def done(self, result: int) -> None:
        """Let go of the text; notes look in the dock as they did."""
        self._beside.marked.disconnect(self._mark)
        super().done(result)
        self._beside.show_marks(self._beside.marks, anew=True)

    def _mark(self) -> None:
        self.json.show_marks(self._beside.marks, anew=True)

    def _go_to_line(self) -> None:
        lines = sorted(self.json.marks)
        if lines:
            self.json.go_to(lines[0])


class JsonWindowDesk(QObject):
    """Opens the window, one of it, and closes it when the job is shown as a form again."""

    def __init__(self, dock: Up42Dock, new_job: NewJob, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._dock, self._new_job = dock, new_job
        self.window: Optional[JsonWindow] = None
        dock.presets.actions_by_name["Open in Window…"].triggered.connect(lambda _=False: self.open())
        dock.parameters.view_shown.connect(self._view_shown)
        new_job.changed.connect(self._show_reason)

    def open(self) -> None:
        """Show the job as JSON, and its text in the window."""
        self._new_job.details.show_json(True)
        if not self._dock.presets.json_button.isChecked():
            return
        if self.window is None:
            self.window = JsonWindow(self._dock.parameters.json, self._dock.window())
            self.window.help_asked.connect(lambda: show_help(Topic.JSON))
            self.window.finished.connect(self._closed)
            self._show_reason()
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def close(self) -> None:
        """Close the window; the text stays in the dock."""
        if self.window is not None:
            self.window.reject()

    def _closed(self, *_: object) -> None:
        window, self.window = self.window, None
        if window is not None:
            window.deleteLater()

    def _view_shown(self, json: bool) -> None:
        if not json:
            self.close()

    def _show_reason(self) -> None:
        if self.window is not None:
            self.window.show_reason(self._dock.foot.reason.text)
