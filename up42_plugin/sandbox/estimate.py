"""What a job will cost and how long it will take, each as a range, task by task.

Amounts follow the chain: a data block brings an area and a number of scenes, each processing block takes what the
one before gives. Durations are milliseconds on the job clock. Where the archive can be asked, the scenes are counted;
else anything from one scene to ``limit`` is possible.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple

from up42_plugin.sandbox import geometry, times, weather_steps
from up42_plugin.sandbox.capabilities import Link
from up42_plugin.sandbox.catalogue import Block
from up42_plugin.sandbox.web_tiles import TILE_PIXELS, tiles_over

Span = Tuple[float, float]
# Rasters end on whole pixels and some blocks add a small margin around the area.
_MARGIN = 1.05
_COMPRESSION: Span = (0.2, 1.2)
_BYTES_PER_SAMPLE = 2
_SUPERRESOLUTION = "s2-superresolution"
_SR_BANDS, _SR_BANDS_NEW_ONLY = 12, 8
_SR_PIXEL_M = 10.0
_SR_MIN_SIDE_M = 1920.0
_SCENE_MARGIN_M = 2000.0
_ZOOM, _FINEST_ZOOM = 17, 30
_MEGA = 1e6
_MIB = 1024.0 * 1024.0
_MACHINE_MINIMUM_S = 60.0
_SECONDS: Mapping[str, Tuple[Span, Span]] = {
    "DATA": ((20.0, 60.0), (4.0, 16.0)),
    "PROCESSING": ((20.0, 60.0), (3.0, 12.0)),
    "GPU": ((40.0, 120.0), (7.5, 57.0)),
}


@dataclass(frozen=True)
class Coverage:
    """How many scenes a data task finds, and how much of the area they cover in sum, in square kilometres."""

    scenes: int
    square_km: float


CountScenes = Callable[[Block, Mapping[str, Any]], Optional[Coverage]]


@dataclass(frozen=True)
class Estimate:
    """One task's part. Amounts in ``unit``, credits whole, durations in milliseconds; each with both ends."""

    unit: str
    amount: Span
    block_credits: Tuple[int, int]
    duration_ms: Tuple[int, int]
    machine_credits: Tuple[int, int]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Estimate:
        """Read what :meth:`as_json` wrote."""
        return cls(
            value["unit"],
            _pair(value["amount"]),
            _pair(value["block_credits"]),
            _pair(value["duration_ms"]),
            _pair(value["machine_credits"]),
        )

    def as_json(self) -> Dict[str, Any]:
        """For the store."""
        return asdict(self)

    def already_paid(self) -> Estimate:
        """The same for data from storage, which was paid when it was ordered."""
        return replace(self, block_credits=(0, 0), machine_credits=(0, 0))

    @property
    def credits(self) -> Tuple[int, int]:
        """Block and machine together."""
        low = self.block_credits[0] + self.machine_credits[0]
        return low, self.block_credits[1] + self.machine_credits[1]

    def reply(self) -> Dict[str, Any]:
        """The member of the service's reply."""
        return {
            "blockConsumption": {
                "resources": {"unit": self.unit, **_ends(tuple(round(end, 6) for end in self.amount))},
                "credit": _ends(self.block_credits),
            },
            "machineConsumption": {"duration": _ends(self.duration_ms), "credit": _ends(self.machine_credits)},
        }


def from_storage(block: Block, parameters: Mapping[str, Any]) -> bool:
    """Whether a data task takes what is in storage instead of searching."""
    return block.is_data and bool(parameters.get("asset_ids"))


def machine_credits(block: Block, duration_ms: float) -> int:
    """The price of a machine: at least a minute, by the second, rounded up to at least one credit."""
    seconds = max(duration_ms / 1000, _MACHINE_MINIMUM_S)
    return max(1, math.ceil(round(block.credits_per_hour * seconds / 3600, 6)))


@dataclass(frozen=True)
class _Flow:
    """What one task hands to the next: square kilometres, scenes, bytes and the area's polygon."""

    square_km: Span = (0.0, 0.0)
    scenes: Span = (0.0, 0.0)
    size_bytes: Span = (0.0, 0.0)
    polygon: Optional[Mapping[str, Any]] = None

    @property
    def load(self) -> Span:
        """Square kilometres worked on; decides the duration."""
        return self.square_km


def estimate(links: Sequence[Link], inputs: Mapping[str, Any], count: CountScenes) -> Dict[str, Estimate]:
    """Estimate every task of a valid input, by name."""
    flows: Dict[Optional[str], _Flow] = {}
    result: Dict[str, Estimate] = {}
    for link in links:
        parameters = link.block.with_defaults(inputs[link.name])
        before = flows.get(link.parent, _Flow())
        after = (
            _data_flow(link.block, parameters, count)
            if link.block.is_data
            else _next_flow(link.block, parameters, before)
        )
        flows[link.name] = after
        source = before if link.block.price.direction == "INPUT" and not link.block.is_data else after
        price = _price(link.block, source, parameters, after)
        result[link.name] = price.already_paid() if from_storage(link.block, parameters) else price
    return result


