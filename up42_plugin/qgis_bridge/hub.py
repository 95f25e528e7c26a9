"""The connections: which there are, which one is current, and the way to its service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.connection_check import Subject
from up42_plugin.core.connections import (
    AccountLogin,
    Connection,
    ConnectionKind,
    Credentials,
    ProjectKey,
    secret_of,
    sign_in_of,
)
from up42_plugin.core.monitoring import Pace
from up42_plugin.core.service import ServiceProvider
from up42_plugin.qgis_bridge.credentials import CredentialsError, CredentialsLockedError, CredentialStore
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.network import (
    FollowingSessions,
    QgisNetwork,
    SessionFactory,
    proxy_name,
    session_factory,
    signs_in,
)
from up42_plugin.qgis_bridge.sandbox_process import SandboxProcess
from up42_plugin.qgis_bridge.settings import SANDBOX, PluginSettings, new_connection_id

MakeProvider = Callable[[str, str, Credentials, SessionFactory], ServiceProvider]

_PACES = {ConnectionKind.SANDBOX: Pace(0.5, 5.0), ConnectionKind.CLASSIC: Pace(5.0, 60.0)}


class HubPhase(str, Enum):
    """How far the way to the current connection's service is."""

    IDLE = "IDLE"
    STARTING = "STARTING"
    NEEDS_SIGN_IN = "NEEDS_SIGN_IN"
    READY = "READY"
    FAILED = "FAILED"


@dataclass(frozen=True)
class HubState:
    """The phase, and what to tell the person about it."""

    phase: HubPhase
    message: str = ""


