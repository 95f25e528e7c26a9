"""Unpacking an output into a folder, member by member, refusing whatever would not stay in it."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Callable, Mapping, Protocol

from up42_plugin.core.archives.inflate import ByteBudget, ChunkReader, Data, GzipReader, ReadData
from up42_plugin.core.archives.kind import HEAD_BYTES, ArchiveKind, kind_of
from up42_plugin.core.archives.safe_names import MemberNames
from up42_plugin.core.archives.tar_stream import TarReader
from up42_plugin.core.archives.zip_check import check_apart, check_directory
from up42_plugin.core.disk import disk_errors, write_all
from up42_plugin.core.output_errors import DamagedArchiveError, DiskFullError, HostileArchiveError
from up42_plugin.core.storage import free_bytes, system_path

RECEIPT = "up42_output.json"

_CHUNK = 1 << 20
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class UnpackLimits:
    """What an archive may hold. Bytes, files and folders; see :class:`ByteBudget` for the ratio."""

    most_bytes: int = 1 << 38
    ratio: float = 200.0
    ratio_from: int = 1 << 28
    members: int = 100_000

    def budget(self) -> ByteBudget:
        """What counts the bytes of one archive against these limits."""
        return ByteBudget(self.most_bytes, self.ratio, self.ratio_from)


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
    """Unpacks one archive into ``folder``, which must exist and be empty.

    ``to_come`` is how many bytes somebody else will yet write to the same disk.
    """

    def __init__(
        self,
        folder: Path,
        watch: Watch,
        limits: UnpackLimits = UnpackLimits(),
        free_space: Callable[[Path], int] = free_bytes,
        to_come: Callable[[], int] = lambda: 0,
    ) -> None:
        self._folder = folder
        self._watch = watch
        self._limits = limits
        self._free_space = free_space
        self._to_come = to_come
        self._names = MemberNames(reserved=(RECEIPT,))
        self._budget = limits.budget()
        self._members = 0
        self._files = 0
        self._size = 0

    def unpack(self, file: IO[bytes]) -> Unpacked:
        """Unpack the tar.gz or zip in ``file`` (seekable, at its beginning), and write the receipt.

        Raises:
            HostileArchiveError: the archive must not be unpacked.
            DamagedArchiveError: truncated, corrupt, or neither tar.gz nor zip.
            DiskFullError, FolderError: the folder cannot take it.
        """
        kind = kind_of(file.read(HEAD_BYTES))
        file.seek(0)
        if kind is ArchiveKind.TAR_GZ:
            return self.unpack_tar(ChunkReader(GzipReader(file.read, self._budget).chunks()).read)
        self._zip(file)
        return self._receipt()

    def unpack_tar(self, read: ReadData) -> Unpacked:
        """Unpack the tar, inflated already, that ``read(size)`` delivers, and write the receipt; see :meth:`unpack`."""
        archive = TarReader(read)
        for member in archive:
            self._member(member.name, member.size, member.folder, archive.read)
        return self._receipt()

    def _member(self, name: str, size: int, folder: bool, read: ReadData) -> None:
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

    def _write(self, path: str, read: ReadData, size: int = 0) -> int:
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
                    write_all(target, chunk)
                written += len(chunk)

    def _writing(self, needed: int) -> contextlib.AbstractContextManager[None]:
        """Errors of the disk in our words; errors of the download pass elsewhere."""
        return disk_errors(self._folder, needed + self._to_come(), self._free_space)

    def _expect_room(self, size: int) -> None:
        free = self._free_space(self._folder)
        needed = size + self._to_come()
        if needed > free:
            raise DiskFullError(needed, free)

    def _zip(self, file: IO[bytes]) -> None:
        self._budget.add_archived(file.seek(0, os.SEEK_END))
        try:
            self._zip_members(file)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            ValueError,
            struct.error,
        ) as error:  # whatever it stumbles over
            raise DamagedArchiveError(f"zip: {error}") from error
        except NotImplementedError as error:
            raise DamagedArchiveError(f"zip of an unknown kind: {error}") from error

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

    def _counted(self, read: ReadData) -> ReadData:
        def counted(size: int) -> Data:
            chunk = read(size)
            self._budget.add_unpacked(len(chunk))
            return chunk

        return counted

    def _receipt(self) -> Unpacked:
        unpacked = Unpacked(self._files, self._size, self._names.renamed)
        receipt = {"version": 1, "files": unpacked.files, "bytes": unpacked.size, "renamed": dict(unpacked.renamed)}
        data = json.dumps(receipt, indent=1, sort_keys=True).encode("utf-8", "surrogateescape")
        self._write(RECEIPT, ChunkReader(iter([data])).read)
        return unpacked


def _nothing(_size: int) -> bytes:
    return b""
