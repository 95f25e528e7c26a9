"""Pléiades and SPOT orthoimages: DIMAP folders, whether they are ordered or come from storage."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import Workbench

from up42_plugin.sandbox.archive import SceneQuery
from up42_plugin.sandbox.geometry import polygon_of
from up42_plugin.sandbox.made_archive import MadeArchive
from up42_plugin.sandbox.runners.contract import StoredAsset
from up42_plugin.sandbox.runners.registry import ONEATLAS_PLEIADES_DISPLAY, ONEATLAS_SPOT_FULLSCENE

AREA = polygon_of((15.285, 37.849, 15.289, 37.852))


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("oneatlas"), MadeArchive())


def asset_of(bench: Workbench, block: str, sensor: str) -> StoredAsset:
    (scene,) = bench.archive.search(SceneQuery(sensor, AREA, "contains", limit=1, max_cloud_cover=10.0))
    return StoredAsset("asset-1", "order-1", block, sensor, scene.id, AREA)


def images(ran: Any, word: str) -> Any:
    (name,) = [name for name in ran.files if f"_{word}_" in name and name.endswith(".XML")]
    return gdal.Open(str(ran.output / name))


def assert_lies_in_the_area(dataset: Any, pixel_m: float) -> None:
    left, pixel, _, top, _, _ = dataset.GetGeoTransform()
    assert dataset.GetDriver().ShortName == "DIMAP"
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "4326"
    assert pixel * 111_320 == pytest.approx(pixel_m)
    assert (left, top) == pytest.approx((15.285, 37.852))
    assert left + pixel * dataset.RasterXSize == pytest.approx(15.289, abs=6e-5)  # whole pixels of the coarser image


def test_a_display_image_from_storage(bench):
    asset = asset_of(bench, "oneatlas-pleiades-display", "pleiades")
    ran = bench.run(ONEATLAS_PLEIADES_DISPLAY, {"asset_ids": ["asset-1"]}, assets=(asset,))
    (feature,) = ran.features
    assert feature["properties"]["up42.data_path"] == "asset-1/order-1"
    assert feature["properties"]["synthetic"] is True
    dataset = images(ran, "PMS")
    assert_lies_in_the_area(dataset, 0.5)
    pixels = dataset.ReadAsArray()
    assert pixels.dtype == np.uint8
    assert pixels.shape[0] == 4
    assert (pixels > 0).mean() > 0.99
    assert all(band.std() > 3 for band in pixels.astype(float))
    assert (ran.quicklooks / "asset-1.jpg").is_file()
    assert ran.usage.square_km == pytest.approx(0.117, rel=0.05)


def test_a_reflectance_product_has_two_images(bench):
    asset = asset_of(bench, "oneatlas-spot-fullscene", "spot")
    ran = bench.run(ONEATLAS_SPOT_FULLSCENE, {"asset_ids": ["asset-1"]}, assets=(asset,))
    colour, grey = images(ran, "MS"), images(ran, "P")
    assert_lies_in_the_area(colour, 6.0)
    assert_lies_in_the_area(grey, 1.5)
    assert (colour.RasterCount, grey.RasterCount) == (4, 1)
    assert (grey.RasterXSize, grey.RasterYSize) == (4 * colour.RasterXSize, 4 * colour.RasterYSize)
    assert colour.ReadAsArray().dtype == np.uint16
    assert colour.ReadAsArray().max() <= 4095


def test_a_test_query_describes_assets_without_images(bench):
    asset = asset_of(bench, "oneatlas-pleiades-display", "pleiades")
    ran = bench.run(ONEATLAS_PLEIADES_DISPLAY, {"asset_ids": ["asset-1"]}, assets=(asset,), test_query=True)
    assert ran.files == ["data.json"]
    (feature,) = ran.features
    assert feature["id"] == "asset-1"
    assert "up42.data_path" not in feature["properties"]
    assert (ran.quicklooks / "asset-1.jpg").is_file()


def test_what_is_ordered_has_the_same_form(bench):
    ran = bench.run(ONEATLAS_PLEIADES_DISPLAY, {"intersects": AREA, "time": None, "max_cloud_cover": 10, "limit": 1})
    (feature,) = ran.features
    folder = feature["properties"]["up42.data_path"]
    assert all(name.startswith(folder) for name in ran.files if name != "data.json")
    assert_lies_in_the_area(images(ran, "PMS"), 0.5)
