"""One job per feature, and areas split for the limit of live jobs, with the whole plugin."""

from __future__ import annotations

import json

import pytest
from area_kit import BOW_TIE, LARGE, NBSP, TINY, TWO_SMALL_PARTS, press, rubber_bands, state, take
from plugin_kit import ANALYTIC, SPEED, SUPERRESOLUTION, plugin_in, wait_for
from qgis.core import QgsCoordinateReferenceSystem, QgsFeature, QgsGeometry, QgsProject, QgsSettings, QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QInputDialog
from sandbox_process import start_sandbox

from up42_plugin.core.aoi import box_area_km2
from up42_plugin.gui.texts import area_text
from up42_plugin.qgis_bridge.area_sources import SourceKind

BBOX_FILTER = 2


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("batch") / "data", *SPEED) as running:
        yield running


@pytest.fixture
def kit(sandbox, tmp_path, qgis_app):
    QgsSettings().remove("up42/saved_areas", QgsSettings.Section.Plugins)
    with plugin_in(tmp_path / "plugin") as kit:
        kit.connect(sandbox)
        kit.choose(ANALYTIC)
        kit.iface.mapCanvas().setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
        yield kit


def square(x, y, side=0.02):
    corners = ((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y))
    return "Polygon ((" + ", ".join(f"{lon!r} {lat!r}" for lon, lat in corners) + "))"


APART = (square(15.28, 37.84), square(15.32, 37.84), square(15.36, 37.84))
NAMES = ("north field", "south field", "coast")


def fields(kit, *wkts, names=(), kind="Polygon"):
    """A layer of several features, all selected."""
    layer = QgsVectorLayer(f"{kind}?crs=EPSG:4326&field=code:integer&field=name:string", "fields", "memory")
    features = []
    for number, wkt in enumerate(wkts):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        feature.setAttributes([number, names[number] if names else None])
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    QgsProject.instance().addMapLayer(layer)
    layer.selectAll()
    wait_for(lambda: state(kit).layer_id == layer.id() and state(kit).features == len(wkts), "the selection")
    return layer


def one_per_feature(kit):
    box = kit.dock.area.per_feature
    assert box.isVisible()
    QTest.mouseClick(box, Qt.MouseButton.LeftButton, pos=box.rect().center() - box.rect().center() / 2)
    if not box.isChecked():  # the style's box is elsewhere
        box.click()


def outlines(kit):
    """How many polygons are drawn on the map, solid and dashed."""
    return sum(
        len(band.asGeometry().asMultiPolygon() or [band.asGeometry().asPolygon()])
        for band in rubber_bands(kit)
        if band.numberOfVertices()
    )


def labels(kit):
    return [area.label for area in state(kit).areas]


def test_separate_features_become_a_job_each(kit):
    fields(kit, *APART, names=NAMES)
    section = kit.dock.area
    assert kit.reason == "Mend the area first: it has 3 separate parts."
    one_per_feature(kit)
    assert section.problem.text == ""
    assert labels(kit) == list(NAMES)
    assert state(kit).aoi is None
    assert state(kit).error is None
    total = sum(area.aoi.area_km2 for area in state(kit).areas)
    assert section.size_text == f"<b>{area_text(total)}</b>, 3 selected features"
    assert outlines(kit) == 3
    section.per_feature.click()
    assert state(kit).areas == ()
    assert "3 separate parts" in section.problem.text


def test_one_feature_has_no_choice_and_the_choice_is_kept(kit):
    layer = fields(kit, *APART)
    one_per_feature(kit)
    assert labels(kit) == ["1 of 3", "2 of 3", "3 of 3"]
    layer.selectByIds([1])
    wait_for(lambda: state(kit).aoi is not None, "one area")
    assert not kit.dock.area.per_feature.isVisible()
    layer.selectByIds([1, 2])
    wait_for(lambda: len(state(kit).areas) == 2, "two areas")
    assert kit.dock.area.per_feature.isChecked()


def test_names_that_are_not_unique_are_numbers(kit):
    fields(kit, *APART, names=("field", "field", "coast"))
    one_per_feature(kit)
    assert labels(kit) == ["1 of 3", "2 of 3", "coast"]


