"""The main job, end to end, in the dock: a selected feature becomes satellite layers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
import pytest
from layer_views import covers, group_of, over_area, rasters, vectors
from osgeo import gdal
from plugin_kit import (
    ANALYTIC,
    NDVI,
    SHARPENING,
    SMALL,
    SPEED,
    SUPERRESOLUTION,
    TAORMINA,
    PluginKit,
    plugin_in,
    turn,
    wait_for,
)
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QPushButton
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.core.layer_words import SYNTHETIC_TEXT
from up42_plugin.core.run import Phase, Run
from up42_plugin.qgis_bridge.layer_metadata import CONNECTION_ID, JOB_ID, SYNTHETIC

WGS84 = "EPSG:4326"
PROJECT_CRS = "EPSG:3857"


@dataclass
class Story:
    """What was seen on the way through the main job."""

    kit: PluginKit
    remote: Remote
    area_layer: QgsVectorLayer
    seen: Dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("main-job") / "data", *SPEED) as running:
        yield running


@pytest.fixture(scope="module")
def story(sandbox, tmp_path_factory, qgis_app):
    """The whole way, once: test query, one scene of it, price, confirmation, live job, layers, layers again."""
    remote = Remote(sandbox)
    with plugin_in(tmp_path_factory.mktemp("plugin")) as kit:
        kit.connect(sandbox)
        told = Story(kit, remote, kit.area(TAORMINA))
        told.seen.update(_walk(kit, remote))
        yield told
    remote.close()


def _walk(kit: PluginKit, remote: Remote) -> Dict[str, Any]:
    seen: Dict[str, Any] = {"balance before": remote.balance()}
    wait_for(lambda: kit.desk.new_job.selection.aoi is not None, "the area")
    kit.choose(SUPERRESOLUTION, limit=3)
    QgsProject.instance().setCrs(QgsCoordinateReferenceSystem(PROJECT_CRS))
    kit.click(kit.dock.area.zoom_button)
    turn()
    canvas = kit.iface.canvas
    canvas.setDestinationCrs(QgsProject.instance().crs())
    turn()
    seen["canvas"] = view_of(kit)
    seen["live before test"] = (kit.dock.foot.live_button.isEnabled(), kit.reason)
    seen["first"] = kit.test_query()
    seen["first layers"] = kit.loaded[-1][1]
    newest = seen["first"].scenes[0].scene_id
    kit.dock.search.choose_scene(newest)
    seen["live after choosing"] = (kit.dock.foot.live_button.isEnabled(), kit.reason)
    seen["second"] = kit.test_query()
    wait_for(lambda: kit.dock.foot.estimation.text().endswith("min"), "the newest estimation")
    seen["estimation"] = kit.dock.foot.estimation.text()
    seen["balance after tests"] = remote.balance()
    dialog = kit.dialog()
    seen["heading"], seen["confirm message"] = dialog.heading.text(), dialog.message.text
    seen["default"] = (dialog.cancel_button.isDefault(), dialog.run_button.isDefault())
    seen["prices"] = {name: label.text() for name, label in dialog.price_labels.items()}
    seen["run text"] = dialog.run_button.text()
    dialog.job_name.setText("Coast at Taormina")
    run = kit.begun(lambda: kit.click(dialog.run_button))
    kit.wait(run, lambda now: now.succeeded and now.credits_charged is not None, "the live job")
    seen["files before loading"] = kit.files_of(run)
    wait_for(lambda: "credit" in kit.told[-1], "the message")
    seen["layers"] = kit.load(run)
    seen["run"] = kit.runs[run.key]
    seen["line"] = kit.line(run)
    return seen


def view_of(kit: PluginKit) -> Tuple[str, float, float, float]:
    """CRS, middle and width of the map; its height changes as messages come and go above it."""
    extent = kit.iface.canvas.extent()
    crs = kit.iface.canvas.mapSettings().destinationCrs().authid()
    return crs, round(extent.center().x(), 2), round(extent.center().y(), 2), round(extent.width(), 2)


def test_live_job_is_closed_before_test_query_and_after_each_change(story):
    assert story.seen["live before test"] == (False, "Live job: run the free test query first.")
    able, reason = story.seen["live after choosing"]
    assert not able
    assert reason.startswith("Changed since the test query: ")


def test_test_query_finds_scenes_newest_first(story):
    scenes = story.seen["first"].scenes
    assert 1 < len(scenes) <= 3
    moments = [scene.acquired for scene in scenes]
    assert moments == sorted(moments, reverse=True)
    assert all(scene.cloud_cover <= 20 for scene in scenes)
    assert [scene.scene_id for scene in story.seen["second"].scenes] == [scenes[0].scene_id]


def test_test_query_lays_quicklooks_and_footprints_in_their_place(story):
    run, layers = story.seen["first"], story.seen["first layers"]
    assert all(layer.isValid() for layer in layers)
    assert {group_of(layer) for layer in layers} == {f"{run.name} (test query)"}
    assert {layer.customProperty(JOB_ID) for layer in layers} == {run.job.id}
    (footprints,) = vectors(layers)
    assert footprints.featureCount() == len(run.scenes)
    area = QgsGeometry.fromWkt(TAORMINA)
    assert all(feature.geometry().contains(area) for feature in footprints.getFeatures())
    quicklooks = rasters(layers)
    assert len(quicklooks) == len(run.scenes)
    assert all(covers(layer, TAORMINA) for layer in quicklooks)


def test_test_queries_cost_nothing(story):
    assert story.seen["balance after tests"] == story.seen["balance before"]


def test_live_job_is_what_was_tested(story):
    tested = story.remote.job(story.seen["second"].job.id)["inputs"]
    live = story.remote.job(story.seen["run"].job.id)["inputs"]
    modes = [dict(inputs.pop("config")) for inputs in (tested, live)]
    assert [mode["mode"] for mode in modes] == ["DRY_RUN", "DEFAULT"]
    assert tested == live
    assert live["aws-s2-l2a:1"]["ids"] == [story.seen["first"].scenes[0].scene_id]


def test_confirmation_says_price_and_what_is_left(story):
    estimation, prices = story.seen["estimation"], story.seen["prices"]
    assert story.seen["default"] == (True, False)
    assert estimation.startswith(prices["estimation"])
    assert "10,000" in prices["now"]
    assert all("credit" in prices[name] for name in ("estimation", "held", "now", "after"))
    assert "Credits" in story.seen["run text"]
    assert "Price read from the service just now." in story.seen["confirm message"]


def test_live_job_goes_through_its_states(story):
    words = story.seen["run"].words
    assert words[-1] == "SUCCEEDED"
    assert set(words) <= {"NOT_STARTED", "PENDING", "RUNNING", "SUCCEEDED"}
    assert words[0] in ("NOT_STARTED", "PENDING")


def test_credits_are_charged_once_and_within_what_was_agreed(story):
    charged = story.seen["run"].credits_charged
    (job,) = [job for job in story.kit.recorded() if job.mode.value == "DEFAULT" and job.name == "Coast at Taormina"]
    assert job.agreed.minimum <= charged <= job.agreed.maximum
    assert any(f"Coast at Taormina finished, {charged}\u00a0credits charged." in text for text in story.kit.told)


def test_ledger_has_each_submission_accepted(story):
    ours = {job.name: job for job in story.kit.recorded()}
    (submission,) = ours["Coast at Taormina"].submissions
    assert submission.state.value == "ACCEPTED"
    assert submission.service_job_id == story.seen["run"].job.id
    assert submission.attempts == 1
    assert submission.tag in story.remote.job(submission.service_job_id)["name"]
    assert set(story.kit.states()) == {"ACCEPTED"}


def test_nothing_is_downloaded_before_load(story):
    assert story.seen["files before loading"] == []


def test_output_becomes_a_raster_in_utm_over_the_area(story):
    (layer,) = rasters(story.seen["layers"])
    assert layer.isValid()
    assert layer.crs().authid() == "EPSG:32633"
    assert layer.bandCount() == 12
    assert layer.rasterUnitsPerPixelX() == pytest.approx(10.0)
    assert covers(layer, TAORMINA)
    pixels = over_area(layer, TAORMINA)
    assert pixels.shape[0] == 12
    assert (pixels > 0).mean() > 0.99
    assert (pixels.std(axis=1) > 0).all()


def test_layers_say_which_job_made_them_and_that_they_are_synthetic(story):
    run = story.seen["run"]
    for layer in story.seen["layers"]:
        assert layer.customProperty(JOB_ID) == run.job.id
        assert layer.customProperty(CONNECTION_ID) == story.kit.connection.id
        assert layer.customProperty(SYNTHETIC)
        assert SYNTHETIC_TEXT in layer.metadata().abstract()
        assert group_of(layer) == "Coast at Taormina"


def test_loading_leaves_project_crs_canvas_and_area_alone(story):
    assert view_of(story.kit) == story.seen["canvas"]
    assert QgsProject.instance().crs().authid() == PROJECT_CRS
    assert story.area_layer.selectedFeatureCount() == 1
    assert story.kit.desk.new_job.selection.aoi is not None


def test_row_tells_the_end(story):
    assert story.seen["line"].endswith(", loaded")
    row = story.kit.row(story.seen["run"])
    assert row.entry.charged == story.seen["run"].credits_charged > 0
    assert row.first.text() == "Load Output"


def test_loading_twice_downloads_and_adds_nothing(story):
    kit, run = story.kit, story.seen["run"]
    layers = set(QgsProject.instance().mapLayers())
    files = {path: path.stat().st_mtime_ns for path in kit.outputs.rglob("*") if path.is_file()}
    story.remote.arm("GET", "*/downloads/results", times=None, status=500)
    story.remote.arm("GET", "/artifacts/*", times=None, status=500)
    try:
        again = kit.load(run)
    finally:
        story.remote.disarm()
    assert again == story.seen["layers"]
    assert set(QgsProject.instance().mapLayers()) == layers
    assert {path: path.stat().st_mtime_ns for path in kit.outputs.rglob("*") if path.is_file()} == files


def test_layer_deleted_by_the_analyst_comes_back_with_load_again(story):
    kit, run = story.kit, story.seen["run"]
    project = QgsProject.instance()
    project.removeMapLayers([layer.id() for layer in story.seen["layers"]])
    story.seen["layers"] = kit.load(run)
    (layer,) = rasters(story.seen["layers"])
    assert layer.isValid()
    assert group_of(layer) == "Coast at Taormina"
    groups = [group.name() for group in project.layerTreeRoot().findGroups()]
    assert groups.count("Coast at Taormina") == 1


@pytest.fixture(scope="module")
def other(story):
    """The same dock, with a small area, free of the chosen scene: for the other workflows."""
    kit = story.kit
    QgsProject.instance().removeMapLayer(story.area_layer.id())
    kit.area(SMALL)
    kit.dock.search.choose_scene("")
    return kit


def whole_job(kit: PluginKit, workflow: str, clouds: int = 10) -> Run:
    kit.choose(workflow, clouds=clouds)
    kit.test_query()
    return kit.live_job()


def test_visual_images_are_sharpened(other):
    run = whole_job(other, SHARPENING)
    (layer,) = rasters(other.load(run))
    assert layer.isValid()
    assert layer.crs().authid() == "EPSG:32633"
    assert layer.bandCount() == 3
    assert covers(layer, SMALL)
    pixels = over_area(layer, SMALL)
    assert (pixels > 0).mean() > 0.95
    renderer = layer.renderer()
    assert (renderer.redBand(), renderer.greenBand(), renderer.blueBand()) == (1, 2, 3)


@pytest.fixture(scope="module")
def analytic(other):
    """The analytic workflow, loaded with the button in the message bar."""
    run = whole_job(other, ANALYTIC)
    before = len(other.loaded)
    buttons = [button for button in other.iface.bar.findChildren(QPushButton) if button.property("run") == run.key]
    QTest.mouseClick(buttons[0], Qt.MouseButton.LeftButton)
    wait_for(lambda: len(other.loaded) > before, "the layers")
    return other.runs[run.key], other.loaded[-1][1]


def test_reflectances_become_one_true_colour_layer(analytic):
    run, layers = analytic
    (layer,) = layers
    assert layer.isValid()
    assert run.phase is Phase.LOADED
    assert Path(layer.source()).suffix == ".vrt"
    assert layer.crs().authid() == "EPSG:32633"
    assert covers(layer, SMALL)
    bands = band_names(layer)
    renderer = layer.renderer()
    shown = [bands[number - 1] for number in (renderer.redBand(), renderer.greenBand(), renderer.blueBand())]
    assert shown == ["B04", "B03", "B02"]
    assert (over_area(layer, SMALL) > 0).mean() > 0.99


def band_names(layer: QgsRasterLayer) -> List[str]:
    """``B04`` and the like, by band number."""
    dataset = gdal.Open(layer.source())
    texts = [dataset.GetRasterBand(index).GetDescription() for index in range(1, dataset.RasterCount + 1)]
    return [text.split(",")[0].strip().upper() for text in texts]


def test_vegetation_index_in_sensor_geometry_is_shown_in_its_true_place(other, analytic):
    """Pixels of another satellite, on another grid, tell what should be where: a shift of 100 m would show."""
    run = whole_job(other, NDVI)
    (layer,) = rasters(other.load(run))
    assert layer.isValid()
    assert Path(layer.source()).suffix == ".vrt"
    assert layer.crs().isValid()
    assert covers(layer, SMALL)
    raw = gdal.Open(str(next((other.outputs_of(run)).glob("**/*_ndvi.tif"))))
    assert raw.GetMetadata("RPC")
    agreement = _agreement(*_both_indices(analytic[1][0], layer))
    best = max(agreement, key=agreement.__getitem__)
    assert max(abs(pixels) for pixels in best) <= 1
    assert agreement[best] > 0.5


def _both_indices(reflectances: QgsRasterLayer, index: QgsRasterLayer) -> List[np.ndarray]:
    """NDVI on one grid of 10 m: made of Sentinel-2's bands, and as the block made it of Pléiades'."""
    area = QgsGeometry.fromWkt(SMALL)
    area.transform(
        QgsCoordinateTransform(QgsCoordinateReferenceSystem(WGS84), reflectances.crs(), QgsProject.instance())
    )
    box = area.boundingBox()
    bounds = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
    grid = {"format": "MEM", "outputBounds": bounds, "xRes": 10, "yRes": 10, "dstSRS": "EPSG:32633"}
    bands = band_names(reflectances)
    pixels = gdal.Warp("", gdal.Open(reflectances.source()), **grid).ReadAsArray().astype(float)
    red, near = pixels[bands.index("B04")], pixels[bands.index("B08")]
    found = gdal.Warp("", gdal.Open(index.source()), resampleAlg="average", **grid).ReadAsArray()
    return [(near - red) / np.maximum(near + red, 1), found if found.ndim == 2 else found[0]]


def _agreement(expected: np.ndarray, found: np.ndarray) -> Dict[Tuple[int, int], float]:
    """The correlation of the two, by how many pixels the second is shifted down and right."""
    reach = 6
    inner = (slice(reach, -reach), slice(reach, -reach))
    shifts = [(down, right) for down in range(-reach, reach + 1) for right in range(-reach, reach + 1)]
    return {
        shift: float(np.corrcoef(expected[inner].ravel(), np.roll(found, shift, (0, 1))[inner].ravel())[0, 1])
        for shift in shifts
    }


def test_area_stays_selected_and_tasks_end(story, other):
    assert other.desk.new_job.selection.aoi is not None
    names = [job["name"] for job in story.remote.jobs()]
    assert len(names) == len(set(names))
    assert json.dumps(names).count("Coast at Taormina") == 1
