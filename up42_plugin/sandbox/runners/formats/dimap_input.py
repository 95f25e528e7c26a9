"""The images in a DIMAP folder that a download block delivered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Dict

from up42_plugin.sandbox.runners import rasters
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.errors import WRONG_INPUT_ERROR

COLOUR, PAN, DISPLAY = "MS", "P", "PMS"
"""The words in the names of folders and files: multispectral, panchromatic, and both in one image."""

_DESCRIPTION = re.compile(r"DIM_.*\.XML", re.IGNORECASE)
_WORD = re.compile(r"_(PMS|MS|P)_")


def images_in(folder: Path) -> Dict[str, Any]:
    """The open images of a folder by their word.

    Raises:
        RunnerError: there is none, or one that cannot be opened.
    """
    found: Dict[str, Any] = {}
    for path in sorted(folder.rglob("*") if folder.is_dir() else ()):
        word = _WORD.search(path.name)
        if word and _DESCRIPTION.fullmatch(path.name):
            found.setdefault(word.group(1), rasters.open_raster(path))
    if not found:
        raise RunnerError(WRONG_INPUT_ERROR, f"{folder.name} holds no DIMAP product")
    return found


def image(images: Dict[str, Any], word: str, what: str) -> Any:
    """One of a folder's images; raises :class:`RunnerError` that names ``what`` is missing."""
    if word not in images:
        words = ", ".join(sorted(images))
        raise RunnerError(WRONG_INPUT_ERROR, f"The DIMAP product has no {what} image, only {words}")
    return images[word]
