"""Scenes of a test query out of its ``data.json``, and the pictures that belong to them."""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.imagery.scene_facts import acquired_span, cloud_cover, lookup, scene_id, synthetic_note
from up42_plugin.core.scenes import BBox, Scene

_PROVIDERS = (
    "provider",
    "providerName",
    "producer",
    "constellation",
    "platform",
    "acquisition.missionName",
    "platformname",
)
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


def scenes_of(collection: Mapping[str, Any], job_id: str) -> Tuple[Scene, ...]:
    """The scenes of a feature collection, in its order. One scene that comes as several features is one."""
    scenes: List[Scene] = []
    seen = set()
    collection_note = synthetic_note(collection)
    for feature in collection.get("features") or []:
        scene = _scene(feature, job_id, collection_note) if isinstance(feature, dict) else None
        if scene is None or (scene.feature_id and scene.feature_id in seen):
            continue
        seen.add(scene.feature_id)
        scenes.append(scene)
    return tuple(scenes)


def _scene(feature: Mapping[str, Any], job_id: str, collection_note: Optional[str]) -> Optional[Scene]:
    properties = feature.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    geometry = feature.get("geometry")
    geometry = geometry if isinstance(geometry, dict) else {}
    bbox = read_bbox(feature.get("bbox")) or bbox_of(geometry)
    if bbox is None:  # nothing to show on a map
        return None
    identifier = feature.get("id")
    feature_id = "" if identifier is None else str(identifier)
    ident = scene_id(properties, feature_id)
    span = acquired_span(properties, ident, feature_id)
    extra = {name: feature[name] for name in ("fileSize", "estimatedCredits") if name in feature}
    return Scene(
        feature_id=feature_id,
        scene_id=ident,
        job_id=job_id,
        footprint=geometry or _box(bbox),
        bbox=bbox,
        acquired=None if span is None else span[0],
        cloud_cover=_clouds(properties),
        provider=_provider(properties),
        properties={**properties, **extra},
        synthetic=bool(synthetic_note(properties, feature) or collection_note),
    )


def _clouds(properties: Mapping[str, Any]) -> Optional[float]:
    value = cloud_cover(properties)
    if value is None:
        value = cloud_cover({"cloudCover": lookup(properties, "cloudCoverPercentage")})
    return value if value is not None and math.isfinite(value) else None


def _provider(properties: Mapping[str, Any]) -> str:
    for name in _PROVIDERS:
        value = lookup(properties, name)
        if isinstance(value, str) and value:
            return value
    return ""


def read_bbox(value: Any) -> Optional[BBox]:
    """West, south, east, north of a GeoJSON ``bbox`` (2D or 3D), None when it is none."""
    if not isinstance(value, (list, tuple)) or len(value) not in (4, 6):
        return None
    if not all(_finite(number) for number in value):
        return None
    half = len(value) // 2
    return float(value[0]), float(value[1]), float(value[half]), float(value[half + 1])


def bbox_of(geometry: Mapping[str, Any]) -> Optional[BBox]:
    """The bounding box of a GeoJSON geometry, None when it has no points."""
    points = list(_points(geometry.get("coordinates")))
    for part in geometry.get("geometries") or []:
        box = bbox_of(part) if isinstance(part, dict) else None
        if box is not None:
            points += [(box[0], box[1]), (box[2], box[3])]
    if not points:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _points(value: Any) -> Iterator[Tuple[float, float]]:
    if not isinstance(value, (list, tuple)):
        return
    if len(value) > 1 and _finite(value[0]) and _finite(value[1]):
        yield float(value[0]), float(value[1])
        return
    for part in value:
        yield from _points(part)


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _box(bbox: BBox) -> Mapping[str, Any]:
    west, south, east, north = bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def quicklook_name(names: Sequence[str], feature_id: str) -> str:
    """The picture's file name for a feature: its id and an ending; empty when there is none."""
    for name in names:
        stem = name.rpartition(".")[0] or name
        if feature_id and feature_id in (stem, name):
            return name
    return ""


def picture_suffix(content: bytes, name: str) -> str:
    """The ending that fits the picture, by its first bytes, else by its name."""
    if content.startswith(_PNG):
        return ".png"
    if content.startswith(_JPEG):
        return ".jpg"
    return PurePosixPath(name).suffix.lower() or ".jpg"
