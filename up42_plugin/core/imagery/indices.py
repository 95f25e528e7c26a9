"""Indices of plants, water, moisture and fire that can be computed from what the bands of an image are.

NDVI: Rouse et al. 1974, "Monitoring vegetation systems in the Great Plains with ERTS". NDWI: McFeeters 1996, "The use
of the normalized difference water index (NDWI) in the delineation of open water features" (of green and near infrared;
Gao's index of the same name is called NDMI here). NDMI: Gao 1996, "NDWI: a normalized difference water index for remote
sensing of vegetation liquid water from space". NBR: Key and Benson 2006, "Landscape assessment". NDBI: Zha, Gao and Ni
2003, "Use of normalized difference built-up index" (NDMI with its sign turned, under the name towns are looked for by).
SAVI: Huete 1988, "A soil-adjusted vegetation index", with L = 0.5. EVI: Huete et al. 2002, "Overview of the radiometric
and biophysical performance of the MODIS vegetation indices".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional, Sequence, Tuple

import numpy as np

from up42_plugin.core.imagery.bands import BLUE, GREEN, NIR, RED, BandFacts, band_roles
from up42_plugin.core.imagery.composites import already_a_picture
from up42_plugin.core.imagery.meanings import Meaning, meaning_of
from up42_plugin.core.imagery.rasters import RasterFacts
from up42_plugin.core.imagery.stretch import cloud_threshold
from up42_plugin.core.layer_plan import Spectral

Array = np.ndarray[Any, Any]

PICTURE = "This picture is made to be looked at: its values measure nothing an index could be computed from."
_SENTINEL2_REFLECTANCE = 1.0e-4
# From this processing baseline on (January 2022) the values of Sentinel-2 products are 1000 higher.
_ADDED_FROM, _ADDED = 4.0, 1000.0
_BASELINE = re.compile(r"_MSIL\w\w_\w+_N(\d\d)(\d\d)_")
_SHORT_WAVE, _SHORT_WAVE_2 = "swir1", "swir2"
_NARROW_NIR = "nir2"
_WORDS: Mapping[str, str] = {
    BLUE: "blue",
    GREEN: "green",
    RED: "red",
    NIR: "near infrared",
    _NARROW_NIR: "narrow near infrared",
    _SHORT_WAVE: "short-wave infrared (1.6 µm)",
    _SHORT_WAVE_2: "short-wave infrared (2.2 µm)",
}
# The narrow band near 865 nm stands in where the image has no broad one (Sentinel-2 at 20 m).
_NIRS = (NIR, _NARROW_NIR)


@dataclass(frozen=True)
class SpectralIndex:
    """An index: what it shows, the bands it takes and what is computed from them.

    ``roles`` are the bands in the order of ``parts``, each as alternatives, best first. ``parts`` gives numerator and
    denominator; the index is -1 to 1 and undefined where the denominator is not above 0. ``reflectances`` when it
    needs them, and not only values in proportion to them. ``styles`` are names and looks, the first is shown.
    """

    name: str
    subject: str
    formula: str
    roles: Tuple[Tuple[str, ...], ...]
    parts: Callable[[Sequence[Array]], Tuple[Array, Array]]
    styles: Tuple[Tuple[str, str], ...]
    reflectances: bool = False


def _difference(bands: Sequence[Array]) -> Tuple[Array, Array]:
    first, second = bands
    return first - second, first + second


def _savi(bands: Sequence[Array]) -> Tuple[Array, Array]:
    infrared, red = bands
    return 1.5 * (infrared - red), infrared + red + 0.5


def _evi(bands: Sequence[Array]) -> Tuple[Array, Array]:
    infrared, red, blue = bands
    return 2.5 * (infrared - red), infrared + 6.0 * red - 7.5 * blue + 1.0


_PLANTS = (("Ramp", "ndvi"),)

INDICES: Sequence[SpectralIndex] = (
    SpectralIndex(
        "NDVI",
        "Vegetation",
        "(near infrared - red) / (near infrared + red)",
        (_NIRS, (RED,)),
        _difference,
        (("Classes", "ndvi_classes"), ("Ramp", "ndvi")),
    ),
    SpectralIndex(
        "NDWI",
        "Open Water",
        "(green - near infrared) / (green + near infrared)",
        ((GREEN,), _NIRS),
        _difference,
        (("Ramp", "ndwi"),),
    ),
    SpectralIndex(
        "NDMI",
        "Moisture of Plants",
        "(near infrared - short-wave infrared) / (near infrared + short-wave infrared)",
        (_NIRS, (_SHORT_WAVE,)),
        _difference,
        (("Ramp", "ndmi"),),
    ),
    SpectralIndex(
        "NBR",
        "Burnt Areas",
        "(near infrared - second short-wave infrared) / (near infrared + second short-wave infrared)",
        (_NIRS, (_SHORT_WAVE_2,)),
        _difference,
        (("Ramp", "nbr"),),
    ),
    SpectralIndex(
        "NDBI",
        "Built-up Areas",
        "(short-wave infrared - near infrared) / (short-wave infrared + near infrared)",
        ((_SHORT_WAVE,), _NIRS),
        _difference,
        (("Ramp", "ndbi"),),
    ),
    SpectralIndex(
        "SAVI",
        "Sparse Vegetation",
        "1.5 (near infrared - red) / (near infrared + red + 0.5)",
        (_NIRS, (RED,)),
        _savi,
        _PLANTS,
        reflectances=True,
    ),
    SpectralIndex(
        "EVI",
        "Dense Vegetation",
        "2.5 (near infrared - red) / (near infrared + 6 red - 7.5 blue + 1)",
        (_NIRS, (RED,), (BLUE,)),
        _evi,
        _PLANTS,
        reflectances=True,
    ),
)


def spectral_of(facts: RasterFacts, block: str, stem: str, scene: str = "") -> Optional[Spectral]:
    """What the bands of an image are; None for a raster that is none, or of which nothing is known.

    ``scene`` is the name of the product that it was made of, where that is known.
    """
    if len(facts.data_bands) < 2 or meaning_of(facts, block, stem) not in (Meaning.PICTURE, Meaning.MULTISPECTRAL):  # noqa: PLR2004 - an index takes two
        return None
    roles = band_roles(facts.bands, block, stem)
    if not roles:
        return None
    reflectance = _reflectance(facts, block)
    baseline = _BASELINE.search(scene) if reflectance == _SENTINEL2_REFLECTANCE else None
    added = added_since(f"{baseline.group(1)}.{baseline.group(2)}") if baseline else 0.0
    return Spectral(roles, reflectance, already_a_picture(facts, roles), added)


def added_since(baseline: str) -> float:
    """What a processing baseline of Sentinel-2 products (``05.09``) adds to all values."""
    try:
        return _ADDED if float(baseline) >= _ADDED_FROM else 0.0
    except ValueError:
        return 0.0


def _reflectance(facts: RasterFacts, block: str) -> Optional[float]:
    """What a value of 1 is as a reflectance; None where that is not known."""
    if all(band.scaled for band in facts.data_bands):
        return 1.0
    return _SENTINEL2_REFLECTANCE if cloud_threshold(facts, block, natural=True) is not None else None


def bands_for(index: SpectralIndex, spectral: Spectral) -> Tuple[int, ...]:
    """The band numbers an index takes; fewer than it needs where the image has not all of them."""
    chosen = (next((role for role in roles if role in spectral.roles), "") for roles in index.roles)
    return tuple(spectral.roles[role] for role in chosen if role)


def why_not(index: SpectralIndex, spectral: Spectral) -> str:
    """Why an index cannot be computed from an image; empty when it can."""
    if spectral.picture:
        return PICTURE
    missing = [_WORDS[roles[0]] for roles in index.roles if not any(role in spectral.roles for role in roles)]
    if missing:
        return f"This layer has no band of {' and none of '.join(missing)}."
    if index.reflectances and spectral.reflectance is None:
        return f"{index.name} needs reflectances, and how these values become some is not known."
    return ""


def told(index: SpectralIndex, spectral: Spectral, bands: Sequence[BandFacts], title: str) -> str:
    """How an index was computed, from which bands of which layer, in sentences."""
    labels = [_label(bands[number - 1]) for number in bands_for(index, spectral)]
    text = f"{index.name} = {index.formula}, computed from {', '.join(labels)} of {title}; from -1 to 1."
    if spectral.added:
        text += f" The {spectral.added:g} that Sentinel-2 products add to their values since 2022 were taken off."
    if spectral.reflectance is None:
        text += (
            " Values were taken as they are: where they are no reflectances, compare it with other images with care."
        )
    return text


def _label(band: BandFacts) -> str:
    name = band.description.split(",")[0]
    return f"band {band.index} ({name})" if name else f"band {band.index}"
