"""What the whole plugin says when the service, the way to it, the ledger or the sandbox has a bad day.

Each row is brought about for real: by the sandbox's faults, by a server that keeps the time badly, by a
certificate that nobody trusts, by files that are broken.
"""

from __future__ import annotations

import shutil
import sqlite3
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Iterator

import pytest
from plugin_kit import ANALYTIC, SMALL, SPEED, PluginKit, idle, plugin_in, wait_for
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from remote_service import Remote
from sandbox_process import start_sandbox

from up42_plugin.api import exchange
from up42_plugin.core.connection_check import StepName
from up42_plugin.core.connections import AccountLogin, ProjectKey
from up42_plugin.core.ledger import Ledger
from up42_plugin.gui.header import ADD

N = "\u00a0"
TOKEN, WORKFLOWS, ESTIMATE, JOBS = "/oauth/token", "*/workflows", "*/estimate/job", "*/workflows/*/jobs"
TOO_FAST = {"data": None, "error": {"code": 429, "message": "Too many requests", "details": None}}
UNREADABLE = "The answer could not be read. Details are in the log."
CLOCK_OFF_S = 7 * 60


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    with start_sandbox(tmp_path_factory.mktemp("states") / "data", *SPEED) as running:
        yield running


@pytest.fixture
def remote(sandbox):
    remote = Remote(sandbox)
    remote.disarm()
    yield remote
    remote.disarm()
    remote.close()


@pytest.fixture
def fresh(tmp_path, qgis_app):
    """The plugin with its dock open, not connected to anything but its own sandbox-to-be."""
    with plugin_in(tmp_path / "plugin") as kit:
        yield kit
        idle()


@pytest.fixture
def kit(fresh, sandbox, remote):
    """Connected, with an area and the quickest workflow: a test query may run."""
    fresh.connect(sandbox)
    fresh.choose(ANALYTIC)
    fresh.area(SMALL)
    wait_for(lambda: fresh.able()[0], "the button", of=fresh.situation)
    return fresh


def says(kit: PluginKit, text: str, button: str = "") -> None:
    """The line above the buttons says this, with this button."""
    wait_for(lambda: kit.reason == text, f"the reason {text!r}", 15, kit.situation)
    if button:
        assert kit.dock.foot.again_button.isVisible()
        assert kit.dock.foot.again_button.text() == button


@contextmanager
def serving(handler: type, context: Any = None) -> Iterator[int]:
    """A server of this kind on loopback; gives its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class Late(BaseHTTPRequestHandler):
    """Answers everything with an empty object, and by a clock that is off."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815

    def date_time_string(self, timestamp=None):
        return super().date_time_string(time.time() - CLOCK_OFF_S)

    def log_message(self, *_arguments):
        pass


