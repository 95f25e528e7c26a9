"""Block ``data-conversion-dimap``: one image of each DIMAP folder as a GeoTIFF."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Tuple

from up42_plugin.sandbox.runners import clipping, data_json, grids, images, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR, NO_OUTPUT_ERROR
from up42_plugin.sandbox.runners.formats import dimap_input
from up42_plugin.sandbox.runners.rasters import TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.scenes.pleiades_primary import MS, PAN

_DISPLAY_END = "_pms.tif"


def run(task: Task) -> Usage:
    """``<id>_ms.tif`` (``_pms.tif`` of display products) with ``ms``, ``<id>_pan.tif`` with ``pan``; nodata 0."""
    if bool(task.parameters.get("ms")) == bool(task.parameters.get("pan")):
        raise RunnerError(INPUT_PARAMETERS_ERROR, "Exactly one of ms and pan must be true")
    area = clipping.clip_area(task)
    features: List[data_json.Feature] = []
    square_km, pixels = 0.0, 0
    for source in data_json.read_source(task):
        task.check()
        path = data_json.source_path(task, source)
        dataset, end = _chosen(task, dimap_input.images_in(path))
        clip = clipping.clip_of(images.grid_of(dataset), area)
        if clip is None:
            task.log("WARNING", f"{path.name} does not meet the area and is left out")
            continue
        name = f"{source.get('id') or path.name}{end}"
        task.log("INFO", f"Converting {path.name} to {name}")
        _write(task, dataset, clip, name, data_json.synthetic_tags(source["properties"]))
        features.append(_feature(source, name, clip, area))
        square_km += images.priced_km2(task, source)
        pixels += clip.grid.width * clip.grid.height
    if not features:
        raise RunnerError(NO_OUTPUT_ERROR, "No input image meets the area")
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def _chosen(task: Task, found: Any) -> Tuple[Any, str]:
    """The image that the parameters ask for, and how its file's name ends."""
    if task.parameters.get("pan"):
        return dimap_input.image(found, dimap_input.PAN, "panchromatic"), PAN.end
    if dimap_input.DISPLAY in found:
        return found[dimap_input.DISPLAY], _DISPLAY_END
    return dimap_input.image(found, dimap_input.COLOUR, "multispectral"), MS.end


def _feature(
    source: data_json.Feature, name: str, clip: clipping.Clip, area: Optional[Mapping[str, Any]]
) -> data_json.Feature:
    properties = data_json.provider_properties(source)
    if area is None:
        return data_json.feature(source.get("id"), source["geometry"], properties, name, source.get("bbox"))
    return data_json.feature(source.get("id"), grids.outline(clip.grid), properties, name)


def _write(task: Task, dataset: Any, clip: clipping.Clip, name: str, tags: Mapping[str, str]) -> None:
    layer = MS if dataset.RasterCount > 1 else PAN
    dtype = rasters.read(dataset.GetRasterBand(1), 0, 0, 1, 1).dtype.name
    column, top, width, height = clip.window
    spec = TiffSpec(width, height, layer.bands, dtype, grid=clip.grid, tags=tags)
    with TiffWriter(task.target / name, spec) as writer:
        for row, rows in grids.strips(width, height):
            task.check()
            values = rasters.read(dataset, column, top + row, width, rows).reshape(dataset.RasterCount, rows, width)
            for number, band in enumerate(clip.keep(values, row), 1):
                writer.write(number, band, row=row)
