"""Archives that nobody should unpack, made by hand, each with the words it must be refused with.

``python tests/hostile_archives.py FOLDER`` writes them all to a folder, to try on other software.
"""

from __future__ import annotations

import gzip
import io
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Tuple

BLOCK = 512
END = bytes(2 * BLOCK)

OUTSIDE = "holds a path outside its folder"
LINK = "holds a link or a device"
SPARSE = "holds a file that is not plain"
TWICE = "holds the same name twice"
BOMB = "unpacks to far more than its size allows"
TOO_MUCH = "unpacks to more than is allowed"
TOO_MANY = "holds too many files"
TOO_LONG = "holds a name that is too long"
BAD_NAME = "holds a name that is not allowed"
MORE = "holds more than it declares"
LOCKED = "is encrypted"
DAMAGED = "is damaged"


@dataclass(frozen=True)
class HostileArchive:
    """``words`` is a part of the sentence a person must see."""

    name: str
    content: bytes
    words: str


def header(
    name: bytes,
    size: int = 0,
    kind: bytes = b"0",
    *,
    link: bytes = b"",
    size_field: Optional[bytes] = None,
    checksum: Optional[int] = None,
    prefix: bytes = b"",
) -> bytes:
    """One ustar header, with any field replaced."""
    fields = bytearray(BLOCK)
    fields[0:100] = name[:100].ljust(100, b"\0")
    fields[100:108] = b"0000644\0"
    fields[108:124] = b"0000000\0" * 2
    fields[124:136] = size_field or b"%011o\0" % size
    fields[136:148] = b"00000000000\0"
    fields[148:156] = b" " * 8
    fields[156:157] = kind
    fields[157:257] = link[:100].ljust(100, b"\0")
    fields[257:265] = b"ustar\x0000"
    fields[345:500] = prefix.ljust(155, b"\0")
    fields[148:156] = b"%06o\0 " % (sum(fields) if checksum is None else checksum)
    return bytes(fields)


def member(name: bytes, data: bytes = b"x", kind: bytes = b"0", **fields) -> bytes:
    """A header and its padded content."""
    return header(name, len(data), kind, **fields) + data + bytes(-len(data) % BLOCK)


def pax(**records: str) -> bytes:
    """A pax extension header for the next member."""
    payload = b""
    for key, value in records.items():
        body = b" " + key.replace("__", ".").encode() + b"=" + value.encode("utf-8", "surrogateescape") + b"\n"
        length = len(body)
        while len(str(length)) + len(body) != length:
            length = len(str(length)) + len(body)
        payload += str(length).encode() + body
    return member(b"pax", payload, b"x")


def tgz(*parts: bytes, end: bytes = END) -> bytes:
    """The parts as a tar.gz."""
    return gzip.compress(b"".join(parts) + end, mtime=0)


GOOD = member(b"output/data.json", b'{"type":"FeatureCollection","features":[]}')


