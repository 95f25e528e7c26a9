"""Finds the Python interpreter that belongs to QGIS, to run a program of the plugin beside it."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Callable, List


def python_of_qgis(
    platform: str, executable: str, exec_prefix: str, exists: Callable[[str], bool], installed: str = ""
) -> str:
    """Return the path of the interpreter.

    QGIS embeds Python's library. On Linux the library guesses ``sys.executable`` from PATH, where any other Python may
    stand first that lacks QGIS's packages; but it knows where its own program was installed. On Windows and macOS
    ``sys.executable`` is QGIS itself: the interpreter stands where Python was installed, or beside QGIS.

    Args:
        platform: ``sys.platform``.
        executable: ``sys.executable``.
        exec_prefix: ``sys.exec_prefix``.
        exists: tells whether a file exists.
        installed: where the running Python's own program was installed; tried first, but not on Windows.

    Raises:
        FileNotFoundError: there is none; the text names the places that were looked at.
    """
    if platform == "win32":
        candidates = _on_windows(PureWindowsPath(executable), PureWindowsPath(exec_prefix))
    else:
        own = [PurePosixPath(installed)] if installed else []
        candidates = [*own, *_elsewhere(PurePosixPath(executable), PurePosixPath(exec_prefix))]
    places = [str(path) for path in candidates]
    for place in places:
        if exists(place):
            return place
    raise FileNotFoundError("no Python interpreter at " + ", ".join(places))


def qgis_python() -> str:
    """Return the interpreter of the QGIS that runs this; raises ``FileNotFoundError``."""
    folder = sysconfig.get_config_var("BINDIR")
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    installed = f"{folder}/{name}" if folder else ""
    return python_of_qgis(sys.platform, sys.executable or "", sys.exec_prefix, os.path.isfile, installed)


def _itself(executable: PurePath) -> List[PurePath]:
    return [executable] if executable.name.lower().startswith("python") else []


def _on_windows(executable: PureWindowsPath, prefix: PureWindowsPath) -> List[PurePath]:
    names = ("python.exe", "python3.exe")
    folders = (prefix, executable.parent)
    return [*_itself(executable), *(folder / name for folder in folders for name in names)]


def _elsewhere(executable: PurePosixPath, prefix: PurePosixPath) -> List[PurePath]:
    names = ("bin/python3", "python3", "bin/python", "python")
    folders = (prefix, executable.parent)
    return [*_itself(executable), *(folder / name for folder in folders for name in names)]
