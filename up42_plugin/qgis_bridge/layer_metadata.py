"""What a layer knows of itself: metadata, notes and custom properties that say which job made it."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from html import escape
from typing import List, Optional, Tuple

from qgis.core import (
    Qgis,
    QgsBox3d,
    QgsDateTimeRange,
    QgsLayerMetadata,
    QgsMapLayer,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, Qt

from up42_plugin.core.jobs import Mode
from up42_plugin.core.layer_plan import JobProvenance, LayerPlan

try:
    from qgis.core import QgsLayerNotesUtils
except ImportError:  # older QGIS
    QgsLayerNotesUtils = None

JOB_ID = "up42/job_id"
TASK = "up42/task"
CONNECTION_ID = "up42/connection_id"
SYNTHETIC = "up42/synthetic"
RECIPE = "up42/recipe"
KEY = "up42/key"

SYNTHETIC_TEXT = "Synthetic: this image is made up and shows no real acquisition."

Identity = Tuple[str, str, str, str]


def identity(layer: QgsMapLayer) -> Identity:
    """Connection, job, task and key of a layer of ours; empty strings for other layers."""
    # Out of a saved project, newer QGIS gives an empty text back as a null of its own.
    values = [layer.customProperty(name, "") for name in (CONNECTION_ID, JOB_ID, TASK, KEY)]
    connection_id, job_id, task, key = (value if isinstance(value, str) else "" for value in values)
    return connection_id, job_id, task, key


def identity_of_plan(plan: LayerPlan, job: JobProvenance) -> Identity:
    """The identity a layer made from this plan gets."""
    return job.connection_id, job.job_id, job.task_name, plan.key


def describe_layer(layer: QgsMapLayer, plan: LayerPlan, job: JobProvenance) -> None:
    """Write provenance into a layer: custom properties, metadata, notes, time."""
    _mark(layer, plan, job)
    layer.setMetadata(_metadata(layer, plan, job))
    if QgsLayerNotesUtils is not None:
        QgsLayerNotesUtils.setLayerNotes(layer, _notes(plan, job))
    if isinstance(layer, QgsRasterLayer):
        _date_raster(layer, plan)
    elif isinstance(layer, QgsVectorLayer):
        _date_vector(layer, plan)


def _mark(layer: QgsMapLayer, plan: LayerPlan, job: JobProvenance) -> None:
    for name, value in zip((CONNECTION_ID, JOB_ID, TASK, KEY), identity_of_plan(plan, job)):
        layer.setCustomProperty(name, value)
    layer.setCustomProperty(SYNTHETIC, plan.synthetic)
    layer.setCustomProperty(RECIPE, json.dumps(job.recipe, ensure_ascii=False, sort_keys=True))


def _facts(plan: LayerPlan, job: JobProvenance) -> List[Tuple[str, str]]:
    """What people want to know, as (label, value); without what is not known."""
    facts = plan.provenance
    cloud = facts.get("cloud_cover")
    charged = "" if job.credits is None or job.mode is Mode.TEST_QUERY else str(job.credits)
    rows = [
        ("Job", job.job_name),
        ("Job ID", job.job_id),
        ("Task", job.task_name),
        ("Workflow", job.workflow_name),
        ("Blocks", job.chain),
        ("Connection", job.connection_name),
        ("Acquired", _written(plan)),
        ("Scene", str(facts.get("scene_id") or "")),
        ("Cloud cover of the scene", f"{cloud:g}\u00a0%" if isinstance(cloud, (int, float)) else ""),
        ("Bands", ", ".join(str(band) for band in facts.get("bands", ()))),
        ("Job finished", f"{job.finished:%Y-%m-%d %H:%M} UTC" if job.finished else ""),
        ("Credits of the job", charged),
    ]
    return [(label, value) for label, value in rows if value]


def _written(plan: LayerPlan) -> str:
    if plan.acquired is None:
        return ""
    if plan.acquired_until is not None and plan.acquired_until != plan.acquired:
        return f"{plan.acquired:%Y-%m-%d}"
    return f"{plan.acquired:%Y-%m-%d %H:%M} UTC"


def _metadata(layer: QgsMapLayer, plan: LayerPlan, job: JobProvenance) -> QgsLayerMetadata:
    metadata = QgsLayerMetadata()
    metadata.setIdentifier("/".join(part for part in (job.job_id, job.task_name, plan.key) if part))
    metadata.setType("dataset")
    metadata.setLanguage("ENG")
    metadata.setTitle(plan.title)
    metadata.setAbstract("\n".join([*_statement(plan), *(f"{label}: {value}" for label, value in _facts(plan, job))]))
    metadata.setCrs(layer.crs())
    metadata.setKeywords({"gmd:topicCategory": ["imageryBaseMapsEarthCover"]})
    spatial = QgsLayerMetadata.SpatialExtent()
    spatial.extentCrs = layer.crs()
    spatial.bounds = QgsBox3d(layer.extent())
    extent = QgsLayerMetadata.Extent()
    extent.setSpatialExtents([spatial])
    moments = date_range(plan)
    if moments is not None:
        extent.setTemporalExtents([moments])
    metadata.setExtent(extent)
    if job.link:
        metadata.setLinks([QgsLayerMetadata.Link("Job", "WWW:LINK", job.link)])
    metadata.setHistory([f"Made by job {job.job_id}"])
    return metadata


def _statement(plan: LayerPlan) -> List[str]:
    if not plan.synthetic:
        return []
    return [SYNTHETIC_TEXT, plan.synthetic_note] if plan.synthetic_note else [SYNTHETIC_TEXT]


def _notes(plan: LayerPlan, job: JobProvenance) -> str:
    paragraphs = "".join(f"<p><b>{escape(text)}</b></p>" for text in _statement(plan))
    rows = "".join(f"<tr><td>{escape(label)}</td><td>{escape(value)}</td></tr>" for label, value in _facts(plan, job))
    return f"{paragraphs}<table>{rows}</table>"


def date_range(plan: LayerPlan) -> Optional[QgsDateTimeRange]:
    """When the layer's image was taken; None where that is not known."""
    if plan.acquired is None:
        return None
    return QgsDateTimeRange(to_qdatetime(plan.acquired), to_qdatetime(plan.acquired_until or plan.acquired))


def to_qdatetime(moment: datetime) -> QDateTime:
    """A moment as Qt has it, in UTC, with milliseconds."""
    return QDateTime.fromMSecsSinceEpoch(round(moment.astimezone(timezone.utc).timestamp() * 1000), Qt.TimeSpec.UTC)


def _date_raster(layer: QgsRasterLayer, plan: LayerPlan) -> None:
    moments = date_range(plan)
    if moments is None:
        return
    temporal = layer.temporalProperties()
    temporal.setMode(Qgis.RasterTemporalMode.FixedTemporalRange)
    temporal.setFixedTemporalRange(moments)
    temporal.setIsActive(True)


def _date_vector(layer: QgsVectorLayer, plan: LayerPlan) -> None:
    temporal = layer.temporalProperties()
    if plan.time_field and layer.fields().indexOf(plan.time_field) >= 0:
        temporal.setMode(Qgis.VectorTemporalMode.FeatureDateTimeInstantFromField)
        temporal.setStartField(plan.time_field)
        temporal.setIsActive(True)
        return
    moments = date_range(plan)
    if moments is not None:
        temporal.setMode(Qgis.VectorTemporalMode.FixedTemporalRange)
        temporal.setFixedTemporalRange(moments)
        temporal.setIsActive(True)
