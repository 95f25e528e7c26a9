"""Every call of the classic client: what it asks for, and what it makes of the answer."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any, Dict, Iterator

import pytest
from api_kit import TokenDesk, Waits, tokens_for, transport_to
from scripted_server import Reply, ScriptedServer, data, error

from up42_plugin.api import errors
from up42_plugin.api.calls import Call
from up42_plugin.api.classic.client import ClassicClient
from up42_plugin.api.classic.credits import CreditPage
from up42_plugin.api.classic.estimates import Bounds
from up42_plugin.api.classic.projects import Setting
from up42_plugin.api.classic.webhooks import WebhookInfo
from up42_plugin.api.classic.workflows import NewTask

UTC = timezone.utc
BLOCK: Dict[str, Any] = {"id": "b1", "name": "aws-s2-l2a", "type": "DATA", "somethingNew": {"x": 1}}
JOB: Dict[str, Any] = {
    "id": "j1",
    "status": "RUNNING",
    "name": None,
    "createdAt": "2026-11-20T10:00:00.1Z",
    "startedAt": "2026-11-20T10:00:05Z",
    "finishedAt": None,
    "mode": "DRY_RUN",
    "workflowId": "w1",
    "workflowName": "W",
    "inputs": {"a:1": {}, "config": {"mode": "DRY_RUN"}},
    "createdBy": {"type": "API_KEY"},
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def client(server: ScriptedServer) -> ClassicClient:
    return ClassicClient(transport_to(server.address, Waits()), "p1")


# -- projects


def test_a_project_is_read_from_what_little_is_sure(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/projects/p1", data({"name": "Coast", "workspaceId": "ws", "createdAt": "2022-06-01T09:00:00Z"}))
    project = client.projects.get()
    assert (project.id, project.name, project.workspace_id) == ("p1", "Coast", "ws")
    server.on("GET", "/projects/p1", data({"workspaceId": "ws"}))
    with pytest.raises(errors.AnswerError) as caught:
        client.projects.get()
    assert caught.value.detail == "data.name is missing"


def test_who_is_signed_in(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/users/me", data({"id": "u1", "email": "x@example.org"}))
    assert client.projects.account() == "u1"


SETTINGS = [
    {"id": "1", "name": "MAX_CONCURRENT_JOBS", "value": "1", "range": {"min": 1, "max": 10}},
    {"id": "2", "name": "JOB_QUERY_MAX_AOI_SIZE", "value": "100"},
]


def test_settings_come_as_numbers_with_their_ranges(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/projects/p1/settings", data(SETTINGS))
    assert client.projects.settings() == (
        Setting("MAX_CONCURRENT_JOBS", 1, 1, 10),
        Setting("JOB_QUERY_MAX_AOI_SIZE", 100, None, None),
    )


def test_settings_are_changed_by_the_newer_form_with_all_values(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/projects/p1/settings", data(SETTINGS))
    server.on("POST", "/projects/p1/settings", Reply(201, {"data": SETTINGS, "error": None}))
    client.projects.set_settings({"MAX_CONCURRENT_JOBS": 5})
    (seen,) = server.requests("POST")
    assert seen.json() == {"settings": {"MAX_CONCURRENT_JOBS": "5", "JOB_QUERY_MAX_AOI_SIZE": "100"}}


@pytest.mark.parametrize("status", [404, 405])
def test_settings_are_changed_by_the_older_form_where_the_newer_is_not_known(
    server: ScriptedServer, client: ClassicClient, status: int
) -> None:
    server.on("GET", "/projects/p1/settings", data(SETTINGS))
    server.on("POST", "/projects/p1/settings", error(status, "no such method"))
    server.on("PUT", "/projects/p1/settings", data(SETTINGS))
    client.projects.set_settings({"MAX_CONCURRENT_JOBS": 5})
    (seen,) = server.requests("PUT")
    assert seen.json() == [
        {"name": "MAX_CONCURRENT_JOBS", "value": 5},
        {"name": "JOB_QUERY_MAX_AOI_SIZE", "value": 100},
    ]


def test_a_setting_out_of_its_range_is_refused_in_the_services_words(
    server: ScriptedServer, client: ClassicClient
) -> None:
    server.on("GET", "/projects/p1/settings", data(SETTINGS))
    server.on("POST", "/projects/p1/settings", error(400, 'Field "list[1].value" must be in range Range[1,10]'))
    with pytest.raises(errors.ValidationError, match="must be in range"):
        client.projects.set_settings({"MAX_CONCURRENT_JOBS": 100})
    assert server.requests("PUT") == []


# -- blocks


def test_blocks_are_listed_with_and_without_sign_in(server: ScriptedServer) -> None:
    TokenDesk(server)
    server.on("GET", "/blocks", data([BLOCK]))
    server.on("GET", "/marketplace/blocks", data([BLOCK, {**BLOCK, "id": "b2"}]))
    client = ClassicClient(transport_to(server.address, tokens=tokens_for()), "p1")
    assert [block.id for block in client.blocks.list()] == ["b1"]
    assert [block.id for block in client.blocks.marketplace()] == ["b1", "b2"]
    assert "Authorization" not in server.requests("GET", "/marketplace/blocks")[0].headers


def test_a_whole_block_is_read(server: ScriptedServer, client: ClassicClient) -> None:
    block = {
        **BLOCK,
        "displayName": "Sentinel-2",
        "version": "1.0.10",
        "provider": "ESA",
        "tags": ["Optical"],
        "parameters": {"limit": {"type": "integer", "default": 1}, "broken": None},
        "capabilities": {"input": {}, "output": {"raster": {}}},
        "isDryRunSupported": True,
        "machineName": "SMALL",
        "metadata": {"blockPricingStrategy": {"name": "simple", "unit": "SCENE", "direction": "OUTPUT", "credits": 3}},
        "containerUrl": None,
    }
    server.on("GET", "/blocks/b1", data(block))
    found = client.blocks.get("b1")
    assert (found.title, found.version, found.dry_run, found.machine) == ("Sentinel-2", "1.0.10", True, "SMALL")
    assert found.parameters == {"limit": {"type": "integer", "default": 1}}
    assert found.price is not None
    assert (found.price.credits, found.price.unit, found.price.direction) == (3, "SCENE", "OUTPUT")


@pytest.mark.parametrize(
    ("metadata", "price"),
    [
        ({}, None),
        (None, None),
        ({"pricingStrategy": {"type": "SQUARE_KM_OUTPUT", "credits": 0.5}}, (0.5, "SQUARE_KM", "OUTPUT", {})),
        (
            {
                "pricingStrategy": {"type": "SCENE_INPUT", "credits": 9},
                "blockPricingStrategy": {"unit": "MEGABYTE", "direction": "OUTPUT", "credits": 1},
            },
            (1, "MEGABYTE", "OUTPUT", {}),
        ),
        (
            {
                "blockPricingStrategy": {
                    "name": "job_volume_tiered",
                    "unit": "TILE",
                    "direction": "OUTPUT",
                    "thresholdToCreditsMap": {"1000": {"credits": 3.5}, "0": {"credits": 5}, "x": None},
                }
            },
            (5, "TILE", "OUTPUT", {"0": 5, "1000": 3.5}),
        ),
        ({"blockPricingStrategy": {"name": "new kind"}}, None),
    ],
)
def test_prices_are_read_from_either_strategy(
    server: ScriptedServer, client: ClassicClient, metadata: Any, price: Any
) -> None:
    server.on("GET", "/blocks/b1", data({**BLOCK, "metadata": metadata}))
    found = client.blocks.get("b1").price
    assert (found and (found.credits, found.unit, found.direction, found.tiers)) == price


def test_coverage_is_fetched_from_where_it_lies_without_a_token(server: ScriptedServer) -> None:
    TokenDesk(server)
    server.on("GET", "/blocks/b1/coverage", data({"url": f"{server.address}/coverage.geojson?Signature=hunter2"}))
    server.on("GET", "/coverage.geojson", Reply(200, {"type": "FeatureCollection", "features": []}))
    client = ClassicClient(transport_to(server.address, tokens=tokens_for()), "p1")
    assert client.blocks.coverage("b1")["type"] == "FeatureCollection"
    assert "Authorization" not in server.requests("GET", "/coverage.geojson")[0].headers
    server.on("GET", "/coverage.geojson", error(403, "expired"))
    with pytest.raises(errors.AccessError) as caught:
        client.blocks.coverage("b1")
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize(
    ("reply", "valid", "said"),
    [
        (data({"valid": True, "errors": []}), True, ()),
        (data({"valid": False, "errors": ["#: a"]}), False, ("#: a",)),
        (Reply(400, {"error": None, "data": {"valid": False, "errors": ["#: a", "#: b"]}}), False, ("#: a", "#: b")),
        (error(400, "#: required key [name] not found"), False, ("#: required key [name] not found",)),
        (Reply(400, {"error": None, "data": None}), False, ("not valid",)),
    ],
)
def test_validators_report_in_either_of_their_forms(
    server: ScriptedServer, client: ClassicClient, reply: Reply, valid: bool, said: Any
) -> None:
    server.on("POST", "/validate-schema/block", reply)
    server.on("POST", "/validate-schema/job-input", reply)
    for report in (client.blocks.validate_manifest({"name": ""}), client.blocks.validate_job_input({"a:1": {}})):
        assert (report.valid, report.errors) == (valid, said)


# -- workflows

WORKFLOW = {"id": "w1", "name": "W", "description": "", "createdAt": "2022-06-01T09:10:00Z", "totalProcessingTime": 0}


def test_workflows_are_listed_made_read_changed_and_deleted(server: ScriptedServer, client: ClassicClient) -> None:
    path = "/projects/p1/workflows"
    server.on("GET", path, data([WORKFLOW]))
    server.on("POST", path, data(WORKFLOW))
    server.on("GET", f"{path}/w1", data(WORKFLOW))
    server.on("PUT", f"{path}/w1", data({**WORKFLOW, "name": "New"}))
    server.on("DELETE", f"{path}/w1", Reply(204))
    assert client.workflows.list()[0].id == "w1"
    assert client.workflows.create("W", "why").created == datetime(2022, 6, 1, 9, 10, tzinfo=UTC)
    assert client.workflows.get("w1").name == "W"
    assert client.workflows.update("w1", "New", "why").name == "New"
    client.workflows.delete("w1")
    assert server.requests("POST")[0].json() == {"name": "W", "description": "why"}
    assert server.requests("PUT")[0].json() == {"name": "New", "description": "why"}


def test_an_empty_answer_to_a_change_is_followed_by_reading(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("PUT", "/projects/p1/workflows/w1", Reply(200, {"data": {}, "error": {}}))
    server.on("GET", "/projects/p1/workflows/w1", data({**WORKFLOW, "name": "New"}))
    assert client.workflows.update("w1", "New", "").name == "New"


def task(number: int, *parents: str) -> Dict[str, Any]:
    return {
        "id": f"t{number}",
        "name": f"block:{number}",
        "parentsIds": list(parents),
        "blockName": "block",
        "blockVersionTag": f"{number}.0",
        "block": {**BLOCK, "id": f"b{number}"},
        "environment": None,
    }


def test_tasks_come_in_the_order_of_the_chain(server: ScriptedServer, client: ClassicClient) -> None:
    path = "/projects/p1/workflows/w1/tasks"
    server.on("GET", path, data([task(3, "t2"), task(1), task(2, "t1")]))
    tasks = client.workflows.tasks("w1")
    assert [found.name for found in tasks] == ["block:1", "block:2", "block:3"]
    assert [found.block_version for found in tasks] == ["1.0", "2.0", "3.0"]
    server.on("GET", path, data([task(1, "t2"), task(2, "t1"), task(3, "elsewhere")]))
    assert {found.name for found in client.workflows.tasks("w1")} == {"block:1", "block:2", "block:3"}
    server.on("GET", path, data([]))
    assert client.workflows.tasks("w1") == ()


def test_tasks_are_replaced_as_a_whole(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("POST", "/projects/p1/workflows/w1/tasks", data([task(1)]))
    client.workflows.replace_tasks("w1", [NewTask("a:1", None, "b1"), NewTask("c:1", "a:1", "b2", "2.0", "e1")])
    assert server.requests("POST")[0].json() == [
        {"name": "a:1", "parentName": None, "blockId": "b1"},
        {"name": "c:1", "parentName": "a:1", "blockId": "b2", "blockVersionTag": "2.0", "environmentId": "e1"},
    ]


def test_a_chain_that_does_not_fit_is_refused_with_the_reason(server: ScriptedServer, client: ClassicClient) -> None:
    body = {
        "data": None,
        "error": {
            "code": 422,
            "message": "Workflow cannot be saved because it contains errors.",
            "capabilityMismatches": [{"workflowTaskName": "tiling:1", "missingInputCapabilities": ["raster"]}],
        },
    }
    server.on("POST", "/projects/p1/workflows/w1/tasks", Reply(422, body))
    with pytest.raises(errors.ValidationError) as caught:
        client.workflows.replace_tasks("w1", [])
    assert "tiling:1" in caught.value.detail


def test_compatible_blocks_after_before_between_and_at_the_start(server: ScriptedServer, client: ClassicClient) -> None:
    found = {"blocks": [{"blockId": "b3", "name": "tiling", "versionTag": "2.0.0"}]}
    server.on("GET", "/projects/p1/workflows/w1/compatible-blocks", data(found))
    assert client.workflows.compatible_blocks("w1")[0].version == "2.0.0"
    client.workflows.compatible_blocks("w1", "a:1")
    client.workflows.compatible_blocks("w1", before=["b:1", "b:2"])
    client.workflows.compatible_blocks("w1", "a:1", ["b:1"])
    assert [seen.query for seen in server.requests()] == [
        [],
        [("parentTaskName", "a:1")],
        [("childTaskName", "b:1"), ("childTaskName", "b:2")],
        [("parentTaskName", "a:1"), ("childTaskName", "b:1")],
    ]


def test_credits_of_a_workflow_are_asked_for_the_tokens_account(server: ScriptedServer) -> None:
    TokenDesk(server, iat=0, exp=300, account_id="acc")
    server.on("GET", "/things", data([]))
    server.on("GET", "/projects/p1/workflows/w1/credits", data({"creditsSpent": 1234}))
    client = ClassicClient(transport_to(server.address, tokens=tokens_for()), "p1")
    client.transport.json(Call("GET", "/things"))
    assert client.workflows.credits_spent("w1") == 1234
    assert client.workflows.credits_spent("w1", "other") == 1234
    assert [seen.query for seen in server.requests("GET", "/projects/p1/workflows/w1/credits")] == [
        [("account_id", "acc")],
        [("account_id", "other")],
    ]


# -- estimates

SHARE = {
    "blockConsumption": {"resources": {"unit": "MEGABYTE", "min": 8.2, "max": 11.9}, "credit": {"min": 9, "max": 12}},
    "machineConsumption": {"duration": {"min": 80930, "max": 428927}, "credit": {"min": 3, "max": 12}},
}


def test_an_estimate_is_asked_with_tasks_and_inputs_and_read_in_their_order(
    server: ScriptedServer, client: ClassicClient
) -> None:
    server.on("POST", "/projects/p1/estimate/job", data({"c:1": SHARE, "a:1": SHARE}))
    tasks = [NewTask("a:1", None, "b1", "1.0"), NewTask("c:1", "a:1", "b2", "2.0")]
    shares = client.estimates.of(tasks, {"a:1": {}, "c:1": {}})
    assert [share.task for share in shares] == ["a:1", "c:1"]
    assert shares[0].block_credits == Bounds(9, 12)
    assert shares[0].machine_credits == Bounds(3, 12)
    assert shares[0].duration == Bounds(80930, 428927)
    assert (shares[0].unit, shares[0].amount) == ("MEGABYTE", Bounds(8.2, 11.9))
    body = server.requests()[0].json()
    assert set(body) == {"tasks", "inputs"}
    assert body["tasks"][1] == {"name": "c:1", "parentName": "a:1", "blockId": "b2", "blockVersionTag": "2.0"}


def test_an_estimate_without_a_price_is_no_estimate(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/projects/p1/jobs/j1/estimate", data({"a:1": {**SHARE, "blockConsumption": {"resources": None}}}))
    with pytest.raises(errors.AnswerError) as caught:
        client.estimates.of_job("j1")
    assert caught.value.detail == "data.a:1.blockConsumption.credit is missing"


@pytest.mark.parametrize("status", [200, 204])
def test_a_job_can_be_checked_without_running(server: ScriptedServer, client: ClassicClient, status: int) -> None:
    server.on("POST", "/projects/p1/jobs/validate", Reply(status), error(400, "missing tasks"))
    client.estimates.validate([NewTask("a:1", None, "b1")], {"a:1": {}})
    assert set(server.requests()[0].json()) == {"tasks", "input"}
    with pytest.raises(errors.ValidationError, match="missing tasks"):
        client.estimates.validate([], {})


# -- jobs


def test_jobs_are_listed_read_and_renamed(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/projects/p1/jobs", data([JOB]), data([]))
    server.on("GET", "/projects/p1/jobs/j1", data(JOB))
    server.on("PUT", "/projects/p1/workflows/w1/jobs/j1", data({**JOB, "name": "new"}))
    (job,) = client.jobs.list()
    assert (job.id, job.name, job.status, job.mode, job.workflow_id) == ("j1", "", "RUNNING", "DRY_RUN", "w1")
    assert job.created == datetime(2026, 11, 20, 10, 0, 0, 100000, tzinfo=UTC)
    assert job.finished is None
    assert client.jobs.list(1) == ()
    assert [seen.query for seen in server.requests()] == [
        [("page", "0"), ("sort", "createdAt,desc")],
        [("page", "1"), ("sort", "createdAt,desc")],
    ]
    assert client.jobs.get("j1").workflow_name == "W"
    assert client.jobs.rename("w1", "j1", "new").name == "new"


def test_a_job_without_status_names_it_with_its_place(server: ScriptedServer, client: ClassicClient) -> None:
    broken = {name: value for name, value in JOB.items() if name != "status"}
    server.on("GET", "/projects/p1/jobs", data([JOB, JOB, JOB, broken]))
    with pytest.raises(errors.AnswerError) as caught:
        client.jobs.list()
    assert caught.value.detail == "data[3].status is missing"


def test_cancelling_a_job_is_tried_again_like_any_safe_call(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("POST", "/projects/p1/jobs/j1/cancel", Reply(503), Reply(204))
    client.jobs.cancel("j1")
    assert len(server.requests()) == 2


def test_tasks_logs_and_credits_of_a_job(server: ScriptedServer, client: ClassicClient) -> None:
    path = "/projects/p1/jobs/j1"
    tasks = [
        {"id": "t1", "name": "a:1", "status": "SUCCEEDED", "parentsIds": [], "block": {"name": "a", "type": "DATA"}},
        {"id": "t2", "name": "b:1", "status": "NOT_STARTED", "parentsIds": ["t1"], "block": None},
    ]
    server.on("GET", f"{path}/tasks", data(tasks))
    server.on("GET", f"{path}/tasks/t1/logs", Reply(200, "2026 - a - INFO - grün\n".encode() + b"\xff"))
    used = {"creditsUsed": 23, "tasks": [{"id": "t1", "creditsUsed": 1}, {"id": "t2", "creditsUsed": 22}]}
    server.on("GET", f"{path}/credits", data(used), data({"creditsUsed": 2}))
    found = client.jobs.tasks("j1")
    assert [(one.id, one.status, one.block_name) for one in found] == [
        ("t1", "SUCCEEDED", "a"),
        ("t2", "NOT_STARTED", "b"),
    ]
    assert client.jobs.logs("j1", "t1") == "2026 - a - INFO - grün\n\N{REPLACEMENT CHARACTER}"
    assert client.jobs.credits("j1").by_task_id == {"t1": 1, "t2": 22}
    assert client.jobs.credits("j1").used == 2


# -- outputs


def test_outputs_of_a_job_and_of_one_task(server: ScriptedServer, client: ClassicClient) -> None:
    collection = {"type": "FeatureCollection", "features": [], "extra": 1}
    server.on("GET", "/projects/p1/jobs/j1/outputs/data-json", Reply(200, collection))
    server.on("GET", "/projects/p1/jobs/j1/tasks/t1/outputs/data-json", Reply(200, {"type": "FeatureCollection"}))
    assert client.outputs.data_json("j1") == collection
    with pytest.raises(errors.AnswerError) as caught:
        client.outputs.data_json("j1", "t1")
    assert caught.value.detail == "data.json.features is missing"
    server.on("GET", "/projects/p1/jobs/j1/downloads/results", data({"url": "https://s.example.org/o?Signature=x"}))
    server.on("GET", "/projects/p1/jobs/j1/tasks/t1/downloads/results", data({"url": None}))
    assert client.outputs.download_url("j1").reveal() == "https://s.example.org/o?Signature=x"
    with pytest.raises(errors.AnswerError) as caught:
        client.outputs.download_url("j1", "t1")
    assert caught.value.detail == "data.url is missing"


def test_quicklook_names_are_escaped_in_the_path(server: ScriptedServer, client: ClassicClient) -> None:
    path = "/projects/p1/jobs/j1/tasks/t1/outputs/quicklooks"
    server.on("GET", path, data(["a b/c.jpg", 7]), data([]), data(None))
    server.on("GET", f"{path}/a%20b%2Fc.jpg", Reply(200, b"\xff\xd8\xff", {"Content-Type": "image/jpeg"}))
    (name,) = client.outputs.quicklook_names("j1", "t1")
    assert client.outputs.quicklook("j1", "t1", name) == b"\xff\xd8\xff"
    assert client.outputs.quicklook_names("j1", "t1") == ()
    with pytest.raises(errors.AnswerError):
        client.outputs.quicklook_names("j1", "t1")


# -- credits


def entry(delta: int, **details: Any) -> Dict[str, Any]:
    return {"type": "JOB_TASK", "createdAt": "2022-06-15T08:30:00Z", "delta": delta, "details": details}


def test_balance_and_history(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/accounts/me/credits/balance", data({"balance": 10693}))
    server.on(
        "GET",
        "/accounts/me/credits/history",
        data({"content": [entry(-12, description="d", consumption={"jobId": "j1"})], "totalPages": 2, "last": False}),
        data({"content": [entry(5)], "totalPages": 2, "last": True}),
    )
    assert client.credits.balance() == 10693
    entries = list(client.credits.history(date(2022, 6, 1), date(2022, 6, 30)))
    assert [(one.delta, one.description) for one in entries] == [(-12, "d"), (5, "")]
    assert entries[0].consumption == {"jobId": "j1"}
    queries = [dict(seen.query) for seen in server.requests("GET", "/accounts/me/credits/history")]
    assert [query["page"] for query in queries] == ["0", "1"]
    assert (queries[0]["from"], queries[0]["to"]) == ("2022-06-01", "2022-06-30")


def test_a_history_that_does_not_say_where_it_ends_ends(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/accounts/me/credits/history", data({"content": [entry(1)]}))
    page = client.credits.history_page(date(2022, 6, 1), date(2022, 6, 30))
    assert isinstance(page, CreditPage)
    assert page.last


# -- webhooks


def test_webhooks_of_a_workspace(server: ScriptedServer, client: ClassicClient) -> None:
    hook = {"id": "h1", "name": "n", "url": "https://h.example.org", "events": ["job.status"], "secret": "hush-hush"}
    path = "/workspaces/ws/webhooks"
    server.on("GET", "/webhooks/events", data([{"name": "job.status", "title": "T", "category": "job"}]))
    server.on("GET", path, data([hook, {**hook, "events": "job.status, order.status", "active": True}]))
    server.on("POST", path, Reply(201, {"data": hook, "error": None}))
    server.on("GET", f"{path}/h1", data(hook))
    server.on("PUT", f"{path}/h1", data({**hook, "active": True}))
    server.on("DELETE", f"{path}/h1", Reply(204))
    server.on("POST", f"{path}/h1/tests", data({"startedAt": "2022-06-11T10:05:00Z", "testsRun": 2, "new": 1}))
    assert client.webhooks.events()[0].name == "job.status"
    first, second = client.webhooks.list("ws")
    assert (first.active, first.events) == (False, ("job.status",))
    assert (second.active, second.events) == (True, ("job.status", "order.status"))
    assert "hush-hush" not in repr(first)
    new = WebhookInfo("n", "https://h.example.org", ("job.status",), secret="hush-hush")
    assert client.webhooks.create("ws", new).id == "h1"
    assert server.requests("POST", path)[0].json() == {
        "name": "n",
        "url": "https://h.example.org",
        "events": ["job.status"],
        "active": False,
        "secret": "hush-hush",
    }
    assert client.webhooks.update("ws", first).active
    assert client.webhooks.get("ws", "h1").secret == "hush-hush"
    assert client.webhooks.test("ws", "h1")["testsRun"] == 2
    client.webhooks.delete("ws", "h1")


# -- the envelope


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ([], "answer is not an object but list"),
        ({"error": None}, "data is missing"),
        ({"data": None, "error": None}, "data is missing"),
        ({"data": [], "error": None}, "data is not an object but list"),
        ({"data": {"balance": 1}, "error": {"code": 1}}, "a successful answer with an error inside"),
    ],
)
def test_what_is_wrong_with_the_envelope_is_named(
    server: ScriptedServer, client: ClassicClient, body: Any, detail: str
) -> None:
    server.on("GET", "/accounts/me/credits/balance", Reply(200, body))
    with pytest.raises(errors.AnswerError) as caught:
        client.credits.balance()
    assert caught.value.detail == detail


def test_an_empty_error_beside_data_is_no_error(server: ScriptedServer, client: ClassicClient) -> None:
    server.on("GET", "/accounts/me/credits/balance", Reply(200, {"data": {"balance": 1}, "error": {}}))
    assert client.credits.balance() == 1
