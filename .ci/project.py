"""What the project's own checks share: finding files, and telling what they found."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterable, Iterator, List

ROOT = Path(__file__).resolve().parent.parent
_SKIPPED = frozenset({"__pycache__", "build", ".git"})


def files_below(paths: Iterable[Path], *suffixes: str) -> Iterator[Path]:
    """Yield the files below the given files and folders, sorted, of the given suffixes (of any when none is given)."""
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            skipped = _SKIPPED.intersection(file.relative_to(path).parts)
            if file.is_file() and not skipped and (not suffixes or file.suffix in suffixes):
                yield file


def tell(problems: List[str], checked: str) -> int:
    """Write the problems, or what was checked, and return the exit code that says which."""
    for problem in problems:
        sys.stdout.write(problem + "\n")
    sys.stdout.write(f"{len(problems)} problem(s)\n" if problems else f"{checked}: good\n")
    return 1 if problems else 0
