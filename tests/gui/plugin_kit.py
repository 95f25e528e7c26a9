"""The whole plugin in a window of real widgets, and the service's own word on what it did there."""

from __future__ import annotations

import functools
import gc
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from qgis.core import QgsApplication, QgsFeature, QgsGeometry, QgsMapLayer, QgsProject, QgsSettings, QgsVectorLayer
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QSize, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QAbstractButton, QApplication
from sandbox_process import RunningSandbox
from strict_interface import StrictInterface

from tests.dock_steps import clip_to_area
from tests.job_rows import JobRow, show_page
from up42_plugin import plugin as plugin_module
from up42_plugin.api import transport
from up42_plugin.api.retrying import RetryPolicy
from up42_plugin.core import fetching
from up42_plugin.core.connections import Connection, ConnectionKind, ProjectKey
from up42_plugin.core.jobs import JobState
from up42_plugin.core.ledger import Ledger, RecordedJob
from up42_plugin.core.monitoring import Pace
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.storage import OutputFolders
from up42_plugin.core.submission import Pace as WaitPace
from up42_plugin.core.submission import Submitter, Waits
from up42_plugin.core.transfer import TransferPolicy
from up42_plugin.gui.confirm_dialog import ConfirmDialog
from up42_plugin.gui.desk import Desk
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.plugin import Up42Plugin
from up42_plugin.qgis_bridge import hub as hub_module
from up42_plugin.qgis_bridge.job_queue import JobQueue
from up42_plugin.qgis_bridge.layer_metadata import JOB_ID
from up42_plugin.qgis_bridge.log import TAB, PanelLog
from up42_plugin.qgis_bridge.settings import PluginSettings
from up42_plugin.qgis_bridge.settling import Settler
from up42_plugin.qgis_bridge.stand_in import STAND_IN

# Job clocks that leave nothing but the real computing.
SPEED = ("--speed", "2000", "--faults")
LIMIT_S = 90.0

SUPERRESOLUTION = "Sentinel-2 L2A → Super-resolution"
SHARPENING = "Sentinel-2 visual → Sharpening"
NDVI = "Pléiades → NDVI"
ANALYTIC = "Sentinel-2 analytic"

TAORMINA = (
    "Polygon ((15.282326 37.854051, 15.281897 37.843275, 15.301208 37.843139, 15.301809 37.853577, "
    "15.282326 37.854051))"
)
# About a third of a square kilometre, coast and hills.
SMALL = "Polygon ((15.2900 37.8440, 15.2980 37.8440, 15.2980 37.8500, 15.2900 37.8500, 15.2900 37.8440))"


