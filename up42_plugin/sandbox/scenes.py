"""Counts the scenes a data task will find, so that estimations are close to what is charged."""

from __future__ import annotations

import logging
from typing import Any, Mapping, Optional

from up42_plugin.sandbox import geometry, times
from up42_plugin.sandbox.archive import SceneArchive, SceneQuery
from up42_plugin.sandbox.catalogue import Block
from up42_plugin.sandbox.estimate import Coverage
from up42_plugin.sandbox.taskrun import ArchiveSource, Runners

logger = logging.getLogger(__name__)


def scene_query(sensor: str, parameters: Mapping[str, Any]) -> Optional[SceneQuery]:
    """What a data task with complete, valid parameters asks the archive; None without a geometry."""
    polygon = geometry.geometry_of(parameters)
    if polygon is None:
        return None
    limit, clouds, ids = parameters.get("limit"), parameters.get("max_cloud_cover"), parameters.get("ids")
    return SceneQuery(
        sensor=sensor,
        geometry=polygon,
        relation="contains" if parameters.get("contains") is not None else "intersects",
        times=times.ranges_of(parameters),
        limit=None if limit is None else int(limit),
        max_cloud_cover=100.0 if clouds is None else float(clouds),
        ids=ids,
    )


class SceneCounter:
    """Asks the archive what a data task will find."""

    def __init__(self, archive: ArchiveSource, runners: Runners) -> None:
        self._archive = archive
        self._runners = runners

    def __call__(self, block: Block, parameters: Mapping[str, Any]) -> Optional[Coverage]:
        """Scenes and covered area; None where the archive has nothing to say on this block."""
        if block.id not in self._runners():
            return None
        output = block.capabilities.get("output", {}).get("raster", {}).get("up42_standard", {})
        query = scene_query(str(output.get("sensor", "")).lower(), parameters)
        if query is None:
            return None
        return self._coverage(self._archive(), query)

    @staticmethod
    def _coverage(archive: SceneArchive, query: SceneQuery) -> Optional[Coverage]:
        try:
            scenes = archive.search(query)
        except (LookupError, ValueError):
            logger.info("the archive knows no sensor %s", query.sensor)
            return None
        shared = sum(geometry.shared_area_km2(query.geometry, scene.footprint) for scene in scenes)
        return Coverage(len(scenes), shared)
