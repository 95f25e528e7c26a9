"""Block ``data-conversion-netcdf``: NetCDF variables as GeoTIFF, one band per moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.runners import data_json, grids, images, rasters
from up42_plugin.sandbox.runners.contract import Task, Usage
from up42_plugin.sandbox.runners.formats import netcdf
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter


def run(task: Task) -> Usage:
    """``<stem>.tif`` per file (``<stem>_2.tif`` for the next of that name): float32, bands named by their moment."""
    features: List[data_json.Feature] = []
    pixels = 0
    for source in data_json.read_source(task):
        path = images.image_file(task, source)
        for dataset in netcdf.open_variables(path):
            target = images.free_path(task.target, f"{path.stem}.tif")
            task.log("INFO", f"Converting {path.name}: {dataset.RasterCount} bands")
            _convert(task, dataset, target, source)
            pixels += dataset.RasterXSize * dataset.RasterYSize * dataset.RasterCount
            features.append(data_json.passed_on(source, target.name))
    data_json.write(task, features)
    return Usage(scenes=len(features), output_bytes=data_json.output_bytes(task), pixels=pixels)


def _convert(task: Task, dataset: Any, target: Path, source: data_json.Feature) -> None:
    width, height = dataset.RasterXSize, dataset.RasterYSize
    bands = tuple(_described(dataset, number) for number in range(1, dataset.RasterCount + 1))
    tags = data_json.synthetic_tags(source.get("properties") or {})
    spec = TiffSpec(width, height, bands, "float32", netcdf.NODATA, tags=tags)
    with TiffWriter(target, spec, like=_Place(dataset)) as writer:
        for number in range(1, dataset.RasterCount + 1):
            band, (nodata, scale, offset) = dataset.GetRasterBand(number), _packing(dataset.GetRasterBand(number))
            for row, rows in grids.strips(width, height):
                task.check()
                values = rasters.read(band, 0, row, width, rows).astype(np.float32)
                known = np.isfinite(values) & (values != nodata)
                writer.write(number, np.where(known, values * scale + offset, np.float32(netcdf.NODATA)), row=row)


def _described(dataset: Any, number: int) -> BandSpec:
    moment = netcdf.moment_of(dataset, number)
    name = dataset.GetRasterBand(number).GetMetadataItem("NETCDF_VARNAME") or ""
    return BandSpec(f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else name, gdal.GCI_GrayIndex)


def _packing(band: Any) -> Tuple[Any, np.float32, np.float32]:
    scale, offset = band.GetScale(), band.GetOffset()
    return band.GetNoDataValue(), np.float32(1 if scale is None else scale), np.float32(offset or 0)


class _Place:
    """A NetCDF raster as one to take only the place over from: its own metadata is not GeoTIFF's."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)

    def GetMetadata(self, _domain: str = "") -> Dict[str, str]:  # noqa: N802 - GDAL's name
        return {}
