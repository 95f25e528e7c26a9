"""The job configuration: what a test query and a live job share."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from up42_plugin.core.aoi import AOI, coordinates_digest
from up42_plugin.core.jobs import Mode
from up42_plugin.core.parameters import (
    ASSET_IDS,
    CLIP_TO_AOI,
    CLOUDS,
    IDS,
    LIMIT,
    SEARCH_PARAMETERS,
    TIME,
    TIME_SERIES,
    ParameterSchema,
    ParameterSpec,
    default_parameters,
)
from up42_plugin.core.timerange import Moment, TimeRange
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, Step, Workflow

CONFIG = "config"
_SEARCH_LABELS = {TIME: "Time", TIME_SERIES: "Time", CLOUDS: "Clouds", LIMIT: "Limit", IDS: "Scene IDs"}
_STORAGE_LABEL = "From storage"
_ABSENT = object()


class GeometricFilter(str, Enum):
    """How the AOI is matched with images."""

    INTERSECTS = "intersects"
    BBOX = "bbox"
    CONTAINS = "contains"


class Keep(Enum):
    """The default of an argument that changes nothing, where None is a value."""

    KEEP = "keep"


KEEP = Keep.KEEP


@dataclass(frozen=True)
class JobConfiguration:
    """Workflow + AOI + geometric filter + job parameters.

    ``parameters`` maps task names to that task's parameters without its geometry, which comes from ``aoi``; None as
    ``aoi`` leaves the geometries in ``parameters`` as they are.
    """

    workflow: Workflow
    aoi: Optional[AOI]
    geometric_filter: GeometricFilter
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        workflow: Workflow,
        aoi: Optional[AOI] = None,
        geometric_filter: GeometricFilter = GeometricFilter.INTERSECTS,
    ) -> JobConfiguration:
        """A configuration with the defaults of all blocks."""
        return cls(workflow, aoi, geometric_filter, default_parameters(workflow))

    def with_aoi(self, aoi: Optional[AOI], geometric_filter: Optional[GeometricFilter] = None) -> JobConfiguration:
        """The same for another area, and another filter where one is given."""
        return replace(self, aoi=aoi, geometric_filter=geometric_filter or self.geometric_filter)

    def with_search(
        self,
        time: Union[Tuple[Moment, Moment], Keep, None] = KEEP,
        limit: Union[int, Keep] = KEEP,
        max_cloud_cover: Union[int, Keep, None] = KEEP,
        ids: Union[Iterable[str], Keep, None] = KEEP,
    ) -> JobConfiguration:
        """The same with another search in the data block; what is not given stays.

        ``time`` is a start and an end, both included: dates stand for whole days in UTC, None for any time. ``ids``
        asks for exactly these scenes, and sets the limit to their number as the vendor's client does; None asks by
        time, limit and clouds again.

        Raises:
            TimeRangeError: a start or end that is none, or an end before its start.
        """
        changes: Dict[str, Any] = {}
        if not isinstance(time, Keep):
            changes[TIME] = None if time is None else str(TimeRange.of(*time))
        if not isinstance(max_cloud_cover, Keep):
            changes[CLOUDS] = max_cloud_cover
        if not isinstance(ids, Keep):
            scenes = list(ids) if ids is not None else None
            changes[IDS] = scenes
            if scenes:
                changes[LIMIT] = len(scenes)
        if not isinstance(limit, Keep):
            changes[LIMIT] = limit
        return self.with_parameters(self.workflow.data_step.name, changes)

    def with_parameters(self, task: str, changes: Mapping[str, Any]) -> JobConfiguration:
        """The same with some of one task's parameters changed."""
        parameters = {name: dict(values) for name, values in self.parameters.items()}
        parameters[task] = {**parameters.get(task, {}), **deepcopy(dict(changes))}
        return replace(self, parameters=parameters)

    def inputs(self, mode: Mode) -> Dict[str, Any]:
        """The JSON body of the job, ``config.mode`` included: one member for every task, in the chain's order.

        With an AOI the data task gets it as the one geometric filter, and so does every later task that clips to it;
        the other geometries a block knows are null. The body is the caller's own.
        """
        return self._body(mode, _own_geometry)

    def outline(self, mode: Mode) -> Dict[str, Any]:
        """As :meth:`inputs`, to look at only: the AOI's coordinates are its own tuples.

        Checking and comparing go through this with every key that is typed, and polygons may be long.
        """
        return self._body(mode, _shared_geometry)

    def _body(self, mode: Mode, geometry: Callable[[AOI, str], Any]) -> Dict[str, Any]:
        body: Dict[str, Any] = {}
        for number, step in enumerate(self.workflow.steps):
            body[step.name] = self._task_inputs(step, number == 0, geometry)
        for task, values in self.parameters.items():
            if task not in body and task != CONFIG:
                body[task] = deepcopy(dict(values))
        body[CONFIG] = {"mode": mode.value}
        return body

    @property
    def from_storage(self) -> bool:
        """Whether the data block is told which assets to take: then nothing is searched, and no area is needed."""
        if not self.workflow.steps:
            return False
        values = self.parameters.get(self.workflow.data_step.name)
        assets = values.get(ASSET_IDS) if isinstance(values, Mapping) else None
        return isinstance(assets, list) and bool(assets)

    def _task_inputs(self, step: Step, first: bool, geometry: Callable[[AOI, str], Any]) -> Dict[str, Any]:
        given = deepcopy(dict(self.parameters.get(step.name, {})))
        if self.from_storage:
            return _stored(step, given, first)
        if self.aoi is None:
            return given
        values = {name: value for name, value in given.items() if name not in GEOMETRY_PARAMETERS}
        schema = ParameterSchema.of(step.block)
        offered = schema.geometries
        if not offered:
            return values
        for name in GEOMETRY_PARAMETERS:
            if name in offered:
                values[name] = None
        if first or _clips(schema, values):
            name = self._filter_for(offered, first)
            values[name] = geometry(self.aoi, name)
        return values

    def _filter_for(self, offered: Sequence[str], first: bool) -> str:
        """The data block is asked what was chosen, even in vain; clipping has the same result with any polygon."""
        wanted = self.geometric_filter.value
        if first or wanted in offered:
            return wanted
        polygons = [name for name in offered if name != GeometricFilter.BBOX.value]
        return polygons[0] if polygons else offered[0]

    @property
    def fingerprint(self) -> str:
        """Equal for configurations that ask for the same thing: SHA-256 of the workflow, its blocks and the inputs.

        A parameter left to its default and the same value written out are the same thing.
        """
        blocks = [[step.name, step.block.id] for step in self.workflow.steps]
        text = json.dumps(
            [self.workflow.id, blocks, _effective(self)], sort_keys=True, separators=(",", ":"), ensure_ascii=True
        )
        return hashlib.sha256(text.encode()).hexdigest()


