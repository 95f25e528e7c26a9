"""What a job will cost and how long it may take, before it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple


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
