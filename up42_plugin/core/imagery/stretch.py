"""Which values are shown dark and which bright: a cumulative cut of 2 to 98 %, read from reduced copies.

For workers.
"""

from __future__ import annotations

import math
import re
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

import numpy as np

from up42_plugin.core.imagery.bands import BLUE, GREEN, RED, band_roles
from up42_plugin.core.imagery.gdal_access import RasterError, name_of, open_raster
from up42_plugin.core.imagery.rasters import RasterFacts, Window, cut_range, describe, sample
from up42_plugin.core.layer_plan import BandRange

SENTINEL2_BLOCKS = ("aws-s2-l2a", "sobloo-s2-l1c-fullscene", "s2-superresolution", "esa-s2-l2a-gtiff-analytic")

Ranges = Dict[int, Tuple[float, float]]
# Band number to a flat array; all arrays are of one length, a place in them is one pixel.
Values = Mapping[int, np.ndarray[Any, Any]]
# West, south, east, north in the raster's CRS.
Box = Tuple[float, float, float, float]

_SENTINEL2_BAND = re.compile(r"\b(665|705) nm\b")
_CLOUD_REFLECTANCE = 2400.0
_WHITE_SPREAD = 0.35
_MOST_CLOUDS = 0.9
_NO_VALUES = (0.0, 1.0)
_COLOURS = 3


def clear_values(values: Values, bands: Sequence[int], cloud_from: Optional[float]) -> Values:
    """A sample without the pixels that are clouds in a picture of these bands."""
    clear = ~cloudy([values[index] for index in bands], cloud_from)
    return {index: found[clear] for index, found in values.items()}


def cuts(values: Values) -> Ranges:
    """The cut of each band by itself."""
    return {index: cut_range(found) or _NO_VALUES for index, found in values.items()}


def colour_ranges(ranges: Ranges, bands: Sequence[int], cloud_from: Optional[float]) -> Tuple[BandRange, ...]:
    """Ranges of three colours out of those of their bands, clouds left out: a few would make all else dark.

    Surface reflectances in natural colours (``cloud_from`` is known) get one range for all three, so that water stays
    blue and soil brown; other numbers (with haze, or gains of their own) get one each.
    """
    if cloud_from is None:
        return tuple(BandRange(index, *ranges[index]) for index in bands)
    low, high = min(ranges[index][0] for index in bands), max(ranges[index][1] for index in bands)
    return tuple(BandRange(index, low, high) for index in bands)


def cloud_threshold(facts: RasterFacts, block: str, natural: bool) -> Optional[float]:
    """The value clouds begin at where values are Sentinel-2's reflectances x 10000; None for other numbers."""
    if not natural or facts.bands[0].dtype != "UInt16":
        return None
    described = any(_SENTINEL2_BAND.search(band.description) for band in facts.bands)
    return _CLOUD_REFLECTANCE if described or block in SENTINEL2_BLOCKS else None


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


def stretch_again(
    source: str, bands: Sequence[int], nodata: Optional[float] = None, box: Optional[Box] = None
) -> Ranges:
    """The cut of the bands that are shown, in a box of the raster's CRS or in the whole raster.

    Raises:
        RasterError: the raster cannot be read, or the box holds no pixel that is drawn.
    """
    facts = describe(source)
    roles = band_roles(facts.bands)
    natural = tuple(roles[role] for role in (RED, GREEN, BLUE) if role in roles)
    pictured = natural if len(natural) == _COLOURS else tuple(bands)
    read = sorted({*bands, *pictured}) if len(set(bands)) == _COLOURS else sorted(set(bands))
    values: Values = sample(source, read, nodata, _window(source, box) if box is not None else None)
    if not any(found.size for found in values.values()):
        raise RasterError(f"{name_of(source)} has no pixels here.")
    cloud_from = None
    if len(set(bands)) == _COLOURS:
        threshold = cloud_threshold(facts, "", pictured == natural)
        values = clear_values(values, pictured, threshold)
        cloud_from = threshold if tuple(bands) == natural else None
    shown = colour_ranges(cuts({index: values[index] for index in set(bands)}), bands, cloud_from)
    return {entry.band: (float(entry.minimum or 0.0), float(entry.maximum or 0.0)) for entry in shown}


def _window(source: str, box: Box) -> Window:
    """The pixels a box touches. Raises :class:`RasterError` where it lies beside the raster."""
    dataset = open_raster(source)
    left, across, _, top, _, down = dataset.GetGeoTransform()
    columns = sorted(((box[0] - left) / across, (box[2] - left) / across))
    rows = sorted(((box[1] - top) / down, (box[3] - top) / down))
    first, last = max(0, math.floor(columns[0])), min(dataset.RasterXSize, math.ceil(columns[1]))
    upper, lower = max(0, math.floor(rows[0])), min(dataset.RasterYSize, math.ceil(rows[1]))
    if first >= last or upper >= lower:
        raise RasterError(f"{name_of(source)} lies beside the map.")
    return first, upper, last - first, lower - upper
