"""What a person can do about a run that did not go well, each from a button in its row."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Optional, Tuple

from qgis.PyQt.QtCore import QObject, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices

from up42_plugin.core.batch import BatchJob
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.freshness import TestedQuery, why_not_live
from up42_plugin.core.jobs import Mode
from up42_plugin.core.run import Run
from up42_plugin.core.service import ServiceProvider
from up42_plugin.gui.job_logs import JobLogs
from up42_plugin.gui.live_job import LiveJob, proposal_of
from up42_plugin.gui.message_actions import (
    CHANGE_FOLDER,
    DOWNLOAD_AGAIN,
    FORGET,
    OPEN_FOLDER,
    REFRESH,
    SHOW_LOGS,
    SUBMIT_AGAIN,
    TRY_AGAIN,
)
from up42_plugin.gui.runs_section import RunsSection
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.runs import RunController


class RunActions(QObject):
    """Carries out the rows' actions. ``trouble(sentence)`` when one is not possible now.

    ``options_asked`` for the output folder, ``refresh_asked`` for everything that is read from the service.
    """

    trouble = pyqtSignal(str)
    options_asked = pyqtSignal()
    refresh_asked = pyqtSignal()

    def __init__(
        self,
        section: RunsSection,
        *,
        runs: RunController,
        hub: ConnectionHub,
        live_job: LiveJob,
        runner: JobRunner,
        tested: Callable[[], Optional[TestedQuery]],
        window: Any,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._section, self._runs, self._hub, self._live_job = section, runs, hub, live_job
        self._tested = tested
        self.logs = JobLogs(runner, window, self)
        self.logs.trouble.connect(self.trouble)
        self._replacing: Dict[str, str] = {}
        section.action_asked.connect(self._asked)
        runs.recorded.connect(self._recorded)

    def close(self) -> None:
        """Close what is open."""
        self.logs.close()

    def _asked(self, key: str, action: str) -> None:
        doing: Dict[str, Callable[[Run], None]] = {
            SHOW_LOGS: self._show_logs,
            OPEN_FOLDER: self._open_folder,
            CHANGE_FOLDER: lambda _run: self.options_asked.emit(),
            DOWNLOAD_AGAIN: lambda run: self._runs.load(run.key),
            TRY_AGAIN: self._submit_again,
            REFRESH: lambda _run: self.refresh_asked.emit(),
            SUBMIT_AGAIN: self._submit_again,
            FORGET: lambda run: self._section.forget(run.key),
        }
        doing[action](self._runs.run_of(key))

    def _show_logs(self, run: Run) -> None:
        provider = self._hub.provider_of(run.connection_id)
        if provider is None or run.job is None:
            self.trouble.emit(self._not_connected(run))
            return
        self.logs.show(run, provider)

    def _open_folder(self, run: Run) -> None:
        folder = self._runs.folder_of(run.key)
        shown: Path = folder if folder.is_dir() else folder.parent
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(shown))):
            self.trouble.emit(f"The folder {shown} could not be opened.")

    def _submit_again(self, run: Run) -> None:
        """The service does not know it, so this is a new submission: free, or confirmed with its price once more."""
        provider = self._hub.provider_of(run.connection_id)
        if provider is None:
            self.trouble.emit(self._not_connected(run))
        elif run.live:
            self._ask_again(run, provider)
        else:
            self._section.forget(run.key)
            self._runs.start(provider, run.configuration, Mode.TEST_QUERY, run.name)

    def _ask_again(self, run: Run, provider: ServiceProvider) -> None:
        def why_not() -> str:
            if self._hub.provider_of(run.connection_id) is not provider:
                return self._not_connected(run)
            return why_not_live(self._tested(), run.configuration, run.connection_id)

        refusal = why_not()
        if refusal:
            self.trouble.emit(f"{run.name} cannot be submitted again now. {refusal}")
            return

        def begin(name: str, agreed: Tuple[Range, ...]) -> str:
            return self._runs.start(provider, run.configuration, Mode.LIVE, name, agreed[0])

        jobs = (BatchJob("", run.configuration),)
        proposal = proposal_of(
            run.name, jobs=jobs, tested=self._tested(), connection=self._hub.name_of(run.connection_id)
        )
        self._replacing = {run.configuration.fingerprint: run.key}
        self._live_job.ask(provider, jobs, proposal, why_not, begin)

    def _recorded(self, key: str) -> None:
        """The row of the one that never arrived goes when another of the same took its place."""
        run = self._runs.run_of(key)
        before = self._replacing.pop(_fingerprint(run), "") if run.live else ""
        if before:
            self._section.forget(before)

    def _not_connected(self, run: Run) -> str:
        return f"Not connected to {self._hub.name_of(run.connection_id)}."


def _fingerprint(run: Run) -> str:
    configuration: JobConfiguration = run.configuration
    return configuration.fingerprint