def test_neighbours_moved_within_the_same_union_are_noticed(kit):
    layer = fields(kit, square(15.28, 37.84), square(15.30, 37.84))
    one_per_feature(kit)
    first = state(kit).areas[0].aoi
    layer.startEditing()
    halves = ((15.28, 15.29), (15.29, 15.32))
    for number, (west, east) in zip((1, 2), halves):
        ring = f"Polygon (({west} 37.84, {east} 37.84, {east} 37.86, {west} 37.86, {west} 37.84))"
        layer.changeGeometry(number, QgsGeometry.fromWkt(ring))
    wait_for(lambda: state(kit).areas[0].aoi.area_km2 < first.area_km2 * 0.6, "the new border")
    layer.rollBack()


def test_a_mend_is_for_exactly_the_features_that_need_it(kit):
    fields(kit, TINY, *APART[1:], names=NAMES)
    one_per_feature(kit)
    rows = kit.dock.area.problem
    assert (
        f"1 of 3 features: Below the minimum of 0.1{NBSP}km².\nNorth field\nEnlarged evenly: 0.04 → 0.10" in rows.text
    )
    assert "No job runs until every feature is mended, or left out." in rows.text
    assert kit.reason == f"Mend the area first: 1 of 3 features is below the minimum of 0.1{NBSP}km²."
    assert kit.able() == [False, False]
    assert state(kit).areas == ()
    assert kit.dock.area.size_text.endswith("3 selected features")
    press(kit, "Enlarge")
    assert labels(kit) == list(NAMES)
    assert state(kit).areas[0].aoi.area_km2 >= 0.1
    assert state(kit).areas[1].aoi.bbox == pytest.approx((15.32, 37.84, 15.34, 37.86)), "it needed nothing"
    assert rows.text == "Mended: enlarged evenly"
    assert outlines(kit) == 4, "three areas, and the one that was mended as it was before"
    press(kit, "Undo")
    assert state(kit).areas == ()


def test_several_problems_are_told_each_with_its_features(kit):
    fields(kit, TINY, BOW_TIE, TINY.replace("15.28", "15.38"), APART[2], names=("a", "b", "", "d"))
    one_per_feature(kit)
    rows = kit.dock.area.problem
    assert f"2 of 4 features: Below the minimum of 0.1{NBSP}km².\nA, feature 3" in rows.text
    assert "1 of 4 features: The outline crosses itself.\nB" in rows.text
    press(kit, "Enlarge")
    press(kit, "Repair")
    if rows.button("Join Parts"):  # the two halves of the bow tie
        press(kit, "Join Parts")
    assert len(state(kit).areas) == 4, rows.text
    assert rows.text.count("Mended: ") >= 2


def test_parts_of_one_feature_are_a_problem_still(kit):
    fields(kit, TWO_SMALL_PARTS, "Multi" + APART[1].replace("((", "(((").replace("))", ")))"), kind="MultiPolygon")
    one_per_feature(kit)
    assert "1 of 2 features: 2 separate parts. A job takes one polygon.\nFeature 1" in kit.dock.area.problem.text
    assert kit.reason == "Mend the area first: 1 of 2 features has 2 separate parts."
    press(kit, "Join Parts")
    assert labels(kit) == ["1 of 2", "2 of 2"]


def test_the_box_filter_adds_the_boxes(kit):
    triangles = [f"Polygon (({x} 37.84, {x + 0.02} 37.84, {x} 37.86, {x} 37.84))" for x in (15.28, 15.32)]
    fields(kit, *triangles)
    one_per_feature(kit)
    kit.dock.search.filter.setCurrentIndex(BBOX_FILTER)
    boxes = sum(box_area_km2(area.aoi) for area in state(kit).areas)
    assert len(state(kit).areas) == 2
    assert f"boxes are {area_text(boxes)}" in kit.dock.area.size_text


def test_advice_counts_the_areas(kit):
    fields(kit, *APART)
    one_per_feature(kit)
    kit.choose(SUPERRESOLUTION)
    assert "3 of 3 areas: Super-resolution asks for at least 1.92" in kit.dock.area.problem.text


# -- too large for a live job


