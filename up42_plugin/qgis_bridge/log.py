"""The log panel's tab "UP42". Nothing that opens an account or a download is ever written there."""

from __future__ import annotations

import traceback
from typing import Set

from qgis.core import Qgis, QgsMessageLog

from up42_plugin.api.errors import Cancelled, Up42Error
from up42_plugin.api.redaction import redact

TAB = "UP42"


class PanelLog:
    """Writes redacted lines to the log panel. May be used from any thread."""

    def __init__(self) -> None:
        self._secrets: Set[str] = set()

    def hide(self, secret: str) -> None:
        """Never write ``secret`` from now on, wherever it appears; for keys, which look like any other word."""
        self._secrets.add(secret)

    def info(self, text: str) -> None:
        """A line for the curious."""
        self._write(text, Qgis.MessageLevel.Info)

    def warning(self, text: str) -> None:
        """Something went wrong that the plugin coped with."""
        self._write(text, Qgis.MessageLevel.Warning)

    def error(self, text: str) -> None:
        """Something went wrong that the person was told of."""
        self._write(text, Qgis.MessageLevel.Critical)

    def exception(self, what: str, error: BaseException) -> None:
        """``error`` with its detail; with its traceback too unless it is one of our own, explained errors."""
        if isinstance(error, Cancelled):
            return
        if isinstance(error, Up42Error):
            detail = f"\n{error.detail}" if error.detail else ""
            self.warning(f"{what}: {error.user_message}{detail}")
            return
        lines = traceback.format_exception(type(error), error, error.__traceback__)
        self.error(f"{what}: {error}\n{''.join(lines).rstrip()}")

    def _write(self, text: str, level: Qgis.MessageLevel) -> None:
        # notifyUser=False: the person is told in the message bar, not by the panel's own badge
        QgsMessageLog.logMessage(redact(text, tuple(self._secrets)), TAB, level, False)
