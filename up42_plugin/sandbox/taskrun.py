"""One run of one block: hands it its task, keeps its log, packs what it made."""

from __future__ import annotations

import errno
import logging
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.archive import SceneArchive
from up42_plugin.sandbox.billing import Billing
from up42_plugin.sandbox.catalogue import Block, Catalogue
from up42_plugin.sandbox.clock import JobClock
from up42_plugin.sandbox.estimate import Estimate
from up42_plugin.sandbox.records.jobs import Job, Jobs, JobTask
from up42_plugin.sandbox.runners.contract import Runner, RunnerError, RunnerStopped, StoredAsset, Task, Usage
from up42_plugin.sandbox.stored import assets_named
from up42_plugin.sandbox.workspace import TaskLog, Workspace, write_usage

logger = logging.getLogger(__name__)

# A full disk is the platform's trouble, not the block's.
_PLATFORM_ERRORS = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))

Runners = Callable[[], Mapping[str, Runner]]
ArchiveSource = Callable[[], SceneArchive]
StatusListener = Callable[[Job, Optional[str]], None]


class Stopped(RunnerStopped):
    """The process is closing; the job goes on at the next start."""


class Cancelled(RunnerStopped):
    """The job is being cancelled."""


class TaskFailed(Exception):  # noqa: N818 - the block's failure, not the engine's error
    """The block stopped with an error, which its log tells."""


@dataclass(frozen=True)
class Parts:
    """What jobs run with. Runners and archive are asked for when the first block runs: they load GDAL."""

    jobs: Jobs
    workspace: Workspace
    catalogue: Catalogue
    billing: Billing
    clock: JobClock
    runners: Runners
    archive: ArchiveSource
    on_status: StatusListener
    stored: Callable[[Sequence[str]], Tuple[StoredAsset, ...]]
    buckets: Path


class TaskRun:
    """Runs the block of one job task."""

    def __init__(self, job: Job, task: JobTask, parts: Parts, check: Callable[[], None]) -> None:
        self._job = job
        self._task = task
        self._parts = parts
        self._check = check
        self._files = parts.workspace.task(job.id, task.id)
        block = parts.catalogue.get(task.block_id)
        self._log = TaskLog(self._files.log, block.name if block else task.name)

    def work(self) -> None:
        """Run the block and pack its output; raises :class:`TaskFailed`, :class:`Cancelled` or :class:`Stopped`."""
        self._files.prepare()
        block, runner = self._block_and_runner()
        usage = self._run(runner, self._contract(block))
        if self._job.is_test_query:
            write_usage(self._files.output, self._usage_note(block))
        self._files.pack()
        self._parts.jobs.keep_usage(self._task.id, asdict(usage))

    def _block_and_runner(self) -> Any:
        block = self._parts.catalogue.get(self._task.block_id)
        runner = self._parts.runners().get(self._task.block_id)
        if block is None or runner is None:
            name = block.name if block else self._task.name
            self._log.line("ERROR", f"Block {name} ({self._task.block_id}) cannot run here.")
            self._log.failure("BLOCK_NOT_AVAILABLE", f"The sandbox lists block {name} but has no implementation of it.")
            raise TaskFailed
        return block, runner

    def _run(self, runner: Runner, task: Task) -> Usage:
        try:
            usage = runner(task)
        except RunnerError as error:
            message = str(error)
            self._log.line("ERROR", "The block stopped with an error.")
            self._log.failure(error.code, message.partition("] ")[2] or message)
            raise TaskFailed from error
        except (Cancelled, Stopped):
            raise
        except RunnerStopped:
            self._check()
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _PLATFORM_ERRORS:
                raise
            logger.exception("block %s of job %s", self._task.name, self._job.id)
            self._log.line("ERROR", "The block failed unexpectedly.\n" + traceback.format_exc().rstrip())
            self._log.failure("UNKNOWN_ERROR", f"{type(error).__name__}: {error}")
            raise TaskFailed from error
        return usage

    def _contract(self, block: Block) -> Task:
        parameters = self._parameters(block)
        self._log.line("DEBUG", f"Raw task parameters from UP42_TASK_PARAMETERS are: {self._inputs(self._task.name)}")
        source = None
        if self._task.parent_id is not None:
            source = self._parts.workspace.task(self._job.id, self._task.parent_id).output
        return Task(
            name=self._task.name,
            block=_as_mapping(block),
            parameters=parameters,
            geometry=self._data_geometry(),
            source=source,
            target=self._files.output,
            quicklooks=self._files.quicklooks,
            test_query=self._job.is_test_query,
            archive=self._parts.archive(),
            log=self._log.line,
            check=self._check,
            assets=self._parts.stored(assets_named(parameters)) if block.is_data else (),
            buckets=self._parts.buckets,
        )

    def _inputs(self, name: str) -> Dict[str, Any]:
        return dict(self._job.inputs.get(name) or {})

    def _parameters(self, block: Block) -> Dict[str, Any]:
        return block.with_defaults(self._inputs(self._task.name))

    def _data_geometry(self) -> Optional[Mapping[str, Any]]:
        first = self._parts.jobs.tasks(self._job.id)[0]
        return geometry.geometry_of(self._inputs(first.name))

    def _usage_note(self, block: Block) -> Dict[str, Any]:
        """What ``usage.json`` of a test query says. No source shows its members: these are inferred.

        ``credits``: what the test query used (nothing) and what a live job would. ``area``: square kilometres.
        """
        estimates = {name: Estimate.from_json(value) for name, value in self._job.estimate.items()}
        polygon = self._data_geometry()
        return {
            "credits": {
                "used": 0,
                "liveMin": sum(part.credits[0] for part in estimates.values()),
                "liveMax": sum(part.credits[1] for part in estimates.values()),
            },
            "area": {"squareKm": None if polygon is None else round(geometry.area_km2(polygon), 6)},
            "block": block.name,
        }


def _as_mapping(block: Block) -> Mapping[str, Any]:
    """The block as runners see it."""
    return {
        "id": block.id,
        "name": block.name,
        "displayName": block.title,
        "type": block.type,
        "version": block.version,
        "parameters": block.parameters,
        "capabilities": block.capabilities,
    }
