"""Parts of products as files that may move with their output.

QGIS writes ``SENTINEL2_L2A:/…/MTD_MSIL2A.xml:10m:…`` into projects as it is: when project and output move, the layer
is lost. A VRT beside the product has relative paths, and so has the layer then.
"""

from __future__ import annotations

import os
import re
from html import escape, unescape
from pathlib import Path

from up42_plugin.core.imagery.gdal_access import RasterError, name_of, open_raster
from up42_plugin.core.imagery.rasters import placed
from up42_plugin.core.storage import system_path

_SOURCE = re.compile(r'<SourceFilename relativeToVRT="0"([^>]*)>([^<]*)</SourceFilename>')
# Whole documents of the product, which are there anyway, and where overviews would be looked for
_DOCUMENTS = re.compile(r'\n  <Metadata domain="(?:xml:[^"]*|OVERVIEWS)"[^>]*>.*?\n  </Metadata>', re.DOTALL)


def portable(subdataset: str, target: Path) -> Path:
    """Write a subdataset that GDAL composes of files as a VRT, with paths relative to ``target``.

    Raises:
        RasterError: it is not made of files, or ``target`` cannot be written.
    """
    dataset = open_raster(subdataset)
    text = "".join(dataset.GetMetadata("xml:VRT") or ())
    if not _SOURCE.search(text):
        raise RasterError(f"{name_of(subdataset)} cannot be opened by its files.", subdataset)

    def relative(found: re.Match[str]) -> str:
        path = os.path.relpath(unescape(found.group(2)), target.parent).replace(os.sep, "/")
        return f'<SourceFilename relativeToVRT="1"{found.group(1)}>{escape(path, quote=False)}</SourceFilename>'

    with placed(target) as work:
        system_path(work).write_text(_SOURCE.sub(relative, _DOCUMENTS.sub("", text)), encoding="utf-8")
    return target
