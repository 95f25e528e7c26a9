"""What the parts of the made-up archive share: candidates of a search, and the sun over a scene."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Callable, List, Optional, Protocol, Tuple

import numpy as np

from up42_plugin.sandbox.archive import Scene
from up42_plugin.sandbox.footprints import RELATIONS
from up42_plugin.sandbox.world.clouds import Sky
from up42_plugin.sandbox.world.seasons import sun

SYNTHETIC_NOTE = "Synthetic imagery: computed by the UP42 sandbox from a made-up Earth, not recorded by a satellite."
"""What data.json says about everything that comes from the made-up archive."""
SYNTHETIC_PROPERTIES = {"synthetic": True, "note": SYNTHETIC_NOTE}


@dataclass(frozen=True)
class Area:
    """What a search asks for: an OGR polygon in degrees and how a footprint must relate to it.

    Raises:
        ValueError: an unknown relation.
    """

    shape: Any
    relation: str

    def __post_init__(self) -> None:
        if self.relation not in RELATIONS:
            raise ValueError(f"the relation is {' or '.join(RELATIONS)}, not {self.relation!r}")


@dataclass(frozen=True)
class Span:
    """A closed range of time (UTC) and the moment of the search, after which nothing exists."""

    start: datetime
    last: datetime
    now: datetime

    @property
    def end(self) -> datetime:
        """The last moment of which there can be scenes."""
        return min(self.last, self.now)

    def holds(self, moment: datetime) -> bool:
        """Tell whether a scene of this moment can be found."""
        return self.start <= moment <= self.end


@dataclass(frozen=True)
class Candidate:
    """A scene that matches; ``make`` builds it."""

    acquired: datetime
    key: str
    make: Callable[[], Scene]


Finder = Callable[[Span, float, Optional[int]], List[Candidate]]
"""Scenes in a span of time up to a cloud cover in percent, in any order: all, or at least the newest up to a limit."""


class Catalogue(Protocol):
    """The scenes of one sensor."""

    def over(self, area: Area) -> Finder:
        """Return a finder of the scenes over an area."""

    def by_id(self, scene_id: str, now: datetime) -> Optional[Scene]:
        """Return the scene with an id, None when there is none."""

    def sky(self, scene: Scene) -> Sky:
        """Return the clouds of a scene of this catalogue."""


def hash_of(*parts: object) -> int:
    """Return a 32-bit number that depends on all parts, the same everywhere and always."""
    return zlib.crc32("/".join(str(part) for part in parts).encode())


def fraction(*parts: object) -> float:
    """Return a number 0..1 that depends on all parts."""
    return hash_of(*parts) / 2**32


def sun_over(lon: float, lat: float, when: datetime) -> Tuple[float, float]:
    """Return azimuth and elevation of the sun in degrees; negative below the horizon."""
    utc = when.astimezone(timezone.utc)
    hour = (utc.hour + utc.minute / 60 + utc.second / 3600 + lon / 15) % 24
    azimuth, elevation = sun(when.date(), lat, hour)
    return float(np.degrees(azimuth)) % 360, float(np.degrees(elevation))
