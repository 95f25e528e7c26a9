"""Unpacking an output into a folder, member by member, refusing whatever would not stay in it."""

from __future__ import annotations

import contextlib
import errno
import json
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Callable, Iterator, Mapping, Protocol

from up42_plugin.core.archives.inflate import ByteBudget, GzipReader, Read
from up42_plugin.core.archives.safe_names import MemberNames
from up42_plugin.core.archives.tar_stream import TarReader
from up42_plugin.core.archives.zip_check import check_apart, check_directory
from up42_plugin.core.output_errors import DamagedArchiveError, DiskFullError, FolderError, HostileArchiveError
from up42_plugin.core.storage import free_bytes, system_path

RECEIPT = "up42_output.json"
SPOOL = "up42_download.part"

_CHUNK = 1 << 20
_SNIFF = 4
_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_WINDOWS_FULL = frozenset({39, 112})  # ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class UnpackLimits:
    """What an archive may hold. Bytes, files and folders; see :class:`ByteBudget` for the ratio."""

    most_bytes: int = 1 << 38
    ratio: float = 200.0
    ratio_from: int = 1 << 28
    members: int = 100_000


class Watch(Protocol):
    """What the unpacker asks of its caller between chunks."""

    def check(self) -> None:
        """Raise to stop."""


@dataclass(frozen=True)
class Unpacked:
    """What was written. ``renamed`` maps paths as in the archive (below ``output/``) to paths as written."""

    files: int
    size: int
    renamed: Mapping[str, str]


