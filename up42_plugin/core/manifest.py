"""The manifest of an unpacked output: ``data.json``, what it points to, and ``usage.json``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Dict, List, Mapping, Optional, Tuple

from up42_plugin.core.archives.safe_names import safe_component
from up42_plugin.core.imagery.scene_facts import acquired_span, cloud_cover, scene_id, synthetic_note
from up42_plugin.core.output_errors import ManifestError
from up42_plugin.core.storage import system_path
from up42_plugin.core.unpack import RECEIPT

DATA_PATH = "up42.data_path"
_OLD_DATA_PREFIX = "up42.data"
_CUSTOM_PREFIX = "custom."
_TMP_OUTPUT = "/tmp/output/"  # noqa: S108 - where a block's container writes, seen in old manifests
_LARGEST_JSON = 256 << 20
_BBOX_LENGTHS = (4, 6)

BBox = Tuple[float, float, float, float]


@dataclass(frozen=True)
class OutputItem:
    """One feature of ``data.json``. ``path`` is the file or folder it points to, None with a ``problem``.

    ``data_path`` as it stands in ``data.json``. ``acquired`` to ``acquired_until`` (UTC) are equal where the time of
    acquisition is known, else a day apart. ``cloud_cover`` in percent. ``geometry`` (GeoJSON) and ``bbox`` (west,
    south, east, north) in EPSG:4326.
    """

    feature_id: str
    data_path: str
    path: Optional[Path]
    properties: Mapping[str, Any]
    geometry: Optional[Mapping[str, Any]]
    bbox: Optional[BBox]
    acquired: Optional[datetime]
    acquired_until: Optional[datetime]
    cloud_cover: Optional[float]
    scene_id: str
    synthetic: bool = False
    synthetic_note: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Manifest:
    """An output as its description has it. ``usage`` is what ``usage.json`` holds, None where there is none."""

    folder: Path
    items: Tuple[OutputItem, ...]
    usage: Optional[Mapping[str, Any]] = None
    synthetic: bool = False
    synthetic_note: str = ""
    problems: Tuple[str, ...] = field(default=())


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of an unpacked output.

    An output without ``data.json`` (orders are delivered so) is taken as one item: the folder.

    Raises:
        ManifestError: ``data.json`` is there and cannot be read.
    """
    description = folder / "data.json"
    usage = read_usage(folder)
    if not system_path(description).is_file():
        item = OutputItem("", "", folder, {}, None, None, None, None, None, "")
        return Manifest(folder, (item,), usage, problems=("data.json is missing.",))
    collection = _read_json(description)
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        raise ManifestError("data.json is no FeatureCollection")
    renamed = _read_renamed(folder)
    note = synthetic_note(collection)
    items = tuple(_item(feature, index, folder, renamed, note) for index, feature in enumerate(collection["features"]))
    note = next((item.synthetic_note for item in items if item.synthetic), note)
    problems = tuple(item.problem for item in items if item.problem)
    return Manifest(folder, items, usage, note is not None, note or "", problems)


def _item(feature: Any, index: int, folder: Path, renamed: Mapping[str, str], note: Optional[str]) -> OutputItem:
    if not isinstance(feature, dict):
        raise ManifestError(f"features[{index}] is no object")
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    feature_id = str(feature.get("id") or "")
    data_path = _data_path(properties)
    path, problem = _resolve(folder, data_path, renamed)
    identity = scene_id(properties, feature_id)
    span = acquired_span(properties, identity, data_path)
    own_note = synthetic_note(properties, feature)
    note = own_note if own_note is not None else note
    geometry = feature.get("geometry")
    return OutputItem(
        feature_id=feature_id,
        data_path=data_path,
        path=path,
        properties=properties,
        geometry=geometry if isinstance(geometry, dict) else None,
        bbox=_bbox(feature.get("bbox")),
        acquired=span[0] if span else None,
        acquired_until=span[1] if span else None,
        cloud_cover=cloud_cover(properties),
        scene_id=identity,
        synthetic=note is not None,
        synthetic_note=note or "",
        problem=problem,
    )


def _data_path(properties: Mapping[str, Any]) -> str:
    """The path, also under the names it had before 2020; empty in test queries."""
    value = properties.get(DATA_PATH)
    if isinstance(value, str):
        return value
    for prefix in (_OLD_DATA_PREFIX, _CUSTOM_PREFIX):
        for key, candidate in properties.items():
            if key.startswith(prefix) and isinstance(candidate, str):
                return candidate
    return ""


def _resolve(folder: Path, data_path: str, renamed: Mapping[str, str]) -> Tuple[Optional[Path], str]:
    """The file or folder a data path means, or why there is none."""
    if not data_path:
        return None, ""
    text = f"{data_path.rstrip('/')}/"
    text = text[len(_TMP_OUTPUT) :] if text.startswith(_TMP_OUTPUT) else text
    if PurePosixPath(text).is_absolute() or ".." in PurePosixPath(text).parts:
        return None, f"{data_path} lies outside the output and was not opened."
    relative = "/".join(part for part in text.split("/") if part not in ("", "."))
    if relative in ("", "output"):
        return folder, ""
    names = [relative, *([relative[len("output/") :]] if relative.startswith("output/") else [])]
    for name in names:
        for candidate in (renamed.get(name, ""), "/".join(safe_component(part) for part in name.split("/"))):
            if candidate and _is_there(folder / candidate):
                return folder / candidate, ""
    return None, f"{data_path} is named in data.json but not in the output."


def _is_there(path: Path) -> bool:
    try:
        return system_path(path).exists()
    except OSError:  # a name that no file can have
        return False


def _bbox(value: Any) -> Optional[BBox]:
    """West, south, east, north of a box with two or three axes."""
    if not isinstance(value, list) or len(value) not in _BBOX_LENGTHS:
        return None
    if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in value):
        return None
    half = len(value) // 2
    return float(value[0]), float(value[1]), float(value[half]), float(value[half + 1])


def _read_json(path: Path) -> Any:
    try:
        if system_path(path).stat().st_size > _LARGEST_JSON:
            raise ManifestError(f"{path.name} is larger than {_LARGEST_JSON} bytes")
        return json.loads(system_path(path).read_bytes())
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path.name}: {error}") from error
    except OSError as error:
        raise ManifestError(f"{path.name}: {error.strerror}") from error


def read_usage(folder: Path) -> Optional[Mapping[str, Any]]:
    """What ``usage.json`` of an output says. Nice to have: an unreadable one is as good as none."""
    path = folder / "usage.json"
    if not system_path(path).is_file():
        return None
    try:
        usage = _read_json(path)
    except ManifestError:
        return None
    return usage if isinstance(usage, dict) else None


def _read_renamed(folder: Path) -> Dict[str, str]:
    receipt = folder / RECEIPT
    if not system_path(receipt).is_file():
        return {}
    content = _read_json(receipt)
    renamed = content.get("renamed") if isinstance(content, dict) else None
    return {str(key): str(value) for key, value in renamed.items()} if isinstance(renamed, dict) else {}


def files_below(folder: Path) -> List[Path]:
    """All files in a folder and below, sorted, as absolute paths."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
