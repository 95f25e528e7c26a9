"""Preparing outputs: again, elsewhere, without room, cancelled at any moment; large rasters."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from osgeo import gdal

from tests.cancelling import CancelAt
from tests.raster_samples import analytic, coast, geotiff, output_of, pixels, pleiades_primary, safe, visual
from up42_plugin.api.errors import Cancelled
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.imagery import overviews
from up42_plugin.core.outputs import prepare_output

BEFORE = {"large.tif", "large.tif.aux.xml", "data.json", "0123_ms.tif", "0123_pan.tif"}


def prepare(folder, **options):
    return prepare_output(folder, ThreadContext(), **options)


def test_preparing_again_gives_equal_plans_and_makes_nothing_new(tmp_path):
    analytic(tmp_path)
    pleiades_primary(tmp_path)
    visual(tmp_path / "v.tif")
    wide = np.tile(coast()["B04"], (18, 16))
    geotiff(tmp_path / "large.tif", [wide])
    output_of(
        tmp_path,
        "large.tif",
        "S2B_33SWB_20210918_0_L2A_B04.tif",
        "S2B_33SWB_20210918_0_L2A_B03.tif",
        "0123_pan.tif",
        "v.tif",
    )
    first = prepare(tmp_path)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert prepare(tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == files


def test_a_moved_output_has_the_same_keys_and_its_virtual_rasters_work(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    names = [path.name for path in analytic(here)]
    pleiades_primary(here)
    safe(here / "uuid")
    first = prepare(output_of(here, *names, "0123_pan.tif", "uuid"))
    shutil.move(str(here), str(there))
    second = prepare(there)
    assert [plan.key for plan in second] == [plan.key for plan in first]
    for plan in second:
        assert str(there) in plan.source
        assert pixels(plan.source).max() > 0


def test_large_rasters_get_overviews_and_nothing_else_is_left(tmp_path):
    wide = np.tile(coast()["B04"], (18, 16))
    geotiff(tmp_path / "large.tif", [wide, wide, wide])
    output_of(tmp_path, "large.tif")
    reports = []
    prepare_output(tmp_path, ThreadContext(lambda percent, text: reports.append(percent)))
    made = {"large.tif.ovr", "large.tif.aux.xml"}
    assert {path.name for path in tmp_path.iterdir()} == {"data.json", "large.tif", *made}
    dataset = gdal.Open(str(tmp_path / "large.tif"))
    band = dataset.GetRasterBand(1)
    assert band.GetOverviewCount() == 4
    statistics = band.GetStatistics(True, False)  # those that are there, without reading pixels
    assert statistics[:2] == pytest.approx([band.GetOverview(3).ReadAsArray().min(), wide.max()], rel=0.2)
    assert statistics[2] == pytest.approx(wide.mean(), rel=0.05)
    reduced = band.GetOverview(0).ReadAsArray()
    assert reduced[5, 7] == pytest.approx(wide[10:12, 14:16].mean(), abs=1)
    assert reports == sorted(reports)
    assert len(reports) > 4


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32"])
def test_overviews_of_every_type_show_the_averages(tmp_path, kind):
    wide = np.tile(coast()["B04"], (18, 16)) // 10
    geotiff(tmp_path / "large.tif", [wide.astype(kind)])
    prepare(output_of(tmp_path, "large.tif"))
    dataset = gdal.Open(str(tmp_path / "large.tif"))
    reduced = dataset.GetRasterBand(1).GetOverview(0).ReadAsArray()
    average = wide.astype(kind).reshape(1080, 2, 1280, 2).mean(axis=(1, 3))
    assert np.abs(reduced - average).max() <= 1


def test_classes_are_not_averaged_in_overviews(tmp_path):
    checker = (np.indices((2100, 2100)).sum(axis=0) % 2 * 4).astype(np.uint8)
    geotiff(tmp_path / "a_kmeans.tif", [checker])
    prepare(output_of(tmp_path, "a_kmeans.tif"), block_name="kmeans-clustering")
    dataset = gdal.Open(str(tmp_path / "a_kmeans.tif"))
    reduced = dataset.GetRasterBand(1).GetOverview(0).ReadAsArray()
    assert set(np.unique(reduced)) <= {0, 4}


def test_cancelling_at_any_moment_leaves_no_half_made_file(tmp_path):
    wide = np.tile(coast()["B04"], (18, 16))
    geotiff(tmp_path / "large.tif", [wide])
    pleiades_primary(tmp_path)
    output_of(tmp_path, "large.tif", "0123_pan.tif")
    whole = CancelAt(10**9)
    prepare_output(tmp_path, whole)
    (tmp_path / "large.tif.ovr").unlink()
    for path in tmp_path.glob("*.vrt"):
        path.unlink()
    for moment in range(1, whole.calls + 1):
        with pytest.raises(Cancelled):
            prepare_output(tmp_path, CancelAt(moment))
        made = {path.name for path in tmp_path.rglob("*") if path.name not in BEFORE}
        for name in made:
            assert gdal.Open(str(next(tmp_path.rglob(name)))) is not None
            assert not name.startswith(".")
        (tmp_path / "large.tif.ovr").unlink(missing_ok=True)


def test_without_room_for_overviews_the_layer_still_comes(tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise overviews.RasterError("large.tif could not be read.", "No space left on device")

    monkeypatch.setattr(overviews, "build_overviews", full)
    wide = np.tile(coast()["B04"], (18, 16))
    geotiff(tmp_path / "large.tif", [wide])
    assert prepare(output_of(tmp_path, "large.tif"))[0].style.band.maximum > 0


def test_with_little_room_no_overviews_are_begun_and_the_log_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(overviews, "free_bytes", lambda _folder: 20_000_000)
    geotiff(tmp_path / "large.tif", [np.tile(coast()["B04"], (18, 16))])
    (plan,) = prepare(output_of(tmp_path, "large.tif"))
    assert "large.tif has no overviews" in plan.remark
    assert "20.0\u00a0MB free in the output folder." in plan.remark
    assert not (tmp_path / "large.tif.ovr").exists()
    assert plan.style.band.maximum > 0


@pytest.mark.parametrize("compress", ["NONE", "LZW"])
def test_overviews_are_compressed_when_the_raster_is(tmp_path, compress):
    wide = np.tile(coast()["B04"], (18, 16))
    geotiff(tmp_path / "large.tif", [wide], options=("TILED=YES", f"COMPRESS={compress}"))
    prepare(output_of(tmp_path, "large.tif"))
    made = gdal.Open(str(tmp_path / "large.tif.ovr")).GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE")
    assert (made is None) == (compress == "NONE")
    assert gdal.GetThreadLocalConfigOption("COMPRESS_OVERVIEW") is None


@pytest.mark.parametrize("mode", [True, False])
def test_it_works_whichever_way_gdal_reports_errors(tmp_path, mode):
    before = gdal.GetUseExceptions()
    (gdal.UseExceptions if mode else gdal.DontUseExceptions)()
    try:
        (tmp_path / "broken.tif").write_text("no")
        visual(tmp_path / "v.tif")
        plans = prepare(output_of(tmp_path, "broken.tif", "v.tif"))
        assert [bool(plan.problem) for plan in plans] == [True, False]
        assert bool(gdal.GetUseExceptions()) is mode
    finally:
        (gdal.UseExceptions if before else gdal.DontUseExceptions)()
