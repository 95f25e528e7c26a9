"""Block ``geotiff-custom``: the account's own GeoTIFF files from a bucket, as they are stored."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from osgeo import gdal

from up42_plugin.sandbox import bucket_files, geometry, times
from up42_plugin.sandbox.awkward_names import on_disk
from up42_plugin.sandbox.runners import data_json, geojson_files, images, rasters
from up42_plugin.sandbox.runners.checked import one_of, texts
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR, NO_INPUT_ERROR
from up42_plugin.sandbox.runners.parameters import area_of

_DATE = re.compile(r"(\d{4}):(\d{2}):(\d{2}) (\d{2}):(\d{2}):(\d{2})")
_ENDINGS = (".tif", ".tiff")


@dataclass(frozen=True)
class _Stored:
    """A file of the bucket: path, key in the bucket, when it was taken, and its outline in degrees (OGR)."""

    path: Path
    key: str
    taken: datetime
    outline: Any
    about: Mapping[str, Any]


def run(task: Task) -> Usage:
    """The files named, or those that fit time and area, newest first; copied byte by byte."""
    one_of(task.parameters, "cloud_provider", ("gcs", "aws"))
    stored = _listing(task)
    task.log("INFO", f"{len(stored)} GeoTIFF files in the bucket")
    names = texts(task.parameters, "filenames")
    chosen = _named(stored, names) if names else _found(task.parameters, stored)
    if not chosen:
        raise RunnerError(NO_INPUT_ERROR, "No file of the bucket fits the parameters")
    features: List[data_json.Feature] = []
    for file in chosen:
        task.check()
        target = images.free_path(task.target, on_disk(file.path.name))
        shutil.copyfile(file.path, target)
        outline = geojson_files.as_json(file.outline)
        feature = data_json.feature(None, outline, file.about, target.name)
        features.append({**feature, "filename": file.path.name})
    data_json.write(task, features)
    area = geometry.geometry_of(task.parameters)
    square_km = 0.0 if area is None else geometry.area_km2(area)
    return Usage(square_km, len(features), data_json.output_bytes(task))


def _listing(task: Task) -> List[_Stored]:
    name, prefix = str(task.parameters.get("bucket_name")), str(task.parameters.get("prefix") or "")
    if task.buckets is None:
        raise RunnerError(INPUT_PARAMETERS_ERROR, "There are no buckets here")
    try:
        folder = bucket_files.bucket(task.buckets, name)
    except LookupError:
        own = f"The sandbox has {bucket_files.BUCKET}, and every folder that you make in {task.buckets}"
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"Bucket {name} does not exist. {own}") from None
    found = []
    for path in sorted(folder.rglob("*")):
        key = path.relative_to(folder).as_posix()
        if path.suffix.lower() in _ENDINGS and path.is_file() and key.startswith(prefix.lstrip("/")):
            task.check()
            found.append(_stored(path, key))
    return [file for file in found if file is not None]


def _stored(path: Path, key: str) -> Optional[_Stored]:
    """What is to know of a file; None for one that is no raster."""
    try:
        dataset = rasters.open_raster(path)
    except RunnerError:
        return None
    found = _DATE.match(dataset.GetMetadataItem("TIFFTAG_DATETIME") or "")
    taken = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    if found is not None:
        taken = datetime(*(int(part) for part in found.groups()), tzinfo=timezone.utc)  # type: ignore[arg-type, misc]
    return _Stored(path, key, taken, _outline(dataset), _about(dataset, taken))


def _outline(dataset: Any) -> Any:
    """The image's corners in degrees; of one without a place, where longitude and latitude are 0."""
    transform = dataset.GetGeoTransform(can_return_null=True)
    placed = bool(dataset.GetProjection()) and transform is not None
    width, height = (dataset.RasterXSize, dataset.RasterYSize) if placed else (1e-6, 1e-6)
    pixels = ((0, height), (width, height), (width, 0), (0, 0), (0, height))
    corners = [gdal.ApplyGeoTransform(transform, *p) if placed else p for p in pixels]
    shape = geojson_files.shape({"type": "Polygon", "coordinates": [[list(map(float, p)) for p in corners]]})
    if placed:
        shape.Transform(geojson_files.to_degrees(geojson_files.reference_of(dataset.GetProjection())))
    return shape


def _about(dataset: Any, taken: datetime) -> Dict[str, Any]:
    band = dataset.GetRasterBand(1)
    left, across, turned, top, turned_down, down = dataset.GetGeoTransform()
    epsg = None
    if dataset.GetProjection():
        epsg = geojson_files.epsg_of(geojson_files.reference_of(dataset.GetProjection()))
    about: Dict[str, Any] = {
        "driver": "GTiff",
        "dtype": gdal.GetDataTypeName(band.DataType).lower().replace("byte", "uint8"),
        "nodata": band.GetNoDataValue(),
        "width": dataset.RasterXSize,
        "height": dataset.RasterYSize,
        "count": dataset.RasterCount,
        "crs": None if epsg is None else f"EPSG:{epsg}",
        "transform": [across, turned, left, turned_down, down, top, 0.0, 0.0, 1.0],
        "datetime": f"{taken:%Y-%m-%dT%H:%M:%SZ}",
    }
    if dataset.GetMetadataItem("SYNTHETIC") == "YES":
        about.update(synthetic=True, note=dataset.GetMetadataItem("TIFFTAG_IMAGEDESCRIPTION"))
    return about


def _named(stored: Sequence[_Stored], names: Sequence[str]) -> List[_Stored]:
    chosen = [file for name in names for file in stored if name in (file.path.name, file.key)]
    missing = [name for name in names if not any(name in (file.path.name, file.key) for file in stored)]
    if missing:
        raise RunnerError(NO_INPUT_ERROR, f"Not in the bucket: {', '.join(missing)}")
    return chosen


def _found(parameters: Mapping[str, Any], stored: Sequence[_Stored]) -> List[_Stored]:
    """By area, time and limit (which counts altogether), newest first."""
    area = geojson_files.shape(area_of(parameters))
    ranges = times.ranges_of(parameters)
    whole = parameters.get("contains") is not None
    fitting = [
        file
        for file in stored
        if (file.outline.Contains(area) if whole else file.outline.Intersects(area))
        and (not ranges or any(start <= file.taken <= end for start, end in ranges))
    ]
    fitting.sort(key=lambda file: (file.taken, file.key), reverse=True)
    limit = parameters.get("limit")
    return fitting if limit is None else fitting[: int(limit)]
