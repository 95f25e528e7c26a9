"""The desk: joins the dock with the parts that do the work, and shows what happens."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Optional, Tuple

from qgis.core import Qgis, QgsProject
from qgis.PyQt.QtCore import QObject, QTimer

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.freshness import TestedQuery
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.outputs import SHORT_TITLES
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.scenes import Scene
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.stored_data import several
from up42_plugin.core.workflow import BlockType
from up42_plugin.gui.announcements import Announcements
from up42_plugin.gui.area_desk import AreaDesk
from up42_plugin.gui.area_outline import AreaOutline
from up42_plugin.gui.connecting import Connecting
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.dock_actions import DockActions
from up42_plugin.gui.drop_desk import DropDesk
from up42_plugin.gui.estimation_details import EstimationDesk
from up42_plugin.gui.form_memory import FormMemory
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.json_window import JsonWindowDesk
from up42_plugin.gui.live_job import LiveJob, proposal_of
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.options_page import PAGE_NAME
from up42_plugin.gui.recipe_desk import RecipeDesk
from up42_plugin.gui.run_actions import FormFacts, RunActions
from up42_plugin.gui.search_section import FILTERS
from up42_plugin.gui.storage_desk import StorageDesk
from up42_plugin.gui.workflow_desk import WorkflowDesk
from up42_plugin.qgis_bridge.area_sources import AreaSource
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.project_data import ProjectReader
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.sample import add_sample_area
from up42_plugin.qgis_bridge.settings import PluginSettings
from up42_plugin.qgis_bridge.settling import Settler
from up42_plugin.qgis_bridge.spending import SpendingBook

_SECOND_MS = 1000


@dataclass
class _Testing:
    """The test query that a connection's form waits for."""

    key: str
    since: float
    cancelled: bool = False


