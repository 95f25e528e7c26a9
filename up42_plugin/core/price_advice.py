"""Why a job costs what it does, and what would lower its price: worked out from its blocks and its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Mapping, Tuple

from up42_plugin.core.aoi import box_area_km2
from up42_plugin.core.configuration import GeometricFilter, JobConfiguration
from up42_plugin.core.estimation import Estimation, TaskEstimate
from up42_plugin.core.geometry.errors import NBSP
from up42_plugin.core.jobs import Mode
from up42_plugin.core.parameters import CLIP_TO_AOI, IDS, LIMIT
from up42_plugin.core.workflow import Block, Step

ORIGINAL_BANDS = "copy_original_bands"
ZOOM_LEVEL = "zoom_level"
_BY_AREA = ("SQUARE_KM", "MEGABYTE", "MEGAPIXEL", "PIXEL", "TILE", "DATA_POINT")
# A machine costs at least one credit, however short it works
_LEAST_MACHINE = 1.0
# A box that is hardly larger than its polygon is not worth another filter
_WORTH_TELLING = 1.01


@dataclass(frozen=True)
class PriceAdvice:
    """What makes the price, and what lowers it.

    ``blocks`` are those with a price of their own, the dearest first. ``sentences`` say what would lower the price, or
    that nothing would.
    """

    blocks: Tuple[Block, ...]
    sentences: Tuple[str, ...]


@dataclass(frozen=True)
class _Share:
    """One step of the chain and what it costs; ``values`` are its parameters as they are sent."""

    place: int
    step: Step
    task: TaskEstimate
    values: Mapping[str, Any]

    @property
    def unit(self) -> str:
        price = self.step.block.price
        return price.unit if price is not None else self.task.unit

    @property
    def priced(self) -> bool:
        return self.task.block_credits.maximum > 0

    @property
    def of_output(self) -> bool:
        price = self.step.block.price
        return price is not None and price.direction.upper() == "OUTPUT"

    @property
    def by_area(self) -> bool:
        return (self.priced and self.unit in _BY_AREA) or self.task.machine_credits.maximum > _LEAST_MACHINE


def price_advice(configuration: JobConfiguration, estimation: Estimation) -> PriceAdvice:
    """What makes the price of this configuration, and which of its settings would lower it."""
    shares = _shares(configuration, estimation)
    if not shares:
        return PriceAdvice((), ())
    priced = sorted((share for share in shares if share.priced), key=_cost, reverse=True)
    costly = [share for share in shares if share.by_area or share.priced]
    if not costly:
        least = "Only machine time is charged, the least there is for each block. Nothing lowers this price."
        return PriceAdvice((), (least,))
    sentences = _box(configuration, shares)
    levers = [*_areas(configuration, shares), *_scenes(shares), *_settings(shares)]
    if levers:
        sentences = (f"{_either(levers)} lowers the price.", *sentences)
    return PriceAdvice(tuple(share.step.block for share in priced), sentences)


def _shares(configuration: JobConfiguration, estimation: Estimation) -> List[_Share]:
    tasks = {task.task: task for task in estimation.tasks}
    inputs = configuration.inputs(Mode.LIVE)
    return [
        _Share(place, step, tasks[step.name], inputs.get(step.name, {}))
        for place, step in enumerate(configuration.workflow.steps)
        if step.name in tasks
    ]


def _cost(share: _Share) -> float:
    return share.task.credits.maximum


def _areas(configuration: JobConfiguration, shares: List[_Share]) -> List[str]:
    offered = bool(configuration.workflow.data_step.block.geometry_parameters)
    return ["a smaller area"] if offered and any(share.by_area for share in shares) else []


def _scenes(shares: List[_Share]) -> List[str]:
    """The data block's number of scenes: everything behind it has as many to work on."""
    values = shares[0].values
    ids, limit = values.get(IDS), values.get(LIMIT)
    if isinstance(ids, list) and ids:
        return [f"fewer than these {len(ids)}{NBSP}scenes"] if len(ids) > 1 else []
    if isinstance(limit, int) and limit > 1:
        return [f"a limit below {limit}{NBSP}scenes"]
    return []


def _settings(shares: List[_Share]) -> List[str]:
    """Parameters of blocks: what they leave in or add, and whoever behind them is paid by the amount."""
    levers: List[str] = []
    for share in shares:
        paid = any(_depends(later, share) for later in shares)
        if paid and share.values.get(CLIP_TO_AOI) is False and CLIP_TO_AOI in share.step.block.parameters:
            levers.append(f"clipping the result of {share.step.block.title} to the area")
        by_size = share.priced and share.unit == "MEGABYTE" and share.of_output
        if by_size and share.values.get(ORIGINAL_BANDS) is True:
            levers.append("leaving out the original bands")
        if share.priced and share.unit == "TILE" and share.values.get(ZOOM_LEVEL) is not None:
            levers.append(f"a zoom level below {share.values[ZOOM_LEVEL]}")
    return levers


def _depends(later: _Share, share: _Share) -> bool:
    """Whether what ``later`` costs goes by the size of what ``share`` makes."""
    if not (later.priced and later.unit in _BY_AREA):
        return False
    return later.place > share.place or (later.place == share.place and later.of_output)


def _box(configuration: JobConfiguration, shares: List[_Share]) -> Tuple[str, ...]:
    """The filter Bounding Box asks for the whole box around the area, where there is another filter."""
    aoi, block = configuration.aoi, configuration.workflow.data_step.block
    if aoi is None or configuration.geometric_filter is not GeometricFilter.BBOX:
        return ()
    box = box_area_km2(aoi)
    others = [name for name in block.geometry_parameters if name != GeometricFilter.BBOX.value]
    if not others or box < aoi.area_km2 * _WORTH_TELLING or not any(share.by_area for share in shares):
        return ()
    sizes = f"{box:.2f}{NBSP}km², the area has {aoi.area_km2:.2f}{NBSP}km²"
    return (f"The filter Bounding Box asks for {sizes}: another filter lowers the price.",)


def _either(levers: List[str]) -> str:
    text = levers[0] if len(levers) == 1 else f"{', '.join(levers[:-1])} or {levers[-1]}"
    return f"{text[:1].upper()}{text[1:]}"
