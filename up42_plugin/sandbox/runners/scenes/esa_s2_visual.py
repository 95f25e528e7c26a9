"""Block ``esa-s2-l2a-gtiff-visual``: Sentinel-2's true-colour image, cut to the area's bounds."""

from __future__ import annotations

from typing import Optional

from osgeo import gdal

from up42_plugin.sandbox.archive import Scene
from up42_plugin.sandbox.runners import data_json, grids
from up42_plugin.sandbox.runners.contract import Task, Usage
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.scenes import data_block, sentinel2
from up42_plugin.sandbox.runners.scenes.data_block import Area, DataBlock, Delivery, Find

_PIXEL_M = 10.0
_BANDS = (
    BandSpec("red", gdal.GCI_RedBand),
    BandSpec("green", gdal.GCI_GreenBand),
    BandSpec("blue", gdal.GCI_BlueBand),
)


def run(task: Task) -> Usage:
    """One uint8 file of red, green and blue per scene, in the scene's UTM zone, nodata 0."""
    return data_block.run(task, DataBlock(sentinel2.SENSOR, present, _deliver))


def present(_task: Task, scene: Scene, _area: Area) -> Find:
    """The scene under its name in a collection of cloud-optimised GeoTIFFs."""
    return Find(scene, sentinel2.cog_name(scene), sentinel2.cog_properties(scene))


def _deliver(task: Task, find: Find, area: Area) -> Optional[Delivery]:
    grid = grids.window_over(find.scene.grid, area, _PIXEL_M)
    if grid is None:
        return None
    path = task.target / f"{find.feature_id}.tif"
    spec = TiffSpec(grid.width, grid.height, _BANDS, "uint8", grid=grid, tags=data_block.tiff_tags(find.scene))
    valid = 0
    with TiffWriter(path, spec) as writer:
        for row, reflectance in data_block.scene_strips(task, find.scene, sentinel2.TRUE_COLOUR, grid):
            picture = sentinel2.true_colour(sentinel2.digital_numbers(reflectance))
            valid += int((picture[0] > 0).sum())
            for number, values in enumerate(picture, 1):
                writer.write(number, values, row=row)
    if not valid:
        path.unlink()
        return None
    feature = data_json.feature(find.feature_id, grids.outline(grid), find.properties, path.name)
    return Delivery([feature], grids.shared_km2(area, find.scene.footprint), grid.width * grid.height)
