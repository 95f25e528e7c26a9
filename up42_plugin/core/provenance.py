"""Where the layers of a run come from."""

from __future__ import annotations

from typing import Tuple

from up42_plugin.core.jobs import Job
from up42_plugin.core.layer_plan import BlockUsed, JobProvenance
from up42_plugin.core.run import Run


def provenance_of(run: Run, job: Job, connection_name: str, task_name: str = "") -> JobProvenance:
    """What layers of a run's output, or of one of its tasks, are told of their job."""
    workflow = run.configuration.workflow
    return JobProvenance(
        job.id,
        run.name,
        run.connection_id,
        connection_name,
        run.mode,
        task_name=task_name,
        workflow_name=workflow.name,
        chain=workflow.chain,
        recipe=run.configuration.inputs(run.mode),
        created=job.created,
        finished=job.finished,
        credits=run.credits_charged,
        blocks=_blocks_used(run, task_name),
    )


def _blocks_used(run: Run, task_name: str) -> Tuple[BlockUsed, ...]:
    """The blocks up to the one whose output it is: a test query runs the data block only."""
    steps = run.configuration.workflow.steps
    names = [step.name for step in steps]
    last = names.index(task_name) if task_name in names else len(steps) - 1
    used = steps[: last + 1] if run.live else steps[:1]
    return tuple(
        BlockUsed(step.name, step.block.name, step.block.title, step.block.version, step.block.provider)
        for step in used
    )
