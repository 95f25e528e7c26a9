"""The first pixels of an output: which quicklook is taken, and what is left of it."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import numpy as np
import pytest
from osgeo import gdal

from tests.job_samples import SENTINEL, SUPER_RESOLUTION
from tests.staged_provider import StagedProvider, scene
from up42_plugin.api.errors import NetworkError, ServerError
from up42_plugin.core.aoi import AOI
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.quicklooks import prepare_test_query
from up42_plugin.core.scenes import Quicklook
from up42_plugin.core.stand_in import Wanted, fetch_stand_in, known_stand_in, makes_rasters, remove_old

# The lower left half of a box that scene 1 covers in part.
TRIANGLE = AOI.from_geojson(
    {"type": "Polygon", "coordinates": [[[15.25, 37.85], [15.27, 37.85], [15.25, 37.87], [15.25, 37.85]]]}
)


def picture(found):
    """A PNG of the scene, red in its west and blue in its east."""
    memory = gdal.GetDriverByName("MEM").Create("", 100, 100, 3, gdal.GDT_Byte)
    east = np.arange(100) >= 50
    bands = np.stack([np.where(east, 10, 200), np.full(100, 60), np.where(east, 200, 10)])
    memory.WriteArray(np.repeat(bands[:, None, :], 100, axis=1).astype(np.uint8))
    gdal.GetDriverByName("PNG").CreateCopy("/vsimem/stand_in_test.png", memory)
    file = gdal.VSIFOpenL("/vsimem/stand_in_test.png", "rb")
    content = bytes(gdal.VSIFReadL(1, 1 << 20, file))
    gdal.VSIFCloseL(file)
    gdal.Unlink("/vsimem/stand_in_test.png")
    return Quicklook(found, content, ".png", found.bbox)


@pytest.fixture
def provider():
    provider = StagedProvider()
    provider.answers["quicklook"] = picture
    return provider


def wanted(folder, area=TRIANGLE, known=()):
    return Wanted("job-1", SUPER_RESOLUTION, area, tuple(known), folder)


def fetched(provider, folder, **how):
    context = ThreadContext()
    with provider.open(context) as service:
        return fetch_stand_in(service, wanted(folder, **how), context)


def test_it_is_the_quicklook_inside_the_area_alone(provider, tmp_path):
    plan = fetched(provider, tmp_path)
    assert plan.title == "Super-resolution 2026-11-01"
    assert not plan.problem
    opened = gdal.Open(plan.source)
    west, pixel, _, north, _, _ = opened.GetGeoTransform()
    assert (round(west, 6), round(north, 6)) == (15.25, 37.87)
    assert round(west + pixel * opened.RasterXSize, 6) == 15.27
    alpha = opened.GetRasterBand(4).ReadAsArray()
    assert 0.49 < (alpha == 255).mean() < 0.51
    assert alpha[-1, 0] == 255
    assert alpha[0, -1] == 0


def test_without_an_area_it_is_all_of_the_quicklook(provider, tmp_path):
    plan = fetched(provider, tmp_path, area=None)
    west, _, _, north, _, _ = gdal.Open(plan.source).GetGeoTransform()
    assert (round(west, 6), round(north, 6)) == (15.21, 37.9)


def test_the_newest_scene_that_covers_the_area_is_taken(provider, tmp_path):
    far = scene(9, bbox=(20.0, 37.8, 20.1, 37.9))
    provider.answers["scenes"] = (scene(1), scene(4), far)
    assert fetched(provider, tmp_path).title == "Super-resolution 2026-11-04"
    assert [found.feature_id for (found,) in provider.called("quicklook")] == ["feature-4"]


def test_a_scene_without_a_quicklook_is_passed_over(provider, tmp_path):
    provider.answers["scenes"] = (scene(1), scene(2), scene(3))
    provider.answers["quicklook"] = [
        ServerError("UP42 has a problem (500).", status=500),
        lambda _scene: None,
        picture,
    ]
    assert fetched(provider, tmp_path).title == "Super-resolution 2026-11-01"


@pytest.mark.parametrize("scenes", [(), (scene(1, bbox=(20.0, 37.8, 20.1, 37.9)),)])
def test_where_there_is_none_nothing_is_written(provider, tmp_path, scenes):
    provider.answers["scenes"] = scenes
    assert fetched(provider, tmp_path / "cache") is None
    assert not (tmp_path / "cache").exists()


def test_nobody_is_asked_again_when_the_network_is_gone(provider, tmp_path):
    provider.answers["scenes"] = tuple(scene(number) for number in range(1, 4))
    provider.answers["quicklook"] = NetworkError("No answer.")
    assert fetched(provider, tmp_path) is None
    assert len(provider.called("quicklook")) == 1


def test_a_quicklook_on_disk_needs_no_service(tmp_path):
    scenes = (scene(1), scene(2))
    prepare_test_query(scenes, [picture(found) for found in scenes], tmp_path / "quicklooks", ThreadContext())
    plan = known_stand_in(wanted(tmp_path / "cache", known=[tmp_path / "none", tmp_path / "quicklooks"]))
    assert plan is not None
    assert plan.title == "Super-resolution 2026-11-02"
    assert plan.source == str(tmp_path / "cache" / "stand-in.tif")


@pytest.mark.parametrize("spoilt", ["{", '{"features": [{"properties": {"acquired": "yesterday"}}]}', "[]"])
def test_one_that_cannot_be_read_is_no_reason_to_fail(tmp_path, spoilt):
    (tmp_path / "scene_footprints.geojson").write_text(spoilt)
    assert known_stand_in(wanted(tmp_path / "cache", known=[tmp_path])) is None


def test_only_rasters_are_stood_in_for():
    vector = replace(SUPER_RESOLUTION, capabilities={"input": {}, "output": {"vector": {"geojson": {}}}})
    raster = replace(SENTINEL, capabilities={"output": {"raster": {"up42_standard": {"format": "GTiff"}}}})
    assert not makes_rasters(vector)
    assert makes_rasters(raster)
    assert makes_rasters(replace(SENTINEL, capabilities={})), "the service does not tell"


def test_old_ones_go_and_new_ones_stay(tmp_path):
    for name, age in (("old", 31), ("new", 29)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stand-in.tif").write_bytes(b"x")
        then = time.time() - age * 24 * 3600
        os.utime(tmp_path / name, (then, then))
    remove_old(tmp_path, 30)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    remove_old(tmp_path / "none", 30)
