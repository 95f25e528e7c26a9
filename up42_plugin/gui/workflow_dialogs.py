"""Small questions about a workflow: another name, and whether it may go."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QMessageBox, QWidget

from up42_plugin.core.workflow import Workflow
from up42_plugin.gui.name_dialog import NameDialog
from up42_plugin.qgis_bridge.workflows import LONGEST_NAME


class RenameDialog(NameDialog):
    """Asks for another name of a workflow, ``asked(name)`` on OK; it stays open while the service is told."""

    def __init__(self, workflow: Workflow, parent: Optional[QWidget] = None) -> None:
        super().__init__("workflow", workflow.name, LONGEST_NAME, parent)
        self.asked.connect(self.show_saving)


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
