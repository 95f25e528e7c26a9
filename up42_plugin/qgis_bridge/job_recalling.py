"""Jobs that this session did not begin, brought back as runs: from the ledger, or from the service alone."""

from __future__ import annotations

import uuid
from typing import Callable, Mapping, Optional

from qgis.PyQt.QtCore import QObject

from up42_plugin.api.errors import NotFoundError, Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.job_recall import recalled, stand_in
from up42_plugin.core.jobs import Job
from up42_plugin.core.ledger import Ledger, RecordedJob
from up42_plugin.core.run import Phase, Run
from up42_plugin.core.service import JobService, ServiceProvider
from up42_plugin.core.tags import split_name
from up42_plugin.core.workflow import Workflow
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.runs import RunController
from up42_plugin.qgis_bridge.sending import message_of

NOT_KNOWN = "Nothing is known of what this job was asked for."


class JobRecall(QObject):
    """Gives the run of any job of the list. The workflow is the service's of now, else what the job tells of it."""

    def __init__(
        self,
        runner: JobRunner,
        ledger: Ledger,
        runs: RunController,
        provider_of: Callable[[str], Optional[ServiceProvider]],
        workflows: Callable[[], Mapping[str, Workflow]],
        *,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._ledger, self._runs = runner, ledger, runs
        self._provider_of, self._workflows = provider_of, workflows

    def recall(self, entry: JobEntry, done: Callable[[Run], None], failed: Callable[[str], None]) -> None:
        """Give the job's run to ``done``, at once if it is of this session, else after reading; or say why not.

        A job that the service has is a run of this session from then on.
        """
        known = self._known(entry)
        if known is not None:
            done(known)
            return
        provider, workflows = self._provider_of(entry.connection_id), dict(self._workflows())

        def work(context: JobContext) -> Run:
            return _run_of(entry, self._record(entry), provider, workflows, context)

        def read(run: Run) -> None:
            present = self._known(entry)
            if present is None and run.job is not None and run.job.id:
                self._runs.adopt(run)
            done(present or run)

        job = self._runner.start(f"UP42: reading {entry.name}", work, long_running=True, hidden=True)
        job.succeeded.connect(read)
        job.failed.connect(lambda error: failed(message_of(error)))

    def _known(self, entry: JobEntry) -> Optional[Run]:
        if entry.run_key:
            return self._runs.run_of(entry.run_key)
        return self._runs.find(entry.connection_id, entry.job_id) if entry.job_id else None

    def _record(self, entry: JobEntry) -> Optional[RecordedJob]:
        if entry.record_id:
            return self._ledger.job(entry.record_id)
        return self._ledger.job_on_service(entry.connection_id, entry.job_id) if entry.job_id else None


def _run_of(
    entry: JobEntry,
    record: Optional[RecordedJob],
    provider: Optional[ServiceProvider],
    workflows: Mapping[str, Workflow],
    context: JobContext,
) -> Run:
    if provider is None:
        return _made(entry, record, None, workflows, None)
    with provider.open(context) as service:
        job = service.job(entry.job_id) if entry.job_id else None
        return _made(entry, record, job, workflows, service)


def _made(
    entry: JobEntry,
    record: Optional[RecordedJob],
    job: Optional[Job],
    workflows: Mapping[str, Workflow],
    service: Optional[JobService],
) -> Run:
    """What the ledger wrote down before it was sent is believed of the inputs, of its state the service."""
    inputs = record.configuration.inputs if record is not None else job.inputs if job is not None else {}
    if not inputs:
        raise Up42Error(NOT_KNOWN)
    workflow_id = record.configuration.workflow_id if record is not None else job.workflow_id if job is not None else ""
    name = record.configuration.workflow_name if record is not None else entry.workflow
    workflow = _workflow(workflow_id, workflows, service) or stand_in(workflow_id, name, inputs)
    return Run(
        key=uuid.uuid4().hex,
        name=split_name(job.name)[0] if job is not None else entry.name,
        mode=record.mode if record is not None else job.mode if job is not None else entry.mode,
        configuration=recalled(inputs, workflow),
        connection_id=entry.connection_id,
        created=entry.created,
        phase=Phase.ON_SERVICE if job is not None else entry.phase,
        message=entry.message if job is None else "",
        job=job,
        words=(job.word,) if job is not None else (),
        credits_charged=round(entry.charged) if entry.charged is not None else None,
    )


def _workflow(workflow_id: str, workflows: Mapping[str, Workflow], service: Optional[JobService]) -> Optional[Workflow]:
    known = workflows.get(workflow_id)
    if known is not None and known.steps:
        return known
    if service is None or not workflow_id:
        return None
    try:
        found = service.workflow(workflow_id)
    except NotFoundError:
        return None
    return found if found.steps else None
