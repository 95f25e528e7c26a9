"""Where job tasks keep their files, and the archives made of them."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from up42_plugin.sandbox.awkward_names import true_name

_BLOCK = 1 << 20
_GZIP_LEVEL = 2
_PICTURES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Archive:
    """A packed output. ``sha256`` (hexadecimal) names its content, ``md5`` (base64) is the store's checksum."""

    path: Path
    size: int
    sha256: str
    md5: str


@dataclass(frozen=True)
class TaskFiles:
    """The folder of one job task."""

    root: Path

    @property
    def output(self) -> Path:
        """What the block fills, and what is packed."""
        return self.root / "output"

    @property
    def quicklooks(self) -> Path:
        """The pictures of the scenes."""
        return self.root / "quicklooks"

    @property
    def log(self) -> Path:
        """The log as text."""
        return self.root / "task.log"

    @property
    def data_json(self) -> Path:
        """The feature collection, kept beside the archive."""
        return self.root / "data.json"

    def prepare(self) -> None:
        """Empty folders for a run that begins (again)."""
        for folder in (self.output, self.quicklooks):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)

    def pack(self) -> None:
        """Make ``output.tgz``: one top folder ``output/``, folder entries included, everything owned by root."""
        shutil.copyfile(self.output / "data.json", self.data_json)
        part = self.root / "output.tgz.part"
        with tarfile.open(part, "w:gz", compresslevel=_GZIP_LEVEL, format=tarfile.PAX_FORMAT) as archive:
            archive.add(self.output, arcname="output", filter=_as_root)
        sums = _sums(part)
        (self.root / "output.json").write_text(json.dumps(sums), encoding="utf-8")
        part.replace(self.root / "output.tgz")

    def archive(self) -> Optional[Archive]:
        """The packed output, None before there is one."""
        path, about = self.root / "output.tgz", self.root / "output.json"
        if not path.is_file() or not about.is_file():
            return None
        sums = json.loads(about.read_text(encoding="utf-8"))
        return Archive(path, path.stat().st_size, sums["sha256"], sums["md5"])

    def features(self) -> Optional[Any]:
        """The parsed ``data.json``, None before there is one."""
        if not self.data_json.is_file():
            return None
        return json.loads(self.data_json.read_text(encoding="utf-8"))

    def pictures(self) -> List[str]:
        """File names of the quicklooks."""
        if not self.quicklooks.is_dir():
            return []
        return sorted(path.name for path in self.quicklooks.iterdir() if path.suffix.lower() in _PICTURES)

    def log_text(self) -> str:
        """The log so far."""
        return self.log.read_text(encoding="utf-8") if self.log.is_file() else ""

    def drop_output(self) -> None:
        """Free the space of the unpacked output; the archive stays."""
        shutil.rmtree(self.output, ignore_errors=True)


class Workspace:
    """The folders of all jobs."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def task(self, job_id: str, task_id: str) -> TaskFiles:
        """The folder of one job task, made when needed."""
        root = self._root / job_id / task_id
        root.mkdir(parents=True, exist_ok=True)
        return TaskFiles(root)


class TaskLog:
    """Appends lines ``YYYY-mm-dd HH:MM:SS,mmm - <logger> - <LEVEL> - <text>`` to a task's log."""

    def __init__(self, path: Path, logger: str) -> None:
        self._path = path
        self._logger = logger

    def line(self, level: str, text: str) -> None:
        """One line, or several when the text has several."""
        moment = time.time()
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))
        self._append(f"{when},{int(moment * 1000) % 1000:03d} - {self._logger} - {level.upper()} - {text}\n")

    def failure(self, code: str, message: str) -> None:
        """The last line of a block that stops with an error."""
        self._append(f"blockutils.exceptions.UP42Error: [{code}] {message}\n")

    def _append(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(text)


def write_usage(folder: Path, usage: Mapping[str, Any]) -> None:
    """Put ``usage.json`` beside ``data.json``."""
    (folder / "usage.json").write_text(json.dumps(usage, indent=2), encoding="utf-8")


def _as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.name = true_name(member.name)
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode = 0o755 if member.isdir() else 0o644
    return member


def _sums(path: Path) -> Dict[str, str]:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            sha256.update(block)
            md5.update(block)
    return {"sha256": sha256.hexdigest(), "md5": base64.b64encode(md5.digest()).decode()}
