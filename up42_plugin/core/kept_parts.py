"""What is kept on disk of downloads that stopped half way: how much of them has come, and how it goes again."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import FrozenSet, Mapping, Optional, Sequence

from up42_plugin.core.output_errors import BusyOutputError, OutputError
from up42_plugin.core.storage import FINAL, PART, OutputFolders, part_path, system_path
from up42_plugin.core.transfer.part import KeptPart

_PERCENT = 100.0


def kept_percent(folder: Path) -> Optional[float]:
    """How much of an output that belongs in ``folder`` has come, in percent; negative when that is not known.

    None when nothing is kept of it, or all of it is there: a process may have been killed between the two.
    """
    part = system_path(part_path(folder))
    try:
        if system_path(folder).is_dir():
            return None
        size = part.stat().st_size
    except OSError:
        return None
    if not size:
        return None
    try:
        total = json.loads(part.with_name(f"{part.name}.json").read_text("utf-8"))["total"]
    except (OSError, ValueError, KeyError, TypeError):
        total = None
    known = isinstance(total, int) and total >= size
    return _PERCENT * size / total if known else -1.0


@dataclass(frozen=True)
class JobsOnDisk:
    """Jobs by their ids: ``there`` have something on disk; of the output of others, ``kept`` percent have come."""

    there: FrozenSet[str]
    kept: Mapping[str, float]


def jobs_on_disk(folders: OutputFolders, job_ids: Sequence[str]) -> JobsOnDisk:
    """What the outputs folder has of these jobs. For workers."""
    places = folders.folders_of(job_ids)
    percents = {job_id: kept_percent(place / FINAL) for job_id, place in places.items()}
    kept = {job_id: percent for job_id, percent in percents.items() if percent is not None}
    return JobsOnDisk(frozenset(places), kept)


def is_being_fetched(job_folder: Path) -> bool:
    """Whether an output is coming down into a job's folder at this moment, in this window or another."""
    for part in system_path(job_folder).glob(f"*{PART}"):
        try:
            KeptPart(part.with_suffix("")).close(keep=True)
        except BusyOutputError:
            return True
        except OutputError:
            continue
    return False


def discard_part(folder: Path) -> None:
    """Remove what is kept of an output that belongs in ``folder``, and the job's folder with it, when that is empty.

    What another window is downloading at this moment stays.
    """
    with contextlib.suppress(OutputError):
        if system_path(part_path(folder)).exists():
            KeptPart(folder).close(keep=False)
    with contextlib.suppress(OSError):  # it holds something else
        system_path(folder.parent).rmdir()
