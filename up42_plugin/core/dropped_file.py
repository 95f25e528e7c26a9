"""A file that was dropped: shapes for an area, or the text of a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from up42_plugin.api.context import CallContext
from up42_plugin.api.errors import Up42Error
from up42_plugin.core.json_text import JsonTextError, parse
from up42_plugin.core.shapes import Shapes, read_vector_file

LARGEST_RECIPE = 2_000_000
_GEOJSON = frozenset(
    {
        "FeatureCollection",
        "Feature",
        "GeometryCollection",
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
    }
)


@dataclass(frozen=True)
class DroppedFile:
    """One of the two: ``shapes`` of a vector file, or the ``recipe`` text (of a job's JSON, perhaps)."""

    shapes: Optional[Shapes] = None
    recipe: str = ""


def read_dropped(path: Path, context: CallContext) -> DroppedFile:
    """Read a vector file or a recipe; for workers.

    Raises:
        AoiError: a vector file without anything that could be an area, or with too much of it.
        Up42Error: neither of the two.
        Cancelled: the context was cancelled.
    """
    if path.suffix.lower() == ".json":
        text = _json_text(path)
        if text:
            return DroppedFile(recipe=text)
    context.check()
    return DroppedFile(shapes=read_vector_file(path, context))


def _json_text(path: Path) -> str:
    """The text of JSON that is not GeoJSON; empty for GeoJSON, or what is too large for anything else."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(LARGEST_RECIPE + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise Up42Error(f"{path.name} cannot be read.", str(error)) from error
    if len(text) > LARGEST_RECIPE:
        return ""
    try:
        value = parse(text).value
    except JsonTextError as error:
        raise Up42Error(f"{path.name} is neither GeoJSON nor a recipe: {error}") from error
    if isinstance(value, dict) and value.get("type") in _GEOJSON:
        return ""
    return text
