"""Takes jobs in: checks the input, the account and the project's limits, then hands the job to the engine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Sequence

from up42_plugin.sandbox.capabilities import Link
from up42_plugin.sandbox.estimate import Estimate, estimate, from_storage, total
from up42_plugin.sandbox.messages import ApiError, Principal
from up42_plugin.sandbox.records.accounts import MAX_AOI, MAX_CONCURRENT_JOBS, MAX_LIMIT, Project
from up42_plugin.sandbox.records.credits import FLOOR
from up42_plugin.sandbox.records.jobs import TEST_QUERY, Job, NewJob, NewJobTask
from up42_plugin.sandbox.records.workflows import Workflow
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.stored import assets_named
from up42_plugin.sandbox.validation import Limits, key_mismatch, mode_of, problems

NO_ESTIMATION = "Estimation is not available for jobs with data from storage"
_TEST_QUERY_S = (10.0, 20.0)
# Where in the estimated span a task really ends: towards the short end.
_FASTEST, _SPREAD = 0.1, 0.2


@dataclass(frozen=True)
class JobOrder:
    """What somebody wants to run: a workflow of a project, its chain of blocks, the inputs and a name."""

    project: Project
    workflow: Workflow
    links: Sequence[Link]
    inputs: Mapping[str, Any]
    name: Optional[str]


class Submission:
    """Checks and takes in jobs."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def checked_mode(
        self, project: Project, links: Sequence[Link], inputs: Mapping[str, Any], *, to_run: bool = True
    ) -> str:
        """The mode of a valid input; raises 400 with everything that is wrong with it.

        What is not ``to_run`` may be larger than the project's live jobs: it is only priced.
        """
        mismatch = key_mismatch([link.name for link in links], inputs)
        if mismatch is not None:
            raise ApiError(400, mismatch)
        try:
            mode = mode_of(inputs)
        except ValueError as error:
            raise _invalid([str(error)]) from error
        found = problems(links, inputs, self._limits(project, limited=to_run and mode != TEST_QUERY))
        found.extend(self._storage_problems(project, links, inputs))
        if mode == TEST_QUERY and links and not links[0].block.test_query:
            found.append(f"#/config/mode: block {links[0].block.name} does not support test queries")
        if found:
            raise _invalid(found)
        return mode

    def _storage_problems(self, project: Project, links: Sequence[Link], inputs: Mapping[str, Any]) -> List[str]:
        found: List[str] = []
        for link in links:
            values = inputs.get(link.name)
            if isinstance(values, Mapping) and from_storage(link.block, values):
                ids = assets_named(values)
                wrong = self._services.storage.problems(project.account_id, link.block, ids)
                found.extend(f"#/{link.name}/asset_ids: {problem}" for problem in wrong)
        return found

    def offered_estimate(self, links: Sequence[Link], inputs: Mapping[str, Any]) -> Dict[str, Estimate]:
        """What is told of it: nothing for data from storage, which the service does not estimate (400)."""
        if any(from_storage(link.block, inputs.get(link.name) or {}) for link in links):
            raise ApiError(400, NO_ESTIMATION, "VALIDATION_ERROR")
        return self.estimate(links, inputs)

    def estimate(self, links: Sequence[Link], inputs: Mapping[str, Any]) -> Dict[str, Estimate]:
        """Price and duration of a checked input."""
        return estimate(links, inputs, self._services.scenes)

    def submit(self, order: JobOrder, caller: Principal) -> Job:
        """Make a job and start it. Raises 400, 403 or 429."""
        project, links, inputs = order.project, order.links, order.inputs
        if not links:
            raise ApiError(400, "Workflow has no tasks")
        mode = self.checked_mode(project, links, inputs)
        estimates = self.estimate(links, inputs)
        held = 0 if mode == TEST_QUERY else total(estimates)[0]
        new = NewJob(
            project_id=project.id,
            workflow_id=order.workflow.id,
            workflow_name=order.workflow.name,
            name=order.name,
            mode=mode,
            inputs=inputs,
            estimate={task: part.as_json() for task, part in estimates.items()},
            held=held,
            auditor=caller.auditor,
        )
        with self._services.store.transaction():
            if mode != TEST_QUERY:
                self._check_credits(project.account_id, held)
            self._check_slots(project)
            job = self._services.jobs.add(new, _tasks(links, estimates, mode))
        self._services.engine.start(job.id)
        return job

    def _check_credits(self, account_id: str, needed: int) -> None:
        if self._services.credits.balance(account_id) < max(FLOOR, needed):
            raise ApiError(403, "Insufficient credits to run job")

    def _check_slots(self, project: Project) -> None:
        allowed = self._services.accounts.limits(project.id)[MAX_CONCURRENT_JOBS]
        if len(self._services.jobs.unfinished(project.id)) >= allowed:
            raise ApiError(429, "Your project has too many non-finished jobs", "TOO_MANY_REQUESTS")

    def _limits(self, project: Project, limited: bool) -> Limits:
        values = self._services.accounts.limits(project.id)
        return Limits(values[MAX_LIMIT], float(values[MAX_AOI]) if limited else None)


def _tasks(links: Sequence[Link], estimates: Mapping[str, Estimate], mode: str) -> List[NewJobTask]:
    """The job's tasks: all of them, or the data task alone for a test query."""
    if mode == TEST_QUERY:
        first = links[0]
        return [NewJobTask(first.name, None, first.block.id, _between(_TEST_QUERY_S, first.name))]
    tasks = []
    for link in links:
        low, high = estimates[link.name].duration_ms
        span = (low / 1000, high / 1000)
        tasks.append(NewJobTask(link.name, link.parent, link.block.id, _between(span, link.name)))
    return tasks


def _between(span: Sequence[float], name: str) -> float:
    """A duration inside a span that looks arbitrary and is always the same for a task."""
    digest = hashlib.sha256(name.encode()).digest()[0] / 255
    return span[0] + (span[1] - span[0]) * (_FASTEST + _SPREAD * digest)


def _invalid(found: Sequence[str]) -> ApiError:
    return ApiError(400, "; ".join(found), "VALIDATION_ERROR", list(found))
