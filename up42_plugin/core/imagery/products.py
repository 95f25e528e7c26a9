"""Products that come as folders: which of their many files to open, and as what."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence, Tuple

from up42_plugin.core.imagery.bands import bundle_order, split_band_name
from up42_plugin.core.imagery.opening import Opening, OpeningKind, nothing
from up42_plugin.core.manifest import OutputItem

Openings = Tuple[Opening, ...]

FURTHER_BANDS = "Bands"
THERMAL = "thermal"

_DIMAP = re.compile(r"/(DIM[^/]*\.XML|METADATA\.DIM)$", re.IGNORECASE)
_DIMAP_PART = re.compile(r"_(PMS|MS|P)(?=[_-])", re.IGNORECASE)
_DIMAP_PARTS = {"P": "panchromatic", "MS": "multispectral"}
_SENTINEL2 = re.compile(r"/MTD_MSIL\w+\.xml$", re.IGNORECASE)
_SENTINEL1 = re.compile(r"/measurement/[^/]*\.tiff?$", re.IGNORECASE)
_SWATH = re.compile(r"(?:[/-](iw\d?|ew\d?|s\d|wv\d?))(?=-)", re.IGNORECASE)
_POLARISATION = re.compile(r"-(vv|vh|hh|hv)-", re.IGNORECASE)
_LANDSAT = re.compile(r"^(.+)_MTL\.(txt|json|xml)$", re.IGNORECASE)
_THERMAL = re.compile(r"_(?:ST_)?B(?:10|11|6_VCID_\d)$", re.IGNORECASE)
_OLD_THERMAL = re.compile(r"^L[TM]0[1-5]_.*_B6$", re.IGNORECASE)
_PAN = re.compile(r"_B8$", re.IGNORECASE)
_SENTINEL3_PLACES = re.compile(r"/(geo_coordinates|geodetic_\w+|geo)\.nc$", re.IGNORECASE)
_SWATHS = 2
_IMAGE = re.compile(r"^IMAGE_(VV|VH|HH|HV)_", re.IGNORECASE)


def product_openings(files: Sequence[Path], item: OutputItem) -> Openings:
    """What to open of a folder with these files; empty when it is no product known here.

    The first rule with a hit decides: product descriptions join files that should not be opened one by one.
    """
    rules: Sequence[Callable[[Sequence[Path], OutputItem], Openings]] = (
        _dimap,
        _sentinel2,
        _sentinel1,
        _landsat,
        _sentinel3,
        _netcdf,
    )
    return next((found for rule in rules for found in (rule(files, item),) if found), ())


def _dimap(files: Sequence[Path], item: OutputItem) -> Openings:
    """Colour first. The split images below are joined by their description only."""
    hits = [(path, _dimap_kind(path)) for path in files if _DIMAP.search(path.as_posix())]
    hits.sort(key=lambda hit: hit[1] == "P")
    with_pan = any(kind == "P" for _, kind in hits)
    return tuple(
        Opening(OpeningKind.PRODUCT, path, item, part=_DIMAP_PARTS.get(kind, "") if with_pan else "")
        for path, kind in hits
    )


def _dimap_kind(path: Path) -> str:
    """``MS``, ``P`` or ``PMS``: from the description's name, else from the folders it lies in; empty when unknown."""
    for name in (path.stem, path.parent.name, path.parent.parent.name):
        found = _DIMAP_PART.search(f"{name}_")
        if found is not None:
            return found.group(1).upper()
    return ""


def _sentinel2(files: Sequence[Path], item: OutputItem) -> Openings:
    return tuple(
        Opening(OpeningKind.PRODUCT, path, item) for path in files if _SENTINEL2.search(path.as_posix()) is not None
    )


def _sentinel1(files: Sequence[Path], item: OutputItem) -> Openings:
    """One raster per polarisation, and per swath where there are several; co-polarised ones first."""
    hits = [path for path in files if _SENTINEL1.search(path.as_posix())]
    swaths = {_first(_SWATH, path.name) for path in hits}
    openings = []
    for path in hits:
        swath = _first(_SWATH, path.name) if len(swaths) >= _SWATHS else ""
        part = " ".join(word for word in (swath, _first(_POLARISATION, path.name)) if word)
        openings.append(Opening(OpeningKind.RASTER, path, item, part=part))
    return tuple(sorted(openings, key=lambda opening: opening.part.endswith(("VH", "HV"))))


def polarisation_of(stem: str) -> str:
    """``HH`` of ``IMAGE_HH_SRA_strip_005``, as converted TerraSAR images are called; empty for other names."""
    found = _IMAGE.match(stem)
    return found.group(1).upper() if found is not None else ""


def _first(pattern: re.Pattern[str], name: str) -> str:
    found = pattern.search(f"-{name}")
    return found.group(1).upper() if found is not None else ""


def _landsat(files: Sequence[Path], item: OutputItem) -> Openings:
    """Per scene: the bands of reflectance as one, apart from them the finer panchromatic and the thermal ones."""
    scenes = dict.fromkeys(found.group(1) for path in files for found in [_LANDSAT.match(path.name)] if found)
    openings: List[Opening] = []
    for scene in scenes:
        mine = [path for path in files if path.name.startswith(f"{scene}_")]
        openings.extend(_landsat_scene([path for path in mine if path.suffix.lower() in (".tif", ".tiff")], item))
    return tuple(openings)


def _landsat_scene(files: Sequence[Path], item: OutputItem) -> List[Opening]:
    kinds: Dict[str, List[Tuple[str, Path]]] = {"": [], "panchromatic": [], THERMAL: []}
    for path in files:
        split = split_band_name(path.stem)
        if _THERMAL.search(path.stem) or _OLD_THERMAL.match(path.stem):
            kinds[THERMAL].append((f"B{path.stem.upper().rpartition('_B')[2]}", path))
        elif split is not None and re.match(r"B\d", split[1]):
            kinds["panchromatic" if _PAN.search(path.stem) else ""].append((split[1], path))
    openings = []
    for part, members in kinds.items():
        if members:
            further = bool(part and kinds[""])
            opening = bundle(members, item)
            openings.append(_further(opening, part) if further else opening)
    return openings


def bundle(members: Sequence[Tuple[str, Path]], item: OutputItem) -> Opening:
    """Single bands, as (name, path), as one opening."""
    paths = dict(members)
    first = members[0][1]
    order = bundle_order(tuple(paths), first.stem)
    return Opening(OpeningKind.BUNDLE, first, item, tuple((name, paths[name]) for name in order))


def _further(opening: Opening, part: str) -> Opening:
    return Opening(
        opening.kind, opening.path, opening.item, opening.bands, part=part, checked=False, group=FURTHER_BANDS
    )


def _sentinel3(files: Sequence[Path], item: OutputItem) -> Openings:
    """Sentinel-3 keeps the places of its pixels in files of their own, which GDAL does not follow."""
    places = [path for path in files if _SENTINEL3_PLACES.search(path.as_posix())]
    problem = "holds pixels as the sensor saw them, without a map grid. Convert it before it can be laid on the map."
    return tuple(nothing(path.parent, item, f"{path.parent.name} {problem}") for path in places[:1])


def _netcdf(files: Sequence[Path], item: OutputItem) -> Openings:
    return tuple(Opening(OpeningKind.GRIDS, path, item) for path in files if path.suffix.lower() == ".nc")


def product_of(path: Path, item: OutputItem) -> Optional[Opening]:
    """The opening of a description that ``data.json`` names itself; None for any other file."""
    found = _dimap((path,), item) or _sentinel2((path,), item)
    return found[0] if found else None
