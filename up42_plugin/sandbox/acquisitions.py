"""Sentinel-2 scenes: every pass of the two satellites over every tile, cut by the swath's edge."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, Iterator, List, Optional

import numpy as np

from up42_plugin.sandbox.archive import Scene
from up42_plugin.sandbox.footprints import bounds, matches, polygon, samples, shifted, to_geojson
from up42_plugin.sandbox.orbits import (
    SATELLITES,
    Satellite,
    cycles,
    datatake_start,
    orbits_over,
    pass_time,
    swath,
)
from up42_plugin.sandbox.scene_catalogue import (
    SYNTHETIC_PROPERTIES,
    Area,
    Candidate,
    Finder,
    Span,
    hash_of,
    sun_over,
)
from up42_plugin.sandbox.tiles import Tile, tile_by_id, tiles_around
from up42_plugin.sandbox.world import climate
from up42_plugin.sandbox.world.clouds import Sky

SENSOR = "sentinel2"
TILE_RADIUS_KM = 80.0
LEAST_SUN_DEGREES = 8.0
LEAST_SHARE = 0.002

_PRODUCT = re.compile(r"(S2[AB])_MSIL(?:1C|2A)_(\d{8}T\d{6})_N\d{4}_R(\d{3})_T(\d{2}[A-Z]{3})_\d{8}T\d{6}")
_COG = re.compile(r"(S2[AB])_(\d{1,2}[A-Z]{3})_(\d{8})_(\d+)_L2A")
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)

# First day and number of the processing baselines; later ones would shift the pixel values by an offset.
_BASELINES = (
    ("2015-01-01", "0204"),
    ("2017-05-23", "0205"),
    ("2017-10-23", "0206"),
    ("2018-10-08", "0211"),
    ("2019-05-06", "0212"),
    ("2019-07-08", "0213"),
    ("2020-02-04", "0214"),
    ("2021-03-30", "0300"),
    ("2021-07-01", "0301"),
)


@dataclass(frozen=True)
class Track:
    """One relative orbit over one tile: what of the tile it sees, the same on every pass."""

    tile: Tile
    orbit: int
    arc: float
    footprint: Any
    share: float
    lons: np.ndarray
    lats: np.ndarray


@dataclass(frozen=True)
class Passage:
    """One pass of one satellite on a track."""

    track: Track
    satellite: Satellite
    cycle: int

    @property
    def acquired(self) -> datetime:
        """When the satellite stood over the tile."""
        return pass_time(self.satellite, self.track.orbit, self.cycle, self.track.arc).replace(microsecond=0)

    @property
    def start(self) -> datetime:
        """When the datatake began."""
        return datatake_start(self.satellite, self.track.orbit, self.cycle, self.track.arc)


class Sentinel2:
    """The Sentinel-2 part of the made-up archive."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tracks: Dict[str, List[Track]] = {}

    def over(self, area: Area) -> Finder:
        """Return a finder of the scenes over an area; it returns all of a span of time, whatever the limit."""
        west, east, south, north = area.shape.GetEnvelope()
        tracks = []
        for tile in tiles_around(west, south, east, north):
            for track in self._tracks_of(tile):
                turn = 360.0 * round((float(track.lons.mean()) - (west + east) / 2) / 360.0)
                if matches(track.footprint, shifted(area.shape, turn), area.relation):
                    tracks.append(track)

        def find(span: Span, max_cloud_cover: float, _: Optional[int]) -> List[Candidate]:
            return [found for track in tracks for found in self._passages(track, span, max_cloud_cover)]

        return find

    def by_id(self, scene_id: str, now: datetime) -> Optional[Scene]:
        """Return the scene with a product name (of either level), or with that in collections of single-band files."""
        passage = self._parsed(scene_id)
        if passage is None or self._created(passage) > now:
            return None
        return self._scene(passage, float(self._clouds([passage])[0]))

    def sky(self, scene: Scene) -> Sky:
        """Return the clouds of a scene; tiles of one pass see the same ones."""
        passage = self._parsed(scene.id)
        if passage is None:
            raise ValueError(f"{scene.id!r} is not in the archive")
        salt = self._salt(passage)
        day = scene.acquired.timetuple().tm_yday

        def cover(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
            return climate.cover(lon, lat, day, np.array(salt, np.uint32))

        return Sky(salt, cover, scene.acquired.date())

    def _tracks_of(self, tile: Tile) -> List[Track]:
        if tile.id not in self._tracks:
            self._tracks[tile.id] = list(_tracks(tile))
        return self._tracks[tile.id]

    def _passages(self, track: Track, span: Span, max_cloud_cover: float) -> List[Candidate]:
        passages = [
            passage
            for satellite in SATELLITES
            for cycle in cycles(satellite, track.orbit, track.arc, span.start - _SECOND, span.end + _SECOND)
            for passage in (Passage(track, satellite, cycle),)
            if self._created(passage) <= span.now and span.holds(passage.acquired) and _lit(passage)
        ]
        if not passages:
            return []
        return [
            self._candidate(passage, cloud)
            for passage, cloud in zip(passages, self._clouds(passages).tolist())
            if cloud <= max_cloud_cover
        ]

    def _candidate(self, passage: Passage, cloud: float) -> Candidate:
        return Candidate(passage.acquired, passage.track.tile.id, lambda: self._scene(passage, cloud))

    def _salt(self, passage: Passage) -> int:
        return hash_of(self._seed, passage.satellite.name, passage.track.orbit, passage.cycle)

    def _created(self, passage: Passage) -> datetime:
        """Return when the product is there: some hours after the pass."""
        salt = hash_of(self._seed, "created", passage.satellite.name, passage.track.orbit, passage.cycle)
        return passage.start + timedelta(seconds=7200 + salt % 9000)

    def _clouds(self, passages: List[Passage]) -> np.ndarray:
        """Return the cloud cover in percent of passes on one track."""
        track = passages[0].track
        salts = np.array([self._salt(p) for p in passages], np.uint32)[:, None]
        days = np.array([p.acquired.timetuple().tm_yday for p in passages])[:, None]
        return np.round(climate.cover(track.lons, track.lats, days, salts).mean(1) * 100, 2)

    def _name(self, passage: Passage) -> str:
        start, created = (f"{t:%Y%m%dT%H%M%S}" for t in (passage.start, self._created(passage)))
        orbit, tile = passage.track.orbit, passage.track.tile.id
        baseline = _baseline(passage.acquired)
        return f"{passage.satellite.name}_MSIL2A_{start}_N{baseline}_R{orbit:03d}_T{tile}_{created}"

    def _cog_name(self, passage: Passage) -> str:
        same_day = self._on_day(passage.track.tile, passage.satellite, passage.acquired)
        number = [p.track.orbit for p in same_day].index(passage.track.orbit)
        day = f"{passage.acquired:%Y%m%d}"
        return f"{passage.satellite.name}_{passage.track.tile.id.lstrip('0')}_{day}_{number}_L2A"

    def _on_day(self, tile: Tile, satellite: Satellite, when: datetime) -> List[Passage]:
        """Return the passes of a satellite over a tile on a UTC day, in order."""
        begin = when.replace(hour=0, minute=0, second=0, microsecond=0)
        passages = [
            Passage(track, satellite, cycle)
            for track in self._tracks_of(tile)
            for cycle in cycles(satellite, track.orbit, track.arc, begin, begin + _DAY)
        ]
        return sorted((p for p in passages if p.acquired.date() == begin.date() and _lit(p)), key=lambda p: p.acquired)

    def _parsed(self, scene_id: str) -> Optional[Passage]:
        product, cog = _PRODUCT.fullmatch(scene_id), _COG.fullmatch(scene_id)
        if product:
            passage = self._of_product(*product.groups())
            return passage if passage and self._name(passage) == scene_id.replace("_MSIL1C_", "_MSIL2A_") else None
        return self._of_cog(*cog.groups()) if cog else None

    def _of_product(self, satellite: str, start: str, orbit: str, tile: str) -> Optional[Passage]:
        when = _time(start, "%Y%m%dT%H%M%S")
        for track in self._tracks_named(tile):
            if when and track.orbit == int(orbit):
                for s in SATELLITES:
                    for cycle in cycles(s, track.orbit, track.arc, when - _DAY, when + _DAY):
                        passage = Passage(track, s, cycle)
                        if s.name == satellite and _lit(passage):
                            return passage
        return None

    def _of_cog(self, satellite: str, tile: str, day: str, number: str) -> Optional[Passage]:
        when, tracks = _time(day, "%Y%m%d"), self._tracks_named(tile.zfill(5))
        for s in SATELLITES:
            if s.name == satellite and when and tracks:
                passages = self._on_day(tracks[0].tile, s, when)
                if int(number) < len(passages):
                    return passages[int(number)]
        return None

    def _tracks_named(self, tile_id: str) -> List[Track]:
        if tile_id in self._tracks:
            return self._tracks[tile_id]
        try:
            return self._tracks_of(tile_by_id(tile_id))
        except ValueError:
            return []

    def _scene(self, passage: Passage, cloud: float) -> Scene:
        track, acquired = passage.track, passage.acquired
        azimuth, elevation = sun_over(float(track.lons.mean()), float(track.lats.mean()), acquired)
        return Scene(
            id=self._name(passage),
            sensor=SENSOR,
            platform=passage.satellite.name,
            tile=track.tile.id,
            acquired=acquired,
            cloud_cover=cloud,
            footprint=to_geojson(track.footprint),
            bbox=bounds(track.footprint),
            grid=track.tile.grid,
            sun_azimuth=round(azimuth, 3),
            sun_elevation=round(elevation, 3),
            properties={
                **SYNTHETIC_PROPERTIES,
                "relative_orbit": track.orbit,
                "datatake_start": f"{passage.start:%Y-%m-%dT%H:%M:%SZ}",
                "created": f"{self._created(passage):%Y-%m-%dT%H:%M:%SZ}",
                "processing_baseline": _baseline(acquired)[:2] + "." + _baseline(acquired)[2:],
                "cog_id": self._cog_name(passage),
                "data_coverage": round(track.share * 100, 2),
            },
        )


def _tracks(tile: Tile) -> Iterator[Track]:
    """Yield what the orbits that come by see of a tile."""
    outline = polygon(tile.outline)
    centre = outline.Centroid()
    for orbit, arc in orbits_over(centre.GetX(), centre.GetY(), TILE_RADIUS_KM):
        strip = polygon(swath(orbit, arc))
        west, east, _, _ = strip.GetEnvelope()
        strip = shifted(strip, 360.0 * round((centre.GetX() - (west + east) / 2) / 360.0))
        seen = strip.Intersection(outline)
        share = seen.Area() / outline.Area()
        if share >= LEAST_SHARE and seen.GetGeometryName() == "POLYGON":
            yield Track(tile, orbit, arc, seen, share, *samples(seen, 6))


def _lit(passage: Passage) -> bool:
    """Tell whether the sun stands high enough to take an image."""
    lon, lat = float(passage.track.lons[0]), float(passage.track.lats[0])
    return sun_over(lon, lat, passage.acquired)[1] >= LEAST_SUN_DEGREES


def _baseline(when: datetime) -> str:
    return [number for first, number in _BASELINES if first <= f"{when:%Y-%m-%d}"][-1]


def _time(text: str, pattern: str) -> Optional[datetime]:
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=timezone.utc)
    except ValueError:
        return None
