"""Block ``aws-s2-l2a``: Sentinel-2 Level-2A scenes as SAFE folders.

Layout, names and metadata are a whole product's. The rasters cover the area of interest and 2 km around it only:
``data.json`` says so, while the footprint stays the whole tile's.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.archive import Grid, Scene
from up42_plugin.sandbox.geometry import bounds
from up42_plugin.sandbox.runners import data_json, grids
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import NO_OUTPUT_ERROR
from up42_plugin.sandbox.runners.rasters import gdal_errors, memory_raster
from up42_plugin.sandbox.runners.scenes import data_block, safe_layers, safe_xml, sentinel2
from up42_plugin.sandbox.runners.scenes.data_block import Area, DataBlock, Delivery, Find
from up42_plugin.sandbox.runners.scenes.safe_names import ProductNames, names_of

MARGIN_M = 2_000.0
_STEP_M = 60.0
_DRIVER = "JP2OpenJPEG"
_LOSSLESS = ("REVERSIBLE=YES", "QUALITY=100", "WRITE_METADATA=NO")


@dataclass(frozen=True)
class Product:
    """A product that is being written: its folder, and the grid (10 m) that its rasters cover."""

    folder: Path
    scene: Scene
    names: ProductNames
    window: Grid

    @property
    def note(self) -> str:
        """What says that the scene is made up; empty for one that is not."""
        return str(self.scene.properties.get("note", ""))


def run(task: Task) -> Usage:
    """One folder ``<uuid>`` with a ``*.SAFE`` folder in it per scene; bands are reflectance x 10000, nodata 0."""
    return data_block.run(task, DataBlock(sentinel2.SENSOR, _present, _deliver))


def _present(_task: Task, scene: Scene, _area: Area) -> Find:
    return Find(scene, data_block.scene_uuid(scene), sentinel2.hub_properties(scene))


def _deliver(task: Task, find: Find, area: Area) -> Optional[Delivery]:
    scene = find.scene
    window = grids.window_over(scene.grid, area, _STEP_M, MARGIN_M)
    if window is None:
        return None
    layers = safe_layers.sample(task, scene, window)
    valid = layers["B04", 10] > 0
    if not valid.any():
        return None
    names = names_of(scene)
    product = Product(task.target / find.feature_id / names.safe, scene, names, window)
    images = _write_images(task, product, layers)
    _write_metadata(product, images)
    properties = {**find.properties, **_rasters_note(window)}
    feature = data_json.feature(find.feature_id, scene.footprint, properties, find.feature_id, scene.bbox)
    pixels = sum(array.shape[-2] * array.shape[-1] for array in layers.values())
    return Delivery([feature], float(valid.sum()) * window.pixel**2 / 1e6, pixels)


def _rasters_note(window: Grid) -> Dict[str, Any]:
    return {
        "rastersCover": "The area of interest and 2 km around it, not the whole tile.",
        "rastersBbox": list(bounds(grids.outline(window))),
    }


def _write_images(task: Task, product: Product, layers: safe_layers.Layers) -> List[str]:
    """Write every layer as JPEG 2000; returns their paths relative to the product's folder."""
    if gdal.GetDriverByName(_DRIVER) is None:
        raise RunnerError(NO_OUTPUT_ERROR, f"This GDAL cannot write JPEG 2000 (no driver {_DRIVER})")
    written = []
    for (layer, pixel), array in sorted(layers.items(), key=lambda item: (item[0][1], item[0][0])):
        task.check()
        relative = product.names.image(layer, pixel)
        bands = list(array) if array.ndim > 2 else [array]  # noqa: PLR2004 - true colour has three bands
        write_jpeg2000(product.folder / relative, bands, grids.coarser(product.window, pixel), product.note)
        written.append(relative)
    return written


def write_jpeg2000(path: Path, bands: Sequence[np.ndarray], grid: Grid, note: str = "") -> None:
    """Write a lossless JPEG 2000 file, georeferenced."""
    with gdal_errors(NO_OUTPUT_ERROR, f"{path.name} cannot be written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        options = [*_LOSSLESS, *([f"COMMENT={note}"] if note else [])]
        copy = gdal.GetDriverByName(_DRIVER).CreateCopy(str(path), memory_raster(bands, grid), options=options)
        if copy is None:
            raise RuntimeError(gdal.GetLastErrorMsg())
        del copy


def _write_metadata(product: Product, images: Sequence[str]) -> None:
    scene, names = product.scene, product.names
    bands = [relative[: -len(".jp2")] for relative in images if "/IMG_DATA/" in relative]
    documents = {
        "MTD_MSIL2A.xml": safe_xml.product_metadata(scene, names, bands),
        f"GRANULE/{names.granule}/MTD_TL.xml": safe_xml.tile_metadata(scene, names, product.window),
        f"DATASTRIP/{names.datastrip}/MTD_DS.xml": safe_xml.datastrip_metadata(names),
    }
    for relative, document in documents.items():
        safe_xml.write_xml(product.folder / relative, document, product.note)
    manifest = safe_xml.manifest(product.folder, [*documents, *images], product.note)
    safe_xml.write_xml(product.folder / "manifest.safe", manifest, product.note)
