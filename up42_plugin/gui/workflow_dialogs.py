"""Small questions about a workflow: another name, and whether it may go."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QMessageBox, QVBoxLayout, QWidget

from up42_plugin.core.workflow import Workflow
from up42_plugin.gui.widgets import INFORMATION, WARNING, MessageRow
from up42_plugin.qgis_bridge.workflows import LONGEST_NAME


class RenameDialog(QDialog):
    """Asks for another name. ``rename_asked(name)`` on OK; then :meth:`accept`, or :meth:`show_failure`."""

    rename_asked = pyqtSignal(str)

    def __init__(self, workflow: Workflow, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("renameWorkflow")
        self.setWindowTitle("Rename Workflow")
        self._before = workflow.name
        layout = QVBoxLayout(self)
        form = QFormLayout()
        self.name = QLineEdit(workflow.name)
        self.name.setMaxLength(LONGEST_NAME)
        self.name.selectAll()
        form.addRow("&Name", self.name)
        layout.addLayout(form)
        self.failure = MessageRow()
        self.failure.setVisible(False)
        layout.addWidget(self.failure)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok_button = box.button(QDialogButtonBox.StandardButton.Ok)
        box.accepted.connect(self._ask)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.setMinimumWidth(400)
        self.name.textChanged.connect(self._check)
        self._check()

    def _check(self) -> None:
        name = self.name.text().strip()
        reason = (
            "Give the workflow a name." if not name else "" if name != self._before else "This is its name already."
        )
        self.ok_button.setEnabled(not reason)
        self.ok_button.setToolTip(reason)

    def _ask(self) -> None:
        self.ok_button.setEnabled(False)
        self.ok_button.setToolTip("Saving…")
        self.failure.show_message(INFORMATION, "Saving…")
        self.rename_asked.emit(self.name.text().strip())

    def show_failure(self, text: str) -> None:
        """It has its old name still: say why, and keep what was typed."""
        self.failure.show_message(WARNING, text)
        self._check()


def delete_question(workflow: Workflow, parent: Optional[QWidget] = None) -> QMessageBox:
    """``Delete …?`` with Cancel as the default; its result is ``accepted`` only after Delete."""
    box = QMessageBox(parent)
    box.setObjectName("deleteWorkflow")
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Delete Workflow")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"Delete the workflow {workflow.name}?")
    box.setInformativeText("It is deleted on the service, for everybody in the project. Its jobs stay listed.")
    delete = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
    delete.setObjectName("reallyDelete")
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    return box
