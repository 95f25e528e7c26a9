"""What the tests of the Area section share: shapes as text, and what a person does on the map."""

from __future__ import annotations

from plugin_kit import turn, wait_for
from qgis.gui import QgsMapMouseEvent, QgsRubberBand
from qgis.PyQt.QtCore import QEvent, QPoint, Qt
from qgis.PyQt.QtTest import QTest

NBSP = "\u00a0"
TWO_SMALL_PARTS = (
    "MultiPolygon (((15.28 37.84, 15.2825 37.84, 15.2825 37.8415, 15.28 37.8415, 15.28 37.84)), "
    "((15.286 37.84, 15.2875 37.84, 15.2875 37.8415, 15.286 37.8415, 15.286 37.84)))"
)
TINY = "Polygon ((15.28 37.84, 15.282 37.84, 15.282 37.842, 15.28 37.842, 15.28 37.84))"
BOW_TIE = "Polygon ((15.28 37.84, 15.30 37.86, 15.30 37.84, 15.28 37.86, 15.28 37.84))"
HOLED = (
    "Polygon ((15.28 37.84, 15.30 37.84, 15.30 37.86, 15.28 37.86, 15.28 37.84), "
    "(15.285 37.845, 15.285 37.85, 15.29 37.85, 15.29 37.845, 15.285 37.845))"
)
MERIDIAN = "Polygon ((179.9 10, 180.05 10, 180.05 10.1, 179.9 10.1, 179.9 10))"
BEYOND_UTM = "Polygon ((400000 4100000, 40000000 4100000, 40000000 4200000, 400000 4200000, 400000 4100000))"
LARGE = "Polygon ((15 37, 15.2 37, 15.2 37.2, 15 37.2, 15 37))"


def state(kit):
    return kit.desk.new_job.selection


def take(kit, kind):
    """Choose an entry of Take from."""
    combo = kit.dock.area.source
    combo.setCurrentIndex(combo.findData(kind.value))


def press(kit, name):
    """Click the button of a row."""
    problem = kit.dock.area.problem
    wait_for(lambda: problem.button(name), f"the button {name}; {problem.text}")
    turn()  # the rows may be made anew
    QTest.mouseClick(wait_for(lambda: problem.button(name), f"the button {name}"), Qt.MouseButton.LeftButton)
    turn()


def mouse(kit, kind, x, y, button=Qt.MouseButton.LeftButton):
    canvas = kit.iface.mapCanvas()
    event = QgsMapMouseEvent(canvas, kind, QPoint(x, y), button, button, Qt.KeyboardModifier.NoModifier)
    tool = canvas.mapTool()
    if kind == QEvent.Type.MouseButtonPress:
        tool.canvasPressEvent(event)
    elif kind == QEvent.Type.MouseMove:
        tool.canvasMoveEvent(event)
    else:
        tool.canvasReleaseEvent(event)


def corner(kit, x, y, button=Qt.MouseButton.LeftButton):
    mouse(kit, QEvent.Type.MouseMove, x, y)
    mouse(kit, QEvent.Type.MouseButtonRelease, x, y, button)


def rubber_bands(kit):
    return [item for item in kit.iface.mapCanvas().scene().items() if isinstance(item, QgsRubberBand)]
