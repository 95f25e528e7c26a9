"""A run: one test query or live job of ours, from the click to the layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Optional, Tuple

from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.jobs import Job, JobState, JobTask, Mode
from up42_plugin.core.scenes import Scene


class Phase(str, Enum):
    """Where a run stands on our side. While ON_SERVICE, the job's own state tells the rest.

    WAITING is for a free slot: nothing was sent yet. PAUSED is a download that goes on when the person wants it to.
    """

    WAITING = "WAITING"
    SENDING = "SENDING"
    CHECKING = "CHECKING"
    NOT_SUBMITTED = "NOT_SUBMITTED"
    ON_SERVICE = "ON_SERVICE"
    FETCHING = "FETCHING"
    PAUSED = "PAUSED"
    LOADED = "LOADED"


WAITING_TO_DOWNLOAD = "Waiting to download"
#: How the progress of a download begins, whatever is going on with it.
_DOWNLOADS = ("Download", "Continuing a download", "The download", "The link expired", WAITING_TO_DOWNLOAD)


def is_download(message: str) -> bool:
    """Whether the progress of loading an output is that of its download: only this can be paused."""
    return message.startswith(_DOWNLOADS)


@dataclass(frozen=True)
class BatchPlace:
    """Where a run belongs: job number ``place`` (from 1) of ``places`` in the batch ``id``, called ``name``."""

    id: str
    name: str
    place: int
    places: int
    label: str = ""


@dataclass(frozen=True)
class Run:
    """One run. ``words`` are the job's status words as the service gave them, in order, without repeats.

    ``message`` says why a run was not submitted, what it waits for, or what went wrong while fetching. ``trouble`` says
    why nothing newer is known of its job; it goes away by itself. ``percent`` is negative while unknown. ``unwanted``
    when the person cancelled before it was known whether the service has it: it is cancelled there once it is found.
    ``batch`` is set for live jobs that were confirmed together, or that wait for a slot. ``resumed`` is when this
    session began, for a run that it took over from an earlier one. ``told_elsewhere`` when another window told the
    person of its end.
    """

    key: str
    name: str
    mode: Mode
    configuration: JobConfiguration
    connection_id: str
    created: datetime
    phase: Phase = Phase.SENDING
    message: str = ""
    percent: float = -1.0
    job: Optional[Job] = None
    tasks: Tuple[JobTask, ...] = ()
    words: Tuple[str, ...] = ()
    scenes: Tuple[Scene, ...] = ()
    credits_charged: Optional[int] = None
    layers: int = 0
    trouble: str = ""
    unwanted: bool = False
    batch: Optional[BatchPlace] = None
    resumed: Optional[datetime] = None
    told_elsewhere: bool = False

    def on_service(self, job: Job) -> Run:
        """The run after the service told of its job."""
        words = self.words if self.words[-1:] == (job.word,) else (*self.words, job.word)
        ours = (Phase.FETCHING, Phase.PAUSED, Phase.LOADED)
        phase = self.phase if self.phase in ours else Phase.ON_SERVICE
        # a block's output may be on its way while the job runs: that message is of the transfer
        message = self.message if self.phase in (Phase.FETCHING, Phase.PAUSED) else ""
        return replace(self, phase=phase, job=job, words=words, message=message, trouble="")

    @property
    def state(self) -> Optional[JobState]:
        """The job's state, None before the service has it."""
        return self.job.state if self.job else None

    @property
    def live(self) -> bool:
        """Whether it is a live job."""
        return self.mode is Mode.LIVE

    @property
    def succeeded(self) -> bool:
        """Whether the job succeeded on the service."""
        return self.state is JobState.SUCCEEDED

    @property
    def ended_while_closed(self) -> bool:
        """Whether its job ended before this session began."""
        if self.resumed is None or self.job is None or self.job.finished is None:
            return False
        return self.job.state.terminal and self.job.finished < self.resumed

    @property
    def busy(self) -> bool:
        """Whether something is still going on that a person may want to cancel."""
        if self.phase in (Phase.WAITING, Phase.SENDING, Phase.CHECKING, Phase.FETCHING):
            return True
        return self.phase is Phase.ON_SERVICE and self.job is not None and not self.job.state.terminal

    @property
    def failed(self) -> bool:
        """Whether it came to nothing, and could be tried again."""
        if self.phase is Phase.NOT_SUBMITTED:
            return True
        return self.state in (JobState.FAILED, JobState.ERROR, JobState.CANCELLED)

    @property
    def loadable(self) -> bool:
        """Whether there is an output to bring down."""
        return self.live and self.succeeded and self.phase in (Phase.ON_SERVICE, Phase.PAUSED, Phase.LOADED)

    @property
    def paused(self) -> bool:
        """Whether its download stopped half way, to be gone on with."""
        return self.phase is Phase.PAUSED

    @property
    def pausable(self) -> bool:
        """Whether it is being downloaded, or waits for that."""
        return self.live and self.phase is Phase.FETCHING and is_download(self.message)
