"""Workflow: which of the project's workflows to run, and the blocks it is made of."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QVBoxLayout, QWidget

from up42_plugin.core.workflow import Workflow
from up42_plugin.gui.widgets import ElidedLabel, Section


class WorkflowSection(Section):
    """A combo of workflows and the chain of the chosen one; ``chosen`` carries the Workflow or None."""

    chosen = pyqtSignal(object)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__("Workflow", "workflowSection", parent)
        layout = QVBoxLayout(self)
        self.combo = QComboBox()
        self.combo.setObjectName("workflow")
        self.combo.setAccessibleName("Workflow")
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(12)
        layout.addWidget(self.combo)
        self._chain = ElidedLabel()
        font = self._chain.font()
        font.setPointSizeF(max(6.0, font.pointSizeF() - 1))
        self._chain.setFont(font)
        layout.addWidget(self._chain)
        self._workflows: Sequence[Workflow] = ()
        self._last_id = ""
        self.combo.currentIndexChanged.connect(self._changed)
        self.show_text("Loading workflows…")

    @property
    def current(self) -> Optional[Workflow]:
        """The chosen workflow."""
        index = self.combo.currentIndex()
        return self._workflows[index] if 0 <= index < len(self._workflows) else None

    def show_text(self, text: str) -> None:
        """Say why there are no workflows: loading, an error, none yet."""
        self._fill((), text)

    def show_workflows(self, workflows: Sequence[Workflow], wanted_id: str = "") -> None:
        """Offer these, keeping the present choice, or ``wanted_id``, or the first."""
        keep = self._last_id or wanted_id
        self._fill(workflows, "This project has no workflow yet.")
        ids = [workflow.id for workflow in workflows]
        if ids:
            self.combo.setCurrentIndex(ids.index(keep) if keep in ids else 0)
        self._changed()

    def _fill(self, workflows: Sequence[Workflow], otherwise: str) -> None:
        self.combo.blockSignals(True)
        self._workflows = tuple(workflows)
        self.combo.clear()
        for workflow in self._workflows:
            self.combo.addItem(workflow.name, workflow.id)
        if not self._workflows:
            self.combo.addItem(otherwise)
        self.combo.setEnabled(bool(self._workflows))
        self.combo.blockSignals(False)
        if not self._workflows:
            self._changed()

    def _changed(self) -> None:
        workflow = self.current
        if workflow is not None:
            self._last_id = workflow.id
        self._chain.setText(workflow.chain if workflow is not None else "")
        self.set_summary(self.combo.currentText())
        self.combo.setToolTip(workflow.description if workflow is not None else "")
        self.chosen.emit(workflow)
