"""The submenu that adds indices of an image to the map, over real layers and files."""

from __future__ import annotations

import numpy as np
import pytest
from plugin_kit import wait_for
from qgis.core import QgsApplication, QgsLayerNotesUtils, QgsLayerTreeLayer, QgsMapLayerLegend, QgsProject
from qgis.PyQt.QtCore import QPoint
from showcase.headless import HeadlessInterface

from tests.raster_samples import LEFT, PIXEL, TOP, analytic, coast, geotiff, ndvi, output_of, superresolution, visual
from tests.rendering import colour, rendered
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.imagery.indices import INDICES, PICTURE
from up42_plugin.core.layer_plan import JobProvenance
from up42_plugin.core.outputs import prepare_output
from up42_plugin.gui.index_menu import BEING_COMPUTED, IndexMenu
from up42_plugin.gui.job_files import layers_in
from up42_plugin.qgis_bridge.layer_metadata import identity
from up42_plugin.qgis_bridge.layers import LayerLoader
from up42_plugin.qgis_bridge.styles import style_names

JOB = JobProvenance("job", "Job", "sandbox", task_name="x:1", recipe={"x:1": {"limit": 1}})
SR = "x_superresolution.tif"
NDWI_LEGEND = [
    "-1: plants", "-0.3: plants or dry soil", "0: land below, water above", "0.2: water", "0.5: open water",
    "1: open water",
]  # fmt: skip


class Kit:
    """A menu over a map, and what it told."""

    def __init__(self, runner):
        self.iface = HeadlessInterface()
        self.runner = runner
        self.told = []
        self.indices = IndexMenu(self.iface, runner, lambda text, _level: self.told.append(text))
        self.project = QgsProject.instance()

    def load(self, folder, *names, **options):
        plans = prepare_output(output_of(folder, *names), ThreadContext(), **options)
        layers = LayerLoader(self.project).add(plans, "Job", JOB)
        self.iface.active = layers[0]
        return layers[0]

    def opened(self):
        """The entries by the name of their index, as they are when the submenu opens."""
        self.indices.menu.popup(QPoint(0, 0))
        self.indices.menu.hide()
        return {action.objectName()[len("Up42Index") :]: action for action in self.indices.menu.actions()}

    def add(self, name):
        """Click, and wait until all is done."""
        self.opened()[name].trigger()
        wait_for(lambda: not self.runner.active, "the end of the job")

    def tree(self):
        """The layers of the job's group from top to bottom."""
        (group,) = self.project.layerTreeRoot().children()
        return [node.name() for node in group.children()]

    def layer(self, name):
        (layer,) = self.project.mapLayersByName(name)
        return layer

    def forget(self):
        """The project is closed."""
        self.iface.active = None
        self.project.clear()


@pytest.fixture
def kit(qgis_app, runner):
    QgsProject.instance().clear()
    kit = Kit(runner)
    yield kit
    kit.forget()
    kit.indices.close()
    kit.iface.close()


def legend(layer):
    nodes = QgsMapLayerLegend.defaultRasterLegend(layer).createLayerTreeModelLegendNodes(QgsLayerTreeLayer(layer))
    return [text for text in (node.data(0) for node in nodes[1:]) if text]


def test_a_click_adds_the_index_above_its_image_and_a_second_one_nothing(kit, tmp_path):
    visual(tmp_path / "v.tif")
    superresolution(tmp_path / SR)
    kit.load(tmp_path, "v.tif", SR)
    image = kit.iface.active = kit.layer("Super-resolution 2021-09-18")
    kit.add("NDWI")
    assert kit.tree() == ["v 2021-09-18", "NDWI of Super-resolution 2021-09-18", "Super-resolution 2021-09-18"]
    index = kit.layer("NDWI of Super-resolution 2021-09-18")
    assert legend(index) == NDWI_LEGEND
    assert style_names(index) == ["Ramp", "Grey"]
    picture = rendered([index], 160, 120)
    (red, _, blue), (land_red, _, land_blue) = colour(picture, 150, 60), colour(picture, 10, 60)
    assert blue > red + 50, "the sea"
    assert land_red > land_blue + 50, "the forest"
    node = kit.project.layerTreeRoot().findLayer(index.id())
    assert not node.isExpanded()
    node.setItemVisibilityChecked(False)
    files = sorted(tmp_path.iterdir())
    kit.add("NDWI")
    assert len(kit.tree()) == len(kit.project.mapLayers()) == 3
    assert sorted(tmp_path.iterdir()) == files
    assert node.isVisible()
    kit.project.removeMapLayer(index.id())
    stamp = files[-1].stat().st_mtime_ns
    kit.add("NDWI")
    assert len(kit.tree()) == 3, "removed, it comes back from its file"
    assert files[-1].stat().st_mtime_ns == stamp
    assert image.styleManager().currentStyle() == "True Colour"
    assert not kit.told


