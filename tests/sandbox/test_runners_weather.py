"""Weather as NetCDF, and what becomes of it as GeoTIFF."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
import pytest
from derived_kit import CATALOGUE, image_left, made_archive, same_files
from osgeo import gdal
from runner_kit import Workbench

from up42_plugin.sandbox import weather_steps
from up42_plugin.sandbox.billing import consumed
from up42_plugin.sandbox.capabilities import Link
from up42_plugin.sandbox.estimate import estimate
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.formats import netcdf
from up42_plugin.sandbox.world import view

BOX = [15.0, 37.7, 15.3, 37.9]
TWO_DAYS = "2021-06-01T00:00:00Z/2021-06-02T23:59:59Z"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("weather"), made_archive())


@pytest.fixture(scope="module")
def weather(bench):
    return bench.run(registry.METEOMATICS, {"bbox": BOX, "time": TWO_DAYS})


def variable(ran, name):
    (path,) = ran.output.glob(f"*/{name}.nc")
    return gdal.Open(str(path))


def test_a_file_per_variable_with_a_band_per_moment(weather):
    folders = {name.split("/")[0] for name in weather.files if name != "data.json"}
    (folder,) = folders
    names = ("precip_5min_mm", "t_2m_C", "wind_speed_100m_ms")
    assert weather.files == sorted([*(f"{folder}/{name}.nc" for name in names), "data.json"])
    assert [f["properties"]["parameter_name"] for f in weather.features] == [
        "t_2m_C",
        "precip_5min_mm",
        "wind_speed_100m_ms",
    ]
    assert all(f["properties"]["synthetic"] for f in weather.features)
    raster = variable(weather, "t_2m_C")
    assert raster.GetDriver().ShortName == "netCDF"
    assert (raster.RasterCount, raster.RasterXSize, raster.RasterYSize) == (16, 30, 20)
    assert raster.GetRasterBand(1).DataType == gdal.GDT_Float32
    assert raster.GetGeoTransform() == pytest.approx((15.0, 0.01, 0, 37.9, 0, -0.01))
    assert "4326" in raster.GetProjection()
    metadata = raster.GetMetadata()
    assert metadata["time#units"] == "hours since 2021-06-01 00:00:00"
    assert metadata["t_2m#standard_name"] == "air_temperature"
    assert metadata["t_2m#units"] == "degC"
    assert metadata["lat#standard_name"] == "latitude"
    assert netcdf.moment_of(raster, 16) == datetime(2021, 6, 2, 21, tzinfo=timezone.utc)


def test_the_air_is_cool_on_heights_and_warm_at_noon(weather):
    values = variable(weather, "t_2m_C").ReadAsArray()
    lon, lat = np.meshgrid(15.0 + (np.arange(30) + 0.5) * 0.01, 37.9 - (np.arange(20) + 0.5) * 0.01)
    heights = np.maximum(view.elevation(lon, lat, 100.0), 0)
    assert heights.max() > 1500
    assert np.corrcoef(values.mean(axis=0).ravel(), heights.ravel())[0, 1] < -0.9
    assert values[4].mean() > values[1].mean() + 2  # noon and three in the morning, universal time
    assert -20 < values.min() < values.max() < 45
    rain = variable(weather, "precip_5min_mm").ReadAsArray()
    assert rain.min() == 0
    assert 0 < rain.max() < 5
    assert variable(weather, "wind_speed_100m_ms").ReadAsArray().min() >= 0


def test_units_are_converted_and_two_runs_are_equal(bench):
    asked = {"bbox": BOX, "time": TWO_DAYS, "time_interval": 12, "variables": ["t_2m:C", "t_2m:K", "t_2m:F"]}
    one, other = (bench.run(registry.METEOMATICS, asked) for _ in range(2))
    assert same_files(one, other)
    celsius, kelvin, fahrenheit = (variable(one, f"t_2m_{unit}").ReadAsArray() for unit in "CKF")
    assert np.allclose(kelvin, celsius + 273.15, atol=1e-3)
    assert np.allclose(fahrenheit, celsius * 1.8 + 32, atol=1e-3)
    assert len(celsius) == 4


def test_small_areas_are_fine_and_time_ranges_have_folders(bench):
    series = ["2021-06-01T00:00:00Z/2021-06-01T06:00:00Z", "2020-01-01T00:00:00Z/2020-01-01T03:00:00Z"]
    asked = {"bbox": [15.28, 37.84, 15.30, 37.85], "time_series": series, "variables": ["msl_pressure:hPa"]}
    ran = bench.run(registry.METEOMATICS, asked)
    first, second = (gdal.Open(str(ran.output / f["properties"]["up42.data_path"])) for f in ran.features)
    assert (first.RasterCount, second.RasterCount) == (3, 2)
    assert (first.RasterXSize, first.RasterYSize) == (20, 10)
    assert 960 < first.ReadAsArray().mean() < 1060
    converted = bench.after(ran, registry.DATA_CONVERSION_NETCDF)
    assert converted.files == ["data.json", "msl_pressure_hPa.tif", "msl_pressure_hPa_2.tif"]


def test_geotiff_has_the_values_and_says_when(bench, weather):
    ran = bench.after(weather, registry.DATA_CONVERSION_NETCDF)
    assert ran.files == ["data.json", "precip_5min_mm.tif", "t_2m_C.tif", "wind_speed_100m_ms.tif"]
    raster, source = gdal.Open(str(ran.output / "t_2m_C.tif")), variable(weather, "t_2m_C")
    assert raster.GetDriver().ShortName == "GTiff"
    assert (raster.RasterCount, raster.GetRasterBand(1).DataType) == (16, gdal.GDT_Float32)
    assert raster.GetGeoTransform() == pytest.approx(source.GetGeoTransform())
    assert np.array_equal(raster.ReadAsArray(), source.ReadAsArray())
    assert raster.GetRasterBand(2).GetDescription() == "2021-06-01T03:00:00Z"
    assert raster.GetMetadataItem("SYNTHETIC") == "YES"
    assert ran.features[0]["properties"]["parameter_name"] == "t_2m_C"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"variables": ["t_2m:C", "happiness:p"]}, "happiness:p is not known"),
        ({"variables": ["t_2m:kn"]}, "t_2m:kn is not known"),
        ({"variables": []}, "at least one"),
        ({"time_interval": 0}, "time_interval"),
        ({"time_interval": 1, "time": "0001-01-01T00:00:00Z/9999-12-31T23:59:59Z"}, "too many"),
        ({"bbox": [10, 37, 15, 40], "time": "2000-01-01T00:00:00Z/2021-01-01T00:00:00Z"}, "too many"),
    ],
)
def test_what_cannot_be_delivered_is_refused(bench, changes, said):
    with pytest.raises(RunnerError, match=said) as caught:
        bench.run(registry.METEOMATICS, {"bbox": BOX, "time": TWO_DAYS, **changes})
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def test_without_netcdf_the_block_says_so(bench, monkeypatch):
    real = gdal.GetDriverByName
    monkeypatch.setattr(gdal, "GetDriverByName", lambda name: None if name == "netCDF" else real(name))
    with pytest.raises(RunnerError, match="cannot read or write NetCDF") as caught:
        bench.run(registry.METEOMATICS, {"bbox": BOX, "time": TWO_DAYS})
    assert caught.value.code == "NO_OUTPUT_ERROR"


def test_a_raster_that_is_no_netcdf_is_converted_or_refused(bench, tmp_path):
    before = image_left(tmp_path / "source", np.ones((1, 4, 4), np.uint8))
    (before.output / "image.tif").write_bytes(b"CDF\x01 is not all of it")
    with pytest.raises(RunnerError, match="cannot be opened"):
        bench.after(before, registry.DATA_CONVERSION_NETCDF)


def test_data_points_are_estimated_and_charged_alike(weather):
    block = CATALOGUE.by_name("meteomatics")
    asked = {"bbox": BOX, "time": "2021-06-01T00:00:00Z/2021-06-08T23:59:59Z"}
    found = estimate([Link("m:1", block)], {"m:1": asked}, lambda _block, _parameters: None)["m:1"]
    assert (found.unit, found.amount, found.block_credits) == ("DATA_POINT", (192.0, 192.0), (20, 20))
    assert weather_steps.data_points(block.with_defaults({"time": TWO_DAYS})) == 48
    assert consumed("DATA_POINT", {"data_points": weather.usage.data_points}) == 48.0


def test_endless_times_are_counted_without_being_made():
    endless = {"time": "0001-01-01T00:00:00Z/9999-12-31T23:59:59Z", "variables": ["t_2m:C"]}
    assert weather_steps.data_points({**endless, "time_interval": 1}) == 87_649_416
    assert weather_steps.data_points({**endless, "time_interval": 1e30}) == 9_979
