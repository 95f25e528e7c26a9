"""Blocks and workflows: one data block followed by any number of processing blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Mapping, Optional, Tuple

GEOMETRY_PARAMETERS = ("bbox", "intersects", "contains")


class BlockType(str, Enum):
    """What a block does: bring images, or work on them."""

    DATA = "DATA"
    PROCESSING = "PROCESSING"


@dataclass(frozen=True)
class Price:
    """The list price of a block: ``credits`` per ``unit`` (``SQUARE_KM``, ``MEGABYTE``, ``SCENE`` …)."""

    credits: float
    unit: str
    direction: str = ""


@dataclass(frozen=True)
class Block:
    """A block as the catalogue or a workflow task describes it.

    ``parameters`` is the block's schema: name -> ``{type, default?, required?, minimum?, maximum?, items?}``.
    ``test_query`` is None where the service does not say whether the block offers one.
    """

    id: str
    name: str
    title: str
    type: BlockType
    version: str = ""
    provider: str = ""
    description: str = ""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    capabilities: Mapping[str, Any] = field(default_factory=dict)
    test_query: Optional[bool] = None
    price: Optional[Price] = None
    machine: str = ""

    @property
    def geometry_parameters(self) -> Tuple[str, ...]:
        """The geometric filters this block takes, in the usual order."""
        return tuple(name for name in GEOMETRY_PARAMETERS if name in self.parameters)


@dataclass(frozen=True)
class Step:
    """One block's place in a workflow; ``name`` (``aws-s2-l2a:1``) keys the job parameters."""

    name: str
    block: Block


@dataclass(frozen=True)
class Workflow:
    """An ordered chain of steps. Lists give workflows without steps; ask the service for one to get them."""

    id: str
    name: str
    description: str = ""
    steps: Tuple[Step, ...] = ()

    @property
    def data_step(self) -> Step:
        """The first step; raises ``ValueError`` for a workflow without steps."""
        if not self.steps:
            raise ValueError(f"workflow {self.name!r} has no steps")
        return self.steps[0]

    @property
    def chain(self) -> str:
        """The blocks' titles joined by arrows, for people."""
        return " → ".join(step.block.title for step in self.steps)

    @property
    def testable(self) -> bool:
        """Whether a test query may be run: the data block offers one, or the service does not say."""
        return self.data_step.block.test_query is not False

    def same_chain(self, other: Workflow) -> bool:
        """Whether both have the same tasks of the same blocks, so that parameters of one fit the other."""
        ours, theirs = ([(step.name, step.block.name) for step in flow.steps] for flow in (self, other))
        return ours == theirs
