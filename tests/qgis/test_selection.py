"""The map selection becomes the area: real layers, real projections."""

from __future__ import annotations

import gc
import weakref

import pytest
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsGeometry,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QCoreApplication, QEvent
from selection_kit import TAORMINA, added, layer_of, square

from up42_plugin.core.aoi import AoiError
from up42_plugin.core.geometry import errors as codes
from up42_plugin.qgis_bridge import selection
from up42_plugin.qgis_bridge.selection import SelectionTracker, collect


def test_a_selected_feature_is_the_area(project, tracker, qtbot):
    layer = added(project, layer_of(TAORMINA))
    with qtbot.waitSignal(tracker.changed) as caught:
        layer.selectAll()
    state = caught.args[0]
    assert state is tracker.state
    assert state.error is None
    assert state.aoi.geojson()["coordinates"][0] == [
        [15.282326, 37.854051],
        [15.281897, 37.843275],
        [15.301208, 37.843139],
        [15.301809, 37.853577],
        [15.282326, 37.854051],
    ]
    assert state.aoi.area_km2 == pytest.approx(2.0114, abs=1e-4)
    assert state.aoi.source == "1 selected feature of taormina"
    assert (state.layer_id, state.layer_name, state.feature_count, state.hint) == (layer.id(), "taormina", 1, "")


def test_many_changes_are_told_once(project, tracker, qtbot):
    layer = added(project, layer_of(*(square(10 + n, 40) for n in range(20))))
    told = []
    tracker.changed.connect(told.append)
    for number in range(20):
        layer.selectByIds([number + 1])
    qtbot.waitUntil(lambda: bool(told))
    qtbot.waitUntil(lambda: tracker.state.aoi is not None and tracker.state.aoi.bbox[0] == 29.0)
    assert len(told) == 1


def test_nothing_is_told_when_nothing_changed(project, tracker):
    layer = added(project, layer_of(TAORMINA))
    layer.selectAll()
    tracker.refresh()
    told = []
    tracker.changed.connect(told.append)
    layer.selectAll()
    tracker.refresh()
    tracker.set_boxed(False)
    assert told == []


def test_a_refusal_that_stays_the_same_is_not_told_again(project, tracker):
    layer = added(project, layer_of("POLYGON((0 0,1 1,1 0,0 1,0 0))"))
    layer.selectAll()
    assert tracker.refresh().error.code == codes.SELF_CROSSING
    told = []
    tracker.changed.connect(told.append)
    tracker.refresh()
    assert told == []


def test_the_union_of_touching_features_is_one_area(project, tracker):
    layer = added(project, layer_of(square(15, 37), square(15.02, 37), name="parcels"))
    layer.selectAll()
    state = tracker.refresh()
    assert state.aoi.bbox == (15.0, 37.0, 15.04, 37.02)
    assert state.aoi.source == "2 selected features of parcels"


def test_separate_parts_are_refused_unless_the_filter_is_bbox(project, tracker):
    layer = added(project, layer_of(square(15, 37), square(16, 37)))
    layer.selectAll()
    state = tracker.refresh()
    assert state.aoi is None
    assert state.error.user_message == "2 separate parts. A job takes one polygon."
    assert (state.layer_name, state.feature_count) == ("taormina", 2)
    tracker.set_boxed(True)
    assert tracker.state.aoi.bbox == (15.0, 37.0, 16.02, 37.02)
    tracker.set_boxed(False)
    assert tracker.state.error.code == codes.PARTS


def test_the_area_stays_when_other_layers_come_and_are_made_active(project, tracker):
    layer = added(project, layer_of(TAORMINA))
    layer.selectAll()
    area = tracker.refresh().aoi
    other = added(project, layer_of(square(1, 1), name="other"))
    assert tracker.refresh().aoi == area
    project.removeMapLayer(other.id())
    assert tracker.refresh().aoi == area


