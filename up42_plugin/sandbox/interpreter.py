"""Runs the sandbox with a Python that has NumPy and GDAL, when the one that was called has not.

On a machine with several Pythons the first on PATH is often not the one that QGIS and GDAL were installed for.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import Callable, Iterator, List, Optional, Sequence

NEEDED = ("numpy", "osgeo")
_NAMES = ("python3", "python3.exe", "python.exe")
_USUAL = ("/usr/bin/python3", "/usr/local/bin/python3")
_HANDED_OVER = "UP42_SANDBOX_HANDED_OVER"
_ANSWERS_WITHIN_S = 20


def missing() -> List[str]:
    """The needed packages that this Python cannot import."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def candidates(path: Sequence[str]) -> Iterator[str]:
    """Other Pythons of this machine: those on PATH, then the usual places; each once, this one left out."""
    seen = {os.path.realpath(sys.executable)}
    for place in (*(os.path.join(folder, name) for folder in path for name in _NAMES), *_USUAL):  # noqa: PTH118
        real = os.path.realpath(place)
        if real not in seen and os.access(real, os.X_OK):
            seen.add(real)
            yield place


def has_all(python: str) -> bool:
    """Whether another Python can import what is needed."""
    line = [python, "-c", "import " + ", ".join(NEEDED)]
    try:
        return subprocess.run(line, capture_output=True, timeout=_ANSWERS_WITHIN_S, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return False


def better_python(path: Sequence[str], able: Callable[[str], bool] = has_all) -> Optional[str]:
    """The first of the other Pythons that has all that is needed, or None."""
    return next((python for python in candidates(path) if able(python)), None)


def hand_over(arguments: Sequence[str]) -> Optional[int]:
    """Go on in a Python that has all that is needed, if this one has not.

    Returns None when this one will do. Where processes can be replaced this call does not return after a hand-over;
    elsewhere it returns the other's exit code. Returns 1, with a sentence on standard error, when there is none.
    """
    lacking = missing()
    if not lacking:
        return None
    python = None if os.environ.get(_HANDED_OVER) else better_python(os.get_exec_path())
    if python is None:
        sys.stderr.write(
            f"The sandbox needs the Python packages {' and '.join(lacking)} (osgeo is GDAL's); {sys.executable} has "
            "them not. Run it with the Python that QGIS uses, on Debian and Ubuntu /usr/bin/python3.\n"
        )
        return 1
    os.environ[_HANDED_OVER] = "1"
    line = [python, "-m", "up42_plugin.sandbox", *arguments]
    if os.name == "posix":
        os.execv(python, line)  # noqa: S606
    return subprocess.run(line, check=False).returncode  # noqa: S603
