"""Connections that can be watched: did the request leave, and how is a blocked call woken.

``requests`` tells neither. A submission must know whether a failure came before or after its first byte left, and a
cancelled worker must not sit in ``recv`` until the read time-out: closing a response does not wake it, shutting the
socket down does. So the connection classes of urllib3 (1.26 and 2.x) are extended here, and nothing else of it.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import threading
import time
import weakref
from typing import Any, Callable, Mapping, Optional

from requests.adapters import HTTPAdapter
from urllib3 import exceptions as urllib3_errors
from urllib3.connection import HTTPConnection
from urllib3.util import connection as urllib3_connection

CONNECT_SLICE = 0.2


class Wire:
    """The sockets of one worker's session. Thread-safe; once shut it stays shut, as a cancelled worker is done."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._shut = False
        self._left = False

    @property
    def is_shut(self) -> bool:
        """Whether :meth:`shut` was called."""
        return self._shut

    @property
    def left(self) -> bool:
        """Whether a byte of a request may have left since :meth:`begin`."""
        return self._left

    def begin(self) -> None:
        """Start watching a new request."""
        self._left = False

    def mark(self) -> None:
        """Bytes of the request are about to be written."""
        self._left = True

    def watch(self, sock: socket.socket) -> None:
        """Take a socket into what :meth:`shut` wakes; shuts it at once when that has happened already."""
        with self._lock:
            self._sockets.add(sock)
            shut = self._shut
        if shut:
            _shut_down(sock)

    def shut(self) -> None:
        """Wake every call that is blocked on one of the sockets; it fails then. May be called from any thread."""
        with self._lock:
            self._shut = True
        self.interrupt()

    def interrupt(self) -> None:
        """Like :meth:`shut`, but other sockets may be opened afterwards."""
        with self._lock:
            sockets = list(self._sockets)
        for sock in sockets:
            _shut_down(sock)


def _shut_down(sock: Any) -> None:
    try:
        if isinstance(sock, socket.socket):
            # Not SSLSocket.shutdown: it drops the TLS state under the reader, which then takes ciphertext for data.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        else:
            sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # already closed, or never connected


class _Watched:
    """Mixed into a connection class of urllib3; ``wire`` is set on the class made for one session."""

    wire: Wire
    sock: Any
    _connecting = False
    _guard: Optional[socket.socket] = None

    def _new_conn(self) -> Any:
        base: Any = super()
        if base._new_conn.__func__ is HTTPConnection._new_conn:
            sock: Any = _connect(self, self.wire)
        else:
            sock = base._new_conn()  # the SOCKS classes bring their own
        # While TLS is negotiated or a proxy asked, the socket is wrapped and this object goes stale: keep a duplicate.
        self._guard = sock.dup()
        self.wire.watch(self._guard)
        return sock

    def connect(self) -> None:
        self._connecting = True
        try:
            super().connect()  # type: ignore[misc]
            self.wire.watch(self.sock)
        finally:
            self._connecting = False
            if self._guard is not None:
                self._guard.close()
                self._guard = None

    def send(self, data: Any) -> None:
        if self.sock is None and not self._connecting:
            self.connect()
        if not self._connecting:  # what a proxy is told while connecting is not the request
            self.wire.mark()
        super().send(data)  # type: ignore[misc]


def _connect(connection: Any, wire: Wire) -> socket.socket:
    """Open a TCP connection as urllib3 does, but give up as soon as the wire is shut.

    Raises:
        urllib3's ConnectTimeoutError and NewConnectionError, with the OSError as their cause.
    """
    try:
        return _connect_any(connection, wire)
    except socket.timeout as error:
        raise urllib3_errors.ConnectTimeoutError(connection, "Connecting timed out") from error
    except OSError as error:
        raise urllib3_errors.NewConnectionError(connection, f"Connecting failed: {error}") from error


def _connect_any(connection: Any, wire: Wire) -> socket.socket:
    host = getattr(connection, "_dns_host", connection.host).strip("[]")
    timeout = connection.timeout if isinstance(connection.timeout, (int, float)) else None
    family = urllib3_connection.allowed_gai_family()
    failure = OSError(f"no address for {host}")
    for kind, type_, protocol, _, address in socket.getaddrinfo(host, connection.port, family, socket.SOCK_STREAM):
        sock = None
        try:
            sock = socket.socket(kind, type_, protocol)
            for option in connection.socket_options or []:
                sock.setsockopt(*option)
            if connection.source_address:
                sock.bind(connection.source_address)
            _connect_one(sock, address, timeout, wire)
        except OSError as error:
            failure = error
            if sock is not None:
                sock.close()
        else:
            return sock
    raise failure


def _connect_one(sock: socket.socket, address: Any, timeout: Optional[float], wire: Wire) -> None:
    deadline = None if timeout is None else time.monotonic() + timeout
    sock.setblocking(False)
    code = sock.connect_ex(address)
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_WRITE)
        while code in (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN, getattr(errno, "WSAEWOULDBLOCK", -1)):
            if wire.is_shut:
                raise OSError(errno.ECANCELED, "cancelled")
            if deadline is not None and time.monotonic() >= deadline:
                raise socket.timeout("timed out")
            if selector.select(CONNECT_SLICE):
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
    sock.settimeout(timeout)


class WatchedAdapter(HTTPAdapter):
    """Sends one attempt over connections that report to a :class:`Wire`; never repeats anything by itself."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self._watch_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        known = proxy in self.proxy_manager
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not known:
            self._watch_pools(manager)
        return manager

    def _watch_pools(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {
            scheme: self._watched_pool(pool_class) for scheme, pool_class in manager.pool_classes_by_scheme.items()
        }

    def _watched_pool(self, pool_class: Any) -> Callable[..., Any]:
        base = pool_class.ConnectionCls
        members: Mapping[str, Any] = {"wire": self._wire}
        watched = type(f"Watched{base.__name__}", (_Watched, base), dict(members))

        def make(*args: Any, **kwargs: Any) -> Any:
            pool = pool_class(*args, **kwargs)
            pool.ConnectionCls = watched
            return pool

        return make
