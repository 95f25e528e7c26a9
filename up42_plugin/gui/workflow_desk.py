"""What can be done with workflows in the dock: make, edit, duplicate, rename, delete, look at the blocks."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QDialog, QWidget

from up42_plugin.api.errors import Up42Error, ValidationError
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.workflow import Block, Workflow
from up42_plugin.gui.block_details import BlockDetailsDialog
from up42_plugin.gui.workflow_builder import WorkflowBuilder
from up42_plugin.gui.workflow_dialogs import RenameDialog, delete_question
from up42_plugin.gui.workflow_section import WorkflowSection
from up42_plugin.qgis_bridge.block_advisor import BlockAdvisor
from up42_plugin.qgis_bridge.jobs import Job, JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.workflows import WorkflowOperations, copy_name


class WorkflowDesk(QObject):
    """Opens the dialogs and carries out what they ask for; the dock's list follows.

    ``trouble(sentence)`` when something failed that no open dialog can tell. One dialog is open at a time; it belongs
    to the connection it was opened for, whichever is chosen meanwhile.
    """

    trouble = pyqtSignal(str)

    def __init__(
        self,
        section: WorkflowSection,
        *,
        runner: JobRunner,
        provider: Callable[[], Optional[ServiceProvider]],
        window: QWidget,
        log: PanelLog,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._section, self._provider, self._window, self._log = section, provider, window, log
        self._operations = WorkflowOperations(runner)
        self._dialog: Optional[QDialog] = None
        self._advisor: Optional[BlockAdvisor] = None
        section.new_asked.connect(self.build_new)
        commands = {
            "edit": self.edit,
            "duplicate": self.duplicate,
            "rename": self.rename,
            "delete": self.delete,
            "details": self.show_blocks,
        }
        for name, command in commands.items():
            section.actions_of[name].triggered.connect(partial(self._on_selected, command))

    def close(self) -> None:
        """Close what is open, as with Cancel."""
        if self._dialog is not None:
            self._dialog.reject()

    def build_new(self) -> None:
        """Open the builder with nothing in it."""
        provider = self._provider()
        if provider is not None:
            self._open_builder(provider, None)

    def edit(self, provider: ServiceProvider, workflow: Workflow) -> None:
        """Open the builder with a workflow's blocks."""
        self._open_builder(provider, workflow)

    def duplicate(self, provider: ServiceProvider, workflow: Workflow) -> None:
        """Make another workflow of the same blocks, and choose it."""
        name = copy_name(workflow.name, [one.name for one in self._section.workflows])
        job = self._operations.duplicate(provider, workflow, name)
        self._carry(job, partial(self._made, provider), f"{workflow.name} was not duplicated.", None)

    def rename(self, provider: ServiceProvider, workflow: Workflow) -> None:
        """Ask for another name."""
        dialog = RenameDialog(workflow, self._window)

        def ask(name: str) -> None:
            job = self._operations.rename(provider, workflow, name)
            self._carry(job, partial(self._made, provider), f"{workflow.name} was not renamed.", dialog)

        dialog.asked.connect(ask)
        self._show(dialog)

    def delete(self, provider: ServiceProvider, workflow: Workflow) -> None:
        """Ask, then delete."""
        box = delete_question(workflow, self._window)

        def clicked(button: Any) -> None:
            if button.objectName() == "reallyDelete":
                job = self._operations.delete(provider, workflow)
                self._carry(job, partial(self._gone, provider), f"{workflow.name} was not deleted.", None)

        box.buttonClicked.connect(clicked)
        self._show(box)

    def show_blocks(self, provider: ServiceProvider, workflow: Workflow) -> None:
        """Show the blocks of a workflow, with what the list of blocks knows besides."""
        advisor = BlockAdvisor(self._operations, provider, (workflow,), self)
        dialog = BlockDetailsDialog(workflow, advisor.block, self._window)
        advisor.changed.connect(dialog.show_details)
        if self._show(dialog, advisor):
            advisor.want([step.block.id for step in workflow.steps], again=True)

    def _on_selected(self, command: Callable[[ServiceProvider, Workflow], None], *_: object) -> None:
        provider, workflow = self._provider(), self._section.selected
        if provider is not None and workflow is not None:
            command(provider, workflow)

    # -- the builder

    def _open_builder(self, provider: ServiceProvider, workflow: Optional[Workflow]) -> None:
        advisor = BlockAdvisor(self._operations, provider, self._section.workflows, self)
        name = workflow.name if workflow is not None else ""
        blocks = tuple(step.block for step in workflow.steps) if workflow is not None else ()
        dialog = WorkflowBuilder(advisor, name, blocks, self._window)

        def save(name: str, block_ids: Tuple[str, ...]) -> None:
            job = self._operations.save(provider, name, block_ids, workflow)
            job.failed.connect(partial(self._refused, advisor, dialog.blocks))
            self._carry(job, partial(self._made, provider), f"The workflow {name} was not saved.", dialog)

        dialog.save_asked.connect(save)
        if self._show(dialog, advisor):
            advisor.load()

    def _refused(self, advisor: BlockAdvisor, blocks: Tuple[Block, ...], error: BaseException) -> None:
        """A chain that the service does not accept: the verdict says so from now on."""
        if isinstance(error, ValidationError) and advisor is self._advisor:
            advisor.hear_refusal(blocks, error.user_message)

    # -- jobs and dialogs

    def _carry(self, job: Job[Any], done: Callable[[Any], None], failure: str, dialog: Optional[QDialog]) -> None:
        """Wait for a change; what became of it is told in its dialog while that is open, else in the message bar."""

        def succeeded(result: Any) -> None:
            done(result)
            if dialog is not None and dialog is self._dialog:
                dialog.accept()

        def failed(error: BaseException) -> None:
            why, detail = "Details are in the log.", repr(error)
            if isinstance(error, Up42Error):
                why, detail = error.user_message, error.detail
            self._log.warning(f"{failure} {why} {detail}")
            if isinstance(dialog, (WorkflowBuilder, RenameDialog)) and dialog is self._dialog:
                dialog.show_failure(f"{failure} {why}")
            else:
                self.trouble.emit(f"{failure} {why}")

        job.succeeded.connect(succeeded)
        job.failed.connect(failed)
        job.cancelled.connect(lambda: failed(Up42Error("It was cancelled.")))

    def _made(self, provider: ServiceProvider, workflow: Workflow) -> None:
        if self._current(provider):
            self._section.put_workflow(workflow)

    def _gone(self, provider: ServiceProvider, workflow_id: str) -> None:
        if self._current(provider):
            self._section.drop_workflow(workflow_id)

    def _current(self, provider: ServiceProvider) -> bool:
        present = self._provider()
        return present is not None and present.connection_id == provider.connection_id

    def _show(self, dialog: QDialog, advisor: Optional[BlockAdvisor] = None) -> bool:
        """Open a dialog without waiting for it, unless another one is open."""
        if self._dialog is not None:
            for unwanted in (dialog, advisor):
                if unwanted is not None:
                    unwanted.deleteLater()
            self._dialog.raise_()
            return False
        self._dialog, self._advisor = dialog, advisor
        dialog.finished.connect(self._closed)
        dialog.open()
        return True

    def _closed(self, *_: object) -> None:
        dialog, self._dialog = self._dialog, None
        advisor, self._advisor = self._advisor, None
        if advisor is not None:
            advisor.close()
            advisor.deleteLater()
        if dialog is not None:
            dialog.deleteLater()
