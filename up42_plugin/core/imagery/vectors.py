"""Looking into vector files before they become layers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import List, Tuple

from osgeo import gdal, ogr

from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call

_MOST_LAYERS = 50
_MULTI = "Multi"


def vector_sources(path: Path) -> Tuple[Tuple[str, str], ...]:
    """What to open of a file, as (source in QGIS's notation, kind of geometry).

    One source per layer and kind of geometry: a GeoJSON may hold points, lines and polygons at once, a layer may not.

    Raises:
        RasterError: the file cannot be read, or holds nothing with a place.
    """
    dataset = gdal_call(gdal.OpenEx, str(path), gdal.OF_VECTOR | gdal.OF_READONLY, what=path.name)
    sources: List[Tuple[str, str]] = []
    for index in range(min(dataset.GetLayerCount(), _MOST_LAYERS)):
        layer = dataset.GetLayer(index)
        kinds = _geometry_kinds(layer)
        base = str(path) if dataset.GetLayerCount() == 1 else f"{path}|layername={layer.GetName()}"
        for kind in kinds:
            source = base if len(kinds) == 1 else f"{base}|geometrytype={kind}"
            sources.append((source, kind))
    if not sources:
        raise RasterError(f"{path.name} holds no features with a geometry.")
    return tuple(sources)


def _geometry_kinds(layer: ogr.Layer) -> Tuple[str, ...]:
    """Kinds of geometry among the features, the most frequent first; single and multiple are one kind."""
    counts: Counter[str] = Counter()
    for feature in layer:
        geometry = feature.GetGeometryRef()
        if geometry is not None and not geometry.IsEmpty():
            name = ogr.GeometryTypeToName(ogr.GT_Flatten(geometry.GetGeometryType())).replace(" ", "")
            counts[name[len(_MULTI) :] if name.startswith(_MULTI) else name] += 1
    return tuple(kind for kind, _ in counts.most_common())
