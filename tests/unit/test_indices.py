"""Indices computed from bands: their values, what counts as no value, and what is left when it goes wrong."""

from __future__ import annotations

import os
import resource
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from tests.cancelling import CancelAt
from tests.raster_samples import (
    SUPERRESOLUTION_BANDS,
    analytic,
    coast,
    geotiff,
    output_of,
    pixels,
    safe,
    superresolution,
    visual,
)
from up42_plugin.api.errors import Cancelled
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.imagery import index_rasters
from up42_plugin.core.imagery.gdal_access import RasterError
from up42_plugin.core.imagery.index_rasters import NODATA, IndexRequest, make_index
from up42_plugin.core.imagery.indices import INDICES, PICTURE, why_not
from up42_plugin.core.imagery.opening import OWN_PREFIX
from up42_plugin.core.layer_plan import LookStyle
from up42_plugin.core.outputs import prepare_output

BY_NAME = {index.name: index for index in INDICES}
RGBN = ("B04", "B03", "B02", "B08")
EXPECTED = {
    "NDVI": lambda b: (b["nir"] - b["red"]) / (b["nir"] + b["red"]),
    "NDWI": lambda b: (b["green"] - b["nir"]) / (b["green"] + b["nir"]),
    "NDMI": lambda b: (b["nir"] - b["swir1"]) / (b["nir"] + b["swir1"]),
    "NBR": lambda b: (b["nir"] - b["swir2"]) / (b["nir"] + b["swir2"]),
    "NDBI": lambda b: (b["swir1"] - b["nir"]) / (b["swir1"] + b["nir"]),
    "SAVI": lambda b: 1.5 * (b["nir"] - b["red"]) / (b["nir"] + b["red"] + 0.5),
    "EVI": lambda b: 2.5 * (b["nir"] - b["red"]) / (b["nir"] + 6 * b["red"] - 7.5 * b["blue"] + 1),
}


def planned(folder, *names, block=""):
    return prepare_output(output_of(folder, *names), ThreadContext(), block_name=block)


def request(plan, name="NDVI", **changes):
    made = IndexRequest(BY_NAME[name], plan.source, Path(plan.source), plan.key, plan.title, plan.spectral, plan.nodata)
    return replace(made, **changes)


def computed(plan, name="NDVI", **changes):
    made = make_index(request(plan, name, **changes), ThreadContext())
    assert made.fresh
    return pixels(made.plan.source)[0]


def superresolved(folder):
    """A plan, and its bands as reflectances by role."""
    path = superresolution(folder / "x_superresolution.tif")
    bands = pixels(str(path))
    bands[9] = bands[8] // 2 + bands[0] // 3  # the sample has no second short-wave band of its own
    geotiff(path, bands, descriptions=SUPERRESOLUTION_BANDS)
    (plan,) = planned(folder, path.name, block="s2-superresolution")
    values = pixels(plan.source).astype(np.float64) / 10_000
    return plan, {role: values[band - 1] for role, band in plan.spectral.roles.items()}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_values_are_those_of_the_formula(tmp_path, name):
    plan, bands = superresolved(tmp_path)
    found = computed(plan, name)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.clip(EXPECTED[name](bands), -1, 1), abs=1e-5)
    assert found.std() > 0.05


def test_every_index_is_expected_here():
    assert set(EXPECTED) == set(BY_NAME)


def test_the_file_says_what_it_is_and_lies_at_the_top_of_the_output(tmp_path):
    superresolution(tmp_path / "deep" / "x_superresolution.tif")
    (plan,) = planned(tmp_path, "deep/x_superresolution.tif", block="s2-superresolution")
    made = make_index(request(plan, "NDWI"), ThreadContext())
    target = Path(made.plan.source)
    assert target.parent == tmp_path
    assert target.name.startswith(f"{OWN_PREFIX}x-superresolution-")
    assert target.name.endswith("-ndwi.tif")
    assert made.plan.key == target.name
    assert made.plan.title == "NDWI of Super-resolution 2021-09-18"
    assert "computed from band 2 (B3), band 4 (B8) of Super-resolution 2021-09-18" in made.about
    assert "Values were taken as they are" not in made.about
    dataset, source = gdal.Open(str(target)), gdal.Open(plan.source)
    band = dataset.GetRasterBand(1)
    assert (band.GetDescription(), band.GetNoDataValue(), band.GetBlockSize()) == ("NDWI", NODATA, [512, 512])
    assert dataset.GetGeoTransform() == source.GetGeoTransform()
    assert dataset.GetSpatialRef().IsSame(source.GetSpatialRef())
    assert dataset.GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE")
    assert dataset.GetMetadataItem("TIFFTAG_IMAGEDESCRIPTION") == made.about
    assert [made.plan.style, *(other.name for other in made.plan.other_styles)] == [LookStyle("ndwi"), "Grey"]


