"""Form and JSON of the same job in the dock, presets, import, export and copies."""

from __future__ import annotations

import json
from typing import Any, Dict

import pytest
from plugin_kit import ANALYTIC, SPEED, SUPERRESOLUTION, TAORMINA, PluginKit, plugin_in, turn, wait_for
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication, QCheckBox, QInputDialog, QMessageBox, QWidget
from sandbox_process import start_sandbox

from up42_plugin.core.jobs import Mode

DATA, CLIP = "aws-s2-l2a:1", "s2-superresolution:1"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("details") / "data", *SPEED) as running:
        yield running


@pytest.fixture
def kit(sandbox, tmp_path, qgis_app):
    with plugin_in(tmp_path) as kit:
        kit.connect(sandbox)
        kit.area(TAORMINA)
        wait_for(lambda: kit.desk.new_job.selection.aoi is not None, "the area")
        kit.choose(SUPERRESOLUTION, limit=2, clouds=10)
        yield kit


def body(kit: PluginKit) -> Dict[str, Any]:
    configuration = kit.desk.new_job.form.configuration
    assert configuration is not None
    return configuration.inputs(Mode.TEST_QUERY)


def to_json(kit: PluginKit) -> None:
    kit.click(kit.dock.presets.json_button)


def to_form(kit: PluginKit) -> None:
    kit.click(kit.dock.presets.form_button)


def text(kit: PluginKit) -> str:
    return kit.dock.parameters.json.text


def type_text(kit: PluginKit, words: str) -> None:
    """Replace the text as by typing, and wait until it was checked."""
    editor = kit.dock.parameters.json.editor
    editor.selectAll()
    editor.replaceSelectedText(words)
    wait_for(lambda: kit.desk.new_job.details.trouble != "Checking the JSON…", "the check")


def typed(kit: PluginKit, old: str, new: str) -> None:
    assert text(kit).count(old) == 1
    type_text(kit, text(kit).replace(old, new))


def test_the_groups_of_the_tasks_stand_below_the_search(kit):
    titles = [form.title() for form in kit.dock.parameters.forms]
    assert titles == ["Sentinel-2 L2A (SAFE): more parameters", "Super-resolution Sentinel-2: 1 changed"]
    assert all(form.isCollapsed() and form.isVisible() for form in kit.dock.parameters.forms)


def test_a_parameter_of_a_task_goes_into_the_job_and_voids_the_test(kit):
    kit.test_query()
    assert kit.dock.foot.live_button.isEnabled()
    group = kit.dock.parameters.form_of(next(task for task in body(kit) if task.startswith("s2-super")))
    group.setCollapsed(False)
    turn()
    group.editors["copy_original_bands"].findChild(QCheckBox).click()
    assert body(kit)[group.task]["copy_original_bands"] is False
    assert group.title() == "Super-resolution Sentinel-2: 2 changed"
    assert not kit.dock.foot.live_button.isEnabled()
    assert "Copy original bands" in kit.reason


def test_the_json_is_the_job_and_comes_back_as_it_was(kit):
    before = body(kit)
    to_json(kit)
    config = before.pop("config")
    assert json.loads(text(kit)) == before
    assert kit.dock.parameters.json.isVisible()
    assert not kit.dock.search.isVisible()
    assert kit.dock.area.isCollapsed()
    to_form(kit)
    assert body(kit) == {**before, "config": config}
    assert kit.dock.search.isVisible()
    assert not kit.dock.area.isCollapsed()
    assert not kit.dock.presets.area_row.isVisible()


def test_closed_sections_show_their_title_only_and_open_as_they_were(kit):
    to_json(kit)
    kit.area("Polygon ((11 46, 11.02 46, 11.02 46.01, 11 46.01, 11 46))")
    wait_for(lambda: "46.01" in text(kit), "the new area in the text")
    for section in (kit.dock.area, kit.dock.workflow):
        assert section.isCollapsed()
        body = section.layout().itemAt(0).widget()
        assert not body.isVisible()
        assert not any(child.isVisible() for child in body.findChildren(QWidget))
    kit.dock.area.setCollapsed(False)
    turn()
    assert not kit.dock.area.sample_button.isVisible(), "there is an area"
    assert kit.dock.area.zoom_button.isVisible()


