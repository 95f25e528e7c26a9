"""Workflows and their tasks (sections 5 and 6 of the service's contract)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, List, Optional, Sequence, Tuple

from up42_plugin.api.calls import Call, path_of
from up42_plugin.api.classic.blocks import BlockInfo
from up42_plugin.api.classic.envelope import data_of, list_of, record_of
from up42_plugin.api.fields import Record
from up42_plugin.api.transport import Transport

MAYBE_MADE = "No answer. The workflow may have been made all the same: refresh before trying again."


@dataclass(frozen=True)
class WorkflowInfo:
    """A workflow without its tasks, which are a call of their own."""

    id: str
    name: str
    description: str
    created: Optional[datetime]
    updated: Optional[datetime]

    @classmethod
    def read(cls, record: Record) -> WorkflowInfo:
        return cls(
            id=record.text("id"),
            name=record.text_or("name"),
            description=record.text_or("description"),
            created=record.time_or_none("createdAt"),
            updated=record.time_or_none("updatedAt"),
        )


@dataclass(frozen=True)
class TaskInfo:
    """One task of a workflow; ``name`` keys the job parameters. ``parents`` are ids of other tasks."""

    id: str
    name: str
    parents: Tuple[str, ...]
    block: BlockInfo
    block_version: str

    @classmethod
    def read(cls, record: Record) -> TaskInfo:
        block = BlockInfo.read(record.record("block"))
        return cls(
            id=record.text("id"),
            name=record.text("name"),
            parents=record.texts("parentsIds"),
            block=block,
            block_version=record.text_or("blockVersionTag") or block.version,
        )


@dataclass(frozen=True)
class NewTask:
    """A task as it is asked for; ``parent`` is a task's name, None for the first."""

    name: str
    parent: Optional[str]
    block_id: str
    block_version: str = ""
    environment_id: str = ""

    def json(self) -> Dict[str, Any]:
        """The task in the body of a request."""
        task: Dict[str, Any] = {"name": self.name, "parentName": self.parent, "blockId": self.block_id}
        if self.block_version:
            task["blockVersionTag"] = self.block_version
        if self.environment_id:
            task["environmentId"] = self.environment_id
        return task


@dataclass(frozen=True)
class CompatibleBlockInfo:
    """A block the service accepts at the asked place."""

    block_id: str
    name: str
    version: str

    @classmethod
    def read(cls, record: Record) -> CompatibleBlockInfo:
        return cls(record.text("blockId"), record.text("name"), record.text_or("versionTag"))


def in_chain_order(tasks: Sequence[TaskInfo]) -> Tuple[TaskInfo, ...]:
    """Tasks with each one after its parents, whatever order the service lists them in; ties keep their order."""
    ordered: List[TaskInfo] = []
    waiting = list(tasks)
    known = {task.id for task in tasks}
    placed: set[str] = set()
    while waiting:
        ready = [task for task in waiting if all(p in placed or p not in known for p in task.parents)]
        taken = ready[0] if ready else waiting[0]
        waiting.remove(taken)
        ordered.append(taken)
        placed.add(taken.id)
    return tuple(ordered)


class Workflows:
    """Calls about the workflows of one project."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def list(self) -> Tuple[WorkflowInfo, ...]:
        call = Call("GET", path_of("projects", self._project_id, "workflows"), subject="project")
        return list_of(self._transport.json(call), WorkflowInfo.read)

    def create(self, name: str, description: str = "") -> WorkflowInfo:
        """Make an empty workflow. Sent once: repeating it would make a second one."""
        path = path_of("projects", self._project_id, "workflows")
        call = Call("POST", path, json={"name": name, "description": description}, subject="project")
        return self._transport.send_once(call, lambda answer: WorkflowInfo.read(record_of(answer)), MAYBE_MADE)

    def get(self, workflow_id: str) -> WorkflowInfo:
        return WorkflowInfo.read(record_of(self._transport.json(self._call("GET", workflow_id))))

    def update(self, workflow_id: str, name: str, description: str) -> WorkflowInfo:
        body = {"name": name, "description": description}
        call = Call("PUT", self._path(workflow_id), json=body, subject="workflow")
        changed = data_of(self._transport.json(call))
        # some answers hold an empty object instead of the workflow
        return WorkflowInfo.read(Record(changed, "data")) if changed else self.get(workflow_id)

    def delete(self, workflow_id: str) -> None:
        self._transport.request(self._call("DELETE", workflow_id))

    def tasks(self, workflow_id: str) -> Tuple[TaskInfo, ...]:
        """The tasks in chain order; empty for a new workflow."""
        answer = self._transport.json(self._call("GET", workflow_id, "tasks"))
        return in_chain_order(list_of(answer, TaskInfo.read))

    def replace_tasks(self, workflow_id: str, tasks: Sequence[NewTask]) -> Tuple[TaskInfo, ...]:
        """Put a new chain in the place of the old one; there is no partial change."""
        body = [task.json() for task in tasks]
        call = Call("POST", self._path(workflow_id, "tasks"), json=body, subject="workflow")
        return in_chain_order(list_of(self._transport.json(call), TaskInfo.read))

    def compatible_blocks(
        self, workflow_id: str, after: str = "", before: Sequence[str] = ()
    ) -> Tuple[CompatibleBlockInfo, ...]:
        """Blocks that can follow one task, precede others, stand between, or begin (no names): data blocks then."""
        query = ([("parentTaskName", after)] if after else []) + [("childTaskName", name) for name in before]
        path = self._path(workflow_id, "compatible-blocks")
        answer = self._transport.json(Call("GET", path, query=tuple(query), subject="workflow"))
        return record_of(answer).records("blocks", CompatibleBlockInfo.read)

    def credits_spent(self, workflow_id: str, account_id: str = "") -> int:
        """Credits all jobs of the workflow used; the account is the token's own when it is not named."""
        account = account_id or str(self._transport.claims.get("account_id", ""))
        query = (("account_id", account),) if account else ()
        call = Call("GET", self._path(workflow_id, "credits"), query=query, subject="workflow")
        return record_of(self._transport.json(call)).integer("creditsSpent")

    def _path(self, workflow_id: str, *more: str) -> str:
        return path_of("projects", self._project_id, "workflows", workflow_id, *more)

    def _call(self, method: str, workflow_id: str, *more: str) -> Call:
        return Call(method, self._path(workflow_id, *more), subject="workflow")
