"""The ways a raster is looked at, by what it means: the first is how it is shown, the others can be switched to."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from osgeo import osr

from up42_plugin.core.imagery.bands import band_roles
from up42_plugin.core.imagery.composites import composites
from up42_plugin.core.imagery.gdal_access import gdal_call, name_of, open_raster
from up42_plugin.core.imagery.meanings import CLASSES, Meaning, meaning_of
from up42_plugin.core.imagery.rasters import RasterFacts, cut_range, distinct, implied_nodata, sample
from up42_plugin.core.layer_plan import (
    BandRange,
    ClassStyle,
    ColourClass,
    GreyStyle,
    LookStyle,
    NamedStyle,
    RgbStyle,
)

# Colours that stay apart for most people (Paul Tol's "muted" and "bright" schemes), for values without a meaning.
APART: Sequence[str] = (
    "#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77",
    "#cc6677", "#882255", "#aa4499", "#4477aa", "#ccbb44", "#bbbbbb",
)  # fmt: skip

_KMEANS_NODATA = 255.0
# What writers of single bands put where there is nothing, and forget to declare.
_FORGOTTEN = (-9999.0, -32767.0, -32768.0, -99999.0)
_METRES_PER_DEGREE = 111_320.0
_MOST_UNKNOWN_CLASSES = 12
_PEEK = 512
_DECIBEL = {"vv": (-25.0, 0.0), "hh": (-25.0, 0.0), "vh": (-30.0, -5.0), "hv": (-30.0, -5.0)}
_POLARISATION = re.compile(r"(?:^|[^a-z0-9])(vv|vh|hh|hv)(?:$|[^a-z0-9])", re.IGNORECASE)
_PERCENT_FROM = 1.5
_MOST_BANDS_NAMED = 6
_MOST_READ = 6  # of a series

# Units as they are written in files and in the names of weather variables, and as people write them.
_UNITS: Mapping[str, str] = {
    "C": "°C", "degC": "°C", "celsius": "°C", "K": "K", "kelvin": "K", "F": "°F", "mm": "mm", "cm": "cm", "m": "m",
    "metre": "m", "meter": "m", "ms": "m/s", "m s-1": "m/s", "m/s": "m/s", "kmh": "km/h", "kn": "kn", "d": "°",
    "degrees": "°", "degree": "°", "p": "%", "%": "%", "hPa": "hPa", "Pa": "Pa", "W": "W/m²", "J": "J/m²", "s": "s",
    "mol m-2": "mol/m²", "mol/m^2": "mol/m²", "dB": "dB",
}  # fmt: skip
_VARIABLE_UNIT = re.compile(r"[:_](C|K|F|mm|cm|m|ms|kmh|kn|d|p|hPa|Pa|W|J|s)$")
_QUANTITIES: Sequence[Tuple[str, str]] = (
    (r"dir(?:ection)?(?:_|\b)", "direction"),
    (r"\bt_|temperature|(?:\b|_)temp(?:_|\b)", "temperature"),
    (r"precip|rain|snow|humidity|moisture", "amount"),
)


class RasterStyles(NamedTuple):
    """The first is shown. ``nodata`` is a value to be transparent although the raster does not say so."""

    styles: Tuple[NamedStyle, ...]
    nodata: Optional[float]


def choose_style(source: str, facts: RasterFacts, block: str, stem: str, series: Sequence[int] = ()) -> RasterStyles:
    """All styles of a raster, with value ranges read from it.

    ``series`` are bands of one quantity, moments for example, that are looked at one after the other: their styles
    have the range of all.

    Raises:
        RasterError: the raster cannot be read.
    """
    raster = _Raster(source, facts, block, stem, _spread(series))
    return RasterStyles(tuple(_MAKERS.get(raster.meaning, _unknown)(raster)), raster.nodata)


def _spread(bands: Sequence[int]) -> Sequence[int]:
    """First, last, and some between: enough to know what values a long series has."""
    last = len(bands) - 1
    return [bands[round(last * step / (_MOST_READ - 1))] for step in range(_MOST_READ)] if last >= _MOST_READ else bands


def holds_classes(facts: RasterFacts, block: str, stem: str) -> bool:
    """Whether pixel values are classes, of which no average can be made. Looks into a raster that tells nothing."""
    meaning = meaning_of(facts, block, stem)
    one = len(facts.data_bands) == 1
    if meaning is Meaning.UNKNOWN and one and facts.bands[0].dtype == "Byte":
        return bool(_few(_peek(facts)))
    return meaning in CLASSES or (meaning is Meaning.CLOUD_MASK and one)


class _Raster:
    """A raster with what is known of it."""

    def __init__(self, source: str, facts: RasterFacts, block: str, stem: str, series: Sequence[int] = ()) -> None:
        self.source, self.facts, self.block, self.stem, self.series = source, facts, block, stem, series
        self.meaning = meaning_of(facts, block, stem)
        self.bands = facts.data_bands or facts.bands
        self.band = self.bands[0].index
        self.alpha = facts.alpha
        self._samples: Dict[Tuple[int, Optional[float]], np.ndarray[Any, Any]] = {}
        self.nodata: Optional[float] = None
        self.nodata = self._missing_nodata()

    def values(self, band: Optional[int] = None) -> np.ndarray[Any, Any]:
        """A sample of a band's values, read once."""
        index = self.band if band is None else band
        key = (index, self.nodata)
        if key not in self._samples:
            self._samples[key] = sample(self.source, (index,), self.nodata)[index]
        return self._samples[key]

    def range(self, *bands: int) -> Tuple[float, float]:
        """The range of these bands together; of the first one, or of the series, when none is named."""
        cuts = (cut_range(self.values(band)) for band in bands or self.series or (self.band,))
        ranges = [found for found in cuts if found is not None] or [(0.0, 1.0)]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def look(self, name: str, look: str, **numbers: Any) -> NamedStyle:
        return NamedStyle(name, LookStyle(look, **{"band": self.band, "alpha": self.alpha, **numbers}))

    def grey(self) -> NamedStyle:
        return NamedStyle("Grey", GreyStyle(BandRange(self.band, *self.range()), self.alpha))

    def _missing_nodata(self) -> Optional[float]:
        first = self.bands[0]
        if self.alpha is not None or first.nodata is not None:
            return None
        if self.meaning is Meaning.CLUSTERS:
            return _KMEANS_NODATA
        if self.meaning in CLASSES:
            return None
        if self.meaning in (Meaning.RADAR, Meaning.CLOUD_MASK):
            return 0.0
        if len(self.bands) == 1 and first.dtype not in ("Byte", "UInt16"):
            values = self.values()
            least = float(values.min()) if values.size else 0.0
            return least if least in _FORGOTTEN else None
        return implied_nodata(self.facts)


