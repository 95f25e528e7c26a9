"""A look at a zip's directory before the standard library trusts it: its size, and whether members share bytes."""

from __future__ import annotations

import os
import struct
import zipfile
from typing import IO, Sequence

from up42_plugin.core.output_errors import DamagedArchiveError, HostileArchiveError

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 0xFFFF
_IN_ZIP64 = 0xFFFFFFFF
_LOCATOR = b"PK\x06\x07"
_LOCATOR_SIZE = 20
_END64 = b"PK\x06\x06"
_END64_SIZE = 56
_LOCAL_HEADER_SIZE = 30
_ENTRY_BYTES = 1024  # a directory entry: 46 bytes, name, extra fields
_SMALLEST_LIMIT = 1 << 20


def check_directory(file: IO[bytes], members: int) -> None:
    """Refuse a directory larger than ``members`` entries need.

    Raises:
        HostileArchiveError: the directory is too large.
        DamagedArchiveError: there is none.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(0, size - _END_SIZE - _LONGEST_COMMENT)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise DamagedArchiveError("zip: no directory at its end")
    directory = struct.unpack_from("<L", tail, at + 12)[0]
    if directory == _IN_ZIP64:
        directory = _directory_of_zip64(file, start + at)
    if directory > max(_SMALLEST_LIMIT, members * _ENTRY_BYTES):
        raise HostileArchiveError(f"zip directory of {directory} bytes", "holds too many files")


def check_apart(members: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse members that share bytes of the archive: a few kilobytes would unpack to petabytes.

    Raises:
        HostileArchiveError: two members overlap.
    """
    end = 0
    for info in sorted(members, key=lambda member: member.header_offset):
        if info.header_offset < end:
            raise HostileArchiveError(
                f"{info.orig_filename[:200]!r} begins inside another member", "unpacks to far more than its size allows"
            )
        end = info.header_offset + _LOCAL_HEADER_SIZE + info.compress_size


def _directory_of_zip64(file: IO[bytes], end_at: int) -> int:
    """The directory's size where 32 bits do not hold it, or hold nothing (large archives)."""
    locator = _record(file, end_at - _LOCATOR_SIZE, _LOCATOR_SIZE, _LOCATOR)
    end64 = _record(file, struct.unpack_from("<Q", locator, 8)[0], _END64_SIZE, _END64)
    directory: int = struct.unpack_from("<Q", end64, 40)[0]
    return directory


def _record(file: IO[bytes], at: int, size: int, magic: bytes) -> bytes:
    record = b""
    if 0 <= at < 1 << 62:
        file.seek(at)
        record = file.read(size)
    if len(record) < size or not record.startswith(magic):
        raise DamagedArchiveError("zip: no directory at its end")
    return record
