"""Forms of jobs with any blocks of the catalogue and any values, the same ones every time."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Dict, List

import up42_plugin
from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter
from up42_plugin.core.job_form import JobForm
from up42_plugin.core.parameter_choices import choices_of
from up42_plugin.core.parameters import ParameterSchema, ParameterSpec, ParameterType
from up42_plugin.core.workflow import GEOMETRY_PARAMETERS, Block, BlockType, Step, Workflow

BOX = AOI.from_bbox((15.28, 37.84, 15.30, 37.86), "a box")
OTHER = AOI.from_bbox((11.0, 46.0, 11.05, 46.05), "another box")
TIME = "2021-05-01T00:00:00+00:00/2021-06-30T23:59:59+00:00"


def catalogue() -> List[Block]:
    """Every block of the sandbox, as the dialect hands them on."""
    path = Path(up42_plugin.__file__).parent / "sandbox" / "catalogue.json"
    return [
        Block(raw["id"], raw["name"], raw["displayName"], BlockType(raw["type"]), parameters=raw["parameters"])
        for raw in json.loads(path.read_text(encoding="utf-8"))["blocks"]
    ]


def chain_of(*blocks: Block) -> Workflow:
    return Workflow("w", "w", steps=tuple(Step(f"{block.name}:{n}", block) for n, block in enumerate(blocks, 1)))


BLOCKS = catalogue()
DATA = [block for block in BLOCKS if block.type is BlockType.DATA]
PROCESSING = [block for block in BLOCKS if block.type is BlockType.PROCESSING]


def fitting(dice: random.Random, block: Block, spec: ParameterSpec) -> Any:
    """A value of the parameter's type, sometimes an odd one."""
    if dice.random() < 0.1:
        return dice.choice([None, "odd", 140, -1.5, [], {"a": [1, None]}, True])
    choices = choices_of(block.name, spec)
    low, high = spec.minimum or 0, spec.maximum or 1000
    makers = {
        ParameterType.BOOLEAN: lambda: dice.random() < 0.5,
        ParameterType.INTEGER: lambda: dice.randint(int(low), int(high)),
        ParameterType.NUMBER: lambda: dice.choice([dice.uniform(low, high), dice.randint(int(low), int(high))]),
        ParameterType.STRING: lambda: dice.choice([*choices, "text", 'ü "q"', "a, b"]),
        ParameterType.DATE_RANGE: lambda: TIME,
        ParameterType.ARRAY: lambda: dice.sample([*choices, "S2A_1", "x,y", "ü"], dice.randint(0, 2)),
    }
    return makers.get(spec.type, lambda: {"any": ["thing", 1.0, 10**20]})()


def generated(dice: random.Random, data: Block, processing: List[Block]) -> JobForm:
    workflow = chain_of(data, *processing)
    form = JobForm.defaults(workflow, dice.choice(list(GeometricFilter)))
    for step in workflow.steps:
        changes: Dict[str, Any] = {}
        for spec in ParameterSchema.of(step.block):
            if spec.name not in GEOMETRY_PARAMETERS and dice.random() < 0.4:
                changes[spec.name] = fitting(dice, step.block, spec)
        if dice.random() < 0.3:
            changes["not_in_the_schema"] = dice.choice([None, 1.0, {"deep": [[1, "x"]]}, "ü\n"])
        form = form.with_values(step.name, changes)
    if dice.random() < 0.1:
        form = form.with_values("unknown:9", {"kept": True})
    return form


def nth_form(dice: random.Random, number: int) -> JobForm:
    """A form with one to three processing blocks; a hundred numbers in a row bring every block of the catalogue."""
    data = DATA[number % len(DATA)]
    processing = [PROCESSING[number % len(PROCESSING)], *dice.sample(PROCESSING, dice.randint(0, 2))]
    form = generated(dice, data, processing)
    if not ParameterSchema.of(data).geometries:
        form = JobForm(form.workflow, GeometricFilter.INTERSECTS, form.parameters)
    return form