def test_what_is_typed_shows_in_the_form(kit):
    to_json(kit)
    typed(kit, '"max_cloud_cover": 10', '"max_cloud_cover": 33,\n    "new_thing": {"a": [1.0]}')
    assert body(kit)[DATA]["max_cloud_cover"] == 33
    to_form(kit)
    assert kit.dock.search.clouds.value() == 33
    assert body(kit)[DATA]["new_thing"] == {"a": [1.0]}
    assert kit.dock.parameters.form_of(DATA).only_in_json.text().replace("\u00a0", " ") == "1 parameter only in JSON"
    kit.dock.search.clouds.setValue(34)
    to_json(kit)
    assert json.loads(text(kit))[DATA]["new_thing"] == {"a": [1.0]}
    assert json.loads(text(kit))[DATA]["max_cloud_cover"] == 34


def test_what_the_search_cannot_show_is_said_and_sent(kit):
    exact = "2021-05-01T10:00:00Z/2021-05-31T10:00:00Z"
    to_json(kit)
    job = json.loads(text(kit))
    job[DATA]["time"] = exact
    type_text(kit, json.dumps(job))
    to_form(kit)
    assert body(kit)[DATA]["time"] == exact
    assert kit.dock.search.note.isVisible()
    assert exact in kit.dock.search.note.text()
    kit.dock.search.limit.setValue(3)
    assert body(kit)[DATA]["time"] == exact, "another field does not touch it"
    kit.dock.search.any_time_asked.emit()
    assert body(kit)[DATA]["time"] is None
    assert "any time" in kit.dock.search.note.text()
    kit.dock.search.start.setDateTime(kit.dock.search.start.dateTime().addDays(1))
    assert body(kit)[DATA]["time"] is not None
    assert not kit.dock.search.note.isVisible()


def test_a_wrong_value_is_named_with_its_line(kit):
    to_json(kit)
    typed(kit, '"max_cloud_cover": 10', '"max_cloud_cover": 140')
    line = next(n for n, words in enumerate(text(kit).splitlines(), 1) if "max_cloud_cover" in words)
    assert kit.reason == f"Line {line}, max_cloud_cover: 0 to 100 allowed, not 140."
    assert kit.dock.parameters.json.marks == {line: "0 to 100 allowed, not 140"}
    assert not kit.dock.foot.test_button.isEnabled()
    kit.dock.parameters.json.editor.setCursorPosition(0, 0)
    kit.click(kit.dock.foot.line_button)
    assert kit.dock.parameters.json.editor.getCursorPosition()[0] == line - 1
    typed(kit, '"max_cloud_cover": 140', '"max_cloud_cover": 14')
    assert kit.dock.parameters.json.marks == {}
    assert not kit.dock.foot.line_button.isVisible()
    assert kit.dock.foot.test_button.isEnabled()


def test_nothing_can_be_sent_between_typing_and_the_check(kit):
    to_json(kit)
    assert kit.dock.foot.test_button.isEnabled()
    editor = kit.dock.parameters.json.editor
    editor.setCursorPosition(0, 1)
    QTest.keyClicks(editor, " ")
    assert not kit.dock.foot.test_button.isEnabled()
    assert kit.desk.new_job.form.configuration is None
    wait_for(kit.dock.foot.test_button.isEnabled, "the check")


def question(kit: PluginKit) -> Any:
    return kit.dock.window().findChild(QMessageBox, "brokenJson") or next(
        (box for box in QApplication.topLevelWidgets() if box.objectName() == "brokenJson"), None
    )


