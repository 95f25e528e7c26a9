"""A look at a zip's directory before the standard library reads all of it into memory."""

from __future__ import annotations

import os
import struct
from typing import IO

from up42_plugin.core.output_errors import DamagedArchiveError, HostileArchiveError

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_COMMENT = 0xFFFF
_ZIP64 = 0xFFFFFFFF
_ENTRY_BYTES = 1024  # a directory entry: 46 bytes, name, extra fields
_SMALLEST_LIMIT = 1 << 20


def check_directory(file: IO[bytes], members: int) -> None:
    """Refuse a directory larger than ``members`` entries need.

    Raises:
        HostileArchiveError: the directory is too large.
        DamagedArchiveError: there is none.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_SIZE - _LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < _END_SIZE:
        raise DamagedArchiveError("zip: no directory at its end")
    directory = struct.unpack_from("<L", tail, at + 12)[0]
    if directory == _ZIP64 or directory > max(_SMALLEST_LIMIT, members * _ENTRY_BYTES):
        raise HostileArchiveError(f"zip directory of {directory} bytes", "holds too many files")
