"""The classic API's models made into the plugin's own."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Sequence, Tuple

from up42_plugin.api.classic.assets import AssetInfo, AssetItemInfo
from up42_plugin.api.classic.blocks import BlockInfo, PriceInfo
from up42_plugin.api.classic.estimates import Bounds, TaskEstimateInfo
from up42_plugin.api.classic.jobs import JobInfo, JobTaskInfo
from up42_plugin.api.classic.projects import MAX_AOI_KM2, MAX_CONCURRENT_JOBS, MAX_SCENES, Setting
from up42_plugin.api.classic.webhooks import WebhookInfo
from up42_plugin.api.classic.workflows import NewTask, TaskInfo, WorkflowInfo
from up42_plugin.api.errors import AnswerError
from up42_plugin.api.fields import UNREADABLE
from up42_plugin.core.estimation import Estimation, Range, TaskEstimate
from up42_plugin.core.imagery.scene_facts import acquired_span
from up42_plugin.core.jobs import Job, JobState, JobTask, Mode
from up42_plugin.core.service import Limits, StorageAsset, Webhook
from up42_plugin.core.workflow import Block, BlockType, Price, Step, Workflow

MILLISECONDS = 1000.0

_STATES: Mapping[str, JobState] = {
    "NOT_STARTED": JobState.NOT_STARTED,
    "PENDING": JobState.WAITING,
    "RUNNING": JobState.RUNNING,
    "SUCCEEDED": JobState.SUCCEEDED,
    "FAILED": JobState.FAILED,
    "ERROR": JobState.ERROR,
    "CANCELLING": JobState.CANCELLING,
    "CANCELLED": JobState.CANCELLED,
}

# the last one is what some answers call it
_LIMITS: Mapping[str, str] = {
    MAX_CONCURRENT_JOBS: "max_concurrent_jobs",
    MAX_SCENES: "max_scenes",
    MAX_AOI_KM2: "max_aoi_km2",
    "MAX_AOI_SIZE": "max_aoi_km2",
}


def state_of(word: str) -> JobState:
    """The state for the service's word, UNKNOWN for one that is new."""
    return _STATES.get(word.strip().upper().replace(" ", "_"), JobState.UNKNOWN)


def block_of(info: BlockInfo, version: str = "") -> Block:
    """A block; ``version`` is the one a workflow uses, where it differs from the newest."""
    return Block(
        id=info.id,
        name=info.name,
        title=info.title,
        type=BlockType.DATA if info.type.upper() == BlockType.DATA.value else BlockType.PROCESSING,
        version=version or info.version,
        provider=info.provider,
        description=info.description,
        parameters=info.parameters,
        capabilities=info.capabilities,
        test_query=info.dry_run,
        price=None if info.price is None else price_of(info.price),
        machine=info.machine,
    )


def price_of(info: PriceInfo) -> Price:
    """The list price; of prices by volume the first step."""
    return Price(info.credits, info.unit, info.direction)


def workflow_of(info: WorkflowInfo, tasks: Sequence[TaskInfo] = ()) -> Workflow:
    """A workflow with its steps in the order of the chain."""
    steps = tuple(Step(task.name, block_of(task.block, task.block_version)) for task in tasks)
    return Workflow(info.id, info.name, info.description, steps)


def new_tasks(blocks: Sequence[Tuple[str, str]]) -> Tuple[NewTask, ...]:
    """The tasks of a chain of blocks, given by id and name, called as the service's own console calls them.

    Tasks are named ``<block name>:<n>``, n counting the same block from 1.
    """
    counts: Dict[str, int] = {}
    tasks = []
    parent: Optional[str] = None
    for block_id, name in blocks:
        counts[name] = counts.get(name, 0) + 1
        task = NewTask(f"{name}:{counts[name]}", parent, block_id)
        tasks.append(task)
        parent = task.name
    return tuple(tasks)


def tasks_of(workflow: Workflow) -> Tuple[NewTask, ...]:
    """The workflow's steps as an estimation asks for them."""
    parents = [None, *(step.name for step in workflow.steps)]
    return tuple(
        NewTask(step.name, parent, step.block.id, step.block.version) for step, parent in zip(workflow.steps, parents)
    )


