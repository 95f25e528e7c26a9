"""What is known after a job was sent once: every kind of answer, and cancelling."""

from __future__ import annotations

import socket
import threading
from typing import Iterator, Type

import pytest
from api_kit import JOB, JOBS, TokenDesk, Worker, how_it_ended, never_time_out, send, tokens_for, transport_to
from scripted_server import RawServer, Reply, ScriptedServer, data, error, raw_server

from up42_plugin.api import errors
from up42_plugin.api.calls import Call
from up42_plugin.api.classic.client import ClassicClient
from up42_plugin.core.context import ThreadContext


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    never_time_out(monkeypatch)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


# -- answers


def test_an_accepted_job_is_read(server: ScriptedServer) -> None:
    server.on("POST", JOBS, data({**JOB, "unknown": 1}))
    assert send(server.address).id == "j1"
    (seen,) = server.requests()
    assert seen.query == [("name", "n #abcdefgh")]
    assert seen.json() == {"a:1": {}}


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_status_of_success_counts(server: ScriptedServer, status: int) -> None:
    server.on("POST", JOBS, Reply(status, {"data": JOB, "error": None}))
    assert send(server.address).id == "j1"


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "There were missing tasks/queries: c", errors.ValidationError),
        (403, "Insufficient credits to run job", errors.QuotaError),
        (403, "not yours", errors.AccessError),
        (404, "Workflow not found", errors.NotFoundError),
        (409, "conflict", errors.ValidationError),
        (415, "Content type", errors.ValidationError),
        (422, "invalid", errors.ValidationError),
        (429, "Your project has too many non-finished jobs", errors.TooManyJobsError),
        (429, "Too many requests", errors.RateLimitedError),
    ],
)
def test_a_readable_4xx_is_a_refusal(server: ScriptedServer, status: int, message: str, kind: Type[Exception]) -> None:
    server.on("POST", JOBS, error(status, message, Retry_After="9"))
    refusal = how_it_ended(server.address)
    assert type(refusal) is kind
    assert message in refusal.detail  # type: ignore[attr-defined]
    assert len(server.requests()) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 429, 451])
@pytest.mark.parametrize("body", [b"", b"<html>gateway</html>", b"{}", b"null", b'{"data":null,"error":null}'])
def test_a_4xx_that_says_nothing_is_unknown(server: ScriptedServer, status: int, body: bytes) -> None:
    server.on("POST", JOBS, Reply(status, body))
    assert type(how_it_ended(server.address)) is errors.OutcomeUnknownError


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 408, 500, 501, 502, 503, 504])
@pytest.mark.parametrize("readable", [True, False])
def test_redirects_time_outs_and_5xx_are_unknown_and_never_repeated(
    server: ScriptedServer, status: int, readable: bool
) -> None:
    reply = error(status, "words") if readable else Reply(status, b"<html>")
    reply.headers["Location"] = "/elsewhere"
    server.on("POST", JOBS, reply)
    server.on("GET", "/elsewhere", data(JOB))
    ended = how_it_ended(server.address)
    assert type(ended) is errors.OutcomeUnknownError
    assert ended.user_message == "No answer. Checking whether the job was sent; it is not sent twice."
    assert str(status) in ended.detail
    assert len(server.requests()) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"[]",
        b"null",
        b'{"data": null, "error": null}',
        b'{"data": {}, "error": null}',
        b'{"data": {"id": 7, "status": "PENDING", "createdAt": "2026-11-20T10:00:00Z"}, "error": null}',
        b'{"data": {"id": "j1", "status": "PENDING", "createdAt": "soon"}, "error": null}',
        b'{"data": {"id": "j1"}, "error": {"code": 500, "message": "half"}}',
        b'{"data": {"id": "j1", "sta',
    ],
)
def test_a_garbled_success_is_unknown(server: ScriptedServer, body: bytes) -> None:
    server.on("POST", JOBS, Reply(200, body))
    assert type(how_it_ended(server.address)) is errors.OutcomeUnknownError
    assert len(server.requests()) == 1


def test_a_reader_that_fails_in_an_unforeseen_way_is_unknown_too(server: ScriptedServer) -> None:
    server.on("POST", "/x", data(1))
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        transport_to(server.address).send_once(Call("POST", "/x", json={}), lambda answer: answer["no"])
    assert "KeyError" in caught.value.detail


# -- 401


def test_on_401_the_token_is_renewed_and_the_same_request_sent_once_more(server: ScriptedServer) -> None:
    desk = TokenDesk(server)
    server.on("POST", JOBS, desk.guard(data(JOB)))
    tokens = tokens_for()
    transport_to(server.address, tokens=tokens)._token(Call("GET", "/"))
    desk.valid.clear()
    assert send(server.address, tokens=tokens).id == "j1"
    first, second = server.requests("POST", JOBS)
    assert (first.query, first.body) == (second.query, second.body)
    assert first.headers["Authorization"] != second.headers["Authorization"]
    assert len(desk.issued) == 2


