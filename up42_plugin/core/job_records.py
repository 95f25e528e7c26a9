"""What the list of jobs keeps of the ledger's records: their inputs may be long and are read again when needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, List, Mapping, Optional, Tuple

from up42_plugin.core.estimation import Range
from up42_plugin.core.geometry.area import polygon_area_km2
from up42_plugin.core.jobs import Job, Mode
from up42_plugin.core.ledger import RecordedJob, SubmissionState
from up42_plugin.core.ledger_life import LedgerEntry
from up42_plugin.core.run import Phase
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS

_MOST_POINTS = 5000
_BOX = 4

# What the ledger says of a submission, while nobody else says anything of its job
_RECORDED = {
    SubmissionState.PENDING: Phase.CHECKING,
    SubmissionState.UNKNOWN: Phase.CHECKING,
    SubmissionState.ACCEPTED: Phase.ON_SERVICE,
    SubmissionState.NOT_SENT: Phase.NOT_SUBMITTED,
    SubmissionState.REFUSED: Phase.NOT_SUBMITTED,
    SubmissionState.NOT_SUBMITTED: Phase.NOT_SUBMITTED,
}


@dataclass(frozen=True)
class JobRecord:
    """What is kept of a job of the ledger."""

    id: str
    name: str
    mode: Mode
    created: datetime
    phase: Phase
    reason: str
    agreed: Optional[Range]
    charged: Optional[float]
    workflow: str
    workflow_id: str
    area_km2: Optional[float]


def record_of(record: RecordedJob) -> JobRecord:
    """What is kept of a whole record."""
    last = record.submissions[-1] if record.submissions else None
    charges = [item.charged_credits for item in record.submissions if item.charged_credits is not None]
    configuration = record.configuration
    return JobRecord(
        id=record.id,
        name=record.name,
        mode=record.mode,
        created=record.created,
        phase=_RECORDED.get(last.state, Phase.ON_SERVICE) if last is not None else Phase.ON_SERVICE,
        reason=last.reason if last is not None else "",
        agreed=record.agreed,
        charged=sum(charges) if charges else None,
        workflow=configuration.workflow_name,
        workflow_id=configuration.workflow_id,
        area_km2=configuration.aoi_km2,
    )


def record_of_entry(entry: LedgerEntry) -> JobRecord:
    """The same of the ledger's own list."""
    submission = entry.submission
    return JobRecord(
        id=entry.id,
        name=entry.name,
        mode=entry.mode,
        created=entry.created,
        phase=_RECORDED.get(submission.state, Phase.ON_SERVICE),
        reason=submission.reason,
        agreed=entry.agreed,
        charged=submission.charged_credits,
        workflow=entry.workflow_name,
        workflow_id=entry.workflow_id,
        area_km2=entry.aoi_km2,
    )


def job_of(entry: LedgerEntry) -> Optional[Job]:
    """The job as a window saw it last on the service; None when nobody has."""
    submission, life = entry.submission, entry.submission.life
    if life is None or not submission.service_job_id:
        return None
    return Job(
        id=submission.service_job_id,
        name=entry.name,
        state=life.state,
        word=life.word,
        mode=entry.mode,
        created=life.created,
        started=life.started,
        finished=life.finished,
        workflow_id=entry.workflow_id,
        workflow_name=entry.workflow_name,
    )


def service_id(record: RecordedJob) -> str:
    """Of a chain of submissions, the last that the service has."""
    return next((item.service_job_id for item in reversed(record.submissions) if item.service_job_id), "")


def area_of_inputs(inputs: Mapping[str, Any]) -> Optional[float]:
    """The area in km² of the first geometry that a job was asked for with, None where there is none to be read."""
    for values in inputs.values():
        if not isinstance(values, Mapping):
            continue
        for name in GEOMETRY_PARAMETERS:
            rings = _rings(values.get(name))
            if rings:
                return polygon_area_km2(rings)
    return None


def _rings(geometry: Any) -> List[List[Tuple[float, float]]]:
    """The rings of a polygon or of a box; empty for anything else, and for outlines too long to be measured here."""
    try:
        if isinstance(geometry, Mapping) and geometry.get("type") == "Polygon":
            rings = [[(float(point[0]), float(point[1])) for point in ring] for ring in geometry["coordinates"]]
            return rings if sum(map(len, rings)) <= _MOST_POINTS else []
        if isinstance(geometry, (list, tuple)) and len(geometry) == _BOX:
            west, south, east, north = map(float, geometry)
            return [[(west, south), (east, south), (east, north), (west, north), (west, south)]]
    except (TypeError, ValueError, LookupError):
        pass
    return []