def test_the_last_polygon_layer_selected_in_wins_and_gives_way_when_cleared(project, tracker):
    first = added(project, layer_of(square(15, 37), name="first"))
    second = added(project, layer_of(square(16, 37), name="second"))
    first.selectAll()
    second.selectAll()
    assert tracker.refresh().layer_name == "second"
    second.removeSelection()
    assert tracker.refresh().layer_name == "first"
    first.removeSelection()
    state = tracker.refresh()
    assert (state.aoi, state.error) == (None, None)
    # The layer stays named, so that the person sees where the area will come from.
    assert state.layer_name == "first"
    assert state.feature_count == 0


@pytest.mark.parametrize(
    ("kind", "wkt", "word"),
    [
        ("LineString", "LINESTRING(0 0,1 1)", "Lines"),
        ("Point", "POINT(0 0)", "Points"),
        ("MultiPoint", "MULTIPOINT((0 0),(1 1))", "Points"),
    ],
)
def test_a_selection_without_area_is_named_as_unusable(project, tracker, kind, wkt, word):
    roads = added(project, layer_of(wkt, kind=kind, name="roads"))
    roads.selectAll()
    state = tracker.refresh()
    assert state.aoi is None
    assert state.error.user_message == f"{word} have no area."
    assert (state.layer_name, state.feature_count) == ("roads", 1)
    roads.removeSelection()
    assert tracker.refresh().error is None


def test_a_line_selection_beside_an_area_is_a_hint_only(project, tracker):
    area = added(project, layer_of(TAORMINA))
    roads = added(project, layer_of("LINESTRING(0 0,1 1)", kind="LineString", name="roads"))
    area.selectAll()
    roads.selectAll()
    state = tracker.refresh()
    assert state.aoi is not None
    assert state.layer_name == "taormina"
    assert state.hint == "1 selected feature of roads is not used: lines have no area."
    roads.removeSelection()
    assert tracker.refresh().hint == ""
    roads.selectAll()
    area.removeSelection()
    area.selectAll()
    assert tracker.refresh().hint == ""


def test_removing_the_layer_clears_the_area(project, tracker, qtbot):
    layer = added(project, layer_of(TAORMINA))
    layer.selectAll()
    assert tracker.refresh().aoi is not None
    with qtbot.waitSignal(tracker.changed):
        project.removeMapLayer(layer.id())
    assert (tracker.state.aoi, tracker.state.layer_id, tracker.state.layer_name) == (None, "", "")
    assert tracker.layer is None


def test_clearing_the_project_clears_the_area(project, tracker):
    added(project, layer_of(TAORMINA)).selectAll()
    tracker.refresh()
    project.clear()
    assert tracker.refresh().layer_id == ""


def test_a_selection_made_before_the_tracker_came_is_read(project):
    added(project, layer_of(TAORMINA)).selectAll()
    tracker = SelectionTracker(project)
    try:
        assert tracker.state.aoi is not None
    finally:
        tracker.close()


def test_a_layer_added_with_a_selection_is_followed(project, tracker):
    added(project, layer_of(square(1, 1), name="old")).selectAll()
    sample = layer_of(TAORMINA, name="sample")
    sample.selectAll()
    added(project, sample)
    assert tracker.refresh().layer_name == "sample"


def test_edits_of_a_selected_feature_are_followed(project, tracker, qtbot):
    layer = added(project, layer_of(TAORMINA))
    layer.selectAll()
    tracker.refresh()
    layer.startEditing()
    with qtbot.waitSignal(tracker.changed):
        layer.changeGeometry(1, QgsGeometry.fromWkt(square(15, 37)))
    assert tracker.state.aoi.bbox == (15.0, 37.0, 15.02, 37.02)
    with qtbot.waitSignal(tracker.changed):
        layer.rollBack()
    assert tracker.state.aoi.bbox[0] == 15.281897


def test_a_new_name_is_followed(project, tracker, qtbot):
    layer = added(project, layer_of(TAORMINA))
    layer.selectAll()
    tracker.refresh()
    with qtbot.waitSignal(tracker.changed):
        layer.setName("Etna")
    assert tracker.state.layer_name == "Etna"


