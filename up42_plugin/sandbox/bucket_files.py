"""The buckets of the sandbox: folders with the account's own GeoTIFF files, one of them filled to begin with.

Whoever wants to try own rasters makes a folder beside it; its name is the bucket's.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import WEB_MERCATOR, WGS84, grid_lonlat, ground_resolution, transform
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.world import view

BUCKET = "up42-sandbox"
_NOTE = "Synthetic raster: computed by the UP42 sandbox from a made-up Earth."
_MIDDLE = (15.2900, 37.8485)
_UTM, _EUROPE = 32633, 3035
_COLOURS: Sequence[Tuple[int, int, int]] = (
    (0, 0, 0), (38, 88, 135), (74, 144, 190), (236, 217, 160), (36, 92, 48), (132, 150, 82),
    (176, 190, 116), (150, 140, 130), (222, 184, 96), (140, 168, 60), (190, 90, 80), (90, 90, 90),
)  # fmt: skip

Lands = Callable[[np.ndarray, np.ndarray, float], np.ndarray]


@dataclass(frozen=True)
class _Raster:
    """A file of the bucket: its key, CRS, pixel (units of the CRS), size, day, bands and what fills them."""

    key: str
    epsg: int
    pixel: float
    size: Tuple[int, int]
    day: datetime
    bands: Tuple[BandSpec, ...]
    dtype: str
    nodata: float
    values: Lands


def _day(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 9, 50, tzinfo=timezone.utc)


_JUNE, _APRIL, _WINTER = _day(2021, 6, 20), _day(2021, 4, 2), _day(2020, 1, 15)


def _photo(lon: np.ndarray, lat: np.ndarray, resolution: float) -> np.ndarray:
    seen = view.render(lon, lat, _JUNE.date(), ("B04", "B03", "B02"), resolution=resolution)
    return np.clip(1 + 254 * np.sqrt(seen / 0.42), 1, 255)


def _counts(lon: np.ndarray, lat: np.ndarray, resolution: float) -> np.ndarray:
    seen = view.render(lon, lat, _APRIL.date(), ("B02", "B03", "B04", "B08"), resolution=resolution)
    return np.clip(seen * 4000, 1, 4095)


def _heights(lon: np.ndarray, lat: np.ndarray, resolution: float) -> np.ndarray:
    heights = view.elevation(lon, lat, resolution)
    return np.where(heights > 0, heights, -9999.0)[np.newaxis]


def _covers(lon: np.ndarray, lat: np.ndarray, resolution: float) -> np.ndarray:
    return view.land_cover(lon, lat, resolution)[np.newaxis]


def _warmth(lon: np.ndarray, lat: np.ndarray, resolution: float) -> np.ndarray:
    seen = view.render(lon, lat, _WINTER.date(), ("B12", "B11"), resolution=resolution)
    return np.rint((seen[:1] - 0.4 * seen[1:]) * 1000 - 60)


_GREY = gdal.GCI_GrayIndex
FILES: Sequence[_Raster] = (
    _Raster(
        "town/orthophoto_2021.tif",
        _UTM,
        1.2,
        (640, 520),
        _JUNE,
        (BandSpec("red", gdal.GCI_RedBand), BandSpec("green", gdal.GCI_GreenBand), BandSpec("blue", gdal.GCI_BlueBand)),
        "uint8",
        0,
        _photo,
    ),
    _Raster(
        "coast/multispectral_2021-04.tif",
        WEB_MERCATOR,
        5.0,
        (420, 380),
        _APRIL,
        (BandSpec("blue"), BandSpec("green"), BandSpec("red"), BandSpec("nir")),
        "uint16",
        0,
        _counts,
    ),
    _Raster(
        "terrain/heights.tif",
        _EUROPE,
        25.0,
        (160, 150),
        _WINTER,
        (BandSpec("height", _GREY),),
        "float32",
        -9999.0,
        _heights,
    ),
    _Raster(
        "terrain/land_cover.tif",
        _UTM,
        6.0,
        (300, 260),
        _WINTER,
        (BandSpec("class", gdal.GCI_PaletteIndex),),
        "uint8",
        0,
        _covers,
    ),
    _Raster(
        "terrain/warmth_index.tif",
        WGS84,
        0.0002,
        (220, 180),
        _WINTER,
        (BandSpec("index", _GREY),),
        "int16",
        -32768,
        _warmth,
    ),
)


def bucket(root: Path, name: str) -> Path:
    """The folder of a bucket; the sandbox's own is filled when it is first asked for.

    Raises:
        LookupError: there is no such bucket.
    """
    if not name or name in (".", "..") or any(character in name for character in "/\\:"):
        raise LookupError(name)
    folder = root / name
    if name == BUCKET and not folder.is_dir():
        _fill(folder)
    if not folder.is_dir():
        raise LookupError(name)
    return folder


def _fill(folder: Path) -> None:
    """Make the first files; a half-filled bucket is never seen."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".filling-") as scratch:
        made = Path(scratch) / BUCKET
        for raster in FILES:
            _write(made / raster.key, raster)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # two jobs at the same time: the other one was first
                shutil.copytree(made, folder)


def _write(path: Path, raster: _Raster) -> None:
    (x, y), (width, height) = transform([_MIDDLE], WGS84, raster.epsg)[0], raster.size
    pixel = raster.pixel
    left, top = (round(x / pixel) - width // 2) * pixel, (round(y / pixel) + height // 2) * pixel
    grid = Grid(raster.epsg, left, top, pixel, width, height)
    lon, lat = grid_lonlat(grid)
    values = raster.values(lon, lat, float(np.mean(ground_resolution(grid, lat)))).astype(raster.dtype)
    tags = {
        "TIFFTAG_DATETIME": f"{raster.day:%Y:%m:%d %H:%M:%S}",
        "TIFFTAG_IMAGEDESCRIPTION": _NOTE,
        "SYNTHETIC": "YES",
    }
    spec = TiffSpec(width, height, raster.bands, raster.dtype, raster.nodata, grid=grid, tags=tags)
    with TiffWriter(path, spec) as writer:
        if raster.bands[0].colour == gdal.GCI_PaletteIndex:
            table = gdal.ColorTable()
            for number, colour in enumerate(_COLOURS):
                table.SetColorEntry(number, (*colour, 255))
            writer.paint(1, table)
        for number, band in enumerate(values, 1):
            writer.write(number, band)
