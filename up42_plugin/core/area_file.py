"""Areas written as a vector file or as GeoJSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, Sequence

from osgeo import ogr, osr

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.aoi import AOI
from up42_plugin.core.geometry.polygons import quiet_gdal, to_ogr
from up42_plugin.core.job_areas import JobArea

_DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}


def geojson_of(areas: Sequence[JobArea]) -> Dict[str, Any]:
    """A GeoJSON polygon of one area; of several a FeatureCollection, each feature named by its label."""
    if len(areas) == 1:
        return areas[0].aoi.geojson()
    features = [
        {"type": "Feature", "properties": {"name": area.label}, "geometry": area.aoi.geojson()} for area in areas
    ]
    return {"type": "FeatureCollection", "features": features}


def write_area(path: Path, aoi: AOI) -> Path:
    """Write one area, without a name; see :func:`write_areas`."""
    return write_areas(path, (JobArea("", aoi),))


def write_areas(path: Path, areas: Sequence[JobArea]) -> Path:
    """Write polygons (EPSG:4326) with names and sizes to a new file, a feature each.

    It is a GeoPackage unless the name says GeoJSON or Shapefile.

    A file of that name is replaced: the person was asked. For workers. Raises ``Up42Error`` when it cannot be written.
    """
    if path.suffix.lower() not in _DRIVERS:
        path = path.with_name(f"{path.name}.gpkg")
    with quiet_gdal():
        try:
            _write(ogr.GetDriverByName(_DRIVERS[path.suffix.lower()]), path, areas)
        except (RuntimeError, AttributeError) as error:  # AttributeError: GDAL without exceptions gives None
            raise Up42Error(
                f"The area could not be written to {path.name}. Choose another folder.", str(error)
            ) from error
    return path


def _write(driver: Any, path: Path, areas: Sequence[JobArea]) -> None:
    if path.exists():
        driver.DeleteDataSource(str(path))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    dataset = driver.CreateDataSource(str(path))
    layer = dataset.CreateLayer(path.stem, reference, ogr.wkbPolygon)
    for name, kind in (("name", ogr.OFTString), ("source", ogr.OFTString), ("area_km2", ogr.OFTReal)):
        layer.CreateField(ogr.FieldDefn(name, kind))
    for area in areas:
        feature = ogr.Feature(layer.GetLayerDefn())
        if area.label:
            feature.SetField("name", area.label)
        feature.SetField("source", area.aoi.source)
        feature.SetField("area_km2", area.aoi.area_km2)
        feature.SetGeometry(to_ogr(area.aoi.rings))
        layer.CreateFeature(feature)
    dataset.FlushCache()
