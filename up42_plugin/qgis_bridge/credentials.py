"""Project IDs and keys in QGIS's authentication database, or in memory for this session only.

Everything here runs on the main thread and after a click: reading or writing the database may make QGIS ask for its
master password, which must never happen by itself. The sandbox's key is no secret and never comes here.
"""

from __future__ import annotations

from typing import Dict

from qgis.core import QgsAuthManager, QgsAuthMethodConfig

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.connections import (
    AccountLogin,
    Connection,
    ConnectionKind,
    Credentials,
    ProjectKey,
    SignIn,
    secret_of,
)

METHOD = "Basic"
_USER = "username"
_KEY = "password"


class CredentialsError(Up42Error):
    """The key could not be read or kept."""


class CredentialsLockedError(CredentialsError):
    """QGIS's authentication database is locked: no master password was given. The session-only choice is left."""


class CredentialStore:
    """Keeps the keys of connections. ``manager`` is QGIS's authentication manager."""

    def __init__(self, manager: QgsAuthManager) -> None:
        self._manager = manager
        self._session: Dict[str, Credentials] = {}

    def __repr__(self) -> str:
        return f"CredentialStore({len(self._session)} for this session only)"

    @property
    def usable(self) -> bool:
        """Whether QGIS has an authentication database at all (it may still be locked)."""
        return not self._manager.isDisabled()

    @property
    def locked(self) -> bool:
        """Whether reading a key now would make QGIS ask for the master password. Asks nothing itself."""
        return self.usable and not self._manager.masterPasswordIsSet()

    @property
    def new(self) -> bool:
        """Whether no master password was ever chosen: QGIS will ask for a new one, and the dialog should say so."""
        return self.usable and not self._manager.masterPasswordHashInDatabase()

    def needs_prompt(self, connection: Connection) -> bool:
        """Whether :meth:`read` would make QGIS ask for the master password. Background work stays silent then."""
        return self._is_stored(connection) and self.locked

    def read(self, connection: Connection) -> Credentials:
        """What a connection signs in with; after a click only.

        Raises :class:`CredentialsLockedError` when the master password was not given and :class:`CredentialsError` when
        nothing is stored for the connection.
        """
        if not self._is_stored(connection):
            key = self._session.get(connection.id)
            if key is None:
                raise CredentialsError(
                    f"There is no key for the connection {connection.name!r}. "
                    "Edit the connection and type the project's key."
                )
            return key
        self._unlock()
        loaded, config = self._manager.loadAuthenticationConfig(connection.authcfg, QgsAuthMethodConfig(), True)
        if not loaded:
            raise CredentialsError(
                f"The key of the connection {connection.name!r} is no longer in QGIS's authentication database. "
                "Edit the connection and type the project's key again.",
                f"authentication configuration {connection.authcfg} could not be loaded",
            )
        if connection.sign_in is SignIn.ACCOUNT:
            return AccountLogin(connection.project_id, config.config(_USER), config.config(_KEY))
        return ProjectKey(config.config(_USER), config.config(_KEY))

    def store(self, connection: Connection, key: Credentials) -> str:
        """Keep a key in the authentication database and return its authcfg id; replaces the connection's earlier one.

        Raises :class:`CredentialsLockedError` or :class:`CredentialsError`; nothing is stored then.
        """
        if connection.kind is ConnectionKind.SANDBOX:
            raise ValueError("the sandbox's key is no secret and is not stored")
        self._unlock()
        config = QgsAuthMethodConfig(METHOD)
        config.setName(f"UP42: {connection.name}")
        config.setUri(connection.address)
        config.setConfig(_USER, key.email if isinstance(key, AccountLogin) else key.project_id)
        config.setConfig(_KEY, secret_of(key))
        known = connection.authcfg and connection.authcfg in self._manager.configIds()
        if known:
            config.setId(connection.authcfg)
            stored = self._manager.updateAuthenticationConfig(config)
        else:
            stored, config = self._manager.storeAuthenticationConfig(config)
        if not stored or not config.id():
            raise CredentialsError(
                "QGIS could not write the key to its authentication database. Try again, or keep the key for this "
                "session only.",
                "storing the authentication configuration failed",
            )
        self._session.pop(connection.id, None)
        return str(config.id())

    def keep_for_session(self, connection: Connection, key: Credentials) -> None:
        """Keep a key in memory until QGIS closes; for a connection without ``authcfg``."""
        self._session[connection.id] = key

    def delete(self, connection: Connection) -> None:
        """Forget a connection's key, here and in the database; raises :class:`CredentialsError` if it stays."""
        self._session.pop(connection.id, None)
        if not connection.authcfg or connection.authcfg not in self._manager.configIds():
            return
        if not self._manager.removeAuthenticationConfig(connection.authcfg):
            raise CredentialsError(
                f"QGIS could not remove the key of {connection.name!r} from its authentication database. "
                "Remove it under Settings > Options > Authentication.",
                f"removing the authentication configuration {connection.authcfg} failed",
            )

    def forget_session(self) -> None:
        """Drop the keys kept in memory; when the plugin is unloaded."""
        self._session.clear()

    def _is_stored(self, connection: Connection) -> bool:
        return bool(connection.authcfg) and connection.id not in self._session

    def _unlock(self) -> None:
        if not self.usable:
            raise CredentialsLockedError(
                "QGIS's authentication database cannot be used on this computer. "
                "You can keep the key for this session only.",
                str(self._manager.disabledMessage()),
            )
        if not self._manager.setMasterPassword(True):
            raise CredentialsLockedError(
                "QGIS's authentication database is locked, because its master password was not given. "
                "Try again and type it, or keep the key for this session only.",
                "no master password",
            )
