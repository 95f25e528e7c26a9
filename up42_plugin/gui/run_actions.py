"""What a person can do about a run that did not go well: a button in its row of a batch, or in the message bar."""

from __future__ import annotations

from typing import Callable, Dict, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.run import Run
from up42_plugin.gui.job_commands_desk import JobCommandsDesk
from up42_plugin.gui.message_actions import (
    CHANGE_FOLDER,
    DOWNLOAD_AGAIN,
    FORGET,
    OPEN_FOLDER,
    REFRESH,
    SHOW_JOB,
    SHOW_LOGS,
    SUBMIT_AGAIN,
    TRY_AGAIN,
)
from up42_plugin.gui.runs_section import RunsSection
from up42_plugin.qgis_bridge.runs import RunController


class RunActions(QObject):
    """Carries out such actions.

    ``options_asked`` for the output folder, ``refresh_asked`` for everything that is read from the service.
    """

    options_asked = pyqtSignal()
    refresh_asked = pyqtSignal()

    def __init__(
        self,
        section: RunsSection,
        *,
        runs: RunController,
        commands: JobCommandsDesk,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._section, self._runs, self._commands = section, runs, commands
        section.action_asked.connect(self.act)

    def act(self, key: str, action: str) -> None:
        """Carry out one of them."""
        doing: Dict[str, Callable[[Run], None]] = {
            SHOW_JOB: self._commands.show_job,
            SHOW_LOGS: self._commands.show_logs_of,
            OPEN_FOLDER: self._open_folder,
            CHANGE_FOLDER: lambda _run: self.options_asked.emit(),
            DOWNLOAD_AGAIN: lambda run: self._runs.load(run.key),
            TRY_AGAIN: self._try_again,
            REFRESH: lambda _run: self.refresh_asked.emit(),
            SUBMIT_AGAIN: self._submit_again,
            FORGET: lambda run: self._forget(run.key),
        }
        doing[action](self._runs.run_of(key))

    def _open_folder(self, run: Run) -> None:
        if run.job is not None:
            self._commands.folder.open(run.name, run.job.id, final=True)

    def _try_again(self, run: Run) -> None:
        if run.loadable:
            self._runs.load(run.key)
        else:
            self._submit_again(run)

    def _submit_again(self, run: Run) -> None:
        self._commands.submit_run_again(run, lambda: self._forget(run.key))

    def _forget(self, key: str) -> None:
        self._section.forget(key)
        self._commands.forget_run(key)
