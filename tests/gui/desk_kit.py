"""The dock and everything behind it except the service, which is staged."""

from __future__ import annotations

from datetime import timedelta

from qgis.core import QgsApplication, QgsFeature, QgsGeometry, QgsProject, QgsRectangle, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QObject, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QPushButton

from tests.job_rows import JobRow
from tests.showcase.headless import HeadlessInterface
from tests.staged_connections import ENTRANCE, SESSION, STORED, StagedCredentials, StagedSandbox
from tests.staged_provider import StagedProvider
from up42_plugin.core.jobs import Mode
from up42_plugin.core.ledger import Ledger
from up42_plugin.core.ledger_queue import LedgerQueue
from up42_plugin.core.monitoring import Pace
from up42_plugin.core.run import Phase
from up42_plugin.core.service import Limits
from up42_plugin.core.storage import OutputFolders
from up42_plugin.core.submission import Pace as WaitPace
from up42_plugin.core.submission import Submitter, Waits
from up42_plugin.gui.area_outline import AreaOutline
from up42_plugin.gui.confirm_dialog import ConfirmDialog
from up42_plugin.gui.connection_dialog import ConnectionDialog
from up42_plugin.gui.desk import Desk
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.job_details import JobDetails
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.recipe_desk import RecipeDesk
from up42_plugin.qgis_bridge.area_sources import AreaSource
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.monitor import JobMonitor
from up42_plugin.qgis_bridge.network import QgisNetwork
from up42_plugin.qgis_bridge.presets import PresetStore
from up42_plugin.qgis_bridge.pricing import Pricing
from up42_plugin.qgis_bridge.project_data import ProjectReader
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.selection import SelectionTracker
from up42_plugin.qgis_bridge.settings import PluginSettings
from up42_plugin.qgis_bridge.settling import Settler
from up42_plugin.qgis_bridge.slots import SlotWatch
from up42_plugin.qgis_bridge.spending import SpendingBook

WAIT_MS = 20_000
QUICK = Waits(
    slot=WaitPace(0.01, 0.02),
    rate=WaitPace(0.01, 0.02),
    lookup=WaitPace(0.01, 0.02),
    shows_within=timedelta(seconds=0.2),
)
TAORMINA = (
    "Polygon ((15.282326 37.854051, 15.281897 37.843275, 15.301208 37.843139, 15.301809 37.853577, "
    "15.282326 37.854051))"
)


