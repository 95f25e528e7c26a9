"""Blocks that cut areas from tile services: whole tiles in EPSG:3857, where the archive has the pixels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import (
    SMALL_AREA,
    WaveArchive,
    Workbench,
    cut_footprint,
    pleiades_scene,
    reflectance,
    sentinel_scene,
)

from up42_plugin.sandbox import display, geometry
from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.billing import consumed
from up42_plugin.sandbox.capabilities import Link
from up42_plugin.sandbox.catalogue import Catalogue
from up42_plugin.sandbox.estimate import Coverage, estimate
from up42_plugin.sandbox.geodesy import grid_lonlat
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.web_tiles import tiles_over

TINY = geometry.polygon_of((15.2900, 37.8450, 15.2912, 37.8458))
SPOT = replace(pleiades_scene(), sensor="spot", platform="SPOT7", id="DS_SPOT7_202106201002033_E015N37_0417_00066")
TILE_M = 2 * math.pi * 6378137 / 2**18


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    archive = WaveArchive([pleiades_scene(), SPOT, sentinel_scene()])
    return Workbench(tmp_path_factory.mktemp("streaming"), archive)


def opened(ran):
    (feature,) = ran.features
    return gdal.Open(str(ran.output / feature["properties"]["up42.data_path"]))


def grid_of(dataset):
    left, pixel, _, top, _, _ = dataset.GetGeoTransform()
    return Grid(3857, left, top, pixel, dataset.RasterXSize, dataset.RasterYSize)


def truth(dataset, bands, convert):
    """What the archive's pixels look like on a raster's grid."""
    lon, lat = grid_lonlat(grid_of(dataset))
    return convert(np.stack([reflectance(band, lon, lat) for band in bands])).astype(int)


def described(dataset):
    bands = [dataset.GetRasterBand(number) for number in range(1, dataset.RasterCount + 1)]
    return [(band.GetDescription(), gdal.GetColorInterpretationName(band.GetColorInterpretation())) for band in bands]


RGB = [("red", "Red"), ("green", "Green"), ("blue", "Blue")]
PAN, ALPHA = ("pan", "Gray"), ("alpha", "Alpha")


def test_a_picture_of_whole_tiles_in_its_place(bench):
    ran = bench.run(registry.ONEATLAS_PLEIADES_AOICLIPPED, {"intersects": TINY})
    dataset = opened(ran)
    (feature,) = ran.features
    left, pixel, _, top, _, _ = dataset.GetGeoTransform()
    assert ran.files == [f"{feature['id']}.tif", "data.json"]
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "3857"
    assert pixel == pytest.approx(TILE_M / 256)
    for edge in (left, top):
        assert (edge / TILE_M) == pytest.approx(round(edge / TILE_M), abs=1e-6)
    assert dataset.RasterXSize % 256 == dataset.RasterYSize % 256 == 0
    west, south, east, north = feature["bbox"]
    assert (west, south) < (15.2900, 37.8450)
    assert (east, north) > (15.2912, 37.8458)
    assert described(dataset) == [*RGB, ALPHA]
    pixels = dataset.ReadAsArray()
    assert pixels.dtype == np.uint8
    assert (pixels[3] == 255).all()
    wanted = truth(dataset, ("B04", "B03", "B02"), display.grey_levels)
    assert np.abs(pixels[:3] - wanted).mean() < 0.5
    assert dataset.GetMetadataItem("SYNTHETIC") == "YES"
    assert feature["properties"]["synthetic"] is True
    assert (ran.quicklooks / f"{feature['id']}.jpg").is_file()


def test_the_zoom_level_is_the_pixel_and_pan_stands_before_alpha(bench):
    plain = opened(bench.run(registry.ONEATLAS_SPOT_AOICLIPPED, {"intersects": TINY}))
    coarse = opened(bench.run(registry.ONEATLAS_SPOT_AOICLIPPED, {"intersects": TINY, "zoom_level": 16}))
    with_pan = opened(bench.run(registry.ONEATLAS_SPOT_AOICLIPPED, {"intersects": TINY, "panchromatic_band": True}))
    assert plain.GetGeoTransform()[1] == pytest.approx(TILE_M / 128)
    assert coarse.GetGeoTransform()[1] == pytest.approx(TILE_M / 64)
    assert described(with_pan) == [*RGB, PAN, ALPHA]
    assert np.array_equal(with_pan.ReadAsArray()[[0, 1, 2, 4]], plain.ReadAsArray())
    assert np.abs(with_pan.ReadAsArray()[3] - truth(plain, ("PAN",), display.grey_levels)[0]).mean() < 0.5


def test_neighbours_agree_and_a_second_run_is_the_same(bench):
    beside = geometry.polygon_of((15.2906, 37.8452, 15.2920, 37.8461))
    one, other = (opened(bench.run(registry.ONEATLAS_PLEIADES_AOICLIPPED, {"intersects": a})) for a in (TINY, beside))
    grids = [grid_of(dataset) for dataset in (one, other)]
    left, top = max(grid.left for grid in grids), min(grid.top for grid in grids)
    right = min(grid.left + grid.width * grid.pixel for grid in grids)
    bottom = max(grid.top - grid.height * grid.pixel for grid in grids)

    def part(dataset, grid):
        place = ((left - grid.left) / grid.pixel, (grid.top - top) / grid.pixel)
        size = ((right - left) / grid.pixel, (top - bottom) / grid.pixel)
        return dataset.ReadAsArray(*(round(n) for n in (*place, *size))).astype(int)

    shared = [part(dataset, grid) for dataset, grid in zip((one, other), grids)]
    assert shared[0].shape[1] >= 256
    assert np.abs(shared[0] - shared[1]).max() <= 1
    again = bench.run(registry.ONEATLAS_PLEIADES_AOICLIPPED, {"intersects": TINY})
    assert np.array_equal(opened(again).ReadAsArray(), one.ReadAsArray())


def test_beyond_the_scene_the_tiles_are_transparent(tmp_path):
    scene = cut_footprint(pleiades_scene(), 15.2, 15.2906)
    ran = Workbench(tmp_path, WaveArchive([scene])).run(registry.ONEATLAS_PLEIADES_AOICLIPPED, {"intersects": TINY})
    pixels = opened(ran).ReadAsArray()
    assert (pixels[3, :, :100] == 255).all()
    assert (pixels[:, :, -100:] == 0).all()
    assert 0 < ran.usage.square_km < 0.6 * geometry.area_km2(TINY)


@pytest.mark.parametrize("test_query", [False, True])
@pytest.mark.parametrize(
    ("block", "zoom"), [(registry.ONEATLAS_PLEIADES_AOICLIPPED, 19), (registry.ONEATLAS_SPOT_AOICLIPPED, 8)]
)
def test_a_zoom_level_that_there_is_not_is_refused(bench, block, zoom, test_query):
    with pytest.raises(RunnerError) as caught:
        bench.run(block, {"intersects": TINY, "zoom_level": zoom}, test_query=test_query)
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"
    assert "zoom_level" in str(caught.value)


def test_the_price_is_that_of_the_tiles(bench):
    block = Catalogue.load().get(registry.ONEATLAS_PLEIADES_AOICLIPPED)
    inputs = {"a:1": {"intersects": SMALL_AREA, "zoom_level": 17}}
    priced = estimate([Link("a:1", block)], inputs, lambda *_: Coverage(1, 0.13))["a:1"]
    asked = bench.run(block.id, inputs["a:1"], test_query=True)
    ran = bench.run(block.id, inputs["a:1"])
    size = opened(ran)
    assert ran.usage.tiles == size.RasterXSize * size.RasterYSize // 256**2 > 1
    assert priced.amount == (ran.usage.tiles, ran.usage.tiles)
    assert consumed("TILE", {"tiles": ran.usage.tiles, "scenes": 1}) == ran.usage.tiles
    (feature,) = asked.features
    assert feature["estimatedCredits"] == 3 * ran.usage.tiles == priced.block_credits[0]
    assert asked.said(f"Estimated credits for this job: {3 * ran.usage.tiles}")
    assert asked.files == ["data.json"]


def test_sentinel_2_before_atmospheric_correction(bench):
    scene = sentinel_scene()
    name = scene.id.replace("L2A", "L1C")
    bench.archive.scenes = [pleiades_scene(), SPOT, scene]
    ran = bench.run(registry.SOBLOO_S2_L1C_AOICLIPPED, {"intersects": TINY})
    dataset = opened(ran)
    (feature,) = ran.features
    assert feature["properties"]["identification"]["externalId"] == name
    assert feature["properties"]["acquisition"]["beginViewingDate"] == scene.acquired.timestamp() * 1000
    assert (dataset.RasterXSize, dataset.RasterYSize) == (256, 256)
    assert dataset.GetGeoTransform()[1] == pytest.approx(9.5546, abs=1e-3)
    assert described(dataset) == [*RGB, ALPHA]
    clear = truth(dataset, ("B04", "B03", "B02"), display.grey_levels)
    haze = (dataset.ReadAsArray()[:3].astype(int) - clear).mean(axis=(1, 2))
    assert haze[2] > haze[0]  # the air is blue


def test_tiles_finer_than_the_sensor_are_enlarged_from_its_pixels(bench):
    ran = bench.run(registry.SENTINELHUB_S2_AOICLIPPED, {"intersects": TINY})
    dataset = opened(ran)
    assert described(dataset) == RGB
    assert dataset.GetRasterBand(1).GetNoDataValue() == 0
    assert dataset.GetGeoTransform()[1] == pytest.approx(TILE_M / 128)
    pixels = dataset.ReadAsArray().astype(int)
    wanted = truth(dataset, ("B04", "B03", "B02"), display.grey_levels)
    assert np.abs(pixels - wanted).mean() < 6  # the squares' edges are blurred over 10 m
    assert np.abs(np.diff(pixels[0])).max() < 15  # and nothing jumps


@pytest.mark.parametrize(
    ("bbox", "zoom", "wanted"),
    [
        ((15.29, 37.845, 15.2912, 37.8458), 18, (142205, 101258, 2, 2)),
        ((-180.0, -85.06, 180.0, 85.06), 0, (0, 0, 1, 1)),
        ((0.0, 0.0, 90.0, 66.51326044311186), 2, (2, 1, 1, 1)),
    ],
)
def test_tiles_over_a_box(bbox, zoom, wanted):
    tiles = tiles_over(bbox, zoom)
    assert (tiles.column, tiles.row, tiles.columns, tiles.rows) == wanted
