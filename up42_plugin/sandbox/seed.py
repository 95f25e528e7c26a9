"""What a fresh data folder holds: one account, one project, some workflows ready to run."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple

from up42_plugin.sandbox.records.accounts import MAX_AOI, MAX_CONCURRENT_JOBS, MAX_LIMIT, Account, Project
from up42_plugin.sandbox.records.credits import OPENING_BALANCE
from up42_plugin.sandbox.records.workflows import NewTask
from up42_plugin.sandbox.services import Services

EMAIL = "analyst@sandbox.example.org"
LIMITS: Mapping[str, int] = {MAX_CONCURRENT_JOBS: 5, MAX_LIMIT: 10, MAX_AOI: 100}
# name -> (description, (block name, provider), ...)
WORKFLOWS: Mapping[str, Tuple[str, Tuple[Tuple[str, str], ...]]] = {
    "Sentinel-2 L2A → Super-resolution": (
        "All Sentinel-2 bands at 10 m",
        (("aws-s2-l2a", "ESA"), ("s2-superresolution", "UP42")),
    ),
    "Sentinel-2 visual → Sharpening": (
        "Sentinel-2 in natural colours, with crisper edges",
        (("esa-s2-l2a-gtiff-visual", "ESA"), ("sharpening", "UP42")),
    ),
    "Pléiades → NDVI": (
        "Vegetation index at 2 m from Pléiades in sensor geometry",
        (("oneatlas-pleiades-primary", "OneAtlas"), ("ndvi", "UP42")),
    ),
    "Sentinel-2 analytic": (
        "Sentinel-2 reflectances, one GeoTIFF for every band",
        (("esa-s2-l2a-gtiff-analytic", "ESA"),),
    ),
    "Pléiades reflectance → Pan-sharpening": (
        "Reflectances in four bands at half a metre",
        (("oneatlas-pleiades-fullscene", "OneAtlas"), ("pansharpen", "UP42")),
    ),
    "SPOT streaming → Tiles": (
        "SPOT pictures in natural colours, cut into image chips",
        (("oneatlas-spot-aoiclipped", "OneAtlas"), ("tiling", "UP42")),
    ),
}
_SEEDED = "seeded"


@dataclass(frozen=True)
class Entrance:
    """How a client gets in: the members of the line the sandbox prints when it is ready."""

    base_url: str
    project_id: str
    project_api_key: str
    username: str
    login: str
    workflows: Mapping[str, str]

    def as_json(self) -> Dict[str, Any]:
        """The printed object."""
        return {
            "base_url": self.base_url,
            "project_id": self.project_id,
            "project_api_key": self.project_api_key,
            "username": self.username,
            "password": self.login,
            "workflows": dict(self.workflows),
        }


def enter(services: Services) -> Entrance:
    """Fill a fresh data folder, and tell how to get into it (or into one that was filled before)."""
    kept = services.store.meta(_SEEDED)
    known: Dict[str, Any] = json.loads(kept) if kept else _fill(services)
    project = services.accounts.project(known["project"])
    if project is None:
        raise LookupError(known["project"])
    account = services.accounts.account(project.account_id)
    return Entrance(
        base_url=services.base_url,
        project_id=project.id,
        project_api_key=project.api_key,
        username=account.email,
        login=account.login,
        workflows=_present(services, project, known["workflows"]),
    )


def _present(services: Services, project: Project, workflows: Mapping[str, str]) -> Dict[str, str]:
    """The seeded workflows that nobody deleted."""
    return {name: id_ for name, id_ in workflows.items() if services.workflows.get(project.id, id_) is not None}


def _fill(services: Services) -> Dict[str, Any]:
    with services.store.transaction():
        account = services.accounts.add_account(EMAIL, secrets.token_urlsafe(16))
        services.credits.add_purchase(account.id, OPENING_BALANCE)
        project = services.accounts.add_project(
            account,
            "Sandbox",
            "A place to try things: synthetic images, play credits",
            secrets.token_urlsafe(24),
            LIMITS,
        )
        workflows = {name: _workflow(services, account, project, name) for name in WORKFLOWS}
        filled: Dict[str, Any] = {"project": project.id, "workflows": workflows}
        services.store.set_meta(_SEEDED, json.dumps(filled))
    return filled


def _workflow(services: Services, account: Account, project: Project, name: str) -> str:
    auditor = {"id": account.user_id, "type": "USER"}
    description, blocks = WORKFLOWS[name]
    workflow = services.workflows.add(project.id, name, description, auditor)
    tasks = []
    parent: Optional[str] = None
    for block_name, provider in blocks:
        task = NewTask(f"{block_name}:1", parent, services.catalogue.by_name(block_name, provider).id)
        tasks.append(task)
        parent = task.name
    services.workflows.replace_tasks(workflow.id, tasks, auditor)
    return workflow.id
