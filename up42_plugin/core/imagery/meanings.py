"""What a raster means, told from the block that made it, its file's name and its bands; no pixels are read.

The block's name is surest, but a block that only cuts or reprojects keeps the meaning of what it was given: then the
file's name and the bands' descriptions tell.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import FrozenSet, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.imagery.bands import BLUE, GREEN, NIR, PAN, RED, BandFacts, band_roles
from up42_plugin.core.imagery.rasters import RasterFacts


class Meaning(str, Enum):
    """Kinds of rasters that are looked at in ways of their own."""

    PICTURE = "picture"  # 8-bit colour made to be looked at
    MULTISPECTRAL = "multispectral"
    PANCHROMATIC = "panchromatic"
    RADAR = "radar"
    NDVI = "ndvi"
    INDEX = "index"
    CHANGE = "change"
    PROBABILITY = "probability"
    ELEVATION = "elevation"
    QUANTITY = "quantity"  # weather, sea, gases: numbers with a unit
    NDVI_CLASSES = "ndvi classes"
    LAND_COVER = "land cover"
    CLUSTERS = "clusters"
    WATER_MASK = "water mask"
    FLOOD_MASK = "flood mask"
    CLOUD_MASK = "cloud mask"
    MASK = "mask"
    SCENE_CLASSES = "scene classes"
    COLOUR_TABLE = "colour table"
    UNKNOWN = "unknown"


#: Pixel values that stand for something: no average can be made of them.
CLASSES: FrozenSet[Meaning] = frozenset(
    {
        Meaning.NDVI_CLASSES,
        Meaning.LAND_COVER,
        Meaning.CLUSTERS,
        Meaning.WATER_MASK,
        Meaning.FLOOD_MASK,
        Meaning.MASK,
        Meaning.SCENE_CLASSES,
        Meaning.COLOUR_TABLE,
    }
)

_BLOCKS: Mapping[str, Meaning] = {
    "ndvi": Meaning.NDVI,
    "up42-ndvithreshold": Meaning.NDVI_CLASSES,
    "kmeans-clustering": Meaning.CLUSTERS,
    "landcover": Meaning.LAND_COVER,
    "terracover-realsat": Meaning.LAND_COVER,
    "up42-waterfinder-water": Meaning.WATER_MASK,
    "up42-waterfinder-flood": Meaning.FLOOD_MASK,
    "oneatlas-cloudmask": Meaning.CLOUD_MASK,
    "spacemetric-cloud-mask": Meaning.CLOUD_MASK,
    "viewshed": Meaning.MASK,
    "oneatlas-worlddem-12m": Meaning.ELEVATION,
    "nextmapone-1m": Meaning.ELEVATION,
    "nextmapone-5m": Meaning.ELEVATION,
    "nextmapone-10m": Meaning.ELEVATION,
    "sobloo-s1-grd-fullscene": Meaning.RADAR,
    "sobloo-s1-grd-aoiclipped": Meaning.RADAR,
    "sobloo-s1-slc-fullscene": Meaning.RADAR,
    "snap-polarimetric": Meaning.RADAR,
    "up42-terrasar-geotiff-conversion": Meaning.RADAR,
    "platforms-up42-up42pitch-tsx-block-eec": Meaning.RADAR,
    "meteomatics": Meaning.QUANTITY,
    "meteomatics-agriculture": Meaning.QUANTITY,
    "meteomatics-energy": Meaning.QUANTITY,
    "meteomatics-ocean": Meaning.QUANTITY,
    "esa-s5p-l3-gtiff": Meaning.QUANTITY,
    "sobloo-s5p": Meaning.QUANTITY,
    "s5p-lvl3": Meaning.QUANTITY,
    "data-conversion-netcdf": Meaning.QUANTITY,
}

# Words of a file's name or of a band's description, in the order in which they count.
_WORDS: Sequence[Tuple[Meaning, str]] = (
    (Meaning.CLUSTERS, r"kmeans|clusters?"),
    (Meaning.LAND_COVER, r"land[ _-]?cover|landuse"),
    (Meaning.CLOUD_MASK, r"cloud[ _-]?mask"),
    (Meaning.FLOOD_MASK, r"flood(?:ed|[ _-]?mask)?"),
    (Meaning.WATER_MASK, r"water[ _-]?mask"),
    (Meaning.SCENE_CLASSES, r"scl"),
    (Meaning.CHANGE, r"change|difference|diff|delta|d(?:ndvi|nbr)"),
    (Meaning.NDVI, r"ndvi"),
    (Meaning.INDEX, r"g?ndvi|m?ndwi|ndmi|ndsi|ndbi|nbr|m?savi|evi2?|ndre"),
    (Meaning.PROBABILITY, r"prob|probability|confidence|likelihood|score"),
    (Meaning.ELEVATION, r"dem|dsm|dtm|elevation|altitude|terrain[ _-]height"),
    (Meaning.RADAR, r"vv|vh|hh|hv|sigma0?|gamma0?|backscatter|s1[abc]"),
    (Meaning.MASK, r"mask|viewshed"),
    (Meaning.QUANTITY, r"temperature|precipitation|precip|rain|wind|humidity|pressure|wave|no2|so2|o3|ch4|co|hcho"),
)
_PATTERNS: Sequence[Tuple[Meaning, re.Pattern[str]]] = tuple(
    (meaning, re.compile(rf"(?:^|[^a-z0-9])(?:{words})(?:$|[^a-z0-9])", re.IGNORECASE)) for meaning, words in _WORDS
)
_INTEGERS = ("Byte", "Int8", "Int16", "UInt16", "Int32", "UInt32")
#: What a word alone does not make: these need whole numbers, those need fractions.
_WHOLE = CLASSES | {Meaning.CLOUD_MASK}
_FRACTIONS = frozenset({Meaning.NDVI, Meaning.INDEX})
_RADAR_ROLES = ("vv", "vh", "hh", "hv")
_FORMATS_OF_QUANTITIES = ("netCDF", "GRIB", "HDF5Image", "HDF4Image")


def meaning_of(facts: RasterFacts, block: str = "", stem: str = "") -> Meaning:
    """What a raster means. ``stem`` is the file's name without its ending."""
    bands = facts.data_bands or facts.bands
    if not bands:
        return Meaning.UNKNOWN
    known = _BLOCKS.get(block)
    if known is not None and _possible(known, bands):
        return known
    if len(bands) == 1:
        return _of_one(bands[0], block, stem)
    return _of_many(facts, bands, block, stem)


