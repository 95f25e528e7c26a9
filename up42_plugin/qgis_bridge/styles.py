"""Styles as planned by the worker, put on layers. Main thread; reads no pixels."""

from __future__ import annotations

from typing import List, Optional

from qgis.core import (
    QgsContrastEnhancement,
    QgsCubicRasterResampler,
    QgsMapLayer,
    QgsMapLayerStyle,
    QgsMultiBandColorRenderer,
    QgsPalettedRasterRenderer,
    QgsRasterLayer,
    QgsRasterRange,
    QgsRasterRenderer,
    QgsSingleBandGrayRenderer,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument

from up42_plugin.core.layer_plan import (
    BandRange,
    ClassStyle,
    GreyStyle,
    LayerPlan,
    LookStyle,
    RgbStyle,
    Style,
    VectorLook,
    VectorStyle,
)
from up42_plugin.qgis_bridge.looks import put_look, put_vector_look

#: Custom property of a layer: the names of its planned styles, in their order.
STYLES = "up42/styles"


def style_layer(layer: QgsMapLayer, plan: LayerPlan) -> None:
    """Give a new layer all its planned styles, of which the first is shown; without one it keeps QGIS's own choice.

    The others are styles of the layer as QGIS keeps them: in its own menu, with the changes a person makes, in the
    project. What a person writes into the layer's properties is none of a style's.
    """
    if isinstance(layer, QgsRasterLayer):
        _hide_nodata(layer, plan.nodata)
    manager = layer.styleManager()
    for other in plan.other_styles:
        _show(layer, other.style, plan.smooth)
        manager.addStyle(other.name, _as_style(layer))
    _show(layer, plan.style, plan.smooth)
    if plan.style_name:
        manager.renameStyle(manager.currentStyle(), plan.style_name)
        layer.setCustomProperty(STYLES, [plan.style_name, *(other.name for other in plan.other_styles)])


def style_names(layer: QgsMapLayer) -> List[str]:
    """All styles of a layer: the planned ones in their order, then those a person added."""
    known = layer.styleManager().styles()
    planned = layer.customProperty(STYLES) or []
    listed = [name for name in planned if name in known] if isinstance(planned, list) else []
    return [*listed, *(name for name in known if name not in listed)]


def _show(layer: QgsMapLayer, style: Optional[Style], smooth: bool) -> None:
    if isinstance(layer, QgsRasterLayer):
        _style_raster(layer, style)
        if smooth:
            layer.resampleFilter().setZoomedInResampler(QgsCubicRasterResampler())
    elif isinstance(layer, QgsVectorLayer):
        _style_vector(layer, style)


def _as_style(layer: QgsMapLayer) -> QgsMapLayerStyle:
    """The layer's present style without what does not belong to it: who made the layer, notes."""
    document = QDomDocument("qgis")
    layer.exportNamedStyle(document)
    root = document.documentElement()
    root.removeChild(root.firstChildElement("customproperties"))
    return QgsMapLayerStyle(document.toString(0))


def _hide_nodata(layer: QgsRasterLayer, nodata: Optional[float]) -> None:
    provider = layer.dataProvider()
    for band in range(1, provider.bandCount() + 1) if nodata is not None else ():
        provider.setUserNoDataValue(band, [QgsRasterRange(nodata, nodata)])


def _style_raster(layer: QgsRasterLayer, style: Optional[Style]) -> None:
    if isinstance(style, LookStyle):
        put_look(layer, style)
        return
    renderer = _renderer(layer, style)
    if renderer is not None:
        layer.setRenderer(renderer)


def _renderer(layer: QgsRasterLayer, style: Optional[Style]) -> Optional[QgsRasterRenderer]:
    if isinstance(style, RgbStyle):
        return _rgb(layer, style)
    if isinstance(style, GreyStyle):
        return _grey(layer, style)
    if isinstance(style, ClassStyle):
        return _classes(layer, style)
    return None


def _rgb(layer: QgsRasterLayer, style: RgbStyle) -> QgsRasterRenderer:
    provider = layer.dataProvider()
    renderer = QgsMultiBandColorRenderer(provider, style.red.band, style.green.band, style.blue.band)
    renderer.setRedContrastEnhancement(contrast(layer, style.red))
    renderer.setGreenContrastEnhancement(contrast(layer, style.green))
    renderer.setBlueContrastEnhancement(contrast(layer, style.blue))
    return _with_alpha(renderer, style.alpha)


def _grey(layer: QgsRasterLayer, style: GreyStyle) -> QgsRasterRenderer:
    renderer = QgsSingleBandGrayRenderer(layer.dataProvider(), style.band.band)
    enhancement = contrast(layer, style.band)
    if enhancement is not None:
        renderer.setContrastEnhancement(enhancement)
    return _with_alpha(renderer, style.alpha)


def contrast(layer: QgsRasterLayer, values: BandRange) -> Optional[QgsContrastEnhancement]:
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


def _classes(layer: QgsRasterLayer, style: ClassStyle) -> QgsRasterRenderer:
    classes = [
        QgsPalettedRasterRenderer.Class(entry.value, QColor(entry.colour), entry.label) for entry in style.classes
    ]
    return _with_alpha(QgsPalettedRasterRenderer(layer.dataProvider(), style.band, classes), style.alpha)


def _with_alpha(renderer: QgsRasterRenderer, alpha: Optional[int]) -> QgsRasterRenderer:
    renderer.setAlphaBand(alpha if alpha is not None else -1)
    return renderer


def _style_vector(layer: QgsVectorLayer, style: Optional[Style]) -> None:
    """Give a vector layer a style; a plain one keeps QGIS's own choice."""
    if isinstance(style, VectorLook):
        put_vector_look(layer, style)
    elif style is VectorStyle.FOOTPRINTS:
        put_vector_look(layer, VectorLook("footprints"))
