"""What outputs take on disk: of one outputs folder, and job by job wherever they lie. For workers."""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence, Tuple

from up42_plugin.core.context import JobContext
from up42_plugin.core.ledger_outputs import NamedOutput
from up42_plugin.core.output_errors import FolderError
from up42_plugin.core.storage import FINAL, QUICKLOOKS, free_bytes, is_writable, system_path
from up42_plugin.core.unpack import RECEIPT

_NAME = re.compile(r".+-[0-9a-z]{1,8}$")
# what is being fetched or unpacked, waits to be continued, or was left by who was killed
_UNFINISHED = re.compile(r"\.part\.json$|\.(?:partial|old)-[0-9a-f]{8}$")
# Below it, names of products alone are longer than what Windows gives to a path in most programs
_LONGEST_ON_WINDOWS = 90

TEMPORARY = "QGIS marks layers in the temporary folder as temporary, and they may vanish."
READ_ONLY = "Nothing can be written to this folder. Choose another one."
TOO_LONG = "This path is long: Windows may not open all files in it. Choose a shorter one."


@dataclass(frozen=True)
class DiskUse:
    """What lies in an outputs folder. ``free`` bytes are left there, None where that cannot be told.

    ``advice`` says what is wrong with the folder, empty when nothing is.
    """

    jobs: int
    size_bytes: int
    free: Optional[int]
    advice: str = ""


@dataclass(frozen=True)
class JobOnDisk:
    """The folder of a job with all its outputs; ``when`` (UTC) something was put there last.

    ``job_id`` and ``connection_ids`` are empty where the ledger does not know it.
    """

    folder: Path
    name: str
    size_bytes: int
    when: datetime
    job_id: str = ""
    connection_ids: Tuple[str, ...] = ()


def disk_use(root: Path, context: JobContext, temporary: str = "", windows: bool = os.name == "nt") -> DiskUse:
    """What the jobs below an outputs folder take; ``temporary`` is where the system puts what may vanish."""
    sizes = [size_of(folder, context) for folder in _job_folders(root)]
    free = None
    with contextlib.suppress(FolderError, OSError):
        free = free_bytes(root)
    return DiskUse(len(sizes), sum(sizes), free, _advice(root, temporary, windows))


def jobs_by_size(roots: Sequence[Path], outputs: Sequence[NamedOutput], context: JobContext) -> Tuple[JobOnDisk, ...]:
    """Every job that has a folder below one of ``roots``, or where ``outputs`` were put; the largest first."""
    known: Dict[Path, List[NamedOutput]] = {}
    for output in outputs:
        known.setdefault(output.output.folder.parent, []).append(output)
    folders = dict.fromkeys([folder for root in roots for folder in _job_folders(root)])
    folders.update(dict.fromkeys(folder for folder in known if _is_folder(folder) and _NAME.match(folder.name)))
    found = [_job(folder, known.get(folder, []), context) for folder in folders]
    return tuple(sorted(found, key=lambda job: job.size_bytes, reverse=True))


def size_of(folder: Path, context: JobContext) -> int:
    """Bytes of all files in a folder and below; links are not followed, what cannot be read counts nothing."""
    total = 0
    for place, _, names in os.walk(system_path(folder)):
        context.check()
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - as walk gives them
    return total


def _job(folder: Path, outputs: Sequence[NamedOutput], context: JobContext) -> JobOnDisk:
    job_ids = dict.fromkeys(item.output.service_job_id for item in outputs)
    stored = [item.output.stored for item in outputs]
    return JobOnDisk(
        folder,
        next((item.job_name for item in outputs if item.job_name), folder.name),
        size_of(folder, context),
        max(stored) if stored else _changed(folder),
        next(iter(job_ids), ""),
        tuple(dict.fromkeys(item.output.connection_id for item in outputs)),
    )


def _job_folders(root: Path) -> Iterator[Path]:
    """Folders that are named and filled as those of jobs are: there may be others in a folder that a person chose."""
    with contextlib.suppress(OSError):
        for folder in sorted(root.iterdir()):
            if _NAME.match(folder.name) and _is_folder(folder) and _holds_outputs(folder):
                yield folder


def _holds_outputs(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        for part in folder.iterdir():
            if part.name == QUICKLOOKS or _UNFINISHED.search(part.name):
                return True
            marks = (RECEIPT, "data.json") if part.name == FINAL else (RECEIPT,)
            if any(system_path(part / mark).is_file() for mark in marks):
                return True
    return False


def _is_folder(path: Path) -> bool:
    try:
        return system_path(path).is_dir() and not path.is_symlink()
    except OSError:
        return False


def _changed(folder: Path) -> datetime:
    try:
        return datetime.fromtimestamp(system_path(folder).stat().st_mtime, timezone.utc)
    except OSError:
        return datetime.fromtimestamp(0, timezone.utc)


def _advice(root: Path, temporary: str, windows: bool) -> str:
    if temporary and Path(temporary) in (root, *root.parents):
        return TEMPORARY
    if not is_writable(root):
        return READ_ONLY
    return TOO_LONG if windows and len(str(root)) > _LONGEST_ON_WINDOWS else ""
