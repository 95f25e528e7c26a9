"""What a layer computed from another one knows of itself: all that the other knows, and how it was computed."""

from __future__ import annotations

from html import escape

from qgis.core import QgsLayerMetadata, QgsMapLayer, QgsRasterLayer

from up42_plugin.core.layer_plan import LayerPlan
from up42_plugin.qgis_bridge.layer_metadata import (
    CONNECTION_ID,
    JOB_ID,
    KEY,
    RECIPE,
    SYNTHETIC,
    TASK,
    QgsLayerNotesUtils,
    attribution_holder,
    identity,
)


def describe_derived(layer: QgsRasterLayer, plan: LayerPlan, origin: QgsRasterLayer, about: str) -> None:
    """Write provenance into a layer computed from ``origin``; ``about`` says how, in sentences.

    It is of the same job, place, time and terms.
    """
    for name in (CONNECTION_ID, JOB_ID, TASK, SYNTHETIC, RECIPE):
        layer.setCustomProperty(name, origin.customProperty(name))
    layer.setCustomProperty(KEY, plan.key)
    layer.setMetadata(_metadata(layer, plan, origin, about))
    if QgsLayerNotesUtils is not None:
        notes = QgsLayerNotesUtils.layerNotes(origin)
        QgsLayerNotesUtils.setLayerNotes(layer, f"<p>{escape(about)}</p>{notes}")
    _attribute(layer, origin)
    _date(layer, origin)


def _metadata(layer: QgsRasterLayer, plan: LayerPlan, origin: QgsMapLayer, about: str) -> QgsLayerMetadata:
    metadata = QgsLayerMetadata(origin.metadata())
    _, job_id, task, _ = identity(layer)
    metadata.setIdentifier("/".join(part for part in (job_id, task, plan.key) if part))
    metadata.setTitle(plan.title)
    metadata.setAbstract(f"{about}\n{metadata.abstract()}".strip())
    metadata.setCrs(layer.crs())
    metadata.setHistory([*metadata.history(), about])
    return metadata


def _attribute(layer: QgsMapLayer, origin: QgsMapLayer) -> None:
    to, source = attribution_holder(layer), attribution_holder(origin)
    to.setAttribution(source.attribution())
    to.setAttributionUrl(source.attributionUrl())


def _date(layer: QgsRasterLayer, origin: QgsRasterLayer) -> None:
    to, source = layer.temporalProperties(), origin.temporalProperties()
    to.setMode(source.mode())
    to.setFixedTemporalRange(source.fixedTemporalRange())
    to.setIsActive(source.isActive())
