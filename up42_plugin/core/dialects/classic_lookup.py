"""Finding a job by its tag in the service's list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Callable, Optional, Set, Tuple

from up42_plugin.api.classic.jobs import JobInfo
from up42_plugin.core.tags import has_tag

# The list is in the service's time and ``since`` in this computer's; who cannot tell how they differ asks from earlier.
CLOCK_SLACK = timedelta(hours=1)
MOST_PAGES = 200

Pages = Callable[[int], Tuple[JobInfo, ...]]


def find_job(pages: Pages, tag: str, since: datetime) -> Optional[JobInfo]:
    """The job whose name carries ``tag``, looked for newest first until jobs are older than ``since``.

    Jobs that arrive while the pages are read push others to later pages, so entries may come twice, and the one
    looked for may have come to the first page after that was read: it is read again at the end.
    """
    oldest = since - CLOCK_SLACK
    seen: Set[str] = set()
    for number in range(MOST_PAGES):
        jobs = pages(number)
        found = _with_tag(jobs, tag)
        if found is not None:
            return found
        fresh = {job.id for job in jobs} - seen
        if not fresh or min(job.created for job in jobs) < oldest:
            break
        seen |= fresh
    return _with_tag(pages(0), tag) if number else None


def _with_tag(jobs: Tuple[JobInfo, ...], tag: str) -> Optional[JobInfo]:
    return next((job for job in jobs if has_tag(job.name, tag)), None)
