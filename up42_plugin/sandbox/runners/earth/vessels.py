"""What ships tell of themselves by AIS: blocks ``ais-hvp`` (positions) and ``ship-identification``."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox import geometry, times
from up42_plugin.sandbox.geodesy import METRES_PER_DEGREE
from up42_plugin.sandbox.runners import data_json, geojson_files, images, made_up
from up42_plugin.sandbox.runners.checked import whole_number
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR, WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.parameters import area_of
from up42_plugin.sandbox.runners.vectors import ship_detection
from up42_plugin.sandbox.world import view
from up42_plugin.sandbox.world.ships import Ship, ships

POINTS, IDENTIFIED = "ais-points.geojson", "ship-identifications.geojson"
_LONGEST_H, _EVERY = 24, timedelta(minutes=10)
_PASS_HOUR, _SWING_S = 10, 600.0
_REACH = 0.06  # degrees that a ship may come from
_TALKATIVE_M, _NEAR_M = 24.0, 60.0
_KNOTS = 1.943844
_TYPES = ("Fishing", "Sailing", "Pleasure craft", "Passenger", "Cargo", "Tanker")


def positions(task: Task) -> Usage:
    """``ais-points.geojson``: a message of every ship with AIS each ten minutes that it is in the area."""
    area = area_of(task.parameters)
    west, south, east, north = geometry.bounds(area)
    start, end = _time(task.parameters)
    shape = geojson_files.shape(area)
    found: List[Dict[str, Any]] = []
    near = (west - _REACH, south - _REACH, east + _REACH, north + _REACH)
    talking: Dict[date, List[Ship]] = {}
    moment = start
    while moment <= end:
        task.check()
        if moment.date() not in talking:
            there = ships(near, moment.date(), made_up.seed_of(task))
            talking[moment.date()] = [ship for ship in there if ship.length >= _TALKATIVE_M]
        for ship in talking[moment.date()]:
            lon, lat = _place_at(ship, moment)
            point = {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]}
            if west <= lon <= east and south <= lat <= north and geojson_files.shape(point).Within(shape):
                message = {**_identity(ship), "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
                found.append(geojson_files.feature(point, message))
        moment += _EVERY
    found = _afloat(found, made_up.seed_of(task))
    task.log("INFO", f"{len(found)} messages")
    geojson_files.write(task.target / POINTS, found)
    data_json.write(task, [data_json.feature(None, area, made_up.properties(), POINTS)])
    return Usage(geometry.area_km2(area), 1, data_json.output_bytes(task))


def _time(parameters: Mapping[str, Any]) -> times.Range:
    ranges = times.ranges_of(parameters)
    if not ranges or ranges[0][1] - ranges[0][0] > timedelta(hours=_LONGEST_H, minutes=1):
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"time must be a range of {_LONGEST_H} hours at most")
    return ranges[0]


def _place_at(ship: Ship, moment: datetime) -> Tuple[float, float]:
    """Ahead and back around the place where the satellites see it."""
    at_pass = moment.replace(hour=_PASS_HOUR, minute=0, second=0, microsecond=0)
    seconds = (moment - at_pass).total_seconds()
    return ship.at(ship.speed * _SWING_S * math.sin(seconds / _SWING_S), 0.0)


def _afloat(found: List[Dict[str, Any]], seed: int) -> List[Dict[str, Any]]:
    """Without the messages from ashore, where a straight course would end."""
    if not found:
        return found
    lon, lat = np.array([feature["geometry"]["coordinates"] for feature in found]).T
    wet = view.elevation(lon, lat, 20.0, seed) < 0
    return [feature for feature, floats in zip(found, wet) if floats]


def _identity(ship: Ship) -> Dict[str, Any]:
    kind = min(int(ship.length / 26), len(_TYPES) - 1)
    return {
        "mmsi": 247_000_000 + ship.number % 999_999,
        "vessel_name": f"SYNTHETIC {ship.number % 9973}",
        "vessel_type": _TYPES[kind],
        "length": round(ship.length),
        "width": round(ship.width),
        "sog": round(ship.speed * _KNOTS, 1),
        "cog": round(ship.course, 1),
    }


def identify(task: Task) -> Usage:
    """``ship-identifications.geojson``: the ships found, those with AIS with what they tell of themselves."""
    minutes = whole_number(task.parameters, "minutes", 1, 720)
    sources = data_json.read_source(task)
    found: List[Dict[str, Any]] = []
    for source in sources:
        task.check()
        path = data_json.source_path(task, source)
        moment = ship_detection.moment_of(source)
        if moment is None:
            raise RunnerError(WRONG_INPUT_ERROR, f"The metadata of {path.name} do not say when it was taken")
        for detection in geojson_files.read(path):
            ship = _ship_at(detection["geometry"], moment, made_up.seed_of(task))
            found.append(_identified(detection, ship, minutes))
    task.log("INFO", f"{sum(part['properties']['identified'] for part in found)} of {len(found)} ships identified")
    geojson_files.write(task.target / IDENTIFIED, found)
    properties = data_json.provider_properties(sources[0])
    data_json.write(task, [data_json.feature(None, _around(sources), properties, IDENTIFIED)])
    square_km = sum(images.priced_km2(task, source) for source in sources)
    return Usage(square_km, len(sources), data_json.output_bytes(task))


def _around(sources: Sequence[data_json.Feature]) -> Mapping[str, Any]:
    """The outline of one image, or the box around those of several."""
    if len(sources) == 1:
        outline: Mapping[str, Any] = sources[0]["geometry"]
        return outline
    lows_and_highs = list(zip(*(geometry.bounds(source["geometry"]) for source in sources)))
    west, south = map(min, lows_and_highs[:2])
    east, north = map(max, lows_and_highs[2:])
    return geometry.polygon_of((west, south, east, north))


def _identified(detection: Mapping[str, Any], ship: Optional[Ship], minutes: int) -> Dict[str, Any]:
    properties = {**detection["properties"], "identified": ship is not None, "minutes": minutes}
    if ship is not None:
        properties.update(_identity(ship))
    return geojson_files.feature(detection["geometry"], properties)


def _ship_at(outline: Mapping[str, Any], moment: datetime, seed: int) -> Optional[Ship]:
    """The ship with AIS nearest to an outline, None when none is near."""
    ring = outline["coordinates"][0][:-1]
    lon, lat = (sum(part) / len(ring) for part in zip(*ring))
    reach = _NEAR_M / METRES_PER_DEGREE / math.cos(math.radians(lat))
    box = (lon - reach, lat - reach, lon + reach, lat + reach)
    near = [ship for ship in ships(box, moment.date(), seed) if ship.length >= _TALKATIVE_M]
    return min(near, key=lambda ship: math.hypot(ship.lon - lon, ship.lat - lat), default=None)
