from __future__ import annotations

import base64
import hashlib
import socket
import threading
import time
from typing import Any, Callable, Iterator, List, Optional

import pytest
from api_kit import TokenDesk, Waits, Worker, everything_of, never_time_out, tokens_for, transport_to
from scripted_server import RawServer, Reply, ScriptedServer, Seen, closed_port, error, raw_server

from up42_plugin.api import errors
from up42_plugin.api.download import DownloadStream, SignedDownload, SignedUrl, read_checksums
from up42_plugin.core.context import ThreadContext

CONTENT = bytes(range(256)) * 40
SECRET = "hunter2signature"
PATH = "/artifacts/output.tgz"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    never_time_out(monkeypatch)


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    server = ScriptedServer()
    yield server
    server.close()


class Store:
    """A storage that serves ranges, and can change its content."""

    def __init__(self, content: bytes = CONTENT, etag: str = '"v1"', **headers: str) -> None:
        self.content = content
        self.etag = etag
        self.headers = headers

    def __call__(self, seen: Seen) -> Reply:
        headers = {**self.headers, "ETag": self.etag}
        asked = seen.headers.get("Range", "")
        if not asked or seen.headers.get("If-Range", self.etag) != self.etag:
            return Reply(200, self.content, headers)
        start = int(asked[len("bytes=") :].rstrip("-"))
        total = len(self.content)
        if start >= total:
            return Reply(416, b"", {**headers, "Content-Range": f"bytes */{total}"})
        headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        return Reply(206, self.content[start:], headers)


def source_at(server: ScriptedServer, context: Optional[ThreadContext] = None, **more: Any) -> SignedDownload:
    transport = transport_to(server.address, context or Waits(), more.pop("tokens", None))
    return SignedDownload(transport, more.pop("ask", url_of(server)))


def url_of(server: ScriptedServer, asked: Optional[List[int]] = None) -> Callable[[], SignedUrl]:
    def ask() -> SignedUrl:
        number = 1 if asked is None else len(asked) + 1
        if asked is not None:
            asked.append(number)
        return SignedUrl(f"{server.address}{PATH}?Expires={number}&Signature={SECRET}")

    return ask


def rest_of(stream: DownloadStream, size: int = 1000) -> bytes:
    return b"".join(iter(lambda: stream.read(size), b""))


def test_all_of_it_comes_with_its_length_version_and_checksum(server: ScriptedServer) -> None:
    digest = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
    encoded = base64.b64encode(bytes.fromhex(digest)).decode()
    server.on("GET", PATH, Store(**{"x-goog-hash": f"crc32c=AAAAAA==,md5={encoded}"}))
    stream = source_at(server).open()
    assert (stream.offset, stream.total, stream.etag) == (0, len(CONTENT), '"v1"')
    assert stream.checksums == {"crc32c": "00000000", "md5": digest}
    assert rest_of(stream) == CONTENT
    assert stream.read(10) == b""
    stream.close()


def test_no_token_is_sent_to_the_storage(server: ScriptedServer) -> None:
    desk = TokenDesk(server)
    server.on("GET", "/things", desk.guard(Reply(200, {})))
    server.on("GET", PATH, Store())
    tokens = tokens_for()
    transport = transport_to(server.address, tokens=tokens)
    from up42_plugin.api.calls import Call  # noqa: PLC0415

    transport.json(Call("GET", "/things"))
    rest_of(SignedDownload(transport, url_of(server)).open())
    (seen,) = server.requests("GET", PATH)
    assert "Authorization" not in seen.headers
    assert "Cookie" not in seen.headers
    assert seen.headers["Accept-Encoding"] == "identity"


def test_it_goes_on_where_it_stopped(server: ScriptedServer) -> None:
    server.on("GET", PATH, Store())
    stream = source_at(server).open(4321, '"v1"')
    assert (stream.offset, stream.total) == (4321, len(CONTENT))
    assert rest_of(stream) == CONTENT[4321:]
    headers = server.requests()[0].headers
    assert (headers["Range"], headers["If-Range"]) == ("bytes=4321-", '"v1"')


def test_other_content_starts_over(server: ScriptedServer) -> None:
    server.on("GET", PATH, Store(b"new" * 2000, '"v2"'))
    stream = source_at(server).open(4321, '"v1"')
    assert (stream.offset, stream.etag) == (0, '"v2"')
    assert rest_of(stream) == b"new" * 2000


def test_other_content_starts_over_where_the_server_ignores_if_range(server: ScriptedServer) -> None:
    store = Store(etag='"v2"')

    def careless(seen: Seen) -> Reply:
        seen.headers.pop("If-Range", None)
        return store(seen)

    server.on("GET", PATH, careless)
    stream = source_at(server).open(100, '"v1"')
    assert (stream.offset, stream.etag) == (0, '"v2"')
    assert rest_of(stream) == CONTENT


