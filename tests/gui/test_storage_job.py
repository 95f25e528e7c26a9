"""Data from storage, end to end in the dock: assets are picked, no area is asked, and what was paid once is loaded."""

from __future__ import annotations

import numpy as np
import pytest
from layer_views import covers, group_of, over_area, rasters
from plugin_kit import PluginKit, plugin_in, turn, wait_for
from qgis.core import QgsProject
from qgis.PyQt.QtCore import QItemSelectionModel
from qgis.PyQt.QtWidgets import QApplication

from up42_plugin.core.context import ThreadContext
from up42_plugin.core.jobs import Mode
from up42_plugin.gui.asset_models import ASSET_ROLE
from up42_plugin.gui.asset_picker import AssetPicker

WORKFLOW = "Pléiades from storage"
DISPLAY, TASK = "6ac78530-6200-42c1-b6a9-381a9f69d8ef", "oneatlas-pleiades-display:1"
TOWN = "Polygon ((15.2850 37.8490, 15.2920 37.8490, 15.2920 37.8530, 15.2850 37.8530, 15.2850 37.8490))"


def picker() -> AssetPicker:
    windows = QApplication.topLevelWidgets()
    return next((window for window in windows if isinstance(window, AssetPicker) and window.isVisible()), None)


def open_picker(kit: PluginKit) -> AssetPicker:
    group = kit.dock.parameters.form_of(TASK)
    group.setCollapsed(False)
    button = group.editors["asset_ids"].choose_button
    wait_for(lambda: button.height() >= button.sizeHint().height(), "the group's fields to take their places")
    kit.click(button)
    return wait_for(picker, "the list of assets")


def select(dialog: AssetPicker, *titles: str) -> None:
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in range(dialog.shown.rowCount()):
        index = dialog.shown.index(row, 0)
        if index.data(ASSET_ROLE).title in titles:
            dialog.view.selectionModel().select(index, flags)


@pytest.fixture
def kit(clean_service, tmp_path, qgis_app):
    with plugin_in(tmp_path / "plugin") as kit:
        kit.connect(clean_service.sandbox)
        provider = kit.desk.hub.current_provider()
        with provider.open(ThreadContext()) as service:
            made = service.create_workflow(WORKFLOW, "", (DISPLAY,))
        kit.click(kit.dock.header.refresh_button)
        kit.choose(WORKFLOW)
        yield kit
        with provider.open(ThreadContext()) as service:
            service.delete_workflow(made.id)


def test_an_asset_is_picked_tested_and_run_without_an_area(kit, clean_service):
    balance = clean_service.balance()
    assert kit.reason == "Choose an area first."
    dialog = open_picker(kit)
    wait_for(lambda: dialog.shown.rowCount() == 6, "the assets")
    titles = [dialog.shown.index(row, 0).data() for row in range(6)]
    assert titles[0] == "Taormina, town, Pléiades Display"
    select(dialog, "Taormina, coast, SPOT 6/7 Display", "Taormina, town, Pléiades Display")
    (asset,) = dialog.chosen  # the block does not take SPOT
    assert asset.footprint["type"] == "Polygon"
    assert kit.desk.storage.footprints.shown == 1
    assert dialog.use_button.text() == "&Use 1 Asset"
    kit.click(dialog.use_button)
    wait_for(lambda: not picker(), "the list to close")
    wait_for(lambda: kit.able() == [True, False], "the test query to be possible", of=kit.situation)

    assert kit.dock.parameters.form_of(TASK).editors["asset_ids"].text.text() == "1 asset"
    assert kit.dock.area.size_text == "Not needed: data comes from storage"
    assert not kit.dock.area.source.isEnabled()
    assert kit.dock.area.zoom_button.toolTip() == "Not needed: data comes from storage"
    assert not any(part.isEnabled() for part in (kit.dock.search.filter, kit.dock.search.limit, kit.dock.search.start))
    assert kit.dock.search.note.text() == "Not used: data comes from storage"
    assert kit.dock.foot.estimation.text() == "Not available for data from storage"
    assert kit.desk.storage.footprints.shown == 1

    test = kit.test_query()
    assert [scene.feature_id for scene in test.scenes] == [asset.id]
    assert test.configuration.inputs(Mode.TEST_QUERY) == {
        TASK: {"asset_ids": [asset.id]},
        "config": {"mode": "DRY_RUN"},
    }
    assert kit.reason.endswith("1\N{NO-BREAK SPACE}scene found.")
    dialog = kit.dialog()
    assert dialog.price_labels["estimation"].text() == "Not available"
    assert not dialog.run_button.isEnabled()
    dialog.most.setValue(5)
    run = kit.begun(lambda: kit.click(dialog.run_button))
    kit.wait(run, lambda now: now.succeeded and now.credits_charged is not None, "the live job")
    assert kit.runs[run.key].credits_charged == 0
    assert clean_service.balance() == balance
    assert clean_service.job(kit.runs[run.key].job.id)["inputs"][TASK] == {"asset_ids": [asset.id]}

    layers = rasters(kit.load(run))
    assert layers
    layer = layers[0]
    assert layer.isValid()
    assert layer.crs().authid() == "EPSG:4326"
    assert covers(layer, TOWN)
    assert group_of(layer) == "Storage Pléiades Display (Download)"
    pixels = over_area(layer, TOWN)
    assert pixels.shape[0] == 4
    assert (pixels > 0).mean() > 0.99
    assert all(band.std() > 3 for band in pixels.astype(float))
    assert np.isfinite(pixels).all()
    assert len(QgsProject.instance().mapLayers()) >= 2


def test_cleared_everything_is_as_it_was(kit):
    kit.area(TOWN)
    wait_for(lambda: kit.able()[0], "the test query")
    kit.dock.search.limit.setValue(3)
    dialog = open_picker(kit)
    wait_for(dialog.shown.rowCount, "the assets")
    select(dialog, "Taormina, town, Pléiades Display", "Taormina, town, earlier, Pléiades Display")
    kit.click(dialog.use_button)
    editor = kit.dock.parameters.form_of(TASK).editors["asset_ids"]
    wait_for(lambda: editor.text.text() == "2 assets", "the choice")
    assert kit.desk.new_job.form.configuration.from_storage
    kit.dock.presets.json_button.click()
    assert "limit" not in kit.dock.parameters.json.text
    kit.dock.presets.form_button.click()
    editor.clear_button.click()
    turn()
    assert editor.text.text() == "Not set"
    assert kit.dock.area.source.isEnabled()
    assert "km²" in kit.dock.area.size_text
    assert kit.dock.search.limit.isEnabled()
    assert kit.dock.search.limit.value() == 3
    assert kit.desk.storage.footprints.shown == 0
    inputs = kit.desk.new_job.form.configuration.inputs(Mode.TEST_QUERY)[TASK]
    assert inputs["limit"] == 3
    assert inputs["asset_ids"] is None
