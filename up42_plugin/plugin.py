"""The composition root: builds every part, hands each what it needs, and undoes it all in ``unload``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List, Optional

from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QEvent, Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction

from up42_plugin.api.tokens import TokenProvider
from up42_plugin.core.connections import Credentials, grant_of
from up42_plugin.core.dialects.classic import ClassicProvider
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_queue import LedgerQueue
from up42_plugin.core.service import ServiceProvider
from up42_plugin.core.submission import Submitter
from up42_plugin.gui.area_outline import AreaOutline
from up42_plugin.gui.desk import Desk
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.job_details import JobDetails
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.options_page import OptionsPageFactory, OptionsParts
from up42_plugin.gui.recipe_desk import RecipeDesk
from up42_plugin.qgis_bridge.area_sources import AreaSource
from up42_plugin.qgis_bridge.credentials import CredentialStore
from up42_plugin.qgis_bridge.downloads import Downloads
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.monitor import JobMonitor
from up42_plugin.qgis_bridge.network import QgisNetwork, SessionFactory
from up42_plugin.qgis_bridge.output_places import OutputPlaces
from up42_plugin.qgis_bridge.presets import PresetStore
from up42_plugin.qgis_bridge.pricing import Pricing
from up42_plugin.qgis_bridge.project_data import ProjectReader
from up42_plugin.qgis_bridge.recording import JobRecords
from up42_plugin.qgis_bridge.resuming import JobResumer
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.sandbox_process import SandboxProcess, sandbox_data_dir
from up42_plugin.qgis_bridge.selection import SelectionTracker
from up42_plugin.qgis_bridge.settings import PluginSettings
from up42_plugin.qgis_bridge.settling import Settler
from up42_plugin.qgis_bridge.slots import SlotWatch
from up42_plugin.qgis_bridge.spending import SpendingBook
from up42_plugin.qgis_bridge.stand_in import StandIns
from up42_plugin.resources import plugin_version, resource_path

MENU = "UP42"
UNLOADING = "Unloading the plugin"


class Up42Plugin:
    """What QGIS loads. ``iface`` is None under ``qgis_process``: then there is no interface to build."""

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self._undo: List[Callable[[], Any]] = []
        self.desk: Optional[Desk] = None
        self.resumer: Optional[JobResumer] = None

    def initGui(self) -> None:  # noqa: N802 - QGIS's name
        """Build the parts and show one button, one menu entry and a closed dock: all of it, or nothing."""
        try:
            self._build(PanelLog())
        except BaseException:
            self.unload()
            raise

    def _build(self, log: PanelLog) -> None:
        settings = PluginSettings(log)
        network = QgisNetwork(plugin_version())
        self._undo.append(network.close)
        runner = JobRunner(log)
        credentials = CredentialStore(QgsApplication.authManager())
        self._undo.append(credentials.forget_session)
        sandbox = SandboxProcess(sandbox_data_dir())
        self._undo.append(sandbox.stop)
        hub = ConnectionHub(
            settings=settings,
            credentials=credentials,
            network=network,
            sandbox=sandbox,
            make_provider=make_provider,
            log=log,
        )
        ledger = Ledger(_profile_folder() / "ledger.sqlite", log=log.warning)
        records = JobRecords(ledger, log)
        downloads = Downloads(settings.downloads_at_once, settings.download_limit)
        monitor = JobMonitor(runner, hub.provider_of, hub.pace_of, records.saw)
        self._undo.append(runner.shutdown)
        self._undo.append(monitor.stop)
        project = QgsProject.instance()
        places = OutputPlaces(settings, ledger, project)

        def submitter_of(connection_id: str) -> Submitter:
            return Submitter(ledger, connection_id)

        settler = Settler(runner, ledger, submitter_of, hub.provider_of)
        runs = RunController(
            runner=runner,
            monitor=monitor,
            submitter_of=submitter_of,
            settler=settler,
            loader=LayerLoader(project),
            provider_of=hub.provider_of,
            connection_name=hub.name_of,
            folders=places.now,
            records=records,
            downloads=downloads,
        )
        stand_ins = StandIns(
            runs,
            runner,
            project=project,
            canvas=self._iface.mapCanvas(),
            provider_of=hub.provider_of,
            connection_name=hub.name_of,
            folders=places.now,
            cache=_profile_folder() / "stand_ins",
        )
        self._undo.append(stand_ins.close)
        self.resumer = self._resumer(JobResumer(runner, ledger, hub=hub, runs=runs, settler=settler, log=log))
        queue = JobQueue(runner, runs, LedgerQueue(ledger), hub.provider_of)
        self._undo.append(queue.stop)
        slots = SlotWatch(runner, runs, hub.provider_of)
        self._undo.append(slots.stop)
        dock = self._add_dock()
        tracker = SelectionTracker(project)
        self._undo.append(tracker.close)
        area_source = AreaSource(tracker, project, runner)
        self._undo.append(area_source.close)
        pricing = Pricing(runner)
        self._undo.append(pricing.stop)
        outline = AreaOutline(self._iface.mapCanvas(), project)
        self._undo.append(outline.close)
        spending = SpendingBook(runner, ledger, settings.spending_limits, log)
        new_job = NewJob(
            dock=dock,
            details=JobDetails(dock),
            tracker=area_source,
            pricing=pricing,
            provider=hub.current_provider,
            over_limit=spending.problem,
            slots_taken=slots.sentence,
        )
        recipes = RecipeDesk(
            dock=dock, new_job=new_job, presets=PresetStore(log), runner=runner, provider=hub.current_provider
        )
        reader = ProjectReader(runner)
        self.desk = Desk(
            self._iface,
            dock=dock,
            new_job=new_job,
            area_source=area_source,
            recipes=recipes,
            hub=hub,
            reader=reader,
            runs=runs,
            queue=queue,
            slots=slots,
            settler=settler,
            runner=runner,
            outline=outline,
            settings=settings,
            log=log,
            spending=spending,
            ledger=ledger,
            monitor=monitor,
        )
        self._undo.append(self.desk.close)
        self._add_options_page(
            OptionsParts(hub, settings, spending, runner, log, places, self.desk.dashboard.commands.files, downloads)
        )
        _pace_the_monitor(monitor, dock, hub, reader)
        self.resumer.begin()

    def unload(self) -> None:
        """Take everything away again, in the opposite order; what fails is logged and does not keep the rest."""
        while self._undo:
            undo = self._undo.pop()
            try:
                undo()
            except Exception as error:
                PanelLog().exception(UNLOADING, error)
        self.desk = self.resumer = None
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def _resumer(self, resumer: JobResumer) -> JobResumer:
        self._undo.append(resumer.stop)
        unlocked = QgsApplication.authManager().masterPasswordVerified
        unlocked.connect(resumer.unlocked)
        self._undo.append(lambda: unlocked.disconnect(resumer.unlocked))
        return resumer

    def _add_options_page(self, parts: OptionsParts) -> None:
        factory = OptionsPageFactory(parts)
        self._iface.registerOptionsWidgetFactory(factory)
        self._undo.append(lambda: self._iface.unregisterOptionsWidgetFactory(factory))

    def _add_dock(self) -> Up42Dock:
        dock = Up42Dock(self._iface.mainWindow())
        self._iface.addTabifiedDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
        dock.hide()  # close() would not keep it hidden in a window that has not shown it yet
        self._undo.append(dock.deleteLater)
        self._undo.append(lambda: self._iface.removeDockWidget(dock))
        action = QAction(QIcon(str(resource_path("icons", "up42_imagery.svg"))), "UP42", self._iface.mainWindow())
        action.setObjectName("Up42ShowDock")
        action.setToolTip("UP42: satellite imagery for the selected area")
        action.setCheckable(True)
        dock.setToggleVisibilityAction(action)
        self._undo.append(action.deleteLater)
        self._iface.addToolBarIcon(action)
        self._undo.append(lambda: self._iface.removeToolBarIcon(action))
        self._iface.addPluginToRasterMenu(MENU, action)
        self._undo.append(lambda: self._iface.removePluginRasterMenu(MENU, action))
        return dock


def _pace_the_monitor(monitor: JobMonitor, dock: Up42Dock, hub: ConnectionHub, reader: ProjectReader) -> None:
    """Look more often while somebody looks, and at once when there is reason to."""
    dock.opened.connect(lambda: monitor.set_visible(True))
    dock.closed.connect(lambda: monitor.set_visible(False))
    dock.header.refresh_asked.connect(lambda: monitor.hurry(hub.current.id))
    hub.opened.connect(monitor.hurry)
    reader.project_read.connect(lambda project: monitor.answered(project.connection_id))
    reader.balance_read.connect(lambda connection_id, _balance: monitor.answered(connection_id))


def make_provider(connection_id: str, address: str, key: Credentials, sessions: SessionFactory) -> ServiceProvider:
    """The classic dialect's way to a project."""
    tokens = TokenProvider(grant_of(key))
    return ClassicProvider(connection_id, address, key.project_id, tokens, sessions)


def _profile_folder() -> Path:
    folder = Path(QgsApplication.qgisSettingsDirPath()) / "up42"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
