"""Choosing a workflow: loading, empty, error, and a choice that stays."""

from __future__ import annotations

import pytest

from tests.job_samples import SENTINEL, SUPER_RESOLUTION, workflow_of
from up42_plugin.gui.workflow_section import WorkflowSection

FIRST = workflow_of(SENTINEL, SUPER_RESOLUTION, workflow_id="a", name="Sharp")
SECOND = workflow_of(SENTINEL, workflow_id="b", name="Plain")


@pytest.fixture
def section(shown, fresh_settings):
    section = shown(WorkflowSection())
    section.said = []
    section.chosen.connect(section.said.append)
    return section


def test_it_begins_loading(section):
    assert section.combo.currentText() == "Loading workflows…"
    assert not section.combo.isEnabled()
    assert section.current is None


def test_the_first_is_chosen_and_its_chain_shown(section):
    section.show_workflows((FIRST, SECOND))
    assert section.current is FIRST
    assert section.combo.isEnabled()
    assert section._chain.text() == "Sentinel-2 L2A (SAFE) → Super-resolution Sentinel-2"
    assert section._chain.toolTip() == section._chain.text()
    assert section.said[-1] is FIRST


def test_a_wanted_one_is_chosen_where_it_exists(section):
    section.show_workflows((FIRST, SECOND), "b")
    assert section.current is SECOND
    section._last_id = ""
    section.show_workflows((FIRST, SECOND), "gone")
    assert section.current is FIRST


def test_the_choice_stays_over_reloading_and_loading_in_between(section):
    section.show_workflows((FIRST, SECOND))
    section.combo.setCurrentIndex(1)
    section.show_workflows((SECOND, FIRST))
    assert section.current is SECOND
    section.show_text("Loading workflows…")
    assert section.current is None
    section.show_workflows((FIRST, SECOND))
    assert section.current is SECOND


def test_a_choice_that_is_gone_gives_way_to_the_first(section):
    section.show_workflows((FIRST, SECOND))
    section.combo.setCurrentIndex(1)
    section.show_workflows((FIRST,))
    assert section.current is FIRST


def test_an_empty_project_says_so(section):
    section.show_workflows(())
    assert section.combo.currentText() == "This project has no workflow yet."
    assert not section.combo.isEnabled()
    assert section.said[-1] is None
    assert section._chain.text() == ""


def test_choosing_another_tells(section):
    section.show_workflows((FIRST, SECOND))
    section.combo.setCurrentIndex(1)
    assert section.said[-1] is SECOND


def test_a_long_chain_is_elided_and_does_not_widen_the_dock(section):
    section.show_workflows((workflow_of(*[SUPER_RESOLUTION] * 9),))
    assert section.minimumSizeHint().width() < 380
    assert section._chain.toolTip().count("→") == 8


def test_collapsed_it_shows_its_choice(section):
    section.show_workflows((FIRST,))
    section.setCollapsed(True)
    assert section.title() == "Workflow: Sharp"
