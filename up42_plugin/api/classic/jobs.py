"""Jobs and their tasks (sections 8, 10.1, 10.2 and 10.6 of the service's contract)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Mapping, Optional, Tuple

from up42_plugin.api.calls import Call, path_of
from up42_plugin.api.classic.envelope import list_of, record_of
from up42_plugin.api.fields import Record, read_list
from up42_plugin.api.transport import Transport


@dataclass(frozen=True)
class JobInfo:
    """A job. ``status`` and ``mode`` are the service's words; ``inputs`` is the body it was made with."""

    id: str
    name: str
    status: str
    mode: str
    created: datetime
    started: Optional[datetime]
    finished: Optional[datetime]
    workflow_id: str
    workflow_name: str
    inputs: Mapping[str, Any] = field(repr=False)

    @classmethod
    def read(cls, record: Record) -> JobInfo:
        return cls(
            id=record.text("id"),
            name=record.text_or("name"),
            status=record.text("status"),
            mode=record.text_or("mode"),
            created=record.time("createdAt"),
            started=record.time_or_none("startedAt"),
            finished=record.time_or_none("finishedAt"),
            workflow_id=record.text_or("workflowId"),
            workflow_name=record.text_or("workflowName"),
            inputs=record.mapping("inputs"),
        )


@dataclass(frozen=True)
class JobTaskInfo:
    """One task of a job. Of its block only the name is sure to be told."""

    id: str
    name: str
    status: str
    parents: Tuple[str, ...]
    block_name: str
    block_type: str
    started: Optional[datetime]
    finished: Optional[datetime]

    @classmethod
    def read(cls, record: Record) -> JobTaskInfo:
        block = Record(record.mapping("block"), record.at("block"))
        name = record.text("name")
        return cls(
            id=record.text("id"),
            name=name,
            status=record.text("status"),
            parents=record.texts("parentsIds"),
            block_name=block.text_or("name") or name.partition(":")[0],
            block_type=block.text_or("type"),
            started=record.time_or_none("startedAt"),
            finished=record.time_or_none("finishedAt"),
        )


@dataclass(frozen=True)
class JobCreditsInfo:
    """Credits a job used, in total and by job task id where the service tells."""

    used: int
    by_task_id: Mapping[str, int]

    @classmethod
    def read(cls, record: Record) -> JobCreditsInfo:
        tasks = record.raw("tasks") or []
        shares = read_list(tasks, record.at("tasks"), lambda task: (task.text("id"), task.integer("creditsUsed")))
        return cls(record.integer("creditsUsed"), dict(shares))


class Jobs:
    """Calls about the jobs of one project."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def create(self, workflow_id: str, name: str, inputs: Mapping[str, Any]) -> JobInfo:
        """Make a job, which starts it. Sent once; see ``Transport.send_once`` for how it can end."""
        path = path_of("projects", self._project_id, "workflows", workflow_id, "jobs")
        call = Call("POST", path, query=(("name", name),), json=inputs, subject="workflow")
        return self._transport.send_once(call, lambda answer: JobInfo.read(record_of(answer)))

    def rerun(self, workflow_id: str, job_id: str, name: str) -> JobInfo:
        """Make a new job with the inputs and the mode of another. Sent once."""
        call = Call("POST", self._job_of_workflow(workflow_id, job_id), query=(("name", name),), json={}, subject="job")
        return self._transport.send_once(call, lambda answer: JobInfo.read(record_of(answer)))

    def list(self, page: int = 0) -> Tuple[JobInfo, ...]:
        """One page of the project's jobs, live and test ones, newest first; an empty page is beyond the end."""
        query = (("page", str(page)), ("sort", "createdAt,desc"))
        call = Call("GET", path_of("projects", self._project_id, "jobs"), query=query, subject="project")
        return list_of(self._transport.json(call), JobInfo.read)

    def get(self, job_id: str) -> JobInfo:
        return JobInfo.read(record_of(self._transport.json(self._call("GET", job_id))))

    def rename(self, workflow_id: str, job_id: str, name: str) -> JobInfo:
        call = Call("PUT", self._job_of_workflow(workflow_id, job_id), json={"name": name}, subject="job")
        return JobInfo.read(record_of(self._transport.json(call)))

    def cancel(self, job_id: str) -> None:
        """Ask to stop a job; one that has ended stays as it is."""
        self._transport.request(Call("POST", self._path(job_id, "cancel"), json={}, subject="job"))

    def tasks(self, job_id: str) -> Tuple[JobTaskInfo, ...]:
        """The job's tasks in chain order; of a test query only the data task."""
        return list_of(self._transport.json(self._call("GET", job_id, "tasks")), JobTaskInfo.read)

    def logs(self, job_id: str, task_id: str) -> str:
        """The log of one task, which grows while the task runs."""
        path = self._path(job_id, "tasks", task_id, "logs")
        answer = self._transport.request(Call("GET", path, accept="text/plain, */*", subject="job"))
        return answer.body.decode("utf-8", "replace")

    def credits(self, job_id: str) -> JobCreditsInfo:
        return JobCreditsInfo.read(record_of(self._transport.json(self._call("GET", job_id, "credits"))))

    def _path(self, job_id: str, *more: str) -> str:
        return path_of("projects", self._project_id, "jobs", job_id, *more)

    def _call(self, method: str, job_id: str, *more: str) -> Call:
        return Call(method, self._path(job_id, *more), subject="job")

    def _job_of_workflow(self, workflow_id: str, job_id: str) -> str:
        return path_of("projects", self._project_id, "workflows", workflow_id, "jobs", job_id)
