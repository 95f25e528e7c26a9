"""Rasters whose values use 12 of their 16 bits, as Pléiades and SPOT deliver them."""

from __future__ import annotations

import numpy as np
from osgeo import gdal

from tests.raster_samples import coast, output_of
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.outputs import prepare_output


def test_overviews_of_twelve_bits_show_the_averages(tmp_path):
    wide = (np.tile(coast()["B04"], (18, 16)) // 10).astype(np.uint16)
    height, width = wide.shape
    options = ["NBITS=12", "TILED=YES"]
    raster = gdal.GetDriverByName("GTiff").Create(str(tmp_path / "pan.tif"), width, height, 1, gdal.GDT_UInt16, options)
    raster.SetGeoTransform((15.28, 1e-5, 0, 37.85, 0, -1e-5))
    raster.GetRasterBand(1).WriteArray(wide)
    raster = None
    prepare_output(output_of(tmp_path, "pan.tif"), ThreadContext())
    dataset = gdal.Open(str(tmp_path / "pan.tif"))
    assert dataset.GetRasterBand(1).GetMetadataItem("NBITS", "IMAGE_STRUCTURE") == "12"
    reduced = dataset.GetRasterBand(1).GetOverview(0).ReadAsArray()
    assert np.abs(reduced - wide.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))).max() <= 1
