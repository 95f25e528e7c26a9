"""The submenu *Style* in the menu of a layer of ours: its ways to be looked at, and how its values are stretched."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional

from qgis.core import Qgis, QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QAction, QActionGroup

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.stretch import Box, Ranges, stretch_again
from up42_plugin.gui.layer_submenu import LayerSubmenu
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.sending import message_of
from up42_plugin.qgis_bridge.stretching import box_in_layer, hidden_value, shown_bands, stretch
from up42_plugin.qgis_bridge.styles import style_names

TO_EXTENT, TO_IMAGE = "Stretch to the Current Extent", "Stretch to the Whole Image"
NO_STRETCH = "This style has nothing to stretch: its colours belong to fixed values."
NOT_IN_VIEW = "The map does not show this layer."


class StyleMenu(LayerSubmenu):
    """The layer's styles, the current one marked, and two ways to stretch its values."""

    def __init__(
        self,
        iface: Any,
        runner: JobRunner,
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(iface, "Style", "Up42Style", parent)
        self._runner, self._tell = runner, tell
        self._group = QActionGroup(self.menu)  # one style at a time

    def fill(self, layer: QgsMapLayer) -> None:
        """Offer each style, and for rasters the stretches."""
        self._group.deleteLater()
        self._group = QActionGroup(self.menu)
        for name in style_names(layer):
            action = QAction(name.replace("&", "&&"), self.menu)
            action.setCheckable(True)
            action.setChecked(name == layer.styleManager().currentStyle())
            action.triggered.connect(partial(self._switch, layer.id(), name))
            self._group.addAction(action)
            self.menu.addAction(action)
        if isinstance(layer, QgsRasterLayer):
            self.menu.addSeparator()
            self._add_stretches(layer)

    def _add_stretches(self, layer: QgsRasterLayer) -> None:
        canvas = self._iface.mapCanvas()
        seen = box_in_layer(layer, canvas.extent(), canvas.mapSettings().destinationCrs())
        why = "" if shown_bands(layer) else NO_STRETCH
        for text, name, box, trouble in (
            (TO_EXTENT, "Up42StretchExtent", seen, why or ("" if seen is not None else NOT_IN_VIEW)),
            (TO_IMAGE, "Up42StretchImage", None, why),
        ):
            action = QAction(text, self.menu)
            action.setObjectName(name)
            action.setEnabled(not trouble)
            action.setToolTip(trouble or "Cumulative cut of 2 to 98 % of the values")
            action.triggered.connect(partial(self._stretch, layer.id(), box))
            self.menu.addAction(action)

    def _switch(self, layer_id: str, name: str, _checked: bool = False) -> None:
        layer = _layer(layer_id)
        if layer is not None and layer.styleManager().setCurrentStyle(name):
            layer.triggerRepaint()

    def _stretch(self, layer_id: str, box: Optional[Box], _checked: bool = False) -> None:
        """Read the values in the background; the layer may show other bands, or be gone, by then."""
        layer = _layer(layer_id)
        if not isinstance(layer, QgsRasterLayer):
            return
        source, bands, nodata = layer.source(), shown_bands(layer), hidden_value(layer)

        def work(_context: JobContext) -> Ranges:
            return stretch_again(source, bands, nodata, box)

        def read(ranges: Ranges) -> None:
            there = _layer(layer_id)
            if isinstance(there, QgsRasterLayer) and shown_bands(there) == bands:
                stretch(there, ranges)

        job = self._runner.start(f"UP42: stretching {layer.name()}", work, long_running=True)
        job.succeeded.connect(read)
        job.failed.connect(lambda error: self._tell(message_of(error), Qgis.MessageLevel.Warning))


def _layer(layer_id: str) -> Optional[QgsMapLayer]:
    return QgsProject.instance().mapLayer(layer_id)
