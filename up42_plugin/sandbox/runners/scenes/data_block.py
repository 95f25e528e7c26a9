"""What all data blocks do: search, then describe what a test query found or deliver what a live job asked for."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.archive import Grid, Scene, SceneQuery
from up42_plugin.sandbox.runners import data_json, grids
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR, NO_INPUT_ERROR
from up42_plugin.sandbox.runners.parameters import scene_query
from up42_plugin.sandbox.runners.rasters import write_jpeg

QUICKLOOK_PIXELS = 512
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

Area = Mapping[str, Any]


@dataclass(frozen=True)
class Find:
    """A scene as its provider presents it: id and properties of its feature in ``data.json``.

    ``beside`` are members that a test query's feature has beside its properties.
    """

    scene: Scene
    feature_id: str
    properties: Mapping[str, Any]
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivery:
    """What became of one scene: features with their files written, and what counts for the price."""

    features: Sequence[data_json.Feature]
    square_km: float
    pixels: int
    tiles: int = 0


@dataclass(frozen=True)
class DataBlock:
    """What is particular to one data block.

    ``present`` describes a scene (task, scene, area of interest). ``deliver`` writes its files (task, find, area); it
    returns None when the scene has no pixel there. ``announce`` may log more about what a test query found.
    """

    sensor: str
    present: Callable[[Task, Scene, Area], Find]
    deliver: Callable[[Task, Find, Area], Optional[Delivery]]
    wanted: Callable[[Task, Scene], bool] = lambda task, scene: True
    announce: Callable[[Task, Sequence[Find], Area], None] = lambda task, finds, area: None


def scene_uuid(scene: Scene) -> str:
    """A UUID that is always the same for a scene, for providers whose features have one."""
    return str(uuid.UUID(bytes=hashlib.sha256(scene.id.encode()).digest()[:16], version=4))


def synthetic_part(scene: Scene) -> Dict[str, Any]:
    """The properties that say that a scene is made up; empty for one that is not."""
    return {key: scene.properties[key] for key in ("synthetic", "note") if key in scene.properties}


def tiff_tags(scene: Scene) -> Dict[str, str]:
    """Tags of a raster cut from a scene: when it was taken, which one it is, and that it is made up where it is."""
    tags = {"TIFFTAG_DATETIME": f"{scene.acquired:%Y:%m:%d %H:%M:%S}", "SCENE_ID": scene.id}
    return {**tags, **data_json.synthetic_tags(scene.properties)}


def run(task: Task, block: DataBlock) -> Usage:
    """Do the work of a data block.

    Raises:
        RunnerError: wrong parameters, or a live job that finds nothing.
    """
    query = scene_query(block.sensor, task.parameters)
    scenes = [scene for scene in _search(task, query) if block.wanted(task, scene)]
    task.log("INFO", f"Search gave {len(scenes)} results")
    finds = [block.present(task, scene, query.geometry) for scene in scenes]
    if task.test_query:
        return _describe(task, block, finds, query.geometry)
    return _deliver(task, block, finds, query.geometry)


def _describe(task: Task, block: DataBlock, finds: Sequence[Find], area: Area) -> Usage:
    if finds:
        block.announce(task, finds, area)
    else:
        task.log("WARNING", "No images fit the parameters. Another area, time or cloud cover may find some.")
    _write_quicklooks(task, finds)
    features = [
        {**data_json.feature(f.feature_id, f.scene.footprint, f.properties, bbox=f.scene.bbox), **f.beside}
        for f in finds
    ]
    data_json.write(task, features)
    square_km = sum(grids.shared_km2(area, find.scene.footprint) for find in finds)
    return Usage(square_km=square_km, scenes=len(finds), output_bytes=data_json.output_bytes(task))


def _deliver(task: Task, block: DataBlock, finds: Sequence[Find], area: Area) -> Usage:
    deliveries: List[Tuple[Find, Delivery]] = []
    for find in finds:
        task.check()
        task.log("INFO", f"Fetching {find.scene.id}")
        delivery = block.deliver(task, find, area)
        if delivery is None:
            task.log("WARNING", f"{find.scene.id} has no pixels in the area and is left out")
        else:
            deliveries.append((find, delivery))
    if not deliveries:
        raise RunnerError(NO_INPUT_ERROR, "No images were found for these parameters")
    _write_quicklooks(task, [find for find, _ in deliveries])
    data_json.write(task, [feature for _, delivery in deliveries for feature in delivery.features])
    return Usage(
        square_km=sum(delivery.square_km for _, delivery in deliveries),
        scenes=len(deliveries),
        output_bytes=data_json.output_bytes(task),
        pixels=sum(delivery.pixels for _, delivery in deliveries),
        tiles=sum(delivery.tiles for _, delivery in deliveries),
    )


def _search(task: Task, query: SceneQuery) -> List[Scene]:
    try:
        found = list(task.archive.search(query if query.ids is None else _with_scene_ids(task, query)))
    except ValueError as error:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"The search is not possible: {error}") from error
    return list({scene.id: scene for scene in found}.values())


def _with_scene_ids(task: Task, query: SceneQuery) -> SceneQuery:
    """The query with UUIDs of features replaced by the archive's own ids; unknown ones are left out."""
    uuids = {scene_id.lower() for scene_id in query.ids or () if _UUID.fullmatch(scene_id)}
    if not uuids:
        return query
    everything = replace(query, ids=None, times=(), limit=None, max_cloud_cover=100.0)
    named = [scene.id for scene in task.archive.search(everything) if scene_uuid(scene) in uuids]
    return replace(query, ids=[scene_id for scene_id in query.ids or () if not _UUID.fullmatch(scene_id)] + named)


def _write_quicklooks(task: Task, finds: Sequence[Find]) -> None:
    for find in finds:
        task.check()
        write_jpeg(task.quicklooks / f"{find.feature_id}.jpg", task.archive.quicklook(find.scene, QUICKLOOK_PIXELS))


def scene_strips(
    task: Task, scene: Scene, bands: Sequence[str], grid: Grid, multiple: int = 1
) -> Iterator[Tuple[int, np.ndarray]]:
    """First row and reflectances (bands x rows x columns) of strips of a grid, from top to bottom.

    Between strips it is looked whether the job is being cancelled. ``multiple`` is what the rows are a multiple of.
    """
    for row, rows in grids.strips(grid.width, grid.height, multiple):
        task.check()
        yield row, task.archive.read(scene, bands, grids.part_of(grid, 0, row, grid.width, rows))
