"""Test Connection against real servers on loopback: each step passes, fails with what to do, or is not checked."""

from __future__ import annotations

import base64
import json
import ssl
import subprocess
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from up42_plugin.api import exchange
from up42_plugin.api.errors import Cancelled
from up42_plugin.api.exchange import plain_session
from up42_plugin.core.connection_check import StepName, StepState, Subject, check_connection
from up42_plugin.core.connections import AccountLogin, ProjectKey
from up42_plugin.core.context import ThreadContext

NBSP = "\u00a0"
LOGIN = "anna:s3cret"


class Handler(BaseHTTPRequestHandler):
    """A small service that is told how to behave; as a proxy it answers for whoever is asked through it."""

    def date_time_string(self, timestamp=None):
        return self.server.date or super().date_time_string(timestamp)

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer()

    def _answer(self):
        self.server.hold.wait(20)
        wanted = self.server.login
        given = self.headers.get("Proxy-Authorization", "")
        if wanted and given != "Basic " + base64.b64encode(wanted.encode()).decode():
            return self._send(407, {"Proxy-Authenticate": "Basic"}, b"")
        path = self.path.split("://", 1)[-1]
        path = path[path.index("/") :]
        status, body = self.server.pages.get(path, (401, {"data": None, "error": {"code": 401, "message": "no"}}))
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._send(status, {}, content)

    def _send(self, status, headers, content):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        pass


PAGES = {
    "/marketplace/blocks": (200, {"data": [], "error": None}),
    "/oauth/token": (200, {"data": {"accessToken": "a.b.c"}, "access_token": "a.b.c", "expires_in": 300}),
    "/projects/p-1": (200, {"data": {"id": "p-1", "name": "Coastal study", "description": ""}, "error": None}),
    "/accounts/me/credits/balance": (200, {"data": {"balance": 10000}, "error": None}),
}


@contextmanager
def serving(pages=PAGES, *, date="", login="", context=None, held=False):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.pages, server.date, server.login, server.hold = dict(pages), date, login, threading.Event()
    if not held:
        server.hold.set()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.hold.set()
        server.shutdown()
        server.server_close()


def address_of(server, scheme="http"):
    return f"{scheme}://127.0.0.1:{server.server_port}"


def subject(address, proxy="", credentials=None):
    return Subject(address, credentials or ProjectKey("p-1", "very-secret"), proxy)


def check(tested, sessions=plain_session):
    told = []
    steps = check_connection(tested, sessions, ThreadContext(), told.append)
    assert tuple(told) == steps
    assert [step.name for step in steps] == list(StepName)
    return steps


def failed_at(steps):
    """The one step that failed and its text; what is before it passed and nothing behind it was checked."""
    states = [step.state for step in steps]
    at = states.index(StepState.FAILED)
    assert set(states[:at]) <= {StepState.PASSED}
    assert all(step.state is StepState.NOT_CHECKED and step.text == "Not checked" for step in steps[at + 1 :])
    return steps[at].name, steps[at].text


def texts(steps):
    return {step.name: step.text for step in steps}


def test_all_six_steps_tell_what_they_found():
    with serving() as server:
        steps = check(subject(address_of(server)))
    assert {step.state for step in steps} == {StepState.PASSED}
    found = texts(steps)
    assert found[StepName.ADDRESS].startswith("127.0.0.1 answers in ")
    assert found[StepName.PROXY] == "None, as set in QGIS"
    assert found[StepName.CERTIFICATE] == "None: the address begins with http://"
    assert found[StepName.CLOCK].endswith(" off, fine")
    assert found[StepName.SIGN_IN] == "Project ID and key accepted"
    assert found[StepName.PROJECT] == f"Coastal study, 10,000{NBSP}credits"


def test_the_sandbox_passes_with_its_key(sandbox):
    steps = check(subject(sandbox.base_url, credentials=ProjectKey(sandbox.project_id, sandbox.project_api_key)))
    assert {step.state for step in steps} == {StepState.PASSED}, steps


def test_a_wrong_key_fails_at_sign_in(sandbox):
    name, text = failed_at(check(subject(sandbox.base_url, credentials=ProjectKey(sandbox.project_id, "wrong"))))
    assert name is StepName.SIGN_IN
    assert text == "Project ID or key is wrong. Copy both again from the project settings in the UP42 console."


def test_an_account_signs_in_and_needs_a_project_of_its_own(sandbox):
    def login(project_id, secret):
        return AccountLogin(project_id, sandbox.username, secret)

    steps = check(subject(sandbox.base_url, credentials=login(sandbox.project_id, sandbox.password)))
    assert texts(steps)[StepName.SIGN_IN] == "E-mail and password accepted"
    assert {step.state for step in steps} == {StepState.PASSED}, steps
    strange = "00000000-0000-0000-0000-000000000000"
    assert failed_at(check(subject(sandbox.base_url, credentials=login(strange, sandbox.password))))[0] is (
        StepName.PROJECT
    )
    name, text = failed_at(check(subject(sandbox.base_url, credentials=login(sandbox.project_id, "wrong"))))
    assert (name, "E-mail or password is wrong" in text) == (StepName.SIGN_IN, True)


def test_an_account_with_sso_is_told_to_use_a_key():
    refusal = (401, {"data": None, "error": {"code": 401, "message": "This account uses SSO", "details": None}})
    with serving({**PAGES, "/oauth/token": refusal}) as server:
        steps = check(subject(address_of(server), credentials=AccountLogin("p-1", "a@example.org", "secret")))
    assert failed_at(steps) == (
        StepName.SIGN_IN,
        "This account signs in with SSO. Use a project ID and key instead.",
    )


