"""What GDAL does to a raster before it becomes a layer: look, value ranges, stacks, rectification.

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
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple, Union

import numpy as np
from osgeo import gdal

from up42_plugin.core.imagery.bands import BandFacts
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, name_of, open_raster, writing
from up42_plugin.core.storage import system_path

Source = Union[str, Path]
# Column, row, width and height in pixels.
Window = Tuple[int, int, int, int]

SAMPLE_SIDE = 1000
CUT_PERCENT = (2.0, 98.0)
_MOST_CLASSES = 64
_UTM_NORTH, _UTM_SOUTH = 32600, 32700
_ZONE_DEGREES = 6.0
_SAME_PIXEL = 1.001
_MOST_SPLINE_POINTS = 600


@dataclass(frozen=True)
class RasterFacts:
    """A raster as GDAL describes it. ``has_grid``: it says where its pixels lie.

    ``rpc`` holds the rational polynomial coefficients of sensor geometry, ``points`` the number of its ground control
    points. ``compressed`` whether its file is, as far as its driver says.
    """

    source: str
    driver: str
    width: int
    height: int
    bands: Tuple[BandFacts, ...]
    crs: str
    overviews: int
    subdatasets: Tuple[str, ...]
    rpc: Mapping[str, str]
    points: int = 0
    has_grid: bool = True
    compressed: bool = True

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
        """Whether the raster needs rectification: no CRS, but coefficients or points to find places with."""
        return not self.crs and bool(self.rpc or self.points)

    @property
    def is_complex(self) -> bool:
        """Whether pixels are complex numbers (radar)."""
        return bool(self.bands) and self.bands[0].dtype.startswith("C")


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
        points=dataset.GetGCPCount(),
        has_grid=dataset.GetGeoTransform(can_return_null=True) is not None,
        compressed=dataset.GetDriver().ShortName != "GTiff"
        or dataset.GetMetadataItem("COMPRESSION", "IMAGE_STRUCTURE") is not None,
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
        scaled=(band.GetScale() or 1.0) != 1.0,
    )


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
    return {index: _scaled(dataset.GetRasterBand(index), values[keep]) for index, values in found.items()}


def _scaled(band: Any, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Values as QGIS shows them: times the band's scale, plus its offset."""
    scale, offset = band.GetScale() or 1.0, band.GetOffset() or 0.0
    return values if (scale, offset) == (1.0, 0.0) else values * scale + offset


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

    By the raster's rational polynomial coefficients at their own reference height, or by its ground control points.
    Outside the image there is no-data, or an alpha band where the raster has no such value.
    """
    options = _by_coefficients(facts) if facts.rpc else _by_points(facts)
    nodata = implied_nodata(facts) if facts.bands[0].nodata is None else facts.bands[0].nodata
    if nodata is None:
        options["dstAlpha"] = True
    else:
        options.update(srcNodata=nodata, dstNodata=nodata)
    with placed(target) as work, writing(target.name):
        dataset = gdal_call(
            gdal.Warp,
            str(work),
            facts.source,
            what=name_of(facts.source),
            format="VRT",
            resampleAlg="bilinear",
            errorThreshold=0.125,
            **options,
        )
        name_bands(dataset, [band.description for band in facts.bands])
        dataset.FlushCache()
        del dataset
    return target


def _by_coefficients(facts: RasterFacts) -> Dict[str, Any]:
    try:
        longitude, latitude = float(facts.rpc["LONG_OFF"]), float(facts.rpc["LAT_OFF"])
        height = float(facts.rpc.get("HEIGHT_OFF", 0.0))
    except (KeyError, ValueError) as error:
        raise RasterError(f"{name_of(facts.source)} has no usable position.", f"RPC: {error}") from error
    return {
        "dstSRS": f"EPSG:{utm_epsg(longitude, latitude)}",
        "rpc": True,
        "transformerOptions": [f"RPC_HEIGHT={height!r}"],
    }


def _by_points(facts: RasterFacts) -> Dict[str, Any]:
    """Through all points where they are few enough for that to be quick, else by a polynomial."""
    dataset = open_raster(facts.source)
    reference, points = dataset.GetGCPSpatialRef(), dataset.GetGCPs()
    if reference is None:
        raise RasterError(f"{name_of(facts.source)} has no usable position.", "control points without a CRS")
    x, y = (sum(values) / len(points) for values in zip(*((point.GCPX, point.GCPY) for point in points)))
    target = f"EPSG:{utm_epsg(x, y)}" if reference.IsGeographic() else reference.ExportToWkt()
    how: Dict[str, Any] = {"tps": True} if len(points) <= _MOST_SPLINE_POINTS else {"polynomialOrder": 3}
    return {"dstSRS": target, **how}


def amplitude(facts: RasterFacts, target: Path) -> Path:
    """Write a VRT of the magnitudes of a complex raster, where it is."""
    with placed(target) as work, writing(target.name):
        dataset = gdal_call(gdal.Translate, str(work), facts.source, format="VRT", what=name_of(facts.source))
        dataset.FlushCache()
        del dataset
        derived = (
            r'<VRTRasterBand dataType="Float32" band="\1" subClass="VRTDerivedRasterBand">'
            "<PixelFunctionType>mod</PixelFunctionType><SourceTransferType>CFloat32</SourceTransferType>"
        )
        written = system_path(work)
        text = re.sub(r'<VRTRasterBand dataType="C\w+" band="(\d+)"[^>]*>', derived, written.read_text("utf-8"))
        written.write_text(text, encoding="utf-8")
    return target


def stacked(sources: Sequence[Tuple[str, Path]], target: Path) -> Path:
    """Write a VRT with one band per (name, single-band raster): the finest pixel size, the extent of such bands."""
    paths = [str(path) for _, path in sources]
    with placed(target) as work, writing(target.name):
        dataset = gdal_call(
            gdal.BuildVRT,
            str(work),
            paths,
            separate=True,
            resolution="highest",
            outputBounds=_finest_bounds(paths),
            what=target.name,
        )
        name_bands(dataset, [name for name, _ in sources])
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


def name_bands(dataset: Any, names: Sequence[str]) -> None:
    """Describe the bands of a dataset; an empty name leaves its band as it is."""
    for index, name in enumerate(names, start=1):
        if name and index <= dataset.RasterCount:
            dataset.GetRasterBand(index).SetDescription(name)


@contextlib.contextmanager
def placed(target: Path) -> Iterator[Path]:
    """A name in the target's folder to write to; renamed to the target at the end, or gone.

    Raises:
        RasterError: it cannot be written, as the file system says, or GDAL where the process has it raise errors.
    """
    work = target.with_name(f".{uuid.uuid4().hex[:8]}-{target.name}")
    try:
        yield work
        system_path(work).replace(system_path(target))
    except (OSError, RuntimeError) as error:
        raise RasterError(f"{target.name} could not be written.", str(error)) from error
    finally:
        with contextlib.suppress(OSError):
            system_path(work).unlink()


def safe_subdatasets(facts: RasterFacts, pixel: str = "10m") -> Tuple[str, ...]:
    """The subdatasets of a Sentinel-2 product with this pixel size, one per UTM zone it touches."""
    return tuple(name for name in facts.subdatasets if f":{pixel}:" in name)
