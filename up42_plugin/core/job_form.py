"""What the form of a job holds, and the same as JSON: both ways without loss."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from up42_plugin.core.aoi import AOI, AoiError
from up42_plugin.core.configuration import CONFIG, GeometricFilter, JobConfiguration
from up42_plugin.core.jobs import Mode
from up42_plugin.core.json_text import JsonText, JsonTextError, Path, parse, write
from up42_plugin.core.parameter_values import geometry_of
from up42_plugin.core.parameters import ASSET_IDS, IDS, LIMIT, default_parameters
from up42_plugin.core.validation import Problem
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, Workflow

Values = Mapping[str, Mapping[str, Any]]
FROM_JSON = "from JSON"
_ABSENT = object()


@dataclass(frozen=True)
class JobForm:
    """The form of one workflow.

    ``parameters`` maps task names to their parameters without geometries. ``geometries`` maps tasks to geometries that
    were typed and are used as they are; None takes the area from the map.
    """

    workflow: Workflow
    geometric_filter: GeometricFilter = GeometricFilter.INTERSECTS
    parameters: Values = field(default_factory=dict)
    geometries: Optional[Values] = None

    @classmethod
    def defaults(cls, workflow: Workflow, geometric_filter: GeometricFilter = GeometricFilter.INTERSECTS) -> JobForm:
        """The blocks' defaults, as the vendor's client makes them."""
        return cls(workflow, geometric_filter, default_parameters(workflow))

    @property
    def asset_ids(self) -> Tuple[str, ...]:
        """The assets in storage that the data block is to work on."""
        found = self.parameters.get(self.workflow.data_step.name, {}).get(ASSET_IDS)
        return tuple(str(asset) for asset in found) if isinstance(found, list) else ()

    def values(self, task: str) -> Dict[str, Any]:
        """One task's parameters, as the caller's own."""
        return deepcopy(dict(self.parameters.get(task, {})))

    def with_values(self, task: str, changes: Mapping[str, Any]) -> JobForm:
        """The same with some of one task's parameters changed."""
        parameters = {name: dict(values) for name, values in self.parameters.items()}
        parameters[task] = {**parameters.get(task, {}), **deepcopy(dict(changes))}
        changed = replace(self, parameters=parameters)
        if "_typed" in vars(self):  # the geometries are the same, and may be long
            vars(changed)["_typed"] = self._typed
        return changed

    def with_ids(self, ids: Optional[Sequence[str]], limit: int) -> JobForm:
        """The same asking for exactly these scenes, with their number as limit; or for any, up to ``limit``."""
        step = self.workflow.data_step
        changes: Dict[str, Any] = {IDS: list(ids) if ids else None}
        if LIMIT in step.block.parameters:
            changes[LIMIT] = len(ids) if ids else limit
        return self.with_values(step.name, changes)

    def adopted(self, fresh: JobForm) -> JobForm:
        """The same for a workflow whose blocks may be others by now: ``fresh`` holds its defaults.

        With the same chain all is kept, else what both know.
        """
        if self.workflow.same_chain(fresh.workflow):
            return replace(self, workflow=fresh.workflow)
        parameters = {
            task: {**values, **{name: value for name, value in self.values(task).items() if name in values}}
            for task, values in fresh.parameters.items()
        }
        return JobForm(fresh.workflow, self.geometric_filter, parameters)

    def configuration(self, aoi: Optional[AOI]) -> JobConfiguration:
        """What the form asks for in this area, which typed geometries replace."""
        if self.geometries is None:
            return JobConfiguration(self.workflow, aoi, self.geometric_filter, self.parameters)
        merged = {task: dict(values) for task, values in self.parameters.items()}
        for task, geometries in self.geometries.items():
            merged[task] = {**merged.get(task, {}), **geometries}
        as_typed = JobConfiguration(self.workflow, None, self.geometric_filter, merged)
        typed = self.typed_area()
        if typed is not None:
            # With its area known, the job can be shown, named and compared like any other.
            usual = JobConfiguration(self.workflow, typed, self.geometric_filter, self.parameters)
            if _geometries(_tasks(usual)) == _geometries(_tasks(as_typed)):
                return usual
        return as_typed

    def typed_area(self) -> Optional[AOI]:
        """The polygon of the data block's typed geometry; None where there is none, or none that can be used."""
        return self._typed

    @cached_property
    def _typed(self) -> Optional[AOI]:
        geometries = (self.geometries or {}).get(self.workflow.data_step.name, {})
        for name in GEOMETRY_PARAMETERS:
            value = geometries.get(name)
            if value is not None:
                try:
                    return replace(geometry_of(name, value), source=FROM_JSON)
                except (AoiError, TypeError, ValueError, LookupError, OverflowError):
                    return None
        return None

    def body(self, aoi: Optional[AOI]) -> Dict[str, Any]:
        """The job's JSON: one member for every task, without what says whether it is a test query."""
        return _tasks(self.configuration(aoi))

    def text(self, aoi: Optional[AOI]) -> str:
        """The job's JSON as text for people."""
        return write(self.body(aoi))

    def with_body(self, body: Values, aoi: Optional[AOI]) -> JobForm:
        """The same workflow with what a job's JSON says.

        Geometries that are just what the form makes of ``aoi`` leave the area to the map.
        """
        tasks = {step.name for step in self.workflow.steps}
        parameters: Dict[str, Dict[str, Any]] = {}
        typed: Dict[str, Dict[str, Any]] = {}
        for task, values in body.items():
            if task == CONFIG:
                continue
            parameters[task] = {
                name: deepcopy(value)
                for name, value in values.items()
                if task not in tasks or name not in GEOMETRY_PARAMETERS
            }
            geometries = {name: deepcopy(values[name]) for name in GEOMETRY_PARAMETERS if name in values}
            if task in tasks and geometries:
                typed[task] = geometries
        followed = self._keeping_unsent(JobForm(self.workflow, self._filter_of(typed), parameters), aoi)
        if _geometries(typed) == _geometries(followed.body(aoi)):
            return followed
        return replace(followed, geometries=typed)

    def _keeping_unsent(self, read: JobForm, aoi: Optional[AOI]) -> JobForm:
        """What is not sent while data comes from storage is still there when it does not any more."""
        if not (self.asset_ids and read.asset_ids):
            return read
        sent, parameters = self.body(aoi), {task: dict(values) for task, values in read.parameters.items()}
        for task, held in self.parameters.items():
            if task not in parameters:
                continue
            given, made = parameters[task], sent.get(task, {})
            for name, value in held.items():
                if given.get(name, _ABSENT) == made.get(name, _ABSENT) != value:
                    given[name] = deepcopy(value)
        return replace(read, parameters=parameters)

    def _filter_of(self, typed: Values) -> GeometricFilter:
        """The filter that the data block's geometry stands for; as it was where that says nothing."""
        geometries = typed.get(self.workflow.data_step.name, {})
        chosen = [name for name in GEOMETRY_PARAMETERS if geometries.get(name) is not None]
        return GeometricFilter(chosen[0]) if len(chosen) == 1 else self.geometric_filter


