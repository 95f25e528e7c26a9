"""A job of an earlier session as a run of this one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Mapping, Optional

from up42_plugin.core.configuration import CONFIG
from up42_plugin.core.job_recall import recalled, stand_in
from up42_plugin.core.jobs import Job, JobState
from up42_plugin.core.ledger_life import LedgerEntry
from up42_plugin.core.ledger_rows import RecordedJob, Submission
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.workflow import Workflow

_ARROW = " → "


def resumed_run(entry: LedgerEntry, record: RecordedJob, workflow: Optional[Workflow], now: datetime) -> Run:
    """The run of a job that the service accepted; ``workflow`` is the service's of today, where it still has it.

    What was asked for is what the ledger wrote down before it was sent. Raises ``ValueError`` where nothing was.
    """
    inputs = {name: values for name, values in record.configuration.inputs.items() if name != CONFIG}
    charged = entry.submission.charged_credits
    job = job_of(entry.submission, record)
    return Run(
        key=entry.id,
        name=entry.name,
        mode=entry.mode,
        configuration=recalled(inputs, _workflow(entry, inputs, workflow)),
        connection_id=entry.connection_id,
        created=entry.created,
        phase=Phase.ON_SERVICE,
        job=job,
        words=(job.word,) if job.word else (),
        credits_charged=None if charged is None else round(charged),
        resumed=now,
    )


def job_of(submission: Submission, record: RecordedJob) -> Job:
    """The job as it was seen last."""
    life = submission.life
    return Job(
        id=submission.service_job_id,
        name=submission.name,
        state=JobState.NOT_STARTED if life is None else life.state,
        word="" if life is None else life.word,
        mode=record.mode,
        created=submission.created if life is None else life.created,
        started=None if life is None else life.started,
        finished=None if life is None else life.finished,
        workflow_id=record.configuration.workflow_id,
        workflow_name=record.configuration.workflow_name,
        inputs=record.configuration.inputs,
    )


def _workflow(entry: LedgerEntry, inputs: Mapping[str, object], today: Optional[Workflow]) -> Workflow:
    """The service's workflow while its chain is the one that ran, else what was written down of it."""
    if today is not None and [step.name for step in today.steps] == list(inputs):
        return today
    made = stand_in(entry.workflow_id, entry.workflow_name, inputs)
    titles = entry.chain.split(_ARROW)
    if len(titles) != len(made.steps):
        return made
    steps = (replace(step, block=replace(step.block, title=title)) for step, title in zip(made.steps, titles))
    return replace(made, steps=tuple(steps))
