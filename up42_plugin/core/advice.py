"""What a block would like an area to be: information, never an obstacle."""

from __future__ import annotations

from typing import Mapping, Optional, Sequence, Tuple

from up42_plugin.core.aoi import AOI
from up42_plugin.core.geometry.errors import NBSP
from up42_plugin.core.mending import metres_per_degree
from up42_plugin.core.workflow import Workflow

# Super-resolution computes on windows of at least 192 pixels of 10 m (the service's block description).
_LEAST_SIDE_KM: Mapping[str, Tuple[str, float]] = {"s2-superresolution": ("Super-resolution", 1.92)}


def sides_km(aoi: AOI) -> Tuple[float, float]:
    """Width and height in km of the upright box around the area."""
    west, south, east, north = aoi.bbox
    across, along = metres_per_degree((south + north) / 2)
    return (east - west) * across / 1000, (north - south) * along / 1000


def area_advice(workflow: Optional[Workflow], aoi: Optional[AOI]) -> Tuple[str, ...]:
    """Sentences about the area from the workflow's blocks, in their order."""
    if workflow is None or aoi is None:
        return ()
    width, height = sides_km(aoi)
    told = []
    for step in workflow.steps:
        title, least = _LEAST_SIDE_KM.get(step.block.name, ("", 0.0))
        if min(width, height) < least:
            told.append(
                f"{title} asks for at least {least:.2f}{NBSP}km on each side; "
                f"this area is {width:.2f} × {height:.2f}{NBSP}km."
            )
    return tuple(dict.fromkeys(told))


def areas_advice(workflow: Optional[Workflow], aois: Sequence[AOI]) -> Tuple[str, ...]:
    """The same for the areas of a batch: how many of them a block would like to be larger."""
    if len(aois) == 1:
        return area_advice(workflow, aois[0])
    told = [text.split("; ")[0] for aoi in aois for text in area_advice(workflow, aoi)]
    return tuple(f"{told.count(text):,} of {len(aois):,} areas: {text}." for text in dict.fromkeys(told))