def _price(block: Block, source: _Flow, parameters: Mapping[str, Any], after: _Flow) -> Estimate:
    amount = _amount(block, source, parameters)
    low, high = (block.price.credits(end) for end in amount)
    duration = _duration(block, after.load)
    machine = (machine_credits(block, duration[0]), machine_credits(block, duration[1]))
    return Estimate(block.price.unit, amount, (low, high), duration, machine)


def _duration(block: Block, load: Span) -> Tuple[int, int]:
    kind = "GPU" if block.machine.startswith("GPU") else block.type
    base, slope = _SECONDS[kind]
    low = base[0] + slope[0] * math.sqrt(load[0])
    high = base[1] + slope[1] * math.sqrt(load[1])
    return round(low * 1000), round(high * 1000)


def _data_flow(block: Block, parameters: Mapping[str, Any], count: CountScenes) -> _Flow:
    polygon = geometry.geometry_of(parameters)
    area = 0.0 if polygon is None else geometry.area_km2(polygon)
    found = count(block, parameters)
    if found is not None:
        scenes: Span = (found.scenes, found.scenes)
        square_km: Span = (found.square_km, found.square_km * _MARGIN)
    else:
        most = _most_scenes(parameters)
        scenes = (1.0, most)
        square_km = (area, area * most * _MARGIN)
    size = tuple(part * _MIB / 4 for part in square_km)
    return _Flow(square_km, scenes, (size[0], size[1]), polygon)


def _most_scenes(parameters: Mapping[str, Any]) -> float:
    ids = parameters.get("ids")
    if ids:
        return float(len(ids))
    limit = parameters.get("limit")
    return float(limit if limit is not None else 1) * max(1, len(times.ranges_of(parameters)))


def _next_flow(block: Block, parameters: Mapping[str, Any], before: _Flow) -> _Flow:
    """A processing task's output: as large as its input, where nothing better is known."""
    if block.name == _SUPERRESOLUTION and before.polygon is not None:
        return replace(before, size_bytes=_superresolution_bytes(parameters, before, before.polygon))
    return before


def _superresolution_bytes(parameters: Mapping[str, Any], before: _Flow, aoi: Mapping[str, Any]) -> Span:
    """Its grid is known; how well it compresses is not, nor how much of the rectangle the scenes and the area fill."""
    polygon = geometry.geometry_of(parameters) or aoi
    width, height = geometry.size_m(geometry.bounds(polygon))
    clipped = bool(parameters.get("clip_to_aoi"))
    if not clipped:
        width, height = (max(side + 2 * _SCENE_MARGIN_M, _SR_MIN_SIDE_M) for side in (width, height))
    bands = _SR_BANDS if parameters.get("copy_original_bands") else _SR_BANDS_NEW_ONLY
    full = (width / _SR_PIXEL_M + 1) * (height / _SR_PIXEL_M + 1) * bands * _BYTES_PER_SAMPLE
    most = full * before.scenes[1]
    rectangle_km2 = width * height / _MEGA if clipped else geometry.area_km2(aoi)
    filled = before.square_km[0] / rectangle_km2 if rectangle_km2 else 0.0
    return full * min(filled, before.scenes[0]) * _COMPRESSION[0], most * _COMPRESSION[1]


def _amount(block: Block, source: _Flow, parameters: Mapping[str, Any]) -> Span:
    """The amount in the unit of the block's price."""
    unit = block.price.unit
    if unit == "SQUARE_KM":
        return (0.0, 0.0) if block.price.rate(0) == 0 else source.square_km
    if unit == "MEGABYTE":
        return source.size_bytes[0] / _MIB, source.size_bytes[1] / _MIB
    if unit in ("MEGAPIXEL", "PIXEL"):
        if "zoom_level" in block.parameters:
            pixels = tuple(part * TILE_PIXELS**2 for part in _tiles(source, parameters))
        else:
            pixels = tuple(part * _MEGA / _resolution_m(block) ** 2 for part in source.square_km)
        divisor = _MEGA if unit == "MEGAPIXEL" else 1.0
        return pixels[0] / divisor, pixels[1] / divisor
    if unit == "TILE":
        return _tiles(source, parameters)
    if unit == "DATA_POINT":
        points = float(weather_steps.data_points(parameters))
        return points, points
    return max(1.0, source.scenes[0]), max(1.0, source.scenes[1])


def _resolution_m(block: Block) -> float:
    standard = block.capabilities.get("output", {}).get("raster", {}).get("up42_standard", {})
    value = standard.get("resolution")
    return float(value) if isinstance(value, (int, float)) else _SR_PIXEL_M


def _tiles(source: _Flow, parameters: Mapping[str, Any]) -> Span:
    """Web Mercator tiles that touch the area's bounding box, for every scene."""
    if source.polygon is None:
        return source.scenes
    zoom = max(0, min(int(parameters.get("zoom_level") or _ZOOM), _FINEST_ZOOM))
    count = tiles_over(geometry.bounds(source.polygon), zoom).count
    return count * source.scenes[0], count * source.scenes[1]


def total(estimates: Mapping[str, Estimate]) -> Tuple[int, int]:
    """Credits of the whole job."""
    pairs = [part.credits for part in estimates.values()]
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def _ends(span: Sequence[float]) -> Dict[str, Any]:
    return {"min": span[0], "max": span[1]}


def _pair(value: Sequence[Any]) -> Any:
    return value[0], value[1]
