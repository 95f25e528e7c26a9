"""Choosing assets in the dock over a staged service: loading, nothing there, trouble, search, and what does not fit."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from qgis.PyQt.QtCore import QItemSelectionModel, Qt
from qgis.PyQt.QtWidgets import QApplication

from tests.job_samples import STORED, workflow_of
from up42_plugin.api.errors import ServerError
from up42_plugin.core.jobs import Mode
from up42_plugin.core.service import Capabilities, StorageAsset
from up42_plugin.gui.asset_picker import AssetPicker

TASK = "oneatlas-pleiades-display:1"
SQUARE = {"type": "Polygon", "coordinates": [[[15, 37], [15.1, 37], [15.1, 37.1], [15, 37.1], [15, 37]]]}


def asset(number, collection="phr", **members):
    taken = datetime(2021, 6, number, tzinfo=timezone.utc)
    shape = {"acquired": taken, "size": number * 1024 * 1024, "footprint": SQUARE, **members}
    return StorageAsset(f"a{number}", f"DS_{number}", collection=collection, **shape)


ASSETS = (asset(3, title="Coast"), asset(2), asset(1, "spot", title="Old coast"))


@pytest.fixture
def kit(desk_kit):
    desk_kit.service.answers.update(
        workflows=(workflow_of(STORED),), workflow=workflow_of(STORED), storage_assets=ASSETS
    )
    desk_kit.open()
    desk_kit.dock.parameters.form_of(TASK).setCollapsed(False)
    return desk_kit


def editor(kit):
    return kit.dock.parameters.form_of(TASK).editors["asset_ids"]


def opened(kit):
    QApplication.processEvents()
    kit.click(editor(kit).choose_button)
    kit.wait(lambda: kit.dialog(AssetPicker) is not None)
    return kit.dialog(AssetPicker)


def filled(kit):
    dialog = opened(kit)
    kit.wait(lambda: dialog.shown.rowCount() > 0)
    return dialog


def texts(dialog):
    return [[dialog.shown.index(row, column).data() for column in range(4)] for row in range(dialog.shown.rowCount())]


def select(dialog, *rows):
    flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in rows:
        dialog.view.selectionModel().select(dialog.shown.index(row, 0), flags)


def test_the_list_says_what_there_is_and_what_fits(kit):
    dialog = filled(kit)
    assert texts(dialog) == [
        ["Coast", "Pléiades", "2021-06-03", "3.0\u00a0MiB"],
        ["DS_2", "Pléiades", "2021-06-02", "2.0\u00a0MiB"],
        ["Old coast", "SPOT 6/7", "2021-06-01", "1.0\u00a0MiB"],
    ]
    assert not dialog.use_button.isEnabled()
    assert dialog.use_button.toolTip() == "Select the assets to work on"
    select(dialog, 0, 1, 2)
    assert [one.id for one in dialog.chosen] == ["a3", "a2"]
    assert dialog.shown.index(2, 0).data(Qt.ItemDataRole.ToolTipRole).endswith("takes Pléiades only, not SPOT 6/7.")
    assert dialog.use_button.text() == "&Use 2 Assets"
    assert kit.desk.storage.footprints.shown == 2


def test_searching_narrows_the_list(kit):
    dialog = filled(kit)
    dialog.search.setText("coast 2021-06")
    assert [row[0] for row in texts(dialog)] == ["Coast", "Old coast"]
    dialog.search.setText("nothing like it")
    assert dialog.state.text == "No asset matches."
    dialog.search.clear()
    assert dialog.shown.rowCount() == 3
    assert dialog.state.isHidden()


def test_loading_nothing_there_and_trouble_are_told(kit):
    kit.service.hold("storage_assets")
    kit.service.answers["storage_assets"] = [ServerError("UP42 has a problem (500).", status=500), ()]
    dialog = opened(kit)
    assert dialog.state.text == "Reading what is in storage…"
    assert not dialog.search.isEnabled()
    kit.service.let_go("storage_assets")
    kit.wait(lambda: dialog.state.text == "UP42 has a problem (500).")
    assert dialog.again_button.isVisible()
    kit.click(dialog.again_button)
    kit.wait(lambda: dialog.state.text == "Nothing in storage yet.")
    assert not dialog.again_button.isVisible()
    assert not dialog.use_button.isEnabled()


def test_choosing_and_cancelling(kit):
    assert editor(kit).text.text() == "Not set"
    assert not editor(kit).clear_button.isEnabled()
    dialog = filled(kit)
    select(dialog, 0, 1)
    kit.click(dialog.use_button)
    kit.wait(lambda: kit.new_job.ready.can_test)
    assert editor(kit).text.text() == "2 assets"
    assert kit.dock.parameters.form_of(TASK).editors["ids"].isEnabled() is False
    assert kit.new_job.form.configuration.inputs(Mode.LIVE)[TASK] == {"asset_ids": ["a3", "a2"]}
    again = filled(kit)
    assert [one.id for one in again.chosen] == ["a3", "a2"]
    again.view.clearSelection()
    select(again, 1)
    assert kit.desk.storage.footprints.shown == 1
    kit.click(again.cancel_button)
    kit.wait(lambda: kit.dialog(AssetPicker) is None)
    assert kit.new_job.stored == ("a3", "a2")
    assert kit.desk.storage.footprints.shown == 2


def test_no_estimation_is_asked_and_none_is_shown(kit):
    kit.select()
    kit.wait(lambda: "credits" in kit.foot.estimation.text())
    asked = len(kit.service.called("estimate"))
    editor(kit).choose(["a3"])
    assert kit.foot.estimation.text() == "Not available for data from storage"
    assert kit.foot.balance_after.isHidden()
    kit.idle()
    assert len(kit.service.called("estimate")) == asked
    editor(kit).choose([])
    kit.wait(lambda: "credits" in kit.foot.estimation.text())
    assert "km²" in kit.dock.area.size_text


def test_a_change_of_assets_is_named_after_the_test_query(kit):
    editor(kit).choose(["a3"])
    kit.wait(lambda: kit.new_job.ready.can_test)
    run = kit.start_test_query()
    assert run.name == "Storage, 1 asset"
    kit.service.set(run.job.id, "SUCCEEDED")
    kit.wait(lambda: kit.new_job.ready.can_run_live)
    kit.select()  # an area makes no difference
    kit.dock.search.limit.setValue(1)
    assert kit.new_job.ready.can_run_live
    editor(kit).choose(["a2"])
    assert kit.reason() == "Changed since the test query: From storage. Test again before a live job."


def test_a_service_without_a_list_says_so(kit):
    kit.service.capabilities = Capabilities(storage_assets=False)
    kit.new_job.refresh()
    assert not editor(kit).choose_button.isEnabled()
    assert editor(kit).choose_button.toolTip() == "This service does not list the data in storage."


def test_closing_while_the_list_is_read_leaves_nothing_behind(kit):
    kit.service.hold("storage_assets")
    dialog = opened(kit)
    kit.click(dialog.cancel_button)
    kit.idle()
    assert kit.dialog(AssetPicker) is None
    assert kit.new_job.stored == ()
