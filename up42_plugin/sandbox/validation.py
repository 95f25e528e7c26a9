"""What is wrong with a job's input, every problem at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from up42_plugin.sandbox import geometry, times
from up42_plugin.sandbox.capabilities import Link
from up42_plugin.sandbox.catalogue import GEOMETRY_PARAMETERS, Block

CONFIG = "config"
MODES = ("DEFAULT", "DRY_RUN")
MIN_AOI_KM2 = 0.1
# A client measures along geodesics, this service along lines of its own: they differ far less than this.
_AREA_TOLERANCE = 0.001
_IDS: Mapping[str, str] = {"ids": "scene", "asset_ids": "asset"}
_TASK_NAME = re.compile(r".+:\d+")


@dataclass(frozen=True)
class Limits:
    """The project's limits; ``max_aoi_km2`` is None where it does not count (test queries)."""

    max_scenes: Optional[int] = None
    max_aoi_km2: Optional[float] = None


def key_mismatch(names: Sequence[str], inputs: Mapping[str, Any]) -> Optional[str]:
    """What the service says when the input's keys are not the workflow's tasks, None when they are."""
    additional = [name for name in inputs if name != CONFIG and name not in names]
    missing = [name for name in names if name not in inputs]
    parts = []
    if additional:
        parts.append(f"There were additional tasks/queries specified: {', '.join(additional)}")
    if missing:
        parts.append(f"There were missing tasks/queries: {', '.join(missing)}")
    return ", ".join(parts) or None


def mode_of(inputs: Mapping[str, Any]) -> str:
    """``DEFAULT`` or ``DRY_RUN``; raises ``ValueError`` for anything else."""
    config = inputs.get(CONFIG)
    if config is None:
        return MODES[0]
    if not isinstance(config, Mapping) or config.get("mode", MODES[0]) not in MODES:
        raise ValueError(f"#/config/mode: must be one of {', '.join(MODES)}")
    return str(config.get("mode", MODES[0]))


def problems(links: Sequence[Link], inputs: Mapping[str, Any], limits: Limits) -> List[str]:
    """Everything that is wrong with the parameters of a workflow's tasks.

    Parameters the schema does not name are let through: published examples use some.
    """
    found: List[str] = []
    for link in links:
        values = inputs.get(link.name)
        if not isinstance(values, Mapping):
            found.append(f"#/{link.name}: expected type: JSONObject")
            continue
        found.extend(f"#/{link.name}{problem}" for problem in _task_problems(link.block, values, limits))
    return found


def loose_problems(inputs: Mapping[str, Any]) -> List[str]:
    """What can be said without knowing the blocks: names like ``name:1``, geometries, times and limits."""
    found = []
    for name, values in inputs.items():
        if name == CONFIG:
            continue
        if _TASK_NAME.fullmatch(name) is None:
            found.append(f"#: task name [{name}] does not match <block name>:<number>")
        if not isinstance(values, Mapping):
            found.append(f"#/{name}: expected type: JSONObject")
            continue
        found.extend(f"#/{name}{problem}" for problem in _loose_task_problems(values))
    return found


def _loose_task_problems(values: Mapping[str, Any]) -> List[str]:
    given = {key: values[key] for key in values if values[key] is not None}
    found: List[str] = []
    for key, check in _LOOSE.items():
        if key in given:
            found.extend(f"/{key}: {problem}" for problem in check(given[key], {"minimum": 1}))
    found.extend(_too_many_geometries(given))
    return found


def _task_problems(block: Block, values: Mapping[str, Any], limits: Limits) -> List[str]:
    found: List[str] = []
    for name, schema in block.parameters.items():
        found.extend(f"/{name}: {problem}" for problem in _parameter_problems(name, schema, values))
    complete = block.with_defaults(values)
    given = {name: complete[name] for name in complete if complete[name] is not None}
    if block.is_data:
        found.extend(_data_problems(block, given, limits, shapes_are_good=not _shape_problems(found)))
    else:
        found.extend(_too_many_geometries({name: given[name] for name in block.geometry_parameters if name in given}))
    return found


def _parameter_problems(name: str, schema: Mapping[str, Any], values: Mapping[str, Any]) -> List[str]:
    value = values.get(name)
    if value is None:
        needed = schema.get("required") and schema.get("default") is None
        return ["is required"] if needed else []
    if name in GEOMETRY_PARAMETERS:
        return _SHAPES[name](value, schema)
    if name == "time_series":
        return _series_problems(value, schema)
    if name in _IDS:
        return _ids_problems(value, schema, _IDS[name])
    return _TYPES.get(str(schema.get("type")), _anything)(value, schema)


def _shape_problems(found: Sequence[str]) -> List[str]:
    return [problem for problem in found if problem.startswith(tuple(f"/{name}:" for name in GEOMETRY_PARAMETERS))]


def _data_problems(block: Block, given: Mapping[str, Any], limits: Limits, shapes_are_good: bool) -> List[str]:
    found = []
    limit = given.get("limit", 0)
    if limits.max_scenes is not None and isinstance(limit, (int, float)) and limit > limits.max_scenes:
        found.append(f"/limit: {limit} is not less or equal to {limits.max_scenes}, the limit of the project")
    shapes = [name for name in block.geometry_parameters if name in given]
    if "asset_ids" in block.parameters and given.get("asset_ids"):
        return [*found, *(f"/{name}: must not be given with asset_ids" for name in shapes)]
    if block.geometry_parameters and not shapes and not given.get("filenames"):
        found.append(f": exactly one of {', '.join(block.geometry_parameters)} is required")
    found.extend(_too_many_geometries(given))
    if len(shapes) == 1 and shapes_are_good:
        found.extend(f"/{shapes[0]}: {problem}" for problem in _size_problems(given, limits))
    return found


