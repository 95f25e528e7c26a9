"""What a job will cost and how long it may take, before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Sequence, Tuple


@dataclass(frozen=True)
class Range:
    """A minimum and a maximum of the same unit."""

    minimum: float
    maximum: float

    def __add__(self, other: Range) -> Range:
        return Range(self.minimum + other.minimum, self.maximum + other.maximum)


@dataclass(frozen=True)
class TaskEstimate:
    """One task's share: block and machine credits, time in seconds, and the amount the price was made from."""

    task: str
    block_credits: Range
    machine_credits: Range
    seconds: Range
    amount: Range
    unit: str

    @property
    def credits(self) -> Range:
        """Block and machine credits together."""
        return self.block_credits + self.machine_credits


@dataclass(frozen=True)
class Estimation:
    """The whole job. The service holds the minimum when the job starts and charges tasks that succeeded."""

    tasks: Tuple[TaskEstimate, ...]

    @property
    def credits(self) -> Range:
        """Credits of the whole job."""
        return sum((task.credits for task in self.tasks), Range(0, 0))

    @property
    def seconds(self) -> Range:
        """Processing time of the whole job, in seconds."""
        return sum((task.seconds for task in self.tasks), Range(0, 0))

    @property
    def held(self) -> int:
        """Credits held from the start until the job ends."""
        return round(self.credits.minimum)


def combined(estimations: Sequence[Estimation]) -> Estimation:
    """Several jobs of the same workflow as one: what each task needs in all of them."""
    tasks: Dict[str, TaskEstimate] = {}
    for task in (task for estimation in estimations for task in estimation.tasks):
        before = tasks.get(task.task)
        tasks[task.task] = task if before is None else _added(before, task)
    return Estimation(tuple(tasks.values()))


def _added(one: TaskEstimate, other: TaskEstimate) -> TaskEstimate:
    return TaskEstimate(
        one.task,
        one.block_credits + other.block_credits,
        one.machine_credits + other.machine_credits,
        one.seconds + other.seconds,
        one.amount + other.amount,
        one.unit,
    )
