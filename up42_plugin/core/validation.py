"""What must be right before a job configuration is sent: every problem at once, in words."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Iterator, Mapping, Optional, Tuple

from up42_plugin.api.errors import Up42Error
from up42_plugin.core.aoi import AOI, AoiError, box_area_km2, size_problems
from up42_plugin.core.configuration import CONFIG, GeometricFilter, JobConfiguration
from up42_plugin.core.geometry.errors import TOO_LARGE
from up42_plugin.core.jobs import Mode
from up42_plugin.core.parameter_values import complaint, geometry_of
from up42_plugin.core.parameters import CLIP_TO_AOI, LIMIT, ParameterSchema, number_text
from up42_plugin.core.service import Limits
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, BlockType, Step

_FILTER_NAMES = {"bbox": "Bounding Box", "intersects": "Intersects", "contains": "Contains"}


@dataclass(frozen=True)
class Problem:
    """One thing to mend. ``task`` and ``parameter`` are empty where none is to blame; ``message`` names them itself."""

    task: str
    parameter: str
    message: str


class ConfigurationError(Up42Error):
    """The job configuration cannot be sent. ``problems`` holds everything that is wrong with it."""

    def __init__(self, problems: Tuple[Problem, ...]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems = problems


def check(configuration: JobConfiguration, limits: Limits, mode: Mode) -> None:
    """Raise :class:`ConfigurationError` with every problem, where there is any."""
    problems = validate(configuration, limits, mode)
    if problems:
        raise ConfigurationError(problems)


def validate(configuration: JobConfiguration, limits: Limits, mode: Mode) -> Tuple[Problem, ...]:
    """Everything wrong with a configuration, in the order of the form; empty when it can be sent.

    ``limits`` are the project's: scenes per job, and the largest AOI, which holds for live jobs only.
    """
    wrong = [*_chain(configuration), *_shapes(configuration)]
    if wrong:
        return tuple(wrong)
    body = configuration.outline(mode)
    wrong.extend(_area(configuration, body, limits, mode))
    steps = configuration.workflow.steps
    for number, step in enumerate(steps):
        values = body[step.name]
        if configuration.aoi is not None:
            # The AOI was checked when it was made, and it may be long.
            values = {name: value for name, value in values.items() if name not in GEOMETRY_PARAMETERS}
        wrong.extend(_parameters(step, values, number == 0))
        if number > 0:
            wrong.extend(_clipping(step, body[step.name]))
    wrong.extend(_limit(steps[0], body[steps[0].name], limits))
    return tuple(dict.fromkeys(wrong))


def unknown_parameters(configuration: JobConfiguration) -> Tuple[Tuple[str, str], ...]:
    """Task and name of the parameters that the blocks' schemas do not have.

    They are sent as they are, for some blocks take more than they declare; what looks like a slip of the pen is a
    problem of :func:`validate`.
    """
    return tuple(
        (step.name, name)
        for step in configuration.workflow.steps
        for name in configuration.parameters.get(step.name, {})
        if name not in step.block.parameters
    )


def _chain(configuration: JobConfiguration) -> Iterator[Problem]:
    steps = configuration.workflow.steps
    if not steps:
        yield Problem("", "", "The workflow has no blocks yet.")
        return
    if steps[0].block.type is not BlockType.DATA:
        yield Problem(steps[0].name, "", "The first block of a workflow must be a data block.")
    for step in steps[1:]:
        if step.block.type is BlockType.DATA:
            yield Problem(step.name, "", f"{step.block.title} is a data block; only the first block can be one.")


def _shapes(configuration: JobConfiguration) -> Iterator[Problem]:
    known = {step.name for step in configuration.workflow.steps}
    for task, values in configuration.parameters.items():
        if task == CONFIG:
            continue
        if task not in known:
            yield Problem(task, "", f"This workflow has no task {task}.")
        elif not isinstance(values, Mapping):
            yield Problem(task, "", f"{task}: an object with parameters is needed.")


def _area(configuration: JobConfiguration, body: Mapping[str, Any], limits: Limits, mode: Mode) -> Iterator[Problem]:
    step = configuration.workflow.data_step
    values = body[step.name]
    offered = ParameterSchema.of(step.block).geometries
    chosen = [name for name in GEOMETRY_PARAMETERS if values.get(name) is not None]
    if configuration.from_storage:
        for name in chosen:
            yield Problem(step.name, name, f"{name}: must be left out, for the data comes from storage.")
        return
    if not offered:
        return
    if not chosen:
        yield Problem(step.name, "", "Choose an area first.")
    elif len(chosen) > 1:
        yield Problem(step.name, chosen[1], f"Only one of {' and '.join(chosen)} can be set.")
    elif chosen[0] not in offered:
        names = " or ".join(_FILTER_NAMES[name] for name in offered)
        yield Problem(step.name, chosen[0], f"{step.block.title} takes the filter {names} only.")
    else:
        aoi = configuration.aoi if configuration.aoi is not None else _read_geometry(chosen[0], values[chosen[0]])
        maximum = limits.max_aoi_km2 if mode is Mode.LIVE else None
        for text in _size(aoi, chosen[0], limits.min_aoi_km2, maximum):
            yield Problem(step.name, chosen[0], text)


def _size(aoi: Optional[AOI], name: str, minimum_km2: float, maximum_km2: Optional[float]) -> Iterator[str]:
    if aoi is None:
        return
    area = box_area_km2(aoi) if name == GeometricFilter.BBOX.value else aoi.area_km2
    for problem in size_problems(area, minimum_km2, maximum_km2):
        yield f"Mend the area first, {problem.reason}" if problem.code == TOO_LARGE else problem.message


def _read_geometry(name: str, value: Any) -> Optional[AOI]:
    """The polygon of a typed geometry; None where the value's own check says what is wrong."""
    try:
        return geometry_of(name, value)
    except (AoiError, TypeError, ValueError, LookupError, OverflowError):
        return None


