"""Block ``oneatlas-pleiades-primary``: Pléiades images in sensor geometry, a panchromatic and a multispectral file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.archive import Scene
from up42_plugin.sandbox.runners import data_json, grids, rasters
from up42_plugin.sandbox.runners.contract import Task, Usage
from up42_plugin.sandbox.runners.errors import NO_OUTPUT_ERROR
from up42_plugin.sandbox.runners.images import MS_END, PAN_END
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.scenes import data_block, oneatlas, sensor
from up42_plugin.sandbox.runners.scenes.data_block import Area, DataBlock, Delivery, Find
from up42_plugin.sandbox.runners.scenes.sensor import SensorGrid

SENSOR = "pleiades"
CUT_MARGIN_M = 30.0
SCENE_MARGIN_M = 2_000.0
_PIXEL_M = 0.5
_RATIO = 4
SCALE = 4_000.0
"""Digital numbers of a reflectance of 1."""

_HIGHEST = 4_095
_BLOCK = (1024, 512)
_TURN = 0.3  # how much of the track's turn from south the image keeps: the satellites steer
_EDGE = 4
_TILE = 256
_CHUNK_PIXELS = 48_000_000
_BYTES_PER_KM2 = 1e6 / _PIXEL_M**2 * 2 * (1 + 4 / _RATIO**2)
_MEGABYTE = 1e6


@dataclass(frozen=True)
class Layer:
    """One of the two files: how its name ends, its bands, and what the archive calls them."""

    end: str
    bands: Tuple[BandSpec, ...]
    sources: Tuple[str, ...]


PAN = Layer(PAN_END, (BandSpec("pan", gdal.GCI_GrayIndex),), ("PAN",))
MS = Layer(
    MS_END,
    (
        BandSpec("red", gdal.GCI_RedBand),
        BandSpec("green", gdal.GCI_GreenBand),
        BandSpec("blue", gdal.GCI_BlueBand),
        BandSpec("nir"),
    ),
    ("B04", "B03", "B02", "B08"),
)


def run(task: Task) -> Usage:
    """``<uuid>_pan.tif`` (0.5 m) and ``<uuid>_ms.tif`` (2 m: red, green, blue, near infrared), uint16 of 12 bits.

    Both have rational polynomial coefficients and neither CRS nor geotransform. ``data.json`` points to the first.
    """
    return data_block.run(task, DataBlock(SENSOR, _present, _deliver, _wanted, _announce))


def _wanted(task: Task, scene: Scene) -> bool:
    """With ``stereo_images_only`` just those that are part of a stereo acquisition."""
    return not task.parameters.get("stereo_images_only") or bool(scene.properties.get("stereo"))


def _present(task: Task, scene: Scene, area: Area) -> Find:
    feature_id = data_block.scene_uuid(scene)
    properties = {
        **oneatlas.properties(scene, feature_id, "PHR", "SENSOR", _PIXEL_M),
        "format": "image/tiff",
        "azimuthAngle": scene.properties.get("viewing_azimuth"),
        "productType": "bundle",
    }
    return Find(scene, feature_id, properties, _offer(task, scene, area))


def _offer(task: Task, scene: Scene, area: Area) -> Dict[str, Any]:
    """What the provider says about size (megabytes) and price of the area's part in the scene."""
    square_km = grids.shared_km2(area, scene.footprint)
    return {
        "fileSize": math.ceil(square_km * _BYTES_PER_KM2 / _MEGABYTE),
        "estimatedCredits": oneatlas.credits_for(task, square_km),
    }


def _announce(task: Task, finds: Sequence[Find], area: Area) -> None:
    total = sum(grids.shared_km2(area, find.scene.footprint) for find in finds)
    task.log("INFO", f"Estimated credits for this job: {oneatlas.credits_for(task, total)}")


def _clips(task: Task) -> bool:
    return bool(task.parameters.get("clip_to_aoi", True))


def _deliver(task: Task, find: Find, area: Area) -> Optional[Delivery]:
    scene = find.scene
    pan = _sensor_grid(scene, area, CUT_MARGIN_M if _clips(task) else SCENE_MARGIN_M)
    if pan is None:
        return None
    valid = _write(task, find, pan, PAN)
    name = find.feature_id + PAN_END
    if not valid:
        (task.target / name).unlink()
        return None
    _write(task, find, sensor.coarser(pan, _RATIO), MS)
    properties = dict(find.properties)
    if not _clips(task):
        properties["rastersCover"] = "The area of interest and 2 km around it, not the whole scene."
    feature = data_json.feature(find.feature_id, grids.polygon_of_corners(pan.corners, pan.epsg), properties, name)
    return Delivery([feature], grids.shared_km2(area, scene.footprint), valid)


