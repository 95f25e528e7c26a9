"""The server that the benchmarks download from, whichever it is."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest
import requests

from tests.bench.file_server import FileServer, nginx, serving

CONTENT = bytes(range(256)) * 4096


@pytest.fixture(params=["nginx", "sendfile"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FileServer]:
    program = nginx() if request.param == "nginx" else None
    if request.param == "nginx" and program is None:
        pytest.skip("there is no nginx here")
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "a.tgz").write_bytes(CONTENT)
    with serving(folder, program) as running:
        assert running.name == request.param
        yield running


def get(server: FileServer, path: str = "/a.tgz", **headers: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(server.address + path, headers={"Accept-Encoding": "identity", **headers}, timeout=10)


def test_whole_files_come_with_their_length_and_version(server: FileServer) -> None:
    answer = get(server)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["ETag"]
    assert get(server, "/none.tgz").status_code == 404


def test_what_follows_a_byte_comes_alone(server: FileServer) -> None:
    etag = get(server).headers["ETag"]
    part = get(server, Range="bytes=1000000-", **{"If-Range": etag})
    assert (part.status_code, part.content) == (206, CONTENT[1000000:])
    assert part.headers["Content-Range"] == f"bytes 1000000-{len(CONTENT) - 1}/{len(CONTENT)}"
    other = get(server, Range="bytes=1000000-", **{"If-Range": '"another"'})
    assert (other.status_code, len(other.content)) == (200, len(CONTENT))
    assert get(server, Range=f"bytes={len(CONTENT)}-").status_code == 416
