"""What the tests of block runners share: an archive of smooth made values, tasks, and looks at what was written."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox import footprints
from up42_plugin.sandbox.archive import Grid, Scene, SceneQuery
from up42_plugin.sandbox.catalogue import Catalogue
from up42_plugin.sandbox.geodesy import grid_lonlat
from up42_plugin.sandbox.runners.contract import Task, Usage
from up42_plugin.sandbox.runners.grids import outline
from up42_plugin.sandbox.runners.registry import RUNNERS

NOTE = "Made for tests."
UTM = 32633
TILE = Grid(UTM, 499980.0, 4200000.0, 10.0, 10980, 10980)
STRIP = Grid(UTM, 516000.0, 4198000.0, 0.5, 40000, 40000)
AREA: Mapping[str, Any] = {
    "type": "Polygon",
    "coordinates": [
        [
            [15.282326, 37.854051],
            [15.281897, 37.843275],
            [15.301208, 37.843139],
            [15.301809, 37.853577],
            [15.282326, 37.854051],
        ]
    ],
}
SMALL_AREA: Mapping[str, Any] = {
    "type": "Polygon",
    "coordinates": [[[15.29, 37.845], [15.2945, 37.845], [15.2945, 37.848], [15.29, 37.848], [15.29, 37.845]]],
}
_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12", "PAN")
_FINEST_M = 10.0
_METRES_EAST, _METRES_NORTH = 87_900.0, 111_000.0


def reflectance(band: str, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """Waves of some hundred metres and squares of 70 m, stronger or weaker by band."""
    x, y = (lon - 15.29) * _METRES_EAST, (lat - 37.85) * _METRES_NORTH
    waves = 0.06 * np.sin(x / 55.0) * np.cos(y / 70.0)
    squares = 0.05 * ((np.floor(x / 70.0) + np.floor(y / 70.0)) % 2)
    share = 1.0 + 0.06 * _BANDS.index(band)
    return (0.12 + share * (waves + squares) + 0.01 * _BANDS.index(band)).astype(np.float32)


@dataclass
class WaveArchive:
    """A scene archive over a few scenes whose pixels follow :func:`reflectance`."""

    scenes: Sequence[Scene]
    queries: List[SceneQuery] = field(default_factory=list)

    def search(self, query: SceneQuery) -> List[Scene]:
        self.queries.append(query)
        own = [scene for scene in self.scenes if scene.sensor == query.sensor]
        if query.ids is not None:
            return [scene for scene in own if scene.id in query.ids]
        area = footprints.from_geojson(query.geometry)
        found: Dict[str, Scene] = {}
        ranges = query.times or (
            (datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc)),
        )
        for start, end in ranges:
            matching = [
                scene
                for scene in own
                if start <= scene.acquired <= end
                and scene.cloud_cover <= query.max_cloud_cover
                and footprints.matches(footprints.from_geojson(scene.footprint), area, query.relation)
            ]
            matching.sort(key=lambda scene: scene.acquired, reverse=True)
            found.update({scene.id: scene for scene in matching[: query.limit]})
        return sorted(found.values(), key=lambda scene: scene.acquired, reverse=True)

    def read(self, scene: Scene, bands: Sequence[str], grid: Grid) -> np.ndarray:
        factor = max(1, round(grid.pixel / _FINEST_M))
        fine = replace(grid, pixel=grid.pixel / factor, width=grid.width * factor, height=grid.height * factor)
        lon, lat = grid_lonlat(fine)
        shape = (grid.height, factor, grid.width, factor)
        values = np.stack([reflectance(band, lon, lat).reshape(shape).mean(axis=(1, 3)) for band in bands])
        return np.where(footprints.mask(scene.footprint, grid), values, np.nan).astype(np.float32)

    def quicklook(self, scene: Scene, size: int = 512) -> np.ndarray:
        ramp = np.linspace(0, 255, size).astype(np.uint8)
        return np.stack([np.tile(ramp, (size, 1))] * 3, axis=2)


def sentinel_scene(days: int = 0, cloud: float = 5.0, **changes: Any) -> Scene:
    """A Sentinel-2 scene of tile 33SWB, ``days`` after 20 June 2021."""
    acquired = datetime(2021, 6, 20, 9, 51, 56, tzinfo=timezone.utc) + timedelta(days=days)
    name = f"S2A_MSIL2A_{acquired:%Y%m%d}T094031_N0300_R036_T33SWB_{acquired:%Y%m%d}T124300"
    scene = Scene(
        id=name,
        sensor="sentinel2",
        platform="S2A",
        tile="33SWB",
        acquired=acquired,
        cloud_cover=cloud,
        footprint=outline(TILE),
        bbox=_bbox(outline(TILE)),
        grid=TILE,
        sun_azimuth=140.0,
        sun_elevation=60.0,
        properties={"synthetic": True, "note": NOTE, "relative_orbit": 36},
    )
    return replace(scene, **changes)


def pleiades_scene(**changes: Any) -> Scene:
    """A Pléiades scene of 20 km seen from the east south-east at 20 degrees."""
    scene = Scene(
        id="DS_PHR1B_202106201002033_FR1_PX_E015N37_0417_00066",
        sensor="pleiades",
        platform="PHR1B",
        tile="E015N37",
        acquired=datetime(2021, 6, 20, 10, 2, 3, 300_000, tzinfo=timezone.utc),
        cloud_cover=2.31,
        footprint=outline(STRIP),
        bbox=_bbox(outline(STRIP)),
        grid=STRIP,
        sun_azimuth=140.0,
        sun_elevation=60.0,
        properties={"synthetic": True, "note": NOTE, "incidence_angle": 20.0, "viewing_azimuth": 102.0},
    )
    return replace(scene, **changes)


def _bbox(polygon: Mapping[str, Any]) -> Tuple[float, float, float, float]:
    lons, lats = zip(*polygon["coordinates"][0])
    return min(lons), min(lats), max(lons), max(lats)


def cut_footprint(scene: Scene, west: float, east: float) -> Scene:
    """The scene with data between two longitudes only, as at the edge of a swath."""
    _, south, _, north = scene.bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return replace(scene, footprint={"type": "Polygon", "coordinates": [ring]}, bbox=(west, south, east, north))


@dataclass
class Ran:
    """A task that was run: its output folder, quicklooks, log and what it reported."""

    output: Path
    quicklooks: Path
    log: List[Tuple[str, str]]
    usage: Usage

    @property
    def features(self) -> List[Dict[str, Any]]:
        return json.loads((self.output / "data.json").read_text(encoding="utf-8"))["features"]

    @property
    def files(self) -> List[str]:
        paths = [path for path in self.output.rglob("*") if path.is_file()]
        return sorted(str(path.relative_to(self.output)) for path in paths)

    def said(self, text: str) -> bool:
        return any(text in line for _, line in self.log)


class Workbench:
    """Runs blocks by id, each task in folders of its own."""

    def __init__(self, root: Path, archive: Any) -> None:
        self.archive = archive
        self._root = root
        self._numbers = itertools.count(1)
        self._catalogue = Catalogue.load()

    def task(self, block_id: str, parameters: Mapping[str, Any], **changes: Any) -> Task:
        """A task with the block's defaults filled in; ``changes`` replace members."""
        folder = self._root / f"task{next(self._numbers)}"
        (folder / "output").mkdir(parents=True)
        (folder / "quicklooks").mkdir()
        block = self._catalogue.get(block_id)
        assert block is not None
        task = Task(
            name=f"{block.name}:1",
            block={"id": block.id, "name": block.name},
            parameters=block.with_defaults(parameters),
            geometry=None,
            source=None,
            target=folder / "output",
            quicklooks=folder / "quicklooks",
            test_query=False,
            archive=self.archive,
            log=lambda _level, _text: None,
            check=lambda: None,
        )
        return replace(task, **changes)

    def run(self, block_id: str, parameters: Mapping[str, Any], **changes: Any) -> Ran:
        """Run a block."""
        log: List[Tuple[str, str]] = []
        task = self.task(block_id, parameters, log=lambda level, text: log.append((level, text)), **changes)
        usage = RUNNERS[block_id](task)
        return Ran(task.target, task.quicklooks, log, usage)

    def after(self, before: Ran, block_id: str, parameters: Optional[Mapping[str, Any]] = None, **changes: Any) -> Ran:
        """Run a processing block on what another one left."""
        return self.run(block_id, parameters or {}, source=before.output, **{"geometry": AREA, **changes})


def stop_after(calls: int, error: Exception) -> Callable[[], None]:
    """A ``check`` that raises from the given call on."""
    left = [calls]

    def check() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise error

    return check


def grid_of(dataset: Any) -> Grid:
    """The grid of an open north-up raster in UTM zone 33."""
    left, pixel, _, top, _, _ = dataset.GetGeoTransform()
    return Grid(UTM, left, top, pixel, dataset.RasterXSize, dataset.RasterYSize)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """How much two arrays go along with each other, 1 at most."""
    value = float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    return -1.0 if math.isnan(value) else value


def best_shift_of(truth: np.ndarray, seen: np.ndarray, reach: int = 2) -> Tuple[int, int]:
    """By how many columns and rows ``seen`` has to be moved to go along with ``truth`` best."""
    edge = reach + 2
    rows, columns = truth.shape
    inner = truth[edge:-edge, edge:-edge].astype(float)
    shifts = [(dx, dy) for dx in range(-reach, reach + 1) for dy in range(-reach, reach + 1)]

    def moved(dx: int, dy: int) -> np.ndarray:
        return seen[edge + dy : rows - edge + dy, edge + dx : columns - edge + dx].astype(float)

    return max(shifts, key=lambda shift: correlation(inner, moved(*shift)))