def _sensor_grid(scene: Scene, area: Area, margin: float) -> Optional[SensorGrid]:
    """The part of the image around the area, on whole multispectral pixels; None when they do not meet."""
    window = grids.window_over(scene.grid, area, _RATIO * scene.grid.pixel, margin)
    if window is None:
        return None
    azimuth = float(scene.properties.get("viewing_azimuth") or 0.0)
    lean = sensor.lean_of(float(scene.properties.get("incidence_angle") or 0.0), azimuth)
    ring = grids.projected_ring(area["coordinates"][0], scene.grid.epsg)
    around = [(x + dx, y + dy) for x, y in ring for dx in (-margin, margin) for dy in (-margin, margin)]
    heading = _TURN * sensor.heading_of(azimuth)
    view = SensorGrid(scene.grid.epsg, *around[0], _PIXEL_M, heading, lean, _RATIO, _RATIO)
    return sensor.grid_around(around, view, _RATIO)


def _write(task: Task, find: Find, grid: SensorGrid, layer: Layer) -> int:
    """Write one file; returns how many of its pixels have data."""
    path = task.target / (find.feature_id + layer.end)
    task.log("INFO", f"Writing {path.name} ({grid.width} x {grid.height} pixels)")
    tags, rpc = data_block.tiff_tags(find.scene), sensor.rpc_of(grid)
    spec = TiffSpec(grid.width, grid.height, layer.bands, "uint16", rpc=rpc, tags=tags)
    valid = 0
    with TiffWriter(path, spec) as writer:
        for row, values in _views(task, find.scene, grid, layer.sources):
            valid += int((values[0] > 0).sum())
            for number, band in enumerate(values, 1):
                writer.write(number, band, row=row)
    return valid


def _views(task: Task, scene: Scene, grid: SensorGrid, sources: Sequence[str]) -> Iterator[Tuple[int, np.ndarray]]:
    """First row and values (bands x rows x columns) of strips of the image. Memory is bounded by the chunks."""
    for first, count in grids.strips(grid.width, grid.height, _TILE, _CHUNK_PIXELS):
        chunk = grid.rows(first, count)
        source = _north_up(task, scene, chunk, sources)
        for row, rows in grids.strips(grid.width, count, _TILE, 4 * grids.STRIP_PIXELS):
            task.check()
            yield first + row, _turned(source, chunk.rows(row, rows))


def _north_up(task: Task, scene: Scene, grid: SensorGrid, sources: Sequence[str]) -> Any:
    """What the sensor sees as a raster in memory whose rows run from west to east, block by block."""
    whole = sensor.north_up(grid, _EDGE)
    raster = rasters.empty_memory_raster(whole, len(sources), np.uint16)
    for column, row, width, height in sensor.seen_blocks(grid, whole, _BLOCK, _EDGE):
        task.check()
        reflectance = task.archive.read(scene, sources, grids.part_of(whole, column, row, width, height))
        for number, values in enumerate(digital_numbers(reflectance), 1):
            raster.GetRasterBand(number).WriteArray(values, column, row)
    return raster


def digital_numbers(reflectance: np.ndarray) -> np.ndarray:
    """Reflectances (NaN: no data) as uint16 of 12 bits: times 4000, at least 1 where there is data."""
    known = np.isfinite(reflectance)
    numbers = np.clip(np.rint(np.where(known, reflectance, 0) * SCALE), 1, _HIGHEST)
    return np.where(known, numbers, 0).astype(np.uint16)


def _turned(north_up: Any, grid: SensorGrid) -> np.ndarray:
    """The sensor's view of a north-up raster (bands x rows x columns), by cubic convolution."""
    bands = north_up.RasterCount
    with rasters.gdal_errors(NO_OUTPUT_ERROR, "The image cannot be brought into sensor geometry"):
        target = rasters.empty_memory_raster(grid, bands, np.uint16)
        done = gdal.Warp(
            target,
            north_up,
            resampleAlg="cubic",
            srcNodata=0,
            dstNodata=0,
            errorThreshold=0.0,
            # Both grids have the same pixel; GDAL would take the turned one's box for a reduction and blur.
            warpOptions=["XSCALE=1", "YSCALE=1"],
        )
        if done is None:
            raise RuntimeError(gdal.GetLastErrorMsg())
        values = target.ReadAsArray()
    return np.minimum(values.reshape(bands, grid.height, grid.width), _HIGHEST)
