"""What a test query found, made ready for the map: footprints, and quicklooks laid into their place."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal, osr

from up42_plugin.core.archives.safe_names import safe_component
from up42_plugin.core.context import JobContext
from up42_plugin.core.imagery.gdal_access import RasterError, gdal_call, open_raster, writing
from up42_plugin.core.imagery.rasters import placed
from up42_plugin.core.imagery.scene_facts import flattened
from up42_plugin.core.layer_plan import BandRange, GreyStyle, LayerKind, LayerPlan, RasterStyle, RgbStyle, VectorStyle
from up42_plugin.core.output_errors import FolderError, OutputError
from up42_plugin.core.scenes import BBox, Quicklook, Scene

FOOTPRINTS_FILE = "scene_footprints.geojson"
FOOTPRINTS_TITLE = "Scene footprints"

# JPEG leaves noise in black. As near to it as this, and connected to the picture's edge, colours are no data anywhere;
# outside the scene's footprint anything dark is.
_NEAR_BLACK = 8
_DARK = 64
_LONGEST_ID = 80
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_FULL_TURN = 360.0
_RGB_BANDS = 3
_LARGE_ENOUGH = 1200


def prepare_test_query(
    scenes: Sequence[Scene], quicklooks: Sequence[Quicklook], folder: Path, context: JobContext
) -> Tuple[LayerPlan, ...]:
    """Footprints first (they lie on top), then the quicklooks, newest first. For workers; reports 0 to 100.

    Raises:
        Cancelled: the person cancelled.
        FolderError: the folder cannot be written.
    """
    plans: List[LayerPlan] = []
    if scenes:
        plans.append(prepare_footprints(scenes, folder))
    ordered = sorted(quicklooks, key=lambda quicklook: _moment(quicklook.scene), reverse=True)
    for number, quicklook in enumerate(ordered):
        context.progress(100.0 * number / len(ordered), f"Laying out quicklook {number + 1} of {len(ordered)}")
        plans.append(prepare_quicklook(quicklook, folder))
    context.progress(100.0, "Prepared")
    return _named_apart(plans)


def prepare_footprints(scenes: Sequence[Scene], folder: Path) -> LayerPlan:
    """Write the scenes' outlines as GeoJSON, their properties flattened; a time field where dates are known."""
    features = [_feature(scene) for scene in scenes]
    target = folder / FOOTPRINTS_FILE
    text = json.dumps({"type": "FeatureCollection", "features": features}, allow_nan=False)
    _make(folder)
    with placed(target) as work:
        work.write_text(text, encoding="utf-8")
    return LayerPlan(
        key=FOOTPRINTS_FILE,
        title=FOOTPRINTS_TITLE,
        source=str(target),
        kind=LayerKind.VECTOR,
        style=VectorStyle.FOOTPRINTS,
        time_field="acquired" if all(scene.acquired for scene in scenes) else "",
        provenance={"scenes": [scene.scene_id for scene in scenes]},
        synthetic=any(scene.synthetic for scene in scenes),
    )


def prepare_quicklook(quicklook: Quicklook, folder: Path) -> LayerPlan:
    """Write a quicklook as a raster in its frame (EPSG:4326), its black border transparent.

    A picture that cannot be read comes as a plan with a ``problem``.
    """
    scene = quicklook.scene
    name = _file_of(scene.feature_id or scene.scene_id)
    day = f" {scene.acquired:%Y-%m-%d}" if scene.acquired else ""
    problem, style = "", None
    _make(folder)
    try:
        style = _lay_out(quicklook, folder / name)
    except OutputError as error:
        problem = f"The quicklook of {scene.scene_id} cannot be read. {error.detail}".strip()
    return LayerPlan(
        key=name,
        title=f"Quicklook{day}",
        source=str(folder / name),
        kind=LayerKind.RASTER,
        style=style,
        acquired=scene.acquired,
        acquired_until=scene.acquired,
        provenance=_provenance(scene),
        smooth=True,
        synthetic=scene.synthetic,
        problem=problem,
    )


def prepared_quicklooks(folder: Path) -> Tuple[LayerPlan, ...]:
    """Quicklooks that lie in a folder since a test query was read into it, newest first, without their style."""
    try:
        features = json.loads((folder / FOOTPRINTS_FILE).read_text("utf-8"))["features"]
        told = [feature["properties"] for feature in features]
        names = [_file_of(str(facts["feature_id"] or facts["scene_id"])) for facts in told]
        moments = [_parsed(facts["acquired"]) for facts in told]
    except (OSError, ValueError, KeyError, TypeError):
        return ()
    plans = [
        LayerPlan(
            key=name,
            title="Quicklook",
            source=str(folder / name),
            kind=LayerKind.RASTER,
            acquired=moment,
            acquired_until=moment,
            provenance={name: facts.get(name) for name in ("feature_id", "scene_id", "cloud_cover", "provider")},
            smooth=True,
            synthetic=bool(facts.get("synthetic")),
        )
        for name, moment, facts in zip(names, moments, told)
        if (folder / name).is_file()
    ]
    return tuple(sorted(plans, key=lambda plan: -plan.acquired.timestamp() if plan.acquired else 0.0))


def _parsed(moment: Optional[str]) -> Optional[datetime]:
    return datetime.strptime(moment, _MOMENT).replace(tzinfo=timezone.utc) if moment else None


def _file_of(ident: str) -> str:
    return f"quicklook_{safe_component(ident.replace('/', '_'))[:_LONGEST_ID]}.tif"


