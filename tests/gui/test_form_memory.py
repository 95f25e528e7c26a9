"""What the form held last is there again, and nothing unreadable spoils it."""

from __future__ import annotations

import pytest

from tests.job_samples import SENTINEL, workflow_of
from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.form_memory import FormMemory
from up42_plugin.gui.job_details import JobDetails
from up42_plugin.gui.search_section import SearchValues
from up42_plugin.qgis_bridge.settings import PluginSettings

SAVED = SearchValues(GeometricFilter.BBOX, "2018-12-01", "2021-12-31", 7, 10)
WORKFLOWS = tuple(workflow_of(SENTINEL, workflow_id=name, name=name) for name in ("a", "b"))


@pytest.fixture
def settings(fresh_settings, log):
    return PluginSettings(log)


@pytest.fixture
def make(settings, qtbot):
    def make_memory():
        dock = Up42Dock()
        qtbot.addWidget(dock)
        return dock, FormMemory(dock, JobDetails(dock), settings)

    return make_memory


def test_the_form_is_there_again(make):
    dock, memory = make()
    dock.search.set_values(SAVED)
    dock.workflow.show_workflows(WORKFLOWS, "b")
    memory.save()
    later, again = make()
    again.restore()
    assert later.search.values == SAVED
    later.workflow.show_workflows(WORKFLOWS)
    again.restore_workflow()
    assert later.workflow.current.id == "b"


def test_the_workflow_is_restored_once(make, settings):
    settings.set_last_configuration({"workflow_id": "b"})
    dock, memory = make()
    memory.restore()
    dock.workflow.show_workflows(WORKFLOWS)
    memory.restore_workflow()
    dock.workflow.combo.setCurrentIndex(0)
    memory.restore_workflow()
    assert dock.workflow.current.id == "a"


def test_a_workflow_of_elsewhere_changes_nothing(make, settings):
    settings.set_last_configuration({"workflow_id": "gone"})
    dock, memory = make()
    memory.restore()
    dock.workflow.show_workflows(WORKFLOWS)
    memory.restore_workflow()
    assert dock.workflow.current.id == "a"


def test_saving_before_the_workflows_are_known_keeps_the_one_of_last_time(make, settings):
    settings.set_last_configuration({"workflow_id": "b"})
    _, memory = make()
    memory.restore()
    memory.save()
    assert settings.last_configuration()["workflow_id"] == "b"


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"filter": "sideways"},
        {"limit": "many"},
        {"clouds": None},
        {"limit": [], "clouds": {}},
        {"start": "soon", "end": 7},
    ],
)
def test_what_cannot_be_read_keeps_its_default(make, settings, saved):
    settings.set_last_configuration(saved)
    dock, memory = make()
    before = dock.search.values
    memory.restore()
    assert dock.search.values == before
