"""Recipes: the parameters of a job, kept and passed on without its area and without any secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Tuple

from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.core.job_form import JobForm
from up42_plugin.core.json_text import write
from up42_plugin.core.parameters import default_parameters
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS

_KIND = "up42_recipe"
_VERSION = 1
_SECRET_NAMES = re.compile(
    r"(?i)(^|[_-])(token|password|passwd|secret|api_?key|access_?key|credentials?|authcfg)s?($|[_-])"
)
_SECRET_TEXTS = re.compile(
    r"(?i)[?&](signature|sig|token|x-goog-[\w-]+|x-amz-[\w-]+|\w*key)=|https?://[^/\s@]+@|\beyJ[\w-]+\."
)


class RecipeError(ValueError):
    """Something that is no recipe for this workflow; the message says why, for people."""


@dataclass(frozen=True)
class Recipe:
    """``parameters`` maps task names to parameters without geometries; ``blocks`` are the chain's block names."""

    name: str
    blocks: Tuple[str, ...]
    geometric_filter: GeometricFilter
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, form: JobForm) -> Recipe:
        """The form's filter and parameters; what looks like a secret is left out."""
        return cls(name, _chain(form), form.geometric_filter, without_secrets(form.parameters))

    @classmethod
    def from_json(cls, value: Any) -> Recipe:
        """Read what :meth:`to_json` made.

        Raises:
            RecipeError: something else, or of a newer version.
        """
        if not is_recipe(value):
            raise RecipeError("This is not a recipe of UP42 for QGIS.")
        if value[_KIND] != _VERSION:
            raise RecipeError("This recipe comes from a newer version. Update the plugin.")
        blocks, parameters = value.get("blocks"), value.get("parameters")
        if not isinstance(blocks, list) or not isinstance(parameters, dict):
            raise RecipeError("This recipe has no blocks or no parameters.")
        if not all(isinstance(values, dict) for values in parameters.values()):
            raise RecipeError("A task of this recipe has no parameters.")
        try:
            kind = GeometricFilter(value.get("filter"))
        except ValueError as error:
            raise RecipeError("This recipe has no geometric filter.") from error
        plain = {
            task: {name: member for name, member in values.items() if name not in GEOMETRY_PARAMETERS}
            for task, values in parameters.items()
        }
        return cls(str(value.get("name") or ""), tuple(map(str, blocks)), kind, plain)

    def to_json(self) -> Dict[str, Any]:
        """Plain JSON."""
        return {
            _KIND: _VERSION,
            "name": self.name,
            "blocks": list(self.blocks),
            "filter": self.geometric_filter.value,
            "parameters": {task: dict(values) for task, values in self.parameters.items()},
        }

    def text(self) -> str:
        """The recipe as a file's text."""
        return write(self.to_json())

    def form(self, present: JobForm) -> JobForm:
        """The form of the present workflow with this recipe in it; what the recipe lacks is at its default.

        Raises:
            RecipeError: made for other blocks.
        """
        chain = _chain(present)
        if chain != self.blocks:
            raise RecipeError(
                f"This recipe is for the blocks {', '.join(self.blocks)}; this workflow has {', '.join(chain)}."
            )
        defaults = default_parameters(present.workflow)
        tasks = dict.fromkeys([*defaults, *self.parameters])
        parameters = {task: {**defaults.get(task, {}), **self.parameters.get(task, {})} for task in tasks}
        return JobForm(present.workflow, self.geometric_filter, parameters)


def is_recipe(value: Any) -> bool:
    """Whether parsed JSON means to be a recipe, of whatever version."""
    return isinstance(value, Mapping) and _KIND in value


def without_secrets(value: Any) -> Any:
    """JSON without members that are named like a secret, and with null for texts that carry one (signed addresses)."""
    if isinstance(value, Mapping):
        return {name: without_secrets(member) for name, member in value.items() if not _SECRET_NAMES.search(str(name))}
    if isinstance(value, (list, tuple)):
        return [without_secrets(member) for member in value]
    return None if isinstance(value, str) and _SECRET_TEXTS.search(value) else value


def _chain(form: JobForm) -> Tuple[str, ...]:
    return tuple(step.block.name for step in form.workflow.steps)
