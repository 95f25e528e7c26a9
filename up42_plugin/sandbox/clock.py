"""Wall-clock times as the service writes them, and a clock that runs at a multiple of real time."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Optional


def now() -> datetime:
    """The current time in UTC."""
    return datetime.now(timezone.utc)


def stamp(moment: Optional[datetime] = None) -> str:
    """ISO 8601 in UTC with microseconds and ``Z``; always the same width, so that text order is time order."""
    return (moment or now()).astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds_stamp(moment: datetime) -> str:
    """ISO 8601 in UTC with full seconds and ``Z``."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_stamp(text: str) -> datetime:
    """Read what :func:`stamp` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


class JobClock:
    """Counts job seconds: ``speed`` of them pass in one real second. Tokens and signed URLs do not follow it."""

    def __init__(self, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError("speed must be above 0")
        self.speed = speed

    def reading(self) -> float:
        """Job seconds on a clock with an arbitrary start."""
        return time.monotonic() * self.speed

    def real(self, job_seconds: float) -> float:
        """How many real seconds ``job_seconds`` take."""
        return job_seconds / self.speed
