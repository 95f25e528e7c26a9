"""Tables with coordinates (CSV) as points or shapes: written as a GeoPackage once, with types and an index."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

from osgeo import ogr, osr

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call
from up42_plugin.core.imagery.rasters import placed

_X = ("longitude", "lon", "long", "lng", "x", "x_coord", "xcoord", "easting", "point_x")
_Y = ("latitude", "lat", "y", "y_coord", "ycoord", "northing", "point_y")
_WKT = ("wkt", "geometry", "geom", "the_geom", "wkt_geom", "geometry_wkt")
_DELIMITERS = ",;\t|"
_LOOK_ROWS = 50
_WEST_EAST, _SOUTH_NORTH = 180.0, 90.0
_CHECK_EVERY = 5000
_LAYER = "table"

Row = Sequence[str]
Place = Callable[[Row], Optional[ogr.Geometry]]


def table_as_layer(path: Path, target: Path, context: JobContext) -> Path:
    """Write a table with columns for longitude and latitude (or with WKT), in EPSG:4326, as a GeoPackage.

    Delimiter and encoding are found out. A row without a place keeps its values.

    Raises:
        RasterError: there are no such columns, or the coordinates are no degrees.
    """
    header, rows, decimal_comma = _read(path)
    place = _place(header, rows, decimal_comma)
    if place is None:
        raise RasterError(f"{path.name} has no columns with coordinates (longitude and latitude, x and y, or WKT).")
    shapes = [place(row) for row in rows]
    _check_degrees(path.name, [shape for shape in shapes if shape is not None])
    kinds = [_kind(row[index] if index < len(row) else "" for row in rows) for index in range(len(header))]
    with placed(target) as work:
        _write(work, list(zip(_unique(header), kinds)), rows, shapes, context)
    return target


def _read(path: Path) -> Tuple[List[str], Sequence[Row], bool]:
    """Header, rows, and whether numbers have a decimal comma."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if any(row)]
    if not rows:
        raise RasterError(f"{path.name} is empty.")
    return [name.strip() for name in rows[0]], rows[1:], delimiter != ","


def _place(header: Sequence[str], rows: Sequence[Row], decimal_comma: bool) -> Optional[Place]:
    lower = [name.lower() for name in header]
    x, y = _column(lower, _X), _column(lower, _Y)
    wkt = _column(lower, _WKT)
    if x is not None and y is not None:
        return lambda row: _point(_number(row, x, decimal_comma), _number(row, y, decimal_comma))
    if wkt is not None and any(_shape(row, wkt) is not None for row in rows[:_LOOK_ROWS]):
        return lambda row: _shape(row, wkt)
    return None


def _column(names: Sequence[str], known: Iterable[str]) -> Optional[int]:
    return next((names.index(name) for name in known if name in names), None)


def _number(row: Row, index: int, decimal_comma: bool) -> Optional[float]:
    text = row[index].strip() if index < len(row) else ""
    try:
        value = float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _point(x: Optional[float], y: Optional[float]) -> Optional[ogr.Geometry]:
    if x is None or y is None:
        return None
    point = ogr.Geometry(ogr.wkbPoint)
    point.AddPoint_2D(x, y)
    return point


def _shape(row: Row, index: int) -> Optional[ogr.Geometry]:
    try:
        return gdal_call(ogr.CreateGeometryFromWkt, row[index].strip() if index < len(row) else "", what="WKT")
    except RasterError:
        return None


def _check_degrees(name: str, shapes: Sequence[ogr.Geometry]) -> None:
    if not shapes:
        raise RasterError(f"{name} has no row with coordinates.")
    for shape in shapes:
        west, east, south, north = shape.GetEnvelope()
        if max(abs(west), abs(east)) > _WEST_EAST or max(abs(south), abs(north)) > _SOUTH_NORTH:
            raise RasterError(f"{name} has coordinates that are no degrees, and does not name their CRS.")


def _kind(values: Iterable[str]) -> int:
    """The narrowest type that takes all values of a column; a leading zero makes a text."""
    kind = ogr.OFTInteger64
    seen = False
    for text in (value.strip() for value in values):
        if not text:
            continue
        seen = True
        if len(text) > 1 and text.lstrip("-").startswith("0") and not text.lstrip("-").startswith("0."):
            return int(ogr.OFTString)
        if kind == ogr.OFTInteger64 and _converted(text, int) is None:
            kind = ogr.OFTReal
        if kind == ogr.OFTReal and _converted(text, float) is None:
            return int(ogr.OFTString)
    return int(kind if seen else ogr.OFTString)


def _converted(text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except ValueError:
        return None


def _write(
    target: Path,
    columns: Sequence[Tuple[str, int]],
    rows: Sequence[Row],
    shapes: Sequence[Optional[ogr.Geometry]],
    context: JobContext,
) -> None:
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    source = gdal_call(ogr.GetDriverByName("GPKG").CreateDataSource, str(target), what=target.name)
    types = {shape.GetGeometryType() for shape in shapes if shape is not None}
    options = ["FID=row_number", "GEOMETRY_NAME=place_geometry"]
    kind = types.pop() if len(types) == 1 else ogr.wkbUnknown
    layer = gdal_call(source.CreateLayer, _LAYER, reference, kind, options, what=target.name)
    for name, field_kind in columns:
        layer.CreateField(ogr.FieldDefn(name, field_kind))
    known: Dict[int, Callable[[str], Any]] = {ogr.OFTInteger64: int, ogr.OFTReal: float}
    converters = [known.get(field_kind, str) for _, field_kind in columns]
    layer.StartTransaction()
    for number, (row, shape) in enumerate(zip(rows, shapes)):
        if number % _CHECK_EVERY == 0:
            context.check()
        feature = ogr.Feature(layer.GetLayerDefn())
        for index, text in enumerate(row[: len(columns)]):
            if text.strip():
                feature.SetField(index, converters[index](text))
        feature.SetGeometry(shape)
        layer.CreateFeature(feature)
    layer.CommitTransaction()


def _unique(names: Sequence[str]) -> List[str]:
    """Column names that a database takes: none empty, none twice whatever their case."""
    result: List[str] = []
    taken = {"row_number", "place_geometry"}
    for position, name in enumerate(names, start=1):
        base = candidate = name or f"column_{position}"
        number = 2
        while candidate.lower() in taken:
            candidate = f"{base}_{number}"
            number += 1
        taken.add(candidate.lower())
        result.append(candidate)
    return result
