"""An index computed from the bands of an image into a GeoTIFF of ours beside the output, window by window.

For workers. The file is put in place in one step, so that a cancelled or killed worker leaves nothing half-made.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple, Union

import numpy as np
from osgeo import gdal

from up42_plugin.core.context import JobContext, Part
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, name_of, open_raster, quiet_gdal
from up42_plugin.core.imagery.indices import Array, SpectralIndex, added_since, bands_for, told, why_not
from up42_plugin.core.imagery.opening import own_path
from up42_plugin.core.imagery.overviews import make_quick, quick_compression
from up42_plugin.core.imagery.rasters import RasterFacts, Window, cut_range, describe, placed, sample
from up42_plugin.core.layer_plan import BandRange, GreyStyle, LayerKind, LayerPlan, LookStyle, NamedStyle, Spectral
from up42_plugin.core.output_errors import format_bytes
from up42_plugin.core.storage import free_bytes, system_path

NODATA = -9999.0
_TILE = 512
# A million pixels at a time: some 30 MB with all that is computed from them
_WINDOW_WIDTH = 4 * _TILE
_BYTES = 4
_WITH_OVERVIEWS = 4.0 / 3.0
_SPARE_BYTES = 32 << 20
_COMPUTED = 80.0
_STORAGE = ("TILED=YES", f"BLOCKXSIZE={_TILE}", f"BLOCKYSIZE={_TILE}", "PREDICTOR=3", "BIGTIFF=IF_SAFER")


@dataclass(frozen=True)
class IndexRequest:
    """An index of a layer. ``source`` is what GDAL opens, ``path`` the file it leads to, ``key`` the layer's own.

    ``title`` is the layer's, ``nodata`` a value that is none although the file does not say so.
    """

    index: SpectralIndex
    source: str
    path: Path
    key: str
    title: str
    spectral: Spectral
    nodata: Optional[float] = None

    @property
    def folder(self) -> Path:
        """The folder of the output: the key is the path in it."""
        text = self.path.as_posix()
        return Path(text[: -len(self.key) - 1]) if text.endswith(f"/{self.key}") else self.path.parent

    @property
    def target(self) -> Path:
        """The file of the index."""
        return own_path(self.folder, self.path.stem, self.key, self.index.name.lower(), ".tif")


@dataclass(frozen=True)
class IndexMade:
    """What the layer of an index is to be. ``about`` tells how it was computed, ``fresh`` that it was just now."""

    plan: LayerPlan
    about: str
    fresh: bool


def make_index(request: IndexRequest, context: JobContext) -> IndexMade:
    """Compute an index, once: what is there already is taken. Reports 0 to 100.

    Raises:
        Cancelled: the person cancelled; nothing of it is left.
        RasterError: it cannot be computed, read or written, and why.
    """
    trouble = why_not(request.index, request.spectral)
    if trouble:
        raise RasterError(trouble)
    request = replace(request, spectral=_with_baseline(request))
    facts = describe(request.source)
    if max(bands_for(request.index, request.spectral)) > len(facts.bands):
        raise RasterError(f"{name_of(request.source)} does not have the bands that {request.title} had.")
    fresh = not _is_there(request.target, facts)
    about = told(request.index, request.spectral, facts.bands, request.title)
    remark = _make(request, facts, about, context) if fresh else ""
    plan = LayerPlan(
        key=request.target.name,
        title=f"{request.index.name} of {request.title}",
        source=str(request.target),
        kind=LayerKind.RASTER,
        remark=remark,
    )
    return IndexMade(plan.styled(_styles(request)), about, fresh)


def _with_baseline(request: IndexRequest) -> Spectral:
    """A Sentinel-2 product that says how it was processed knows best what it adds to its values."""
    baseline = open_raster(request.source).GetMetadataItem("PROCESSING_BASELINE")
    return replace(request.spectral, added=added_since(baseline)) if baseline else request.spectral


def _is_there(target: Path, facts: RasterFacts) -> bool:
    if not system_path(target).is_file():
        return False
    try:
        there = describe(target)
    except RasterError:
        return False
    return (there.width, there.height, len(there.bands)) == (facts.width, facts.height, 1)


def _styles(request: IndexRequest) -> List[NamedStyle]:
    low, high = cut_range(sample(request.target, (1,))[1]) or (-1.0, 1.0)
    looks = [NamedStyle(name, LookStyle(look)) for name, look in request.index.styles]
    return [*looks, NamedStyle("Grey", GreyStyle(BandRange(1, low, high)))]


def _make(request: IndexRequest, facts: RasterFacts, about: str, context: JobContext) -> str:
    """Write the file with overviews and statistics; what is for the log."""
    target = request.target
    with placed(target) as work:
        _check_writable(work, request)
        _check_room(request, facts)
        _write(request, work, about, facts.alpha, Part(context, 0.0, _COMPUTED))
    try:
        return make_quick(describe(target), Part(context, _COMPUTED, 100.0), averaged=True)
    except BaseException:
        with contextlib.suppress(OSError):
            system_path(target).unlink()
        raise


def _check_room(request: IndexRequest, facts: RasterFacts) -> None:
    needed = int(facts.width * facts.height * _BYTES * _WITH_OVERVIEWS) + _SPARE_BYTES
    free = free_bytes(request.folder)
    if free < needed:
        raise RasterError(
            f"{request.index.name} was not added: it may take {format_bytes(needed)}, and {format_bytes(free)} are "
            f"free in {request.folder}. Make room there and add it again."
        )


def _check_writable(work: Path, request: IndexRequest) -> None:
    """GDAL's own reasons are hard to read."""
    try:
        system_path(work).touch(exist_ok=False)
    except OSError as error:
        raise RasterError(
            f"{request.index.name} was not added: its file belongs beside the image, and {request.folder} cannot be "
            f"written ({error.strerror}). Allow writing there and add it again.",
            str(error),
        ) from error


