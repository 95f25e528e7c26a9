"""What the tests of classes, vectors and the like share: images left by a block, and looks into what was made."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
from osgeo import gdal, ogr, osr
from runner_kit import AREA, Ran

from up42_plugin.sandbox.catalogue import Catalogue
from up42_plugin.sandbox.made_archive import MadeArchive
from up42_plugin.sandbox.runners.contract import Usage

NOW = datetime(2023, 1, 1, tzinfo=timezone.utc)
CATALOGUE = Catalogue.load()
UTM33 = 32633


def made_archive() -> MadeArchive:
    return MadeArchive(now=lambda: NOW)


def block_id(name: str, provider: str = "") -> str:
    return CATALOGUE.by_name(name, provider).id


def image_left(
    folder: Path,
    values: np.ndarray,
    name: str = "image.tif",
    *,
    epsg: Optional[int] = UTM33,
    nodata: Optional[float] = None,
    descriptions: Sequence[str] = (),
    properties: Optional[Mapping[str, Any]] = None,
) -> Ran:
    """An image of bands x rows x columns with 10 m pixels near Taormina, as a block would have left it."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {"uint8": gdal.GDT_Byte, "uint16": gdal.GDT_UInt16, "int16": gdal.GDT_Int16, "float32": gdal.GDT_Float32}
    bands, height, width = values.shape
    raster = gdal.GetDriverByName("GTiff").Create(str(folder / name), width, height, bands, kinds[values.dtype.name])
    if epsg is not None:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(epsg)
        raster.SetProjection(reference.ExportToWkt())
        raster.SetGeoTransform((525000, 10, 0, 4190000, 0, -10))
    for number in range(1, bands + 1):
        band = raster.GetRasterBand(number)
        if nodata is not None:
            band.SetNoDataValue(nodata)
        if descriptions:
            band.SetDescription(descriptions[number - 1])
    raster.WriteArray(values)
    raster.FlushCache()
    del raster
    own = {"cloudCover": 3, "up42.data_path": name, "custom.x": 2, **(properties or {})}
    feature = {"type": "Feature", "id": "one", "bbox": [1, 2, 3, 4], "geometry": AREA, "properties": own}
    (folder / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    return Ran(folder, folder, [], Usage())


def raster_of(ran: Ran, ending: str = ".tif") -> Any:
    """The one raster that a block left."""
    (name,) = [name for name in ran.files if name.endswith(ending)]
    raster = gdal.Open(str(ran.output / name))
    assert raster is not None
    return raster


def document(ran: Ran, name: str) -> Dict[str, Any]:
    """A GeoJSON file that a block left."""
    result: Dict[str, Any] = json.loads((ran.output / name).read_text(encoding="utf-8"))
    return result


def vectors(ran: Ran, ending: str = ".geojson") -> List[Dict[str, Any]]:
    """The features of the one GeoJSON file that a block left."""
    (name,) = [name for name in ran.files if name.endswith(ending)]
    features: List[Dict[str, Any]] = document(ran, name)["features"]
    return features


def layer_of(path: Path) -> Any:
    """The first layer of a vector file; the file stays open, without it OGR's layer is gone."""
    dataset = ogr.Open(str(path))
    assert dataset is not None
    layer = dataset.GetLayer(0)
    layer.kept_open = dataset
    return layer


def same_files(one: Ran, other: Ran) -> bool:
    """Whether two runs left the same, byte by byte."""
    return one.files == other.files and all(
        (one.output / name).read_bytes() == (other.output / name).read_bytes() for name in one.files
    )
