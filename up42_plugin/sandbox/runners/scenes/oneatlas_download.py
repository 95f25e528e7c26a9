"""Blocks ``oneatlas-*-display`` and ``oneatlas-*-fullscene``: Pléiades and SPOT orthoimages in DIMAP folders.

What was ordered and what comes from storage have the same form: ``<id>/<order id>/`` with one folder per product.
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

import numpy as np

from up42_plugin.sandbox.archive import Grid, Scene, SceneQuery
from up42_plugin.sandbox.display import grey_levels
from up42_plugin.sandbox.geodesy import METRES_PER_DEGREE, WGS84
from up42_plugin.sandbox.geometry import area_km2, bounds
from up42_plugin.sandbox.runners import data_json, grids
from up42_plugin.sandbox.runners.contract import RunnerError, StoredAsset, Task, Usage
from up42_plugin.sandbox.runners.errors import NO_INPUT_ERROR
from up42_plugin.sandbox.runners.rasters import TiffSpec, TiffWriter, write_jpeg
from up42_plugin.sandbox.runners.scenes import data_block, dimap, oneatlas
from up42_plugin.sandbox.runners.scenes.data_block import Area, DataBlock, Delivery, Find
from up42_plugin.sandbox.runners.scenes.pleiades_primary import MS, PAN, Layer, digital_numbers

_BITS: Mapping[str, int] = {"uint8": 8, "uint16": 12}  # that values use


@dataclass(frozen=True)
class Part:
    """One of a product's images: its word in folder names, its bands and its pixel in metres."""

    word: str
    layer: Layer
    pixel_m: float


@dataclass(frozen=True)
class Product:
    """What one block delivers. ``parts`` begin with the coarsest; their grids share the upper left corner."""

    sensor: str
    constellation: str
    level: str
    dtype: str
    parts: Tuple[Part, ...]


PRODUCTS: Mapping[str, Product] = {
    "oneatlas-pleiades-display": Product("pleiades", "PHR", "ALBUM", "uint8", (Part("PMS", MS, 0.5),)),
    "oneatlas-spot-display": Product("spot", "SPOT", "ALBUM", "uint8", (Part("PMS", MS, 1.5),)),
    "oneatlas-pleiades-fullscene": Product(
        "pleiades", "PHR", "ORTHO", "uint16", (Part("MS", MS, 2.0), Part("P", PAN, 0.5))
    ),
    "oneatlas-spot-fullscene": Product("spot", "SPOT", "ORTHO", "uint16", (Part("MS", MS, 6.0), Part("P", PAN, 1.5))),
}


def run(task: Task) -> Usage:
    """Order scenes for the area, or take what is in storage already."""
    if task.assets:
        return _from_storage(task)
    product = PRODUCTS[str(task.block["name"])]
    return data_block.run(task, DataBlock(product.sensor, _present, _deliver))


def _present(task: Task, scene: Scene, _area: Area) -> Find:
    product = PRODUCTS[str(task.block["name"])]
    feature_id = data_block.scene_uuid(scene)
    return Find(scene, feature_id, _properties(product, scene, feature_id))


def _deliver(task: Task, find: Find, area: Area) -> Optional[Delivery]:
    product = PRODUCTS[str(task.block["name"])]
    order_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{find.scene.id}/{area}"))
    folder = f"{find.feature_id}/{order_id}"
    pixels = _write_product(task, product, find.scene, area, task.target / folder)
    if not pixels:
        return None
    feature = data_json.feature(find.feature_id, area, {**find.properties, "orderId": order_id}, folder)
    return Delivery([feature], grids.shared_km2(area, find.scene.footprint), pixels)


