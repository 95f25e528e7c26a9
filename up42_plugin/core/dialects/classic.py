"""The seam over the classic API: projects, workflows of blocks, jobs."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from up42_plugin.api.calls import path_of
from up42_plugin.api.classic.client import ClassicClient
from up42_plugin.api.classic.jobs import JobInfo
from up42_plugin.api.classic.workflows import TaskInfo
from up42_plugin.api.download import SignedDownload
from up42_plugin.api.errors import (
    AnswerError,
    NetworkError,
    NotFoundError,
    NotSentError,
    RateLimitedError,
    ServerError,
    ServiceError,
    Up42Error,
    ValidationError,
)
from up42_plugin.api.exchange import SessionFactory
from up42_plugin.api.retrying import RetryPolicy
from up42_plugin.api.tokens import TokenProvider
from up42_plugin.api.transport import NO_GOOD_ANSWER, Notice, Transport
from up42_plugin.core.configuration import CONFIG, JobConfiguration
from up42_plugin.core.context import JobContext
from up42_plugin.core.dialects import classic_mapping as mapping
from up42_plugin.core.dialects.classic_lookup import find_job
from up42_plugin.core.dialects.classic_scenes import picture_suffix, quicklook_name, scenes_of
from up42_plugin.core.estimation import Estimation
from up42_plugin.core.jobs import Job, JobCredits, JobPage, JobState, JobTask, Mode
from up42_plugin.core.scenes import Quicklook, Scene
from up42_plugin.core.service import (
    Balance,
    Capabilities,
    CompatibleBlock,
    Limits,
    Output,
    Project,
    StorageAsset,
    SubmissionRequest,
    UnsupportedError,
    Webhook,
)
from up42_plugin.core.stored_data import NO_ESTIMATION
from up42_plugin.core.tags import has_tag, split_name, tagged_name
from up42_plugin.core.workflow import Block, Workflow

BALANCE_FLOOR = 1000  # credits; below, the service refuses live jobs

CAPABILITIES = Capabilities()


class ClassicService:
    """The calls of one project, bound to one worker (``core.service.JobService``)."""

    capabilities = CAPABILITIES

    def __init__(self, client: ClassicClient) -> None:
        self._client = client
        self._workspace = ""
        self._quicklooks: Dict[str, Tuple[str, Tuple[str, ...]]] = {}

    # -- project

    def project(self) -> Project:
        info = self._client.projects.get()
        self._workspace = info.workspace_id
        return Project(info.id, info.name, info.workspace_id)

    def limits(self) -> Limits:
        return mapping.limits_of(self._client.projects.settings())

    def set_limits(self, values: Mapping[str, int]) -> Limits:
        settings = self._client.projects.settings()
        changed = self._client.projects.set_settings(mapping.setting_names(values, settings))
        return mapping.limits_of(changed)

    def balance(self) -> Balance:
        return Balance(self._client.credits.balance(), BALANCE_FLOOR)

    # -- blocks and workflows

    def blocks(self) -> Tuple[Block, ...]:
        return tuple(mapping.block_of(info) for info in self._client.blocks.list())

    def block(self, block_id: str) -> Block:
        return mapping.block_of(self._client.blocks.get(block_id))

    def compatible_blocks(self, workflow_id: str, after: str = "") -> Tuple[CompatibleBlock, ...]:
        found = self._client.workflows.compatible_blocks(workflow_id, after)
        return tuple(CompatibleBlock(info.block_id, info.name, info.version) for info in found)

    def workflows(self) -> Tuple[Workflow, ...]:
        return tuple(mapping.workflow_of(info) for info in self._client.workflows.list())

    def workflow(self, workflow_id: str) -> Workflow:
        info = self._client.workflows.get(workflow_id)
        return mapping.workflow_of(info, self._client.workflows.tasks(workflow_id))

    def create_workflow(self, name: str, description: str, block_ids: Tuple[str, ...]) -> Workflow:
        info = self._client.workflows.create(name, description)
        if not block_ids:
            return mapping.workflow_of(info)
        try:
            return mapping.workflow_of(info, self._replace_blocks(info.id, block_ids))
        except Up42Error:
            self._drop_half_made(info.id)
            raise

    def update_workflow(
        self, workflow_id: str, name: str, description: str, block_ids: Optional[Tuple[str, ...]] = None
    ) -> Workflow:
        if block_ids is not None:  # what may be refused comes first
            self._replace_blocks(workflow_id, block_ids)
        self._client.workflows.update(workflow_id, name, description)
        return self.workflow(workflow_id)

    def delete_workflow(self, workflow_id: str) -> None:
        self._client.workflows.delete(workflow_id)

    def _replace_blocks(self, workflow_id: str, block_ids: Sequence[str]) -> Tuple[TaskInfo, ...]:
        names = {block_id: self._client.blocks.get(block_id).name for block_id in dict.fromkeys(block_ids)}
        tasks = mapping.new_tasks([(block_id, names[block_id]) for block_id in block_ids])
        return self._client.workflows.replace_tasks(workflow_id, tasks)

    def _drop_half_made(self, workflow_id: str) -> None:
        with suppress(Up42Error):  # the person is told why the chain was refused; an empty workflow does no harm
            self._client.workflows.delete(workflow_id)

    def storage_assets(self) -> Tuple[StorageAsset, ...]:
        infos = self._client.assets.list()
        if not infos:
            return ()
        try:
            items = self._client.assets.items()
        except ServiceError:  # places and times are a help; assets can be chosen without
            items = ()
        return mapping.assets_of(infos, items)

    # -- jobs

    def estimate(self, configuration: JobConfiguration) -> Estimation:
        if configuration.from_storage:  # jobs with data from storage have no estimate (the service's guide to jobs)
            raise UnsupportedError(NO_ESTIMATION)
        workflow = configuration.workflow
        inputs = {task: values for task, values in configuration.inputs(Mode.LIVE).items() if task != CONFIG}
        return mapping.estimation_of(self._client.estimates.of(mapping.tasks_of(workflow), inputs), workflow)

    def submit(self, request: SubmissionRequest) -> Job:
        configuration = request.configuration
        inputs = configuration.inputs(request.mode)
        return mapping.job_of(self._client.jobs.create(configuration.workflow.id, _name(request), inputs))

    def rerun(self, job_id: str, request: SubmissionRequest) -> Job:
        """The service runs it again with its own inputs and mode; a test query does not become a live job so."""
        original = self._job_to_rerun(job_id)
        if mapping.mode_of(original) is not request.mode:
            raise ValidationError("This job cannot be run again in another mode.", f"{job_id} is {original.mode}")
        return mapping.job_of(self._client.jobs.rerun(original.workflow_id, job_id, _name(request)))

    def _job_to_rerun(self, job_id: str) -> JobInfo:
        try:
            return self._client.jobs.get(job_id)
        except (NetworkError, ServerError, RateLimitedError, AnswerError) as error:
            message, detail = error.user_message, error.detail
        raise NotSentError(message, detail)

    def find(self, tag: str, since: datetime) -> Optional[Job]:
        found = find_job(self._client.jobs.list, tag, since)
        return None if found is None else mapping.job_of(found)

    def jobs(self, page: int = 0) -> JobPage:
        """One page; the service tells neither its size nor the number of jobs, so the last page is an empty one."""
        found = tuple(mapping.job_of(info) for info in self._client.jobs.list(page))
        return JobPage(found, page, last=not found)

    def job(self, job_id: str) -> Job:
        return mapping.job_of(self._client.jobs.get(job_id))

    def tasks(self, job_id: str) -> Tuple[JobTask, ...]:
        return tuple(mapping.task_of(info) for info in self._client.jobs.tasks(job_id))

    def logs(self, job_id: str, task_id: str) -> str:
        return self._client.jobs.logs(job_id, task_id)

    def credits(self, job_id: str) -> JobCredits:
        info = self._client.jobs.credits(job_id)
        if not info.by_task_id:
            return JobCredits(info.used)
        names = {task.id: task.name for task in self._client.jobs.tasks(job_id)}
        return JobCredits(info.used, {names.get(task, task): used for task, used in info.by_task_id.items()})

    def cancel(self, job_id: str) -> None:
        self._client.jobs.cancel(job_id)

    def rename(self, job: Job, name: str) -> Job:
        """Give another name; the tag by which the job is found stays at its end."""
        tag = split_name(job.name)[1]
        return mapping.job_of(
            self._client.jobs.rename(job.workflow_id, job.id, tagged_name(name, tag) if tag else name)
        )

    # -- scenes and outputs

    def scenes(self, job_id: str) -> Tuple[Scene, ...]:
        return scenes_of(self._client.outputs.data_json(job_id, self._data_task(job_id)), job_id)

    def quicklook(self, scene: Scene) -> Optional[Quicklook]:
        """The picture of a scene, or None where the block makes none; it fills the box of the scene's feature."""
        task_id, names = self._quicklooks_of(scene.job_id)
        name = quicklook_name(names, scene.feature_id)
        if not name:
            return None
        try:
            content = self._client.outputs.quicklook(scene.job_id, task_id, name)
        except NotFoundError:
            return None
        return Quicklook(scene, content, picture_suffix(content, name), scene.bbox)

    def outputs(self, job_id: str) -> Tuple[Output, ...]:
        """The job's own output when it succeeded, then one for every task that did."""
        found = []
        if mapping.state_of(self._client.jobs.get(job_id).status) is JobState.SUCCEEDED:
            found.append(Output(job_id))
        for task in self._client.jobs.tasks(job_id):
            if mapping.state_of(task.status) is JobState.SUCCEEDED:
                found.append(Output(job_id, task.id, task.name))
        return tuple(found)

    def open_output(self, output: Output) -> SignedDownload:
        outputs = self._client.outputs
        return SignedDownload(self._client.transport, lambda: outputs.download_url(output.job_id, output.task_id))

    def _data_task(self, job_id: str) -> str:
        tasks = self._client.jobs.tasks(job_id)
        return tasks[0].id if tasks else ""

    def _quicklooks_of(self, job_id: str) -> Tuple[str, Tuple[str, ...]]:
        known = self._quicklooks.get(job_id)
        if known is None:
            task_id = self._data_task(job_id)
            names = self._client.outputs.quicklook_names(job_id, task_id) if task_id else ()
            known = self._quicklooks[job_id] = (task_id, names)
        return known

    # -- webhooks

    def webhook_events(self) -> Tuple[Mapping[str, Any], ...]:
        return tuple(
            {"name": event.name, "title": event.title, "category": event.category, "description": event.description}
            for event in self._client.webhooks.events()
        )

    def webhooks(self) -> Tuple[Webhook, ...]:
        return tuple(mapping.webhook_of(info) for info in self._client.webhooks.list(self._workspace_id()))

    def save_webhook(self, webhook: Webhook) -> Webhook:
        send = self._client.webhooks.update if webhook.id else self._client.webhooks.create
        return mapping.webhook_of(send(self._workspace_id(), mapping.webhook_info(webhook)))

    def delete_webhook(self, webhook_id: str) -> None:
        self._client.webhooks.delete(self._workspace_id(), webhook_id)

    def test_webhook(self, webhook_id: str) -> Mapping[str, Any]:
        return self._client.webhooks.test(self._workspace_id(), webhook_id)

    def _workspace_id(self) -> str:
        """Webhooks belong to the workspace: the project names it, else it is the account's own id."""
        if not self._workspace:
            self._workspace = self._client.projects.get().workspace_id or self._client.projects.account()
        return self._workspace


