"""While an output comes down, a quicklook of its scene is on the map in its place."""

from __future__ import annotations

import functools
import time

import pytest
from plugin_kit import ANALYTIC, SMALL, SPEED, idle, plugin_in
from plugin_kit import wait_for as wait_long
from qgis.core import QgsProject, QgsRasterLayer, QgsRectangle
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.core.run import Phase
from up42_plugin.core.storage import remove_tree
from up42_plugin.qgis_bridge.groups import JobGroups
from up42_plugin.qgis_bridge.stand_in import STAND_IN, StandIns

ARTIFACTS, QUICKLOOKS = "/artifacts/*", "*/quicklooks/*"
LONG_S = 60.0
FIRST_PIXELS_WITHIN_S = 10.0  # on a busy machine; the benchmark measures how soon it really is
wait_for = functools.partial(wait_long, seconds=25.0)


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("first-pixels") / "data", *SPEED) as running:
        remote = Remote(running)
        yield remote
        remote.close()


@pytest.fixture(scope="class")
def finished(remote, tmp_path_factory, qgis_app):
    """A live job that succeeded, not loaded."""
    remote.disarm()
    with plugin_in(tmp_path_factory.mktemp("pixels") / "plugin") as kit:
        kit.connect(remote.sandbox)
        kit.choose(ANALYTIC)
        kit.area(SMALL)
        kit.test_query()
        yield kit, kit.live_job()
        remote.disarm()
        idle()


def stand_in():
    """The layer that stands in now."""
    layers = QgsProject.instance().mapLayers().values()
    return next((layer for layer in layers if layer.customProperty(STAND_IN)), None)


def group_of(run):
    return JobGroups(QgsProject.instance()).find(run.job.id)