def differences(old: JobConfiguration, new: JobConfiguration) -> Tuple[str, ...]:
    """What changed, in the words of the form; empty when both ask for the same thing.

    The words are ``Workflow``, ``Area``, ``Filter``, ``Time``, ``Clouds``, ``Limit``, ``Scene IDs``, ``From storage``,
    else the block's title and the parameter.
    """
    if old.fingerprint == new.fingerprint:
        return ()
    found: List[str] = []
    if _blocks(old) != _blocks(new):
        found.append("Workflow")
    before, after = _effective(old), _effective(new)
    if old.from_storage or new.from_storage:
        pass  # there is no area, or the one change that matters is that there is none any more
    elif old.aoi is not None and new.aoi is not None:
        if old.aoi.rings != new.aoi.rings:
            found.append("Area")
        if old.geometric_filter != new.geometric_filter:
            found.append("Filter")
    elif _geometries(before) != _geometries(after):
        found.append("Area")
    for position, step in enumerate(new.workflow.steps):
        earlier = old.workflow.steps[position] if position < len(old.workflow.steps) else None
        if earlier is None or earlier.block.name != step.block.name:
            continue
        searched = position == 0 and not (old.from_storage or new.from_storage)
        found.extend(_changed(step, position == 0, searched, before.get(earlier.name, {}), after.get(step.name, {})))
    found.extend(name for name in after if name not in before and "Workflow" not in found)
    # Never empty here: whoever asks takes an empty answer for "the same thing".
    return tuple(dict.fromkeys(found)) or ("Parameters",)


