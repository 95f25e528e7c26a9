"""Checksums that servers tell, and the one that Python has not."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.byte_sources import MemorySource, MemoryStream, seeded, tar_gz, tree
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.output_errors import DamagedArchiveError
from up42_plugin.core.transfer import fetch_output
from up42_plugin.core.transfer.checksums import Checksums
from up42_plugin.core.transfer.crc32c import Crc32c

BLOCK = 1 << 18


def plain_crc32c(data: bytes) -> int:
    """The definition, bit by bit."""
    state = 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = (state >> 1) ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


def crc32c(data: bytes, pieces=()) -> int:
    running, start = Crc32c(), 0
    for size in pieces:
        running.update(data[start : start + size])
        start += size
    running.update(data[start:])
    return int.from_bytes(running.digest(), "big")


@pytest.mark.parametrize(
    ("data", "published"),
    [
        (b"", 0x00000000),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),  # RFC 3720, B.4
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_crc32c_has_the_published_values(data, published):
    assert crc32c(data) == published == plain_crc32c(data)


@pytest.mark.parametrize("size", [BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 12345])
def test_crc32c_is_right_around_its_blocks_however_they_come(size):
    chance = seeded(size)
    data = chance.randbytes(size)
    expected = plain_crc32c(data)
    assert crc32c(data) == expected
    assert crc32c(data, [1, BLOCK, 7]) == expected
    assert crc32c(data, [chance.randrange(1, 99_999) for _ in range(9)]) == expected


@pytest.fixture(scope="module")
def archive():
    return tar_gz({"data.json": b"{}", "image.tif": seeded(5).randbytes(600_000)})


def _digest(name: str, content: bytes) -> bytes:
    if name == "crc32c":
        return plain_crc32c(content).to_bytes(4, "big")
    return hashlib.new(name, content, usedforsecurity=False).digest()


@pytest.mark.parametrize("form", ["hex", "base64"])
@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512", "crc32c"])
def test_each_checksum_of_the_server_is_compared(archive, name, form, tmp_path):
    def source(content):
        digest = _digest(name, content)
        text = digest.hex() if form == "hex" else base64.b64encode(digest).decode()
        sums = {name: text}
        return MemorySource(
            archive, lambda _n, offset: MemoryStream(archive, offset, total=len(archive), checksums=sums)
        )

    fetch_output(source(archive), tmp_path / "right", ThreadContext())
    with pytest.raises(DamagedArchiveError) as damaged:
        fetch_output(source(archive[:-1] + b"x"), tmp_path / "wrong", ThreadContext())
    assert name.upper() in damaged.value.detail
    assert [path.name for path in tmp_path.iterdir()] == ["right"]


def test_one_wrong_checksum_among_right_ones_is_damage():
    right = {name: _digest(name, b"content").hex() for name in ("md5", "sha256", "crc32c")}
    for wrong in ("", *right):
        sums = Checksums({**right, wrong: "00" * (len(right.get(wrong, "")) // 2)})
        sums.update(b"con")
        sums.update(b"tent")
        if wrong:
            with pytest.raises(DamagedArchiveError):
                sums.verify()
        else:
            sums.verify()


@pytest.mark.parametrize("sums", [{}, {"md5": "no digest"}, {"md5": "00"}, {"adler32": "00000000"}, {"sha256": ""}])
def test_checksums_that_cannot_be_read_are_left_out(archive, sums, tmp_path):
    source = MemorySource(archive, lambda _n, offset: MemoryStream(archive, offset, total=len(archive), checksums=sums))
    fetch_output(source, tmp_path / "final", ThreadContext())
    assert "image.tif" in tree(tmp_path / "final")


def test_a_cut_does_not_confuse_the_checksums(archive, tmp_path):
    sums = {name: _digest(name, archive).hex() for name in ("md5", "crc32c")}

    def plan(number, offset):
        cut = 250_001 if number == 1 else None
        return MemoryStream(archive, offset, cut_at=cut, total=len(archive), checksums=sums)

    source = MemorySource(archive, plan)
    fetch_output(source, tmp_path / "final", ThreadContext())
    assert source.openings == [(0, ""), (250_001, '"1"')]
