"""Counts the scenes a data task will find, so that estimations are close to what is charged."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from typing import Any, Callable, Mapping, Optional, Sequence, Tuple

from up42_plugin.sandbox import geometry, times
from up42_plugin.sandbox.archive import SceneArchive, SceneQuery
from up42_plugin.sandbox.catalogue import Block
from up42_plugin.sandbox.estimate import Coverage
from up42_plugin.sandbox.stored import assets_named
from up42_plugin.sandbox.taskrun import ArchiveSource, Runners

logger = logging.getLogger(__name__)

# No live job is larger; searching a continent would keep a test query waiting for minutes.
LARGEST_KM2 = 1000.0
_REMEMBERED, _REMEMBERED_S = 64, 300.0


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
    """Asks the archive what a data task will find, and remembers it: a configuration is estimated again and again."""

    def __init__(
        self,
        archive: ArchiveSource,
        runners: Runners,
        clock: Callable[[], float] = time.monotonic,
        stored: Optional[Callable[[Sequence[str]], Tuple[int, float]]] = None,
    ) -> None:
        self._archive = archive
        self._stored = stored
        self._runners = runners
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Tuple[float, Optional[Coverage]]] = OrderedDict()

    def __call__(self, block: Block, parameters: Mapping[str, Any]) -> Optional[Coverage]:
        """Scenes and covered area; None where the archive has nothing to say on this block or area."""
        assets = assets_named(parameters)
        if assets and self._stored is not None:
            return Coverage(*self._stored(assets))
        if block.id not in self._runners():
            return None
        output = block.capabilities.get("output", {}).get("raster", {}).get("up42_standard", {})
        query = scene_query(str(output.get("sensor", "")).lower(), parameters)
        if query is None or geometry.area_km2(query.geometry) > LARGEST_KM2:
            return None
        key = json.dumps([block.id, parameters], sort_keys=True)
        with self._lock:
            asked, coverage = self._known.get(key, (float("-inf"), None))
        if self._clock() - asked > _REMEMBERED_S:
            coverage = _coverage(self._archive(), query)
            self._remember(key, coverage)
        return coverage

    def _remember(self, key: str, coverage: Optional[Coverage]) -> None:
        with self._lock:
            self._known[key] = (self._clock(), coverage)
            self._known.move_to_end(key)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)


def _coverage(archive: SceneArchive, query: SceneQuery) -> Optional[Coverage]:
    try:
        scenes = archive.search(query)
    except (LookupError, ValueError):
        logger.info("the archive knows no sensor %s", query.sensor)
        return None
    shared = sum(geometry.shared_area_km2(query.geometry, scene.footprint) for scene in scenes)
    return Coverage(len(scenes), shared)
