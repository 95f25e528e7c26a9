"""The account's credits, and what jobs cost."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional

from up42_plugin.sandbox.messages import ApiError, Request, Response, wrapped
from up42_plugin.sandbox.records.accounts import Account
from up42_plugin.sandbox.records.credits import Charge, HistoryPage
from up42_plugin.sandbox.records.jobs import Job, JobTask
from up42_plugin.sandbox.router import Route
from up42_plugin.sandbox.routes.access import Access
from up42_plugin.sandbox.services import Services
from up42_plugin.sandbox.views import charge_view, job_credits_view, page_view

_FIRST_MOMENT, _LAST_MOMENT = "0000", "9999"
_DEFAULT_SIZE, _LARGEST_SIZE = 10, 2000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|\+00:00)?")


class CreditRoutes:
    """Tells what credits are left and where they went."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._access = Access(services)

    def balance(self, request: Request) -> Response:
        """``GET /accounts/me/credits/balance``."""
        return wrapped({"balance": self._services.credits.balance(request.caller.account_id)})

    def history(self, request: Request) -> Response:
        """``GET /accounts/me/credits/history?from=&to=&page=&size=&sort=``."""
        account = self._access.account(request)
        page, size = _number(request, "page", 0), _number(request, "size", _DEFAULT_SIZE)
        size = min(max(size, 1), _LARGEST_SIZE)
        sort = request.argument("sort")
        wanted = HistoryPage(
            start=_bound(request, "from", _FIRST_MOMENT, "T00:00:00"),
            end=_bound(request, "to", _LAST_MOMENT, "T23:59:59.999999Z"),
            page=page,
            size=size,
            newest_first=not (sort or "").lower().endswith(",asc"),
        )
        total, charges = self._services.credits.history(account.id, wanted)
        content = [self._entry(account, charge) for charge in charges]
        return wrapped(page_view(content, total, page, size, is_sorted=sort is not None))

    def of_job(self, request: Request) -> Response:
        """``GET …/jobs/{job}/credits``."""
        job = self._access.job(request)
        tasks = self._services.jobs.tasks(job.id)
        owner = _owner(self._access.account(request))
        run = {task.id: {"owner": owner, "names": self._names(job, task)} for task in tasks}
        return wrapped(job_credits_view(job, tasks, self._services.credits.of_job(job.id), run))

    def _entry(self, account: Account, charge: Charge) -> Dict[str, Any]:
        return charge_view(charge, _owner(account), self._names_of(charge))

    def _names_of(self, charge: Charge) -> Optional[Dict[str, Any]]:
        job = self._services.jobs.get(charge.job_id or "")
        if job is None:
            return None
        task = next(task for task in self._services.jobs.tasks(job.id) if task.id == charge.job_task_id)
        return self._names(job, task)

    def _names(self, job: Job, task: JobTask) -> Dict[str, Any]:
        project = self._services.accounts.project(job.project_id)
        block = self._services.catalogue.get(task.block_id)
        return {
            "projectId": job.project_id,
            "projectName": project.name if project else None,
            "workflowId": job.workflow_id,
            "workflowName": job.workflow_name,
            "blockId": task.block_id,
            "blockName": block.name if block else None,
            "blockVersion": block.version if block else None,
            "blockDisplayName": block.title if block else None,
            "jobId": job.id,
            "jobName": job.name,
            "jobTaskId": task.id,
            "machineName": block.machine if block else None,
        }


def _owner(account: Account) -> Dict[str, str]:
    return {"userId": account.user_id, "workspaceId": account.workspace_id, "accountId": account.id}


def _number(request: Request, name: str, default: int) -> int:
    text = request.argument(name)
    if text is None or text == "":
        return default
    if not text.isdigit():
        raise ApiError(400, f'Query parameter "{name}" must be a number, got {text}')
    return int(text)


def _bound(request: Request, name: str, default: str, rest_of_day: str) -> str:
    """A date or RFC 3339 time in UTC as a stamp to compare with."""
    text = request.argument(name)
    if not text:
        return default
    text = text.replace(" ", "+")
    if _DATE.fullmatch(text):
        return text + rest_of_day
    if _MOMENT.fullmatch(text) is None:
        raise ApiError(400, f'Query parameter "{name}" must be a date or a time in UTC, got {text}')
    return text.replace("+00:00", "Z")


def routes(services: Services) -> List[Route]:
    """The endpoints of this area."""
    area = CreditRoutes(services)
    return [
        Route("GET", "/accounts/me/credits/balance", area.balance),
        Route("GET", "/accounts/me/credits/history", area.history),
        Route("GET", "/projects/{project}/jobs/{job}/credits", area.of_job),
    ]
