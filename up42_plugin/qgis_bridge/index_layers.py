"""Adds indices of the images of ours to the map: computed in the background, once, and never by themselves."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Dict, Optional, Tuple

from qgis.core import QgsMapLayer, QgsProject, QgsProviderRegistry, QgsRasterLayer
from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.index_rasters import IndexMade, IndexRequest, make_index
from up42_plugin.core.imagery.indices import SpectralIndex
from up42_plugin.qgis_bridge.derived_metadata import describe_derived
from up42_plugin.qgis_bridge.groups import JobGroups
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layer_metadata import find_layer, identity, spectral_of_layer
from up42_plugin.qgis_bridge.layers import provider_options, raster_layer
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.sending import message_of
from up42_plugin.qgis_bridge.stretching import hidden_value
from up42_plugin.qgis_bridge.styles import style_layer

_Key = Tuple[str, str]


class IndexLayers(QObject):
    """``added(layer)`` when an index is on the map, also when it was there before; ``failed(sentence)`` when not."""

    added = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(self, project: QgsProject, runner: JobRunner, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._project, self._runner = project, runner
        self._groups = JobGroups(project)
        self._percents: Dict[_Key, float] = {}

    def percent(self, layer: QgsMapLayer, index: SpectralIndex) -> Optional[float]:
        """How much of an index is computed while it is; else None."""
        return self._percents.get((layer.id(), index.name))

    def add(self, layer: QgsRasterLayer, index: SpectralIndex) -> None:
        """Have an index of a layer of ours on the map, just above it. One that is being computed goes on."""
        request, key = _request(layer, index), (layer.id(), index.name)
        if request is None or key in self._percents:
            return

        def work(context: JobContext) -> IndexMade:
            return make_index(request, context)

        self._percents[key] = 0.0
        job = self._runner.start(f"UP42: computing {index.name} of {layer.name()}", work, long_running=True)
        job.progressed.connect(partial(self._progressed, key))
        job.succeeded.connect(partial(self._made, key[0]))
        job.failed.connect(lambda error: self.failed.emit(message_of(error)))
        job.ended.connect(lambda: self._percents.pop(key, None))

    def _progressed(self, key: _Key, percent: float, _text: str) -> None:
        self._percents[key] = percent

    def _made(self, layer_id: str, made: IndexMade) -> None:
        """Show it, unless the layer it was computed from is gone by now: its project may be another."""
        if made.plan.remark:
            PanelLog().warning(made.plan.remark)
        origin = self._project.mapLayer(layer_id)
        if not isinstance(origin, QgsRasterLayer):
            return
        layer = self._known(origin, made)
        if layer is None:
            layer = raster_layer(made.plan, self._project)
            if not layer.isValid():
                self.failed.emit(f"{made.plan.source} cannot be opened.")
                return
            self._show(layer, origin, made)
        self.added.emit(layer)

    def _show(self, layer: QgsRasterLayer, origin: QgsRasterLayer, made: IndexMade) -> None:
        describe_derived(layer, made.plan, origin, made.about)
        style_layer(layer, made.plan)
        self._project.addMapLayer(layer, False)
        self._groups.add_above(layer, origin, identity(origin)[1], origin.name())

    def _known(self, origin: QgsRasterLayer, made: IndexMade) -> Optional[QgsMapLayer]:
        """The layer that is there already; one whose file had gone is opened again."""
        connection_id, job_id, task, _ = identity(origin)
        known = find_layer(self._project, (connection_id, job_id, task, made.plan.key))
        if known is not None and (made.fresh or not known.isValid()):
            known.setDataSource(made.plan.source, known.name(), "gdal", provider_options(self._project))
        return known


def _request(layer: QgsRasterLayer, index: SpectralIndex) -> Optional[IndexRequest]:
    """What a worker needs; None for a layer of which nothing is known."""
    spectral = spectral_of_layer(layer)
    if spectral is None:
        return None
    source = layer.source()
    path = QgsProviderRegistry.instance().decodeUri("gdal", source).get("path") or source
    key = identity(layer)[3]
    return IndexRequest(index, source, Path(path), key, layer.name(), spectral, hidden_value(layer))
