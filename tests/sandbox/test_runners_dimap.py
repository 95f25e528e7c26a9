"""DIMAP folders: images that are split over several files, and their conversion to GeoTIFF."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import AREA, WaveArchive, Workbench, pleiades_scene, sentinel_scene

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.runners import grids, images, registry
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.scenes import dimap

BOX = geometry.polygon_of((15.2900, 37.8450, 15.2914, 37.8460))
TRIANGLE = {
    "type": "Polygon",
    "coordinates": [[[15.2902, 37.8452], [15.291, 37.8452], [15.291, 37.8458], [15.2902, 37.8452]]],
}
FAR = geometry.polygon_of((15.3, 37.86, 15.301, 37.861))


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("dimap"), WaveArchive([pleiades_scene(), sentinel_scene()]))


@pytest.fixture(scope="module")
def reflectances(bench):
    return bench.run(registry.ONEATLAS_PLEIADES_FULLSCENE, {"intersects": BOX})


@pytest.fixture(scope="module")
def display(bench):
    return bench.run(registry.ONEATLAS_PLEIADES_DISPLAY, {"intersects": BOX})


def image_of(ran, word):
    (name,) = [name for name in ran.files if f"_{word}_" in name and name.endswith(".XML")]
    return gdal.Open(str(ran.output / name))


def converted(bench, before, **parameters):
    ran = bench.after(before, registry.DATA_CONVERSION_DIMAP, parameters, geometry=BOX)
    (feature,) = ran.features
    return ran, gdal.Open(str(ran.output / feature["properties"]["up42.data_path"]))


def test_a_split_image_is_joined_by_its_description(bench, reflectances, monkeypatch):
    monkeypatch.setattr(dimap, "TILE_PIXELS", 100)
    split = bench.run(registry.ONEATLAS_PLEIADES_FULLSCENE, {"intersects": BOX})
    for word in ("MS", "P"):
        whole, joined = image_of(reflectances, word), image_of(split, word)
        assert joined.GetDriver().ShortName == "DIMAP"
        assert joined.GetGeoTransform() == whole.GetGeoTransform()
        assert np.array_equal(joined.ReadAsArray(), whole.ReadAsArray())
    pan = image_of(split, "P")
    pieces = {name[-8:] for name in split.files if "_P_" in name and name.endswith(".TIF")}
    columns, rows = -(-pan.RasterXSize // 100), -(-pan.RasterYSize // 100)
    assert pieces == {f"R{row}C{column}.TIF" for row in range(1, rows + 1) for column in range(1, columns + 1)}
    assert (rows, columns) > (1, 1)
    assert split.usage.pixels == reflectances.usage.pixels


def test_values_are_said_to_have_twelve_bits(reflectances, display):
    for ran, bits in ((reflectances, 12), (display, 8)):
        for name in ran.files:
            if name.endswith(".XML"):
                assert f"<NBITS>{bits}</NBITS>" in (ran.output / name).read_text(encoding="utf-8")
    assert image_of(reflectances, "P").ReadAsArray().max() <= 4095


@pytest.mark.parametrize(
    ("parameters", "word", "end"), [({}, "MS", "_ms.tif"), ({"ms": False, "pan": True}, "P", "_pan.tif")]
)
def test_one_image_becomes_a_geotiff(bench, reflectances, parameters, word, end):
    ran, dataset = converted(bench, reflectances, **parameters)
    source = image_of(reflectances, word)
    (feature,) = ran.features
    assert ran.files == [f"{feature['id']}{end}", "data.json"]
    assert dataset.GetDriver().ShortName == "GTiff"
    assert dataset.GetGeoTransform() == pytest.approx(source.GetGeoTransform())
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "4326"
    assert np.array_equal(dataset.ReadAsArray(), source.ReadAsArray())
    assert dataset.GetRasterBand(1).GetNoDataValue() == 0
    names = [dataset.GetRasterBand(number).GetDescription() for number in range(1, dataset.RasterCount + 1)]
    assert names == (["pan"] if word == "P" else ["red", "green", "blue", "nir"])
    assert feature["properties"]["parentIdentifier"] == pleiades_scene().id
    assert dataset.GetMetadataItem("SYNTHETIC") == "YES"


def test_display_products_keep_their_eight_bits(bench, display):
    ran, dataset = converted(bench, display)
    assert ran.files[0].endswith("_pms.tif")
    assert dataset.ReadAsArray().dtype == np.uint8
    assert np.array_equal(dataset.ReadAsArray(), image_of(display, "PMS").ReadAsArray())


def test_clipping_leaves_the_polygon_alone(bench, reflectances):
    _, whole = converted(bench, reflectances)
    ran, dataset = converted(bench, reflectances, clip_to_aoi=True, intersects=TRIANGLE)
    grid = images.grid_of(dataset)
    inside = grids.mask(TRIANGLE, grid)
    pixels = dataset.ReadAsArray()
    assert (pixels[:, inside] > 0).all()
    assert (pixels[:, ~inside] == 0).all()
    assert 0.4 < inside.mean() < 0.7
    left, pixel, _, top, _, _ = whole.GetGeoTransform()
    window = whole.ReadAsArray(
        round((grid.left - left) / pixel), round((top - grid.top) / pixel), grid.width, grid.height
    )
    assert np.array_equal(pixels[:, inside], window[:, inside])
    west, _, east, _ = ran.features[0]["bbox"]
    assert 15.2899 < west < 15.2903
    assert 15.2909 < east < 15.2911


@pytest.mark.parametrize(
    ("parameters", "code", "word"),
    [
        ({"ms": True, "pan": True}, "INPUT_PARAMETERS_ERROR", "Exactly one"),
        ({"ms": False, "pan": False}, "INPUT_PARAMETERS_ERROR", "Exactly one"),
        ({"intersects": TRIANGLE}, "INPUT_PARAMETERS_ERROR", "clip_to_aoi is false"),
        ({"clip_to_aoi": True, "intersects": FAR}, "NO_OUTPUT_ERROR", "meets the area"),
    ],
)
def test_what_cannot_be_converted_is_refused(bench, reflectances, parameters, code, word):
    with pytest.raises(RunnerError, match=word) as caught:
        converted(bench, reflectances, **parameters)
    assert caught.value.code == code


def test_a_missing_image_is_named(bench, display):
    for block in (registry.DATA_CONVERSION_DIMAP, registry.PANSHARPEN):
        with pytest.raises(RunnerError, match="no panchromatic image, only PMS") as caught:
            bench.after(display, block, {"ms": False, "pan": True} if block == registry.DATA_CONVERSION_DIMAP else {})
        assert caught.value.code == "WRONG_INPUT_ERROR"


def test_a_folder_without_dimap_is_refused(bench, reflectances, tmp_path):
    folder = tmp_path / "output"
    shutil.copytree(reflectances.output, folder)
    for path in folder.rglob("DIM_*.XML"):
        path.unlink()
    with pytest.raises(RunnerError, match="holds no DIMAP product") as caught:
        bench.run(registry.DATA_CONVERSION_DIMAP, {}, source=folder, geometry=AREA)
    assert caught.value.code == "WRONG_INPUT_ERROR"
