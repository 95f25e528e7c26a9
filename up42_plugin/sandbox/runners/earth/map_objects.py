"""The made-up Earth as a map draws it: outlines of what covers the ground, houses, roads, places.

Everything is in degrees; objects that touch the box are whole, as OpenStreetMap gives them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np
from osgeo import gdal, ogr

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import METRES_PER_DEGREE, WGS84, grid_lonlat, spatial_reference
from up42_plugin.sandbox.runners import cancelling, geojson_files, made_up, rasters
from up42_plugin.sandbox.runners.contract import Task
from up42_plugin.sandbox.runners.errors import NO_OUTPUT_ERROR
from up42_plugin.sandbox.world import view
from up42_plugin.sandbox.world.boxes import smallest_rectangle
from up42_plugin.sandbox.world.roads import Box

_COVER_PIXELS, _COVER_M = 1_500_000, 5.0
_COVER_PATCH = 40
_TOWN_M, _HOUSE_M = 20.0, 1.8
_CORE, _MARGIN = 0.008, 0.0004  # degrees: blocks that houses are looked for in, and around them
_SMALLEST_M2, _BOXLIKE = 30.0, 0.62
_HEIGHTS_M = 60.0


@dataclass(frozen=True)
class Cover:
    """A patch of one class of :mod:`world.view`, as an OGR polygon."""

    code: int
    shape: Any


def covers(task: Task, box: Box) -> List[Cover]:
    """What covers the ground, without the roads that run through it."""
    grid = _grid(box, _cover_pixel(box))
    seed = made_up.seed_of(task)
    codes = np.empty((grid.height, grid.width), np.uint8)
    lon, lat = grid_lonlat(grid)
    step = max(1, (1 << 18) // grid.width)
    for row in range(0, grid.height, step):
        task.check()
        part = slice(row, row + step)
        codes[part] = view.land_cover(lon[part], lat[part], grid.pixel * METRES_PER_DEGREE, seed, roads=False)
    raster = rasters.memory_raster([codes], grid)
    band = raster.GetRasterBand(1)
    with cancelling.watched(task.check, NO_OUTPUT_ERROR, "Patches cannot be sieved") as watch:
        gdal.SieveFilter(band, None, band, _COVER_PATCH, 4, callback=watch)
    return [Cover(code, shape.SimplifyPreserveTopology(0.9 * grid.pixel)) for code, shape in _polygons(task, band)]


def _cover_pixel(box: Box) -> float:
    west, south, east, north = box
    area = (east - west) * (north - south) * METRES_PER_DEGREE**2
    return max(_COVER_M, math.sqrt(area / _COVER_PIXELS))


def _grid(box: Box, pixel_m: float) -> Grid:
    west, south, east, north = box
    ring = [[west, south], [east, north]]
    return made_up.degree_grid({"type": "Polygon", "coordinates": [ring]}, pixel_m)


def _polygons(task: Task, band: Any) -> Iterator[Tuple[int, Any]]:
    """Value and outline of the patches of a raster that are not 0."""
    _keep, layer = geojson_files.memory_layer(spatial_reference(WGS84), ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn("value", ogr.OFTInteger))
    with cancelling.watched(task.check, NO_OUTPUT_ERROR, "Outlines cannot be drawn") as watch:
        gdal.Polygonize(band, band, layer, 0, callback=watch)
    for feature in layer:
        yield feature.GetField(0), feature.GetGeometryRef().Clone()


@dataclass(frozen=True)
class House:
    """A roof's corners (degrees; closed), its middle, and its area in square metres."""

    ring: Sequence[Tuple[float, float]]
    middle: Tuple[float, float]
    square_m: float


def houses(task: Task, box: Box) -> Iterator[House]:
    """Roofs with their middle in the box, block by block where there is a town."""
    west, south, east, north = box
    for column in range(math.floor(west / _CORE), math.ceil(east / _CORE)):
        for row in range(math.floor(south / _CORE), math.ceil(north / _CORE)):
            task.check()
            core = (column * _CORE, row * _CORE, (column + 1) * _CORE, (row + 1) * _CORE)
            for house in _houses_of_block(task, core):
                lon, lat = house.middle
                if west <= lon < east and south <= lat < north:
                    yield house


def _town(grid: Grid, seed: int) -> Tuple[Grid, np.ndarray]:
    """Coarse pixels over a grid, and which of them are in a town or beside one."""
    right, bottom = grid.left + grid.width * grid.pixel, grid.top - grid.height * grid.pixel
    coarse = _grid((grid.left, bottom, right, grid.top), _TOWN_M)
    lon, lat = grid_lonlat(coarse)
    padded = np.pad(view.land_cover(lon, lat, _TOWN_M, seed, roads=False) == view.TOWN, 1)
    near = [padded[r : r + coarse.height, c : c + coarse.width] for r in range(3) for c in range(3)]
    return coarse, np.logical_or.reduce(near)


