"""How a raster is best looked at: natural colours, an index in steps of colour, classes, or grey."""

from __future__ import annotations

import re
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

import numpy as np

from up42_plugin.core.imagery.bands import BLUE, FALSE_COLOURS, GREEN, NIR, PAN, RED, band_roles
from up42_plugin.core.imagery.gdal_access import open_raster
from up42_plugin.core.imagery.rasters import RasterFacts, cut_range, distinct, implied_nodata, sample
from up42_plugin.core.layer_plan import (
    BandRange,
    ClassStyle,
    ColourClass,
    GreyStyle,
    RampStep,
    RampStyle,
    RasterStyle,
    RgbStyle,
)

NDVI_STEPS: Tuple[RampStep, ...] = (
    RampStep(0.2, "#a97c50", "0.2 and less: none"),
    RampStep(0.4, "#e2d49a", "0.2 to 0.4: sparse"),
    RampStep(0.6, "#a8cf6a", "0.4 to 0.6: moderate"),
    RampStep(0.9, "#3f9a45", "0.6 to 0.9: dense"),
    RampStep(1.0, "#00441b", "above 0.9: very dense"),
)
LAND_COVER: Mapping[int, Tuple[str, str]] = {
    1: ("#2b83ba", "Water"),
    2: ("#1a7837", "High vegetation"),
    3: ("#a6d96a", "Low vegetation"),
    4: ("#d8b365", "Barren"),
    5: ("#d7191c", "Urban"),
}
VEGETATION: Sequence[str] = tuple(step.colour for step in NDVI_STEPS)
# Twelve colours that stay apart for most people (Paul Tol's "muted" and "bright" schemes).
CLUSTERS: Sequence[str] = (
    "#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77",
    "#cc6677", "#882255", "#aa4499", "#4477aa", "#ccbb44", "#bbbbbb",
)  # fmt: skip

_CLASS_BLOCKS = ("kmeans-clustering", "landcover", "up42-ndvithreshold", "up42-waterfinder-water")
_RADAR = ("vv", "vh", "hh", "hv")
_KMEANS_NODATA = 255.0
SENTINEL2_BLOCKS = ("aws-s2-l2a", "sobloo-s2-l1c-fullscene", "s2-superresolution", "esa-s2-l2a-gtiff-analytic")
_SENTINEL2_BAND = re.compile(r"\b(665|705) nm\b")
_CLOUD_REFLECTANCE = 2400.0
_WHITE_SPREAD = 0.35
_MOST_CLOUDS = 0.9


def choose_style(source: str, facts: RasterFacts, block: str, stem: str) -> Tuple[RasterStyle, Optional[float]]:
    """The style of a raster, with value ranges read from it, and a value to be transparent although it does not say so.

    Raises:
        RasterError: the raster cannot be read.
    """
    bands = facts.data_bands or facts.bands
    nodata = _missing_nodata(facts, block, stem)
    if len(bands) == 1:
        return _single(source, facts, block, stem, nodata), nodata
    roles = band_roles(facts.bands, block, stem)
    if any(role in roles for role in _RADAR):
        index = next(roles[role] for role in _RADAR if role in roles)
        return GreyStyle(_ranged(source, (index,), nodata)[0], facts.alpha), nodata
    return _colour(source, facts, block, roles, nodata), nodata


def holds_classes(facts: RasterFacts, block: str, stem: str) -> bool:
    """Whether pixel values are classes, of which no average can be made."""
    one = len(facts.data_bands) == 1
    return one and (facts.data_bands[0].has_table or block in _CLASS_BLOCKS or stem.endswith("_kmeans"))


def _missing_nodata(facts: RasterFacts, block: str, stem: str) -> Optional[float]:
    clusters = block == "kmeans-clustering" or stem.endswith("_kmeans")
    if clusters and facts.alpha is None and facts.bands[0].nodata is None:
        return _KMEANS_NODATA
    return implied_nodata(facts)


def _single(source: str, facts: RasterFacts, block: str, stem: str, nodata: Optional[float]) -> RasterStyle:
    band = (facts.data_bands or facts.bands)[0]
    if _is_ndvi(facts, block, stem):
        return RampStyle(band.index, -1.0, 1.0, NDVI_STEPS, facts.alpha)
    if band.has_table:
        return ClassStyle(band.index, _table_classes(source, band.index), facts.alpha)
    if holds_classes(facts, block, stem):
        values = distinct(sample(source, (band.index,), nodata)[band.index])
        if values:
            return ClassStyle(band.index, _classes(values, block), facts.alpha)
    return GreyStyle(_ranged(source, (band.index,), nodata)[0], facts.alpha)


def _is_ndvi(facts: RasterFacts, block: str, stem: str) -> bool:
    band = facts.bands[0]
    named = block == "ndvi" or stem.lower().endswith("_ndvi") or "ndvi" in band.description.lower()
    return named and band.dtype.startswith("Float")