def _parameters(step: Step, values: Mapping[str, Any], first: bool) -> Iterator[Problem]:
    schema = ParameterSchema.of(step.block)
    for spec in schema:
        given = spec.name in values
        if not given and not spec.required:
            continue
        text = complaint(spec, values[spec.name] if given else spec.default)
        if text:
            yield _about(step, spec.name, text, first)
    names = [spec.name for spec in schema]
    for name in values:
        if name in schema:
            continue
        likely = get_close_matches(name, names, n=1, cutoff=0.75)
        if likely:
            yield _about(step, name, f"there is no such parameter; {likely[0]} is meant, perhaps.", first)


def _clipping(step: Step, values: Mapping[str, Any]) -> Iterator[Problem]:
    """Processing blocks that clip want one geometry at most, and none when they do not clip."""
    chosen = [name for name in GEOMETRY_PARAMETERS if values.get(name) is not None]
    if len(chosen) > 1:
        yield _about(step, chosen[1], f"only one of {' and '.join(chosen)} can be set.", False)
    spec = ParameterSchema.of(step.block).get(CLIP_TO_AOI)
    if chosen and spec is not None and values.get(CLIP_TO_AOI, spec.default) is False:
        yield _about(step, chosen[0], f"must be null while {CLIP_TO_AOI} is false.", False)


def _limit(step: Step, values: Mapping[str, Any], limits: Limits) -> Iterator[Problem]:
    spec = ParameterSchema.of(step.block).get(LIMIT)
    value = values.get(LIMIT)
    if spec is None or limits.max_scenes is None or complaint(spec, value) or value is None:
        return
    if value > limits.max_scenes:
        yield _about(
            step,
            LIMIT,
            f"this project takes at most {limits.max_scenes} scenes per job, not {number_text(value)}.",
            True,
        )


def _about(step: Step, parameter: str, text: str, first: bool) -> Problem:
    """Parameters of the data block speak for themselves; those of other blocks are named with their task."""
    place = parameter if first else f"{step.name}, {parameter}"
    return Problem(step.name, parameter, f"{place}: {text}")
