"""What kind of archive begins with these bytes."""

from __future__ import annotations

from enum import Enum

from up42_plugin.core.output_errors import DamagedArchiveError

HEAD_BYTES = 4

_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")


class ArchiveKind(Enum):
    """The archives that outputs come in."""

    TAR_GZ = "tar.gz"
    ZIP = "zip"


def kind_of(head: bytes) -> ArchiveKind:
    """The kind of an archive by its first ``HEAD_BYTES``; raises ``DamagedArchiveError`` for anything else."""
    if head.startswith(_GZIP_MAGIC):
        return ArchiveKind.TAR_GZ
    if head[:HEAD_BYTES] in _ZIP_MAGICS:
        return ArchiveKind.ZIP
    raise DamagedArchiveError(f"neither tar.gz nor zip, begins with {head[:HEAD_BYTES]!r}")
