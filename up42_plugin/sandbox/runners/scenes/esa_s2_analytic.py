"""Block ``esa-s2-l2a-gtiff-analytic``: Sentinel-2's bands as single files, cut to the area's bounds."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.runners import data_json, grids
from up42_plugin.sandbox.runners.contract import Task, Usage
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.scenes import data_block, sentinel2
from up42_plugin.sandbox.runners.scenes.data_block import Area, DataBlock, Delivery, Find
from up42_plugin.sandbox.runners.scenes.esa_s2_visual import present

_WATER_VAPOUR = "WVP"
_FILES = (*sentinel2.BANDS, _WATER_VAPOUR)
_FINEST = 10
_VAPOUR_SOURCES = ("B8A", "B09")


def run(task: Task) -> Usage:
    """One uint16 file per band and scene (reflectance x 10000, nodata 0) at the band's own resolution, in UTM."""
    return data_block.run(task, DataBlock(sentinel2.SENSOR, present, _deliver))


def _deliver(task: Task, find: Find, area: Area) -> Optional[Delivery]:
    windows: Dict[str, Grid] = {}
    valid = pixels = 0
    for pixel, names in _groups():
        window = grids.window_over(find.scene.grid, area, pixel)
        if window is None:
            return None
        grid = grids.coarser(window, pixel)
        windows.update(dict.fromkeys(names, grid))
        valid += _write_bands(task, find, names, grid)
        pixels += grid.width * grid.height * len(names)
    if not valid:
        for name in _FILES:
            (task.target / _file_name(find, name)).unlink()
        return None
    features = [
        data_json.feature(find.feature_id, grids.outline(windows[name]), find.properties, _file_name(find, name))
        for name in _FILES
    ]
    return Delivery(features, grids.shared_km2(area, find.scene.footprint), pixels)


def _groups() -> List[Tuple[int, Sequence[str]]]:
    """Resolutions in metres with the files that have them."""
    groups = [(pixel, sentinel2.bands_of(pixel)) for pixel in (10, 20, 60)]
    return [(pixel, (*names, _WATER_VAPOUR) if pixel == _FINEST else names) for pixel, names in groups]


def _file_name(find: Find, name: str) -> str:
    return f"{find.feature_id}_{name}.tif"


def _write_bands(task: Task, find: Find, names: Sequence[str], grid: Grid) -> int:
    """Write the files of one resolution; returns how many pixels have data."""
    scene, valid = find.scene, 0
    sources = [name for name in names if name != _WATER_VAPOUR]
    if _WATER_VAPOUR in names:
        sources.extend(_VAPOUR_SOURCES)
    with ExitStack() as stack:
        writers = {}
        for name in names:
            spec = TiffSpec(
                grid.width, grid.height, (_label(name),), "uint16", grid=grid, tags=data_block.tiff_tags(scene)
            )
            writers[name] = stack.enter_context(TiffWriter(task.target / _file_name(find, name), spec))
        for row, reflectance in data_block.scene_strips(task, scene, sources, grid):
            numbers = dict(zip(sources, sentinel2.digital_numbers(reflectance)))
            valid += int((numbers[sources[0]] > 0).sum())
            for name, writer in writers.items():
                writer.write(1, _values(name, numbers, scene.sun_elevation), row=row)
    return valid


def _values(name: str, numbers: Dict[str, np.ndarray], sun_elevation: float) -> np.ndarray:
    if name != _WATER_VAPOUR:
        return numbers[name]
    return sentinel2.water_vapour(*[numbers[source] for source in _VAPOUR_SOURCES], sun_elevation)


def _label(name: str) -> BandSpec:
    if name == _WATER_VAPOUR:
        return BandSpec("WVP (cm x 1000)")
    return BandSpec(f"{name} ({sentinel2.BANDS[name].wavelength} nm)", gdal.GCI_GrayIndex)
