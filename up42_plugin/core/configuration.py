"""The job configuration: what a test query and a live job share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Mapping, Optional

from up42_plugin.core.aoi import AOI
from up42_plugin.core.jobs import Mode
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, Workflow


class GeometricFilter(str, Enum):
    """How the AOI is matched with images."""

    INTERSECTS = "intersects"
    BBOX = "bbox"
    CONTAINS = "contains"


@dataclass(frozen=True)
class JobConfiguration:
    """Workflow + AOI + geometric filter + job parameters.

    ``parameters`` maps task names to that task's parameters without its geometry, which comes from ``aoi``; None as
    ``aoi`` leaves the geometries in ``parameters`` as they are.
    """

    workflow: Workflow
    aoi: Optional[AOI]
    geometric_filter: GeometricFilter
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def inputs(self, mode: Mode) -> Dict[str, Any]:
        """The JSON body of the job, ``config.mode`` included."""
        raise NotImplementedError

    @property
    def fingerprint(self) -> str:
        """Equal for configurations that ask for the same thing: SHA-256 of workflow id and inputs."""
        body = {key: value for key, value in self.inputs(Mode.LIVE).items() if key != "config"}
        text = json.dumps([self.workflow.id, body], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
