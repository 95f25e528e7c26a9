"""Reading a tar archive as it arrives, member by member, with bounded memory.

Formats: POSIX ustar, pax (``path`` and ``size``) and GNU long names. Our own reader rather than the standard library's,
which reads extension headers of any length into memory, differs between Python versions in what it lets through, and
is made to extract. Anything but plain files and folders is refused here, before a byte of it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Iterator, Optional

from up42_plugin.core.archives.inflate import Data, ReadData
from up42_plugin.core.output_errors import DamagedArchiveError, HostileArchiveError

BLOCK = 512
MAX_EXTENSION_BYTES = 64 * 1024
_DRAIN = 1 << 16

_FILES = frozenset(b"\x000" + b"7")
_FOLDER = ord("5")
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = ord("x"), ord("g"), ord("L"), ord("K")
_PAX_KEYS = (b"path", b"size")
_LINKS = frozenset(b"12")
_SIZE = slice(124, 136)
_CHECKSUM = slice(148, 156)
_BASE256 = 0x80
_NEGATIVE = 0x40


@dataclass(frozen=True)
class TarMember:
    """A file or folder; ``name`` as in the archive, ``size`` in bytes."""

    name: str
    size: int
    folder: bool


class TarReader:
    """Iterate over the members; between two of them, :meth:`read` gives the current one's bytes."""

    def __init__(self, read: ReadData) -> None:
        self._source = read
        self._left = 0
        self._padding = 0

    def __iter__(self) -> Iterator[TarMember]:
        while True:
            self._skip_member()
            member = self._next()
            if member is None:
                self._expect_only_zeros()
                return
            yield member

    def read(self, size: int) -> Data:
        """Up to ``size`` bytes of the current member, ``b""`` at its end."""
        if not self._left:
            return b""
        chunk = self._source(min(size, self._left))
        if not chunk:
            raise DamagedArchiveError(f"the archive ends {self._left} bytes before a member does")
        self._left -= len(chunk)
        return chunk

    def _skip_member(self) -> None:
        while self._left:
            self.read(_DRAIN)
        if self._padding:
            self._exactly(self._padding)
            self._padding = 0

    def _next(self) -> Optional[TarMember]:
        extension: Dict[str, str] = {}
        while True:
            header = self._block()
            if header is None or not any(header):
                return None
            kind = header[156]
            size = _number(header[_SIZE])
            if kind in (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK):
                payload = self._extension(size)
                if kind == _PAX:
                    extension.update(_pax(payload))
                elif kind == _LONG_NAME:
                    extension["path"] = _text(payload)
                continue
            return self._member(header, kind, size, extension)

    def _member(self, header: bytes, kind: int, size: int, extension: Dict[str, str]) -> TarMember:
        name = extension.get("path") or _header_name(header)
        if any(key.startswith("GNU.sparse") for key in extension):
            raise HostileArchiveError(f"sparse file {name[:200]!r}", "holds a file that is not plain")
        if "size" in extension:
            size = _decimal(extension["size"])
        if kind == _FOLDER or (kind in _FILES and name.endswith("/")):
            if size:
                raise DamagedArchiveError(f"a folder with content: {name[:200]!r}")
            return TarMember(name, 0, folder=True)
        if kind not in _FILES:
            what = "link" if kind in _LINKS else f"special file (type {chr(kind)!r})"
            raise HostileArchiveError(f"{what}: {name[:200]!r}", "holds a link or a device")
        self._left = size
        self._padding = -size % BLOCK
        return TarMember(name, size, folder=False)

    def _extension(self, size: int) -> bytes:
        if size > MAX_EXTENSION_BYTES:
            raise HostileArchiveError(f"extension header of {size} bytes", "holds a name that is too long")
        payload = self._exactly(size)
        self._exactly(-size % BLOCK)
        return payload

    def _block(self) -> Optional[bytes]:
        """The next header, checked; None when the archive ends here without its end marker."""
        first = self._source(BLOCK)
        if not first:
            return None
        header = bytes(first) + self._exactly(BLOCK - len(first))
        if any(header):
            expected = _number(header[_CHECKSUM])
            if sum(header) - sum(header[_CHECKSUM]) + 8 * 0x20 != expected:
                raise DamagedArchiveError("a member's header has a wrong checksum")
        return header

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            chunk = self._source(size)
            if not chunk:
                raise DamagedArchiveError("the archive ends in the middle")
            parts.append(chunk)
            size -= len(chunk)
        return b"".join(parts)

    def _expect_only_zeros(self) -> None:
        """Read to the end, so that the checksum behind it is looked at too."""
        while True:
            chunk = self._source(_DRAIN)
            if not chunk:
                return
            if bytes(chunk).strip(b"\0"):
                raise HostileArchiveError("data behind the end of the archive", "holds more than it declares")


def _header_name(header: bytes) -> str:
    name = _text(header[:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256 for what they cannot hold."""
    if field[0] & _BASE256:
        if field[0] & _NEGATIVE:
            raise DamagedArchiveError("a member has a negative size")
        return int.from_bytes(bytes([field[0] & 0x3F]) + field[1:], "big")
    digits = field.split(b"\0", 1)[0].strip()
    try:
        number = int(digits or b"0", 8)
    except ValueError as error:
        raise DamagedArchiveError("a member's header holds no number") from error
    if number < 0:
        raise DamagedArchiveError("a member has a negative size")
    return number


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 20):  # noqa: PLR2004 - digits of 2**63
        raise DamagedArchiveError("a member's size is no number")
    return int(text)


def _pax(payload: bytes) -> Dict[str, str]:
    """Records of ``<length> <key>=<value>`` and a line feed."""
    records: Dict[str, str] = {}
    position = 0
    while position < len(payload) and payload[position : position + 1] != b"\0":
        blank = payload.find(b" ", position, position + 20)
        length = _decimal(payload[position:blank].decode("ascii", "replace")) if blank > position else 0
        record = payload[position : position + length]
        if len(record) < length or not record.endswith(b"\n") or b"=" not in record:
            raise DamagedArchiveError("an extension header cannot be read")
        key, value = payload[blank + 1 : position + length - 1].split(b"=", 1)
        if key in _PAX_KEYS or key.startswith(b"GNU.sparse"):
            records[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        position += length
    return records
