"""QGIS's network settings as sessions follow them: proxies, certificates, user agent."""

from __future__ import annotations

import base64
import shutil
import ssl
import stat
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
from private_network import forget_qgis_proxy, set_qgis_proxy
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtNetwork import QSslCertificate

from up42_plugin.api.failures import explain
from up42_plugin.qgis_bridge.network import (
    FollowingSessions,
    NetworkSettings,
    QgisNetwork,
    is_loopback,
    session_factory,
)

# Never asked: the proxy of the test answers for it.
SERVICE = "http://api.service.invalid"
STORE = "http://store.service.invalid"


class Recorder(BaseHTTPRequestHandler):
    """Serves as service and as proxy: answers every request and notes it."""

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers.items())))
        target = self.server.redirects.get(self.path)
        self.send_response(302 if target else 200)
        if target:
            self.send_header("Location", target)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def serve():
    servers = []

    def serve(context=None):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
        server.seen, server.redirects = [], {}
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def network():
    network = QgisNetwork("1.2.3")
    yield network
    network.close()


@pytest.fixture
def set_proxy(qgis_app):
    """What the person fills in under Settings > Options > Network; put back at the end."""

    def set_proxy(port, *, user="", **more):
        set_qgis_proxy(port, user=user, password="b@b:1" if user else "", **more)

    yield set_proxy
    forget_qgis_proxy()


def get(settings, url):
    with session_factory(settings)() as session:
        return session.get(url, timeout=20)


def test_without_a_proxy_in_qgis_none_is_used_whatever_the_environment_says(network, serve, monkeypatch):
    service, other = serve(), serve()
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{other.server_port}")
    settings = network.settings()
    assert settings.proxy_for("https://api.example.org/projects") == ""
    assert settings.proxy_for(f"{SERVICE}/x") == ""
    get(settings, f"http://127.0.0.1:{service.server_port}/x")
    assert other.seen == []


def test_requests_go_through_the_proxy_set_in_qgis(network, serve, set_proxy):
    proxy = serve()
    set_proxy(proxy.server_port)
    assert get(network.settings(), f"{SERVICE}/projects").text == "ok"
    assert [path for path, _ in proxy.seen] == [f"{SERVICE}/projects"]


def test_user_and_password_of_the_proxy_are_sent_as_they_are(network, serve, set_proxy):
    proxy = serve()
    set_proxy(proxy.server_port, user="anna@office")
    settings = network.settings()
    get(settings, f"{SERVICE}/projects")
    ((_, headers),) = proxy.seen
    kind, _, encoded = headers["Proxy-Authorization"].partition(" ")
    assert kind == "Basic"
    assert base64.b64decode(encoded) == b"anna@office:b@b:1"
    assert "b@b" not in repr(settings)
    assert "b%40b" not in repr(settings)


def test_a_proxy_that_is_switched_off_is_not_used(network, serve, set_proxy):
    proxy = serve()
    set_proxy(proxy.server_port, enabled=False)
    assert network.settings([SERVICE]).proxy_for(f"{SERVICE}/projects") == ""


def test_a_proxy_in_the_environment_does_not_beat_the_one_in_qgis(network, serve, set_proxy, monkeypatch):
    proxy, other = serve(), serve()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{other.server_port}")
    set_proxy(proxy.server_port)
    get(network.settings(), f"{SERVICE}/projects")
    assert len(proxy.seen) == 1
    assert other.seen == []


def test_loopback_never_goes_through_a_proxy(network, serve, set_proxy):
    proxy, service = serve(), serve()
    set_proxy(proxy.server_port)
    settings = network.settings()
    for host in ("127.0.0.1", "localhost"):
        get(settings, f"http://{host}:{service.server_port}/x")
    assert proxy.seen == []
    assert len(service.seen) == 2


@pytest.mark.parametrize("which", ["no_proxy", "excluded"])
def test_addresses_that_qgis_excludes_bypass_the_proxy(network, serve, set_proxy, which):
    proxy = serve()
    set_proxy(proxy.server_port, **{which: [f"{STORE}/public", "https://api.intern.invalid"]})
    settings = network.settings([SERVICE, "https://api.intern.invalid"])
    assert settings.proxy_for(f"{STORE}/public/a.tgz") == ""
    assert settings.proxy_for("https://api.intern.invalid/projects") == ""
    through = f"http://127.0.0.1:{proxy.server_port}"
    assert settings.proxy_for(f"{STORE}/private/a.tgz") == through
    assert settings.proxy_for(f"{SERVICE}/projects") == through


def test_a_redirect_is_judged_by_its_own_address(network, serve, set_proxy):
    proxy, service = serve(), serve()
    set_proxy(proxy.server_port)
    here = f"http://127.0.0.1:{service.server_port}/file"
    proxy.redirects[f"{SERVICE}/download"] = here
    assert get(network.settings(), f"{SERVICE}/download").url == here
    assert [path for path, _ in proxy.seen] == [f"{SERVICE}/download"]
    assert [path for path, _ in service.seen] == ["/file"]


