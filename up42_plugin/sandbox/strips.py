"""Very-high-resolution scenes: agile satellites look at each place every few weeks, a little different each time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np

from up42_plugin.sandbox.archive import Grid, Scene
from up42_plugin.sandbox.footprints import beside, bounds, matches, polygon, shifted, to_geojson
from up42_plugin.sandbox.geodesy import WGS84, XY, transform, utm_epsg
from up42_plugin.sandbox.scene_catalogue import (
    SYNTHETIC_PROPERTIES,
    Area,
    Candidate,
    Finder,
    Span,
    fraction,
    hash_of,
    sun_over,
)
from up42_plugin.sandbox.world import climate
from up42_plugin.sandbox.world.clouds import Sky

_EPOCH = datetime(2015, 7, 1, tzinfo=timezone.utc)
_TRACK_DEGREES = 12.0  # how much the descending tracks lean
_LEAST_SUN_DEGREES = 10.0
_LIMIT = 80.0
_ALTITUDE_KM = 694.0


@dataclass(frozen=True)
class Constellation:
    """Satellites that share the work.

    ``rows`` targets lie on a degree of latitude; each is taken once in ``slot``. ``swath`` is the width in km seen
    straight down. ``clouds`` scales the climate's cover: the operators keep the clearer images. ``name`` is the
    pattern of the ids.
    """

    sensor: str
    platforms: Tuple[str, ...]
    pixel: float
    swath: float
    rows: int
    slot: timedelta
    clouds: float
    name: str


PLEIADES = Constellation(
    "pleiades", ("PHR1A", "PHR1B"), 0.5, 20.0, 9, timedelta(days=30), 0.6, "DS_{platform}_{time}_FR1_PX_{cell}_{number}"
)
SPOT = Constellation(
    "spot",
    ("SPOT6", "SPOT7"),
    1.5,
    60.0,
    3,
    timedelta(days=24),
    0.7,
    "DS_{platform}_{time}_FR1_FR1_SV1_SV1_{cell}_{number}",
)

_TAIL = re.compile(r"DS_[A-Z0-9]+_(\d{8})\d{7}_.*_([EW])(\d{3})([NS])(\d{2})(?:_\d{4})?_(\d{5})")


@dataclass(frozen=True)
class Target:
    """A place that the satellites look at again and again: one of the cells within a square degree."""

    west: int
    south: int
    row: int
    column: int
    columns: int
    rows: int

    @property
    def centre(self) -> XY:
        """Longitude and latitude in degrees."""
        return self.west + (self.column + 0.5) / self.columns, self.south + (self.row + 0.5) / self.rows

    @property
    def cell(self) -> str:
        """Like ``E015N37``: the square degree."""
        lon, lat = ("E" if self.west >= 0 else "W"), ("N" if self.south >= 0 else "S")
        return f"{lon}{abs(self.west):03d}{lat}{abs(self.south):02d}"

    @property
    def number(self) -> int:
        """Number of the target within its square degree, from 1."""
        return self.row * self.rows + self.column + 1


@dataclass(frozen=True)
class Look:
    """One acquisition of one target."""

    target: Target
    slot: int
    platform: str
    acquired: datetime
    incidence: float
    azimuth: float
    footprint: Any


class Strips:
    """The part of the made-up archive that one constellation of very-high-resolution satellites fills."""

    def __init__(self, constellation: Constellation, seed: int) -> None:
        self._c = constellation
        self._seed = seed

    def over(self, area: Area) -> Finder:
        """Return a finder of the scenes over an area, which stops where the limit is reached."""
        targets = [(target, shifted(area.shape, -turn)) for target, turn in self._targets(area.shape)]

        def find(span: Span, max_cloud_cover: float, limit: Optional[int]) -> List[Candidate]:
            found: List[Candidate] = []
            for slot in reversed(self._slots(span.start, span.end)):
                # The slots of all targets follow each other, but for some hours between the time zones.
                enough = limit is not None and len(found) >= limit
                for target, shape in targets:
                    look = self._look(target, slot)
                    if span.holds(look.acquired) and matches(look.footprint, shape, area.relation):
                        found += self._kept(look, max_cloud_cover)
                if enough:
                    break
            return found

        return find

    def _kept(self, look: Look, max_cloud_cover: float) -> Iterator[Candidate]:
        """Yield the look as a candidate when it was light and clear enough."""
        if self._lit(look):
            cloud = self._cloud(look)
            if cloud <= max_cloud_cover:
                yield self._candidate(look, cloud)

    def by_id(self, scene_id: str, now: datetime) -> Optional[Scene]:
        """Return the scene with an id, None when there is none."""
        look = self._parsed(scene_id)
        if look is None or look.acquired > now or not self._lit(look):
            return None
        return self._scene(look, self._cloud(look))

    def sky(self, scene: Scene) -> Sky:
        """Return the clouds of a scene."""
        look = self._parsed(scene.id)
        if look is None:
            raise ValueError(f"{scene.id!r} is not in the archive")
        salt, day = self._salt(look), look.acquired.timetuple().tm_yday

        def cover(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
            return self._c.clouds * climate.cover(lon, lat, day, np.array(salt, np.uint32))

        scale = min(self._c.swath / 60.0, 1.0)
        return Sky(salt, cover, scene.acquired.date(), scale)

    def _candidate(self, look: Look, cloud: float) -> Candidate:
        return Candidate(look.acquired, self._name(look), lambda: self._scene(look, cloud))

    def _targets(self, shape: Any) -> Iterator[Tuple[Target, float]]:
        """Yield targets whose footprint may touch a shape's box, with the whole turns to their longitude."""
        west, east, south, north = shape.GetEnvelope()
        reach = self._c.swath  # half a footprint's diagonal, its way off the target, and some
        (_, bottom), (_, top) = beside(0, south, 0, -reach), beside(0, north, 0, reach)
        for lat in range(max(math.floor(bottom), int(-_LIMIT)), min(math.floor(top), int(_LIMIT) - 1) + 1):
            pad = beside(0, min(max(abs(south), abs(north)), _LIMIT), reach, 0)[0]
            for lon in range(math.floor(west - pad), math.floor(east + pad) + 1):
                turn = 360.0 * math.floor((lon + 180) / 360)
                for target in self._cell(int(lon - turn), lat):
                    x, y = target.centre
                    if west - pad <= x + turn <= east + pad and bottom <= y <= top:
                        yield target, turn

    def _cell(self, west: int, south: int) -> List[Target]:
        rows = self._c.rows
        columns = max(round(rows * math.cos(math.radians(south + 0.5))), 1)
        return [Target(west, south, row, column, columns, rows) for row in range(rows) for column in range(columns)]

    def _slots(self, start: datetime, end: datetime) -> range:
        return range(max((start - _EPOCH) // self._c.slot, 0), (end - _EPOCH) // self._c.slot + 1)

    def _look(self, target: Target, slot: int) -> Look:
        """Return what is taken of a target in a slot of time."""
        key = (self._seed, self._c.sensor, target.cell, target.number, slot)
        lon, lat = target.centre
        day = _EPOCH + self._c.slot * slot + timedelta(days=math.floor(fraction(*key, "day") * self._c.slot.days))
        local = 10.5 + 0.7 * (fraction(*key, "hour") - 0.5) - lon / 15
        tenths = round(local * 36_000)
        roll = 1 if hash_of(*key, "side") % 2 else -1
        incidence = 2 + 26 * fraction(*key, "angle") ** 1.3
        heading = _TRACK_DEGREES + 8 * (fraction(*key, "turn") - 0.5)
        stretch = 1 + 0.35 * (incidence / 30) ** 2
        width, length = self._c.swath * stretch, self._c.swath * (1.0 + 0.25 * fraction(*key, "length"))
        off = 0.06 * self._c.swath
        centre = beside(lon, lat, off * (2 * fraction(*key, "x") - 1), off * (2 * fraction(*key, "y") - 1))
        return Look(
            target=target,
            slot=slot,
            platform=self._c.platforms[hash_of(*key, "platform") % len(self._c.platforms)],
            acquired=day + timedelta(milliseconds=100 * tenths),
            incidence=round(incidence, 2),
            azimuth=round((90 * roll + 180 + heading) % 360, 2),
            footprint=polygon(_frame(centre, width, length, heading, 0.4 * roll * (incidence - 2) / 26)),
        )

    def _cloud(self, look: Look) -> float:
        day, salt = look.acquired.timetuple().tm_yday, np.array(self._salt(look), np.uint32)
        corners = np.array([point[:2] for point in look.footprint.GetGeometryRef(0).GetPoints()[:4]])
        middle = corners.mean(0)
        lons, lats = np.vstack([middle, (middle + corners) / 2]).T
        return round(float(self._c.clouds * climate.cover(lons, lats, day, salt).mean() * 100), 2)

    def _salt(self, look: Look) -> int:
        return hash_of(self._seed, self._c.sensor, look.target.cell, look.target.number, look.slot, "sky")

    def _lit(self, look: Look) -> bool:
        return sun_over(*look.target.centre, look.acquired)[1] >= _LEAST_SUN_DEGREES

    def _name(self, look: Look) -> str:
        time = f"{look.acquired:%Y%m%d%H%M%S}{look.acquired.microsecond // 100_000}"
        number = f"{look.target.number:05d}"
        if self._c is PLEIADES:
            number = f"{1 + self._salt(look) % 1999:04d}_{number}"
        return self._c.name.format(platform=look.platform, time=time, cell=look.target.cell, number=number)

    def _parsed(self, scene_id: str) -> Optional[Look]:
        match = _TAIL.fullmatch(scene_id)
        if not match:
            return None
        day, ew, lon, ns, lat, number = match.groups()
        west, south = int(lon) * (1 if ew == "E" else -1), int(lat) * (1 if ns == "N" else -1)
        targets = [t for t in self._cell(west, south) if t.number == int(number)]
        try:
            when = datetime.strptime(day, "%Y%m%d").replace(tzinfo=timezone.utc)
        except ValueError:
            return None
        for target in targets:
            for slot in self._slots(when - timedelta(days=2), when + timedelta(days=2)):
                look = self._look(target, slot)
                if self._name(look) == scene_id:
                    return look
        return None

    def _scene(self, look: Look, cloud: float) -> Scene:
        azimuth, elevation = sun_over(*look.target.centre, look.acquired)
        return Scene(
            id=self._name(look),
            sensor=self._c.sensor,
            platform=look.platform,
            tile=look.target.cell,
            acquired=look.acquired,
            cloud_cover=cloud,
            footprint=to_geojson(look.footprint),
            bbox=bounds(look.footprint),
            grid=self._grid(look),
            sun_azimuth=round(azimuth, 3),
            sun_elevation=round(elevation, 3),
            properties={
                **SYNTHETIC_PROPERTIES,
                "incidence_angle": look.incidence,
                "viewing_azimuth": look.azimuth,
                "resolution": self._c.pixel,
            },
        )

    def _grid(self, look: Look) -> Grid:
        """Return the grid around the footprint in the UTM zone of its middle, on whole multispectral pixels."""
        step = 4 * self._c.pixel
        epsg = utm_epsg(*look.target.centre)
        ring = [p[:2] for p in look.footprint.GetGeometryRef(0).GetPoints()]
        points = transform(ring, WGS84, epsg)
        left, top = min(x for x, _ in points) // step * step, -(-max(y for _, y in points) // step) * step
        width = math.ceil((max(x for x, _ in points) - left) / step) * 4
        height = math.ceil((top - min(y for _, y in points)) / step) * 4
        return Grid(epsg, left, top, self._c.pixel, width, height)


def _frame(centre: XY, width: float, length: float, heading: float, lean: float) -> List[XY]:
    """Return a closed, counter-clockwise ring: a strip (km) along a heading (degrees from south to west), skewed."""
    c, s = math.cos(math.radians(heading)), math.sin(math.radians(heading))
    ring = []
    for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        x, y = a * width / 2 + lean * b, b * length / 2
        ring.append(beside(*centre, x * c + y * s, y * c - x * s))
    return [*ring, ring[0]]
