"""Adding, editing and signing in to connections: opens the dialog and hands what was typed to the hub."""

from __future__ import annotations

from typing import Callable, Optional

from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QWidget

from up42_plugin.core.connections import Connection, secret_of
from up42_plugin.gui.connection_dialog import ConnectionDialog, ConnectionDraft, Purpose
from up42_plugin.qgis_bridge.hub import ConnectionHub
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog


class ConnectionEditing(QObject):
    """One dialog at a time, over ``window()``."""

    def __init__(
        self,
        hub: ConnectionHub,
        runner: JobRunner,
        log: PanelLog,
        window: Callable[[], QWidget],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._hub, self._runner, self._log, self._window = hub, runner, log, window
        self.dialog: Optional[ConnectionDialog] = None

    def add(self) -> None:
        """Ask for a new connection."""

        def save(draft: ConnectionDraft) -> None:
            if draft.key is not None:  # OK is closed without one
                self._log.hide(secret_of(draft.key))
                self._hub.add(draft.connection.name, draft.connection.address, draft.key, draft.keep)

        self._open(save, Purpose.ADD, None)

    def edit(self, connection: Connection) -> None:
        """Change a connection."""

        def save(draft: ConnectionDraft) -> None:
            if draft.key is not None:
                self._log.hide(secret_of(draft.key))
            self._hub.update(draft.connection, draft.key, draft.keep)

        self._open(save, Purpose.EDIT, connection)

    def ask_key(self, connection: Connection) -> None:
        """Ask for what opens a connection: it is kept nowhere, or no longer where it was."""

        def save(draft: ConnectionDraft) -> None:
            if draft.key is not None:
                self._log.hide(secret_of(draft.key))
                self._hub.sign_in(connection, draft.key, draft.keep)

        self._open(save, Purpose.SIGN_IN, connection)

    def close(self) -> None:
        """Close the dialog, as with Cancel."""
        if self.dialog is not None:
            self.dialog.reject()

    def _open(
        self, save: Callable[[ConnectionDraft], None], purpose: Purpose, connection: Optional[Connection]
    ) -> None:
        if self.dialog is not None:
            self.dialog.raise_()
            return
        dialog = self.dialog = ConnectionDialog(
            save, self._hub, self._runner, purpose=purpose, connection=connection, parent=self._window()
        )
        dialog.setModal(True)
        dialog.finished.connect(self._closed)
        dialog.open()

    def _closed(self, *_: object) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()