def test_the_index_knows_what_its_image_knows_and_how_it_was_computed(kit, tmp_path):
    superresolution(tmp_path / SR)
    image = kit.load(tmp_path, SR)
    image.setName("Mine")
    kit.add("NDVI")
    index = kit.layer("NDVI of Mine")
    assert identity(index)[:3] == identity(image)[:3] == ("sandbox", "job", "x:1")
    assert identity(index)[3] != identity(image)[3]
    assert index in layers_in(kit.project, tmp_path)
    assert index.customProperty("up42/recipe") == image.customProperty("up42/recipe")
    assert index.temporalProperties().isActive()
    assert index.temporalProperties().fixedTemporalRange() == image.temporalProperties().fixedTemporalRange()
    about = "NDVI = (near infrared - red) / (near infrared + red), computed from band 4 (B8), band 1 (B4) of Mine"
    assert QgsLayerNotesUtils.layerNotes(index).startswith(f"<p>{about}")
    assert QgsLayerNotesUtils.layerNotes(image) in QgsLayerNotesUtils.layerNotes(index)
    metadata, before = index.metadata(), image.metadata()
    assert metadata.title() == "NDVI of Mine"
    assert metadata.abstract().startswith(about)
    assert metadata.history()[:-1] == before.history()
    assert metadata.history()[-1].startswith(about)
    assert metadata.identifier().endswith(identity(index)[3])
    assert (metadata.rights(), metadata.extent()) == (before.rights(), before.extent())
    assert before.title() == "Super-resolution 2021-09-18", "the image's own stay as they were"
    kit.iface.active = index
    assert kit.opened() == {}, "no index of an index"


def test_loading_the_output_again_leaves_the_index(kit, tmp_path):
    superresolution(tmp_path / SR)
    image = kit.load(tmp_path, SR)
    kit.add("NDMI")
    before = kit.tree()
    assert kit.load(tmp_path, SR) == image
    assert kit.tree() == before
    assert len(kit.project.mapLayers()) == 2


