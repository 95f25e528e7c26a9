"""What is sent, what is repeated, and how workers sign in."""

from __future__ import annotations

import gzip
import json
from typing import Any, Iterator

import pytest
import requests
from api_kit import TokenDesk, Waits, tokens_for, transport_to
from scripted_server import RawServer, Reply, ScriptedServer, closed_port, data, error, raw_server

from up42_plugin.api import errors
from up42_plugin.api.calls import Call
from up42_plugin.api.retrying import RetryPolicy
from up42_plugin.core.context import ThreadContext

GET = Call("GET", "/things", subject="thing")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


@pytest.fixture
def desk(server: ScriptedServer) -> TokenDesk:
    return TokenDesk(server)


# -- what is sent


def test_a_call_carries_the_token_the_user_agent_and_its_query(server: ScriptedServer, desk: TokenDesk) -> None:
    server.on("GET", "/a%20b/%C3%BC", data([]))
    with transport_to(server.address, tokens=tokens_for()) as transport:
        transport.json(Call("GET", "/a%20b/%C3%BC", query=(("name", "x y&z"), ("name", "ä"))))
    seen = server.requests("GET")[0]
    assert seen.headers["Authorization"] == f"Bearer {desk.issued[0]}"
    assert seen.headers["User-Agent"] == "up42-qgis/1.2.3"
    assert seen.query == [("name", "x y&z"), ("name", "ä")]
    assert "Content-Type" not in seen.headers


def test_a_body_is_sent_as_json(server: ScriptedServer) -> None:
    server.on("POST", "/things", data({}))
    transport_to(server.address).json(Call("POST", "/things", json={"ü": [1, None]}))
    seen = server.requests()[0]
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.json() == {"ü": [1, None]}


def test_calls_without_sign_in_send_no_token(server: ScriptedServer, desk: TokenDesk) -> None:
    server.on("GET", "/things", data([]))
    transport_to(server.address, tokens=tokens_for()).json(Call("GET", "/things", signed_in=False))
    assert "Authorization" not in server.requests("GET")[0].headers
    assert desk.issued == []


def test_what_the_environment_and_the_session_say_about_signing_in_plays_no_part(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port()}")
    TokenDesk(server)
    server.on("GET", "/things", data([]))

    def careless() -> requests.Session:
        session = requests.Session()
        session.auth = ("someone", "else")
        session.headers["Authorization"] = "Basic x"
        return session

    transport_to(server.address, tokens=tokens_for(), sessions=careless).json(GET)
    assert server.requests("GET")[0].headers["Authorization"].startswith("Bearer eyJ")


def test_an_empty_user_agent_leaves_the_sessions_own(server: ScriptedServer) -> None:
    server.on("GET", "/things", data([]))

    def named() -> requests.Session:
        session = requests.Session()
        session.headers["User-Agent"] = "up42-qgis/9 QGIS/33499"
        return session

    from up42_plugin.api.transport import Transport  # noqa: PLC0415

    Transport(server.address, None, named, ThreadContext()).json(GET)
    assert server.requests()[0].headers["User-Agent"] == "up42-qgis/9 QGIS/33499"


