"""Tiles of one image are one layer; what only looks like tiles is not."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from osgeo import gdal, ogr

from tests.output_samples import tiles, vectors
from tests.raster_samples import data_json, feature, pixels
from up42_plugin.api.errors import Cancelled
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.imagery.tiles import image_of_tile
from up42_plugin.core.layer_plan import VectorStyle
from up42_plugin.core.outputs import prepare_output

DAY = "2021-09-18T09:50:31Z"


def prepare(folder, **options):
    return prepare_output(folder, ThreadContext(), **options)


def described(folder, paths, day=DAY):
    """``data.json`` with a feature per tile."""
    features = [feature(path.relative_to(folder).as_posix(), datetime=day) for path in paths]
    return data_json(folder, *features)


def test_tiles_of_an_image_are_one_raster_and_their_outlines(tmp_path):
    made = tiles(tmp_path / "scene", "scene", missing=("2-1",))
    raster, outlines = prepare(described(tmp_path, made), block_title="Tiling")
    assert (raster.title, raster.checked, raster.group) == ("Tiling 2021-09-18", True, "")
    values = pixels(raster.source)[0]
    assert values.shape == (80, 120)
    assert [values[10, 10], values[50, 10], values[10, 50], values[50, 50], values[10, 110]] == [
        100,
        200,
        300,
        400,
        500,
    ]
    assert values[50, 110] == 0
    assert raster.nodata == 0.0
    assert (outlines.title, outlines.checked, outlines.group) == ("Tiling 2021-09-18, 5 tiles", False, "Tiles")
    assert (outlines.style, outlines.time_field) == (VectorStyle.FOOTPRINTS, "acquired")
    collection = json.loads((tmp_path / outlines.key).read_text())
    assert [one["properties"]["name"] for one in collection["features"]] == [path.stem for path in made]
    assert collection["features"][0]["properties"]["acquired"] == "2021-09-18T09:50:31Z"
    assert 15.2 < collection["features"][0]["geometry"]["coordinates"][0][0][0] < 15.3


def test_several_images_are_several_mosaics_and_zones_are_not_mixed(tmp_path):
    one = tiles(tmp_path / "a", "a")
    west = tiles(tmp_path / "b", "b", rows=1)
    east = tiles(tmp_path / "b", "b", rows=1, missing=("0-0",), epsg=32634)  # two of the three tiles lie elsewhere
    plans = prepare(described(tmp_path, [*one, *west[:1], *east]))
    mosaics = [plan for plan in plans if not plan.group]
    assert sorted(pixels(plan.source).shape for plan in mosaics) == [(1, 40, 40), (1, 40, 80), (1, 80, 120)]


@pytest.mark.parametrize("difference", ["days", "places", "grids", "types", "bands"])
def test_what_does_not_fit_together_stays_apart(tmp_path, difference):
    first = tiles(tmp_path, "a", columns=1, rows=1)
    options = {"grids": {"pixel": 7.0}, "types": {"kind": np.uint8}, "bands": {"bands": 3}}.get(difference, {})
    second = tiles(tmp_path, "a", columns=1, rows=2, missing=("0-0",), **options)
    if difference == "places":
        second = [shutil.copy(first[0], tmp_path / "a_0-1.tif")]
    days = ["2021-09-18", "2020-01-01"] if difference == "days" else ["2021-09-18"] * 2
    paths = ["a_0-0.tif", "a_0-1.tif"]
    data_json(tmp_path, *(feature(name, datetime=day) for name, day in zip(paths, days)))
    assert sorted(plan.source for plan in prepare(tmp_path)) == [str(tmp_path / name) for name in paths]
    assert len(second) == 1


def test_gaps_between_pictures_are_transparent(tmp_path):
    made = tiles(tmp_path, "a", missing=("1-0",), kind=np.uint8, bands=3)
    raster, _ = prepare(described(tmp_path, made))
    values = pixels(raster.source)
    assert values.shape[0] == 4
    assert (raster.style.alpha, values[3, 10, 50], values[3, 10, 10]) == (4, 0, 255)


@pytest.fixture(params=[True, False], ids=["GDAL raises errors", "GDAL returns errors"])
def _errors(request):
    before = gdal.GetUseExceptions()
    (gdal.UseExceptions if request.param else gdal.DontUseExceptions)()
    yield
    (gdal.UseExceptions if before else gdal.DontUseExceptions)()


@pytest.mark.usefixtures("_errors")
def test_tiles_in_a_grid_of_a_site_of_its_own_are_a_mosaic_without_outlines(tmp_path):
    made = tiles(tmp_path / "scene", "scene")
    for path in made:
        dataset = gdal.Open(str(path), gdal.GA_Update)
        dataset.SetProjection('LOCAL_CS["site",UNIT["metre",1]]')
        del dataset
    (raster,) = prepare(described(tmp_path, made))
    assert not raster.problem
    assert pixels(raster.source)[0].shape == (80, 120)
    assert raster.remark.startswith("The tiles of scene have no outlines: ")


def test_a_folder_of_tiles_is_a_mosaic_too_and_works_after_a_move(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    tiles(here / "scene", "scene")
    first = prepare(data_json(here, feature("scene", datetime=DAY)))
    shutil.move(str(here), str(there))
    second = prepare(there)
    assert [plan.key for plan in second] == [plan.key for plan in first]
    assert pixels(second[0].source).max() == 600


def test_names_of_tiles_and_names_that_are_none():
    assert image_of_tile("0b1c_12-3") == "0b1c"
    assert image_of_tile("0b1c_12-3_ndvi") == "0b1c_ndvi"
    assert image_of_tile("IMG_PHR1A_R2C10") == "IMG_PHR1A"
    for stem in ("S2B_33SWB_20210918_0_L2A", "x_2021-09-18", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "a_1"):
        assert image_of_tile(stem) == ""


def test_six_hundred_tiles_are_made_ready_once_and_drawn_from_overviews(tmp_path):
    made = tiles(tmp_path / "s", "s", columns=30, rows=20, side=128)
    described(tmp_path, made)
    raster, _ = prepare(tmp_path)
    dataset = gdal.Open(raster.source)
    assert (dataset.RasterXSize, dataset.RasterYSize) == (3840, 2560)
    assert dataset.GetRasterBand(1).GetOverviewCount() >= 3
    assert (tmp_path / f"{raster.key}.ovr").is_file()
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert prepare(tmp_path)[0] == raster
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == written


def test_cancelling_leaves_nothing_half_made_of_a_mosaic(tmp_path):
    described(tmp_path, tiles(tmp_path / "s", "s", columns=5, rows=4))
    before = set(tmp_path.rglob("*"))
    calls = []

    class Counting(ThreadContext):
        def __init__(self, most):
            super().__init__(None)
            self.left = most

        def check(self):
            calls.append(1)
            self.left -= 1
            if self.left < 0:
                raise Cancelled

    prepare_output(tmp_path, Counting(10**6))
    for path in set(tmp_path.rglob("*")) - before:
        path.unlink()
    for moment in range(0, len(calls), 7):
        with pytest.raises(Cancelled):
            prepare_output(tmp_path, Counting(moment))
        for path in set(tmp_path.rglob("*")) - before:
            assert not path.name.startswith(".")
            path.unlink()


def test_vectors_made_of_tiles_are_one_layer_that_names_the_tile(tmp_path):
    square, point = "POLYGON ((15 37, 16 37, 16 38, 15 38, 15 37))", "POINT (15 37)"
    for name, shape in (("0-0", square), ("0-1", point), ("1-0", square)):
        vectors(tmp_path / "s" / f"s_{name}.geojson", "GeoJSON", [("a", shape)], count=2)
    (tmp_path / "s" / "s_1-1.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    names = [f"s/s_{column}-{row}.geojson" for column in range(2) for row in range(2)]
    plans = prepare(data_json(tmp_path, *(feature(name, datetime=DAY) for name in names)), block_title="Vectorising")
    assert [plan.title for plan in plans] == ["Vectorising 2021-09-18 (Polygon)", "Vectorising 2021-09-18 (Point)"]
    path, _, layer = plans[0].source.partition("|layername=")
    source = ogr.Open(path)
    found = [(one.GetField("tile"), one.GetField("number")) for one in source.GetLayerByName(layer)]
    assert sorted(found) == [("s_0-0", 0), ("s_0-0", 1), ("s_1-0", 0), ("s_1-0", 1)]
    assert prepare(tmp_path, block_title="Vectorising") == plans
