"""Names from archives made safe for every file system, or refused.

What would leave the folder is refused. What is merely impossible on Windows (``building=*_14:36.geojson``, ``CON``,
a trailing dot) is replaced, on every system alike, so that a folder can move between machines.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Dict, List, Mapping, Set, Tuple

from up42_plugin.core.output_errors import HostileArchiveError

TOP_FOLDER = "output"
MAX_COMPONENT_BYTES = 255
MAX_PATH_CHARACTERS = 1000
MAX_DEPTH = 40

_FORBIDDEN = re.compile('[<>:"|?*\\\\\x00-\x1f\x7f\ud800-\udfff]')
_DRIVE = re.compile(r"^[A-Za-z]:")
_RESERVED = re.compile(r"^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_SHOWN = 200


def safe_component(name: str) -> str:
    """One path component with everything replaced that some file system forbids."""
    name = _FORBIDDEN.sub("_", name)
    kept = name.rstrip(". ")
    name = kept + "_" * (len(name) - len(kept))
    return f"_{name}" if _RESERVED.match(name) else name


def slug(text: str, longest: int = 40) -> str:
    """Text as a short folder name: letters, digits and single dashes; ``job`` when nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    dashed = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:longest].strip("-")
    return f"{dashed}-" if _RESERVED.match(dashed) else dashed or "job"


def split_member(raw: str) -> List[str]:
    """The components of an archive member below its top folder ``output/``; empty for that folder itself.

    Raises:
        HostileArchiveError: for a name that is absolute, climbs, names a drive or is too long.
    """
    _refuse_outside(raw)
    parts = [part for part in raw.split("/") if part not in ("", ".")]
    if parts and parts[0] == TOP_FOLDER:
        parts = parts[1:]
    if parts and _DRIVE.match(parts[0]):
        raise HostileArchiveError(f"drive letter in {_shown(raw)}")
    too_long = any(len(part.encode("utf-8", "replace")) > MAX_COMPONENT_BYTES - 1 for part in parts)
    if too_long or len(raw) > MAX_PATH_CHARACTERS or len(parts) > MAX_DEPTH:
        raise HostileArchiveError(f"too long: {_shown(raw)}", "holds a name that is too long")
    return parts


def _refuse_outside(raw: str) -> None:
    """A backslash counts as a separator here: what one system takes as a name climbs on another."""
    if not raw or "\x00" in raw:
        raise HostileArchiveError(f"empty or cut name {_shown(raw)}", "holds a name that is not allowed")
    unified = raw.replace("\\", "/")
    if unified.startswith("/") or _DRIVE.match(unified):
        raise HostileArchiveError(f"absolute path {_shown(raw)}")
    for part in unified.split("/"):
        # Windows drops trailing dots and blanks: ".. " is ".." there.
        if part not in ("", ".") and not part.strip(". "):
            raise HostileArchiveError(f"path climbs: {_shown(raw)}")


def _shown(raw: str) -> str:
    return repr(raw[:_SHOWN])


def _key(path: str) -> str:
    """Equal for paths that are one file on a file system that folds case or composes accents."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


class MemberNames:
    """Gives each member of one archive its path, and refuses what would overwrite or merge."""

    def __init__(self, reserved: Tuple[str, ...] = ()) -> None:
        self._files: Set[str] = {_key(name) for name in reserved}
        self._folders: Dict[str, str] = {}
        self._renamed: Dict[str, str] = {}

    @property
    def renamed(self) -> Mapping[str, str]:
        """Paths as in the archive (below ``output/``) to paths as written, where they differ."""
        return dict(self._renamed)

    def folder(self, raw: str) -> str:
        """The relative path to make for a folder member; empty for the top folder."""
        return self._enter(split_member(raw), raw)

    def file(self, raw: str) -> Tuple[str, str]:
        """The relative paths (folder, file) to write a file member to."""
        parts = split_member(raw)
        if not parts:
            raise HostileArchiveError(f"a file in place of the folder: {_shown(raw)}", "holds the same name twice")
        parent = self._enter(parts[:-1], raw)
        name = safe_component(parts[-1])
        path = f"{parent}/{name}" if parent else name
        key = _key(path)
        if key in self._files or key in self._folders:
            raise HostileArchiveError(f"twice: {_shown(raw)}", "holds the same name twice")
        self._files.add(key)
        self._note("/".join(parts), path)
        return parent, path

    def _enter(self, parts: List[str], raw: str) -> str:
        path = ""
        for index, part in enumerate(parts):
            component = safe_component(part)
            path = f"{path}/{component}" if path else component
            original = "/".join(parts[: index + 1])
            key = _key(path)
            if key in self._files or self._folders.setdefault(key, original) != original:
                raise HostileArchiveError(f"twice: {_shown(raw)}", "holds the same name twice")
            self._note(original, path)
        return path

    def _note(self, original: str, written: str) -> None:
        if original != written:
            self._renamed[original] = written
