"""The main job with no account and no display: a selected feature becomes satellite layers.

Drives the real plugin, through its dock, against the sandbox that the plugin starts itself; prints each step as it
happens and leaves ``build/demo/`` with ``map.png``, ``dock.png`` and ``report.json``.

usage: demo.py [AREA.geojson]
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).resolve().parent)]

from headless import HeadlessInterface, start_qgis, wait_for  # noqa: E402
from qgis.core import QgsMapLayer, QgsProject, QgsRasterLayer, QgsVectorLayer  # noqa: E402
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime  # noqa: E402
from qgis.PyQt.QtTest import QTest  # noqa: E402
from qgis.PyQt.QtWidgets import QApplication  # noqa: E402

from tests.dock_steps import clip_to_area  # noqa: E402
from tests.job_rows import JobRow  # noqa: E402
from up42_plugin.core.jobs import JobState  # noqa: E402
from up42_plugin.core.run import Phase, Run  # noqa: E402
from up42_plugin.gui.confirm_dialog import ConfirmDialog  # noqa: E402
from up42_plugin.gui.desk import Desk  # noqa: E402
from up42_plugin.gui.run_texts import line_of  # noqa: E402
from up42_plugin.gui.texts import credits_text, minutes_text  # noqa: E402
from up42_plugin.plugin import Up42Plugin  # noqa: E402
from up42_plugin.qgis_bridge.log import PanelLog  # noqa: E402
from up42_plugin.qgis_bridge.settings import PluginSettings  # noqa: E402

OUT = ROOT / "build" / "demo"
SAMPLE = ROOT / "resources" / "sample" / "taormina.geojson"
WORKFLOW = "Sentinel-2 L2A → Super-resolution"
DOCK_SIZE = (420, 1000)
SETTLING_S = 0.5


def say(text: str) -> None:
    """One line of what happens, at once."""
    print(text, flush=True)  # noqa: T201 - the demo talks to the person


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


class Demo:
    """The steps of the main job, in the order a person takes them."""

    def __init__(self, area: Path) -> None:
        self._area = area
        self._seconds: Dict[str, float] = {}
        self._clock = time.monotonic()
        self._iface = HeadlessInterface()
        self._iface.window.resize(1500, 950)
        self._iface.window.show()
        self._plugin = Up42Plugin(self._iface)
        self._layers: List[QgsMapLayer] = []
        self._last: Optional[Run] = None

    @property
    def desk(self) -> Desk:
        desk = self._plugin.desk
        assert desk is not None
        return desk

    def run(self) -> Dict[str, Any]:
        """Carry the whole job out and return the report."""
        PluginSettings(PanelLog()).set_output_folder(OUT / "outputs")
        self._start()
        self._select()
        scenes = self._test_query("Test query")
        newest = scenes.scenes[0]
        say(f"  newest: {newest.scene_id}, clouds {newest.cloud_cover} %")
        self.desk.dock.search.choose_scene(newest.scene_id)
        wait_for(lambda: self.desk.new_job.ready.can_test, "the form to accept the scene")
        self._test_query("Test query of exactly that scene")
        estimation = self._estimate()
        live = self._live_job()
        self._load(live)
        report = {
            "aoi_km2": round(live.configuration.aoi.area_km2, 4) if live.configuration.aoi else None,
            "scenes": len(scenes.scenes),
            "estimate": estimation,
            "job_id": live.job.id if live.job else None,
            "states": list(live.words),
            "files": sorted(str(path.relative_to(OUT)) for path in (OUT / "outputs").rglob("*") if path.is_file()),
            "layers": [
                {
                    "name": layer.name(),
                    "source": layer.source(),
                    "crs": layer.crs().authid(),
                    "valid": layer.isValid(),
                }
                for layer in self._layers
            ],
            "seconds": self._seconds,
        }
        self._pictures()
        return report

    def close(self) -> None:
        """Unload the plugin: the sandbox ends with it."""
        self._plugin.unload()
        self._layers = []
        QgsProject.instance().clear()
        self._iface.close()

    def _took(self, step: str) -> float:
        now = time.monotonic()
        seconds, self._clock = now - self._clock, now
        self._seconds[step] = round(seconds, 2)
        return seconds

    def _start(self) -> None:
        say("Starting the plugin and its sandbox …")
        self._plugin.initGui()
        self.desk.dock.setUserVisible(True)
        self.desk.dock.resize(*DOCK_SIZE)
        combo = self.desk.dock.workflow.combo
        wait_for(lambda: combo.findText(WORKFLOW) >= 0, "the sandbox and its workflows")
        combo.setCurrentIndex(combo.findText(WORKFLOW))
        wait_for(lambda: "credits" in self.desk.dock.header.balance_text, "the balance")
        say(f"  ready in {self._took('start'):.1f} s; workflow: {self.desk.dock.workflow.current.chain}")

    def _select(self) -> None:
        say(f"Loading {self._area.name} and selecting its feature …")
        layer = QgsVectorLayer(str(self._area), self._area.stem, "ogr")
        if not layer.isValid() or layer.featureCount() == 0:
            raise DemoError(f"{self._area} is not a vector file with features.")
        QgsProject.instance().addMapLayer(layer)
        layer.select(next(layer.getFeatures()).id())
        tracker_state = lambda: self.desk.new_job.selection  # noqa: E731
        wait_for(lambda: tracker_state().aoi is not None or tracker_state().error is not None, "the area")
        error = tracker_state().error
        if error is not None:
            raise DemoError(f"The selected feature cannot be the area: {error.user_message}")
        aoi = tracker_state().aoi
        say(f"  area: {aoi.area_km2:.2f} km², {aoi.source} ({self._took('select'):.1f} s)")
        search = self.desk.dock.search
        search.filter.setCurrentIndex(0)
        clip_to_area(self.desk.dock)
        search.limit.setValue(10)
        search.clouds.setValue(5)
        search.end.setDateTime(QDateTime(QDate.currentDate(), QTime(0, 0)))
        search.start.setDateTime(QDateTime(QDate.currentDate().addYears(-1), QTime(0, 0)))

    def _test_query(self, title: str) -> Run:
        say(f"{title} (free) …")
        wait_for(
            lambda: self.desk.new_job.ready.can_test, f"a form that can be tested: {self.desk.new_job.ready.reason}"
        )
        run = self._follow(lambda: self._click(self.desk.dock.foot.test_button), lambda run: run.phase is Phase.LOADED)
        if not run.scenes:
            raise DemoError("The test query found no scenes there.")
        say(f"  {len(run.scenes)} scene(s) found, quicklooks on the map ({self._took(title.lower()):.1f} s)")
        return run

    def _estimate(self) -> Dict[str, float]:
        say("Estimation …")
        wait_for(
            lambda: self.desk.new_job.price.estimation is not None and not self.desk.new_job.price.updating, "a price"
        )
        estimation = self.desk.new_job.price.estimation
        cost = estimation.credits
        say(f"  {credits_text(cost)}, {minutes_text(estimation.seconds)} ({self._took('estimation'):.1f} s)")
        return {"credits_min": cost.minimum, "credits_max": cost.maximum}

    def _live_job(self) -> Run:
        say("Live job: confirming the price …")
        self._click(self.desk.dock.foot.live_button)
        dialog = self._dialog()
        wait_for(dialog.run_button.isEnabled, "the price in the confirmation")
        say(f"  {dialog.heading.text()}")

        def confirm() -> None:
            self._click(dialog.run_button)

        run = self._follow(confirm, lambda run: run.credits_charged is not None and run.job.state.terminal, live=True)
        if run.state is not JobState.SUCCEEDED:
            raise DemoError(f"The live job did not succeed: {run.message}")
        say(f"  {run.credits_charged} credits charged ({self._took('live job'):.1f} s)")
        return run

    def _load(self, live: Run) -> None:
        say("Output: download, unpack, prepare, load …")
        self.desk.runs.loaded.connect(self._keep_layers)
        row = JobRow(self.desk, live)
        self._follow(lambda: self._click(row.first), lambda run: run.phase is Phase.LOADED, live=True)
        for layer in self._layers:
            say(f"  layer {layer.name()}: {layer.crs().authid()}, {layer.source()}")
        say(f"  loaded ({self._took('output'):.1f} s)")

    def _keep_layers(self, _run: Run, layers: List[QgsMapLayer]) -> None:
        self._layers = layers

    def _dialog(self) -> ConfirmDialog:
        def found() -> List[ConfirmDialog]:
            return [widget for widget in QApplication.topLevelWidgets() if isinstance(widget, ConfirmDialog)]

        wait_for(lambda: bool(found()), "the confirmation")
        return found()[0]

    def _click(self, button: Any) -> None:
        wait_for(button.isEnabled, f"the button {button.text()!r}: {self.desk.new_job.ready.reason}")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def _follow(self, begin: Any, over: Any, live: bool = False) -> Run:
        """Begin something and wait for the run it starts or continues, telling how it goes on meanwhile."""
        told: List[str] = []
        seen: List[Run] = []

        def changed(run: Run) -> None:
            if run.live is not live:
                return
            seen.append(run)
            line = line_of(run)
            if line and line not in told[-1:]:
                told.append(line)
                say(f"  · {line}")

        self.desk.runs.changed.connect(changed)
        try:
            begin()
            wait_for(lambda: bool(seen) and (over(seen[-1]) or _failed(seen[-1])), "the job", seconds=240)
        finally:
            self.desk.runs.changed.disconnect(changed)
        if not over(seen[-1]):
            raise DemoError(f"It failed: {seen[-1].message or seen[-1].state}")
        return seen[-1]

    def _pictures(self) -> None:
        canvas = self._iface.canvas
        rasters = [layer for layer in self._layers if isinstance(layer, QgsRasterLayer)]
        dock = self.desk.dock
        dock.setFloating(True)
        dock.resize(*DOCK_SIZE)
        wait_for(lambda: dock.width() >= DOCK_SIZE[0], "the dock's size")
        settled = time.monotonic() + SETTLING_S
        wait_for(lambda: time.monotonic() > settled, "the dock's layout")
        dock.grab().save(str(OUT / "dock.png"))
        if rasters:
            canvas.setDestinationCrs(rasters[0].crs())
            extent = rasters[0].extent()
            extent.scale(1.6)
            canvas.setExtent(extent)
            wait_for(lambda: rasters[0] in canvas.layers(), "the layer on the map")
        canvas.refresh()
        canvas.waitWhileRendering()
        canvas.grab().save(str(OUT / "map.png"))
        self._took("pictures")


def _failed(run: Run) -> bool:
    state = run.state
    return run.phase is Phase.NOT_SUBMITTED or (
        state is not None and state.terminal and state is not JobState.SUCCEEDED
    )


def main(arguments: List[str]) -> int:
    """Run the demo on the sample area or the one given; 0 when everything went well."""
    area = Path(arguments[0]).resolve() if arguments else SAMPLE
    if not area.is_file():
        say(f"There is no file {area}.")
        return 2
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    application = start_qgis()
    begun = time.monotonic()
    demo = Demo(area)
    report = None
    try:
        report = demo.run()
    except (DemoError, TimeoutError) as error:
        say(f"The demo stopped: {error}")
    finally:
        demo.close()
    if report is not None:
        report["seconds"]["total"] = round(time.monotonic() - begun, 2)
        (OUT / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False), encoding="utf-8")
        say(f"Done in {report['seconds']['total']:.0f} s: {OUT.relative_to(ROOT)}/ has map.png, dock.png, report.json.")
    del demo
    application.exitQgis()
    return 0 if report is not None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