def _size_problems(given: Mapping[str, Any], limits: Limits) -> List[str]:
    polygon = geometry.geometry_of(given)
    if polygon is None:
        return []
    area = geometry.area_km2(polygon)
    if area < MIN_AOI_KM2 * (1 - _AREA_TOLERANCE):
        return [f"the area of interest is {area:.4f} sqkm, the minimum is {MIN_AOI_KM2} sqkm"]
    if limits.max_aoi_km2 is not None and area > limits.max_aoi_km2 * (1 + _AREA_TOLERANCE):
        return [f"the area of interest is {area:.2f} sqkm, the project's maximum is {limits.max_aoi_km2:g} sqkm"]
    return []


def _too_many_geometries(given: Mapping[str, Any]) -> List[str]:
    shapes = [name for name in GEOMETRY_PARAMETERS if given.get(name) is not None]
    return [f": only one of {', '.join(shapes)} may be given"] if len(shapes) > 1 else []


Check = Callable[[Any, Mapping[str, Any]], List[str]]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _anything(_value: Any, _schema: Mapping[str, Any]) -> List[str]:
    return []


def _integer_problems(value: Any, schema: Mapping[str, Any]) -> List[str]:
    whole = _is_integer(value) or (isinstance(value, float) and value.is_integer())
    return _range_problems(value, schema) if whole else ["expected type: Integer"]


def _number_problems(value: Any, schema: Mapping[str, Any]) -> List[str]:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return _range_problems(value, schema) if number else ["expected type: Number"]


def _range_problems(value: Any, schema: Mapping[str, Any]) -> List[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and value < low:
        return [f"{value} is not greater or equal to {low}"]
    if high is not None and value > high:
        return [f"{value} is not less or equal to {high}"]
    return []


def _string_problems(value: Any, _schema: Mapping[str, Any]) -> List[str]:
    return [] if isinstance(value, str) else ["expected type: String"]


def _boolean_problems(value: Any, _schema: Mapping[str, Any]) -> List[str]:
    return [] if isinstance(value, bool) else ["expected type: Boolean"]


def _array_problems(value: Any, schema: Mapping[str, Any]) -> List[str]:
    if not isinstance(value, list):
        return ["expected type: JSONArray"]
    allowed = schema.get("items", {}).get("enum")
    foreign = [item for item in value if allowed is not None and item not in allowed]
    return [f"{item!r} is not one of {', '.join(map(str, allowed))}" for item in foreign]


def _ids_problems(value: Any, schema: Mapping[str, Any], what: str) -> List[str]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        return [f"must be a list with at least one {what} id"]
    return _array_problems(value, schema)


def _range_text_problems(value: Any, _schema: Mapping[str, Any]) -> List[str]:
    try:
        times.parse_range(value)
    except ValueError as error:
        return [str(error)]
    return []


def _series_problems(value: Any, schema: Mapping[str, Any]) -> List[str]:
    if not isinstance(value, list) or not value:
        return ["must be a list with at least one time range"]
    return [problem for item in value for problem in _range_text_problems(item, schema)]


def _polygon_problems(value: Any, _schema: Mapping[str, Any]) -> List[str]:
    return geometry.polygon_problems(value)


def _bbox_problems(value: Any, _schema: Mapping[str, Any]) -> List[str]:
    return geometry.bbox_problems(value)


_SHAPES: Dict[str, Check] = {
    "bbox": _bbox_problems,
    "intersects": _polygon_problems,
    "contains": _polygon_problems,
}
_LOOSE: Dict[str, Check] = {
    **_SHAPES,
    "time": _range_text_problems,
    "time_series": _series_problems,
    "limit": _integer_problems,
}
_TYPES: Dict[str, Check] = {
    "array": _array_problems,
    "geometry": _polygon_problems,
    "dateRange": _range_text_problems,
    "integer": _integer_problems,
    "number": _number_problems,
    "string": _string_problems,
    "boolean": _boolean_problems,
}


def manifest_problems(manifest: Any) -> List[str]:
    """What keeps a value from being a block manifest of version 2."""
    if not isinstance(manifest, Mapping):
        return ["#: expected type: JSONObject"]
    needed: Tuple[Tuple[str, type], ...] = (
        ("_up42_specification_version", int),
        ("name", str),
        ("type", str),
        ("tags", list),
        ("display_name", str),
        ("description", str),
        ("parameters", dict),
        ("machine", dict),
        ("input_capabilities", dict),
        ("output_capabilities", dict),
    )
    found = [f"#: required key [{name}] not found" for name, _ in needed if name not in manifest]
    found += [f"#/{name}: wrong type" for name, kind in needed if not isinstance(manifest.get(name, kind()), kind)]
    if str(manifest.get("type", "data")).lower() not in ("data", "processing"):
        found.append(f"#/type: {manifest['type']} is not a valid enum value")
    return found
