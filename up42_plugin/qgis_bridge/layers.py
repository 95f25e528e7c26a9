"""Outputs and test queries as layers of the project: local, prepared data only, on the main thread."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, List, Optional, Sequence, Tuple

from qgis.core import (
    QgsDataProvider,
    QgsMapLayer,
    QgsMultiBandColorRenderer,
    QgsProject,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsVectorLayer,
)

from up42_plugin.core.layer_plan import JobProvenance, LayerKind, LayerPlan
from up42_plugin.core.output_errors import NoLayerError
from up42_plugin.core.storage import system_path
from up42_plugin.qgis_bridge.band_times import date_bands
from up42_plugin.qgis_bridge.groups import JobGroups, NewLayer
from up42_plugin.qgis_bridge.layer_metadata import describe_layer, find_layer, identity, identity_of_plan
from up42_plugin.qgis_bridge.log import PanelLog
from up42_plugin.qgis_bridge.styles import style_layer


class LayerLoader:
    """Adds layers to one project. ``problems`` tells, after each call, what could not be loaded and why."""

    def __init__(self, project: QgsProject) -> None:
        self._project = project
        self._groups = JobGroups(project)
        self.problems: Tuple[str, ...] = ()

    def add(self, plans: Sequence[LayerPlan], group_name: str, job: JobProvenance) -> List[QgsMapLayer]:
        """Add the planned layers to the job's group, in their order; returns those now in the project.

        A layer that is there already (same connection, job, task and source) is not added again, but returned; one
        whose file had gone is mended. The project's CRS and the canvas stay as they are.

        Raises:
            NoLayerError: nothing could be loaded; ``detail`` says why.
        """
        problems: List[str] = []
        loaded: List[QgsMapLayer] = []
        new: List[NewLayer] = []
        planned: List[LayerPlan] = []
        inner = self._inner_group(job)
        for plan in plans:
            known = self.find(plan, job)
            layer = self._opened(plan, job, known, problems)
            if layer is None:
                continue
            loaded.append(layer)
            if layer is not known:
                group = ", ".join(filter(None, (inner, plan.group)))
                new.append(NewLayer(layer, group, plan.checked, closed=bool(plan.group)))
                planned.append(plan)
        self.problems = tuple(problems)
        if not loaded:
            raise NoLayerError("\n".join(problems))
        if new:
            self._project.addMapLayers([item.layer for item in new], False)
            self._groups.add(new, loaded, job.job_id, group_name)
            _write_remarks(planned)
        return loaded

    def find(self, plan: LayerPlan, job: JobProvenance) -> Optional[QgsMapLayer]:
        """The layer of the project that was made from this plan, whatever it is called now."""
        return find_layer(self._project, identity_of_plan(plan, job))

    def _inner_group(self, job: JobProvenance) -> str:
        """The group inside of the job's for the output of one task, called after its block.

        Empty while nothing of the job's own output is there: then the task's lies in the job's group.
        """
        if not job.task_name:
            return ""
        wanted = (job.connection_id, job.job_id, "")
        if not any(identity(layer)[:3] == wanted for layer in self._project.mapLayers().values()):
            return ""
        return job.blocks[-1].title if job.blocks else job.task_name

    def _opened(
        self, plan: LayerPlan, job: JobProvenance, known: Optional[QgsMapLayer], problems: List[str]
    ) -> Optional[QgsMapLayer]:
        if known is not None and known.isValid() and not _is_lost(known, plan):
            return known
        if plan.problem:
            problems.append(plan.problem)
            return None
        if known is not None:  # its style and notes may be the analyst's own by now
            known.setDataSource(plan.source, known.name(), known.providerType(), provider_options(self._project))
        layer = known if known is not None else self._layer(plan)
        if not layer.isValid():
            problems.append(f"{plan.source} cannot be opened. {_reason(layer)}".strip())
            return None
        if known is None:
            _finish(layer, plan, job)
        return layer

    def _layer(self, plan: LayerPlan) -> QgsMapLayer:
        if plan.kind is LayerKind.VECTOR:
            vector_options = QgsVectorLayer.LayerOptions(self._project.transformContext(), False)
            return QgsVectorLayer(plan.source, plan.title, "ogr", vector_options)
        return raster_layer(plan, self._project)


def raster_layer(plan: LayerPlan, project: QgsProject) -> QgsRasterLayer:
    """A raster layer for which QGIS does not read pixels.

    A new layer gets a stretch from its values, read here and now, which can take a second; one that changes its
    source keeps the renderer it has. The planned style follows.
    """
    layer = QgsRasterLayer()
    if plan.style is not None:
        layer.setRenderer(QgsMultiBandColorRenderer(None, 1, 1, 1))
    layer.setDataSource(plan.source, plan.title, "gdal", provider_options(project), False)
    return layer


def provider_options(project: QgsProject) -> QgsDataProvider.ProviderOptions:
    """How layers of a project are opened."""
    options = QgsDataProvider.ProviderOptions()
    options.transformContext = project.transformContext()
    return options


def _write_remarks(plans: Iterable[LayerPlan]) -> None:
    for remark in dict.fromkeys(plan.remark for plan in plans if plan.remark):
        PanelLog().warning(remark)


def _finish(layer: QgsMapLayer, plan: LayerPlan, job: JobProvenance) -> None:
    describe_layer(layer, plan, job)
    if isinstance(layer, QgsRasterLayer) and plan.band_times:
        date_bands(layer, plan.band_times)
    style_layer(layer, plan)


def _is_lost(layer: QgsMapLayer, plan: LayerPlan) -> bool:
    """Whether a layer shows files that are gone by now, while its output lies elsewhere; QGIS does not notice."""
    if layer.source() == plan.source:
        return False
    path = Path(QgsProviderRegistry.instance().decodeUri(layer.providerType(), layer.source()).get("path", ""))
    return path.is_absolute() and not system_path(path).exists()


def _reason(layer: QgsMapLayer) -> str:
    """What QGIS says is wrong; asking an empty error for its summary crashes older versions."""
    error = layer.error()
    return "" if error.isEmpty() else error.summary()
