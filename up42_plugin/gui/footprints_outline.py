"""Footprints on the map: where the assets lie that are being chosen, or were."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence

from qgis.core import QgsGeometry, QgsPointXY, QgsProject, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtCore import QObject

from up42_plugin.gui.area_outline import footprint_band, on_map


class FootprintsOutline(QObject):
    """One yellow rubber band that follows the map's CRS."""

    def __init__(self, canvas: QgsMapCanvas, project: QgsProject, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._canvas, self._project = canvas, project
        self._shapes: Sequence[QgsGeometry] = ()
        self._band: Optional[QgsRubberBand] = footprint_band(canvas)
        canvas.destinationCrsChanged.connect(self._draw)

    @property
    def shown(self) -> int:
        """How many footprints are on the map."""
        return len(self._shapes)

    def show(self, footprints: Sequence[Optional[Mapping[str, Any]]]) -> None:
        """Outline these GeoJSON geometries (EPSG:4326) in place of others; what is no polygon is left out."""
        found = (_shape(footprint) for footprint in footprints if footprint is not None)
        self._shapes = [shape for shape in found if shape is not None]
        self._draw()

    def close(self) -> None:
        """Take the rubber band off the map."""
        if self._band is not None:
            self._canvas.destinationCrsChanged.disconnect(self._draw)
            self._canvas.scene().removeItem(self._band)
            self._band = None

    def _draw(self) -> None:
        if self._band is None:
            return
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        for shape in self._shapes:
            found = on_map(self._canvas, self._project, shape, shape.constGet().nCoordinates())
            if found is not None:
                self._band.addGeometry(found, None)


def _shape(footprint: Mapping[str, Any]) -> Optional[QgsGeometry]:
    parts = {"Polygon": [footprint.get("coordinates")], "MultiPolygon": footprint.get("coordinates")}
    try:
        polygons: List[Any] = [
            [[QgsPointXY(float(point[0]), float(point[1])) for point in ring] for ring in part]
            for part in parts[str(footprint.get("type"))] or ()
        ]
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    shape = QgsGeometry.fromMultiPolygonXY(polygons)
    return None if shape.isEmpty() else shape
