"""Drops on the dock: what is taken and what is refused, and that one click brings back what was there."""

from __future__ import annotations

import json

import pytest
from area_kit import NBSP, state
from qgis.core import QgsFeature, QgsGeometry, QgsLayerTreeModel, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import QEvent, QMimeData, QPoint, Qt, QUrl
from qgis.PyQt.QtGui import QDragEnterEvent, QDropEvent
from qgis.PyQt.QtWidgets import QApplication, QMessageBox

from up42_plugin.core.recipes import Recipe
from up42_plugin.qgis_bridge.area_sources import SourceKind

SQUARE = [[[15.28, 37.84], [15.30, 37.84], [15.30, 37.86], [15.28, 37.86], [15.28, 37.84]]]
LEFT = "Polygon ((15.28 37.84, 15.29 37.84, 15.29 37.86, 15.28 37.86, 15.28 37.84))"
RIGHT = "Polygon ((15.29 37.84, 15.30 37.84, 15.30 37.86, 15.29 37.86, 15.29 37.84))"
ACTIONS = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction


@pytest.fixture
def kit(desk_kit):
    """The dock open with a selected area, which is what a drop replaces."""
    desk_kit.ready_to_test()
    return desk_kit


def drag(kit, mime, onto=None):
    """Drag over a widget of the dock; whether the cursor says yes, and as what."""
    widget = onto or kit.dock
    event = QDragEnterEvent(QPoint(5, 5), ACTIONS, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    event.ignore()
    QApplication.sendEvent(widget, event)
    return event.isAccepted(), event.dropAction()


def drop(kit, mime):
    """Drag and let go; returns what became of the drag."""
    accepted, _ = drag(kit, mime)
    if not accepted:
        return False, None
    event = QDropEvent(
        QPoint(5, 5),
        ACTIONS,
        mime,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
        QEvent.Type.Drop,
    )
    QApplication.sendEvent(kit.dock, event)
    return event.isAccepted(), event.dropAction()


def from_tree(*layers):
    """What QGIS's layer panel gives to drag."""
    model = QgsLayerTreeModel(QgsProject.instance().layerTreeRoot())
    nodes = [QgsProject.instance().layerTreeRoot().findLayer(layer.id()) for layer in layers]
    return model.mimeData([model.node2index(node) for node in nodes])


def from_files(*paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


def polygons(*wkts, kind="Polygon", name="fields"):
    layer = QgsVectorLayer(f"{kind}?crs=EPSG:4326", name, "memory")
    features = []
    for wkt in wkts:
        feature = QgsFeature()
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    return layer


def geojson(folder, name="field.geojson"):
    path = folder / name
    path.write_text(json.dumps({"type": "Polygon", "coordinates": SQUARE}), "utf-8")
    return path


def notice(kit):
    return kit.dock.new_job.notice


def undo(kit):
    kit.qtbot.waitUntil(notice(kit).undo_button.isVisible)
    kit.click(notice(kit).undo_button)


def test_the_selection_of_a_layer_is_the_area_and_can_be_undone(kit):
    before = state(kit)
    layer = polygons(LEFT, RIGHT)
    layer.selectByIds([1])
    kit.tracker.pin(before.layer_id)
    kit.tracker.pin("")
    assert drop(kit, from_tree(layer)) == (True, Qt.DropAction.CopyAction)
    assert state(kit).layer_id == layer.id()
    assert state(kit).feature_count == 1
    assert kit.dock.area.inputs.layer.currentLayer() is layer
    assert notice(kit).message.text == "Area from the dropped layer fields, its selected features."
    assert QgsProject.instance().mapLayer(layer.id()) is layer


def test_all_of_a_layer_without_selection_is_the_area_and_can_be_undone(kit):
    before = state(kit)
    layer = polygons(LEFT, RIGHT)
    drop(kit, from_tree(layer))
    assert state(kit).feature_count == 2
    assert "3.9" in kit.dock.area.size_text
    assert notice(kit).message.text == "Area from the dropped layer fields, all features."
    undo(kit)
    assert layer.selectedFeatureCount() == 0
    assert state(kit).layer_id == before.layer_id
    assert state(kit).aoi == before.aoi
    assert kit.tracker.pinned == ""
    assert not notice(kit).isVisible()


def test_a_drop_on_any_field_counts_as_one_on_the_dock(kit):
    mime = from_tree(polygons(LEFT))
    for widget in (kit.dock.header.combo, kit.dock.area.inputs.layer, kit.foot.test_button, kit.dock.tabs):
        assert drag(kit, mime, widget)[0], widget.objectName()


def test_a_file_is_not_written_into_a_text(kit, tmp_path):
    """File managers give the address as text, too."""
    mime = from_files(geojson(tmp_path))
    mime.setText("file:///field.geojson")
    kit.dock.area.choose_source(SourceKind.TEXT)
    kit.dock.presets.json_button.click()
    for field in (kit.dock.area.inputs.text, kit.dock.parameters.json.editor):
        assert not field.canInsertFromMimeData(mime)
        plain = QMimeData()
        plain.setText("{}")
        assert field.canInsertFromMimeData(plain)
    assert drag(kit, mime, kit.dock.parameters.json.editor.viewport())[0]


def test_a_file_is_the_area_and_can_be_undone(kit, tmp_path):
    before = state(kit)
    assert drop(kit, from_files(geojson(tmp_path)))[0]
    kit.wait(lambda: state(kit).kind is SourceKind.FILE and state(kit).aoi is not None)
    assert kit.dock.area.source.currentText() == "Vector File"
    assert kit.dock.area.inputs.file.filePath().endswith("field.geojson")
    assert kit.dock.area.size_text.startswith("<b>3.9")
    assert notice(kit).message.text == "Area from the dropped file field.geojson."
    undo(kit)
    assert state(kit).kind is SourceKind.SELECTION
    assert state(kit).aoi == before.aoi
    assert kit.dock.area.source.currentText() == "Selected Features"
    assert kit.dock.area.inputs.file.filePath() == ""


def test_undo_brings_back_a_mended_drawing(kit, tmp_path):
    kit.dock.area.choose_source(SourceKind.TEXT)
    kit.area_source.held.set_text("Polygon ((15.28 37.84, 15.282 37.84, 15.282 37.842, 15.28 37.842, 15.28 37.84))")
    kit.qtbot.waitUntil(lambda: kit.dock.area.problem.button("Enlarge") is not None)
    kit.click(kit.dock.area.problem.button("Enlarge"))
    before = state(kit)
    assert before.mends
    drop(kit, from_files(geojson(tmp_path, "other.json")))
    kit.wait(lambda: state(kit).kind is SourceKind.FILE and state(kit).aoi is not None)
    assert not state(kit).mends
    undo(kit)
    assert state(kit).kind is SourceKind.TEXT
    assert state(kit).mends == before.mends
    assert state(kit).aoi == before.aoi


@pytest.fixture
def recipe(kit, tmp_path):
    """The form as it is, with another limit."""
    form = kit.new_job.details.form
    step = form.workflow.data_step.name
    path = tmp_path / "five.json"
    path.write_text(Recipe.of("five", form.with_values(step, {"limit": 5})).text(), "utf-8")
    return path


def test_a_recipe_fills_the_form_and_can_be_undone(kit, recipe):
    assert kit.dock.search.limit.value() == 1
    assert drop(kit, from_files(recipe))[0]
    kit.wait(lambda: kit.dock.search.limit.value() == 5)
    assert notice(kit).message.text == "Parameters from the dropped file five.json."
    assert state(kit).kind is SourceKind.SELECTION
    undo(kit)
    assert kit.dock.search.limit.value() == 1


def test_undo_goes_once_the_person_has_changed_something_since(kit, recipe, tmp_path):
    drop(kit, from_files(recipe))
    kit.wait(lambda: kit.dock.search.limit.value() == 5)
    kit.dock.search.clouds.setValue(33)
    assert not notice(kit).isVisible()
    drop(kit, from_files(geojson(tmp_path)))
    kit.wait(notice(kit).undo_button.isVisible)
    kit.dock.area.choose_source(SourceKind.MAP_EXTENT)
    assert not notice(kit).isVisible()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("broken.json", "{", "broken.json is neither GeoJSON nor a recipe"),
        ("empty.geojson", "", "empty.geojson cannot be read as vector data."),
        ("nothing.geojson", '{"type": "FeatureCollection", "features": []}', "holds no"),
        ("bytes.json", b"\xff\xfe\x00", "bytes.json cannot be read."),
        ("gone.gpkg", None, "gone.gpkg is not in "),
    ],
)
def test_a_bad_file_is_told_and_nothing_is_lost(kit, tmp_path, name, content, said):
    before, form, told = state(kit), kit.new_job.details.form, len(kit.told)
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert drop(kit, from_files(path))[0]
    kit.wait(lambda: len(kit.told) > told)
    assert said in kit.told[-1]
    assert state(kit) == before
    assert kit.new_job.details.form == form
    assert not notice(kit).isVisible()


