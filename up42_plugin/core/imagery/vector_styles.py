"""The ways vectors are looked at: by confidence, by class, by count or statistic, by kind, or plain."""

from __future__ import annotations

import re
from typing import List, Mapping, Optional, Tuple

from up42_plugin.core.imagery.raster_styles import APART
from up42_plugin.core.imagery.vector_facts import TEXT, FieldFacts, VectorFacts
from up42_plugin.core.layer_plan import NamedStyle, VectorClass, VectorLook, VectorStyle

_CONFIDENCE = re.compile(r"(?:^|_)(?:confidence|conf|score|probability|prob|certainty|likelihood)$", re.IGNORECASE)
_CLASS = re.compile(
    r"^(?:class|class_?name|class_?id|class_?value|label|category|kind|type|cluster|dn|raster_?val(?:ue)?|pixel_?value|"
    r"value|land_?cover|ship_?type|vessel_?type|object_?type|vessel_?class)$",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?:^|_)(?:count|counts|num|number|total|n_objects|objects)$", re.IGNORECASE)
_STATISTIC = re.compile(
    r"^(\d+|b\d+a?|red|green|blue|nir|ndvi)_(mean|median|min|max|std|sum|count|range|majority)$", re.IGNORECASE
)
_STATISTIC_ORDER = ("mean", "median", "max", "min", "std", "sum", "count")
_STATISTIC_WORDS: Mapping[str, str] = {
    "mean": "Mean", "median": "Median", "max": "Maximum", "min": "Minimum", "std": "Standard Deviation", "sum": "Sum",
    "count": "Pixels",
}  # fmt: skip
# Keys of OpenStreetMap, the first that an extract has is what it was made for.
_MAP_KEYS = (
    "building", "highway", "railway", "waterway", "landuse", "natural", "leisure", "amenity", "shop", "power",
    "aeroway", "man_made", "boundary", "tourism",
)  # fmt: skip
_DETECTION = re.compile(r"detect|identification|countobjects")
_REST = VectorClass(None, "#bdbdbd", "Other")
_MOST_STYLES = 8
_MOST_CLASSES = 16
_FRACTION_TO = 1.5
_HALF = 0.5


def choose_vector_style(facts: VectorFacts, block: str, stem: str) -> Tuple[NamedStyle, ...]:
    """All styles of a vector layer; the first is how it is shown, the last draws all features alike."""
    if not facts.geometry:
        return (NamedStyle("Plain", VectorStyle.PLAIN),)
    styles: List[NamedStyle] = []
    styles.extend(_of_map(facts, block, stem))
    styles.extend(_by_confidence(facts))
    styles.extend(_by_class(facts))
    styles.extend(_by_statistic(facts))
    styles.extend(_by_count(facts))
    plain = f"detections_{facts.geometry}" if _DETECTION.search(block) and facts.geometry != "line" else ""
    seen: List[NamedStyle] = []
    for style in styles:
        if style.name not in [known.name for known in seen]:
            seen.append(style)
    last = NamedStyle("Plain", VectorLook(plain or f"plain_{facts.geometry}"))
    return (*seen[: _MOST_STYLES - 1], last)


def _by_confidence(facts: VectorFacts) -> List[NamedStyle]:
    for field in facts.fields:
        if field.numeric and field.quantiles and _CONFIDENCE.search(field.name):
            low, high = field.quantiles[0], field.quantiles[-1]
            whole = 1.0 if high <= _FRACTION_TO else 100.0
            start = _HALF * whole if low >= _HALF * whole else 0.0
            limits = tuple(round(start + (whole - start) * step / 5, 3) for step in range(6))
            return [NamedStyle("By Confidence", VectorLook(f"confidence_{facts.geometry}", field.name, limits))]
    return []


def _by_class(facts: VectorFacts) -> List[NamedStyle]:
    styles: List[NamedStyle] = []
    for field in facts.fields:
        if _CLASS.match(field.name) and 0 < len(field.values) <= _MOST_CLASSES:
            name = "By Class" if not styles else f"By {_title(field.name)}"
            styles.append(NamedStyle(name, _classes(facts.geometry, field)))
    return styles


