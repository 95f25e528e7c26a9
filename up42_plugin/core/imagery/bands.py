"""Which band means what: from its description, then its colour, then what is known of the block that made it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Dict, Mapping, Optional, Sequence, Tuple

# Roles as they are named everywhere in this module.
RED, GREEN, BLUE, NIR, PAN = "red", "green", "blue", "nir", "pan"

# Sentinel-2 bands: role and centre wavelength in nanometres (Sentinel-2 products specification).
_SENTINEL2: Mapping[str, Tuple[str, float]] = {
    "1": ("coastal", 443.0),
    "2": (BLUE, 490.0),
    "3": (GREEN, 560.0),
    "4": (RED, 665.0),
    "5": ("re1", 705.0),
    "6": ("re2", 740.0),
    "7": ("re3", 783.0),
    "8": (NIR, 842.0),
    "8A": ("nir2", 865.0),
    "9": ("wv", 945.0),
    "10": ("cirrus", 1375.0),
    "11": ("swir1", 1610.0),
    "12": ("swir2", 2190.0),
}
_LANDSAT8 = {"1": "coastal", "2": BLUE, "3": GREEN, "4": RED, "5": NIR, "6": "swir1", "7": "swir2", "8": PAN}
_LANDSAT7 = {"1": BLUE, "2": GREEN, "3": RED, "4": NIR, "5": "swir1", "7": "swir2", "8": PAN}
_MODIS = {"1": RED, "2": NIR, "3": BLUE, "4": GREEN, "5": "nir2", "6": "swir1", "7": "swir2"}
# Airbus counts the bands of Pléiades and SPOT from 0; no other sensor here has a band 0.
_AIRBUS = {"0": BLUE, "1": GREEN, "2": RED, "3": NIR}
_WORDS: Sequence[Tuple[str, str]] = (
    (r"coastal", "coastal"),
    (r"red[\s_-]*edge|rededge|\bre\d\b", "re1"),
    (r"near[\s_-]*infra[\s_-]*red|\bnir\b", NIR),
    (r"short[\s_-]*wave|\bswir", "swir1"),
    (r"panchromatic|\bpan\b", PAN),
    (r"\bred\b", RED),
    (r"\bgreen\b", GREEN),
    (r"\bblue\b", BLUE),
    (r"\bvv\b", "vv"),
    (r"\bvh\b", "vh"),
    (r"\bhh\b", "hh"),
    (r"\bhv\b", "hv"),
)
_WAVELENGTH = re.compile(r"(\d{3,4}(?:\.\d+)?)\s*nm\b", re.IGNORECASE)
_DERIVED = re.compile(r"(AOT|WVP|SCL|CLD|SNW)\b")
_BAND_NAME = re.compile(r"(?:^|[^A-Za-z0-9])B0*(\d{1,2}A?)(?![A-Za-z0-9])", re.IGNORECASE)
_BAND_SUFFIX = re.compile(r"^(.+?)_(B\d{1,2}A?|WVP|AOT|SCL|TCI|BQA)$", re.IGNORECASE)
_LANDSAT_FILE = re.compile(r"^L[COETM](\d\d)_", re.IGNORECASE)
_MODIS_FILE = re.compile(r"^M[OCY]D\d\d", re.IGNORECASE)
_QUALITY = re.compile(r"(^|_)(BQA|(B\d{1,2})?_?QA(_[A-Z]+)?)$", re.IGNORECASE)
_WAVELENGTH_TOLERANCE = 12.0

_SUPERRESOLUTION_12 = (RED, GREEN, BLUE, NIR, "re1", "re2", "re3", "nir2", "swir1", "swir2", "coastal", "wv")
_SUPERRESOLUTION_8 = _SUPERRESOLUTION_12[4:]
_PANSHARPEN_12 = ("coastal", BLUE, GREEN, RED, "re1", "re2", "re3", NIR, "nir2", "wv", "swir1", "swir2")
_SIX = (BLUE, GREEN, RED, NIR, "swir1", "swir2")
_RGBN = (RED, GREEN, BLUE, NIR)
_RGB = (RED, GREEN, BLUE)

_WITH_PAN = ("oneatlas-pleiades-aoiclipped", "oneatlas-spot-aoiclipped")


@dataclass(frozen=True)
class BandFacts:
    """What a raster says of one band. ``dtype`` is GDAL's name of the type, ``colour`` of the interpretation.

    ``unit`` is that of the values as the file writes it; empty when it writes none. ``scaled`` when it says by what its
    values become what they measure.
    """

    index: int
    dtype: str
    description: str = ""
    colour: str = ""
    nodata: Optional[float] = None
    has_table: bool = False
    unit: str = ""
    scaled: bool = False


def band_roles(bands: Sequence[BandFacts], block: str = "", file_stem: str = "") -> Dict[str, int]:
    """Role to band number.

    Where nothing tells, their number decides: three to five are R, G, B (, NIR), six the reflective bands of Landsat
    from blue on.
    """
    roles: Dict[str, int] = {}
    airbus = any(_number_in(band.description) == "0" for band in bands)
    for band in bands:
        role = role_of_description(band.description, file_stem)
        if airbus:
            role = _AIRBUS.get(_number_in(band.description), role)
        if role:
            roles.setdefault(role, band.index)
    if _has_colour(roles) or (roles and len(roles) == len(bands)):
        return roles
    by_colour = {band.colour.lower(): band.index for band in bands if band.colour.lower() in _RGB}
    if _has_colour(by_colour):
        return _with_infrared(by_colour, bands, block)
    if roles:
        return roles
    names = _positions(len([band for band in bands if band.colour != "Alpha"]), block, file_stem)
    return {role: index for index, role in enumerate(names, start=1) if role}


def role_of_description(description: str, file_stem: str = "") -> str:
    """The role a band's description tells; empty when it tells none."""
    if _DERIVED.match(description):
        return ""
    wavelength = _WAVELENGTH.search(description)
    if wavelength is not None:
        centre = float(wavelength.group(1))
        role, nearest = min(_SENTINEL2.values(), key=lambda known: abs(known[1] - centre))
        if abs(nearest - centre) <= _WAVELENGTH_TOLERANCE:
            return role
    number = _number_in(description)
    if number:
        return role_of_band_name(number, file_stem)
    text = description.lower()
    return next((role for pattern, role in _WORDS if re.search(pattern, text)), "")


