"""Any configuration goes through the dock's own fields and its JSON editor, and comes out as it went in."""

from __future__ import annotations

import random

import pytest

from tests.generated_forms import BLOCKS, BOX, OTHER, nth_form
from up42_plugin.core.job_form import JobForm
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.job_details import JobDetails

FORMS = 100


@pytest.fixture
def dock(qtbot, qgis_app):
    dock = Up42Dock()
    qtbot.addWidget(dock)
    return dock


def fields(dock):
    """What each group of fields holds."""
    return {group.task: group.values for group in dock.parameters.forms}


def ordered(values):
    return {task: repr(sorted(members.items())) for task, members in values.items()}


def test_form_to_json_to_form_through_the_widgets(dock):
    details = JobDetails(dock)
    dice = random.Random(3107)  # noqa: S311 - the same cases every time
    seen = set()
    for number in range(FORMS):
        form = nth_form(dice, number)
        seen.update(step.block.name for step in form.workflow.steps)
        aoi = dice.choice([BOX, OTHER, None])
        details.set_area(aoi)
        details.show_workflow(form.workflow, None)
        details.apply(form)
        shown = {task: dict(form.parameters[task]) for task in fields(dock)}
        assert ordered(fields(dock)) == ordered(shown), form.workflow.chain

        details.show_json(True)
        text = details.text
        assert text == form.text(aoi)
        details.apply(JobForm.defaults(form.workflow, form.geometric_filter))
        editor = dock.parameters.json.editor
        editor.selectAll()
        editor.replaceSelectedText(text)
        details.show_json(False)
        assert details.trouble == ""
        assert repr(details.form.body(aoi)) == repr(form.body(aoi)), form.workflow.chain
        if form.asset_ids:
            continue  # what is not needed then is not in the text, and was reset above
        assert details.form.parameters == form.parameters
        assert ordered(fields(dock)) == ordered(shown), form.workflow.chain
    assert seen == {block.name for block in BLOCKS}
