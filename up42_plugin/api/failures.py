"""Calls without an answer: what went wrong, in words a person can act on, and without any secret.

The texts of ``requests`` and urllib3 hold whole addresses, signed ones too. Only the kind of the failure and the
operating system's words are taken from them, and errors made here carry no cause.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from typing import Iterator, List, Optional, Sequence, Tuple, Type, TypeVar

import requests
from urllib3 import exceptions as urllib3_errors

from up42_plugin.api.errors import NetworkError

E = TypeVar("E", bound=NetworkError)

Kinds = Tuple[Type[BaseException], ...]

_INSECURE: Kinds = (requests.exceptions.SSLError, ssl.SSLError, urllib3_errors.SSLError)

PROXY_SIGN_IN = "The proxy wants a password. Check Settings > Options > Network."


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


def explain(error: BaseException, where: str, host: str, read_timeout: float) -> Failure:
    """What happened, for a call named ``where`` to ``host``."""
    chain = list(_chain(error))
    detail = f"{where}: {_root(chain)}"
    special = _explain_proxy(chain, detail) or _explain_certificate(chain, detail)
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


def _explain_certificate(chain: Sequence[BaseException], detail: str) -> Optional[Failure]:
    if _holds(chain, ssl.SSLCertVerificationError, ssl.CertificateError):
        text = "Certificate not trusted. Add it under Settings > Options > Authentication."
        return Failure(text, detail, False, Obstacle.CERTIFICATE)
    return None


def _explain_proxy(chain: Sequence[BaseException], detail: str) -> Optional[Failure]:
    words = " ".join(str(link) for link in chain)
    if _holds(chain, requests.exceptions.InvalidSchema) and "SOCKS" in words:
        text = "SOCKS proxies need the Python package PySocks, which this QGIS lacks."
        return Failure(text, detail, False, Obstacle.PROXY)
    if not _holds(chain, requests.exceptions.ProxyError, urllib3_errors.ProxyError):
        return None
    if "failed: 407" in words:
        return Failure(PROXY_SIGN_IN, f"{detail} (407)", False, Obstacle.PROXY)
    return Failure("The proxy could not be used. Check Settings > Options > Network.", detail, obstacle=Obstacle.PROXY)


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
