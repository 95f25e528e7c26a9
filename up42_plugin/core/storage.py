"""Where outputs lie on disk, and how a folder comes to be there whole or not at all.

``<outputs>/<job name>-<short job id>/<task or final>/``. Folders are found again by the job's id, never by its name,
which people change.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import FrozenSet, Iterable, List, Optional, Type

from up42_plugin.core.archives.safe_names import safe_component, slug
from up42_plugin.core.output_errors import FolderError

FINAL = "final"
_SHORT_ID = 8
_STALE_SECONDS = 2 * 24 * 3600
_PARTIAL = ".partial-"
_OLD = ".old-"
_EXTENDED = "\\\\?\\"


def system_path(path: Path) -> Path:
    """The path to hand to the operating system: on Windows, beyond its 260 characters too."""
    if os.name != "nt":
        return path
    text = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
    if text.startswith("\\\\"):
        return path
    return Path(_EXTENDED + text)


def free_bytes(folder: Path) -> int:
    """Bytes a person without privileges may still write where ``folder`` is, or will be."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(FileNotFoundError):
            return shutil.disk_usage(place).free
    raise FolderError(folder, "there is no such place")


class OutputFolders:
    """The folders below one outputs folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def job_folder(self, job_name: str, job_id: str) -> Path:
        """The job's folder: the one it has already, else the one it would get. Nothing is made."""
        short = _short_id(job_id)
        if self.root.is_dir():
            known = sorted(path for path in self.root.glob(f"*-{short}") if path.is_dir())
            if known:
                return known[0]
        return self.root / f"{slug(job_name)}-{short}"

    def those_there(self, job_ids: Iterable[str]) -> FrozenSet[str]:
        """Which of these jobs have a folder; the outputs folder is looked through once."""
        try:
            known = {path.name.rpartition("-")[2] for path in self.root.iterdir() if path.is_dir()}
        except OSError:
            known = set()
        return frozenset(job_id for job_id in job_ids if _short_id(job_id) in known)

    def output_folder(self, job_name: str, job_id: str, task_name: str = "") -> Path:
        """Where the output of the job (or of one of its tasks) goes. Nothing is made."""
        part = slug(task_name) if task_name else FINAL
        return self.job_folder(job_name, job_id) / part

    def quicklook_folder(self, job_name: str, job_id: str) -> Path:
        """Where a test query's quicklooks and footprints go. Nothing is made."""
        return self.job_folder(job_name, job_id) / "quicklooks"


def _short_id(job_id: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]", "", job_id)[:_SHORT_ID].lower()
    return plain or safe_component("unknown")


class Staging:
    """A folder that becomes ``final`` on :meth:`commit`, and otherwise leaves no trace.

    To be used in ``with``: fill :attr:`path`, then commit. Parents made for it go again too when nothing was committed.
    """

    def __init__(self, final: Path) -> None:
        self.final = final
        self.path = final.with_name(f"{final.name}{_PARTIAL}{uuid.uuid4().hex[:8]}")
        self._made: List[Path] = []
        self._committed = False

    def __enter__(self) -> Staging:
        try:
            self._make_parents()
            _remove_stale(self.final)
            system_path(self.path).mkdir()
        except OSError as error:
            self._remove_made()
            raise FolderError(self.final.parent, error) from error
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        if not self._committed:
            remove_tree(self.path)
            self._remove_made()

    def empty(self) -> None:
        """Start over: everything written so far goes."""
        remove_tree(self.path)
        system_path(self.path).mkdir()

    def commit(self) -> Path:
        """Put the folder in its place, in one step; an earlier one there is replaced."""
        old: Optional[Path] = None
        try:
            if system_path(self.final).exists():
                old = self.final.with_name(f"{self.final.name}{_OLD}{uuid.uuid4().hex[:8]}")
                system_path(self.final).rename(system_path(old))
            system_path(self.path).rename(system_path(self.final))
        except OSError as error:
            if old is not None and system_path(old).exists() and not system_path(self.final).exists():
                system_path(old).rename(system_path(self.final))
            raise FolderError(self.final, error) from error
        self._committed = True
        if old is not None:
            remove_tree(old)
        return self.final

    def _make_parents(self) -> None:
        missing = []
        for parent in self.final.parents:
            if system_path(parent).exists():
                break
            missing.append(parent)
        for parent in reversed(missing):
            system_path(parent).mkdir(exist_ok=True)
            self._made.append(parent)

    def _remove_made(self) -> None:
        for parent in reversed(self._made):
            with contextlib.suppress(OSError):  # another job has put something there meanwhile
                system_path(parent).rmdir()


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it; what cannot be removed (in use on Windows) stays, without an error."""
    place = system_path(folder)
    shutil.rmtree(place, ignore_errors=True)
    if not place.exists():
        return
    for path in (place, *place.rglob("*")):  # read-only files and folders resist
        with contextlib.suppress(OSError):
            path.chmod(stat.S_IRWXU)
    shutil.rmtree(place, ignore_errors=True)


def _remove_stale(final: Path) -> None:
    """Leftovers of a killed process; recent ones may be another window at work."""
    for marker in (_PARTIAL, _OLD):
        for path in final.parent.glob(f"{_escaped(final.name)}{marker}*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    remove_tree(path)


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
