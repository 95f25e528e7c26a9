"""Colour composites of multispectral bands by what the bands are, and single bands worth looking at."""

from __future__ import annotations

from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.imagery.bands import BLUE, GREEN, NIR, PAN, RED, band_roles
from up42_plugin.core.imagery.rasters import RasterFacts, sample
from up42_plugin.core.imagery.stretch import Ranges, clear_values, cloud_threshold, colour_ranges, cuts
from up42_plugin.core.layer_plan import BandRange, GreyStyle, NamedStyle, RgbStyle

TRUE_COLOUR = "True Colour"
#: Best first: the first that the bands allow is how a raster without natural colours is shown.
COMPOSITES: Sequence[Tuple[str, Tuple[str, str, str]]] = (
    (TRUE_COLOUR, (RED, GREEN, BLUE)),
    ("False Colour (NIR)", (NIR, RED, GREEN)),
    ("Bare Soil (SWIR, NIR, Red Edge)", ("swir1", "nir2", "re1")),
    ("Agriculture (SWIR, NIR, Blue)", ("swir1", NIR, BLUE)),
    ("Urban (SWIR 2, SWIR, Red)", ("swir2", "swir1", RED)),
    ("Geology (SWIR 2, SWIR, Blue)", ("swir2", "swir1", BLUE)),
    ("Burnt Area (SWIR 2, NIR, Red)", ("swir2", NIR, RED)),
    ("Vegetation Health (NIR, Red Edge, Red)", (NIR, "re1", RED)),
)
_GREYS: Sequence[Tuple[str, str]] = (("Panchromatic", PAN), ("Near Infrared (Grey)", NIR))
FIRST_BANDS = "First Bands"


def composites(source: str, facts: RasterFacts, block: str, stem: str, nodata: Optional[float]) -> List[NamedStyle]:
    """Every composite the bands allow, natural colours first, each stretched by its own values.

    Raises:
        RasterError: the raster cannot be read.
    """
    roles = band_roles(facts.bands, block, stem)
    chosen = [(name, tuple(roles[role] for role in wanted)) for name, wanted in COMPOSITES if _has(roles, wanted)]
    greys = [(name, roles[role]) for name, role in _GREYS if role in roles]
    if not chosen:
        chosen = [(FIRST_BANDS, _first(facts))]
    shown = sorted({band for _, bands in chosen for band in bands} | {band for _, band in greys})
    ranges: Optional[Ranges] = None
    threshold = cloud_threshold(facts, block, chosen[0][0] == TRUE_COLOUR)
    if not already_a_picture(facts, roles):
        ranges = cuts(clear_values(sample(source, shown, nodata), chosen[0][1], threshold))
    styles = []
    for name, bands in chosen:
        natural = name == TRUE_COLOUR
        red, green, blue = _ranged(bands, ranges, threshold if natural else None)
        styles.append(NamedStyle(name, RgbStyle(red, green, blue, facts.alpha, natural)))
    for name, band in greys:
        styles.append(NamedStyle(name, GreyStyle(_ranged((band,), ranges, None)[0], facts.alpha)))
    return styles


def already_a_picture(facts: RasterFacts, roles: Mapping[str, int]) -> bool:
    """8-bit colour is made to be looked at; 8-bit counts of a sensor with more bands are not."""
    bytes_only = all(band.dtype == "Byte" for band in facts.bands)
    return bytes_only and all(role in (RED, GREEN, BLUE, NIR, PAN) for role in roles)


def _has(roles: Dict[str, int], wanted: Sequence[str]) -> bool:
    return all(role in roles for role in wanted)


def _first(facts: RasterFacts) -> Tuple[int, ...]:
    first = [band.index for band in facts.data_bands]
    return tuple((first * 3)[:3] if len(first) < 3 else first[:3])  # noqa: PLR2004 - R, G, B


def _ranged(bands: Sequence[int], ranges: Optional[Ranges], cloud_from: Optional[float]) -> Tuple[BandRange, ...]:
    if ranges is None:
        return tuple(BandRange(index) for index in bands)
    return colour_ranges(ranges, bands, cloud_from)
