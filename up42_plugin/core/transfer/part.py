"""The compressed bytes of an unfinished download, kept beside its folder so that it can be continued.

Whoever has it open has its lock. Its size is how far the download came. Nothing is synchronised to disk on the way:
after a power cut the archive's own checksum tells whether it is whole, and a damaged part is fetched anew.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Iterator, Mapping, Optional

from up42_plugin.core.disk import disk_errors, write_all
from up42_plugin.core.file_lock import still_named, try_lock
from up42_plugin.core.output_errors import BusyOutputError, FolderError
from up42_plugin.core.storage import free_bytes, part_path, system_path

_VERSION = 1
_CHUNK = 1 << 19
_ATTEMPTS = 20
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Content:
    """Which content it is: what the server told of it. Never the address it came from."""

    etag: str = ""
    total: Optional[int] = None
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def recognisable(self) -> bool:
        """Whether a later answer can be told to be of the same content."""
        return bool(self.etag) or self.total is not None


class KeptPart:
    """The part of the download into ``folder``: locked from here on, and empty when it cannot be continued.

    Raises:
        BusyOutputError: another window has it.
        FolderError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = system_path(part_path(folder))
        self._note = self._path.with_name(f"{self._path.name}.json")
        self.alone = True
        try:
            self._file = self._open()
            self.size = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise FolderError(folder.parent, error) from error
        try:
            self._take_up()
        except BaseException:
            self._file.close()  # and its lock with it
            raise

    @property
    def file(self) -> IO[bytes]:
        """All of it, from its beginning; nothing can be appended any more."""
        self._file.seek(0)
        return self._file

    def chunks(self) -> Iterator[bytes]:
        """What was kept, from the beginning; to be read to its end before more is appended."""
        left = self.size
        self._file.seek(0)
        while left:
            with self._writing(0):
                chunk = self._file.read(min(_CHUNK, left))
            if not chunk:
                break
            left -= len(chunk)
            yield chunk

    def begin(self, content: Content) -> None:
        """Note what the bytes that follow are of; what was there before goes."""
        self.reset()
        self.content = content
        text = json.dumps({"version": _VERSION, **asdict(content)}, indent=1)
        unfinished = self._note.with_name(f"{self._note.name}.new")
        with self._writing(len(text)):
            with unfinished.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._note)

    def append(self, data: bytes, to_come: int) -> None:
        """Keep more; ``to_come`` bytes are expected after it. Raises ``DiskFullError`` and ``FolderError``."""
        with self._writing(len(data) + to_come):
            write_all(self._file, data)
        self.size += len(data)

    def reset(self) -> None:
        """Forget everything, and start from nothing."""
        with self._writing(0):
            self._file.seek(0)
            self._file.truncate()
            self._remove_note()
        self.size = 0
        self.content = Content()

    def close(self, keep: bool) -> None:
        """Let go of it; it is gone unless there is something to ``keep``."""
        remove = not (keep and self.size)
        with contextlib.suppress(OSError):
            if remove:
                self._remove_note()
            if remove and os.name != "nt":
                self._path.unlink()  # while it is still ours
        with contextlib.suppress(OSError):
            self._file.close()
        if remove and os.name == "nt":  # open files are not removed there; another window may have it by now
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _take_up(self) -> None:
        self.content = self._read_note()
        total = self.content.total
        if self.size and (not self.content.recognisable or (total is not None and self.size > total)):
            self.reset()
        self._file.seek(self.size)

    def _open(self) -> IO[bytes]:
        for _ in range(_ATTEMPTS):
            descriptor = os.open(self._path, _FLAGS, 0o666)
            locked = try_lock(descriptor)
            if locked is False:
                os.close(descriptor)
                raise BusyOutputError(self._path.name)
            if still_named(descriptor, self._path):
                self.alone = locked is True
                return os.fdopen(descriptor, "r+b", buffering=0)
            os.close(descriptor)
        raise BusyOutputError(self._path.name)

    def _read_note(self) -> Content:
        try:
            note: Any = json.loads(self._note.read_text("utf-8"))
            if note["version"] != _VERSION:
                return Content()
            total, sums = note["total"], note["checksums"]
            if not (total is None or (isinstance(total, int) and total >= 0)):
                return Content()
            return Content(str(note["etag"]), total, {str(name): str(text) for name, text in sums.items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return Content()

    def _remove_note(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._note.unlink()

    def _writing(self, needed: int) -> contextlib.AbstractContextManager[None]:
        return disk_errors(self._folder, needed, free_bytes)
