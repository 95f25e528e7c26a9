"""What GDAL does to a raster before it becomes a layer: look, overviews, value ranges, stacks, rectification.

For workers only. Files made here are put in place in one step, so that a cancelled or killed worker leaves none of
them half-made.
"""

from __future__ import annotations

import contextlib
import math
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from osgeo import gdal

from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.bands import BandFacts
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, name_of, open_raster

Source = Union[str, Path]
# Column, row, width and height in pixels.
Window = Tuple[int, int, int, int]

SAMPLE_SIDE = 1000
CUT_PERCENT = (2.0, 98.0)
_OVERVIEWS_FROM_PIXELS = 2048 * 2048
_SMALLEST_OVERVIEW = 256
_MOST_CLASSES = 64
_UTM_NORTH, _UTM_SOUTH = 32600, 32700
_ZONE_DEGREES = 6.0
_SAME_PIXEL = 1.001
_OVERVIEW_OPTIONS_SINCE = 3060000
_PREDICTORS = {"Byte": 2, "UInt16": 2, "Int16": 2, "Float32": 3, "Float64": 3}


@dataclass(frozen=True)
class RasterFacts:
    """A raster as GDAL describes it. ``rpc`` holds the rational polynomial coefficients of sensor geometry."""

    source: str
    driver: str
    width: int
    height: int
    bands: Tuple[BandFacts, ...]
    crs: str
    overviews: int
    subdatasets: Tuple[str, ...]
    rpc: Mapping[str, str]

    @property
    def alpha(self) -> Optional[int]:
        """The band of transparency, when the raster says that there is one."""
        return next((band.index for band in self.bands if band.colour == "Alpha"), None)

    @property
    def data_bands(self) -> Tuple[BandFacts, ...]:
        """The bands without transparency."""
        return tuple(band for band in self.bands if band.colour != "Alpha")

    @property
    def in_sensor_geometry(self) -> bool:
        """Whether the raster needs rectification: no CRS, but coefficients to find places with."""
        return not self.crs and bool(self.rpc)


def describe(source: Source) -> RasterFacts:
    """Look at a raster. Raises :class:`RasterError`."""
    dataset = open_raster(source)
    bands = tuple(_band_facts(dataset, index) for index in range(1, dataset.RasterCount + 1))
    return RasterFacts(
        source=str(source),
        driver=dataset.GetDriver().ShortName,
        width=dataset.RasterXSize,
        height=dataset.RasterYSize,
        bands=bands,
        crs=dataset.GetProjection() or "",
        overviews=dataset.GetRasterBand(1).GetOverviewCount() if bands else 0,
        subdatasets=tuple(name for name, _ in dataset.GetSubDatasets()),
        rpc=dict(dataset.GetMetadata("RPC") or {}),
    )


def _band_facts(dataset: Any, index: int) -> BandFacts:
    band = dataset.GetRasterBand(index)
    return BandFacts(
        index=index,
        dtype=gdal.GetDataTypeName(band.DataType),
        description=band.GetDescription() or band.GetMetadataItem("long_name") or "",
        colour=gdal.GetColorInterpretationName(band.GetColorInterpretation()),
        nodata=band.GetNoDataValue(),
        has_table=band.GetRasterColorTable() is not None,
        unit=band.GetUnitType() or band.GetMetadataItem("units") or "",
    )


def ensure_overviews(facts: RasterFacts, context: JobContext, *, averaged: bool) -> bool:
    """Make reduced copies beside a large raster that has none; whether it has some now.

    Built next to the raster under another name and renamed at the end.
    """
    large = facts.width * facts.height > _OVERVIEWS_FROM_PIXELS
    if facts.overviews or not large or facts.driver == "VRT" or not Path(facts.source).is_file():
        return bool(facts.overviews)
    source = Path(facts.source)
    work = source.with_name(f".{uuid.uuid4().hex[:8]}.vrt")
    made = work.with_name(f"{work.name}.ovr")
    try:
        _build_overviews(facts, work, "AVERAGE" if averaged else "NEAREST", context)
        made.replace(source.with_name(f"{source.name}.ovr"))
    except (RasterError, OSError):
        context.check()
        return False
    finally:
        for path in (work, made, made.with_name(f"{made.name}.tmp")):
            with contextlib.suppress(OSError):
                path.unlink()
    return True


