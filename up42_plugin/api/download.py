"""Downloads from signed addresses: resumed where they stopped, and with a new address when the old one expired.

A signed address lets anybody in who holds it, so it counts as a secret: it never gets into an error, a log or a
``repr``, and no token is sent to it.
"""

from __future__ import annotations

import base64
import binascii
import http.client
import re
import threading
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Union
from urllib.parse import urlsplit

import requests

from up42_plugin.api.calls import Answer
from up42_plugin.api.errors import AccessError, AnswerError, NetworkError, NotFoundError
from up42_plugin.api.exchange import READ_TIMEOUT, SENDING_ERRORS
from up42_plugin.api.failures import Failure, explain
from up42_plugin.api.fields import UNREADABLE
from up42_plugin.api.transport import Transport

RENEWED = "The link expired, a new one was asked for."
INTERRUPTED = "The download was interrupted."
WHERE = "GET download"

OK = 200
PARTIAL = 206
NOT_FOUND = 404
UNSATISFIABLE = 416
EXPIRED = (400, 401, 403, 410)

# http.client's own errors, which urllib3 would have put into its own
_READING_ERRORS = (*SENDING_ERRORS, http.client.HTTPException)

_RANGE = re.compile(r"bytes\s+(?:(\d+)-\d+|\*)/(\d+|\*)\s*$", re.IGNORECASE)
_DIGESTS = {"md5": "md5", "sha": "sha1", "sha-256": "sha256", "sha-512": "sha512", "crc32c": "crc32c"}


class SignedUrl:
    """An address that opens without a token. Shown only as its host."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AnswerError(UNREADABLE, "data.url is no web address")
        self._address = address

    def __repr__(self) -> str:
        return f"SignedUrl({urlsplit(self._address).hostname})"

    def reveal(self) -> str:
        """The address itself, for the request only."""
        return self._address


def read_checksums(headers: Mapping[str, str], whole: bool) -> Dict[str, str]:
    """Digests of the whole content that a server tells, as hexadecimal text by algorithm.

    Read are ``x-goog-hash``, ``Digest`` and ``Repr-Digest``, which mean the stored content, and ``Content-MD5``, which
    means what is sent and counts only where that is everything (``whole``).
    """
    entries = []
    for name in ("x-goog-hash", "Digest", "Repr-Digest"):
        entries += [part.strip().partition("=") for part in headers.get(name, "").split(",")]
    if whole:
        entries.append(("md5", "=", headers.get("Content-MD5", "").strip()))
    digests: Dict[str, str] = {}
    for algorithm, _, value in entries:
        name = _DIGESTS.get(algorithm.lower().strip(), "")
        try:
            digest = base64.b64decode(value.strip().strip(":"), validate=True).hex()
        except (binascii.Error, ValueError):
            continue
        if name and digest:
            digests.setdefault(name, digest)
    return digests


class DownloadStream:
    """An open download (``core.service.ByteStream``). Reading may happen in another thread than opening.

    ``offset`` is where it really starts, ``total`` the whole length, None when the server does not tell, ``etag`` the
    content's version. ``checksums`` maps ``md5``, ``sha256``, ``sha512``, ``crc32c`` to hexadecimal digests of the
    whole content, as far as the server tells.
    """

    def __init__(self, response: requests.Response, offset: int, total: Optional[int], transport: Transport) -> None:
        self._response = response
        self._transport = transport
        self._check = transport.context.check
        self._position = offset
        self._interrupted = False
        self.offset = offset
        self.total = total
        self.etag = response.headers.get("ETag", "")
        coded = response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
        self.checksums: Mapping[str, str] = {} if coded else read_checksums(response.headers, whole=offset == 0)

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, as many as have come; ``b""`` at the end.

        Raises:
            NetworkError: the connection was cut before the end; everything that came has been given out before.
            Cancelled: the person cancelled; a blocked read is woken.
        """
        self._check()
        if self.total is not None and self._position >= self.total:
            return b""
        try:
            data = self._receive(size)
        except _READING_ERRORS as error:
            detail = explain(error, WHERE, "storage", READ_TIMEOUT).detail
        else:
            self._check()  # what arrives after a cancellation is not data
            self._position += len(data)
            over = self._position >= self.total if self.total is not None else not self._interrupted
            if data or over:
                return data
            detail = f"{WHERE}: ended at {self._position} of {self.total} bytes"
        self._check()
        raise NetworkError(INTERRUPTED, detail)

    def interrupt(self) -> None:
        """Cut the connection, from any thread: a blocked read raises ``NetworkError``."""
        self._interrupted = True
        self._transport.interrupt()

    def close(self) -> None:
        """Release the connection."""
        self._response.close()

    def _receive(self, size: int) -> bytes:
        """What one look at the socket gives: urllib3 waits for all of ``size``, and loses what came before a cut."""
        inner: Any = getattr(self._response.raw, "_fp", None)
        if isinstance(inner, http.client.HTTPResponse):
            return inner.read1(size)
        data: bytes = self._response.raw.read(size, decode_content=False)
        return data


