"""Each kind of output that blocks write, as its files lie on disk, comes to the layers an analyst expects."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone

import numpy as np
import pytest
from osgeo import gdal

from tests.output_samples import (
    LANDSAT8,
    MODIS,
    dimap,
    elevation,
    jpeg2000,
    landsat8,
    modis,
    radar,
    swath,
    weather,
)
from tests.raster_samples import analytic, coast, data_json, feature, geotiff, output_of, pixels, pleiades_primary, safe
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.imagery import grids
from up42_plugin.core.outputs import prepare_output


def prepare(folder, **options):
    return prepare_output(folder, ThreadContext(), **options)


def titles(plans):
    return [plan.title for plan in plans]


def opened(plan):
    """The raster of a plan that has no problem."""
    assert not plan.problem, plan.problem
    return gdal.Open(plan.source)


def shown_band(plan):
    """The one band that is drawn."""
    return getattr(plan.style.band, "band", plan.style.band)


def test_a_dimap_delivery_is_its_colour_and_its_panchromatic_image(tmp_path):
    dimap(tmp_path / "0123")
    plans = prepare(output_of(tmp_path, "0123/0b0e"), block_title="Pléiades")
    assert titles(plans) == ["Pléiades 2021-09-18, multispectral", "Pléiades 2021-09-18, panchromatic"]
    assert [opened(plan).RasterCount for plan in plans] == [4, 1]
    assert all(plan.source.lower().endswith(".xml") for plan in plans)
    assert opened(plans[0]).GetSpatialRef().GetAuthorityCode(None) == "4326"


@pytest.mark.parametrize("name", ["dim_x.xml", "DIM_X.XML"])
def test_a_dimap_display_product_is_one_layer_whatever_the_case_of_its_name(tmp_path, name):
    root = dimap(tmp_path / "0123", kinds=("PMS",))
    description = next(root.rglob("DIM_*.XML"))
    description.rename(description.with_name(name))
    (plan,) = prepare(output_of(tmp_path, "0123"), block_title="Pléiades")
    assert plan.title == "Pléiades 2021-09-18"
    assert opened(plan).RasterCount == 4


def test_a_data_path_may_name_the_description_itself(tmp_path):
    root = dimap(tmp_path / "0123", kinds=("MS",))
    path = next(root.rglob("DIM_*.XML")).relative_to(tmp_path).as_posix()
    (plan,) = prepare(output_of(tmp_path, path))
    assert opened(plan).RasterCount == 4


def test_further_sentinel2_bands_wait_unticked_in_a_group(tmp_path):
    root = safe(tmp_path / "uuid")
    for name in ("B06", "B07", "B8A", "B12", "AOT"):  # make the 20 m bands complete
        source = next(root.rglob("*_B11_20m.jp2"))
        shutil.copy(source, source.with_name(source.name.replace("B11", name)))
    plans = prepare(output_of(tmp_path, "uuid"), block_name="aws-s2-l2a")
    assert [plan.checked for plan in plans] == [True] + [False] * (len(plans) - 1)
    assert {plan.group for plan in plans[1:]} == {"Bands"}
    assert plans[1].title.startswith("Sentinel-2 L2A 2021-09-18, ")
    assert len({plan.key for plan in plans}) == len(plans)


def test_radar_is_laid_on_the_ground_by_its_points_one_layer_per_polarisation(tmp_path):
    radar(tmp_path / "uuid")
    plans = prepare(output_of(tmp_path, "uuid"), block_title="Sentinel-1 GRD")
    assert titles(plans) == ["Sentinel-1 GRD 2021-09-18, VV", "Sentinel-1 GRD 2021-09-18, VH"]
    for plan, value in zip(plans, (200, 100)):
        dataset = opened(plan)
        assert dataset.GetSpatialRef().GetAuthorityCode(None) == "32633"
        values = dataset.GetRasterBand(1).ReadAsArray()
        assert {value, value * 4} <= set(np.unique(values)) <= set(range(value * 4 + 1))
        # the bright part, pixels 100 to 200 of 300 and 50 to 100 of 200, lies where the points say
        place = gdal.Transformer(dataset, None, ["DST_SRS=EPSG:4326", "DST_METHOD=NO_GEOTRANSFORM"])
        _, (x, y, _) = place.TransformPoint(1, 15.0 + 0.15 + 75 / 8000, 38.0 - 75 / 1200 + 150 / 9000, 0)
        assert values[int(y), int(x)] == value * 4


def test_complex_radar_shows_magnitudes(tmp_path):
    radar(tmp_path / "uuid", product="slc", complex_values=True)
    plans = prepare(output_of(tmp_path, "uuid"))
    assert opened(plans[0]).GetRasterBand(1).ReadAsArray().max() == pytest.approx(800, rel=0.01)


def test_a_landsat_scene_is_its_reflectances_with_the_rest_aside(tmp_path):
    landsat8(tmp_path / LANDSAT8)
    main, pan, thermal = prepare(output_of(tmp_path, LANDSAT8), block_title="Landsat 8")
    assert main.provenance["bands"] == ["B4", "B3", "B2", "B5", "B1", "B6", "B7", "B9"]
    assert (main.style.red.band, main.style.green.band, main.style.blue.band) == (1, 2, 3)
    assert main.style.natural
    assert opened(main).GetGeoTransform()[1] == 30
    assert np.array_equal(pixels(main.source)[0], coast()["B04"])
    assert titles((pan, thermal)) == ["Landsat 8 2021-09-18, panchromatic", "Landsat 8 2021-09-18, thermal"]
    assert [(plan.checked, plan.group) for plan in (pan, thermal)] == [(False, "Bands")] * 2
    assert opened(pan).GetGeoTransform()[1] == 15
    assert thermal.provenance["bands"] == ["B10", "B11"]
    sources = "".join(path.read_text() for path in tmp_path.glob("*.vrt"))
    assert "BQA" not in sources


def test_modis_bands_are_one_layer_in_their_own_projection(tmp_path):
    modis(tmp_path / MODIS)
    (plan,) = prepare(data_json(tmp_path, feature(f"/tmp/output/{MODIS}")), block_name="aws-modis")  # noqa: S108
    assert plan.provenance["bands"] == ["B01", "B04", "B03", "B02"]  # red, green, blue, near infrared
    assert plan.style.natural
    assert "Sinusoidal" in opened(plan).GetProjection()


def test_bands_of_three_sizes_are_one_layer_of_the_finest(tmp_path):
    names = [path.name for path in analytic(tmp_path)]
    (plan,) = prepare(output_of(tmp_path, *names))
    assert opened(plan).GetGeoTransform()[1] == 10
    assert len(plan.provenance["bands"]) == 6


def test_elevation_without_an_ending_opens_named_or_in_a_folder(tmp_path):
    (tmp_path / "order").mkdir()
    elevation(tmp_path / "order" / "0123")
    for path in ("order/0123", "order"):
        (plan,) = prepare(output_of(tmp_path, path), block_name="oneatlas-worlddem-12m")
        assert opened(plan).GetRasterBand(1).DataType == gdal.GDT_Float32


def test_a_jpeg2000_of_its_own_opens_where_it_lies(tmp_path):
    jpeg2000(tmp_path / "a.jp2")
    (plan,) = prepare(output_of(tmp_path, "a.jp2"))
    assert opened(plan).GetSpatialRef().GetAuthorityCode(None) == "32633"


def test_time_steps_are_bands_that_say_when(tmp_path):
    weather(tmp_path / "uuid" / "t_2m_C.nc")
    (plan,) = prepare(output_of(tmp_path, "uuid/t_2m_C.nc"), block_title="Weather")
    assert plan.title == "Weather 2020-06-15, t_2m_C"
    assert plan.provenance["bands"] == ["2020-06-15 00:00", "2020-06-15 06:00", "2020-06-15 12:00"]
    assert plan.acquired == datetime(2020, 6, 15, tzinfo=timezone.utc)
    assert plan.acquired_until == datetime(2020, 6, 15, 12, tzinfo=timezone.utc)
    dataset = opened(plan)
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "4326"
    assert dataset.GetGeoTransform()[0] == pytest.approx(14.975)
    assert dataset.GetRasterBand(3).ReadAsArray()[0, 0] == 1200
    assert shown_band(plan) == 1  # three moments are no red, green and blue


@pytest.mark.parametrize(
    ("units", "last"),
    [
        ("days since 2020-06-01", datetime(2020, 6, 13, tzinfo=timezone.utc)),
        ("minutes since 2020-06-15T10:30:00Z", datetime(2020, 6, 15, 10, 42, tzinfo=timezone.utc)),
        ("seconds since 2020-06-15 10:30:00.5", datetime(2020, 6, 15, 10, 30, 12, tzinfo=timezone.utc)),
        ("fortnights since the flood", None),
    ],
)
def test_times_in_several_units(tmp_path, units, last):
    weather(tmp_path / "a.nc", units=units)
    (plan,) = prepare(data_json(tmp_path, feature("a.nc")))
    moment = plan.acquired_until.replace(microsecond=0) if plan.acquired_until else None
    assert moment == last


def test_variables_are_layers_of_which_the_first_is_shown(tmp_path):
    weather(tmp_path / "a.nc", ("wind", "rain"))
    plans = prepare(output_of(tmp_path, "a.nc"), block_title="Weather")
    assert titles(plans) == ["Weather 2020-06-15, wind", "Weather 2020-06-15, rain"]
    assert [plan.checked for plan in plans] == [True, False]
    assert pixels(plans[1].source)[0, 0, 0] == 1000


def test_grids_lead_to_their_file_after_the_output_was_moved(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    weather(here / "uuid" / "a.nc", ("wind", "rain"))
    first = prepare(output_of(here, "uuid/a.nc"))
    shutil.move(str(here), str(there))
    second = prepare(there)
    assert [plan.key for plan in second] == [plan.key for plan in first]
    assert pixels(second[1].source).max() == 2799


def test_pixels_of_a_swath_are_laid_where_their_arrays_say(tmp_path):
    swath(tmp_path / "S5P.nc")
    plans = prepare(output_of(tmp_path, "S5P.nc"), block_title="Sentinel-5P")
    assert titles(plans) == ["Sentinel-5P 2021-09-18, nitrogendioxide_column", "Sentinel-5P 2021-09-18, qa_value"]
    dataset = opened(plans[0])
    left, pixel, _, top, _, height = dataset.GetGeoTransform()
    line, sample = 20, 15
    longitude, latitude = 14 + sample * 0.06 - line * 0.01, 36 + line * 0.05 + sample * 0.01
    value = dataset.ReadAsArray(int((longitude - left) / pixel), int((latitude - top) / height), 1, 1)[0, 0]
    assert abs(value // 100 - line) <= 1
    assert abs(value % 100 - sample) <= 1


def test_a_swath_without_places_is_a_problem_in_words(tmp_path):
    swath(tmp_path / "a.nc", placed=False)
    (plan,) = prepare(output_of(tmp_path, "a.nc"))
    assert plan.problem == "qa_value in a.nc has no place on the ground."


def test_sentinel3_says_why_it_is_not_shown(tmp_path):
    folder = tmp_path / "uuid" / "S3A_OL_1_EFR.SEN3"
    swath(folder / "Oa01_radiance.nc", placed=False)
    swath(folder / "geo_coordinates.nc", placed=False)
    (plan,) = prepare(output_of(tmp_path, "uuid"))
    assert plan.problem.startswith("S3A_OL_1_EFR.SEN3 holds pixels as the sensor saw them")


def test_without_the_driver_it_says_what_is_missing(tmp_path, monkeypatch):
    weather(tmp_path / "a.nc")
    monkeypatch.setattr(grids, "_DRIVER", "none such")
    (plan,) = prepare(output_of(tmp_path, "a.nc"))
    assert plan.problem == "a.nc is NetCDF, which this QGIS cannot read: its GDAL comes without that driver."


def test_counts_that_are_text_are_quoted(tmp_path):
    (tmp_path / "count_objects").write_text("[Counter({'ship': 3})]")
    (plan,) = prepare(output_of(tmp_path, "count_objects"))
    assert plan.problem == "count_objects is text and no layer: [Counter({'ship': 3})]"


def test_primary_images_are_not_mixed_with_what_lies_beside(tmp_path):
    pleiades_primary(tmp_path)
    (tmp_path / "inner.zip").write_bytes(b"PK\x03\x04")
    plans = prepare(output_of(tmp_path, "0123_pan.tif", "inner.zip"))
    assert [bool(plan.problem) for plan in plans] == [False, False, True]


def test_images_of_one_day_each_in_a_folder_have_their_days(tmp_path):
    for day in ("20200614", "20200615"):
        geotiff(tmp_path / "uuid" / f"S5P_0123_{day}.tif", [coast()["B04"]])
    plans = prepare(data_json(tmp_path, feature("uuid")), block_title="NO2")
    assert titles(plans) == ["NO2 2020-06-15", "NO2 2020-06-14"]


def test_polarisations_of_converted_images_are_named(tmp_path):
    for name in ("HH", "VV"):
        geotiff(tmp_path / "scene" / f"IMAGE_{name}_SRA_strip_005.tif", [coast()["B04"]])
    plans = prepare(output_of(tmp_path, "scene"), block_title="TerraSAR")
    assert titles(plans) == ["TerraSAR 2021-09-18, HH", "TerraSAR 2021-09-18, VV"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tif", '<VRTDataset rasterXSize="9" rasterYSize="9"><SourceFilename>/etc/x</SourceFilename></VRTDataset>'),
        ("a", "<GDAL_WMS><Service><ServerUrl>https://example.org</ServerUrl></Service></GDAL_WMS>"),
        ("a.kml", "<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>"),
        ("a.geojson", "<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>"),
        ("a.vrt", "<VRTDataset/>"),
    ],
)
def test_files_that_only_point_to_others_are_not_opened(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    (plan,) = prepare(output_of(tmp_path, name))
    assert name in plan.problem


@pytest.mark.parametrize("before", [" " * 900, "a", "<?xml version='1.0'?><!-- a -->"])
def test_what_stands_before_a_pointer_does_not_hide_it(tmp_path, before):
    geotiff(tmp_path / "secret.tif", [coast()["B04"]])
    gdal.Translate(str(tmp_path / "link.vrt"), str(tmp_path / "secret.tif"), format="VRT")
    text = (tmp_path / "link.vrt").read_text()
    layer = f"<OGRVRTLayer name='secret'><SrcDataSource>{tmp_path / 'secret.geojson'}</SrcDataSource></OGRVRTLayer>"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.tif").write_text(before + text)
    (tmp_path / "out" / "a.kml").write_text(f"{before}<OGRVRTDataSource>{layer}</OGRVRTDataSource>")
    plans = prepare(output_of(tmp_path / "out", "a.tif", "a.kml"))
    assert [plan.problem for plan in plans] == [
        f"{name} only points to other data and was not opened." for name in ("a.tif", "a.kml")
    ]


def test_files_of_a_product_are_looked_into_as_well(tmp_path):
    landsat8(tmp_path / "scene")
    plans = prepare(output_of(tmp_path, "scene"))
    assert not any(plan.problem for plan in plans)
    band = next(path for path in (tmp_path / "scene").rglob("*_B4.TIF"))
    moved = band.rename(tmp_path / "secret.tif")
    gdal.Translate(str(tmp_path / "link.vrt"), str(moved), format="VRT")
    band.write_text((tmp_path / "link.vrt").read_text())
    assert f"{band.name} only points" in "".join(plan.problem for plan in prepare(tmp_path))


@pytest.mark.parametrize("there", ["../secret.tif", "/etc/secret.tif", "/vsicurl/http://127.0.0.1/x.tif", "C:\\x.tif"])
def test_a_description_cannot_name_images_elsewhere(tmp_path, there):
    geotiff(tmp_path / "secret.tif", [coast()["B04"]])
    dimap(tmp_path / "out" / "0123")
    output_of(tmp_path / "out", "0123")
    colour = next((tmp_path / "out").rglob("DIM*_MS_*.XML"))
    image = next(colour.parent.glob("IMG*.TIF"))
    colour.write_text(colour.read_text().replace(image.name, there))
    plans = prepare(tmp_path / "out")
    assert [bool(plan.problem) for plan in plans].count(True) == 1
    assert f"{colour.name} only points" in "".join(plan.problem for plan in plans)


def test_images_of_a_described_product_are_looked_into_as_well(tmp_path):
    dimap(tmp_path / "0123")
    image = next(tmp_path.rglob("IMG*_MS_*.TIF"))
    moved = image.rename(tmp_path / "secret.tif")
    gdal.Translate(str(tmp_path / "link.vrt"), str(moved), format="VRT")
    image.write_text((tmp_path / "link.vrt").read_text())
    plans = prepare(output_of(tmp_path, "0123"))
    assert f"{image.name} only points" in "".join(plan.problem for plan in plans)


def test_descriptions_in_a_folder_are_no_layers(tmp_path):
    geotiff(tmp_path / "uuid" / "a.tif", [coast()["B04"]])
    (tmp_path / "uuid" / "metadata.json").write_text('{"name": "a", "type": "image"}')
    (plan,) = prepare(output_of(tmp_path, "uuid"))
    assert plan.source.endswith("a.tif")


@pytest.mark.parametrize("path", ["/tmp/output", "/tmp/output/", ".", "output"])  # noqa: S108 - never opened
def test_a_data_path_may_mean_the_whole_output(tmp_path, path):
    jpeg2000(tmp_path / "a.jp2")
    (plan,) = prepare(data_json(tmp_path, feature(path)))
    assert plan.source == str(tmp_path / "a.jp2")


def test_bands_named_by_moments_are_no_colours_either(tmp_path):
    names = [f"2021-06-01T{hour:02d}:00:00Z" for hour in (0, 3, 6)]
    geotiff(
        tmp_path / "t_2m_C.tif", [np.full((30, 40), 280 + step, np.float32) for step in range(3)], descriptions=names
    )
    (plan,) = prepare(
        data_json(tmp_path, feature("t_2m_C.tif")), block_name="data-conversion-netcdf", block_title="GeoTIFF"
    )
    assert plan.title == "GeoTIFF 2021-06-01"
    assert shown_band(plan) == 1
    assert plan.acquired_until == plan.band_times[2] == datetime(2021, 6, 1, 6, tzinfo=timezone.utc)


def test_a_series_of_moments_has_the_range_of_all_of_them(tmp_path):
    weather(tmp_path / "a.nc", steps=30)
    (plan,) = prepare(output_of(tmp_path, "a.nc"))
    first, last = np.arange(600), np.arange(29 * 600, 30 * 600)
    low, high = np.percentile(first, 2), np.percentile(last, 98)
    grey = plan.other_styles[-1].style.band
    for least, most in ((plan.style.minimum, plan.style.maximum), (grey.minimum, grey.maximum)):
        assert (least, most) == pytest.approx((low, high), abs=1)


def test_a_broken_part_does_not_take_the_others_with_it(tmp_path):
    radar(tmp_path / "uuid")
    broken = next(tmp_path.rglob("*-vh-*.tiff"))
    broken.write_bytes(broken.read_bytes()[:20000])
    plans = prepare(output_of(tmp_path, "uuid"))
    assert [bool(plan.problem) for plan in plans] == [False, True]


def test_the_folder_of_an_output_says_nothing_of_time(tmp_path):
    jpeg2000(tmp_path / "2024-01-01" / "a.jp2")
    (plan,) = prepare(data_json(tmp_path / "2024-01-01", feature("a.jp2")))
    assert plan.acquired is None
