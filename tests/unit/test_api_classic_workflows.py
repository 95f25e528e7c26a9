"""Workflows and estimates: what the classic client asks for, and what it makes of the answers."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Dict, Iterator

import pytest
from api_kit import TokenDesk, Waits, tokens_for, transport_to
from scripted_server import Reply, ScriptedServer, data, error

from up42_plugin.api import errors
from up42_plugin.api.calls import Call
from up42_plugin.api.classic.client import ClassicClient
from up42_plugin.api.classic.estimates import Bounds
from up42_plugin.api.classic.workflows import NewTask

UTC = timezone.utc
BLOCK: Dict[str, Any] = {"id": "b1", "name": "aws-s2-l2a", "type": "DATA", "somethingNew": {"x": 1}}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def client(server: ScriptedServer) -> ClassicClient:
    return ClassicClient(transport_to(server.address, Waits()), "p1")


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
