"""The area as the dock shows it, from real selections."""

from __future__ import annotations

import pytest
from qgis.core import QgsFeature, QgsGeometry, QgsProject, QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest

from up42_plugin.gui.area_section import AreaSection
from up42_plugin.qgis_bridge.area_sources import AreaSource, AreaState
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.selection import SelectionTracker

N = "\u00a0"
SQUARE = "Polygon ((15.28 37.84, 15.30 37.84, 15.30 37.85, 15.28 37.85, 15.28 37.84){})"
HOLE = ", (15.285 37.843, 15.290 37.843, 15.290 37.846, 15.285 37.843)"
BOWTIE = "Polygon ((15.28 37.84, 15.30 37.85, 15.30 37.84, 15.28 37.85, 15.28 37.84))"


@pytest.fixture
def section(shown, fresh_settings):
    return shown(AreaSection())


@pytest.fixture
def select(qgis_app):
    project = QgsProject()
    tracker = SelectionTracker(project)
    runner = JobRunner(PanelLog())
    source = AreaSource(tracker, project, runner)

    def select_in_new_layer(*wkts, kind="Polygon", name="taormina"):
        layer = QgsVectorLayer(f"{kind}?crs=EPSG:4326", name, "memory")
        features = []
        for wkt in wkts:
            feature = QgsFeature()
            feature.setGeometry(QgsGeometry.fromWkt(wkt))
            features.append(feature)
        layer.dataProvider().addFeatures(features)
        project.addMapLayer(layer)
        layer.selectAll()
        tracker.refresh()
        return source.refresh()

    yield select_in_new_layer
    source.close()
    tracker.close()
    assert runner.shutdown()
    project.clear()


def test_with_nothing_selected_it_says_what_to_do(section):
    section.show_state(AreaState())
    assert section.size_text == "No feature selected"
    assert section.inputs.layer.currentLayer() is None
    assert section.draw_button.isVisible()
    assert section.extent_button.isVisible()
    assert section.sample_button.isVisible()
    assert not section.zoom_button.isEnabled()
    assert section.zoom_button.toolTip() == "Zoom to the area: there is none yet"
    assert section._icon.isHidden()
    assert section.problem.isHidden()


def test_one_feature(section, select):
    section.show_state(select(SQUARE.format("")))
    assert section.size_text.startswith("<b>1.9")
    assert section.size_text.endswith(f"{N}km²</b>, 1 selected feature")
    assert section.zoom_button.isEnabled()
    assert section.sample_button.isHidden()
    assert section.problem.isHidden()


def test_holes_are_kept_and_told(section, select):
    section.show_state(select(SQUARE.format(HOLE)))
    assert section.size_text.endswith("1 selected feature, 1 hole kept")


def test_the_box_is_told_when_the_filter_takes_it(section, select):
    section.show_state(select(SQUARE.format("")), box_km2=2.12)
    assert section.size_text.endswith(f"1 selected feature, box is 2.12{N}km²")


def test_a_problem_is_told_with_icon_and_words(section, select):
    section.show_state(select(BOWTIE))
    assert section.size_text == "1 selected feature"
    assert section.problem.isVisible()
    assert section.problem.text
    assert section._icon.isVisible()
    assert not section.zoom_button.isEnabled()
    assert section.sample_button.isHidden()


def test_lines_are_named_as_unusable(section, select):
    section.show_state(select("LineString (15 37, 16 38)", kind="LineString", name="roads"))
    assert "Lines have no area" in section.problem.text


def test_a_selection_elsewhere_that_is_not_used_is_a_hint(section, select):
    select(SQUARE.format(""))
    section.show_state(select("LineString (15 37, 16 38)", kind="LineString", name="roads"))
    assert section.problem.text == "1 selected feature of roads is not used: lines have no area."
    assert section.zoom_button.isEnabled()


def test_its_clicks(section, select, qtbot):
    with qtbot.waitSignal(section.sample_asked):
        QTest.mouseClick(section.sample_button, Qt.MouseButton.LeftButton)
    section.show_state(select(SQUARE.format("")))
    with qtbot.waitSignal(section.zoom_asked):
        QTest.mouseClick(section.zoom_button, Qt.MouseButton.LeftButton)


def test_collapsed_it_shows_its_content_in_its_title(section, select):
    section.show_state(select(SQUARE.format("")))
    assert section.title() == "Area"
    section.setCollapsed(True)
    assert section.title().startswith("Area: 1.9")
    assert section.title().endswith(f"{N}km², 1 selected feature")
    section.setCollapsed(False)
    assert section.title() == "Area"
