"""Block ``openstreetmap``: map objects with the tags asked for, one GeoJSON file per tag and time."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, Callable, Dict, Iterator, List, Mapping, Sequence, Tuple

from up42_plugin.sandbox import geometry, times
from up42_plugin.sandbox.awkward_names import on_disk
from up42_plugin.sandbox.runners import data_json, geojson_files, made_up
from up42_plugin.sandbox.runners.checked import texts
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.earth import map_objects
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR
from up42_plugin.sandbox.runners.parameters import area_of
from up42_plugin.sandbox.world import roads, view

DEFAULT_TAGS = ("building=*", "highway=*", "landuse=*")
"""What is taken where no tag is given; no source says what the service takes."""

_TAG = re.compile(r"([\w:]{1,60})=(\*|[^=*\x00-\x1f]{1,80})")
_COVERS: Mapping[str, Mapping[int, str]] = {
    "landuse": {
        view.CROP: "farmland",
        view.ORCHARD: "orchard",
        view.TOWN: "residential",
        view.FOREST: "forest",
        view.GRASS: "meadow",
    },
    "natural": {
        view.WATER: "water",
        view.SAND: "beach",
        view.FOREST: "wood",
        view.SCRUB: "scrub",
        view.ROCK: "bare_rock",
        view.GRASS: "grassland",
    },
    "waterway": {view.WATER: "riverbank"},
}
_HIGHWAYS = {True: "secondary", False: "unclassified"}
_PLACES = ((0.6, "town"), (0.45, "village"), (0.01, "hamlet"), (0.0, "locality"))
_HOUSES = ((400.0, "industrial"), (220.0, "apartments"), (0.0, "house"))
_SYLLABLES = (
    ("Mon", "Cas", "Val", "San", "Tor", "Ac"),
    ("te", "tel", "le", "ta", "re", "qua"),
    ("rosa", "nuova", "bello", "mara", "scuro", "fiore"),
)
_STOPS_FROM = 20
_FIRST_ID = 100_000_000

Made = Tuple[Mapping[str, Any], Dict[str, Any]]


def run(task: Task) -> Usage:
    """``<uuid>/<tag>_<time>.geojson`` with objects of all kinds of geometry, EPSG:4326.

    Of a time range only the end counts; one in the future means now. Names hold ``=`` and ``*`` as the tags do.
    """
    area = area_of(task.parameters)
    tags = _tags(task.parameters)
    box = geometry.bounds(area)
    layers = _Layers(task, box)
    features: List[data_json.Feature] = []
    for moment in _moments(task.parameters):
        folder = made_up.fixed_uuid("openstreetmap", box, moment)
        for key, value in tags:
            found = _objects(layers, key, value, moment)
            part = value.replace("/", "_")
            name = f"{folder}/{key}={part}_{moment:%Y-%m-%dT%H_%M_%SZ}.geojson"
            task.log("INFO", f"{key}={value}: {len(found)} objects")
            geojson_files.write(task.target / on_disk(name), found)
            about = {
                "osm_timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
                "osm_tag": f"{key}={value}",
                **made_up.properties(),
            }
            features.append(data_json.feature(None, geometry.polygon_of(box), about, name))
    data_json.write(task, features)
    return Usage(geometry.area_km2(area), len(features), data_json.output_bytes(task))


def _tags(parameters: Mapping[str, Any]) -> List[Tuple[str, str]]:
    found = []
    for text in texts(parameters, "osm_tags") or DEFAULT_TAGS:
        match = _TAG.fullmatch(text)
        if match is None:
            raise RunnerError(
                INPUT_PARAMETERS_ERROR, f"osm_tags: {text!r} must be key=value or key=*, at most 60 and 80 characters"
            )
        found.append((match.group(1), match.group(2).strip()))
    return found


def _moments(parameters: Mapping[str, Any]) -> List[datetime]:
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return list(dict.fromkeys(min(end, now) for _, end in times.ranges_of(parameters))) or [now]


@dataclass
class _Layers:
    """What the map is drawn from, each worked out once when it is first asked for."""

    task: Task
    box: roads.Box

    def inside(self, lon: float, lat: float) -> bool:
        """Whether a point lies in the box."""
        west, south, east, north = self.box
        return west <= lon <= east and south <= lat <= north

    @cached_property
    def covers(self) -> Sequence[map_objects.Cover]:
        return map_objects.covers(self.task, self.box)

    @cached_property
    def houses(self) -> Sequence[map_objects.House]:
        return list(map_objects.houses(self.task, self.box))

    @cached_property
    def ways(self) -> Sequence[roads.Road]:
        return roads.roads(self.box, made_up.seed_of(self.task))

    @cached_property
    def places(self) -> Sequence[roads.Place]:
        return roads.places(self.box, made_up.seed_of(self.task))


def _objects(layers: _Layers, key: str, value: str, moment: datetime) -> List[Dict[str, Any]]:
    """The features of one file, numbered as OpenStreetMap numbers its objects."""
    made = [part for source in _SOURCES.get(key, ()) for part in source(layers, key)]
    fitting = [(shape, tags) for shape, tags in made if value in ("*", tags.get(key))]
    features = []
    for number, (shape, tags) in enumerate(fitting):
        kind = "node" if shape["type"] == "Point" else "way"
        own = {"osm_type": kind, "osm_id": _FIRST_ID + number, **tags, "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
        features.append(geojson_files.feature(shape, own, f"{kind}/{own['osm_id']}"))
    return features


def _cover_objects(layers: _Layers, key: str) -> Iterator[Made]:
    for cover in layers.covers:
        if cover.code in _COVERS[key] and not cover.shape.IsEmpty():
            yield map_objects.polygon_json(cover.shape), {key: _COVERS[key][cover.code]}


def _building_objects(layers: _Layers, _key: str) -> Iterator[Made]:
    for house in layers.houses:
        tags: Dict[str, Any] = {"building": next(name for least, name in _HOUSES if house.square_m >= least)}
        if map_objects.small(house):
            yield map_objects.point_json(*house.middle), {"building": "shed"}
            continue
        if tags["building"] == "apartments":
            tags["building:levels"] = str(2 + int(house.square_m) % 4)
        yield {"type": "Polygon", "coordinates": [[list(point) for point in house.ring]]}, tags


def _highway_objects(layers: _Layers, _key: str) -> Iterator[Made]:
    for road in layers.ways:
        tags: Dict[str, Any] = {"highway": _HIGHWAYS[road.main]}
        if road.main:
            tags["ref"] = f"SP {abs(road.number) % 97 + 1}"
        yield map_objects.line_json(road.line), tags
        lon, lat = road.line[len(road.line) // 2]
        if len(road.line) > _STOPS_FROM and layers.inside(lon, lat):
            yield map_objects.point_json(lon, lat), {"highway": "bus_stop"}
    for place in layers.places:
        if place.main and place.size >= _PLACES[1][0]:
            yield _square(place), {"highway": "pedestrian", "area": "yes"}


def _square(place: roads.Place) -> Mapping[str, Any]:
    """The market place of a town: an eight-sided area around its middle."""
    ring = [(14, 34), (34, 14), (34, -14), (14, -34), (-14, -34), (-34, -14), (-34, 14), (-14, 34), (14, 34)]
    points = [[round(place.lon + x * 1.15e-5, 8), round(place.lat + y * 9e-6, 8)] for x, y in ring]
    return {"type": "Polygon", "coordinates": [points]}


def _natural_lines(layers: _Layers, _key: str) -> Iterator[Made]:
    for line in map_objects.coast(layers.box, layers.covers):
        yield map_objects.line_json(line), {"natural": "coastline"}
    for lon, lat, height in map_objects.peaks(layers.task, layers.box):
        yield map_objects.point_json(lon, lat), {"natural": "peak", "ele": f"{height:.0f}"}


def _place_objects(layers: _Layers, _key: str) -> Iterator[Made]:
    for place in layers.places:
        kind = next(name for least, name in _PLACES if place.size >= least)
        yield map_objects.point_json(place.lon, place.lat), {"place": kind, "name": _name_of(place)}


def _name_of(place: roads.Place) -> str:
    """A name that sounds like a place and is always the same."""
    digest = hashlib.sha256(f"{place.main}/{place.number}".encode()).digest()
    return "".join(words[byte % len(words)] for byte, words in zip(digest, _SYLLABLES))


_SOURCES: Mapping[str, Tuple[Callable[[_Layers, str], Iterator[Made]], ...]] = {
    "building": (_building_objects,),
    "highway": (_highway_objects,),
    "landuse": (_cover_objects,),
    "natural": (_cover_objects, _natural_lines),
    "waterway": (_cover_objects,),
    "place": (_place_objects,),
}
