"""What a layer knows of itself: metadata, notes and custom properties that say which job made it."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import datetime, timezone
from html import escape
from typing import Any, List, Optional, Tuple

from qgis.core import (
    Qgis,
    QgsBox3d,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCoordinateTransformContext,
    QgsCsException,
    QgsDateTimeRange,
    QgsLayerMetadata,
    QgsMapLayer,
    QgsProject,
    QgsRasterLayer,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDateTime, Qt

from up42_plugin.core.layer_plan import JobProvenance, LayerPlan, Spectral
from up42_plugin.core.layer_words import Box, abstract, facts, history, keywords, statement, terms

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
SPECTRAL = "up42/spectral"

Identity = Tuple[str, str, str, str]


def identity(layer: QgsMapLayer) -> Identity:
    """Connection, job, task and key of a layer of ours; empty strings for other layers."""
    # Out of a saved project, newer QGIS gives an empty text back as a null of its own.
    values = [layer.customProperty(name, "") for name in (CONNECTION_ID, JOB_ID, TASK, KEY)]
    connection_id, job_id, task, key = (value if isinstance(value, str) else "" for value in values)
    return connection_id, job_id, task, key


def spectral_of_layer(layer: QgsMapLayer) -> Optional[Spectral]:
    """What the bands of a layer of ours are; None where that is not known."""
    try:
        found = json.loads(layer.customProperty(SPECTRAL) or "null")
        return Spectral(**found) if found else None
    except (TypeError, ValueError):  # a project file that somebody has edited
        return None


def find_layer(project: QgsProject, wanted: Identity) -> Optional[QgsMapLayer]:
    """The layer of a project with this identity, whatever it is called now."""
    return next((layer for layer in project.mapLayers().values() if identity(layer) == wanted), None)


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
    if plan.spectral is not None:
        layer.setCustomProperty(SPECTRAL, json.dumps(asdict(plan.spectral)))
    layer.setCustomProperty(RECIPE, json.dumps(job.recipe, ensure_ascii=False, sort_keys=True))


def _metadata(layer: QgsMapLayer, plan: LayerPlan, job: JobProvenance) -> QgsLayerMetadata:
    metadata = QgsLayerMetadata()
    metadata.setIdentifier("/".join(part for part in (job.job_id, job.task_name, plan.key) if part))
    metadata.setParentIdentifier(job.job_id)
    metadata.setType("dataset")
    metadata.setLanguage("ENG")
    metadata.setTitle(plan.title)
    metadata.setAbstract(abstract(plan, job, _degrees_of(layer)))
    metadata.setCrs(layer.crs())
    metadata.setKeywords({"gmd:topicCategory": ["imageryBaseMapsEarthCover"], "UP42": keywords(plan, job)})
    metadata.setExtent(_extent(layer, plan))
    metadata.setContacts(_contacts(job))
    _set_terms(layer, metadata, plan, job)
    if job.link:
        metadata.addLink(_link("Job", job.link))
    metadata.setHistory(history(job))
    _set_dates(metadata, plan, job)
    return metadata


def _extent(layer: QgsMapLayer, plan: LayerPlan) -> QgsLayerMetadata.Extent:
    spatial = QgsLayerMetadata.SpatialExtent()
    spatial.extentCrs = layer.crs()
    spatial.bounds = QgsBox3d(layer.extent())
    extent = QgsLayerMetadata.Extent()
    extent.setSpatialExtents([spatial])
    moments = date_range(plan)
    if moments is not None:
        extent.setTemporalExtents([moments])
    return extent


def _contacts(job: JobProvenance) -> List[QgsLayerMetadata.Contact]:
    """Who brought the images, who worked on them, and the service."""
    roles = [(block.provider, "processor" if number else "resourceProvider") for number, block in enumerate(job.blocks)]
    contacts = []
    for organisation, role in dict.fromkeys([*roles, ("UP42", "distributor")]):
        if organisation:
            contact = QgsLayerMetadata.Contact(organisation)
            contact.organization, contact.role = organisation, role
            contacts.append(contact)
    return contacts


def _set_terms(layer: QgsMapLayer, metadata: QgsLayerMetadata, plan: LayerPlan, job: JobProvenance) -> None:
    """Licence, rights and attribution. Labels of a map get the rights of its layers in newer QGIS (``map_credits``)."""
    found = terms(plan, job)
    metadata.setLicenses([found.name] if found.name else [])
    metadata.setRights([text for text in (found.attribution, *statement(plan)) if text])
    if found.url:
        metadata.addLink(_link("Licence", found.url))
    holder = attribution_holder(layer)
    holder.setAttribution(found.attribution)
    holder.setAttributionUrl(found.url)


def attribution_holder(layer: QgsMapLayer) -> Any:
    """What keeps a layer's attribution: newer QGIS has moved it."""
    served = layer.serverProperties()
    return served if hasattr(served, "setAttribution") else layer


def _link(name: str, url: str) -> QgsLayerMetadata.Link:
    return QgsLayerMetadata.Link(name, "WWW:LINK", url)


def _set_dates(metadata: QgsLayerMetadata, plan: LayerPlan, job: JobProvenance) -> None:
    """Taken, and made available by the service; older QGIS knows the times of the extent only."""
    kinds = getattr(Qgis, "MetadataDateType", None)
    if kinds is None:
        return
    for kind, moment in ((kinds.Created, plan.acquired), (kinds.Published, job.finished)):
        if moment is not None:
            metadata.setDateTime(kind, to_qdatetime(moment))


def _degrees_of(layer: QgsMapLayer) -> Optional[Box]:
    """West, south, east and north of a layer, None where they cannot be told."""
    if layer.extent().isEmpty():
        return None
    degrees = QgsCoordinateReferenceSystem("EPSG:4326")
    try:
        to_degrees = QgsCoordinateTransform(layer.crs(), degrees, QgsCoordinateTransformContext())
        if not to_degrees.isValid():  # it would leave numbers as they are
            return None
        box = to_degrees.transformBoundingBox(layer.extent())
    except QgsCsException:
        return None
    found = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
    return found if all(map(math.isfinite, found)) else None


def _notes(plan: LayerPlan, job: JobProvenance) -> str:
    paragraphs = "".join(f"<p><b>{escape(text)}</b></p>" for text in statement(plan))
    rows = "".join(f"<tr><td>{escape(label)}</td><td>{escape(value)}</td></tr>" for label, value in facts(plan, job))
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