class Desk(QObject):
    """Everything the person does in the dock comes here, and everything that happens is shown from here."""

    def __init__(
        self,
        iface: Any,
        *,
        dock: Up42Dock,
        new_job: NewJob,
        area_source: AreaSource,
        recipes: RecipeDesk,
        hub: ConnectionHub,
        reader: ProjectReader,
        runs: RunController,
        settler: Settler,
        runner: JobRunner,
        outline: AreaOutline,
        settings: PluginSettings,
        log: PanelLog,
        spending: SpendingBook,
        ledger_notice: Callable[[], str],
    ) -> None:
        super().__init__()
        self.dock, self.new_job, self.hub, self.runs = dock, new_job, hub, runs
        self.recipes = recipes
        self._settler, self._outline, self._log = settler, outline, log
        self._iface, self._spending = iface, spending
        self.estimation = EstimationDesk(dock.foot, new_job, iface.mainWindow(), self)
        self.live_job = LiveJob(runner, runs, spending, iface.mainWindow(), self)
        self._announcements = Announcements(iface, ledger_notice, self)
        self.run_actions = RunActions(
            dock.runs,
            runs=runs,
            hub=hub,
            live_job=self.live_job,
            runner=runner,
            facts=lambda: FormFacts(dock.search.values, new_job.tested),
            window=iface.mainWindow(),
            parent=self,
        )
        self.workflow_desk = WorkflowDesk(
            dock.workflow,
            runner=runner,
            provider=hub.current_provider,
            window=iface.mainWindow(),
            log=log,
            parent=self,
        )
        self.workflow_desk.trouble.connect(self._announcements.warn)
        self._memory = FormMemory(dock, new_job.details, settings, recipes)
        self.connecting = Connecting(
            hub,
            reader,
            dock=dock,
            new_job=new_job,
            memory=self._memory,
            window=iface.mainWindow(),
            log=log,
            runner=runner,
            parent=self,
        )
        self.area = AreaDesk(
            dock.area,
            source=area_source,
            canvas=iface.mapCanvas(),
            runner=runner,
            window=iface.mainWindow(),
            tell=self._announcements.tell,
            parent=self,
        )
        self.storage = StorageDesk(
            dock,
            new_job=new_job,
            provider=hub.current_provider,
            runner=runner,
            canvas=iface.mapCanvas(),
            window=iface.mainWindow(),
            parent=self,
        )
        self._memory.area = self.area
        self._testing: Dict[str, _Testing] = {}
        self._found: Dict[str, Tuple[Scene, ...]] = {}
        self._tick = QTimer(self)
        self._tick.setInterval(_SECOND_MS)
        self._tick.timeout.connect(self._show_seconds)
        self.drops = DropDesk(
            dock,
            source=area_source,
            new_job=new_job,
            recipes=recipes,
            runner=runner,
            tell=self._announcements.tell,
            parent=self,
        )
        self.json_window = JsonWindowDesk(dock, new_job, self)
        self._actions = DockActions(
            iface,
            dock,
            {
                "Up42RunTestQuery": self.run_test_query,
                "Up42RunLiveJob": self.run_live_job,
                "Up42Refresh": self.connecting.again,
                "Up42Options": self.show_options,
                "Up42OpenJsonInWindow": self.json_window.open,
                "Up42Help": lambda: show_help(Topic.START),
            },
        )
        self._connect_dock()
        self._connect_runs()
        self._memory.restore()
        self.connecting.show()
        new_job.refresh()

    def _connect_dock(self) -> None:
        dock = self.dock
        dock.opened.connect(self._opened)
        dock.closed.connect(self._closed)
        dock.header.refresh_asked.connect(self.connecting.again)
        dock.header.options_asked.connect(self.show_options)
        dock.header.help_asked.connect(lambda: show_help(Topic.START))
        dock.foot.options_asked.connect(self.show_options)
        dock.area.zoom_asked.connect(self._outline.zoom)
        dock.area.sample_asked.connect(self._try_sample)
        dock.foot.test_asked.connect(self.run_test_query)
        dock.foot.live_asked.connect(self.run_live_job)
        dock.foot.again_asked.connect(self.connecting.again)
        dock.foot.cancel_asked.connect(self._cancel_testing)
        dock.runs.cancel_asked.connect(self._cancel)
        dock.runs.load_asked.connect(self.runs.load)
        self.run_actions.trouble.connect(self._announcements.warn)
        self.run_actions.options_asked.connect(self.show_options)
        self.run_actions.refresh_asked.connect(self.connecting.again)
        dock.foot.log_asked.connect(self._iface.openMessageLog)
        self.new_job.changed.connect(self._form_changed)
        self.connecting.switched.connect(self._switched)
        self.connecting.opened.connect(self._settler.settle)
        self.connecting.opened.connect(self._spending.read)
        self._spending.changed.connect(self.new_job.refresh)
        self._spending.limits_changed.connect(self.new_job.refresh)

    def _connect_runs(self) -> None:
        told = self._announcements
        self.runs.changed.connect(self._run_changed)
        self.runs.ended.connect(self._run_ended)
        self.runs.ended.connect(self._spending.run_ended)
        self.runs.trouble.connect(self._not_cancelled)
        self.runs.loaded.connect(told.layers_loaded)
        self.runs.settled_earlier.connect(told.settled_earlier)
        self.runs.recorded.connect(told.tell_ledger_notice)
        self._settler.ended.connect(told.tell_ledger_notice)
        told.load_asked.connect(self.runs.load)

    def close(self) -> None:
        """Remember the form and close what is open."""
        self._tick.stop()
        self._settler.stop()
        self._memory.save()
        self.drops.close()
        self.json_window.close()
        self._actions.close()
        self.area.close()
        self.estimation.close()
        self.run_actions.close()
        self.storage.close()
        self.live_job.close()
        self.workflow_desk.close()
        self.recipes.close()
        self.new_job.details.close()
        self.connecting.close()
        self._announcements.close()

    def show_options(self) -> None:
        """Open QGIS's options at the plugin's page."""
        self._iface.showOptionsDialog(self._iface.mainWindow(), PAGE_NAME)

    def run_test_query(self) -> None:
        """Ask the service, free, what there is for the form's configuration."""
        configuration, provider = self._ready_form()
        if configuration is None or provider is None or not self.new_job.ready.can_test:
            return
        key = self.runs.start(provider, configuration, Mode.TEST_QUERY, self._test_name())
        self._testing[provider.connection_id] = _Testing(key, time.monotonic())
        self._show_testing()

    def run_live_job(self) -> None:
        """Ask for the confirmation of a live job of the form's configuration."""
        configuration, provider = self._ready_form()
        if configuration is None or provider is None or not self.new_job.ready.can_run_live:
            return
        estimation = self.new_job.price.estimation
        proposal = proposal_of(
            self._live_name(configuration),
            configuration=configuration,
            values=self.dock.search.values,
            tested=self.new_job.tested,
            connection=self.hub.current.name,
            shown_price=estimation.credits if estimation is not None else None,
        )
        fingerprint = configuration.fingerprint
        self.live_job.ask(provider, configuration, proposal, lambda: self._why_not_live(provider, fingerprint))

    def _ready_form(self) -> Tuple[Optional[JobConfiguration], Optional[ServiceProvider]]:
        """The form as it is at this moment: a test query may have grown too old since the last change."""
        self.new_job.refresh()
        return self.new_job.form.configuration, self.hub.current_provider()

    def _why_not_live(self, provider: ServiceProvider, fingerprint: str) -> str:
        """What has come between the question and the yes, or nothing."""
        configuration, present = self._ready_form()
        if present is not provider:
            return "The connection changed meanwhile. Cancel, and try again."
        if configuration is None or configuration.fingerprint != fingerprint:
            return "The configuration changed meanwhile. Cancel, and test it again."
        return "" if self.new_job.ready.can_run_live else self.new_job.ready.reason

    @property
    def _where(self) -> str:
        where = "storage" if self.new_job.stored else self.new_job.selection.layer_name or "area"
        return f"{where[:1].upper()}{where[1:]}"

    def _live_name(self, configuration: JobConfiguration) -> str:
        """``Taormina super-resolution``; people change it in the confirmation."""
        block = configuration.workflow.steps[-1].block
        what = SHORT_TITLES.get(block.name, block.title)
        common_noun = block.type is BlockType.PROCESSING and not what[1:2].isupper()
        return f"{self._where} {what[:1].lower() + what[1:] if common_noun else what}"

    def _test_name(self) -> str:
        """``Taormina, Contains``."""
        if self.new_job.stored:
            return f"{self._where}, {several(self.new_job.stored)}"
        kind = self.dock.search.values.geometric_filter
        label = next(text.split(" (")[0] for known, text, _ in FILTERS if known is kind)
        return f"{self._where}, {label}"

    def _opened(self) -> None:
        self._outline.set_shown(True)
        self.connecting.open()

    def _closed(self) -> None:
        self._outline.set_shown(False)
        self.area.stop_drawing()
        self._memory.save()

    def _switched(self, connection_id: str) -> None:
        """Another connection: the scenes found there, and whether a test query of it is on its way."""
        self.dock.search.choose_scene("")
        self.dock.search.show_scenes(self._found.get(connection_id, ()))
        self._show_testing()

    def _form_changed(self) -> None:
        self._outline.show_areas(self.new_job.areas, self.new_job.selection.before)

    def _try_sample(self) -> None:
        try:
            add_sample_area(QgsProject.instance())
        except Up42Error as error:
            self._log.warning(f"{error.user_message} {error.detail}")
            self._announcements.tell(error.user_message, Qgis.MessageLevel.Warning)
            return
        # The click asks for the area to be shown; its selection is read a moment later.
        self._outline.zoom_when_known()

    def _show_testing(self) -> None:
        """Show the test query of the current connection, or that there is none."""
        testing = self._testing.get(self.hub.current.id)
        if testing is None:
            self._tick.stop()
            self.dock.foot.show_busy(None)
        else:
            what = "Cancelling the test query" if testing.cancelled else "Test query running"
            self.dock.foot.show_busy(time.monotonic() - testing.since, what)
            self.dock.foot.show_cancellable(not testing.cancelled)
            self._tick.start()
        self.new_job.set_running(testing is not None)

    def _show_seconds(self) -> None:
        testing = self._testing.get(self.hub.current.id)
        if testing is not None and not testing.cancelled:
            self.dock.foot.show_busy(time.monotonic() - testing.since)

    def _cancel_testing(self) -> None:
        testing = self._testing.get(self.hub.current.id)
        if testing is not None:
            self._cancel(testing.key)

    def _cancel(self, key: str) -> None:
        testing = next((testing for testing in self._testing.values() if testing.key == key), None)
        if testing is not None:
            testing.cancelled = True
            self._show_testing()
        self.runs.cancel(key)

    def _run_changed(self, run: Run) -> None:
        self.dock.runs.show_run(run)
        if run.unwanted and run.phase is Phase.CHECKING:
            # It is free and will be cancelled if it is found: nobody has to wait for that.
            self._release(run)

    def _release(self, run: Run) -> None:
        """The form waits no longer for this test query."""
        testing = self._testing.get(run.connection_id)
        if testing is not None and testing.key == run.key:
            del self._testing[run.connection_id]
            self._show_testing()

    def _not_cancelled(self, run: Run, sentence: str) -> None:
        testing = self._testing.get(run.connection_id)
        if testing is not None and testing.key == run.key:
            testing.cancelled = False
            self._show_testing()
        self._announcements.not_cancelled(run, sentence)

    def _run_ended(self, run: Run) -> None:
        if run.live:
            self._announcements.live_job_ended(run)
        else:
            self._test_ended(run)
        self.connecting.read_balance(run.connection_id)

    def _test_ended(self, run: Run) -> None:
        testing = self._testing.get(run.connection_id)
        wanted = testing is None or testing.key != run.key or not testing.cancelled
        if run.phase is Phase.LOADED and run.job is not None:
            finished = run.job.finished or datetime.now(timezone.utc)
            self.new_job.set_tested(TestedQuery(run.configuration, run.connection_id, finished, len(run.scenes)))
            self._show_found(run)
        elif wanted and not run.unwanted and run.state is not JobState.CANCELLED:
            self._announcements.test_query_failed(run)
        self._release(run)

    def _show_found(self, run: Run) -> None:
        """Offer the scenes; a test query of one chosen scene leaves the others on offer."""
        if _asks_for_ids(run.configuration):
            return
        self._found[run.connection_id] = run.scenes
        if run.connection_id == self.hub.current.id and not self.dock.search.values.scene_id:
            self.dock.search.show_scenes(run.scenes)


def _asks_for_ids(configuration: JobConfiguration) -> bool:
    return configuration.from_storage or bool(
        configuration.parameters.get(configuration.workflow.data_step.name, {}).get("ids")
    )
