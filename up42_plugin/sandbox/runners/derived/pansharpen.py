"""Block ``pansharpen``: the colours of the coarse bands on the pixels of the panchromatic one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.runners import clipping, data_json, grids, images, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.derived import fusion
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR, NO_OUTPUT_ERROR, WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.formats import dimap_input
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.scenes.pleiades_primary import MS, PAN

SENTINEL2_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
_FINE_BANDS = ("B02", "B03", "B04", "B08")  # their mean is the pan that Sentinel-2 does not have
_SENTINEL2_COLOURS = {"B04": gdal.GCI_RedBand, "B03": gdal.GCI_GreenBand, "B02": gdal.GCI_BlueBand}
_EDGE_SHARPEN, _WEIGHT = 1.7, 0.2
_WEIGHTS: Mapping[str, Sequence[float]] = {"PHR": (0.2, 0.34, 0.34, 0.23), "SPOT": (0.24, 0.2, 0.24, 0.0)}
_SLACK = 1e-3  # share of a pixel that a rounded coordinate may be off
_STRIP_PIXELS = 4 * grids.STRIP_PIXELS

Fuse = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
Window = Tuple[int, int, int, int]


@dataclass(frozen=True)
class Source:
    """A band (by number) of an open image, and the image's pixels."""

    dataset: Any
    number: int
    grid: Grid

    def coarser_than(self, grid: Grid) -> int:
        """How many times larger its pixels are than those of a grid."""
        return max(1, round(self.grid.pixel / grid.pixel))

    def read(self, grid: Grid) -> np.ndarray:
        """Its values (float32, NaN: no data) at a finer grid's pixels, by cubic convolution."""
        pixel, factor = self.grid.pixel, self.coarser_than(grid)
        column, row = (grid.left - self.grid.left) / pixel, (self.grid.top - grid.top) / pixel
        left, width = _around(column, grid.width / factor)
        top, height = _around(row, grid.height / factor)
        band = self.dataset.GetRasterBand(self.number)
        values = rasters.read_resampled(band, (left, top, width, height), (width * factor, height * factor))
        right, below = round((column - left) * factor), round((row - top) * factor)
        part = values[below : below + grid.height, right : right + grid.width]
        return np.where(part > 0, part, np.nan).astype(np.float32)


@dataclass(frozen=True)
class Bundle:
    """The images of one scene: the pan's grid, the bands whose mean is the pan, and those to be sharpened."""

    grid: Grid
    pan: Sequence[Source]
    colours: Sequence[Source]
    bands: Tuple[BandSpec, ...]
    tags: Mapping[str, str]

    @property
    def factors(self) -> List[int]:
        """How many times coarser the bands to be sharpened are."""
        return [source.coarser_than(self.grid) for source in self.colours]


def run(task: Task) -> Usage:
    """One uint16 file ``<id>.tif`` per scene with the input's bands, with ``include_pan`` the pan behind them."""
    area = clipping.clip_area(task)
    features: List[data_json.Feature] = []
    square_km, pixels = 0.0, 0
    for name, sources in _by_scene(data_json.read_source(task)).items():
        task.check()
        bundle = _bundle(task, sources)
        fuse = _method(task.parameters, sources[0]["properties"], len(bundle.bands))
        clip = clipping.clip_of(bundle.grid, area)
        if clip is None:
            task.log("WARNING", f"{name} does not meet the area and is left out")
            continue
        task.log("INFO", f"Sharpening {name}.tif ({clip.grid.width} x {clip.grid.height} pixels)")
        properties = data_json.provider_properties(sources[0])
        _write(task, bundle, clip, fuse, f"{name}.tif")
        geometry = sources[0]["geometry"] if area is None else grids.outline(clip.grid)
        features.append(data_json.feature(sources[0].get("id"), geometry, properties, f"{name}.tif"))
        square_km += images.priced_km2(task, sources[0])
        pixels += clip.grid.width * clip.grid.height
    if not features:
        raise RunnerError(NO_OUTPUT_ERROR, "No input image meets the area")
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def _by_scene(sources: Sequence[data_json.Feature]) -> Dict[str, List[data_json.Feature]]:
    """Features by their id: single-band files of a scene share one."""
    scenes: Dict[str, List[data_json.Feature]] = {}
    for number, source in enumerate(sources, 1):
        scenes.setdefault(str(source.get("id") or f"image_{number}"), []).append(source)
    return scenes


def _method(parameters: Mapping[str, Any], properties: Mapping[str, Any], bands: int) -> Fuse:
    """How colours and pan are put together; raises for what the methods do not know."""
    method = parameters.get("method") or "SFIM"
    if method == "SFIM":
        sharpen = _number(parameters, "edge_sharpen_factor", _EDGE_SHARPEN, 0.0, 10.0)
        return lambda colours, pan, factor: fusion.sfim(colours, pan, factor, sharpen)
    if method == "Brovey":
        weight = _number(parameters, "weight", _WEIGHT, 0.0, 1.0)
        return lambda colours, pan, factor: fusion.brovey(colours, pan, weight)
    if method == "Esri":
        weights = _weights(parameters.get("weights"), str(properties.get("constellation")))
        if weights and len(weights) != bands:
            raise RunnerError(
                INPUT_PARAMETERS_ERROR, f"weights are for images of {len(MS.bands)} bands, not of {bands}"
            )
        return lambda colours, pan, factor: fusion.esri(colours, pan, weights or [1.0] * len(colours))
    raise RunnerError(INPUT_PARAMETERS_ERROR, f"method must be one of SFIM, Brovey, Esri, not {method!r}")


