"""NetCDF files: their variables as rasters, time steps as bands that say when."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, gdal_progress, open_raster, writing
from up42_plugin.core.imagery.rasters import name_bands, placed

_DRIVER = "netCDF"
_WGS84 = "EPSG:4326"
_NO_PLACE = "no place on the ground"
_MOST_VARIABLES = 12
_MOST_SWATHS = 4  # each of them is written as a raster of its own
_MOST_PIXELS = 60_000_000
_PLACES = re.compile(
    r"(^|_)(lat|lon|latitude|longitude|time|crs|spatial_ref|time_utc|delta_time)$|_(bnds|bounds)$", re.IGNORECASE
)
_UNITS = re.compile(
    r"^\s*(second|minute|hour|day)s?\s+since\s+(\S+)(?:[T\s]+(\d{1,2}:\d{2}(?::\d{2})?))?", re.IGNORECASE
)
_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_CALENDARS = ("", "standard", "gregorian", "proleptic_gregorian")
_OUTSIDE = -9999.0
_TIFF = ".tif"

Make = Callable[[Path], Path]


@dataclass(frozen=True)
class Variable:
    """One variable of a file: its name, when its bands are (UTC, empty when unknown), and what writes it as a raster.

    ``about`` is what the file says of it in words. ``ending`` is the ending of the file that ``make`` writes.
    """

    name: str
    about: str
    times: Tuple[datetime, ...]
    ending: str
    make: Make


def variables(path: Path, context: JobContext) -> Tuple[Variable, ...]:
    """The variables of a NetCDF file that lie on the ground, those of the main group first.

    Raises:
        RasterError: this GDAL cannot read NetCDF, the file cannot be read, or nothing in it has a place.
    """
    if gdal.GetDriverByName(_DRIVER) is None:
        raise RasterError(f"{path.name} is NetCDF, which this QGIS cannot read: its GDAL comes without that driver.")
    whole = open_raster(path)
    names = [name for name, _ in whole.GetSubDatasets()] or [str(path)]
    found: List[Variable] = []
    reason = "No variable was found in it."
    for name in names:
        if _PLACES.search(_variable_name(name)) and name != str(path):
            continue
        try:
            found.append(_variable(name, context))
        except RasterError as error:
            reason = error.user_message
        if len(found) == _MOST_VARIABLES or sum(one.ending == _TIFF for one in found) == _MOST_SWATHS:
            break
    if not found:
        raise RasterError(reason)
    return tuple(found)


def _variable_name(subdataset: str) -> str:
    """``no2`` of ``NETCDF:"…":/PRODUCT/no2``."""
    return subdataset.rpartition('":')[2].rpartition("/")[2]


def _variable(name: str, context: JobContext) -> Variable:
    dataset = open_raster(name)
    if not dataset.RasterCount:
        raise RasterError(f"{name} holds no values.")
    title = dataset.GetRasterBand(1).GetMetadataItem("NETCDF_VARNAME") or _variable_name(name)
    about = dataset.GetRasterBand(1).GetMetadataItem("long_name") or title
    times = _times(dataset)
    labels = [f"{moment:%Y-%m-%d %H:%M}" for moment in times] if len(times) == dataset.RasterCount else []
    if dataset.GetGeoTransform(can_return_null=True) is not None:
        return Variable(title, about, times, ".vrt", functools.partial(_on_its_grid, name, labels))
    if dataset.GetMetadata("GEOLOCATION"):
        return Variable(title, about, times, _TIFF, functools.partial(_off_the_swath, name, labels, context))
    raise RasterError(f"{title} in {Path(name.split(chr(34))[1] if chr(34) in name else name).name} has {_NO_PLACE}.")


def _on_its_grid(name: str, labels: Sequence[str], target: Path) -> Path:
    """A VRT with times as the names of bands, and longitudes and latitudes where the file names no CRS."""
    dataset = open_raster(name)
    options: Dict[str, Any] = {"format": "VRT"}
    if not dataset.GetProjection():
        left, width, _, top, _, height = dataset.GetGeoTransform()
        reach = (left, left + width * dataset.RasterXSize, top, top + height * dataset.RasterYSize)
        if max(map(abs, reach[:2])) > 361.0 or max(map(abs, reach[2:])) > 91.0:  # noqa: PLR2004 - degrees
            raise RasterError(f"{_variable_name(name)} has {_NO_PLACE}: its CRS is not named.")
        options["outputSRS"] = _WGS84
    band = dataset.GetRasterBand(1)
    if (band.GetScale() or 1.0, band.GetOffset() or 0.0) != (1.0, 0.0):
        options.update(unscale=True, outputType=gdal.GDT_Float32)
    with placed(target) as work, writing(target.name):
        written = gdal_call(gdal.Translate, str(work), name, what=_variable_name(name), **options)
        name_bands(written, labels)
        written.FlushCache()
        del written
    return target


def _off_the_swath(name: str, labels: Sequence[str], context: JobContext, target: Path) -> Path:
    """A GeoTIFF of pixels that lie where arrays of longitudes and latitudes say; such a look-up is slow to draw."""
    dataset = open_raster(name)
    if dataset.RasterXSize * dataset.RasterYSize > _MOST_PIXELS:
        raise RasterError(f"{_variable_name(name)} is too large to be laid on the ground here.")
    nodata = dataset.GetRasterBand(1).GetNoDataValue()
    with placed(target) as work, writing(target.name):
        with gdal_progress(context, f"Preparing {_variable_name(name)}") as progress:
            written = gdal_call(
                gdal.Warp,
                str(work),
                name,
                what=_variable_name(name),
                format="GTiff",
                geoloc=True,
                callback=progress,
                dstSRS=_WGS84,
                outputType=gdal.GDT_Float32,
                srcNodata=nodata,
                dstNodata=_OUTSIDE,
                creationOptions=["COMPRESS=DEFLATE", "PREDICTOR=3", "TILED=YES", "ZLEVEL=1"],
            )
        if not _has_values(written):
            raise RasterError(f"{_variable_name(name)} has {_NO_PLACE}.")
        name_bands(written, labels)
        written.FlushCache()
        del written
    return target


def _has_values(dataset: Any) -> bool:
    band = dataset.GetRasterBand(1)
    side = (min(500, dataset.RasterXSize), min(500, dataset.RasterYSize))
    return bool(np.any(band.GetMaskBand().ReadAsArray(buf_xsize=side[0], buf_ysize=side[1])))


def _times(dataset: Any) -> Tuple[datetime, ...]:
    """When each band is; empty where the file does not say so in a way that is understood."""
    metadata = dataset.GetMetadata()
    extra = (metadata.get("NETCDF_DIM_EXTRA") or "").strip("{}").split(",")
    name = next((dimension for dimension in extra if f"{dimension}#units" in metadata), "")
    unit = _UNITS.match(metadata.get(f"{name}#units", "")) if name else None
    if unit is None or (metadata.get(f"{name}#calendar") or "").lower() not in _CALENDARS:
        return ()
    moments = []
    for index in range(1, dataset.RasterCount + 1):
        moment = _moment(unit, dataset.GetRasterBand(index).GetMetadataItem(f"NETCDF_DIM_{name}"))
        if moment is None:
            return ()
        moments.append(moment)
    return tuple(moments)


def _moment(unit: re.Match[str], value: Optional[str]) -> Optional[datetime]:
    try:
        start = datetime.fromisoformat(unit.group(2).rstrip("Z")[:19].split("T")[0])
        clock = unit.group(3) or (unit.group(2).rstrip("Z").split("T")[1] if "T" in unit.group(2) else "0:00")
        hours, minutes, seconds = (*(float(part) for part in clock.split(":")), 0.0)[:3]
        start = start.replace(tzinfo=timezone.utc) + timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return start + timedelta(seconds=float(value or "") * _SECONDS[unit.group(1).lower()])
    except (ValueError, OverflowError):
        return None
