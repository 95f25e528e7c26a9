"""Records as the service writes them in JSON."""

from __future__ import annotations

import uuid
from typing import Any, Dict, List, Mapping, Optional, Sequence

from up42_plugin.sandbox.catalogue import Block
from up42_plugin.sandbox.records.accounts import RANGES, Project, Setting
from up42_plugin.sandbox.records.credits import PURCHASE, Charge
from up42_plugin.sandbox.records.jobs import Job, JobTask
from up42_plugin.sandbox.records.webhooks import Webhook
from up42_plugin.sandbox.records.workflows import Workflow, WorkflowTask

_MANIFEST_VERSION = 2
_BLOCK_CREATED, _BLOCK_UPDATED = "2020-05-04T12:00:00.000000Z", "2022-03-30T08:00:00.000000Z"
_VENDOR = {"id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "sandbox.example.org")), "type": "USER"}
_EMPTY_BLOCK_MEMBERS = (
    "createdAt",
    "updatedAt",
    "displayName",
    "description",
    "containerUrl",
    "inputCapabilities",
    "outputCapabilities",
    "provider",
    "providerWebsite",
    "providerLogoUrl",
    "tags",
    "isPublic",
    "isPublicVersion",
    "isValid",
    "parameters",
    "isDryRunSupported",
    "metadata",
    "machineName",
    "capabilities",
)


def display_id(id_: str) -> str:
    """The first eight digits."""
    return id_[:8]


def project_view(project: Project, workspace_id: str, owner: str) -> Dict[str, Any]:
    """``GET /projects/{project}``."""
    auditor = {"id": owner, "type": "USER"}
    return {
        "id": project.id,
        "displayId": display_id(project.id),
        "name": project.name,
        "description": project.description,
        "createdAt": project.created_at,
        "updatedAt": project.updated_at,
        "createdBy": auditor,
        "updatedBy": auditor,
        "workspaceId": workspace_id,
    }


def setting_view(setting: Setting) -> Dict[str, Any]:
    """One member of the settings' list; the value is a string."""
    low, high = RANGES[setting.name]
    return {
        "id": setting.id,
        "displayId": display_id(setting.id),
        "createdAt": setting.created_at,
        "updatedAt": setting.updated_at,
        "name": setting.name,
        "value": str(setting.value),
        "range": {"min": low, "max": high},
    }


def block_summary(block: Block) -> Dict[str, Any]:
    """One member of the list of blocks."""
    strategy = block.price.strategy()
    return {
        "id": block.id,
        "displayId": display_id(block.id),
        "createdAt": _BLOCK_CREATED,
        "updatedAt": _BLOCK_UPDATED,
        "createdBy": None,
        "updatedBy": None,
        "name": block.name,
        "displayName": block.title,
        "description": block.description,
        "provider": block.provider,
        "type": block.type,
        "metadata": {
            "blockThumbnailUrl": None,
            "pricingStrategy": _old_strategy(block),
            "blockPricingStrategy": strategy,
        },
        "version": block.version,
        "isPublic": True,
        "isValid": True,
        "isRestricted": block.restricted,
        "isAccessGranted": not block.restricted,
        "isCreditPurchaseRequired": block.purchase_required,
        "isDryRunSupported": block.test_query,
        "inputCapabilities": [],
        "outputCapabilities": [],
        "tags": list(block.tags),
        "isPublicVersion": True,
        "manifestVersion": _MANIFEST_VERSION,
    }


def block_details(block: Block) -> Dict[str, Any]:
    """``GET /blocks/{block}``, also embedded in workflow tasks."""
    details = block_summary(block)
    details.update(
        {
            "createdBy": _VENDOR,
            "updatedBy": _VENDOR,
            "containerUrl": None,
            "providerWebsite": None,
            "providerLogoUrl": None,
            "isLimitStreamingDataAccess": False,
            "parameters": block.parameters,
            "capabilities": {"input": {}, "output": {}, **block.capabilities},
            "machineName": block.machine,
        }
    )
    details["metadata"] = {
        "overview": block.description,
        "termsAndConditionsUrl": None,
        "blockMarketplaceSampleData": [],
        **details["metadata"],
    }
    return details


def _old_strategy(block: Block) -> Dict[str, Any]:
    return {"type": f"{block.price.unit}_{block.price.direction}", "credits": block.price.tiers[0][1]}


def workflow_view(workflow: Workflow, processing_s: int) -> Dict[str, Any]:
    """One workflow; ``totalProcessingTime`` in seconds."""
    return {
        "id": workflow.id,
        "displayId": display_id(workflow.id),
        "name": workflow.name,
        "description": workflow.description,
        "createdAt": workflow.created_at,
        "updatedAt": workflow.updated_at,
        "createdBy": workflow.created_by,
        "updatedBy": workflow.updated_by,
        "totalProcessingTime": processing_s,
    }


def workflow_task_view(task: WorkflowTask, block: Block) -> Dict[str, Any]:
    """One task of a workflow, with its whole block."""
    return {
        "id": task.id,
        "displayId": display_id(task.id),
        "createdAt": task.created_at,
        "updatedAt": task.created_at,
        "createdBy": task.created_by,
        "updatedBy": task.created_by,
        "name": task.name,
        "parentsIds": [] if task.parent_id is None else [task.parent_id],
        "blockName": block.name,
        "blockVersionTag": block.version,
        "block": block_details(block),
        "environment": None,
    }


def job_view(job: Job) -> Dict[str, Any]:
    """One job."""
    return {
        "id": job.id,
        "displayId": display_id(job.id),
        "createdAt": job.created_at,
        "updatedAt": job.updated_at,
        "createdBy": job.created_by,
        "updatedBy": job.updated_by,
        "status": job.status,
        "name": job.name,
        "startedAt": job.started_at,
        "finishedAt": job.finished_at,
        "inputs": job.inputs,
        "mode": job.mode,
        "workflowId": job.workflow_id,
        "workflowName": job.workflow_name,
    }


def job_task_view(task: JobTask, block: Optional[Block]) -> Dict[str, Any]:
    """One job task; of its block only a few members are filled."""
    filled: Dict[str, Any] = {
        "id": task.block_id,
        "name": block.name if block else None,
        "type": block.type if block else None,
        "version": block.version if block else None,
        "manifestVersion": 0,
    }
    return {
        "id": task.id,
        "displayId": display_id(task.id),
        "createdAt": task.created_at,
        "updatedAt": task.updated_at,
        "name": task.name,
        "status": task.status,
        "parentsIds": [] if task.parent_id is None else [task.parent_id],
        "startedAt": task.started_at,
        "finishedAt": task.finished_at,
        "block": {**filled, **dict.fromkeys(_EMPTY_BLOCK_MEMBERS)},
        "blockVersion": block.version if block else None,
    }


def webhook_view(webhook: Webhook) -> Dict[str, Any]:
    """One webhook."""
    return {
        "id": webhook.id,
        "url": webhook.form.url,
        "name": webhook.form.name,
        "active": webhook.form.active,
        "events": list(webhook.form.events),
        "secret": webhook.form.signing_key,
        "createdAt": webhook.created_at,
        "updatedAt": webhook.updated_at,
    }


def job_credits_view(
    job: Job, tasks: Sequence[JobTask], charges: Sequence[Charge], run: Mapping[str, Mapping[str, Any]]
) -> Dict[str, Any]:
    """What a job cost; ``run`` holds the names around each task, by task id, with ``owner`` ids."""
    by_task = {charge.job_task_id: charge for charge in charges}
    return {
        "projectId": job.project_id,
        "projectDisplayId": display_id(job.project_id),
        "jobId": job.id,
        "jobDisplayId": display_id(job.id),
        "creditsUsed": -sum(charge.delta for charge in charges),
        "tasks": [_task_credits(task, by_task.get(task.id), run) for task in tasks],
    }


def _task_credits(task: JobTask, charge: Optional[Charge], run: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    view: Dict[str, Any] = {
        "id": task.id,
        "displayId": display_id(task.id),
        "creditsUsed": 0 if charge is None else -charge.delta,
        "machineConsumption": None,
        "blockConsumption": None,
    }
    if charge is None:
        return view
    common = {**run[task.id]["owner"], "createdAt": charge.created_at}
    spans = {"duration": _both(charge.duration_ms), "credit": _both(charge.machine_credits)}
    names = {**run[task.id]["names"]}
    view["machineConsumption"] = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{charge.id}/machine")),
        **common,
        "creditsUsed": charge.machine_credits,
        "jobRun": names,
        "machineConsumption": spans,
    }
    view["blockConsumption"] = {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{charge.id}/block")),
        **common,
        "creditsUsed": charge.block_credits,
        "jobRun": names,
        "blockConsumption": {"quantity": charge.quantity, "unit": charge.unit},
    }
    return view


def _both(value: int) -> Dict[str, int]:
    return {"min": value, "max": value}


def charge_view(charge: Charge, owner: Mapping[str, str], names: Optional[Mapping[str, Any]]) -> Dict[str, Any]:
    """One entry of the credit history; ``names`` of what ran, for job tasks."""
    details: Dict[str, Any] = {
        "id": charge.job_task_id or charge.id,
        "description": f"Consumption for {charge.job_task_id}" if charge.job_task_id else "Credits of the sandbox",
        "allocation": {"id": charge.id, "amount": charge.delta} if charge.type == PURCHASE else None,
        "consumption": None,
    }
    if names is not None:
        details["consumption"] = {
            "id": charge.id,
            **owner,
            "createdAt": charge.created_at,
            "creditsUsed": -charge.delta,
            **names,
            "duration": charge.duration_ms,
        }
    return {
        "type": charge.type,
        "createdAt": charge.created_at,
        "createdBy": {"id": owner["userId"], "type": "USER"},
        "delta": charge.delta,
        "details": details,
    }


def page_view(content: List[Any], total: int, page: int, size: int, is_sorted: bool) -> Dict[str, Any]:
    """A page of the credit history."""
    pages = -(-total // size)
    sort = {"sorted": is_sorted, "unsorted": not is_sorted, "empty": not is_sorted}
    return {
        "content": content,
        "pageable": {
            "sort": sort,
            "pageNumber": page,
            "pageSize": size,
            "offset": page * size,
            "paged": True,
            "unpaged": False,
        },
        "totalPages": pages,
        "totalElements": total,
        "last": page >= pages - 1,
        "first": page == 0,
        "size": size,
        "number": page,
        "numberOfElements": len(content),
        "sort": sort,
        "empty": not content,
    }
