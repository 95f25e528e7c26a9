"""QGIS's own network settings, for ``requests``: proxies, trusted certificates, user agent.

QGIS objects are asked on the main thread only; workers get plain values (:class:`NetworkSettings`) and make their
sessions from those. Environment variables, ``.netrc`` and ``REQUESTS_CA_BUNDLE`` play no part: they would beat what the
person set in QGIS.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Mapping, Optional, Tuple
from urllib.parse import quote, urlsplit

import requests
from qgis.core import Qgis, QgsApplication, QgsNetworkAccessManager
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtNetwork import QNetworkProxy, QNetworkProxyQuery

from up42_plugin.core.addresses import is_loopback

SessionFactory = Callable[[], requests.Session]

# Stands for any host that was not asked for by name; the name is reserved and never resolved.
_ANY_HOST = "up42.invalid"


@dataclass(frozen=True)
class NetworkSettings:
    """A snapshot of QGIS's network settings as plain values; safe to hand to any thread.

    ``proxies`` maps a scheme (``https``) or an origin asked for by name (``https://api.example.org``) to a proxy URL,
    ``""`` for none. URLs that begin with one of ``bypass`` use no proxy. ``ca_bundle`` is a PEM file, or None where
    QGIS has no certificates of its own.
    """

    user_agent: str
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    bypass: Tuple[str, ...] = ()
    ca_bundle: Optional[str] = None

    def proxy_for(self, url: str) -> str:
        """The proxy for ``url`` as a URL (it may hold a user and password), ``""`` for none. Loopback never has one."""
        parts = urlsplit(url)
        if is_loopback(parts.hostname or ""):
            return ""
        if any(url.startswith(prefix) for prefix in self.bypass):
            return ""
        by_name = self.proxies.get(_origin(url))
        return self.proxies.get(parts.scheme, "") if by_name is None else by_name


class QgisNetwork:
    """Takes snapshots of QGIS's network settings. Lives and is used on the main thread; ``close`` it at the end."""

    def __init__(self, version: str) -> None:
        self._user_agent = f"up42-qgis/{version} QGIS/{_qgis_version()}"
        self._folder: Optional[Path] = None

    def settings(self, addresses: Iterable[str] = ()) -> NetworkSettings:
        """The settings as they are now. ``addresses`` are URLs whose proxy is asked for by name, as a PAC file may."""
        manager = QgsNetworkAccessManager.instance()
        proxies: Dict[str, str] = {scheme: _proxy(manager, f"{scheme}://{_ANY_HOST}/") for scheme in ("http", "https")}
        for address in addresses:
            if address:
                proxies[_origin(address)] = _proxy(manager, address)
        prefixes = (*manager.noProxyList(), *manager.excludeList())
        bypass = tuple(prefix.strip() for prefix in prefixes if prefix.strip())
        return NetworkSettings(self._user_agent, proxies, bypass, self._ca_bundle())

    def close(self) -> None:
        """Remove the certificate file. Sessions made from earlier snapshots cannot verify hosts any more."""
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _ca_bundle(self) -> Optional[str]:
        pem = bytes(QgsApplication.authManager().trustedCaCertsPemText())
        if b"BEGIN CERTIFICATE" not in pem:
            return None
        if self._folder is None or not self._folder.is_dir():
            self._folder = Path(tempfile.mkdtemp(prefix="up42-ca-"))
        # One file per content: sessions of an earlier snapshot go on reading theirs
        path = self._folder / f"{hashlib.sha256(pem).hexdigest()[:16]}.pem"
        if not path.exists():
            path.write_bytes(pem)
        return str(path)


class QgisSession(requests.Session):
    """A session that follows a :class:`NetworkSettings`, for redirects too. One per worker."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self._settings = settings
        self.trust_env = False
        self.verify = settings.ca_bundle if settings.ca_bundle is not None else True
        self.headers["User-Agent"] = settings.user_agent

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """As in ``requests``, through QGIS's proxy for this very URL."""
        proxy = self._settings.proxy_for(request.url or "")
        kwargs["proxies"] = {"http": proxy, "https": proxy}
        return super().send(request, **kwargs)


class FollowingSessions:
    """Makes sessions that follow the settings as they were told last. Making is for any thread, telling for one."""

    def __init__(self, settings: NetworkSettings) -> None:
        self._settings = settings

    def __call__(self) -> requests.Session:
        return QgisSession(self._settings)

    def follow(self, settings: NetworkSettings) -> None:
        """Follow other settings from the next session on."""
        self._settings = settings


def session_factory(settings: NetworkSettings) -> SessionFactory:
    """Makes sessions that follow ``settings``; may be called in any thread."""

    def make() -> requests.Session:
        return QgisSession(settings)

    return make


def proxy_name(proxy: str) -> str:
    """Host and port of a proxy URL, without its user and password; ``""`` for none."""
    return urlsplit(proxy).netloc.rpartition("@")[2]


def signs_in(proxy: str) -> bool:
    """Whether a proxy URL holds a user."""
    return "@" in urlsplit(proxy).netloc


def _proxy(manager: QgsNetworkAccessManager, url: str) -> str:
    kinds = {
        QNetworkProxy.ProxyType.HttpProxy: "http",
        QNetworkProxy.ProxyType.HttpCachingProxy: "http",
        QNetworkProxy.ProxyType.Socks5Proxy: "socks5h",
    }
    factory = manager.proxyFactory()
    answers = factory.queryProxy(QNetworkProxyQuery(QUrl(url))) if factory is not None else [manager.fallbackProxy()]
    for proxy in answers:
        if proxy.type() == QNetworkProxy.ProxyType.NoProxy:
            return ""
        kind = kinds.get(proxy.type())
        if kind is not None and proxy.hostName():
            return _proxy_url(kind, proxy)
    return ""


def _proxy_url(kind: str, proxy: QNetworkProxy) -> str:
    login = ""
    if proxy.user():
        login = f"{quote(proxy.user(), safe='')}:{quote(proxy.password(), safe='')}@"
    host = f"[{proxy.hostName()}]" if ":" in proxy.hostName() else proxy.hostName()
    return f"{kind}://{login}{host}:{proxy.port()}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{port}"


def _qgis_version() -> str:
    # 3.22.16-Białowieża: a header takes ASCII only
    return Qgis.QGIS_VERSION.split("-", 1)[0]