@pytest.mark.parametrize("address", ["", "ftp://example.org", "api.example.org", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(errors.AnswerError, match="address of the connection is not valid"):
        transport_to(address)


# -- repeating


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
def test_problems_of_the_service_are_tried_again(server: ScriptedServer, status: int) -> None:
    server.on("GET", "/things", Reply(status), error(status, "still"), data([7]))
    context = Waits()
    assert transport_to(server.address, context).json(GET) == {"data": [7], "error": None}
    assert len(server.requests()) == 3
    assert len(context.slept) == 2


def test_waits_grow_and_are_never_the_same_for_everybody() -> None:
    policy = RetryPolicy(tries=10, base=1, longest=8, chance=lambda: 1.0)
    assert [policy.wait(n, 0) for n in range(1, 7)] == [1, 2, 4, 8, 8, 8]
    lucky = RetryPolicy(tries=10, base=1, longest=8, chance=lambda: 0.0)
    assert [lucky.wait(n, 0) for n in range(1, 5)] == [0.5, 1, 2, 4]
    assert policy.wait(10, 0) is None
    assert policy.wait(1, 59.5) is None
    assert policy.wait(1, 0, asked=45) == 45
    assert policy.wait(1, 20, asked=45) is None


def test_after_the_last_try_the_services_own_words_are_in_the_detail(server: ScriptedServer) -> None:
    server.on("GET", "/things", error(503, "maintenance"))
    with pytest.raises(errors.ServerError) as caught:
        transport_to(server.address).json(GET)
    assert caught.value.detail == "GET /things: 503 · maintenance"
    assert len(server.requests()) == 4


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 415, 422])
def test_refusals_are_not_tried_again(server: ScriptedServer, status: int) -> None:
    server.on("GET", "/things", error(status, "no"))
    with pytest.raises(errors.ServiceError) as caught:
        transport_to(server.address).json(GET)
    assert caught.value.status == status
    assert len(server.requests()) == 1


def test_the_rate_limit_is_waited_for_as_long_as_it_says(server: ScriptedServer) -> None:
    server.on("GET", "/things", error(429, "Too many requests", Retry_After="7"), data([]))
    context, told = Waits(), []
    transport_to(server.address, context, notice=told.append).json(GET)
    assert context.slept == [7.0]
    assert told == ["Too many requests; trying again in 7\u00a0s."]


def test_a_longer_wait_than_our_patience_is_told_to_the_person(server: ScriptedServer) -> None:
    server.on("GET", "/things", error(429, "Too many requests", Retry_After="3600"))
    with pytest.raises(errors.RateLimitedError) as caught:
        transport_to(server.address, Waits()).json(GET)
    assert caught.value.retry_after == 3600
    assert len(server.requests()) == 1


def test_too_many_jobs_is_not_the_rate_limit(server: ScriptedServer) -> None:
    server.on("GET", "/things", error(429, "Your project has too many non-finished jobs", "TOO_MANY_REQUESTS"))
    with pytest.raises(errors.TooManyJobsError):
        transport_to(server.address).json(GET)
    assert len(server.requests()) == 1


def test_dropped_connections_are_tried_again(server: ScriptedServer) -> None:
    server.on("GET", "/things", Reply(lose=True), Reply(200, b"0123456789", cut_after=4), data([1]))
    assert transport_to(server.address, Waits()).json(GET)["data"] == [1]


def test_an_answer_that_stays_cut_is_an_error_and_never_half_an_answer(server: ScriptedServer) -> None:
    server.on("GET", "/things", Reply(200, b"[1,2,3]          ", cut_after=7))  # what came would parse
    with pytest.raises(errors.NetworkError) as caught:
        transport_to(server.address, Waits()).json(GET)
    assert caught.value.detail


def test_compressed_answers_are_read_and_cut_ones_noticed(server: ScriptedServer) -> None:
    packed = gzip.compress(json.dumps({"data": list(range(500))}).encode())
    coded = {"Content-Encoding": "gzip"}
    server.on("GET", "/things", Reply(200, packed, coded))
    assert transport_to(server.address).json(GET)["data"][-1] == 499
    for length in (1, 30, len(packed) - 8, len(packed) - 1):
        server.on("GET", "/things", Reply(200, packed, coded, cut_after=length))
        with pytest.raises(errors.NetworkError):
            transport_to(server.address, Waits()).json(GET)


def test_chunked_answers_are_read() -> None:
    def talk(server: RawServer, connection: Any) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")

    with raw_server(talk) as server:
        assert transport_to(server.address).json(GET) == [1, 2]


def test_a_refused_connection_says_who_refuses() -> None:
    with pytest.raises(errors.NetworkError) as caught:
        transport_to(f"http://127.0.0.1:{closed_port()}", Waits()).json(GET)
    assert caught.value.user_message.startswith("127.0.0.1 refuses the connection.")