def _classes(geometry: str, field: FieldFacts) -> VectorLook:
    """Every value with a colour of its own, numbers in their order; features without a value are grey."""
    values = field.values if field.kind == TEXT else sorted(field.values)
    classes = [VectorClass(value, _colour_of(value, at), _label(value)) for at, value in enumerate(values)]
    rest = () if field.everywhere else (_REST,)
    return VectorLook(f"classes_{geometry}", field.name, classes=(*classes, *rest))


def _colour_of(value: object, at: int) -> str:
    """Whole numbers keep their colour whichever of them occur, so that two scenes can be compared."""
    place = int(value) if isinstance(value, float) and value.is_integer() and value >= 0 else at
    return APART[place % len(APART)]


def _label(value: object) -> str:
    if isinstance(value, float):
        return f"Class {value:g}"
    text = str(value).replace("_", " ")
    return text[:1].upper() + text[1:]


def _by_statistic(facts: VectorFacts) -> List[NamedStyle]:
    """Zonal statistics: of the first band first, the mean before the rest."""
    found = []
    for at, field in enumerate(facts.fields):
        named = _STATISTIC.match(field.name)
        if named and _varies(field) and named.group(2).lower() in _STATISTIC_ORDER:
            band, statistic = named.group(1), named.group(2).lower()
            found.append((_STATISTIC_ORDER.index(statistic), at, band, statistic, field))
    bands = {entry[2] for entry in found}
    styles: List[NamedStyle] = []
    for _, _, band, statistic, field in sorted(found, key=lambda entry: entry[:2]):
        of_band = f" of Band {band}" if band.isdigit() else f" of {_title(band)}"
        name = f"By {_STATISTIC_WORDS[statistic]}{of_band if len(bands) > 1 else ''}"
        styles.append(NamedStyle(name, _graduated(facts.geometry, field)))
    return styles


def _by_count(facts: VectorFacts) -> List[NamedStyle]:
    for field in facts.fields:
        if _varies(field) and _COUNT.search(field.name) and not _STATISTIC.match(field.name):
            return [NamedStyle("By Count", _graduated(facts.geometry, field))]
    return []


def _varies(field: FieldFacts) -> bool:
    return field.numeric and bool(field.quantiles) and field.quantiles[0] < field.quantiles[-1]


def _graduated(geometry: str, field: FieldFacts) -> VectorLook:
    """Five steps with as many features each; equal steps where values repeat too much for that."""
    limits = tuple(sorted(set(field.quantiles)))
    low, high = field.quantiles[0], field.quantiles[-1]
    if 2 < len(limits) < len(field.quantiles) and len(field.values) not in range(1, 6):  # noqa: PLR2004
        limits = tuple(low + (high - low) * step / 5 for step in range(6))
    return VectorLook(f"counts_{geometry}", field.name, limits)


def _of_map(facts: VectorFacts, block: str, stem: str) -> List[NamedStyle]:
    """Extracts of OpenStreetMap, named after the key they were made for."""
    named = re.match(r"[a-z_]+", stem)
    key = next((key for key in _MAP_KEYS if named and named.group(0).strip("_").startswith(key)), "")
    if not key and block != "openstreetmap":
        return []
    field = _field(facts, key) or next((found for key in _MAP_KEYS if (found := _field(facts, key))), None)
    if field is None:
        return []
    styles: List[NamedStyle] = []
    if field.name == "building" and facts.geometry == "polygon":
        styles.append(NamedStyle("Buildings", VectorLook("buildings_polygon")))
    if field.name == "highway" and facts.geometry == "line":
        styles.append(NamedStyle("Roads", VectorLook("roads_line", field.name)))
    if len(field.values) > 1:
        kinds = field.values[:_MOST_CLASSES]
        classes = [VectorClass(value, APART[at % len(APART)], _label(value)) for at, value in enumerate(kinds)]
        rest = () if field.everywhere and len(kinds) == len(field.values) else (_REST,)
        look = VectorLook(f"classes_{facts.geometry}", field.name, classes=(*classes, *rest))
        styles.append(NamedStyle("By Kind", look))
    return styles


def _field(facts: VectorFacts, name: str) -> Optional[FieldFacts]:
    return next((field for field in facts.fields if field.name == name and field.kind == TEXT), None)


def _title(name: str) -> str:
    return name.replace("_", " ").title()
