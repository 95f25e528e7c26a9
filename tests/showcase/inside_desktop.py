"""Runs inside QGIS Desktop: the main job by the dock's own buttons, a picture of the window, and out."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any, Dict, List, Optional

from qgis.core import QgsApplication, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QCheckBox, QDockWidget
from qgis.utils import iface, plugins

from up42_plugin.core.parameters import CLIP_TO_AOI
from up42_plugin.gui.confirm_dialog import ConfirmDialog
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.settings import PluginSettings

EACH_MS = 100
GIVE_UP_AFTER_MS = 200_000
DRAW_ALL_MS = 3000
WORKFLOW = "Sentinel-2 L2A → Super-resolution"


class Tour(QObject):
    """Does one step after the other, each as soon as the one before has had its effect; never blocks the window."""

    def __init__(self) -> None:
        super().__init__(iface.mainWindow())
        self._steps = [
            self._open_dock,
            self._choose_workflow,
            self._take_sample,
            self._sample_taken,
            self._test,
            self._ask_live,
            self._confirm,
            self._load,
            self._look,
            self._settle,
        ]
        self._layers: List[Any] = []
        self._waited = 0
        self._log: List[str] = []
        QgsApplication.messageLog().messageReceived.connect(self._logged)
        self._timer = QTimer(self)
        self._timer.setInterval(EACH_MS)
        self._timer.timeout.connect(self._next)
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.timeout.connect(self._too_long)

    @property
    def desk(self) -> Any:
        plugin = plugins.get("up42_plugin")
        if plugin is None or plugin.desk is None:
            raise RuntimeError("QGIS has not loaded the plugin.")
        return plugin.desk

    def start(self) -> None:
        self._limit.start(GIVE_UP_AFTER_MS)
        self._timer.start()

    def _logged(self, text: str, tag: str, _level: int) -> None:
        if tag in ("UP42", "Python warning"):
            self._log.append(text)

    def _next(self) -> None:
        try:
            if self._steps[0]():
                self._steps.pop(0)
        except Exception:
            self._finish(traceback.format_exc())
            return
        if not self._steps:
            self._finish("")

    def _open_dock(self) -> bool:
        PluginSettings(PanelLog()).set_output_folder(Path(os.environ["UP42_DESKTOP_OUTPUTS"]))
        for dock in iface.mainWindow().findChildren(QDockWidget):
            if dock.objectName() in ("Browser", "undo/redo dock"):
                dock.close()
        self.desk.dock.setUserVisible(True)
        self.desk.runs.loaded.connect(self._loaded)
        window = iface.mainWindow()
        window.setGeometry(QApplication.primaryScreen().geometry())
        layers = window.findChild(QDockWidget, "Layers")
        window.resizeDocks([layers, self.desk.dock], [390, 400], Qt.Orientation.Horizontal)
        return True

    def _choose_workflow(self) -> bool:
        combo = self.desk.dock.workflow.combo
        if combo.findText(WORKFLOW) < 0:
            return False
        combo.setCurrentIndex(combo.findText(WORKFLOW))
        return True

    def _take_sample(self) -> bool:
        QTest.mouseClick(self.desk.dock.area.sample_button, Qt.MouseButton.LeftButton)
        search = self.desk.dock.search
        search.filter.setCurrentIndex(0)
        self.desk.dock.parameters.forms[-1].editors[CLIP_TO_AOI].findChild(QCheckBox).click()
        search.limit.setValue(3)
        search.clouds.setValue(10)
        return True

    def _sample_taken(self) -> bool:
        return self.desk.new_job.selection.aoi is not None

    def _test(self) -> bool:
        return self._click(self.desk.dock.foot.test_button)

    def _ask_live(self) -> bool:
        estimated = self.desk.new_job.price.estimation is not None
        return estimated and self._click(self.desk.dock.foot.live_button)

    def _confirm(self) -> bool:
        dialogs = [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, ConfirmDialog)]
        return bool(dialogs) and self._click(dialogs[0].run_button)

    def _load(self) -> bool:
        tab = self.desk.dock.jobs
        self.desk.dock.tabs.setCurrentWidget(self.desk.dock.jobs_page)
        entries = self.desk.dashboard.jobs.list.entries(self.desk.hub.current.id)
        done = next((entry for entry in entries if entry.live and entry.succeeded), None)
        return done is not None and tab.select_job(done.key) and self._click(tab.foot.first)

    def _look(self) -> bool:
        if not self._layers:
            return False
        raster = next(layer for layer in self._layers if isinstance(layer, QgsRasterLayer))
        canvas = iface.mapCanvas()
        canvas.setDestinationCrs(raster.crs())
        extent = raster.extent()
        extent.scale(2.2)
        canvas.setExtent(extent)
        canvas.refresh()
        return True

    def _settle(self) -> bool:
        self._waited += EACH_MS
        return self._waited > DRAW_ALL_MS and not iface.mapCanvas().isDrawing()

    def _click(self, button: Any) -> bool:
        if not (button.isVisible() and button.isEnabled()):
            return False
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        return True

    def _loaded(self, run: Any, layers: List[Any]) -> None:
        if run.live:
            self._layers = layers

    def _too_long(self) -> None:
        waiting_for = self._steps[0].__name__ if self._steps else "the end"
        self._finish(f"It took too long; waiting in {waiting_for}: {self._reason()}")

    def _reason(self) -> str:
        try:
            return str(self.desk.dock.foot.reason.text)
        except RuntimeError as error:
            return str(error)

    def _finish(self, problem: str) -> None:
        self._timer.stop()
        self._limit.stop()
        QApplication.primaryScreen().grabWindow(0).save(os.environ["UP42_DESKTOP_PICTURE"])
        report: Dict[str, Any] = {
            "dock_visible": self._dock_visible(),
            "group": self._group(),
            "layers": [
                {"name": layer.name(), "source": layer.source(), "valid": layer.isValid()} for layer in self._layers
            ],
        }
        if problem:
            report["problem"] = problem
            report["log"] = self._log
        Path(os.environ["UP42_DESKTOP_REPORT"]).write_text(json.dumps(report, indent=2), encoding="utf-8")
        self._layers = []
        QTimer.singleShot(0, self._leave)

    def _dock_visible(self) -> bool:
        dock = iface.mainWindow().findChild(QDockWidget, "Up42Dock")
        return dock is not None and dock.isVisible()

    def _group(self) -> Optional[str]:
        if not self._layers:
            return None
        node = QgsProject.instance().layerTreeRoot().findLayer(self._layers[0].id())
        return node.parent().name() if node is not None else None

    def _leave(self) -> None:
        QgsProject.instance().clear()
        QgsProject.instance().setDirty(False)
        iface.actionExit().trigger()


tour = Tour()
QTimer.singleShot(1000, tour.start)