def _write(request: IndexRequest, work: Path, about: str, alpha: Optional[int], context: JobContext) -> None:
    dataset = open_raster(request.source)
    bands = [_Band(dataset, number, request) for number in bands_for(request.index, request.spectral)]
    seen = _Band(dataset, alpha, request) if alpha is not None else None
    width, height = dataset.RasterXSize, dataset.RasterYSize
    create, options = gdal.GetDriverByName("GTiff").Create, [*_STORAGE, *_compression()]
    with _write_errors(request):
        made = gdal_call(create, str(work), width, height, 1, gdal.GDT_Float32, options, what=request.target.name)
        _describe(made, dataset, request, about)
    text, pixels, done = f"Computing {request.index.name}", width * height, 0
    try:
        for window in _windows(width, height):
            context.progress(100.0 * done / pixels, text)
            visible = seen.read(window)[0] > 0 if seen is not None else True
            values = _computed(request.index, [band.read(window) for band in bands], visible)
            with _write_errors(request):
                gdal_call(made.GetRasterBand(1).WriteArray, values, *window[:2], what=request.target.name)
            done += window[2] * window[3]
        context.progress(100.0, text)
        with _write_errors(request):
            made.FlushCache()
    finally:
        del made  # closed: Windows renames and deletes no open file


def _compression() -> List[str]:
    kind = quick_compression()
    return [f"COMPRESS={kind}", *(["ZSTD_LEVEL=1"] if kind == "ZSTD" else [])]


def _describe(made: Any, dataset: Any, request: IndexRequest, about: str) -> None:
    """Where it lies, and what it is."""
    made.SetProjection(dataset.GetProjection() or "")
    place = dataset.GetGeoTransform(can_return_null=True)
    if place is not None:
        made.SetGeoTransform(place)
    made.SetMetadataItem("TIFFTAG_IMAGEDESCRIPTION", about)
    band = made.GetRasterBand(1)
    band.SetDescription(request.index.name)
    band.SetNoDataValue(NODATA)


@contextlib.contextmanager
def _write_errors(request: IndexRequest) -> Iterator[None]:
    """GDAL tells of a full disk while it writes or closes the file, and not always by what it returns."""
    with quiet_gdal():
        gdal.ErrorReset()
        detail = ""
        try:
            yield
        except RasterError as error:
            detail = error.detail or error.user_message
        except RuntimeError as error:
            detail = str(error)
        if not detail and gdal.GetLastErrorType() >= gdal.CE_Failure:
            detail = gdal.GetLastErrorMsg() or "no reason given"
    if detail:
        raise RasterError(
            f"{request.index.name} was not added: its file could not be written to {request.folder}. "
            "Look whether the disk is full, and add it again.",
            detail,
        )


def _windows(width: int, height: int) -> Iterator[Window]:
    """Whole tiles of the file to be written, row by row."""
    for top in range(0, height, _TILE):
        for left in range(0, width, _WINDOW_WIDTH):
            yield left, top, min(_WINDOW_WIDTH, width - left), min(_TILE, height - top)


class _Band:
    """A band read as numbers in proportion to reflectance, with what of them is valid."""

    def __init__(self, dataset: Any, number: int, request: IndexRequest) -> None:
        self._dataset = dataset  # a band does not keep it open
        self._band = dataset.GetRasterBand(number)
        self._what, self._nodata = name_of(request.source), request.nodata
        scale, offset = self._band.GetScale() or 1.0, self._band.GetOffset() or 0.0
        if (scale, offset) == (1.0, 0.0):
            scale = request.spectral.reflectance or 1.0
            offset = -scale * request.spectral.added
        self._scale, self._offset = np.float32(scale), np.float32(offset)
        self._has_mask = self._band.GetMaskFlags() != gdal.GMF_ALL_VALID

    def read(self, window: Window) -> Tuple[Array, Array]:
        """Values, and where they are some. Dark water below 0 counts as 0, so that an index stays within its range."""
        found = gdal_call(self._band.ReadAsArray, *window, what=self._what)
        valid = np.isfinite(found)
        if self._has_mask:
            valid &= gdal_call(self._band.GetMaskBand().ReadAsArray, *window, what=self._what) > 0
        if self._nodata is not None:
            valid &= found != self._nodata
        values = np.where(valid, found, 0).astype(np.float32)
        values *= self._scale
        values += self._offset
        return np.maximum(values, np.float32(0.0), out=values), valid


def _computed(index: SpectralIndex, bands: List[Tuple[Array, Array]], visible: Union[Array, bool]) -> Array:
    over, under = index.parts([values for values, _ in bands])
    valid = (under > 0) & visible
    for _, found in bands:
        valid &= found
    result = np.zeros(over.shape, np.float32)
    np.divide(over, under, out=result, where=valid)
    np.clip(result, -1.0, 1.0, out=result)
    result[~valid] = NODATA
    return result