def test_an_unknown_host_says_so() -> None:
    with pytest.raises(errors.NetworkError) as caught:
        transport_to("http://no-such-host.invalid", Waits()).json(GET)
    assert caught.value.user_message.startswith("no-such-host.invalid was not found.")


def test_a_delete_whose_answer_was_lost_is_done(server: ScriptedServer) -> None:
    server.on("DELETE", "/things", Reply(lose=True), error(404, "gone"))
    assert transport_to(server.address, Waits()).request(Call("DELETE", "/things")).status == 404
    server.on("DELETE", "/things", error(404, "never there"))
    with pytest.raises(errors.NotFoundError):
        transport_to(server.address, Waits()).request(Call("DELETE", "/things"))


def test_a_missing_thing_is_named(server: ScriptedServer) -> None:
    server.on("GET", "/things", error(404, "Thing not found"))
    with pytest.raises(errors.NotFoundError) as caught:
        transport_to(server.address).json(GET)
    assert caught.value.user_message == "This thing no longer exists. Refresh."


def test_broken_json_is_an_answer_error(server: ScriptedServer) -> None:
    server.on("GET", "/things", Reply(200, b"<html>captive portal</html>", {"Content-Type": "text/html"}))
    with pytest.raises(errors.AnswerError) as caught:
        transport_to(server.address).json(GET)
    assert "text/html" in caught.value.detail


def test_an_endless_body_is_given_up(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("up42_plugin.api.exchange.LARGEST_BODY", 1000)
    server.on("GET", "/things", Reply(200, b" " * 5000))
    with pytest.raises(errors.NetworkError) as caught:
        transport_to(server.address).json(GET)
    assert "longer than 1000 bytes" in caught.value.detail
    assert len(server.requests()) == 1


# -- signing in


def test_a_401_midway_gets_one_new_token_and_no_wait(server: ScriptedServer, desk: TokenDesk) -> None:
    server.on("GET", "/things", desk.guard(data([1])))
    context = Waits()
    with transport_to(server.address, context, tokens_for()) as transport:
        transport.json(GET)
        desk.valid.clear()
        assert transport.json(GET)["data"] == [1]
    assert len(desk.issued) == 2
    assert context.slept == []


def test_a_401_that_a_new_token_does_not_cure_is_told_after_one_renewal(
    server: ScriptedServer, desk: TokenDesk
) -> None:
    server.on("GET", "/things", error(401, "ACCESS_TOKEN_EXPIRED"))
    with pytest.raises(errors.AuthError):
        transport_to(server.address, Waits(), tokens_for()).json(GET)
    assert len(desk.issued) == 2
    assert len(server.requests("GET")) == 2


@pytest.mark.parametrize("body", [b"", b"null", b'{"error":{"code":401,"message":"Bad credentials"},"data":null}'])
def test_a_wrong_key_says_where_to_get_the_right_one(server: ScriptedServer, body: bytes) -> None:
    server.on("POST", "/oauth/token", Reply(401, body))
    with pytest.raises(errors.AuthError) as caught:
        transport_to(server.address, tokens=tokens_for()).json(GET)
    assert caught.value.user_message.startswith("Project ID or key is wrong. Copy both again")
    assert len(server.requests("POST")) == 1
    assert server.requests("GET") == []


def test_a_service_that_cannot_give_tokens_is_asked_again(server: ScriptedServer) -> None:
    desk = TokenDesk(server)
    server.on("POST", "/oauth/token", Reply(503), desk.issue)
    server.on("GET", "/things", data([]))
    transport_to(server.address, Waits(), tokens_for()).json(GET)
    assert len(server.requests("POST")) == 2


def test_a_token_answer_without_token_names_what_is_missing(server: ScriptedServer) -> None:
    server.on("POST", "/oauth/token", Reply(200, {"token_type": "bearer"}))
    with pytest.raises(errors.AnswerError) as caught:
        transport_to(server.address, tokens=tokens_for()).json(GET)
    assert "access_token" in caught.value.detail
