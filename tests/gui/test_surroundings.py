"""The project and the settings change underneath what runs."""

from __future__ import annotations

from leftovers import opened
from plugin_kit import SMALL, wait_for
from qgis.core import QgsProject

from up42_plugin.core.run import Phase
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.settings import SANDBOX, PluginSettings

JOBS, ARTIFACTS, QUICKLOOKS, ESTIMATE = "*/workflows/*/jobs", "/artifacts/*", "*/outputs/quicklooks/*", "*/estimate/job"
LONG_S = 100


def test_project_cleared_while_jobs_run_and_download(bare, clean_service):
    bare.start()
    opened(bare, clean_service)
    run = bare.begin_test_query()
    bare.wait(run, lambda now: now.job is not None, "the job")
    QgsProject.instance().clear()
    bare.wait(run, lambda now: now.phase is Phase.LOADED, "the scenes")
    assert bare.dock.area.size_text == "No feature selected"
    assert bare.reason == "Choose an area first."
    bare.area(SMALL)
    bare.test_query()
    live = bare.live_job()
    clean_service.arm("GET", ARTIFACTS, times=1, delay_s=1)
    bare.begin_load(live)
    wait_for(lambda: clean_service.armed() == [], "the download")
    QgsProject.instance().clear()
    wait_for(lambda: bare.runs[live.key].phase is Phase.LOADED, "the layers")
    (layer,) = bare.loaded[-1][1]
    assert layer.isValid()
    assert QgsProject.instance().mapLayer(layer.id()) is layer
    del layer


def test_layers_and_groups_deleted_while_more_is_loaded(bare, clean_service):
    project = QgsProject.instance()
    bare.start()
    opened(bare, clean_service)
    bare.test_query()
    live = bare.live_job()
    clean_service.arm("GET", ARTIFACTS, times=1, delay_s=1)
    bare.begin_load(live)
    wait_for(lambda: clean_service.armed() == [], "the download")
    project.layerTreeRoot().removeAllChildren()
    project.removeAllMapLayers()
    wait_for(lambda: bare.runs[live.key].phase is Phase.LOADED, "the layers")
    (layer,) = bare.loaded[-1][1]
    group = project.layerTreeRoot().findLayer(layer.id()).parent()
    assert group.name() == live.name
    project.layerTreeRoot().removeChildNode(group)
    bare.load(live)
    assert len(bare.layers()) == 1
    del layer, group


def test_selected_layer_deleted(bare, clean_service):
    bare.start()
    opened(bare, clean_service)
    wait_for(bare.dock.foot.test_button.isEnabled, "the button")
    bands = len(bare.iface.canvas.scene().items())
    QgsProject.instance().removeAllMapLayers()
    wait_for(lambda: bare.reason == "Choose an area first.", "the reason")
    assert not bare.dock.foot.test_button.isEnabled()
    assert len(bare.iface.canvas.scene().items()) == bands


def test_another_window_chooses_another_connection(bare, clean_service):
    """Windows share their settings; what is shown here is what runs here."""
    bare.start()
    opened(bare, clean_service)
    wait_for(bare.dock.foot.test_button.isEnabled, "the button")
    settings = PluginSettings(PanelLog())
    settings.set_current_connection(SANDBOX.id)
    settings.save_connections([])
    run = bare.test_query()
    assert run.connection_id == bare.connection.id
    assert bare.dock.header.combo.currentText() == "Test service"
    assert bare.live_job().succeeded