def wait_for(
    condition: Callable[[], Any], what: str, seconds: float = LIMIT_S, of: Optional[Callable[[], str]] = None
) -> Any:
    """Run the event loop until ``condition`` gives something true, and return that; ``of`` tells what is the case."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds:.0f} s for {what}; {of() if of is not None else ''}"
        turn()
        time.sleep(0.005)


def turn() -> None:
    """One turn of the event loop, deletions included."""
    QCoreApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


class PluginKit:
    """The plugin with its dock open, driven as a person does. ``folder`` holds its ledger, outputs and sandbox."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs = folder / "outputs"
        self.runs: Dict[str, Run] = {}
        self.ended: List[Run] = []
        self.loaded: List[Tuple[Run, List[QgsMapLayer]]] = []
        self.lines: List[str] = []
        self.iface = StrictInterface()
        self.iface.window.show()
        QgsApplication.messageLog().messageReceived.connect(self._logged)
        PluginSettings(PanelLog()).set_output_folder(self.outputs)
        self.plugin = Up42Plugin(self.iface)
        self.connection: Optional[Connection] = None

    # coming and going

    def start(self) -> None:
        """Load the plugin, its dock still closed."""
        self.plugin.initGui()
        runs = self.desk.runs
        runs.changed.connect(self._changed)
        runs.ended.connect(self.ended.append)
        runs.loaded.connect(lambda run, layers: self.loaded.append((run, layers)))

    def connect(self, sandbox: RunningSandbox, key: Optional[str] = None, ready: bool = True) -> Connection:
        """Add an account's connection to a sandbox, as after Add Connection, and open the dock."""
        project_key = ProjectKey(sandbox.project_id, sandbox.project_api_key if key is None else key)
        self.connection = self.desk.hub.add("Test service", sandbox.base_url, project_key, False)
        self.dock.setUserVisible(True)
        self.dock.resize(QSize(420, 860))
        if ready:
            self.wait_until_ready()
        return self.connection

    def wait_until_ready(self) -> None:
        """The project's workflows and the balance are there."""
        wait_for(lambda: self.dock.workflow.current is not None, "the workflows", of=self.situation)
        wait_for(lambda: "credits" in self.dock.header.balance_text, "the balance")

    def unload(self) -> None:
        """Take the plugin away, and see that it left nothing in the interface."""
        self.plugin.unload()
        turn()
        self.iface.check()
        assert not [line for line in self.lines if plugin_module.UNLOADING in line]

    def close(self) -> None:
        """Unload, empty the project and close the window."""
        try:
            if self.plugin.desk is not None:
                self.plugin.unload()
        finally:
            self.loaded.clear()
            QgsApplication.messageLog().messageReceived.disconnect(self._logged)
            QgsProject.instance().clear()
            self.iface.close()
            turn()
            gc.collect()
        self.iface.check()

    # what there is to see

    @property
    def desk(self) -> Desk:
        desk = self.plugin.desk
        assert desk is not None
        return desk

    @property
    def dock(self) -> Any:
        return self.desk.dock

    @property
    def reason(self) -> str:
        """The line above the two buttons."""
        return self.dock.foot.reason.text

    @property
    def told(self) -> List[str]:
        """What the message bar was given, oldest first."""
        return self.iface.told

    def able(self) -> List[bool]:
        """Whether the two buttons, for a test query and a live job, are open."""
        return [button.isEnabled() for button in (self.dock.foot.test_button, self.dock.foot.live_button)]

    def assert_no_trace(self) -> None:
        """No files, no layers of ours, nothing in the task manager."""
        idle()
        assert self.files() == []
        assert self.layers() == []

    def situation(self) -> str:
        """What the dock shows, for messages of failed tests."""
        rows = [self.line(run) for run in self.runs.values()]
        tasks = [task.description() for task in QgsApplication.taskManager().tasks()]
        said = f"{self.reason!r}, rows {rows}, told {self.told[-3:]}, log {self.lines[-3:]}"
        return f"buttons {self.able()}, {said}, tasks {tasks}"

    def line(self, run: Run) -> str:
        """What the run's row in the list of jobs says."""
        return self.row(run).line

    def row(self, run: Run) -> JobRow:
        """The run's row in the list of jobs."""
        return JobRow(self.desk, self.runs[run.key])

    def loadable(self, run: Run) -> bool:
        """Whether its output can be loaded now."""
        return self.row(run).can(JobCommand.LOAD_OUTPUT) or self.row(run).can(JobCommand.RESUME)

    def cancellable(self, run: Run) -> bool:
        """Whether there is something to be cancelled or stopped."""
        return self.row(run).can(JobCommand.CANCEL) or self.row(run).can(JobCommand.STOP_LOADING)

    def recorded(self) -> Tuple[RecordedJob, ...]:
        """What the ledger has of the connection, newest first."""
        assert self.connection is not None
        return Ledger(self.folder / "profile" / "ledger.sqlite").jobs(self.connection.id)

    def layers(self) -> List[str]:
        """The names of the project's layers of ours, those with a job ID, without what only stands in."""
        return sorted(layer.name() for layer in _ours() if not layer.customProperty(STAND_IN))

    def stand_ins(self) -> List[str]:
        """The names of the layers that stand in for outputs."""
        return sorted(layer.name() for layer in _ours() if layer.customProperty(STAND_IN))

    def states(self) -> List[str]:
        """The ledger's word on every submission of the connection, newest job first."""
        return [submission.state.value for job in self.recorded() for submission in job.submissions]

    def files(self) -> List[str]:
        """Every file and folder below the outputs folder, relative to it."""
        return sorted(str(path.relative_to(self.outputs)) for path in self.outputs.rglob("*"))

    def outputs_of(self, run: Run) -> Path:
        """The folder of a run's job below the outputs folder, there or not."""
        job = self.runs[run.key].job
        assert job is not None
        return OutputFolders(self.outputs).job_folder(run.name, job.id)

    def files_of(self, run: Run) -> List[str]:
        """Every file below a run's folder, relative to it."""
        folder = self.outputs_of(run)
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))

    # what a person does

    def area(self, wkt: str = TAORMINA, kind: str = "Polygon", crs: str = "EPSG:4326") -> QgsVectorLayer:
        """Add a layer with one feature to the project, select it, and see the dock take notice."""
        layer = QgsVectorLayer(f"{kind}?crs={crs}", "area", "memory")
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        layer.dataProvider().addFeatures([feature])
        QgsProject.instance().addMapLayer(layer)
        layer.selectAll()
        wait_for(lambda: self.desk.new_job.selection.layer_id == layer.id(), "the dock to follow the selection")
        return layer

    def choose(self, workflow: str, limit: int = 1, clouds: int = 20) -> None:
        """Choose a workflow, what to search for, and have the output clipped to the area."""
        combo = self.dock.workflow.combo
        index = wait_for(lambda: combo.findText(workflow) + 1, f"the workflow {workflow}") - 1
        combo.setCurrentIndex(index)
        self.dock.search.limit.setValue(limit)
        self.dock.search.clouds.setValue(clouds)
        clip_to_area(self.dock)

    def click(self, button: QAbstractButton) -> None:
        """Click with the mouse, once the button is open."""
        show_page(button)
        wait_for(lambda: button.isVisible() and button.isEnabled(), f"the button {button.text()!r}", of=self.situation)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def begin_test_query(self) -> Run:
        """Click Run Test Query."""
        return self.begun(lambda: self.click(self.dock.foot.test_button))

    def test_query(self) -> Run:
        """A whole test query, its scenes read and its layers added."""
        run = self.begin_test_query()
        self.wait(run, lambda now: now.phase is Phase.LOADED, "the test query's scenes")
        return self.runs[run.key]

    def dialog(self) -> ConfirmDialog:
        """Click Run Live Job…, and wait for the confirmation and its price."""
        self.click(self.dock.foot.live_button)
        dialog = wait_for(confirmation, "the confirmation", of=self.situation)
        wait_for(lambda: dialog.price_labels["estimation"].text() != "…", "the price in the confirmation")
        return dialog

    def begin_live_job(self) -> Run:
        """Click Run Live Job…, and Run in the confirmation."""
        dialog = self.dialog()
        return self.begun(lambda: self.click(dialog.run_button))

    def live_job(self) -> Run:
        """A whole live job up to its credits; not loaded yet."""
        run = self.begin_live_job()
        self.wait(run, lambda now: now.succeeded and now.credits_charged is not None, "the live job")
        return self.runs[run.key]

    def load(self, run: Run) -> List[QgsMapLayer]:
        """Click Load (Again), and wait for the layers."""
        before = len(self.loaded)
        self.begin_load(run)
        wait_for(
            lambda: len(self.loaded) > before or not self.runs[run.key].busy,
            "the layers",
        )
        assert len(self.loaded) > before, f"not loaded: {self.line(run)}"
        wait_for(lambda: not self.stand_ins(), "the real layers to be drawn")
        return self.loaded[-1][1]

    def begin_load(self, run: Run) -> None:
        """Select the job in the list and click Load Output."""
        wait_for(lambda: self.loadable(run), "the output to be there for loading", of=self.situation)
        self.click(self.row(run).first)

    def cancel(self, run: Run) -> None:
        """Stop loading, or Cancel Job… in the run's menu, with yes."""
        row = self.row(run)
        if row.can(JobCommand.STOP_LOADING):
            row.do(JobCommand.STOP_LOADING)
        else:
            row.cancel(lambda condition: wait_for(condition, "cancelling to be offered", of=self.situation))

    def wait(self, run: Run, over: Callable[[Run], bool], what: str) -> Run:
        """Wait until something is so of a run; a run that has ended otherwise is not waited for."""
        wait_for(lambda: over(self.runs[run.key]) or self._failed(run.key), what, of=self.situation)
        now = self.runs[run.key]
        assert over(now), f"{what}: {now.phase} {now.state} {now.message!r}; {self.lines[-5:]}"
        return now

    def _failed(self, key: str) -> bool:
        now = self.runs[key]
        if now.phase is Phase.NOT_SUBMITTED:
            return True
        return now.state in (JobState.FAILED, JobState.ERROR, JobState.CANCELLED) and not now.busy

    def begun(self, begin: Callable[[], None]) -> Run:
        """Do what begins a run, and give that run."""
        before = set(self.runs)
        begin()
        key = wait_for(lambda: next(iter(set(self.runs) - before), None), "a new run", of=self.situation)
        return self.runs[key]

    def _changed(self, run: Run) -> None:
        self.runs[run.key] = run

    def _logged(self, text: str, tag: str, _level: int) -> None:
        if tag == TAB:
            self.lines.append(text)


