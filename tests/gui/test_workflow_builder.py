"""Workflows in the dock: built, edited, duplicated, renamed, deleted, over the real service."""

from __future__ import annotations

from typing import Any, Iterator, List

import pytest
from plugin_kit import ANALYTIC, NDVI, SHARPENING, SPEED, SUPERRESOLUTION, PluginKit, plugin_in, turn, wait_for
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMessageBox, QPushButton
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.core.chain_verdict import ACCEPTED, COULD_NOT_ASK, DECIDED_LATER, NO_TEST_QUERY
from up42_plugin.gui.block_details import BlockDetailsDialog
from up42_plugin.gui.workflow_builder import WorkflowBuilder
from up42_plugin.gui.workflow_dialogs import RenameDialog

DATA, ENHANCED, SHARPENED = "Sentinel-2 L2A (SAFE)", "Super-resolution Sentinel-2", "Sharpening Filter"
TILED = "Raster Tiling"
NDVI_REFUSED = "Not possible: NDVI needs Pléiades or SPOT, Sentinel-2 comes in."


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("workflows") / "data", *SPEED) as running:
        yield running


@pytest.fixture(scope="module")
def remote(sandbox) -> Iterator[Remote]:
    remote = Remote(sandbox)
    yield remote
    remote.close()


@pytest.fixture(scope="module")
def loaded(sandbox, tmp_path_factory, qgis_app) -> Iterator[PluginKit]:
    with plugin_in(tmp_path_factory.mktemp("plugin")) as kit:
        kit.connect(sandbox)
        yield kit


@pytest.fixture
def kit(loaded, remote) -> Iterator[PluginKit]:
    """The plugin with its dock open and no dialog; what is armed is disarmed."""
    yield loaded
    remote.disarm()
    loaded.desk.workflow_desk.close()
    turn()


def opened(kit: PluginKit, kind: type) -> Any:
    """The dialog that is open, of this kind."""
    return wait_for(lambda: next((one for one in kit.iface.window.findChildren(kind) if one.isVisible()), None), kind)


def build(kit: PluginKit) -> WorkflowBuilder:
    """Click +, and wait for the blocks."""
    kit.click(kit.dock.workflow.new_button)
    return ready(opened(kit, WorkflowBuilder))


def edit(kit: PluginKit, workflow: str) -> WorkflowBuilder:
    command(kit, workflow, "edit")
    return ready(opened(kit, WorkflowBuilder))


def ready(dialog: WorkflowBuilder) -> WorkflowBuilder:
    wait_for(lambda: dialog.offers.rowCount() > 0, "the blocks")
    return dialog


def command(kit: PluginKit, workflow: str, name: str) -> None:
    """Choose a workflow, and a command of its menu."""
    combo = kit.dock.workflow.combo
    combo.setCurrentIndex(wait_for(lambda: combo.findText(workflow) + 1, workflow) - 1)
    action = kit.dock.workflow.actions_of[name]
    assert action in kit.dock.workflow.menu_button.menu().actions()
    assert action.isEnabled()
    action.trigger()


def listed(dialog: WorkflowBuilder) -> List[str]:
    model = dialog.shown_offers
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def prices(dialog: WorkflowBuilder) -> List[str]:
    model = dialog.shown_offers
    return [model.index(row, 1).data() for row in range(model.rowCount())]


def rows(dialog: WorkflowBuilder) -> List[str]:
    return [dialog.chain.index(row, 0).data() for row in range(dialog.chain.rowCount())]


def select(dialog: WorkflowBuilder, title: str) -> None:
    wait_for(lambda: title in listed(dialog), f"{title} among the blocks", 20)
    dialog.offer_view.setCurrentIndex(dialog.shown_offers.index(listed(dialog).index(title), 0))


def add(kit: PluginKit, dialog: WorkflowBuilder, *titles: str) -> None:
    for title in titles:
        select(dialog, title)
        kit.click(dialog.add_button)


def settled(dialog: WorkflowBuilder, text: str) -> None:
    wait_for(lambda: dialog.verdict.text == text, f"the verdict {text!r}", 20)


def workflows(remote: Remote) -> List[str]:
    return [one["name"] for one in remote.get(f"/projects/{remote.sandbox.project_id}/workflows")["data"]]


def chain_of(remote: Remote, name: str) -> List[str]:
    base = f"/projects/{remote.sandbox.project_id}/workflows"
    found = next(one for one in remote.get(base)["data"] if one["name"] == name)
    return [task["blockName"] for task in remote.get(f"{base}/{found['id']}/tasks")["data"]]


