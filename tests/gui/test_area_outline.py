"""The area on the map: shown while the dock is open, in the map's CRS, and gone afterwards."""

from __future__ import annotations

import math

import pytest
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRectangle
from qgis.gui import QgsMapCanvas

from tests.job_samples import taormina
from up42_plugin.core.aoi import AOI
from up42_plugin.gui.area_outline import AreaOutline

UTM = QgsCoordinateReferenceSystem("EPSG:32633")


@pytest.fixture
def canvas(qtbot):
    canvas = QgsMapCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 300)
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:4326"))
    canvas.setExtent(QgsRectangle(-180, -90, 180, 90))
    return canvas


@pytest.fixture
def outline(canvas):
    outline = AreaOutline(canvas, QgsProject())
    outline.set_shown(True)
    yield outline
    outline.close()


def drawn(outline):
    return outline._band.asGeometry().boundingBox()


def test_it_is_red_and_dashed_and_not_filled(outline):
    band = outline._band
    assert band.strokeColor().red() > 200
    assert band.strokeColor().green() < 60
    assert band.fillColor().alpha() == 0


def test_the_area_is_outlined(outline):
    outline.show_area(taormina())
    west, south, east, north = taormina().bbox
    box = drawn(outline)
    for found, wanted in (
        (box.xMinimum(), west),
        (box.yMinimum(), south),
        (box.xMaximum(), east),
        (box.yMaximum(), north),
    ):
        assert found == pytest.approx(wanted, abs=1e-6)
    outline.show_area(None)
    assert outline._band.numberOfVertices() == 0


def test_holes_are_outlined_too(outline):
    rings = ([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.4]])
    outline.show_area(AOI.from_geojson({"type": "Polygon", "coordinates": rings}))
    assert len(outline._band.asGeometry().asMultiPolygon()[0]) == 2


def test_it_follows_the_map_s_crs(outline, canvas):
    outline.show_area(taormina())
    canvas.setDestinationCrs(UTM)
    assert 520_000 < drawn(outline).xMinimum() < 530_000
    assert 4_180_000 < drawn(outline).yMinimum() < 4_200_000


def test_straight_edges_follow_the_bent_map(outline, canvas):
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3035"))
    outline.show_area(AOI.from_bbox((0, 40, 30, 60)))
    assert outline._band.numberOfVertices() > 30


def test_an_area_outside_of_the_map_s_crs_is_not_drawn_and_does_not_disturb(outline, canvas):
    outline.show_area(AOI.from_bbox((10, 84, 20, 90)))
    canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
    assert outline._band.numberOfVertices() == 0 or math.isfinite(drawn(outline).yMaximum())
    outline.zoom()
    outline.show_area(taormina())
    assert outline._band.numberOfVertices() > 0


def test_a_very_detailed_area_is_not_made_heavier(outline):
    ring = [[math.cos(2 * math.pi * n / 5000), math.sin(2 * math.pi * n / 5000)] for n in range(5000)]
    outline.show_area(AOI.from_geojson({"type": "Polygon", "coordinates": [[*ring, ring[0]]]}))
    assert outline._band.numberOfVertices() < 5100


def test_it_is_shown_only_while_wanted(canvas):
    outline = AreaOutline(canvas, QgsProject())
    outline.show_area(taormina())
    assert outline._band.numberOfVertices() == 0  # the dock begins closed
    outline.set_shown(True)
    assert outline._band.numberOfVertices() > 0
    outline.set_shown(False)
    assert outline._band.numberOfVertices() == 0
    outline.close()


def test_zooming_shows_the_whole_area_with_a_margin(outline, canvas):
    outline.show_area(taormina())
    outline.zoom()
    west, south, east, north = taormina().bbox
    assert canvas.extent().contains(QgsRectangle(west, south, east, north))
    assert canvas.extent().width() < 1


def test_nothing_to_zoom_to_moves_nothing(outline, canvas):
    before = canvas.extent()
    outline.zoom()
    assert canvas.extent() == before


def test_zooming_may_wait_for_the_area_and_then_happens_once(outline, canvas):
    outline.zoom_when_known()
    outline.show_area(taormina())
    assert canvas.extent().width() < 1
    canvas.setExtent(QgsRectangle(-10, -10, 10, 10))
    outline.show_area(AOI.from_bbox((15, 37, 15.1, 37.1)))
    assert canvas.extent().width() > 10


def test_showing_an_area_never_moves_the_map(outline, canvas):
    before = canvas.extent()
    outline.show_area(taormina())
    assert canvas.extent() == before


def test_closing_takes_it_off_the_map_for_good(canvas):
    items = len(canvas.scene().items())
    outline = AreaOutline(canvas, QgsProject())
    outline.show_area(taormina())
    outline.close()
    outline.close()
    outline.set_shown(True)
    outline.show_area(taormina())
    canvas.setDestinationCrs(UTM)
    assert len(canvas.scene().items()) == items


def test_what_is_on_the_map_already_is_not_drawn_again(outline):
    """Every key typed in the form tells the area anew."""
    area = taormina()
    outline.show_area(area)
    outline._band.reset()
    outline.show_area(AOI(area.rings, area.area_km2, area.source))
    outline.set_shown(True)
    assert drawn(outline).isEmpty()
    outline.show_area(AOI.from_bbox((15.2, 37.8, 15.3, 37.9)))
    assert drawn(outline).width() == pytest.approx(0.1)
    outline.show_area(None)
    assert drawn(outline).isEmpty()