class DeskKit(QObject):
    """A desk on a map window. ``services`` are the staged providers by connection id."""

    def __init__(self, runner, log, folder, qtbot):
        super().__init__()
        self.qtbot, self.folder, self._runner = qtbot, folder, runner
        self.services = {name: StagedProvider(name) for name in ("sandbox", "account", "guest")}
        self.notice = ""
        self.told = []
        self.iface = HeadlessInterface()
        self.iface.window.resize(1000, 900)
        self.iface.window.show()
        self.iface.bar.widgetAdded.connect(lambda item: self.told.append(item.text()))
        self.settings = PluginSettings(log)
        self.settings.set_output_folder(folder / "outputs")
        self.settings.save_connections([STORED, SESSION])
        self.credentials, self.sandbox, self.network = StagedCredentials(), StagedSandbox(), QgisNetwork("1.0")
        self.hub = ConnectionHub(
            settings=self.settings,
            credentials=self.credentials,
            network=self.network,
            sandbox=self.sandbox,
            make_provider=lambda connection_id, *_: self.services.setdefault(
                connection_id, StagedProvider(connection_id)
            ),
            log=log,
        )
        self.ledger = Ledger(folder / "ledger.sqlite")
        self.monitor = JobMonitor(runner, self.hub.provider_of, lambda _id: Pace(0.01, 0.05))
        self.settler = Settler(runner, self.ledger, self._submitter_of, self.hub.provider_of, first_pause_ms=10)
        self.runs = RunController(
            runner=runner,
            monitor=self.monitor,
            submitter_of=self._submitter_of,
            settler=self.settler,
            loader=LayerLoader(QgsProject.instance()),
            provider_of=self.hub.provider_of,
            connection_name=self.hub.name_of,
            folders=lambda: OutputFolders(folder / "outputs"),
        )
        self.ledger_queue = LedgerQueue(self.ledger)
        self.queue = JobQueue(runner, self.runs, self.ledger_queue, self.hub.provider_of, pace=WaitPace(0.01, 0.05))
        self.slots = SlotWatch(runner, self.runs, self.hub.provider_of)
        self.dock = Up42Dock(self.iface.window)
        self.iface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.dock)
        self.dock.hide()
        self.tracker = SelectionTracker(QgsProject.instance())
        self.area_source = AreaSource(self.tracker, QgsProject.instance(), runner)
        self.pricing = Pricing(runner)
        self.outline = AreaOutline(self.iface.canvas, QgsProject.instance())
        self.spending = SpendingBook(runner, self.ledger, self.settings.spending_limits, log)
        provider = self.hub.current_provider
        self.new_job = NewJob(
            dock=self.dock,
            details=JobDetails(self.dock),
            tracker=self.area_source,
            pricing=self.pricing,
            provider=provider,
            over_limit=self.spending.problem,
            slots_taken=self.slots.sentence,
        )
        recipes = RecipeDesk(
            dock=self.dock, new_job=self.new_job, presets=PresetStore(log), runner=runner, provider=provider
        )
        self.desk = Desk(
            self.iface,
            dock=self.dock,
            new_job=self.new_job,
            area_source=self.area_source,
            recipes=recipes,
            hub=self.hub,
            reader=ProjectReader(runner),
            runs=self.runs,
            queue=self.queue,
            slots=self.slots,
            settler=self.settler,
            runner=runner,
            outline=self.outline,
            settings=self.settings,
            log=log,
            spending=self.spending,
            ledger=self.ledger,
            monitor=self.monitor,
        )
        self.history = {}
        self.runs.changed.connect(self._changed)

    def _submitter_of(self, connection_id):
        return Submitter(self.ledger, connection_id, waits=QUICK)

    def _changed(self, run):
        self.history.setdefault(run.key, []).append(run)

    def close(self):
        self.desk.close()
        self.outline.close()
        self.pricing.stop()
        self.area_source.close()
        self.tracker.close()
        self.monitor.stop()
        assert self._runner.shutdown()
        for service in self.services.values():
            service.forget()
        self.network.close()
        self.iface.removeDockWidget(self.dock)
        self.dock.deleteLater()
        self.iface.close()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    # -- what a person does

    def open(self, connected=True):
        """Open the dock; the sandbox answers, and the project is there."""
        self.dock.show()
        if connected:
            self.sandbox.started.emit(ENTRANCE)
            self.wait(lambda: self.dock.workflow.current is not None)
            self.wait(lambda: "credits" in self.dock.header.balance_text)
        return self

    def select(self, wkt=TAORMINA, name="taormina"):
        """A new polygon layer with one selected feature."""
        layer = QgsVectorLayer("Polygon?crs=EPSG:4326", name, "memory")
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        layer.dataProvider().addFeatures([feature])
        QgsProject.instance().addMapLayer(layer)
        layer.selectAll()
        self.tracker.refresh()
        return layer

    def select_areas(self, number=3):
        """So many selected features, each of them to be a job of its own; returns the areas."""
        layer = QgsVectorLayer("Polygon?crs=EPSG:4326", "area", "memory")
        for index in range(number):
            west = 15.28 + index / 20
            feature = QgsFeature()
            feature.setGeometry(QgsGeometry.fromRect(QgsRectangle(west, 37.84, west + 0.02, 37.85)))
            layer.dataProvider().addFeatures([feature])
        QgsProject.instance().addMapLayer(layer)
        layer.selectAll()
        self.tracker.refresh()
        self.area_source.set_per_feature(True)
        self.wait(lambda: len(self.new_job.selection.areas) == number)
        return self.new_job.selection.areas

    def ready_to_test(self):
        """The dock open, an area selected, and the test query possible."""
        self.open()
        layer = self.select()
        self.wait(lambda: self.new_job.ready.can_test)
        return layer

    def click(self, button):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def start_test_query(self):
        """Click, and wait until the service has the job; returns its run."""
        before = set(self.history)
        self.click(self.foot.test_button)
        self.wait(lambda: set(self.history) - before)
        (key,) = set(self.history) - before
        self.wait(lambda: self.run(key).job is not None)
        return self.run(key)

    def tested(self):
        """A form whose test query succeeded, and its price: both ways are open."""
        self.ready_to_test()
        run = self.start_test_query()
        self.service.set(run.job.id, "SUCCEEDED")
        self.wait(lambda: self.run(run.key).phase is Phase.LOADED)
        self.wait(lambda: self.new_job.price.estimation is not None and self.new_job.ready.can_run_live)
        return run

    def tested_batch(self, number=3, slots=1):
        """A batch whose areas all have scenes, and its price."""
        self.service.answers["limits"] = Limits(slots, 500, 100.0)
        self.open()
        self.select_areas(number)
        self.wait(lambda: self.new_job.ready.can_test)
        self.click(self.foot.test_button)
        self.finish_test_queries(number)
        self.wait(lambda: self.new_job.price.jobs == number and self.new_job.ready.can_run_live)

    def finish_test_queries(self, number):
        """Have the service do so many test queries, as they come."""
        before = len([run for run in self.runs.all() if run.phase is Phase.LOADED and not run.live])

        def all_done():
            for job in list(self.service.jobs.values()):
                if job.mode is Mode.TEST_QUERY and not job.state.terminal:
                    self.service.set(job.id, "SUCCEEDED")
            return (
                len([run for run in self.runs.all() if run.phase is Phase.LOADED and not run.live]) == before + number
            )

        self.wait(all_done)

    def confirmation(self):
        """Click on Run Live Job and wait for the question with its price."""
        self.click(self.foot.live_button)
        self.wait(lambda: self.dialog(ConfirmDialog) is not None)
        dialog = self.dialog(ConfirmDialog)
        self.wait(lambda: dialog.run_button.text() != "Reading the price…")
        return dialog

    # -- what a person sees

    @property
    def foot(self):
        return self.dock.foot

    @property
    def service(self):
        """The staged service of the current connection."""
        return self.services[self.hub.current.id]

    def run(self, key):
        return self.runs.run_of(key)

    def live_runs(self):
        return [key for key in self.history if self.run(key).live]

    def row(self, run):
        """The run's row in the list of jobs."""
        return JobRow(self.desk, self.run(getattr(run, "key", run)))

    def line(self, run):
        """What its row says."""
        return self.row(run).line

    def told_action(self, text):
        """The button with this text in the newest message that has one."""
        buttons = [button for button in self.iface.bar.findChildren(QPushButton, "runAction") if button.text() == text]
        return buttons[-1] if buttons else None

    def reason(self):
        return self.foot.reason.text

    def dialog(self, kind=ConnectionDialog):
        return next(
            (found for found in QApplication.topLevelWidgets() if isinstance(found, kind) and found.isVisible()), None
        )

    def wait(self, condition):
        self.qtbot.waitUntil(lambda: bool(condition()), timeout=WAIT_MS)

    def connecting_again(self):
        """The connection is opened once more."""
        self.desk.connecting.opened.emit(self.hub.current.id)
        self.qtbot.wait(150)

    def stays(self, still):
        """Some moments in which something stays as it is."""
        self.qtbot.wait(150)
        assert still()

    def idle(self):
        """Wait until nothing goes on in the background."""
        self.wait(lambda: not QgsApplication.taskManager().count())
