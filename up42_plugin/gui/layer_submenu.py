"""A submenu in the menu of a layer of ours, filled for the current layer each time it opens."""

from __future__ import annotations

from typing import Any, Optional

from qgis.core import QgsMapLayer
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QMenu


class LayerSubmenu(QObject):
    """``action`` opens it. What it offers is told by :meth:`fill`."""

    def __init__(self, iface: Any, title: str, name: str, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._iface = iface
        self.menu = QMenu(title)
        self.menu.setToolTipsVisible(True)
        self.menu.aboutToShow.connect(self._fill)
        self.action = self.menu.menuAction()
        self.action.setObjectName(name)

    def close(self) -> None:
        """Forget the menu and its action."""
        self.menu.deleteLater()

    def fill(self, layer: QgsMapLayer) -> None:
        """Offer in the empty menu what belongs to this layer."""
        raise NotImplementedError

    def _fill(self) -> None:
        self.menu.clear()
        layer = self._iface.activeLayer()
        if layer is not None:
            self.fill(layer)