def read(text: str) -> JsonText:
    """Read a job's JSON.

    Raises:
        JsonTextError: no JSON, or not an object of objects keyed by task name.
    """
    document = parse(text)
    if not isinstance(document.value, dict):
        raise JsonTextError("an object with a member for every task is needed.", document.line_of(()), 1)
    for task, values in document.value.items():
        if not isinstance(values, dict):
            raise JsonTextError(f"{task}: an object with parameters is needed.", document.line_of((task,)), 1)
    return document


def line_of(document: JsonText, problem: Problem) -> int:
    """The line (from 1) that a problem is about, or the closest one around it."""
    path: Path = (problem.task, problem.parameter) if problem.parameter else (problem.task,)
    return document.line_of(path if problem.task else ())


def note_of(problem: Problem) -> str:
    """What to write below the line of a problem: ``0 to 100 allowed, not 140``, without the parameter's name."""
    head, colon, rest = problem.message.partition(f"{problem.parameter}: ")
    note = rest if problem.parameter and colon and head in ("", f"{problem.task}, ") else problem.message
    return note.rstrip(".")


def in_words(
    problems: Sequence[Problem], document: Optional[JsonText], workflow: Optional[Workflow]
) -> Tuple[str, ...]:
    """The problems in words, with their lines where there is a text."""
    return tuple(
        f"Line {line_of(document, problem)}, {problem.message}"
        if document is not None and _has_line(problem, workflow)
        else problem.message
        for problem in problems
    )


def notes_by_line(problems: Sequence[Problem], document: Optional[JsonText], workflow: Workflow) -> Dict[int, str]:
    """What to write beside which line: of several problems in one line the first; nothing where there is no text."""
    notes: Dict[int, str] = {}
    for problem in problems if document is not None else ():
        if document is not None and _has_line(problem, workflow):
            notes.setdefault(line_of(document, problem), note_of(problem))
    return notes


def _has_line(problem: Problem, workflow: Optional[Workflow]) -> bool:
    """Whether a line of the text is to blame, rather than something missing."""
    tasks = [step.name for step in workflow.steps] if workflow is not None else []
    return bool(problem.parameter) or (bool(problem.task) and problem.task not in tasks)


def only_in_json(form: JobForm) -> Tuple[Tuple[str, str], ...]:
    """Task and name of what the form has no field for; the name is empty for a whole task that is not in the chain."""
    known = {step.name: step.block.parameters for step in form.workflow.steps}
    found = []
    for task, values in form.parameters.items():
        if task not in known:
            found.append((task, ""))
            continue
        found.extend((task, name) for name in values if name not in known[task])
    return tuple(found)


def _tasks(configuration: JobConfiguration) -> Dict[str, Any]:
    body = configuration.inputs(Mode.TEST_QUERY)
    body.pop(CONFIG)
    return body


def _geometries(body: Values) -> Dict[Tuple[str, str], Any]:
    return {
        (task, name): values[name]
        for task, values in body.items()
        for name in GEOMETRY_PARAMETERS
        if values.get(name) is not None
    }
