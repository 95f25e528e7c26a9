"""How many jobs a project runs at once, and which ones take its slots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Callable, FrozenSet, Optional, Sequence, Tuple

from up42_plugin.core.jobs import Job
from up42_plugin.core.service import JobService
from up42_plugin.core.tags import has_tag

_MOST_PAGES = 3


@dataclass(frozen=True)
class Listing:
    """The service's newest jobs, asked for at ``asked`` (UTC), and how many it runs at once: None for no limit."""

    asked: datetime
    jobs: Tuple[Job, ...]
    most: Optional[int]

    @property
    def unfinished(self) -> Tuple[Job, ...]:
        """The jobs that take a slot."""
        return tuple(job for job in self.jobs if not job.state.terminal)

    @property
    def job_ids(self) -> FrozenSet[str]:
        """The ids of all listed jobs."""
        return frozenset(job.id for job in self.jobs)

    def has(self, tag: str) -> bool:
        """Whether a listed job carries the tag."""
        return any(has_tag(job.name, tag) for job in self.jobs)


def read_listing(service: JobService, now: Callable[[], datetime]) -> Listing:
    """Ask the service for its newest jobs and its limit. An unfinished job older than some 300 others is not seen."""
    asked, most = now(), service.limits().max_concurrent_jobs
    jobs: Tuple[Job, ...] = ()
    for number in range(_MOST_PAGES):
        page = service.jobs(number)
        jobs += page.jobs
        if page.last:
            break
    return Listing(asked, jobs, most)


def all_taken(names: Sequence[str], most: Optional[int]) -> str:
    """The sentence that says that every slot is taken by the jobs of these names; empty while one is free."""
    if most is None or len(names) < most:
        return ""
    if most == 1:
        return f"This project runs 1 job at a time; {names[0]} is running."
    return f"This project runs {most} jobs at a time; {len(names)} are running."
