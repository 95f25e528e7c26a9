"""What the form knows of its area at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Optional, Tuple

from qgis.core import QgsGeometry

from up42_plugin.core.aoi import AOI
from up42_plugin.core.job_areas import JobArea
from up42_plugin.core.mending import Mend
from up42_plugin.qgis_bridge.area_material import Offer
from up42_plugin.qgis_bridge.selection import SelectionState


class SourceKind(Enum):
    """Where the area is taken from; the value is kept in settings."""

    SELECTION = "selection"
    MAP_EXTENT = "map_extent"
    POLYGON = "polygon"
    RECTANGLE = "rectangle"
    LAYER_EXTENT = "layer_extent"
    FILE = "file"
    TEXT = "text"
    SAVED = "saved"


@dataclass(frozen=True)
class AreaState(SelectionState):
    """A selection's state for any source.

    ``areas`` are a batch's, two or more, in the place of ``aoi``. ``what`` is the second half of the size line
    (``1 selected feature``, ``map extent``); ``offers`` one for each problem; ``mends`` what was mended, in the
    person's order; ``before`` the unmended shapes in EPSG:4326. ``features`` counts those of the source, whether they
    become one area or, with ``per_feature``, one each. ``size_km2`` is that of everything, where it is known although
    there is a problem.
    """

    kind: SourceKind = SourceKind.SELECTION
    what: str = ""
    offers: Tuple[Offer, ...] = ()
    mends: Tuple[Mend, ...] = ()
    before: Tuple[QgsGeometry, ...] = ()
    reading: bool = False
    areas: Tuple[JobArea, ...] = ()
    features: int = 0
    per_feature: bool = False
    size_km2: Optional[float] = None

    @property
    def job_areas(self) -> Tuple[JobArea, ...]:
        """One for each job: a batch's areas, or the one area; none while there is a problem."""
        return self.areas or ((JobArea("", self.aoi),) if self.aoi is not None else ())

    @property
    def aois(self) -> Tuple[AOI, ...]:
        """The same without their labels."""
        return tuple(area.aoi for area in self.job_areas)


def shown(state: AreaState) -> Tuple[Any, ...]:
    """Equal for states that look the same."""
    problems = state.error.problems if state.error is not None else ()
    named = (state.kind, state.what, state.layer_id, state.layer_name, state.feature_count, state.hint)
    batch = (state.areas, state.features, state.per_feature, state.size_km2)
    return (state.aoi, problems, *named, state.offers, state.mends, state.reading, *batch)
