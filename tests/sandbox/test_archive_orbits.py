from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from archive_kit import NOW, around, day, query

from up42_plugin.sandbox import orbits
from up42_plugin.sandbox.made_archive import MadeArchive


@pytest.fixture(scope="module")
def archive():
    return MadeArchive(now=lambda: NOW)


def test_the_track_descends_from_north_to_south_and_drifts_west():
    points = [orbits.track_point(36, arc) for arc in np.arange(-80.0, 81.0, 5.0)]
    lats = [lat for _, lat in points]
    assert lats == sorted(lats, reverse=True)
    assert max(lats) > 76
    lons = [lon for lon, _ in points]
    assert lons == sorted(lons, reverse=True)


def test_tracks_repeat_after_ten_days_and_satellites_are_five_apart():
    first, second = orbits.SATELLITES
    start = orbits.pass_time(first, 36, 0, -38.0)
    assert orbits.pass_time(first, 36, 1, -38.0) - start == timedelta(days=10)
    assert orbits.pass_time(second, 36, 0, -38.0) - start == timedelta(days=5)


def test_the_next_track_to_the_west_is_forty_three_orbits_later():
    here, there = orbits.track_point(36, -30.0)[0], orbits.track_point(79, -30.0)[0]
    assert here - there == pytest.approx(360 / 143, abs=1e-6)


@pytest.mark.parametrize("lat", [-50.0, 0.0, 37.85, 60.0])
def test_passes_come_in_the_late_morning_local_time(lat):
    for lon in (-120.0, 15.3, 140.0):
        for orbit, arc in orbits.orbits_over(lon, lat, 0.0):
            when = orbits.pass_time(orbits.SATELLITES[0], orbit, 3, arc)
            track_lon, _ = orbits.track_point(orbit, arc)
            local = (when.hour + when.minute / 60 + track_lon / 15) % 24
            assert 9.5 < local < 11.6


def test_every_place_up_to_the_far_north_is_seen_by_one_to_some_orbits():
    for lat, most in ((0.0, 2), (45.0, 3), (70.0, 7)):
        counts = [len(orbits.orbits_over(lon, lat, -60.0)) for lon in np.arange(-180.0, 180.0, 3.7).tolist()]
        assert min(counts) >= 1
        assert max(counts) <= most


def test_swath_is_290_kilometres_wide():
    ring = np.array(orbits.swath(36, 0.0, 0.2))[:-1]
    half = len(ring) // 2
    west, east = ring[:half], ring[half:][::-1]
    km = np.hypot(*(east - west).T) * 111.19
    assert km == pytest.approx(np.full(half, 290.0), rel=0.01)
    assert (east[:, 0] > west[:, 0]).all()


def test_pieces_of_a_swath_share_their_edge():
    first, second = {tuple(p) for p in orbits.swath(36, -38.0)}, {tuple(p) for p in orbits.swath(36, -37.0)}
    assert len(first & second) > 100


@pytest.mark.parametrize(
    ("tile_point", "tile", "start", "orbit"),
    [
        ((134.9, 7.6), "53NMJ", day(2017, 1, 5), 31),  # S2A_MSIL1C_20170105T013442_N0204_R031_T53NMJ_20170105T013443
        ((30.1, -25.0), "36JTT", day(2016, 9, 14), 135),  # S2A_MSIL1C_20160914T074612_N0204_R135_T36JTT_...
    ],
)
def test_passes_fall_on_the_days_and_orbits_of_real_products(archive, tile_point, tile, start, orbit):
    scenes = archive.search(query(around(*tile_point), times=[(start, start + timedelta(days=1))]))
    assert (tile, orbit, "S2A") in {(s.tile, s.properties["relative_orbit"], s.platform) for s in scenes}


def test_names_of_datatakes_are_those_of_the_real_orbits(archive):
    """Relative orbit 36 starts at 09:40:31 with S2A, 09:40:29 with S2B, the next to the west ten minutes later."""
    scenes = archive.search(query(times=[(day(2021, 6, 1), day(2021, 6, 30))]))
    starts = {(s.platform, s.properties["relative_orbit"], s.id.split("_")[2][8:]) for s in scenes}
    assert starts == {
        ("S2A", 36, "T094031"),
        ("S2B", 36, "T094029"),
        ("S2A", 79, "T095031"),
        ("S2B", 79, "T095029"),
    }