class TestFirstPixels:
    @pytest.fixture(autouse=True)
    def _job(self, finished, remote):
        remote.disarm()
        self.kit, self.run = finished
        self.added = set()
        self.kit.desk.runs.loaded.connect(self._added)
        self.remote, self.canvas = remote, self.kit.iface.mapCanvas()
        self.canvas.setExtent(QgsRectangle(15.285, 37.84, 15.303, 37.853))
        yield
        remote.disarm()
        idle()
        self.kit.desk.runs.loaded.disconnect(self._added)
        known = set(QgsProject.instance().mapLayers())
        QgsProject.instance().removeMapLayers([*(known & self.added)])
        self.kit.loaded.clear()
        remove_tree(self.kit.outputs_of(self.run))

    def _added(self, _run, layers):
        self.added |= {layer.id() for layer in layers}

    def begin(self):
        """Click Load while the download does not come; gives the stand-in."""
        self.remote.arm("GET", ARTIFACTS, times=1, delay_s=LONG_S)
        self.kit.begin_load(self.run)
        return wait_for(stand_in, "the stand-in")

    def stop(self):
        self.kit.cancel(self.run)
        wait_for(lambda: self.kit.runs[self.run.key].phase in (Phase.ON_SERVICE, Phase.LOADED), "the end")
        wait_for(lambda: stand_in() is None, "the stand-in to go")

    def test_it_is_drawn_soon_after_the_click(self):
        refreshed = []
        self.canvas.mapCanvasRefreshed.connect(lambda: refreshed.append(stand_in() in self.canvas.layers()))
        self.remote.arm("GET", ARTIFACTS, times=1, delay_s=LONG_S)
        wait_for(lambda: self.kit.loadable(self.run), "the output")
        began = time.monotonic()
        self.kit.begin_load(self.run)
        wait_for(lambda: stand_in() is not None and any(refreshed), "the first pixels")
        took = time.monotonic() - began
        self.stop()
        assert took < FIRST_PIXELS_WITHIN_S

    def test_it_lies_where_the_output_will_be_and_says_what_it_is(self):
        layer = self.begin()
        assert isinstance(layer, QgsRasterLayer)
        assert layer.isValid()
        assert layer.name().endswith(" (quicklook, loading…)")
        day = layer.temporalProperties().fixedTemporalRange().begin().toString("yyyy-MM-dd")
        assert layer.name() == f"Sentinel-2 L2A analytic {day} (quicklook, loading…)"
        extent = layer.extent()
        assert (round(extent.xMinimum(), 4), round(extent.yMaximum(), 4)) == (15.29, 37.85)
        node = group_of(self.run).findLayer(layer.id())
        assert node is not None
        assert node.isVisible()
        assert group_of(self.run).name() == self.run.name
        self.stop()

    def test_it_is_transparent_outside_the_area(self):
        layer = self.begin()
        alpha = layer.dataProvider().block(layer.bandCount(), layer.extent(), 40, 40)
        values = {alpha.value(row, column) for row in range(40) for column in range(40)}
        assert 255.0 in values
        self.stop()

    def test_it_goes_with_the_download_and_so_does_its_group(self):
        drawn = []
        self.begin()
        self.canvas.mapCanvasRefreshed.connect(lambda: drawn.append(stand_in() is None))
        self.stop()
        assert group_of(self.run) is None
        wait_for(lambda: any(drawn), "the map without it")

    def test_a_project_without_changes_has_none_after_it(self):
        project = QgsProject.instance()
        project.setDirty(False)
        self.begin()
        assert not project.isDirty()
        self.stop()
        assert not project.isDirty()

    def test_the_output_takes_its_place_once_it_is_drawn(self):
        seen = []
        self.remote.arm("GET", ARTIFACTS, times=1, delay_s=4.0)
        self.kit.begin_load(self.run)
        layer_id = wait_for(stand_in, "the stand-in").id()
        wait_for(lambda: self.kit.loaded, "the layer")
        real = self.kit.loaded[-1][1][0]
        assert stand_in() is not None, "it is there until the output is drawn"
        self.canvas.mapCanvasRefreshed.connect(lambda: seen.append(real in self.canvas.layers()))
        wait_for(lambda: stand_in() is None, "the stand-in to go")
        assert any(seen)
        assert QgsProject.instance().mapLayer(layer_id) is None
        assert [node.layerId() for node in group_of(self.run).findLayers()] == [real.id()]

    def test_an_output_that_is_hidden_ends_it_too(self, monkeypatch):
        self.remote.arm("GET", ARTIFACTS, times=1, delay_s=4.0)
        self.kit.begin_load(self.run)
        wait_for(stand_in, "the stand-in")
        group_of(self.run).setItemVisibilityChecked(False)
        wait_for(lambda: self.kit.loaded, "the layer")
        wait_for(lambda: stand_in() is None, "the stand-in to go")

    def test_a_download_that_fails_takes_it_away(self):
        self.remote.arm("GET", ARTIFACTS, times=1, delay_s=4.0, status=404)
        self.kit.begin_load(self.run)
        wait_for(stand_in, "the stand-in")
        wait_for(lambda: self.kit.line(self.run) == "This output no longer exists.", "the failure")
        wait_for(lambda: stand_in() is None, "the stand-in to go")

    def test_a_quicklook_on_disk_is_not_asked_for(self):
        """The test query of the same laid it there."""
        self.remote.arm("GET", QUICKLOOKS, times=None, status=500)
        self.begin()
        self.stop()

    def test_without_a_quicklook_the_output_is_loaded_all_the_same(self, monkeypatch):
        monkeypatch.setattr(StandIns, "_with_quicklooks", lambda *_: [])
        self.remote.arm("GET", QUICKLOOKS, times=None, delay_s=LONG_S)
        assert len(self.kit.load(self.run)) == 1
        assert self.kit.stand_ins() == []

    def test_the_service_is_asked_where_nothing_is_on_disk(self, monkeypatch):
        monkeypatch.setattr(StandIns, "_with_quicklooks", lambda *_: [])
        layer = self.begin()
        assert layer.isValid()
        self.stop()

    def test_one_saved_with_the_project_is_taken_out_when_it_is_opened(self, tmp_path):
        project, place = QgsProject.instance(), str(tmp_path / "saved.qgz")
        self.begin()
        assert project.write(place)
        self.stop()
        other = QgsProject()
        assert other.read(place)
        (left,) = [layer for layer in other.mapLayers().values() if layer.customProperty(STAND_IN)]
        assert left.isValid(), "whoever opens it has a layer that says what it is"
        assert "quicklook" in left.name()
        other.clear()
        assert project.read(place)
        wait_for(lambda: stand_in() is None, "the stand-in to go")
        assert not project.isDirty()
        project.setFileName("")
