"""What is known after a job was sent once: every way the connection can fail or end."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
import requests
from api_kit import JOB, JOBS, everything_of, how_it_ended, send, transport_to
from scripted_server import RawServer, ScriptedServer, closed_port, data, raw_server, reset

from up42_plugin.api import errors
from up42_plugin.api.calls import Call
from up42_plugin.api.classic.client import ClassicClient


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


# -- nothing left


def test_a_refused_connection_is_not_sent() -> None:
    assert type(how_it_ended(f"http://127.0.0.1:{closed_port()}")) is errors.NotSentError


def test_an_unknown_host_is_not_sent() -> None:
    assert type(how_it_ended("http://no-such-host.invalid")) is errors.NotSentError


def through(proxy: str) -> Callable[[], requests.Session]:
    def make() -> requests.Session:
        session = requests.Session()
        session.proxies = {"http": proxy, "https": proxy}
        return session

    return make


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there_is_not_sent(scheme: str) -> None:
    sessions = through(f"http://user:hunter2secret@127.0.0.1:{closed_port()}")
    ended = how_it_ended(f"{scheme}://api.example.org", sessions=sessions)
    assert type(ended) is errors.NotSentError
    assert "proxy" in ended.user_message
    assert "hunter2secret" not in everything_of(ended)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_wants_a_password_is_not_sent(scheme: str) -> None:
    def refuse(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with raw_server(refuse) as proxy:
        ended = how_it_ended(f"{scheme}://api.example.org", sessions=through(proxy.address))
    assert type(ended) is errors.NotSentError
    named = {"http": "The proxy", "https": "The proxy 127.0.0.1"}[scheme]
    assert ended.user_message == f"{named} wants a password. Check Settings > Options > Network."


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", b"garbage\r\n\r\n"])
def test_a_proxy_that_builds_no_tunnel_is_not_sent(answer: bytes) -> None:
    def refuse(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(answer)

    with raw_server(refuse) as proxy:
        assert type(how_it_ended("https://api.example.org", sessions=through(proxy.address))) is errors.NotSentError


def test_a_proxy_that_does_not_know_the_host_of_a_plain_request_is_unknown() -> None:
    """The proxy has the whole request then, and its answer cannot be told from the service's."""

    def answer(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with raw_server(answer) as proxy:
        ended = how_it_ended("http://api.example.org", sessions=through(proxy.address))
        assert type(ended) is errors.OutcomeUnknownError


def test_a_session_that_cannot_use_its_proxy_is_not_sent() -> None:
    def no_socks() -> requests.Session:
        session = requests.Session()

        def refuse(*_: Any, **__: Any) -> Any:
            raise errors.NotSentError("QGIS is set to use a SOCKS proxy.", "no module named socks")

        session.send = refuse  # type: ignore[method-assign]
        return session

    assert type(how_it_ended("http://api.example.org", sessions=no_socks)) is errors.NotSentError


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, made with the openssl command."""
    folder = tmp_path_factory.mktemp("tls")
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
        *(
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            str(folder / "key.pem"),
            "-out",
            str(folder / "crt.pem"),
        ),
    ]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"the openssl command makes no certificate here: {problem}")
    return folder


@contextlib.contextmanager
def tls_server(folder: Path, after: Callable[[RawServer, ssl.SSLSocket], None]) -> Iterator[RawServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "crt.pem", folder / "key.pem")

    def talk(server: RawServer, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
            after(server, secure)

    with raw_server(talk) as server:
        yield server


def trusting(folder: Path) -> Callable[[], requests.Session]:
    def make() -> requests.Session:
        session = requests.Session()
        session.verify = str(folder / "crt.pem")
        return session

    return make


def take(server: RawServer, connection: Any) -> None:
    server.read_request(connection)


def test_a_certificate_that_is_not_trusted_is_not_sent(certificate: Path) -> None:
    with tls_server(certificate, take) as server:
        ended = how_it_ended(f"https://127.0.0.1:{server.port}")
        assert server.whole == 0
    assert type(ended) is errors.NotSentError
    assert ended.user_message == "Certificate not trusted. Add it under Settings > Options > Authentication."


def test_a_host_that_speaks_no_tls_is_not_sent() -> None:
    def plain(server: RawServer, connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with raw_server(plain) as server:
        assert type(how_it_ended(f"https://127.0.0.1:{server.port}")) is errors.NotSentError


def test_a_handshake_that_is_cut_is_not_sent() -> None:
    def cut(server: RawServer, connection: socket.socket) -> None:
        connection.recv(100)
        reset(connection)

    with raw_server(cut) as server:
        assert type(how_it_ended(f"https://127.0.0.1:{server.port}")) is errors.NotSentError


def test_over_tls_an_answer_is_read_and_a_cut_after_the_request_is_unknown(certificate: Path) -> None:
    body = b'{"data":{"id":"j1","status":"PENDING","createdAt":"2026-11-20T10:00:00Z"}}'

    def answer(server: RawServer, connection: Any) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with tls_server(certificate, answer) as server:
        assert send(f"https://127.0.0.1:{server.port}", sessions=trusting(certificate)).id == "j1"
    with tls_server(certificate, take) as server:
        ended = how_it_ended(f"https://127.0.0.1:{server.port}", sessions=trusting(certificate))
        assert server.whole == 1
    assert type(ended) is errors.OutcomeUnknownError


# -- cut anywhere after the connection stands

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
BODY = b'{"data":{"id":"j1","status":"PENDING","createdAt":"2026-11-20T10:00:00Z"},"error":null}'
WHOLE = HEAD % len(BODY) + BODY


@pytest.mark.parametrize("ending", ["closed", "reset"])
@pytest.mark.parametrize("taken", [0, 1, 20, "all"])
def test_a_connection_cut_while_the_request_is_taken_is_unknown(ending: str, taken: Any) -> None:
    """The first bytes may have left, and nobody can say how far they came."""

    def talk(server: RawServer, connection: socket.socket) -> None:
        if taken == "all":
            server.read_request(connection)
        elif taken:
            connection.recv(taken)
        if ending == "reset":
            reset(connection)

    with raw_server(talk) as server:
        ended = how_it_ended(server.address)
        assert server.accepted == 1
    # a reset that overtakes the first byte is a connection that never stood
    early = (errors.NotSentError,) if (ending, taken) == ("reset", 0) else ()
    assert type(ended) in (errors.OutcomeUnknownError, *early)


@pytest.mark.parametrize("ending", ["closed", "reset"])
@pytest.mark.parametrize("sent", [*range(1, len(WHOLE), 13), len(WHOLE) - 1])
def test_an_answer_cut_at_any_byte_is_unknown(ending: str, sent: int) -> None:
    def talk(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(WHOLE[:sent])
        if ending == "reset":
            reset(connection)

    with raw_server(talk) as server:
        ended = how_it_ended(server.address)
        assert (server.accepted, server.whole) == (1, 1)
    assert type(ended) is errors.OutcomeUnknownError


@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\x01\x02\x03",
        b"HTTP/9.9 maybe\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 " + b"2" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_unknown(answer: bytes) -> None:
    def talk(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(answer)

    with raw_server(talk) as server:
        assert type(how_it_ended(server.address)) is errors.OutcomeUnknownError


def test_no_answer_in_time_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("up42_plugin.api.exchange.READ_TIMEOUT", 0.2)

    def silent(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        server.release.wait(20)

    with raw_server(silent) as server:
        ended = how_it_ended(server.address)
        assert server.accepted == 1
    assert type(ended) is errors.OutcomeUnknownError


def test_a_kept_connection_is_not_used_for_sending(server: ScriptedServer) -> None:
    """The service may have dropped it meanwhile; then it could not be told whether the request left."""
    server.on("GET", "/things", data([]))
    server.on("POST", JOBS, data(JOB))
    with transport_to(server.address) as transport:
        transport.json(Call("GET", "/things"))
        transport.json(Call("GET", "/things"))
        assert server.connections == 1
        ClassicClient(transport, "p").jobs.create("w", "n", {})
        assert server.connections == 2


def test_a_proxy_that_lets_nobody_through_says_so() -> None:
    def refuse(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with raw_server(refuse) as proxy:
        ended = how_it_ended("https://api.example.org", sessions=through(proxy.address))
    expected = "The proxy 127.0.0.1 does not let requests through to api.example.org (403)."
    assert ended.user_message == f"{expected} Check Settings > Options > Network."
