"""From the layer back to its job, and what the desktop tells."""

from __future__ import annotations

import pytest
from dashboard_kit import again, look, row_of
from leftovers import opened
from plugin_kit import ANALYTIC, SMALL, confirmation, wait_for
from qgis.core import QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMainWindow, QSystemTrayIcon

from tests.job_rows import answer
from up42_plugin.gui.background_notice import BackgroundNotice
from up42_plugin.gui.job_commands import JobCommand
from up42_plugin.qgis_bridge.layer_metadata import identity

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def kit(bare, clean_service):
    bare.start()
    opened(bare, clean_service)
    return bare


@pytest.fixture
def live(kit):
    """A live job of this session that succeeded."""
    kit.test_query()
    return kit.live_job()


class TestFromTheLayer:
    def layer_of(self, kit, run):
        (layer,) = kit.load(run)
        kit.iface.setActiveLayer(layer)
        return layer

    def trigger(self, kit, name):
        next(action for action in kit.desk.dashboard.layer_menu.actions if action.objectName() == name).trigger()

    def test_layers_of_ours_have_it_and_no_others(self, kit, live):
        layer = self.layer_of(kit, live)
        offered = kit.iface.layers_with_actions
        assert [action.text() for action in offered[layer.id()]] == [
            "Show Job",
            "Re-run as Live Job…",
            "Re-run with Present Selection…",
            "Clone to New Job",
            "Style",
            "Add Index",
        ]
        others = [layer for layer in QgsProject.instance().mapLayers().values() if not identity(layer)[1]]
        assert others
        assert not any(other.id() in offered for other in others)
        del layer, others

    def test_another_style(self, kit, live):
        layer = self.layer_of(kit, live)
        menu = kit.desk.dashboard.layer_menu.styles.menu
        menu.aboutToShow.emit()
        entries = [action for action in menu.actions() if action.isCheckable()]
        assert len(entries) > 1
        assert [action.isChecked() for action in entries] == [True] + [False] * (len(entries) - 1)
        entries[1].trigger()
        assert layer.styleManager().currentStyle() == entries[1].text()
        del layer

    def test_an_index_stays_when_the_output_is_loaded_again_and_goes_with_its_files(self, kit, clean_service, live):
        layer = self.layer_of(kit, live)
        number, before = len(clean_service.jobs()), kit.layers()
        menu = kit.desk.dashboard.layer_menu.indices.menu
        menu.aboutToShow.emit()
        next(action for action in menu.actions() if action.objectName() == "Up42IndexNDVI").trigger()
        wait_for(lambda: len(kit.layers()) == len(before) + 1, "the index", of=kit.situation)
        name = f"NDVI of {layer.name()}"
        (index,) = QgsProject.instance().mapLayersByName(name)
        offered = kit.iface.layers_with_actions[index.id()]
        assert [action.text() for action in offered][-1] == "Style", "no index of an index"
        kit.load(live)
        assert sorted(kit.layers()) == sorted([*before, name])
        assert len(clean_service.jobs()) == number, "the service is not asked for anything"
        del layer, index
        kit.iface.active = None
        kit.loaded.clear()
        tab = look(kit)
        row_of(kit, live.job.id).do(JobCommand.DELETE_FILES)
        answer(tab, "really", lambda condition: wait_for(condition, "the question"))
        wait_for(lambda: not kit.outputs_of(live).exists(), "the folder to go", of=kit.situation)
        assert not QgsProject.instance().mapLayersByName(name)

    def test_show_job(self, kit, live):
        layer = self.layer_of(kit, live)
        kit.dock.tabs.setCurrentWidget(kit.dock.new_job)
        self.trigger(kit, "Up42ShowJob")
        wait_for(kit.dock.jobs.view.selected, "the row", of=kit.situation)
        assert [entry.job_id for entry in kit.dock.jobs.view.selected()] == [live.job.id]
        del layer

    def test_a_job_that_the_list_does_not_reach_is_read_by_itself(self, kit, clean_service, live):
        job_id = live.job.id
        again(kit, clean_service)
        kit.desk.dashboard.jobs.list.forget(row_of(kit, job_id).key)
        assert kit.desk.dashboard.jobs.show_job(kit.connection.id, job_id)
        wait_for(kit.dock.jobs.view.selected, "the row", of=kit.situation)
        assert kit.dock.jobs.view.selected()[0].job_id == job_id

    def test_rerun_with_another_area(self, kit, clean_service, live):
        layer = self.layer_of(kit, live)
        kit.area(SMALL.replace("15.2900", "15.2910"))
        wait_for(lambda: kit.desk.new_job.selection.aoi is not None, "the area")
        number = len(clean_service.jobs())
        self.trigger(kit, "Up42RerunWithSelection")
        dialog = wait_for(confirmation, "the confirmation", of=kit.situation)
        assert len(clean_service.jobs()) == number + 1, "a test query of the other area comes first"
        QTest.mouseClick(dialog.cancel_button, LEFT)
        del layer

    def test_clone(self, kit, live):
        layer = self.layer_of(kit, live)
        kit.choose("Sentinel-2 visual → Sharpening")
        self.trigger(kit, "Up42CloneJob")
        wait_for(lambda: kit.dock.workflow.current.name == ANALYTIC, "the workflow", of=kit.situation)
        assert kit.desk.new_job.form.configuration.fingerprint == live.configuration.fingerprint
        del layer


@pytest.mark.parametrize(
    ("in_front", "wanted", "told"), [(False, True, ["It finished."]), (True, True, []), (False, False, [])]
)
def test_the_desktop_tells_while_qgis_is_in_the_background(shown, monkeypatch, in_front, wanted, told):
    window, found = shown(QMainWindow()), []
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", lambda: True)
    monkeypatch.setattr(QSystemTrayIcon, "showMessage", lambda _icon, _title, text, *_: found.append(text))
    notice = BackgroundNotice(window, lambda: wanted, lambda: in_front)
    assert notice.tell("It finished.") is bool(told)
    assert found == told
    notice.close()
