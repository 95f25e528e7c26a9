"""Looking into vector files before they become layers; large files of text get a copy with an index."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple
from xml.sax.saxutils import escape, quoteattr

from osgeo import gdal, ogr

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, gdal_progress, writing
from up42_plugin.core.imagery.rasters import placed
from up42_plugin.core.storage import system_path

_MOST_LAYERS = 50
_MULTI = "Multi"
# A file of text is read whole whenever it is opened: 400 kB take QGIS about 30 ms.
_COPIED_FROM_BYTES = 400_000
_INDEXED = frozenset({".gpkg", ".fgb", ".shp"})
_KIND_FIELD = "OGR_GEOMETRY"
_TILE_FIELD = "tile"

MakeCopy = Callable[[Callable[[Path], Path]], Path]


@dataclass(frozen=True)
class VectorSource:
    """What QGIS opens, in its notation: one layer of a file, features with one kind of geometry."""

    name: str
    geometry: str
    layer: str


def vector_sources(path: Path, place_copy: MakeCopy, context: JobContext) -> Tuple[VectorSource, ...]:
    """What to open of a file; empty when it holds nothing with a place.

    One source per layer and kind of geometry: a GeoJSON may hold points, lines and polygons at once, a layer may not.
    ``place_copy`` is given the function that writes a copy, and gives back the copy's path.

    Raises:
        RasterError: the file cannot be read.
    """
    if path.suffix.lower() not in _INDEXED and system_path(path).stat().st_size > _COPIED_FROM_BYTES:
        try:
            copy = place_copy(lambda target: _indexed_copy(path, target, context))
            return tuple(VectorSource(f"{copy}|layername={name}", name, "") for name in _layer_names(copy))
        except RasterError:  # two attributes of one name, for example: slow to open, but opened
            context.check()
    return _sources(path)


def joined_sources(paths: Sequence[Path], place_copy: MakeCopy, context: JobContext) -> Tuple[VectorSource, ...]:
    """What to open of files that hold parts of one thing: a copy of all, each feature with the name of its file.

    Raises:
        RasterError: none of them can be read, or none holds anything with a place.
    """
    copy = place_copy(lambda target: _joined_copy(paths, target, context))
    return tuple(VectorSource(f"{copy}|layername={name}", name, "") for name in _layer_names(copy))


def _sources(path: Path) -> Tuple[VectorSource, ...]:
    dataset = _opened(path)
    layers = [dataset.GetLayer(index) for index in range(min(dataset.GetLayerCount(), _MOST_LAYERS))]
    sources: List[VectorSource] = []
    for layer in layers:
        kinds = _geometry_kinds(layer)
        name = layer.GetName()
        base = str(path) if len(layers) == 1 else f"{path}|layername={name}"
        for kind in kinds:
            source = base if len(kinds) == 1 else f"{base}|geometrytype={kind}"
            sources.append(VectorSource(source, kind, name if len(layers) > 1 else ""))
    return tuple(sources)


def _opened(path: Path) -> gdal.Dataset:
    return gdal_call(gdal.OpenEx, str(path), gdal.OF_VECTOR | gdal.OF_READONLY, what=path.name)


def _layer_names(path: Path) -> List[str]:
    dataset = _opened(path)
    return [dataset.GetLayer(index).GetName() for index in range(dataset.GetLayerCount())]


def _geometry_kinds(layer: ogr.Layer) -> Tuple[str, ...]:
    """Kinds of geometry among the features, the most frequent first; single and multiple are one kind."""
    declared = _plain(layer.GetGeomType())
    if declared is not None and layer.GetFeatureCount():
        return (declared,)
    return _counted_kinds(layer)


def _counted_kinds(layer: ogr.Layer) -> Tuple[str, ...]:
    counts: Counter[str] = Counter()
    for feature in layer:
        geometry = feature.GetGeometryRef()
        if geometry is not None and not geometry.IsEmpty():
            counts[_plain(geometry.GetGeometryType()) or "GeometryCollection"] += 1
    return tuple(kind for kind, _ in counts.most_common())


def _plain(kind: int) -> Optional[str]:
    """``Polygon`` for polygons single or multiple; None for what may be anything."""
    flat = ogr.GT_Flatten(kind)
    if flat in (ogr.wkbUnknown, ogr.wkbNone, ogr.wkbGeometryCollection):
        return None
    name = str(ogr.GeometryTypeToName(flat).replace(" ", ""))
    return name[len(_MULTI) :] if name.startswith(_MULTI) else name


def _indexed_copy(path: Path, target: Path, context: JobContext) -> Path:
    """Write the one layer of a file as a GeoPackage."""
    source = _opened(path)
    if source.GetLayerCount() != 1:
        raise RasterError(f"{path.name} holds several layers.")
    return _by_geometry(str(path), source, path.name, target, context)


def _joined_copy(paths: Sequence[Path], target: Path, context: JobContext) -> Path:
    """Write the layers of several files as one GeoPackage; files without features are left out."""
    parts = []
    for path in paths:
        context.check()
        source = _opened(path)
        layer = source.GetLayer(0)
        if layer.GetFeatureCount():
            parts.append(
                f"<OGRVRTLayer name={quoteattr(path.stem)}><SrcDataSource>{escape(str(path))}</SrcDataSource>"
                f"<SrcLayer>{escape(layer.GetName())}</SrcLayer></OGRVRTLayer>"
            )
    field = f"<SourceLayerFieldName>{_TILE_FIELD}</SourceLayerFieldName>"
    union = f'<OGRVRTUnionLayer name="joined">{"".join(parts)}{field}</OGRVRTUnionLayer>'
    description = f"<OGRVRTDataSource>{union}</OGRVRTDataSource>"
    name = paths[0].parent.name
    if not parts:
        raise RasterError(f"{name} holds no features with a geometry.")
    whole = gdal_call(gdal.OpenEx, description, gdal.OF_VECTOR | gdal.OF_READONLY, what=name)
    return _by_geometry(description, whole, name, target, context)


def _by_geometry(source: str, dataset: gdal.Dataset, name: str, target: Path, context: JobContext) -> Path:
    """Write a GeoPackage with a layer per kind of geometry in a dataset's first layer."""
    kinds = _counted_kinds(dataset.GetLayer(0))  # a union declares the kind of its first part
    if not kinds:
        raise RasterError(f"{name} holds no features with a geometry.")
    with placed(target) as work, writing(target.name):
        for number, kind in enumerate(kinds):
            where = f"{_KIND_FIELD} IN ('{_spaced(kind)}', 'MULTI{_spaced(kind)}')" if len(kinds) > 1 else None
            with gdal_progress(context, f"Preparing {name}") as progress:
                written = gdal_call(
                    gdal.VectorTranslate,
                    str(work),
                    source,
                    format="GPKG",
                    accessMode="update" if number else None,
                    layerName=kind,
                    where=where,
                    geometryType="PROMOTE_TO_MULTI",
                    layerCreationOptions=["FID=row_number", "GEOMETRY_NAME=place_geometry"],
                    callback=progress,
                    what=name,
                )
                written.FlushCache()
                del written
    return target


def _spaced(kind: str) -> str:
    return kind.upper()
