"""What a job will cost, and whether it fits (sections 9.1 and 9.3 of the service's contract)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Mapping, Sequence, Tuple

from up42_plugin.api.calls import Call, path_of
from up42_plugin.api.classic.envelope import data_of
from up42_plugin.api.classic.workflows import NewTask
from up42_plugin.api.fields import Record
from up42_plugin.api.transport import Transport


@dataclass(frozen=True)
class Bounds:
    """A minimum and a maximum."""

    minimum: float
    maximum: float

    @classmethod
    def read(cls, record: Record) -> Bounds:
        return cls(record.number("min"), record.number("max"))


@dataclass(frozen=True)
class TaskEstimateInfo:
    """One task's share. ``duration`` in milliseconds; ``amount`` in ``unit``, which the block is priced by."""

    task: str
    unit: str
    amount: Bounds
    block_credits: Bounds
    duration: Bounds
    machine_credits: Bounds

    @classmethod
    def read(cls, task: str, record: Record) -> TaskEstimateInfo:
        block, machine = record.record("blockConsumption"), record.record("machineConsumption")
        resources = Record(block.mapping("resources"), block.at("resources"))
        amount = Bounds(resources.number_or("min") or 0.0, resources.number_or("max") or 0.0)
        return cls(
            task=task,
            unit=resources.text_or("unit"),
            amount=amount,
            block_credits=Bounds.read(block.record("credit")),
            duration=Bounds.read(machine.record("duration")),
            machine_credits=Bounds.read(machine.record("credit")),
        )


class Estimates:
    """Calls about jobs that do not run yet."""

    def __init__(self, transport: Transport, project_id: str) -> None:
        self._transport = transport
        self._project_id = project_id

    def of(self, tasks: Sequence[NewTask], inputs: Mapping[str, Any]) -> Tuple[TaskEstimateInfo, ...]:
        """The estimate of a job that could be sent, task by task in the order of ``tasks``."""
        body = {"tasks": [task.json() for task in tasks], "inputs": inputs}
        call = Call("POST", path_of("projects", self._project_id, "estimate", "job"), json=body, subject="project")
        shares = _read(self._transport.json(call))
        order = {task.name: index for index, task in enumerate(tasks)}
        return tuple(sorted(shares, key=lambda share: order.get(share.task, len(order))))

    def of_job(self, job_id: str) -> Tuple[TaskEstimateInfo, ...]:
        """The estimate of a job that exists."""
        call = Call("GET", path_of("projects", self._project_id, "jobs", job_id, "estimate"), subject="job")
        return _read(self._transport.json(call))

    def validate(self, tasks: Sequence[NewTask], inputs: Mapping[str, Any]) -> None:
        """Ask whether a job would be accepted; raises ``ValidationError`` with the service's words when not."""
        body = {"tasks": [task.json() for task in tasks], "input": inputs}
        self._transport.request(
            Call("POST", path_of("projects", self._project_id, "jobs", "validate"), json=body, subject="project")
        )


def _read(answer: Any) -> Tuple[TaskEstimateInfo, ...]:
    shares = Record(data_of(answer), "data")
    return tuple(TaskEstimateInfo.read(task, shares.record(task)) for task in shares.members)
