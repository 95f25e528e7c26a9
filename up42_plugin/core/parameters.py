"""What a block's parameters are: the schema of its form, its defaults, and values that fit it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Dict, Iterator, Mapping, Optional, Tuple

from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, Block, Workflow

TIME = "time"
TIME_SERIES = "time_series"
LIMIT = "limit"
IDS = "ids"
CLOUDS = "max_cloud_cover"
ASSET_IDS = "asset_ids"
CLIP_TO_AOI = "clip_to_aoi"
SEARCH_PARAMETERS = (IDS, TIME, TIME_SERIES, LIMIT, CLOUDS)
# Where a block keeps its schema, beside its fields, as a cached property would
_SCHEMA = "_schema"
_WORDS = {"aoi": "area", "ids": "IDs", "crs": "CRS", "epsg": "EPSG", "url": "URL", "db": "dB", "bbox": "bounding box"}


class ParameterType(str, Enum):
    """The types of the service's contract. OTHER is a word we do not know: the value is kept as it is."""

    ARRAY = "array"
    GEOMETRY = "geometry"
    DATE_RANGE = "dateRange"
    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    OTHER = ""


@dataclass(frozen=True)
class ParameterSpec:
    """One parameter of a block.

    ``default`` is meaningful only with ``has_default``: a default of null is a default. ``choices`` are the values an
    array's items may have; empty where the schema does not tell. ``raw`` is the schema as it came.
    """

    name: str
    type: ParameterType
    default: Any = None
    has_default: bool = False
    required: bool = False
    minimum: Optional[float] = None
    maximum: Optional[float] = None
    item_type: ParameterType = ParameterType.OTHER
    choices: Tuple[Any, ...] = ()
    description: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, name: str, raw: Any) -> ParameterSpec:
        """Read one member of a block's ``parameters``; what is missing or odd there narrows nothing."""
        schema: Mapping[str, Any] = raw if isinstance(raw, Mapping) else {}
        items = schema.get("items")
        items = items if isinstance(items, Mapping) else {}
        choices = items.get("enum", schema.get("enum"))
        return cls(
            name=name,
            type=_type(schema.get("type")),
            default=schema.get("default"),
            has_default="default" in schema,
            required=schema.get("required") is True,
            minimum=_number(schema.get("minimum")),
            maximum=_number(schema.get("maximum")),
            item_type=_type(items.get("type")),
            choices=tuple(choices) if isinstance(choices, list) else (),
            description=str(schema.get("description") or ""),
            raw=schema,
        )

    @property
    def label(self) -> str:
        """The name for people: ``Copy original bands``."""
        words = " ".join(_WORDS.get(word, word) for word in self.name.split("_") if word)
        return words[:1].upper() + words[1:]

    @property
    def range_text(self) -> str:
        """``0 to 100``, ``at least 1``, ``at most 720``; empty where the schema sets no bounds."""
        if self.minimum is not None and self.maximum is not None:
            return f"{number_text(self.minimum)} to {number_text(self.maximum)}"
        if self.minimum is not None:
            return f"at least {number_text(self.minimum)}"
        return f"at most {number_text(self.maximum)}" if self.maximum is not None else ""


@dataclass(frozen=True)
class ParameterSchema:
    """All parameters of a block, in the block's order."""

    specs: Tuple[ParameterSpec, ...] = ()

    @classmethod
    def of(cls, block: Block) -> ParameterSchema:
        """A block's schema, read once for each block: it is asked for with every key that is typed in the form."""
        known = vars(block).get(_SCHEMA)
        if not isinstance(known, cls):
            known = cls(tuple(ParameterSpec.parse(name, raw) for name, raw in block.parameters.items()))
            vars(block)[_SCHEMA] = known
        return known

    def __iter__(self) -> Iterator[ParameterSpec]:
        return iter(self.specs)

    def __contains__(self, name: object) -> bool:
        return any(spec.name == name for spec in self.specs)

    def get(self, name: str) -> Optional[ParameterSpec]:
        """The parameter of that name, None where the block has none."""
        return next((spec for spec in self.specs if spec.name == name), None)

    @property
    def geometries(self) -> Tuple[str, ...]:
        """The geometric filters the block takes, in the usual order."""
        return tuple(name for name in GEOMETRY_PARAMETERS if name in self)

    def defaults(self) -> Dict[str, Any]:
        """The block's defaults as the vendor's client makes them.

        Every parameter that has a default, null included; required ones without a default as null. Geometries usually
        have none and are left out.
        """
        return {spec.name: deepcopy(spec.default) for spec in self.specs if spec.has_default or spec.required}


def default_parameters(workflow: Workflow) -> Dict[str, Dict[str, Any]]:
    """The defaults of every step, keyed by task name; without geometries, which come from the AOI."""
    return {
        step.name: {
            name: value
            for name, value in ParameterSchema.of(step.block).defaults().items()
            if name not in GEOMETRY_PARAMETERS
        }
        for step in workflow.steps
    }


def number_text(value: float) -> str:
    """The number as a person writes it: no exponent, no ``.0``."""
    return str(int(value)) if float(value).is_integer() else repr(value)


def _type(word: Any) -> ParameterType:
    try:
        return ParameterType(word)
    except ValueError:
        return ParameterType.OTHER


def _number(value: Any) -> Optional[float]:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
