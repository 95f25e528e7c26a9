"""NetCDF files by the CF conventions: one variable over time, latitude and longitude."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.runners import rasters
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.errors import NO_OUTPUT_ERROR, WRONG_INPUT_ERROR

NODATA = -9999.0
_DOUBLE = 6  # NetCDF's code
_UNITS = re.compile(r"(hour|minute|second|day)s? since (\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})?.*")
# The classic format: HDF5, which the newer one is written with, writes its troubles to standard error from threads.
_OPTIONS = ("FORMAT=NC2", "WRITE_GDAL_VERSION=NO", "WRITE_GDAL_HISTORY=NO")


@dataclass(frozen=True)
class Layer:
    """A variable: its name in the file, and its attributes by the CF conventions."""

    name: str
    attributes: Mapping[str, str]


def check_driver(code: str) -> None:
    """Raises :class:`RunnerError` where this GDAL has no NetCDF."""
    if gdal.GetDriverByName("netCDF") is None:
        message = "The GDAL of this Python cannot read or write NetCDF. Installers of QGIS bring one that can."
        raise RunnerError(code, message)


def write(
    path: Path, grid: Grid, layer: Layer, moments: Sequence[datetime], values: Callable[[int], np.ndarray]
) -> None:
    """Write one variable; ``values`` gives rows x columns (float32, from north) of a moment, by its number.

    Times are hours since the first moment.
    """
    check_driver(NO_OUTPUT_ERROR)
    hours = [(moment - moments[0]).total_seconds() / 3600 for moment in moments]
    memory = rasters.empty_memory_raster(grid, len(moments), np.float32)
    memory.SetMetadata(
        {
            "NETCDF_DIM_EXTRA": "{time}",
            "NETCDF_DIM_time_DEF": f"{{{len(moments)},{_DOUBLE}}}",
            "NETCDF_DIM_time_VALUES": "{" + ",".join(f"{hour:.10g}" for hour in hours) + "}",
            "time#units": f"hours since {moments[0]:%Y-%m-%d %H:%M:%S}",
            "time#standard_name": "time",
            "time#calendar": "standard",
            "time#axis": "T",
            "NC_GLOBAL#title": layer.attributes.get("long_name", layer.name),
            "NC_GLOBAL#comment": layer.attributes.get("comment", ""),
        }
    )
    for number, hour in enumerate(hours):
        band = memory.GetRasterBand(number + 1)
        band.SetNoDataValue(NODATA)
        band.SetMetadata({"NETCDF_VARNAME": layer.name, "NETCDF_DIM_time": f"{hour:.10g}", **layer.attributes})
        band.WriteArray(values(number))
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasters.gdal_errors(NO_OUTPUT_ERROR, f"{path.name} cannot be written"):
        copy = gdal.GetDriverByName("netCDF").CreateCopy(str(path), memory, options=list(_OPTIONS))
        if copy is None:
            raise RuntimeError(gdal.GetLastErrorMsg())
        del copy


def open_variables(path: Path) -> List[Any]:
    """The variables of a file as open rasters."""
    check_driver(WRONG_INPUT_ERROR)
    dataset = rasters.open_raster(path)
    inner = [name for name, _ in dataset.GetSubDatasets()]
    return [rasters.open_raster(name) for name in inner] if inner else [dataset]


def moment_of(dataset: Any, number: int) -> Optional[datetime]:
    """When a band (from 1) holds, where the file says it."""
    metadata: Dict[str, str] = dataset.GetMetadata()
    found = _UNITS.fullmatch(metadata.get("time#units", ""))
    value = dataset.GetRasterBand(number).GetMetadataItem("NETCDF_DIM_time")
    if found is None or value is None:
        return None
    start = datetime.fromisoformat(f"{found.group(2)}T{found.group(3) or '00:00:00'}").replace(tzinfo=timezone.utc)
    return start + timedelta(**{f"{found.group(1)}s": float(value)})