def _name(request: SubmissionRequest) -> str:
    """The job's name, which must carry the tag: without it a lost answer could not be settled."""
    return request.name if has_tag(request.name, request.tag) else tagged_name(request.name, request.tag)


class ClassicProvider:
    """One connection to the classic API (``core.service.ServiceProvider``); shared by all workers.

    Args:
        connection_id: keys everything remembered about the connection.
        address: the service's address, such as ``https://api.up42.com``.
        project_id: the project that jobs run in.
        tokens: the connection's tokens, shared between workers.
        sessions: makes a worker's HTTP session; may be called in any thread.
        user_agent: names the plugin and its version; empty where the sessions do.
        policy: when calls that may be repeated are repeated.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        connection_id: str,
        address: str,
        project_id: str,
        tokens: TokenProvider,
        sessions: SessionFactory,
        *,
        user_agent: str = "",
        policy: Optional[RetryPolicy] = None,
    ) -> None:
        self.connection_id = connection_id
        self.project_id = project_id
        self._address = address
        self._tokens = tokens
        self._sessions = sessions
        self._user_agent = user_agent
        self._policy = policy

    def __repr__(self) -> str:
        return f"ClassicProvider({self.connection_id!r}, project_id={self.project_id!r})"

    def submission_url(self, workflow_id: str) -> str:
        """The address that jobs of a workflow are sent to."""
        path = path_of("projects", self.project_id, "workflows", workflow_id, "jobs")
        return f"{self._address.rstrip('/')}/{path.lstrip('/')}"

    @contextmanager
    def open(self, context: JobContext, notice: Optional[Notice] = None) -> Iterator[ClassicService]:
        """The service for one worker; ``notice`` is told in a sentence before a call waits and tries again.

        Without one the worker's progress tells it, except of attempts that are repeated at once.
        """

        def progress(text: str) -> None:
            if not text.startswith(NO_GOOD_ANSWER):
                context.progress(-1, text)

        transport = Transport(
            self._address,
            self._tokens,
            self._sessions,
            context,
            user_agent=self._user_agent,
            policy=self._policy,
            notice=notice or progress,
        )
        with transport:
            yield ClassicService(ClassicClient(transport, self.project_id))
