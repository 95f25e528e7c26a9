"""The desk: joins the dock with the parts that do the work, and shows what happens."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, Optional, Tuple

from qgis.core import Qgis, QgsProject
from qgis.PyQt.QtCore import QObject

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.batch import job_name
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.scenes import Scene
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.tested import tested_by
from up42_plugin.gui.announcements import Announcements
from up42_plugin.gui.area_desk import AreaDesk
from up42_plugin.gui.area_outline import AreaOutline
from up42_plugin.gui.batch_desk import WAITS, BatchDesk
from up42_plugin.gui.connecting import Connecting
from up42_plugin.gui.dashboard import Dashboard, JobsParts
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.dock_actions import DockActions
from up42_plugin.gui.drop_desk import DropDesk
from up42_plugin.gui.estimation_details import EstimationDesk
from up42_plugin.gui.form_memory import FormMemory
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.job_names import live_name, test_name
from up42_plugin.gui.json_window import JsonWindowDesk
from up42_plugin.gui.live_job import OTHER_CONNECTION, LiveJob, proposal_of
from up42_plugin.gui.new_job import Form, NewJob
from up42_plugin.gui.options_page import PAGE_NAME
from up42_plugin.gui.recipe_desk import RecipeDesk
from up42_plugin.gui.run_actions import RunActions
from up42_plugin.gui.storage_desk import StorageDesk
from up42_plugin.gui.testing import TestQueries
from up42_plugin.gui.workflow_desk import WorkflowDesk
from up42_plugin.qgis_bridge.area_sources import AreaSource
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.monitor import JobMonitor
from up42_plugin.qgis_bridge.project_data import ProjectReader
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.sample import add_sample_area
from up42_plugin.qgis_bridge.settings import PluginSettings
from up42_plugin.qgis_bridge.settling import Settler
from up42_plugin.qgis_bridge.slots import SlotWatch
from up42_plugin.qgis_bridge.spending import SpendingBook


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
        queue: JobQueue,
        slots: SlotWatch,
        settler: Settler,
        runner: JobRunner,
        outline: AreaOutline,
        settings: PluginSettings,
        log: PanelLog,
        spending: SpendingBook,
        ledger: Ledger,
        monitor: JobMonitor,
    ) -> None:
        super().__init__()
        self.dock, self.new_job, self.hub, self.runs = dock, new_job, hub, runs
        self.recipes = recipes
        self._settler, self._outline, self._log = settler, outline, log
        self._iface, self._spending = iface, spending
        self.estimation = EstimationDesk(dock.foot, new_job, iface.mainWindow(), self)
        self._queue, self._slots = queue, slots
        self.live_job = LiveJob(
            runner=runner, runs=runs, queue=queue, spending=spending, window=iface.mainWindow(), parent=self
        )
        self._announcements = Announcements(iface, lambda: ledger.notice, self)
        self.batches = BatchDesk(
            section=dock.runs,
            runs=runs,
            queue=queue,
            live_job=self.live_job,
            tests=new_job.tests,
            hub=hub,
            window=iface.mainWindow(),
            tell=self._announcements.tell,
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
        self.dashboard = Dashboard(
            iface,
            dock,
            JobsParts(ledger, monitor, runner, runs, queue, hub, settings, reader),
            new_job=new_job,
            live_job=self.live_job,
            connecting=self.connecting,
            told=self._announcements,
            cancel=self._cancel,
            parent=self,
        )
        self.run_actions = RunActions(dock.runs, runs=runs, commands=self.dashboard.commands, parent=self)
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
        self._testing = TestQueries(dock.foot, runs, lambda: hub.current.id, new_job.set_running, self)
        self._found: Dict[str, Tuple[Scene, ...]] = {}
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
        dock.foot.queue_asked.connect(self.run_when_it_ends)
        dock.foot.cancel_asked.connect(self._testing.cancel_all)
        dock.runs.cancel_asked.connect(self._cancel)
        dock.runs.load_asked.connect(self.runs.load)
        dock.runs.pause_asked.connect(self.runs.pause)
        dock.jobs.foot.notice.action_asked.connect(self.run_actions.act)
        self.run_actions.options_asked.connect(self.show_options)
        self.run_actions.refresh_asked.connect(self.connecting.again)
        dock.foot.log_asked.connect(self._iface.openMessageLog)
        self.new_job.changed.connect(self._form_changed)
        self.connecting.switched.connect(self._switched)
        self.connecting.opened.connect(self._settler.settle)
        self.connecting.opened.connect(self._spending.read)
        self.connecting.opened.connect(self._queue.look_for_unsent)
        self.connecting.opened.connect(self._slots.read)
        self._queue.changed.connect(self._spending.read)
        self._slots.changed.connect(self.new_job.refresh)
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
        told.action_asked.connect(self.run_actions.act)

    def close(self) -> None:
        """Remember the form and close what is open."""
        self._testing.stop()
        self._queue.stop()
        self._slots.stop()
        self._settler.stop()
        self._memory.save()
        self.drops.close()
        self.json_window.close()
        self._actions.close()
        self.area.close()
        self.estimation.close()
        self.dashboard.close()
        self.storage.close()
        self.live_job.close()
        self.batches.close()
        self.workflow_desk.close()
        self.recipes.close()
        self.new_job.details.close()
        self.connecting.close()
        self._announcements.close()

    def show_options(self) -> None:
        """Open QGIS's options at the plugin's page."""
        self._iface.showOptionsDialog(self._iface.mainWindow(), PAGE_NAME)

    def run_test_query(self) -> None:
        """Ask the service, free, what there is for the form's configuration, or for each area of a batch."""
        form, provider = self._ready_form()
        if provider is None or not self.new_job.ready.can_test:
            return
        jobs = form.jobs
        if form.batch is not None:
            jobs = self.new_job.tests.to_ask(provider.connection_id, form.batch, datetime.now(timezone.utc))
        questions = [(job_name(test_name(self.new_job), job.label), job.configuration) for job in jobs]
        if questions:
            self._testing.run(provider, questions, self.new_job.limits.max_concurrent_jobs)

    def run_live_job(self) -> None:
        """Ask for the confirmation of the live jobs that the form asks for."""
        if self._ready_form()[1] is not None and self.new_job.ready.can_run_live:
            self._ask_live()

    def run_when_it_ends(self) -> None:
        """The same, while every slot is taken."""
        if self._ready_form()[1] is not None and self.new_job.ready.can_queue:
            self._ask_live()

    def _ask_live(self) -> None:
        form, provider = self.new_job.form, self.hub.current_provider()
        if provider is None or form.asked is None:
            return
        jobs, estimation = form.jobs, self.new_job.price.estimation
        proposal = proposal_of(
            live_name(self.new_job, jobs[0].configuration),
            jobs=jobs,
            tested=self.new_job.tested,
            connection=self.hub.current.name,
            shown_price=estimation.credits if estimation is not None else None,
            start=WAITS if self.new_job.ready.can_queue else "",
        )
        fingerprint, present = form.asked.fingerprint, provider

        def begin(name: str, agreed: Tuple[Range, ...]) -> str:
            if form.batch is not None or self.new_job.ready.can_queue:
                return self.batches.begin(present.connection_id, jobs, name, agreed)
            return self.runs.start(present, jobs[0].configuration, Mode.LIVE, name, agreed[0])

        self.live_job.ask(provider, jobs, proposal, lambda: self._why_not_live(present, fingerprint), begin)

    def _ready_form(self) -> Tuple[Form, Optional[ServiceProvider]]:
        """The form as it is at this moment: a test query may have grown too old since the last change."""
        self.new_job.refresh()
        return self.new_job.form, self.hub.current_provider()

    def _why_not_live(self, provider: ServiceProvider, fingerprint: str) -> str:
        """What has come between the question and the yes, or nothing."""
        form, present = self._ready_form()
        if present is not provider:
            return OTHER_CONNECTION
        if form.asked is None or form.asked.fingerprint != fingerprint:
            return "The configuration changed meanwhile. Cancel, and test it again."
        ready = self.new_job.ready
        return "" if ready.can_run_live or ready.can_queue else ready.reason

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
        self._testing.show()

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

    def _cancel(self, key: str) -> None:
        self._testing.note_cancelled(key)
        self.batches.cancel(key)

    def _run_changed(self, run: Run) -> None:
        self.dock.runs.show_run(run)
        self._testing.changed(run)

    def _not_cancelled(self, run: Run, sentence: str) -> None:
        self._testing.not_cancelled(run.key)
        self._announcements.not_cancelled(run, sentence)

    def _run_ended(self, run: Run) -> None:
        if not run.live:
            self._test_ended(run)
        elif not self.batches.ended(run):
            self._announcements.live_job_ended(run)
        self.connecting.read_balance(run.connection_id)

    def _test_ended(self, run: Run) -> None:
        if run.phase is Phase.LOADED and run.job is not None:
            self.new_job.set_tested(tested_by(run))
            self._show_found(run)
            self._testing.ended(run)
        elif self._testing.ended(run) and not run.unwanted and run.state is not JobState.CANCELLED:
            self._announcements.test_query_failed(run)

    def _show_found(self, run: Run) -> None:
        """Offer the scenes; a test query of one chosen scene leaves the others on offer."""
        if _asks_for_ids(run.configuration) or self._testing.is_one_of_many(run.key):
            return
        self._found[run.connection_id] = run.scenes
        if run.connection_id == self.hub.current.id and not self.dock.search.values.scene_id:
            self.dock.search.show_scenes(run.scenes)


def _asks_for_ids(configuration: JobConfiguration) -> bool:
    return configuration.from_storage or bool(
        configuration.parameters.get(configuration.workflow.data_step.name, {}).get("ids")
    )
