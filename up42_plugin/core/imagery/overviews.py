"""What makes a large raster quick to draw: overviews beside it, and statistics that QGIS need not compute.

For workers only. Overviews are put in place in one step, so that a cancelled or killed worker leaves none half-made.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from pathlib import Path
from typing import Any, Dict, Iterator, List

from osgeo import gdal

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, gdal_progress, open_raster, quiet_gdal, writing
from up42_plugin.core.imagery.rasters import RasterFacts
from up42_plugin.core.output_errors import OutputError, format_bytes
from up42_plugin.core.storage import free_bytes, system_path

OVERVIEWS_FROM_PIXELS = 2048 * 2048
_SMALLEST_OVERVIEW = 256
_OVERVIEW_SHARE = 1.0 / 3.0
_SPARE_BYTES = 32 << 20
_PREDICTORS = {"Byte": 2, "UInt16": 2, "Int16": 2, "UInt32": 2, "Int32": 2, "Float32": 3, "Float64": 3}
_MOST_THREADS = 4


def make_quick(facts: RasterFacts, context: JobContext, *, averaged: bool, joined: bool = False) -> str:
    """Give a large raster without overviews overviews and statistics; what went wrong with that, for the log.

    A raster that cannot get them is shown all the same. ``averaged`` for values of which means can be made, else each
    reduced pixel is one of the raster's own. ``joined`` for a virtual raster of ours with many files, which gets
    them at any size: without, each look at the whole would open all the files.
    """
    large = facts.width * facts.height > OVERVIEWS_FROM_PIXELS
    if not (large or joined) or not system_path(Path(facts.source)).is_file() or not facts.bands:
        return ""
    remark = ""
    virtual = facts.driver == "VRT" and not joined  # those of its files serve
    if not virtual and not facts.overviews and max(facts.width, facts.height) > _SMALLEST_OVERVIEW:
        remark = _with_overviews(facts, "AVERAGE" if averaged else "NEAREST", context)
    _with_statistics(facts)
    return remark


def _with_overviews(facts: RasterFacts, resampling: str, context: JobContext) -> str:
    source = Path(facts.source)
    work = source.with_name(f".{uuid.uuid4().hex[:8]}.vrt")
    made = work.with_name(f"{work.name}.ovr")
    try:
        _check_room(facts, source.parent)
        build_overviews(facts, work, resampling, context)
        system_path(made).replace(system_path(source.with_name(f"{source.name}.ovr")))
    except (OutputError, OSError) as error:
        context.check()
        reason = getattr(error, "detail", "") or str(error)
        return f"{source.name} has no overviews, and is slow to draw as a whole: {reason}"
    finally:
        for path in (work, made, made.with_name(f"{made.name}.tmp")):
            with contextlib.suppress(OSError):
                system_path(path).unlink()
    return ""


def _check_room(facts: RasterFacts, folder: Path) -> None:
    """Better none than a full disk."""
    bytes_per_pixel = sum(gdal.GetDataTypeSize(gdal.GetDataTypeByName(band.dtype)) // 8 for band in facts.bands)
    needed = int(facts.width * facts.height * bytes_per_pixel * _OVERVIEW_SHARE) + _SPARE_BYTES
    free = free_bytes(folder)
    if free < needed:
        text = f"{format_bytes(needed)} needed, {format_bytes(free)} free in the output folder."
        raise RasterError("There is no room for overviews.", text)


def _factors(width: int, height: int) -> List[int]:
    factors = [2]
    while max(width, height) / factors[-1] > _SMALLEST_OVERVIEW:
        factors.append(factors[-1] * 2)
    return factors


def build_overviews(facts: RasterFacts, work: Path, resampling: str, context: JobContext) -> None:
    """Build a raster's overviews beside ``work``, a virtual raster that stands for it while they are made."""
    source = Path(facts.source)
    factors = _factors(facts.width, facts.height)
    with gdal_progress(context, f"Preparing {source.name}") as progress, _options(_storage(facts)):
        gdal_call(gdal.Translate, str(work), str(source), format="VRT", what=source.name, **_whole_bytes(facts))
        dataset = open_raster(work)
        result = gdal_call(dataset.BuildOverviews, resampling, factors, callback=progress, what=source.name)
        with writing(f"{source.name}.ovr"):
            dataset.FlushCache()
            del dataset
    if result != 0:
        raise RasterError(f"{source.name} could not be prepared.", gdal.GetLastErrorMsg())


def _whole_bytes(facts: RasterFacts) -> Dict[str, Any]:
    """Values of 12 bits (Pléiades, SPOT) are kept in 16: GDAL has no predictor for them and would write zeros."""
    kinds = {band.dtype for band in facts.bands}
    return {"outputType": gdal.GetDataTypeByName(kinds.pop())} if len(kinds) == 1 else {}


def _storage(facts: RasterFacts) -> Dict[str, str]:
    """Overviews compressed if the raster is. Compressing takes the time: 512 MB take 0.5 s without, 1.7 s with."""
    options = {"BIGTIFF_OVERVIEW": "IF_SAFER"}
    if not facts.compressed:
        return options
    threads = min(_MOST_THREADS, (os.cpu_count() or 1) - 1)  # one stays with QGIS
    if threads > 1:
        options["GDAL_NUM_THREADS"] = str(threads)
    options["COMPRESS_OVERVIEW"] = quick_compression()
    options["ZSTD_LEVEL_OVERVIEW"] = "1"
    options["PREDICTOR_OVERVIEW"] = str(min((_PREDICTORS.get(band.dtype, 1) for band in facts.bands), default=1))
    return options


def quick_compression() -> str:
    """Zstandard, whose first level is quicker than LZW and DEFLATE and no larger, where this GDAL has it."""
    offered = gdal.GetDriverByName("GTiff").GetMetadataItem("DMD_CREATIONOPTIONLIST") or ""
    return "ZSTD" if "<Value>ZSTD</Value>" in offered else "LZW"


@contextlib.contextmanager
def _options(values: Dict[str, str]) -> Iterator[None]:
    """GDAL's options for this thread only: other plugins share the process. An older GDAL has none, nor compression."""
    if not hasattr(gdal, "SetThreadLocalConfigOption"):
        yield
        return
    before = {name: gdal.GetThreadLocalConfigOption(name) for name in values}
    for name, value in values.items():
        gdal.SetThreadLocalConfigOption(name, value)
    try:
        yield
    finally:
        for name, old in before.items():
            gdal.SetThreadLocalConfigOption(name, old)


def _with_statistics(facts: RasterFacts) -> None:
    """Write each band's range, mean and deviation beside the raster, from its overviews; nice to have."""
    with contextlib.suppress(RasterError, RuntimeError), quiet_gdal():
        dataset = open_raster(facts.source)
        for index in range(1, dataset.RasterCount + 1):
            band = dataset.GetRasterBand(index)
            if band.GetMetadataItem("STATISTICS_MEAN") is None and not facts.bands[index - 1].has_table:
                with contextlib.suppress(RasterError):  # a band may be empty
                    gdal_call(band.ComputeStatistics, True, what=Path(facts.source).name)
        dataset.FlushCache()
        del dataset
