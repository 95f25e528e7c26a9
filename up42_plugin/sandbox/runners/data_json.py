"""``data.json``: the GeoJSON collection that tells what a block delivered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from up42_plugin.sandbox.archive import BBox
from up42_plugin.sandbox.awkward_names import on_disk, true_name
from up42_plugin.sandbox.geometry import bounds
from up42_plugin.sandbox.runners.contract import RunnerError, Task
from up42_plugin.sandbox.runners.errors import NO_INPUT_ERROR, WRONG_INPUT_ERROR

NAME = "data.json"
DATA_PATH = "up42.data_path"
_OWN_PREFIXES = ("up42.", "custom.")

Feature = Mapping[str, Any]


def feature(
    feature_id: Optional[str],
    geometry: Mapping[str, Any],
    properties: Mapping[str, Any],
    data_path: Optional[str] = None,
    bbox: Optional[BBox] = None,
) -> Dict[str, Any]:
    """A feature of the collection. ``data_path`` is relative to the output folder; a test query has none.

    ``bbox`` is west, south, east, north; the geometry's when it is not given.
    """
    own = {DATA_PATH: data_path} if data_path is not None else {}
    result: Dict[str, Any] = {"type": "Feature", "bbox": list(bbox or bounds(geometry))}
    if feature_id is not None:
        result["id"] = feature_id
    result["geometry"] = dict(geometry)
    result["properties"] = {**properties, **own}
    return result


def provider_properties(source: Feature) -> Dict[str, Any]:
    """What a block hands on: the provider's metadata, without what belongs to the block before."""
    properties: Mapping[str, Any] = source.get("properties") or {}
    return {key: value for key, value in properties.items() if not key.startswith(_OWN_PREFIXES)}


def passed_on(source: Feature, data_path: str) -> Dict[str, Any]:
    """A feature of the task before with its provider's properties and a new file."""
    properties = provider_properties(source)
    return feature(source.get("id"), source["geometry"], properties, data_path, source.get("bbox"))


def synthetic_tags(properties: Mapping[str, Any]) -> Dict[str, str]:
    """What a raster's tags say when its feature's properties say that it is made up; else nothing."""
    if not properties.get("synthetic"):
        return {}
    return {"SYNTHETIC": "YES", "TIFFTAG_IMAGEDESCRIPTION": str(properties.get("note", "Synthetic imagery."))}


def write(task: Task, features: Sequence[Feature]) -> None:
    """Put ``data.json`` into the task's output folder; paths in it are those of the archive."""
    task.log("INFO", f"Saving {len(features)} result features to {NAME}")
    document = {"type": "FeatureCollection", "features": [_with_true_path(feature) for feature in features]}
    (task.target / NAME).write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")


def _with_true_path(feature: Feature) -> Feature:
    properties: Mapping[str, Any] = feature["properties"]
    if DATA_PATH not in properties:
        return feature
    return {**feature, "properties": {**properties, DATA_PATH: true_name(properties[DATA_PATH])}}


def read_source(task: Task) -> List[Feature]:
    """The features that the task before delivered.

    Raises:
        RunnerError: there is no readable ``data.json``, or nothing in it.
    """
    path = None if task.source is None else task.source / NAME
    if path is None or not path.is_file():
        raise RunnerError(NO_INPUT_ERROR, f"The task before left no {NAME}")
    try:
        features: List[Feature] = json.loads(path.read_text(encoding="utf-8"))["features"]
    except (ValueError, KeyError, TypeError) as error:
        raise RunnerError(WRONG_INPUT_ERROR, f"{NAME} of the task before cannot be read") from error
    if not features:
        raise RunnerError(NO_INPUT_ERROR, "The task before delivered no images")
    return features


def source_path(task: Task, source: Feature) -> Path:
    """The file or folder that a feature of the task before points to.

    Raises:
        RunnerError: it points to nothing, or out of the folder.
    """
    properties: Mapping[str, Any] = source.get("properties") or {}
    relative = properties.get(DATA_PATH)
    if task.source is None or not isinstance(relative, str):
        raise RunnerError(WRONG_INPUT_ERROR, f"A feature of the task before has no {DATA_PATH}")
    path = task.source / on_disk(relative)
    if task.source.resolve() not in path.resolve().parents:
        raise RunnerError(WRONG_INPUT_ERROR, f"{relative} lies outside the folder of the task before")
    if not path.exists():
        raise RunnerError(WRONG_INPUT_ERROR, f"{relative} is missing in the output of the task before")
    return path


def output_bytes(task: Task) -> int:
    """Size of all files in the task's output folder."""
    return sum(path.stat().st_size for path in task.target.rglob("*") if path.is_file())
