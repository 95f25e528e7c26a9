"""Add Connection: an account's project at an address, with its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional

from qgis.gui import QgsPasswordLineEdit
from qgis.PyQt.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from up42_plugin.core.connections import ProjectKey, normalized_address
from up42_plugin.gui.widgets import WARNING, MessageRow, hint_label

_REGIONS = (
    ("Europe (api.up42.com)", "https://api.up42.com"),
    ("Saudi Arabia (api.sa.up42.com)", "https://api.sa.up42.com"),
    ("Other Address", ""),
)


@dataclass(frozen=True)
class ConnectionDraft:
    """What was typed. ``keep`` asks for the key to be stored in QGIS's authentication database."""

    name: str
    address: str
    key: ProjectKey
    keep: bool


class ConnectionDialog(QDialog):
    """Fields of a new connection; OK is open once they can be right."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add Connection")
        self.setObjectName("addConnection")
        layout = QVBoxLayout(self)
        form = QFormLayout()
        self.name = QLineEdit()
        self.region = QComboBox()
        for label, address in _REGIONS:
            self.region.addItem(label, address)
        self.address = QLineEdit()
        self.address.setPlaceholderText("https://")
        self.project_id = QLineEdit()
        self.key = QgsPasswordLineEdit()
        self.keep = QComboBox()
        self.keep.addItem("QGIS Authentication Database", True)
        self.keep.addItem("Nowhere, Ask Again Next Time", False)
        form.addRow("&Name", self.name)
        form.addRow("&Region", self.region)
        form.addRow("&Address", self.address)
        form.addRow("&Project ID", self.project_id)
        form.addRow("Project API &key", self.key)
        form.addRow("K&eep key in", self.keep)
        layout.addLayout(form)
        hint = "QGIS protects stored keys with its master password and asks for it once per session."
        layout.addWidget(hint_label(hint))
        self.problem = MessageRow()
        layout.addWidget(self.problem)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.ok_button = buttons.button(QDialogButtonBox.StandardButton.Ok)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.setMinimumWidth(460)
        for edit in (self.name, self.address, self.project_id, self.key):
            edit.textChanged.connect(self._check)
        self.region.currentIndexChanged.connect(self._region_changed)
        self._region_changed()

    @property
    def draft(self) -> ConnectionDraft:
        """What was typed; raises ``ValueError`` while the address cannot be one."""
        return ConnectionDraft(
            self.name.text().strip(),
            normalized_address(self.address.text()),
            ProjectKey(self.project_id.text().strip(), self.key.text().strip()),
            bool(self.keep.currentData()),
        )

    def _region_changed(self) -> None:
        known = str(self.region.currentData())
        self.address.setReadOnly(bool(known))
        self.address.setText(known)
        self._check()

    def _check(self) -> None:
        problem = self._problem()
        typed = self.address.text() not in ("", "https://", "http://")
        self.problem.show_message(WARNING, problem if typed else "")
        complete = all(edit.text().strip() for edit in (self.name, self.address, self.project_id, self.key))
        self.ok_button.setEnabled(complete and not problem)
        self.ok_button.setToolTip("" if self.ok_button.isEnabled() else problem or "Fill in all fields first")

    def _problem(self) -> str:
        try:
            normalized_address(self.address.text())
        except ValueError as error:
            return str(error)
        return ""