def test_a_workflow_is_built_from_a_data_block_and_chosen_in_the_dock(kit, remote):
    dialog = build(kit)
    assert dialog.heading.text() == "Data blocks"
    assert dialog.verdict.text == "Add a data block first."
    assert not dialog.save_button.isEnabled()
    assert dialog.save_button.toolTip() == "Add a data block first."
    assert DATA in listed(dialog)
    assert ENHANCED not in listed(dialog)
    add(kit, dialog, DATA)
    settled(dialog, ACCEPTED)
    assert dialog.heading.text() == f"Blocks that can follow <b>{DATA}</b>"
    wait_for(lambda: ENHANCED in listed(dialog) and SHARPENED not in listed(dialog), "what the service lets follow")
    add(kit, dialog, ENHANCED)
    settled(dialog, ACCEPTED)  # the project has a workflow of these two
    add(kit, dialog, SHARPENED)
    settled(dialog, ACCEPTED)  # and says what can follow them
    add(kit, dialog, TILED)
    settled(dialog, DECIDED_LATER)  # nobody can be asked what follows these three before they are saved
    assert dialog.name.text() == f"{DATA} → {ENHANCED} → {SHARPENED} → {TILED}"
    dialog.name.selectAll()
    QTest.keyClicks(dialog.name, "Sharp coast")
    kit.click(dialog.save_button)
    wait_for(lambda: kit.dock.workflow.combo.currentText() == "Sharp coast", "the new workflow in the dock")
    assert kit.dock.workflow.current.chain == f"{DATA} → {ENHANCED} → {SHARPENED} → {TILED}"
    assert chain_of(remote, "Sharp coast") == ["aws-s2-l2a", "s2-superresolution", "sharpening", "tiling"]
    wait_for(lambda: not dialog_open(kit, WorkflowBuilder), "the dialog to close")


def dialog_open(kit: PluginKit, kind: type) -> bool:
    return any(one.isVisible() for one in kit.iface.window.findChildren(kind))


def test_the_selected_block_is_seen_in_the_chain_before_it_is_added(kit):
    dialog = edit(kit, SUPERRESOLUTION)
    select(dialog, SHARPENED)
    turn()
    assert rows(dialog) == [f"1  {DATA}", f"2  {ENHANCED}", f"3  {SHARPENED}"]
    coming = dialog.chain.index(2, 0)
    assert coming.data(Qt.ItemDataRole.FontRole).italic()
    assert dialog.chain.index(2, 1).data().startswith("if added: GeoTIFF")
    assert dialog.chain.index(0, 1).data() == "SAFE, 13 bands"
    assert dialog.details_title.text() == SHARPENED
    assert dialog.details.values["Takes"].text() == "GeoTIFF raster"
    assert dialog.details.values["Price"].text() == "Machine time only"
    assert dialog.details.values["Test query"].text() == "Skipped, it runs the data block only"
    settled(dialog, ACCEPTED)


def test_blocks_that_do_not_fit_are_shown_with_the_reason_and_cannot_be_added(kit):
    dialog = edit(kit, SHARPENING)
    wait_for(lambda: TILED in listed(dialog), "the service's answer")
    assert "NDVI" not in listed(dialog)
    kit.click(dialog.misfits)
    assert "Needs Pléiades or SPOT" in prices(dialog)
    rows_of_ndvi = [row for row, title in enumerate(listed(dialog)) if title == "NDVI"]
    dialog.offer_view.setCurrentIndex(dialog.shown_offers.index(rows_of_ndvi[-1], 0))
    assert dialog.details.misfit.text == "NDVI needs Pléiades or SPOT, Sentinel-2 comes in."
    assert not dialog.add_button.isEnabled()
    assert dialog.add_button.toolTip() == dialog.details.misfit.text
    assert dialog.chain.index(2, 1).data() == "does not fit"
    dialog.add()
    assert [block.id for block in dialog.blocks] == [step.block.id for step in kit.dock.workflow.current.steps]


def test_an_impossible_chain_is_refused_with_the_reason(kit):
    dialog = edit(kit, NDVI)
    settled(dialog, ACCEPTED)
    dialog.chain_view.setCurrentIndex(dialog.chain.index(0, 0))
    kit.click(dialog.remove_button)
    settled(dialog, "Not possible: a workflow begins with a data block, not with NDVI.")
    analytic = next(one for one in kit.dock.workflow.workflows if one.name == ANALYTIC)
    add(kit, dialog, analytic.data_step.block.title)
    assert [row[0] for row in rows(dialog)] == ["1", "2"]
    settled(dialog, NDVI_REFUSED)
    assert not dialog.save_button.isEnabled()
    assert dialog.save_button.toolTip() == NDVI_REFUSED


