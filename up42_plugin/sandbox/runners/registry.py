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

KMEANS_CLUSTERING = "2ac55313-240d-4a7e-ac47-b7e7786f1f25"
NDVI_THRESHOLD = "2b0181ef-4dba-45a2-974b-475175a6a712"
LANDCOVER = "dd0ffe31-6d70-45a0-90d2-ddebe73ce807"
WATERFINDER = "705823cd-d295-4784-8131-06aa4afd0fcb"
VECTORISING = "a9c26542-c431-4e89-b654-8cf5c3d2f0b6"
ZONAL_STATISTICS = "10cc89b3-5bf1-48a0-8dcd-04fa079ba1e9"
NEXTMAP_1M = "1f09fcb0-7f5c-4e91-b059-36df7f64d2c9"
NEXTMAP_5M = "f73c60f6-3f3c-4120-96cf-62b8d3019346"
NEXTMAP_10M = "8e527ea8-c8b3-46ab-86c1-b05dbeee7b42"
ONEATLAS_WORLDDEM = "1cdf4786-f524-41d5-9d88-b877c2a2bb4f"
SHIP_DETECTION = "79e3e48c-d65f-4528-a6d4-e8d20fecc93c"
SHIP_IDENTIFICATION = "54217695-73f4-4528-a575-a429e9af6568"
AIS_HVP = "00cc275a-fa04-44a5-9100-bffd6521b52e"
COUNT_OBJECTS = "4eb9fbbe-8fc3-48c6-a534-f3ad8ab15ebf"
METEOMATICS = "235addd2-3efe-424b-8c35-d9b41dfe0eb5"
DATA_CONVERSION_NETCDF = "e826be64-827b-4df9-b32d-56c528b8050d"
OPENSTREETMAP = "df2ec03a-50c4-47ac-8a83-2db613869cf9"
GEOTIFF_CUSTOM = "eed51bcb-c7cc-4084-b518-6c59f46b48c8"
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
    """The function ``run`` of a module below this package, imported when it is called."""

    module: str

    def __call__(self, task: Task) -> Usage:
        run: Runner = importlib.import_module(f"{__package__}.{self.module}").run
        return run(task)


RUNNERS: Mapping[str, Runner] = MappingProxyType(
    {
        KMEANS_CLUSTERING: LateRunner("derived.kmeans_clustering"),
        NDVI_THRESHOLD: LateRunner("derived.ndvi_threshold"),
        LANDCOVER: LateRunner("derived.landcover"),
        WATERFINDER: LateRunner("derived.landcover"),
        VECTORISING: LateRunner("vectors.vectorising"),
        ZONAL_STATISTICS: LateRunner("vectors.zonal_statistics"),
        NEXTMAP_1M: LateRunner("earth.elevation"),
        NEXTMAP_5M: LateRunner("earth.elevation"),
        NEXTMAP_10M: LateRunner("earth.elevation"),
        ONEATLAS_WORLDDEM: LateRunner("earth.elevation"),
        SHIP_DETECTION: LateRunner("vectors.ship_detection"),
        SHIP_IDENTIFICATION: LateRunner("vectors.ship_identification"),
        AIS_HVP: LateRunner("earth.ais_hvp"),
        COUNT_OBJECTS: LateRunner("vectors.count_objects"),
        METEOMATICS: LateRunner("earth.meteomatics"),
        DATA_CONVERSION_NETCDF: LateRunner("formats.netcdf_conversion"),
        OPENSTREETMAP: LateRunner("earth.openstreetmap"),
        GEOTIFF_CUSTOM: LateRunner("earth.geotiff_custom"),
        AWS_S2_L2A: LateRunner("scenes.aws_s2_l2a"),
        ESA_S2_L2A_GTIFF_VISUAL: LateRunner("scenes.esa_s2_visual"),
        ESA_S2_L2A_GTIFF_ANALYTIC: LateRunner("scenes.esa_s2_analytic"),
        ONEATLAS_PLEIADES_PRIMARY: LateRunner("scenes.pleiades_primary"),
        ONEATLAS_PLEIADES_DISPLAY: LateRunner("scenes.oneatlas_download"),
        ONEATLAS_PLEIADES_FULLSCENE: LateRunner("scenes.oneatlas_download"),
        ONEATLAS_SPOT_DISPLAY: LateRunner("scenes.oneatlas_download"),
        ONEATLAS_SPOT_FULLSCENE: LateRunner("scenes.oneatlas_download"),
        S2_SUPERRESOLUTION: LateRunner("derived.s2_superresolution"),
        SHARPENING: LateRunner("derived.sharpening"),
        NDVI: LateRunner("derived.ndvi"),
        ONEATLAS_PLEIADES_AOICLIPPED: LateRunner("scenes.streaming"),
        ONEATLAS_SPOT_AOICLIPPED: LateRunner("scenes.streaming"),
        SOBLOO_S2_L1C_AOICLIPPED: LateRunner("scenes.streaming"),
        SENTINELHUB_S2_AOICLIPPED: LateRunner("scenes.streaming"),
        PANSHARPEN: LateRunner("derived.pansharpen"),
        DATA_CONVERSION_DIMAP: LateRunner("formats.dimap_conversion"),
        CRS_CONVERSION: LateRunner("formats.crs_conversion"),
        TILING: LateRunner("formats.tiling"),
        ONEATLAS_CLOUDMASK: LateRunner("derived.cloudmask"),
    }
)
"""Block id -> runner. A block that is not in here is listed but cannot run."""