def _factors(width: int, height: int) -> List[int]:
    factors = [2]
    while max(width, height) / factors[-1] > _SMALLEST_OVERVIEW:
        factors.append(factors[-1] * 2)
    return factors


def _build_overviews(facts: RasterFacts, work: Path, resampling: str, context: JobContext) -> None:
    source = Path(facts.source)
    factors = _factors(facts.width, facts.height)
    options: Dict[str, Any] = {}
    if int(gdal.VersionInfo()) >= _OVERVIEW_OPTIONS_SINCE:
        predictor = _PREDICTORS.get(facts.bands[0].dtype, 1)
        options["options"] = ["COMPRESS_OVERVIEW=LZW", f"PREDICTOR_OVERVIEW={predictor}"]
    with gdal_progress(context, f"Preparing {source.name}") as progress:
        gdal_call(gdal.Translate, str(work), str(source), format="VRT", what=source.name)
        dataset = open_raster(work)
        result = gdal_call(dataset.BuildOverviews, resampling, factors, callback=progress, what=source.name, **options)
        del dataset
    if result != 0:
        raise RasterError(f"{source.name} could not be prepared.", gdal.GetLastErrorMsg())


@contextlib.contextmanager
def gdal_progress(context: JobContext, text: str) -> Iterator[Any]:
    """A progress function for GDAL that reports to the context and stops GDAL on cancellation.

    An exception cannot pass through GDAL: it is kept, and raised when GDAL has returned.
    """
    stopped: List[BaseException] = []

    def progress(done: float, _message: str, _data: Any) -> int:
        try:
            context.progress(100.0 * done, text)
        except BaseException as error:  # raised again below
            stopped.append(error)
            return 0
        return 1

    try:
        yield progress
    except RasterError:
        if stopped:
            raise stopped[0] from None
        raise
    if stopped:
        raise stopped[0]


def sample(
    source: Source, bands: Sequence[int], nodata: Optional[float] = None, window: Optional[Window] = None
) -> Dict[int, np.ndarray[Any, Any]]:
    """Values of each band as flat arrays of equal length, from a read reduced to at most 1000 x 1000 pixels.

    Of the whole raster, or of a ``window`` inside it.

    Left out are pixels that are not drawn: where one of the bands has no-data (its own, or ``nodata``), NaN or
    infinity, or where an alpha band hides it.
    """
    dataset = open_raster(source)
    window = window or (0, 0, dataset.RasterXSize, dataset.RasterYSize)
    width, height = window[2:]
    shrink = max(1.0, max(width, height) / SAMPLE_SIDE)
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    found: Dict[int, np.ndarray[Any, Any]] = {}
    keep = np.ones((size[1], size[0]), bool)
    for index in bands:
        band = dataset.GetRasterBand(index)
        found[index] = _read_reduced(band, window, size, name_of(source))
        # The mask knows no-data, alpha and masks of their own alike.
        keep &= _read_reduced(band.GetMaskBand(), window, size, name_of(source)) > 0
        keep &= np.isfinite(found[index])
        if nodata is not None:
            keep &= found[index] != nodata
    return {index: values[keep] for index, values in found.items()}


def _read_reduced(band: Any, window: Window, size: Tuple[int, int], what: str) -> np.ndarray[Any, Any]:
    values: np.ndarray[Any, Any] = gdal_call(band.ReadAsArray, *window, buf_xsize=size[0], buf_ysize=size[1], what=what)
    return np.absolute(values) if np.iscomplexobj(values) else values


def cut_range(values: np.ndarray[Any, Any]) -> Optional[Tuple[float, float]]:
    """The range between the 2nd and the 98th percentile, widened where it is empty; None without values."""
    if not values.size:
        return None
    low, high = (float(number) for number in np.percentile(values.astype(np.float64), CUT_PERCENT))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)


def distinct(values: np.ndarray[Any, Any]) -> Tuple[float, ...]:
    """The values that occur, ascending; empty when there are too many to be classes."""
    found = np.unique(values)
    return tuple(float(number) for number in found) if found.size <= _MOST_CLASSES else ()


