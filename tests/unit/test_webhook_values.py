"""Webhooks without the service: addresses, secrets that stay hidden, and reports of tests."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from up42_plugin.api.calls import Call
from up42_plugin.api.errors import AnswerError
from up42_plugin.api.redaction import redact
from up42_plugin.core.service import Webhook
from up42_plugin.core.webhooks import (
    DeliveryReport,
    ListedWebhook,
    SecretChange,
    WebhookDraft,
    WebhookEvent,
    address_problem,
)

HOOK = Webhook("mine", "https://hooks.example.org/a?token=abc", ("job.status",), True, "hunter2", "h1")


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example.org",
        " https://hooks.example.org:8443/up42?a=b ",
        "http://127.0.0.1:8000/hook",
        "http://localhost/hook",
        "http://[::1]:9/",
        "https://münchen.example.org/",
    ],
)
def test_good_addresses(address):
    assert address_problem(address) == ""


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "Give the address"),
        ("hooks.example.org", "begin with https://"),
        ("https://", "name a host"),
        ("https:///path", "name a host"),
        ("ftp://127.0.0.1/", "begin with https://"),
        ("https://[::1/", "name a host"),
        ("https://hooks.example.org/a b", "blanks"),
        ("https://hooks.example.org:99999/", "port"),
        ("https://hooks.example.org:0/", "port"),
        ("https://hooks.example.org:http/", "port"),
        ("https://me@hooks.example.org/", "user name or password"),
        ("https://me:hunter2@hooks.example.org/", "user name or password"),
        ("https://hooks.example.org/#a", "#"),
        ("http://hooks.example.org/", "Only https://"),
        ("http://10.0.0.1/", "Only https://"),
        ("http://127.0.0.1.example.org/", "Only https://"),
    ],
)
def test_bad_addresses_get_a_sentence(address, words):
    assert words in address_problem(address)
    assert "hunter2" not in address_problem(address)


def test_what_is_shown_holds_no_secret():
    listed = ListedWebhook.of(HOOK)
    assert listed.signed
    assert listed.shown_url == "https://hooks.example.org/a?…"
    draft = WebhookDraft("n", "u", (), True, change=SecretChange.SET, secret="hunter2")
    call = Call("POST", "/webhooks", json={"secret": "hunter2"})
    for shown in (listed, draft, draft.webhook(), HOOK, call):
        assert "hunter2" not in repr(shown)


def test_the_secret_is_kept_set_or_removed():
    draft = WebhookDraft("n", "u", ("e",), True, "h1")
    assert draft.webhook("before").secret == "before"
    for change, secret in ((SecretChange.SET, "new"), (SecretChange.REMOVE, None)):
        changed = WebhookDraft("n", "u", ("e",), True, "h1", change, "new")
        assert changed.webhook("before") == Webhook("n", "u", ("e",), True, secret, "h1")


@pytest.mark.parametrize(
    "text",
    [
        '{"secret": "a\\"hunter2", "x": 1}',
        '{"name": "n", "secret": "correct, hunter2',
        "{'secret': 'correct, hunter2",
    ],
)
def test_secrets_in_broken_answers_are_taken_out(text):
    assert "hunter2" not in redact(text)


def test_events_are_called_by_their_titles():
    assert WebhookEvent.of({"name": "job.status", "title": "Job Status", "category": None}).label == "Job Status"
    assert WebhookEvent.of({"name": "job.status"}).label == "job.status"


def test_a_report_of_numbers_alone():
    report = DeliveryReport.of({"startedAt": "2022-06-11T10:05:00Z", "testsRun": 2, "testsSucceeded": 0})
    assert report == DeliveryReport(2, 0, datetime(2022, 6, 11, 10, 5, tzinfo=timezone.utc))
    assert not report.whole
    assert not DeliveryReport(0, 0).whole
    assert DeliveryReport(1, 1).whole
    with pytest.raises(AnswerError) as caught:
        DeliveryReport.of({"testsRun": 2})
    assert "testsSucceeded" in caught.value.detail


@pytest.mark.parametrize("response", [{"status": 503}, {"statusCode": 503}, 503, "503 Service Unavailable"])
def test_a_report_with_every_answer(response):
    tests = [
        {"startedAt": "2022-06-11T10:05:00Z", "eventName": "job.status", "success": False, "response": response},
        {"eventName": "order.status", "success": True, "message": " taken ", "response": None, "request": {}},
    ]
    report = DeliveryReport.of({"testsRun": 2, "testsSucceeded": 1, "tests": tests})
    first, second = report.deliveries
    assert (first.event, first.good, first.status) == ("job.status", False, 503)
    assert first.moment == datetime(2022, 6, 11, 10, 5, tzinfo=timezone.utc)
    assert (second.good, second.status, second.reason) == (True, 0, "taken")
