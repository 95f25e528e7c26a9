"""What a drop changed, with the button that takes it back."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtWidgets import QHBoxLayout, QPushButton, QWidget

from up42_plugin.gui.widgets import INFORMATION, RUNNING, MessageRow


class DropNotice(QWidget):
    """One line above the form, hidden while there is nothing to say."""

    undo_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("dropNotice")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.message = MessageRow()
        self.undo_button = QPushButton("Undo")
        self.undo_button.setObjectName("undoDrop")
        self.undo_button.setAutoDefault(False)
        self.undo_button.clicked.connect(self.undo_asked)
        layout.addWidget(self.message, 1)
        layout.addWidget(self.undo_button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def show_reading(self, name: str) -> None:
        """A file is being read."""
        self._show(RUNNING, f"Reading {name}…", undoable=False)

    def show_done(self, text: str) -> None:
        """What was dropped is in the form now."""
        self._show(INFORMATION, text, undoable=True)
        self.undo_button.setToolTip(f"Back to what was there before. {text}")
        self.undo_button.setAccessibleName(f"Undo: {text}")

    def _show(self, icon: str, text: str, undoable: bool) -> None:
        self.message.show_message(icon, text)
        self.undo_button.setVisible(undoable)
        self.show()