def test_a_weak_version_is_not_sent_as_a_condition_but_compared(server: ScriptedServer) -> None:
    server.on("GET", PATH, Store(etag='W/"v1"'))
    assert source_at(server).open(100, 'W/"v1"').offset == 100
    assert source_at(server).open(100, 'W/"v0"').offset == 0
    assert all("If-Range" not in seen.headers for seen in server.requests())


def test_a_server_without_ranges_starts_over(server: ScriptedServer) -> None:
    server.on("GET", PATH, Reply(200, CONTENT))
    stream = source_at(server).open(100)
    assert (stream.offset, stream.total, stream.etag) == (0, len(CONTENT), "")


@pytest.mark.parametrize("content_range", ["bytes 0-9/10", "bytes x", "", "bytes */10"])
def test_a_range_that_was_not_asked_for_starts_over(server: ScriptedServer, content_range: str) -> None:
    server.on("GET", PATH, Reply(206, b"0123456789", {"Content-Range": content_range}), Reply(200, CONTENT))
    stream = source_at(server).open(5)
    assert (stream.offset, rest_of(stream)) == (0, CONTENT)


def test_what_is_there_already_is_not_downloaded_again(server: ScriptedServer) -> None:
    server.on("GET", PATH, Store())
    stream = source_at(server).open(len(CONTENT), '"v1"')
    assert (stream.offset, stream.total) == (len(CONTENT), len(CONTENT))
    assert stream.read(100) == b""
    stream.close()


def test_less_than_is_there_already_starts_over(server: ScriptedServer) -> None:
    server.on("GET", PATH, Store(b"short"))
    stream = source_at(server).open(len(CONTENT))
    assert (stream.offset, rest_of(stream)) == (0, b"short")


def test_a_range_without_a_known_total_is_taken(server: ScriptedServer) -> None:
    server.on("GET", PATH, Reply(206, b"rest", {"Content-Range": "bytes 5-8/*"}))
    stream = source_at(server).open(5)
    assert (stream.offset, stream.total, rest_of(stream)) == (5, None, b"rest")


@pytest.mark.parametrize("status", [400, 401, 403, 410])
def test_an_expired_link_is_replaced_by_a_new_one(server: ScriptedServer, status: int) -> None:
    asked: List[int] = []
    store = Store()

    def expiring(seen: Seen) -> Reply:
        return store(seen) if dict(seen.query)["Expires"] == "2" else Reply(status, b"<Error>Expired</Error>")

    server.on("GET", PATH, expiring)
    context = Waits()
    source = source_at(server, context, ask=url_of(server, asked))
    assert rest_of(source.open(7)) == CONTENT[7:]
    assert rest_of(source.open()) == CONTENT
    assert asked == [1, 2]
    assert context.slept == []


def test_when_a_new_link_does_not_open_either_the_person_is_told(server: ScriptedServer) -> None:
    server.on("GET", PATH, Reply(403, b"<Error>"))
    asked: List[int] = []
    with pytest.raises(errors.AccessError) as caught:
        source_at(server, ask=url_of(server, asked)).open()
    assert asked == [1, 2]
    assert SECRET not in everything_of(caught.value)


def test_an_output_that_is_gone_is_not_found(server: ScriptedServer) -> None:
    server.on("GET", PATH, Reply(404))
    with pytest.raises(errors.NotFoundError, match="This output no longer exists"):
        source_at(server).open()


def test_problems_of_the_storage_are_tried_again_and_then_told(server: ScriptedServer) -> None:
    server.on("GET", PATH, Reply(503), error(429, "slow down", Retry_After="3"), Reply(lose=True), Store())
    context = Waits()
    assert rest_of(source_at(server, context).open()) == CONTENT
    assert 3.0 in context.slept
    server.on("GET", PATH, Reply(500))
    with pytest.raises(errors.ServerError):
        source_at(server).open()


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_is_no_download_cannot_be_read(server: ScriptedServer, status: int) -> None:
    server.on("GET", PATH, Reply(status))
    with pytest.raises(errors.AnswerError):
        source_at(server).open()


def test_redirects_are_followed_without_telling_anybody_the_signature(server: ScriptedServer) -> None:
    other = ScriptedServer()
    other.on("GET", "/real", Store())
    server.on("GET", PATH, Reply(302, headers={"Location": f"{other.address}/real"}))
    stream = source_at(server).open(10, '"v1"')
    assert rest_of(stream) == CONTENT[10:]
    assert "Referer" not in other.seen[0].headers
    other.close()