def test_broken_text_is_never_lost_without_a_yes(kit):
    before = body(kit)
    to_json(kit)
    broken = text(kit).replace('"limit": 2,', '"limit": 2')
    type_text(kit, broken)
    assert kit.reason.startswith("Line ")
    assert "a comma or } is expected" in kit.reason
    assert kit.desk.new_job.form.configuration is None
    assert kit.dock.presets.form_button.isEnabled()
    assert not kit.dock.presets.combo.isEnabled()
    to_form(kit)
    box = wait_for(lambda: question(kit), "the question")
    keep = next(button for button in box.buttons() if button.text() == "Keep Editing")
    assert box.defaultButton() is keep
    kit.click(keep)
    turn()
    assert text(kit) == broken
    assert kit.dock.presets.json_button.isChecked()
    # another workflow and back: still there
    kit.choose(ANALYTIC)
    assert "s2-superresolution" not in text(kit)
    kit.choose(SUPERRESOLUTION)
    assert text(kit) == broken
    to_form(kit)
    box = wait_for(lambda: question(kit), "the question again")
    kit.click(next(button for button in box.buttons() if button.text().startswith("Discard")))
    turn()
    assert kit.dock.search.isVisible()
    assert body(kit)[DATA]["ids"] == before[DATA]["ids"]
    assert kit.desk.new_job.form.configuration is not None


def test_a_typed_geometry_is_the_area_until_the_map_is_asked_again(kit):
    to_json(kit)
    whole = kit.desk.new_job.area.area_km2
    job = json.loads(text(kit))
    for task in job:
        for name in ("intersects", "contains"):
            if job[task].get(name):
                job[task][name]["coordinates"] = [[[11, 46], [11.02, 46], [11.02, 46.01], [11, 46.01], [11, 46]]]
    type_text(kit, json.dumps(job))
    area = kit.desk.new_job.area
    assert area.area_km2 == pytest.approx(1.72, abs=0.02)
    assert kit.dock.presets.area_text.text.startswith("Area from JSON: 1.7")
    to_form(kit)
    assert not kit.dock.search.filter.isEnabled()
    assert body(kit)[DATA] == job[DATA]
    kit.test_query()
    assert kit.dock.foot.live_button.isEnabled()
    kit.click(kit.dock.presets.area_button)
    assert kit.desk.new_job.area.area_km2 == pytest.approx(whole)
    assert kit.dock.search.filter.isEnabled()
    assert not kit.dock.foot.live_button.isEnabled()
    assert "Area" in kit.reason


def test_another_selection_reaches_the_json(kit):
    to_json(kit)
    kit.area("Polygon ((11 46, 11.02 46, 11.02 46.01, 11 46.01, 11 46))")
    wait_for(lambda: "46.01" in text(kit), "the new area in the text")
    assert not kit.dock.presets.area_row.isVisible()


def test_scene_ids_typed_below_switch_the_search_off(kit):
    group = kit.dock.parameters.form_of(DATA)
    group.setCollapsed(False)
    turn()
    QTest.keyClicks(group.editors["ids"].line, "S2A_1, S2B_2, S2A_3")
    assert body(kit)[DATA]["ids"] == ["S2A_1", "S2B_2", "S2A_3"]
    assert body(kit)[DATA]["limit"] == 3
    assert group.editors["ids"].line.text() == "S2A_1, S2B_2, S2A_3"
    assert not kit.dock.search.limit.isEnabled()
    assert kit.dock.search.limit.toolTip() == "Not used: scene IDs are set"
    group.editors["ids"].line.clear()
    assert kit.dock.search.limit.isEnabled()
    assert (body(kit)[DATA]["ids"], body(kit)[DATA]["limit"]) == (None, 2)


