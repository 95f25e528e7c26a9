"""The connection in the dock: choosing one, signing in, and what its project holds."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from up42_plugin.api.errors import NetworkError, Up42Error
from up42_plugin.core.service import Balance
from up42_plugin.gui.connection_editing import ConnectionEditing
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.form_memory import FormMemory
from up42_plugin.gui.message_actions import TRY_AGAIN, split_action
from up42_plugin.gui.new_job import NewJob
from up42_plugin.qgis_bridge.hub import ConnectionHub, HubPhase, HubState
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.project_data import ProjectData, ProjectReader


class Connecting(QObject):
    """Shows the connections and reads the current one's project. Answers of another connection are dropped.

    ``switched(connection id)`` when another connection became the current one, ``opened(connection id)`` when the way
    to the service of the current one was opened.
    """

    switched = pyqtSignal(str)
    opened = pyqtSignal(str)

    def __init__(
        self,
        hub: ConnectionHub,
        reader: ProjectReader,
        *,
        dock: Up42Dock,
        new_job: NewJob,
        memory: FormMemory,
        window: QWidget,
        log: PanelLog,
        runner: JobRunner,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._hub, self._reader, self._dock, self._new_job = hub, reader, dock, new_job
        self._memory, self._log = memory, log
        self.editing = ConnectionEditing(hub, runner, log, lambda: window, self)
        self._shown = ""
        dock.header.chosen.connect(hub.choose)
        dock.header.add_asked.connect(self.editing.add)
        hub.connections_changed.connect(self.show)
        hub.key_wanted.connect(self.editing.ask_key)
        hub.state_changed.connect(self._hub_changed)
        reader.project_read.connect(self._project_read)
        reader.failed.connect(self._project_failed)
        reader.waiting.connect(self._waiting)
        reader.balance_read.connect(self._balance_read)
        reader.balance_failed.connect(self._balance_failed)

    def show(self) -> None:
        """List the connections. Of one that is no longer current nothing stays, neither workflows nor balance."""
        current = self._hub.current
        self._dock.header.show_connections(self._hub.connections, current)
        if current.id == self._shown:
            return
        self._shown = current.id
        self._reader.stop()
        self._dock.header.show_balance(None)
        self._dock.workflow.show_text("No connection")
        self._new_job.set_trouble("Choose a connection first.")
        self.switched.emit(current.id)

    def open(self) -> None:
        """The dock was opened: open the connection too, as far as that asks nothing of the person."""
        if self._hub.state.phase in (HubPhase.IDLE, HubPhase.FAILED):
            self._hub.open(clicked=False)

    def again(self) -> None:
        """Refresh, Try Again, Sign In: the person clicked, perhaps after a change in QGIS's network settings."""
        self._hub.follow_network()
        if self._hub.current_provider() is None or self._hub.state.phase is not HubPhase.READY:
            self._hub.reopen()
            return
        if self._dock.workflow.current is None:
            self._await_project()
        self._new_job.ask_price_again()
        self._read_project()

    def read_balance(self, connection_id: str) -> None:
        """Read the balance anew where it may have changed."""
        provider = self._hub.current_provider()
        if provider is not None and provider.connection_id == connection_id:
            self._reader.read_balance(provider)

    def close(self) -> None:
        """Close what is open, as with Cancel."""
        self._reader.stop()
        self.editing.close()

    def _hub_changed(self, state: HubState) -> None:
        if state.phase is HubPhase.READY:
            self._await_project()
            self._read_project()
            self.opened.emit(self._hub.current.id)
            return
        self._reader.stop()
        loading = state.phase is HubPhase.STARTING
        self._dock.workflow.show_text("Loading workflows…" if loading else "No connection")
        self._dock.header.show_balance(None, loading=loading, reason=state.message)
        sentence, action = split_action(state.message)
        again = "" if loading else ("Sign In" if state.phase is HubPhase.NEEDS_SIGN_IN else action or TRY_AGAIN)
        self._new_job.set_trouble(sentence, again)

    def _await_project(self) -> None:
        self._dock.workflow.show_text("Loading workflows…")
        self._new_job.set_trouble("")

    def _read_project(self) -> None:
        provider = self._hub.current_provider()
        if provider is not None:
            self._dock.header.show_balance(None, loading=True)
            self._reader.read(provider)

    def _project_read(self, project: ProjectData) -> None:
        if project.connection_id == self._hub.current.id:
            self._new_job.set_project(project)
            self._memory.restore_workflow()

    def _project_failed(self, connection_id: str, error: BaseException) -> None:
        if connection_id != self._hub.current.id:
            return
        message = error.user_message if isinstance(error, Up42Error) else "The project could not be read."
        self._log.warning(f"{message} {getattr(error, 'detail', '')}".rstrip())
        if isinstance(error, NetworkError) and self._new_job.has_project:
            self._new_job.set_offline(message)
            return
        sentence, action = split_action(message)
        self._dock.workflow.show_text("Workflows not available")
        self._new_job.set_trouble(sentence, action or TRY_AGAIN)

    def _waiting(self, connection_id: str, text: str) -> None:
        if connection_id == self._hub.current.id:
            self._new_job.set_waiting(text)

    def _balance_read(self, connection_id: str, balance: Balance) -> None:
        if connection_id == self._hub.current.id:
            self._dock.header.show_balance(balance)
            self._new_job.set_balance(balance)

    def _balance_failed(self, connection_id: str, error: BaseException) -> None:
        if connection_id == self._hub.current.id:
            self._dock.header.show_balance(None, reason=getattr(error, "user_message", ""))
            self._new_job.set_balance(None)
