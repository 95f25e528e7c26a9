"""The submenu that switches styles and stretches, over real layers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from plugin_kit import wait_for
from qgis.core import QgsProject, QgsRectangle
from qgis.PyQt.QtCore import QPoint
from showcase.headless import HeadlessInterface

from tests.raster_samples import LEFT, PIXEL, TOP, geotiff, ndvi, output_of, superresolution
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import JobProvenance
from up42_plugin.core.outputs import prepare_output
from up42_plugin.gui.style_menu import NO_STRETCH, NOT_IN_VIEW, TO_EXTENT, TO_IMAGE, StyleMenu
from up42_plugin.qgis_bridge.layers import LayerLoader

JOB = JobProvenance("job", "Job", "sandbox")


class Kit:
    """A menu over a map, and what it told."""

    def __init__(self, runner):
        self.iface = HeadlessInterface()
        self.told = []
        self.styles = StyleMenu(self.iface, runner, lambda text, _level: self.told.append(text))

    def load(self, folder, name, **options):
        plans = prepare_output(output_of(folder, name), ThreadContext(), **options)
        (layer,) = LayerLoader(QgsProject.instance()).add(plans, "x", JOB)
        self.iface.active = layer
        return layer

    def opened(self):
        """The entries by their text, as they are when the submenu opens."""
        self.styles.menu.popup(QPoint(0, 0))
        self.styles.menu.hide()
        return {action.text(): action for action in self.styles.menu.actions() if not action.isSeparator()}

    def ticked(self):
        return [text for text, action in self.opened().items() if action.isChecked()]

    def look_at(self, first, last):
        """Show a range of columns of the samples."""
        canvas = self.iface.mapCanvas()
        canvas.setDestinationCrs(self.iface.active.crs())
        canvas.resize(300, 300)
        canvas.setExtent(QgsRectangle(LEFT + first * PIXEL, TOP - 70 * PIXEL, LEFT + last * PIXEL, TOP - 52 * PIXEL))


@pytest.fixture
def kit(qgis_app, runner):
    QgsProject.instance().clear()
    kit = Kit(runner)
    yield kit
    kit.styles.close()
    kit.iface.close()
    QgsProject.instance().clear()


def red(layer):
    enhancement = layer.renderer().redContrastEnhancement()
    return layer.renderer().redBand(), enhancement.minimumValue(), enhancement.maximumValue()


def test_it_lists_the_styles_of_the_layer_and_switches(kit, tmp_path):
    superresolution(tmp_path / "x_superresolution.tif")
    layer = kit.load(tmp_path, "x_superresolution.tif")
    offered = kit.opened()
    assert list(offered)[:2] == ["True Colour", "False Colour (NIR)"]
    assert list(offered)[-2:] == [TO_EXTENT, TO_IMAGE]
    assert kit.ticked() == ["True Colour"]
    kit.opened()["False Colour (NIR)"].trigger()
    assert red(layer)[0] == 4
    assert kit.ticked() == ["False Colour (NIR)"]


def test_styles_a_person_adds_are_listed_after_ours(kit, tmp_path):
    ndvi(tmp_path / "x_ndvi.tif")
    layer = kit.load(tmp_path, "x_ndvi.tif")
    layer.styleManager().addStyleFromLayer("A&B")
    assert list(kit.opened())[:4] == ["Classes", "Ramp", "Grey", "A&&B"]
    kit.opened()["A&&B"].trigger()
    assert layer.styleManager().currentStyle() == "A&B"


def test_a_reopened_project_offers_the_same(kit, tmp_path):
    ndvi(tmp_path / "x_ndvi.tif")
    kit.load(tmp_path, "x_ndvi.tif")
    kit.opened()["Ramp"].trigger()
    before = list(kit.opened())
    project = QgsProject.instance()
    assert project.write(str(tmp_path / "p.qgz"))
    kit.iface.active = None
    project.clear()
    assert project.read(str(tmp_path / "p.qgz"))
    (kit.iface.active,) = project.mapLayers().values()
    assert list(kit.opened()) == before
    assert kit.ticked() == ["Ramp"]


def test_it_stretches_to_what_the_map_shows_and_back(kit, tmp_path):
    superresolution(tmp_path / "x_superresolution.tif")
    layer = kit.load(tmp_path, "x_superresolution.tif")
    whole = red(layer)
    kit.look_at(2, 20)  # forest
    kit.opened()[TO_EXTENT].trigger()
    wait_for(lambda: red(layer) != whole, "the stretch")
    assert red(layer)[0] == 1
    assert red(layer)[2] < 800, "the forest is dark"
    kit.opened()[TO_IMAGE].trigger()
    wait_for(lambda: red(layer) == whole, "the stretch as it was")
    assert not kit.told


def test_what_cannot_be_stretched_says_why(kit, tmp_path):
    ndvi(tmp_path / "x_ndvi.tif")
    kit.load(tmp_path, "x_ndvi.tif")
    offered = kit.opened()
    assert [(offered[text].isEnabled(), offered[text].toolTip()) for text in (TO_EXTENT, TO_IMAGE)] == [
        (False, NO_STRETCH)
    ] * 2
    offered["Grey"].trigger()
    kit.look_at(5000, 5100)
    offered = kit.opened()
    assert (offered[TO_EXTENT].isEnabled(), offered[TO_EXTENT].toolTip()) == (False, NOT_IN_VIEW)
    assert offered[TO_IMAGE].isEnabled()


def test_a_style_that_is_chosen_meanwhile_is_not_stretched(kit, tmp_path):
    superresolution(tmp_path / "x_superresolution.tif")
    layer = kit.load(tmp_path, "x_superresolution.tif")
    kit.look_at(2, 20)
    kit.opened()[TO_EXTENT].trigger()
    kit.opened()["False Colour (NIR)"].trigger()
    before = red(layer)
    wait_for(lambda: not kit.styles._runner.active, "the end of the job")
    assert red(layer) == before


def test_a_file_that_is_gone_is_told(kit, tmp_path):
    path = geotiff(tmp_path / "a.tif", [np.arange(10_000, dtype=np.float32).reshape(100, 100)])
    layer = kit.load(tmp_path, "a.tif")
    path.unlink()
    kit.opened()[TO_IMAGE].trigger()
    wait_for(lambda: kit.told, "a word")
    assert "a.tif" in kit.told[0]
    assert layer.renderer().contrastEnhancement() is not None


def test_vectors_have_styles_and_no_stretch(kit, tmp_path):
    ring = [[15, 37], [16, 37], [16, 38], [15, 37]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    features = [
        {"type": "Feature", "properties": {"confidence": value, "class": text}, "geometry": shape}
        for value, text in ((0.5, "a"), (0.9, "b"))
    ]
    (tmp_path / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    layer = kit.load(tmp_path, "a.geojson", block_name="ship-detection")
    assert list(kit.opened()) == ["By Confidence", "By Class", "Plain"]
    kit.opened()["By Class"].trigger()
    assert layer.renderer().classAttribute() == "class"
    assert [entry.label() for entry in layer.renderer().categories()] == ["A", "B"]


def test_no_layer_no_entries(kit):
    assert kit.opened() == {}
