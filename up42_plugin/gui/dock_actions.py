"""What can be done in the dock as actions: QGIS lets people give each a shortcut of their own."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Tuple

from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QKeySequence
from qgis.PyQt.QtWidgets import QAction

from up42_plugin.gui.dock import Up42Dock

#: Object name, text in QGIS's list of shortcuts, shortcut.
_ACTIONS: Tuple[Tuple[str, str, str], ...] = (
    ("Up42RunTestQuery", "UP42: Run Test Query", "Ctrl+Return"),
    ("Up42RunLiveJob", "UP42: Run Live Job…", ""),
    ("Up42Refresh", "UP42: Refresh Workflows, Jobs and Balance", ""),
    ("Up42Options", "UP42: Options…", ""),
    ("Up42OpenJsonInWindow", "UP42: Open JSON in Window…", ""),
    ("Up42Help", "UP42: Help", ""),
)


class DockActions:
    """Actions that work while the focus is in the dock."""

    def __init__(self, iface: Any, dock: Up42Dock, slots: Mapping[str, Callable[[], Any]]) -> None:
        self._iface, self._dock = iface, dock
        self.by_name: Dict[str, QAction] = {}
        for name, text, keys in _ACTIONS:
            action = QAction(text, dock)
            action.setObjectName(name)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            action.setShortcut(QKeySequence(keys))
            action.triggered.connect(lambda _=False, slot=slots[name]: slot())
            dock.addAction(action)
            iface.registerMainWindowAction(action, keys)
            self.by_name[name] = action

    def close(self) -> None:
        """Take them out of QGIS's list."""
        for action in self.by_name.values():
            self._iface.unregisterMainWindowAction(action)
            self._dock.removeAction(action)
            action.deleteLater()
        self.by_name.clear()
