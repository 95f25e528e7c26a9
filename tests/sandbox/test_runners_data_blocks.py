"""Data blocks: what test queries describe, what live jobs deliver, and what they refuse."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from dataclasses import replace

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import (
    AREA,
    NOTE,
    SMALL_AREA,
    WaveArchive,
    Workbench,
    cut_footprint,
    grid_of,
    pleiades_scene,
    sentinel_scene,
    stop_after,
)

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError, RunnerStopped
from up42_plugin.sandbox.runners.parameters import scene_query
from up42_plugin.sandbox.runners.scenes import sentinel2

DATA_BLOCKS = (
    registry.AWS_S2_L2A,
    registry.ESA_S2_L2A_GTIFF_VISUAL,
    registry.ESA_S2_L2A_GTIFF_ANALYTIC,
    registry.ONEATLAS_PLEIADES_PRIMARY,
)
WINDOWS = ["2021-06-01T00:00:00Z/2021-06-30T23:59:59Z", "2021-07-01T00:00:00+00:00/2021-07-31T23:59:59"]


@pytest.fixture
def bench(tmp_path):
    scenes = [sentinel_scene(days, cloud) for days, cloud in ((0, 5.0), (5, 60.0), (10, 8.0), (20, 30.0))]
    return Workbench(tmp_path, WaveArchive([*scenes, pleiades_scene()]))


@pytest.mark.parametrize("block", DATA_BLOCKS)
def test_a_test_query_describes_scenes_and_delivers_nothing_but_pictures(bench, block):
    ran = bench.run(block, {"intersects": SMALL_AREA, "limit": 2}, test_query=True)

    assert ran.files == ["data.json"]
    assert len(ran.features) == ran.usage.scenes > 0
    scenes = {scene.id: scene for scene in bench.archive.scenes}
    for feature in ran.features:
        properties = feature["properties"]
        assert not [key for key in properties if key.startswith("up42.")]
        assert properties["synthetic"] is True
        assert properties["note"] == NOTE
        shown = [scene for scene in scenes.values() if scene.footprint == feature["geometry"]]
        assert shown
        assert feature["bbox"] == list(shown[0].bbox)
        picture = gdal.Open(str(ran.quicklooks / f"{feature['id']}.jpg"))
        assert (picture.RasterXSize, picture.RasterYSize, picture.RasterCount) == (512, 512, 3)
        assert picture.ReadAsArray().std() > 20
    assert ran.said(f"Search gave {len(ran.features)} results")
    assert ran.said(f"Saving {len(ran.features)} result features to data.json")


@pytest.mark.parametrize("block", DATA_BLOCKS)
def test_a_test_query_that_finds_nothing_leaves_an_empty_collection(bench, block):
    ran = bench.run(
        block, {"intersects": SMALL_AREA, "time": "2019-01-01T00:00:00Z/2019-02-01T00:00:00Z"}, test_query=True
    )

    assert ran.features == []
    assert ran.said("Search gave 0 results")
    assert ran.said("No images fit")
    assert ran.usage.scenes == 0
    assert list(ran.quicklooks.iterdir()) == []


@pytest.mark.parametrize("block", DATA_BLOCKS)
def test_a_live_job_that_finds_nothing_stops(bench, block):
    with pytest.raises(RunnerError) as caught:
        bench.run(block, {"intersects": SMALL_AREA, "time": "2019-01-01T00:00:00Z/2019-02-01T00:00:00Z"})
    assert caught.value.code == "NO_INPUT_ERROR"


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({}, "Exactly one"),
        ({"intersects": SMALL_AREA, "bbox": [15.28, 37.84, 15.3, 37.85]}, "Exactly one"),
        ({"bbox": [15.3, 37.84, 15.28, 37.85]}, "west"),
        ({"bbox": [15.3, 37.84]}, "four numbers"),
        ({"contains": {"type": "Point", "coordinates": [15, 37]}}, "Polygon"),
        ({"intersects": SMALL_AREA, "time": "2021-06-01"}, "two times"),
        ({"intersects": SMALL_AREA, "time": "2021-06-31T00:00:00Z/2021-07-01T00:00:00Z"}, "RFC 3339"),
        ({"intersects": SMALL_AREA, "limit": "many"}, "many"),
    ],
)
def test_parameters_that_make_no_sense_are_named(bench, parameters, word):
    with pytest.raises(RunnerError, match=word) as caught:
        bench.run(registry.AWS_S2_L2A, parameters, test_query=True)
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def found(ran):
    return [feature["properties"]["identifier"][11:19] for feature in ran.features]


def test_newest_scenes_come_first_and_clouds_and_limit_hold(bench):
    ran = bench.run(
        registry.AWS_S2_L2A, {"intersects": SMALL_AREA, "limit": 10, "max_cloud_cover": 30}, test_query=True
    )
    assert found(ran) == ["20210710", "20210630", "20210620"]


def test_parameters_that_are_null_restrict_nothing():
    names = ("limit", "time", "time_series", "max_cloud_cover", "ids", "bbox", "contains")
    query = scene_query("sentinel2", {"intersects": SMALL_AREA, **dict.fromkeys(names)})
    assert (query.limit, query.times, query.max_cloud_cover, query.ids) == (None, (), 100.0, None)


def test_the_limit_counts_in_each_range_of_a_time_series(bench):
    parameters = {
        "contains": SMALL_AREA,
        "limit": 1,
        "time_series": WINDOWS,
        "time": "2010-01-01T00:00:00Z/2010-01-02T00:00:00Z",
    }
    ran = bench.run(registry.AWS_S2_L2A, parameters, test_query=True)
    assert found(ran) == ["20210710", "20210630"]
    assert bench.archive.queries[-1].relation == "contains"


def test_ids_replace_times_limit_and_clouds(bench):
    wanted = bench.archive.scenes[1].id
    parameters = {"bbox": [15.29, 37.845, 15.2945, 37.848], "ids": [wanted], "max_cloud_cover": 1, "limit": 1}
    ran = bench.run(registry.AWS_S2_L2A, parameters, test_query=True)
    assert found(ran) == ["20210625"]
    assert bench.archive.queries[-1].relation == "intersects"


def test_the_id_of_a_feature_is_as_good_as_the_name_of_the_scene(bench):
    first = bench.run(registry.AWS_S2_L2A, {"intersects": SMALL_AREA, "limit": 4}, test_query=True)
    second = bench.run(
        registry.AWS_S2_L2A, {"intersects": SMALL_AREA, "ids": [first.features[2]["id"].upper()]}, test_query=True
    )
    assert [feature["id"] for feature in second.features] == [first.features[2]["id"]]


def test_an_unknown_id_finds_nothing(bench):
    with pytest.raises(RunnerError, match="No images"):
        bench.run(registry.AWS_S2_L2A, {"intersects": SMALL_AREA, "ids": [str(uuid.uuid4())]})


def test_uuid_features_have_random_looking_uuids_that_stay_the_same(bench):
    runs = [bench.run(registry.AWS_S2_L2A, {"intersects": SMALL_AREA}, test_query=True) for _ in range(2)]
    ids = {ran.features[0]["id"] for ran in runs}
    assert len(ids) == 1
    assert uuid.UUID(ids.pop()).version == 4


def test_pleiades_test_queries_tell_price_and_size_beside_the_properties(bench):
    ran = bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": AREA}, test_query=True)
    feature = ran.features[0]
    assert feature["estimatedCredits"] == 2012  # 1000 for each of 2.0114 km², rounded up
    assert feature["fileSize"] > 0
    assert feature["properties"]["parentIdentifier"] == bench.archive.scenes[-1].id
    assert feature["properties"]["cloudCover"] == 2.31
    assert ran.said("Estimated credits for this job: 2012")
    assert ran.usage.square_km == pytest.approx(geometry.area_km2(AREA), rel=1e-6)


def test_the_price_holds_across_the_antimeridian(bench):
    scene = pleiades_scene()
    around = [[lon - 15.29 + 179.99, lat] for lon, lat in scene.footprint["coordinates"][0]]
    area = {"type": "Polygon", "coordinates": [[[lon - 15.29 - 179.98, lat] for lon, lat in AREA["coordinates"][0]]]}
    footprint = {"type": "Polygon", "coordinates": [around]}
    bench.archive.search = lambda _query: [replace(scene, footprint=footprint)]
    ran = bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": area}, test_query=True)
    assert ran.features[0]["estimatedCredits"] == 2012


def test_stereo_images_only_finds_just_those(bench):
    mono = pleiades_scene()
    stereo = replace(mono, id=mono.id.replace("0417", "0418"), properties={**mono.properties, "stereo": True})
    bench.archive.scenes = [mono, stereo]
    parameters = {"intersects": SMALL_AREA, "limit": 500, "stereo_images_only": True}
    ran = bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, parameters, test_query=True)
    assert [feature["properties"]["acquisitionIdentifier"] for feature in ran.features] == [stereo.id]


def test_the_visual_image_is_the_true_colour_of_the_area_in_utm(bench):
    ran = bench.run(registry.ESA_S2_L2A_GTIFF_VISUAL, {"contains": AREA, "max_cloud_cover": 20})

    (feature,) = ran.features
    name = "S2A_33SWB_20210630_0_L2A"
    assert feature["id"] == name
    assert feature["properties"]["up42.data_path"] == f"{name}.tif"
    assert feature["properties"]["datetime"] == "2021-06-30T09:51:56Z"
    assert feature["properties"]["eo:cloud_cover"] == 8.0
    assert (ran.quicklooks / f"{name}.jpg").is_file()
    raster = gdal.Open(str(ran.output / f"{name}.tif"))
    values, grid = raster.ReadAsArray(), grid_of(raster)
    assert values.dtype == np.uint8
    assert raster.RasterCount == 3
    assert grid.pixel == 10
    assert raster.GetSpatialRef().GetAuthorityCode(None) == "32633"
    assert raster.GetRasterBand(1).GetNoDataValue() == 0
    seen = bench.archive.read(bench.archive.scenes[2], ("B04", "B03", "B02"), grid)
    assert np.array_equal(values, sentinel2.true_colour(sentinel2.digital_numbers(seen)))
    assert values.min() >= 1
    assert values.std() > 10
    west, south, east, north = geometry.bounds(AREA)
    left, bottom, right, top = feature["bbox"]
    assert left <= west
    assert bottom <= south
    assert right >= east
    assert top >= north
    assert (right - left) - (east - west) < 0.0006  # no more than some pixels around
    assert raster.GetMetadataItem("SYNTHETIC") == "YES"
    assert NOTE in raster.GetMetadataItem("TIFFTAG_IMAGEDESCRIPTION")
    assert ran.usage.output_bytes == sum((ran.output / path).stat().st_size for path in ran.files)


def test_what_lies_outside_the_swath_is_nodata(bench):
    bench.archive.scenes = [cut_footprint(sentinel_scene(), 15.0, 15.29)]
    ran = bench.run(registry.ESA_S2_L2A_GTIFF_VISUAL, {"intersects": AREA})
    values = gdal.Open(str(next(ran.output.glob("*.tif")))).ReadAsArray()
    assert (values[:, :, :60] > 0).all()
    assert (values[:, :, -60:] == 0).all()
    assert ran.usage.square_km < 0.6 * geometry.area_km2(AREA)


def test_a_scene_without_a_pixel_in_the_area_is_left_out(bench):
    bench.archive.search = lambda _query: [cut_footprint(sentinel_scene(10), 16.0, 16.2), sentinel_scene()]
    ran = bench.run(registry.ESA_S2_L2A_GTIFF_ANALYTIC, {"intersects": SMALL_AREA})
    assert {feature["id"] for feature in ran.features} == {"S2A_33SWB_20210620_0_L2A"}
    assert ran.said("has no pixels in the area")
    assert not [path for path in ran.files if "20210630" in path]
    assert [path.name for path in ran.quicklooks.iterdir()] == ["S2A_33SWB_20210620_0_L2A.jpg"]


def test_analytic_bands_come_one_by_one_at_their_own_resolution(bench):
    ran = bench.run(registry.ESA_S2_L2A_GTIFF_ANALYTIC, {"intersects": AREA, "max_cloud_cover": 10})

    scene = bench.archive.scenes[2]
    assert {feature["id"] for feature in ran.features} == {"S2A_33SWB_20210630_0_L2A"}
    names = [feature["properties"]["up42.data_path"] for feature in ran.features]
    assert [re.search(r"_L2A_(\w+)\.tif", name).group(1) for name in names] == [*sentinel2.BANDS, "WVP"]
    for name in names:
        raster = gdal.Open(str(ran.output / name))
        values, grid = raster.ReadAsArray(), grid_of(raster)
        band = name[-7:-4]
        assert values.dtype == np.uint16
        assert (values > 0).all()
        if band == "WVP":
            assert grid.pixel == 10
            assert 200 < values.mean() < 6000
            continue
        assert grid.pixel == sentinel2.BANDS[band].pixel
        assert np.array_equal(values, sentinel2.digital_numbers(bench.archive.read(scene, [band], grid))[0])


def test_a_cancelled_block_stops_at_once_and_leaves_no_half_file(bench):
    task = bench.task(
        registry.ESA_S2_L2A_GTIFF_ANALYTIC, {"intersects": AREA}, check=stop_after(1, RunnerStopped("cancelled"))
    )
    with pytest.raises(RunnerStopped):
        registry.RUNNERS[registry.ESA_S2_L2A_GTIFF_ANALYTIC](task)
    assert list(task.target.glob("*.tif")) == []


@pytest.mark.parametrize("exceptions", [True, False])
def test_gdal_exceptions_may_be_on_or_off(bench, exceptions):
    before = gdal.GetUseExceptions()
    try:
        gdal.UseExceptions() if exceptions else gdal.DontUseExceptions()
        ran = bench.run(registry.ESA_S2_L2A_GTIFF_VISUAL, {"intersects": SMALL_AREA})
        assert ran.features
        blocked = bench.task(registry.ESA_S2_L2A_GTIFF_VISUAL, {"intersects": SMALL_AREA})
        blocked.target.rmdir()
        blocked.target.write_text("in the way")
        with pytest.raises(RunnerError) as caught:
            registry.RUNNERS[registry.ESA_S2_L2A_GTIFF_VISUAL](blocked)
        assert caught.value.code == "NO_OUTPUT_ERROR"
    finally:
        gdal.UseExceptions() if before else gdal.DontUseExceptions()


def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path):
    pytest.importorskip("resource")
    script = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
path = Path(sys.argv[1])
try:
    with TiffWriter(path, TiffSpec(1000, 1000, (BandSpec("noise"),), "uint16")) as writer:
        writer.write(1, np.random.default_rng(1).integers(1, 60000, (1000, 1000), np.uint16))
except RunnerError as error:
    print(error.code, path.exists())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.tif")], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["NO_OUTPUT_ERROR", "False"], done.stderr


def test_the_registry_loads_neither_numpy_nor_gdal():
    script = (
        "import sys; from up42_plugin.sandbox.runners.registry import RUNNERS; "
        "print(bool(RUNNERS), 'numpy' in sys.modules, 'osgeo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", "False", "False"]
