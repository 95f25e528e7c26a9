"""Add, Edit and Sign In: an account's project at an address, and what opens it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Callable, Optional, Tuple
from urllib.parse import urlsplit

from qgis.gui import QgsPasswordLineEdit
from qgis.PyQt.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QFrame,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.connection_check import Subject
from up42_plugin.core.connections import (
    AccountLogin,
    Connection,
    ConnectionKind,
    Credentials,
    ProjectKey,
    SignIn,
    normalized_address,
)
from up42_plugin.gui.connection_test_panel import ConnectionTestPanel
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.widgets import WARNING, MessageRow, hint_label, show_row
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.network import SessionFactory

_REGIONS = (
    ("Europe (api.up42.com)", "https://api.up42.com"),
    ("Saudi Arabia (api.sa.up42.com)", "https://api.sa.up42.com"),
    ("Other Address", ""),
)
SIGN_IN_TEXTS = {SignIn.PROJECT_KEY: "Project ID and key", SignIn.ACCOUNT: "Account e-mail and password"}
_THIS_COMPUTER = ("127.0.0.1", "localhost", "::1")
_TYPE_AGAIN = "Type it again: what is kept was typed for another address or name."


class Purpose(str, Enum):
    """What the dialog is for, as its title says."""

    ADD = "Add Connection"
    EDIT = "Edit Connection"
    SIGN_IN = "Sign In"


@dataclass(frozen=True)
class ConnectionDraft:
    """What was typed. ``key`` None leaves the kept one; ``keep`` asks for QGIS's authentication database."""

    connection: Connection
    key: Optional[Credentials]
    keep: bool