def test_the_systems_proxy_is_asked_for_each_known_address_when_qgis_is_set_to_use_it(
    network, serve, set_proxy, monkeypatch
):
    proxy = serve()
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
    monkeypatch.setenv("no_proxy", "api.service.invalid")
    set_proxy(0, kind="DefaultProxy")
    settings = network.settings([SERVICE])
    assert settings.proxy_for(f"{SERVICE}/projects") == ""
    assert settings.proxy_for(f"{STORE}/file") == f"http://127.0.0.1:{proxy.server_port}"


def test_a_socks_proxy_resolves_names_itself_and_its_lack_is_explained(network, set_proxy):
    set_proxy(1080, kind="Socks5Proxy")
    settings = network.settings()
    assert settings.proxy_for(f"{SERVICE}/x") == "socks5h://127.0.0.1:1080"
    try:
        import socks  # noqa: F401, PLC0415 - whether it is there is the question
    except ImportError:
        with pytest.raises(requests.exceptions.InvalidSchema) as caught:
            get(settings, f"{SERVICE}/x")
        assert "PySocks" in explain(caught.value, "GET /x", "api.service.invalid", 30).user_message


def test_the_user_agent_names_plugin_and_qgis(network, serve):
    service = serve()
    get(network.settings(), f"http://127.0.0.1:{service.server_port}/")
    ((_, headers),) = service.seen
    plugin, qgis = headers["User-Agent"].split(" ")
    assert plugin == "up42-qgis/1.2.3"
    assert qgis.startswith(("QGIS/3.", "QGIS/4."))
    assert headers["User-Agent"].isascii()
    assert QgsSettings().value("qgis/networkAndProxy/userAgent", "") == ""


def test_netrc_does_not_replace_the_sign_in(network, serve, tmp_path, monkeypatch):
    service = serve()
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    with session_factory(network.settings())() as session:
        session.get(f"http://127.0.0.1:{service.server_port}/", headers={"Authorization": "Bearer abc"}, timeout=20)
    ((_, headers),) = service.seen
    assert headers["Authorization"] == "Bearer abc"


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for localhost, as a company's own service has one."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, pem = tmp_path / "key.pem", tmp_path / "cert.pem"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", names, "-keyout", str(key), "-out", str(pem)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, key)
    return pem, context


def test_a_certificate_trusted_in_qgis_is_trusted_and_another_is_not(network, serve, certificate):
    pem, context = certificate
    url = f"https://localhost:{serve(context).server_port}/"
    before = network.settings()
    with pytest.raises(requests.exceptions.SSLError):
        get(before, url)
    manager = QgsApplication.authManager()
    (authority,) = QSslCertificate.fromPath(str(pem))
    assert manager.storeCertAuthority(authority)
    try:
        manager.rebuildCaCertsCache()
        manager.rebuildTrustedCaCertsCache()
        after = network.settings()
        assert get(after, url).text == "ok"
        sessions = FollowingSessions(before)
        with sessions() as session, pytest.raises(requests.exceptions.SSLError):
            session.get(url, timeout=20)
        sessions.follow(after)
        with sessions() as session:
            assert session.get(url, timeout=20).text == "ok"
        assert Path(before.ca_bundle).exists()  # sessions of the earlier snapshot go on
    finally:
        manager.removeCertAuthority(authority)
        manager.rebuildCaCertsCache()
        manager.rebuildTrustedCaCertsCache()


def test_a_bundle_in_the_environment_does_not_beat_qgis(network, serve, certificate, monkeypatch):
    pem, context = certificate
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(pem))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(pem))
    with pytest.raises(requests.exceptions.SSLError):
        get(network.settings(), f"https://localhost:{serve(context).server_port}/")


def test_the_certificate_file_is_private_kept_while_needed_and_removed(qgis_app):
    network = QgisNetwork("1.2.3")
    first, second = network.settings(), network.settings()
    path = Path(first.ca_bundle)
    assert second.ca_bundle == first.ca_bundle
    assert b"BEGIN CERTIFICATE" in path.read_bytes()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    network.close()
    assert not path.parent.exists()
    network.close()


def test_a_bundle_that_somebody_deleted_is_written_again(network):
    shutil.rmtree(Path(network.settings().ca_bundle).parent)
    assert Path(network.settings().ca_bundle).exists()


def test_sessions_are_made_in_any_thread_from_plain_values(network):
    settings = network.settings([SERVICE])
    made = []
    thread = threading.Thread(target=lambda: made.append(session_factory(settings)()))
    thread.start()
    thread.join(20)
    assert made[0].verify == settings.ca_bundle
    assert made[0].trust_env is False


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("service.localhost", True),
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("api.example.org", False),
        ("127.0.0.1.example.org", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_what_is_this_machine_itself(host, expected):
    assert is_loopback(host) is expected


def test_a_proxy_by_name_beats_the_one_for_its_scheme():
    settings = NetworkSettings("x", {"https": "http://general:1", "https://api.example.org:443": "http://own:2"})
    assert settings.proxy_for("https://api.example.org/projects") == "http://own:2"
    assert settings.proxy_for("https://API.example.org:443/projects") == "http://own:2"
    assert settings.proxy_for("https://api.example.org:8443/projects") == "http://general:1"
    assert settings.proxy_for("http://api.example.org/projects") == ""