def _changed(step: Step, first: bool, searched: bool, before: Mapping[str, Any], after: Mapping[str, Any]) -> List[str]:
    schema = ParameterSchema.of(step.block)
    found = []
    for name in dict.fromkeys([*_SEARCH_LABELS, *before, *after]):
        if name in GEOMETRY_PARAMETERS or before.get(name, _ABSENT) == after.get(name, _ABSENT):
            continue
        if first and name in _SEARCH_LABELS:
            found.extend([_SEARCH_LABELS[name]] if searched else [])
            continue
        if first and name == ASSET_IDS:
            found.append(_STORAGE_LABEL)
            continue
        spec = schema.get(name) or ParameterSpec.parse(name, {})
        found.append(f"{step.block.title}: {spec.label}")
    return found


def _geometries(body: Mapping[str, Mapping[str, Any]]) -> Dict[str, Any]:
    return {
        f"{task} {name}": values[name]
        for task, values in body.items()
        for name in GEOMETRY_PARAMETERS
        if name in values
    }


def _blocks(configuration: JobConfiguration) -> Tuple[Any, ...]:
    workflow = configuration.workflow
    return workflow.id, tuple((step.name, step.block.id) for step in workflow.steps)


def _effective(configuration: JobConfiguration) -> Dict[str, Dict[str, Any]]:
    """The inputs with the blocks' defaults where a parameter is left out, without geometries that are null.

    Polygons are their digests: they may be long, and this is asked for with every change in the form.
    """
    body = configuration.outline(Mode.LIVE)
    body.pop(CONFIG)
    for step in configuration.workflow.steps:
        body[step.name] = {**ParameterSchema.of(step.block).defaults(), **body[step.name]}
    return {
        task: {
            name: _geometry_digest(configuration.aoi, value) if name in GEOMETRY_PARAMETERS else _plain(value)
            for name, value in values.items()
            if value is not None or name not in GEOMETRY_PARAMETERS
        }
        for task, values in body.items()
    }


def _geometry_digest(aoi: Optional[AOI], value: Any) -> Any:
    if not isinstance(value, Mapping) or value.get("type") != "Polygon":
        return _plain(value)
    return {"polygon": aoi.digest if aoi is not None else coordinates_digest(value.get("coordinates"))}


def _plain(value: Any) -> Any:
    """The value with whole numbers as integers: ``10`` and ``10.0`` are the same in JSON."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, (list, tuple)) else value


def _stored(step: Step, given: Dict[str, Any], first: bool) -> Dict[str, Any]:
    """One task's inputs when the data comes from storage.

    The data block gets its asset ids without anything to search by, as from the vendor's client (``up42-py`` 0.31.0,
    ``workflow.py``, ``construct_parameters``), typed geometries aside, which the validation complains of. Later tasks
    have no area to clip to, but for one that was typed.
    """
    if first:
        return {name: value for name, value in given.items() if name not in SEARCH_PARAMETERS}
    schema = ParameterSchema.of(step.block)
    values = {**dict.fromkeys(schema.geometries), **given}
    typed = any(values.get(name) is not None for name in GEOMETRY_PARAMETERS)
    if CLIP_TO_AOI in schema and not typed:
        values[CLIP_TO_AOI] = False
    return values


def _clips(schema: ParameterSchema, values: Mapping[str, Any]) -> bool:
    """Whether a processing block wants the area to clip to."""
    spec = schema.get(CLIP_TO_AOI)
    return spec is None or values.get(CLIP_TO_AOI, spec.default) is True


def _own_geometry(aoi: AOI, name: str) -> Any:
    return list(aoi.bbox) if name == GeometricFilter.BBOX.value else aoi.geojson()


def _shared_geometry(aoi: AOI, name: str) -> Any:
    if name == GeometricFilter.BBOX.value:
        return list(aoi.bbox)
    return {"type": "Polygon", "coordinates": aoi.rings}
