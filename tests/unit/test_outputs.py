"""From unpacked outputs to plans, with real rasters: which file, which bands, which values, which name."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from osgeo import gdal

from tests.raster_samples import (
    LANDSAT,
    LEFT,
    RPC_PLACE,
    SAFE_NAME,
    TOP,
    analytic,
    coast,
    data_json,
    feature,
    geotiff,
    ndvi,
    output_of,
    pixels,
    pleiades_primary,
    safe,
    superresolution,
    visual,
)
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import BandRange, GreyStyle, LayerKind, LookStyle, RgbStyle, VectorLook
from up42_plugin.core.outputs import prepare_output

MIXED = """{"type": "FeatureCollection", "features": [
 {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [15, 37]}},
 {"type": "Feature", "properties": {}, "geometry":
   {"type": "Polygon", "coordinates": [[[15,37],[16,37],[16,38],[15,37]]]}},
 {"type": "Feature", "properties": {}, "geometry":
   {"type": "MultiPolygon", "coordinates": [[[[15,37],[16,37],[16,38],[15,37]]]]}},
 {"type": "Feature", "properties": {}, "geometry": null}]}"""


def prepare(folder, **options):
    return prepare_output(folder, ThreadContext(), **options)


def only(folder, **options):
    plans = prepare(folder, **options)
    assert len(plans) == 1, plans
    assert not plans[0].problem, plans[0].problem
    return plans[0]


def shown(style):
    return style.red.band, style.green.band, style.blue.band


def test_super_resolution_is_true_colour_with_a_cut_from_its_values(tmp_path):
    superresolution(tmp_path / "x_superresolution.tif")
    plan = only(output_of(tmp_path, "x_superresolution.tif"), block_name="s2-superresolution")
    assert plan.title == "Super-resolution 2021-09-18"
    assert (plan.kind, plan.source) == (LayerKind.RASTER, str(tmp_path / "x_superresolution.tif"))
    assert isinstance(plan.style, RgbStyle)
    assert shown(plan.style) == (1, 2, 3)
    assert plan.style.natural
    cuts = [np.percentile(coast()[name], (2, 98)) for name in ("B04", "B03", "B02")]
    low, high = min(cut[0] for cut in cuts), max(cut[1] for cut in cuts)
    for shown_band in (plan.style.red, plan.style.green, plan.style.blue):
        assert (shown_band.minimum, shown_band.maximum) == pytest.approx((low, high), abs=1)
    assert plan.nodata == 0.0
    assert plan.provenance["bands"][:4] == ["B4", "B3", "B2", "B8"]


def test_bands_without_known_units_are_cut_one_by_one(tmp_path):
    land = coast()
    names = ("B04", "B03", "B02")
    geotiff(tmp_path / "a.tif", [land[name] for name in names], descriptions=("red", "green", "blue"))
    style = only(output_of(tmp_path, "a.tif")).style
    for name, shown_band in zip(names, (style.red, style.green, style.blue)):
        expected = tuple(np.percentile(land[name], (2, 98)))
        assert (shown_band.minimum, shown_band.maximum) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("block", ["s2-superresolution", ""])
@pytest.mark.parametrize("share", [0.1, 0.2])
def test_clouds_do_not_make_the_land_dark(tmp_path, block, share):
    def red_range(cloudy_rows):
        land = coast()
        bands = [land[name] for name in ("B04", "B03", "B02")]
        for band, white in zip(bands, (7600, 7700, 7800)):
            band[:cloudy_rows] = white
        geotiff(tmp_path / f"{cloudy_rows}.tif", bands, descriptions=("red", "green", "blue"))
        return only(output_of(tmp_path, f"{cloudy_rows}.tif"), block_name=block).style.red

    clear, cloudy = red_range(0), red_range(int(120 * share))
    assert cloudy.maximum == pytest.approx(clear.maximum, rel=0.1)
    assert cloudy.minimum == pytest.approx(clear.minimum, rel=0.1)


def test_a_small_island_is_no_cloud(tmp_path):
    sea = [np.full((100, 100), level, np.uint16) for level in (150, 300, 400)]
    sea[0][::2] += 20
    for band, soil in zip(sea, (1800, 1300, 900)):
        band[40:60, 40:60] = soil
    geotiff(tmp_path / "a.tif", sea)
    assert only(output_of(tmp_path, "a.tif")).style.red.maximum == pytest.approx(1800)


def test_a_scene_of_nothing_but_cloud_is_shown_as_it_is(tmp_path):
    white = np.random.default_rng(1).integers(6000, 8000, (50, 50)).astype(np.uint16)
    geotiff(tmp_path / "a.tif", [white, white, white])
    style = only(output_of(tmp_path, "a.tif"), block_name="aws-s2-l2a").style
    assert 5900 < style.red.minimum < style.red.maximum < 8100


def test_super_resolution_without_original_bands_says_what_it_shows(tmp_path):
    superresolution(tmp_path / "x_superresolution.tif", original=False)
    plan = only(output_of(tmp_path, "x_superresolution.tif"))
    assert shown(plan.style) == (5, 4, 1)
    assert not plan.style.natural
    assert plan.title == "Super-resolution 2021-09-18 (SR B11 (1610 nm), SR B8A (865 nm), SR B5 (705 nm))"


def test_ndvi_is_a_ramp_and_keeps_its_nodata(tmp_path):
    ndvi(tmp_path / "x_ndvi.tif")
    plan = only(output_of(tmp_path, "x_ndvi.tif"))
    assert plan.title == "NDVI 2021-09-18"
    assert plan.style == LookStyle("ndvi_classes")
    assert [style.name for style in plan.other_styles] == ["Ramp", "Grey"]
    assert plan.nodata is None


def test_an_eight_bit_picture_is_shown_as_it_is(tmp_path):
    visual(tmp_path / "v.tif")
    plan = only(output_of(tmp_path, "v.tif"), block_name="esa-s2-l2a-gtiff-visual")
    assert plan.style == RgbStyle(BandRange(1), BandRange(2), BandRange(3))
    assert plan.title == "Sentinel-2 L2A visual 2021-09-18"


def test_single_bands_become_one_raster_with_the_useful_bands_first(tmp_path):
    names = [path.name for path in analytic(tmp_path)]
    plan = only(output_of(tmp_path, *names), block_name="esa-s2-l2a-gtiff-analytic")
    assert plan.provenance["bands"] == ["B04", "B03", "B02", "B08", "B01", "B11"]
    assert shown(plan.style) == (1, 2, 3)
    values, land = pixels(plan.source), coast()
    for index, name in enumerate(("B04", "B03", "B02", "B08")):
        assert np.array_equal(values[index], land[name])
    assert np.array_equal(values[5][::2, ::2], land["B11"][::2, ::2])
    assert gdal.Open(plan.source).GetGeoTransform() == (LEFT, 10, 0, TOP, 0, -10)


def test_bands_of_two_zones_are_not_mixed(tmp_path):
    land = coast()
    for name, epsg in (("B04", 32633), ("B03", 32633), ("B02", 32633), ("B08", 32632)):
        geotiff(tmp_path / f"x_{name}.tif", [land[name]], epsg=epsg)
    plans = prepare(output_of(tmp_path, *(f"x_{name}.tif" for name in ("B04", "B03", "B02", "B08"))))
    assert sorted(len(plan.provenance["bands"]) for plan in plans) == [1, 3]


def test_a_safe_product_is_its_ten_metre_true_colour(tmp_path):
    safe(tmp_path / "uuid")
    plan, *further = prepare(output_of(tmp_path, "uuid"), block_name="aws-s2-l2a")
    assert plan.checked
    assert [(other.checked, other.group) for other in further] == [(False, "Bands")] * len(further)
    assert plan.source.endswith(".vrt")  # relative paths: project and output may move together
    assert plan.title == "Sentinel-2 L2A 2021-09-18"
    assert shown(plan.style) == (1, 2, 3)
    assert np.array_equal(pixels(plan.source)[0], coast((180, 240))["B04"])
    assert plan.style.red.maximum > 1000


def test_a_safe_product_without_its_band_files_is_a_problem_not_a_black_layer(tmp_path):
    safe(tmp_path / "uuid", with_bands=False)
    plan = prepare(output_of(tmp_path, "uuid"))[0]
    assert plan.problem.startswith(f"Band files are missing in {SAFE_NAME}.")


def test_a_safe_product_with_one_band_file_gone_is_a_problem_too(tmp_path):
    root = safe(tmp_path / "uuid")
    next(root.rglob("*_B03_10m.jp2")).unlink()
    assert "Band files are missing" in prepare(output_of(tmp_path, "uuid"))[0].problem


def test_sensor_geometry_is_laid_on_the_ground_with_its_colour_first(tmp_path):
    pleiades_primary(tmp_path)
    colour, pan = prepare(output_of(tmp_path, "0123_pan.tif"), block_name="oneatlas-pleiades-primary")
    assert (colour.title, pan.title) == ("Pléiades primary 2021-09-18", "Pléiades primary 2021-09-18, panchromatic")
    assert shown(colour.style) == (1, 2, 3)
    assert isinstance(pan.style, GreyStyle)
    dataset = gdal.Open(colour.source)
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "32633"
    _assert_ground_value(dataset, tmp_path / "0123_ms.tif")


def _assert_ground_value(dataset, original: Path):
    """The value at a place is the one that the coefficients name for it."""
    transform = gdal.Transformer(gdal.Open(str(original)), None, ["METHOD=RPC", "RPC_HEIGHT=120"])
    to_ground = gdal.Transformer(dataset, None, ["DST_SRS=EPSG:4326", "DST_METHOD=NO_GEOTRANSFORM"])
    longitude, latitude, half = RPC_PLACE
    source = pixels(str(original))[0]
    checked = 0
    for share in (-0.6, -0.2, 0.3, 0.7):
        _, place = to_ground.TransformPoint(1, longitude + half * share, latitude + half * share / 2, 0)
        _, there = transform.TransformPoint(1, longitude + half * share, latitude + half * share / 2, 120)
        window = source[int(there[1]) - 2 : int(there[1]) + 3, int(there[0]) - 2 : int(there[0]) + 3]
        value = dataset.GetRasterBand(1).ReadAsArray(int(place[0]), int(place[1]), 1, 1)[0, 0]
        assert window.min() <= value <= window.max()
        checked += 1
    assert checked == 4


def test_outside_the_image_the_ground_is_transparent(tmp_path):
    pleiades_primary(tmp_path)
    colour, _ = prepare(output_of(tmp_path, "0123_pan.tif"))
    dataset = gdal.Open(colour.source)
    band = dataset.GetRasterBand(1)
    mask = band.GetMaskBand().ReadAsArray()
    assert (mask == 0).any()
    assert (mask > 0).mean() > 0.9
    assert (band.ReadAsArray()[mask == 0] == 0).all()


def test_an_ndvi_in_sensor_geometry_is_laid_on_the_ground_too(tmp_path):
    ms, _ = pleiades_primary(tmp_path / "in")
    rpc = gdal.Open(str(ms)).GetMetadata("RPC")
    values = np.full((120, 160), 0.5, np.float32)
    geotiff(tmp_path / "o" / "0123_ndvi.tif", [values], epsg=None, rpc=rpc)
    plan = only(output_of(tmp_path / "o", "0123_ndvi.tif"), block_name="ndvi")
    assert plan.style == LookStyle("ndvi_classes", alpha=2)
    ground = pixels(plan.source)
    assert ground[0][ground[1] == 255] == pytest.approx(0.5)


def test_coefficients_without_a_place_are_a_problem(tmp_path):
    geotiff(tmp_path / "a.tif", list(coast().values())[:3], epsg=None, rpc={"LONG_OFF": "x", "LAT_OFF": "1"})
    plan = prepare(output_of(tmp_path, "a.tif"))[0]
    assert plan.problem or plan.source == str(tmp_path / "a.tif")


def test_clusters_are_classes_without_nodata(tmp_path):
    classes = np.tile(np.arange(4, dtype=np.uint8), (40, 10))
    classes[0] = 255
    geotiff(tmp_path / "a_kmeans.tif", [classes])
    plan = only(output_of(tmp_path, "a_kmeans.tif"), block_name="kmeans-clustering")
    assert plan.style == LookStyle("clusters", values=(0, 1, 2, 3))
    assert plan.nodata == 255


def test_land_cover_has_its_names(tmp_path):
    geotiff(tmp_path / "a.tif", [np.tile(np.arange(1, 6, dtype=np.uint8), (40, 8))])
    plan = only(output_of(tmp_path, "a.tif"), block_name="landcover")
    assert plan.style == LookStyle("land_cover_5", values=(1, 2, 3, 4, 5))


def test_a_colour_table_is_kept(tmp_path):
    path = geotiff(tmp_path / "a.tif", [np.tile(np.arange(3, dtype=np.uint8), (30, 10))])
    dataset = gdal.Open(str(path), gdal.GA_Update)
    table = gdal.ColorTable()
    for value, colour in enumerate(((1, 2, 3, 255), (200, 0, 0, 255), (0, 0, 200, 255))):
        table.SetColorEntry(value, colour)
    dataset.GetRasterBand(1).SetColorTable(table)
    del dataset
    plan = only(output_of(tmp_path, "a.tif"))
    assert [entry.colour for entry in plan.style.classes] == ["#010203", "#c80000", "#0000c8"]


def test_one_band_of_anything_else_is_grey(tmp_path):
    geotiff(tmp_path / "a.tif", [np.linspace(0, 2000, 4800).reshape(60, 80).astype(np.float32)])
    plan = only(output_of(tmp_path, "a.tif"))
    assert plan.style == GreyStyle(BandRange(1, pytest.approx(40, abs=2), pytest.approx(1960, abs=2)))


def test_a_constant_and_an_empty_raster_have_a_range_too(tmp_path):
    geotiff(tmp_path / "constant.tif", [np.full((20, 20), 7, np.float32)])
    geotiff(tmp_path / "empty.tif", [np.zeros((20, 20), np.uint16)])
    plans = prepare(output_of(tmp_path, "constant.tif", "empty.tif"))
    assert [(plan.style.band.minimum, plan.style.band.maximum) for plan in plans] == [(7.0, 8.0), (0.0, 1.0)]


def test_nodata_and_nan_do_not_count_in_the_cut(tmp_path):
    values = np.full((50, 50), 100, np.float32)
    values[:25] = np.nan
    values[25:30] = -9999
    values[40:] = 200
    geotiff(tmp_path / "a.tif", [values], nodata=-9999)
    style = only(output_of(tmp_path, "a.tif")).style
    assert (style.band.minimum, style.band.maximum) == (100.0, 200.0)


def test_mixed_geometries_become_a_layer_each(tmp_path):
    (tmp_path / "a.geojson").write_text(MIXED)
    plans = prepare(output_of(tmp_path, "a.geojson"))
    assert [plan.title for plan in plans] == ["a 2021-09-18 (Polygon)", "a 2021-09-18 (Point)"]
    assert plans[0].source == f"{tmp_path / 'a.geojson'}|geometrytype=Polygon"
    assert {plan.kind for plan in plans} == {LayerKind.VECTOR}
    assert [plan.style for plan in plans] == [VectorLook("plain_polygon"), VectorLook("plain_point")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.geojson", '{"type": "FeatureCollection", "features": []}'),
        ("broken.geojson", '{"type": "FeatureCollection", "features": ['),
        ("counter.json", "[Counter({'ship': 3})]"),
        ("broken.tif", "not a raster"),
        ("read.me", "text"),
    ],
)
def test_what_cannot_be_shown_is_named_and_the_rest_still_comes(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    visual(tmp_path / "v.tif")
    plans = prepare(output_of(tmp_path, name, "v.tif", "gone.tif"))
    problems = [plan.problem for plan in plans if plan.problem]
    assert [plan.source for plan in plans if not plan.problem] == [str(tmp_path / "v.tif")]
    assert len(problems) == 2
    assert name in problems[0]
    assert "gone.tif" in problems[1]


def test_an_empty_output_has_no_plans(tmp_path):
    assert prepare(data_json(tmp_path)) == ()


def test_newest_first_and_names_that_tell_apart(tmp_path):
    names = ["old.tif", "S2B_33SWB_x.tif", "S2A_33SVB_y.tif", "z1.tif", "z2.tif"]
    for name in names:
        visual(tmp_path / name)
    days = ["2020-01-01", "2021-09-18", "2021-09-18", "2022-02-02", "2022-02-02"]
    features = [feature(name, Path(name).stem, datetime=f"{day}T10:00:00Z") for name, day in zip(names, days)]
    titles = [plan.title for plan in prepare(data_json(tmp_path, *features), block_title="Picture")]
    assert titles == [
        "Picture 2022-02-02 (1)",
        "Picture 2022-02-02 (2)",
        "Picture 2021-09-18, 33SWB",
        "Picture 2021-09-18, 33SVB",
        "Picture 2020-01-01",
    ]


def test_models_of_the_elevation_and_files_of_ones_own_keep_their_names(tmp_path):
    for name in ("a.tif", "b.tif"):
        visual(tmp_path / name)
    features = [feature("a.tif", "a", elevationModel="DSM"), feature("b.tif", "b", elevationModel="DTM")]
    data_json(tmp_path, *features)
    assert [plan.title for plan in prepare(tmp_path, block_title="NEXTMap")] == ["NEXTMap, DSM", "NEXTMap, DTM"]
    own = prepare(tmp_path, block_name="geotiff-custom", block_title="Import Data (GeoTIFF)")
    assert [plan.title for plan in own] == ["a", "b"]


def test_several_features_of_one_file_are_one_layer(tmp_path):
    visual(tmp_path / "v.tif")
    assert len(prepare(output_of(tmp_path, "v.tif", "v.tif"))) == 1


def test_synthetic_images_stay_marked(tmp_path):
    visual(tmp_path / "v.tif")
    plan = only(output_of(tmp_path, "v.tif", synthetic=True, note="Made up."))
    assert (plan.synthetic, plan.synthetic_note) == (True, "Made up.")
    assert plan.provenance["properties"]["synthetic"] is True


@pytest.mark.skipif(not (LANDSAT / "L7_ETMs.tif").is_file(), reason="the Landsat sample is not here")
def test_a_real_landsat_scene_of_six_bands_is_true_colour(tmp_path):
    shutil.copy(LANDSAT / "L7_ETMs.tif", tmp_path / "L7_ETMs.tif")
    plan = only(output_of(tmp_path, "L7_ETMs.tif"))
    assert shown(plan.style) == (3, 2, 1)
    assert 20 < plan.style.red.minimum < plan.style.red.maximum < 200


def test_plans_are_plain_values(tmp_path):
    visual(tmp_path / "v.tif")
    plan = only(output_of(tmp_path, "v.tif"))
    assert replace(plan) == plan
