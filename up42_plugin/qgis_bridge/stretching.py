"""The stretch of a layer that is there: which bands it shows, and new ends for their values. Main thread."""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from qgis.core import (
    QgsColorRampShader,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsMultiBandColorRenderer,
    QgsProject,
    QgsRasterLayer,
    QgsRasterMinMaxOrigin,
    QgsRasterRenderer,
    QgsRectangle,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
)

from up42_plugin.core.imagery.stretch import Box
from up42_plugin.core.layer_plan import BandRange
from up42_plugin.qgis_bridge.looks import stretch_ramp
from up42_plugin.qgis_bridge.styles import contrast

Ranges = Mapping[int, Tuple[float, float]]


def shown_bands(layer: QgsRasterLayer) -> Tuple[int, ...]:
    """The bands whose values are stretched; empty where nothing is: classes, hillshades, steps of colour.

    A colour that a person gave no band makes a picture that is not stretched either.
    """
    renderer = layer.renderer()
    if isinstance(renderer, QgsMultiBandColorRenderer):
        bands = (renderer.redBand(), renderer.greenBand(), renderer.blueBand())
        return bands if min(bands) > 0 else ()
    if isinstance(renderer, QgsSingleBandGrayRenderer):
        return (_band_of(renderer, "grayBand"),)
    if isinstance(renderer, QgsSingleBandPseudoColorRenderer) and _is_continuous(renderer):
        return (_band_of(renderer, "band"),)
    return ()


def _band_of(renderer: QgsRasterRenderer, older: str) -> int:
    """Newer QGIS calls it the input band everywhere."""
    return int((renderer.inputBand if hasattr(renderer, "inputBand") else getattr(renderer, older))())


def _is_continuous(renderer: QgsSingleBandPseudoColorRenderer) -> bool:
    function = renderer.shader().rasterShaderFunction() if renderer.shader() is not None else None
    is_ramp = isinstance(function, QgsColorRampShader)
    return is_ramp and function.colorRampType() == QgsColorRampShader.Type.Interpolated


def hidden_value(layer: QgsRasterLayer) -> Optional[float]:
    """The value that is transparent although the file does not say so; None without one."""
    ranges = layer.dataProvider().userNoDataValues(1)
    return float(ranges[0].min()) if ranges else None


def box_in_layer(layer: QgsRasterLayer, extent: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> Optional[Box]:
    """An extent of the map as (west, south, east, north) in the layer's CRS; None where they do not meet."""
    try:
        transform = QgsCoordinateTransform(crs, layer.crs(), QgsProject.instance())
        box = transform.transformBoundingBox(extent).intersect(layer.extent())
    except QgsCsException:
        return None
    return None if box.isEmpty() else (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())


def stretch(layer: QgsRasterLayer, ranges: Ranges) -> None:
    """Show these values of the bands from dark to bright, whatever the map shows later."""
    renderer = layer.renderer()
    if isinstance(renderer, QgsSingleBandPseudoColorRenderer):
        stretch_ramp(layer, *_about_zero(renderer, ranges[shown_bands(layer)[0]]))
    else:
        layer.setRenderer(_stretched(layer, renderer.clone(), ranges))
    layer.triggerRepaint()


def _about_zero(renderer: QgsSingleBandPseudoColorRenderer, values: Tuple[float, float]) -> Tuple[float, float]:
    """A diverging ramp keeps its middle where it is."""
    if renderer.classificationMin() != -renderer.classificationMax():
        return values
    reach = max(abs(values[0]), abs(values[1])) or 1.0
    return -reach, reach


def _stretched(layer: QgsRasterLayer, renderer: QgsRasterRenderer, ranges: Ranges) -> QgsRasterRenderer:
    bands = [contrast(layer, BandRange(band, *ranges[band])) for band in shown_bands(layer)]
    if isinstance(renderer, QgsMultiBandColorRenderer):
        renderer.setRedContrastEnhancement(bands[0])
        renderer.setGreenContrastEnhancement(bands[1])
        renderer.setBlueContrastEnhancement(bands[2])
    else:
        renderer.setContrastEnhancement(bands[0])
    renderer.setMinMaxOrigin(QgsRasterMinMaxOrigin())
    return renderer
