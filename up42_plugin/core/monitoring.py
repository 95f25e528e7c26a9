"""Looking after running jobs with as few requests as possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Dict, Tuple

from up42_plugin.api.errors import NotFoundError
from up42_plugin.core.jobs import Job, JobTask
from up42_plugin.core.service import JobService

_MOST_PAGES = 3


@dataclass(frozen=True)
class Pace:
    """How often to ask, in seconds: at once after a change ``fastest``, then slower up to ``slowest``."""

    fastest: float
    slowest: float

    def slower(self, interval: float) -> float:
        """The next interval when nothing changed."""
        return min(max(interval * 1.5, self.fastest), self.slowest)


@dataclass(frozen=True)
class Look:
    """What one look at the service showed. ``gone`` are jobs that the service no longer knows.

    ``listed`` are all jobs of the pages that were read, wanted or not.
    """

    jobs: Tuple[Job, ...]
    tasks: Dict[str, Tuple[JobTask, ...]]
    gone: Tuple[str, ...] = ()
    listed: Tuple[Job, ...] = ()


def look(service: JobService, wanted: AbstractSet[str], opened: AbstractSet[str]) -> Look:
    """Find the ``wanted`` jobs in the service's list, newest first, and the tasks of those that are ``opened``.

    One list request in the usual case: paging stops when all wanted jobs are seen. What the first pages do not show is
    asked for by its id, so that an old or vanished job does not make every look read the whole history.
    """
    seen: Dict[str, Job] = {}
    listed: Dict[str, Job] = {}
    for page in range(_MOST_PAGES):
        if len(seen) == len(wanted):
            break
        answer = service.jobs(page)
        listed.update({job.id: job for job in answer.jobs})
        seen.update({job.id: job for job in answer.jobs if job.id in wanted})
        if answer.last:
            break
    gone = []
    for job_id in sorted(wanted - set(seen)):
        try:
            seen[job_id] = service.job(job_id)
        except NotFoundError:
            gone.append(job_id)
    tasks = {job_id: service.tasks(job_id) for job_id in sorted(opened) if job_id in seen}
    return Look(tuple(seen.values()), tasks, tuple(gone), tuple(listed.values()))
