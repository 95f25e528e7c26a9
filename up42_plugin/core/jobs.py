"""Jobs and their tasks, with one enumeration of states for both dialects."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Mapping, Optional, Tuple


class Mode(str, Enum):
    """``config.mode``: a test query is free and brings metadata, a live job costs credits and brings data."""

    TEST_QUERY = "DRY_RUN"
    LIVE = "DEFAULT"


class JobState(str, Enum):
    """Where a job stands. UNKNOWN is a word of the service we do not know: shown as it came, polled on."""

    NOT_STARTED = "NOT_STARTED"
    WAITING = "WAITING"
    NEEDS_ACTION = "NEEDS_ACTION"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    ERROR = "ERROR"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"

    @property
    def terminal(self) -> bool:
        """Whether the job will not change any more."""
        return self in _TERMINAL


_TERMINAL = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.ERROR, JobState.CANCELLED})


@dataclass(frozen=True)
class Job:
    """A job as the service reports it. ``word`` is the status exactly as it came.

    ``name`` is as on the service (it ends with our tag when we made it); ``inputs`` is the JSON it runs with.
    """

    id: str
    name: str
    state: JobState
    word: str
    mode: Mode
    created: datetime
    started: Optional[datetime] = None
    finished: Optional[datetime] = None
    workflow_id: str = ""
    workflow_name: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JobTask:
    """One block's part of a job, in chain order."""

    id: str
    name: str
    state: JobState
    word: str
    block_name: str = ""
    started: Optional[datetime] = None
    finished: Optional[datetime] = None


@dataclass(frozen=True)
class JobPage:
    """One page of the service's list, newest first. ``last`` when there is nothing older."""

    jobs: Tuple[Job, ...]
    number: int
    last: bool


@dataclass(frozen=True)
class JobCredits:
    """Credits a job used, in total and by task name where the service tells."""

    used: int
    by_task: Mapping[str, int] = field(default_factory=dict)
