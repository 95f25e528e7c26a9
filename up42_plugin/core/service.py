"""The seam: what the rest of the plugin knows of the service, whichever dialect it speaks.

Everything here blocks and is called by workers only. A worker opens the service of a connection with its own
context, so that cancelling wakes whatever the call is waiting for::

    with provider.open(context) as service:
        service.estimate(configuration)

Every call may raise the errors of :mod:`up42_plugin.api.errors`. Both dialects implement :class:`JobService`; what a
dialect lacks it says in :class:`Capabilities`, and the call raises :class:`UnsupportedError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ContextManager, Mapping, Optional, Protocol, Tuple

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.configuration import JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.estimation import Estimation
from up42_plugin.core.jobs import Job, JobCredits, JobPage, JobTask, Mode
from up42_plugin.core.scenes import Quicklook, Scene
from up42_plugin.core.workflow import Block, Workflow


class UnsupportedError(Up42Error):
    """The dialect of this connection has no such call."""


@dataclass(frozen=True)
class Capabilities:
    """What a dialect offers; the interface hides the rest."""

    workflows_on_service: bool = True
    test_queries_on_service: bool = True
    rename_job: bool = True
    cancel_job: bool = True
    logs: bool = True
    task_outputs: bool = True
    change_limits: bool = True
    webhooks: bool = True
    polygon_holes: bool = True
    storage_assets: bool = True
    max_vertices: Optional[int] = None


@dataclass(frozen=True)
class Project:
    """The project (classic) or workspace (platform) of the connection."""

    id: str
    name: str
    workspace_id: str = ""


@dataclass(frozen=True)
class Limits:
    """The project's settings with their allowed ranges; None where the service names no limit.

    ``ranges`` maps the names of the members here to the least and the greatest value that ``set_limits`` takes.
    """

    max_concurrent_jobs: Optional[int] = None
    max_scenes: Optional[int] = None
    max_aoi_km2: Optional[float] = None
    ranges: Mapping[str, Tuple[int, int]] = ()  # type: ignore[assignment]
    min_aoi_km2: float = 0.1


@dataclass(frozen=True)
class Balance:
    """Credits left. ``floor`` is the balance under which the service refuses live jobs, 0 where there is none."""

    credits: int
    floor: int = 0


@dataclass(frozen=True)
class CompatibleBlock:
    """A block the service accepts at the asked place of a workflow."""

    block_id: str
    name: str
    version: str = ""


@dataclass(frozen=True)
class StorageAsset:
    """Data of the account that a "from storage" block can work on; what is not known is None or empty.

    ``size`` is in bytes. ``collection`` is the product's family by the service's word (``phr``). ``footprint`` is a
    GeoJSON geometry in EPSG:4326.
    """

    id: str
    name: str
    created: Optional[datetime] = None
    size: Optional[int] = None
    title: str = ""
    producer: str = ""
    collection: str = ""
    acquired: Optional[datetime] = None
    footprint: Optional[Mapping[str, Any]] = None
    order_id: str = ""
    source: str = ""


@dataclass(frozen=True)
class SubmissionRequest:
    """One request to run something. Sent once; ``name`` already carries the ``tag``.

    ``step`` and ``previous`` matter to dialects that run a workflow as a chain of submissions: the index of the step,
    and the id of the job that made its input.
    """

    configuration: JobConfiguration
    mode: Mode
    tag: str
    name: str
    step: int = 0
    previous: str = ""


@dataclass(frozen=True)
class Output:
    """What a job or one job task left behind. ``task_id`` is empty for the job's own (final) output."""

    job_id: str
    task_id: str = ""
    task_name: str = ""


