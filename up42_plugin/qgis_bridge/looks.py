"""Looks out of ``resources/styles``, filled with a layer's numbers and put on it. Main thread; reads no pixels.

A QML file holds what a look is: colours, labels, line widths. Bands, value ranges, attributes and the classes that
occur belong to a layer and come from its plan.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Iterator, List, Sequence

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsGraduatedSymbolRenderer,
    QgsMapLayer,
    QgsRasterLayer,
    QgsReadWriteContext,
    QgsRendererCategory,
    QgsRendererRange,
    QgsVectorLayer,
)
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtXml import QDomDocument, QDomElement

from up42_plugin.core.layer_plan import LookStyle, VectorLook
from up42_plugin.resources import resource_path

FOLDER = "styles"
_CONFIDENCE = "confidence"


class LookError(Exception):
    """A look that is missing or that QGIS refuses: a fault of the plugin."""


def look_path(look: str) -> Path:
    """The file of a look. Raises ``FileNotFoundError``."""
    return resource_path(FOLDER, f"{look}.qml")


def put_look(layer: QgsRasterLayer, style: LookStyle) -> None:
    """Draw a raster layer in a look. Raises :class:`LookError`."""
    document = _document(style.look)
    renderer = document.documentElement().firstChildElement("pipe").firstChildElement("rasterrenderer")
    renderer.setAttribute("grayBand" if renderer.hasAttribute("grayBand") else "band", str(style.band))
    renderer.setAttribute("alphaBand", str(style.alpha if style.alpha is not None else -1))
    if style.z_factor is not None:
        renderer.setAttribute("zfactor", repr(style.z_factor))
    if style.values:
        _keep_classes(renderer.firstChildElement("colorPalette"), style)
    if style.minimum is not None and style.maximum is not None:
        _set_range(renderer, style.minimum, style.maximum)
    if style.unit:
        _set_unit(renderer, style.unit)
    _import(layer, document, style.look)


def put_vector_look(layer: QgsVectorLayer, style: VectorLook) -> None:
    """Draw a vector layer in a look. Raises :class:`LookError`."""
    document = _document(style.look)
    if style.field:
        document.documentElement().firstChildElement("renderer-v2").setAttribute("attr", style.field)
    _import(layer, document, style.look)
    renderer = layer.renderer().clone()
    if isinstance(renderer, QgsGraduatedSymbolRenderer) and style.limits:
        _set_limits(renderer, style)
    elif isinstance(renderer, QgsCategorizedSymbolRenderer) and style.classes:
        _set_classes(renderer, style)
    else:
        return
    layer.setRenderer(renderer)


def stretch_ramp(layer: QgsRasterLayer, minimum: float, maximum: float) -> None:
    """Move the ends of a layer's ramp; all else of its style stays. Raises :class:`LookError`."""
    document = QDomDocument("qgis")
    layer.exportNamedStyle(document, QgsReadWriteContext(), QgsMapLayer.StyleCategory.Symbology)
    pipe = document.documentElement().firstChildElement("pipe")
    _set_range(pipe.firstChildElement("rasterrenderer"), minimum, maximum)
    _import(layer, document, layer.name())


def _document(look: str) -> QDomDocument:
    document = QDomDocument()
    document.setContent(look_path(look).read_text(encoding="utf-8"))
    if document.documentElement().tagName() != "qgis":
        raise LookError(f"{look}.qml is no style")
    return document


def _import(layer: QgsMapLayer, document: QDomDocument, look: str) -> None:
    done, why = layer.importNamedStyle(document, QgsMapLayer.StyleCategory.Symbology)
    if not done:
        raise LookError(f"{look}.qml: {why}")


def _elements(parent: QDomElement, name: str) -> Iterator[QDomElement]:
    element = parent.firstChildElement(name)
    while not element.isNull():
        yield element
        element = element.nextSiblingElement(name)


