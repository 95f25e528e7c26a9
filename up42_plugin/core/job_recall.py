"""A job of the ledger or of the service's list as a configuration again, to be loaded, cloned or run once more."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from up42_plugin.core.aoi import AOI, AoiError
from up42_plugin.core.configuration import CONFIG, JobConfiguration
from up42_plugin.core.job_form import JobForm
from up42_plugin.core.parameter_values import geometry_of
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, Block, BlockType, Step, Workflow


def recalled(inputs: Mapping[str, Any], workflow: Workflow) -> JobConfiguration:
    """What a job with these inputs asked for; members that are no task's parameters are left out."""
    body = {task: values for task, values in inputs.items() if isinstance(values, Mapping) and task != CONFIG}
    return JobForm(workflow).with_body(body, None).configuration(None)


def stand_in(workflow_id: str, name: str, inputs: Mapping[str, Any]) -> Workflow:
    """For a workflow that no longer exists: its chain as far as the inputs tell. It cannot be run."""
    tasks = [task for task in inputs if task != CONFIG]
    steps = tuple(
        Step(task, Block("", task.partition(":")[0], task.partition(":")[0], _kind(number)))
        for number, task in enumerate(tasks)
    )
    return Workflow(workflow_id, name, "", steps)


def is_stand_in(workflow: Workflow) -> bool:
    """Whether the workflow is only what is known of one that no longer exists."""
    return not workflow.steps or any(not step.block.id for step in workflow.steps)


def recalled_area(configuration: JobConfiguration) -> Optional[AOI]:
    """The area of a job, also where it was typed; None where there is none to be read."""
    if configuration.aoi is not None:
        return configuration.aoi
    for values in configuration.parameters.values():
        for name in GEOMETRY_PARAMETERS:
            value = values.get(name) if isinstance(values, Mapping) else None
            if value is None:
                continue
            try:
                return geometry_of(name, value)
            except (AoiError, TypeError, ValueError, LookupError, OverflowError):
                continue
    return None


def _kind(number: int) -> BlockType:
    return BlockType.PROCESSING if number else BlockType.DATA