def zipped(*entries: Tuple[str, bytes], **attributes) -> bytes:
    """The entries as a zip; ``external_attr`` and ``flag_bits`` for the last of them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            info.external_attr = attributes.get("external_attr", 0)
            info.compress_type = attributes.get("compression", zipfile.ZIP_DEFLATED)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the same name twice is meant
                archive.writestr(info, data)
    return buffer.getvalue()


def _names() -> Iterator[Tuple[str, bytes, str]]:
    for label, name, words in (
        ("absolute path", b"/etc/cron.d/up42", OUTSIDE),
        ("absolute path below output", b"output//../../evil", OUTSIDE),
        ("climbing path", b"../evil.txt", OUTSIDE),
        ("climbing inside output", b"output/../../evil.txt", OUTSIDE),
        ("climbing in the middle", b"output/a/../../../evil.txt", OUTSIDE),
        ("drive letter", b"C:/Windows/evil.txt", OUTSIDE),
        ("drive letter below output", b"output/C:evil.txt", OUTSIDE),
        ("drive letter with backslash", b"C:\\Windows\\evil.txt", OUTSIDE),
        ("backslash climbing", b"output\\..\\..\\evil.txt", OUTSIDE),
        ("mixed separators", b"output/a\\../..\\..\\evil.txt", OUTSIDE),
        ("network share", b"\\\\server\\share\\evil.txt", OUTSIDE),
        ("dots with a trailing blank", b"output/.. /.. /evil.txt", OUTSIDE),
        ("three dots", b"output/.../evil.txt", OUTSIDE),
        ("empty name", b"", BAD_NAME),
    ):
        yield label, tgz(GOOD, member(name)), words


def _kinds() -> Iterator[Tuple[str, bytes, str]]:
    through_link = (member(b"output/a", b"", b"2", link=b"/tmp"), member(b"output/a/evil.txt"))
    yield "symbolic link to outside", tgz(GOOD, *through_link), LINK
    yield "symbolic link to inside", tgz(GOOD, member(b"output/a", b"", b"2", link=b"data.json")), LINK
    yield "hard link to outside", tgz(GOOD, member(b"output/a", b"", b"1", link=b"/etc/passwd")), LINK
    yield "hard link to inside", tgz(GOOD, member(b"output/a", b"", b"1", link=b"output/data.json")), LINK
    yield "character device", tgz(GOOD, member(b"output/null", b"", b"3")), LINK
    yield "block device", tgz(GOOD, member(b"output/sda", b"", b"4")), LINK
    yield "named pipe", tgz(GOOD, member(b"output/pipe", b"", b"6")), LINK
    yield "unknown kind of member", tgz(GOOD, member(b"output/z", b"", b"Z")), LINK
    yield "continued on another volume", tgz(GOOD, member(b"output/m", b"", b"M")), LINK
    yield "old sparse file", tgz(GOOD, member(b"output/s", b"", b"S")), LINK
    yield "pax sparse file", tgz(GOOD, pax(GNU__sparse__realsize="99999999999"), member(b"output/s")), SPARSE
    zip_link = zipped(("output/data.json", b"{}"), ("output/a", b"/etc/passwd"), external_attr=0o120777 << 16)
    yield "zip with a symbolic link", zip_link, LINK


def _doubles() -> Iterator[Tuple[str, bytes, str]]:
    yield "same file twice", tgz(GOOD, member(b"output/a.tif"), member(b"output/a.tif", b"other")), TWICE
    yield "same but for case", tgz(member(b"output/a.TIF"), member(b"output/A.tif")), TWICE
    yield "same once renamed", tgz(member(b"output/ab:c.tif"), member(b"output/ab?c.tif")), TWICE
    yield "same but for composition", tgz(member("output/é".encode()), member("output/e\u0301".encode())), TWICE
    yield "file in place of a folder", tgz(member(b"output/a/b"), member(b"output/a")), TWICE
    yield "folder in place of a file", tgz(member(b"output/a"), member(b"output/a/b")), TWICE
    yield "two folders made one", tgz(member(b"output/a?/b"), member(b"output/a*/c")), TWICE
    yield "with and without top folder", tgz(GOOD, member(b"data.json", b"{}")), TWICE
    yield "in place of our receipt", tgz(GOOD, member(b"output/UP42_output.json", b"{}")), TWICE
    yield "in place of the top folder", tgz(member(b"output", b"x")), TWICE
    yield "zip with the same name twice", zipped(("output/a", b"1"), ("output/a", b"2")), TWICE


def _sizes() -> Iterator[Tuple[str, bytes, str]]:
    yield "bomb of zeros", tgz(GOOD, member(b"output/zeros", bytes(8 << 20))), BOMB
    yield "bomb behind the end", tgz(GOOD, END, bytes(8 << 20)), BOMB
    yield "bomb in a zip", zipped(("output/zeros", bytes(8 << 20))), BOMB
    yield "too many files", tgz(*(header(b"output/%d" % number) for number in range(60))), TOO_MANY
    yield "too many folders", tgz(*(header(b"output/%d" % number, kind=b"5") for number in range(60))), TOO_MANY
    yield "data behind the end", tgz(GOOD, END, b"evil".ljust(BLOCK)), MORE
    yield "long component", tgz(pax(path="output/" + "a" * 300), member(b"a")), TOO_LONG
    yield "long path", tgz(pax(path="output/" + "a/" * 600 + "b"), member(b"a")), TOO_LONG
    yield "deep path", tgz(pax(path="output/" + "a/" * 60 + "b"), member(b"a")), TOO_LONG
    yield "huge extension header", tgz(member(b"long", b"a" * (1 << 17), b"L"), member(b"a")), TOO_LONG
    yield "zip directory of a giant", _zip_with_directory_size(1 << 30), TOO_MANY
    yield "zip64 directory of a giant", as_zip64(zipped(("output/a", b"x")), directory=1 << 40), TOO_MANY
    yield "zip whose members share bytes", _overlapping(20, 1 << 20), BOMB


def _disguised() -> Iterator[Tuple[str, bytes, str]]:
    yield "climbing in a pax path", tgz(pax(path="output/../../evil.txt"), member(b"output/a")), OUTSIDE
    yield "climbing in a long name", tgz(member(b"l", b"output/../../evil\0", b"L"), member(b"output/a")), OUTSIDE
    yield "climbing in a name's prefix", tgz(member(b"evil.txt", prefix=b"output/../..")), OUTSIDE
    yield "zero byte in a pax path", tgz(pax(path="output/a\0b"), member(b"output/a")), BAD_NAME
    yield "zip climbing", zipped(("output/../../evil.txt", b"x")), OUTSIDE
    yield "zip with backslashes", zipped(("output\\..\\..\\evil.txt", b"x")), OUTSIDE
    yield "zip with an absolute path", zipped(("/etc/evil", b"x")), OUTSIDE
    locked = zipped(("output/a", b"x"))
    yield "encrypted zip", _with_flag(locked, 0x1), LOCKED


def _damaged() -> Iterator[Tuple[str, bytes, str]]:
    whole = tgz(GOOD)
    yield "truncated", whole[:-20], DAMAGED
    yield "wrong checksum of the content", whole[:-8] + bytes(4) + whole[-4:], DAMAGED
    yield "wrong length of the content", whole[:-4] + bytes(4), DAMAGED
    yield "something behind the gzip", whole + b"more", DAMAGED
    yield "no archive at all", b"<html>Not here</html>", DAMAGED
    yield "nothing", b"", DAMAGED
    yield "wrong header checksum", tgz(GOOD, header(b"output/a", checksum=1)), DAMAGED
    yield "member cut short", gzip.compress(header(b"output/a", 4096) + bytes(100), mtime=0), DAMAGED
    yield "member longer than the archive", tgz(GOOD, header(b"output/a", 0o77777777777)), DAMAGED
    yield "negative size", tgz(GOOD, header(b"output/a", size_field=b"\xff" * 12)), DAMAGED
    yield "size without digits", tgz(GOOD, header(b"output/a", size_field=b"zzzzzzzzzzz\0")), DAMAGED
    yield "size in words", tgz(GOOD, pax(size="many"), member(b"output/a")), DAMAGED
    yield "negative pax size", tgz(GOOD, pax(size="-512"), member(b"output/a")), DAMAGED
    yield "broken pax records", tgz(GOOD, member(b"p", b"0 path=x\n", b"x"), member(b"output/a")), DAMAGED
    yield "folder with content", tgz(GOOD, member(b"output/a", b"x", b"5")), DAMAGED
    yield "zip64 directory beyond the end", as_zip64(zipped(("output/a", b"x")), at=1 << 40), DAMAGED
    yield "zip64 without its record", _zip_with_directory_size(0xFFFFFFFF), DAMAGED
    yield "zip of two names for one member", _with_other_local_name(zipped(("output/abc", b"x"))), DAMAGED
    yield "zip without directory", zipped(("output/a", b"x"))[:40], DAMAGED
    yield "zip of another compression", zipped(("output/a", b"x" * 99), compression=zipfile.ZIP_LZMA), DAMAGED
    yield "zip with a name that is no text", zipped(("output/ä", b"x")).replace("ä".encode(), b"\xc3("), DAMAGED
    yield "zip with a wrong checksum", _with_wrong_crc(zipped(("output/a", b"xyz"))), DAMAGED


def _zip_with_directory_size(size: int) -> bytes:
    content = bytearray(zipped(("output/a", b"x")))
    struct.pack_into("<L", content, content.rfind(b"PK\x05\x06") + 12, size)
    return bytes(content)


def as_zip64(content: bytes, directory: Optional[int] = None, at: Optional[int] = None) -> bytes:
    """The same zip with a directory described in 64 bits, as archives above 4 GB have it, or by these wrong numbers."""
    end = content.rfind(b"PK\x05\x06")
    entries, size, offset = struct.unpack_from("<HLL", content, end + 10)
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, directory or size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end if at is None else at, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return content[:end] + record + locator + last


def _overlapping(count: int, size: int) -> bytes:
    """Many directory entries for one member's bytes."""
    content = zipped(("output/00", bytes(size)))
    start, end = content.find(b"PK\x01\x02"), content.rfind(b"PK\x05\x06")
    entry = content[start:end]
    entries = b"".join(entry.replace(b"output/00", b"output/%02d" % number) for number in range(count))
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(entries), start, 0)
    return content[:start] + entries + last


