"""What a block runner gets and gives. One runner stands for one block's container."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping, Optional, Protocol, Tuple

from up42_plugin.sandbox.archive import SceneArchive

Log = Callable[[str, str], None]


class RunnerError(Exception):
    """A block that stops with an error: ``code`` as in the log line ``[CODE] message``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"[{code}] {message}")
        self.code = code


class RunnerStopped(Exception):  # noqa: N818 - a stop is no error
    """The job was cancelled while the block worked."""


@dataclass(frozen=True)
class StoredAsset:
    """A delivery in storage: the part of a scene inside a polygon, as ``block`` (a name) delivers it."""

    id: str
    order_id: str
    block: str
    sensor: str
    scene_id: str
    polygon: Mapping[str, Any]


@dataclass(frozen=True)
class Task:
    """One run of one block.

    ``parameters`` are the task's, defaults filled in. ``geometry`` is the GeoJSON polygon of the data task, also for
    processing tasks. ``source`` is the ``output`` folder of the task before (None for data blocks); ``target`` is the
    empty ``output`` folder to fill (``data.json`` included); ``quicklooks`` takes ``<feature id>.jpg`` files.
    ``test_query`` asks for metadata, ``usage.json`` and quicklooks only. ``log(level, text)`` writes a log line,
    ``check()`` raises :class:`RunnerStopped` when the job is being cancelled. ``assets`` are what a data block takes
    from storage instead of searching; ``buckets`` is the folder with the account's buckets, a folder each.
    """

    name: str
    block: Mapping[str, Any]
    parameters: Mapping[str, Any]
    geometry: Optional[Mapping[str, Any]]
    source: Optional[Path]
    target: Path
    quicklooks: Path
    test_query: bool
    archive: SceneArchive
    log: Log
    check: Callable[[], None]
    assets: Tuple[StoredAsset, ...] = ()
    buckets: Optional[Path] = None


@dataclass(frozen=True)
class Usage:
    """What was consumed, for the price: square kilometres, scenes, bytes, pixels, tiles (each where it has meaning)."""

    square_km: float = 0.0
    scenes: int = 0
    output_bytes: int = 0
    pixels: int = 0
    tiles: int = 0


class Runner(Protocol):
    """Fill ``task.target``; raise :class:`RunnerError` when the block must fail."""

    def __call__(self, task: Task) -> Usage: ...
