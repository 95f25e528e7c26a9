"""The area of interest, outlined on the map: red and dashed."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsGeometry,
    QgsProject,
    QgsWkbTypes,
)
from qgis.gui import QgsMapCanvas, QgsRubberBand
from qgis.PyQt.QtCore import QObject, Qt
from qgis.PyQt.QtGui import QColor

from up42_plugin.core.aoi import AOI
from up42_plugin.core.geometry.polygons import to_wkb

_WGS84 = "EPSG:4326"
_MOST_DENSIFIED = 1000


def area_band(canvas: QgsMapCanvas, dashed: bool = False) -> QgsRubberBand:
    """An empty rubber band in the area's red, without a fill."""
    band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
    band.setStrokeColor(QColor(220, 30, 40))
    band.setFillColor(QColor(0, 0, 0, 0))
    band.setLineStyle(Qt.PenStyle.DashLine if dashed else Qt.PenStyle.SolidLine)
    band.setWidth(2)
    return band


def footprint_band(canvas: QgsMapCanvas) -> QgsRubberBand:
    """An empty rubber band in the footprints' yellow, without a fill."""
    band = QgsRubberBand(canvas, QgsWkbTypes.GeometryType.PolygonGeometry)
    band.setStrokeColor(QColor(240, 190, 0))
    band.setFillColor(QColor(0, 0, 0, 0))
    band.setWidth(2)
    return band


def on_map(canvas: QgsMapCanvas, project: QgsProject, geometry: QgsGeometry, vertices: int) -> Optional[QgsGeometry]:
    """A geometry in EPSG:4326 in the map's CRS; None where that does not reach."""
    transform = QgsCoordinateTransform(
        QgsCoordinateReferenceSystem(_WGS84), canvas.mapSettings().destinationCrs(), project.transformContext()
    )
    # Straight edges on the globe bend on the map: follow them, unless there are many short ones anyway.
    dense = geometry.densifyByCount(8) if vertices < _MOST_DENSIFIED else QgsGeometry(geometry)
    try:
        dense.transform(transform)
    except QgsCsException:
        return None
    return dense if dense.boundingBox().isFinite() else None


class AreaOutline(QObject):
    """One rubber band that follows the area, or all areas of a batch, and the map's CRS."""

    def __init__(self, canvas: QgsMapCanvas, project: QgsProject, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._canvas, self._project = canvas, project
        self._aois: Sequence[AOI] = ()
        self._shown = False
        self._zoom_wanted = False
        self._band: Optional[QgsRubberBand] = area_band(canvas)
        self._old_band = area_band(canvas, dashed=True)
        self._old: Sequence[QgsGeometry] = ()
        canvas.destinationCrsChanged.connect(self._draw)

    def show_area(self, aoi: Optional[AOI], before: Sequence[QgsGeometry] = ()) -> None:
        """Outline one area, or nothing; see :meth:`show_areas`."""
        self.show_areas((aoi,) if aoi is not None else (), before)

    def show_areas(self, aois: Sequence[AOI], before: Sequence[QgsGeometry] = ()) -> None:
        """Outline these areas; ``before`` are the shapes (EPSG:4326) they were mended from.

        Mended areas are drawn solid, and what they were before dashed. This is told with every key that is typed in
        the form: what is on the map already is not drawn again.
        """
        if tuple(aois) != self._aois or not _same(before, self._old):
            self._aois, self._old = tuple(aois), before
            self._draw()
        if aois and self._zoom_wanted:
            self.zoom()

    def zoom_when_known(self) -> None:
        """Show the area on the map as soon as there is one."""
        self._zoom_wanted = True
        self.zoom()

    def set_shown(self, shown: bool) -> None:
        """Show the outline only while the dock is open."""
        if shown != self._shown:
            self._shown = shown
            self._draw()

    def zoom(self) -> None:
        """Show the whole area on the map, with some margin; only ever on the person's click."""
        geometry = self._geometry()
        if geometry is not None:
            self._zoom_wanted = False
            extent = geometry.boundingBox()
            extent.scale(1.6)
            self._canvas.setExtent(extent)
            self._canvas.refresh()

    def close(self) -> None:
        """Take the rubber band off the map."""
        if self._band is not None:
            self._canvas.destinationCrsChanged.disconnect(self._draw)
            self._canvas.scene().removeItem(self._band)
            self._canvas.scene().removeItem(self._old_band)
            self._band = None

    def _geometry(self) -> Optional[QgsGeometry]:
        """All areas on the map; those that the map's CRS does not reach are left out."""
        polygons = [QgsGeometry() for _ in self._aois]
        for polygon, aoi in zip(polygons, self._aois):
            polygon.fromWkb(to_wkb(aoi.rings))
        found = [self._on_map(polygon, aoi.vertices) for polygon, aoi in zip(polygons, self._aois)]
        there = [geometry for geometry in found if geometry is not None]
        return QgsGeometry.collectGeometry(there) if there else None

    def _on_map(self, geometry: QgsGeometry, vertices: int) -> Optional[QgsGeometry]:
        return on_map(self._canvas, self._project, geometry, vertices)

    def _draw(self) -> None:
        if self._band is None:
            return
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        geometry = self._geometry() if self._shown else None
        if geometry is not None:
            self._band.setLineStyle(Qt.PenStyle.SolidLine if self._old else Qt.PenStyle.DashLine)
            self._band.setToGeometry(geometry, None)
        self._draw_old()

    def _draw_old(self) -> None:
        self._old_band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        for geometry in self._old if self._shown else ():
            found = self._on_map(geometry, geometry.constGet().nCoordinates())
            if found is not None:
                self._old_band.addGeometry(found, None)


def _same(shapes: Sequence[QgsGeometry], others: Sequence[QgsGeometry]) -> bool:
    """Whether these are the same objects: geometries of a state of the area are never changed."""
    return len(shapes) == len(others) and all(one is other for one, other in zip(shapes, others))
