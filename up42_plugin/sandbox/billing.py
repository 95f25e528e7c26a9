"""What a job costs in the end: only tasks that succeeded, at what their blocks consumed."""

from __future__ import annotations

from typing import Any, Mapping, Sequence, Tuple

from up42_plugin.sandbox.catalogue import Block, Catalogue
from up42_plugin.sandbox.estimate import Estimate, from_storage, machine_credits
from up42_plugin.sandbox.records.accounts import Accounts
from up42_plugin.sandbox.records.credits import Credits, TaskPrice
from up42_plugin.sandbox.records.jobs import SUCCEEDED, Job, Jobs, JobTask
from up42_plugin.sandbox.store import Store

_MIB = 1024.0 * 1024.0
_MEGA = 1e6
# The names the service uses for consumed amounts, and how many of them make one unit of the price.
_CONSUMED: Mapping[str, Tuple[str, float]] = {
    "SQUARE_KM": ("SQUARE_METERS", 1e6),
    "MEGABYTE": ("BYTES", _MIB),
    "SCENE": ("SCENES", 1.0),
    "MEGAPIXEL": ("PIXELS", _MEGA),
    "PIXEL": ("PIXELS", 1.0),
    "TILE": ("TILES", 1.0),
    "DATA_POINT": ("DATA_POINTS", 1.0),
    "QUANTITY": ("DATA_POINTS", 1.0),
}
# What blocks report, and how much of it makes one unit of the price; of other units a scene is one.
_REPORTED: Mapping[str, Tuple[str, float]] = {
    "SQUARE_KM": ("square_km", 1.0),
    "MEGABYTE": ("output_bytes", _MIB),
    "MEGAPIXEL": ("pixels", _MEGA),
    "PIXEL": ("pixels", 1.0),
    "TILE": ("tiles", 1.0),
    "DATA_POINT": ("data_points", 1.0),
}


class Billing:
    """Ends jobs together with their bill, in one transaction."""

    def __init__(self, store: Store, jobs: Jobs, credits: Credits, accounts: Accounts, catalogue: Catalogue) -> None:  # noqa: A002 - the service's word
        self._store = store
        self._jobs = jobs
        self._credits = credits
        self._accounts = accounts
        self._catalogue = catalogue

    def settle(self, job_id: str, before: Sequence[str], end: str) -> bool:
        """Move a job to its end, charge it and give back what was held; False when it was in another state."""
        with self._store.transaction():
            if not self._jobs.move(job_id, before, end):
                return False
            self._jobs.release(job_id)
            job = self._jobs.get(job_id)
            if job is not None and not job.is_test_query:
                self._charge(job)
        return True

    def _charge(self, job: Job) -> None:
        project = self._accounts.project(job.project_id)
        if project is None:
            raise LookupError(job.project_id)
        for task in self._jobs.tasks(job.id):
            block = self._catalogue.get(task.block_id)
            if task.status == SUCCEEDED and block is not None:
                self._credits.charge(project.account_id, job.id, self._price(job, task, block))

    def _price(self, job: Job, task: JobTask, block: Block) -> TaskPrice:
        """The machine is charged by the job clock, the block by what it reports, within what was estimated."""
        duration_ms = round(task.planned * 1000)
        unit, factor = _CONSUMED[block.price.unit]
        if from_storage(block, job.inputs.get(task.name) or {}):
            return TaskPrice(
                task.id, machine_credits=0, block_credits=0, duration_ms=duration_ms, quantity=0, unit=unit
            )
        amount = self._amount(job, task, block)
        return TaskPrice(
            job_task_id=task.id,
            machine_credits=machine_credits(block, duration_ms),
            block_credits=block.price.credits(amount),
            duration_ms=duration_ms,
            quantity=round(amount * factor),
            unit=unit,
        )

    def _amount(self, job: Job, task: JobTask, block: Block) -> float:
        usage: Mapping[str, Any] = task.usage or {}
        if block.price.direction == "INPUT" and task.parent_id is not None:
            parents = [other for other in self._jobs.tasks(job.id) if other.id == task.parent_id]
            usage = parents[0].usage or usage
        reported = consumed(block.price.unit, usage)
        estimates = job.estimate.get(task.name)
        if estimates is None or reported == 0:
            return reported
        low, high = Estimate.from_json(estimates).amount
        return min(max(reported, low), high) if high > 0 else reported


def consumed(unit: str, usage: Mapping[str, Any]) -> float:
    """A block's report in the unit of a price. Blocks that deliver no tiles are paid by the scene."""
    member, each = _REPORTED.get(unit, ("scenes", 1.0))
    amount = float(usage.get(member, 0)) / each
    return float(usage.get("scenes", 0)) if unit == "TILE" and not amount else amount
