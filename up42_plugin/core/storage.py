"""Where outputs lie on disk, and how a folder comes to be there whole or not at all.

``<outputs>/<job name>-<short job id>/<task or final>/``. Folders are found again by the job's id, never by its name,
which people change, and wherever the outputs folder was when they were made. Beside such a folder may lie, while it
is being fetched or to be continued: ``<folder>.part``, the archive as far as it came; ``<folder>.part.json``, which
content that is; ``<folder>.partial-<random>/``, what is being unpacked; ``<folder>.old-<random>/``, an earlier one that
is being replaced.
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
from typing import Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type

from up42_plugin.core.archives.safe_names import safe_component, slug
from up42_plugin.core.output_errors import FolderError

FINAL = "final"
QUICKLOOKS = "quicklooks"
_SHORT_ID = 8
_STALE_SECONDS = 2 * 24 * 3600
PART = ".part"
_PARTIAL = ".partial-"
_OLD = ".old-"
_EXTENDED = "\\\\?\\"

#: Tells of some jobs, by their ids, into which folders their outputs were put: the newest first.
Recorded = Callable[[Iterable[str]], Mapping[str, Sequence[Path]]]


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


def part_path(folder: Path) -> Path:
    """Where the archive of an output that comes into ``folder`` is kept while it is not whole."""
    return folder.with_name(f"{folder.name}{PART}")


class OutputFolders:
    """The folders of jobs. A new one is made below ``root``, or below ``spare`` where ``root`` cannot be written.

    One that is there is used wherever it is: where ``recorded`` says that outputs of the job were put, below ``root``
    or below one of ``others``. Looks at the disk: for workers.
    """

    def __init__(
        self,
        root: Path,
        others: Sequence[Path] = (),
        recorded: Optional[Recorded] = None,
        spare: Optional[Path] = None,
    ) -> None:
        self.root = root
        self._roots = tuple(dict.fromkeys((root, *others)))
        self._recorded = recorded or _nothing_recorded
        self._spare = spare

    @property
    def roots(self) -> Tuple[Path, ...]:
        """The folders below which jobs have theirs; recorded places may lie elsewhere."""
        return self._roots

    def job_folder(self, job_name: str, job_id: str) -> Path:
        """The job's folder: the one it has already, else the one it would get. Nothing is made."""
        known = self.all_folders_of(job_id)
        if known:
            return known[0]
        root = self.root if self._spare is None or is_writable(self.root) else self._spare
        return root / f"{slug(job_name)}-{_short_id(job_id)}"

    def all_folders_of(self, job_id: str) -> Tuple[Path, ...]:
        """The folders that a job has, the one in use first."""
        ending = f"-{_short_id(job_id)}"
        outputs = self._recorded((job_id,)).get(job_id, ())
        found = [output.parent for output in outputs if output.parent.name.endswith(ending)]
        for root in self._roots:
            with contextlib.suppress(OSError):
                found.extend(sorted(root.glob(f"*{ending}")))
        return tuple(folder for folder in dict.fromkeys(found) if _is_folder(folder))

    def folders_of(self, job_ids: Iterable[str]) -> Dict[str, Path]:
        """The folders of those jobs that have one; each outputs folder is looked through once."""
        wanted = frozenset(job_ids)
        known: Dict[str, Path] = {}
        for root in reversed(self._roots):
            with contextlib.suppress(OSError):
                known.update({path.name.rpartition("-")[2]: path for path in root.iterdir() if path.is_dir()})
        there = {job_id: known[_short_id(job_id)] for job_id in wanted if _short_id(job_id) in known}
        for job_id, outputs in self._recorded(wanted).items():
            ending = f"-{_short_id(job_id)}"
            folders = (output.parent for output in outputs if output.parent.name.endswith(ending))
            found = next(filter(_is_folder, folders), None)
            if found is not None:
                there[job_id] = found
        return there

    def output_folder(self, job_name: str, job_id: str, task_name: str = "") -> Path:
        """Where the output of the job (or of one of its tasks) goes. Nothing is made."""
        part = slug(task_name) if task_name else FINAL
        return self.job_folder(job_name, job_id) / part

    def quicklook_folder(self, job_name: str, job_id: str) -> Path:
        """Where a test query's quicklooks and footprints go. Nothing is made."""
        return self.job_folder(job_name, job_id) / QUICKLOOKS


def is_writable(folder: Path) -> bool:
    """Whether something can be written to a folder, or to the place where it would be made."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            if system_path(place).exists():
                return place.is_dir() and os.access(system_path(place), os.W_OK | os.X_OK)
    return False


def _is_folder(path: Path) -> bool:
    try:
        return system_path(path).is_dir()
    except OSError:  # no right to look
        return False


def _nothing_recorded(_job_ids: Iterable[str]) -> Mapping[str, Sequence[Path]]:
    return {}


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
            _remove_left(self.final, older_than=_STALE_SECONDS)
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

    def clear_others(self) -> None:
        """Remove what killed processes left; only for who knows that nobody else is at work on this folder."""
        _remove_left(self.final, older_than=0.0, but=self.path)

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
        if system_path(part_path(self.final)).exists():
            self._made.append(self.final.parent)  # made for it as well, by who left the part

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


def _remove_left(final: Path, older_than: float, but: Optional[Path] = None) -> None:
    """Remove leftovers of killed processes; those of the last ``older_than`` seconds may be another window at work."""
    for marker in (_PARTIAL, _OLD):
        for path in final.parent.glob(f"{_escaped(final.name)}{marker}*"):
            with contextlib.suppress(OSError):
                if path != but and time.time() - path.stat().st_mtime >= older_than:
                    remove_tree(path)


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
