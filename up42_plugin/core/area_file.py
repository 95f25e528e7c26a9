"""An area written as a vector file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from osgeo import ogr, osr

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.aoi import AOI
from up42_plugin.core.geometry.polygons import quiet_gdal, to_ogr

_DRIVERS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}


def write_area(path: Path, aoi: AOI) -> Path:
    """Write one polygon (EPSG:4326) with its size to a new file; GeoPackage unless the name says GeoJSON or Shapefile.

    A file of that name is replaced: the person was asked. For workers. Raises ``Up42Error`` when it cannot be written.
    """
    if path.suffix.lower() not in _DRIVERS:
        path = path.with_name(f"{path.name}.gpkg")
    with quiet_gdal():
        try:
            _write(ogr.GetDriverByName(_DRIVERS[path.suffix.lower()]), path, aoi)
        except (RuntimeError, AttributeError) as error:  # AttributeError: GDAL without exceptions gives None
            raise Up42Error(
                f"The area could not be written to {path.name}. Choose another folder.", str(error)
            ) from error
    return path


def _write(driver: Any, path: Path, aoi: AOI) -> None:
    if path.exists():
        driver.DeleteDataSource(str(path))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    dataset = driver.CreateDataSource(str(path))
    layer = dataset.CreateLayer(path.stem, reference, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("source", ogr.OFTString))
    layer.CreateField(ogr.FieldDefn("area_km2", ogr.OFTReal))
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetField("source", aoi.source)
    feature.SetField("area_km2", aoi.area_km2)
    feature.SetGeometry(to_ogr(aoi.rings))
    layer.CreateFeature(feature)
    dataset.FlushCache()
