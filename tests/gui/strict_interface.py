"""QGIS's interface over real widgets, which keeps account of what a plugin does to it."""

from __future__ import annotations

from typing import Any, List, Tuple

from qgis.core import QgsMapLayerType
from qgis.gui import QgsOptionsWidgetFactory
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QAction, QDockWidget, QMenu
from showcase.headless import HeadlessInterface


class StrictInterface(HeadlessInterface):
    """Notes what is added, told and asked for in vain; what is taken away must have been added before, once."""

    def __init__(self) -> None:
        self.present: List[Tuple[str, Any]] = []
        self.unknown: List[str] = []
        self.told: List[str] = []
        super().__init__()
        self.window.resize(1200, 900)
        self.bar.widgetAdded.connect(lambda item: self.told.append(item.text()))

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            self.__dict__.setdefault("unknown", []).append(name)
        raise AttributeError(f"QGIS's interface is not known to have {name!r} here")

    def addToolBarIcon(self, action: QAction) -> int:  # noqa: N802
        self._added("tool bar icon", action)
        return super().addToolBarIcon(action)

    def removeToolBarIcon(self, action: QAction) -> None:  # noqa: N802
        self._removed("tool bar icon", action)
        super().removeToolBarIcon(action)

    def addPluginToRasterMenu(self, menu: str, action: QAction) -> None:  # noqa: N802
        self._added(f"raster menu {menu}", action)
        super().addPluginToRasterMenu(menu, action)

    def removePluginRasterMenu(self, menu: str, action: QAction) -> None:  # noqa: N802
        self._removed(f"raster menu {menu}", action)
        super().removePluginRasterMenu(menu, action)

    def registerOptionsWidgetFactory(self, factory: QgsOptionsWidgetFactory) -> None:  # noqa: N802
        self._added("options page", factory)
        super().registerOptionsWidgetFactory(factory)

    def unregisterOptionsWidgetFactory(self, factory: QgsOptionsWidgetFactory) -> None:  # noqa: N802
        self._removed("options page", factory)
        super().unregisterOptionsWidgetFactory(factory)

    def registerMainWindowAction(self, action: QAction, keys: str) -> bool:  # noqa: N802
        self._added("shortcut", action)
        return super().registerMainWindowAction(action, keys)

    def unregisterMainWindowAction(self, action: QAction) -> bool:  # noqa: N802
        self._removed("shortcut", action)
        return super().unregisterMainWindowAction(action)

    def addCustomActionForLayerType(  # noqa: N802
        self, action: QAction, menu: str, kind: QgsMapLayerType, all_layers: bool
    ) -> None:
        if action not in self.layer_actions:
            self._added("layer action", action)
        super().addCustomActionForLayerType(action, menu, kind, all_layers)

    def removeCustomActionForLayerType(self, action: QAction) -> bool:  # noqa: N802
        self._removed("layer action", action)
        return super().removeCustomActionForLayerType(action)

    def addDockWidget(self, area: Qt.DockWidgetArea, dock: QDockWidget) -> None:  # noqa: N802
        self._added("dock", dock)
        super().addDockWidget(area, dock)

    def addTabifiedDockWidget(  # noqa: N802
        self, area: Qt.DockWidgetArea, dock: QDockWidget, names: Any = (), raised: bool = False
    ) -> None:
        self._added("dock", dock)
        super().addTabifiedDockWidget(area, dock, names, raised)

    def removeDockWidget(self, dock: QDockWidget) -> None:  # noqa: N802
        self._removed("dock", dock)
        super().removeDockWidget(dock)

    def pluginHelpMenu(self) -> QMenu:  # noqa: N802
        return self.window.menuBar().addMenu("Plugins help")

    def check(self) -> None:
        """Everything added was taken away, and nothing was asked for that QGIS would not have."""
        assert not self.unknown, f"asked of iface: {self.unknown}"
        assert not self.present, f"left behind: {[kind for kind, _ in self.present]}"

    def _added(self, kind: str, what: Any) -> None:
        assert (kind, what) not in self.present, f"added twice: {kind}"
        self.present.append((kind, what))

    def _removed(self, kind: str, what: Any) -> None:
        assert (kind, what) in self.present, f"taken away without having been added: {kind}"
        self.present.remove((kind, what))
