"""Outputs to be fetched: one large GeoTIFF in a tar.gz, as a service packs it.

Two kinds. :func:`scene` is an output like a real one: sensor noise over hills, four bands of 16 bits, packed at gzip's
usual level; it is made once and kept. :func:`long_archive` is for how much memory it takes: of any length, made in
seconds of blocks that repeat (each too long to be found again by gzip).
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from base64 import b64encode
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Iterator

import numpy as np
from osgeo import gdal, osr

TIF = "scene.tif"
SIDE = 8192
BANDS = ("red", "green", "blue", "nir")
EPSG = 32633
#: Where the sample area lies; pixels of half a metre.
CENTRE = (526_500.0, 4_189_000.0)
PIXEL_M = 0.5
MB = 1 << 20

_LEVEL = 6
_NOISE = 47.0
_TILE = 256
_CHUNK = 1 << 20
_GZIP_WINDOW = 31
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


@dataclass(frozen=True)
class PackedOutput:
    """An archive on disk. ``size`` and ``unpacked`` in bytes; the sums as the service tells them."""

    path: str
    size: int
    unpacked: int
    sha256: str = ""
    md5: str = ""


def scene(folder: Path, side: int = SIDE) -> PackedOutput:
    """The output with a raster of ``side`` x ``side`` pixels, from ``folder`` when it was made before."""
    about, path = folder / f"scene-{side}.json", folder / f"scene-{side}.tgz"
    if about.is_file() and path.is_file():
        known = PackedOutput(**json.loads(about.read_text("utf-8")))
        if (known.path, known.size) == (str(path), path.stat().st_size):
            return known
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        raster, work = Path(place) / TIF, Path(place) / path.name
        write_scene(raster, side)
        with gzip.GzipFile(work, "wb", _LEVEL, mtime=0) as file, _tar(file) as archive:
            _add_description(archive)
            archive.add(raster, f"output/{TIF}", filter=_timeless)
        packed = _described(work, path, raster.stat().st_size)
        work.replace(path)
    about.write_text(json.dumps(asdict(packed)), encoding="utf-8")
    return packed


def long_archive(folder: Path, megabytes: int, block_mb: int = 64) -> PackedOutput:
    """An output whose one file is as long as asked, rounded up to whole blocks. No raster: it is not to be opened."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks, length = -(-megabytes // block_mb), block_mb * MB
    path = folder / f"long-{megabytes}.tgz"
    head = io.BytesIO()
    with _tar(head) as archive:
        _add_description(archive)
        begin = archive.offset
        member = tarfile.TarInfo(f"output/{TIF}")
        member.size = blocks * length
        header = member.tobuf(tarfile.PAX_FORMAT)
    block = _noisy_block(length)
    with path.open("wb") as file:
        packed = _Deflated(file)
        packed.add(head.getvalue()[:begin] + header)
        packed.repeat(block, blocks)
        packed.add(bytes(2 * tarfile.BLOCKSIZE))
        packed.close()
    return PackedOutput(str(path), path.stat().st_size, blocks * length)


def room_for(folder: Path, wanted: int) -> bool:
    """Whether ``wanted`` bytes, and a gigabyte beside them, are free where the folder is."""
    return shutil.disk_usage(folder).free > wanted + (1 << 30)


def write_scene(path: Path, side: int) -> None:
    """Write the GeoTIFF: tiled, not compressed, with the bands' meaning and no overviews."""
    options = ["TILED=YES", f"BLOCKXSIZE={_TILE}", f"BLOCKYSIZE={_TILE}", "INTERLEAVE=PIXEL", "PHOTOMETRIC=RGB"]
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), side, side, len(BANDS), gdal.GDT_UInt16, options)
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(EPSG)
    dataset.SetProjection(reference.ExportToWkt())
    half = PIXEL_M * side / 2
    dataset.SetGeoTransform((CENTRE[0] - half, PIXEL_M, 0.0, CENTRE[1] + half, 0.0, -PIXEL_M))
    for number, name in enumerate(BANDS, start=1):
        dataset.GetRasterBand(number).SetDescription(name)
    for top, strip in _strips(side):
        dataset.WriteRaster(0, top, side, strip.shape[0], strip.tobytes(), buf_pixel_space=2 * len(BANDS),
                            buf_line_space=2 * len(BANDS) * side, buf_band_space=2)  # fmt: skip
    dataset.FlushCache()
    del dataset


def _strips(side: int) -> Iterator[tuple[int, np.ndarray]]:
    """Hills in long waves, brighter from band to band, under noise that no packer can foresee."""
    chance = np.random.default_rng(42)
    columns = np.arange(side, dtype=np.float32)
    for top in range(0, side, _TILE):
        rows = np.arange(top, min(top + _TILE, side), dtype=np.float32)[:, None]
        hills = 900 + 300 * np.sin(columns / 310) * np.cos(rows / 270) + 200 * np.sin((columns + rows) / 1700)
        strip = np.empty((rows.size, side, len(BANDS)), np.uint16)
        for band in range(len(BANDS)):
            noise = chance.standard_normal(hills.shape, np.float32)
            strip[..., band] = np.clip(hills * (1 + 0.2 * band) + _NOISE * noise, 1, 8191)
        yield top, strip


def _tar(file: IO[bytes]) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT)


def _timeless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = 0
    return member


def _add_description(archive: tarfile.TarFile) -> None:
    top = tarfile.TarInfo("output")
    top.type, top.mode = tarfile.DIRTYPE, 0o755
    archive.addfile(top)
    content = json.dumps(description()).encode("utf-8")
    member = tarfile.TarInfo("output/data.json")
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def description() -> dict:
    """The output's ``data.json``."""
    ring = [[15.276, 37.832], [15.324, 37.832], [15.324, 37.868], [15.276, 37.868], [15.276, 37.832]]
    feature = {
        "type": "Feature",
        "id": "bench-scene",
        "bbox": [15.276, 37.832, 15.324, 37.868],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {"up42.data_path": TIF, "acquisitionDate": "2024-06-12T09:48:11Z", "cloudCover": 1.0},
    }
    return {"type": "FeatureCollection", "features": [feature]}


def _described(work: Path, path: Path, unpacked: int) -> PackedOutput:
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with work.open("rb") as file:
        for chunk in iter(lambda: file.read(_CHUNK), b""):
            sha256.update(chunk)
            md5.update(chunk)
    encoded = b64encode(md5.digest()).decode("ascii")
    return PackedOutput(str(path), work.stat().st_size, unpacked, sha256.hexdigest(), encoded)


def _noisy_block(length: int) -> bytes:
    """16-bit values with noise in their low 10 bits: about three quarters are left when packed."""
    values = np.frombuffer(os.urandom(length), np.uint16) & 0x03FF
    return values.tobytes()


class _Deflated:
    """A gzip file whose repeated parts are packed once: after a full flush the packed bytes may be written again."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sum = self._size = 0
        file.write(_GZIP_HEADER)

    def add(self, data: bytes) -> None:
        self.repeat(data, 1)

    def repeat(self, data: bytes, times: int) -> None:
        packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)
        for _ in range(times):
            self._file.write(packed)
            self._sum = zlib.crc32(data, self._sum)
            self._size += len(data)

    def close(self) -> None:
        self._file.write(b"\x03\x00")  # an empty last block
        self._file.write(self._sum.to_bytes(4, "little") + (self._size & 0xFFFFFFFF).to_bytes(4, "little"))
