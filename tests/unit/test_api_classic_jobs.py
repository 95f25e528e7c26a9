"""Jobs, outputs, credits, webhooks: what the classic client asks for, and what it makes of the answers."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any, Dict, Iterator

import pytest
from api_kit import Waits, transport_to
from scripted_server import Reply, ScriptedServer, data

from up42_plugin.api import errors
from up42_plugin.api.classic.client import ClassicClient
from up42_plugin.api.classic.credits import CreditPage
from up42_plugin.api.classic.webhooks import WebhookInfo

UTC = timezone.utc
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
