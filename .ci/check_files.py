"""Check what no linter knows: files of one subject are short, and the project speaks of itself alone.

usage: python3 .ci/check_files.py FILE_OR_FOLDER...
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import List

from project import files_below, tell

MOST_LINES = 400
TEXT_SUFFIXES = (".py", ".md", ".html", ".txt", ".toml", ".geojson", ".json", ".svg", ".qml", "")
#: What has no place in a project that others read, with why.
UNWANTED = (
    (re.compile(r"(?<![\w.<])/(?:work|root|home/[a-z]\w*)/"), "a path of one machine"),
    (re.compile(r"[A-Z]:\\Users\\"), "a path of one machine"),
    (re.compile(r"\bissue #?\d+\b", re.I), "talk about planning"),
    (re.compile(r"\b(?!README|CHANGELOG|LICENSE)[A-Z]{2,}\.md\b"), "a document that is not here"),
    (re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X)\b"), "unfinished work"),
    (re.compile(r"\b(?:files\.pythonhosted|pypi|deb\.debian|archive\.ubuntu)\.(?:org|com)\b"), "a package registry"),
)


def problems(path: Path) -> List[str]:
    """List what is wrong with one text file."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        return [f"{path}: not UTF-8"]
    found = []
    if path.suffix == ".py" and len(lines) > MOST_LINES:
        found.append(f"{path}: {len(lines)} lines, more than {MOST_LINES}: split it by subject")
    for number, line in enumerate(lines, 1):
        found += [f"{path}:{number}: {why}: {hit[0]}" for pattern, why in UNWANTED for hit in pattern.finditer(line)]
    return found


def main(arguments: List[str]) -> int:
    """Check the files below the given folders."""
    files = [file for file in files_below(map(Path, arguments)) if file.suffix in TEXT_SUFFIXES]
    return tell([line for file in files for line in problems(file)], f"length and words of {len(files)} files")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
