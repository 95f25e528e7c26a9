"""The Area section with the whole plugin: every source, every mend, drawing, and nothing left behind."""

from __future__ import annotations

import json

import pytest
from area_kit import (
    BEYOND_UTM,
    BOW_TIE,
    HOLED,
    LARGE,
    MERIDIAN,
    NBSP,
    TINY,
    TWO_SMALL_PARTS,
    corner,
    mouse,
    press,
    rubber_bands,
    state,
    take,
)
from plugin_kit import ANALYTIC, SPEED, SUPERRESOLUTION, TAORMINA, idle, plugin_in, turn, wait_for
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRectangle, QgsSettings, QgsVectorLayer
from qgis.gui import QgsMapToolPan, QgsProjectionSelectionDialog
from qgis.PyQt.QtCore import QEvent, Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QInputDialog
from sandbox_process import start_sandbox

from up42_plugin.core.aoi import AOI
from up42_plugin.core.area_file import write_area
from up42_plugin.qgis_bridge.area_sources import SourceKind


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("area") / "data", *SPEED) as running:
        yield running


@pytest.fixture
def kit(sandbox, tmp_path, qgis_app):
    """The plugin, connected, with the quickest workflow chosen; no area yet."""
    QgsSettings().remove("up42/saved_areas", QgsSettings.Section.Plugins)
    with plugin_in(tmp_path / "plugin") as kit:
        kit.connect(sandbox)
        kit.choose(ANALYTIC)
        canvas = kit.iface.mapCanvas()
        canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
        canvas.resize(400, 400)
        canvas.setExtent(QgsRectangle(15.2, 37.8, 15.4, 38.0))
        yield kit
        idle()


# -- mends


@pytest.mark.parametrize(
    ("area", "problem", "mend"),
    [
        (
            (TINY, "EPSG:4326"),
            f"Below the minimum of 0.1{NBSP}km².",
            ("Enlarged evenly: 0.04 → 0.10", "Enlarge", "enlarged evenly"),
        ),
        (
            (BOW_TIE, "EPSG:4326"),
            "The outline crosses itself.",
            ("Repaired", "Repair", "outline repaired"),
        ),
        (
            (MERIDIAN, "EPSG:4326"),
            "Crosses the 180° meridian.",
            ("The larger side is kept: 181", "Split There", "split at the 180° meridian"),
        ),
        (
            (BEYOND_UTM, "EPSG:32633"),
            "Partly outside the area of EPSG:32633.",
            ("Cut to where", "Cut", "cut to where the CRS is used"),
        ),
    ],
)
def test_each_problem_has_its_mend_and_its_undo(kit, area, problem, mend):
    (wkt, crs), (change, button, done) = area, mend
    layer = kit.area(wkt, "Polygon", crs)
    before = next(layer.getFeatures()).geometry().asWkt()
    rows = kit.dock.area.problem
    assert problem in rows.text
    assert change in rows.text
    assert kit.reason.startswith("Mend the area first: ")
    press(kit, button)
    if rows.button("Join Parts"):  # the two halves of a repaired bow tie
        press(kit, "Join Parts")
    assert state(kit).aoi is not None, rows.text
    assert f"Mended: {done}" in rows.text
    assert "Mend the area" not in kit.reason
    assert next(layer.getFeatures()).geometry().asWkt() == before
    while rows.button("Undo"):
        press(kit, "Undo")
    assert state(kit).aoi is None
    assert problem in rows.text


def test_parts_are_joined_and_the_change_is_shown_on_the_map(kit):
    kit.area(TWO_SMALL_PARTS, "MultiPolygon")
    rows = kit.dock.area.problem
    assert "2 separate parts. A job takes one polygon." in rows.text
    assert f"Joined by a hull: 0.06 → 0.11{NBSP}km²" in rows.text
    assert f"<b>0.06{NBSP}km²</b>, 1 selected feature" == kit.dock.area.size_text
    press(kit, "Join Parts")
    assert rows.text == "Mended: parts joined"
    assert state(kit).aoi is not None
    drawn = [band for band in rubber_bands(kit) if band.numberOfVertices()]
    assert len(drawn) == 2, "the new outline and the old one"
    press(kit, "Undo")
    drawn = [band for band in rubber_bands(kit) if band.numberOfVertices()]
    assert drawn == []


