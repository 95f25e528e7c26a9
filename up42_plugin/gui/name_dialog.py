"""A dialog that asks for another name of something."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from up42_plugin.gui.widgets import INFORMATION, WARNING, MessageRow

SAVING = "Saving…"


class NameDialog(QDialog):
    """Asks for another name of a ``thing`` (``job``). ``asked(name)`` on OK.

    Whoever asked closes it with :meth:`accept`, or says why there is no other name with :meth:`show_failure`.
    """

    asked = pyqtSignal(str)

    def __init__(self, thing: str, name: str, longest: int, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"rename{thing.capitalize()}")
        self.setWindowTitle(f"Rename {thing.capitalize()}")
        self._thing, self._before = thing, name
        layout = QVBoxLayout(self)
        form = QFormLayout()
        self.name = QLineEdit(name)
        self.name.setMaxLength(longest)
        self.name.selectAll()
        form.addRow("&Name", self.name)
        layout.addLayout(form)
        self.failure = MessageRow()
        self.failure.setVisible(False)
        layout.addWidget(self.failure)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok_button = box.button(QDialogButtonBox.StandardButton.Ok)
        box.accepted.connect(lambda: self.asked.emit(self.name.text().strip()))
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.setMinimumWidth(400)
        self.name.textChanged.connect(self._check)
        self._check()

    def show_saving(self) -> None:
        """The name is on its way to the service."""
        self.ok_button.setEnabled(False)
        self.ok_button.setToolTip(SAVING)
        self.failure.show_message(INFORMATION, SAVING)

    def show_failure(self, text: str) -> None:
        """It has its old name still: say why, and keep what was typed."""
        self.failure.show_message(WARNING, text)
        self._check()

    def _check(self) -> None:
        name = self.name.text().strip()
        reason = f"Give the {self._thing} a name." if not name else ""
        if name == self._before:
            reason = "This is its name already."
        self.ok_button.setEnabled(not reason)
        self.ok_button.setToolTip(reason)