def utm_epsg(longitude: float, latitude: float) -> int:
    """EPSG code of the UTM zone (WGS 84) of a place in degrees."""
    zone = min(60, max(1, math.floor((longitude + 180.0) / _ZONE_DEGREES) + 1))
    return (_UTM_NORTH if latitude >= 0 else _UTM_SOUTH) + zone


def implied_nodata(facts: RasterFacts) -> Optional[float]:
    """0 where a raster does not say what no-data is: sensors write it where they have seen nothing, in 16 bits.

    Products of Pléiades and SPOT do so in 8 bits too: their pictures begin with 1.
    """
    bands = facts.data_bands
    silent = facts.alpha is None and bool(bands) and bands[0].nodata is None
    return 0.0 if silent and (bands[0].dtype == "UInt16" or facts.driver == "DIMAP") else None


def rectified(facts: RasterFacts, target: Path) -> Path:
    """Write a VRT that shows a raster in sensor geometry on the ground, in the UTM zone of the scene.

    By the raster's rational polynomial coefficients at their own reference height. Outside the image there is no-data,
    or an alpha band where the raster has no such value.
    """
    try:
        longitude, latitude = float(facts.rpc["LONG_OFF"]), float(facts.rpc["LAT_OFF"])
        height = float(facts.rpc.get("HEIGHT_OFF", 0.0))
    except (KeyError, ValueError) as error:
        raise RasterError(f"{name_of(facts.source)} has no usable position.", f"RPC: {error}") from error
    nodata = implied_nodata(facts) if facts.bands[0].nodata is None else facts.bands[0].nodata
    options: Dict[str, Any] = {
        "format": "VRT",
        "dstSRS": f"EPSG:{utm_epsg(longitude, latitude)}",
        "rpc": True,
        "transformerOptions": [f"RPC_HEIGHT={height!r}"],
        "resampleAlg": "bilinear",
        "errorThreshold": 0.125,
    }
    if nodata is None:
        options["dstAlpha"] = True
    else:
        options.update(srcNodata=nodata, dstNodata=nodata)
    with placed(target) as work:
        dataset = gdal_call(gdal.Warp, str(work), facts.source, what=name_of(facts.source), **options)
        _name_bands(dataset, [band.description for band in facts.bands])
        dataset.FlushCache()
        del dataset
    return target


def stacked(sources: Sequence[Tuple[str, Path]], target: Path) -> Path:
    """Write a VRT with one band per (name, single-band raster): the finest pixel size, the extent of such bands."""
    paths = [str(path) for _, path in sources]
    with placed(target) as work:
        dataset = gdal_call(
            gdal.BuildVRT,
            str(work),
            paths,
            separate=True,
            resolution="highest",
            outputBounds=_finest_bounds(paths),
            what=target.name,
        )
        _name_bands(dataset, [name for name, _ in sources])
        dataset.FlushCache()
        del dataset
    return target


def _finest_bounds(paths: Sequence[str]) -> Tuple[float, float, float, float]:
    """West, south, east, north around the rasters with the smallest pixel; coarser grids may reach further."""
    boxes = []
    for path in paths:
        dataset = open_raster(path)
        left, pixel, _, top, _, height = dataset.GetGeoTransform()
        right, bottom = left + pixel * dataset.RasterXSize, top + height * dataset.RasterYSize
        boxes.append((pixel, left, bottom, right, top))
    finest = [box[1:] for box in boxes if box[0] <= min(box[0] for box in boxes) * _SAME_PIXEL]
    lefts, bottoms, rights, tops = zip(*finest)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _name_bands(dataset: Any, names: Sequence[str]) -> None:
    for index, name in enumerate(names, start=1):
        if name and index <= dataset.RasterCount:
            dataset.GetRasterBand(index).SetDescription(name)


@contextlib.contextmanager
def placed(target: Path) -> Iterator[Path]:
    """A name in the target's folder to write to; renamed to the target at the end, or gone."""
    work = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name}")
    try:
        yield work
        work.replace(target)
    except OSError as error:
        raise RasterError(f"{target.name} could not be written.", str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            work.unlink()


def safe_subdatasets(facts: RasterFacts) -> Tuple[str, ...]:
    """The 10 m subdatasets of a Sentinel-2 product, one per UTM zone it touches."""
    return tuple(name for name in facts.subdatasets if re.search(r":10m:", name))
