"""Workflow: which of the project's workflows to run, and the blocks it is made of."""

from __future__ import annotations

from typing import Dict, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QAction, QComboBox, QHBoxLayout, QMenu, QToolButton, QVBoxLayout, QWidget

from up42_plugin.core.workflow import Workflow
from up42_plugin.gui.widgets import ArrowButton, ElidedLabel, Section, tool_button

_NO_BLOCKS = "This workflow has no block yet. Edit it, or choose another."
_COMMANDS = (
    ("edit", "Edit…"),
    ("duplicate", "Duplicate"),
    ("rename", "Rename…"),
    ("delete", "Delete…"),
    ("details", "Block Details…"),
)


class WorkflowSection(Section):
    """A combo of workflows and the chain of the chosen one; ``chosen`` carries the Workflow or None."""

    chosen = pyqtSignal(object)
    new_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__("Workflow", "workflowSection", parent)
        layout = QVBoxLayout(self)
        self.combo = QComboBox()
        self.combo.setObjectName("workflow")
        self.combo.setAccessibleName("Workflow")
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(12)
        row = QHBoxLayout()
        row.addWidget(self.combo, 1)
        self.new_button = tool_button("/symbologyAdd.svg", "New workflow…", "newWorkflow")
        self.new_button.clicked.connect(self.new_asked)
        row.addWidget(self.new_button)
        self.menu_button, self.actions_of = self._build_menu()
        row.addWidget(self.menu_button)
        layout.addLayout(row)
        self.setTabOrder(self.combo, self.new_button)
        self.setTabOrder(self.new_button, self.menu_button)
        self._chain = ElidedLabel()
        font = self._chain.font()
        font.setPointSizeF(max(6.0, font.pointSizeF() - 1))
        self._chain.setFont(font)
        layout.addWidget(self._chain)
        self._workflows: Sequence[Workflow] = ()
        self._last_id = ""
        self._open = False
        self.combo.currentIndexChanged.connect(self._changed)
        self.show_text("Loading workflows…")

    def _build_menu(self) -> Tuple[QToolButton, Dict[str, QAction]]:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        actions = {}
        for name, text in _COMMANDS:
            actions[name] = menu.addAction(text)
            actions[name].setObjectName(f"Up42Workflow{name.title()}")
        return ArrowButton("More for this workflow", "workflowMenu", menu), actions

    @property
    def current(self) -> Optional[Workflow]:
        """The chosen workflow, when it has blocks and can run."""
        workflow = self.selected
        return workflow if workflow is not None and workflow.steps else None

    @property
    def selected(self) -> Optional[Workflow]:
        """The chosen workflow, even one without blocks."""
        index = self.combo.currentIndex()
        return self._workflows[index] if 0 <= index < len(self._workflows) else None

    @property
    def workflows(self) -> Tuple[Workflow, ...]:
        """All that are offered."""
        return tuple(self._workflows)

    def put_workflow(self, workflow: Workflow) -> None:
        """Offer a workflow just made or changed, and choose it."""
        ids = [one.id for one in self._workflows]
        kept = list(self._workflows)
        if workflow.id in ids:
            kept[ids.index(workflow.id)] = workflow
        else:
            kept.append(workflow)
        self._last_id = workflow.id
        self.show_workflows(kept)

    def want(self, workflow_id: str) -> None:
        """Choose this one as soon as it is offered, and no other before it."""
        self._last_id = workflow_id

    def drop_workflow(self, workflow_id: str) -> None:
        """Offer a workflow no longer; of the others the one in its place is chosen."""
        index = self.combo.currentIndex()
        kept = [one for one in self._workflows if one.id != workflow_id]
        if kept and self._last_id == workflow_id:
            self._last_id = kept[min(index, len(kept) - 1)].id
        self.show_workflows(kept)

    def show_text(self, text: str) -> None:
        """Say why there are no workflows: loading, an error, none yet."""
        self._open = False
        self._fill((), text)

    def show_workflows(self, workflows: Sequence[Workflow], wanted_id: str = "") -> None:
        """Offer these, keeping the present choice, or ``wanted_id``, or the first."""
        self._open = True
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
        workflow = self.selected
        if workflow is not None:
            self._last_id = workflow.id
        self._chain.setText((workflow.chain or _NO_BLOCKS) if workflow is not None else "")
        self.set_summary(self.combo.currentText())
        self.combo.setToolTip(workflow.description if workflow is not None else "")
        self._show_commands(workflow)
        self.chosen.emit(self.current)

    def _show_commands(self, workflow: Optional[Workflow]) -> None:
        """What is grey says why."""
        why = "" if self._open else "The project's workflows are not known yet"
        self.new_button.setEnabled(not why)
        self.new_button.setToolTip(why or "New workflow…")
        if workflow is None:
            why = why or "This project has no workflow yet"
        for name, action in self.actions_of.items():
            needs_blocks = name in ("duplicate", "details") and workflow is not None and not workflow.steps
            reason = why or ("This workflow has no block yet" if needs_blocks else "")
            action.setEnabled(not reason)
            action.setToolTip(reason)
