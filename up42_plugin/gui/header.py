"""The dock's header: connection, tools, balance, and what live jobs cost here."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QWidget

from up42_plugin.core.connections import Connection
from up42_plugin.core.service import Balance
from up42_plugin.gui.texts import NBSP, credits_of
from up42_plugin.gui.widgets import WARNING, ElidedLabel, icon_size, theme_icon, tool_button

ADD = "add-connection"


class Header(QWidget):
    """Shows and chooses the connection. ``chosen`` carries its id; ``add_asked`` the wish for a new one."""

    chosen = pyqtSignal(str)
    add_asked = pyqtSignal()
    refresh_asked = pyqtSignal()
    options_asked = pyqtSignal()
    help_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        self.combo = QComboBox()
        self.combo.setObjectName("connection")
        self.combo.setAccessibleName("Connection")
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumContentsLength(10)
        self.combo.activated.connect(self._activated)
        self._current = ""
        self.refresh_button = tool_button("/mActionRefresh.svg", "Refresh workflows, jobs and balance", "refresh")
        self.refresh_button.clicked.connect(self.refresh_asked)
        grid.addWidget(self.combo, 0, 0)
        grid.addWidget(self.refresh_button, 0, 1)
        self.options_button = tool_button("/mActionOptions.svg", "Options…", "options")
        self.options_button.clicked.connect(self.options_asked)
        grid.addWidget(self.options_button, 0, 2)
        self.help_button = tool_button("/mActionHelpContents.svg", "Help", "help")
        self.help_button.clicked.connect(self.help_asked)
        grid.addWidget(self.help_button, 0, 3)
        grid.setColumnStretch(0, 1)
        line = QHBoxLayout()
        self._balance = QLabel("Balance …")
        self._balance.setObjectName("balance")
        self._balance.setWordWrap(True)
        self._mark_icon = QLabel()
        self._mark = ElidedLabel()  # the balance comes first where both are too long
        self._mark.setObjectName("costMark")
        self._mark.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._mark.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        side = icon_size(self)
        self._mark_icon.setPixmap(theme_icon(WARNING).pixmap(QSize(side, side)))
        line.addWidget(self._balance, 1)
        line.addWidget(self._mark_icon)
        line.addWidget(self._mark)
        grid.addLayout(line, 1, 0, 1, 4)

    def show_connections(self, connections: Sequence[Connection], current: Connection) -> None:
        """List the connections, with the current one chosen and an entry to add another."""
        self.combo.clear()
        for connection in connections:
            self.combo.addItem(theme_icon("/mIconConnect.svg"), connection.name, connection.id)
            tip = connection.address or "Built in: free, offline, synthetic images"
            self.combo.setItemData(self.combo.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.combo.insertSeparator(self.combo.count())
        self.combo.addItem(theme_icon("/mActionAdd.svg"), "Add Connection…", ADD)
        self.combo.setCurrentIndex(self.combo.findData(current.id))
        self._mark_icon.setVisible(current.costs)
        self._mark.setText("Live jobs cost credits" if current.costs else "Free, offline, synthetic images")
        self._current = current.id

    def show_balance(self, balance: Optional[Balance], loading: bool = False, reason: str = "") -> None:
        """Show the credits left, or that they are being read, or why they are not known (in the tooltip)."""
        self._balance.setToolTip(reason)
        if balance is None:
            self._balance.setText("Balance …" if loading else "Balance not available")
            return
        low = ", too low for live jobs" if balance.credits < balance.floor else ""
        self._balance.setText(f"Balance{NBSP}<b>{credits_of(balance.credits)}</b>{low}")

    @property
    def balance_text(self) -> str:
        """What the balance line says."""
        return self._balance.text()

    def _activated(self, index: int) -> None:
        data = str(self.combo.itemData(index) or "")
        if data == ADD:
            self.combo.setCurrentIndex(self.combo.findData(self._current))
            self.add_asked.emit()
        elif data:
            self.chosen.emit(data)
