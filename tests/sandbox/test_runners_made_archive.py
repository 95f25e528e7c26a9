"""Chains of blocks over the made-up archive: what a job really delivers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import AREA, SMALL_AREA, Workbench, best_shift_of, grid_of

from up42_plugin.sandbox.archive import SceneQuery
from up42_plugin.sandbox.made_archive import MadeArchive
from up42_plugin.sandbox.runners import grids, registry
from up42_plugin.sandbox.runners.scenes import sentinel2

PUBLISHED = {
    "ids": None,
    "time": "2018-12-01T00:00:00+00:00/2021-12-31T23:59:59+00:00",
    "limit": 1,
    "time_series": None,
    "max_cloud_cover": 10,
    "contains": AREA,
}
PUBLISHED_NEXT = {
    "bbox": None,
    "contains": None,
    "intersects": None,
    "clip_to_aoi": True,
    "copy_original_bands": True,
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    archive = MadeArchive(now=lambda: datetime(2023, 1, 1, tzinfo=timezone.utc))
    return Workbench(tmp_path_factory.mktemp("made"), archive)


def test_the_published_request_gives_twelve_bands_of_land_and_sea(bench):
    safe = bench.run(registry.AWS_S2_L2A, PUBLISHED)
    ran = bench.after(safe, registry.S2_SUPERRESOLUTION, PUBLISHED_NEXT)

    (path,) = ran.output.glob("*_superresolution.tif")
    raster = gdal.Open(str(path))
    values, grid = raster.ReadAsArray().astype(float), grid_of(raster)
    inside = grids.mask(AREA, grid)
    assert values.shape[0] == 12
    assert (values[:, inside] > 0).all()
    assert (values[:, ~inside] == 0).all()
    red, near, short = values[0][inside], values[3][inside], values[8][inside]
    index = (near - red) / (near + red)
    sea = short < 100
    assert 0.05 < sea.mean() < 0.6  # the area lies on the coast
    assert index[sea].max() < 0.2
    assert np.percentile(index[~sea], 95) > 0.35  # something green on land
    (scene,) = bench.archive.search(SceneQuery("sentinel2", AREA, ids=[raster.GetMetadataItem("SCENE_ID")]))
    truth = sentinel2.digital_numbers(bench.archive.read(scene, ["B04", "B8A"], grid))
    assert np.array_equal(values[0][inside], truth[0][inside])
    error = np.abs(values[7] - truth[1])[inside].mean()
    assert error < 0.05 * truth[1][inside].mean()
    size = raster.RasterXSize * raster.RasterYSize * 12 * 2
    assert 0.2 * size < ran.usage.output_bytes < 1.2 * size  # what the estimation counts on


def test_pleiades_pixels_lie_where_the_archive_has_them(bench):
    parameters = {"intersects": SMALL_AREA, "max_cloud_cover": 20, "time": "2020-01-01T00:00:00Z/2021-12-31T00:00:00Z"}
    ran = bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, parameters)
    (path,) = ran.output.glob("*_ms.tif")
    warped = gdal.Warp("", str(path), format="MEM", rpc=True, dstSRS="EPSG:32633", xRes=2, yRes=2, resampleAlg="cubic")
    near, grid = warped.GetRasterBand(4).ReadAsArray().astype(float), grid_of(warped)
    (scene,) = bench.archive.search(
        SceneQuery("pleiades", SMALL_AREA, ids=[ran.features[0]["properties"]["parentIdentifier"]])
    )
    (truth,) = bench.archive.read(scene, ["B08"], grid)
    middle = (slice(40, 180), slice(40, 180))
    assert best_shift_of(truth[middle], near[middle]) == (0, 0)


def test_jobs_at_the_same_time_do_not_disturb_each_other(bench):
    parameters = {"intersects": SMALL_AREA, "limit": 2, "max_cloud_cover": 40}
    alone = bench.run(registry.ESA_S2_L2A_GTIFF_ANALYTIC, parameters)
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: bench.run(registry.ESA_S2_L2A_GTIFF_ANALYTIC, parameters), range(3)))
    for ran in runs:
        assert ran.files == alone.files
        assert all((ran.output / path).read_bytes() == (alone.output / path).read_bytes() for path in ran.files)
