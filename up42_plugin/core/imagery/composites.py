"""Colour composites of multispectral bands by what the bands are, and single bands worth looking at."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from up42_plugin.core.imagery.bands import BLUE, GREEN, NIR, PAN, RED, band_roles
from up42_plugin.core.imagery.rasters import RasterFacts, cut_range, sample
from up42_plugin.core.imagery.stretch import cloud_threshold, colour_ranges
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

Values = Mapping[int, np.ndarray[Any, Any]]


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
    values = None if already_a_picture(facts, roles) else sample(source, shown, nodata)
    styles = [NamedStyle(name, _colour(facts, block, bands, name == TRUE_COLOUR, values)) for name, bands in chosen]
    styles.extend(NamedStyle(name, GreyStyle(_grey(band, values), facts.alpha)) for name, band in greys)
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


def _colour(facts: RasterFacts, block: str, bands: Sequence[int], natural: bool, values: Optional[Values]) -> RgbStyle:
    if values is None:
        red, green, blue = (BandRange(index) for index in bands)
    else:
        red, green, blue = colour_ranges(values, bands, cloud_threshold(facts, block, natural))
    return RgbStyle(red, green, blue, facts.alpha, natural)


def _grey(band: int, values: Optional[Values]) -> BandRange:
    if values is None:
        return BandRange(band)
    return BandRange(band, *(cut_range(values[band]) or (0.0, 1.0)))