def _number_in(description: str) -> str:
    """``4`` of ``B04``, ``8A`` of ``B8A``; empty when a description names no band."""
    named = _BAND_NAME.search(description)
    return named.group(1).upper() if named is not None else ""


def role_of_band_name(number: str, file_stem: str = "") -> str:
    """The role of band ``4`` or ``8A``: Sentinel-2's unless the file's name is that of a Landsat or MODIS scene."""
    landsat = _LANDSAT_FILE.match(file_stem)
    number = number.upper()
    if _MODIS_FILE.match(file_stem):
        return _MODIS.get(number, "")
    if landsat is None:
        return _SENTINEL2.get(number, ("", 0.0))[0]
    table = _LANDSAT8 if landsat.group(1) in ("08", "09") else _LANDSAT7
    return table.get(number, "")


def split_band_name(file_stem: str) -> Optional[Tuple[str, str]]:
    """``…_L2A_B04`` as (``…_L2A``, ``B04``); None for a file that is no single band of a bundle."""
    found = _BAND_SUFFIX.match(file_stem)
    return (found.group(1), found.group(2).upper()) if found is not None else None


def is_quality_band(file_stem: str) -> bool:
    """Whether a file holds flags on the quality of others' pixels: ``…_BQA``, ``…_QA_PIXEL``, ``…_B01qa``."""
    return _QUALITY.search(file_stem) is not None


def bundle_order(names: Sequence[str], file_stem: str) -> Tuple[str, ...]:
    """Band names of a bundle: red, green, blue, near infrared first, the rest by name."""

    def rank(name: str) -> Tuple[int, str]:
        role = role_of_description(name, file_stem)
        return (_RGBN.index(role) if role in _RGBN else len(_RGBN), name.zfill(4))

    return tuple(sorted(names, key=rank))


def _positions(count: int, block: str, file_stem: str) -> Tuple[str, ...]:
    if block == "s2-superresolution" or file_stem.endswith("_superresolution"):
        by_count = {12: _SUPERRESOLUTION_12, 8: _SUPERRESOLUTION_8}
        if count in by_count:
            return by_count[count]
    if block == "pansharpen" and count in (12, 13):
        return _PANSHARPEN_12
    if count == len(_RGBN) and block in _WITH_PAN:
        return (*_RGB, PAN)
    return {3: _RGB, 4: _RGBN, 5: _RGBN, 6: _SIX}.get(count, ())


def _with_infrared(roles: Dict[str, int], bands: Sequence[BandFacts], block: str) -> Dict[str, int]:
    """A fourth band beside red, green and blue is near infrared; that of streamed Pléiades and SPOT is panchromatic."""
    others = [band.index for band in bands if band.colour != "Alpha" and band.index not in roles.values()]
    if len(others) != 1:
        return roles
    return {**roles, (PAN if block in _WITH_PAN else NIR): others[0]}


def _has_colour(roles: Mapping[str, int]) -> bool:
    return all(role in roles for role in _RGB)
