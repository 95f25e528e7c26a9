"""Pléiades in sensor geometry: its RPC put the pixels where they belong, and NDVI keeps them."""

from __future__ import annotations

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import (
    AREA,
    SMALL_AREA,
    STRIP,
    UTM,
    WaveArchive,
    Workbench,
    best_shift_of,
    correlation,
    cut_footprint,
    pleiades_scene,
    reflectance,
    stop_after,
)

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import WGS84, grid_lonlat, transform
from up42_plugin.sandbox.runners import grids, registry
from up42_plugin.sandbox.runners.contract import RunnerError, RunnerStopped
from up42_plugin.sandbox.runners.derived import ndvi
from up42_plugin.sandbox.runners.scenes import pleiades_primary, sensor


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("pleiades"), WaveArchive([pleiades_scene()]))


@pytest.fixture(scope="module")
def primary(bench):
    return bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": SMALL_AREA})


@pytest.fixture(scope="module")
def green(bench, primary):
    return bench.after(primary, registry.NDVI, geometry=SMALL_AREA)


def file_of(ran, end):
    (path,) = ran.output.glob(f"*{end}")
    return path


def on_the_ground(path, pixel, **options):
    """The file warped with its RPC onto a grid over the area, and that grid."""
    left, bottom, right, top = (round(edge) for edge in grids.projected_bounds(SMALL_AREA, UTM))
    width, height = int((right - left) / pixel), int((top - bottom) / pixel)
    grid = Grid(UTM, float(left), float(top), pixel, width, height)
    bounds = (left, top - height * pixel, left + width * pixel, top)
    warped = gdal.Warp(
        "", str(path), format="MEM", rpc=True, dstSRS=f"EPSG:{UTM}", outputBounds=bounds, xRes=pixel, yRes=pixel,
        resampleAlg="cubic", errorThreshold=0, **options,
    )  # fmt: skip
    return warped.ReadAsArray(), grid


def test_two_files_in_sensor_geometry(primary):
    (feature,) = primary.features
    assert feature["properties"]["up42.data_path"] == f"{feature['id']}_pan.tif"
    assert primary.files == [f"{feature['id']}_ms.tif", f"{feature['id']}_pan.tif", "data.json"]
    assert (primary.quicklooks / f"{feature['id']}.jpg").is_file()
    pan, ms = (gdal.Open(str(file_of(primary, end))) for end in ("_pan.tif", "_ms.tif"))
    assert (pan.RasterXSize, pan.RasterYSize) == (4 * ms.RasterXSize, 4 * ms.RasterYSize)
    assert (pan.RasterCount, ms.RasterCount) == (1, 4)
    for raster in (pan, ms):
        assert raster.GetProjection() == ""
        assert raster.GetGeoTransform(can_return_null=True) is None
        assert raster.GetMetadata("RPC")["HEIGHT_OFF"] == "0"
        assert raster.GetRasterBand(1).GetNoDataValue() == 0
        values = raster.ReadAsArray()
        assert values.dtype == np.uint16
        assert values.min() >= 1
        assert values.max() <= 4095
        assert raster.GetMetadataItem("SYNTHETIC") == "YES"
    names = [ms.GetRasterBand(number).GetDescription() for number in range(1, 5)]
    assert names == ["red", "green", "blue", "nir"]


def test_warping_with_the_rpc_puts_every_pixel_in_its_place(bench, primary):
    for end, bands, pixel in (("_pan.tif", ["PAN"], 0.5), ("_ms.tif", ["B04", "B03", "B02", "B08"], 2.0)):
        seen, grid = on_the_ground(file_of(primary, end), pixel)
        truth = pleiades_primary.digital_numbers(bench.archive.read(pleiades_scene(), bands, grid))
        for band, (one, other) in enumerate(zip(truth, seen.reshape(truth.shape))):
            assert best_shift_of(one.astype(float), other.astype(float)) == (0, 0), (end, band)
            assert correlation(one, other) > 0.98


def test_the_cut_covers_the_area_and_a_margin(primary):
    seen, _ = on_the_ground(file_of(primary, "_pan.tif"), 0.5)
    assert (seen > 0).all()
    west, south, east, north = geometry.bounds(SMALL_AREA)
    left, bottom, right, top = primary.features[0]["bbox"]
    assert left < west - 0.0003
    assert bottom < south - 0.0002
    assert right > east + 0.0003
    assert top > north + 0.0002
    assert primary.usage.square_km == pytest.approx(geometry.area_km2(SMALL_AREA), rel=1e-6)


def test_the_rpc_are_exact_at_every_height():
    lean = sensor.lean_of(25.0, 102.0)
    grid = sensor.SensorGrid(UTM, 525_000.0, 4_189_000.0, 0.5, 4.0, lean, 8000, 6000)
    raster = gdal.GetDriverByName("MEM").Create("", grid.width, grid.height, 1)
    raster.SetMetadata(sensor.rpc_of(grid), "RPC")
    positions = [(c, r) for c in (0.5, 1234.25, 7999.5) for r in (0.5, 3000.0, 5999.5)]
    for height in (-300.0, 0.0, 850.0):
        mapper = gdal.Transformer(raster, None, ["METHOD=RPC", f"RPC_HEIGHT={height}"])
        ground = np.array([grid.ground(*p) for p in positions]) - height * np.asarray(lean)
        lonlat = transform([tuple(p) for p in ground.tolist()], UTM, WGS84)
        for (lon, lat), (column, row) in zip(lonlat, positions):
            _, (x, y, _) = mapper.TransformPoint(1, lon, lat, 0.0)
            assert (x, y) == pytest.approx((column, row), abs=0.02)


