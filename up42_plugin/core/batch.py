"""A batch: one configuration for each of several areas, everything else the same."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Dict, List, Optional, Sequence, Tuple

from up42_plugin.api.errors import Cancelled, Up42Error
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Estimation, Range
from up42_plugin.core.job_areas import JobArea
from up42_plugin.core.jobs import Mode
from up42_plugin.core.service import Limits, ServiceProvider
from up42_plugin.core.validation import Problem, validate

#: More would be hours of waiting, and hundreds of questions at each change in the form.
MOST_JOBS = 50
NAME_LIMIT = 90  # characters; a tag follows
_ASKED_AT_ONCE = 4


@dataclass(frozen=True)
class BatchJob:
    """One job of a batch, or the only one: then without ``label``."""

    label: str
    configuration: JobConfiguration


@dataclass(frozen=True)
class Batch:
    """Two or more jobs that are tested, priced and confirmed together, and run each by itself."""

    jobs: Tuple[BatchJob, ...]

    @classmethod
    def of(cls, configuration: JobConfiguration, areas: Sequence[JobArea]) -> Batch:
        """The configuration once for each area, whatever its own area is."""
        return cls(tuple(BatchJob(area.label, configuration.with_aoi(area.aoi)) for area in areas))

    @cached_property
    def fingerprint(self) -> str:
        """Equal for batches that ask for the same things in the same order."""
        return hashlib.sha256(" ".join(job.configuration.fingerprint for job in self.jobs).encode()).hexdigest()

    @property
    def area_km2(self) -> float:
        """The areas' sizes added up."""
        return sum(job.configuration.aoi.area_km2 for job in self.jobs if job.configuration.aoi is not None)


def job_name(name: str, label: str) -> str:
    """``Taormina 2 of 3`` or ``Taormina, north field``: the label is never cut, for it tells the jobs apart."""
    if not label:
        return name
    joint = " " if label[:1].isdigit() else ", "
    return f"{name[: max(1, NAME_LIMIT - len(joint) - len(label))].rstrip()}{joint}{label}"


def batch_problems(batch: Batch, limits: Limits, mode: Mode) -> Tuple[Problem, ...]:
    """Everything wrong with a batch. What is wrong with some areas only names them."""
    if len(batch.jobs) > MOST_JOBS:
        return (Problem("", "", f"{len(batch.jobs):,} areas; at most {MOST_JOBS} jobs are run at once."),)
    found: Dict[Problem, List[str]] = {}
    for job in batch.jobs:
        for problem in validate(job.configuration, limits, mode):
            found.setdefault(problem, []).append(job.label)
    return tuple(_named(problem, labels, len(batch.jobs)) for problem, labels in found.items())


def estimate_each(provider: ServiceProvider, jobs: Sequence[BatchJob], context: JobContext) -> Tuple[Estimation, ...]:
    """Every job's estimation, some asked for at the same time. Blocks; for workers only.

    Raises what the service raised for the first job that has none, its label before the reason.
    """
    stopped: List[BaseException] = []

    def ask(job: BatchJob) -> Optional[Estimation]:
        if stopped:
            return None
        context.check()
        try:
            with provider.open(context) as service:
                return service.estimate(job.configuration)
        except BaseException as error:
            stopped.append(error)
            if isinstance(error, Cancelled) or not isinstance(error, Up42Error) or not job.label:
                raise
            raise Up42Error(f"{job.label}: {error.user_message}", error.detail) from error

    if len(jobs) == 1:
        found = [ask(jobs[0])]
    else:
        with ThreadPoolExecutor(min(_ASKED_AT_ONCE, len(jobs))) as threads:
            # every thread is waited for, and then the first error is raised
            asked = [threads.submit(ask, job) for job in jobs]
        found = [future.result() for future in asked]
    return tuple(estimation for estimation in found if estimation is not None)


def shares(most: Range, number: int) -> Tuple[Range, ...]:
    """A price for all of them together, divided evenly."""
    return (Range(most.minimum / number, most.maximum / number),) * number


def _named(problem: Problem, labels: Sequence[str], number: int) -> Problem:
    if len(labels) == number:
        return problem
    others = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
    return replace(problem, message=f"{labels[0]}{others}: {problem.message}")
