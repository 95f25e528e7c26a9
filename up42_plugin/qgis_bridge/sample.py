"""A sample area for the first try: the coast at Taormina, Sicily, as a selected feature."""

from __future__ import annotations

from qgis.core import QgsProject, QgsVectorLayer

from up42_plugin.api.errors import Up42Error
from up42_plugin.resources import resource_path

_MARK = "up42/sample"


def add_sample_area(project: QgsProject) -> QgsVectorLayer:
    """Add the sample layer (or find it again) and select its feature; raises ``Up42Error`` if it cannot be read."""
    for layer in project.mapLayers().values():
        if layer.customProperty(_MARK) and isinstance(layer, QgsVectorLayer):
            layer.selectAll()
            return layer
    path = resource_path("sample", "taormina.geojson")
    layer = QgsVectorLayer(str(path), "taormina", "ogr")
    if not layer.isValid():
        raise Up42Error("The sample area could not be read. Install the plugin again.", str(path))
    layer.setCustomProperty(_MARK, True)
    layer.setReadOnly(True)
    project.addMapLayer(layer)
    layer.selectAll()
    return layer
