"""What rasters mean, and the ways they are looked at: every kind of raster that blocks make, with real files."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal

from tests.raster_samples import LANDSAT, coast, geotiff, output_of
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.imagery.bands import BandFacts
from up42_plugin.core.imagery.meanings import Meaning, meaning_of
from up42_plugin.core.imagery.raster_styles import holds_classes
from up42_plugin.core.imagery.rasters import RasterFacts, describe
from up42_plugin.core.layer_plan import ClassStyle, GreyStyle, LookStyle, RgbStyle
from up42_plugin.core.outputs import prepare_output

RGB = (gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand)
RGBA = (*RGB, gdal.GCI_AlphaBand)
LAND = coast()
SHAPE = LAND["B04"].shape
SLOPE = np.linspace(0, 1, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)


def raster(count, dtype, *, colours=(), descriptions=(), table=False, driver="GTiff", unit=""):
    names = {gdal.GCI_RedBand: "Red", gdal.GCI_GreenBand: "Green", gdal.GCI_BlueBand: "Blue"}
    names[gdal.GCI_AlphaBand] = "Alpha"
    bands = tuple(
        BandFacts(
            index,
            dtype,
            descriptions[index - 1] if descriptions else "",
            names.get(colours[index - 1], "") if colours else "",
            has_table=table,
            unit=unit,
        )
        for index in range(1, count + 1)
    )
    return RasterFacts("x.tif", driver, 100, 100, bands, "", 0, (), {})


@pytest.mark.parametrize(
    ("block", "stem", "facts", "meaning"),
    [
        ("oneatlas-pleiades-aoiclipped", "u", raster(5, "Byte"), Meaning.PICTURE),
        ("oneatlas-pleiades-display", "DIM_PHR1A_PMS_x", raster(4, "Byte", colours=(*RGB, 0)), Meaning.PICTURE),
        ("oneatlas-spot-fullscene", "DIM_SPOT6_MS_x", raster(4, "UInt16"), Meaning.MULTISPECTRAL),
        ("oneatlas-pleiades-fullscene", "DIM_PHR1A_P_x", raster(1, "UInt16"), Meaning.PANCHROMATIC),
        ("oneatlas-pleiades-primary", "u_pan", raster(1, "UInt16"), Meaning.PANCHROMATIC),
        ("oneatlas-basemap-streaming", "u", raster(3, "Byte", colours=RGB), Meaning.PICTURE),
        ("oneatlas-worlddem-12m", "u", raster(1, "Float32"), Meaning.ELEVATION),
        ("nextmapone-5m", "u", raster(1, "Float32"), Meaning.ELEVATION),
        ("sobloo-s1-grd-fullscene", "s1a-iw-grd-vv-20210918", raster(1, "UInt16"), Meaning.RADAR),
        ("sobloo-s1-slc-fullscene", "s1a-iw1-slc-vv-20210918", raster(1, "CInt16"), Meaning.RADAR),
        ("sobloo-s1-grd-aoiclipped", "u", raster(3, "Byte", colours=(0, 0, gdal.GCI_AlphaBand)), Meaning.RADAR),
        ("aws-s2-l2a", "MTD_MSIL2A", raster(4, "UInt16", descriptions=("B4", "B3", "B2", "B8")), Meaning.MULTISPECTRAL),
        ("sobloo-s2-l1c-aoiclipped", "u", raster(4, "Byte", colours=RGBA), Meaning.PICTURE),
        ("esa-s2-l2a-gtiff-visual", "u", raster(3, "Byte"), Meaning.PICTURE),
        ("esa-s2-l2a-gtiff-analytic", "S2B_33SWB_B04", raster(4, "UInt16"), Meaning.MULTISPECTRAL),
        ("aws-s2-l2a", "T33SWB_20210918_SCL_20m", raster(1, "Byte"), Meaning.SCENE_CLASSES),
        ("nasa-modis", "u", raster(3, "Byte", colours=RGB), Meaning.PICTURE),
        ("aws-l8-l1", "LC08_B4", raster(4, "UInt16", descriptions=("B4", "B3", "B2", "B5")), Meaning.MULTISPECTRAL),
        ("esa-s5p-l3-gtiff", "S5P_u_20210918", raster(1, "Float32"), Meaning.QUANTITY),
        ("sobloo-s5p", "S5P", raster(1, "Float32", driver="netCDF"), Meaning.QUANTITY),
        ("meteomatics", "t_2m_C", raster(24, "Float32", driver="netCDF"), Meaning.QUANTITY),
        ("meteomatics-weather-map", "u", raster(3, "Byte", colours=RGB), Meaning.PICTURE),
        ("data-conversion-netcdf", "t_2m_C", raster(24, "Float32"), Meaning.QUANTITY),
        ("hexagon-aerial-15cm-download", "u", raster(4, "Byte", colours=(*RGB, 0)), Meaning.PICTURE),
        ("geotiff-custom", "my_dem", raster(1, "Float32"), Meaning.ELEVATION),
        ("geotiff-custom", "anything", raster(1, "Float32"), Meaning.UNKNOWN),
        ("geotiff-custom", "anything", raster(1, "Byte", table=True), Meaning.COLOUR_TABLE),
        ("pansharpen", "u", raster(13, "UInt16"), Meaning.MULTISPECTRAL),
        ("data-conversion-dimap", "u_pan", raster(1, "UInt16"), Meaning.PANCHROMATIC),
        ("ndvi", "u_ndvi", raster(1, "Float32"), Meaning.NDVI),
        ("ndvi", "u", raster(4, "UInt16"), Meaning.MULTISPECTRAL),
        ("crs-conversion", "u_ndvi", raster(1, "Float32"), Meaning.NDVI),
        ("up42-ndvithreshold", "u", raster(1, "Byte"), Meaning.NDVI_CLASSES),
        ("kmeans-clustering", "u_kmeans", raster(1, "Byte"), Meaning.CLUSTERS),
        ("tiling", "u_kmeans_0-0", raster(1, "Byte"), Meaning.CLUSTERS),
        ("landcover", "u", raster(1, "Byte"), Meaning.LAND_COVER),
        ("s2-superresolution", "u_superresolution", raster(12, "UInt16"), Meaning.MULTISPECTRAL),
        ("snap-polarimetric", "u", raster(2, "Float32", descriptions=("VV", "VH")), Meaning.RADAR),
        ("oneatlas-cloudmask", "u", raster(4, "Byte", colours=RGBA), Meaning.CLOUD_MASK),
        ("up42-waterfinder-water", "u", raster(1, "Byte"), Meaning.WATER_MASK),
        ("up42-waterfinder-flood", "u", raster(1, "Byte"), Meaning.FLOOD_MASK),
        ("s5p-lvl3", "u", raster(3, "Float32", driver="netCDF"), Meaning.QUANTITY),
        ("up42-timeseries-image-statistics", "u", raster(1, "Float32"), Meaning.UNKNOWN),
        ("up42-terrasar-geotiff-conversion", "IMAGE_HH_SRA", raster(1, "UInt16"), Meaning.RADAR),
        ("", "IMAGE_HH_SRA", raster(1, "UInt16"), Meaning.RADAR),
        ("", "ndvi_difference", raster(1, "Float32"), Meaning.CHANGE),
        ("", "ndwi_2021", raster(1, "Float32"), Meaning.INDEX),
        ("", "ndvi_classes", raster(1, "Byte"), Meaning.UNKNOWN),
        ("", "flood_probability", raster(1, "Float32"), Meaning.PROBABILITY),
        ("", "x", raster(1, "Float32", unit="hPa"), Meaning.QUANTITY),
        ("", "demonstration", raster(1, "Float32"), Meaning.UNKNOWN),
    ],
)
def test_every_raster_that_blocks_make_has_a_meaning(block, stem, facts, meaning):
    assert meaning_of(facts, block, stem) is meaning


def styles_of(tmp_path, name, bands, block="", **options):
    geotiff(tmp_path / name, bands, **options)
    (plan,) = prepare_output(output_of(tmp_path, name), ThreadContext(), block_name=block)
    assert not plan.problem
    return plan, {plan.style_name: plan.style, **{other.name: other.style for other in plan.other_styles}}


def test_multispectral_bands_can_be_composed_by_what_they_are(tmp_path):
    names = ("B02", "B03", "B04", "B08", "B11")
    described = ("blue", "green", "red", "nir", "SR B11 (1610 nm)")
    plan, styles = styles_of(tmp_path, "a.tif", [LAND[name] for name in names], descriptions=described)
    assert plan.style_name == "True Colour"
    assert list(styles) == [
        "True Colour", "False Colour (NIR)", "Agriculture (SWIR, NIR, Blue)", "Near Infrared (Grey)"
    ]  # fmt: skip
    false = styles["False Colour (NIR)"]
    assert (false.red.band, false.green.band, false.blue.band) == (4, 3, 2)
    low, high = np.percentile(LAND["B08"], (2, 98))
    assert (false.red.minimum, false.red.maximum) == (pytest.approx(low), pytest.approx(high))
    assert isinstance(styles["Near Infrared (Grey)"], GreyStyle)


def test_twelve_bits_are_cut_and_zero_is_nothing(tmp_path):
    bands = [np.clip(LAND[name] // 4, 1, 4095) for name in ("B04", "B03", "B02", "B08")]
    for band in bands:
        band[:5] = 0
    plan, styles = styles_of(tmp_path, "u.tif", bands, "oneatlas-pleiades-fullscene")
    assert plan.nodata == 0
    assert 0 < plan.style.red.minimum < plan.style.red.maximum < 1000
    assert list(styles) == ["True Colour", "False Colour (NIR)", "Near Infrared (Grey)"]


def test_a_streamed_picture_has_no_infrared(tmp_path):
    bands = [np.clip(LAND[name] / 12, 1, 255).astype(np.uint8) for name in ("B04", "B03", "B02", "B03", "B03")]
    colours = (*RGB, gdal.GCI_Undefined, gdal.GCI_AlphaBand)
    plan, styles = styles_of(tmp_path, "u.tif", bands, "oneatlas-pleiades-aoiclipped", colours=colours)
    assert list(styles) == ["True Colour", "Panchromatic"]
    assert (plan.style.red.minimum, plan.style.alpha) == (None, 5)


WATER = (SLOPE > 0.5).astype(np.uint8)
PERCENT = LookStyle("probability", minimum=0.0, maximum=100.0, unit="%")


@pytest.mark.parametrize(
    ("file", "values", "names", "style"),
    [
        ("ndvi/u_ndvi.tif", SLOPE, ["Classes", "Ramp", "Grey"], LookStyle("ndvi_classes")),
        ("/x_ndwi.tif", SLOPE, ["Ramp", "Grey"], LookStyle("index")),
        ("/f_probability.tif", SLOPE, ["Ramp", "Grey"], LookStyle("probability", minimum=0.0, maximum=1.0)),
        ("/f_probability.tif", SLOPE * 100, ["Ramp", "Grey"], PERCENT),
        ("up42-ndvithreshold/u.tif", WATER, ["Classes"], LookStyle("ndvi_threshold", values=(0, 1))),
        ("landcover/u.tif", WATER + 3, ["Land Cover"], LookStyle("land_cover_4", values=(3, 4))),
        ("up42-waterfinder-water/u.tif", WATER, ["Water", "Water and Land"], LookStyle("water_mask", values=(0, 1))),
        (
            "up42-waterfinder-flood/u.tif",
            WATER,
            ["Flooded", "Flooded and Not Flooded"],
            LookStyle("flood_mask", values=(0, 1)),
        ),
        ("/cloud_mask.tif", WATER, ["Clouds"], LookStyle("cloud_mask")),
    ],
)
def test_fixed_meanings_have_fixed_looks(tmp_path, file, values, names, style):
    block, _, name = file.partition("/")
    plan, styles = styles_of(tmp_path, name, [values], block)
    assert plan.style == style
    assert list(styles) == names


def test_change_is_the_same_colour_on_both_sides_of_zero(tmp_path):
    plan, _ = styles_of(tmp_path, "ndvi_change.tif", [SLOPE * 3 - 1])
    assert plan.style.look == "change"
    assert plan.style.minimum == -plan.style.maximum == pytest.approx(-1.94, abs=0.01)


@pytest.mark.parametrize(("epsg", "factor"), [(32633, 1.0), (4326, 1 / 111_320)])
def test_heights_are_shaded_in_degrees_as_in_metres(tmp_path, epsg, factor):
    heights = (SLOPE * 1000).astype(np.float32)
    heights[:3] = -32767
    places = {"epsg": epsg, "pixel": 0.0001, "left": 15.0, "top": 37.0} if epsg == 4326 else {}
    plan, styles = styles_of(tmp_path, "u.tif", [heights], "oneatlas-worlddem-12m", **places)
    assert list(styles) == ["Colours", "Hillshade", "Grey"]
    assert styles["Hillshade"].z_factor == pytest.approx(factor)
    assert plan.nodata == -32767
    assert plan.style.unit == "m"
    assert 0 < plan.style.minimum < plan.style.maximum < 1000


def test_decibels_have_limits_of_their_own_and_amplitudes_are_cut(tmp_path):
    levels = [-20 + 15 * SLOPE, -26 + 15 * SLOPE]
    plan, styles = styles_of(tmp_path / "db", "u.tif", levels, "snap-polarimetric", descriptions=("VV", "VH"))
    assert plan.style == LookStyle("radar", band=1, minimum=-25, maximum=0, unit="dB")
    assert styles["VH"] == LookStyle("radar", band=2, minimum=-30, maximum=-5, unit="dB")
    assert plan.nodata == 0
    assert isinstance(styles["VV, VH, VV (Colours)"], RgbStyle)
    amplitude = (100 + 400 * SLOPE).astype(np.uint16)
    plan, _ = styles_of(tmp_path / "grd", "s1a-iw-grd-vv-2021.tif", [amplitude], "sobloo-s1-grd-fullscene")
    assert plan.style_name == "VV"
    assert (plan.style.minimum, plan.style.maximum) == (pytest.approx(108, abs=1), pytest.approx(492, abs=1))


@pytest.mark.parametrize(
    ("name", "look", "unit"),
    [
        ("t_2m_C.tif", "temperature", "°C"),
        ("precip_3h_mm.tif", "amount", "mm"),
        ("wind_dir_200m_d.tif", "direction", "°"),
        ("wind_speed_100m_ms.tif", "continuous", "m/s"),
    ],
)
def test_weather_is_shown_with_its_unit_over_all_moments(tmp_path, name, look, unit):
    plan, _ = styles_of(tmp_path, name, [SLOPE * 10, SLOPE * 30], "data-conversion-netcdf")
    assert (plan.style.look, plan.style.unit, plan.style.band) == (look, unit, 1)
    if look != "direction":
        assert plan.style.maximum == pytest.approx(29.4, abs=0.1)


def test_a_cloud_mask_behind_its_picture(tmp_path):
    bands = [np.clip(LAND[name] / 12, 1, 255).astype(np.uint8) for name in ("B04", "B03", "B02")]
    mask = np.full(SHAPE, 255, np.uint8)
    mask[20:40, 20:40] = 1
    plan, styles = styles_of(tmp_path, "u.tif", [*bands, mask], "oneatlas-cloudmask", colours=RGBA)
    assert plan.style == LookStyle("cloud_mask", 4)
    assert styles["True Colour"].alpha is None
    assert styles["True Colour without Clouds"].alpha == 4


def test_few_whole_numbers_without_a_name_are_classes_and_many_are_not(tmp_path):
    plan, styles = styles_of(tmp_path / "few", "a.tif", [(SLOPE * 4.9).astype(np.uint8)])
    assert isinstance(plan.style, ClassStyle)
    assert list(styles) == ["Classes", "Grey", "Ramp"]
    assert holds_classes(describe(plan.source), "", "a")
    plan, styles = styles_of(tmp_path / "many", "a.tif", [(SLOPE * 255).astype(np.uint8)])
    assert list(styles) == ["Grey", "Ramp"]
    assert not holds_classes(describe(plan.source), "", "a")


@pytest.mark.skipif(not LANDSAT.is_dir(), reason="the Landsat sample is not here")
def test_a_real_landsat_scene_offers_the_composites_of_its_six_bands():
    facts = describe(LANDSAT / "L7_ETMs.tif")
    assert meaning_of(facts, "geotiff-custom", "L7_ETMs") is Meaning.MULTISPECTRAL
