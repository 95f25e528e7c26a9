"""What a disk says when it cannot be written, in our words."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from typing import IO, Callable, Iterator, Union

from up42_plugin.core.output_errors import DiskFullError, FolderError

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_WINDOWS_FULL = frozenset({39, 112})  # ERROR_HANDLE_DISK_FULL, ERROR_DISK_FULL


def is_disk_full(error: OSError) -> bool:
    """Whether an operating-system error means that there is no room left (or no quota)."""
    return error.errno in _FULL or getattr(error, "winerror", None) in _WINDOWS_FULL


@contextlib.contextmanager
def disk_errors(folder: Path, needed: int, free_space: Callable[[Path], int]) -> Iterator[None]:
    """Turn errors of the disk into ``DiskFullError`` (of ``needed`` bytes) and ``FolderError``."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise FolderError(folder, error) from error
        free = free_space(folder)
        needed = max(needed, 1)
        # With a quota, what the disk says is free is not ours.
        raise DiskFullError(needed, free if free < needed else 0) from error


def write_all(target: IO[bytes], data: Union[bytes, memoryview]) -> None:
    """Write everything to a file without a buffer, which may take less at a time."""
    view = memoryview(data)
    while view:
        view = view[target.write(view) :]