def test_a_project_reopened_elsewhere_has_it_and_does_not_add_it_twice(kit, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    names = [path.name for path in analytic(here / "outputs")]
    kit.load(here / "outputs", *names, block_name="esa-s2-l2a-gtiff-analytic")
    kit.add("NDVI")
    kit.add("NDMI")
    before = kit.tree()
    assert kit.project.write(str(here / "p.qgz"))
    kit.forget()
    here.rename(there)
    assert kit.project.read(str(there / "p.qgz"))
    layers = list(kit.project.mapLayers().values())
    assert all(layer.isValid() and str(there) in layer.source() for layer in layers)
    assert kit.tree() == before
    (kit.iface.active,) = [layer for layer in layers if not layer.name().startswith("ND")]
    files = sorted((there / "outputs").iterdir())
    kit.add("NDVI")
    assert kit.tree() == before
    kit.add("NDWI")
    assert len(kit.tree()) == len(before) + 1
    made = set((there / "outputs").iterdir()) - set(files)
    assert [path.name.rpartition("-")[2] for path in made] == ["ndwi.tif"]
    del layers


def test_what_cannot_be_computed_is_grey_and_says_why(kit, tmp_path):
    visual(tmp_path / "v.tif")
    kit.load(tmp_path, "v.tif")
    offered = kit.opened()
    assert list(offered) == [index.name for index in INDICES]
    assert {(action.isEnabled(), action.toolTip()) for action in offered.values()} == {(False, PICTURE)}
    ndvi(tmp_path / "x_ndvi.tif")
    layer = kit.load(tmp_path, "x_ndvi.tif")
    assert not kit.indices.serves(layer)
    assert kit.opened() == {}
    kit.iface.active = None
    assert kit.opened() == {}


def test_one_that_is_being_computed_is_not_begun_again(kit, tmp_path):
    superresolution(tmp_path / SR)
    kit.load(tmp_path, SR)
    entry = kit.opened()["NBR"]
    assert entry.text() == "NBR (Burnt Areas)"
    entry.trigger()
    now = kit.opened()["NBR"]
    assert (now.isEnabled(), now.toolTip()) == (False, BEING_COMPUTED)
    assert now.text().startswith("NBR (Burnt Areas), ")
    kit.indices.layers.add(kit.iface.active, next(index for index in INDICES if index.name == "NBR"))
    assert kit.runner.active == 1
    wait_for(lambda: not kit.runner.active, "the end of the job")
    assert len(kit.tree()) == 2
    assert kit.opened()["NBR"].isEnabled()


def test_the_task_manager_cancels_it(kit, tmp_path):
    bands = [np.tile(values, (30, 30)) for values in coast().values()]
    geotiff(tmp_path / "a.tif", bands[:4], descriptions=("blue", "green", "red", "nir"), options=("TILED=YES",))
    kit.load(tmp_path, "a.tif")
    files = sorted(tmp_path.iterdir())
    kit.opened()["NDVI"].trigger()
    wait_for(lambda: len(list(tmp_path.iterdir())) > len(files), "the file to be begun")
    (task,) = QgsApplication.taskManager().tasks()
    assert task.description() == "UP42: computing NDVI of a 2021-09-18"
    task.cancel()
    wait_for(lambda: not kit.runner.active, "the end of the job")
    assert sorted(tmp_path.iterdir()) == files
    assert len(kit.project.mapLayers()) == 1
    assert not kit.told
    assert kit.opened()["NDVI"].isEnabled()
    del task


def test_an_image_removed_meanwhile_gets_no_index(kit, tmp_path):
    superresolution(tmp_path / SR)
    layer = kit.load(tmp_path, SR)
    kit.opened()["NDVI"].trigger()
    kit.iface.active = None
    kit.project.removeMapLayer(layer.id())
    wait_for(lambda: not kit.runner.active, "the end of the job")
    assert not kit.project.mapLayers()


def test_an_image_moved_out_of_its_group_has_its_index_beside_it(kit, tmp_path):
    superresolution(tmp_path / SR)
    layer = kit.load(tmp_path, SR)
    root = kit.project.layerTreeRoot()
    mine = root.addGroup("Mine")
    node = root.findLayer(layer.id())
    mine.addChildNode(node.clone())
    node.parent().removeChildNode(node)
    kit.add("NDVI")
    assert [child.name() for child in mine.children()] == [f"NDVI of {layer.name()}", layer.name()]


def test_a_file_that_is_gone_is_told(kit, tmp_path):
    path = superresolution(tmp_path / SR)
    kit.load(tmp_path, SR)
    path.unlink()
    kit.add("NDVI")
    assert SR in kit.told[0]
    assert len(kit.project.mapLayers()) == 1
    assert sorted(found.name for found in tmp_path.iterdir()) == ["data.json"]


def test_a_lost_file_of_an_index_is_computed_again_for_the_same_layer(kit, tmp_path):
    superresolution(tmp_path / SR)
    kit.load(tmp_path, SR)
    kit.add("NDVI")
    index = kit.layer("NDVI of Super-resolution 2021-09-18")
    (path,) = tmp_path.glob("up42_layer_*.tif")
    path.unlink()
    kit.add("NDVI")
    assert len(kit.project.mapLayers()) == 2
    place = index.extent().center()
    place.set(LEFT + 10 * PIXEL, TOP - 60 * PIXEL)
    assert index.dataProvider().sample(place, 1)[0] > 0.7
