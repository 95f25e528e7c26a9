"""Connections whose sandbox and keys do what a test has staged."""

from __future__ import annotations

from dataclasses import replace

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.connections import Connection, ConnectionKind, ProjectKey
from up42_plugin.qgis_bridge.credentials import CredentialsError, CredentialsLockedError

ADDRESS = "https://api.example.org"
KEY = ProjectKey("p-1", "very-secret-word")
STORED = Connection("account", "Coastal study", ConnectionKind.CLASSIC, ADDRESS, "p-1", "cfg0001")
SESSION = replace(STORED, id="guest", name="Guest", authcfg="")
ENTRANCE = {"base_url": "http://127.0.0.1:8042", "project_id": "sandbox-project", "project_api_key": "known-to-all"}


class StagedSandbox(QObject):
    started = pyqtSignal(object)
    failed = pyqtSignal(str, str)

    def __init__(self):
        super().__init__()
        self.starts = 0

    def start(self):
        self.starts += 1


class StagedCredentials:
    """Keys that are stored, locked away, or gone; notes each reading, which may make QGIS ask for a password."""

    def __init__(self):
        self.keys = {"account": KEY}
        self.locked = False
        self.refuses = None
        self.read_count = 0
        self.deleted = []

    usable, new = True, False

    def needs_prompt(self, connection):
        return bool(connection.authcfg) and self.locked

    def read(self, connection):
        self.read_count += 1
        if self.locked:
            raise CredentialsLockedError("QGIS's authentication database is locked.")
        if connection.id not in self.keys:
            raise CredentialsError("There is no key.")
        return self.keys[connection.id]

    def store(self, connection, key):
        if self.refuses is not None:
            raise self.refuses
        self.keys[connection.id] = key
        return "cfg0002"

    def keep_for_session(self, connection, key):
        self.keys[connection.id] = key

    def delete(self, connection):
        self.deleted.append(connection.id)
        self.keys.pop(connection.id, None)
