"""GeoJSON files that blocks deliver, and the little geometry they need from OGR."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional

from osgeo import ogr, osr

from up42_plugin.sandbox.geodesy import WGS84, spatial_reference

_DEGREES, _METRES = 8, 3  # decimals: about a millimetre each


def write(path: Path, features: Iterable[Mapping[str, Any]], epsg: int = WGS84) -> int:
    """Write features whose coordinates are in ``epsg``, one after the other; returns how many.

    Another CRS than WGS 84 is named in the member ``crs``, as it was done before RFC 7946 took that away.
    """
    document: Dict[str, Any] = {"type": "FeatureCollection"}
    if epsg != WGS84:
        document["crs"] = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:EPSG::{epsg}"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_text(document)[:-1] + ',"features":[')
        for count, made in enumerate(features, 1):
            file.write(("," if count > 1 else "") + _text(made))
        file.write("]}")
    return count


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def feature(geometry: Mapping[str, Any], properties: Mapping[str, Any], feature_id: Any = None) -> Dict[str, Any]:
    """A feature of such a file."""
    made: Dict[str, Any] = {"type": "Feature"}
    if feature_id is not None:
        made["id"] = feature_id
    return {**made, "properties": dict(properties), "geometry": dict(geometry)}


def read(path: Path) -> List[Mapping[str, Any]]:
    """The features of a file; raises ``ValueError`` when it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return list(document["features"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is no GeoJSON collection") from error


def shape(geometry: Mapping[str, Any]) -> Any:
    """An OGR geometry of a GeoJSON one."""
    return ogr.CreateGeometryFromJson(json.dumps(dict(geometry)))


def as_json(geometry: Any, degrees: bool = True) -> Dict[str, Any]:
    """A GeoJSON geometry of an OGR one, rounded to about a millimetre."""
    decimals = _DEGREES if degrees else _METRES
    result: Dict[str, Any] = json.loads(geometry.ExportToJson([f"COORDINATE_PRECISION={decimals}"]))
    return result


def reference_of(wkt: str) -> Any:
    """A CRS whose axes are x, y."""
    reference = osr.SpatialReference()
    reference.ImportFromWkt(wkt)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    return reference


def epsg_of(reference: Any) -> Optional[int]:
    """The EPSG code of a CRS, None when it has none."""
    code = reference.GetAuthorityCode(None)
    if code is None:
        known = reference.Clone()
        try:
            if known.AutoIdentifyEPSG() == 0:
                code = known.GetAuthorityCode(None)
        except RuntimeError:
            return None
    return int(code) if code is not None and str(code).isdigit() else None


def to_degrees(reference: Any) -> Any:
    """The transformation from a CRS to longitude and latitude."""
    return osr.CoordinateTransformation(reference, spatial_reference(WGS84))


def from_degrees(reference: Any) -> Any:
    """The transformation from longitude and latitude to a CRS."""
    return osr.CoordinateTransformation(spatial_reference(WGS84), reference)


def memory_layer(reference: Any, kind: int) -> Any:
    """An empty layer in memory, with the data source that keeps it alive."""
    driver = ogr.GetDriverByName("Memory") or ogr.GetDriverByName("MEM")  # one driver since GDAL 3.11
    source = driver.CreateDataSource("")
    return source, source.CreateLayer("made", reference, kind)
