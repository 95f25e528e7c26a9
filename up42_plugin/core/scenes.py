"""What a test query found: scenes and their quicklooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Mapping, Optional, Tuple

BBox = Tuple[float, float, float, float]


@dataclass(frozen=True)
class Scene:
    """One image found. ``footprint`` is a GeoJSON geometry and ``bbox`` (west, south, east, north), EPSG:4326.

    ``scene_id`` is the id usable in the parameter ``ids``; ``feature_id`` names the quicklook. ``cloud_cover`` is in
    percent of the whole scene. ``synthetic`` when the provider says that the image is made up.
    """

    feature_id: str
    scene_id: str
    job_id: str
    footprint: Mapping[str, Any]
    bbox: BBox
    acquired: Optional[datetime] = None
    cloud_cover: Optional[float] = None
    provider: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    synthetic: bool = False


@dataclass(frozen=True)
class Quicklook:
    """A low-resolution picture of a scene and the frame (EPSG:4326) that the picture fills."""

    scene: Scene
    content: bytes
    suffix: str
    frame: BBox