def _with_other_local_name(content: bytes) -> bytes:
    return content.replace(b"output/abc", b"output/xyz", 1)


def _with_flag(content: bytes, flag: int) -> bytes:
    changed = bytearray(content)
    struct.pack_into("<H", changed, changed.find(b"PK\x03\x04") + 6, flag)
    struct.pack_into("<H", changed, changed.find(b"PK\x01\x02") + 8, flag)
    return bytes(changed)


def _with_wrong_crc(content: bytes) -> bytes:
    right = struct.pack("<L", zlib.crc32(b"xyz"))
    return content.replace(right, struct.pack("<L", 1))


KINDS: Tuple[Callable[[], Iterator[Tuple[str, bytes, str]]], ...] = (
    _names,
    _kinds,
    _doubles,
    _sizes,
    _disguised,
    _damaged,
)


def hostile_archives() -> List[HostileArchive]:
    """The whole corpus."""
    return [HostileArchive(*values) for kind in KINDS for values in kind()]


HARMLESS_FILES = {"data.json": b"{}", "a/" + "x" * 90 + "/" + "y" * 80 + ".txt": b"content" * 1000}


def harmless_archives() -> Dict[str, bytes]:
    """The tree of :data:`HARMLESS_FILES`, packed in every way that is fine."""
    packed = {}
    for label, form in (("ustar", tarfile.USTAR_FORMAT), ("pax", tarfile.PAX_FORMAT), ("gnu", tarfile.GNU_FORMAT)):
        for top in ("output/", "./output/", ""):
            buffer = io.BytesIO()
            with tarfile.open(fileobj=buffer, mode="w:gz", format=form) as archive:
                for name, data in HARMLESS_FILES.items():
                    info = tarfile.TarInfo(top + name)
                    info.size = len(data)
                    info.mode = 0o6777
                    archive.addfile(info, io.BytesIO(data))
            packed[f"{label} in {top or 'no top folder'}"] = buffer.getvalue()
    packed["zip"] = zipped(*((f"output/{name}", data) for name, data in HARMLESS_FILES.items()))
    packed["zip64"] = as_zip64(packed["zip"])
    return packed


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, archive in enumerate(hostile_archives(), start=1):
        suffix = "zip" if archive.content.startswith(b"PK") else "tgz"
        (folder / f"{number:02d}-{archive.name.replace(' ', '-').replace('/', '-')}.{suffix}").write_bytes(
            archive.content
        )
