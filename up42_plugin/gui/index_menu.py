"""The submenu *Add Index* in the menu of an image of ours: what can be computed from its bands, for nothing."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Optional

from qgis.core import Qgis, QgsMapLayer, QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QObject
from qgis.PyQt.QtWidgets import QAction

from up42_plugin.core.imagery.indices import INDICES, SpectralIndex, why_not
from up42_plugin.core.layer_plan import Spectral
from up42_plugin.gui.layer_submenu import LayerSubmenu
from up42_plugin.qgis_bridge.index_layers import IndexLayers
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layer_metadata import spectral_of_layer

BEING_COMPUTED = "Being computed. QGIS's task manager, in the status bar, cancels it."
COMPUTED_HERE = "Computed on this computer; costs no credits."


class IndexMenu(LayerSubmenu):
    """The indices, each possible or grey with the reason."""

    def __init__(
        self,
        iface: Any,
        runner: JobRunner,
        tell: Callable[[str, Qgis.MessageLevel], None],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(iface, "Add Index", "Up42AddIndex", parent)
        self._project = QgsProject.instance()
        self.layers = IndexLayers(self._project, runner, self)
        self.layers.added.connect(self._added)
        self.layers.failed.connect(lambda text: tell(text, Qgis.MessageLevel.Warning))

    @staticmethod
    def serves(layer: QgsMapLayer) -> bool:
        """Whether a layer is an image of whose bands something is known."""
        return isinstance(layer, QgsRasterLayer) and spectral_of_layer(layer) is not None

    def fill(self, layer: QgsMapLayer) -> None:
        """Offer each index of an image of whose bands something is known."""
        spectral = spectral_of_layer(layer) if isinstance(layer, QgsRasterLayer) else None
        if spectral is None:
            return
        for index in INDICES:
            self.menu.addAction(self._entry(layer, spectral, index))

    def _entry(self, layer: QgsRasterLayer, spectral: Spectral, index: SpectralIndex) -> QAction:
        percent = self.layers.percent(layer, index)
        trouble = why_not(index, spectral) or (BEING_COMPUTED if percent is not None else "")
        title = f"{index.name} ({index.subject})"
        action = QAction(title if percent is None else f"{title}, {max(percent, 0.0):.0f} %", self.menu)
        action.setObjectName(f"Up42Index{index.name}")
        action.setEnabled(not trouble)
        action.setToolTip(trouble or f"{index.formula}. {COMPUTED_HERE}")
        action.triggered.connect(partial(self._add, layer.id(), index))
        return action

    def _add(self, layer_id: str, index: SpectralIndex, _checked: bool = False) -> None:
        layer = self._project.mapLayer(layer_id)
        if isinstance(layer, QgsRasterLayer):
            self.layers.add(layer, index)

    def _added(self, layer: QgsRasterLayer) -> None:
        """Asked for is to be seen, also where it was there and hidden."""
        node = self._project.layerTreeRoot().findLayer(layer.id())
        if node is not None:
            node.setItemVisibilityCheckedParentRecursive(True)
        layer.triggerRepaint()
