"""One workflow for every block the sandbox can run, ending with that block: what the contact sheet shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Tuple

Parameters = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Chain:
    """The names of the blocks, the last of them is the one that is shown; parameters by block name."""

    blocks: Tuple[str, ...]
    parameters: Parameters = field(default_factory=dict)


def _chain(*blocks: str, **parameters: Mapping[str, Any]) -> Chain:
    return Chain(blocks, {name.replace("_", "-"): values for name, values in parameters.items()})


CHAINS: Tuple[Chain, ...] = (
    _chain("esa-s2-l2a-gtiff-visual"),
    _chain("esa-s2-l2a-gtiff-analytic"),
    _chain("aws-s2-l2a"),
    _chain("aws-s2-l2a", "s2-superresolution"),
    _chain("oneatlas-pleiades-primary"),
    _chain("oneatlas-pleiades-display"),
    _chain("oneatlas-pleiades-fullscene"),
    _chain("oneatlas-spot-display"),
    _chain("oneatlas-spot-fullscene"),
    _chain("esa-s2-l2a-gtiff-visual", "sharpening"),
    _chain("oneatlas-pleiades-primary", "ndvi"),
    _chain("oneatlas-pleiades-aoiclipped", oneatlas_pleiades_aoiclipped={"zoom_level": 17}),
    _chain("oneatlas-spot-aoiclipped", oneatlas_spot_aoiclipped={"panchromatic_band": True}),
    _chain("sobloo-s2-l1c-aoiclipped"),
    _chain("sentinelhub-s2-aoiclipped", sentinelhub_s2_aoiclipped={"zoom_level": 14}),
    _chain("oneatlas-spot-fullscene", "pansharpen"),
    _chain("oneatlas-spot-display", "data-conversion-dimap"),
    _chain("oneatlas-spot-aoiclipped", "crs-conversion", oneatlas_spot_aoiclipped={"zoom_level": 15}),
    _chain("oneatlas-spot-aoiclipped", "tiling", oneatlas_spot_aoiclipped={"zoom_level": 16}),
    _chain(
        "oneatlas-spot-aoiclipped",
        "oneatlas-cloudmask",
        oneatlas_spot_aoiclipped={"zoom_level": 15, "time": "2022-08-30T00:00:00Z/2022-08-31T00:00:00Z"},  # with clouds
    ),
)
