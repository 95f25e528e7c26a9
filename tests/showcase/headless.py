"""A QGIS without a desktop: the application, a main window with a map, and the part of ``iface`` the plugin uses."""

from __future__ import annotations

import sys
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from qgis.core import QgsApplication, QgsMapLayer, QgsMapLayerType, QgsProject, QgsVectorLayer
from qgis.gui import (
    QgsLayerTreeMapCanvasBridge,
    QgsMapCanvas,
    QgsMessageBar,
    QgsOptionsWidgetFactory,
)
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QObject, Qt, pyqtSignal, qInstallMessageHandler
from qgis.PyQt.QtGui import QColor, QFont
from qgis.PyQt.QtWidgets import QAction, QDockWidget, QMainWindow, QMenu, QToolBar, QVBoxLayout, QWidget


class HeadlessInterface(QObject):
    """The methods of ``QgisInterface`` that the plugin calls, over real widgets. Anything else is an error."""

    currentLayerChanged = pyqtSignal(object)  # noqa: N815 - QGIS's name

    def __init__(self) -> None:
        super().__init__()
        self.window = QMainWindow()
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        self.bar = QgsMessageBar(central)
        self.canvas = QgsMapCanvas(central)
        self.canvas.setCanvasColor(QColor("white"))
        layout.addWidget(self.bar)
        layout.addWidget(self.canvas, 1)
        self.window.setCentralWidget(central)
        self.tools = QToolBar("Plugins")
        self.window.addToolBar(self.tools)
        self.menus: List[QAction] = []
        self.options: List[QgsOptionsWidgetFactory] = []
        self.options_shown: List[str] = []
        self.shortcuts: List[QAction] = []
        self.logs_shown = 0
        self.tables: List[str] = []
        self.active: Optional[QgsMapLayer] = None
        self.layer_actions: Dict[QAction, List[Tuple[str, QgsMapLayerType, bool]]] = {}
        self.layers_with_actions: Dict[str, List[QAction]] = {}
        self.bridge = QgsLayerTreeMapCanvasBridge(QgsProject.instance().layerTreeRoot(), self.canvas)

    def close(self) -> None:
        """Take window and map down while the application still stands."""
        self.bridge.deleteLater()
        self.active = None
        self.canvas.stopRendering()
        self.window.close()
        self.window.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    def mainWindow(self) -> QMainWindow:  # noqa: N802
        return self.window

    def mapCanvas(self) -> QgsMapCanvas:  # noqa: N802
        return self.canvas

    def messageBar(self) -> QgsMessageBar:  # noqa: N802
        return self.bar

    def pluginHelpMenu(self) -> QMenu:  # noqa: N802
        return QMenu()

    def addToolBarIcon(self, action: QAction) -> int:  # noqa: N802
        self.tools.addAction(action)
        return 0

    def removeToolBarIcon(self, action: QAction) -> None:  # noqa: N802
        self.tools.removeAction(action)

    def addPluginToRasterMenu(self, _menu: str, action: QAction) -> None:  # noqa: N802
        self.menus.append(action)

    def removePluginRasterMenu(self, _menu: str, action: QAction) -> None:  # noqa: N802
        self.menus.remove(action)

    def registerOptionsWidgetFactory(self, factory: QgsOptionsWidgetFactory) -> None:  # noqa: N802
        self.options.append(factory)

    def unregisterOptionsWidgetFactory(self, factory: QgsOptionsWidgetFactory) -> None:  # noqa: N802
        self.options.remove(factory)

    def registerMainWindowAction(self, action: QAction, _keys: str) -> bool:  # noqa: N802
        self.shortcuts.append(action)
        return True

    def unregisterMainWindowAction(self, action: QAction) -> bool:  # noqa: N802
        self.shortcuts.remove(action)
        return True

    def showOptionsDialog(self, _parent: Optional[QWidget] = None, page: str = "") -> None:  # noqa: N802
        self.options_shown.append(page)

    def activeLayer(self) -> Optional[QgsMapLayer]:  # noqa: N802
        return self.active

    def setActiveLayer(self, layer: QgsMapLayer) -> bool:  # noqa: N802
        self.active = layer
        return True

    def addCustomActionForLayerType(  # noqa: N802
        self, action: QAction, menu: str, kind: QgsMapLayerType, all_layers: bool
    ) -> None:
        self.layer_actions.setdefault(action, []).append((menu, kind, all_layers))

    def addCustomActionForLayer(self, action: QAction, layer: QgsMapLayer) -> None:  # noqa: N802
        assert any(kind == layer.type() for _, kind, _ in self.layer_actions[action])
        self.layers_with_actions.setdefault(layer.id(), []).append(action)

    def removeCustomActionForLayerType(self, action: QAction) -> bool:  # noqa: N802
        for actions in self.layers_with_actions.values():
            if action in actions:
                actions.remove(action)
        return self.layer_actions.pop(action, None) is not None

    def showAttributeTable(self, layer: QgsVectorLayer) -> None:  # noqa: N802
        self.tables.append(layer.name())

    def openMessageLog(self) -> None:  # noqa: N802
        self.logs_shown += 1

    def addDockWidget(self, area: Qt.DockWidgetArea, dock: QDockWidget) -> None:  # noqa: N802
        self.window.addDockWidget(area, dock)

    def addTabifiedDockWidget(  # noqa: N802
        self, area: Qt.DockWidgetArea, dock: QDockWidget, _names: Any = (), _raise: bool = False
    ) -> None:
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock: QDockWidget) -> None:  # noqa: N802
        self.window.removeDockWidget(dock)


def start_qgis() -> QgsApplication:
    """The application, with widgets but without a screen."""
    qInstallMessageHandler(_quiet)
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts, True)
    application = QgsApplication([arg.encode() for arg in sys.argv[:1]], True)
    font = QFont("DejaVu Sans")
    font.setPointSize(9)
    application.setFont(font)
    application.initQgis()
    application.authManager().setMasterPassword("throw-away", True)
    return application


def _quiet(_kind: object, _context: object, text: str) -> None:
    """Qt's own remarks, without those that the screenless platform makes about itself."""
    if "This plugin does not support" not in text:
        print(text, file=sys.stderr)  # noqa: T201


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60.0, each: Optional[Callable] = None) -> None:
    """Run the event loop until ``condition``; raises ``TimeoutError`` naming what was waited for."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        QgsApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        if each is not None:
            each()
        time.sleep(0.01)
