"""Heights of the ground and of what stands on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from derived_kit import made_archive, same_files
from osgeo import gdal
from runner_kit import AREA, SMALL_AREA, Workbench

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.archive import Grid, SceneQuery
from up42_plugin.sandbox.geodesy import grid_lonlat
from up42_plugin.sandbox.made_archive import MadeArchive
from up42_plugin.sandbox.runners import grids, registry
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.world import view


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("heights"), made_archive())


def opened(ran):
    """Rasters of a run by the model that ``data.json`` names."""
    found = {}
    for feature in ran.features:
        path = ran.output / feature["properties"]["up42.data_path"]
        found[feature["properties"].get("elevationModel", "")] = gdal.Open(str(path))
    return found


def grid_of(raster):
    left, pixel, _, top, _, _ = raster.GetGeoTransform()
    return Grid(4326, left, top, pixel, raster.RasterXSize, raster.RasterYSize)


def test_surface_and_terrain_agree_with_the_ground(bench):
    ran = bench.run(registry.NEXTMAP_5M, {"intersects": AREA})
    models = opened(ran)
    assert ran.files == sorted([*(f"{feature['id']}.tif" for feature in ran.features), "data.json"])
    assert list(models) == ["DSM", "DTM"]
    surface, terrain = (models[name].ReadAsArray() for name in ("DSM", "DTM"))
    grid = grid_of(models["DTM"])
    assert (surface.dtype, models["DSM"].RasterCount) == (np.float32, 1)
    assert "4326" in models["DSM"].GetProjection()
    assert models["DSM"].GetMetadataItem("SYNTHETIC") == "YES"
    inside = grids.mask(AREA, grid)
    assert np.array_equal(terrain == -9999, ~inside)
    lon, lat = grid_lonlat(grid)
    truth = view.elevation(lon, lat, 5.0)[inside]
    high = truth > 3
    assert np.abs(terrain[inside][high] - truth[high]).max() < 0.01
    deep = truth < -3
    assert 0.02 < deep.mean() < 0.6
    assert (terrain[inside][deep] == 0).all()
    assert (surface[inside][deep] == 0).all()
    rise = (surface - terrain)[inside]
    assert rise.min() >= 0
    assert 2 < rise.max() < 30
    roofs = view.roofs(lon, lat, 5.0)[inside] > 0
    assert rise[roofs].mean() > 3


def test_the_shore_is_where_images_have_it(bench):
    raster = opened(bench.run(registry.NEXTMAP_5M, {"intersects": AREA}))["DTM"]
    grid = replace(grid_of(raster))
    archive = made_archive()
    (scene,) = archive.search(SceneQuery("sentinel2", AREA, "contains", limit=1, max_cloud_cover=1))
    (short,) = archive.read(scene, ["B12"], grid)
    inside = grids.mask(AREA, grid)
    sea = raster.ReadAsArray() == 0
    assert ((short < 0.02) == sea)[inside].mean() > 0.97


def test_worlddem_is_a_file_without_an_ending(bench):
    ran = bench.run(registry.ONEATLAS_WORLDDEM, {"bbox": list(geometry.bounds(AREA))})
    (feature,) = ran.features
    path = feature["properties"]["up42.data_path"]
    assert path == f"{feature['orderID']}/{feature['id']}"
    assert "." not in path
    assert ran.files == sorted([path, "data.json"])
    raster = gdal.Open(str(ran.output / path))
    assert raster.GetDriver().ShortName == "GTiff"
    assert raster.GetGeoTransform()[1] == pytest.approx(12 / 111_320)
    assert raster.ReadAsArray().max() > 50
    assert feature["areaKm2"] == pytest.approx(ran.usage.square_km, abs=0.01)


def test_resolutions_differ_and_two_runs_are_equal(bench):
    one, other = (bench.run(registry.NEXTMAP_1M, {"intersects": SMALL_AREA}) for _ in range(2))
    assert same_files(one, other)
    fine = opened(one)["DSM"]
    coarse = opened(bench.run(registry.NEXTMAP_10M, {"intersects": SMALL_AREA}))["DSM"]
    assert fine.GetGeoTransform()[1] == pytest.approx(coarse.GetGeoTransform()[1] / 10)


def test_whole_tiles_fit_together_and_cover_the_area(bench):
    across = geometry.polygon_of((15.2985, 37.8420, 15.3015, 37.8450))
    ran = bench.run(registry.NEXTMAP_1M, {"intersects": across, "clip_to_aoi": False})
    assert len(ran.features) == 2 * 2
    boxes = {tuple(feature["bbox"]) for feature in ran.features}
    assert boxes == {(15.29, 37.84, 15.3, 37.85), (15.3, 37.84, 15.31, 37.85)}
    for raster in opened(ran).values():
        assert (raster.ReadAsArray() > -9999).all()


def test_too_large_an_area_is_refused(bench):
    with pytest.raises(RunnerError, match="250 sqkm") as caught:
        bench.run(registry.NEXTMAP_1M, {"bbox": [15.0, 37.7, 15.3, 37.9]})
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def test_a_test_query_of_worlddem_names_no_files(bench):
    ran = bench.run(registry.ONEATLAS_WORLDDEM, {"intersects": AREA}, test_query=True)
    assert ran.files == ["data.json"]
    assert "up42.data_path" not in ran.features[0]["properties"]
    assert ran.features[0]["areaKm2"] == pytest.approx(2.01, abs=0.01)


def test_another_world_has_other_heights(tmp_path):
    other = Workbench(tmp_path, MadeArchive(seed=11)).run(registry.NEXTMAP_10M, {"intersects": AREA})
    usual = Workbench(tmp_path / "usual", made_archive()).run(registry.NEXTMAP_10M, {"intersects": AREA})
    heights = [opened(ran)["DTM"].ReadAsArray() for ran in (other, usual)]
    assert heights[0].shape == heights[1].shape
    assert not np.array_equal(*heights)
