"""What can go wrong between a finished job and layers on the map, each with its own words."""

from __future__ import annotations

from up42_plugin.api.errors import Up42Error

_NBSP = "\u00a0"
_KILO = 1000.0
_THREE_DIGITS = 99.95
NO_LAYER = "No layer in this output."


def format_bytes(count: float, *, short: bool = False) -> str:
    """A number of bytes for people: ``3.1 GB`` (decimal units, no-break space); ``short`` has at most three digits."""
    value, most = float(count), _KILO - 0.5 if short else _KILO
    if value < most:
        return f"{int(value)}{_NBSP}bytes"
    for unit in ("kB", "MB", "GB", "TB"):
        value /= _KILO
        if value < most or unit == "TB":
            break
    digits = 0 if short and value >= _THREE_DIGITS else 1
    return f"{value:.{digits}f}{_NBSP}{unit}"


class OutputError(Up42Error):
    """An output that cannot be fetched, unpacked or opened."""


class DamagedArchiveError(OutputError):
    """Truncated, corrupt, or no archive at all."""

    def __init__(self, detail: str) -> None:
        super().__init__("The archive is damaged. Download Again", detail)


class HostileArchiveError(OutputError):
    """An archive that must not be unpacked. ``what`` completes "The archive …"."""

    def __init__(self, detail: str, what: str = "holds a path outside its folder") -> None:
        super().__init__(f"The archive {what} and was not unpacked.", detail)


class DiskFullError(OutputError):
    """No room for the output. ``needed`` and ``free`` in bytes, both for what was about to be written."""

    def __init__(self, needed: int, free: int) -> None:
        super().__init__(
            f"{format_bytes(needed)} needed, {format_bytes(free)} free in the output folder. Change Folder…",
            f"needed {needed} bytes, free {free} bytes",
        )
        self.needed = needed
        self.free = free


class FolderError(OutputError):
    """The output folder cannot be written."""

    def __init__(self, folder: object, reason: object) -> None:
        super().__init__(
            f"The output folder {folder} cannot be written: {reason}. Change Folder…",
            f"{type(reason).__name__}: {reason}",
        )


class BusyOutputError(OutputError):
    """Another window is downloading the same output."""

    def __init__(self, detail: str) -> None:
        super().__init__("Another QGIS window is downloading this output. Try again when it has finished.", detail)


class ManifestError(OutputError):
    """``data.json`` is there but cannot be read."""

    def __init__(self, detail: str) -> None:
        super().__init__("The description (data.json) of this output cannot be read.", detail)


class NoLayerError(OutputError):
    """Nothing in this output can be shown on a map."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(NO_LAYER, detail)
