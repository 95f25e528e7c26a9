"""Where the area is taken from, after QGIS was closed and opened again."""

from __future__ import annotations

import json
import math

import pytest
from area_kit import LARGE, TINY, press, state, take
from plugin_kit import ANALYTIC, SPEED, TAORMINA, plugin_in, turn, wait_for
from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsProject, QgsRectangle, QgsSettings, QgsVectorLayer
from qgis.PyQt.QtWidgets import QInputDialog
from sandbox_process import start_sandbox

from up42_plugin.core.aoi import AOI
from up42_plugin.core.area_file import write_area
from up42_plugin.qgis_bridge.area_sources import SourceKind
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.settings import PluginSettings


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("memory") / "data", *SPEED) as running:
        yield running


@pytest.fixture
def kit(tmp_path, qgis_app):
    """The plugin with its dock open; nothing is needed of a service."""
    QgsSettings().remove("up42/saved_areas", QgsSettings.Section.Plugins)
    with plugin_in(tmp_path / "plugin") as kit:
        canvas = kit.iface.mapCanvas()
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
        canvas.resize(400, 400)
        canvas.setExtent(QgsRectangle(1700000, 4550000, 1703000, 4553000))
        kit.dock.setUserVisible(True)
        yield kit


def again(kit):
    """QGIS closed and opened; the project is loaded after the plugin."""
    kit.unload()
    QgsProject.instance().clear()
    kit.start()
    kit.dock.setUserVisible(True)
    turn()


def paste(kit, text):
    take(kit, SourceKind.TEXT)
    kit.dock.area.inputs.text.setPlainText(text)
    wait_for(lambda: kit.desk.area._source.held.text == text, "the text to be read")


def memory():
    return PluginSettings(PanelLog()).last_configuration()["area"]


def test_the_map_extent_is_that_of_last_time(kit):
    take(kit, SourceKind.MAP_EXTENT)
    before = state(kit).aoi
    kit.iface.mapCanvas().setExtent(QgsRectangle(0, 0, 1000, 1000))
    again(kit)
    assert state(kit).kind is SourceKind.MAP_EXTENT
    assert kit.dock.area.source.currentText() == "Map Canvas Extent"
    assert state(kit).aoi.digest == before.digest
    assert kit.dock.area.size_text.endswith("map extent")


def test_a_drawing_and_its_mend_are_there_again(kit):
    take(kit, SourceKind.POLYGON)
    drawn = QgsVectorLayer("Polygon?crs=EPSG:4326", "x", "memory").crs()
    kit.desk.area._drawn(SourceKind.POLYGON, QgsGeometry.fromWkt(TINY), drawn)
    press(kit, "Enlarge")
    before = state(kit).aoi
    again(kit)
    assert state(kit).aoi.digest == before.digest
    assert "Mended: enlarged evenly" in kit.dock.area.problem.text
    press(kit, "Undo")
    assert state(kit).aoi is None


def test_a_file_is_read_again_and_its_absence_told(kit, tmp_path):
    path = write_area(tmp_path / "field.gpkg", AOI.from_bbox((15.28, 37.84, 15.30, 37.86)))
    take(kit, SourceKind.FILE)
    kit.dock.area.inputs.file.setFilePath(str(path))
    before = wait_for(lambda: state(kit).aoi, "the file's area")
    again(kit)
    assert wait_for(lambda: state(kit).aoi, "the file's area again").digest == before.digest
    assert kit.dock.area.inputs.file.filePath() == str(path)
    path.unlink()
    for _ in range(2):  # it is not forgotten because it was missing once
        again(kit)
        told = wait_for(lambda: kit.dock.area.problem.text, "the complaint")
        assert told == f"field.gpkg is not in {tmp_path}. Choose the file again."
        assert kit.dock.area.inputs.file.filePath() == str(path)


def test_pasted_text_and_one_job_per_feature(kit):
    squares = [AOI.from_bbox((x, 37.84, x + 0.02, 37.86)).geojson() for x in (15.28, 15.32)]
    features = [{"type": "Feature", "properties": {}, "geometry": square} for square in squares]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    paste(kit, text)
    kit.dock.area.per_feature.click()
    before = [area.aoi.digest for area in state(kit).areas]
    assert len(before) == 2
    again(kit)
    assert [area.aoi.digest for area in state(kit).areas] == before
    assert kit.dock.area.per_feature.isChecked()
    assert kit.dock.area.inputs.text.toPlainText() == text


