"""Drawing the area on the map: a polygon click by click, or a rectangle in one drag."""

from __future__ import annotations

from typing import List, Optional

from qgis.core import QgsGeometry, QgsPointXY, QgsRectangle, QgsWkbTypes
from qgis.gui import QgsMapCanvas, QgsMapMouseEvent, QgsMapTool, QgsMapToolExtent, QgsRubberBand
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QKeyEvent

from up42_plugin.gui.area_outline import area_band
from up42_plugin.qgis_bridge.area_sources import SourceKind

_FEWEST = 3


class PolygonTool(QgsMapTool):
    """Left click adds a corner, Backspace takes the last away, right click or Return ends, Esc gives up."""

    drawn = pyqtSignal(object)
    given_up = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self._corners: List[QgsPointXY] = []
        self._band: Optional[QgsRubberBand] = area_band(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def canvasReleaseEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802 - QGIS's name
        """A corner, or the end."""
        if event.button() == Qt.MouseButton.RightButton:
            self._end()
        elif event.button() == Qt.MouseButton.LeftButton:
            # Where the pointer is: nothing is snapped to.
            self._corners.append(self.toMapCoordinates(event.originalPixelPoint()))
            self._show(None)

    def canvasDoubleClickEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802 - QGIS's name
        """The end; its first click has added the corner."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._end()

    def canvasMoveEvent(self, event: QgsMapMouseEvent) -> None:  # noqa: N802 - QGIS's name
        """The outline follows the pointer."""
        if self._corners:
            self._show(self.toMapCoordinates(event.originalPixelPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - QGIS's name
        """Esc, Return and Backspace; the rest is the canvas's."""
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.given_up.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._end()
        elif key in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self._corners = self._corners[:-1]
            self._show(None)
        else:
            event.ignore()
            return
        event.accept()

    def remove(self) -> None:
        """Take the rubber band off the map."""
        if self._band is not None:
            self.canvas().scene().removeItem(self._band)
            self._band = None

    def _end(self) -> None:
        if len(self._corners) >= _FEWEST:
            self.drawn.emit(QgsGeometry.fromPolygonXY([[*self._corners, self._corners[0]]]))

    def _show(self, pointer: Optional[QgsPointXY]) -> None:
        if self._band is None:
            return
        self._band.reset(QgsWkbTypes.GeometryType.PolygonGeometry)
        for corner in self._corners:
            self._band.addPoint(corner, False)
        if pointer is not None:
            self._band.addPoint(pointer, False)
        self._band.updatePosition()
        self._band.update()


class RectangleTool(QgsMapToolExtent):
    """QGIS's own tool for an extent, that gives up on Esc."""

    drawn = pyqtSignal(object)
    given_up = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas) -> None:
        super().__init__(canvas)
        self.extentChanged.connect(self._ended)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - QGIS's name
        """Esc; the rest is the canvas's."""
        if event.key() == Qt.Key.Key_Escape:
            event.accept()
            self.given_up.emit()
        else:
            event.ignore()

    def remove(self) -> None:
        """Take the rubber band off the map."""
        self.clearRubberBand()

    def _ended(self, extent: QgsRectangle) -> None:
        if not extent.isEmpty():
            self.drawn.emit(QgsGeometry.fromRect(extent))


class AreaDrawing(QObject):
    """Lends the canvas a tool until something is drawn, and gives back the one that was there.

    ``drawn`` brings the :class:`SourceKind`, the geometry and the map's CRS; ``given_up`` comes after Esc, or when the
    person takes up another tool.
    """

    drawn = pyqtSignal(object, object, object)
    given_up = pyqtSignal()

    def __init__(self, canvas: QgsMapCanvas, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._tool: Optional[QgsMapTool] = None
        self._previous: Optional[QgsMapTool] = None
        self._kind = SourceKind.POLYGON

    @property
    def active(self) -> bool:
        """Whether the person is drawing."""
        return self._tool is not None

    def start(self, kind: SourceKind) -> None:
        """Begin to draw a polygon or a rectangle, anew when one was begun."""
        self._give_back()
        self._kind = kind
        self._previous = self._canvas.mapTool()
        tool = RectangleTool(self._canvas) if kind is SourceKind.RECTANGLE else PolygonTool(self._canvas)
        tool.drawn.connect(self._drawn)
        tool.given_up.connect(self._give_up)
        self._tool = tool
        self._canvas.setMapTool(tool)
        tool.deactivated.connect(self._give_up)
        self._canvas.setFocus()

    def close(self) -> None:
        """Leave the canvas as it was."""
        self._give_back()

    def _drawn(self, geometry: QgsGeometry) -> None:
        crs = self._canvas.mapSettings().destinationCrs()
        self._give_back()
        self.drawn.emit(self._kind, geometry, crs)

    def _give_up(self) -> None:
        if self._tool is not None:
            self._give_back()
            self.given_up.emit()

    def _give_back(self) -> None:
        tool, self._tool = self._tool, None
        if tool is None:
            return
        tool.deactivated.disconnect(self._give_up)
        tool.remove()
        if self._canvas.mapTool() is tool:
            self._canvas.unsetMapTool(tool)
            if self._previous is not None and not sip.isdeleted(self._previous):
                self._canvas.setMapTool(self._previous)
        self._previous = None
        tool.deleteLater()