def test_presets_are_saved_chosen_and_deleted(kit):
    presets = kit.dock.presets
    kit.dock.search.clouds.setValue(7)
    presets.combo.setCurrentIndex(presets.combo.findText("Save as Preset…"))
    presets.combo.activated.emit(presets.combo.currentIndex())
    dialog = wait_for(lambda: next(iter(kit.dock.window().findChildren(QInputDialog)), None), "the dialog")
    dialog.setTextValue("Clear days")
    dialog.accept()
    turn()
    assert presets.combo.currentText() == "Clear days"
    kit.dock.search.clouds.setValue(50)
    presets.actions_by_name["Reset to Defaults"].trigger()
    assert presets.combo.currentText() == "Defaults"
    assert body(kit)[DATA]["max_cloud_cover"] == 100
    assert body(kit)[DATA]["time"].startswith("2018-01-01")
    presets.combo.setCurrentIndex(presets.combo.findText("Clear days"))
    presets.combo.activated.emit(presets.combo.currentIndex())
    assert body(kit)[DATA]["max_cloud_cover"] == 7
    assert kit.dock.search.clouds.value() == 7
    kit.choose(ANALYTIC)
    assert presets.combo.findText("Clear days") < 0, "presets belong to their workflow"
    kit.choose(SUPERRESOLUTION)
    assert presets.combo.currentText() == "Clear days"
    presets.actions_by_name["Delete Preset"].trigger()
    assert presets.combo.findText("Clear days") < 0


def test_export_and_import_bring_the_form_back(kit, tmp_path):
    recipes = kit.desk.recipes
    group = next(form for form in kit.dock.parameters.forms if form.task != DATA)
    group.setCollapsed(False)
    turn()
    group.editors["copy_original_bands"].findChild(QCheckBox).click()
    wanted = body(kit)
    file = tmp_path / "coast.json"
    recipes.export_file(file)
    wait_for(lambda: file.exists() and file.read_text().endswith("}\n"), "the file")
    assert "coordinates" not in file.read_text()
    recipes.reset()
    assert body(kit) != wanted
    recipes.import_file(file)
    wait_for(lambda: body(kit) == wanted, "the import")
    # the JSON of a job is taken in as well
    job = dict(wanted)
    job[DATA] = {**job[DATA], "limit": 4}
    recipes.import_text(json.dumps(job))
    assert body(kit)[DATA]["limit"] == 4
    recipes.import_text('{"ndvi:1": {}}')
    box = wait_for(lambda: kit.dock.window().findChild(QMessageBox, "recipeRefused"), "the refusal")
    assert "no JSON of a job with the tasks aws-s2-l2a:1" in box.text()
    recipes.close()
    assert body(kit)[DATA]["limit"] == 4


def test_copies_hold_the_job_and_no_key(kit, sandbox):
    actions = kit.dock.presets.actions_by_name
    actions["Copy as JSON"].trigger()
    clipboard = QApplication.clipboard()
    wanted = body(kit)
    config = wanted.pop("config")
    assert json.loads(clipboard.text()) == wanted
    actions["Copy as curl"].trigger()
    command = clipboard.text()
    assert command.startswith("curl --request POST ")
    assert f"{sandbox.base_url}/projects/{sandbox.project_id}/workflows/" in command
    assert '"mode": "DRY_RUN"' in command
    assert config == {"mode": "DRY_RUN"}
    assert sandbox.project_api_key not in command
    assert "$UP42_ACCESS" in command


def test_ctrl_tab_leaves_the_editor_and_tab_does_not(kit):
    to_json(kit)
    editor = kit.dock.parameters.json.editor
    kit.iface.window.activateWindow()
    editor.setFocus()
    before = text(kit)
    QTest.keyClick(editor, Qt.Key.Key_Tab)
    assert text(kit) != before
    after = text(kit)
    QTest.keyClick(editor, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert text(kit) == after
    assert not editor.hasFocus()


def test_the_form_is_remembered_over_a_restart(sandbox, tmp_path, qgis_app):
    with plugin_in(tmp_path) as kit:
        kit.connect(sandbox)
        kit.area(TAORMINA)
        wait_for(lambda: kit.desk.new_job.selection.aoi is not None, "the area")
        kit.choose(SUPERRESOLUTION, limit=2, clouds=10)
        to_json(kit)
        typed(kit, '"max_cloud_cover": 10', '"max_cloud_cover": 11,\n    "kept": 1.0')
        to_form(kit)
        wanted = body(kit)
        kit.plugin.unload()
        turn()
        kit.start()
        kit.connect(sandbox)
        kit.choose(SUPERRESOLUTION, limit=2, clouds=11)
        wait_for(lambda: kit.desk.new_job.form.configuration is not None, "the form")
        assert body(kit) == wanted
