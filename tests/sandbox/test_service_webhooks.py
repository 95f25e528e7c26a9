"""Webhooks: kept for the workspace, delivered to this machine only, signed."""

from __future__ import annotations

import pytest
from service_kit import ANALYTIC_WORKFLOW, AOI, wait_for
from webhook_receiver import Receiver

from up42_plugin.sandbox import notifier

INPUT = {"esa-s2-l2a-gtiff-analytic:1": {"intersects": AOI}}
UNKNOWN = "abababab-aaaa-4bbb-8ccc-000000000201"


@pytest.fixture
def listener():
    with Receiver() as receiver:
        yield receiver


def hooks_path(service):
    return f"/workspaces/{service.get('/users/me')['id']}/webhooks"


def create(service, **members):
    form = {"name": "alerts", "url": "https://hooks.example.org/up42", "events": ["job.status"], **members}
    return service.call("POST", hooks_path(service), json=form)


def test_webhooks_are_created_read_changed_and_deleted(service):
    created = create(service, secret="s3cr3t", active=True).json()["data"]
    assert set(created) == {"id", "url", "name", "active", "events", "secret", "createdAt", "updatedAt"}
    path = f"{hooks_path(service)}/{created['id']}"
    assert service.get(path) == created
    form = {"name": "other", "url": created["url"], "events": ["job.status", "order.status"], "active": False}
    changed = service.call("PUT", path, json=form).json()["data"]
    assert (changed["name"], changed["events"], changed["active"], changed["secret"]) == (
        "other",
        ["job.status", "order.status"],
        False,
        None,
    )
    assert service.get(hooks_path(service)) == [changed]
    deleted = service.call("DELETE", path, json={})
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert service.call("GET", path).status_code == 404
    assert service.get(hooks_path(service)) == []


def test_webhook_is_not_active_unless_told(service):
    assert create(service).json()["data"]["active"] is False


@pytest.mark.parametrize(
    "members",
    [
        {"name": ""},
        {"url": "http://hooks.example.org/up42"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "https://"},
        {"url": 5},
        {"url": "https://h:99999999/"},
        {"events": []},
        {"events": "job.status"},
        {"events": ["job.unknown"]},
        {"secret": 5},
    ],
)
def test_bad_webhooks_are_refused(service, members):
    answer = create(service, **members)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


def test_foreign_workspaces_and_unknown_webhooks_are_404(shared_service):
    assert shared_service.call("GET", f"/workspaces/{UNKNOWN}/webhooks").status_code == 404
    for method in ("GET", "DELETE"):
        assert shared_service.call(method, f"{hooks_path(shared_service)}/{UNKNOWN}").status_code == 404


def test_events_are_listed(shared_service):
    events = shared_service.get("/webhooks/events")
    assert [event["name"] for event in events] == ["job.status", "order.status"]
    assert all(set(event) == {"name", "title", "category", "description", "documentation"} for event in events)


def test_status_changes_are_delivered_in_order(service, listener):
    assert create(service, url=listener.url, active=True).ok
    create(service, url=listener.url, active=False)
    create(service, url=listener.url, active=True, events=["order.status"])
    job = service.run(ANALYTIC_WORKFLOW, INPUT)
    wait_for(lambda: len(listener.deliveries) >= 3)
    events = [delivery.event for delivery in listener.deliveries]
    assert [event["event"] for event in events] == ["job.status"] * 3
    assert [event["body"]["status"] for event in events] == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert {event["body"]["jobId"] for event in events} == {job["id"]}
    assert {event["body"]["projectId"] for event in events} == {service.entrance.project_id}
    assert {delivery.path for delivery in listener.deliveries} == {"/hook?a=b"}


def test_delivery_is_signed_with_the_secret(service, listener):
    create(service, url=listener.url, active=True, secret="s3cr3t")
    service.run(ANALYTIC_WORKFLOW, INPUT)
    wait_for(lambda: listener.deliveries)
    delivery = listener.deliveries[0]
    assert delivery.signed_with("s3cr3t")
    assert not delivery.signed_with("another")
    assert delivery.headers["content-type"] == "application/json"
    assert int(delivery.headers["content-length"]) == len(delivery.body)


def test_delivery_without_secret_is_not_signed(service, listener):
    create(service, url=listener.url, active=True)
    service.run(ANALYTIC_WORKFLOW, INPUT)
    wait_for(lambda: listener.deliveries)
    assert not listener.deliveries[0].signed


def test_refused_delivery_is_tried_again():
    sent = []
    teller = notifier.Notifier(lambda webhook, event: sent.append(event) or len(sent) > 1, pause_s=0.01)
    teller.tell(None, {"number": 1})
    teller.tell(None, {"number": 2})
    wait_for(lambda: len(sent) == 3)
    assert [event["number"] for event in sent] == [1, 1, 2]
    teller.close()


def test_test_deliveries_are_counted(service, listener):
    created = create(service, url=listener.url, events=["job.status", "order.status"]).json()["data"]
    listener.statuses = [200, 500]
    result = service.call("POST", f"{hooks_path(service)}/{created['id']}/tests", json={}).json()["data"]
    assert (result["testsRun"], result["testsSucceeded"], result["testsFailed"]) == (2, 1, 1)
    assert [delivery.event["event"] for delivery in listener.deliveries] == ["job.status", "order.status"]
    told = [(test["eventName"], test["success"], test["response"]["status"]) for test in result["tests"]]
    assert told == [("job.status", True, 200), ("order.status", False, 500)]


def test_a_test_says_why_nobody_answered(service):
    with Receiver() as gone:
        url = gone.url
    created = create(service, url=url).json()["data"]
    result = service.call("POST", f"{hooks_path(service)}/{created['id']}/tests", json={}).json()["data"]
    (test,) = result["tests"]
    assert (test["success"], test["response"], test["message"]) == (False, None, "Nobody listens at this address")


def test_nothing_is_sent_off_this_machine(service, monkeypatch):
    monkeypatch.setattr(notifier, "_connection", lambda address: pytest.fail(f"connects to {address}"))
    created = create(service, active=True).json()["data"]
    result = service.call("POST", f"{hooks_path(service)}/{created['id']}/tests", json={}).json()["data"]
    assert (result["testsRun"], result["testsSucceeded"]) == (1, 0)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:1/", True),
        ("http://localhost/", True),
        ("http://[::1]:5/", True),
        ("http://127.1.2.3/", True),
        ("http://10.0.0.1/", False),
        ("https://127.0.0.1.example.org/", False),
        ("https://localhost.example.org/", False),
    ],
)
def test_loopback_is_recognised(url, here):
    assert notifier.is_loopback(url) is here
