"""A sandbox's data folder with the work of years in it: jobs by the thousand that have ended, and some that run.

The records are made by the service's own classes, before anything serves the folder.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Sequence, Tuple

from up42_plugin.sandbox.clock import stamp
from up42_plugin.sandbox.records import jobs as states
from up42_plugin.sandbox.records.accounts import MAX_CONCURRENT_JOBS
from up42_plugin.sandbox.records.jobs import Job, NewJob, NewJobTask
from up42_plugin.sandbox.records.workflows import WorkflowTask
from up42_plugin.sandbox.seed import enter
from up42_plugin.sandbox.services import Services, World, build_services

FINISHED, RUNNING = 10_000, 10
#: On the service's clock: days, at any speed that tests use.
ENDLESS_S = 1e9
PLACES = ("Taormina", "Etna north", "Catania", "Siracusa", "Milazzo", "Noto", "Ragusa plots", "Enna")
_ENDS = (states.SUCCEEDED,) * 8 + (states.FAILED, states.CANCELLED)
_BETWEEN = timedelta(minutes=50)
_LASTED = timedelta(minutes=12)
_THROUGH: Mapping[str, Any] = {"squareKm": 1.0, "scenes": 1, "outputBytes": 0, "pixels": 0}


def fill(data_dir: Path, finished: int = FINISHED, running: int = RUNNING) -> None:
    """Put jobs of the seeded workflows there, every other one a test query; the newest ones run, all of them live."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with _services(data_dir) as services:
        entrance = enter(services)
        workflows = [(id_, name, services.workflows.tasks(id_)) for name, id_ in entrance.workflows.items()]
        services.accounts.set_limits(entrance.project_id, {MAX_CONCURRENT_JOBS: max(running, 1)})
        now, total = datetime.now(timezone.utc), finished + running
        with services.store.transaction() as db:
            for number in range(total):
                workflow = workflows[number % len(workflows)]
                ended = number < finished
                mode = states.TEST_QUERY if ended and number % 2 else states.LIVE
                planned = _LASTED.total_seconds() if ended else ENDLESS_S
                tasks = _tasks(workflow[2], mode, planned)
                job = services.jobs.add(_new(entrance.project_id, workflow, number, mode), tasks)
                created = now - (total - number) * _BETWEEN
                if ended:
                    _end(services, job, _ENDS[number // 2 % len(_ENDS)])
                else:
                    _run(services, job)
                times = (stamp(created), stamp(created), stamp(created + _LASTED) if ended else None, job.id)
                db.execute("UPDATE jobs SET created_at = ?, started_at = ?, finished_at = ? WHERE id = ?", times)


@contextmanager
def _services(data_dir: Path) -> Iterator[Services]:
    """The parts of a sandbox that serves nobody and runs nothing."""

    def nothing() -> Any:
        raise RuntimeError("nothing is computed here")

    services = build_services(data_dir, "http://127.0.0.1:1", World(nothing, nothing))
    try:
        yield services
    finally:
        services.close()


def _new(project_id: str, workflow: Tuple[str, str, Sequence[WorkflowTask]], number: int, mode: str) -> NewJob:
    west, south = 13.0 + number % 200 / 100, 37.0 + number % 90 / 100
    ring = [[west, south], [west + 0.02, south], [west + 0.02, south + 0.01], [west, south + 0.01], [west, south]]
    values = {"intersects": {"type": "Polygon", "coordinates": [ring]}, "limit": 1, "max_cloud_cover": 20}
    inputs: Dict[str, Any] = {task.name: values for task in workflow[2] if task.parent_id is None}
    if mode == states.TEST_QUERY:
        inputs["config"] = {"mode": mode}
    return NewJob(
        project_id=project_id,
        workflow_id=workflow[0],
        workflow_name=workflow[1],
        name=f"{PLACES[number % len(PLACES)]} {number:05d}",
        mode=mode,
        inputs=inputs,
        estimate={},
        held=0,
        auditor={"id": "somebody", "type": "USER"},
    )


def _tasks(tasks: Sequence[WorkflowTask], mode: str, planned: float) -> Sequence[NewJobTask]:
    """The tasks of a job; a test query has the first one alone."""
    names = {task.id: task.name for task in tasks}
    new = [NewJobTask(task.name, names.get(task.parent_id or ""), task.block_id, planned) for task in tasks]
    return new[:1] if mode == states.TEST_QUERY else new


def _end(services: Services, job: Job, end: str) -> None:
    services.jobs.move(job.id, (states.NOT_STARTED,), end)
    for task in services.jobs.tasks(job.id):
        services.jobs.move_task(task.id, end)


def _run(services: Services, job: Job) -> None:
    """Its first block is through with computing, and takes its time."""
    services.jobs.move(job.id, (states.NOT_STARTED,), states.RUNNING)
    first = services.jobs.tasks(job.id)[0]
    services.jobs.move_task(first.id, states.RUNNING)
    services.jobs.keep_usage(first.id, _THROUGH)