def _colours(raster: _Raster) -> List[NamedStyle]:
    return composites(raster.source, raster.facts, raster.block, raster.stem, raster.nodata)


def _panchromatic(raster: _Raster) -> List[NamedStyle]:
    return [NamedStyle("Panchromatic", raster.grey().style)]


def _radar(raster: _Raster) -> List[NamedStyle]:
    roles = band_roles(raster.facts.bands, raster.block, raster.stem)
    shown = {role: index for role, index in roles.items() if role in _DECIBEL}
    if not shown:
        named = _POLARISATION.search(raster.stem)
        shown = {named.group(1).lower() if named else "": raster.band}
    ranges = {role: _backscatter(raster, role, band) for role, band in shown.items()}
    styles = [
        raster.look(role.upper() or "Backscatter", "radar", band=shown[role], minimum=low, maximum=high, unit=unit)
        for role, (low, high, unit) in ranges.items()
    ]
    if len(shown) > 1:
        (first, (low, high, _)), (second, (low2, high2, _)) = list(ranges.items())[:2]
        like, cross = BandRange(shown[first], low, high), BandRange(shown[second], low2, high2)
        name = f"{first.upper()}, {second.upper()}, {first.upper()} (Colours)"
        styles.append(NamedStyle(name, RgbStyle(like, cross, like, raster.alpha, natural=False)))
    return styles


def _backscatter(raster: _Raster, role: str, band: int) -> Tuple[float, float, str]:
    """Decibels have limits of their own; amplitudes and intensities are cut."""
    values = raster.values(band)
    if role in _DECIBEL and values.size and values.dtype.kind == "f" and float(np.median(values)) < 0.0:
        return (*_DECIBEL[role], "dB")
    return (*(cut_range(values) or (0.0, 1.0)), "")