def _from_storage(task: Task) -> Usage:
    """The assets as they were delivered once, whatever this block would order today.

    A test query tells of them: the vendor's client (``up42-py`` 0.31.0, ``test_job``) asks with assets as without.
    """
    features, square_km, pixels = [], 0.0, 0
    for asset in task.assets:
        task.check()
        scene = _scene_of(task, asset)
        task.log("INFO", f"Asset {asset.id} is {scene.id}")
        properties = _properties(PRODUCTS[asset.block], scene, asset.id)
        properties.update({"assetId": asset.id, "orderId": asset.order_id})
        folder: Optional[str] = None
        if not task.test_query:
            folder = f"{asset.id}/{asset.order_id}"
            pixels += _write_product(task, PRODUCTS[asset.block], scene, asset.polygon, task.target / folder)
        _write_quicklook(task, asset, scene)
        features.append(data_json.feature(asset.id, asset.polygon, properties, folder))
        square_km += area_km2(asset.polygon)
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def _scene_of(task: Task, asset: StoredAsset) -> Scene:
    query = SceneQuery(asset.sensor, asset.polygon, limit=None, ids=[asset.scene_id])
    for scene in task.archive.search(query):
        if scene.id == asset.scene_id:
            return scene
    raise RunnerError(NO_INPUT_ERROR, f"Asset {asset.id} cannot be read")


def _properties(product: Product, scene: Scene, feature_id: str) -> Dict[str, Any]:
    resolution = product.parts[-1].pixel_m
    return oneatlas.properties(scene, feature_id, product.constellation, product.level, resolution)


def _write_product(task: Task, product: Product, scene: Scene, polygon: Mapping[str, Any], folder: Path) -> int:
    """Write the folders of a product; returns how many pixels of its finest image have data."""
    coarse, pixels = _grid_over(polygon, product.parts[0].pixel_m), 0
    for part in product.parts:
        factor = round(product.parts[0].pixel_m / part.pixel_m)
        grid = Grid(
            WGS84, coarse.left, coarse.top, coarse.pixel / factor, coarse.width * factor, coarse.height * factor
        )
        name = f"{scene.platform}_{part.word}"
        image = dimap.Image(
            grid,
            [band.name for band in part.layer.bands],
            _BITS[product.dtype],
            f"{name}_{scene.acquired:%Y%m%d%H%M%S}",
            scene,
        )
        place = folder / f"IMG_{name}_001"
        task.log("INFO", f"Writing {image.name} ({grid.width} x {grid.height} pixels)")
        pixels = sum(
            _write_tile(task, product, part, scene, _Place(tile.grid, polygon, place / tile.file))
            for tile in dimap.tiles_of(image)
        )
        dimap.write(place / f"DIM_{image.name}.XML", image)
    return pixels


@dataclass(frozen=True)
class _Place:
    """A grid, the polygon outside of which there is no data, and the file."""

    grid: Grid
    polygon: Mapping[str, Any]
    path: Path


def _write_tile(task: Task, product: Product, part: Part, scene: Scene, place: _Place) -> int:
    """Write one file of an image; returns how many of its pixels have data."""
    grid, inside, valid = place.grid, grids.mask(place.polygon, place.grid), 0
    spec = TiffSpec(
        grid.width, grid.height, part.layer.bands, product.dtype, grid=grid, tags=data_block.tiff_tags(scene)
    )
    convert = grey_levels if product.dtype == "uint8" else digital_numbers
    with TiffWriter(place.path, spec) as writer:
        for row, reflectance in data_block.scene_strips(task, scene, part.layer.sources, grid):
            values = convert(reflectance) * inside[row : row + reflectance.shape[1]]
            valid += int((values[0] > 0).sum())
            for number, band in enumerate(values, 1):
                writer.write(number, band, row=row)
    return valid


def _grid_over(polygon: Mapping[str, Any], pixel_m: float, side: int = 0) -> Grid:
    """A grid in degrees over a polygon's box; with ``side``, of so many pixels on the longer side at most."""
    west, south, east, north = bounds(polygon)
    pixel = max(east - west, north - south) / side if side else pixel_m / METRES_PER_DEGREE
    width, height = (max(1, math.ceil(span / pixel - 1e-6)) for span in (east - west, north - south))
    return Grid(WGS84, west, north, pixel, width, height)


def _write_quicklook(task: Task, asset: StoredAsset, scene: Scene) -> None:
    grid = _grid_over(asset.polygon, 0.0, data_block.QUICKLOOK_PIXELS)
    picture = grey_levels(task.archive.read(scene, ("B04", "B03", "B02"), grid))
    write_jpeg(task.quicklooks / f"{asset.id}.jpg", np.moveaxis(picture, 0, 2))
