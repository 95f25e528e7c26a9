"""What blocks have in common that deliver no scenes but the made-up Earth itself: heights, map objects, weather."""

from __future__ import annotations

import math
import uuid
from typing import Any, Dict, Mapping

from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import METRES_PER_DEGREE, WGS84
from up42_plugin.sandbox.geometry import bounds
from up42_plugin.sandbox.runners.contract import Task
from up42_plugin.sandbox.world.view import SEED

NOTE = "Synthetic data: computed by the UP42 sandbox from a made-up Earth, not surveyed."


def seed_of(task: Task) -> int:
    """Which made-up Earth the task's scenes show; the usual one where the archive has another source."""
    return int(getattr(task.archive, "seed", SEED))


def properties() -> Dict[str, Any]:
    """The properties that say that a feature is made up."""
    return {"synthetic": True, "note": NOTE}


def fixed_uuid(*parts: object) -> str:
    """A UUID that is always the same for the same parts."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(str(part) for part in parts)))


def degree_grid(polygon: Mapping[str, Any], pixel_m: float) -> Grid:
    """A grid in degrees over a polygon's box, on whole pixels of a grid over the whole Earth, so that grids agree."""
    pixel = pixel_m / METRES_PER_DEGREE
    west, south, east, north = bounds(polygon)
    left, right = math.floor(west / pixel + 1e-6), math.ceil(east / pixel - 1e-6)
    lower, upper = math.floor(south / pixel + 1e-6), math.ceil(north / pixel - 1e-6)
    return Grid(WGS84, left * pixel, upper * pixel, pixel, max(right - left, 1), max(upper - lower, 1))
