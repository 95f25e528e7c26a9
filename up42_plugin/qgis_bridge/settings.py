"""Everything the plugin remembers in QGIS's settings: typed keys with defaults. Never a secret."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import QStandardPaths

from up42_plugin.core.connections import Connection, ConnectionKind
from up42_plugin.core.spending import SpendingLimits
from up42_plugin.qgis_bridge.log import PanelLog

SANDBOX = Connection("sandbox", "Sandbox", ConnectionKind.SANDBOX)

_PREFIX = "up42/"
_CONNECTIONS = _PREFIX + "connections"
_CURRENT = _PREFIX + "current_connection"
_OUTPUT_FOLDER = _PREFIX + "output_folder"
_BESIDE_PROJECT = _PREFIX + "outputs_beside_project"
_CONFIGURATION = _PREFIX + "last_configuration"
_JOBS_COLUMNS = _PREFIX + "jobs_columns"
_LOAD_AT_ONCE = _PREFIX + "load_at_once"
_NOTIFY = _PREFIX + "notify_in_background"
_DOWNLOADS_AT_ONCE = _PREFIX + "downloads_at_once"
_DOWNLOAD_LIMIT = _PREFIX + "download_limit"
_LIMITS = _PREFIX + "spending_limits"
_LIMIT_NAMES = ("per_job", "per_day", "per_month", "typed_above")


class PluginSettings:
    """The plugin's settings in the current QGIS profile (section ``plugins``, keys ``up42/…``)."""

    def __init__(self, log: PanelLog) -> None:
        self._log = log

    def connections(self) -> Tuple[Connection, ...]:
        """The sandbox and then the connections of the person, in their order. Unreadable ones are logged and kept."""
        return (SANDBOX, *(connection for connection, _ in self._entries() if connection is not None))

    def save_connections(self, connections: Sequence[Connection]) -> None:
        """Remember the list (the sandbox is always there and need not be in it); entries we cannot read stay."""
        foreign = [entry for connection, entry in self._entries(quiet=True) if connection is None]
        ours = [connection.to_json() for connection in connections if connection.id != SANDBOX.id]
        self._write(_CONNECTIONS, json.dumps([*ours, *foreign]))

    def current_connection(self) -> Connection:
        """The connection in use; the sandbox when none was chosen or the chosen one is gone."""
        chosen = self._text(_CURRENT)
        return next((item for item in self.connections() if item.id == chosen), SANDBOX)

    def set_current_connection(self, connection_id: str) -> None:
        """Choose the connection to use from now on."""
        self._write(_CURRENT, connection_id)

    def output_folder(self) -> Path:
        """Where outputs go: as chosen, or ``UP42`` in the person's documents."""
        chosen = self._text(_OUTPUT_FOLDER)
        return Path(chosen) if chosen else self.default_output_folder()

    def default_output_folder(self) -> Path:
        """Where outputs go while no folder is chosen: ``UP42`` in the person's documents."""
        documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        return (Path(documents) if documents else Path.home()) / "UP42"

    def set_output_folder(self, folder: Optional[Path]) -> None:
        """Choose where outputs go; None for the default."""
        self._write(_OUTPUT_FOLDER, "" if folder is None else str(folder))

    def chosen_output_folder(self) -> str:
        """The folder that was chosen for outputs, empty for the default."""
        return self._text(_OUTPUT_FOLDER)

    def outputs_beside_project(self) -> bool:
        """Whether outputs go into a folder beside the project, once it is saved."""
        return self._yes(_BESIDE_PROJECT, False)

    def set_outputs_beside_project(self, wanted: bool) -> None:
        """Choose whether outputs go into a folder beside the project."""
        self._write(_BESIDE_PROJECT, wanted)

    def jobs_columns(self) -> bytes:
        """The columns of the list of jobs, their widths and order, as its header saved them; empty by default."""
        try:
            return bytes.fromhex(self._text(_JOBS_COLUMNS))
        except ValueError:
            return b""

    def set_jobs_columns(self, state: bytes) -> None:
        """Remember the columns of the list of jobs."""
        self._write(_JOBS_COLUMNS, state.hex())

    def load_at_once(self) -> bool:
        """Whether outputs are loaded as soon as their job finishes."""
        return self._yes(_LOAD_AT_ONCE, False)

    def set_load_at_once(self, wanted: bool) -> None:
        """Choose whether outputs are loaded as soon as their job finishes."""
        self._write(_LOAD_AT_ONCE, wanted)

    def notify_in_background(self) -> bool:
        """Whether the desktop tells what happens while QGIS is in the background."""
        return self._yes(_NOTIFY, True)

    def set_notify_in_background(self, wanted: bool) -> None:
        """Choose whether the desktop tells what happens while QGIS is in the background."""
        self._write(_NOTIFY, wanted)

    def downloads_at_once(self) -> int:
        """How many outputs are downloaded at once."""
        return max(1, self._number(_DOWNLOADS_AT_ONCE, 2))

    def set_downloads_at_once(self, number: int) -> None:
        """Choose how many outputs are downloaded at once."""
        self._write(_DOWNLOADS_AT_ONCE, number)

    def download_limit(self) -> Optional[int]:
        """How many bytes per second all downloads may take together, None for as many as come."""
        return max(0, self._number(_DOWNLOAD_LIMIT, 0)) or None

    def set_download_limit(self, bytes_per_second: Optional[int]) -> None:
        """Choose how many bytes per second all downloads may take together, None for as many as come."""
        self._write(_DOWNLOAD_LIMIT, bytes_per_second or 0)

    def spending_limits(self) -> SpendingLimits:
        """The person's limits for live jobs, in credits. What cannot be read is logged and limits to nothing at all."""
        values = self._json(_LIMITS, {})
        limits = {}
        for name in _LIMIT_NAMES:
            value = values.get(name) if isinstance(values, dict) else None
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                self._log.warning(f"The spending limit {name} in the settings is no number of credits: {value!r}")
                value = 0
            limits[name] = value
        return SpendingLimits(**limits)

    def set_spending_limits(self, limits: SpendingLimits) -> None:
        """Remember the person's limits for live jobs."""
        self._write(_LIMITS, json.dumps({name: getattr(limits, name) for name in _LIMIT_NAMES}))

    def last_configuration(self) -> Dict[str, Any]:
        """What the New Job form held last, as plain JSON; empty when there is nothing or it cannot be read."""
        value = self._json(_CONFIGURATION, {})
        return value if isinstance(value, dict) else {}

    def set_last_configuration(self, values: Dict[str, Any]) -> None:
        """Remember what the New Job form holds."""
        self._write(_CONFIGURATION, json.dumps(values))

    def _entries(self, quiet: bool = False) -> List[Tuple[Optional[Connection], Any]]:
        values = self._json(_CONNECTIONS, [], quiet)
        entries: List[Tuple[Optional[Connection], Any]] = []
        for value in values if isinstance(values, list) else []:
            try:
                entries.append((Connection.from_json(value), value))
            except ValueError as error:
                entries.append((None, value))
                if not quiet:
                    self._log.warning(f"A connection in the settings cannot be read and is left alone: {error}")
        return entries

    def _json(self, key: str, default: Any, quiet: bool = False) -> Any:
        text = self._text(key)
        if not text:
            return default
        try:
            return json.loads(text)
        except ValueError as error:
            if not quiet:
                self._log.warning(f"The setting {key} is not JSON and is ignored: {error}")
            return default

    def _yes(self, key: str, default: bool) -> bool:
        return bool(QgsSettings().value(key, default, type=bool, section=QgsSettings.Section.Plugins))

    def _number(self, key: str, default: int) -> int:
        try:
            return int(QgsSettings().value(key, default, section=QgsSettings.Section.Plugins))
        except (TypeError, ValueError, OverflowError):
            return default

    def _text(self, key: str) -> str:
        return str(QgsSettings().value(key, "", type=str, section=QgsSettings.Section.Plugins))

    def _write(self, key: str, value: Any) -> None:
        QgsSettings().setValue(key, value, section=QgsSettings.Section.Plugins)


def new_connection_id() -> str:
    """An id for a new connection."""
    return uuid.uuid4().hex
