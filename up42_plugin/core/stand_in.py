"""The first pixels of an output: a quicklook of its scene, cut to the area, until the real thing has come down."""

from __future__ import annotations

import contextlib
import json
import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Mapping, Optional, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.api.errors import AnswerError, NetworkError, ServiceError
from up42_plugin.core.aoi import AOI
from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, open_raster, writing
from up42_plugin.core.imagery.rasters import placed
from up42_plugin.core.layer_plan import BandRange, GreyStyle, LayerKind, LayerPlan, RasterStyle, RgbStyle
from up42_plugin.core.output_errors import OutputError
from up42_plugin.core.outputs import SHORT_TITLES
from up42_plugin.core.quicklooks import prepare_quicklook, prepared_quicklooks
from up42_plugin.core.scenes import BBox, Scene
from up42_plugin.core.service import JobService
from up42_plugin.core.storage import remove_tree
from up42_plugin.core.workflow import Block

KEY = "stand-in"
_SCENES_TRIED = 3
_LONGEST_SIDE = 512
_RGB_BANDS = 3
_DAY_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Wanted:
    """What is to be stood in for: the output of ``block`` in the service's job ``job_id``, inside ``area``.

    The area is None where it is not known. ``known`` are folders that may have quicklooks of the same scenes;
    ``folder`` is for what is made here.
    """

    job_id: str
    block: Block
    area: Optional[AOI]
    known: Tuple[Path, ...]
    folder: Path


def makes_rasters(block: Block) -> bool:
    """Whether a block's output is a raster, as far as the service tells."""
    output = block.capabilities.get("output")
    return not output or "raster" in output


def title_of(block: Block, plan: Optional[LayerPlan] = None) -> str:
    """``Super-resolution 2021-09-18``: as the layer will be called, as far as that is known."""
    day = f" {plan.acquired:%Y-%m-%d}" if plan is not None and plan.acquired is not None else ""
    return f"{SHORT_TITLES.get(block.name, block.title)}{day}"


def known_stand_in(wanted: Wanted) -> Optional[LayerPlan]:
    """The stand-in out of a quicklook that is on disk already; None when there is none. For workers."""
    for folder in wanted.known:
        for picture in prepared_quicklooks(folder):
            try:
                return _cut(picture, wanted)
            except OutputError:
                continue
    return None


def fetch_stand_in(service: JobService, wanted: Wanted, context: JobContext) -> Optional[LayerPlan]:
    """The stand-in out of a quicklook that the service gives; None when it gives none. For workers.

    Raises:
        Cancelled: nobody waits for it any more.
        Up42Error: the scenes cannot be read, or the picture cannot be written.
    """
    scenes = sorted(service.scenes(wanted.job_id), key=_newest_first)
    for scene in [scene for scene in scenes if _covers(scene, wanted.area)][:_SCENES_TRIED]:
        context.check()
        try:
            quicklook = service.quicklook(scene)
        except (ServiceError, AnswerError):
            continue
        except NetworkError:
            return None
        if quicklook is None:
            continue
        picture = prepare_quicklook(quicklook, wanted.folder)
        if not picture.problem:
            return _cut(picture, wanted)
    return None


def _newest_first(scene: Scene) -> float:
    return -scene.acquired.timestamp() if scene.acquired else 0.0


def _covers(scene: Scene, area: Optional[AOI]) -> bool:
    return area is None or _common(scene.bbox, area.bbox) is not None


def _common(one: BBox, other: BBox) -> Optional[BBox]:
    west, south = max(one[0], other[0]), max(one[1], other[1])
    east, north = min(one[2], other[2]), min(one[3], other[3])
    return (west, south, east, north) if west < east and south < north else None


def _cut(picture: LayerPlan, wanted: Wanted) -> LayerPlan:
    """The quicklook inside the area alone, as a file of its own; all of it where the area is not known."""
    target = wanted.folder / f"{KEY}.tif"
    try:
        wanted.folder.mkdir(parents=True, exist_ok=True)
        style = _write(picture.source, wanted.area, target)
    except OSError as error:
        raise RasterError("The quicklook cannot be shown.", str(error)) from error
    return replace(
        picture, key=KEY, title=title_of(wanted.block, picture), source=str(target), style=style, kind=LayerKind.RASTER
    )


def _write(source: str, area: Optional[AOI], target: Path) -> RasterStyle:
    picture = open_raster(source)
    window = _common(_frame(picture), area.bbox) if area is not None else None
    if area is not None and window is not None:
        picture = _enlarged(picture, window)
        _hide_outside(picture, area.geojson())
    with placed(target) as work, writing(target.name):
        driver = gdal.GetDriverByName("GTiff")
        written = gdal_call(driver.CreateCopy, str(work), picture, options=["COMPRESS=DEFLATE"], what=target.name)
        written.FlushCache()
        del written
    if picture.RasterCount > _RGB_BANDS:
        return RgbStyle(BandRange(1), BandRange(2), BandRange(3), alpha=4)
    return GreyStyle(BandRange(1, 0.0, 255.0), alpha=2)


def _frame(picture: Any) -> BBox:
    west, width, _, north, _, height = picture.GetGeoTransform()
    return west, north + height * picture.RasterYSize, west + width * picture.RasterXSize, north


def _enlarged(picture: Any, window: BBox) -> Any:
    """The window with many small pixels, blended: a few of a quicklook's would be seen as squares."""
    west, south, east, north = window
    squeeze = max(math.cos(math.radians((south + north) / 2)), 0.01)
    wide, high = (east - west) * squeeze, north - south
    scale = _LONGEST_SIDE / max(wide, high)
    size = {"width": max(1, round(wide * scale)), "height": max(1, round(high * scale))}
    return gdal_call(
        gdal.Warp, "", picture, format="MEM", outputBounds=window, resampleAlg="cubic", what="quicklook", **size
    )


def _hide_outside(picture: Any, area: Mapping[str, Any]) -> None:
    inside = gdal.GetDriverByName("MEM").Create("", picture.RasterXSize, picture.RasterYSize, 1, gdal.GDT_Byte)
    inside.SetProjection(picture.GetProjection())
    inside.SetGeoTransform(picture.GetGeoTransform())
    gdal_call(gdal.Rasterize, inside, json.dumps(area), burnValues=[1], what="area")
    alpha = picture.GetRasterBand(picture.RasterCount)
    alpha.WriteArray(np.where(inside.ReadAsArray() == 1, alpha.ReadAsArray(), 0))


def remove_old(folder: Path, days: int) -> None:
    """Remove the folders in ``folder`` that nothing was put into for so many days. For workers."""
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.is_dir() and time.time() - path.stat().st_mtime > days * _DAY_SECONDS:
                remove_tree(path)
