"""Blocks that cut an area from a tile service: pictures of 8 bits in EPSG:3857 whose edges are those of whole tiles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox import display
from up42_plugin.sandbox.archive import Grid, Scene
from up42_plugin.sandbox.enlarging import coarse_grid, enlarged
from up42_plugin.sandbox.geometry import bounds
from up42_plugin.sandbox.runners import data_json, grids
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR
from up42_plugin.sandbox.runners.parameters import area_of
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.scenes import data_block, oneatlas, sentinel2
from up42_plugin.sandbox.runners.scenes.data_block import Area, DataBlock, Delivery, Find
from up42_plugin.sandbox.web_tiles import TileRange, tiles_over

COLOURS = (
    BandSpec("red", gdal.GCI_RedBand),
    BandSpec("green", gdal.GCI_GreenBand),
    BandSpec("blue", gdal.GCI_BlueBand),
)
PAN = BandSpec("pan", gdal.GCI_GrayIndex)
ALPHA = BandSpec("alpha", gdal.GCI_AlphaBand)
OPAQUE = 255
_COLOUR_SOURCES = ("B04", "B03", "B02")
_MEGABYTE = 1e6

Tone = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Stream:
    """What one block serves.

    ``native_m`` is what the sensor resolves: finer tiles are enlarged from it. ``zooms`` are the lowest and the highest
    level there is, ``zoom`` the one of blocks without the parameter. ``tone`` makes uint8 of reflectances.
    """

    sensor: str
    native_m: float
    zooms: Tuple[int, int]
    zoom: int
    tone: Tone
    describe: Callable[[Scene, str], Dict[str, Any]]
    alpha: bool = True
    offers: bool = False


def _pleiades(scene: Scene, feature_id: str) -> Dict[str, Any]:
    return oneatlas.properties(scene, feature_id, "PHR", "ALBUM", 0.5)


def _spot(scene: Scene, feature_id: str) -> Dict[str, Any]:
    return oneatlas.properties(scene, feature_id, "SPOT", "ALBUM", 1.5)


def _sobloo(scene: Scene, _feature_id: str) -> Dict[str, Any]:
    return sentinel2.sobloo_properties(scene)


def _sentinel_hub(scene: Scene, _feature_id: str) -> Dict[str, Any]:
    return {"date": f"{scene.acquired:%Y-%m-%d}", **data_block.synthetic_part(scene)}


STREAMS: Mapping[str, Stream] = {
    "oneatlas-pleiades-aoiclipped": Stream("pleiades", 0.5, (9, 18), 18, display.grey_levels, _pleiades, offers=True),
    "oneatlas-spot-aoiclipped": Stream("spot", 1.5, (9, 17), 17, display.grey_levels, _spot, offers=True),
    "sobloo-s2-l1c-aoiclipped": Stream(sentinel2.SENSOR, 10.0, (14, 14), 14, display.hazy_levels, _sobloo),
    "sentinelhub-s2-aoiclipped": Stream(
        sentinel2.SENSOR, 10.0, (9, 17), 17, display.grey_levels, _sentinel_hub, alpha=False
    ),
}


def run(task: Task) -> Usage:
    """One uint8 file ``<uuid>.tif`` per scene: red, green, blue, with ``panchromatic_band`` pan, and alpha."""
    stream = STREAMS[str(task.block["name"])]
    _tiles(task, area_of(task.parameters))  # a zoom level that there is not stops a test query too
    announce = _announce if stream.offers else lambda task, finds, area: None
    return data_block.run(task, DataBlock(stream.sensor, _present, _deliver, announce=announce))


def _tiles(task: Task, area: Area) -> TileRange:
    stream = STREAMS[str(task.block["name"])]
    zoom = task.parameters.get("zoom_level")
    zoom = stream.zoom if zoom is None else int(zoom)
    low, high = stream.zooms
    if not low <= zoom <= high:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"zoom_level must be from {low} to {high}, not {zoom}")
    return tiles_over(bounds(area), zoom)


def _present(task: Task, scene: Scene, area: Area) -> Find:
    stream, feature_id = STREAMS[str(task.block["name"])], data_block.scene_uuid(scene)
    return Find(scene, feature_id, stream.describe(scene, feature_id), _offer(task, area) if stream.offers else {})


def _offer(task: Task, area: Area) -> Dict[str, Any]:
    """What the provider says about size (megabytes) and price of a scene's tiles."""
    tiles = _tiles(task, area)
    size = tiles.grid.width * tiles.grid.height * len(_bands(task)) / _MEGABYTE
    return {"fileSize": math.ceil(size), "estimatedCredits": oneatlas.credits_for(task, tiles.count)}


def _announce(task: Task, finds: Sequence[Find], area: Area) -> None:
    total = oneatlas.credits_for(task, _tiles(task, area).count * len(finds))
    task.log("INFO", f"Estimated credits for this job: {total}")


def _bands(task: Task) -> Tuple[BandSpec, ...]:
    stream = STREAMS[str(task.block["name"])]
    pan = (PAN,) if task.parameters.get("panchromatic_band") else ()
    return COLOURS + pan + ((ALPHA,) if stream.alpha else ())


def _deliver(task: Task, find: Find, area: Area) -> Optional[Delivery]:
    stream, bands, tiles = STREAMS[str(task.block["name"])], _bands(task), _tiles(task, area)
    grid, path = tiles.grid, task.target / f"{find.feature_id}.tif"
    task.log("INFO", f"Fetching {tiles.count} tiles of zoom level {tiles.zoom} ({grid.width} x {grid.height} pixels)")
    tags, nodata = data_block.tiff_tags(find.scene), None if stream.alpha else 0
    spec = TiffSpec(grid.width, grid.height, bands, "uint8", nodata, grid=grid, tags=tags)
    sources = (*_COLOUR_SOURCES, "PAN") if PAN in bands else _COLOUR_SOURCES
    valid = 0
    with TiffWriter(path, spec) as writer:
        for row, reflectance in _strips(task, find.scene, sources, grid, stream.native_m):
            picture = stream.tone(reflectance)
            known = picture[0] > 0
            valid += int(known.sum())
            opaque = [(known * OPAQUE).astype(np.uint8)] if stream.alpha else []
            for number, values in enumerate([*picture, *opaque], 1):
                writer.write(number, values, row=row)
    if not valid:
        path.unlink()
        return None
    feature = data_json.feature(find.feature_id, grids.outline(grid), find.properties, path.name)
    square_km = grids.shared_km2(area, find.scene.footprint)
    return Delivery([feature], square_km, grid.width * grid.height, tiles.count)


def _strips(
    task: Task, scene: Scene, sources: Sequence[str], grid: Grid, native_m: float
) -> Iterator[Tuple[int, np.ndarray]]:
    """First row and reflectances of strips; tiles that are finer than the sensor are enlarged from its pixels."""
    lat = math.radians(grids.outline(grid)["coordinates"][0][0][1])
    factor = int(native_m / (grid.pixel * math.cos(lat)))
    if factor <= 1:
        yield from data_block.scene_strips(task, scene, sources, grid)
        return
    for row, rows in grids.strips(grid.width, grid.height):
        task.check()
        part = grids.part_of(grid, 0, row, grid.width, rows)
        coarse = coarse_grid(part, factor)
        yield row, enlarged(task.archive.read(scene, sources, coarse), coarse, part)
