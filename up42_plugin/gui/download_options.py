"""The part of the options that is about downloads: how many at once, and how fast."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsDoubleSpinBox, QgsSpinBox
from qgis.PyQt.QtWidgets import QFormLayout, QGroupBox, QWidget

from up42_plugin.qgis_bridge.downloads import AT_ONCE
from up42_plugin.qgis_bridge.settings import PluginSettings

_MOST_AT_ONCE = 8
_MEGABYTE = 1_000_000
_FASTEST_MB = 10_000.0
_SLOWEST_MB = 0.1


class DownloadOptions(QGroupBox):
    """What is set is taken by :meth:`apply`: OK was clicked."""

    def __init__(self, settings: PluginSettings, parent: Optional[QWidget] = None) -> None:
        super().__init__("Downloads", parent)
        self._settings = settings
        form = QFormLayout(self)
        self.at_once = QgsSpinBox()
        self.at_once.setObjectName("downloadsAtOnce")
        self.at_once.setRange(1, _MOST_AT_ONCE)
        self.at_once.setClearValue(AT_ONCE)
        self.at_once.setValue(settings.downloads_at_once())
        self.at_once.setToolTip("Outputs that are downloaded at the same time. Further ones wait in their order.")
        self.limit = QgsDoubleSpinBox()
        self.limit.setObjectName("downloadLimit")
        self.limit.setDecimals(1)
        self.limit.setRange(0.0, _FASTEST_MB)
        self.limit.setSuffix(" MB/s")
        self.limit.setClearValue(0.0, "No limit")
        self.limit.setValue((settings.download_limit() or 0) / _MEGABYTE)
        self.limit.setToolTip("What all downloads together may take of the connection, from now on")
        width = self.fontMetrics().horizontalAdvance("10,000.0 MB/s") + 70
        for label, spin in (("Downloads at on&ce", self.at_once), ("Limit do&wnloads to", self.limit)):
            spin.setMinimumWidth(width)
            spin.setMaximumWidth(width + width // 2)
            form.addRow(label, spin)

    def apply(self) -> None:
        """Remember both."""
        self._settings.set_downloads_at_once(self.at_once.value())
        limit = self.limit.value()
        self._settings.set_download_limit(round(max(limit, _SLOWEST_MB) * _MEGABYTE) if limit > 0 else None)
