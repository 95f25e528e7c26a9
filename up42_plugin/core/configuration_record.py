"""A job configuration as text and back, for jobs that wait in the ledger until they are sent."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Mapping, Optional

from up42_plugin.core.aoi import AOI
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.workflow import Block, BlockType, Price, Step, Workflow


def configuration_text(configuration: JobConfiguration) -> str:
    """The whole configuration as JSON, with its workflow's blocks and the area's coordinates."""
    workflow, aoi = configuration.workflow, configuration.aoi
    whole = {
        "workflow": {
            "id": workflow.id,
            "name": workflow.name,
            "description": workflow.description,
            "steps": [{"name": step.name, "block": asdict(step.block)} for step in workflow.steps],
        },
        "aoi": None if aoi is None else {"rings": aoi.rings, "area_km2": aoi.area_km2, "source": aoi.source},
        "filter": configuration.geometric_filter.value,
        "parameters": configuration.parameters,
    }
    return json.dumps(whole)


def configuration_of(text: str) -> JobConfiguration:
    """The configuration of :func:`configuration_text`. Raises ``ValueError`` for any other text."""
    try:
        whole = json.loads(text)
        flow = whole["workflow"]
        steps = tuple(Step(item["name"], _block(item["block"])) for item in flow["steps"])
        workflow = Workflow(flow["id"], flow["name"], flow["description"], steps)
        return JobConfiguration(workflow, _aoi(whole["aoi"]), GeometricFilter(whole["filter"]), whole["parameters"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"no configuration: {error}") from error


def _block(value: Mapping[str, Any]) -> Block:
    price = value["price"]
    return Block(**{**value, "type": BlockType(value["type"]), "price": Price(**price) if price else None})


def _aoi(value: Optional[Mapping[str, Any]]) -> Optional[AOI]:
    if value is None:
        return None
    rings = tuple(tuple((x, y) for x, y in ring) for ring in value["rings"])
    return AOI(rings, value["area_km2"], value["source"])
