"""Finding a job by its tag in the service's list."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Callable, List, Optional, Set, Tuple

from up42_plugin.api.classic.jobs import JobInfo
from up42_plugin.api.errors import AnswerError
from up42_plugin.api.fields import UNREADABLE
from up42_plugin.core.tags import has_tag

# The list is in the service's time and ``since`` in this computer's; who cannot tell how they differ asks from earlier.
CLOCK_SLACK = timedelta(hours=1)
MOST_PAGES = 200

Pages = Callable[[int], Tuple[JobInfo, ...]]


def find_job(pages: Pages, tag: str, since: datetime) -> Optional[JobInfo]:
    """The job whose name carries ``tag``, looked for newest first until jobs are older than ``since``.

    Jobs that arrive while the pages are read push others to later pages, so entries may come twice, and the one
    looked for may have come to the first page after that was read: it is read again at the end. That there is none is
    only said after a list in order was read to jobs that are too old, or any list to its end.

    Raises:
        AnswerError: the list neither ends nor gets to older jobs.
    """
    oldest = since - CLOCK_SLACK
    seen: Set[str] = set()
    times: List[datetime] = []
    for number in range(MOST_PAGES):
        jobs = pages(number)
        found = _with_tag(jobs, tag)
        if found is not None:
            return found
        times = [*times[-1:], *(job.created for job in jobs if job.id not in seen)]
        in_order = all(earlier >= later for earlier, later in zip(times, times[1:]))
        if not jobs or (in_order and jobs[-1].created < oldest):
            return _with_tag(pages(0), tag) if number else None
        if seen.issuperset(job.id for job in jobs):
            break
        seen.update(job.id for job in jobs)
    raise AnswerError(UNREADABLE, f"the list of jobs does not end, after {number + 1} pages")


def _with_tag(jobs: Tuple[JobInfo, ...], tag: str) -> Optional[JobInfo]:
    return next((job for job in jobs if has_tag(job.name, tag)), None)
