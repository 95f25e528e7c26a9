"""Builds what is behind the Jobs tab, and joins it with the rest of the dock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional

from qgis.core import Qgis, QgsProject
from qgis.PyQt.QtCore import QObject

from up42_plugin.core.ledger import Ledger
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.storage import OutputFolders
from up42_plugin.core.workflow import Workflow
from up42_plugin.gui.announcements import Announcements
from up42_plugin.gui.background_notice import BackgroundNotice
from up42_plugin.gui.clone_desk import CloneDesk
from up42_plugin.gui.connecting import Connecting
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.job_commands_desk import JobCommandsDesk
from up42_plugin.gui.jobs_desk import JobsDesk
from up42_plugin.gui.jobs_on_map import JobsOnMap
from up42_plugin.gui.layer_menu import LayerMenu
from up42_plugin.gui.ledger_desk import LedgerDesk
from up42_plugin.gui.live_job import LiveJob
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.rerun_desk import RerunDesk
from up42_plugin.gui.webhooks_desk import WebhooksDesk
from up42_plugin.qgis_bridge.hub import ConnectionHub, HubPhase
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.job_recalling import JobRecall
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.jobs_reader import JobsReader
from up42_plugin.qgis_bridge.monitor import JobMonitor
from up42_plugin.qgis_bridge.output_places import OutputPlaces
from up42_plugin.qgis_bridge.project_data import ProjectData, ProjectReader
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.settings import PluginSettings
from up42_plugin.qgis_bridge.usage_reader import UsageReader


@dataclass(frozen=True)
class JobsParts:
    """What the Jobs tab works with; built by the composition root."""

    ledger: Ledger
    monitor: JobMonitor
    runner: JobRunner
    runs: RunController
    queue: JobQueue
    hub: ConnectionHub
    settings: PluginSettings
    project: ProjectReader

    def folders(self) -> OutputFolders:
        """Where outputs go and lie now."""
        return OutputPlaces(self.settings, self.ledger, QgsProject.instance()).now()


class Dashboard(QObject):
    """The Jobs tab and all that its commands reach. ``cancel(key)`` cancels a run of this session."""

    def __init__(
        self,
        iface: Any,
        dock: Up42Dock,
        parts: JobsParts,
        *,
        new_job: NewJob,
        live_job: LiveJob,
        connecting: Connecting,
        told: Announcements,
        cancel: Callable[[str], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._dock, self._parts, self._connecting, self._told = dock, parts, connecting, told
        runs, hub, runner, window = parts.runs, parts.hub, parts.runner, iface.mainWindow()
        self._phases: Dict[str, Phase] = {}
        reader = JobsReader(runner, parts.ledger, parts.folders, self)
        usage = UsageReader(runner, parts.folders, self)
        reader.disk_read.connect(usage.look)
        usage.read.connect(self._usage_read)
        self.jobs = JobsDesk(
            dock, reader=reader, hub=hub, runs=runs, monitor=parts.monitor, queue=parts.queue, parent=self
        )
        recall = JobRecall(runner, parts.ledger, runs, hub.provider_of, self._workflows, parent=self)
        self.reruns = RerunDesk(
            runs=runs,
            hub=hub,
            live_job=live_job,
            tests=new_job.tests,
            limits=lambda: new_job.limits,
            tell=told.tell,
            parent=self,
        )
        self.clones = CloneDesk(dock, new_job=new_job, hub=hub, tell=told.tell, parent=self)
        self.on_map = JobsOnMap(iface, self)
        self.commands = JobCommandsDesk(
            dock,
            desk=self.jobs,
            reader=reader,
            recall=recall,
            runs=runs,
            hub=hub,
            runner=runner,
            reruns=self.reruns,
            clones=self.clones,
            on_map=self.on_map,
            folders=parts.folders,
            cancel=cancel,
            window=window,
            tell=told.tell,
            parent=self,
        )
        self.ledger = LedgerDesk(
            dock.jobs,
            ledger=parts.ledger,
            hub=hub,
            runner=runner,
            folders=parts.folders,
            window=window,
            tell=told.tell,
            parent=self,
        )
        self.layer_menu = LayerMenu(
            iface,
            jobs=self.jobs,
            recall=recall,
            reruns=self.reruns,
            clones=self.clones,
            hub=hub,
            runner=runner,
            tell=told.tell,
            parent=self,
        )
        self.webhooks = WebhooksDesk(runner, hub.current_provider, window, self)
        self.notice = BackgroundNotice(window, parts.settings.notify_in_background, parent=self)
        dock.jobs.view.restore_header(parts.settings.jobs_columns())
        self._connect()

    def _connect(self) -> None:
        dock, parts = self._dock, self._parts
        dock.jobs.refresh_asked.connect(self._refresh)
        dock.header.refresh_button.clicked.connect(self.jobs.refresh)
        dock.jobs.webhooks_asked.connect(self.webhooks.open)
        self.webhooks.trouble.connect(lambda sentence: self._told.tell(sentence, Qgis.MessageLevel.Warning))
        self._connecting.switched.connect(self.jobs.switched)
        parts.project.project_read.connect(self._project_read)
        parts.runs.changed.connect(self._run_changed)
        parts.runs.ended.connect(self._run_ended)
        parts.runs.loaded.connect(self.on_map.loaded)
        self._told.event.connect(self.notice.tell)

    def close(self) -> None:
        """Close what is open and listen no more; the columns stay as they are."""
        self._parts.settings.set_jobs_columns(self._dock.jobs.view.header_state())
        self.layer_menu.close()
        self.jobs.close()
        self.commands.close()
        self.ledger.close()
        self.webhooks.close()
        self.notice.close()

    def _refresh(self) -> None:
        """A click: where the way to the service is not open, it is opened first."""
        if self._parts.hub.state.phase is HubPhase.READY:
            self.jobs.refresh()
        else:
            self._connecting.again()

    def _project_read(self, project: ProjectData) -> None:
        self.jobs.set_workflows(project.workflows)

    def _usage_read(self, connection_id: str, told: Mapping[str, str]) -> None:
        for job_id, usage in told.items():
            self.jobs.list.put_usage(connection_id, job_id, usage)
        self.jobs.show_now()

    def _workflows(self) -> Mapping[str, Workflow]:
        return {workflow.id: workflow for workflow in self._dock.workflow.workflows}

    def _run_changed(self, run: Run) -> None:
        """An output that could not be loaded is an event, with what can be done about it."""
        before = self._phases.get(run.key)
        self._phases[run.key] = run.phase
        if before is Phase.FETCHING and run.phase is not Phase.FETCHING and run.live and run.message:
            self._told.not_loaded(run)

    def _run_ended(self, run: Run) -> None:
        if run.live and run.succeeded and self._parts.settings.load_at_once():
            self._parts.runs.load(run.key)