class ConnectionDialog(QDialog):
    """Fields of a connection; OK is open once they can be right, whatever a test said.

    ``save`` takes the draft at OK. When it raises ``Up42Error`` the dialog says why and stays: nothing typed is lost.
    """

    def __init__(
        self,
        save: Callable[[ConnectionDraft], None],
        hub: ConnectionHub,
        runner: JobRunner,
        *,
        purpose: Purpose = Purpose.ADD,
        connection: Optional[Connection] = None,
        parent: Optional[QWidget] = None,
    ) -> None:
        super().__init__(parent)
        self._save, self._hub, self._purpose, self._connection = save, hub, purpose, connection
        self.setWindowTitle(purpose.value)
        self.setObjectName("connectionDialog")
        layout = QVBoxLayout(self)
        self._build_fields()
        self._form = self._build_form()
        layout.addLayout(self._form)
        layout.addWidget(hint_label(hub.keeping_hint))
        self.problem = MessageRow()
        layout.addWidget(self.problem)
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        line.setFrameShadow(QFrame.Shadow.Sunken)
        layout.addWidget(line)
        self.test = ConnectionTestPanel(runner, self._wanted)
        layout.addWidget(self.test)
        layout.addStretch(1)
        button = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(button.Ok | button.Cancel | button.Help)
        buttons.helpRequested.connect(lambda: show_help(Topic.CONNECTION))
        self.ok_button = buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok_button.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addWidget(buttons)
        self.setMinimumWidth(500)
        if connection is not None:
            self._fill(connection)
        for edit in (self.name, self.address, self.account, self.project_id, self.key):
            edit.textChanged.connect(self._changed)
        self.region.currentIndexChanged.connect(self._region_changed)
        self.sign_in.currentIndexChanged.connect(self._kind_changed)
        self._region_changed()
        self._kind_changed()

    def _build_fields(self) -> None:
        self.name = QLineEdit()
        self.name.setMaxLength(80)
        self.region = QComboBox()
        for label, address in _REGIONS:
            self.region.addItem(label, address)
        self.address = QLineEdit()
        self.address.setPlaceholderText("https://")
        self.sign_in = QComboBox()
        for kind, text in SIGN_IN_TEXTS.items():
            self.sign_in.addItem(text, kind.value)
        self.account = QLineEdit()
        self.project_id = QLineEdit()
        self.key = QgsPasswordLineEdit()
        self.keep = QComboBox()
        self.keep.addItem("QGIS Authentication Database", True)
        self.keep.addItem("Nowhere, Ask Again Next Time", False)

    def _build_form(self) -> QFormLayout:
        form = QFormLayout()
        form.addRow("&Name", self.name)
        form.addRow("&Region", self.region)
        self._address_label, self._account_label = QLabel("&Address"), QLabel("&E-mail")
        self._address_label.setBuddy(self.address)
        self._account_label.setBuddy(self.account)
        form.addRow(self._address_label, self.address)
        form.addRow("&Sign in with", self.sign_in)
        form.addRow(self._account_label, self.account)
        form.addRow("&Project ID", self.project_id)
        self._key_label = QLabel()
        self._key_label.setBuddy(self.key)
        form.addRow(self._key_label, self.key)
        form.addRow("&Keep key in", self.keep)
        return form

    def _fill(self, connection: Connection) -> None:
        """A known connection. What it signs in with is not read, which might ask for the master password."""
        known = self.region.findData(connection.address)
        self.region.setCurrentIndex(known if known >= 0 else self.region.count() - 1)
        self.address.setText(connection.address)
        self.name.setText(connection.name)
        self.sign_in.setCurrentIndex(self.sign_in.findData(connection.sign_in.value))
        self.account.setText(connection.account)
        self.project_id.setText(connection.project_id)
        self.keep.setCurrentIndex(self.keep.findData(bool(connection.authcfg)))
        if self._purpose is Purpose.SIGN_IN:
            for widget in (self.name, self.region, self.address, self.sign_in):
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
        known = self._connection or Connection("new", "", ConnectionKind.CLASSIC)
        project_id, secret, key = self.project_id.text().strip(), self.key.text(), None
        account = self.account.text().strip() if self._kind is SignIn.ACCOUNT else ""
        if secret.strip() and self._kind is SignIn.ACCOUNT:
            key = AccountLogin(project_id, account, secret)
        elif secret.strip():
            key = ProjectKey(project_id, secret.strip())
        edited = replace(
            known,
            name=self.name.text().strip(),
            address=normalized_address(self.address.text()),
            project_id=project_id,
            sign_in=self._kind,
            account=account,
        )
        return ConnectionDraft(edited, key, bool(self.keep.currentData()))

    @property
    def _kind(self) -> SignIn:
        return SignIn(self.sign_in.currentData())

    def _wanted(self) -> Tuple[str, Subject, SessionFactory]:
        draft = self.draft
        return (draft.connection.name, *self._hub.subject(draft.connection, draft.key))

    def _region_changed(self) -> None:
        known = str(self.region.currentData())
        if known or self.address.text() in [address for _, address in _REGIONS]:
            self.address.setText(known)
        show_row(self._form, self.region, self._address_label, self.address, not known)
        self._changed()

    def _kind_changed(self) -> None:
        account = self._kind is SignIn.ACCOUNT
        show_row(self._form, self.sign_in, self._account_label, self.account, account)
        self._key_label.setText("Pass&word" if account else "Project AP&I key")
        self._changed()

    def _changed(self) -> None:
        self.test.clear()
        problem = self._problem()
        typed = self.address.text().strip() not in ("", "https://", "http://")
        self.problem.show_message(WARNING, (problem or self._advice()) if typed else "")
        missing = self._missing()
        able = not missing and not problem
        self.key.setPlaceholderText("Unchanged" if self._may_stay() else "")
        self.ok_button.setEnabled(able)
        self.ok_button.setToolTip("" if able else problem or missing)
        self.test.set_possible(able, problem or missing)

    def _missing(self) -> str:
        fields = [self.name, self.address, self.project_id]
        if self._kind is SignIn.ACCOUNT:
            fields.append(self.account)
        if not all(edit.text().strip() for edit in fields):
            return "Fill in all fields first"
        if self.key.text().strip() or self._may_stay():
            return ""
        return _TYPE_AGAIN if self._purpose is Purpose.EDIT else "Fill in all fields first"

    def _may_stay(self) -> bool:
        """Whether what is kept still belongs to what the fields say: nothing kept goes to another address."""
        known = self._connection
        if self._purpose is not Purpose.EDIT or known is None:
            return False
        same = self._kind is known.sign_in and self.address.text().strip().rstrip("/") == known.address
        if self._kind is SignIn.ACCOUNT:
            return same and self.account.text().strip() == known.account
        return same and self.project_id.text().strip() == known.project_id

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
