"""What attributes a vector file has and which values are in them, read in a worker so that a style can be chosen."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, Dict, List, Mapping, Tuple, Union

from osgeo import gdal, ogr

from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, name_of

INTEGER, REAL, TEXT = "integer", "real", "text"
#: Enough for borders between steps; more features than that are only sampled.
MOST_FEATURES = 50_000
MOST_VALUES = 24
_STEPS = 5
_MULTI = "Multi"
_KINDS: Mapping[int, str] = {
    ogr.OFTInteger: INTEGER,
    ogr.OFTInteger64: INTEGER,
    ogr.OFTReal: REAL,
    ogr.OFTString: TEXT,
}


@dataclass(frozen=True)
class FieldFacts:
    """An attribute. ``values`` are the distinct ones, the most frequent first; empty when there are too many.

    ``quantiles`` of numbers are the borders of five steps with as many features each, lowest and highest included.
    ``everywhere`` when no feature is without a value.
    """

    name: str
    kind: str
    values: Tuple[Union[str, float], ...] = ()
    quantiles: Tuple[float, ...] = ()
    everywhere: bool = True

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers."""
        return self.kind in (INTEGER, REAL)


@dataclass(frozen=True)
class VectorFacts:
    """A vector layer: its kind of geometry (``point``, ``line`` or ``polygon``) and its attributes that hold values."""

    geometry: str
    fields: Tuple[FieldFacts, ...] = ()


def geometry_kind(name: str) -> str:
    """``point``, ``line`` or ``polygon`` of OGR's name of a geometry; empty for mixtures and collections."""
    lowered = name.replace(" ", "").lower()
    return next((kind for kind in ("point", "line", "polygon") if kind in lowered), "")


def read_vector_facts(source: str) -> VectorFacts:
    """Look through the features of a source in QGIS's notation (``path|layername=…|geometrytype=…``).

    A source that cannot be read here has no known geometry and no attributes.
    """
    path, _, rest = source.partition("|")
    options = dict(part.partition("=")[::2] for part in rest.split("|") if part)
    try:
        dataset = gdal_call(gdal.OpenEx, path, gdal.OF_VECTOR | gdal.OF_READONLY, what=name_of(path))
    except RasterError:
        return VectorFacts("")
    layer = dataset.GetLayerByName(options["layername"]) if "layername" in options else dataset.GetLayer(0)
    if layer is None:
        return VectorFacts("")
    only = options.get("geometrytype", "")
    return VectorFacts(geometry_kind(only or _geometry_of(layer)), _fields(layer, only))


def _geometry_of(layer: Any) -> str:
    """OGR's name of what the layer declares, else of what its first shape is."""
    declared = ogr.GeometryTypeToName(layer.GetGeomType())
    if geometry_kind(declared):
        return str(declared)
    shapes = (feature.GetGeometryRef() for feature in layer)
    return next((str(shape.GetGeometryName()) for shape in shapes if shape is not None), "")


def _fields(layer: Any, geometry: str) -> Tuple[FieldFacts, ...]:
    definition = layer.GetLayerDefn()
    columns = [definition.GetFieldDefn(index) for index in range(definition.GetFieldCount())]
    known = {at: (field.GetName(), _KINDS[field.GetType()]) for at, field in enumerate(columns) if _usable(field)}
    values: Dict[int, List[Any]] = {at: [] for at in known}
    layer.ResetReading()
    seen = 0
    for feature in itertools.islice(layer, MOST_FEATURES):
        if geometry and not _is_of(feature, geometry):
            continue
        seen += 1
        for at, found in values.items():
            if feature.IsFieldSetAndNotNull(at):
                found.append(feature.GetField(at))
    return tuple(
        replace(_summed_up(*known[at], found), everywhere=len(found) == seen) for at, found in values.items() if found
    )


def _usable(field: Any) -> bool:
    return field.GetType() in _KINDS


def _is_of(feature: Any, geometry: str) -> bool:
    shape = feature.GetGeometryRef()
    if shape is None:
        return False
    name = ogr.GeometryTypeToName(ogr.GT_Flatten(shape.GetGeometryType())).replace(" ", "")
    return bool((name[len(_MULTI) :] if name.startswith(_MULTI) else name) == geometry)


def _summed_up(name: str, kind: str, found: List[Any]) -> FieldFacts:
    if kind == TEXT:
        return FieldFacts(name, kind, _distinct([str(value) for value in found if value]))
    numbers = sorted(float(value) for value in found if math.isfinite(value))
    if not numbers:
        return FieldFacts(name, kind)
    last = len(numbers) - 1
    quantiles = tuple(numbers[round(last * step / _STEPS)] for step in range(_STEPS + 1))
    return FieldFacts(name, kind, _distinct(numbers), quantiles)


def _distinct(values: List[Any]) -> Tuple[Any, ...]:
    counts = Counter(values)
    return tuple(value for value, _ in counts.most_common()) if len(counts) <= MOST_VALUES else ()