def test_a_second_401_is_a_refusal(server: ScriptedServer) -> None:
    desk = TokenDesk(server)
    server.on("POST", JOBS, error(401, "ACCESS_TOKEN_EXPIRED"))
    assert type(how_it_ended(server.address, tokens=tokens_for())) is errors.AuthError
    assert len(server.requests("POST", JOBS)) == 2
    assert len(desk.issued) == 2


def test_a_401_that_says_nothing_is_unknown_and_not_repeated(server: ScriptedServer) -> None:
    TokenDesk(server)
    server.on("POST", JOBS, Reply(401, b"<html>gateway</html>"))
    assert type(how_it_ended(server.address, tokens=tokens_for())) is errors.OutcomeUnknownError
    assert len(server.requests("POST", JOBS)) == 1


def test_an_answer_lost_after_the_renewal_is_unknown(server: ScriptedServer) -> None:
    desk = TokenDesk(server)
    server.on("POST", JOBS, error(401, "expired"), Reply(lose=True))
    assert type(how_it_ended(server.address, tokens=tokens_for())) is errors.OutcomeUnknownError
    assert len(server.requests("POST", JOBS)) == 2
    assert len(desk.issued) == 2


def test_without_a_token_nothing_is_sent(server: ScriptedServer) -> None:
    server.on("POST", "/oauth/token", Reply(503))
    server.on("POST", JOBS, data(JOB))
    ended = how_it_ended(server.address, tokens=tokens_for())
    assert type(ended) is errors.NotSentError
    assert server.requests("POST", JOBS) == []


def test_wrong_credentials_are_told_as_such(server: ScriptedServer) -> None:
    server.on("POST", "/oauth/token", Reply(401, b""))
    assert type(how_it_ended(server.address, tokens=tokens_for())) is errors.AuthError
    assert server.requests("POST", JOBS) == []


# -- cancelled


@pytest.mark.usefixtures("patient")
def test_cancelled_while_the_answer_is_awaited_is_unknown(server: ScriptedServer) -> None:
    never = threading.Event()
    server.on("POST", JOBS, Reply(hold=never))
    context = ThreadContext()
    worker = Worker(lambda: send(server.address, context))
    server.wait_for(1)
    context.cancel()
    assert type(worker.ended().error) is errors.OutcomeUnknownError
    never.set()


@pytest.mark.usefixtures("patient")
def test_cancelled_in_the_middle_of_the_answer_is_unknown(server: ScriptedServer) -> None:
    never = threading.Event()
    server.on("POST", JOBS, Reply(200, {"data": JOB}, hold_body=never))
    context = ThreadContext()
    worker = Worker(lambda: send(server.address, context))
    server.wait_for(1)
    context.cancel()
    assert type(worker.ended().error) is errors.OutcomeUnknownError
    never.set()


@pytest.mark.usefixtures("patient")
def test_cancelled_before_the_first_byte_is_cancelled() -> None:
    def silent(server: RawServer, connection: socket.socket) -> None:
        connection.recv(1)
        server.touched.set()
        server.release.wait(20)

    with raw_server(silent) as server:
        context = ThreadContext()
        worker = Worker(lambda: send(f"https://127.0.0.1:{server.port}", context))
        assert server.touched.wait(20)
        context.cancel()
        assert isinstance(worker.ended().error, errors.Cancelled)


@pytest.mark.usefixtures("patient")
def test_cancelled_while_the_token_is_renewed_is_cancelled(server: ScriptedServer) -> None:
    never = threading.Event()
    server.on("POST", "/oauth/token", Reply(hold=never))
    context = ThreadContext()
    worker = Worker(lambda: send(server.address, context, tokens_for()))
    server.wait_for(1)
    context.cancel()
    assert isinstance(worker.ended().error, errors.Cancelled)
    assert server.requests("POST", JOBS) == []
    never.set()


# -- other things that are made once


def test_making_a_workflow_is_sent_once_and_says_so_in_its_own_words(server: ScriptedServer) -> None:
    server.on("POST", "/projects/p/workflows", Reply(lose=True))
    client = ClassicClient(transport_to(server.address), "p")
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        client.workflows.create("name")
    assert caught.value.user_message.startswith("No answer. The workflow may have been made")
    assert len(server.requests()) == 1


def test_running_again_is_sent_once(server: ScriptedServer) -> None:
    server.on("POST", f"{JOBS}/j0", Reply(503))
    client = ClassicClient(transport_to(server.address), "p")
    with pytest.raises(errors.OutcomeUnknownError):
        client.jobs.rerun("w", "j0", "again #abcdefgh")
    (seen,) = server.requests()
    assert (seen.query, seen.json()) == ([("name", "again #abcdefgh")], {})
