"""Check the packed plugin by the plugin site's rules for the archive itself.

usage: python3 .ci/check_zip.py build/up42_plugin.zip
"""

from __future__ import annotations

import stat
import sys
import zipfile
from pathlib import Path, PurePosixPath
from typing import Iterator, List

from project import tell

MOST_BYTES = 25_000_000
REQUIRED = ("__init__.py", "metadata.txt", "LICENSE")
#: Each of them makes the site refuse the upload.
FORBIDDEN_SUFFIXES = frozenset({".bat", ".cmd", ".dll", ".dylib", ".exe", ".ps1", ".pyc", ".pyd", ".pyo", ".sh", ".so"})
FORBIDDEN_PARTS = frozenset({"__pycache__", "__MACOSX", ".git", ".DS_Store", ".."})
#: These would only change what the site's scanners look at.
SCANNER_SETTINGS = frozenset({".bandit", ".flake8", ".secrets.baseline"})


def problems(archive: Path) -> List[str]:
    """List what is wrong with a packed plugin."""
    with zipfile.ZipFile(archive) as packed:
        entries = packed.infolist()
        damaged = packed.testzip()
    found = [f"{damaged} is damaged"] if damaged else []
    if archive.stat().st_size > MOST_BYTES:
        found.append(f"larger than {MOST_BYTES} bytes")
    names = [entry.filename for entry in entries]
    found += _layout(names)
    for entry in entries:
        found += [f"{entry.filename}: {why}" for why in _entry(entry)]
    return found


def _layout(names: List[str]) -> Iterator[str]:
    tops = {name.split("/")[0] for name in names}
    if len(tops) != 1 or not next(iter(tops)).isidentifier():
        yield f"not one top folder with a valid name: {sorted(tops)}"
        return
    top = tops.pop()
    for name in REQUIRED:
        if f"{top}/{name}" not in names:
            yield f"{top}/{name} is missing"
    if len(set(names)) != len(names):
        yield "a name occurs twice"


def _entry(entry: zipfile.ZipInfo) -> Iterator[str]:
    path = PurePosixPath(entry.filename)
    if path.suffix.lower() in FORBIDDEN_SUFFIXES:
        yield "a kind of file that the site refuses"
    if FORBIDDEN_PARTS.intersection(path.parts) or path.is_absolute() or "\\" in entry.filename:
        yield "a name that the site refuses"
    if path.name in SCANNER_SETTINGS:
        yield "settings of a scanner"
    mode = entry.external_attr >> 16
    if not stat.S_ISREG(mode) or mode & 0o111:
        yield "not a plain file"


def main(arguments: List[str]) -> int:
    """Check the given archive."""
    archive = Path(arguments[0])
    return tell(problems(archive), f"{archive.name}, {archive.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
