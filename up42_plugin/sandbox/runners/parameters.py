"""What the parameters of a data task ask the archive for."""

from __future__ import annotations

from typing import Any, List, Mapping, Sequence

from up42_plugin.sandbox import geometry, times
from up42_plugin.sandbox.archive import SceneQuery
from up42_plugin.sandbox.runners.contract import RunnerError
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR

GEOMETRIC_FILTERS = ("bbox", "intersects", "contains")


def given_filters(parameters: Mapping[str, Any]) -> List[str]:
    """The geometric filters that are not null."""
    return [name for name in GEOMETRIC_FILTERS if parameters.get(name) is not None]


def area_of(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The polygon of the one geometric filter given, a bounding box as its polygon.

    Raises:
        RunnerError: none, several, or no valid one.
    """
    given = given_filters(parameters)
    if len(given) != 1:
        names = ", ".join(given) or "none"
        message = f"Exactly one of {', '.join(GEOMETRIC_FILTERS)} is needed, given: {names}"
        raise RunnerError(INPUT_PARAMETERS_ERROR, message)
    check = geometry.bbox_problems if given[0] == "bbox" else geometry.polygon_problems
    problems: Sequence[str] = check(parameters[given[0]])
    if problems:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"{given[0]} {'; '.join(problems)}")
    polygon = geometry.geometry_of(parameters)
    if polygon is None:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"{given[0]} is no polygon")
    return polygon


def scene_query(sensor: str, parameters: Mapping[str, Any]) -> SceneQuery:
    """The search that a data task's complete parameters mean.

    ``time_series`` replaces ``time``, ``limit`` counts for each of its ranges (null: no limit), and ``ids`` replaces
    times, limit and clouds.

    Raises:
        RunnerError: a parameter that cannot be understood.
    """
    area = area_of(parameters)
    limit, clouds, ids = parameters.get("limit"), parameters.get("max_cloud_cover"), parameters.get("ids")
    try:
        return SceneQuery(
            sensor=sensor,
            geometry=area,
            relation="contains" if parameters.get("contains") is not None else "intersects",
            times=times.ranges_of(parameters),
            limit=None if limit is None else int(limit),
            max_cloud_cover=100.0 if clouds is None else float(clouds),
            ids=None if not ids else [str(scene_id) for scene_id in ids],
        )
    except (TypeError, ValueError) as error:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"A parameter cannot be understood: {error}") from error