def confirmation() -> Optional[ConfirmDialog]:
    """The confirmation of a live job that is open, if any."""
    windows = QApplication.topLevelWidgets()
    return next((window for window in windows if isinstance(window, ConfirmDialog) and window.isVisible()), None)


def idle() -> None:
    """Wait until QGIS's task manager has nothing to do."""
    manager = QgsApplication.taskManager()
    wait_for(lambda: manager.count() == 0, f"the task manager: {[task.description() for task in manager.tasks()]}")


@contextmanager
def plugin_in(folder: Path, started: bool = True) -> Iterator[PluginKit]:
    """The plugin, loaded if ``started``, with everything of its own in ``folder``; it waits less than with people."""
    profile = folder / "profile"
    profile.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        _forget_settings()
        patch.setattr(plugin_module, "_profile_folder", lambda: profile)
        patch.setattr(plugin_module, "sandbox_data_dir", lambda: profile / "sandbox")
        patch.setattr(plugin_module, "Submitter", functools.partial(Submitter, waits=_WAITS))
        patch.setattr(fetching, "fetch_output", functools.partial(fetching.fetch_output, policy=_STUBBORN))
        patch.setattr(plugin_module, "JobQueue", functools.partial(JobQueue, pace=WaitPace(0.1, 0.3)))
        patch.setattr(plugin_module, "Settler", functools.partial(Settler, first_pause_ms=200))
        patch.setattr(transport, "RetryPolicy", functools.partial(RetryPolicy, base=0.1))
        patch.setattr(hub_module, "_PACES", dict.fromkeys(ConnectionKind, Pace(0.1, 1.0)))
        kit = PluginKit(folder)
        try:
            if started:
                kit.start()
            yield kit
        finally:
            kit.close()
            _forget_settings()
    idle()


_WAITS = Waits(
    slot=WaitPace(0.2, 0.5),
    rate=WaitPace(0.1, 0.5),
    lookup=WaitPace(0.1, 0.5),
    shows_within=timedelta(seconds=1),  # the sandbox shows a new job at once
)
_STUBBORN = TransferPolicy(attempts=3, first_wait=0.1, longest_wait=0.5)


def _forget_settings() -> None:
    settings = QgsSettings()
    settings.beginGroup("up42", QgsSettings.Section.Plugins)
    settings.remove("")
    settings.endGroup()


def _ours() -> List[QgsMapLayer]:
    return [layer for layer in QgsProject.instance().mapLayers().values() if layer.customProperty(JOB_ID)]