def test_an_output_loaded_again_has_no_more_layers(tmp_path):
    superresolution(tmp_path / "x_superresolution.tif")
    (tmp_path / "data.json").unlink(missing_ok=True)
    (plan,) = prepare_output(tmp_path, ThreadContext())  # the whole folder is the output
    make_index(request(plan), ThreadContext())
    assert prepare_output(tmp_path, ThreadContext()) == (plan,)


def test_it_is_computed_once_and_moves_with_its_output(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    plan, _ = superresolved(here)
    made = make_index(request(plan), ThreadContext())
    files = {path: path.stat().st_mtime_ns for path in here.iterdir()}
    again = make_index(request(plan), ThreadContext())
    assert (again.fresh, again.plan, again.about) == (False, made.plan, made.about)
    assert {path: path.stat().st_mtime_ns for path in here.iterdir()} == files
    shutil.move(str(here), str(there))
    (moved,) = prepare_output(there, ThreadContext(), block_name="s2-superresolution")
    assert not make_index(request(moved), ThreadContext()).fresh
    Path(make_index(request(moved), ThreadContext()).plan.source).write_bytes(b"damaged")
    assert make_index(request(moved), ThreadContext()).fresh


def test_no_data_of_any_band_is_none(tmp_path):
    land = coast()
    bands = [land[name].copy() for name in RGBN]
    bands[0][:5], bands[3][:, :7] = 0, 0
    geotiff(tmp_path / "a.tif", bands, nodata=0)
    geotiff(tmp_path / "silent.tif", bands)  # 0 is none in 16 bits, although nobody says so
    plans = {plan.title[0]: plan for plan in planned(tmp_path, "a.tif", "silent.tif")}
    assert (plans["a"].nodata, plans["s"].nodata) == (None, 0.0)
    for plan in plans.values():
        found = computed(plan)
        assert np.array_equal(found == NODATA, (bands[0] == 0) | (bands[3] == 0))
        inside = found != NODATA
        red, infrared = bands[0][inside].astype(float), bands[3][inside].astype(float)
        assert found[inside] == pytest.approx((infrared - red) / (infrared + red), abs=1e-5)


def test_what_alpha_hides_and_what_is_no_number_is_none(tmp_path):
    land = coast()
    hidden = np.full(land["B04"].shape, 65535, np.uint16)
    hidden[:, 30:50] = 0
    colours = (gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand, gdal.GCI_Undefined, gdal.GCI_AlphaBand)
    geotiff(tmp_path / "a.tif", [*(land[name] for name in RGBN), hidden], colours=colours)
    assert np.array_equal(computed(planned(tmp_path, "a.tif")[0]) == NODATA, hidden == 0)
    values = [land[name].astype(np.float32) for name in RGBN]
    values[3][3, 4], values[0][5, 6] = np.nan, np.inf
    values[0][8, 8] = values[3][8, 8] = 0
    geotiff(tmp_path / "b.tif", values, descriptions=("red", "green", "blue", "nir"))
    found = computed(planned(tmp_path, "b.tif")[0])
    assert sorted(zip(*np.nonzero(found == NODATA))) == [(3, 4), (5, 6), (8, 8)]
    assert np.isfinite(found).all()


def test_scale_and_offset_of_the_bands_count(tmp_path):
    """Landsat's collection 2: reflectance is 0.0000275 times the value, less 0.2; dark water is below 0."""
    shown = [coast()[name].astype(float) / 10_000 for name in RGBN]
    shown[3][100:] = -0.05
    stored = [np.round((values + 0.2) / 2.75e-5).astype(np.uint16) for values in shown]
    path = geotiff(tmp_path / "a.tif", stored, descriptions=("red", "green", "blue", "nir"))
    dataset = gdal.Open(str(path), gdal.GA_Update)
    for index in range(1, 5):
        dataset.GetRasterBand(index).SetScale(2.75e-5)
        dataset.GetRasterBand(index).SetOffset(-0.2)
    del dataset
    (plan,) = planned(tmp_path, "a.tif")
    assert plan.spectral.reflectance == 1.0
    red, infrared = shown[0], np.maximum(shown[3], 0)
    assert computed(plan) == pytest.approx((infrared - red) / (infrared + red), abs=2e-3)
    assert computed(plan, "SAVI") == pytest.approx(1.5 * (infrared - red) / (infrared + red + 0.5), abs=2e-3)


@pytest.mark.parametrize(("baseline", "raised"), [("03.01", 0), ("05.09", 1000)])
def test_values_that_newer_sentinel2_products_raise_are_lowered(tmp_path, baseline, raised):
    root = safe(tmp_path / "uuid")
    text = (root / "MTD_MSIL2A.xml").read_text()
    tag = f"<PROCESSING_BASELINE>{baseline}</PROCESSING_BASELINE><PRODUCT_TYPE>"
    (root / "MTD_MSIL2A.xml").write_text(text.replace("<PRODUCT_TYPE>", tag))
    plan = planned(tmp_path, "uuid")[0]
    assert plan.source.endswith(".vrt")
    values = np.maximum(pixels(plan.source).astype(float) - raised, 0)
    red, infrared = values[plan.spectral.roles["red"] - 1], values[plan.spectral.roles["nir"] - 1]
    found = computed(plan)
    there = found != NODATA
    assert there.mean() > 0.5
    assert found[there] == pytest.approx(((infrared - red) / (infrared + red + 1e-9))[there], abs=1e-4)


def test_the_scene_tells_what_was_added_where_the_file_does_not(tmp_path):
    superresolution(tmp_path / "a.tif")
    scene = "S2B_MSIL2A_20230918T095031_N0509_R079_T33SWB_20230918T123456"
    folder = output_of(tmp_path, "a.tif", scene_id=scene)
    (plan,) = prepare_output(folder, ThreadContext(), block_name="s2-superresolution")
    assert plan.spectral.added == 1000
    made = make_index(request(plan), ThreadContext())
    values = np.maximum(pixels(plan.source).astype(float) - 1000, 0)
    red, infrared = values[0], values[3]
    there = red + infrared > 0
    found = pixels(made.plan.source)[0]
    assert np.array_equal(found != NODATA, there)
    assert found[there] == pytest.approx((infrared - red)[there] / (infrared + red)[there], abs=1e-5)
    assert "The 1000 that Sentinel-2 products add" in made.about


def test_the_narrow_infrared_serves_where_there_is_no_broad_one(tmp_path):
    safe(tmp_path / "uuid")
    fine = planned(tmp_path, "uuid")[0]
    assert why_not(BY_NAME["NDMI"], fine.spectral) == "This layer has no band of short-wave infrared (1.6 µm)."
    with pytest.raises(RasterError, match="no band of short-wave infrared"):
        make_index(request(fine, "NDMI"), ThreadContext())
    coarse = replace(fine.spectral, roles={"nir2": 2, "swir1": 3})
    found = computed(fine, "NDMI", spectral=coarse)
    narrow, short = (values.astype(float) for values in pixels(fine.source)[1:3])
    assert found == pytest.approx((narrow - short) / (narrow + short), abs=1e-3)


def test_a_stack_of_single_bands_is_read_through_its_virtual_raster(tmp_path):
    names = [path.name for path in analytic(tmp_path)]
    (plan,) = planned(tmp_path, *names, block="esa-s2-l2a-gtiff-analytic")
    land = coast()
    red, infrared = land["B04"].astype(float), land["B08"].astype(float)
    assert computed(plan) == pytest.approx((infrared - red) / (infrared + red), abs=1e-5)
    assert request(plan).target.name.count("up42") == 1
    coarse = land["B11"][::2, ::2].repeat(2, 0).repeat(2, 1).astype(float)
    assert computed(plan, "NDMI") == pytest.approx((infrared - coarse) / (infrared + coarse), abs=1e-5)


def test_what_cannot_be_computed_says_why(tmp_path):
    visual(tmp_path / "v.tif")
    (picture,) = planned(tmp_path, "v.tif")
    assert {why_not(index, picture.spectral) for index in INDICES} == {PICTURE}
    land = coast()
    geotiff(tmp_path / "a.tif", [land[name] for name in RGBN])
    (plan,) = planned(tmp_path, "a.tif", block="geotiff-custom")
    assert why_not(BY_NAME["NDVI"], plan.spectral) == ""
    assert why_not(BY_NAME["EVI"], plan.spectral) == (
        "EVI needs reflectances, and how these values become some is not known."
    )
    assert "Values were taken as they are" in make_index(request(plan), ThreadContext()).about
    geotiff(tmp_path / "b.tif", [land["B04"].astype(np.float32)])
    assert planned(tmp_path, "b.tif")[0].spectral is None


def test_a_layer_that_shows_another_file_by_now_is_told(tmp_path):
    plan, _ = superresolved(tmp_path)
    other = geotiff(tmp_path / "other.tif", [coast()["B04"]])
    with pytest.raises(RasterError, match=r"other\.tif does not have the bands that Super-resolution 2021-09-18 had\."):
        make_index(request(plan, source=str(other)), ThreadContext())


def large(folder):
    """An image of four windows and overviews."""
    bands = [np.tile(coast((350, 350))[name], (6, 6)) for name in RGBN]
    geotiff(folder / "large.tif", bands, descriptions=("red", "green", "blue", "nir"), options=("TILED=YES",))
    return planned(folder, "large.tif")[0], bands


def test_a_large_one_comes_in_parts_with_overviews_and_statistics(tmp_path):
    plan, bands = large(tmp_path)
    reports = []
    made = make_index(request(plan), ThreadContext(lambda percent, text: reports.append((percent, text))))
    assert not made.plan.remark
    red, infrared = bands[0].astype(float), bands[3].astype(float)
    expected = (infrared - red) / (infrared + red)
    assert np.allclose(pixels(made.plan.source)[0], expected, atol=1e-5)
    dataset = gdal.Open(made.plan.source)
    band = dataset.GetRasterBand(1)
    assert band.GetOverviewCount() == 4
    assert float(band.GetMetadataItem("STATISTICS_MEAN")) == pytest.approx(expected.mean(), abs=0.05)
    assert [percent for percent, _ in reports] == sorted(percent for percent, _ in reports)
    assert len([text for _, text in reports if text == "Computing NDVI"]) > 5


def test_cancelling_at_any_moment_leaves_nothing(tmp_path):
    plan, _ = large(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    whole = CancelAt(10**9)
    make_index(request(plan), whole)
    for path in tmp_path.glob(f"{OWN_PREFIX}*"):
        path.unlink()
    assert whole.calls > 15
    for moment in range(1, whole.calls + 1):
        with pytest.raises(Cancelled):
            make_index(request(plan), CancelAt(moment))
        assert sorted(path.name for path in tmp_path.iterdir()) == before, moment


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that nobody can write is needed")
def test_where_nothing_can_be_written_it_says_so(tmp_path):
    plan, _ = superresolved(tmp_path)
    with pytest.raises(RasterError) as raised:
        make_index(request(plan, path=Path("/proc/a.tif"), key="a.tif"), ThreadContext())
    assert raised.value.user_message.startswith(
        "NDVI was not added: its file belongs beside the image, and /proc cannot be written ("
    )


def test_without_room_it_is_not_begun(tmp_path, monkeypatch):
    plan, _ = superresolved(tmp_path)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(index_rasters, "free_bytes", lambda _folder: 1_000_000)
    with pytest.raises(RasterError, match=r"and 1\.0\sMB are free in .*\. Make room there and add it again\."):
        make_index(request(plan), ThreadContext())
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.name == "nt", reason="limits of a process are needed")
@pytest.mark.parametrize("mode", [True, False])
def test_a_disk_that_fills_leaves_nothing(tmp_path, mode):
    """A limit to the size of files stands for the end of the disk: the system refuses the write alike."""
    plan, _ = large(tmp_path)
    before = sorted(tmp_path.iterdir())
    limits, exceptions = resource.getrlimit(resource.RLIMIT_FSIZE), gdal.GetUseExceptions()
    (gdal.UseExceptions if mode else gdal.DontUseExceptions)()
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(RasterError, match="Look whether the disk is full, and add it again") as raised:
            make_index(request(plan), ThreadContext())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        (gdal.UseExceptions if exceptions else gdal.DontUseExceptions)()
    assert raised.value.detail
    assert sorted(tmp_path.iterdir()) == before


def test_the_samples_have_the_bands_they_say(tmp_path):
    plan, _ = superresolved(tmp_path)
    roles = plan.spectral.roles
    assert [SUPERRESOLUTION_BANDS[roles[role] - 1] for role in ("red", "nir", "swir1", "swir2")] == [
        "B4", "B8", "SR B11 (1610 nm)", "SR B12 (2190 nm)",
    ]  # fmt: skip
    assert plan.spectral.reflectance == 1e-4
