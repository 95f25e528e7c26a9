"""One request and its whole answer, over one worker's session. Repeats nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Dict, Mapping, Optional, Union
from urllib.parse import urljoin, urlsplit

import requests
from urllib3 import exceptions as urllib3_errors

from up42_plugin.api.calls import Answer, Call
from up42_plugin.api.context import CallContext
from up42_plugin.api.errors import AnswerError
from up42_plugin.api.failures import Failure, explain
from up42_plugin.api.fields import UNREADABLE
from up42_plugin.api.redaction import origin
from up42_plugin.api.wire import WatchedAdapter, Wire

SessionFactory = Callable[[], requests.Session]
Outcome = Union[Answer, Failure]

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
LARGEST_BODY = 64 * 1024 * 1024
CHUNK = 1 << 16
MOST_REDIRECTS = 3

# What requests lets through besides its own errors: urllib3's, the socket's, and those of broken addresses or headers.
SENDING_ERRORS = (requests.RequestException, urllib3_errors.HTTPError, OSError, ValueError)


def plain_session() -> requests.Session:
    """A session that asks neither environment nor netrc: no proxy, and the certificates that requests trusts."""
    session = requests.Session()
    session.trust_env = False
    return session


class Exchange:
    """Sends requests to one address and reads their answers; cancelling the context wakes what blocks here."""

    def __init__(self, address: str, sessions: SessionFactory, context: CallContext, user_agent: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AnswerError("The address of the connection is not valid.", f"{origin(address)} is no web address")
        self._address = address.rstrip("/")
        self._context = context
        self._wire = Wire()
        self._session = sessions()
        self._session.trust_env = False
        self._session.auth = None
        self._session.headers.pop("Authorization", None)
        if user_agent:
            self._session.headers["User-Agent"] = user_agent
        adapter = WatchedAdapter(self._wire)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._undo = context.on_cancel(self._wire.shut)

    def __repr__(self) -> str:
        return f"Exchange({origin(self._address)!r})"

    @property
    def left(self) -> bool:
        """Whether a byte of a request may have left since :meth:`fresh`."""
        return self._wire.left

    def fresh(self) -> None:
        """Drop kept connections, which may be dead already, so that the next request opens its own."""
        self._session.close()
        self._wire.begin()

    def interrupt(self) -> None:
        """Cut the open connections, from any thread: what blocks on them fails; new ones may be opened."""
        self._wire.interrupt()

    def close(self) -> None:
        """Release the connections."""
        self._undo()
        self._session.close()

    def url(self, path: str) -> str:
        """The whole address of a path at the service."""
        return path if "://" in path else self._address + path

    def where(self, call: Call) -> str:
        """The call for the log: method and path, without query."""
        return f"{call.method} {urlsplit(self.url(call.path)).path}"

    def send(self, call: Call, token: Optional[str]) -> Outcome:
        """One request and its answer, whatever its status, or why there is none.

        Raises:
            Cancelled: while connecting or reading.
            ValidationError: the body cannot be written as JSON.
        """
        where, url, body = self.where(call), self.url(call.path), call.body
        try:
            with self._session.request(
                call.method,
                url,
                params=call.query or None,
                data=body if call.form is None else dict(call.form),
                headers=_headers(call, body, token),
                auth=call.basic,
                timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._read(response, where)
        except SENDING_ERRORS as error:
            failure = explain(error, where, urlsplit(url).hostname or "", READ_TIMEOUT)
        self._context.check()
        return failure

    def follow(self, call: Call, token: Optional[str]) -> Outcome:
        """Like :meth:`send`, but a GET follows redirects that stay on its host: the token goes nowhere else."""
        outcome = self.send(call, token)
        url = self.url(call.path)
        for _ in range(MOST_REDIRECTS):
            if call.method != "GET" or isinstance(outcome, Failure) or not outcome.redirect:
                break
            target = urljoin(url, outcome.headers.get("Location", ""))
            if origin(target) != origin(url) or target == url:
                break
            url = target
            outcome = self.send(replace(call, path=url, query=()), token)
        return outcome

    def open(self, url: str, headers: Mapping[str, str], where: str) -> Union[requests.Response, Failure]:
        """GET an address outside the service (a signed one) and leave its body to be read. Redirects are followed.

        Raises:
            Cancelled: while connecting or waiting.
        """
        try:
            return self._session.get(
                url, headers=dict(headers), stream=True, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT), allow_redirects=True
            )
        except SENDING_ERRORS as error:
            failure = explain(error, where, urlsplit(url).hostname or "", READ_TIMEOUT)
        self._context.check()
        return failure

    def _read(self, response: requests.Response, where: str) -> Outcome:
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            self._context.check()
            body += chunk
            if len(body) > LARGEST_BODY:
                return Failure(UNREADABLE, f"{where}: longer than {LARGEST_BODY} bytes", False)
        expected = response.headers.get("Content-Length", "")
        if expected.isdigit() and response.raw.tell() < int(expected):
            self._context.check()
            # urllib3 1.26 takes the end of a dropped connection for the end of the data
            return Failure("The answer was cut off. Try again.", f"{where}: {response.raw.tell()} of {expected} bytes")
        return Answer(response.status_code, response.headers, bytes(body), where)


def _headers(call: Call, body: Optional[bytes], token: Optional[str]) -> Dict[str, str]:
    headers = {"Accept": call.accept}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return headers
