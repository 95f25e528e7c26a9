"""File names that some system cannot hold, such as ``building=*.geojson`` on Windows.

On disk a forbidden character stands as its code in Unicode's private area, as Windows' own subsystems do it; archives
and ``data.json`` hold the true name.
"""

from __future__ import annotations

_FORBIDDEN = '<>:"|?*\\'
_PRIVATE = 0xF000
_TO_DISK = {ord(character): chr(_PRIVATE + ord(character)) for character in _FORBIDDEN}
_FROM_DISK = {_PRIVATE + ord(character): character for character in _FORBIDDEN}


def on_disk(name: str) -> str:
    """A relative path (``/`` between folders) as every file system can hold it."""
    return name.translate(_TO_DISK)


def true_name(name: str) -> str:
    """What :func:`on_disk` was given."""
    return name.translate(_FROM_DISK)