def test_blocks_are_moved_and_the_verdict_follows(kit):
    dialog = edit(kit, SUPERRESOLUTION)
    dialog.chain_view.setCurrentIndex(dialog.chain.index(1, 0))
    assert not dialog.down_button.isEnabled()
    kit.click(dialog.up_button)
    assert rows(dialog) == [f"1  {ENHANCED}", f"2  {DATA}"]
    settled(dialog, f"Not possible: a workflow begins with a data block, not with {ENHANCED}.")
    assert not dialog.up_button.isEnabled()
    kit.click(dialog.down_button)
    settled(dialog, ACCEPTED)


def test_return_adds_the_selected_block_and_saves_nothing(kit, remote):
    before = workflows(remote)
    dialog = build(kit)
    dialog.search.setFocus()
    QTest.keyClicks(dialog.search, "SAFE L2A")
    assert listed(dialog) == [DATA]
    QTest.keyClick(dialog.search, Qt.Key.Key_Return)
    assert dialog.candidate.block.title == DATA
    QTest.keyClick(dialog.offer_view, Qt.Key.Key_Return)
    assert rows(dialog)[0] == f"1  {DATA}"
    assert dialog.isVisible()
    assert workflows(remote) == before


def test_a_data_block_without_test_query_is_told(kit):
    dialog = build(kit)
    untested = next(
        offer.block.title
        for offer in (
            dialog.offers.index(row, 0).data(Qt.ItemDataRole.UserRole) for row in range(dialog.offers.rowCount())
        )
        if offer.block.test_query is False
    )
    add(kit, dialog, untested)
    assert dialog.untested.text == NO_TEST_QUERY
    assert dialog.untested.isVisible()


def test_a_chain_refused_when_saved_keeps_the_dialog_and_leaves_nothing_behind(kit, remote):
    before = workflows(remote)
    dialog = build(kit)
    add(kit, dialog, DATA, ENHANCED, SHARPENED)
    settled(dialog, ACCEPTED)
    words = "Workflow cannot be saved because it contains errors."
    remote.arm(
        "POST", "/projects/*/workflows/*/tasks*", times=1, status=422, body={"error": {"code": 422, "message": words}}
    )
    kit.click(dialog.save_button)
    wait_for(lambda: "was not saved" in dialog.failure.text, "the refusal")
    assert words.rstrip(".") in dialog.failure.text
    assert dialog.verdict.text.startswith("Not possible: ")
    assert [row[0] for row in rows(dialog)] == ["1", "2", "3"]
    assert not dialog.save_button.isEnabled()
    assert workflows(remote) == before


def test_a_failure_of_the_service_keeps_what_was_built_and_saving_can_be_tried_again(kit, remote):
    dialog = build(kit)
    add(kit, dialog, DATA, ENHANCED)
    settled(dialog, ACCEPTED)
    dialog.name.setText("Second time lucky")
    remote.arm("POST", "/projects/*/workflows*", times=1, status=403, body={"error": {"code": 403, "message": "no"}})
    kit.click(dialog.save_button)
    wait_for(lambda: "was not saved" in dialog.failure.text, "the failure")
    kit.click(dialog.save_button)
    wait_for(lambda: kit.dock.workflow.combo.currentText() == "Second time lucky", "the workflow")


def test_a_service_that_does_not_answer_the_question_leaves_our_own_check(kit, remote):
    remote.arm("GET", "*/compatible-blocks*", times=50, status=400, body={"error": {"code": 400, "message": "no"}})
    dialog = edit(kit, SHARPENING)
    add(kit, dialog, TILED)
    settled(dialog, COULD_NOT_ASK)
    assert dialog.save_button.isEnabled()
    remote.disarm()
    kit.click(dialog.again_button)
    settled(dialog, ACCEPTED)


def test_blocks_that_cannot_be_read_are_asked_for_again(kit, remote):
    remote.arm("GET", "*/blocks", times=50, status=403, body={"error": {"code": 403, "message": "no"}})
    kit.click(kit.dock.workflow.new_button)
    dialog = opened(kit, WorkflowBuilder)
    wait_for(lambda: "may not do that" in dialog.state.text, "what went wrong")
    remote.disarm()
    kit.click(dialog.again_button)
    ready(dialog)
    assert DATA in listed(dialog)


