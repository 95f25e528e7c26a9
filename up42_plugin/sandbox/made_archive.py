"""The made-up scene archive: acquisitions over any place since July 2015, with pixels computed from a made-up Earth."""

from __future__ import annotations

import math
from collections import OrderedDict
from datetime import datetime, timezone
from threading import Lock
from typing import Callable, Dict, List, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.acquisitions import Sentinel2
from up42_plugin.sandbox.archive import Grid, Scene, SceneQuery
from up42_plugin.sandbox.display import grey_levels
from up42_plugin.sandbox.enlarging import coarse_grid, enlarged
from up42_plugin.sandbox.footprints import from_geojson, in_one_piece, mask, mask_in_box
from up42_plugin.sandbox.geodesy import METRES_PER_DEGREE, grid_lonlat, ground_resolution, metres_per_unit
from up42_plugin.sandbox.scene_catalogue import SYNTHETIC_NOTE, Area, Candidate, Catalogue, Span
from up42_plugin.sandbox.strips import PLEIADES, SPOT, Strips
from up42_plugin.sandbox.world.clouds import Sky, under_clouds
from up42_plugin.sandbox.world.lattice import Number
from up42_plugin.sandbox.world.ships import FINEST_M, with_ships
from up42_plugin.sandbox.world.spectra import BANDS
from up42_plugin.sandbox.world.view import SEED, render

__all__ = ["SYNTHETIC_NOTE", "MadeArchive"]

TRUE_COLOUR = ("B04", "B03", "B02")

OPTICS = 1.0
"""Metres that the finest sensor resolves: Pléiades' half metre is resampled from 0.7 m."""

_CHUNK = 1 << 20
_SKIES = 16
_BEGINNING = datetime(2015, 7, 1, tzinfo=timezone.utc)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)