def _ndvi(raster: _Raster) -> List[NamedStyle]:
    return [raster.look("Classes", "ndvi_classes"), raster.look("Ramp", "ndvi"), raster.grey()]


def _index(raster: _Raster) -> List[NamedStyle]:
    return [raster.look("Ramp", "index"), raster.grey()]


def _change(raster: _Raster) -> List[NamedStyle]:
    """Diverging, with no change in the middle whatever the values are."""
    low, high = raster.range()
    reach = max(abs(low), abs(high)) or 1.0
    return [raster.look("Decrease and Increase", "change", minimum=-reach, maximum=reach), raster.grey()]


def _probability(raster: _Raster) -> List[NamedStyle]:
    values = raster.values()
    most = float(values.max()) if values.size else 1.0
    percent = most > _PERCENT_FROM
    top = 1.0 if not percent else 100.0 if most <= 100.0 else 255.0  # noqa: PLR2004 - %, or all of a byte
    unit = "%" if top == 100.0 else ""  # noqa: PLR2004
    return [raster.look("Ramp", "probability", minimum=0.0, maximum=top, unit=unit), raster.grey()]


def _elevation(raster: _Raster) -> List[NamedStyle]:
    low, high = raster.range()
    return [
        raster.look("Colours", "elevation", minimum=low, maximum=high, unit="m"),
        raster.look("Hillshade", "hillshade", z_factor=_z_factor(raster.facts)),
        raster.grey(),
    ]


def _z_factor(facts: RasterFacts) -> float:
    """Units of the raster's CRS in a metre of height."""
    reference = osr.SpatialReference()
    if not facts.crs or reference.ImportFromWkt(facts.crs) != 0:
        return 1.0
    return 1.0 / _METRES_PER_DEGREE if reference.IsGeographic() else 1.0 / (reference.GetLinearUnits() or 1.0)


def _quantity(raster: _Raster) -> List[NamedStyle]:
    """A number with a unit; of several bands (moments, variables) the first, in the range of all that are like it."""
    first = raster.bands[0]
    variable = raster.stem if "NETCDF:" not in raster.source else raster.source.rsplit(":", 1)[-1]
    text = f"{first.description} {variable}"
    look = next((look for words, look in _QUANTITIES if re.search(words, text, re.IGNORECASE)), "continuous")
    named = _VARIABLE_UNIT.search(variable)
    unit = _UNITS.get(first.unit, first.unit) or _UNITS.get(named.group(1) if named else "", "")
    numbers = {"unit": unit}
    if look == "direction":
        return [raster.look("Ramp", look, **numbers), raster.grey()]
    alike = [band.index for band in raster.bands if band.description == first.description][:_MOST_BANDS_NAMED]
    low, high = raster.range(*(raster.series or alike))
    styles = [raster.look("Ramp", look, minimum=low, maximum=high, **numbers)]
    others = [band for band in raster.bands[1:_MOST_BANDS_NAMED] if band.description != first.description]
    for band in (band for band in others if band.description):
        low, high = raster.range(band.index)
        shown = {"band": band.index, "minimum": low, "maximum": high, "unit": _UNITS.get(band.unit, band.unit)}
        styles.append(raster.look(band.description[:40], "continuous", **shown))
    return [*styles, raster.grey()]


def _classes(name: str, look: str, *others: Tuple[str, str]) -> Callable[[_Raster], List[NamedStyle]]:
    """A look with a colour per value, of which the values that occur are shown."""

    def make(raster: _Raster) -> List[NamedStyle]:
        values = distinct(raster.values())
        return [raster.look(title, file, values=values) for title, file in ((name, look), *others)]

    return make


def _land_cover(raster: _Raster) -> List[NamedStyle]:
    """Five classes, or four in which barren ground and towns are one."""
    values = distinct(raster.values())
    look = "land_cover_5" if not values or max(values) > 4 else "land_cover_4"  # noqa: PLR2004
    return [raster.look("Land Cover", look, values=values)]


