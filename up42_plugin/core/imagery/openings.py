"""What of an output to open: from the manifest to rasters, products, bundles of single bands, vectors and tables."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from up42_plugin.core.imagery.bands import is_quality_band, split_band_name
from up42_plugin.core.imagery.links import leading_out
from up42_plugin.core.imagery.opening import OWN_PREFIX, Opening, OpeningKind, nothing
from up42_plugin.core.imagery.products import bundle, polarisation_of, product_of, product_openings
from up42_plugin.core.imagery.scene_facts import acquired_span
from up42_plugin.core.manifest import Manifest, OutputItem, files_below
from up42_plugin.core.storage import system_path
from up42_plugin.core.unpack import RECEIPT

__all__ = ["OWN_PREFIX", "Opening", "OpeningKind", "find_openings"]

_KINDS = {
    **dict.fromkeys((".tif", ".tiff", ".jp2", ".j2k", ".img", ""), OpeningKind.RASTER),
    **dict.fromkeys((".nc", ".nc4"), OpeningKind.GRIDS),
    **dict.fromkeys((".geojson", ".json", ".gpkg", ".shp", ".kml", ".kmz", ".gml", ".fgb"), OpeningKind.VECTOR),
    **dict.fromkeys((".csv", ".tsv"), OpeningKind.TABLE),
}
# Of a folder, pictures and descriptions beside the data are left alone.
_OF_FOLDERS = frozenset({".tif", ".tiff", ".jp2", ".img", ".geojson", ".json", ".gpkg", ".shp", ".kml", ".fgb", ".csv"})
_DESCRIPTIONS = frozenset({"data.json", "usage.json", RECEIPT})
_STACKED = re.compile(r"^(B\d{1,2}A?|WVP|AOT)$")
_JSON = frozenset({".geojson", ".json"})
_TEXTS = frozenset({".txt", ".geojson", ".json", ""})
_MERGED = "results_merged.geojson"
_SHOWN_TEXT = 120
_LOOK = 512
_LOOK_AT_JSON = 4096
_GEOJSON = re.compile(
    rb'"type"\s*:\s*"(Feature|FeatureCollection|GeometryCollection|(Multi)?(Point|LineString|Polygon))"'
)
_STAMP = re.compile(r"[_-]\d{4}-?\d{2}-?\d{2}(T[\d_:-]+Z?)?$")
_UUID = re.compile(r"^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)


def find_openings(manifest: Manifest) -> Tuple[Opening, ...]:
    """Everything an output offers to open, in the order of ``data.json``, nothing twice."""
    found: List[Opening] = []
    seen = set()
    for item in manifest.items:
        if item.problem:
            found.append(nothing(manifest.folder, item, item.problem))
        for opening in _of_item(item):
            if opening.path not in seen:
                seen.add(opening.path)
                found.append(_without_links(opening))
    return _told_apart(_bundled(_merged_alone([_dated(opening, manifest.folder) for opening in found])))


def _dated(opening: Opening, output: Path) -> Opening:
    """With the time that the name of the file or its folder tells, where the item tells none (orders, daily files)."""
    item = opening.item
    if item.acquired is not None or opening.kind is OpeningKind.NOTHING:
        return opening
    parent = opening.path.parent
    span = acquired_span({}, opening.path.stem, parent.name if parent != output else "")
    if span is None:
        return opening
    return replace(opening, item=replace(item, acquired=span[0], acquired_until=span[1]))


def _told_apart(openings: Sequence[Opening]) -> Tuple[Opening, ...]:
    """Several vector files of one output (OpenStreetMap: one per tag) are told apart by the names of their files."""
    vectors = [opening for opening in openings if opening.kind in (OpeningKind.VECTOR, OpeningKind.TABLE)]
    names = {opening.path: _subject(opening.path.stem) for opening in vectors}
    if len(set(names.values())) < 2:  # noqa: PLR2004 - one name tells nothing apart
        return tuple(openings)
    return tuple(replace(opening, part=opening.part or names.get(opening.path, "")) for opening in openings)


def _subject(stem: str) -> str:
    """``building`` of ``building=__2020-08-31T14_36_02Z``; empty for a name that is nothing but an id."""
    return "" if _UUID.match(stem) else _STAMP.sub("", stem).rstrip("=_* ")


def _of_item(item: OutputItem) -> Sequence[Opening]:
    if item.path is None:
        return ()
    if system_path(item.path).is_dir():
        return _of_folder(item.path, item)
    return _of_file(item.path, item)


def _of_file(path: Path, item: OutputItem) -> Sequence[Opening]:
    product = product_of(path, item)
    if product is not None:
        return (product,)
    kind = _KINDS.get(path.suffix.lower())
    text = _text_of(path) if path.suffix.lower() in _TEXTS else ""
    if text and not (path.suffix.lower() in _JSON and text.startswith("{")):
        return (nothing(path, item, f"{path.name} is text and no layer: {_shortened(text)}"),)
    if kind is None:
        return (nothing(path, item, f"{path.name} is no kind of file a map can show."),)
    colour = _colour_beside(path)
    if colour is not None:
        return (Opening(kind, colour, item), Opening(kind, path, item, part="panchromatic"))
    return (Opening(kind, path, item, part=polarisation_of(path.stem)),)


def _without_links(opening: Opening) -> Opening:
    """Nothing in place of an opening with a file that leads out of the output."""
    path = leading_out(opening)
    if path is None:
        return opening
    return nothing(path, opening.item, f"{path.name} only points to other data and was not opened.")


def _text_of(path: Path) -> str:
    """How a file of text begins; empty for any other. Some blocks write text under the name of JSON."""
    with system_path(path).open("rb") as file:
        start = file.read(_LOOK)
    if b"\0" in start:
        return ""
    try:
        return start.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        cut_character = error.start >= _LOOK - 3  # at the end of what was read
        return start[: error.start].decode("utf-8-sig").strip() if cut_character else ""


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_TEXT else f"{line[:_SHOWN_TEXT]}…"


def _colour_beside(path: Path) -> Optional[Path]:
    """Primary Pléiades images point to the panchromatic file; the colour file has ``ms`` in place of ``pan``."""
    if not path.stem.lower().endswith("_pan"):
        return None
    colour = path.with_name(f"{path.stem[:-3]}ms{path.suffix}")
    return colour if system_path(colour).is_file() else None


def _of_folder(folder: Path, item: OutputItem) -> Sequence[Opening]:
    files = [path for path in files_below(folder) if not _is_ours(path)]
    product = product_openings(files, item)
    if product:
        return product
    openings = [opening for path in files if _opens_of_folder(path) for opening in _of_file(path, item)]
    bands = {path.parent for path in files if _stacked_name(path) is not None}
    openings = [opening for opening in openings if not (opening.path.parent in bands and is_quality_band(opening.stem))]
    usable = [opening for opening in openings if not opening.problem]
    if not usable:
        return (nothing(folder, item, f"{folder.name} holds nothing a map can show."),)
    return sorted(usable, key=lambda opening: opening.kind is not OpeningKind.RASTER)


def _opens_of_folder(path: Path) -> bool:
    """Files without an ending are taken for rasters where a folder holds them as it is delivered (WorldDEM)."""
    if path.suffix.lower() == ".json":
        with system_path(path).open("rb") as file:
            return _GEOJSON.search(file.read(_LOOK_AT_JSON)) is not None
    return path.suffix.lower() in _OF_FOLDERS or (not path.suffix and not _text_of(path))


def _is_ours(path: Path) -> bool:
    return path.name in _DESCRIPTIONS or path.name.startswith((OWN_PREFIX, "."))


def _merged_alone(openings: Sequence[Opening]) -> List[Opening]:
    """Zonal statistics come per image and all in one file: that one stands for the others of its folder."""
    result: List[Opening] = []
    taken: Dict[Path, Opening] = {}
    for opening in openings:
        merged = opening.path.with_name(_MERGED)
        if opening.kind is not OpeningKind.VECTOR or not system_path(merged).is_file():
            result.append(opening)
        elif merged not in taken:
            taken[merged] = replace(opening, path=merged, item=_item_of(merged, opening, openings))
            result.append(taken[merged])
    return result


def _item_of(merged: Path, opening: Opening, openings: Sequence[Opening]) -> OutputItem:
    """The merged file's own item; else that of one of the images, without what is not true of all."""
    own = next((other.item for other in openings if other.path == merged), None)
    if own is not None:
        return own
    items = [other.item for other in openings if other.path.parent == merged.parent]
    shared = opening.item if all(item.acquired == opening.item.acquired for item in items) else None
    return replace(
        opening.item,
        feature_id="",
        scene_id="",
        data_path=_MERGED,
        path=merged,
        acquired=shared.acquired if shared else None,
        acquired_until=shared.acquired_until if shared else None,
        cloud_cover=None,
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
            result.append(bundle([(name, member.path) for name, member in members], opening.item))
    return tuple(result)


def _bundle_key(opening: Opening) -> Optional[Tuple[Tuple[Path, str], str]]:
    name = _stacked_name(opening.path) if opening.kind is OpeningKind.RASTER else None
    return ((opening.path.parent, name[0]), name[1]) if name is not None else None


def _stacked_name(path: Path) -> Optional[Tuple[str, str]]:
    split = split_band_name(path.stem)
    return split if split is not None and _STACKED.match(split[1]) else None