class TestSignIn:
    def test_wrong_key(self, fresh, sandbox, remote):
        fresh.connect(sandbox, key="not-the-key", ready=False)
        words = "Project ID or key is wrong. Copy both again from the project settings in the UP42 console."
        says(fresh, words, "Try Again")

    def test_account_with_sso(self, fresh, sandbox, remote):
        remote.arm("POST", TOKEN, times=None, status=401, body={"error": "x", "message": "Use SSO to sign in"})
        login = AccountLogin(sandbox.username, "a password", sandbox.project_id)
        fresh.desk.hub.add("An account", sandbox.base_url, login, False)
        fresh.dock.setUserVisible(True)
        says(fresh, "This account signs in with SSO. Use a project ID and key instead.", "Try Again")

    def test_certificate_that_nobody_trusts(self, fresh, tmp_path):
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("openssl is not installed")
        key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
        command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(pem)]
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem, key)
        with serving(Late, context) as port:
            fresh.desk.hub.add("Own", f"https://127.0.0.1:{port}", ProjectKey("p", "k"), False)
            fresh.dock.setUserVisible(True)
            says(fresh, "Certificate not trusted. Add it under Settings > Options > Authentication.", "Try Again")

    def test_clock_that_is_off(self, fresh):
        fresh.dock.setUserVisible(True)
        with serving(Late) as port:
            fresh.dock.header.combo.activated.emit(fresh.dock.header.combo.findData(ADD))
            dialog = fresh.desk.connecting.editing.dialog
            dialog.name.setText("Off")
            dialog.region.setCurrentIndex(dialog.region.count() - 1)
            dialog.address.setText(f"http://127.0.0.1:{port}")
            dialog.project_id.setText("p")
            dialog.key.setText("k")
            dialog.keep.setCurrentIndex(dialog.keep.findData(False))
            QTest.mouseClick(dialog.test.button, Qt.MouseButton.LeftButton)
            words = f"Your clock is 7{N}min off; signing in fails above 5{N}min. Set the clock."
            wait_for(lambda: dialog.test.text_of(StepName.CLOCK) == words, "the clock's step", 15)
            dialog.reject()

    def test_no_answer(self, fresh, sandbox, remote, monkeypatch):
        monkeypatch.setattr(exchange, "READ_TIMEOUT", 0.5)
        remote.arm("POST", TOKEN, times=None, delay_s=3)
        fresh.connect(sandbox, ready=False)
        says(fresh, f"No answer from 127.0.0.1 within 0.5{N}s.", "Try Again")


class TestService:
    @pytest.mark.parametrize(
        ("fault", "text"),
        [
            ({"status": 500, "body": {"message": "x"}}, "UP42 has a problem (500). Nothing was charged."),
            ({"status": 200, "body": '{"data": [{"id": '}, UNREADABLE),
        ],
        ids=["500", "unreadable"],
    )
    def test_project_that_cannot_be_read(self, kit, remote, fault, text):
        remote.arm("GET", WORKFLOWS, times=None, **fault)
        kit.click(kit.dock.header.refresh_button)
        says(kit, text, "Try Again")
        assert any(text in line for line in kit.lines), "the detail is in the log"
        remote.disarm()
        kit.click(kit.dock.foot.again_button)
        wait_for(lambda: kit.able()[0], "the button")

    def test_workflow_that_was_deleted_meanwhile(self, kit, remote):
        remote.arm("GET", "*/workflows/*", times=None, status=404, body={"error": {"code": 404, "message": "gone"}})
        kit.click(kit.dock.header.refresh_button)
        says(kit, "This workflow no longer exists.", "Refresh")
        remote.disarm()
        kit.click(kit.dock.foot.again_button)
        wait_for(lambda: kit.able()[0], "the button after Refresh")

    def test_too_many_requests_while_the_project_is_read(self, fresh, sandbox, remote):
        remote.arm("GET", WORKFLOWS, times=1, status=429, body=TOO_FAST, headers={"Retry-After": "2"})
        fresh.connect(sandbox, ready=False)
        says(fresh, f"Too many requests; trying again in 2{N}s.")
        fresh.wait_until_ready()
        assert fresh.reason == "Choose an area first."

    def test_too_many_requests_while_the_price_is_read(self, kit, remote):
        remote.arm("POST", ESTIMATE, times=1, status=429, body=TOO_FAST, headers={"Retry-After": "2"})
        kit.dock.search.clouds.setValue(31)
        words = f"Too many requests; trying again in 2{N}s. Live job: run the free test query first."
        says(kit, words)
        says(kit, "Live job: run the free test query first.")

    def test_too_many_requests_while_sending(self, kit, remote):
        remote.arm("POST", JOBS, times=1, status=429, body=TOO_FAST, headers={"Retry-After": "2"})
        run = kit.begin_test_query()
        words = f"Too many requests; trying again in 2{N}s."
        wait_for(lambda: kit.line(run) == words, "the row", 15, kit.situation)
        kit.wait(run, lambda now: now.job is not None, "the job")

    def test_offline(self, kit, remote):
        remote.arm("*", "*", times=None, cut_after_bytes=0)
        kit.click(kit.dock.header.refresh_button)
        says(kit, "Working offline.", "Try Again")
        assert kit.able() == [False, False]
        assert kit.dock.workflow.current is not None
        remote.disarm()
        kit.click(kit.dock.foot.again_button)
        wait_for(lambda: kit.able()[0], "the button after Try Again")

    def test_price_that_does_not_come(self, kit, remote):
        remote.arm("POST", ESTIMATE, times=None, status=400, body={"error": {"code": 400, "message": "no"}})
        kit.dock.search.clouds.setValue(31)
        kit.test_query()
        says(kit, "The service gave no price.", "Try Again")
        assert kit.dock.foot.estimation.text() == "Not available"
        assert kit.able() == [True, True]
        remote.disarm()
        kit.click(kit.dock.foot.again_button)
        wait_for(lambda: "credit" in kit.dock.foot.estimation.text(), "the price")