def test_mends_go_with_the_shapes_they_were_made_for(kit):
    layer = kit.area(TINY)
    press(kit, "Enlarge")
    assert state(kit).mends
    layer.removeSelection()
    wait_for(lambda: state(kit).error is None and state(kit).aoi is None, "the empty selection")
    kit.area(TAORMINA)
    assert state(kit).mends == ()
    assert state(kit).aoi is not None


@pytest.mark.parametrize(
    ("wkt", "kind", "told"),
    [
        ("LineString (15.28 37.84, 15.30 37.85)", "LineString", "Lines have no area."),
        ("Point (15.28 37.84)", "Point", "Points have no area."),
    ],
)
def test_lines_and_points_get_a_buffer(kit, wkt, kind, told):
    kit.area(wkt, kind)
    assert told in kit.dock.area.problem.text
    press(kit, "Buffer…")
    dialog = wait_for(lambda: kit.iface.window.findChild(QInputDialog), "the question")
    dialog.setDoubleValue(500)
    dialog.accept()
    aoi = wait_for(lambda: state(kit).aoi, "the buffered area")
    assert aoi.area_km2 > 0.75
    assert "Mended: grown by a buffer" in kit.dock.area.problem.text
    press(kit, "Undo")
    assert told in kit.dock.area.problem.text


def test_a_layer_without_a_crs_is_told_one(kit):
    layer = kit.area("Polygon ((500000 4100000, 502000 4100000, 502000 4102000, 500000 4102000, 500000 4100000))")
    layer.setCrs(QgsCoordinateReferenceSystem())
    wait_for(lambda: "The layer has no CRS." in kit.dock.area.problem.text, "the problem")
    press(kit, "Set CRS…")
    dialog = wait_for(lambda: kit.iface.window.findChild(QgsProjectionSelectionDialog), "the question")
    dialog.setCrs(QgsCoordinateReferenceSystem("EPSG:32633"))
    dialog.accept()
    aoi = wait_for(lambda: state(kit).aoi, "the area")
    assert aoi.area_km2 == pytest.approx(4.0, rel=0.01)
    assert not layer.crs().isValid(), "the layer is left alone"


def test_holes_are_kept_until_they_are_filled(kit):
    kit.area(HOLED)
    section = kit.dock.area
    assert "1 hole kept" in section.size_text
    assert section.fill_action.isEnabled()
    section.fill_action.trigger()
    assert "hole kept" not in section.size_text
    assert not section.fill_action.isEnabled()
    assert "Mended: holes filled" in section.problem.text
    press(kit, "Undo")
    assert "1 hole kept" in section.size_text


def test_too_large_is_for_live_jobs_only(kit):
    kit.area(LARGE)
    wait_for(kit.dock.foot.test_button.isEnabled, "the test query")
    assert (
        f"Above 100{NBSP}km², this project's limit for live jobs. Test queries have no upper limit."
        in kit.dock.area.problem.text
    )
    assert kit.reason == f"Live job: mend the area first, above 100{NBSP}km²."
    assert not kit.dock.foot.live_button.isEnabled()


def test_a_block_advises_and_does_not_block(kit):
    kit.choose(SUPERRESOLUTION)
    kit.area(TAORMINA)
    assert "Super-resolution asks for at least 1.92" in kit.dock.area.problem.text
    assert kit.dock.foot.test_button.isEnabled()
    kit.choose(ANALYTIC)
    assert kit.dock.area.problem.text == ""


# -- sources


def test_no_area_offers_to_draw_or_to_take_the_map(kit):
    section = kit.dock.area
    assert section.size_text == "No feature selected"
    for button in (section.draw_button, section.extent_button, section.sample_button):
        assert button.isVisible()
    kit.click(section.extent_button)
    assert state(kit).kind is SourceKind.MAP_EXTENT
    assert section.size_text.endswith("map extent")
    assert not section.draw_button.isVisible()
    west, south, east, north = state(kit).aoi.bbox
    canvas = kit.iface.mapCanvas().extent()
    assert (west, east) == pytest.approx((canvas.xMinimum(), canvas.xMaximum()), abs=1e-5)
    assert (south, north) == pytest.approx((canvas.yMinimum(), canvas.yMaximum()), abs=1e-5)