def _number(parameters: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    value = parameters.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)


def _weights(given: Any, constellation: str) -> Sequence[float]:
    if given is None:
        return _WEIGHTS.get(constellation, ())
    numbers = isinstance(given, list) and all(
        isinstance(one, (int, float)) and not isinstance(one, bool) and math.isfinite(one) and one >= 0 for one in given
    )
    if not numbers or len(given) != len(MS.bands) or not sum(given):
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"weights must be {len(MS.bands)} numbers from 0 on, not {given!r}")
    return [float(one) for one in given]


def _bundle(task: Task, sources: Sequence[data_json.Feature]) -> Bundle:
    path, tags = data_json.source_path(task, sources[0]), data_json.synthetic_tags(sources[0]["properties"])
    if path.is_dir():
        found = dimap_input.images_in(path)
        pan = dimap_input.image(found, dimap_input.PAN, "panchromatic")
        return _dimap_bundle(pan, dimap_input.image(found, dimap_input.COLOUR, "multispectral"), tags)
    return _sentinel2_bundle(task, sources, tags)


def _around(first: float, count: float) -> Tuple[int, int]:
    """The first of the whole pixels that hold a span, and their number."""
    start = math.floor(first + _SLACK)
    return start, math.ceil(first + count - _SLACK) - start


def _dimap_bundle(pan: Any, colour: Any, tags: Mapping[str, str]) -> Bundle:
    if colour.RasterCount != len(MS.bands):
        raise RunnerError(WRONG_INPUT_ERROR, f"The multispectral image has {colour.RasterCount} bands, not 4")
    colours = _sources(colour)
    return Bundle(images.grid_of(pan), _sources(pan)[:1], colours, MS.bands, tags)


def _sentinel2_bundle(task: Task, sources: Sequence[data_json.Feature], tags: Mapping[str, str]) -> Bundle:
    """Single-band files named ``…_<band>.tif``."""
    found: Dict[str, Source] = {}
    for source in sources:
        path = images.image_file(task, source)
        found[path.stem.rpartition("_")[2]] = _sources(rasters.open_raster(path))[0]
    missing = [band for band in SENTINEL2_BANDS if band not in found]
    if missing:
        raise RunnerError(WRONG_INPUT_ERROR, f"The input has no panchromatic image, and lacks {', '.join(missing)}")
    pan = [found[band] for band in _FINE_BANDS]
    bands = tuple(BandSpec(band, _SENTINEL2_COLOURS.get(band, gdal.GCI_Undefined)) for band in SENTINEL2_BANDS)
    return Bundle(pan[0].grid, pan, [found[band] for band in SENTINEL2_BANDS], bands, tags)


def _sources(dataset: Any) -> List[Source]:
    """The bands of an image, in which 0 is no data."""
    grid = images.grid_of(dataset)
    marked = rasters.with_nodata(dataset, 0)
    return [Source(marked, number, grid) for number in range(1, dataset.RasterCount + 1)]


def _write(task: Task, bundle: Bundle, clip: clipping.Clip, fuse: Fuse, name: str) -> None:
    pan = PAN.bands if task.parameters.get("include_pan") else ()
    column, top, width, height = clip.window
    spec = TiffSpec(width, height, bundle.bands + pan, "uint16", grid=clip.grid, tags=bundle.tags)
    with TiffWriter(task.target / name, spec) as writer:
        for row, rows in grids.strips(width, height, pixels=_STRIP_PIXELS):
            task.check()
            window = (column, top + row, width, rows)
            values = _fused(bundle, fuse, window, with_pan=bool(pan))
            for number, band in enumerate(clip.keep(values, row), 1):
                writer.write(number, band, row=row)


def _fused(bundle: Bundle, fuse: Fuse, window: Window, *, with_pan: bool) -> np.ndarray:
    """The result (uint16, bands x rows x columns) in a window; what the edges depend on is read around it."""
    column, row, width, height = window
    factors = bundle.factors
    edge = max(factors)
    left, upper = max(0, column - edge), max(0, row - edge)
    right, lower = min(bundle.grid.width, column + width + edge), min(bundle.grid.height, row + height + edge)
    around = grids.part_of(bundle.grid, left, upper, right - left, lower - upper)
    pan = np.asarray(sum(source.read(around) for source in bundle.pan) / np.float32(len(bundle.pan)))
    inner = (slice(row - upper, row - upper + height), slice(column - left, column - left + width))
    out = np.empty((len(factors) + int(with_pan), height, width), np.uint16)
    for factor in sorted(set(factors)):
        numbers = [number for number, own in enumerate(factors) if own == factor]
        colours = np.stack([bundle.colours[number].read(around) for number in numbers])
        fused = fuse(colours, pan, factor) if factor > 1 else colours
        out[numbers] = _digital(fused[:, inner[0], inner[1]])
    if with_pan:
        out[-1] = _digital(pan[inner])
    return np.asarray(out * (out > 0).all(axis=0))


def _digital(values: np.ndarray) -> np.ndarray:
    """Numbers (NaN: no data) as uint16; at least 1 where there is data."""
    known = np.isfinite(values)
    return np.where(known, np.clip(np.rint(np.where(known, values, 0)), 1, np.iinfo(np.uint16).max), 0).astype(
        np.uint16
    )
