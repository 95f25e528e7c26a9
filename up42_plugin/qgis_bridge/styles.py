"""Styles as planned by the worker, put on layers. Main thread; reads no pixels."""

from __future__ import annotations

from typing import Optional

from qgis.core import (
    QgsColorRampShader,
    QgsContrastEnhancement,
    QgsCubicRasterResampler,
    QgsFillSymbol,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsRasterRange,
    QgsRasterRenderer,
    QgsRasterShader,
    QgsSingleBandGrayRenderer,
    QgsSingleBandPseudoColorRenderer,
    QgsSingleSymbolRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor

from up42_plugin.core.layer_plan import (
    BandRange,
    ClassStyle,
    GreyStyle,
    LayerPlan,
    RampStyle,
    RgbStyle,
    VectorStyle,
)

FOOTPRINT_COLOUR = "#ffee00"
_FOOTPRINT_WIDTH_MM = "0.5"


def style_raster(layer: QgsRasterLayer, plan: LayerPlan) -> None:
    """Give a raster layer its planned renderer; without one it keeps QGIS's own choice."""
    provider = layer.dataProvider()
    if plan.nodata is not None:
        for band in range(1, provider.bandCount() + 1):
            provider.setUserNoDataValue(band, [QgsRasterRange(plan.nodata, plan.nodata)])
    renderer = _renderer(layer, plan)
    if renderer is not None:
        layer.setRenderer(renderer)
    if plan.smooth:
        layer.resampleFilter().setZoomedInResampler(QgsCubicRasterResampler())


def _renderer(layer: QgsRasterLayer, plan: LayerPlan) -> Optional[QgsRasterRenderer]:
    style = plan.style
    if isinstance(style, RgbStyle):
        return _rgb(layer, style)
    if isinstance(style, GreyStyle):
        return _grey(layer, style)
    if isinstance(style, RampStyle):
        return _ramp(layer, style)
    if isinstance(style, ClassStyle):
        return _classes(layer, style)
    return None


def _rgb(layer: QgsRasterLayer, style: RgbStyle) -> QgsRasterRenderer:
    provider = layer.dataProvider()
    renderer = QgsMultiBandColorRenderer(provider, style.red.band, style.green.band, style.blue.band)
    renderer.setRedContrastEnhancement(_enhancement(layer, style.red))
    renderer.setGreenContrastEnhancement(_enhancement(layer, style.green))
    renderer.setBlueContrastEnhancement(_enhancement(layer, style.blue))
    return _with_alpha(renderer, style.alpha)


def _grey(layer: QgsRasterLayer, style: GreyStyle) -> QgsRasterRenderer:
    renderer = QgsSingleBandGrayRenderer(layer.dataProvider(), style.band.band)
    enhancement = _enhancement(layer, style.band)
    if enhancement is not None:
        renderer.setContrastEnhancement(enhancement)
    return _with_alpha(renderer, style.alpha)


def _enhancement(layer: QgsRasterLayer, values: BandRange) -> Optional[QgsContrastEnhancement]:
    """A stretch between the planned values; None shows 8-bit values as they are."""
    if values.minimum is None or values.maximum is None:
        return None
    enhancement = QgsContrastEnhancement(layer.dataProvider().dataType(values.band))
    enhancement.setContrastEnhancementAlgorithm(
        QgsContrastEnhancement.ContrastEnhancementAlgorithm.StretchToMinimumMaximum, False
    )
    enhancement.setMinimumValue(values.minimum, False)
    enhancement.setMaximumValue(values.maximum, True)
    return enhancement


def _ramp(layer: QgsRasterLayer, style: RampStyle) -> QgsRasterRenderer:
    function = QgsColorRampShader(style.minimum, style.maximum)
    function.setColorRampType(QgsColorRampShader.Type.Discrete)
    items = [
        QgsColorRampShader.ColorRampItem(
            # beyond the scale, where rounding or odd pixels lead, the last colour goes on
            float("inf") if step.up_to >= style.maximum else step.up_to,
            QColor(step.colour),
            step.label,
        )
        for step in style.steps
    ]
    function.setColorRampItemList(items)
    shader = QgsRasterShader(style.minimum, style.maximum)
    shader.setRasterShaderFunction(function)
    renderer = QgsSingleBandPseudoColorRenderer(layer.dataProvider(), style.band, shader)
    renderer.setClassificationMin(style.minimum)
    renderer.setClassificationMax(style.maximum)
    return _with_alpha(renderer, style.alpha)


def _classes(layer: QgsRasterLayer, style: ClassStyle) -> QgsRasterRenderer:
    classes = [
        QgsPalettedRasterRenderer.Class(entry.value, QColor(entry.colour), entry.label) for entry in style.classes
    ]
    return _with_alpha(QgsPalettedRasterRenderer(layer.dataProvider(), style.band, classes), style.alpha)


def _with_alpha(renderer: QgsRasterRenderer, alpha: Optional[int]) -> QgsRasterRenderer:
    renderer.setAlphaBand(alpha if alpha is not None else -1)
    return renderer


def style_vector(layer: QgsVectorLayer, plan: LayerPlan) -> None:
    """Footprints are yellow outlines that hide nothing; other vectors keep QGIS's own choice."""
    if plan.style is not VectorStyle.FOOTPRINTS:
        return
    symbol = QgsFillSymbol.createSimple(
        {
            "style": "no",
            "outline_color": FOOTPRINT_COLOUR,
            "outline_width": _FOOTPRINT_WIDTH_MM,
            "outline_width_unit": "MM",
        }
    )
    layer.setRenderer(QgsSingleSymbolRenderer(symbol))