def test_a_pinned_layer_is_stayed_with(project, tracker):
    first = added(project, layer_of(square(15, 37), name="first"))
    second = added(project, layer_of(square(16, 37), name="second"))
    first.selectAll()
    tracker.pin(first.id())
    second.selectAll()
    assert tracker.refresh().layer_name == "first"
    tracker.pin("")
    assert tracker.state.layer_name == "second"
    tracker.pin(first.id())
    project.removeMapLayer(first.id())
    assert tracker.refresh().layer_name == "second"


def test_a_closed_tracker_lets_go_of_everything(project):
    layer = added(project, layer_of(TAORMINA))
    tracker = SelectionTracker(project)
    told = []
    tracker.changed.connect(told.append)
    tracker.close()
    tracker.close()
    layer.selectAll()
    added(project, layer_of(square(1, 1))).selectAll()
    project.removeMapLayer(layer.id())
    assert tracker.refresh().aoi is None
    assert told == []
    gone = weakref.ref(tracker)
    del tracker
    gc.collect()
    assert gone() is None


def test_a_tracker_deleted_by_qt_leaves_no_slot_behind(project):
    layer = added(project, layer_of(TAORMINA))
    tracker = SelectionTracker(project)
    tracker.deleteLater()
    QCoreApplication.sendPostedEvents(tracker, QEvent.Type.DeferredDelete)
    assert sip.isdeleted(tracker)
    layer.selectAll()
    project.removeMapLayer(layer.id())


def test_closing_after_the_layers_are_gone(project):
    tracker = SelectionTracker(project)
    layer = added(project, layer_of(TAORMINA))
    layer.selectAll()
    tracker._layers[layer.id()] = layer
    sip.delete(project.takeMapLayer(layer))
    tracker.close()


def test_a_layer_without_crs_is_refused(project, tracker):
    layer = added(project, layer_of(TAORMINA, crs=""))
    layer.setCrs(QgsCoordinateReferenceSystem())
    layer.selectAll()
    assert tracker.refresh().error.user_message == "The layer has no CRS."


def test_features_without_geometry(project, tracker):
    layer = added(project, layer_of("", TAORMINA))
    layer.selectByIds([1])
    assert tracker.refresh().error.user_message == "The selected feature has no geometry."
    layer.selectAll()
    assert tracker.refresh().aoi is not None
    assert tracker.state.feature_count == 2


def test_too_many_features_are_refused_before_they_are_read(project, tracker, monkeypatch):
    monkeypatch.setattr(selection, "MAX_FEATURES", 3)
    layer = added(project, layer_of(*(square(15 + n, 37) for n in range(4))))
    layer.selectAll()
    state = tracker.refresh()
    assert state.error.code == codes.TOO_MANY
    assert state.error.user_message == "4 features selected, 3 at most."


def test_too_many_vertices_are_refused(project, monkeypatch):
    monkeypatch.setattr(selection, "MAX_VERTICES", 8)
    layer = layer_of(square(15, 37), square(16, 37))
    layer.selectAll()
    with pytest.raises(AoiError) as caught:
        collect(layer)
    assert caught.value.code == codes.TOO_MANY


def test_going_back_to_a_filter_needs_no_new_union(project, tracker):
    layer = added(project, layer_of(TAORMINA))
    layer.selectAll()
    known = tracker.refresh().aoi
    tracker.set_boxed(True)
    tracker.set_boxed(False)
    assert tracker._area_of(layer) is known
    layer.startEditing()
    (feature,) = layer.getFeatures()
    layer.changeGeometry(feature.id(), QgsGeometry.fromWkt("Polygon ((15 37, 15.1 37, 15.1 37.1, 15 37))"))
    assert tracker.refresh().aoi.bbox == (15, 37, 15.1, 37.1)
    tracker.set_boxed(True)
    assert tracker.state.aoi.bbox == (15, 37, 15.1, 37.1)
    layer.rollBack()
    assert tracker.refresh().aoi.bbox == known.bbox
