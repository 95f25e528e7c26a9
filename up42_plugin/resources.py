"""Finds the files that are not code, in a checkout and in the installed plugin alike.

``metadata.txt`` and ``resources/`` stand at the top of a checkout, beside the package; packing stages them into it.
"""

from __future__ import annotations

import configparser
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _find(name: str) -> Path:
    for folder in (_PACKAGE, _PACKAGE.parent):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"{name} belongs to the plugin, but is neither in {_PACKAGE} nor beside it")


def resource_path(*parts: str) -> Path:
    """Return the path of a file below ``resources/``.

    Raises:
        FileNotFoundError: the plugin is not whole.
    """
    return _find("resources").joinpath(*parts).resolve(strict=True)


def package_parent() -> Path:
    """Return the folder that makes ``up42_plugin`` importable when it is on the module search path."""
    return _PACKAGE.parent


def plugin_version() -> str:
    """Return the plugin's version as ``metadata.txt`` states it.

    Raises:
        FileNotFoundError: the plugin is not whole.
        KeyError: ``metadata.txt`` names no version.
    """
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read_string(_find("metadata.txt").read_text("utf-8"))
    return metadata["general"]["version"]
