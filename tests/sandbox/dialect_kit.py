"""The classic dialect at a running sandbox, and the faults of that."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional

import requests
from sandbox_process import RunningSandbox

from up42_plugin.api.exchange import plain_session
from up42_plugin.api.retrying import RetryPolicy
from up42_plugin.api.tokens import ProjectKeyGrant, TokenProvider
from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.dialects.classic import ClassicProvider, ClassicService
from up42_plugin.core.jobs import Job, Mode
from up42_plugin.core.service import SubmissionRequest
from up42_plugin.core.tags import make_tag, tagged_name
from up42_plugin.core.workflow import Workflow

RING = (
    (15.282326, 37.854051),
    (15.281897, 37.843275),
    (15.301208, 37.843139),
    (15.301809, 37.853577),
    (15.282326, 37.854051),
)
TAORMINA = AOI((RING,), 2.01)
SUPERRESOLUTION = "Sentinel-2 L2A → Super-resolution"
VISUAL = "Sentinel-2 visual → Sharpening"
PLEIADES = "Pléiades → NDVI"
ANALYTIC = "Sentinel-2 analytic"
PATIENCE_S = 90.0


def provider_of(sandbox: RunningSandbox, key: str = "", address: str = "") -> ClassicProvider:
    tokens = TokenProvider(ProjectKeyGrant(sandbox.project_id, key or sandbox.project_api_key))
    return ClassicProvider(
        "sandbox",
        address or sandbox.base_url,
        sandbox.project_id,
        tokens,
        plain_session,
        user_agent="up42-qgis/test",
        policy=RetryPolicy(base=0.01, longest=0.05),
    )


def configuration_of(workflow: Workflow, limit: int = 2, **search: Any) -> JobConfiguration:
    return JobConfiguration.of(workflow, TAORMINA, GeometricFilter.INTERSECTS).with_search(limit=limit, **search)


def request_of(configuration: JobConfiguration, mode: Mode, name: str = "Taormina") -> SubmissionRequest:
    tag = make_tag()
    return SubmissionRequest(configuration, mode, tag, tagged_name(name, tag))


def until(condition: Callable[[], Any]) -> Any:
    """The first true value of ``condition``."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def ended(service: ClassicService, job: Job) -> Job:
    """The job after its end."""

    def over() -> Optional[Job]:
        found = service.job(job.id)
        return found if found.state.terminal else None

    return until(over)


@contextmanager
def fault(sandbox: RunningSandbox, method: str, path_glob: str, **members: Any) -> Iterator[None]:
    """Something goes wrong with matching requests while the context lasts."""
    address = f"{sandbox.base_url}/_sandbox/faults"
    body = {"match": {"method": method, "path_glob": path_glob}, **members}
    requests.post(address, json=body, timeout=30).raise_for_status()
    try:
        yield
    finally:
        requests.delete(address, timeout=30).raise_for_status()


@contextmanager
def opened(provider: ClassicProvider) -> Iterator[ClassicService]:
    with provider.open(ThreadContext()) as service:
        yield service