def test_the_map_extent_stays_until_it_is_taken_again(kit):
    take(kit, SourceKind.MAP_EXTENT)
    first = state(kit).aoi
    kit.click(kit.dock.area.zoom_button)
    turn()
    assert state(kit).aoi == first
    kit.click(kit.dock.area.inputs.extent_button)
    assert state(kit).aoi.area_km2 > first.area_km2


def test_a_polygon_is_drawn_click_by_click(kit):
    canvas = kit.iface.mapCanvas()
    pan = QgsMapToolPan(canvas)
    canvas.setMapTool(pan)
    kit.click(kit.dock.area.draw_button)
    assert canvas.mapTool() is not pan
    for place in ((100, 100), (200, 100), (200, 200), (150, 250)):
        corner(kit, *place)
    QTest.keyClick(canvas, Qt.Key.Key_Backspace)
    corner(kit, 10, 10, Qt.MouseButton.RightButton)
    aoi = wait_for(lambda: state(kit).aoi, "the drawn polygon")
    assert aoi.vertices == 3
    assert kit.dock.area.size_text.endswith("drawn polygon")
    assert canvas.mapTool() is pan
    canvas.unsetMapTool(pan)


def test_escape_gives_the_tool_and_the_source_back(kit):
    canvas = kit.iface.mapCanvas()
    pan = QgsMapToolPan(canvas)
    canvas.setMapTool(pan)
    bands = len(rubber_bands(kit))
    take(kit, SourceKind.POLYGON)
    corner(kit, 100, 100)
    assert len(rubber_bands(kit)) > bands
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    turn()
    assert canvas.mapTool() is pan
    assert state(kit).kind is SourceKind.SELECTION
    assert kit.dock.area.source.currentText() == "Selected Features"
    assert len(rubber_bands(kit)) == bands
    canvas.unsetMapTool(pan)


def test_a_rectangle_is_dragged_in_the_maps_crs(kit):
    canvas = kit.iface.mapCanvas()
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    canvas.setExtent(QgsRectangle(1700000, 4550000, 1710000, 4560000))
    take(kit, SourceKind.RECTANGLE)
    mouse(kit, QEvent.Type.MouseButtonPress, 100, 100)
    mouse(kit, QEvent.Type.MouseMove, 200, 180)
    mouse(kit, QEvent.Type.MouseButtonRelease, 200, 180)
    aoi = wait_for(lambda: state(kit).aoi, "the drawn rectangle")
    assert 15.27 < aoi.bbox[0] < aoi.bbox[2] < 15.37
    assert kit.dock.area.size_text.endswith("drawn rectangle")


def test_another_map_tool_ends_the_drawing(kit):
    canvas = kit.iface.mapCanvas()
    take(kit, SourceKind.POLYGON)
    pan = QgsMapToolPan(canvas)
    canvas.setMapTool(pan)
    turn()
    assert canvas.mapTool() is pan
    assert state(kit).kind is SourceKind.SELECTION
    canvas.unsetMapTool(pan)


def test_closing_the_dock_gives_the_drawing_up(kit):
    canvas = kit.iface.mapCanvas()
    take(kit, SourceKind.POLYGON)
    drawing = canvas.mapTool()
    kit.dock.close()
    wait_for(lambda: canvas.mapTool() is not drawing, "the tool to be given back")
    assert state(kit).kind is SourceKind.SELECTION


def test_a_map_beyond_the_world_is_cut(kit):
    kit.iface.mapCanvas().setExtent(QgsRectangle(-100, -120, 150, 120))
    take(kit, SourceKind.MAP_EXTENT)
    assert "Outside the range of longitude and latitude." in kit.dock.area.problem.text
    press(kit, "Cut")
    assert state(kit).aoi.bbox[1::2] == (-90, 90)


def test_a_layers_extent_follows_the_layer(kit):
    layer = kit.area("Polygon ((15.28 37.84, 15.30 37.84, 15.29 37.86, 15.28 37.84))")
    take(kit, SourceKind.LAYER_EXTENT)
    kit.dock.area.inputs.extent_layer.setLayer(layer)
    assert state(kit).aoi.bbox == pytest.approx((15.28, 37.84, 15.30, 37.86))
    assert kit.dock.area.size_text.endswith("extent of area")
    QgsProject.instance().removeMapLayer(layer.id())
    wait_for(lambda: state(kit).aoi is None, "the layer to be gone")


