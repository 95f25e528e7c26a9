"""One process for each data folder, and where it can be reached.

The lock is the operating system's, so it goes with the process that held it, however it ended. The file's text is the
line that process printed when it was ready; it is empty while the process starts and after it ended well.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import IO, Optional

NAME = "sandbox.lock"
# Beyond the text: Windows keeps others from reading a locked region.
_LOCKED_BYTE = 1 << 30
_PAUSE_S = 0.05


class FolderInUse(Exception):  # noqa: N818 - a state, told to a person
    """Another process serves the folder; ``line`` is what it printed, empty if it is still starting."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        self.line = line


class FolderLock:
    """Held from :meth:`acquire` until :meth:`release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file: Optional[IO[str]] = None

    def acquire(self, patience_s: float = 10.0) -> None:
        """Take the folder, or raise :class:`FolderInUse`.

        A process that holds it without an address is starting or ending: ``patience_s`` seconds decide which.
        """
        deadline = time.monotonic() + patience_s
        file = self._path.open("a+", encoding="utf-8")
        while not _lock(file):
            line = self._path.read_text(encoding="utf-8").strip()
            if line or time.monotonic() > deadline:
                file.close()
                raise FolderInUse(line)
            time.sleep(_PAUSE_S)
        self._file = file
        self.retract()

    def publish(self, line: str) -> None:
        """Write where this process can be reached."""
        self._write(line + "\n")

    def retract(self) -> None:
        """Take the address back; the folder stays taken."""
        self._write("")

    def release(self) -> None:
        """Give the folder back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, text: str) -> None:
        if self._file is None:
            raise ValueError("the lock is not held")
        self._file.seek(0)
        self._file.truncate()
        self._file.write(text)
        self._file.flush()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> bool:
        """Lock without waiting."""
        os.lseek(file.fileno(), _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(file.fileno(), 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(file: IO[str]) -> bool:
        """Lock without waiting."""
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
