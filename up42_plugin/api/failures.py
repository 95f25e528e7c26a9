"""Calls without an answer: what went wrong, in words a person can act on, and without any secret.

The texts of ``requests`` and urllib3 hold whole addresses, signed ones too. Only the kind of the failure and the
operating system's words are taken from them, and errors made here carry no cause.
"""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from typing import Iterator, List, Optional, Sequence, Tuple, Type, TypeVar

import requests
from urllib3 import exceptions as urllib3_errors
from urllib3.util.ssl_match_hostname import CertificateError

from up42_plugin.api.errors import NetworkError

E = TypeVar("E", bound=NetworkError)

Kinds = Tuple[Type[BaseException], ...]

_INSECURE: Kinds = (requests.exceptions.SSLError, ssl.SSLError, urllib3_errors.SSLError)

_PROXY_SETTINGS = "Check Settings > Options > Network."
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
# Some, tinyproxy for one, answer 401 to a wrong password
_WANT_SIGN_IN, _SERVER_ERROR = (407, 401), 500
# OpenSSL's codes of what is wrong with a certificate
_NOT_YET_VALID, _EXPIRED, _OTHER_NAME, _OTHER_IP = 9, 10, 62, 64


class Obstacle(Enum):
    """Where on the way to the service a call ended."""

    ADDRESS = "address"
    PROXY = "proxy"
    CERTIFICATE = "certificate"


@dataclass(frozen=True)
class Failure:
    """Why there is no answer. ``passing`` when trying again may help; ``obstacle`` is where on the way it ended."""

    user_message: str
    detail: str
    passing: bool = True
    obstacle: Obstacle = Obstacle.ADDRESS

    def error(self, kind: Type[E]) -> E:
        """The error of the tree of the given kind."""
        return kind(self.user_message, self.detail)


@dataclass(frozen=True)
class Proxy:
    """The proxy on the way: its host's name, empty where it is not known, and whether it was given a password."""

    host: str = ""
    signed_in: bool = False

    @property
    def named(self) -> str:
        """``The proxy proxy.example.org``."""
        return f"The proxy {self.host}" if self.host else "The proxy"

    @property
    def wants_password(self) -> str:
        """What to do when it answers that it does not know who asks."""
        what = "does not accept its user and password" if self.signed_in else "wants a password"
        return f"{self.named} {what}. {_PROXY_SETTINGS}"


def explain(error: BaseException, where: str, host: str, read_timeout: float) -> Failure:
    """What happened, for a call named ``where`` to ``host``."""
    chain = list(_chain(error))
    detail = f"{where}: {_root(chain)}"
    special = _explain_proxy(chain, detail, host) or _explain_certificate(chain, detail, host)
    if special is not None:
        return special
    texts: Sequence[Tuple[Kinds, str]] = (
        (_INSECURE, f"No secure connection to {host}."),
        ((socket.gaierror,), f"{host} was not found. Check the network and the address of the connection."),
        ((ConnectionRefusedError,), f"{host} refuses the connection. The service may be down; try again later."),
        (  # urllib3 1.26 counts every failed connection as one that took too long
            (requests.exceptions.ConnectTimeout, urllib3_errors.ConnectTimeoutError),
            f"{host} cannot be reached. Check the network.",
        ),
        (
            (requests.exceptions.Timeout, socket.timeout, urllib3_errors.TimeoutError),
            f"No answer from {host} within {read_timeout:g}\u00a0s.",
        ),
    )
    for kinds, text in texts:
        if _holds(chain, *kinds):
            return Failure(text, detail, obstacle=Obstacle.CERTIFICATE if kinds is _INSECURE else Obstacle.ADDRESS)
    return Failure(f"The connection to {host} was interrupted. Try again.", detail)


def _holds(chain: Sequence[BaseException], *kinds: Type[BaseException]) -> bool:
    return any(isinstance(link, kinds) for link in chain)