class MadeArchive:
    """Sentinel-2, Pléiades and SPOT scenes that are computed when they are asked for; nothing is stored.

    The same seed gives the same world and the same scenes. ``now`` is the clock (aware, UTC): scenes that are not yet
    taken do not exist. Footprints and boxes at the antimeridian run past 180 degrees. Safe to use from several threads.
    """

    def __init__(self, seed: int = SEED, now: Callable[[], datetime] = _utc_now) -> None:
        self._seed = seed
        self._now = now
        self._catalogues: Dict[str, Catalogue] = {
            "sentinel2": Sentinel2(seed),
            "pleiades": Strips(PLEIADES, seed),
            "spot": Strips(SPOT, seed),
        }
        self._skies: OrderedDict[str, Sky] = OrderedDict()
        self._lock = Lock()

    @property
    def seed(self) -> int:
        """Which made-up world it shows."""
        return self._seed

    def search(self, query: SceneQuery) -> List[Scene]:
        """Return the scenes that match, newest first.

        Raises:
            ValueError: an unknown sensor or relation, no polygon, or times without a time zone.
        """
        catalogue = self._catalogue(query.sensor)
        if query.ids is not None:
            return self._by_ids(catalogue, query.ids)
        find = catalogue.over(Area(in_one_piece(from_geojson(query.geometry)), query.relation))
        now = self._now()
        found: Dict[Tuple[datetime, str], Candidate] = {}
        for start, end in query.times or ((_BEGINNING, now),):
            if start.tzinfo is None or end.tzinfo is None:
                raise ValueError("the times of a search need a time zone")
            matched = find(Span(max(start, _BEGINNING), end, now), query.max_cloud_cover, query.limit)
            for candidate in sorted(matched, key=_order, reverse=True)[: query.limit]:
                found[_order(candidate)] = candidate
        return [found[key].make() for key in sorted(found, reverse=True)]

    def read(self, scene: Scene, bands: Sequence[str], grid: Grid) -> np.ndarray:
        """Return reflectance 0..1 (float32, bands x height x width) with clouds; NaN where the scene has no data.

        ``grid`` is in any projected CRS (or in degrees); its pixel is what the world is sampled with.

        Raises:
            ValueError: an unknown scene, band or CRS.
        """
        unknown = [band for band in bands if band not in BANDS]
        if unknown:
            raise ValueError(f"there is no band {unknown[0]!r}")
        self._sky(scene)
        inside = mask(scene.footprint, grid)
        out = np.full((len(bands), grid.height, grid.width), np.nan, np.float32)
        rows = np.flatnonzero(inside.any(1))
        if not rows.size:
            return out
        step = max(_CHUNK // grid.width, 1)
        for top in range(int(rows[0]), int(rows[-1]) + 1, step):
            bottom = min(top + step, int(rows[-1]) + 1)
            part = inside[top:bottom]
            columns = np.flatnonzero(part.any(0))
            if not columns.size:
                continue
            left, right = int(columns[0]), int(columns[-1]) + 1
            values = self._window(scene, bands, _window(grid, left, top, right - left, bottom - top))
            out[:, top:bottom, left:right] = np.where(part[:, left:right], values, np.float32(np.nan))
        return out

    def quicklook(self, scene: Scene, size: int = 512) -> np.ndarray:
        """Return an RGB picture (uint8, height x width x 3) of the scene's bounding box; black where it has no data.

        The longer side has ``size`` pixels; the other one keeps the proportions on the ground.
        """
        west, south, east, north = scene.bbox
        across = (east - west) * math.cos(math.radians((south + north) / 2))
        longer = max(across, north - south)
        width, height = (max(round(size * side / longer), 1) for side in (across, north - south))
        lon, lat = np.meshgrid(
            west + (np.arange(width) + 0.5) * ((east - west) / width),
            north - (np.arange(height) + 0.5) * ((north - south) / height),
        )
        values = self._seen(scene, TRUE_COLOUR, lon, lat, longer / size * METRES_PER_DEGREE)
        inside = mask_in_box(scene.footprint, scene.bbox, width, height)
        return np.moveaxis(grey_levels(values) * inside, 0, 2)

    def _window(self, scene: Scene, bands: Sequence[str], grid: Grid) -> np.ndarray:
        """Return reflectances of a whole window, as if the scene had data everywhere."""
        factor = math.ceil(OPTICS / (grid.pixel * metres_per_unit(grid.epsg)) - 1e-6)
        coarse = coarse_grid(grid, factor) if factor > 1 else grid
        lon, lat = grid_lonlat(coarse)
        values = self._seen(scene, bands, lon, lat, ground_resolution(coarse, lat))
        return np.clip(enlarged(values, coarse, grid), 0, 1) if factor > 1 else values

    def _seen(
        self, scene: Scene, bands: Sequence[str], lon: np.ndarray, lat: np.ndarray, resolution: Number
    ) -> np.ndarray:
        values = render(lon, lat, scene.acquired.date(), bands, resolution=resolution, seed=self._seed)
        finest = float(np.min(resolution))
        if finest <= FINEST_M:
            values = with_ships(values, bands, (lon, lat, finest), scene.acquired.date(), self._seed)
        return under_clouds(values, bands, *self._sky(scene)(lon, lat, resolution))

    def _by_ids(self, catalogue: Catalogue, ids: Sequence[str]) -> List[Scene]:
        now = self._now()
        scenes = {}
        for scene_id in ids:
            scene = catalogue.by_id(scene_id, now)
            if scene is not None:
                scenes[scene.id] = scene
        return sorted(scenes.values(), key=lambda scene: (scene.acquired, scene.id), reverse=True)

    def _catalogue(self, sensor: str) -> Catalogue:
        if sensor not in self._catalogues:
            raise ValueError(f"the archive has no sensor {sensor!r}")
        return self._catalogues[sensor]

    def _sky(self, scene: Scene) -> Sky:
        with self._lock:
            if scene.id not in self._skies:
                self._skies[scene.id] = self._catalogue(scene.sensor).sky(scene)
                while len(self._skies) > _SKIES:
                    self._skies.popitem(last=False)
            self._skies.move_to_end(scene.id)
            return self._skies[scene.id]


def _order(candidate: Candidate) -> Tuple[datetime, str]:
    return candidate.acquired, candidate.key


def _window(grid: Grid, left: int, top: int, width: int, height: int) -> Grid:
    return Grid(grid.epsg, grid.left + left * grid.pixel, grid.top - top * grid.pixel, grid.pixel, width, height)