class Unpacker:
    """Unpacks one archive into ``folder``, which must exist and be empty."""

    def __init__(
        self,
        folder: Path,
        watch: Watch,
        limits: UnpackLimits = UnpackLimits(),
        free_space: Callable[[Path], int] = free_bytes,
    ) -> None:
        self._folder = folder
        self._watch = watch
        self._limits = limits
        self._free_space = free_space
        self._names = MemberNames(reserved=(RECEIPT, SPOOL))
        self._budget = ByteBudget(limits.most_bytes, limits.ratio, limits.ratio_from)
        self._members = 0
        self._files = 0
        self._size = 0

    def unpack(self, read: Read) -> Unpacked:
        """Unpack the tar.gz or zip that ``read(size)`` delivers, and write the receipt.

        Raises:
            HostileArchiveError: the archive must not be unpacked.
            DamagedArchiveError: truncated, corrupt, or neither tar.gz nor zip.
            DiskFullError, FolderError: the folder cannot take it.
        """
        stream = _Pushback(read)
        magic = stream.peek(_SNIFF)
        if magic.startswith(_GZIP_MAGIC):
            self._tar(GzipReader(stream.read, self._budget))
        elif magic in _ZIP_MAGICS:
            self._zip(stream.read)
        else:
            raise DamagedArchiveError(f"neither tar.gz nor zip, begins with {magic!r}")
        unpacked = Unpacked(self._files, self._size, self._names.renamed)
        self._write_receipt(unpacked)
        return unpacked

    def _tar(self, inflated: GzipReader) -> None:
        archive = TarReader(inflated.read)
        for member in archive:
            self._member(member.name, member.size, member.folder, archive.read)

    def _member(self, name: str, size: int, folder: bool, read: Read) -> None:
        self._watch.check()
        self._members += 1
        if self._members > self._limits.members:
            raise HostileArchiveError(f"more than {self._limits.members} members", "holds too many files")
        if folder:
            self._make_folder(self._names.folder(name))
            return
        parent, path = self._names.file(name)
        self._make_folder(parent)
        self._expect_room(size)
        written = self._write(path, read, size)
        if written != size:
            raise HostileArchiveError(
                f"{name[:200]!r}: {written} bytes, {size} declared", "holds more than it declares"
            )
        self._files += 1
        self._size += size

    def _make_folder(self, path: str) -> None:
        with self._writing(0):
            system_path(self._folder / path).mkdir(parents=True, exist_ok=True)

    def _write(self, path: str, read: Read, size: int = 0) -> int:
        """Only ever makes a new file: nothing that exists is written through or over."""
        with self._writing(size):
            target = system_path(self._folder / path).open("xb", buffering=0)
        written = 0
        with contextlib.closing(target):
            while True:
                self._watch.check()
                chunk = read(_CHUNK)
                if not chunk:
                    with self._writing(size):
                        target.close()  # some file systems tell only now
                    return written
                with self._writing(size - written):
                    _write_all(target, chunk)
                written += len(chunk)

    @contextlib.contextmanager
    def _writing(self, needed: int) -> Iterator[None]:
        """Errors of the disk in our words; errors of the download pass elsewhere."""
        try:
            yield
        except OSError as error:
            if not is_disk_full(error):
                raise FolderError(self._folder, error) from error
            free = self._free_space(self._folder)
            needed = max(needed, 1)
            # With a quota, what the disk says is free is not ours.
            raise DiskFullError(needed, free if free < needed else 0) from error

    def _expect_room(self, size: int) -> None:
        free = self._free_space(self._folder)
        if size > free:
            raise DiskFullError(size, free)

    def _zip(self, read: Read) -> None:
        """A zip keeps its directory at the end: spool it to a file first, beside what it will become."""
        spool = self._folder / SPOOL
        self._budget.add_archived(self._write(SPOOL, read))
        try:
            with system_path(spool).open("rb") as file:
                self._zip_members(file)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise DamagedArchiveError(f"zip: {error}") from error
        except NotImplementedError as error:
            raise DamagedArchiveError(f"zip of an unknown kind: {error}") from error
        finally:
            system_path(spool).unlink()

    def _zip_members(self, file: IO[bytes]) -> None:
        check_directory(file, self._limits.members)
        with zipfile.ZipFile(file) as archive:
            check_apart(archive.infolist())
            for info in archive.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise HostileArchiveError(f"not plain: {info.orig_filename[:200]!r}", "holds a link or a device")
                if info.flag_bits & _ENCRYPTED:
                    raise HostileArchiveError(f"encrypted: {info.orig_filename[:200]!r}", "is encrypted")
                if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise DamagedArchiveError(f"zip with compression {info.compress_type}")
                folder = info.orig_filename.endswith("/")
                if folder:
                    self._member(info.orig_filename, 0, folder, _nothing)
                    continue
                with archive.open(info) as stream:
                    self._member(info.orig_filename, info.file_size, folder, self._counted(stream.read))

    def _counted(self, read: Read) -> Read:
        def counted(size: int) -> bytes:
            chunk = read(size)
            self._budget.add_unpacked(len(chunk))
            return chunk

        return counted

    def _write_receipt(self, unpacked: Unpacked) -> None:
        receipt = {"version": 1, "files": unpacked.files, "bytes": unpacked.size, "renamed": dict(unpacked.renamed)}
        data = json.dumps(receipt, indent=1, sort_keys=True).encode("utf-8", "surrogateescape")
        self._write(RECEIPT, _once(data))


def is_disk_full(error: OSError) -> bool:
    """Whether an operating-system error means that there is no room left (or no quota)."""
    return error.errno in _FULL or getattr(error, "winerror", None) in _WINDOWS_FULL


def _write_all(target: IO[bytes], chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[target.write(view) :]


def _once(data: bytes) -> Read:
    rest = [data]
    return lambda _size: rest.pop() if rest else b""


def _nothing(_size: int) -> bytes:
    return b""


class _Pushback:
    """A stream whose first bytes may be looked at."""

    def __init__(self, read: Read) -> None:
        self._source = read
        self._head = b""

    def peek(self, size: int) -> bytes:
        while len(self._head) < size:
            chunk = self._source(_CHUNK)
            if not chunk:
                break
            self._head += chunk
        return self._head[:size]

    def read(self, size: int) -> bytes:
        if not self._head:
            return self._source(size)
        chunk, self._head = self._head[:size], self._head[size:]
        return chunk
