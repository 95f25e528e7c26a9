"""Layers drawn to pictures, for tests that look at colours."""

from __future__ import annotations

from typing import Optional, Sequence, Tuple

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsDateTimeRange,
    QgsMapLayer,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtGui import QColor, QImage

BACKGROUND = "#ff00ff"


def rendered(
    layers: Sequence[QgsMapLayer],
    width: int,
    height: int,
    *,
    extent: Optional[QgsRectangle] = None,
    crs: Optional[QgsCoordinateReferenceSystem] = None,
    when: Optional[QgsDateTimeRange] = None,
) -> QImage:
    """Draw layers (first on top) over magenta; in the first one's CRS and extent if nothing else is said.

    ``when`` is what the temporal controller of a map would be at.
    """
    settings = QgsMapSettings()
    settings.setLayers(list(layers))
    settings.setDestinationCrs(crs or layers[0].crs())
    settings.setExtent(extent or layers[0].extent())
    settings.setOutputSize(QSize(width, height))
    settings.setBackgroundColor(QColor(BACKGROUND))
    settings.setFlag(QgsMapSettings.Flag.Antialiasing, False)
    if when is not None:
        settings.setIsTemporal(True)
        settings.setTemporalRange(when)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    assert not job.errors()
    return job.renderedImage()


def colour(image: QImage, x: int, y: int) -> Tuple[int, int, int]:
    """Red, green, blue of a pixel."""
    pixel = QColor(image.pixel(x, y))
    return pixel.red(), pixel.green(), pixel.blue()


def hexadecimal(image: QImage, x: int, y: int) -> str:
    """A pixel's colour as ``#rrggbb``."""
    return QColor(image.pixel(x, y)).name()