class ByteStream(Protocol):
    """An open download. ``offset`` is where it really starts: 0 when the server ignored the range."""

    offset: int
    total: Optional[int]
    etag: str
    checksums: Mapping[str, str]

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, as many as have come; ``b""`` at the end.

        Raises ``NetworkError`` when the connection is cut; everything that came before has been given out then.
        """

    def interrupt(self) -> None:
        """Cut the connection, from any thread: a blocked :meth:`read` raises ``NetworkError``."""

    def close(self) -> None:
        """Release the connection."""


class ByteSource(Protocol):
    """A download that can be opened again; renews its signed URL by itself when it has expired."""

    def open(self, offset: int = 0, etag: str = "") -> ByteStream:
        """Open from ``offset``; with ``etag``, start over (offset 0) when the content has changed."""


class JobService(Protocol):
    """The calls of one connection, bound to one worker."""

    capabilities: Capabilities

    def project(self) -> Project: ...

    def limits(self) -> Limits: ...

    def set_limits(self, values: Mapping[str, int]) -> Limits: ...

    def balance(self) -> Balance: ...

    def blocks(self) -> Tuple[Block, ...]: ...

    def block(self, block_id: str) -> Block: ...

    def compatible_blocks(self, workflow_id: str, after: str = "") -> Tuple[CompatibleBlock, ...]: ...

    def workflows(self) -> Tuple[Workflow, ...]: ...

    def workflow(self, workflow_id: str) -> Workflow: ...

    def create_workflow(self, name: str, description: str, block_ids: Tuple[str, ...]) -> Workflow: ...

    def update_workflow(
        self, workflow_id: str, name: str, description: str, block_ids: Optional[Tuple[str, ...]] = None
    ) -> Workflow: ...

    def delete_workflow(self, workflow_id: str) -> None: ...

    def storage_assets(self) -> Tuple[StorageAsset, ...]:
        """The data in storage, newest first."""

    def estimate(self, configuration: JobConfiguration) -> Estimation:
        """The price; raises ``UnsupportedError`` without asking where there is none (data from storage)."""

    def submit(self, request: SubmissionRequest) -> Job:
        """Send once. Raises ``NotSentError`` (never left), ``OutcomeUnknownError`` (look it up) or a refusal."""

    def rerun(self, job_id: str, request: SubmissionRequest) -> Job:
        """Run an existing job again as a new one; the same single-shot rules as :meth:`submit`."""

    def find(self, tag: str, since: datetime) -> Optional[Job]:
        """The job whose name carries ``tag``, among those created at or after ``since`` (UTC), or None."""

    def jobs(self, page: int = 0) -> JobPage: ...

    def job(self, job_id: str) -> Job: ...

    def tasks(self, job_id: str) -> Tuple[JobTask, ...]: ...

    def logs(self, job_id: str, task_id: str) -> str: ...

    def credits(self, job_id: str) -> JobCredits: ...

    def cancel(self, job_id: str) -> None: ...

    def rename(self, job: Job, name: str) -> Job: ...

    def scenes(self, job_id: str) -> Tuple[Scene, ...]: ...

    def quicklook(self, scene: Scene) -> Optional[Quicklook]: ...

    def outputs(self, job_id: str) -> Tuple[Output, ...]: ...

    def open_output(self, output: Output) -> ByteSource: ...

    def webhook_events(self) -> Tuple[Mapping[str, Any], ...]: ...

    def webhooks(self) -> Tuple[Webhook, ...]: ...

    def save_webhook(self, webhook: Webhook) -> Webhook: ...

    def delete_webhook(self, webhook_id: str) -> None: ...

    def test_webhook(self, webhook_id: str) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Webhook:
    """A notification the service sends to ``url`` on ``events``; an empty ``id`` is one to be created."""

    name: str
    url: str
    events: Tuple[str, ...]
    active: bool = False
    secret: Optional[str] = None
    id: str = ""

    def __repr__(self) -> str:
        return f"Webhook(id={self.id!r}, name={self.name!r}, url={self.url!r}, events={self.events!r})"


class ServiceProvider(Protocol):
    """One connection's way to the service: knows address and credentials, shares the token between workers."""

    connection_id: str
    capabilities: Capabilities

    def open(self, context: JobContext) -> ContextManager[JobService]:
        """The service bound to a worker's context, with a session of its own; closed at the end of ``with``."""

    def submission_url(self, workflow_id: str) -> str:
        """The address that jobs of a workflow are sent to, for people who want to send one themselves."""
