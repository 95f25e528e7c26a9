"""Sharpening and NDVI on rasters of any kind."""

from __future__ import annotations

import json

import numpy as np
import pytest
from osgeo import gdal, osr
from runner_kit import AREA, Ran, WaveArchive, Workbench, sentinel_scene

from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError, Usage
from up42_plugin.sandbox.runners.derived import ndvi, sharpening


@pytest.fixture
def bench(tmp_path):
    return Workbench(tmp_path / "bench", WaveArchive([sentinel_scene()]))


def picture(bands, dtype, height=90, width=110):
    """Smooth waves with squares in them, of bands x rows x columns."""
    rows, columns = np.mgrid[0:height, 0:width]
    squares = ((rows // 9 + columns // 11) % 2) * 60
    values = 90 + 30 * np.sin(columns / 15) + squares
    return np.stack([values + 3 * band for band in range(bands)]).astype(dtype)


def left_by_a_block(folder, values, name="image.tif", describe=None):
    """What a block would have left: a file of values, placed in UTM, and its ``data.json``."""
    folder.mkdir(parents=True)
    driver = gdal.GetDriverByName("GTiff")
    kind = (
        gdal.GDT_Byte if values.dtype == np.uint8 else {2: gdal.GDT_UInt16, 4: gdal.GDT_Float32}[values.dtype.itemsize]
    )
    if values.dtype == np.int16:
        kind = gdal.GDT_Int16
    raster = driver.Create(str(folder / name), values.shape[2], values.shape[1], values.shape[0], kind)
    raster.SetGeoTransform((525000, 10, 0, 4190000, 0, -10))
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(32633)
    raster.SetProjection(reference.ExportToWkt())
    raster.SetMetadata({"SCENE_ID": "a scene"})
    if describe is not None:
        describe(raster)
    raster.WriteArray(values)
    raster.FlushCache()
    properties = {"cloudCover": 3, "up42.data_path": name, "up42.other": 1, "custom.x": 2}
    feature = {"type": "Feature", "id": "one", "bbox": [1, 2, 3, 4], "geometry": AREA, "properties": properties}
    collection = {"type": "FeatureCollection", "features": [feature]}
    (folder / "data.json").write_text(json.dumps(collection), encoding="utf-8")
    return Ran(folder, folder, [], Usage())


def contrast(values):
    return float(np.abs(np.diff(values.astype(float), axis=-1)).mean())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_sharpening_keeps_everything_but_the_contrast(bench, tmp_path, dtype):
    values = picture(3, dtype)
    before = left_by_a_block(tmp_path / "source", values)
    ran = bench.after(before, registry.SHARPENING)

    source, raster = gdal.Open(str(before.output / "image.tif")), gdal.Open(str(ran.output / "image.tif"))
    sharp = raster.ReadAsArray()
    assert sharp.dtype == values.dtype
    assert sharp.shape == values.shape
    assert raster.GetGeoTransform() == source.GetGeoTransform()
    assert raster.GetProjection() == source.GetProjection()
    assert raster.GetMetadataItem("SCENE_ID") == "a scene"
    assert contrast(sharp) > 1.3 * contrast(values)
    assert abs(sharp.astype(float).mean() - values.astype(float).mean()) < 2
    (feature,) = ran.features
    assert feature["properties"] == {"cloudCover": 3, "up42.data_path": "image.tif"}
    assert (feature["id"], feature["bbox"]) == ("one", [1, 2, 3, 4])


def test_stronger_is_stronger(bench, tmp_path):
    before = left_by_a_block(tmp_path / "source", picture(1, np.uint16))
    seen = [
        contrast(
            gdal.Open(
                str(bench.after(before, registry.SHARPENING, {"strength": name}).output / "image.tif")
            ).ReadAsArray()
        )
        for name in ("light", "medium", "strong")
    ]
    assert contrast(picture(1, np.uint16)) < seen[0] < seen[1] < seen[2]


def test_an_unknown_strength_is_refused(bench, tmp_path):
    before = left_by_a_block(tmp_path / "source", picture(1, np.uint8))
    with pytest.raises(RunnerError, match="light, medium, strong") as caught:
        bench.after(before, registry.SHARPENING, {"strength": "brutal"})
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def test_alpha_stays_and_hidden_pixels_do_not_change(bench, tmp_path):
    values = picture(4, np.uint8)
    values[3] = 255
    values[3, :, :30] = 0
    values[:3, :, :30] = 7

    def describe(raster):
        for number, colour in enumerate(
            (gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand, gdal.GCI_AlphaBand), 1
        ):
            raster.GetRasterBand(number).SetColorInterpretation(colour)

    before = left_by_a_block(tmp_path / "source", values, describe=describe)
    raster = gdal.Open(str(bench.after(before, registry.SHARPENING).output / "image.tif"))
    sharp = raster.ReadAsArray()
    assert np.array_equal(sharp[3], values[3])
    assert (sharp[:3, :, :30] == 7).all()
    assert not np.array_equal(sharp[:3, :, 30:], values[:3, :, 30:])
    assert raster.GetRasterBand(4).GetColorInterpretation() == gdal.GCI_AlphaBand


def test_nodata_neither_changes_nor_spreads_nor_appears(bench, tmp_path):
    values = picture(1, np.uint16)
    values[0, :, :30] = 0
    values[0, 40:50, 60:64] = 1  # so dark that sharpening would drive it to 0
    before = left_by_a_block(tmp_path / "source", values, describe=lambda r: r.GetRasterBand(1).SetNoDataValue(0))
    raster = gdal.Open(str(bench.after(before, registry.SHARPENING, {"strength": "strong"}).output / "image.tif"))
    sharp = raster.ReadAsArray()
    assert raster.GetRasterBand(1).GetNoDataValue() == 0
    assert np.array_equal(sharp == 0, values[0] == 0)
    alone = sharpening.unsharp(values[0, :, 30:], np.ones((90, 80), bool), sharpening.AMOUNTS["strong"], 0)
    assert np.array_equal(sharp[:, 30:], alone)


def test_strips_leave_no_seams(bench, tmp_path):
    values = picture(1, np.uint16, height=700, width=1100)
    before = left_by_a_block(tmp_path / "source", values)
    sharp = gdal.Open(str(bench.after(before, registry.SHARPENING).output / "image.tif")).ReadAsArray()
    whole = sharpening.unsharp(values[0], np.ones(values[0].shape, bool), sharpening.AMOUNTS["medium"])
    assert np.array_equal(sharp, whole)


def test_class_numbers_with_colours_are_not_sharpened(bench, tmp_path):
    table = gdal.ColorTable()
    table.SetColorEntry(1, (10, 200, 30, 255))
    values = (picture(1, np.uint8) > 100).astype(np.uint8)
    before = left_by_a_block(tmp_path / "source", values, describe=lambda r: r.GetRasterBand(1).SetColorTable(table))
    raster = gdal.Open(str(bench.after(before, registry.SHARPENING).output / "image.tif"))
    assert np.array_equal(raster.ReadAsArray(), values[0])
    assert raster.GetRasterBand(1).GetColorTable().GetColorEntry(1) == (10, 200, 30, 255)


def test_values_that_are_no_numbers_stay_and_do_not_spread(bench, tmp_path):
    values = picture(1, np.float32)
    values[0, 20:30, 20:30] = np.nan
    before = left_by_a_block(tmp_path / "source", values)
    sharp = gdal.Open(str(bench.after(before, registry.SHARPENING).output / "image.tif")).ReadAsArray()
    assert np.array_equal(np.isnan(sharp), np.isnan(values[0]))


def test_both_pleiades_files_are_sharpened(bench, tmp_path):
    before = left_by_a_block(tmp_path / "source", picture(1, np.uint16), "a_pan.tif")
    left_by_a_block(tmp_path / "other", picture(4, np.uint16), "a_ms.tif")
    (tmp_path / "other" / "a_ms.tif").replace(before.output / "a_ms.tif")
    ran = bench.after(before, registry.SHARPENING)
    assert ran.files == ["a_ms.tif", "a_pan.tif", "data.json"]
    assert ran.features[0]["properties"]["up42.data_path"] == "a_pan.tif"


@pytest.mark.parametrize("block", [registry.SHARPENING, registry.NDVI])
def test_folders_and_files_that_are_no_rasters_are_refused(bench, tmp_path, block):
    before = left_by_a_block(tmp_path / "source", picture(4, np.uint16))
    path = before.output / "image.tif"
    path.write_bytes(b"not a raster")
    with pytest.raises(RunnerError, match=r"image.tif cannot be opened") as caught:
        bench.after(before, block)
    assert caught.value.code == "WRONG_INPUT_ERROR"
    path.unlink()
    path.mkdir()
    with pytest.raises(RunnerError, match="folder"):
        bench.after(before, block)


def test_ndvi_finds_its_bands_by_name_or_by_place(bench, tmp_path):
    values = picture(4, np.uint16)
    values[3] *= 3
    before = left_by_a_block(tmp_path / "plain", values, "x_ms.tif")
    ran = bench.after(before, registry.NDVI)
    expected = ndvi.index(values[0], values[3], np.ones(values[0].shape, bool))
    assert np.array_equal(gdal.Open(str(ran.output / "x_ndvi.tif")).ReadAsArray(), expected)

    def describe(raster):
        for number, name in enumerate(("nir", "blue", "green", "red"), 1):
            raster.GetRasterBand(number).SetDescription(name)

    before = left_by_a_block(tmp_path / "named", values, "y.tif", describe)
    ran = bench.after(before, registry.NDVI)
    assert np.array_equal(gdal.Open(str(ran.output / "y_ndvi.tif")).ReadAsArray(), -expected)


def test_ndvi_is_nodata_where_the_image_is(bench, tmp_path):
    values = picture(4, np.uint16)
    values[:, :10] = 0
    before = left_by_a_block(tmp_path / "source", values, describe=lambda r: r.GetRasterBand(1).SetNoDataValue(0))
    result = gdal.Open(str(bench.after(before, registry.NDVI).output / "image_ndvi.tif")).ReadAsArray()
    assert (result[:10] == ndvi.NODATA).all()
    assert (np.abs(result[10:]) <= 1).all()


def test_ndvi_needs_four_bands(bench, tmp_path):
    before = left_by_a_block(tmp_path / "source", picture(3, np.uint8))
    with pytest.raises(RunnerError, match="3 bands") as caught:
        bench.after(before, registry.NDVI)
    assert caught.value.code == "WRONG_INPUT_ERROR"


def test_a_task_with_nothing_before_it_is_refused(bench, tmp_path):
    with pytest.raises(RunnerError) as caught:
        bench.run(registry.NDVI, {}, source=tmp_path)
    assert caught.value.code == "NO_INPUT_ERROR"