def mode_of(info: JobInfo) -> Mode:
    """Live or test, by the job's own word, else by its inputs; live where neither says."""
    word = info.mode
    config = info.inputs.get("config")
    if not word and isinstance(config, dict):
        word = str(config.get("mode", ""))
    return Mode.TEST_QUERY if word.upper() == Mode.TEST_QUERY.value else Mode.LIVE


def job_of(info: JobInfo) -> Job:
    """A job."""
    return Job(
        id=info.id,
        name=info.name,
        state=state_of(info.status),
        word=info.status,
        mode=mode_of(info),
        created=info.created,
        started=info.started,
        finished=info.finished,
        workflow_id=info.workflow_id,
        workflow_name=info.workflow_name,
        inputs=info.inputs,
    )


def task_of(info: JobTaskInfo) -> JobTask:
    """A task of a job."""
    return JobTask(
        id=info.id,
        name=info.name,
        state=state_of(info.status),
        word=info.status,
        block_name=info.block_name,
        started=info.started,
        finished=info.finished,
    )


def estimation_of(shares: Sequence[TaskEstimateInfo], workflow: Workflow) -> Estimation:
    """The whole job's price; raises ``AnswerError`` when a task has none: a price must not look lower than it is."""
    priced = {share.task for share in shares}
    for step in workflow.steps:
        if step.name not in priced:
            raise AnswerError(UNREADABLE, f"data.{step.name} is missing")
    return Estimation(tuple(_task_estimate(share) for share in shares))


def _task_estimate(share: TaskEstimateInfo) -> TaskEstimate:
    return TaskEstimate(
        task=share.task,
        block_credits=_range(share.block_credits),
        machine_credits=_range(share.machine_credits),
        seconds=Range(share.duration.minimum / MILLISECONDS, share.duration.maximum / MILLISECONDS),
        amount=_range(share.amount),
        unit=share.unit,
    )


def _range(bounds: Bounds) -> Range:
    return Range(bounds.minimum, bounds.maximum)


def limits_of(settings: Sequence[Setting]) -> Limits:
    """The project's limits with the ranges they may be set to."""
    values: Dict[str, int] = {}
    ranges: Dict[str, Tuple[int, int]] = {}
    for setting in settings:
        name = _LIMITS.get(setting.name)
        if name is None:
            continue
        values[name] = setting.value
        if setting.minimum is not None and setting.maximum is not None:
            ranges[name] = (setting.minimum, setting.maximum)
    return Limits(
        max_concurrent_jobs=values.get("max_concurrent_jobs"),
        max_scenes=values.get("max_scenes"),
        max_aoi_km2=values.get("max_aoi_km2"),
        ranges=ranges,
    )


def setting_names(values: Mapping[str, int], settings: Sequence[Setting]) -> Dict[str, int]:
    """Limits by the names the service has for them, as its own settings show."""
    names = {_LIMITS[setting.name]: setting.name for setting in settings if setting.name in _LIMITS}
    unknown = [name for name in values if name not in names]
    if unknown:
        raise AnswerError("This project has no such limit.", f"not among the project's settings: {', '.join(unknown)}")
    return {names[name]: value for name, value in values.items()}


def assets_of(infos: Sequence[AssetInfo], items: Sequence[AssetItemInfo]) -> Tuple[StorageAsset, ...]:
    """The data in storage, in the order given, with place and time from their images."""
    images: Dict[str, AssetItemInfo] = {}
    for item in items:
        images.setdefault(item.asset_id, item)
    return tuple(_asset_of(info, images.get(info.id)) for info in infos)


def _asset_of(info: AssetInfo, image: Optional[AssetItemInfo]) -> StorageAsset:
    acquired = image.acquired if image is not None else None
    if acquired is None:
        span = acquired_span({}, info.name, info.title)
        acquired = span[0] if span is not None else None
    return StorageAsset(
        id=info.id,
        name=info.name or info.title or info.id,
        created=info.created,
        size=info.size,
        title=info.title,
        producer=info.producer,
        collection=info.collection,
        acquired=acquired,
        footprint=(image.geometry or None) if image is not None else None,
        order_id=info.order_id,
        source=info.source,
    )


def webhook_of(info: WebhookInfo) -> Webhook:
    """A webhook."""
    return Webhook(info.name, info.url, info.events, info.active, info.secret, info.id)


def webhook_info(webhook: Webhook) -> WebhookInfo:
    """A webhook as it is sent."""
    return WebhookInfo(webhook.name, webhook.url, webhook.events, webhook.active, webhook.secret, webhook.id)
