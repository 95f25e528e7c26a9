"""Sentinel-2's passes: sun-synchronous ground tracks that repeat after 10 days, two satellites 5 days apart.

The numbers are those of the real mission: 143 orbits in 10 days, an inclination of 98.62 degrees, a descending node at
10:30 local time, a swath of 290 km. The phase makes relative orbit 36 pass over Sicily at about 09:51 UTC.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Iterator, List, Tuple

import numpy as np

from up42_plugin.sandbox.geodesy import EARTH_RADIUS_KM, XY

ORBITS = 143
CYCLE = timedelta(days=10)
PERIOD = CYCLE / ORBITS
SWATH_KM = 290.0

_INCLINATION = math.radians(98.62)
_SHIFT = 360.0 * 10 / ORBITS  # degrees west from one orbit to the next
_REFERENCE_ORBIT = 36
_REFERENCE_LON = 6.86
_REFERENCE_TIME = datetime(2017, 1, 5, 10, 2, 34, tzinfo=timezone.utc)
_ARC_STEP = 0.05
# A datatake starts at these arcs (degrees along the orbit, 0 at the descending node).
_DATATAKES = (-78.9, -12.0, 24.0)


@dataclass(frozen=True)
class Satellite:
    """One satellite: its name, its place in the cycle, its first day, and the second on which its datatakes start."""

    name: str
    offset: timedelta
    first: datetime
    second: int


SATELLITES = (
    Satellite("S2A", timedelta(0), datetime(2015, 7, 1, tzinfo=timezone.utc), 31),
    Satellite("S2B", timedelta(days=5), datetime(2017, 7, 1, tzinfo=timezone.utc), 29),
)


def track_point(orbit: int, arc: float) -> XY:
    """Return longitude and latitude (degrees) below the satellite at an arc of -90..90 degrees from the node."""
    a = math.radians(arc)
    lat = math.degrees(math.asin(-math.sin(a) * math.sin(_INCLINATION)))
    inertial = math.degrees(math.atan2(math.cos(_INCLINATION) * math.sin(a), math.cos(a)))
    turned = arc / 360.0 * (PERIOD / timedelta(days=1)) * 360.0
    node = _REFERENCE_LON - (orbit - _REFERENCE_ORBIT) * _SHIFT
    return (node + inertial - turned + 180.0) % 360.0 - 180.0, lat


def pass_time(satellite: Satellite, orbit: int, cycle: int, arc: float) -> datetime:
    """Return when a satellite passes an arc of a relative orbit in a cycle."""
    since = (orbit - _REFERENCE_ORBIT) * PERIOD + cycle * CYCLE + satellite.offset + arc / 360.0 * PERIOD
    return _REFERENCE_TIME + since


def cycles(satellite: Satellite, orbit: int, arc: float, start: datetime, end: datetime) -> Iterator[int]:
    """Yield the cycles in which a satellite passes an arc of an orbit within a closed time range."""
    start = max(start, satellite.first)
    cycle = -((pass_time(satellite, orbit, 0, arc) - start) // CYCLE)
    while pass_time(satellite, orbit, cycle, arc) <= end:
        if pass_time(satellite, orbit, cycle, arc) >= start:
            yield cycle
        cycle += 1


def datatake_start(satellite: Satellite, orbit: int, cycle: int, arc: float) -> datetime:
    """Return when the recording began to which an arc belongs, as product names give it."""
    begin = [start for start in _DATATAKES if start <= max(arc, _DATATAKES[0])][-1]
    return pass_time(satellite, orbit, cycle, begin).replace(second=satellite.second, microsecond=0)


def _offset(orbit: int, arc: float, km: float) -> XY:
    """Return the point ``km`` to the left (east, seen on a descending pass) of the track."""
    lon, lat = track_point(orbit, arc)
    lon2, lat2 = track_point(orbit, arc + 0.01)
    dx = ((lon2 - lon + 180) % 360 - 180) * math.cos(math.radians(lat))
    bearing = math.atan2(dx, lat2 - lat) - math.pi / 2
    d = km / EARTH_RADIUS_KM
    phi = math.radians(lat)
    sine = math.sin(phi) * math.cos(d) + math.cos(phi) * math.sin(d) * math.cos(bearing)
    turn = math.atan2(math.sin(bearing) * math.sin(d) * math.cos(phi), math.cos(d) - math.sin(phi) * sine)
    return (lon + math.degrees(turn) + 180) % 360 - 180, math.degrees(math.asin(sine))


def swath(orbit: int, arc: float, reach: float = 2.5) -> List[XY]:
    """Return a closed ring (degrees) around the swath from ``reach`` degrees of arc before ``arc`` to as many after.

    The edges have their points at fixed arcs, so that neighbouring tiles are cut along the same line. Longitudes run
    on past 180 from where the track is at ``arc``.
    """
    first, last = math.floor((arc - reach) / _ARC_STEP), math.ceil((arc + reach) / _ARC_STEP)
    arcs = [k * _ARC_STEP for k in range(max(first, -1799), min(last, 1799) + 1)]
    ring = [_offset(orbit, a, -SWATH_KM / 2) for a in arcs]
    ring += [_offset(orbit, a, SWATH_KM / 2) for a in reversed(arcs)]
    middle = track_point(orbit, arc)[0]
    ring = [((lon - middle + 180) % 360 - 180 + middle, lat) for lon, lat in ring]
    return [*ring, ring[0]]


def orbits_over(lon: float, lat: float, radius_km: float) -> List[Tuple[int, float]]:
    """Return relative orbit and nearest arc of the passes whose swath may come within a radius of a point."""
    arcs = np.arange(-90.0, 91.0)
    track = np.array([track_point(_REFERENCE_ORBIT, arc) for arc in arcs.tolist()])
    orbits = np.arange(1, ORBITS + 1)
    lons = np.radians(track[:, 0] - lon - (orbits[:, None] - _REFERENCE_ORBIT) * _SHIFT)
    lats, phi = np.radians(track[:, 1]), math.radians(lat)
    cosine = np.sin(lats) * math.sin(phi) + np.cos(lats) * math.cos(phi) * np.cos(lons)
    nearest = cosine.argmax(1)
    km = EARTH_RADIUS_KM * np.arccos(np.clip(cosine.max(1), -1, 1))
    near = np.flatnonzero(km <= SWATH_KM / 2 + radius_km + 60)  # the arcs are coarse
    return [(int(orbits[k]), float(arcs[nearest[k]])) for k in near]
