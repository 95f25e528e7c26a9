"""The desk: joins the dock with the parts that do the work, and tells the person what happened."""

from __future__ import annotations

import time
from typing import Any, List, Optional

from qgis.core import Qgis, QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QObject, Qt, QTimer
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import QAction, QPushButton

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.freshness import TestedQuery
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.outputs import SHORT_TITLES
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import Balance
from up42_plugin.gui.area_outline import AreaOutline
from up42_plugin.gui.connection_dialog import ConnectionDialog
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.form_memory import FormMemory
from up42_plugin.gui.live_job import LiveJob, proposal_of
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.search_section import FILTERS
from up42_plugin.gui.texts import count_text, credits_of
from up42_plugin.qgis_bridge.hub import ConnectionHub, HubPhase, HubState
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.project_data import ProjectData, ProjectReader
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.sample import add_sample_area
from up42_plugin.qgis_bridge.settings import PluginSettings
from up42_plugin.qgis_bridge.settling import Settler

_SECOND_MS = 1000


class Desk(QObject):
    """Everything the person does in the dock comes here, and everything that happens is shown from here."""

    def __init__(
        self,
        iface: Any,
        *,
        dock: Up42Dock,
        new_job: NewJob,
        hub: ConnectionHub,
        reader: ProjectReader,
        runs: RunController,
        settler: Settler,
        runner: JobRunner,
        outline: AreaOutline,
        settings: PluginSettings,
        log: PanelLog,
    ) -> None:
        super().__init__()
        self._iface, self.dock, self.new_job, self.hub = iface, dock, new_job, hub
        self._reader, self.runs, self._settler, self._outline, self._log = reader, runs, settler, outline, log
        self.live_job = LiveJob(runner, runs, iface.mainWindow(), self)
        self._memory = FormMemory(dock, settings)
        self._testing = ""
        self._testing_since = 0.0
        self._tick = QTimer(self)
        self._tick.setInterval(_SECOND_MS)
        self._tick.timeout.connect(self._show_testing)
        self._shortcut = QAction("Run Test Query", dock)
        self._shortcut.setObjectName("Up42RunTestQuery")
        self._shortcut.setShortcut(QKeySequence("Ctrl+Return"))
        self._shortcut.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        dock.addAction(self._shortcut)
        self._connect()
        self._memory.restore()
        self._show_connections()
        new_job.refresh()

    def _connect(self) -> None:
        dock = self.dock
        dock.opened.connect(self._opened)
        dock.closed.connect(self._closed)
        dock.header.chosen.connect(self.hub.choose)
        dock.header.add_asked.connect(self._add_connection)
        dock.header.refresh_asked.connect(self._again)
        dock.area.zoom_asked.connect(self._outline.zoom)
        dock.area.sample_asked.connect(self._try_sample)
        dock.foot.test_asked.connect(self.run_test_query)
        dock.foot.live_asked.connect(self.run_live_job)
        dock.foot.again_asked.connect(self._again)
        dock.foot.cancel_asked.connect(self._cancel_testing)
        dock.runs.cancel_asked.connect(self.runs.cancel)
        dock.runs.load_asked.connect(self.runs.load)
        self._shortcut.triggered.connect(self.run_test_query)
        self.hub.connections_changed.connect(self._show_connections)
        self.hub.state_changed.connect(self._hub_changed)
        self._reader.project_read.connect(self._project_read)
        self._reader.failed.connect(self._project_failed)
        self._reader.balance_read.connect(self._balance_read)
        self._reader.balance_failed.connect(self._balance_failed)
        self.new_job.changed.connect(self._form_changed)
        self.runs.changed.connect(self._run_changed)
        self.runs.ended.connect(self._run_ended)
        self.runs.loaded.connect(self._layers_loaded)

    def close(self) -> None:
        """Remember the form and close what is open."""
        self._tick.stop()
        self._memory.save()
        self.live_job.close()

    def run_test_query(self) -> None:
        """Ask the service, free, what there is for the form's configuration."""
        form, provider = self.new_job.form, self.hub.current_provider()
        if form.configuration is None or provider is None or not self.new_job.ready.can_test:
            return
        self._testing_since = time.monotonic()
        self._testing = self.runs.start(provider, form.configuration, Mode.TEST_QUERY, self._test_name())
        self.new_job.set_running(True)
        self._tick.start()
        self._show_testing()

    def run_live_job(self) -> None:
        """Ask for the confirmation of a live job of the form's configuration."""
        form, provider = self.new_job.form, self.hub.current_provider()
        if form.configuration is None or provider is None or not self.new_job.ready.can_run_live:
            return
        fingerprint = form.configuration.fingerprint
        estimation = self.new_job.price.estimation
        proposal = proposal_of(
            self._live_name(form.configuration),
            configuration=form.configuration,
            values=self.dock.search.values,
            tested=self.new_job.tested,
            connection=self.hub.current.name,
            shown_price=estimation.credits if estimation is not None else None,
        )

        def still_open() -> bool:
            now = self.new_job.form.configuration
            return self.new_job.ready.can_run_live and now is not None and now.fingerprint == fingerprint

        self.live_job.ask(provider, form.configuration, proposal, still_open)

    @property
    def _where(self) -> str:
        where = self.new_job.selection.layer_name or "area"
        return f"{where[:1].upper()}{where[1:]}"

    def _live_name(self, configuration: JobConfiguration) -> str:
        """``Taormina super-resolution``; people change it in the confirmation."""
        block = configuration.workflow.steps[-1].block
        what = SHORT_TITLES.get(block.name, block.title)
        return f"{self._where} {what if what[1:2].isupper() else what[:1].lower() + what[1:]}"

    def _test_name(self) -> str:
        """``Taormina, Contains``."""
        kind = self.dock.search.values.geometric_filter
        label = next(text.split(" (")[0] for known, text, _ in FILTERS if known is kind)
        return f"{self._where}, {label}"

    def _opened(self) -> None:
        self._outline.set_shown(True)
        if self.hub.state.phase in (HubPhase.IDLE, HubPhase.FAILED):
            self.hub.open(clicked=False)

    def _closed(self) -> None:
        self._outline.set_shown(False)
        self._memory.save()

    def _again(self) -> None:
        provider = self.hub.current_provider()
        if provider is None or self.hub.state.phase is not HubPhase.READY:
            self.hub.reopen()
            return
        self.new_job.ask_price_again()
        self._read_project()

    def _read_project(self) -> None:
        provider = self.hub.current_provider()
        if provider is not None:
            self.dock.header.show_balance(None, loading=True)
            self._reader.read(provider)

    def _show_connections(self) -> None:
        self.dock.header.show_connections(self.hub.connections, self.hub.current)

    def _hub_changed(self, state: HubState) -> None:
        if state.phase is HubPhase.READY:
            self.dock.workflow.show_text("Loading workflows…")
            self.new_job.set_trouble("")
            self._read_project()
            self._settler.settle(self.hub.current.id)
            return
        loading = state.phase is HubPhase.STARTING
        self.dock.workflow.show_text("Loading workflows…" if loading else "No connection")
        self.dock.header.show_balance(None, loading=loading, reason=state.message)
        self.new_job.set_trouble(state.message)

    def _project_read(self, project: ProjectData) -> None:
        if project.connection_id == self.hub.current.id:
            self.new_job.set_project(project)
            self._memory.restore_workflow()

    def _project_failed(self, error: BaseException) -> None:
        message = error.user_message if isinstance(error, Up42Error) else "The project could not be read."
        self.dock.workflow.show_text("Workflows not available")
        self.new_job.set_trouble(message)

    def _balance_read(self, connection_id: str, balance: Balance) -> None:
        if connection_id == self.hub.current.id:
            self.dock.header.show_balance(balance)
            self.new_job.set_balance(balance)

    def _balance_failed(self, error: BaseException) -> None:
        self.dock.header.show_balance(None, reason=getattr(error, "user_message", ""))
        self.new_job.set_balance(None)

    def _form_changed(self) -> None:
        self._outline.show_area(self.new_job.selection.aoi)

    def _add_connection(self) -> None:
        dialog = ConnectionDialog(self._iface.mainWindow())
        dialog.setModal(True)

        def accepted() -> None:
            draft = dialog.draft
            try:
                self.hub.add(draft.name, draft.address, draft.key, draft.keep)
            except Up42Error as error:
                self._tell(error.user_message, Qgis.MessageLevel.Warning)

        dialog.accepted.connect(accepted)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _try_sample(self) -> None:
        try:
            add_sample_area(QgsProject.instance())
        except Up42Error as error:
            self._log.warning(f"{error.user_message} {error.detail}")
            self._tell(error.user_message, Qgis.MessageLevel.Warning)
            return
        # The click asks for the area to be shown; its selection is read a moment later.
        self._outline.zoom_when_known()

    def _show_testing(self) -> None:
        running = bool(self._testing)
        self.dock.foot.show_busy(time.monotonic() - self._testing_since if running else None)
        if not running:
            self._tick.stop()

    def _cancel_testing(self) -> None:
        if self._testing:
            self.runs.cancel(self._testing)

    def _run_changed(self, run: Run) -> None:
        self.dock.runs.show_run(run)

    def _run_ended(self, run: Run) -> None:
        if run.key == self._testing:
            self._test_ended(run)
        if run.live:
            self._live_ended(run)
        provider = self.hub.current_provider()
        if provider is not None and provider.connection_id == run.connection_id:
            self._reader.read_balance(provider)

    def _test_ended(self, run: Run) -> None:
        self._testing = ""
        self._show_testing()
        if run.succeeded and run.job is not None and run.job.finished is not None:
            tested = TestedQuery(run.configuration, run.connection_id, run.job.finished, len(run.scenes))
            self.new_job.set_tested(tested)
            if not self.dock.search.values.scene_id:
                self.dock.search.show_scenes(run.scenes)
        elif run.message and run.phase is Phase.NOT_SUBMITTED:
            self._tell(f"Test query: {run.message}", Qgis.MessageLevel.Warning)
        self.new_job.set_running(False)

    def _live_ended(self, run: Run) -> None:
        if run.succeeded:
            charged = f", {credits_of(run.credits_charged)} charged" if run.credits_charged is not None else ""
            self._tell(f"{run.name} finished{charged}.", Qgis.MessageLevel.Success, run)
        elif run.state is JobState.CANCELLED:
            self._tell(f"{run.name} was cancelled.", Qgis.MessageLevel.Info)
        elif run.message:
            self._tell(f"{run.name}: {run.message}", Qgis.MessageLevel.Warning)

    def _layers_loaded(self, run: Run, layers: List[QgsMapLayer]) -> None:
        if run.live:
            self._tell(f"{run.name}: {count_text(len(layers), 'layer')} loaded.", Qgis.MessageLevel.Success)

    def _tell(self, text: str, level: Qgis.MessageLevel, loadable: Optional[Run] = None) -> None:
        item = self._iface.messageBar().createMessage("UP42", text)
        if loadable is not None:
            button = QPushButton("Load", item)
            button.setProperty("run", loadable.key)
            button.clicked.connect(self._load_clicked)
            item.layout().addWidget(button)
        self._iface.messageBar().pushWidget(item, level)

    def _load_clicked(self) -> None:
        self.runs.load(str(self.sender().property("run")))
