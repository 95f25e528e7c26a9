"""Workflows and blocks of a project, read and changed in the background.

Which blocks may follow a chain only the service knows for sure, and it answers for saved workflows alone. A chain that
is being built is therefore asked about by any workflow of the project that begins the same: a mere question, that
leaves nothing behind. Where there is none, our own check has to do, and saving is the service's verdict: it takes a
workflow whole or not at all, for one that it has refused is deleted again. A scratch workflow, made only to ask, would
stay in the project after a crash.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Callable, FrozenSet, Optional, Sequence, Tuple, TypeVar

from up42_plugin.api.errors import NotFoundError
from up42_plugin.core.context import JobContext
from up42_plugin.core.service import JobService, ServiceProvider
from up42_plugin.core.workflow import Block, Workflow
from up42_plugin.qgis_bridge.jobs import Job, JobRunner

T = TypeVar("T")

LONGEST_NAME = 100  # characters; the service refuses more
_COPY = " (copy)"


class WorkflowOperations:
    """Starts the background jobs; results and errors come with each job's signals, on the main thread."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def catalogue(self, provider: ServiceProvider) -> Job[Tuple[Block, ...]]:
        """Every block the connection sees, without capabilities and parameters, by title."""

        def work(service: JobService, _context: JobContext) -> Tuple[Block, ...]:
            return tuple(sorted(service.blocks(), key=lambda block: (block.title.lower(), block.provider)))

        return self._start("UP42: reading the blocks", provider, work)

    def details(self, provider: ServiceProvider, block_ids: Sequence[str]) -> Job[Tuple[Block, ...]]:
        """These blocks with all that is known of them; those that are gone are left out."""

        def work(service: JobService, context: JobContext) -> Tuple[Block, ...]:
            found = []
            for number, block_id in enumerate(block_ids):
                context.progress(100.0 * number / len(block_ids))
                try:
                    found.append(service.block(block_id))
                except NotFoundError:
                    continue
            return tuple(found)

        return self._start("UP42: reading block details", provider, work)

    def followers(self, provider: ServiceProvider, workflow_id: str, task: str) -> Job[FrozenSet[str]]:
        """The ids of the blocks that the service lets follow a task of a saved workflow."""

        def work(service: JobService, _context: JobContext) -> FrozenSet[str]:
            return frozenset(block.block_id for block in service.compatible_blocks(workflow_id, task))

        return self._start("UP42: asking which blocks fit", provider, work)

    def save(
        self, provider: ServiceProvider, name: str, block_ids: Tuple[str, ...], edited: Optional[Workflow] = None
    ) -> Job[Workflow]:
        """Make a workflow, or give ``edited`` another name and chain. A refused chain leaves things as they were."""

        def work(service: JobService, _context: JobContext) -> Workflow:
            if edited is None:
                return service.create_workflow(name, "", block_ids)
            same = block_ids == tuple(step.block.id for step in edited.steps)
            return service.update_workflow(edited.id, name, edited.description, None if same else block_ids)

        return self._start("UP42: saving the workflow", provider, work)

    def rename(self, provider: ServiceProvider, workflow: Workflow, name: str) -> Job[Workflow]:
        """Give another name."""
        return self.save(provider, name, tuple(step.block.id for step in workflow.steps), workflow)

    def duplicate(self, provider: ServiceProvider, workflow: Workflow, name: str) -> Job[Workflow]:
        """Make a workflow of the same blocks."""
        block_ids = tuple(step.block.id for step in workflow.steps)

        def work(service: JobService, _context: JobContext) -> Workflow:
            return service.create_workflow(name, workflow.description, block_ids)

        return self._start("UP42: duplicating the workflow", provider, work)

    def delete(self, provider: ServiceProvider, workflow: Workflow) -> Job[str]:
        """Delete, and tell the id; one that is gone already is as good as deleted. Its jobs stay."""

        def work(service: JobService, _context: JobContext) -> str:
            with suppress(NotFoundError):
                service.delete_workflow(workflow.id)
            return workflow.id

        return self._start("UP42: deleting the workflow", provider, work)

    def _start(self, title: str, provider: ServiceProvider, work: Callable[[JobService, JobContext], T]) -> Job[T]:
        def run(context: JobContext) -> T:
            with provider.open(context) as service:
                return work(service, context)

        return self._runner.start(title, run, long_running=True, hidden=True)


def copy_name(name: str, taken: Sequence[str]) -> str:
    """``name (copy)``, ``name (copy 2)`` …, the first that is free, within the service's length."""
    number = 1
    while True:
        suffix = _COPY if number == 1 else f"{_COPY[:-1]} {number})"
        candidate = f"{name[: LONGEST_NAME - len(suffix)]}{suffix}"
        if candidate not in taken:
            return candidate
        number += 1
