"""The plugin's icon: one drawing for the toolbar, and its picture for the plugin manager."""

from __future__ import annotations

import pytest
from qgis.PyQt.QtCore import QRectF, Qt
from qgis.PyQt.QtGui import QColor, QIcon, QImage, QPainter
from qgis.PyQt.QtSvg import QSvgRenderer

from up42_plugin.resources import resource_path


def drawn(size, background=None):
    """The drawing at a size in pixels."""
    image = QImage(size, size, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent if background is None else QColor(background))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(str(resource_path("icons", "up42_imagery.svg"))).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


def colours(image):
    return [image.pixelColor(x, y).getRgb() for y in range(image.height()) for x in range(image.width())]


def test_the_toolbar_gets_an_icon(qgis_app):
    icon = QIcon(str(resource_path("icons", "up42_imagery.svg")))
    assert not icon.isNull()
    assert not icon.pixmap(24, 24).isNull()


def test_the_picture_shows_the_drawing(qgis_app):
    picture = QImage(str(resource_path("icons", "up42_imagery.png")))
    assert (picture.width(), picture.height()) == (128, 128)
    differences = [
        abs(one - other)
        for pixel, same in zip(colours(picture), colours(drawn(128)))
        for one, other in zip(pixel, same)
    ]
    assert sum(differences) / len(differences) < 2


def luminance(colour):
    """How bright a colour is to the eye, 0 to 1 (WCAG 2)."""
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.getRgbF()[:3]
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("background", ["#f0f0f0", "#ffffff", "#323232"])
def test_the_frame_stands_out_from_light_and_dark_themes(qgis_app, background):
    frame, behind = luminance(drawn(24, background).pixelColor(2, 4)), luminance(QColor(background))
    assert (max(frame, behind) + 0.05) / (min(frame, behind) + 0.05) > 2
