"""The blocks the sandbox lists, from its own catalogue file."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Optional, Sequence, Tuple

GEOMETRY_PARAMETERS = ("bbox", "intersects", "contains")
MACHINE_CREDITS_PER_HOUR: Mapping[str, int] = {
    "SMALL": 4,
    "MEDIUM": 9,
    "LARGE": 19,
    "XLARGE": 38,
    "XXLARGE": 76,
    "XXXLARGE": 152,
    "GPU_NVIDIA_TESLA_K80": 99,
    "GPU_NVIDIA_TESLA_P100": 258,
}


@dataclass(frozen=True)
class Price:
    """Credits per ``unit``. ``tiers`` maps the lower bound of a volume to the rate that holds from there on."""

    unit: str
    direction: str
    tiers: Tuple[Tuple[float, float], ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Price:
        """Read ``{unit, direction, credits}`` or ``{unit, direction, tiers}``."""
        tiers = value.get("tiers") or {"0": value["credits"]}
        steps = sorted((float(bound), float(rate)) for bound, rate in tiers.items())
        return cls(str(value["unit"]), str(value["direction"]), tuple(steps))

    def rate(self, amount: float) -> float:
        """Credits per unit for this volume."""
        fitting = [rate for bound, rate in self.tiers if bound <= amount]
        return fitting[-1] if fitting else self.tiers[0][1]

    def credits(self, amount: float) -> int:
        """The price of ``amount`` units, rounded up to whole credits."""
        return math.ceil(round(amount * self.rate(amount), 6))

    def strategy(self) -> Dict[str, Any]:
        """The member ``blockPricingStrategy``."""
        common = {"unit": self.unit, "direction": self.direction}
        if len(self.tiers) == 1:
            return {"name": "simple", **common, "credits": _number(self.tiers[0][1])}
        thresholds = {str(_number(bound)): {"credits": _number(rate)} for bound, rate in self.tiers}
        return {"name": "job_volume_tiered", **common, "thresholdToCreditsMap": thresholds}


@dataclass(frozen=True)
class Block:
    """One block of the catalogue. ``parameters`` and ``capabilities`` have the form of the service's replies."""

    id: str
    name: str
    title: str
    description: str
    type: str
    provider: str
    version: str
    tags: Tuple[str, ...]
    restricted: bool
    purchase_required: bool
    test_query: bool
    machine: str
    delivery: str
    price: Price
    parameters: Mapping[str, Mapping[str, Any]]
    capabilities: Mapping[str, Any]

    @property
    def is_data(self) -> bool:
        """Whether it brings images, as the first task of a workflow."""
        return self.type == "DATA"

    @property
    def geometry_parameters(self) -> Tuple[str, ...]:
        """The geometric filters among its parameters."""
        return tuple(name for name in GEOMETRY_PARAMETERS if name in self.parameters)

    @property
    def credits_per_hour(self) -> int:
        """What its machine costs."""
        return MACHINE_CREDITS_PER_HOUR[self.machine]

    def with_defaults(self, parameters: Mapping[str, Any]) -> Dict[str, Any]:
        """The parameters of a task with the block's defaults for those left out or null."""
        filled: Dict[str, Any] = {name: schema.get("default") for name, schema in self.parameters.items()}
        filled.update({name: value for name, value in parameters.items() if value is not None or name not in filled})
        return filled


class Catalogue:
    """All blocks, in the order they are listed. Names are not unique; ids are."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks: Dict[str, Block] = {block.id: block for block in blocks}

    @classmethod
    def load(cls, path: Optional[Path] = None) -> Catalogue:
        """Read the catalogue file beside this module, or another one."""
        source = path or Path(__file__).with_name("catalogue.json")
        document = json.loads(source.read_text(encoding="utf-8"))
        return cls(_block(entry) for entry in document["blocks"])

    @property
    def blocks(self) -> Sequence[Block]:
        """Every block."""
        return tuple(self._blocks.values())

    def get(self, block_id: str) -> Optional[Block]:
        """The block with this id, or None."""
        return self._blocks.get(block_id)

    def by_name(self, name: str, provider: str = "") -> Block:
        """The last block listed under a name (of a provider); raises ``KeyError``."""
        for block in reversed(list(self._blocks.values())):
            if block.name == name and provider in ("", block.provider):
                return block
        raise KeyError(name)


def _number(value: float) -> Any:
    return int(value) if float(value).is_integer() else value


def _block(entry: Mapping[str, Any]) -> Block:
    return Block(
        id=entry["id"],
        name=entry["name"],
        title=entry["displayName"],
        description=entry["description"],
        type=entry["type"],
        provider=entry["provider"],
        version=entry["version"],
        tags=tuple(entry["tags"]),
        restricted=entry["isRestricted"],
        purchase_required=entry["isCreditPurchaseRequired"],
        test_query=entry["isDryRunSupported"],
        machine=entry["machineName"],
        delivery=entry["delivery"],
        price=Price.from_json(entry["price"]),
        parameters=entry["parameters"],
        capabilities=entry["capabilities"],
    )