def test_higher_ground_leans_away_from_the_satellite():
    east, north = sensor.lean_of(45.0, 90.0)  # the satellite stands in the east
    assert (east, north) == pytest.approx((-1.0, 0.0))


@pytest.mark.parametrize(("azimuth", "heading"), [(102.0, 12.0), (282.0, 12.0), (98.0, 8.0), (285.0, 15.0)])
def test_the_track_follows_from_where_the_satellite_looks(azimuth, heading):
    assert sensor.heading_of(azimuth) == pytest.approx(heading)


def test_images_made_in_several_chunks_are_the_same(bench, primary, monkeypatch):
    monkeypatch.setattr(pleiades_primary, "_CHUNK_PIXELS", 300_000)
    again = bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": SMALL_AREA})
    for end in ("_pan.tif", "_ms.tif"):
        one, other = (gdal.Open(str(file_of(ran, end))).ReadAsArray().astype(int) for ran in (primary, again))
        assert np.abs(one - other).max() <= 1


def test_what_lies_beyond_the_scene_is_nodata(tmp_path):
    scene = cut_footprint(pleiades_scene(), 15.2, 15.292)
    ran = Workbench(tmp_path, WaveArchive([scene])).run(registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": SMALL_AREA})
    seen, _ = on_the_ground(file_of(ran, "_pan.tif"), 0.5)
    assert (seen[:, :200] > 0).all()
    assert (seen[:, -200:] == 0).all()
    assert ran.usage.square_km < 0.6 * geometry.area_km2(SMALL_AREA)


def test_an_area_beside_the_image_has_no_pixels(bench):
    scene = cut_footprint(pleiades_scene(), 15.35, 15.4)
    bench = Workbench(bench._root / "beside", WaveArchive([scene]))
    bench.archive.search = lambda _query: [scene]
    with pytest.raises(RunnerError) as caught:
        bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": SMALL_AREA})
    assert caught.value.code == "NO_INPUT_ERROR"


def test_an_unclipped_order_says_what_its_rasters_cover(bench, monkeypatch):
    monkeypatch.setattr(pleiades_primary, "SCENE_MARGIN_M", 100.0)
    ran = bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": SMALL_AREA, "clip_to_aoi": False})
    assert "not the whole scene" in ran.features[0]["properties"]["rastersCover"]
    assert ran.features[0]["bbox"][0] < geometry.bounds(SMALL_AREA)[0] - 0.001


def test_cancelling_stops_between_blocks(bench):
    task = bench.task(
        registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": AREA}, check=stop_after(4, RunnerStopped("no more"))
    )
    with pytest.raises(RunnerStopped):
        registry.RUNNERS[registry.ONEATLAS_PLEIADES_PRIMARY](task)
    assert list(task.target.iterdir()) == []


def test_only_blocks_that_the_sensor_sees_are_asked_for():
    grid = sensor.SensorGrid(UTM, STRIP.left, STRIP.top, 0.5, 20.0, (0.0, 0.0), 3000, 2000)
    whole = sensor.north_up(grid, 4)
    blocks = list(sensor.seen_blocks(grid, whole, (256, 256), 4))
    covered = np.zeros((whole.height, whole.width), bool)
    for column, row, width, height in blocks:
        covered[row : row + height, column : column + width] = True
    lines, samples = np.mgrid[0 : grid.height : 50, 0 : grid.width : 50]
    for x, y in (grid.ground(float(s), float(ln)) for s, ln in zip(samples.ravel(), lines.ravel())):
        assert covered[int((whole.top - y) / 0.5), int((x - whole.left) / 0.5)]
    assert covered.mean() < 0.95  # the corners are left out


def test_ndvi_is_computed_from_the_colour_file_and_keeps_its_rpc(primary, green):
    source, raster = gdal.Open(str(file_of(primary, "_ms.tif"))), gdal.Open(str(file_of(green, "_ndvi.tif")))
    (feature,) = green.features
    assert feature["properties"]["up42.data_path"] == f"{feature['id']}_ndvi.tif"
    assert raster.GetMetadata("RPC") == source.GetMetadata("RPC")
    assert raster.GetProjection() == ""
    assert raster.GetRasterBand(1).GetNoDataValue() == ndvi.NODATA
    red, _, _, near = source.ReadAsArray().astype(np.float32)
    values = raster.ReadAsArray()
    assert values.dtype == np.float32
    assert np.abs(values - (near - red) / (near + red)).max() < 1e-6
    assert green.usage.square_km == pytest.approx(geometry.area_km2(SMALL_AREA), rel=1e-6)
    assert raster.GetMetadataItem("SYNTHETIC") == "YES"


def test_ndvi_lies_in_its_place_and_is_right(green):
    seen, grid = on_the_ground(file_of(green, "_ndvi.tif"), 2.0)
    lon, lat = grid_lonlat(grid)
    red, near = reflectance("B04", lon, lat), reflectance("B08", lon, lat)
    assert np.abs(seen - (near - red) / (near + red)).mean() < 0.02


def test_ndvi_can_bring_the_image_along(bench, primary):
    ran = bench.after(primary, registry.NDVI, {"output_original_raster": True}, geometry=SMALL_AREA)
    paths = [feature["properties"]["up42.data_path"] for feature in ran.features]
    assert [path[-8:] for path in paths] == ["ndvi.tif", "4_ms.tif"] or paths[1].endswith("_ms.tif")
    assert (ran.output / paths[1]).read_bytes() == file_of(primary, "_ms.tif").read_bytes()
    assert ran.usage.scenes == 1
