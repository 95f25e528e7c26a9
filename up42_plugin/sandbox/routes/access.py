"""What a caller may see: lookups that answer 404 as the service does."""

from __future__ import annotations

from typing import List

from up42_plugin.sandbox.capabilities import Link
from up42_plugin.sandbox.catalogue import Block
from up42_plugin.sandbox.messages import ApiError, Request
from up42_plugin.sandbox.records.accounts import Account, Project
from up42_plugin.sandbox.records.jobs import Job, JobTask
from up42_plugin.sandbox.records.workflows import Workflow, WorkflowTask
from up42_plugin.sandbox.services import Services

NOT_FOUND = "RESOURCE_NOT_FOUND"


class Access:
    """Finds what a request names, if its caller may see it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def account(self, request: Request) -> Account:
        """The caller's account."""
        return self._services.accounts.account(request.caller.account_id)

    def project(self, request: Request) -> Project:
        """The project in the path; a key sees its own project only."""
        project_id = request.parameters["project"]
        caller = request.caller
        project = self._services.accounts.project(project_id)
        if project is None or project.account_id != caller.account_id or caller.project_id not in (None, project_id):
            raise ApiError(404, f"Project not found with id '{project_id}'", NOT_FOUND)
        return project

    def workflow(self, request: Request) -> Workflow:
        """The workflow in the path."""
        project = self.project(request)
        workflow_id = request.parameters["workflow"]
        workflow = self._services.workflows.get(project.id, workflow_id)
        if workflow is None:
            where = f"for id {workflow_id} and projectId {project.id} and userId {request.caller.user_id}"
            raise ApiError(404, f"Workflow not found {where}", NOT_FOUND)
        return workflow

    def job(self, request: Request) -> Job:
        """The job in the path."""
        project = self.project(request)
        job_id = request.parameters["job"]
        job = self._services.jobs.get(job_id)
        if job is None or job.project_id != project.id:
            where = f"for id {job_id} and projectId {project.id} and userId {request.caller.user_id}"
            raise ApiError(404, f"Job not found {where}")
        return job

    def job_task(self, request: Request, job: Job) -> JobTask:
        """The job task in the path."""
        task_id = request.parameters["task"]
        for task in self._services.jobs.tasks(job.id):
            if task.id == task_id:
                return task
        raise ApiError(404, f"Job task not found for id {task_id} and jobId {job.id}", NOT_FOUND)

    def block(self, block_id: str) -> Block:
        """The block with this id."""
        block = self._services.catalogue.get(block_id)
        if block is None:
            raise ApiError(404, f"Block not found with id {block_id}")
        return block

    def workspace_id(self, request: Request) -> str:
        """The workspace in the path, if it is the caller's."""
        wanted = request.parameters["workspace"]
        if wanted != self.account(request).workspace_id:
            raise ApiError(404, f"Workspace not found with id {wanted}", NOT_FOUND)
        return wanted

    def links(self, tasks: List[WorkflowTask]) -> List[Link]:
        """A workflow's tasks as a chain of blocks."""
        names = {task.id: task.name for task in tasks}
        return [Link(task.name, self.block(task.block_id), names.get(task.parent_id or "")) for task in tasks]
