"""The outputs that the benchmarks fetch: real ones, and made alike each time."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path

import numpy as np
from osgeo import gdal

from tests.bench.scene_archive import BANDS, MB, TIF, long_archive, room_for, scene
from tests.byte_sources import MemorySource
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.imagery.rasters import describe
from up42_plugin.core.manifest import read_manifest
from up42_plugin.core.transfer import fetch_output

SIDE = 512


def test_the_scene_is_an_output_with_one_raster_in_noise(tmp_path: Path) -> None:
    packed = scene(tmp_path / "made", SIDE)
    folder = fetch_output(MemorySource(Path(packed.path).read_bytes()), tmp_path / "out", ThreadContext())
    (item,) = read_manifest(folder).items
    assert item.path == folder / TIF
    facts = describe(item.path)
    assert (facts.width, facts.height, len(facts.bands), facts.overviews) == (SIDE, SIDE, len(BANDS), 0)
    assert {band.dtype for band in facts.bands} == {"UInt16"}
    assert item.path.stat().st_size == packed.unpacked
    assert packed.unpacked >= SIDE * SIDE * len(BANDS) * 2
    assert 0.6 < packed.size / packed.unpacked < 0.8
    raster = gdal.Open(str(item.path))
    assert all(np.std(raster.GetRasterBand(number).ReadAsArray()) > 40 for number in range(1, 5))


def test_the_scene_is_made_once(tmp_path: Path) -> None:
    first = scene(tmp_path, 256)
    stamp = Path(first.path).stat().st_mtime_ns
    assert scene(tmp_path, 256) == first
    assert Path(first.path).stat().st_mtime_ns == stamp
    Path(first.path).write_bytes(b"cut")
    again = scene(tmp_path, 256)
    assert again == first  # to the byte
    assert Path(first.path).stat().st_size == first.size
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".tgz"]


def test_a_long_archive_is_whole_although_packed_once(tmp_path: Path) -> None:
    packed = long_archive(tmp_path, 9, block_mb=4)  # rounded up to three blocks
    assert packed.unpacked == 12 * MB
    with gzip.open(packed.path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        sizes = {}
        for member in archive:
            sizes[member.name] = member.size
            content = archive.extractfile(member)
            if member.name.endswith("data.json") and content is not None:
                assert json.load(content)["features"][0]["properties"]["up42.data_path"] == TIF
    assert sizes["output/" + TIF] == packed.unpacked
    assert packed.unpacked / packed.size < 2


def test_room_is_asked_for_before_gigabytes_are_written(tmp_path: Path) -> None:
    assert room_for(tmp_path, 0)
    assert not room_for(tmp_path, 1 << 60)
