"""The list of jobs over the built-in service: what it lists, and what becomes of it."""

from __future__ import annotations

import pytest
from dialect_kit import SUPERRESOLUTION, TAORMINA, configuration_of, ended, opened, provider_of, request_of

from up42_plugin.core.job_list import JobList
from up42_plugin.core.job_search import JobFilter, matching
from up42_plugin.core.jobs import JobState, Mode


@pytest.fixture(scope="module")
def service(sandbox):
    with opened(provider_of(sandbox)) as service:
        yield service


def test_a_job_of_the_service_is_listed_with_everything_it_tells(service, sandbox):
    workflow = service.workflow(sandbox.workflows[SUPERRESOLUTION])
    request = request_of(configuration_of(workflow, limit=1), Mode.LIVE, "Listed Taormina")
    job = service.submit(request)
    jobs = JobList({step.block.name: step.block.title for step in workflow.steps})
    jobs.put_jobs("sandbox", service.jobs().jobs)
    entry = jobs.find("sandbox", job.id)
    assert entry.name == "Listed Taormina"
    assert (entry.mode, entry.workflow) == (Mode.LIVE, SUPERRESOLUTION)
    assert entry.area_km2 == pytest.approx(TAORMINA.area_km2, abs=0.05)
    ended(service, job)
    jobs.put_jobs("sandbox", service.jobs().jobs)
    jobs.put_tasks("sandbox", job.id, service.tasks(job.id))
    jobs.put_credits("sandbox", job.id, service.credits(job.id))
    now = jobs.find("sandbox", job.id)
    assert now.key == entry.key
    assert (now.state, now.word) == (JobState.SUCCEEDED, "SUCCEEDED")
    assert now.seconds(now.finished) > 0
    assert [task.title for task in now.tasks] == [step.block.title for step in workflow.steps]
    assert sum(task.charged for task in now.tasks) == now.charged > 0
    assert all(task.has_output for task in now.tasks)
    found = matching(jobs.entries("sandbox"), JobFilter(f"listed {job.id[:8]}"))
    assert [item.job_id for item in found] == [job.id]


def test_a_test_query_is_free_and_tells_its_scenes_when_they_were_counted(service, sandbox):
    workflow = service.workflow(sandbox.workflows[SUPERRESOLUTION])
    job = ended(service, service.submit(request_of(configuration_of(workflow, limit=3), Mode.TEST_QUERY)))
    jobs = JobList()
    jobs.put_jobs("sandbox", [job])
    jobs.put_scenes("sandbox", job.id, len(service.scenes(job.id)))
    entry = jobs.find("sandbox", job.id)
    assert (entry.live, entry.scenes, entry.held) == (False, 3, None)
