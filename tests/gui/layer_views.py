"""What layers on the map show: their kinds, their groups, and their pixels over an area."""

from __future__ import annotations

from typing import List

import numpy as np
from osgeo import gdal
from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsMapLayer,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)


def over_area(layer: QgsRasterLayer, wkt: str) -> np.ndarray:
    """All bands of a raster's pixels inside an area (EPSG:4326), shape (bands, pixels), from what GDAL reads."""
    outline = "/vsimem/area.geojson"
    geometry = QgsGeometry.fromWkt(wkt).asJson()
    gdal.FileFromMemBuffer(outline, f'{{"type":"Feature","properties":{{}},"geometry":{geometry}}}'.encode())
    dataset = gdal.Open(layer.source())
    cut = gdal.Warp("", dataset, format="MEM", cutlineDSName=outline, cropToCutline=True, dstAlpha=True)
    gdal.Unlink(outline)
    pixels = cut.ReadAsArray()
    inside = pixels[-1] > 0
    assert inside.any()
    return pixels[:-1, inside]


def covers(layer: QgsMapLayer, wkt: str) -> bool:
    """Whether a layer's extent covers an area (EPSG:4326)."""
    area = QgsGeometry.fromWkt(wkt)
    transform = QgsCoordinateTransform(QgsCoordinateReferenceSystem("EPSG:4326"), layer.crs(), QgsProject.instance())
    area.transform(transform)
    return QgsGeometry.fromRect(layer.extent().buffered(0.5)).contains(area)


def group_of(layer: QgsMapLayer) -> str:
    return QgsProject.instance().layerTreeRoot().findLayer(layer.id()).parent().name()


def rasters(layers: List[QgsMapLayer]) -> List[QgsRasterLayer]:
    return [layer for layer in layers if isinstance(layer, QgsRasterLayer)]


def vectors(layers: List[QgsMapLayer]) -> List[QgsVectorLayer]:
    return [layer for layer in layers if isinstance(layer, QgsVectorLayer)]
