"""The life of jobs: states, tasks, logs, cancelling, running again, limits."""

from __future__ import annotations

import re
import threading

import pytest
from service_kit import (
    ANALYTIC_WORKFLOW,
    AOI,
    AWS,
    NDVI_WORKFLOW,
    SHARPENING_WORKFLOW,
    SUPERRESOLUTION,
    SUPERRESOLUTION_WORKFLOW,
    Gate,
    as_test_query,
    data_runner,
    default_runners,
    published_input,
    wait_for,
)

from up42_plugin.sandbox.records.jobs import NewJob, NewJobTask
from up42_plugin.sandbox.runners.contract import RunnerError

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - \S+ - [A-Z]+ - .+")


def test_published_input_runs_as_it_stands(service):
    job = service.run(SUPERRESOLUTION_WORKFLOW, published_input(), "coast June")
    assert job["status"] == "SUCCEEDED"
    assert job["name"] == "coast June"
    assert job["mode"] == "DEFAULT"
    assert job["inputs"] == published_input()
    assert job["workflowId"] == service.workflow(SUPERRESOLUTION_WORKFLOW)
    assert job["createdAt"] <= job["startedAt"] <= job["finishedAt"]
    assert job["createdBy"] == {"id": service.entrance.project_id, "type": "API_KEY"}


def test_new_job_is_not_started_and_without_a_name_when_none_is_given(service):
    answer = service.submit(SUPERRESOLUTION_WORKFLOW, published_input())
    job = answer.json()["data"]
    assert job["status"] == "NOT_STARTED"
    assert job["name"] is None
    assert job["startedAt"] is None
    assert job["displayId"] == job["id"][:8]
    service.ended(job["id"])


def test_job_goes_through_every_state_in_order(service):
    jobs, seen = service.services.jobs, []
    move = jobs.move

    def noting_move(job_id, before, after):
        moved = move(job_id, before, after)
        if moved:
            seen.append(jobs.get(job_id).status)
        return moved

    jobs.move = noting_move
    answer = service.submit(SUPERRESOLUTION_WORKFLOW, published_input())
    seen.append(answer.json()["data"]["status"])
    service.ended(answer.json()["data"]["id"])
    assert sorted(seen[:2]) == ["NOT_STARTED", "PENDING"]
    assert seen[2:] == ["RUNNING", "SUCCEEDED"]


def test_client_sees_a_running_job(serve):
    gate = Gate()
    service = serve(runners={**default_runners(), AWS: gate})
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    service.reaches(job_id, "RUNNING")
    job = service.get(f"jobs/{job_id}")
    assert job["startedAt"] >= job["createdAt"]
    assert job["finishedAt"] is None
    gate.opened.set()
    service.ended(job_id)


def test_tasks_run_in_chain_order(serve):
    gate = Gate()
    service = serve(runners={**default_runners(), AWS: gate})
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    assert gate.entered.wait(30)
    first, second = service.tasks(job_id)
    assert (first["status"], second["status"]) == ("RUNNING", "NOT_STARTED")
    assert first["parentsIds"] == []
    assert second["parentsIds"] == [first["id"]]
    assert second["startedAt"] is None
    assert first["block"]["name"] == "aws-s2-l2a"
    assert first["block"]["parameters"] is None
    assert first["blockVersion"] == "1.0.10"
    assert "results" not in first
    gate.opened.set()
    service.ended(job_id)
    first, second = service.tasks(job_id)
    assert first["finishedAt"] <= second["startedAt"]


def test_task_lasts_as_long_as_its_clock_even_when_its_block_is_quicker(serve):
    service = serve(speed=400)
    job = service.run(SUPERRESOLUTION_WORKFLOW, published_input())
    planned = [task.planned for task in service.services.jobs.tasks(job["id"])]
    assert min(planned) > 20
    from_start = service.services.jobs.get(job["id"])
    assert from_start.started_at < from_start.finished_at


def test_log_grows_while_the_task_runs(serve):
    step = threading.Event()

    def talking(task):
        task.log("INFO", "first part")
        while not step.wait(0.01):
            task.check()
        task.log("INFO", "second part")
        return data_runner(task)

    service = serve(runners={**default_runners(), AWS: talking})
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    wait_for(lambda: "first part" in service.log(job_id))
    assert "second part" not in service.log(job_id)
    step.set()
    service.ended(job_id)
    lines = service.log(job_id).splitlines()
    assert all(LINE.fullmatch(line) for line in lines)
    assert any(line.endswith("aws-s2-l2a - INFO - second part") for line in lines)
    answer = service.call("GET", f"jobs/{job_id}/tasks/{service.tasks(job_id)[0]['id']}/logs")
    assert answer.headers["content-type"].lower().startswith("text/plain")


