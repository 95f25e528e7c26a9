"""Add Connection and Sign In: an account's project at an address, with its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional
from urllib.parse import urlsplit

from qgis.gui import QgsPasswordLineEdit
from qgis.PyQt.QtWidgets import QComboBox, QDialog, QDialogButtonBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.connections import Connection, ProjectKey, normalized_address
from up42_plugin.gui.widgets import WARNING, MessageRow, hint_label

_REGIONS = (
    ("Europe (api.up42.com)", "https://api.up42.com"),
    ("Saudi Arabia (api.sa.up42.com)", "https://api.sa.up42.com"),
    ("Other Address", ""),
)
_THIS_COMPUTER = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ConnectionDraft:
    """What was typed. ``keep`` asks for the key to be stored in QGIS's authentication database."""

    name: str
    address: str
    key: ProjectKey
    keep: bool


class ConnectionDialog(QDialog):
    """Fields of a new connection, or of the key of a known one; OK is open once they can be right.

    ``save`` takes the draft at OK. When it raises ``Up42Error`` the dialog says why and stays: nothing typed is lost.
    """

    def __init__(
        self,
        save: Callable[[ConnectionDraft], None],
        connection: Optional[Connection] = None,
        parent: Optional[QWidget] = None,
    ) -> None:
        super().__init__(parent)
        self._save = save
        self.setWindowTitle("Add Connection" if connection is None else "Sign In")
        self.setObjectName("addConnection")
        layout = QVBoxLayout(self)
        form = QFormLayout()
        self._build_fields()
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
        if connection is not None:
            self._fill(connection)

    def _build_fields(self) -> None:
        self.name = QLineEdit()
        self.name.setMaxLength(80)
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

    def _fill(self, connection: Connection) -> None:
        """A known connection: its name and address stay, the key is asked for."""
        known = self.region.findData(connection.address)
        self.region.setCurrentIndex(known if known >= 0 else self.region.count() - 1)
        self.address.setText(connection.address)
        self.name.setText(connection.name)
        self.project_id.setText(connection.project_id)
        self.keep.setCurrentIndex(self.keep.findData(bool(connection.authcfg)))
        for widget in (self.name, self.region, self.address):
            widget.setEnabled(False)
        self.key.setFocus()

    def accept(self) -> None:
        """Save, and close when that went well."""
        try:
            self._save(self.draft)
        except (Up42Error, ValueError) as error:
            self.problem.show_message(WARNING, str(error))
            return
        super().accept()

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
        typed = self.address.text().strip() not in ("", "https://", "http://")
        self.problem.show_message(WARNING, (problem or self._advice()) if typed else "")
        complete = all(edit.text().strip() for edit in (self.name, self.address, self.project_id, self.key))
        self.ok_button.setEnabled(complete and not problem)
        self.ok_button.setToolTip("" if self.ok_button.isEnabled() else problem or "Fill in all fields first")

    def _problem(self) -> str:
        try:
            normalized_address(self.address.text())
        except ValueError as error:
            return str(error)
        return ""

    def _advice(self) -> str:
        """What is possible and still not wise."""
        parts = urlsplit(self.address.text().strip())
        if parts.scheme == "http" and parts.hostname not in _THIS_COMPUTER:
            return "Over http:// everybody on the way can read the key. Use https:// where the service has it."
        return ""
