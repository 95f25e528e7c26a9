"""Redirects, cancelling, and what is never shown."""

from __future__ import annotations

import threading
from typing import Any, Iterator

import pytest
from api_kit import KEY, PROJECT, TokenDesk, Waits, Worker, everything_of, never_time_out, tokens_for, transport_to
from scripted_server import RawServer, Reply, ScriptedServer, closed_port, data, error, raw_server

from up42_plugin.api import errors
from up42_plugin.api.calls import Call
from up42_plugin.api.tokens import TokenProvider
from up42_plugin.core.context import ThreadContext

GET = Call("GET", "/things", subject="thing")


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    never_time_out(monkeypatch)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def desk(server: ScriptedServer) -> TokenDesk:
    return TokenDesk(server)


# -- redirects


def test_a_get_follows_redirects_on_its_own_host_only(server: ScriptedServer, desk: TokenDesk) -> None:
    server.on("GET", "/things", Reply(301, headers={"Location": "/things/"}))
    server.on("GET", "/things/", data([1]))
    assert transport_to(server.address, tokens=tokens_for()).json(GET)["data"] == [1]

    other = ScriptedServer()
    other.on("GET", "/x", data([2]))
    server.on("GET", "/things", Reply(302, headers={"Location": f"{other.address}/x?signature=hunter2"}))
    with pytest.raises(errors.AnswerError) as caught:
        transport_to(server.address, tokens=tokens_for()).json(GET)
    assert other.address in caught.value.user_message
    assert "hunter2" not in everything_of(caught.value)
    assert other.seen == []
    other.close()


def test_redirects_that_go_round_end(server: ScriptedServer) -> None:
    server.on("GET", "/things", Reply(302, headers={"Location": "/b"}))
    server.on("GET", "/b", Reply(302, headers={"Location": "/things"}))
    with pytest.raises(errors.AnswerError):
        transport_to(server.address).json(GET)
    assert len(server.requests()) <= 5


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_other_method_follows_a_redirect(server: ScriptedServer, method: str, status: int) -> None:
    server.on(method, "/things", Reply(status, headers={"Location": "/elsewhere"}))
    with pytest.raises(errors.AnswerError):
        transport_to(server.address).json(Call(method, "/things", json={}))
    assert [seen.path for seen in server.seen] == ["/things"]


# -- cancelling


@pytest.mark.usefixtures("patient")
def test_cancelling_wakes_a_call_that_waits_for_its_answer(server: ScriptedServer) -> None:
    never = threading.Event()
    server.on("GET", "/things", Reply(hold=never))
    context = ThreadContext()
    worker = Worker(lambda: transport_to(server.address, context).json(GET))
    server.wait_for(1)
    context.cancel()
    assert isinstance(worker.ended().error, errors.Cancelled)
    never.set()


@pytest.mark.usefixtures("patient")
def test_cancelling_wakes_a_call_in_the_middle_of_a_body(server: ScriptedServer) -> None:
    never = threading.Event()
    server.on("GET", "/things", Reply(200, b"x" * 100, hold_body=never))
    context = ThreadContext()
    worker = Worker(lambda: transport_to(server.address, context).json(GET))
    server.wait_for(1)
    context.cancel()
    assert isinstance(worker.ended().error, errors.Cancelled)
    never.set()


@pytest.mark.usefixtures("patient")
def test_cancelling_wakes_a_wait_between_tries(server: ScriptedServer) -> None:
    server.on("GET", "/things", error(429, "slow down", Retry_After="50"))
    context = ThreadContext()
    waiting = threading.Event()
    worker = Worker(lambda: transport_to(server.address, context, notice=lambda text: waiting.set()).json(GET))
    assert waiting.wait(20)
    context.cancel()
    assert isinstance(worker.ended().error, errors.Cancelled)


@pytest.mark.usefixtures("patient")
def test_cancelling_wakes_a_tls_handshake_that_nobody_answers() -> None:
    def silent(server: RawServer, connection: Any) -> None:
        connection.recv(1)
        server.touched.set()
        server.release.wait(20)

    with raw_server(silent) as server:
        context = ThreadContext()
        worker = Worker(lambda: transport_to(f"https://127.0.0.1:{server.port}", context).json(GET))
        assert server.touched.wait(20)
        context.cancel()
        assert isinstance(worker.ended().error, errors.Cancelled)


@pytest.mark.usefixtures("patient")
def test_cancelling_wakes_a_connection_that_is_not_accepted(full_port: int) -> None:
    context = ThreadContext()
    transport = transport_to(f"http://127.0.0.1:{full_port}", context)
    begun = threading.Event()

    def call() -> None:
        begun.set()
        transport.json(GET)

    worker = Worker(call)
    assert begun.wait(20)
    context.cancel()
    assert isinstance(worker.ended().error, errors.Cancelled)


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue of waiting connections is full, so that further ones hang."""
    import socket  # noqa: PLC0415

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(4):
            extra = socket.socket()
            extra.setblocking(False)
            extra.connect_ex(listener.getsockname())
            waiting.append(extra)
        yield listener.getsockname()[1]
        for extra in waiting:
            extra.close()


def test_a_cancelled_context_sends_nothing(server: ScriptedServer) -> None:
    context = ThreadContext()
    context.cancel()
    with pytest.raises(errors.Cancelled):
        transport_to(server.address, context).json(GET)
    with pytest.raises(errors.Cancelled):
        transport_to(server.address, context).send_once(GET, lambda answer: answer)
    assert server.connections == 0


def test_closing_leaves_nothing_registered_for_cancellation(server: ScriptedServer) -> None:
    server.on("GET", "/things", data([]))
    context = ThreadContext()
    for _ in range(3):
        with transport_to(server.address, context) as transport:
            transport.json(GET)
    assert context._wakers == {}


# -- secrets


def test_no_secret_gets_into_an_error_a_text_or_a_repr(server: ScriptedServer) -> None:
    desk = TokenDesk(server)
    tokens = tokens_for()

    def echo(seen: Any) -> Reply:
        told = f"no: {seen.headers.get('Authorization')} and {KEY}"
        return Reply(400, {"error": {"code": told, "message": told, "details": {"key": KEY}}, "data": None})

    server.on("GET", "/things", echo)
    transport = transport_to(server.address, tokens=tokens)
    with pytest.raises(errors.ValidationError) as caught:
        transport.json(GET)
    shown = everything_of(caught.value) + repr(transport) + repr(tokens) + repr(tokens._token)
    assert desk.issued[0] not in shown
    assert KEY not in shown
    assert PROJECT in repr(tokens)


def test_network_errors_carry_no_cause_that_could_show_the_address() -> None:
    transport = transport_to(f"http://127.0.0.1:{closed_port()}", Waits())
    with pytest.raises(errors.NetworkError) as caught:
        transport.json(Call("GET", "/things", query=(("signature", "hunter2"),)))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert "hunter2" not in everything_of(caught.value)


def test_tokens_are_shared_between_transports(server: ScriptedServer, desk: TokenDesk) -> None:
    server.on("GET", "/things", desk.guard(data([])))
    tokens: TokenProvider = tokens_for()
    for _ in range(3):
        with transport_to(server.address, tokens=tokens) as transport:
            transport.json(GET)
    assert len(desk.issued) == 1
