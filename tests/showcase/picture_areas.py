"""The areas of the pictures: Taormina, and its neighbours that have something wrong with them."""

from __future__ import annotations

from typing import Mapping, Tuple

from qgis.core import (
    QgsFeature,
    QgsFillSymbol,
    QgsGeometry,
    QgsProject,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)

#: Longitude and latitude, EPSG:4326.
AREAS: Mapping[str, str] = {
    "Taormina": "MultiPolygon (((15.282326 37.854051, 15.281897 37.843275, 15.301208 37.843139, "
    "15.301809 37.853577, 15.282326 37.854051)))",
    "Letojanni": "MultiPolygon (((15.3050 37.8720, 15.3070 37.8901, 15.3370 37.8886, 15.3340 37.8712, "
    "15.3050 37.8720)))",
    "Giardini": "MultiPolygon (((15.2600 37.8180, 15.2610 37.8362, 15.2900 37.8370, 15.2895 37.8185, "
    "15.2600 37.8180)))",
    # two parts, together too small
    "Islets": "MultiPolygon (((15.3040 37.8450, 15.3040 37.8467, 15.3061 37.8467, 15.3061 37.8450, 15.3040 37.8450)),"
    "((15.3110 37.8490, 15.3110 37.8507, 15.3131 37.8507, 15.3131 37.8490, 15.3110 37.8490)))",
    # three neighbours, together too large for a live job
    "North": "MultiPolygon (((15.18 37.9203, 15.27 37.9203, 15.27 37.9767, 15.18 37.9767, 15.18 37.9203)))",
    "Middle": "MultiPolygon (((15.18 37.8639, 15.27 37.8639, 15.27 37.9203, 15.18 37.9203, 15.18 37.8639)))",
    "South": "MultiPolygon (((15.18 37.8075, 15.27 37.8075, 15.27 37.8639, 15.18 37.8639, 15.18 37.8075)))",
}
AREAS_LAYER = "taormina"
THREE: Tuple[str, ...] = ("Taormina", "Letojanni", "Giardini")
LARGE: Tuple[str, ...] = ("North", "Middle", "South")


def add_layer(name: str, project: QgsProject) -> QgsVectorLayer:
    """Add a layer with these areas, drawn in grey so that the plugin's outline is seen on it."""
    layer = QgsVectorLayer("MultiPolygon?crs=EPSG:4326&field=name:string", name, "memory")
    features = []
    for area, wkt in AREAS.items():
        feature = QgsFeature(layer.fields())
        feature["name"] = area
        feature.setGeometry(QgsGeometry.fromWkt(wkt))
        features.append(feature)
    layer.dataProvider().addFeatures(features)
    symbol = QgsFillSymbol.createSimple({"color": "225,225,220,255", "outline_color": "150,150,145,255"})
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
    layer.setCustomProperty("skipMemoryLayersCheck", 1)
    project.addMapLayer(layer)
    return layer
