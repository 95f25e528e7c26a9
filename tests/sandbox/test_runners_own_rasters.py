"""The account's own GeoTIFF files, taken from a bucket."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from derived_kit import made_archive
from osgeo import gdal
from runner_kit import AREA, Workbench

from up42_plugin.sandbox import bucket_files
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError

WHERE = {"cloud_provider": "gcs", "bucket_name": bucket_files.BUCKET}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("own"), made_archive())


@pytest.fixture(scope="module")
def buckets(tmp_path_factory):
    return tmp_path_factory.mktemp("buckets")


def taken(bench, buckets, **parameters):
    return bench.run(registry.GEOTIFF_CUSTOM, {**WHERE, **parameters}, buckets=buckets)


def names(ran):
    return [feature["filename"] for feature in ran.features]


def test_files_come_as_they_are_stored(bench, buckets):
    ran = taken(bench, buckets, intersects=AREA, limit=10)
    assert names(ran) == [
        "orthophoto_2021.tif",
        "multispectral_2021-04.tif",
        "warmth_index.tif",
        "land_cover.tif",
        "heights.tif",
    ]
    kinds = set()
    for feature in ran.features:
        path = ran.output / feature["properties"]["up42.data_path"]
        (stored,) = (buckets / bucket_files.BUCKET).rglob(path.name)
        assert path.read_bytes() == stored.read_bytes()
        raster = gdal.Open(str(path))
        about = feature["properties"]
        kinds.add((about["crs"], about["dtype"], about["count"]))
        assert (about["width"], about["height"]) == (raster.RasterXSize, raster.RasterYSize)
        assert about["nodata"] == raster.GetRasterBand(1).GetNoDataValue()
        assert about["synthetic"] is True
        assert np.ptp(raster.ReadAsArray()) > 0
    assert kinds == {
        ("EPSG:32633", "uint8", 3),
        ("EPSG:3857", "uint16", 4),
        ("EPSG:4326", "int16", 1),
        ("EPSG:32633", "uint8", 1),
        ("EPSG:3035", "float32", 1),
    }


def test_the_newest_one_is_taken_unless_more_is_asked_for(bench, buckets):
    assert names(taken(bench, buckets, intersects=AREA)) == ["orthophoto_2021.tif"]
    early = taken(bench, buckets, intersects=AREA, limit=5, time="2020-01-01T00:00:00Z/2020-12-31T00:00:00Z")
    assert len(early.features) == 3
    assert names(taken(bench, buckets, intersects=AREA, limit=5, prefix="coast/")) == ["multispectral_2021-04.tif"]
    assert len(taken(bench, buckets, contains=AREA, limit=5).features) < 5


def test_names_replace_every_other_filter(bench, buckets):
    ran = taken(bench, buckets, filenames=["heights.tif", "coast/multispectral_2021-04.tif"], limit=1)
    assert names(ran) == ["heights.tif", "multispectral_2021-04.tif"]
    with pytest.raises(RunnerError, match=r"Not in the bucket: a.tif") as caught:
        taken(bench, buckets, filenames=["a.tif"])
    assert caught.value.code == "NO_INPUT_ERROR"


def test_any_folder_is_a_bucket_and_any_raster_a_file(bench, buckets):
    mine = buckets / "mine" / "deep"
    mine.mkdir(parents=True)
    raster = gdal.GetDriverByName("GTiff").Create(str(mine / "plain.TIF"), 7, 5, 2, gdal.GDT_CFloat32)
    del raster
    (mine / "not.tif").write_bytes(b"nothing")
    ran = bench.run(
        registry.GEOTIFF_CUSTOM,
        {"cloud_provider": "aws", "bucket_name": "mine", "filenames": ["plain.TIF"]},
        buckets=buckets,
    )
    (feature,) = ran.features
    assert feature["properties"]["crs"] is None
    assert "synthetic" not in feature["properties"]
    assert ran.files == ["data.json", "plain.TIF"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"bucket_name": "nowhere"}, "sandbox has up42-sandbox"),
        ({"bucket_name": ".."}, "does not exist"),
        ({"bucket_name": "a/b"}, "does not exist"),
        ({"cloud_provider": "floppy"}, "gcs, aws"),
    ],
)
def test_what_is_no_bucket_is_refused(bench, buckets, parameters, said):
    with pytest.raises(RunnerError, match=said) as caught:
        taken(bench, buckets, intersects=AREA, **parameters)
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def test_nothing_fits_elsewhere(bench, buckets):
    with pytest.raises(RunnerError, match="No file") as caught:
        taken(bench, buckets, bbox=[1, 1, 2, 2])
    assert caught.value.code == "NO_INPUT_ERROR"


def test_two_jobs_fill_the_bucket_once(tmp_path, monkeypatch):
    monkeypatch.setattr(bucket_files, "FILES", bucket_files.FILES[-2:])
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: bucket_files.bucket(tmp_path, bucket_files.BUCKET), range(2)))
    assert folders[0] == folders[1]
    assert len(list(folders[0].rglob("*.tif"))) == 2
    assert [path.name for path in tmp_path.iterdir()] == [bucket_files.BUCKET]


def test_names_that_not_every_system_holds_go_through_a_chain(bench, tmp_path):
    name = "2021-06-20T09:50:00?.tif"
    (tmp_path / "mine").mkdir()
    (source,) = (bucket_files.bucket(tmp_path, bucket_files.BUCKET)).rglob("land_cover.tif")
    (tmp_path / "mine" / name).write_bytes(source.read_bytes())
    ran = bench.run(registry.GEOTIFF_CUSTOM, {**WHERE, "bucket_name": "mine", "intersects": AREA}, buckets=tmp_path)
    tiled = bench.after(ran, registry.TILING)
    drawn = bench.after(tiled, registry.VECTORISING, {"n_sieve_pixels": 50})
    assert [f["properties"]["up42.data_path"] for f in ran.features] == [name]
    assert [f["properties"]["up42.data_path"] for f in drawn.features] == ["2021-06-20T09:50:00?_0-0.geojson"]
    assert not {character for file in (*ran.files, *tiled.files, *drawn.files) for character in file} & set(":?")
