"""Jobs: estimate, create, list, rename, run again, cancel; their tasks and logs."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from up42_plugin.sandbox.capabilities import Link
from up42_plugin.sandbox.estimate import Estimate
from up42_plugin.sandbox.messages import ApiError, Request, Response, no_content, wrapped
from up42_plugin.sandbox.records.jobs import SORT_COLUMNS, Job
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import Access
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.stored import assets_named
from up42_plugin.sandbox.submission import NO_ESTIMATION, JobOrder, Submission
from up42_plugin.sandbox.views import job_task_view, job_view

_TEXT = "text/plain;charset=UTF-8"
# Far past the end of any list, and still a number the store can count with.
_LAST_PAGE = 10**12


class JobRoutes:
    """Takes jobs in and tells of them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)
        self._submission = Submission(services)

    def create(self, request: Request) -> Response:
        """``POST …/workflows/{workflow}/jobs?name=``: makes a job and starts it."""
        project, workflow = self._access.project(request), self._access.workflow(request)
        links = self._access.links(self._services.workflows.tasks(workflow.id))
        order = JobOrder(project, workflow, links, request.json_object(), request.argument("name"))
        return wrapped(job_view(self._submission.submit(order, request.caller)))

    def run_again(self, request: Request) -> Response:
        """``POST …/workflows/{workflow}/jobs/{job}?name=``: the same inputs and mode as a new job."""
        project, workflow = self._access.project(request), self._access.workflow(request)
        old = self._job_of_workflow(request, workflow.id)
        links = self._access.links(self._services.workflows.tasks(workflow.id))
        order = JobOrder(project, workflow, links, old.inputs, request.argument("name") or old.name)
        return wrapped(job_view(self._submission.submit(order, request.caller)))

    def rename(self, request: Request) -> Response:
        """``PUT …/workflows/{workflow}/jobs/{job}``."""
        job = self._job_of_workflow(request, request.parameters["workflow"])
        name = request.json_object().get("name")
        if not isinstance(name, str) or not name.strip():
            raise ApiError(400, 'Field "name" must not be empty')
        self._services.jobs.rename(job.id, name, request.caller.auditor)
        return self.get(request)

    def list(self, request: Request) -> Response:
        """``GET …/jobs?page=&sort=``: a page past the end is empty."""
        project = self._access.project(request)
        page, (field, descending) = _page(request), _sort(request)
        return wrapped([job_view(job) for job in self._services.jobs.page(project.id, page, field, descending)])

    def get(self, request: Request) -> Response:
        """``GET …/jobs/{job}``."""
        return wrapped(job_view(self._access.job(request)))

    def cancel(self, request: Request) -> Response:
        """``POST …/jobs/{job}/cancel``: 204, also for a job that is over."""
        self._services.engine.cancel(self._access.job(request).id)
        return no_content()

    def tasks(self, request: Request) -> Response:
        """``GET …/jobs/{job}/tasks``."""
        job = self._access.job(request)
        tasks = self._services.jobs.tasks(job.id)
        return wrapped([job_task_view(task, self._services.catalogue.get(task.block_id)) for task in tasks])

    def logs(self, request: Request) -> Response:
        """``GET …/jobs/{job}/tasks/{task}/logs``: plain text, growing while the task runs."""
        job = self._access.job(request)
        task = self._access.job_task(request, job)
        text = self._services.workspace.task(job.id, task.id).log_text()
        return Response(200, text.encode("utf-8"), _TEXT)

    def estimate(self, request: Request) -> Response:
        """``POST …/estimate/job`` with ``{tasks, inputs}``."""
        project = self._access.project(request)
        body = request.json_object()
        links, inputs = self._described(body, "inputs")
        self._submission.checked_mode(project, links, inputs, to_run=False)
        return wrapped(_reply(self._submission.offered_estimate(links, inputs)))

    def estimate_of_job(self, request: Request) -> Response:
        """``GET …/jobs/{job}/estimate``: what was estimated when the job was made."""
        job = self._access.job(request)
        if any(assets_named(values) for values in job.inputs.values() if isinstance(values, dict)):
            raise ApiError(400, NO_ESTIMATION, "VALIDATION_ERROR")
        return wrapped(_reply({name: Estimate.from_json(value) for name, value in job.estimate.items()}))

    def validate(self, request: Request) -> Response:
        """``POST …/jobs/validate`` with ``{tasks, input}``: empty when all is well."""
        project = self._access.project(request)
        links, inputs = self._described(request.json_object(), "input")
        self._submission.checked_mode(project, links, inputs)
        return no_content()

    def _described(self, body: Dict[str, Any], inputs_name: str) -> Tuple[Sequence[Link], Dict[str, Any]]:
        """Tasks and inputs of a body that names no workflow."""
        tasks, inputs = body.get("tasks"), body.get(inputs_name)
        if not isinstance(tasks, list) or not tasks or not all(isinstance(task, dict) for task in tasks):
            raise ApiError(400, 'Field "tasks" must be a list of tasks', "VALIDATION_ERROR")
        if not isinstance(inputs, dict):
            raise ApiError(400, f'Field "{inputs_name}" must not be null', "VALIDATION_ERROR")
        links = []
        for task in tasks:
            block = self._access.block(str(task.get("blockId")))
            links.append(Link(str(task.get("name")), block, task.get("parentName")))
        return links, inputs

    def _job_of_workflow(self, request: Request, workflow_id: str) -> Job:
        job = self._access.job(request)
        if job.workflow_id != workflow_id:
            raise ApiError(404, f"Job not found for id {job.id} and workflowId {workflow_id}")
        return job


def _reply(estimates: Dict[str, Estimate]) -> Dict[str, Any]:
    return {name: part.reply() for name, part in estimates.items()}


def _page(request: Request) -> int:
    text = request.argument("page") or "0"
    if not text.isdigit():
        raise ApiError(400, f"Page must not be {text}")
    return min(int(text), _LAST_PAGE)


def _sort(request: Request) -> Tuple[str, bool]:
    text = request.argument("sort") or "createdAt,desc"
    field, _, direction = text.partition(",")
    if field not in SORT_COLUMNS or direction.lower() not in ("", "asc", "desc"):
        raise ApiError(400, f"Cannot sort by {text}")
    return field, direction.lower() == "desc"


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    area = JobRoutes(services)
    of_project, of_workflow = "/projects/{project}/jobs", "/projects/{project}/workflows/{workflow}/jobs"
    return [
        Route("POST", "/projects/{project}/estimate/job", area.estimate),
        Route("POST", of_project + "/validate", area.validate),
        Route("POST", of_workflow, area.create),
        Route("PUT", of_workflow + "/{job}", area.rename),
        Route("POST", of_workflow + "/{job}", area.run_again),
        Route("GET", of_project, area.list),
        Route("GET", of_project + "/{job}", area.get),
        Route("POST", of_project + "/{job}/cancel", area.cancel),
        Route("GET", of_project + "/{job}/estimate", area.estimate_of_job),
        Route("GET", of_project + "/{job}/tasks", area.tasks),
        Route("GET", of_project + "/{job}/tasks/{task}/logs", area.logs),
    ]
