"""``s2-superresolution``: twelve bands at 10 m that keep what was measured and add the detail of the fine bands."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import (
    AREA,
    NOTE,
    SMALL_AREA,
    WaveArchive,
    Workbench,
    correlation,
    grid_of,
    sentinel_scene,
    stop_after,
)

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.runners import grids, registry
from up42_plugin.sandbox.runners.contract import RunnerError, RunnerStopped
from up42_plugin.sandbox.runners.derived import detail, resampling, s2_superresolution
from up42_plugin.sandbox.runners.scenes import sentinel2

ORDER = ("B4", "B3", "B2", "B8", "B5", "B6", "B7", "B8A", "B11", "B12", "B1", "B9")
FULL_NAMES = {sentinel2.short_name(name): name for name in sentinel2.BANDS}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("sr"), WaveArchive([sentinel_scene()]))


@pytest.fixture(scope="module")
def safe(bench):
    return bench.run(registry.AWS_S2_L2A, {"contains": AREA})


@pytest.fixture(scope="module")
def whole(bench, safe):
    """The result without clipping."""
    return bench.after(safe, registry.S2_SUPERRESOLUTION)


def opened(ran):
    (path,) = ran.output.glob("*_superresolution.tif")
    return gdal.Open(str(path))


def labels(raster):
    return [raster.GetRasterBand(number).GetDescription() for number in range(1, raster.RasterCount + 1)]


def test_all_bands_of_the_whole_raster_without_clipping(safe, whole):
    raster = opened(whole)
    fine = gdal.Open(gdal.Open(str(next(safe.output.rglob("MTD_MSIL2A.xml")))).GetSubDatasets()[0][0])
    assert raster.GetGeoTransform() == fine.GetGeoTransform()
    assert (raster.RasterXSize, raster.RasterYSize) == (fine.RasterXSize, fine.RasterYSize)
    assert raster.GetSpatialRef().GetAuthorityCode(None) == "32633"
    assert [label.replace("SR ", "").split(" ")[0] for label in labels(raster)] == list(ORDER)
    assert labels(raster)[0] == "B4 (665 nm)"
    assert labels(raster)[4] == "SR B5 (705 nm)"
    values = raster.ReadAsArray()
    assert values.dtype == np.uint16
    assert (values > 0).all()
    assert np.array_equal(values[:4], fine.ReadAsArray()[:4])  # newer GDAL has maps made of them behind the bands
    assert raster.GetRasterBand(1).GetNoDataValue() == 0
    assert raster.GetMetadataItem("SYNTHETIC") == "YES"
    (feature,) = whole.features
    assert feature["id"] == safe.features[0]["id"]
    assert feature["properties"]["up42.data_path"] == f"{feature['id']}_superresolution.tif"
    assert feature["properties"]["note"] == NOTE
    assert whole.usage.output_bytes == sum((whole.output / path).stat().st_size for path in whole.files)


def test_coarse_bands_keep_their_means_and_come_closer_to_the_truth(bench, whole):
    raster = opened(whole)
    grid, values = grid_of(raster), raster.ReadAsArray()
    for number, label in enumerate(ORDER[4:], 4):
        name = FULL_NAMES[label]
        factor = sentinel2.BANDS[name].pixel // 10
        measured = sentinel2.digital_numbers(
            bench.archive.read(sentinel_scene(), [name], grids.coarser(grid, 10 * factor))
        )[0].astype(np.float32)
        got = values[number].astype(np.float32)
        assert np.abs(resampling.block_means(got, factor) - measured).max() < 1, name
        truth = sentinel2.digital_numbers(bench.archive.read(sentinel_scene(), [name], grid))[0].astype(np.float32)
        repeated = measured.repeat(factor, axis=0).repeat(factor, axis=1)
        assert np.abs(got - truth).mean() < 0.7 * np.abs(repeated - truth).mean(), name
        assert correlation(got, truth) > 0.9, name


def test_without_original_bands_there_are_eight(bench, safe, whole):
    raster = opened(bench.after(safe, registry.S2_SUPERRESOLUTION, {"copy_original_bands": False}))
    assert [label.split(" ")[1] for label in labels(raster)] == list(ORDER[4:])
    assert np.array_equal(raster.ReadAsArray(), opened(whole).ReadAsArray()[4:])


@pytest.mark.parametrize(
    "parameters",
    [
        {"clip_to_aoi": True},
        {"clip_to_aoi": True, "contains": AREA},
        {"clip_to_aoi": True, "intersects": AREA},
        {"clip_to_aoi": True, "bbox": list(geometry.bounds(AREA))},
    ],
)
def test_clipping_takes_the_tasks_own_area_or_that_of_the_data_task(bench, safe, parameters):
    raster = opened(bench.after(safe, registry.S2_SUPERRESOLUTION, parameters))
    grid, values = grid_of(raster), raster.ReadAsArray()
    area = geometry.polygon_of(parameters["bbox"]) if "bbox" in parameters else AREA
    left, bottom, right, top = grids.projected_bounds(area, grid.epsg)
    assert 0 <= left - grid.left < 10
    assert 0 <= grid.top - top < 10
    assert 0 <= grid.left + grid.width * 10 - right < 10
    assert 0 <= bottom - (grid.top - grid.height * 10) < 10
    inside = grids.mask(area, grid)
    assert np.array_equal((values > 0).all(axis=0), inside)
    assert (values[:, ~inside] == 0).all()


def test_a_small_area_is_computed_on_a_larger_window_and_gives_the_same_values(bench, safe, whole):
    small = opened(bench.after(safe, registry.S2_SUPERRESOLUTION, {"clip_to_aoi": True, "contains": SMALL_AREA}))
    grid, around = grid_of(small), grid_of(opened(whole))
    assert max(grid.width, grid.height) < s2_superresolution.MINIMUM_PIXELS
    column, row = round((grid.left - around.left) / 10), round((around.top - grid.top) / 10)
    part = opened(whole).ReadAsArray(column, row, grid.width, grid.height).astype(float)
    inside = grids.mask(SMALL_AREA, grid)
    got = small.ReadAsArray().astype(float)
    assert np.array_equal(got[:4, inside], part[:4, inside])
    assert np.abs(got[:, inside] - part[:, inside]).mean() < 0.05 * part[:, inside].std()


def test_the_computed_window_is_at_least_192_pixels_where_the_product_has_them():
    assert s2_superresolution._padded(300, 20, 600, 6)[1] >= 192
    assert s2_superresolution._padded(0, 20, 600, 6) == (0, 192)
    start, count = s2_superresolution._padded(590, 10, 600, 6)
    assert (start + count, count) == (600, 192)
    assert s2_superresolution._padded(10, 20, 96, 6) == (0, 96)


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"clip_to_aoi": True, "contains": AREA, "intersects": AREA}, "Exactly one"),
        ({"clip_to_aoi": False, "contains": AREA}, "must be null"),
        ({"clip_to_aoi": True, "contains": {"type": "Polygon", "coordinates": [[[0, 0]]]}}, "contains"),
    ],
)
def test_contradicting_parameters_are_refused(bench, safe, parameters, word):
    with pytest.raises(RunnerError, match=word) as caught:
        bench.after(safe, registry.S2_SUPERRESOLUTION, parameters)
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def test_clipping_with_no_area_anywhere_is_refused(bench, safe):
    with pytest.raises(RunnerError, match="no area"):
        bench.after(safe, registry.S2_SUPERRESOLUTION, {"clip_to_aoi": True}, geometry=None)


def test_an_area_beside_the_image_gives_no_output(bench, safe):
    beside = {"bbox": [15.6, 37.4, 15.65, 37.45], "clip_to_aoi": True}
    with pytest.raises(RunnerError, match="meets the area") as caught:
        bench.after(safe, registry.S2_SUPERRESOLUTION, beside)
    assert caught.value.code == "NO_OUTPUT_ERROR"


def test_a_folder_without_a_product_is_refused(bench, safe, tmp_path):
    copy = tmp_path / "output"
    shutil.copytree(safe.output, copy)
    next(copy.rglob("MTD_MSIL2A.xml")).unlink()
    with pytest.raises(RunnerError, match="no Sentinel-2 product") as caught:
        bench.after(replace(safe, output=copy), registry.S2_SUPERRESOLUTION)
    assert caught.value.code == "WRONG_INPUT_ERROR"


def test_a_data_path_out_of_the_folder_is_refused(bench, safe, tmp_path):
    copy = tmp_path / "output"
    copy.mkdir()
    document = (safe.output / "data.json").read_text(encoding="utf-8")
    own = f'"up42.data_path": "{safe.features[0]["id"]}"'
    assert own in document
    (copy / "data.json").write_text(document.replace(own, '"up42.data_path": "../elsewhere"'), encoding="utf-8")
    with pytest.raises(RunnerError, match="outside"):
        bench.after(replace(safe, output=copy), registry.S2_SUPERRESOLUTION)


@pytest.mark.parametrize(
    ("document", "code"),
    [("", "WRONG_INPUT_ERROR"), ("[]", "WRONG_INPUT_ERROR"), ('{"features": []}', "NO_INPUT_ERROR")],
)
def test_a_broken_or_empty_collection_is_refused(bench, safe, tmp_path, document, code):
    (tmp_path / "data.json").write_text(document, encoding="utf-8")
    with pytest.raises(RunnerError) as caught:
        bench.after(replace(safe, output=tmp_path), registry.S2_SUPERRESOLUTION)
    assert caught.value.code == code


def test_cancelling_leaves_no_half_file(bench, safe):
    task = bench.task(
        registry.S2_SUPERRESOLUTION,
        {},
        source=safe.output,
        geometry=AREA,
        check=stop_after(3, RunnerStopped("no more")),
    )
    with pytest.raises(RunnerStopped):
        registry.RUNNERS[registry.S2_SUPERRESOLUTION](task)
    assert list(task.target.iterdir()) == []


def test_missing_data_stays_missing_and_does_not_leak():
    coarse = np.full((40, 40), 2000, np.float32)
    coarse[:, 20:] = 0
    fine = np.full((4, 80, 80), 1000, np.uint16)
    fine[:, :, 40:] = 0
    fine[:, 10, 10] = 1800
    weights = detail.weights_for(coarse, fine, 2)
    values = detail.sharpened(coarse, fine.astype(np.float32), weights, 2)
    assert (values[:, 40:] == 0).all()
    assert (values[:, :40] > 0).all()
    assert np.abs(resampling.block_means(values[:, :40], 2) - 2000).max() < 1


def test_cubic_enlargement_keeps_planes_and_means():
    rows, columns = np.mgrid[0:12, 0:15].astype(np.float32)
    plane = 3 * rows + 5 * columns + 7
    fine = resampling.enlarged(plane, 2)
    assert fine.shape == (24, 30)
    expected = 3 * (np.arange(24) / 2 - 0.25)[:, None] + 5 * (np.arange(30) / 2 - 0.25) + 7
    assert np.abs(fine - expected)[4:-4, 4:-4].max() < 1e-3
    assert np.abs(resampling.block_means(fine, 2) - plane)[2:-2, 2:-2].max() < 1e-3