def _explain_certificate(chain: Sequence[BaseException], detail: str, host: str) -> Optional[Failure]:
    wrong = next((link for link in chain if isinstance(link, (ssl.SSLCertVerificationError, CertificateError))), None)
    if wrong is None:
        return None
    renew = "Check the date of this computer, or have the service's operator renew it."
    texts = {
        _EXPIRED: f"The certificate of {host} has expired. {renew}",
        _NOT_YET_VALID: f"The certificate of {host} is not valid yet. {renew}",
        _OTHER_NAME: f"The certificate is not for {host}. Check the address of the connection.",
        _OTHER_IP: f"The certificate is not for {host}. Check the address of the connection.",
    }
    untrusted = "Certificate not trusted. Add it under Settings > Options > Authentication."
    code = getattr(wrong, "verify_code", _OTHER_NAME)  # without a code it is a name that does not match
    return Failure(texts.get(code, untrusted), detail, False, Obstacle.CERTIFICATE)


def _explain_proxy(chain: Sequence[BaseException], detail: str, host: str) -> Optional[Failure]:
    words = " ".join(str(link) for link in chain)
    if _holds(chain, requests.exceptions.InvalidSchema) and "SOCKS" in words:
        text = "SOCKS proxies need the Python package PySocks, which this QGIS lacks."
        return Failure(text, detail, False, Obstacle.PROXY)
    if not _holds(chain, requests.exceptions.ProxyError, urllib3_errors.ProxyError):
        return None
    proxy = _proxy_of(chain)
    answer = _TUNNEL.search(words)
    if answer is not None:
        return _refused_by_proxy(proxy, int(answer[1]), host, detail)
    unreachable = (ConnectionRefusedError, socket.gaierror, socket.timeout, urllib3_errors.ConnectTimeoutError)
    what = "cannot be reached" if _holds(chain, *unreachable) else "could not be used"
    return Failure(f"{proxy.named} {what}. {_PROXY_SETTINGS}", detail, obstacle=Obstacle.PROXY)


def _refused_by_proxy(proxy: Proxy, status: int, host: str, detail: str) -> Failure:
    detail = f"{detail} ({status})"
    if status in _WANT_SIGN_IN:
        return Failure(proxy.wants_password, detail, False, Obstacle.PROXY)
    if status >= _SERVER_ERROR:
        text = f"{proxy.named} cannot reach {host} ({status}). Check the address of the connection."
        return Failure(text, detail, obstacle=Obstacle.PROXY)
    text = f"{proxy.named} does not let requests through to {host} ({status}). {_PROXY_SETTINGS}"
    return Failure(text, detail, False, Obstacle.PROXY)


def _proxy_of(chain: Sequence[BaseException]) -> Proxy:
    """The proxy that urllib3 tells of in its errors."""
    for link in chain:
        url = getattr(getattr(link, "pool", None), "proxy", None)
        if url is not None:
            return Proxy(str(getattr(url, "host", "") or ""), bool(getattr(url, "auth", None)))
    return Proxy()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, its causes, and what requests and urllib3 wrap as arguments; outermost first."""
    queue: List[BaseException] = [error]
    seen: List[BaseException] = []
    while queue:
        link = queue.pop(0)
        if any(link is known for known in seen):
            continue
        seen.append(link)
        yield link
        context = None if link.__suppress_context__ else link.__context__
        wrapped = [link.__cause__, context, getattr(link, "reason", None), *link.args]
        queue.extend(other for other in wrapped if isinstance(other, BaseException))


def _root(chain: Sequence[BaseException]) -> str:
    """The innermost error in the operating system's words; of others only the kind, their texts may hold addresses."""
    for link in reversed(chain):
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"{type(link).__name__} ({link.verify_message})"
        if isinstance(link, ssl.SSLError):
            return f"{type(link).__name__} ({link.reason or 'TLS'})"
        if isinstance(link, OSError) and link.strerror and not isinstance(link, requests.RequestException):
            return f"{type(link).__name__} ({link.strerror})"
    return type(chain[-1]).__name__
