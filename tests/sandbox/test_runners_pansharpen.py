"""Pan-sharpening: colours that are nearer to the truth than the coarse ones are."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import WaveArchive, Workbench, pleiades_scene, sentinel_scene

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.archive import SceneQuery
from up42_plugin.sandbox.made_archive import MadeArchive
from up42_plugin.sandbox.runners import grids, images, registry
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.derived import fusion, pansharpen
from up42_plugin.sandbox.runners.scenes.pleiades_primary import MS, digital_numbers

BOX = geometry.polygon_of((15.2850, 37.8490, 15.2868, 37.8503))
CLEAR = {"intersects": BOX, "max_cloud_cover": 1, "time": None}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("pansharpen"), MadeArchive())


@pytest.fixture(scope="module")
def bundle(bench):
    return bench.run(registry.ONEATLAS_PLEIADES_FULLSCENE, CLEAR)


@pytest.fixture(scope="module")
def truth(bench, bundle):
    """The archive's own colours at the pan's pixels."""
    (feature,) = bundle.features
    (scene,) = bench.archive.search(SceneQuery("pleiades", BOX, ids=[feature["properties"]["sourceIdentifier"]]))
    return digital_numbers(bench.archive.read(scene, MS.sources, images.grid_of(image_of(bundle, "P"))))


def image_of(ran, word):
    (name,) = [name for name in ran.files if f"_{word}_" in name and name.endswith(".XML")]
    return gdal.Open(str(ran.output / name))


def sharpened(bench, bundle, **parameters):
    ran = bench.after(bundle, registry.PANSHARPEN, parameters, geometry=BOX)
    (feature,) = ran.features
    return ran, gdal.Open(str(ran.output / feature["properties"]["up42.data_path"]))


def errors(values, truth):
    """How far a picture is off in each band, within its edge of 20 pixels."""
    return [float(np.std(a - b)) for a, b in zip(values[:4, 20:-20, 20:-20].astype(float), truth[:, 20:-20, 20:-20])]


def test_four_bands_on_the_pixels_of_the_pan(bench, bundle):
    ran, dataset = sharpened(bench, bundle)
    pan = image_of(bundle, "P")
    (feature,) = ran.features
    assert ran.files == ["data.json", f"{feature['id']}.tif"] or ran.files == [f"{feature['id']}.tif", "data.json"]
    assert dataset.GetGeoTransform() == pytest.approx(pan.GetGeoTransform())
    assert (dataset.RasterXSize, dataset.RasterYSize) == (pan.RasterXSize, pan.RasterYSize)
    assert [dataset.GetRasterBand(k).GetDescription() for k in range(1, 5)] == ["red", "green", "blue", "nir"]
    pixels = dataset.ReadAsArray()
    assert pixels.dtype == np.uint16
    known = pan.ReadAsArray() > 0
    assert (pixels[:, known] > 0).all()
    assert (pixels[:, ~known] == 0).all()
    assert dataset.GetRasterBand(1).GetNoDataValue() == 0
    assert dataset.GetMetadataItem("SYNTHETIC") == "YES"


@pytest.mark.parametrize(("method", "factor"), [("SFIM", None), ("SFIM", 1.0)])
def test_the_result_is_nearer_to_the_truth_than_enlarging_is(bench, bundle, truth, method, factor):
    _, dataset = sharpened(bench, bundle, method=method, edge_sharpen_factor=factor)
    colour = image_of(bundle, "MS").ReadAsArray(
        buf_xsize=dataset.RasterXSize, buf_ysize=dataset.RasterYSize, resample_alg=gdal.GRIORA_Cubic
    )
    for mine, plain in zip(errors(dataset.ReadAsArray(), truth)[:3], errors(colour, truth)[:3]):
        assert mine < 0.85 * plain


@pytest.mark.parametrize(
    "parameters", [{"method": "Brovey", "weight": 0.0}, {"method": "Esri", "weights": [1, 1, 1, 0]}, {"method": "Esri"}]
)
def test_other_methods_take_their_brightness_from_the_pan(bench, bundle, parameters):
    _, dataset = sharpened(bench, bundle, **parameters)
    colour, pan = dataset.ReadAsArray()[:3].astype(float), image_of(bundle, "P").ReadAsArray().astype(float)
    known = pan > 0
    assert np.corrcoef(colour.mean(axis=0)[known], pan[known])[0, 1] > 0.98


def test_the_pan_comes_along_as_it_is(bench, bundle):
    _, dataset = sharpened(bench, bundle, include_pan=True)
    assert dataset.RasterCount == 5
    assert dataset.GetRasterBand(5).GetDescription() == "pan"
    assert np.array_equal(dataset.ReadAsArray()[4], image_of(bundle, "P").ReadAsArray())


def test_strips_leave_no_seams(bench, bundle, monkeypatch):
    _, whole = sharpened(bench, bundle, include_pan=True)
    monkeypatch.setattr(pansharpen, "_STRIP_PIXELS", 20_000)
    _, strips = sharpened(bench, bundle, include_pan=True)
    assert np.abs(whole.ReadAsArray().astype(int) - strips.ReadAsArray()).max() <= 1


def test_clipping_to_the_data_tasks_area(bench, bundle):
    triangle = {
        "type": "Polygon",
        "coordinates": [[[15.2855, 37.8492], [15.2865, 37.8492], [15.2865, 37.85], [15.2855, 37.8492]]],
    }
    _, whole = sharpened(bench, bundle)
    ran = bench.after(bundle, registry.PANSHARPEN, {"clip_to_aoi": True}, geometry=triangle)
    dataset = gdal.Open(str(ran.output / ran.features[0]["properties"]["up42.data_path"]))
    grid, outer = images.grid_of(dataset), images.grid_of(whole)
    inside, pixels = grids.mask(triangle, grid), dataset.ReadAsArray()
    assert (pixels[:, ~inside] == 0).all()
    column, row = round((grid.left - outer.left) / grid.pixel), round((outer.top - grid.top) / grid.pixel)
    part = whole.ReadAsArray(column, row, grid.width, grid.height).astype(int)
    assert np.abs(pixels[:, inside] - part[:, inside]).max() <= 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"method": "Gram-Schmidt"},
        {"edge_sharpen_factor": "much"},
        {"edge_sharpen_factor": -1},
        {"method": "Brovey", "weight": 1.5},
        {"method": "Esri", "weights": [1, 2, 3]},
        {"method": "Esri", "weights": [0, 0, 0, 0]},
        {"method": "Esri", "weights": "all"},
        {"contains": BOX},
    ],
)
def test_awkward_parameters_are_refused(bench, bundle, parameters):
    with pytest.raises(RunnerError) as caught:
        sharpened(bench, bundle, **parameters)
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def test_sentinel_2_gets_all_bands_at_ten_metres(tmp_path):
    bench = Workbench(tmp_path, WaveArchive([sentinel_scene(), pleiades_scene()]))
    area = geometry.polygon_of((15.285, 37.845, 15.292, 37.85))
    before = bench.run(registry.ESA_S2_L2A_GTIFF_ANALYTIC, {"intersects": area})
    ran = bench.after(before, registry.PANSHARPEN, {"include_pan": True}, geometry=area)
    with pytest.raises(RunnerError, match="weights are for images of 4 bands"):
        bench.after(before, registry.PANSHARPEN, {"method": "Esri", "weights": [1, 1, 1, 1]}, geometry=area)
    (feature,) = ran.features
    dataset = gdal.Open(str(ran.output / f"{feature['id']}.tif"))
    bands = [dataset.GetRasterBand(number).GetDescription() for number in range(1, dataset.RasterCount + 1)]
    assert bands == [*pansharpen.SENTINEL2_BANDS, "pan"]
    assert dataset.GetGeoTransform()[1] == 10
    fine = gdal.Open(str(before.output / f"{feature['id']}_B08.tif"))
    pixels = dataset.ReadAsArray()
    assert np.array_equal(pixels[7], fine.ReadAsArray())
    sharp, near = pixels[10].astype(float), pixels[7].astype(float)  # a band of 20 m, and one of 10 m
    assert np.corrcoef(np.diff(sharp).ravel(), np.diff(near).ravel())[0, 1] > 0.8
    assert (
        abs(sharp.mean() / gdal.Open(str(before.output / f"{feature['id']}_B11.tif")).ReadAsArray().mean() - 1) < 0.05
    )


def test_an_even_pan_changes_nothing_and_gaps_stay():
    colours = np.random.default_rng(1).uniform(200, 900, (4, 30, 30)).astype(np.float32)
    pan = np.full((30, 30), 500, np.float32)
    pan[:, 20:] = np.nan
    result = fusion.sfim(colours, pan, 4, 1.7)
    assert np.allclose(result[:, :, :20], colours[:, :, :20], rtol=1e-4)
    assert np.isnan(result[:, :, 20:]).all()