def test_failing_block_fails_the_job_and_leaves_later_tasks_alone(serve):
    def failing(task):
        raise RunnerError("INPUT_PARAMETERS_ERROR", "AOI too small. Try again with a larger AOI")

    service = serve(runners={**default_runners(), AWS: failing})
    job = service.run(SUPERRESOLUTION_WORKFLOW, published_input())
    assert job["status"] == "FAILED"
    assert [task["status"] for task in service.tasks(job["id"])] == ["FAILED", "NOT_STARTED"]
    last = service.log(job["id"]).splitlines()[-1]
    assert last.endswith("[INPUT_PARAMETERS_ERROR] AOI too small. Try again with a larger AOI")
    assert service.balance() == 10_000


def test_broken_block_fails_its_task_and_says_so(serve):
    def broken(task):
        return 1 / 0

    service = serve(runners={**default_runners(), SUPERRESOLUTION: broken})
    job = service.run(SUPERRESOLUTION_WORKFLOW, published_input())
    assert [task["status"] for task in service.tasks(job["id"])] == ["SUCCEEDED", "FAILED"]
    assert service.log(job["id"], 1).splitlines()[-1].endswith("[UNKNOWN_ERROR] ZeroDivisionError: division by zero")


def test_full_disk_is_the_platforms_error(serve):
    def full(task):
        raise OSError(28, "No space left on device")

    service = serve(runners={**default_runners(), AWS: full})
    job = service.run(SUPERRESOLUTION_WORKFLOW, published_input())
    assert job["status"] == "ERROR"
    assert [task["status"] for task in service.tasks(job["id"])] == ["ERROR", "NOT_STARTED"]
    assert service.balance() == 10_000


def test_block_without_a_runner_fails_with_a_clear_line(serve):
    runners = default_runners()
    del runners[SUPERRESOLUTION]
    service = serve(runners=runners)
    job = service.run(SUPERRESOLUTION_WORKFLOW, published_input())
    assert job["status"] == "FAILED"
    assert "[BLOCK_NOT_AVAILABLE]" in service.log(job["id"], 1).splitlines()[-1]
    assert "s2-superresolution" in service.log(job["id"], 1)


@pytest.mark.parametrize("path", ["jobs/{}/cancel", "jobs/{}/cancel/"])
def test_running_job_is_cancelled(serve, path):
    gate = Gate()
    service = serve(runners={**default_runners(), AWS: gate}, speed=20)
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    assert gate.entered.wait(30)
    answer = service.call("POST", path.format(job_id), json={})
    assert (answer.status_code, answer.content) == (204, b"")
    assert service.get(f"jobs/{job_id}")["status"] == "CANCELLING"
    assert service.ended(job_id)["status"] == "CANCELLED"
    assert [task["status"] for task in service.tasks(job_id)] == ["CANCELLED", "NOT_STARTED"]
    assert service.balance() == 10_000


def test_waiting_job_is_cancelled(serve):
    service = serve(speed=1)
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    assert service.call("POST", f"jobs/{job_id}/cancel").status_code == 204
    assert service.ended(job_id)["status"] == "CANCELLED"
    assert service.get(f"jobs/{job_id}")["startedAt"] is None


def test_cancelling_a_job_that_is_over_changes_nothing(service):
    job = service.run(ANALYTIC_WORKFLOW, {"esa-s2-l2a-gtiff-analytic:1": {"intersects": AOI}})
    assert service.call("POST", f"jobs/{job['id']}/cancel").status_code == 204
    assert service.get(f"jobs/{job['id']}") == job


def test_test_query_runs_the_data_task_only(service):
    job = service.run(SUPERRESOLUTION_WORKFLOW, as_test_query(published_input()))
    assert job["status"] == "SUCCEEDED"
    assert job["mode"] == "DRY_RUN"
    assert job["inputs"]["config"] == {"mode": "DRY_RUN"}
    assert [task["name"] for task in service.tasks(job["id"])] == ["aws-s2-l2a:1"]


def test_running_again_makes_a_new_job_with_the_same_inputs(service):
    old = service.run(SUPERRESOLUTION_WORKFLOW, as_test_query(published_input()), "first")
    answer = service.call("POST", f"workflows/{old['workflowId']}/jobs/{old['id']}?name=again+it%20is", json={})
    new = answer.json()["data"]
    assert new["id"] != old["id"]
    assert new["name"] == "again it is"
    assert (new["inputs"], new["mode"]) == (old["inputs"], old["mode"])
    assert service.ended(new["id"])["status"] == "SUCCEEDED"


