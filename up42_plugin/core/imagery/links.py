"""Files of an output that lead out of it. GDAL and OGR would follow them to any file or server: they are not opened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, Optional

from up42_plugin.core.imagery.opening import Opening, OpeningKind
from up42_plugin.core.manifest import files_below
from up42_plugin.core.storage import system_path

_LOOK = 1 << 16  # GDAL finds such elements behind anything that fits into the header it reads
_LINKS = re.compile(rb"<(VRTDataset|OGR\w*DataSource|GDAL_W\w*|WCS_GDAL|(\w+:)?WFS_Capabilities)", re.IGNORECASE)
_BLANK = b"\xef\xbb\xbf \t\r\n"
_IMAGES = frozenset({".tif", ".tiff", ".jp2", ".j2k", ".img"})
# How descriptions of DIMAP and Sentinel-2 name their images
_NAMED = re.compile(rb"<DATA_FILE_PATH\b[^>]*\bhref\s*=\s*[\"']([^\"']*)|<IMAGE_FILE\w*\b[^>]*>([^<]*)")
_LONGEST_DESCRIPTION = 64 << 20


def leading_out(opening: Opening) -> Optional[Path]:
    """The first file of an opening that leads out of the output; None when all of them hold what they show."""
    if opening.kind is OpeningKind.NOTHING:
        return None
    if opening.kind is OpeningKind.PRODUCT and _names_others(opening.path):
        return opening.path
    return next((path for path in _files_of(opening) if _is_link(path, opening)), None)


def _files_of(opening: Opening) -> Iterator[Path]:
    yield from (path for _, path in opening.bands or (("", opening.path),))
    if opening.kind is OpeningKind.PRODUCT:
        yield from (path for path in files_below(opening.path.parent) if path.suffix.lower() in _IMAGES)


def _is_link(path: Path, opening: Opening) -> bool:
    """Text under any name is taken for a virtual raster or layer."""
    with system_path(path).open("rb") as file:
        start = file.read(_LOOK)
    vectors = opening.kind in (OpeningKind.VECTOR, OpeningKind.TABLE)
    description = opening.kind is OpeningKind.PRODUCT and path == opening.path
    text = start.lstrip(_BLANK).startswith((b"<", b"{"))
    return (text and not (vectors or description)) or _LINKS.search(start) is not None


def _names_others(description: Path) -> bool:
    """Whether a description names an image that does not lie beside or below it."""
    with system_path(description).open("rb") as file:
        content = file.read(_LONGEST_DESCRIPTION)
    for found in _NAMED.finditer(content):
        name = (found.group(1) or found.group(2) or b"").strip()
        if name.startswith((b"/", b"\\")) or b":" in name or b".." in re.split(rb"[/\\]", name):
            return True
    return False