def test_broken_text_is_kept_too(kit):
    paste(kit, "{ not yet")
    again(kit)
    assert "not valid JSON" in kit.dock.area.problem.text
    assert kit.dock.area.inputs.text.toPlainText() == "{ not yet"


def test_what_is_too_long_is_told_and_not_kept(kit):
    turns = [2 * math.pi * n / 9000 for n in range(9000)]
    ring = [[15 + 0.1 * math.cos(turn), 37 + 0.1 * math.sin(turn)] for turn in turns]
    paste(kit, json.dumps({"type": "Polygon", "coordinates": [[*ring, ring[0]]]}))
    again(kit)
    assert kit.dock.area.problem.text == "This area was too long to be remembered. Choose it again."
    assert len(json.dumps(memory())) < 1000


def test_a_saved_area(kit):
    kit.area(TAORMINA)
    digest = state(kit).aoi.digest
    kit.dock.area.save_area_action.trigger()
    dialog = wait_for(lambda: kit.iface.window.findChild(QInputDialog), "the question")
    dialog.setTextValue("My coast")
    dialog.accept()
    turn()
    take(kit, SourceKind.SAVED)
    again(kit)
    assert state(kit).aoi.digest == digest
    assert kit.dock.area.inputs.saved.currentText() == "My coast"


def test_a_layers_extent_waits_for_its_project(kit, tmp_path):
    one, other = (write_area(tmp_path / f"{name}.gpkg", AOI.from_bbox(box)) for name, box in BOXES.items())
    QgsProject.instance().addMapLayer(QgsVectorLayer(str(other), "other", "ogr"))
    layer = QgsProject.instance().addMapLayer(QgsVectorLayer(str(one), "one", "ogr"))
    take(kit, SourceKind.LAYER_EXTENT)
    kit.dock.area.inputs.extent_layer.setLayer(layer)
    before = state(kit).aoi
    assert before.bbox == pytest.approx(BOXES["one"])
    again(kit)
    assert state(kit).kind is SourceKind.LAYER_EXTENT
    assert kit.dock.area.problem.text == "The layer one is not in this project."
    QgsProject.instance().addMapLayer(QgsVectorLayer(str(other), "other", "ogr"))
    turn()
    assert state(kit).aoi is None, "not just any layer"
    QgsProject.instance().addMapLayer(QgsVectorLayer(str(one), "one", "ogr"))
    turn()
    assert state(kit).aoi.digest == before.digest
    assert kit.dock.area.inputs.extent_layer.currentLayer().name() == "one"


BOXES = {"one": (15.28, 37.84, 15.30, 37.86), "other": (16.28, 37.84, 16.30, 37.86)}


def test_a_selection_is_the_projects_matter(kit):
    kit.area(TINY)
    press(kit, "Enlarge")
    again(kit)
    assert state(kit).kind is SourceKind.SELECTION
    assert memory() == {"kind": "selection", "per_feature": False}
    assert kit.dock.area.size_text == "No feature selected"


def test_a_split_outlives_restart_and_connection(kit, sandbox):
    kit.connect(sandbox)
    kit.choose(ANALYTIC)
    paste(kit, LARGE)
    press(kit, "Split in 4")
    before = [area.aoi.digest for area in state(kit).areas]
    again(kit)
    assert [area.aoi.digest for area in state(kit).areas] == before


@pytest.mark.parametrize(
    "values",
    [
        "nonsense",
        {"kind": "moon"},
        {"kind": "polygon", "geometry": "zz", "crs": "EPSG:4326"},
        {"kind": "polygon", "geometry": "00", "crs": 7},
        {"kind": "rectangle"},
        {"kind": "file", "path": 7},
        {"kind": "text"},
        {"kind": "saved", "name": "gone"},
        {"kind": "layer_extent", "layer": None},
        {"kind": "text", "text": LARGE, "mends": [{"kind": "magic"}], "shapes": 7},
    ],
)
def test_what_cannot_be_read_does_no_harm(kit, values):
    kit.desk.area.restore_memory(values)
    turn()
    kit.desk.area.to_memory()
    take(kit, SourceKind.SELECTION)
    assert kit.dock.area.size_text == "No feature selected"