def _colour(source: str, facts: RasterFacts, block: str, roles: Dict[str, int], nodata: Optional[float]) -> RgbStyle:
    for wanted in ((RED, GREEN, BLUE), *FALSE_COLOURS):
        if all(role in roles for role in wanted):
            chosen, natural = tuple(roles[role] for role in wanted), wanted[0] == RED
            break
    else:
        first = [band.index for band in facts.data_bands]
        chosen, natural = tuple((first * 3)[:3] if len(first) < 3 else first[:3]), False  # noqa: PLR2004 - R, G, B
    if _already_a_picture(facts, roles):
        ranges = tuple(BandRange(index) for index in chosen)
    else:
        ranges = _ranged_colours(source, chosen, nodata, _cloud_from(facts, block, natural))
    return RgbStyle(ranges[0], ranges[1], ranges[2], facts.alpha, natural)


def _cloud_from(facts: RasterFacts, block: str, natural: bool) -> Optional[float]:
    """The value clouds begin at where values are Sentinel-2's reflectances x 10000; None for other numbers."""
    if not natural or facts.bands[0].dtype != "UInt16":
        return None
    described = any(_SENTINEL2_BAND.search(band.description) for band in facts.bands)
    return _CLOUD_REFLECTANCE if described or block in SENTINEL2_BLOCKS else None


def _already_a_picture(facts: RasterFacts, roles: Mapping[str, int]) -> bool:
    """8-bit colour is made to be looked at; 8-bit counts of a sensor with more bands are not."""
    bytes_only = all(band.dtype == "Byte" for band in facts.bands)
    return bytes_only and all(role in (RED, GREEN, BLUE, NIR, PAN) for role in roles)


def _ranged(source: str, bands: Sequence[int], nodata: Optional[float]) -> Tuple[BandRange, ...]:
    values = sample(source, sorted(set(bands)), nodata)
    ranges = {index: cut_range(values[index]) or (0.0, 1.0) for index in values}
    return tuple(BandRange(index, *ranges[index]) for index in bands)


def _ranged_colours(
    source: str, bands: Sequence[int], nodata: Optional[float], cloud_from: Optional[float]
) -> Tuple[BandRange, ...]:
    """Ranges of three colours between the clouds: a few clouds would make everything else dark.

    Surface reflectances get one range for all three, so that water stays blue and soil brown; other numbers (with
    haze, or gains of their own) get one each.
    """
    values = sample(source, sorted(set(bands)), nodata)
    clear = ~cloudy([values[index] for index in bands], cloud_from)
    ranges = {index: cut_range(values[index][clear]) or (0.0, 1.0) for index in values}
    if cloud_from is not None:
        common = (min(low for low, _ in ranges.values()), max(high for _, high in ranges.values()))
        ranges = dict.fromkeys(ranges, common)
    return tuple(BandRange(index, *ranges[index]) for index in bands)


def cloudy(colours: Sequence[np.ndarray[Any, Any]], cloud_from: Optional[float]) -> np.ndarray[Any, Any]:
    """Where a picture is white and bright: above ``cloud_from`` in all colours, or far above the rest of them.

    Far above is Tukey's outer fence: three interquartile ranges above the third quartile. None where nearly all
    would be: then it is what the picture shows.
    """
    stack = np.stack([values.astype(np.float64) for values in colours])
    if not stack.shape[1]:
        return np.zeros(0, bool)
    darkest, brightest = stack.min(axis=0), stack.max(axis=0)
    fence = cloud_from
    if fence is None:
        low, high = np.percentile(darkest, (25, 75))
        fence = high + 3.0 * (high - low)
    found: np.ndarray[Any, Any] = (darkest > fence) & (brightest - darkest < _WHITE_SPREAD * brightest)
    return found if found.mean() < _MOST_CLOUDS else np.zeros_like(found)


def _classes(values: Sequence[float], block: str) -> Tuple[ColourClass, ...]:
    if block == "landcover":
        known = [(value, *LAND_COVER[int(value)]) for value in values if int(value) in LAND_COVER]
        return tuple(ColourClass(value, colour, label) for value, colour, label in known)
    colours = VEGETATION if block == "up42-ndvithreshold" else CLUSTERS
    return tuple(
        ColourClass(value, colours[position % len(colours)], f"{value:g}") for position, value in enumerate(values)
    )


def _table_classes(source: str, index: int) -> Tuple[ColourClass, ...]:
    """The raster's own colours, for the values it has."""
    dataset = open_raster(source)  # a band does not keep its dataset open
    band = dataset.GetRasterBand(index)
    table, names = band.GetRasterColorTable(), band.GetCategoryNames() or []
    values = distinct(sample(source, (index,))[index]) or tuple(float(value) for value in range(table.GetCount()))
    classes = []
    for value in (number for number in values if number < table.GetCount()):
        red, green, blue = table.GetColorEntry(int(value))[:3]
        label = names[int(value)] if int(value) < len(names) and names[int(value)] else f"{value:g}"
        classes.append(ColourClass(value, f"#{red:02x}{green:02x}{blue:02x}", label))
    return tuple(classes)
