"""The log panel's tab "UP42". Nothing that opens an account or a download is ever written there."""

from __future__ import annotations

import re
import traceback
from typing import Pattern, Tuple

from qgis.core import Qgis, QgsMessageLog

from up42_plugin.api.errors import Cancelled, Up42Error

TAB = "UP42"

_HIDDEN = "…"
_HIDDEN_MEMBERS = "|".join(
    (
        r"(?:access|refresh|id)?_?token",
        r"(?:project)?_?(?:api)?_?key",
        "authorization",
        r"pass(?:word|wd)?",
        r"(?:client)?_?secret",
        "signature",
    )
)
_RULES: Tuple[Tuple[Pattern[str], str], ...] = (
    # The order matters: a URL's query is dropped before its parts could be taken for members.
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@\"'<>]+@"), rf"\1{_HIDDEN}@"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s?#\"'<>]+)\?[^\s\"'<>]*"), rf"\1?{_HIDDEN}"),
    # urllib3 names a URL by its path alone
    (re.compile(r"(?i)(\burl:\s*/[^\s?\"'<>]*)\?[^\s\"'<>)]*"), rf"\1?{_HIDDEN}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}"), rf"\1 {_HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.?[A-Za-z0-9_-]*"), _HIDDEN),
    (
        re.compile(rf"(?i)([\"'])({_HIDDEN_MEMBERS})\1(\s*:\s*)([\"'])(?:\\.|(?!\4).)*\4"),
        rf"\1\2\1\3\4{_HIDDEN}\4",
    ),
    (
        re.compile(rf"(?i)\b({_HIDDEN_MEMBERS})(\s*[=:]\s*)(?![\s\"'{{\[])(?!(?:bearer|basic) )[^\s,;&)\"'\]}}]+"),
        rf"\1\2{_HIDDEN}",
    ),
)


def redact(text: str) -> str:
    """``text`` without tokens, keys, passwords, user names in URLs and the queries of URLs (a signed URL is a key)."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class PanelLog:
    """Writes redacted lines to the log panel. May be used from any thread."""

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
        QgsMessageLog.logMessage(redact(text), TAB, level, False)