@pytest.mark.parametrize("cut", [0, 1, 5000])
def test_a_cut_download_is_an_error_and_never_an_end(server: ScriptedServer, cut: int) -> None:
    server.on("GET", PATH, Reply(200, CONTENT, cut_after=cut))
    stream = source_at(server).open()
    received = []
    with pytest.raises(errors.NetworkError) as caught:
        received.extend(iter(lambda: stream.read(700), b""))
    assert b"".join(received) == CONTENT[:cut]  # all that came, although more was asked for at once
    assert caught.value.user_message == "The download was interrupted."
    assert caught.value.__context__ is None


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("sized", [True, False])
def test_interrupting_wakes_a_blocked_read_and_the_download_can_be_opened_again(sized: bool) -> None:
    talks: List[int] = []

    def talk(server: RawServer, connection: socket.socket) -> None:
        head = server.read_request(connection)
        talks.append(1)
        if len(talks) > 1:
            assert b"Range: bytes=5-" in head
            connection.sendall(b"HTTP/1.1 206 OK\r\nContent-Length: 5\r\nContent-Range: bytes 5-9/10\r\n\r\nworld")
            return
        length = b"Content-Length: 10\r\n" if sized else b""
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\nhello")
        server.release.wait()

    with raw_server(talk) as server:
        transport = transport_to(server.address, Waits())
        source = SignedDownload(transport, lambda: SignedUrl(f"{server.address}/x?s={SECRET}"))
        stream = source.open()
        assert stream.read(100) == b"hello"
        worker = Worker(lambda: stream.read(100))
        time.sleep(0.1)
        stream.interrupt()
        assert isinstance(worker.ended().error, errors.NetworkError)
        stream.close()
        assert rest_of(source.open(5)) == b"world"


def test_a_cut_chunked_download_is_an_error() -> None:
    def talk(server: RawServer, connection: socket.socket) -> None:
        server.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo")

    with raw_server(talk) as server:
        transport = transport_to(server.address, Waits())
        stream = SignedDownload(transport, lambda: SignedUrl(f"{server.address}/x?s={SECRET}")).open()
        assert stream.total is None
        with pytest.raises(errors.NetworkError):
            rest_of(stream, 5)


@pytest.mark.usefixtures("patient")
def test_cancelling_wakes_a_blocked_read_in_another_thread(server: ScriptedServer) -> None:
    never = threading.Event()
    server.on("GET", PATH, Reply(200, CONTENT, hold_body=never))
    context = ThreadContext()
    stream = source_at(server, context).open()
    reading = threading.Event()

    def read() -> bytes:
        reading.set()
        return stream.read(10)

    worker = Worker(read)
    assert reading.wait(20)
    context.cancel()
    assert isinstance(worker.ended().error, errors.Cancelled)
    never.set()
    stream.close()


@pytest.mark.usefixtures("patient")
def test_cancelling_wakes_an_open_that_waits(server: ScriptedServer) -> None:
    never = threading.Event()
    server.on("GET", PATH, Reply(hold=never))
    context = ThreadContext()
    source = source_at(server, context)
    worker = Worker(source.open)
    server.wait_for(1)
    context.cancel()
    assert isinstance(worker.ended().error, errors.Cancelled)
    never.set()


def test_the_signed_address_is_never_shown() -> None:
    url = SignedUrl(f"http://127.0.0.1:{closed_port()}/o/output.tgz?Signature={SECRET}")
    source = SignedDownload(transport_to("http://127.0.0.1:1", Waits()), lambda: url)
    with pytest.raises(errors.NetworkError) as caught:
        source.open()
    shown = everything_of(caught.value) + repr(url) + str(url) + repr(source)
    assert SECRET not in shown
    assert "output.tgz" not in shown
    assert url.reveal().endswith(SECRET)


@pytest.mark.parametrize("address", ["", "output.tgz", "file:///etc/passwd", "ftp://example.org/x", "https://"])
def test_a_link_that_is_no_web_address_cannot_be_read(address: str) -> None:
    with pytest.raises(errors.AnswerError):
        SignedUrl(address)


def test_checksums_are_read_from_every_place_they_are_told() -> None:
    sha = base64.b64encode(b"\x01" * 32).decode()
    md5 = base64.b64encode(b"\x02" * 16).decode()
    assert read_checksums({"Digest": f"SHA-256={sha},unixsum=3"}, whole=False) == {"sha256": "01" * 32}
    assert read_checksums({"Repr-Digest": f"sha-256=:{sha}:"}, whole=False) == {"sha256": "01" * 32}
    assert read_checksums({"Content-MD5": md5}, whole=True) == {"md5": "02" * 16}
    assert read_checksums({"Content-MD5": md5}, whole=False) == {}
    assert read_checksums({"x-goog-hash": "md5=%%%, crc32c"}, whole=True) == {}