def _possible(meaning: Meaning, bands: Sequence[BandFacts]) -> bool:
    """Whether a block's usual meaning fits: some blocks hand on the raster they were given as well."""
    if meaning is Meaning.RADAR:
        return not _is_colour(bands)
    if meaning in (Meaning.QUANTITY, Meaning.CLOUD_MASK):
        return True
    if len(bands) > 1:
        return False
    return _fits(meaning, bands[0])


def _fits(meaning: Meaning, band: BandFacts) -> bool:
    if meaning in _WHOLE:
        return band.dtype in _INTEGERS
    return meaning not in _FRACTIONS or band.dtype not in _INTEGERS


def _of_one(band: BandFacts, block: str, stem: str) -> Meaning:
    if band.has_table:
        return Meaning.COLOUR_TABLE
    by_words = _by_words(band, block, stem)
    if by_words is not None:
        return by_words
    roles = band_roles((band,), block, stem)
    if PAN in roles or re.search(r"(?:^|_)(?:pan|P)(?:_|$)", stem):
        return Meaning.PANCHROMATIC
    return Meaning.QUANTITY if band.unit else Meaning.UNKNOWN


def _by_words(band: BandFacts, block: str, stem: str) -> Optional[Meaning]:
    for text in (band.description, stem, block):
        for meaning, pattern in _PATTERNS:
            if pattern.search(text) and _fits(meaning, band):
                return meaning
    return None


def _of_many(facts: RasterFacts, bands: Sequence[BandFacts], block: str, stem: str) -> Meaning:
    roles = band_roles(facts.bands, block, stem)
    if any(role in roles for role in _RADAR_ROLES):
        return Meaning.RADAR
    colours = all(role in (RED, GREEN, BLUE, NIR, PAN) for role in roles)
    if all(band.dtype == "Byte" for band in facts.bands) and colours:
        return Meaning.PICTURE
    if facts.driver in _FORMATS_OF_QUANTITIES or (any(band.unit for band in bands) and not roles):
        return Meaning.QUANTITY
    return Meaning.MULTISPECTRAL


def _is_colour(bands: Sequence[BandFacts]) -> bool:
    return {"red", "green", "blue"} <= {band.colour.lower() for band in bands}