class SignedDownload:
    """A download that can be opened again (``core.service.ByteSource``); ``ask`` gives a new signed address."""

    def __init__(self, transport: Transport, ask: Callable[[], SignedUrl]) -> None:
        self._transport = transport
        self._ask = ask
        self._lock = threading.Lock()
        self._url: Optional[SignedUrl] = None

    def open(self, offset: int = 0, etag: str = "") -> DownloadStream:
        """Open from ``offset``; from the start when the server cannot resume or, given ``etag``, the content changed.

        Raises:
            NotFoundError: nothing is there any more.
            AccessError: a new address does not open either.
            ServiceError, NetworkError, AnswerError, Cancelled: as calls to the service.
        """
        rounds = self._transport.rounds()
        renewed = False
        while True:
            outcome = self._attempt(offset, etag)
            rounds.count()
            if isinstance(outcome, DownloadStream):
                return outcome
            if isinstance(outcome, Answer):
                if outcome.status in EXPIRED and not renewed:
                    renewed = True
                    self._drop_url()
                    self._transport.tell(RENEWED)
                    continue
                _raise_for(outcome)
            self._transport.wait_or_raise(rounds, outcome, "output")

    def _attempt(self, offset: int, etag: str) -> Union[DownloadStream, Answer, Failure]:
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if offset > 0:
            headers["Range"] = f"bytes={offset}-"
            if etag and not etag.startswith("W/"):
                headers["If-Range"] = etag
        response = self._transport.open(self._current_url().reveal(), headers, WHERE)
        if isinstance(response, Failure):
            return response
        if response.status_code == OK:
            return DownloadStream(response, 0, _length(response), self._transport)
        if response.status_code == PARTIAL:
            start, total = _content_range(response)
            same = not etag or response.headers.get("ETag", etag) == etag
            if start == offset and same:
                return DownloadStream(response, offset, total, self._transport)
        status = response.status_code
        if status == UNSATISFIABLE and _content_range(response)[1] == offset:  # all of it is there already
            return DownloadStream(response, offset, offset, self._transport)
        response.close()
        if offset > 0 and status in (PARTIAL, UNSATISFIABLE):
            return self._attempt(0, "")  # another version, or shorter than what was resumed: start over
        return Answer(status, response.headers, b"", WHERE)

    def _current_url(self) -> SignedUrl:
        with self._lock:
            if self._url is None:
                self._url = self._ask()
            return self._url

    def _drop_url(self) -> None:
        with self._lock:
            self._url = None


def _raise_for(answer: Answer) -> None:
    detail = f"{WHERE}: {answer.status}"
    if answer.status in EXPIRED:
        message = "The link to the output does not open, and neither does a new one. Try again later."
        raise AccessError(message, detail, answer.status)
    if answer.status == NOT_FOUND:
        raise NotFoundError("This output no longer exists.", detail, answer.status)
    if answer.ok or answer.redirect:
        raise AnswerError(UNREADABLE, f"{detail} for a download")


def _length(response: requests.Response) -> Optional[int]:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _content_range(response: requests.Response) -> Tuple[Optional[int], Optional[int]]:
    match = _RANGE.match(response.headers.get("Content-Range", "").strip())
    if match is None:
        return None, None
    start, total = match.groups()
    return (None if start is None else int(start)), (int(total) if total.isdigit() else None)
