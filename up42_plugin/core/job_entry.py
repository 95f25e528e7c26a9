"""One row of the list of jobs: what is known of a job, whoever told it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Optional, Tuple

from up42_plugin.core.estimation import Range
from up42_plugin.core.jobs import JobState, Mode
from up42_plugin.core.run import Phase, is_download

_BEFORE_SERVICE = (Phase.WAITING, Phase.SENDING, Phase.CHECKING)
NOT_CHECKED = "NOT_CHECKED"


class OnDisk(Enum):
    """What of a job lies in the outputs folder. UNKNOWN until somebody has looked."""

    UNKNOWN = "unknown"
    NOTHING = "nothing"
    SOMETHING = "something"


@dataclass(frozen=True)
class TaskEntry:
    """One block's part of a job. ``waits_for`` is the number (from 1) of the block it stands behind, 0 when none."""

    id: str
    name: str
    title: str
    state: JobState
    word: str
    started: Optional[datetime] = None
    finished: Optional[datetime] = None
    charged: Optional[float] = None
    waits_for: int = 0

    @property
    def has_output(self) -> bool:
        """Whether it left something to be loaded."""
        return self.state is JobState.SUCCEEDED


@dataclass(frozen=True)
class JobEntry:
    """A job of the list. Credits are whole numbers in the service's eyes, times are aware.

    ``key`` stays the same while the list lives, also when a run gets its job on the service. ``job_id`` is the
    service's, empty until it has the job; ``run_key`` that of a run of this session, ``record_id`` the ledger's: both
    empty for jobs of others. ``state`` is None until the service told. ``message`` says why, ``trouble`` why nothing
    newer is known. ``tasks`` are None until they were read, and ``tasks_trouble`` says why they
    could not be. ``queue_position`` counts from 1 while the job waits for a
    slot on our side. ``usage`` is what its output tells of what it used. ``while_closed`` when it ended before QGIS was
    started.
    """

    key: str
    connection_id: str
    name: str
    mode: Mode
    created: datetime
    phase: Phase = Phase.ON_SERVICE
    state: Optional[JobState] = None
    word: str = ""
    started: Optional[datetime] = None
    finished: Optional[datetime] = None
    job_id: str = ""
    run_key: str = ""
    record_id: str = ""
    workflow: str = ""
    workflow_id: str = ""
    area_km2: Optional[float] = None
    message: str = ""
    trouble: str = ""
    percent: float = -1.0
    unwanted: bool = False
    tasks: Optional[Tuple[TaskEntry, ...]] = None
    tasks_trouble: str = ""
    scenes: Optional[int] = None
    estimated: Optional[Range] = None
    charged: Optional[float] = None
    layers: int = 0
    on_disk: OnDisk = OnDisk.UNKNOWN
    usage: str = ""
    queue_position: Optional[int] = None
    while_closed: bool = False
    search_text: str = field(default="", compare=False, repr=False)
    """Everything a search finds it by, in lower case."""

    def __post_init__(self) -> None:
        told = (self.name, self.workflow, self.job_id, self.word.replace("_", " "), self.message)
        object.__setattr__(self, "search_text", "\n".join(told).lower())

    @property
    def live(self) -> bool:
        """Whether it is a live job."""
        return self.mode is Mode.LIVE

    @property
    def when(self) -> datetime:
        """When it began, or was made."""
        return self.started or self.created

    @property
    def status(self) -> str:
        """A word to tell states apart by: ours while only we know of it, else the service's as it came."""
        if self.not_submitted or self.before_service:
            return self.phase.value
        return self.word if self.state is not None else NOT_CHECKED

    @property
    def succeeded(self) -> bool:
        """Whether the service is done with it, well."""
        return self.state is JobState.SUCCEEDED

    @property
    def failed(self) -> bool:
        """Whether the service is done with it, badly."""
        return self.state in (JobState.FAILED, JobState.ERROR)

    @property
    def fetching(self) -> bool:
        """Whether its output is on its way."""
        return self.phase is Phase.FETCHING

    @property
    def downloading(self) -> bool:
        """Whether it is being downloaded, or waits for that: this can be paused."""
        return self.live and self.fetching and is_download(self.message)

    @property
    def paused(self) -> bool:
        """Whether its download stopped half way, in this session or an earlier one."""
        return self.phase is Phase.PAUSED

    @property
    def not_submitted(self) -> bool:
        """Whether the service never got it."""
        return self.phase is Phase.NOT_SUBMITTED

    @property
    def before_service(self) -> bool:
        """Whether it is on its way to the service, or waits to be sent."""
        return self.phase in _BEFORE_SERVICE

    @property
    def running(self) -> bool:
        """Whether it has been begun, here or on the service, and has not ended."""
        if self.before_service:
            return True
        return not self.not_submitted and self.state is not None and not self.state.terminal

    @property
    def held(self) -> Optional[float]:
        """Credits held for it now: the least it may cost, from its start to its end."""
        return self.blocked if self.running and self.job_id else None

    @property
    def cancelling(self) -> bool:
        """Whether it was told to stop, and has not ended yet."""
        asked = self.message.startswith("Cancelling") and self.phase is Phase.ON_SERVICE
        return self.running and (asked or self.state is JobState.CANCELLING)

    @property
    def blocked(self) -> Optional[float]:
        """Credits held at its start; None when that is not known, as for a job without estimation."""
        known = self.live and self.estimated is not None and self.estimated.minimum > 0
        return self.estimated.minimum if known and self.estimated is not None else None

    @property
    def returned(self) -> Optional[float]:
        """Credits held at its start that it did not cost, once it has ended and both are known."""
        if self.running or self.charged is None or self.blocked is None:
            return None
        return max(0.0, self.blocked - self.charged)

    @property
    def block(self) -> Tuple[int, int]:
        """The number of the block that is at work and of all blocks; (0, 0) while the blocks are not known."""
        if not self.tasks:
            return 0, 0
        done = sum(task.state is JobState.SUCCEEDED for task in self.tasks)
        return min(done + 1, len(self.tasks)), len(self.tasks)

    def seconds(self, now: datetime) -> Optional[float]:
        """How long it has run, None before it began."""
        if self.started is None:
            return None
        end = self.finished or (now if self.running else None)
        return None if end is None else max(0.0, (end - self.started).total_seconds())