def _cloud_mask(raster: _Raster) -> List[NamedStyle]:
    """The mask is the raster's only band, or stands behind those of the picture, as transparency (1 is cloud)."""
    mask = raster.facts.bands[-1].index
    clouds = NamedStyle("Clouds", LookStyle("cloud_mask", mask))
    if len(raster.facts.bands) == 1:
        return [clouds]
    whole = _colours(raster)[0]
    if not isinstance(whole.style, RgbStyle):
        return [clouds]
    return [
        clouds,
        NamedStyle(whole.name, replace(whole.style, alpha=None)),
        NamedStyle(f"{whole.name} without Clouds", replace(whole.style, alpha=mask)),
    ]


def _own_colours(raster: _Raster) -> List[NamedStyle]:
    """The raster's own colour table, for the values it has."""
    dataset = open_raster(raster.source)  # a band does not keep its dataset open
    band = dataset.GetRasterBand(raster.band)
    table, names = band.GetRasterColorTable(), band.GetCategoryNames() or []
    values = distinct(raster.values()) or tuple(float(value) for value in range(table.GetCount()))
    classes = []
    for value in (number for number in values if number < table.GetCount()):
        red, green, blue = table.GetColorEntry(int(value))[:3]
        label = names[int(value)] if int(value) < len(names) and names[int(value)] else f"{value:g}"
        classes.append(ColourClass(value, f"#{red:02x}{green:02x}{blue:02x}", label))
    return [NamedStyle("Classes", ClassStyle(raster.band, tuple(classes), raster.alpha))]


def _unknown(raster: _Raster) -> List[NamedStyle]:
    """Grey with a ramp beside it; few whole numbers are classes."""
    values = raster.values()
    few = _few(values) if raster.facts.bands[0].dtype == "Byte" else ()
    low, high = raster.range()
    styles = [raster.grey(), raster.look("Ramp", "continuous", minimum=low, maximum=high)]
    if few:
        classes = tuple(ColourClass(value, APART[at % len(APART)], f"{value:g}") for at, value in enumerate(few))
        styles.insert(0, NamedStyle("Classes", ClassStyle(raster.band, classes, raster.alpha)))
    return styles


def _few(values: np.ndarray[Any, Any]) -> Tuple[float, ...]:
    found = distinct(values)
    return found if 1 < len(found) <= _MOST_UNKNOWN_CLASSES else ()


def _peek(facts: RasterFacts) -> np.ndarray[Any, Any]:
    """Pixels of the middle as they are: quick in a large raster without reduced copies."""
    dataset = open_raster(facts.source)
    wide, high = min(_PEEK, facts.width), min(_PEEK, facts.height)
    window = ((facts.width - wide) // 2, (facts.height - high) // 2, wide, high)
    band = dataset.GetRasterBand(facts.data_bands[0].index)
    values: np.ndarray[Any, Any] = gdal_call(band.ReadAsArray, *window, what=name_of(facts.source))
    return values


_MAKERS: Mapping[Meaning, Callable[[_Raster], List[NamedStyle]]] = {
    Meaning.PICTURE: _colours,
    Meaning.MULTISPECTRAL: _colours,
    Meaning.PANCHROMATIC: _panchromatic,
    Meaning.RADAR: _radar,
    Meaning.NDVI: _ndvi,
    Meaning.INDEX: _index,
    Meaning.CHANGE: _change,
    Meaning.PROBABILITY: _probability,
    Meaning.ELEVATION: _elevation,
    Meaning.QUANTITY: _quantity,
    Meaning.NDVI_CLASSES: _classes("Classes", "ndvi_threshold"),
    Meaning.LAND_COVER: _land_cover,
    Meaning.CLUSTERS: _classes("Clusters", "clusters"),
    Meaning.WATER_MASK: _classes("Water", "water_mask", ("Water and Land", "water_and_land")),
    Meaning.FLOOD_MASK: _classes("Flooded", "flood_mask", ("Flooded and Not Flooded", "flood_and_land")),
    Meaning.CLOUD_MASK: _cloud_mask,
    Meaning.MASK: _classes("Yes and No", "mask"),
    Meaning.SCENE_CLASSES: _classes("Scene Classes", "scene_classes"),
    Meaning.COLOUR_TABLE: _own_colours,
}
