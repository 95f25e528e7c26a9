"""Workflows, their tasks and the blocks that fit into them."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from up42_plugin.sandbox.capabilities import (
    Capabilities,
    Link,
    candidates_behind,
    check_chain,
    fits_behind,
    resolved_output,
)
from up42_plugin.sandbox.catalogue import Block
from up42_plugin.sandbox.messages import ApiError, Request, Response, no_content, wrapped
from up42_plugin.sandbox.records.workflows import NewTask, Workflow
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import Access
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.views import workflow_task_view, workflow_view

_LONGEST_NAME = 100


class WorkflowRoutes:
    """Keeps workflows."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    def list(self, request: Request) -> Response:
        """``GET …/workflows``."""
        project = self._access.project(request)
        return wrapped([self._view(workflow) for workflow in self._services.workflows.list(project.id)])

    def create(self, request: Request) -> Response:
        """``POST …/workflows``; tasks may come along."""
        project = self._access.project(request)
        body = request.json_object()
        name, description = _name(body), _description(body)
        auditor = request.caller.auditor
        tasks = self._checked_tasks(body.get("tasks") or [])
        with self._services.store.transaction():
            workflow = self._services.workflows.add(project.id, name, description, auditor)
            if tasks:
                self._services.workflows.replace_tasks(workflow.id, tasks, auditor)
        return wrapped(self._view(workflow))

    def get(self, request: Request) -> Response:
        """``GET …/workflows/{workflow}``."""
        return wrapped(self._view(self._access.workflow(request)))

    def update(self, request: Request) -> Response:
        """``PUT …/workflows/{workflow}``; a member that is null or left out stays as it is."""
        workflow = self._access.workflow(request)
        body = request.json_object()
        name = workflow.name if body.get("name") is None else _name(body)
        description = workflow.description if body.get("description") is None else _description(body)
        self._services.workflows.update(workflow.id, name, description, request.caller.auditor)
        return wrapped(self._view(self._access.workflow(request)))

    def delete(self, request: Request) -> Response:
        """``DELETE …/workflows/{workflow}``; its jobs stay readable."""
        self._services.workflows.delete(self._access.workflow(request).id)
        return no_content()

    def credits(self, request: Request) -> Response:
        """``GET …/workflows/{workflow}/credits``."""
        workflow = self._access.workflow(request)
        return wrapped({"creditsSpent": self._services.credits.of_workflow(workflow.id)})

    def tasks(self, request: Request) -> Response:
        """``GET …/workflows/{workflow}/tasks``."""
        return self._tasks(self._access.workflow(request))

    def replace_tasks(self, request: Request) -> Response:
        """``POST …/workflows/{workflow}/tasks``: the whole chain anew."""
        workflow = self._access.workflow(request)
        tasks = self._checked_tasks(request.json())
        self._services.workflows.replace_tasks(workflow.id, tasks, request.caller.auditor)
        return self._tasks(workflow)

    def compatible_blocks(self, request: Request) -> Response:
        """``GET …/compatible-blocks``: what fits behind, before or between tasks; with neither, data blocks."""
        workflow = self._access.workflow(request)
        links = self._access.links(self._services.workflows.tasks(workflow.id))
        parent, children = request.argument("parentTaskName"), request.query.get("childTaskName", [])
        known = {link.name: link for link in links}
        unknown = [name for name in [parent, *children] if name is not None and name not in known]
        if unknown:
            raise ApiError(422, f"Workflow does not contain tasks: {', '.join(unknown)}")
        blocks = self._fitting(links, parent, [known[name] for name in children])
        views = [{"blockId": block.id, "name": block.name, "versionTag": block.version} for block in blocks]
        return wrapped({"blocks": views})

    def _fitting(self, links: Sequence[Link], parent: Optional[str], children: Sequence[Link]) -> Sequence[Block]:
        if parent is None:
            before: Capabilities = {}
            candidates = [block for block in self._services.catalogue.blocks if block.is_data]
        else:
            before = _outputs(links)[parent]
            candidates = candidates_behind(self._services.catalogue, before)
        return [
            block
            for block in candidates
            if all(fits_behind(child.block, resolved_output(block, before)) for child in children)
        ]

    def _tasks(self, workflow: Workflow) -> Response:
        tasks = self._services.workflows.tasks(workflow.id)
        return wrapped([workflow_task_view(task, self._access.block(task.block_id)) for task in tasks])

    def _view(self, workflow: Workflow) -> Dict[str, Any]:
        return workflow_view(workflow, self._services.jobs.processing_seconds(workflow.id))

    def _checked_tasks(self, body: Any) -> List[NewTask]:
        if not isinstance(body, list) or not all(isinstance(entry, dict) for entry in body):
            raise ApiError(400, "Required request body is missing: a list of tasks is expected")
        tasks: List[NewTask] = []
        for number, entry in enumerate(body):
            tasks.append(_new_task(number, entry, [task.name for task in tasks]))
        self._check_chain(tasks)
        return tasks

    def _check_chain(self, tasks: Sequence[NewTask]) -> None:
        check = check_chain([Link(task.name, self._access.block(task.block_id), task.parent) for task in tasks])
        if check.valid:
            return
        mismatches = [
            {"workflowTaskName": name, "missingInputCapabilities": list(gaps)} for name, gaps in check.missing.items()
        ]
        raise ApiError(
            422,
            "Workflow cannot be saved because it contains errors.",
            extra={"invalidTaskNames": list(check.invalid), "capabilityMismatches": mismatches},
        )


def _outputs(links: Sequence[Link]) -> Dict[str, Capabilities]:
    outputs: Dict[str, Capabilities] = {}
    for link in links:
        outputs[link.name] = resolved_output(link.block, outputs.get(link.parent or "", {}))
    return outputs


def _name(body: Dict[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise ApiError(400, 'Field "name" must not be empty')
    if len(name) > _LONGEST_NAME:
        raise ApiError(400, f'Field "name" must not be longer than {_LONGEST_NAME} characters')
    return name


def _description(body: Dict[str, Any]) -> str:
    description = body.get("description")
    if description is not None and not isinstance(description, str):
        raise ApiError(400, 'Field "description" must be a string')
    return description or ""


def _new_task(number: int, entry: Dict[str, Any], before: Sequence[str]) -> NewTask:
    name, parent, block_id = entry.get("name"), entry.get("parentName"), entry.get("blockId")
    if not isinstance(name, str) or not name or len(name) > _LONGEST_NAME:
        raise ApiError(400, f'Field "list[{number}].name" must have 1 to {_LONGEST_NAME} characters')
    if name in before:
        raise ApiError(400, f'Field "list[{number}].name" must be unique, got {name} twice')
    if not isinstance(block_id, str):
        raise ApiError(400, f'Field "list[{number}].blockId" must not be null')
    if parent is not None and parent not in before:
        raise ApiError(400, f'Field "list[{number}].parentName" names no task before it: {parent}')
    return NewTask(name, parent, block_id)


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    area = WorkflowRoutes(services)
    base = "/projects/{project}/workflows"
    return [
        Route("GET", base, area.list),
        Route("POST", base, area.create),
        Route("GET", base + "/{workflow}", area.get),
        Route("PUT", base + "/{workflow}", area.update),
        Route("DELETE", base + "/{workflow}", area.delete),
        Route("GET", base + "/{workflow}/credits", area.credits),
        Route("GET", base + "/{workflow}/tasks", area.tasks),
        Route("POST", base + "/{workflow}/tasks", area.replace_tasks),
        Route("GET", base + "/{workflow}/compatible-blocks", area.compatible_blocks),
    ]
