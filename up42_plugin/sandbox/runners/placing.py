"""Images on the map: those in sensor geometry are brought into UTM on the fly, for blocks that need coordinates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from osgeo import gdal

from up42_plugin.sandbox.geodesy import utm_epsg
from up42_plugin.sandbox.runners import rasters
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.errors import WRONG_INPUT_ERROR


def open_placed(path: Path) -> Any:
    """An open raster with a CRS and a geotransform; classes keep their values (nearest neighbour).

    Raises:
        RunnerError: it cannot be opened, or nothing says where it lies.
    """
    dataset = rasters.open_raster(path)
    if dataset.GetProjection() and dataset.GetGeoTransform(can_return_null=True) is not None:
        return dataset
    coefficients = dataset.GetMetadata("RPC")
    if not coefficients:
        raise RunnerError(WRONG_INPUT_ERROR, f"{path.name} has no place on the map")
    zone = utm_epsg(float(coefficients["LONG_OFF"]), float(coefficients["LAT_OFF"]))
    with rasters.gdal_errors(WRONG_INPUT_ERROR, f"{path.name} cannot be placed on the map"):
        placed = gdal.Warp("", dataset, format="VRT", rpc=True, dstSRS=f"EPSG:{zone}", resampleAlg="near")
        if placed is None:
            raise RuntimeError(gdal.GetLastErrorMsg())
    return placed