def test_a_large_area_is_split_and_the_split_undone(kit):
    kit.area(LARGE)
    rows = kit.dock.area.problem
    wait_for(lambda: rows.button("Split in 4"), "the offer", of=lambda: rows.text)
    whole = state(kit).aoi.area_km2
    assert f"Split: 4 jobs, {whole / 4:.1f}{NBSP}km² each" in rows.text
    assert kit.reason == f"Live job: mend the area first, above 100{NBSP}km²."
    press(kit, "Split in 4")
    assert labels(kit) == ["1 of 4", "2 of 4", "3 of 4", "4 of 4"]
    assert all(area.aoi.area_km2 <= 100 for area in state(kit).areas)
    assert rows.text == "Mended: split in 4"
    assert outlines(kit) == 5
    assert kit.dock.area.size_text == f"<b>{area_text(whole)}</b>, 1 selected feature"
    kit.dock.area.copy_action.trigger()
    copied = json.loads(QApplication.clipboard().text())
    assert [feature["properties"]["name"] for feature in copied["features"]] == labels(kit)
    press(kit, "Undo")
    assert state(kit).aoi.area_km2 == pytest.approx(whole)


def test_the_box_filter_splits_until_the_boxes_are_small_enough(kit):
    kit.area("Polygon ((15 37, 15.14 37, 15 37.12, 15 37))")
    rows = kit.dock.area.problem
    wait_for(lambda: state(kit).aoi is not None, "the area")
    assert rows.text == ""
    kit.dock.search.filter.setCurrentIndex(BBOX_FILTER)
    assert f"Above 100{NBSP}km²" in rows.text
    offer = state(kit).offers[0]
    press(kit, f"Split in {len(offer.pieces)}")
    assert all(box_area_km2(area.aoi) <= 100 for area in state(kit).areas)


def test_large_features_of_a_batch_are_split_and_the_others_not(kit):
    fields(kit, "Polygon ((15 37, 15.2 37, 15.2 37.075, 15 37.075, 15 37))", APART[1], names=("large", "small"))
    one_per_feature(kit)
    rows = kit.dock.area.problem
    assert f"1 of 2 features: Above 100{NBSP}km², this project's limit for live jobs." in rows.text
    press(kit, "Split in 2")
    assert labels(kit) == ["large, part 1 of 2", "large, part 2 of 2", "small"]
    assert rows.text == "Mended: large features split, 3 jobs"


def test_a_continent_is_not_offered_to_be_split(kit):
    kit.area("Polygon ((0 40, 20 40, 20 55, 0 55, 0 40))")
    wait_for(lambda: "Above 100" in kit.dock.area.problem.text, "the problem")
    assert state(kit).offers[0].kind is None


# -- other sources, and what becomes of a batch


def test_a_pasted_collection_and_a_file_have_features_too(kit, tmp_path):
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": json.loads(QgsGeometry.fromWkt(wkt).asJson())}
        for name, wkt in zip(NAMES, APART)
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    take(kit, SourceKind.TEXT)
    kit.dock.area.inputs.text.setPlainText(text)
    wait_for(lambda: state(kit).features == 3, "the pasted features")
    one_per_feature(kit)
    assert labels(kit) == list(NAMES)
    assert kit.dock.area.size_text.endswith("3 features of pasted text")
    path = tmp_path / "fields.geojson"
    path.write_text(text)
    take(kit, SourceKind.FILE)
    kit.dock.area.inputs.file.setFilePath(str(path))
    wait_for(lambda: len(state(kit).areas) == 3, "the file's features")
    assert labels(kit) == list(NAMES)


def test_a_batch_is_saved_as_an_area_and_as_a_layer(kit, tmp_path):
    fields(kit, *APART, names=NAMES)
    one_per_feature(kit)
    before = state(kit).areas
    kit.dock.area.save_area_action.trigger()
    dialog = wait_for(lambda: kit.iface.window.findChild(QInputDialog), "the question")
    dialog.setTextValue("My fields")
    dialog.accept()
    take(kit, SourceKind.SAVED)
    assert [area.aoi.digest for area in state(kit).areas] == [area.aoi.digest for area in before]
    assert labels(kit) == list(NAMES)
    kit.desk.area.save_as_layer(tmp_path / "batch.gpkg", before)
    (layer,) = wait_for(lambda: QgsProject.instance().mapLayersByName("batch"), "the layer")
    assert [feature["name"] for feature in layer.getFeatures()] == list(NAMES)


def test_zooming_shows_every_area(kit):
    fields(kit, *APART)
    one_per_feature(kit)
    kit.click(kit.dock.area.zoom_button)
    extent = kit.iface.mapCanvas().extent()
    assert all(extent.contains(QgsGeometry.fromWkt(wkt).boundingBox()) for wkt in APART)
