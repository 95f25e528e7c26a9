"""Credits: estimation, what is held and charged, history, refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from service_kit import (
    ANALYTIC_WORKFLOW,
    AOI,
    AWS,
    NDVI_WORKFLOW,
    SUPERRESOLUTION,
    SUPERRESOLUTION_WORKFLOW,
    Gate,
    OneSceneArchive,
    as_test_query,
    default_runners,
    published_input,
)

from up42_plugin.sandbox.catalogue import Catalogue
from up42_plugin.sandbox.estimate import machine_credits
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.scenes import SceneCounter

PLEIADES_INPUT = {"oneatlas-pleiades-primary:1": {"intersects": AOI}, "ndvi:1": {}}


def estimate(service, workflow, inputs):
    tasks = service.get(f"workflows/{service.workflow(workflow)}/tasks")
    described = [
        {
            "name": task["name"],
            "parentName": tasks[number - 1]["name"] if number else None,
            "blockId": task["block"]["id"],
            "blockVersionTag": task["blockVersionTag"],
        }
        for number, task in enumerate(tasks)
    ]
    return service.call("POST", "estimate/job", json={"tasks": described, "inputs": inputs})


def totals(estimation):
    parts = [
        task[part]["credit"] for task in estimation.values() for part in ("blockConsumption", "machineConsumption")
    ]
    return sum(part["min"] for part in parts), sum(part["max"] for part in parts)


def test_fresh_account_has_ten_thousand_credits(service):
    assert service.balance() == 10_000
    history = service.get("/accounts/me/credits/history")
    assert [entry["type"] for entry in history["content"]] == ["CREDIT_PURCHASE"]


def test_estimation_names_every_task_with_amounts_durations_and_credits(shared_service):
    data = estimate(shared_service, SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]
    assert list(data) == ["aws-s2-l2a:1", "s2-superresolution:1"]
    for task in data.values():
        assert set(task) == {"blockConsumption", "machineConsumption"}
        assert set(task["blockConsumption"]) == {"resources", "credit"}
        for span in (
            task["blockConsumption"]["resources"],
            task["blockConsumption"]["credit"],
            task["machineConsumption"]["duration"],
            task["machineConsumption"]["credit"],
        ):
            assert span["min"] <= span["max"]
        assert task["machineConsumption"]["credit"]["min"] >= 1
        assert task["machineConsumption"]["duration"]["min"] > 1000
    assert data["s2-superresolution:1"]["blockConsumption"]["resources"]["unit"] == "MEGABYTE"


def test_estimation_follows_the_area_and_the_price(shared_service):
    data = estimate(shared_service, NDVI_WORKFLOW, PLEIADES_INPUT).json()["data"]
    image, index = data["oneatlas-pleiades-primary:1"]["blockConsumption"], data["ndvi:1"]["blockConsumption"]
    assert image["resources"]["min"] == pytest.approx(2.0114, abs=0.001)
    assert image["credit"]["min"] == 2012
    assert image["resources"]["unit"] == "SQUARE_KM"
    assert index["credit"]["min"] == 51


def test_estimation_refuses_a_wrong_input(shared_service):
    inputs = published_input()
    inputs["aws-s2-l2a:1"]["limit"] = 0
    assert estimate(shared_service, SUPERRESOLUTION_WORKFLOW, inputs).status_code == 400
    assert shared_service.call("POST", "estimate/job", json={"tasks": [], "inputs": {}}).status_code == 400
    unknown = {"tasks": [{"name": "a:1", "blockId": "x", "parentName": None}], "inputs": {"a:1": {}}}
    assert shared_service.call("POST", "estimate/job", json=unknown).status_code == 404


def test_an_area_above_the_limit_of_live_jobs_is_priced_but_not_run(shared_service):
    inputs = published_input()
    corners = [[15, 37], [15.2, 37], [15.2, 37.2], [15, 37.2], [15, 37]]
    for values in (inputs["aws-s2-l2a:1"], inputs["s2-superresolution:1"]):
        values.update({name: None for name in values if name in ("intersects", "bbox", "contains")})
        values["contains"] = {"type": "Polygon", "coordinates": [corners]}
    refused = shared_service.submit(SUPERRESOLUTION_WORKFLOW, inputs)
    assert (refused.status_code, "maximum is 100 sqkm" in refused.text) == (400, True)
    low, high = totals(estimate(shared_service, SUPERRESOLUTION_WORKFLOW, inputs).json()["data"])
    assert 0 < low < high


def test_minimum_is_held_while_a_live_job_runs_and_the_charge_lies_in_the_estimation(serve):
    gate = Gate()
    service = serve(runners={**default_runners(), AWS: gate})
    low, high = totals(estimate(service, SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"])
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    assert service.balance() == 10_000 - low
    gate.opened.set()
    assert service.ended(job_id)["status"] == "SUCCEEDED"
    used = service.get(f"jobs/{job_id}/credits")["creditsUsed"]
    assert low <= used <= high
    assert service.balance() == 10_000 - used
    assert service.get(f"workflows/{service.workflow(SUPERRESOLUTION_WORKFLOW)}/credits") == {"creditsSpent": used}
    assert totals(service.get(f"jobs/{job_id}/estimate")) == (low, high)


def test_credits_of_a_job_are_told_task_by_task(service):
    job = service.run(NDVI_WORKFLOW, PLEIADES_INPUT)
    data = service.get(f"jobs/{job['id']}/credits")
    assert data["jobId"] == job["id"]
    assert data["projectId"] == service.entrance.project_id
    assert data["creditsUsed"] == sum(task["creditsUsed"] for task in data["tasks"])
    for task in data["tasks"]:
        machine, block = task["machineConsumption"], task["blockConsumption"]
        assert task["creditsUsed"] == machine["creditsUsed"] + block["creditsUsed"]
        assert machine["machineConsumption"]["duration"]["min"] == machine["machineConsumption"]["duration"]["max"]
        assert machine["jobRun"]["jobTaskId"] == task["id"]
        assert block["blockConsumption"]["unit"] == "SQUARE_METERS"
        assert block["blockConsumption"]["quantity"] > 2_000_000


def test_test_query_costs_and_holds_nothing(serve):
    gate = Gate()
    service = serve(runners={**default_runners(), AWS: gate})
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, as_test_query(published_input())).json()["data"]["id"]
    assert service.balance() == 10_000
    gate.opened.set()
    service.ended(job_id)
    assert service.balance() == 10_000
    assert service.get(f"jobs/{job_id}/credits")["creditsUsed"] == 0


def test_only_tasks_that_succeeded_are_charged(serve):
    def failing(task):
        raise RunnerError("WRONG_INPUT_ERROR", "no SAFE folder")

    service = serve(runners={**default_runners(), SUPERRESOLUTION: failing})
    job = service.run(SUPERRESOLUTION_WORKFLOW, published_input())
    assert job["status"] == "FAILED"
    first, second = service.get(f"jobs/{job['id']}/credits")["tasks"]
    assert first["creditsUsed"] == 1
    assert second == {
        "id": second["id"],
        "displayId": second["id"][:8],
        "creditsUsed": 0,
        "machineConsumption": None,
        "blockConsumption": None,
    }
    assert service.balance() == 9_999


def test_cancelled_job_gives_back_what_was_held(serve):
    gate = Gate()
    service = serve(runners={**default_runners(), SUPERRESOLUTION: gate})
    job_id = service.submit(SUPERRESOLUTION_WORKFLOW, published_input()).json()["data"]["id"]
    assert gate.entered.wait(30)
    service.call("POST", f"jobs/{job_id}/cancel")
    service.ended(job_id)
    assert service.balance() == 9_999
    assert service.get(f"jobs/{job_id}/credits")["creditsUsed"] == 1


def test_live_jobs_are_refused_below_the_floor_and_test_queries_are_not(service):
    account = service.services.accounts.project(service.entrance.project_id).account_id
    service.services.credits.add_purchase(account, -9_001)
    assert service.balance() == 999
    answer = service.submit(SUPERRESOLUTION_WORKFLOW, published_input())
    assert answer.status_code == 403
    assert answer.json()["error"] == {"code": 403, "message": "Insufficient credits to run job", "details": None}
    assert service.run(SUPERRESOLUTION_WORKFLOW, as_test_query(published_input()))["status"] == "SUCCEEDED"
    assert service.get("jobs")[0]["mode"] == "DRY_RUN"


def test_job_dearer_than_the_balance_is_refused(service):
    account = service.services.accounts.project(service.entrance.project_id).account_id
    service.services.credits.add_purchase(account, -8_500)
    assert service.submit(NDVI_WORKFLOW, PLEIADES_INPUT).status_code == 403
    assert service.submit(ANALYTIC_WORKFLOW, {"esa-s2-l2a-gtiff-analytic:1": {"bbox": [15, 37, 15.1, 37.1]}}).ok


def test_history_is_paged_and_bounded_by_dates(service):
    for _ in range(2):
        service.run(SUPERRESOLUTION_WORKFLOW, published_input(), "coast")
    page = service.get("/accounts/me/credits/history?page=0&size=3&sort=createdAt,desc")
    assert (page["totalElements"], page["totalPages"], page["numberOfElements"]) == (5, 2, 3)
    assert (page["first"], page["last"], page["empty"]) == (True, False, False)
    entry = page["content"][0]
    assert entry["type"] == "JOB_TASK"
    assert entry["delta"] < 0
    consumption = entry["details"]["consumption"]
    assert consumption["jobName"] == "coast"
    assert consumption["creditsUsed"] == -entry["delta"]
    rest = service.get("/accounts/me/credits/history?page=1&size=3&sort=createdAt,desc")
    assert rest["last"] is True
    assert rest["content"][-1]["type"] == "CREDIT_PURCHASE"
    assert service.get("/accounts/me/credits/history?to=2020-01-01")["empty"] is True
    assert service.get("/accounts/me/credits/history?from=2020-01-01T00:00:00Z&size=2000")["totalElements"] == 5
    assert service.call("GET", "/accounts/me/credits/history?from=yesterday").status_code == 400
    everything = service.get("/accounts/me/credits/history?size=2000")["content"]
    assert sum(entry["delta"] for entry in everything) == service.balance()


def test_machines_cost_at_least_a_minute_and_a_credit():
    block = Catalogue.load().by_name("s2-superresolution")
    fast = replace(block, machine="GPU_NVIDIA_TESLA_P100")
    assert [machine_credits(fast, ms) for ms in (1, 60_000, 61_000, 3_600_000)] == [5, 5, 5, 258]
    assert machine_credits(replace(block, machine="SMALL"), 433_000) == 1
    assert machine_credits(block, 433_000) == 12


class CountingArchive(OneSceneArchive):
    def __init__(self):
        self.queries = []

    def search(self, query):
        self.queries.append(query)
        return super().search(query)


def test_scenes_of_a_configuration_are_searched_once_and_again_when_time_has_passed():
    archive, moment = CountingArchive(), [0.0]
    counter = SceneCounter(lambda: archive, default_runners, lambda: moment[0])
    block = Catalogue.load().by_name("oneatlas-pleiades-primary")
    parameters = block.with_defaults({"contains": AOI, "limit": 3, "max_cloud_cover": 20})
    first = counter(block, parameters)
    assert first == counter(block, parameters)
    assert (first.scenes, len(archive.queries)) == (1, 1)
    query = archive.queries[0]
    assert (query.sensor, query.relation, query.limit, query.max_cloud_cover) == ("pleiades", "contains", 3, 20.0)
    counter(block, {**parameters, "limit": 4})
    assert len(archive.queries) == 2
    moment[0] = 1000.0
    counter(block, parameters)
    assert len(archive.queries) == 3


def test_continents_are_not_searched_for_an_estimation():
    archive = CountingArchive()
    counter = SceneCounter(lambda: archive, default_runners)
    block = Catalogue.load().by_name("aws-s2-l2a")
    assert counter(block, block.with_defaults({"bbox": [0, 30, 40, 60]})) is None
    assert archive.queries == []
