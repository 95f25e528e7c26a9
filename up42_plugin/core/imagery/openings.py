"""What of an output to open: from the manifest to rasters, bundles of single bands, and vectors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from up42_plugin.core.imagery.bands import bundle_order, split_band_name
from up42_plugin.core.manifest import Manifest, OutputItem, files_below
from up42_plugin.core.storage import system_path
from up42_plugin.core.unpack import RECEIPT

# Virtual rasters of ours in an output begin so.
OWN_PREFIX = "up42_layer_"

_RASTERS = frozenset({".tif", ".tiff", ".jp2", ".img", ".vrt", ".nc", ""})
_VECTORS = frozenset({".geojson", ".json", ".gpkg", ".shp", ".kml"})
_DESCRIPTIONS = frozenset({"data.json", "usage.json", RECEIPT})
_STACKED = re.compile(r"^(B\d{1,2}A?|WVP|AOT)$")
_JSON = frozenset({".geojson", ".json"})


class OpeningKind(str, Enum):
    """How an opening becomes layers."""

    RASTER = "raster"
    PRODUCT = "product"
    BUNDLE = "bundle"
    VECTOR = "vector"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Opening:
    """One thing to open. ``path`` of a bundle is its first band's; ``bands`` are its (name, path) in order.

    ``part`` tells apart what one item holds ("panchromatic"). ``problem`` says why there is nothing to open.
    """

    kind: OpeningKind
    path: Path
    item: OutputItem
    bands: Tuple[Tuple[str, Path], ...] = ()
    part: str = ""
    problem: str = ""


def find_openings(manifest: Manifest) -> Tuple[Opening, ...]:
    """Everything an output offers to open, in the order of ``data.json``, nothing twice."""
    found: List[Opening] = []
    seen = set()
    for item in manifest.items:
        if item.problem:
            found.append(Opening(OpeningKind.NOTHING, manifest.folder, item, problem=item.problem))
        for opening in _of_item(item):
            if opening.path not in seen:
                seen.add(opening.path)
                found.append(opening)
    return _bundled(found)


def _of_item(item: OutputItem) -> Sequence[Opening]:
    if item.path is None:
        return ()
    if system_path(item.path).is_dir():
        return _of_folder(item.path, item)
    return _of_file(item.path, item)


def _of_file(path: Path, item: OutputItem) -> Sequence[Opening]:
    kind = _kind(path)
    if kind is None:
        return (Opening(OpeningKind.NOTHING, path, item, problem=f"{path.name} is no kind of file a map can show."),)
    colour = _colour_beside(path)
    if colour is not None:
        return (Opening(kind, colour, item), Opening(kind, path, item, part="panchromatic"))
    return (Opening(kind, path, item),)


def _kind(path: Path) -> Optional[OpeningKind]:
    suffix = path.suffix.lower()
    if suffix in _JSON and not _begins_as_object(path):
        return None
    if suffix in _VECTORS:
        return OpeningKind.VECTOR
    return OpeningKind.RASTER if suffix in _RASTERS else None


def _begins_as_object(path: Path) -> bool:
    """Some blocks write text of another kind under the name of JSON."""
    with system_path(path).open("rb") as file:
        return file.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def _colour_beside(path: Path) -> Optional[Path]:
    """Primary Pléiades images point to the panchromatic file; the colour file has ``ms`` in place of ``pan``."""
    if not path.stem.lower().endswith("_pan"):
        return None
    colour = path.with_name(f"{path.stem[:-3]}ms{path.suffix}")
    return colour if system_path(colour).is_file() else None


def _of_folder(folder: Path, item: OutputItem) -> Sequence[Opening]:
    """The first rule with a hit decides: product descriptions join files that should not be opened one by one."""
    files = [path for path in files_below(folder) if not _is_ours(path)]
    for pattern, kind in _FOLDER_RULES:
        hits = [path for path in files if pattern(path)]
        if hits:
            return tuple(Opening(kind, path, item) for path in hits)
    pixels = [path for path in files if path.suffix.lower() in (".tif", ".tiff")]
    shapes = [path for path in files if path.suffix.lower() in _VECTORS and _kind(path) is not None]
    openings = [opening for path in pixels for opening in _of_file(path, item)]
    openings.extend(Opening(OpeningKind.VECTOR, path, item) for path in shapes)
    if not openings:
        return (Opening(OpeningKind.NOTHING, folder, item, problem=f"{folder.name} holds nothing a map can show."),)
    return openings


def _is_ours(path: Path) -> bool:
    return path.name in _DESCRIPTIONS or path.name.startswith(OWN_PREFIX)


def _named(expression: str) -> Callable[[Path], bool]:
    pattern = re.compile(expression, re.IGNORECASE)
    return lambda path: pattern.search(path.as_posix()) is not None


_FOLDER_RULES: Sequence[Tuple[Callable[[Path], bool], OpeningKind]] = (
    (_named(r"/DIM[^/]*\.XML$"), OpeningKind.PRODUCT),
    (_named(r"/MTD_MSIL\w+\.xml$"), OpeningKind.PRODUCT),
    (_named(r"\.SAFE/measurement/[^/]*\.tiff?$"), OpeningKind.RASTER),
    (_named(r"\.nc$"), OpeningKind.RASTER),
)


def _bundled(openings: Sequence[Opening]) -> Tuple[Opening, ...]:
    """Single bands of one scene joined, in the place of the first of them."""
    groups: Dict[Tuple[Path, str], List[Tuple[str, Opening]]] = {}
    for opening in openings:
        key = _bundle_key(opening)
        if key is not None:
            groups.setdefault(key[0], []).append((key[1], opening))
    result: List[Opening] = []
    for opening in openings:
        key = _bundle_key(opening)
        members = groups.get(key[0], []) if key is not None else []
        if len(members) < 2:  # noqa: PLR2004 - one band is no bundle
            result.append(opening)
        elif members[0][1] is opening:
            result.append(_joined(members))
    return tuple(result)


def _bundle_key(opening: Opening) -> Optional[Tuple[Tuple[Path, str], str]]:
    if opening.kind is not OpeningKind.RASTER:
        return None
    split = split_band_name(opening.path.stem)
    if split is None or not _STACKED.match(split[1]):
        return None
    return (opening.path.parent, split[0]), split[1]


def _joined(members: Sequence[Tuple[str, Opening]]) -> Opening:
    paths = {name: opening.path for name, opening in members}
    first = members[0][1]
    order = bundle_order(tuple(paths), first.path.stem)
    return Opening(OpeningKind.BUNDLE, first.path, first.item, tuple((name, paths[name]) for name in order))
