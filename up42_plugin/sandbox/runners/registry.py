"""Which runner works for which block, by block id (names are not unique).

Importing this module is cheap: a runner's module, and numpy and GDAL with it, is imported when it is first called.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Mapping

if TYPE_CHECKING:
    from up42_plugin.sandbox.runners.contract import Runner, Task, Usage

AWS_S2_L2A = "e6d0cb52-b649-4fca-9f2f-e215b7c02a37"
ESA_S2_L2A_GTIFF_VISUAL = "c4cb8913-2ef3-4e82-a426-65ea8faacd9a"
ESA_S2_L2A_GTIFF_ANALYTIC = "e13d8e92-2763-4640-80d6-1501b2729707"
ONEATLAS_PLEIADES_PRIMARY = "7bcfa144-e261-4228-b18e-4fc3d35e0b73"
ONEATLAS_PLEIADES_DISPLAY = "6ac78530-6200-42c1-b6a9-381a9f69d8ef"
ONEATLAS_PLEIADES_FULLSCENE = "defb134b-ca00-4e16-afa0-639c6dc0c5fe"
ONEATLAS_SPOT_DISPLAY = "3e24ed57-b07f-4d44-9957-5d5c0a457239"
ONEATLAS_SPOT_FULLSCENE = "63a69b97-1765-474e-b465-0b319b8d3b2d"
S2_SUPERRESOLUTION = "f6c29b0a-75bd-44a1-a040-f18c9e881d1d"
SHARPENING = "e374ea64-dc3b-4500-bb4b-974260fb203e"
NDVI = "d0da4ac9-94c6-4905-80f5-c95e702ca878"
ONEATLAS_PLEIADES_AOICLIPPED = "18d09f1a-3197-4c27-a15a-54d099c31435"
ONEATLAS_SPOT_AOICLIPPED = "045019bb-06fc-4fa1-b703-318725b4d8af"
SOBLOO_S2_L1C_AOICLIPPED = "3a381e6b-acb7-4cec-ae65-50798ce80e64"
SENTINELHUB_S2_AOICLIPPED = "018dfb34-fc19-4334-8125-14fd7535f979"
PANSHARPEN = "903f0435-d638-475e-bbe9-53b5664a22a8"
DATA_CONVERSION_DIMAP = "c94bb4cd-8ee2-40df-ba76-d332b8f48c6a"
CRS_CONVERSION = "30f20bac-7499-4159-a4f3-38188a6e33e0"
TILING = "3e146dd6-2b67-4d6e-a422-bb3d973e32ff"
ONEATLAS_CLOUDMASK = "ad083328-0fb4-4547-9f58-7815505d2ce4"


@dataclass(frozen=True)
class LateRunner:
    """The function ``run`` of a module of this package, imported when it is called."""

    module: str

    def __call__(self, task: Task) -> Usage:
        run: Runner = importlib.import_module(f"{__package__}.{self.module}").run
        return run(task)


RUNNERS: Mapping[str, Runner] = MappingProxyType(
    {
        AWS_S2_L2A: LateRunner("aws_s2_l2a"),
        ESA_S2_L2A_GTIFF_VISUAL: LateRunner("esa_s2_visual"),
        ESA_S2_L2A_GTIFF_ANALYTIC: LateRunner("esa_s2_analytic"),
        ONEATLAS_PLEIADES_PRIMARY: LateRunner("pleiades_primary"),
        ONEATLAS_PLEIADES_DISPLAY: LateRunner("oneatlas_download"),
        ONEATLAS_PLEIADES_FULLSCENE: LateRunner("oneatlas_download"),
        ONEATLAS_SPOT_DISPLAY: LateRunner("oneatlas_download"),
        ONEATLAS_SPOT_FULLSCENE: LateRunner("oneatlas_download"),
        S2_SUPERRESOLUTION: LateRunner("s2_superresolution"),
        SHARPENING: LateRunner("sharpening"),
        NDVI: LateRunner("ndvi"),
        ONEATLAS_PLEIADES_AOICLIPPED: LateRunner("streaming"),
        ONEATLAS_SPOT_AOICLIPPED: LateRunner("streaming"),
        SOBLOO_S2_L1C_AOICLIPPED: LateRunner("streaming"),
        SENTINELHUB_S2_AOICLIPPED: LateRunner("streaming"),
        PANSHARPEN: LateRunner("pansharpen"),
        DATA_CONVERSION_DIMAP: LateRunner("dimap_conversion"),
        CRS_CONVERSION: LateRunner("crs_conversion"),
        TILING: LateRunner("tiling"),
        ONEATLAS_CLOUDMASK: LateRunner("cloudmask"),
    }
)
"""Block id -> runner. A block that is not in here is listed but cannot run."""
