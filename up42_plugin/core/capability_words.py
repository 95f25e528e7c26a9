"""Capabilities of blocks in words: what a block takes, what it hands on, and why it does not fit."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from up42_plugin.core.capability_check import Mismatch, Output, choices, mismatches, wanted_by
from up42_plugin.core.workflow import Block, BlockType

_FORMATS = {"GTiff": "GeoTIFF", "json": "JSON"}
_SENSORS = {
    "Pleiades": "Pléiades",
    "Sentinel1GRD": "Sentinel-1 GRD",
    "Sentinel1SLC": "Sentinel-1 SLC",
    "Sentinel2": "Sentinel-2",
    "Sentinel3": "Sentinel-3",
    "Sentinel5P": "Sentinel-5P",
    "Landsat8": "Landsat 8",
    "TerraSAR": "TerraSAR-X",
}
_KINDS = {"raster": "a raster", "vector": "vector data", "misc": "a document"}
# What tells most comes first: a sensor, rather than the bands that it lacks.
_TELLING = ("sensor", "format", "bands", "processing_level", "resolution", "dtype")


def why_not(block: Block, before: Output) -> str:
    """``NDVI needs Pléiades or SPOT, Sentinel-2 comes in.``; empty where nothing speaks against it here."""
    found = _most_telling(block, before)
    if found is None:
        return ""
    needs, gets = _needs_and_gets(found, before)
    return f"{block.title} needs {needs}, {gets} comes in."


def why_not_short(block: Block, before: Output) -> str:
    """``Needs SAFE, gets GeoTIFF``, ``Needs Pléiades or SPOT``: for a narrow column."""
    found = _most_telling(block, before)
    if found is None:
        return ""
    needs, gets = _needs_and_gets(found, before)
    return f"Needs {needs}, gets {gets}" if found.name == "format" else f"Needs {needs}"


def takes_text(block: Block) -> str:
    """What a block takes: ``GeoTIFF raster, Pléiades or SPOT``."""
    if block.type is BlockType.DATA:
        return "The area: it begins a workflow"
    return _data_text(wanted_by(block)) or "Not told by the service"


def produces_text(output: Output) -> str:
    """What is handed on, in short: ``SAFE, 13 bands``."""
    parts = [_words("format", choices(output[key])) for key in output if key.endswith(".format")][:1]
    bands = next((output[key] for key in output if key.endswith(".bands")), None)
    if isinstance(bands, list):
        parts.append("1 band" if len(bands) == 1 else f"{len(bands)} bands")
    return ", ".join(parts)


def _data_text(capabilities: Mapping[str, Any]) -> str:
    values: Dict[str, str] = {}
    for key, value in capabilities.items():
        values.setdefault(key.split(".")[-1], _words(key.split(".")[-1], choices(value)))
    kind = next(iter(capabilities), "").split(".")[0]
    first = " ".join(part for part in (values.get("format", ""), kind if kind in ("raster", "vector") else "") if part)
    rest = [values[name] for name in _TELLING if name != "format" and name in values]
    return ", ".join(part for part in (first, *rest) if part)


def _most_telling(block: Block, before: Output) -> Any:
    def rank(found: Mismatch) -> int:
        return _TELLING.index(found.name) if found.name in _TELLING else len(_TELLING)

    return min(mismatches(block, before), key=rank, default=None)


def _needs_and_gets(found: Mismatch, before: Output) -> Tuple[str, str]:
    kinds = {key.split(".")[0] for key in before}
    if found.kind not in kinds:
        coming = [_KINDS.get(kind, kind) for kind in sorted(kinds)]
        return _KINDS.get(found.kind, found.kind), " and ".join(coming) or "nothing"
    return _words(found.name, found.wanted), _words(found.name, found.offered) or "none"


def _words(name: str, values: Sequence[Any]) -> str:
    say = _SAYING.get(name, lambda value: f"{name.replace('_', ' ')} {value}")
    said: List[str] = []
    for value in values:
        text = say(value)
        if text not in said:
            said.append(text)
    return f"{', '.join(said[:-1])} or {said[-1]}" if len(said) > 1 else "".join(said)


def _bands(value: Any) -> str:
    if not isinstance(value, list):
        return f"the bands {value}"
    if len(value) > 5:  # noqa: PLR2004 - more names than people read in one sentence
        return f"{len(value)} bands from {value[0]} to {value[-1]}"
    return f"the band {value[0]}" if len(value) == 1 else f"the bands {', '.join(str(band) for band in value)}"


_SAYING: Dict[str, Callable[[Any], str]] = {
    "sensor": lambda value: _SENSORS.get(str(value), str(value)),
    "format": lambda value: _FORMATS.get(str(value), str(value)),
    "bands": _bands,
    "processing_level": lambda value: f"level {str(value).upper()}",
    "resolution": lambda value: f"{value}\u00a0m",
    "dtype": lambda value: f"{value} values",
}