class ConnectionHub(QObject):
    """Knows the connections and opens the current one. Main thread only.

    ``connections_changed`` when the list or the choice changed, ``state_changed(HubState)`` as the way to the service
    opens, ``opened(connection id)`` when the way to any connection's service is open. ``key_wanted(Connection)`` after
    a click, when the connection's key is not kept or no longer there: it is answered with :meth:`sign_in`. Nothing here
    asks for the master password unless :meth:`open` is told that the person clicked.
    """

    connections_changed = pyqtSignal()
    state_changed = pyqtSignal(object)
    key_wanted = pyqtSignal(object)
    opened = pyqtSignal(str)

    def __init__(
        self,
        *,
        settings: PluginSettings,
        credentials: CredentialStore,
        network: QgisNetwork,
        sandbox: SandboxProcess,
        make_provider: MakeProvider,
        log: PanelLog,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._credentials, self._network = settings, credentials, network
        self._sandbox, self._make_provider, self._log = sandbox, make_provider, log
        self._providers: Dict[str, ServiceProvider] = {}
        self._sessions: Dict[str, Tuple[str, FollowingSessions]] = {}
        self._current: Optional[Connection] = None
        self._sandbox_subject: Optional[Tuple[str, ProjectKey]] = None
        self.state = HubState(HubPhase.IDLE)
        sandbox.started.connect(self._sandbox_started)
        sandbox.failed.connect(self._sandbox_failed)

    @property
    def connections(self) -> Tuple[Connection, ...]:
        """All connections, the sandbox first."""
        return self._settings.connections()

    @property
    def current(self) -> Connection:
        """The connection in use here: another window of QGIS may choose another for itself."""
        if self._current is None:
            self._current = self._settings.current_connection()
        return self._current

    def provider_of(self, connection_id: str) -> Optional[ServiceProvider]:
        """The way to a connection's service, None while it is not open."""
        return self._providers.get(connection_id)

    def current_provider(self) -> Optional[ServiceProvider]:
        """The way to the current connection's service, None while it is not open."""
        return self._providers.get(self.current.id)

    def name_of(self, connection_id: str) -> str:
        """A connection's name for people, its id when it is gone."""
        names = {connection.id: connection.name for connection in self.connections}
        return names.get(connection_id, connection_id)

    def pace_of(self, connection_id: str) -> Pace:
        """How often running jobs of a connection are looked after."""
        kinds = {connection.id: connection.kind for connection in self.connections}
        return _PACES[kinds.get(connection_id, ConnectionKind.CLASSIC)]

    def choose(self, connection_id: str) -> None:
        """Make another connection the current one and open it: the person clicked."""
        self._settings.set_current_connection(connection_id)
        self._current = next((item for item in self.connections if item.id == connection_id), SANDBOX)
        self.connections_changed.emit()
        self.open(clicked=True)

    def open(self, clicked: bool) -> None:
        """Open the way to the current connection. Without a click nothing is asked of the person."""
        connection = self.current
        if connection.id in self._providers:
            self._tell(HubPhase.READY)
        elif connection.kind is ConnectionKind.SANDBOX:
            self._tell(HubPhase.STARTING, "Starting the sandbox…")
            self._sandbox.start()
        elif self._credentials.needs_prompt(connection) and not clicked:
            self._tell(HubPhase.NEEDS_SIGN_IN, f"Not signed in to {connection.name}.")
        else:
            self._read_key(connection, clicked)

    def open_quietly(self, connection_id: str) -> bool:
        """Open the way to a connection's service where that asks nothing of the person, and tell whether it is so.

        ``opened`` follows; the sandbox is started first.
        """
        connection = next((item for item in self.connections if item.id == connection_id), None)
        if connection is None or connection_id in self._providers:
            return connection is not None
        if connection.kind is ConnectionKind.SANDBOX:
            self._sandbox.start()
            return True
        if self._credentials.needs_prompt(connection):
            return False
        try:
            key = self._credentials.read(connection)
        except CredentialsError:
            return False
        self._use(connection, key)
        return connection_id in self._providers

    def follow_network(self) -> None:
        """Have every open connection follow QGIS's network settings and certificates as they are now."""
        for address, sessions in self._sessions.values():
            sessions.follow(self._network.settings([address]))

    def reopen(self) -> None:
        """Forget what is open for the current connection and open it anew: the person clicked."""
        self._providers.pop(self.current.id, None)
        self.open(clicked=True)

    def add(self, name: str, address: str, key: Credentials, keep: bool) -> Connection:
        """Add a connection and make it the current one; raises ``CredentialsError`` when its key cannot be kept."""
        connection = _with(Connection(new_connection_id(), name, ConnectionKind.CLASSIC, address), key)
        connection = self._kept(connection, key, keep)
        self._settings.save_connections([*self.connections, connection])
        self.choose(connection.id)
        return connection

    def sign_in(self, connection: Connection, key: Credentials, keep: bool) -> None:
        """Use a key typed anew for a known connection; raises ``CredentialsError`` when it cannot be kept."""
        renewed = self._kept(_with(connection, key), key, keep)
        self._replace(renewed)
        self.choose(renewed.id)

    def update(self, edited: Connection, key: Optional[Credentials], keep: bool) -> None:
        """Take an edited connection; ``key`` None leaves what it signs in with. The sandbox is never edited.

        Raises ``CredentialsError`` when the key cannot be kept, or must move and cannot be read; nothing changes then.
        """
        if edited.id == SANDBOX.id:
            raise ValueError("the sandbox cannot be edited")
        before = next((item for item in self.connections if item.id == edited.id), None)
        if before is None:
            raise CredentialsError(f"The connection {edited.name!r} was removed meanwhile. Cancel, and add it anew.")
        if key is None and keep != bool(before.authcfg):
            key = self._credentials.read(before)
        if key is not None:
            if isinstance(key, AccountLogin):
                key = replace(key, project_id=edited.project_id)
            edited = self._kept(_with(edited, key), key, keep)
        self._replace(edited)
        if edited.id == self.current.id:
            self.connections_changed.emit()
            self.open(clicked=False)
        else:
            self.connections_changed.emit()

    def subject(self, connection: Connection, key: Optional[Credentials] = None) -> Tuple[Subject, SessionFactory]:
        """What a test of a connection asks, and with which sessions; the person clicked.

        ``key`` is one that was typed and not kept yet, None for the kept one. Raises ``CredentialsError``.
        """
        address = connection.address
        if connection.id == SANDBOX.id:
            if self._sandbox_subject is None:
                raise CredentialsError("The sandbox is not running. Choose it in the dock, and it starts.")
            address, key = self._sandbox_subject
        key = key or self._credentials.read(connection)
        if isinstance(key, AccountLogin):
            key = replace(key, project_id=connection.project_id)
        self._log.hide(secret_of(key))
        settings = self._network.settings([address])
        proxy = settings.proxy_for(address)
        return Subject(address, key, proxy_name(proxy), signs_in(proxy)), session_factory(settings)

    @property
    def keeping_hint(self) -> str:
        """What a person should know before a key is kept, for the dialog that asks for it."""
        if not self._credentials.usable:
            return "QGIS's authentication database cannot be used here: the key is kept until QGIS closes."
        if self._credentials.new:
            return (
                "QGIS protects stored keys with its master password. You have none yet: QGIS lets you choose one now, "
                "and asks for it once per session."
            )
        return "QGIS protects stored keys with its master password and asks for it once per session."

    @property
    def sandbox_runs(self) -> bool:
        """Whether the sandbox was started."""
        return self._sandbox_subject is not None

    def _kept(self, connection: Connection, key: Credentials, keep: bool) -> Connection:
        """Keep a key where the person wants it, and nowhere else."""
        if keep:
            return replace(connection, authcfg=self._credentials.store(connection, key))
        if connection.authcfg:
            self._credentials.delete(connection)
        self._credentials.keep_for_session(connection, key)
        return replace(connection, authcfg="")

    def _replace(self, renewed: Connection) -> None:
        self._settings.save_connections([renewed if item.id == renewed.id else item for item in self.connections])
        self._providers.pop(renewed.id, None)
        if self._current is not None and self._current.id == renewed.id:
            self._current = renewed

    def remove(self, connection: Connection) -> None:
        """Forget a connection and its key; the sandbox stays. Raises ``CredentialsError`` when its key cannot go."""
        if connection.id == SANDBOX.id:
            return
        was_current = connection.id == self.current.id
        self._credentials.delete(connection)
        self._providers.pop(connection.id, None)
        self._settings.save_connections([item for item in self.connections if item.id != connection.id])
        if was_current:
            self.choose(SANDBOX.id)
        else:
            self.connections_changed.emit()

    def _read_key(self, connection: Connection, clicked: bool) -> None:
        try:
            key = self._credentials.read(connection)
        except CredentialsLockedError as error:
            self._tell(HubPhase.NEEDS_SIGN_IN, error.user_message)
        except CredentialsError:
            self._tell(HubPhase.NEEDS_SIGN_IN, f"Not signed in to {connection.name}.")
            if clicked:
                self.key_wanted.emit(connection)
        else:
            self._use(connection, key)

    def _use(self, connection: Connection, key: Credentials) -> None:
        if isinstance(key, AccountLogin):
            key = replace(key, project_id=connection.project_id)
        self._log.hide(secret_of(key))
        self._connect(connection.id, connection.address, key)

    def _sandbox_started(self, info: Mapping[str, Any]) -> None:
        key = ProjectKey(str(info["project_id"]), str(info["project_api_key"]))
        self._sandbox_subject = (str(info["base_url"]), key)
        self._connect(SANDBOX.id, str(info["base_url"]), key)

    def _sandbox_failed(self, message: str, detail: str) -> None:
        self._log.error(f"{message} {detail}")
        self._providers.pop(SANDBOX.id, None)
        self._sandbox_subject = None
        if self.current.id == SANDBOX.id:
            self._tell(HubPhase.FAILED, message)

    def _connect(self, connection_id: str, address: str, key: Credentials) -> None:
        try:
            sessions = FollowingSessions(self._network.settings([address]))
            self._sessions[connection_id] = (address, sessions)
            self._providers[connection_id] = self._make_provider(connection_id, address, key, sessions)
        except Up42Error as error:
            self._log.exception("Opening the connection", error)
            if self.current.id == connection_id:
                self._tell(HubPhase.FAILED, error.user_message)
            return
        if self.current.id == connection_id:
            self._tell(HubPhase.READY)
        self.opened.emit(connection_id)

    def _tell(self, phase: HubPhase, message: str = "") -> None:
        self.state = HubState(phase, message)
        self.state_changed.emit(self.state)


def _with(connection: Connection, key: Credentials) -> Connection:
    """The connection as it signs in with this key."""
    account = key.email if isinstance(key, AccountLogin) else ""
    return replace(connection, project_id=key.project_id, sign_in=sign_in_of(key), account=account)