def test_a_vector_file_is_read_in_the_background(kit, tmp_path):
    path = write_area(tmp_path / "field.gpkg", AOI.from_bbox((15.28, 37.84, 15.30, 37.86)))
    take(kit, SourceKind.FILE)
    assert kit.dock.area.size_text == "No file chosen"
    kit.dock.area.inputs.file.setFilePath(str(path))
    assert kit.dock.area.size_text == "Reading the file…"
    wait_for(lambda: state(kit).aoi, "the file's area")
    assert kit.dock.area.size_text.endswith("field.gpkg")
    broken = tmp_path / "broken.geojson"
    broken.write_text("{")
    kit.dock.area.inputs.file.setFilePath(str(broken))
    wait_for(lambda: "cannot be read" in kit.dock.area.problem.text, "the complaint")
    assert state(kit).aoi is None


def test_pasted_text_is_an_area_and_bad_text_is_kept(kit):
    take(kit, SourceKind.TEXT)
    text = kit.dock.area.inputs.text
    text.setPlainText(TAORMINA)
    aoi = wait_for(lambda: state(kit).aoi, "the pasted area")
    text.setPlainText(json.dumps(aoi.geojson()) + "x")
    wait_for(lambda: state(kit).error, "the complaint")
    assert "not valid JSON" in kit.dock.area.problem.text
    assert text.toPlainText().endswith("x")
    text.setPlainText(json.dumps(aoi.geojson()))
    assert wait_for(lambda: state(kit).aoi, "the area again").digest == aoi.digest


def test_an_area_is_saved_taken_again_and_removed(kit):
    kit.area(TAORMINA)
    aoi = state(kit).aoi
    kit.dock.area.save_area_action.trigger()
    dialog = wait_for(lambda: kit.iface.window.findChild(QInputDialog), "the question")
    dialog.setTextValue("My coast")
    dialog.accept()
    turn()
    take(kit, SourceKind.SAVED)
    assert state(kit).aoi.digest == aoi.digest
    assert kit.dock.area.size_text.endswith("My coast")
    kit.click(kit.dock.area.inputs.remove_button)
    assert state(kit).aoi is None
    assert kit.dock.area.size_text == "No area saved yet"


def test_choosing_a_layer_stays_with_it(kit):
    one = kit.area(TAORMINA)
    other = kit.area(HOLED)
    combo = kit.dock.area.inputs.layer
    assert combo.currentLayer() is other
    combo.setLayer(one)
    combo.activated.emit(combo.currentIndex())
    assert state(kit).layer_id == one.id()
    other.removeSelection()
    other.selectAll()
    turn()
    assert state(kit).layer_id == one.id()


# -- the arrow menu, and the end


def test_the_area_is_copied_and_saved_as_a_layer(kit, tmp_path):
    kit.area(TAORMINA)
    aoi = state(kit).aoi
    kit.dock.area.copy_action.trigger()
    assert AOI.from_geojson(QApplication.clipboard().text()).digest == aoi.digest
    kit.desk.area.save_as_layer(tmp_path / "coast.gpkg", state(kit).job_areas)
    layers = wait_for(lambda: QgsProject.instance().mapLayersByName("coast"), "the layer")
    assert isinstance(layers[0], QgsVectorLayer)
    assert layers[0].featureCount() == 1
    kit.desk.area.save_as_layer(tmp_path / "missing" / "coast.gpkg", state(kit).job_areas)
    wait_for(lambda: any("could not be written" in text for text in kit.told), "the complaint")


def test_nothing_is_left_on_the_map(kit):
    kit.area(TINY)
    press(kit, "Enlarge")
    take(kit, SourceKind.POLYGON)
    corner(kit, 100, 100)
    canvas = kit.iface.mapCanvas()
    drawing = canvas.mapTool()
    assert drawing is not None
    kit.unload()
    assert rubber_bands(kit) == []
    assert canvas.mapTool() is None or canvas.mapTool() is not drawing
