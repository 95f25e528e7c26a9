"""Locks on open files, by which windows of QGIS know of each other. They go with the process that holds them."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import Optional

#: Windows lets nobody read or write what is locked: a byte far behind everything is.
_FAR = 1 << 40
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK, getattr(errno, "EDEADLOCK", errno.EDEADLK)})


def try_lock(descriptor: int) -> Optional[bool]:
    """Take the lock of an open file without waiting.

    True when it is ours until the file is closed, False when another holds it, None where the file system has no locks.
    """
    try:
        _lock(descriptor)
    except OSError as error:
        return False if error.errno in _HELD else None
    return True


def still_named(descriptor: int, path: os.PathLike[str]) -> bool:
    """Whether ``path`` is still the file that was opened: its earlier owner may have removed it meanwhile."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))  # noqa: PTH116 - samestat takes these
    return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