def _roofs(grid: Grid, seed: int) -> np.ndarray:
    """Where roofs are (rows x columns of 0 and 1): only towns are computed."""
    coarse, town = _town(grid, seed)
    out = np.zeros((grid.height, grid.width), np.uint8)
    if town.any():
        lon, lat = grid_lonlat(grid)
        columns = np.clip(((lon[0] - coarse.left) / coarse.pixel).astype(int), 0, coarse.width - 1)
        rows = np.clip(((coarse.top - lat[:, 0]) / coarse.pixel).astype(int), 0, coarse.height - 1)
        wanted = town[rows][:, columns]
        out[wanted] = view.roofs(lon[wanted], lat[wanted], _HOUSE_M, seed)
    return out


def _houses_of_block(task: Task, core: Box) -> Iterator[House]:
    west, south, east, north = core
    grid = _grid((west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN), _HOUSE_M)
    raster = rasters.memory_raster([_roofs(grid, made_up.seed_of(task))], grid)
    scale = np.array([METRES_PER_DEGREE * math.cos(math.radians(south)), METRES_PER_DEGREE])
    for _, shape in _polygons(task, raster.GetRasterBand(1)):
        house = _house(shape, scale)
        lon, lat = house.middle
        if west <= lon < east and south <= lat < north:
            yield house


def _house(shape: Any, scale: np.ndarray) -> House:
    """A rectangle where the roof is much like one, else its outline without the steps of the pixels."""
    corners = np.array(shape.GetGeometryRef(0).GetPoints())[:, :2]
    origin = corners[0]
    local = (corners - origin) * scale
    area = shape.GetArea() * float(scale[0] * scale[1])
    box, around = smallest_rectangle(local)
    if area < _BOXLIKE * around:
        outline = shape.SimplifyPreserveTopology(1.2 * _HOUSE_M / METRES_PER_DEGREE)
        ring = np.array(outline.GetGeometryRef(0).GetPoints())[:, :2]
    else:
        ring = np.vstack([box, box[:1]]) / scale + origin
    middle = (ring[:-1].mean(axis=0)).tolist()
    points = [(round(float(x), 8), round(float(y), 8)) for x, y in ring]
    return House(points, (middle[0], middle[1]), area)


def small(house: House) -> bool:
    """Whether a map would only mark it with a point."""
    return house.square_m < _SMALLEST_M2


def coast(box: Box, land: Sequence[Cover]) -> List[List[Tuple[float, float]]]:
    """Lines between the sea and everything else, inside the box."""
    west, south, east, north = box
    inner = geojson_files.shape(
        {
            "type": "Polygon",
            "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
        }
    ).Buffer(-1e-5)
    found: List[List[Tuple[float, float]]] = []
    for cover in land:
        if cover.code == view.SEA:
            found.extend(_lines(cover.shape.Boundary().Intersection(inner)))
    return found


def _lines(shape: Any) -> Iterator[List[Tuple[float, float]]]:
    if shape.GetGeometryCount():
        merged = ogr.ForceToLineString(shape)
        if merged.GetGeometryCount():
            for number in range(merged.GetGeometryCount()):
                yield from _lines(merged.GetGeometryRef(number))
            return
        shape = merged
    points = [(round(p[0], 8), round(p[1], 8)) for p in shape.GetPoints() or ()]
    if len(points) > 1:
        yield points


def peaks(task: Task, box: Box, away: int = 12) -> List[Tuple[float, float, float]]:
    """Longitude, latitude and height of the tops in the box: higher than everything within some hundred metres."""
    grid = _grid(box, _HEIGHTS_M)
    lon, lat = grid_lonlat(grid)
    heights = view.elevation(lon, lat, _HEIGHTS_M, made_up.seed_of(task))
    padded = np.pad(heights, away, mode="edge")
    highest = heights.copy()
    for down in range(0, 2 * away + 1, 2):
        for right in range(0, 2 * away + 1, 2):
            highest = np.maximum(highest, padded[down : down + heights.shape[0], right : right + heights.shape[1]])
    inner = np.zeros(heights.shape, bool)
    inner[1:-1, 1:-1] = True
    rows, columns = np.nonzero((heights >= highest) & inner & (heights > 1))
    return [(float(lon[r, c]), float(lat[r, c]), float(heights[r, c])) for r, c in zip(rows, columns)]


def polygon_json(shape: Any) -> Dict[str, Any]:
    """A GeoJSON geometry of an OGR polygon."""
    return geojson_files.as_json(shape)


def line_json(points: Sequence[Tuple[float, float]]) -> Mapping[str, Any]:
    """A GeoJSON line."""
    return {"type": "LineString", "coordinates": [[round(x, 8), round(y, 8)] for x, y in points]}


def point_json(lon: float, lat: float) -> Mapping[str, Any]:
    """A GeoJSON point."""
    return {"type": "Point", "coordinates": [round(lon, 8), round(lat, 8)]}
