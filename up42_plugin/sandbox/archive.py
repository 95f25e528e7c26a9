"""The scene archive as block runners see it: search scenes, read a window of bands.

The made-up archive implements this; a STAC catalogue of cloud-optimised GeoTIFFs could stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Mapping, Optional, Protocol, Sequence, Tuple

if TYPE_CHECKING:  # the service reads this module long before the first block needs NumPy
    import numpy as np

BBox = Tuple[float, float, float, float]


@dataclass(frozen=True)
class Grid:
    """A north-up pixel grid: upper left corner and square pixel size in CRS units, width and height in pixels."""

    epsg: int
    left: float
    top: float
    pixel: float
    width: int
    height: int

    @property
    def geotransform(self) -> Tuple[float, float, float, float, float, float]:
        """GDAL's six numbers."""
        return (self.left, self.pixel, 0.0, self.top, 0.0, -self.pixel)


@dataclass(frozen=True)
class Scene:
    """One acquisition of one sensor over one tile (Sentinel-2) or strip (very high resolution).

    ``footprint`` is the GeoJSON polygon (EPSG:4326) where the scene has data: the whole tile, cut by the swath's edge.
    ``grid`` is the full grid at the sensor's finest resolution. ``cloud_cover`` in percent of the whole scene.
    Angles in degrees. ``properties`` holds what the provider's metadata adds.
    """

    id: str
    sensor: str
    platform: str
    tile: str
    acquired: datetime
    cloud_cover: float
    footprint: Mapping[str, Any]
    bbox: BBox
    grid: Grid
    sun_azimuth: float
    sun_elevation: float
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SceneQuery:
    """What a data block asks for. ``geometry`` is a GeoJSON polygon, ``relation`` intersects or contains.

    A bounding box is asked as its polygon with ``intersects``. ``times`` are closed UTC ranges; ``limit`` counts for
    each of them. ``ids`` replaces times, limit and clouds. Newest first.
    """

    sensor: str
    geometry: Mapping[str, Any]
    relation: str = "intersects"
    times: Sequence[Tuple[datetime, datetime]] = ()
    limit: Optional[int] = 1
    max_cloud_cover: float = 100.0
    ids: Optional[Sequence[str]] = None


class SceneArchive(Protocol):
    """Where scenes come from."""

    def search(self, query: SceneQuery) -> Sequence[Scene]:
        """Scenes that match, newest first."""

    def read(self, scene: Scene, bands: Sequence[str], grid: Grid) -> np.ndarray:
        """Reflectance 0..1 (float32, bands x height x width) with the scene's clouds; NaN where it has no data.

        ``bands`` are names like ``B04``, ``B8A`` or ``PAN``. ``grid`` may be any grid in any projected CRS.
        """

    def quicklook(self, scene: Scene, size: int = 512) -> np.ndarray:
        """RGB uint8 (height x width x 3) of the scene's bounding box; black where it has no data."""
