"""What New Job held is there again after QGIS was closed: the plugin is unloaded and loaded on the same settings."""

from __future__ import annotations

import pytest
from plugin_kit import SMALL, SUPERRESOLUTION, wait_for
from qgis.PyQt.QtWidgets import QMessageBox

from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.settings import PluginSettings


@pytest.fixture
def kit(bare, clean_service):
    """The dock open at a service, a workflow of two tasks chosen, an area selected."""
    bare.start()
    bare.connect(clean_service.sandbox)
    bare.choose(SUPERRESOLUTION)
    bare.area(SMALL)
    return bare


def again(kit, service):
    """Close and start QGIS, as far as the plugin is concerned."""
    kit.unload()
    kit.start()
    kit.connect(service.sandbox)
    wait_for(lambda: kit.dock.workflow.combo.currentText() == SUPERRESOLUTION, "the workflow of last time")


def groups(kit):
    return {form.task: form for form in kit.dock.parameters.forms}


def last_task(kit):
    return kit.dock.parameters.forms[-1]


def json_of(kit):
    return kit.dock.parameters.json


def test_the_form_with_its_preset_and_its_open_groups(kit, clean_service):
    kit.dock.search.limit.setValue(3)
    kit.dock.search.clouds.setValue(37)
    last_task(kit).setCollapsed(False)
    box = last_task(kit).editors["copy_original_bands"].box
    box.click()
    wanted = last_task(kit).values["copy_original_bands"]
    assert last_task(kit).changed
    kit.desk.recipes.save_preset("Coast")
    kit.dock.area.setCollapsed(True)
    again(kit, clean_service)
    assert (kit.dock.search.limit.value(), kit.dock.search.clouds.value()) == (3, 37)
    assert last_task(kit).values["copy_original_bands"] is wanted
    assert last_task(kit).changed
    assert kit.dock.presets.combo.currentText() == "Coast"
    assert not last_task(kit).isCollapsed()
    assert kit.dock.parameters.forms[0].isCollapsed()
    assert kit.dock.area.isCollapsed()
    assert not kit.dock.workflow.isCollapsed()
    assert kit.dock.presets.form_button.isChecked()


def test_the_json_view_and_the_sections_as_they_were_in_the_form(kit, clean_service):
    kit.dock.presets.json_button.click()
    assert kit.dock.area.isCollapsed()
    again(kit, clean_service)
    assert kit.dock.presets.json_button.isChecked()
    assert json_of(kit).isVisible()
    assert kit.dock.area.isCollapsed()
    assert not kit.desk.new_job.details.typed  # the area still follows the map
    kit.dock.presets.form_button.click()
    assert not kit.dock.area.isCollapsed()
    assert not kit.dock.workflow.isCollapsed()
    assert kit.dock.search.isVisible()


def test_a_geometry_typed_into_the_json(kit, clean_service):
    kit.dock.presets.json_button.click()
    text = json_of(kit).text.replace("15.29", "15.28")
    json_of(kit).type_text(text)
    wait_for(lambda: kit.desk.new_job.details.typed, "the text to be read")
    area = kit.desk.new_job.area
    again(kit, clean_service)
    wait_for(lambda: kit.desk.new_job.details.typed, "the text to be read again")
    assert json_of(kit).text == text
    assert kit.desk.new_job.area == area


def test_a_text_that_cannot_be_read(kit, clean_service):
    kit.dock.presets.json_button.click()
    broken = json_of(kit).text[:-10]
    json_of(kit).type_text(broken)
    wait_for(lambda: json_of(kit).marks, "the mark")
    again(kit, clean_service)
    assert json_of(kit).text == broken
    wait_for(lambda: json_of(kit).marks, "the mark again")
    kit.dock.presets.form_button.click()
    question = kit.desk.new_job.details._question
    assert isinstance(question, QMessageBox)
    kit.unload()  # with the question open
    assert PluginSettings(PanelLog()).last_configuration()["view"]["text"] == broken


def test_closing_before_the_workflows_are_known_loses_nothing(kit, clean_service):
    kit.dock.presets.json_button.click()
    kit.unload()
    before = PluginSettings(PanelLog()).last_configuration()
    assert before["view"]["json"] is True
    kit.start()
    kit.unload()
    assert PluginSettings(PanelLog()).last_configuration() == before
    kit.start()
