"""One thing of an output that is to be opened: a value that says what, not yet how."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Tuple

from up42_plugin.core.archives.safe_names import slug
from up42_plugin.core.manifest import OutputItem

# Files of ours in an output begin so: virtual rasters, footprints of tiles, copies with an index.
OWN_PREFIX = "up42_layer_"


class OpeningKind(str, Enum):
    """How an opening becomes layers."""

    RASTER = "raster"
    PRODUCT = "product"
    BUNDLE = "bundle"
    MOSAIC = "mosaic"
    GRIDS = "grids"
    VECTOR = "vector"
    TABLE = "table"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Opening:
    """One thing to open. ``path`` of a bundle is its first band's, of a mosaic its first tile's.

    ``bands`` of a bundle are its (name, path) in order, ``tiles`` of a mosaic the openings it joins. ``part`` tells
    apart what one item holds ("panchromatic"), ``name`` stands for the file's stem where that is not the image's.
    ``checked`` and ``group`` as in a layer plan. ``problem`` says why there is nothing to open.
    """

    kind: OpeningKind
    path: Path
    item: OutputItem
    bands: Tuple[Tuple[str, Path], ...] = ()
    part: str = ""
    name: str = ""
    checked: bool = True
    group: str = ""
    problem: str = ""
    tiles: Tuple[Opening, ...] = ()

    @property
    def stem(self) -> str:
        """The image's name."""
        return self.name or self.path.stem


def nothing(path: Path, item: OutputItem, problem: str) -> Opening:
    """An opening that only says why there is none."""
    return Opening(OpeningKind.NOTHING, path, item, problem=problem)


def own_path(folder: Path, stem: str, place: str, purpose: str, ending: str) -> Path:
    """A file of ours at the top of an output's folder, told apart by the ``place`` of what it is made of."""
    plain = stem[len(OWN_PREFIX) :] if stem.startswith(OWN_PREFIX) else stem
    return folder / f"{OWN_PREFIX}{slug(plain, 60)}-{zlib.crc32(place.encode()):08x}-{purpose}{ending}"
