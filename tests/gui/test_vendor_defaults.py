"""Untouched, the form of every block holds what the vendor's own client, up42-py 0.31.0, would send."""

from __future__ import annotations

from pathlib import Path

import pytest
from sandbox.dialect_kit import opened, provider_of
from sandbox_process import start_sandbox
from vendor_client import vendor_interpreter, vendor_report

from up42_plugin.core.job_form import JobForm
from up42_plugin.core.jobs import Mode
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, BlockType, Step, Workflow
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.job_details import JobDetails
from up42_plugin.gui.search_binding import SEARCHED

#: The first test waits for the client's session, a few seconds, and for its environment when that has to be made.
pytestmark = pytest.mark.timeout(600)

SCRIPT = Path(__file__).parents[1] / "sandbox" / "vendor_defaults_session.py"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The client's word on every block, and the same workflows and blocks as our own client reads them."""
    python = vendor_interpreter()
    folder = tmp_path_factory.mktemp("defaults")
    with start_sandbox(folder / "data") as sandbox:
        report = vendor_report(python, SCRIPT, sandbox, folder, 200)
        with opened(provider_of(sandbox)) as service:
            workflows = {chain["workflow"]: service.workflow(chain["workflow"]) for chain in report["chains"]}
            alone = {block: service.block(block) for block in report["refused"]}
    return report, workflows, alone


@pytest.fixture
def form_of(qtbot, qgis_app):
    """A workflow's form in the dock's own fields, reset to its defaults."""
    dock = Up42Dock()
    qtbot.addWidget(dock)
    details = JobDetails(dock)

    def form_of(workflow):
        details.show_workflow(workflow, None)
        details.apply(JobForm.defaults(workflow))
        return details, dock.parameters.forms

    return form_of


def without_geometry(values):
    return {name: value for name, value in values.items() if name not in GEOMETRY_PARAMETERS}


def check(details, groups, workflow, defaults):
    """Fields, configuration and JSON against the client's defaults of each task, in the chain's order."""
    assert [group.task for group in groups] == list(defaults) == [step.name for step in workflow.steps]
    inputs = details.configuration(None).inputs(Mode.TEST_QUERY)
    for number, group in enumerate(groups):
        expected = without_geometry(defaults[group.task])
        assert repr(sorted(group.values.items())) == repr(sorted(expected.items())), group.task
        assert repr(sorted(without_geometry(inputs[group.task]).items())) == repr(sorted(expected.items())), group.task
        asked = [name for name in expected if name in group.editors]
        elsewhere = [name for name in expected if name not in group.editors]
        for name in asked:
            assert repr(group.editors[name].value) == repr(expected[name]), (group.task, name)
        assert set(elsewhere) <= (set(SEARCHED) if number == 0 else set()), (group.task, elsewhere)
        assert group.changed == 0, (group.task, group.title())


def test_every_block_of_the_catalogue_is_accounted_for(told):
    report, workflows, _ = told
    in_chains = {block for chain in report["chains"] for block in chain["blocks"]}
    assert in_chains | set(report["refused"]) == set(report["blocks"])
    assert not in_chains & set(report["refused"])
    assert len(report["blocks"]) == 124
    steps = [step for workflow in workflows.values() for step in workflow.steps]
    assert {step.block.id for step in steps} == in_chains
    nowhere = {report["blocks"][block] for block, defaults in report["details"].items() if defaults}
    assert nowhere == {"ship-identification"}, "every other block that has parameters stands in a workflow"


def test_in_every_chain_the_untouched_form_is_what_the_client_would_send(told, form_of):
    report, workflows, _ = told
    compared = 0
    for chain in report["chains"]:
        workflow = workflows[chain["workflow"]]
        check(*form_of(workflow), workflow, chain["defaults"])
        compared += sum(len(values) for values in chain["defaults"].values())
    assert compared > 400


def test_blocks_that_the_service_accepts_nowhere_have_their_form_too(told, form_of):
    report, workflows, alone = told
    known = next(workflow for workflow in workflows.values() if workflow.steps[0].block.name == "aws-s2-l2a")
    of_data = next(chain["defaults"] for chain in report["chains"] if chain["workflow"] == known.id)
    for block_id, block in alone.items():
        data = block.type is BlockType.DATA
        step = Step(f"{block.name}:{1 if data else 2}", block)
        workflow = Workflow("w", "w", steps=(step,) if data else (known.steps[0], step))
        before = {} if data else {known.steps[0].name: of_data[known.steps[0].name]}
        check(*form_of(workflow), workflow, {**before, step.name: report["details"][block_id]})