def test_a_recipe_of_other_blocks_is_refused_as_by_import(kit, tmp_path):
    form = kit.new_job.details.form
    path = tmp_path / "other.json"
    path.write_text(json.dumps({"up42_recipe": 1, "blocks": ["x"], "filter": "bbox", "parameters": {}}), "utf-8")
    drop(kit, from_files(path))
    kit.wait(lambda: kit.dialog(QMessageBox))
    assert "This recipe is for the blocks x" in kit.dialog(QMessageBox).text()
    kit.dialog(QMessageBox).reject()
    assert kit.new_job.details.form == form
    assert not notice(kit).isVisible()


def test_a_recipe_does_not_overwrite_a_text_that_cannot_be_read(kit, recipe):
    kit.dock.presets.json_button.click()
    kit.dock.parameters.json.type_text("{ broken")
    kit.wait(lambda: kit.dock.parameters.json.marks)
    told = len(kit.told)
    drop(kit, from_files(recipe))
    kit.wait(lambda: len(kit.told) > told)
    assert kit.told[-1].endswith("Mend the JSON first, or go back to Form.")
    assert kit.dock.parameters.json.text == "{ broken"


def test_all_else_is_refused_while_it_is_dragged(kit, tmp_path):
    before = state(kit)
    lines = polygons("LineString (0 0, 1 1)", kind="LineString", name="roads")
    two = [polygons(LEFT), polygons(RIGHT)]
    table = QgsVectorLayer("NoGeometry?field=a", "table", "memory")
    QgsProject.instance().addMapLayer(table)
    text = QMimeData()
    text.setText("POLYGON ((0 0, 1 0, 1 1, 0 0))")
    web = QMimeData()
    web.setUrls([QUrl("https://example.org/field.geojson")])
    refused = [
        from_tree(lines),
        from_tree(*two),
        from_tree(table),
        from_files(tmp_path / "picture.tif"),
        from_files(tmp_path),
        from_files(geojson(tmp_path), geojson(tmp_path, "b.geojson")),
        text,
        web,
        QMimeData(),
    ]
    for number, mime in enumerate(refused):
        assert drop(kit, mime) == (False, None), number
    assert state(kit) == before
    assert not notice(kit).isVisible()


def test_after_the_plugin_went_nothing_is_taken(kit):
    mime = from_tree(polygons(LEFT))
    kit.desk.drops.close()
    assert not drag(kit, mime)[0]


def test_a_layer_with_too_many_features_is_followed_and_not_selected(kit, monkeypatch):
    monkeypatch.setattr("up42_plugin.gui.drop_desk.MAX_FEATURES", 1)
    layer = polygons(LEFT, RIGHT)
    drop(kit, from_tree(layer))
    assert layer.selectedFeatureCount() == 0
    assert kit.tracker.pinned == layer.id()
    assert "select features in it" in notice(kit).message.text
    layer.selectByIds([1])
    kit.wait(lambda: state(kit).layer_id == layer.id() and state(kit).aoi is not None)
    assert f"{NBSP}km²" in kit.dock.area.size_text