def test_job_is_renamed(service):
    job = service.run(SUPERRESOLUTION_WORKFLOW, as_test_query(published_input()), "first")
    path = f"workflows/{job['workflowId']}/jobs/{job['id']}"
    renamed = service.call("PUT", path, json={"name": "second"}).json()["data"]
    assert renamed["name"] == "second"
    assert service.get(f"jobs/{job['id']}")["name"] == "second"
    answer = service.call("PUT", path)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("Required request body is missing")


def test_too_many_unfinished_jobs_are_refused(serve):
    gate = Gate()
    service = serve(runners={**default_runners(), AWS: gate})
    service.set_limit("MAX_CONCURRENT_JOBS", 2)
    jobs = [service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"] for _ in range(2)]
    answer = service.submit(SUPERRESOLUTION_WORKFLOW, published_input())
    assert answer.status_code == 429
    assert answer.json() == {
        "error": {
            "code": "TOO_MANY_REQUESTS",
            "message": "Your project has too many non-finished jobs",
            "details": None,
        },
        "data": None,
    }
    gate.opened.set()
    for job_id in jobs:
        assert service.ended(job_id)["status"] == "SUCCEEDED"
    assert service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).status_code == 200


def test_limit_of_unfinished_jobs_holds_under_a_crowd(serve):
    gate = Gate()
    service = serve(runners={**default_runners(), AWS: gate})
    service.set_limit("MAX_CONCURRENT_JOBS", 3)
    answers = []

    def submit():
        answers.append(service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).status_code)

    crowd = [threading.Thread(target=submit) for _ in range(12)]
    for member in crowd:
        member.start()
    for member in crowd:
        member.join()
    assert sorted(answers) == [200] * 3 + [429] * 9
    assert len(service.get("jobs")) == 3
    gate.opened.set()


def test_list_is_sorted_and_paged(service):
    names = ["b", "a", "c"]
    for name in names:
        service.run(SUPERRESOLUTION_WORKFLOW, as_test_query(published_input()), name)
    assert [job["name"] for job in service.get("jobs?page=0&sort=createdAt,desc")] == ["c", "a", "b"]
    assert [job["name"] for job in service.get("jobs?sort=name,asc")] == ["a", "b", "c"]
    assert [job["name"] for job in service.get("jobs")] == ["c", "a", "b"]
    beyond = service.call("GET", "jobs?page=1")
    assert beyond.json() == {"data": [], "error": None}
    assert service.get(f"jobs?page={10**30}") == []
    assert service.call("GET", "jobs?sort=size,desc").status_code == 400
    assert service.call("GET", "jobs?page=x").status_code == 400


def test_page_holds_a_hundred_jobs(service):
    new = NewJob(service.entrance.project_id, "w", "w", None, "DRY_RUN", {}, {}, 0, {"id": "x", "type": "USER"})
    with service.services.store.transaction():
        for _ in range(101):
            service.services.jobs.add(new, [NewJobTask("t:1", None, AWS, 1.0)])
    assert len(service.get("jobs?page=0")) == 100
    assert len(service.get("jobs?page=1")) == 1


def test_jobs_of_a_deleted_workflow_stay_readable(service):
    job = service.run(SHARPENING_WORKFLOW, {"esa-s2-l2a-gtiff-visual:1": {"intersects": AOI}, "sharpening:1": {}})
    assert service.call("DELETE", f"workflows/{job['workflowId']}", json={}).status_code == 204
    assert service.get(f"jobs/{job['id']}")["status"] == "SUCCEEDED"
    assert service.call("GET", f"jobs/{job['id']}/outputs/data-json").status_code == 200


def test_unknown_things_are_404_with_the_services_words(service):
    unknown = "77777777-aaaa-4bbb-8ccc-000000000021"
    answer = service.call("GET", f"jobs/{unknown}")
    assert answer.status_code == 404
    message = answer.json()["error"]["message"]
    assert message.startswith(f"Job not found for id {unknown} and projectId {service.entrance.project_id} and userId")
    job = service.run(NDVI_WORKFLOW, {"oneatlas-pleiades-primary:1": {"intersects": AOI}, "ndvi:1": {}})
    other = service.workflow(SUPERRESOLUTION_WORKFLOW)
    assert service.call("POST", f"workflows/{other}/jobs/{job['id']}").status_code == 404
    assert service.call("GET", f"jobs/{job['id']}/tasks/{unknown}/logs").status_code == 404