@pytest.mark.parametrize("minutes", [-7, 7])
def test_a_clock_that_is_off_is_told_before_anybody_signs_in(minutes):
    date = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=minutes, seconds=5), usegmt=True)
    with serving(date=date) as server:
        steps = check(subject(address_of(server)))
    expected = f"Your clock is 7{NBSP}min off; signing in fails above 5{NBSP}min. Set the clock."
    assert failed_at(steps) == (StepName.CLOCK, expected)


def test_four_minutes_off_are_fine_and_no_date_is_said():
    date = format_datetime(datetime.now(timezone.utc) + timedelta(minutes=4), usegmt=True)
    with serving(date=date) as server:
        assert texts(check(subject(address_of(server))))[StepName.CLOCK] == f"4{NBSP}min off, fine"
    with serving(date="no date at all") as server:
        assert texts(check(subject(address_of(server))))[StepName.CLOCK] == "The service does not tell its time"


def test_a_host_that_does_not_resolve():
    name, text = failed_at(check(subject("http://api.service.invalid")))
    assert name is StepName.ADDRESS
    assert text == "api.service.invalid was not found. Check the network and the address of the connection."


def test_a_service_that_does_not_answer_in_time(monkeypatch):
    monkeypatch.setattr(exchange, "READ_TIMEOUT", 0.2)
    with serving(held=True) as server:
        steps = check(subject(address_of(server)))
    assert failed_at(steps) == (StepName.ADDRESS, "No answer from 127.0.0.1 within 0.2\u00a0s.")


@pytest.mark.parametrize("page", [(200, b"<html>Welcome</html>"), (404, b"not here")])
def test_something_else_than_up42_at_the_address(page):
    with serving({"/marketplace/blocks": page}) as server:
        name, text = failed_at(check(subject(address_of(server))))
    assert name is StepName.ADDRESS
    assert text == "What answers at 127.0.0.1 is not UP42. Check the address of the connection."


def test_a_service_in_trouble_and_one_that_has_nothing_to_sign_in_to():
    with serving({"/marketplace/blocks": (503, b"")}) as server:
        assert failed_at(check(subject(address_of(server)))) == (
            StepName.ADDRESS,
            "127.0.0.1 has a problem (503). Try again later.",
        )
    with serving({**PAGES, "/oauth/token": (404, {"error": "not found"})}) as server:
        name, text = failed_at(check(subject(address_of(server))))
    assert (name, "is not UP42" in text) == (StepName.SIGN_IN, True)


def through(proxy):
    def make():
        session = requests.Session()
        session.trust_env = False
        session.proxies = {"http": proxy, "https": proxy}
        return session

    return make


def test_a_proxy_that_wants_a_password_and_one_that_got_it():
    with serving(login=LOGIN) as proxy:
        place = f"127.0.0.1:{proxy.server_port}"
        tested = subject("http://api.service.invalid", place)
        assert failed_at(check(tested, through(f"http://{place}"))) == (
            StepName.PROXY,
            "The proxy 127.0.0.1 wants a password. Check Settings > Options > Network.",
        )
        wrong = replace(tested, proxy_signed_in=True)
        assert failed_at(check(wrong, through(f"http://anna:other@{place}"))) == (
            StepName.PROXY,
            "The proxy 127.0.0.1 does not accept its user and password. Check Settings > Options > Network.",
        )
        steps = check(tested, through(f"http://{LOGIN}@{place}"))
    assert {step.state for step in steps} == {StepState.PASSED}, steps
    assert texts(steps)[StepName.PROXY] == f"QGIS proxy, {place}"


def test_a_proxy_that_is_not_there():
    with serving() as gone:
        place = f"127.0.0.1:{gone.server_port}"
    name, text = failed_at(check(subject("http://api.service.invalid", place), through(f"http://{place}")))
    assert (name, text) == (
        StepName.PROXY,
        "The proxy 127.0.0.1 cannot be reached. Check Settings > Options > Network.",
    )


@pytest.fixture(scope="module")
def private_ca(tmp_path_factory):
    """A certificate for loopback, signed by an authority that nobody trusts."""
    folder = tmp_path_factory.mktemp("ca")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)  # noqa: S607 - as the system has it

    new = ("-newkey", "rsa:2048", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Private CA")
    openssl("req", *new, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=127.0.0.1")
    (folder / "names.txt").write_text("subjectAltName=IP:127.0.0.1\n", encoding="ascii")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names.txt")
    openssl("x509", "-req", "-in", "request.pem", *signing, "-out", "cert.pem", "-days", "2")
    return folder


def test_a_private_certificate_fails_until_it_is_trusted(private_ca):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(private_ca / "cert.pem", private_ca / "key.pem")

    def trusting():
        session = plain_session()
        session.verify = str(private_ca / "ca.pem")
        return session

    with serving(context=context) as server:
        tested = subject(address_of(server, "https"))
        name, text = failed_at(check(tested))
        assert name is StepName.CERTIFICATE
        assert text == "Certificate not trusted. Add it under Settings > Options > Authentication."
        steps = check(tested, trusting)
    assert {step.state for step in steps} == {StepState.PASSED}, steps
    assert texts(steps)[StepName.CERTIFICATE] == "Trusted by QGIS"


def test_a_cancelled_test_ends_at_once():
    context = ThreadContext()
    context.cancel()
    with serving() as server, pytest.raises(Cancelled):
        check_connection(subject(address_of(server)), plain_session, context, lambda _step: None)


def test_no_secret_is_in_what_is_told():
    with serving({**PAGES, "/oauth/token": (401, {"error": "very-secret"})}) as server:
        steps = check(subject(address_of(server)))
    assert "very-secret" not in repr(steps) + repr(subject("https://x.example"))