def _keep_classes(palette: QDomElement, style: LookStyle) -> None:
    """Classes that do not occur go; values without a class get one of the colours, from the first on."""
    entries = list(_elements(palette, "paletteEntry"))
    colours = [entry.attribute("color") for entry in entries]
    missing = dict.fromkeys(style.values)
    for entry in entries:
        value = float(entry.attribute("value"))
        if value in missing:
            del missing[value]
        else:
            palette.removeChild(entry)
    if style.look != "clusters":  # elsewhere a value without a meaning is background
        return
    for value in missing:
        entry = palette.ownerDocument().createElement("paletteEntry")
        entry.setAttribute("value", f"{value:g}")
        entry.setAttribute("color", colours[int(value) % len(colours)])
        entry.setAttribute("alpha", "255")
        entry.setAttribute("label", f"Cluster {value:g}")
        palette.appendChild(entry)


def _set_range(renderer: QDomElement, minimum: float, maximum: float) -> None:
    """Stretch a ramp, or grey, between two values; the steps between keep their places."""
    contrast = renderer.firstChildElement("contrastEnhancement")
    if not contrast.isNull():
        _set_text(contrast.firstChildElement("minValue"), repr(minimum))
        _set_text(contrast.firstChildElement("maxValue"), repr(maximum))
        return
    shader = renderer.firstChildElement("rastershader").firstChildElement("colorrampshader")
    first, last = float(shader.attribute("minimumValue")), float(shader.attribute("maximumValue"))
    for element, names in (
        (renderer, ("classificationMin", "classificationMax")),
        (shader, ("minimumValue", "maximumValue")),
    ):
        for name, value in zip(names, (minimum, maximum)):
            element.setAttribute(name, repr(value))
    for item in _elements(shader, "item"):
        share = (float(item.attribute("value")) - first) / (last - first)
        value = minimum + share * (maximum - minimum)
        item.setAttribute("value", repr(value))
        item.setAttribute("label", f"{value:.6g}")


def _set_unit(renderer: QDomElement, unit: str) -> None:
    suffix = unit if unit in ("°", "%") else f" {unit}"
    shader = renderer.firstChildElement("rastershader").firstChildElement("colorrampshader")
    for parent in (renderer, shader):
        for settings in _elements(parent, "rampLegendSettings"):
            settings.setAttribute("suffix", suffix)
    for item in _elements(shader, "item"):
        item.setAttribute("label", f"{item.attribute('label')}{suffix}")


def _set_text(element: QDomElement, text: str) -> None:
    element.firstChild().setNodeValue(text)


def _set_limits(renderer: QgsGraduatedSymbolRenderer, style: VectorLook) -> None:
    """New borders for the look's steps; with fewer steps, symbols from all over the look."""
    symbols = [step.symbol().clone() for step in renderer.ranges()]
    steps = len(style.limits) - 1
    certain = style.look.startswith(_CONFIDENCE)
    scale = 100.0 if certain and style.limits[-1] <= 1.0 else 1.0
    unit = "%" if certain else style.unit
    decimals = _decimals([limit * scale for limit in style.limits])
    renderer.deleteAllClasses()
    for number in range(steps):
        lower, upper = style.limits[number], style.limits[number + 1]
        place = round(number * (len(symbols) - 1) / (steps - 1)) if steps > 1 else len(symbols) // 2
        label = f"{lower * scale:,.{decimals}f} to {upper * scale:,.{decimals}f} {unit}".rstrip()
        renderer.addClassRange(QgsRendererRange(lower, upper, symbols[place].clone(), label))


def _decimals(limits: Sequence[float]) -> int:
    """As many decimals as tell steps apart; whole numbers have none."""
    span = limits[-1] - limits[0]
    if span <= 0 or all(math.isclose(limit, round(limit), abs_tol=1e-9) for limit in limits):
        return 0
    return max(0, 2 - math.floor(math.log10(span)))


def _set_classes(renderer: QgsCategorizedSymbolRenderer, style: VectorLook) -> None:
    base = renderer.sourceSymbol()
    categories: List[QgsRendererCategory] = []
    for entry in style.classes:
        symbol = base.clone()
        colour = QColor(entry.colour)
        colour.setAlpha(base.color().alpha())
        symbol.setColor(colour)
        value = "" if entry.value is None else entry.value  # an empty value stands for all others
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        categories.append(QgsRendererCategory(value, symbol, entry.label))
    renderer.deleteAllCategories()
    for category in categories:
        renderer.addCategory(category)
