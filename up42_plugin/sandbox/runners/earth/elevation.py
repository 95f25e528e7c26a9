"""The elevation blocks: ``nextmapone-1m``, ``-5m``, ``-10m`` and ``oneatlas-worlddem-12m``."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import grid_lonlat, ground_resolution
from up42_plugin.sandbox.runners import data_json, grids, made_up
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR
from up42_plugin.sandbox.runners.parameters import area_of
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.world import view

NODATA = -9999.0
TERRAIN, SURFACE = "DTM", "DSM"
_MOST_TILES = 1000
_MODELS: Tuple[str, ...] = (TERRAIN, SURFACE)  # in the order of view.surface
_BAND = BandSpec("dem", gdal.GCI_GrayIndex)


@dataclass(frozen=True)
class Product:
    """Pixel in metres, the side of a delivered tile in degrees, and the largest area in square kilometres."""

    pixel_m: float
    tile: float
    most_km2: float


PRODUCTS: Mapping[str, Product] = {
    "nextmapone-1m": Product(1.0, 0.01, 250.0),
    "nextmapone-5m": Product(5.0, 0.05, 6250.0),
    "nextmapone-10m": Product(10.0, 0.1, 25_000.0),
}
_WORLDDEM_M = 12.0


def run(task: Task) -> Usage:
    """Heights in metres above the sea, float32, EPSG:4326, nodata -9999 outside the area.

    NEXTMap: ``<uuid>.tif`` for the surface (with roofs and crowns) and one for the terrain. WorldDEM: the surface as
    ``<order id>/<id>``, a GeoTIFF without the ending of its name.
    """
    area = area_of(task.parameters)
    product = PRODUCTS.get(str(task.block["name"]))
    if product is None:
        return _worlddem(task, area)
    if geometry.area_km2(area) > product.most_km2:
        message = f"The area is larger than {product.most_km2:g} sqkm"
        raise RunnerError(INPUT_PARAMETERS_ERROR, message)
    clipped = task.parameters.get("clip_to_aoi") is not False
    covers = [area] if clipped else _tiles(area, product.tile)
    features: List[data_json.Feature] = []
    pixels = 0
    for cover in covers:
        made, count = _nextmap(task, cover, area if clipped else None, product)
        features.extend(made)
        pixels += count
    data_json.write(task, features)
    return Usage(geometry.area_km2(area), len(features), data_json.output_bytes(task), pixels)


def _nextmap(
    task: Task, cover: Mapping[str, Any], area: Optional[Mapping[str, Any]], product: Product
) -> Tuple[List[data_json.Feature], int]:
    grid = made_up.degree_grid(cover, product.pixel_m)
    names = {model: made_up.fixed_uuid(task.block["name"], model, cover) for model in (SURFACE, TERRAIN)}
    features: List[data_json.Feature] = []
    for model, name in names.items():
        about = {"elevationModel": model, "resolution": product.pixel_m, **made_up.properties()}
        data_path = None if task.test_query else f"{name}.tif"
        features.append(data_json.feature(name, cover, about, data_path))
    if task.test_query:
        return features, 0
    task.log("INFO", f"Writing {grid.width} x {grid.height} heights of surface and terrain")
    _write(task, grid, area, [(model, task.target / f"{name}.tif") for model, name in names.items()])
    return features, grid.width * grid.height


def _worlddem(task: Task, area: Mapping[str, Any]) -> Usage:
    name = made_up.fixed_uuid(task.block["name"], "item", area)
    order = made_up.fixed_uuid(task.block["name"], "order", area)
    square_km = geometry.area_km2(area)
    grid, data_path = made_up.degree_grid(area, _WORLDDEM_M), f"{order}/{name}"
    if not task.test_query:
        task.log("INFO", f"Writing {grid.width} x {grid.height} heights")
        _write(task, grid, area, [(SURFACE, task.target / data_path)])
    about = {
        "crsCode": "urn:ogc:def:crs:EPSG::4326",
        "itemFormat": "geotiff",
        "itemType": "dem.wddsm",
        **made_up.properties(),
    }
    feature = data_json.feature(name, area, about, None if task.test_query else data_path)
    data_json.write(task, [{**feature, "orderID": order, "areaKm2": round(square_km, 2)}])
    return Usage(square_km, 1, data_json.output_bytes(task), grid.width * grid.height)


def _tiles(area: Mapping[str, Any], side: float) -> List[Mapping[str, Any]]:
    """The tiles that an area's box touches, from north-west to south-east."""
    west, south, east, north = geometry.bounds(area)
    columns = range(math.floor(west / side), math.ceil(east / side))
    rows = range(math.ceil(north / side) - 1, math.floor(south / side) - 1, -1)
    if len(columns) * len(rows) > _MOST_TILES:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"More than {_MOST_TILES} tiles are needed for the area")
    ends = [(round(k * side, 6), round((k + 1) * side, 6)) for k in columns]
    return [
        geometry.polygon_of((left, round(row * side, 6), right, round((row + 1) * side, 6)))
        for row in rows
        for left, right in ends
    ]


def _write(task: Task, grid: Grid, area: Optional[Mapping[str, Any]], files: Sequence[Tuple[str, Path]]) -> None:
    """Write the models into their files, which share a grid; nodata outside ``area`` where one is given."""
    tags = {"SYNTHETIC": "YES", "TIFFTAG_IMAGEDESCRIPTION": made_up.NOTE}
    spec = TiffSpec(grid.width, grid.height, (_BAND,), "float32", NODATA, grid=grid, tags=tags)
    with ExitStack() as stack:
        writers = [(_MODELS.index(model), stack.enter_context(TiffWriter(path, spec))) for model, path in files]
        for row, rows in grids.strips(grid.width, grid.height):
            task.check()
            part = grids.part_of(grid, 0, row, grid.width, rows)
            lon, lat = grid_lonlat(part)
            heights = view.surface(lon, lat, ground_resolution(part, lat), made_up.seed_of(task))
            if area is not None:
                heights = np.where(grids.mask(area, part), heights, np.float32(NODATA))
            for number, writer in writers:
                writer.write(1, heights[number], row=row)
