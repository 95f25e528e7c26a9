"""What is to be known of a job that has ended: what it cost and, when it failed, why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Optional

from up42_plugin.api.errors import Cancelled, Up42Error
from up42_plugin.core.failure_reason import failure_reason
from up42_plugin.core.jobs import Job, JobState, Mode
from up42_plugin.core.service import JobService

_FAILED = (JobState.FAILED, JobState.ERROR)


@dataclass(frozen=True)
class Aftermath:
    """``charged`` are credits, None when not known or nothing to be known; ``reason`` is empty unless it failed."""

    charged: Optional[int] = None
    reason: str = ""


def aftermath(service: JobService, job: Job, titles: Mapping[str, str]) -> Aftermath:
    """Read what can be read; ``titles`` are the blocks' titles by task name. Raises ``Cancelled`` only."""
    return Aftermath(_charged(service, job), _reason(service, job, titles) if job.state in _FAILED else "")


def _charged(service: JobService, job: Job) -> Optional[int]:
    """Credits charged; test queries are free, so nobody is asked."""
    if job.mode is not Mode.LIVE:
        return None
    try:
        return service.credits(job.id).used
    except Cancelled:
        raise
    except Up42Error:
        return None


def _reason(service: JobService, job: Job, titles: Mapping[str, str]) -> str:
    try:
        failed = next((task for task in service.tasks(job.id) if task.state in _FAILED), None)
        if failed is None:
            return "Failed."
        title = titles.get(failed.name, failed.name)
    except Cancelled:
        raise
    except Up42Error:
        return "Failed."
    try:
        return failure_reason(service.logs(job.id, failed.id), title)
    except Cancelled:
        raise
    except Up42Error:
        return failure_reason("", title)
