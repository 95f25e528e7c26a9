"""A company's network on loopback: a proxy that wants a password, and a service whose certificate its own CA signed."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Iterator, List, Sequence, Tuple

import pytest
from qgis.core import QgsApplication, QgsNetworkAccessManager, QgsSettings
from qgis.PyQt.QtNetwork import QNetworkProxyFactory, QSslCertificate
from sandbox_process import RunningSandbox

HERE = Path(__file__).parent
#: No such name exists anywhere but behind the proxy.
HOST = "api.service.test"
ADDRESS = f"https://{HOST}"
_LISTENS_WITHIN_S = 20.0
_PROXY_KEYS = (
    "proxyEnabled",
    "proxyType",
    "proxyHost",
    "proxyPort",
    "proxyUser",
    "proxyPassword",
    "noProxyUrls",
    "proxyExcludedUrls",
)


@contextmanager
def running(*command: str) -> Iterator[int]:
    """One of the helper processes; gives the port it printed."""
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert process.stdout is not None
    try:
        yield int(json.loads(process.stdout.readline())["port"])
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


@dataclass
class OfficeProxy:
    """A proxy that runs, who may use it, and what it was asked for."""

    port: int
    user: str
    password: str
    log: Path

    def asked(self) -> List[str]:
        """Method, target and outcome of every request so far."""
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []


@contextmanager
def office_proxy(
    folder: Path, leads_to: int, login: Tuple[str, str] = ("anna@office", "b@b:1")
) -> Iterator[OfficeProxy]:
    """Our own small proxy; ``HOST`` leads to a port of loopback."""
    log = folder / "proxy.log"
    user, password = login
    given = ["--user", user, "--password", password] if user else []
    with running(
        str(HERE / "proxy_process.py"), "--log", str(log), "--map", f"{HOST}=127.0.0.1:{leads_to}", *given
    ) as port:
        yield OfficeProxy(port, user, password, log)


@contextmanager
def tinyproxy(folder: Path, leads_to: int) -> Iterator[OfficeProxy]:
    """tinyproxy with a password, as administrators set it up; our own proxy behind it knows the name."""
    program = shutil.which("tinyproxy")
    if program is None:
        pytest.skip("tinyproxy is not installed")
    with ExitStack() as stack:
        behind = stack.enter_context(office_proxy(folder, leads_to, login=("", "")))
        port = _free_port()
        config = folder / "tinyproxy.conf"
        config.write_text(
            f"Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogLevel Info\n"
            f'LogFile "{folder / "tinyproxy.log"}"\nBasicAuth anna office-1\nUpstream http 127.0.0.1:{behind.port}\n',
            encoding="ascii",
        )
        process = subprocess.Popen([program, "-d", "-c", str(config)], stdout=subprocess.DEVNULL)
        stack.callback(process.wait, 20)
        stack.callback(process.terminate)
        _wait_until_it_listens(port)
        yield OfficeProxy(port, "anna", "office-1", behind.log)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_until_it_listens(port: int) -> None:
    end = time.monotonic() + _LISTENS_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            assert time.monotonic() < end, "tinyproxy does not listen"
            time.sleep(0.05)
        else:
            return


_CA_CONF = """
[ca]
default_ca = private
[private]
database = issued.txt
serial = serial.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
"""


class PrivateAuthority:
    """A certificate authority that nobody knows, made with openssl."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pem = folder / "ca.pem"
        self._openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Private CA of the tests"),
            *("-keyout", "ca.key", "-out", "ca.pem"),
        )

    def issue(self, name: str, host: str = HOST, days: int = 2) -> Tuple[str, str]:
        """Certificate and key for a host, as files; ``days`` below zero for one that has expired."""
        (self._folder / f"{name}.names").write_text(f"subjectAltName=DNS:{host}\n", encoding="ascii")
        request = ("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        self._openssl(*request, "-subj", f"/CN={host}")
        # ``openssl x509`` would be simpler, and takes no days below zero any more
        first = datetime.now(timezone.utc) + timedelta(days=min(0, days) - 1)
        last = datetime.now(timezone.utc) + timedelta(days=days)
        (self._folder / "issued.txt").touch()
        (self._folder / "ca.conf").write_text(_CA_CONF, encoding="ascii")
        self._openssl(
            *("ca", "-batch", "-notext", "-config", "ca.conf", "-create_serial", "-in", f"{name}.csr"),
            *("-extfile", f"{name}.names", "-out", f"{name}.pem"),
            *("-startdate", f"{first:%Y%m%d%H%M%SZ}", "-enddate", f"{last:%Y%m%d%H%M%SZ}"),
        )
        return str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key")

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self._folder, check=True, capture_output=True, timeout=60)  # noqa: S607

    @contextmanager
    def trusted_in_qgis(self) -> Iterator[None]:
        """As under Settings > Options > Authentication > Manage Certificates > Authorities > Import."""
        manager = QgsApplication.authManager()
        (authority,) = QSslCertificate.fromPath(str(self.pem))
        assert manager.storeCertAuthority(authority)
        manager.rebuildCaCertsCache()
        manager.rebuildTrustedCaCertsCache()
        try:
            yield
        finally:
            manager.removeCertAuthority(authority)
            manager.rebuildCaCertsCache()
            manager.rebuildTrustedCaCertsCache()


@contextmanager
def secure_front(sandbox: RunningSandbox, certificate: Tuple[str, str]) -> Iterator[int]:
    """The sandbox over TLS; gives the port on loopback."""
    place = sandbox.base_url.rpartition("//")[2]
    with running(str(HERE / "tls_process.py"), *certificate, place) as port:
        yield port


def set_qgis_proxy(
    port: int,
    *,
    kind: str = "HttpProxy",
    user: str = "",
    password: str = "",
    no_proxy: Sequence[str] = (),
    excluded: Sequence[str] = (),
    enabled: bool = True,
) -> None:
    """What the person fills in under Settings > Options > Network."""
    values = (enabled, kind, "127.0.0.1", str(port), user, password, list(no_proxy), list(excluded))
    for key, value in zip(_PROXY_KEYS, values):
        QgsSettings().setValue(f"proxy/{key}", value)
    QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()


def forget_qgis_proxy() -> None:
    """QGIS as it comes: no proxy."""
    for key in _PROXY_KEYS:
        QgsSettings().remove(f"proxy/{key}")
    QNetworkProxyFactory.setUseSystemConfiguration(False)
    QgsNetworkAccessManager.instance().setupDefaultProxyAndCache()
