from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from up42_plugin.api import errors
from up42_plugin.api.redaction import origin, redact
from up42_plugin.api.refusals import Refusal, read_problem, retry_after

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=timezone.utc)


def refuse(status: int, body: Any, subject: str = "") -> errors.ServiceError:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Refusal(status, read_problem(content), "GET /x", subject).error(lambda text: text)


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (
            {"error": {"code": "UNAUTHORIZED", "message": "ACCESS_TOKEN_EXPIRED", "details": None}, "data": None},
            "UNAUTHORIZED",
            "ACCESS_TOKEN_EXPIRED",
        ),
        (
            {"data": None, "error": {"code": 403, "message": "Insufficient credits to run job"}},
            "403",
            "Insufficient credits to run job",
        ),
        ({"data": {}, "error": {"code": 422, "message": "Invalid", "details": "bbox"}}, "422", "Invalid: bbox"),
        (
            {"code": "NOT_FOUND", "message": "Collection not found", "details": "nope"},
            "NOT_FOUND",
            "Collection not found: nope",
        ),
        ({"title": "Bad Request", "status": 400, "schema-error": "data.inputs must"}, "400", "data.inputs must"),
        (
            {"title": "Unprocessable", "status": 422, "errors": [{"name": "A", "message": "b"}, {"name": "C"}]},
            "422",
            "Unprocessable; A: b; C",
        ),
        ({"type": "about:blank", "title": "Forbidden", "status": 403, "detail": "no role"}, "403", "no role"),
        (
            {"error": "invalid_grant", "error_description": "Invalid user credentials"},
            "invalid_grant",
            "Invalid user credentials",
        ),
        ({"error": "Not Found", "status": 404, "path": "/x"}, "Not Found", ""),
        (
            {"error": None, "data": {"valid": False, "errors": ["#: required key [name] not found"]}},
            "",
            "#: required key [name] not found",
        ),
        ({"errors": ["one", {"message": "two", "details": "three"}]}, "", "one; two: three"),
    ],
)
def test_every_error_shape_of_both_contracts_is_read(body: Any, code: str, message: str) -> None:
    problem = read_problem(json.dumps(body).encode())
    assert (problem.code, problem.message) == (code, message)
    assert problem.readable


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"no"',
        b"<html>502</html>",
        b"{}",
        b'{"data": null, "error": null}',
        b'{"error": {}}',
        b'{"status": 400}',
    ],
)
def test_bodies_that_say_nothing_are_not_readable(body: bytes) -> None:
    assert not read_problem(body).readable


def test_members_beside_the_message_go_to_the_detail_and_not_to_the_person() -> None:
    body = {
        "data": None,
        "error": {
            "code": 422,
            "message": "Workflow cannot be saved because it contains errors.",
            "invalidTaskNames": ["tiling:1"],
        },
    }
    error = refuse(422, body)
    assert "tiling:1" in error.detail
    assert "tiling:1" not in error.user_message
    assert "cannot be saved because it contains errors" in error.user_message


@pytest.mark.parametrize(
    ("status", "message", "kind", "text"),
    [
        (400, "Field bad", errors.ValidationError, "The service does not accept this: Field bad."),
        (415, "Content type", errors.ValidationError, "The service does not accept this: Content type."),
        (422, "Chain", errors.ValidationError, "The service does not accept this: Chain."),
        (409, "", errors.ValidationError, "The service does not accept this (409)."),
        (
            401,
            "expired",
            errors.AuthError,
            "The service no longer accepts this sign-in. Check the connection's settings.",
        ),
        (403, "Insufficient credits to run job", errors.QuotaError, "Not enough credits for this job."),
        (403, "No role", errors.AccessError, "This sign-in may not do that: No role."),
        (404, "Job not found", errors.NotFoundError, "This workflow no longer exists. Refresh."),
        (
            429,
            "Your project has too many non-finished jobs",
            errors.TooManyJobsError,
            "This project runs as many jobs as it may. Wait until one of them ends.",
        ),
        (429, "Too many requests", errors.RateLimitedError, "Too many requests. Try again in a minute."),
        (500, "boom", errors.ServerError, "UP42 has a problem (500). Nothing was charged. Try again."),
        (503, "", errors.ServerError, "UP42 has a problem (503). Nothing was charged. Try again."),
    ],
)
def test_each_status_becomes_its_error_with_a_sentence_for_the_person(status, message, kind, text) -> None:
    body = {"data": None, "error": {"code": status, "message": message, "details": None}} if message else b""
    error = refuse(status, body, "workflow")
    assert type(error) is kind
    assert error.user_message == text
    assert str(error) == text
    assert error.status == status
    assert error.detail.startswith(f"GET /x: {status}")
    assert message in error.detail


def test_the_rate_limit_says_how_long_to_wait() -> None:
    error = Refusal(429, read_problem(b""), "GET /x", wait=19.2).error(lambda text: text)
    assert isinstance(error, errors.RateLimitedError)
    assert error.retry_after == 19.2
    assert error.user_message == "Too many requests. Try again in 20 s."


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("20", 20.0),
        ("0", 0.0),
        (" 1.5 ", 1.5),
        ("-3", 0.0),
        ("Fri, 20 Nov 2026 12:00:30 GMT", 30.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("Friday, 20-Nov-26 12:00:10 GMT", 10.0),
        ("soon", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, seconds: Any) -> None:
    assert retry_after({"Retry-After": value}, NOW) == seconds


def test_long_messages_are_cut() -> None:
    assert len(refuse(400, {"message": "x" * 10_000}).detail) < 700


@pytest.mark.parametrize(
    "text",
    [
        "got https://user:hunter2secret@api.example.org/x",
        "see https://storage.example.org/o/output.tgz?GoogleAccessId=a&Expires=1&Signature=hunter2secret",
        "token eyJhbGciOi.hunter2secret.hunter2secret",
        "Authorization: Bearer hunter2secret",
        "authorization: basic hunter2secret",
        '{"access_token": "hunter2secret", "x": 1}',
        "X-Goog-Signature=hunter2secret&x=1",
        "password=hunter2secret&grant_type=password",
        "key hunter2secret was wrong",
    ],
)
def test_secrets_are_taken_out_of_texts(text: str) -> None:
    assert "hunter2secret" not in redact(text, ["hunter2secret"] if text.startswith("key") else [])


def test_ordinary_texts_stay_as_they_are() -> None:
    text = "Job not found for id 7 and projectId 1: see https://docs.example.org/errors/404, tokens are 5 min old"
    assert redact(text, ["", "ab"]) == text


def test_origins_show_neither_user_nor_path() -> None:
    assert origin("https://u:p@h.example.org:8443/a?b=c") == "https://h.example.org:8443"
    assert origin("http://[::1]:80/x") == "http://[::1]:80"
    assert origin("http://h:port/x") == "http://h"