def test_a_workflow_is_edited_in_place(kit, remote):
    command(kit, SUPERRESOLUTION, "duplicate")
    wait_for(lambda: kit.dock.workflow.combo.currentText() == f"{SUPERRESOLUTION} (copy)", "the copy")
    known = kit.dock.workflow.current.id
    dialog = edit(kit, f"{SUPERRESOLUTION} (copy)")
    assert dialog.name.text() == f"{SUPERRESOLUTION} (copy)"
    add(kit, dialog, SHARPENED)
    settled(dialog, ACCEPTED)
    dialog.name.setText("Edited")
    kit.click(dialog.save_button)
    wait_for(lambda: kit.dock.workflow.combo.currentText() == "Edited", "the edited workflow")
    assert kit.dock.workflow.current.id == known
    assert chain_of(remote, "Edited") == ["aws-s2-l2a", "s2-superresolution", "sharpening"]
    assert f"{SUPERRESOLUTION} (copy)" not in workflows(remote)


def test_a_workflow_is_duplicated_renamed_and_deleted_from_the_menu(kit, remote):
    command(kit, ANALYTIC, "duplicate")
    copy = f"{ANALYTIC} (copy)"
    wait_for(lambda: kit.dock.workflow.combo.currentText() == copy, "the copy")
    assert chain_of(remote, copy) == chain_of(remote, ANALYTIC)
    command(kit, copy, "rename")
    dialog = opened(kit, RenameDialog)
    assert not dialog.ok_button.isEnabled()
    dialog.name.setText("Bands for all")
    kit.click(dialog.ok_button)
    wait_for(lambda: kit.dock.workflow.combo.currentText() == "Bands for all", "the new name")
    assert "Bands for all" in workflows(remote)
    command(kit, "Bands for all", "delete")
    box = opened(kit, QMessageBox)
    assert "Its jobs stay listed." in box.informativeText()
    assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
    kit.click(box.button(QMessageBox.StandardButton.Cancel))
    wait_for(lambda: not dialog_open(kit, QMessageBox), "the question to go")
    assert "Bands for all" in workflows(remote)
    command(kit, "Bands for all", "delete")
    kit.click(opened(kit, QMessageBox).findChild(QPushButton, "reallyDelete"))
    wait_for(lambda: kit.dock.workflow.combo.findText("Bands for all") < 0, "it to go")
    assert "Bands for all" not in workflows(remote)
    assert kit.dock.workflow.current is not None


def test_a_name_that_is_refused_stays_typed(kit, remote):
    command(kit, ANALYTIC, "rename")
    dialog = opened(kit, RenameDialog)
    remote.arm("PUT", "*", times=1, status=400, body={"error": {"code": 400, "message": "Not this name"}})
    dialog.name.setText("Forbidden name")
    kit.click(dialog.ok_button)
    wait_for(lambda: "Not this name" in dialog.failure.text, "the refusal")
    assert dialog.name.text() == "Forbidden name"
    assert dialog.ok_button.isEnabled()


def test_the_blocks_of_a_workflow_are_described(kit):
    command(kit, SUPERRESOLUTION, "details")
    dialog = opened(kit, BlockDetailsDialog)
    assert [dialog.combo.itemText(row) for row in range(2)] == [f"1  {DATA}", f"2  {ENHANCED}"]
    assert dialog.details.values["Takes"].text() == "The area: it begins a workflow"
    assert dialog.details.values["Test query"].text() == "Offered, free"
    dialog.combo.setCurrentIndex(1)
    values = {name: label.text() for name, label in dialog.details.values.items()}
    assert values["Takes"].startswith("SAFE raster, Sentinel-2")
    assert values["Produces"] == "GeoTIFF, 13 bands"
    assert "per\u00a0MB of output, and machine time" in values["Price"]
    assert dialog.details.description.text()


def test_an_empty_workflow_cannot_run_and_can_be_edited(kit):
    kit.dock.workflow.put_workflow(type(kit.dock.workflow.current)("none-such", "Hollow"))
    assert kit.dock.workflow.current is None
    assert kit.reason in ("Choose a workflow first.", "Choose an area first.")
    actions = kit.dock.workflow.actions_of
    assert [name for name, action in actions.items() if not action.isEnabled()] == ["duplicate", "details"]
    kit.dock.workflow.drop_workflow("none-such")
    assert kit.dock.workflow.current is not None