class TestOutputs:
    @pytest.fixture
    def done(self, kit):
        kit.test_query()
        return kit.live_job()

    def test_cut_and_expired(self, kit, remote, done):
        remote.arm("GET", "/artifacts/*", times=1, cut_after_bytes=5000)
        remote.arm("GET", "/artifacts/*", times=1, hold_s=2)
        kit.begin_load(done)
        wait_for(
            lambda: ", Download interrupted at " in kit.line(done) and kit.line(done).endswith(f"{N}%, continuing"),
            "the cut",
            20,
            kit.situation,
        )
        kit.wait(done, lambda now: now.layers == 1, "the layer")

    def test_link_that_expired(self, kit, remote, done):
        remote.arm("GET", "*/downloads/results", times=1, expire_urls=True)
        remote.arm("GET", "*/downloads/results", times=1, hold_s=2)
        kit.begin_load(done)
        words = "The link expired, a new one was asked for."
        wait_for(lambda: kit.line(done).endswith(f", {words}"), "the renewal", 20, kit.situation)
        kit.wait(done, lambda now: now.layers == 1, "the layer")


class TestLedger:
    @pytest.mark.parametrize(
        ("spoil", "text"),
        [
            ("damage", "The ledger was damaged and set aside; your jobs are read from the service again."),
            ("newer", "The ledger comes from a newer version. Update the plugin."),
        ],
    )
    @pytest.mark.usefixtures("qgis_app", "remote")
    def test_it_is_told_in_the_message_bar(self, tmp_path, sandbox, spoil, text):
        with plugin_in(tmp_path / "plugin", started=False) as kit:
            path = kit.folder / "profile" / "ledger.sqlite"
            if spoil == "damage":
                path.write_bytes(b"no ledger at all " * 400)
            else:
                make_newer(path)
            kit.start()
            kit.connect(sandbox)
            wait_for(lambda: text in kit.told, "the message", 15, kit.situation)
            assert kit.told.count(text) == 1
            assert any(text in line and "It is kept as" in line for line in kit.lines)
            idle()


def make_newer(path):
    Ledger(path).jobs("any")
    connection = sqlite3.connect(path)
    connection.execute("UPDATE ledger_schema SET version = 99")
    connection.commit()
    connection.close()


class TestSandbox:
    def test_starting_and_then_ready(self, fresh, own_machine):
        fresh.dock.setUserVisible(True)
        says(fresh, "Starting the sandbox…")
        assert fresh.dock.foot.again_button.isHidden()
        fresh.wait_until_ready()

    def test_it_could_not_start(self, fresh, own_machine):
        (fresh.folder / "profile" / "sandbox").write_text("in the way of its folder", "utf-8")
        fresh.dock.setUserVisible(True)
        says(fresh, "The sandbox could not start.", "Try Again")
        assert any("The sandbox could not start." in line and "sandbox'" in line for line in fresh.lines)
        fresh.click(fresh.dock.foot.log_button)
        assert fresh.iface.logs_shown == 1