def _lay_out(quicklook: Quicklook, target: Path) -> RasterStyle:
    memory = f"/vsimem/{uuid.uuid4().hex}{quicklook.suffix}"
    gdal.FileFromMemBuffer(memory, quicklook.content)
    try:
        picture = _as_colours(open_raster(memory))
        _place(picture, quicklook.frame)
        _hide_outside(picture, quicklook.scene.footprint)
        picture = _enlarged(picture)
        with placed(target) as work:
            _write(picture, work)
        bands = picture.RasterCount
    finally:
        gdal.Unlink(memory)
    if bands > _RGB_BANDS:
        return RgbStyle(BandRange(1), BandRange(2), BandRange(3), alpha=4)
    return GreyStyle(BandRange(1, 0.0, 255.0), alpha=2)


def _as_colours(picture: Any) -> Any:
    """Grey or RGB with an alpha band, in memory: the picture's own alpha, or one that hides its border."""
    options: Dict[str, Any] = {"format": "MEM"}
    if picture.GetRasterBand(1).GetRasterColorTable() is not None:
        options["rgbExpand"] = "rgb"
    if picture.RasterCount in (2, 4):
        return gdal_call(gdal.Translate, "", picture, what="quicklook", **options)
    if picture.RasterCount > _RGB_BANDS:
        options["bandList"] = [1, 2, 3]
    plain = gdal_call(gdal.Translate, "", picture, what="quicklook", **options)
    return gdal_call(
        gdal.Nearblack,
        "",
        plain,
        format="MEM",
        maxNonBlack=0,
        nearDist=_NEAR_BLACK,
        setAlpha=True,
        what="quicklook",
    )


def _place(picture: Any, frame: BBox) -> None:
    west, south, east, north = frame
    width = (east - west) % _FULL_TURN or _FULL_TURN
    if not north > south:
        raise RasterError("The quicklook has no place.", f"frame {frame}")
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(4326)
    picture.SetProjection(reference.ExportToWkt())
    pixel = (width / picture.RasterXSize, (south - north) / picture.RasterYSize)
    picture.SetGeoTransform((west, pixel[0], 0.0, north, 0.0, pixel[1]))
    picture.GetRasterBand(picture.RasterCount).SetColorInterpretation(gdal.GCI_AlphaBand)


def _hide_outside(picture: Any, footprint: Mapping[str, Any]) -> None:
    """Make dark pixels outside the footprint transparent; without a usable footprint nothing changes."""
    if footprint.get("type") not in ("Polygon", "MultiPolygon"):
        return
    size = (picture.RasterXSize, picture.RasterYSize)
    inside = gdal.GetDriverByName("MEM").Create("", *size, 1, gdal.GDT_Byte)
    inside.SetProjection(picture.GetProjection())
    inside.SetGeoTransform(picture.GetGeoTransform())
    try:
        gdal_call(gdal.Rasterize, inside, json.dumps(footprint), burnValues=[1], allTouched=True, what="footprint")
    except RasterError:
        return
    bands = picture.ReadAsArray()
    dark = (bands[:-1] <= _DARK).all(axis=0)
    hidden = dark & (inside.ReadAsArray() == 0)
    picture.GetRasterBand(picture.RasterCount).WriteArray(np.where(hidden, 0, bands[-1]).astype(bands.dtype))


def _enlarged(picture: Any) -> Any:
    """A small picture with three times the pixels, blended: QGIS cannot blend what it reprojects itself."""
    if max(picture.RasterXSize, picture.RasterYSize) > _LARGE_ENOUGH:
        return picture
    options = {"format": "MEM", "widthPct": 300, "heightPct": 300, "resampleAlg": "cubic"}
    return gdal_call(gdal.Translate, "", picture, what="quicklook", **options)


def _write(picture: Any, target: Path) -> None:
    driver = gdal.GetDriverByName("GTiff")
    options = ["COMPRESS=DEFLATE", "PREDICTOR=2", "ZLEVEL=1", "TILED=YES"]
    with writing(target.name):
        written = gdal_call(driver.CreateCopy, str(target), picture, options=options, what=target.name)
        written.FlushCache()
        del written


def _feature(scene: Scene) -> Mapping[str, Any]:
    properties: Dict[str, Any] = {
        "scene_id": scene.scene_id,
        "acquired": scene.acquired.strftime(_MOMENT) if scene.acquired else None,
        "cloud_cover": scene.cloud_cover,
        "provider": scene.provider,
        "feature_id": scene.feature_id,
        "job_id": scene.job_id,
        "synthetic": scene.synthetic,
    }
    for key, value in flattened(scene.properties).items():
        properties.setdefault(key, value)
    return {
        "type": "Feature",
        "id": scene.feature_id,
        "bbox": list(scene.bbox),
        "geometry": scene.footprint,
        "properties": {key: value if _is_json(value) else None for key, value in properties.items()},
    }


def _is_json(value: object) -> bool:
    """Python reads NaN and infinity out of a service's answer; GeoJSON knows neither."""
    return not isinstance(value, float) or math.isfinite(value)


def _provenance(scene: Scene) -> Mapping[str, Any]:
    return {
        "feature_id": scene.feature_id,
        "scene_id": scene.scene_id,
        "cloud_cover": scene.cloud_cover,
        "provider": scene.provider,
        "properties": flattened(scene.properties),
    }


def _moment(scene: Scene) -> float:
    return scene.acquired.timestamp() if scene.acquired else float("-inf")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FolderError(folder, error) from error


def _named_apart(plans: Sequence[LayerPlan]) -> Tuple[LayerPlan, ...]:
    """Several scenes of one day keep their scene in the title."""
    titles = [plan.title for plan in plans]
    return tuple(
        replace(plan, title=f"{plan.title}, {plan.provenance.get('scene_id', '')}")
        if titles.count(plan.title) > 1
        else plan
        for plan in plans
    )
