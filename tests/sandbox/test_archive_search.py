from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import pytest
from archive_kit import NOW, PUBLISHED_TIME, SUMMER, TAORMINA, around, box, day, query
from osgeo import ogr

from up42_plugin.sandbox.archive import SceneQuery
from up42_plugin.sandbox.footprints import from_geojson
from up42_plugin.sandbox.made_archive import SYNTHETIC_NOTE, MadeArchive

SENSORS = ("sentinel2", "pleiades", "spot")
NAMES = {
    "sentinel2": r"S2[AB]_MSIL2A_\d{8}T\d{6}_N\d{4}_R\d{3}_T\d{2}[A-Z]{3}_\d{8}T\d{6}",
    "pleiades": r"DS_PHR1[AB]_\d{15}_FR1_PX_[EW]\d{3}[NS]\d{2}_\d{4}_\d{5}",
    "spot": r"DS_SPOT[67]_\d{15}_FR1_FR1_SV1_SV1_[EW]\d{3}[NS]\d{2}_\d{5}",
}
YEAR = (day(2021, 1, 1), day(2022, 1, 1))


@pytest.fixture(scope="module")
def archive():
    return MadeArchive(now=lambda: NOW)


def test_the_published_search_finds_a_clear_scene_over_taormina(archive):
    (scene,) = archive.search(query(TAORMINA, "contains", limit=1, clouds=10, times=[PUBLISHED_TIME]))
    assert scene.tile == "33SWB"
    assert scene.cloud_cover <= 10
    assert PUBLISHED_TIME[0] <= scene.acquired <= PUBLISHED_TIME[1]
    assert from_geojson(scene.footprint).Contains(from_geojson(TAORMINA))


@pytest.mark.parametrize("sensor", SENSORS)
def test_scenes_are_complete(archive, sensor):
    scenes = archive.search(query(sensor=sensor, times=[YEAR]))
    assert len(scenes) >= 10
    for scene in scenes:
        assert re.fullmatch(NAMES[sensor], scene.id)
        assert scene.sensor == sensor
        assert scene.platform in scene.id
        assert 0 <= scene.cloud_cover <= 100
        assert 5 < scene.sun_elevation < 80
        assert 90 < scene.sun_azimuth < 190
        assert scene.properties["synthetic"] is True
        assert scene.properties["note"] == SYNTHETIC_NOTE
        shape = from_geojson(scene.footprint)
        assert shape.IsValid()
        west, east, south, north = shape.GetEnvelope()
        assert scene.bbox == pytest.approx((west, south, east, north), abs=1e-6)
        assert f"{scene.acquired:%Y%m%d}" in scene.id


@pytest.mark.parametrize("sensor", SENSORS)
def test_scenes_come_newest_first_and_once(archive, sensor):
    times = [YEAR, SUMMER, (day(2020, 1, 1), day(2021, 3, 1))]
    scenes = archive.search(query(sensor=sensor, times=times))
    assert [s.acquired for s in scenes] == sorted((s.acquired for s in scenes), reverse=True)
    assert len({s.id for s in scenes}) == len(scenes)


@pytest.mark.parametrize("sensor", SENSORS)
def test_time_ranges_are_kept_and_closed(archive, sensor):
    scenes = archive.search(query(sensor=sensor, times=[YEAR]))
    assert all(YEAR[0] <= s.acquired <= YEAR[1] for s in scenes)
    chosen = scenes[len(scenes) // 2]
    exact = archive.search(query(sensor=sensor, times=[(chosen.acquired, chosen.acquired)]))
    assert chosen in exact
    before = archive.search(query(sensor=sensor, times=[(YEAR[0], chosen.acquired - timedelta(microseconds=1))]))
    assert chosen not in before


def test_the_limit_counts_for_each_range_and_takes_the_newest(archive):
    times = [(day(2021, month, 1), day(2021, month, 28)) for month in (2, 5, 8)]
    scenes = archive.search(query(times=times, limit=2))
    assert Counter(s.acquired.month for s in scenes) == {2: 2, 5: 2, 8: 2}
    everything = archive.search(query(times=times))
    for month in (2, 5, 8):
        newest = [s for s in everything if s.acquired.month == month][:2]
        assert [s for s in scenes if s.acquired.month == month] == newest


@pytest.mark.parametrize("sensor", SENSORS)
def test_clouds_are_filtered_before_the_limit(archive, sensor):
    everything = archive.search(query(sensor=sensor, times=[YEAR]))
    clear = archive.search(query(sensor=sensor, times=[YEAR], clouds=20.0))
    assert clear == [s for s in everything if s.cloud_cover <= 20]
    assert 0 < len(clear) < len(everything)
    assert archive.search(query(sensor=sensor, times=[YEAR], clouds=20.0, limit=3)) == clear[:3]


@pytest.mark.parametrize("sensor", SENSORS)
def test_contains_leaves_out_footprints_that_do_not_cover_the_area(archive, sensor):
    area = from_geojson(TAORMINA)
    wide = archive.search(query(relation="intersects", sensor=sensor, times=[YEAR]))
    narrow = archive.search(query(relation="contains", sensor=sensor, times=[YEAR]))
    assert narrow == [s for s in wide if from_geojson(s.footprint).Contains(area)]
    assert all(from_geojson(s.footprint).Intersects(area) for s in wide)


def test_an_area_on_a_tile_border_gets_partial_scenes_only_with_intersects(archive):
    """The border between 33SWB and 33SVB: their overlap is too narrow for the area."""
    area = box(14.90, 37.5, 15.20, 37.6)
    wide = archive.search(query(area, "intersects"))
    assert {"33SVB", "33SWB"} <= {s.tile for s in wide}
    assert archive.search(query(area, "contains")) == []
    in_overlap = around(15.05, 37.5)
    assert {"33SVB", "33SWB"} <= {s.tile for s in archive.search(query(in_overlap, "contains"))}


def test_an_area_on_the_edge_of_a_swath_gets_that_pass_only_with_intersects(archive):
    scenes = archive.search(query(box(15.0, 37.0, 16.2, 37.9)))
    by_orbit = {s.properties["relative_orbit"]: s for s in scenes if s.tile == "33SWB"}
    partial = by_orbit[79]
    assert partial.properties["data_coverage"] < 99
    assert by_orbit[36].properties["data_coverage"] == 100
    corners = partial.footprint["coordinates"][0]
    lon, lat = max((x, y) for x, y in corners if 37.2 < y < 37.7)
    area = around(lon, lat, 0.02)
    found = {(s.tile, s.properties["relative_orbit"]) for s in archive.search(query(area, "intersects"))}
    whole = {(s.tile, s.properties["relative_orbit"]) for s in archive.search(query(area, "contains"))}
    assert ("33SWB", 79) in found - whole
    assert ("33SWB", 36) in whole


def test_revisit_is_five_days_with_both_satellites_alternating(archive):
    times = [(day(2021, 3, 1), day(2021, 5, 1))]
    passes = [s for s in archive.search(query(times=times)) if s.properties["relative_orbit"] == 36]
    gaps = {a.acquired.date() - b.acquired.date() for a, b in zip(passes, passes[1:])}
    assert gaps == {timedelta(days=5)}
    assert all(a.platform != b.platform for a, b in zip(passes, passes[1:]))


def test_before_the_second_satellite_the_revisit_is_ten_days(archive):
    scenes = archive.search(query(times=[(day(2010, 1, 1), day(2017, 6, 30))]))
    passes = [s for s in scenes if s.properties["relative_orbit"] == 36]
    assert {s.platform for s in passes} == {"S2A"}
    assert {a.acquired.date() - b.acquired.date() for a, b in zip(passes, passes[1:])} == {timedelta(days=10)}
    assert passes[-1].acquired >= day(2015, 7, 1)
    assert passes[-1].acquired < day(2015, 7, 15)


@pytest.mark.parametrize("sensor", SENSORS)
def test_ids_lead_back_to_the_same_scenes(archive, sensor):
    scenes = archive.search(query(sensor=sensor, times=[YEAR]))
    shuffled = [s.id for s in scenes[::-1]] + [scenes[0].id]
    fresh = MadeArchive(now=lambda: NOW)
    assert fresh.search(SceneQuery(sensor, TAORMINA, ids=shuffled)) == scenes


def test_ids_replace_times_limit_and_clouds(archive):
    cloudy = max(archive.search(query(times=[YEAR])), key=lambda s: s.cloud_cover)
    assert cloudy.cloud_cover > 50
    found = archive.search(query(ids=[cloudy.id], limit=1, clouds=0.0, times=[(day(2016, 1, 1), day(2016, 1, 2))]))
    assert found == [cloudy]


def test_names_of_band_collections_are_ids_too(archive):
    scenes = archive.search(query(times=[SUMMER]))
    names = [s.properties["cog_id"] for s in scenes]
    assert all(re.fullmatch(r"S2[AB]_33SWB_\d{8}_\d_L2A", name) for name in names)
    assert archive.search(query(ids=names)) == scenes
    assert archive.search(query(ids=[names[0].replace("_0_L2A", "_7_L2A")])) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "nonsense",
        "S2B_MSIL2A_20210916T094029_N0301_R036_T33SWB_20210101T000000",
        "S2A_MSIL2A_20211330T094031_N0301_R036_T33SWB_20211230T135930",
        "S2A_MSIL2A_20211230T094031_N0301_R144_T33SWB_20211230T135930",
        "S2A_MSIL2A_20211230T094031_N0301_R036_T33SWO_20211230T135930",
        "S2A_33SWB_20210101_0_L2A",
        "DS_PHR1B_202112140924073_FR1_PX_E015N37_0868_00099",
        "DS_PHR1B_202199140924073_FR1_PX_E015N37_0868_00065",
    ],
)
@pytest.mark.parametrize("sensor", SENSORS)
def test_ids_that_lead_nowhere_find_nothing(archive, sensor, wrong):
    assert archive.search(query(sensor=sensor, ids=[wrong])) == []


@pytest.mark.parametrize("sensor", SENSORS)
def test_scenes_of_the_future_do_not_exist(sensor):
    moment = day(2021, 6, 20, 15)
    now = [moment]
    archive = MadeArchive(now=lambda: now[0])
    times = [(day(2021, 4, 1), day(2021, 9, 1))]
    early = archive.search(query(sensor=sensor, times=times))
    assert early
    assert early[0].acquired < moment
    now[0] = day(2021, 8, 1)
    later = archive.search(query(sensor=sensor, times=times))
    assert later[-len(early) :] == early
    assert len(later) > len(early)
    now[0] = moment
    assert archive.search(query(sensor=sensor, ids=[later[0].id])) == []


def test_a_product_takes_some_hours_to_appear():
    newest = MadeArchive(now=lambda: NOW).search(query(times=[YEAR], limit=1))[0]
    soon = MadeArchive(now=lambda: newest.acquired + timedelta(minutes=30))
    assert soon.search(query(ids=[newest.id])) == []
    then = MadeArchive(now=lambda: newest.acquired + timedelta(hours=6))
    assert then.search(query(ids=[newest.id])) == [newest]


def test_without_times_everything_since_the_beginning_is_found(archive):
    scenes = archive.search(query(times=()))
    assert scenes[-1].acquired < day(2015, 8, 1)
    assert scenes[0].acquired > NOW - timedelta(days=6)


def test_the_same_seed_gives_the_same_archive_and_another_seed_other_clouds():
    first, second, third = (MadeArchive(seed, now=lambda: NOW).search(query(times=[SUMMER])) for seed in (7, 7, 8))
    assert first == second
    assert [s.acquired for s in first] == [s.acquired for s in third]
    assert [s.cloud_cover for s in first] != [s.cloud_cover for s in third]


@pytest.mark.parametrize("sensor", SENSORS)
def test_areas_at_the_antimeridian_are_found_from_both_sides(archive, sensor):
    lat = -16.5
    west, east = box(179.98, lat, 180.02, lat + 0.03), box(-180.02, lat, -179.98, lat + 0.03)
    parts = box(179.98, lat, 180, lat + 0.03), box(-180, lat, -179.98, lat + 0.03)
    split = {"type": "MultiPolygon", "coordinates": [part["coordinates"] for part in parts]}
    found = [{s.id for s in archive.search(query(area, sensor=sensor, times=[YEAR]))} for area in (west, east)]
    assert found[0]
    assert found[0] == found[1]
    assert {s.id for s in archive.search(query(split, sensor=sensor, times=[YEAR]))} == found[0]


@pytest.mark.parametrize("sensor", SENSORS)
@pytest.mark.parametrize("place", [(0.0, 0.0), (5.3, 60.4), (15.6, 78.2), (-68.3, -54.8), (-179.0, 66.0), (37.0, -1.3)])
def test_scenes_are_found_everywhere(archive, sensor, place):
    scenes = archive.search(query(around(*place), sensor=sensor, times=[YEAR]))
    assert len(scenes) > 10
    for scene in scenes[:4]:
        west, south, east, north = scene.bbox
        assert south <= place[1] <= north
        assert any(west - 0.01 <= place[0] + turn <= east + 0.01 for turn in (-360, 0, 360))


def test_there_are_no_scenes_at_the_poles_and_in_the_polar_night(archive):
    assert archive.search(query(around(10.0, 89.0), times=[YEAR])) == []
    assert archive.search(query(around(10.0, -88.0), times=[YEAR])) == []
    arctic = archive.search(query(around(15.6, 78.2), times=[YEAR]))
    assert {s.acquired.month for s in arctic}.isdisjoint({11, 12, 1})
    assert min(s.sun_elevation for s in arctic) > 5


def test_over_sicily_summers_are_clearer_than_winters(archive):
    times = [(day(2018, 1, 1), day(2024, 1, 1))]
    scenes = archive.search(query(times=times))
    summer = [s.cloud_cover for s in scenes if s.acquired.month in (6, 7, 8)]
    winter = [s.cloud_cover for s in scenes if s.acquired.month in (12, 1, 2)]
    assert sum(c <= 10 for c in summer) / len(summer) > 0.5
    assert 0.05 < sum(c <= 10 for c in winter) / len(winter) < 0.5
    assert sum(winter) / len(winter) > 2 * sum(summer) / len(summer)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sensor": "landsat"}, "sensor"),
        ({"relation": "within"}, "relation"),
        ({"geometry": {"type": "Point", "coordinates": [15, 37]}}, "polygon"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "polygon"),
        ({"times": [(day(2021, 1, 1).replace(tzinfo=None), day(2021, 2, 1))]}, "time zone"),
    ],
)
def test_wrong_questions_are_refused(archive, wrong, message):
    with pytest.raises(ValueError, match=message):
        archive.search(query(**wrong))


def test_a_large_area_is_covered_by_its_scenes(archive):
    area = box(12.0, 36.5, 16.0, 38.5)
    scenes = archive.search(query(area, times=[(day(2021, 7, 1), day(2021, 7, 11))]))
    seen = ogr.Geometry(ogr.wkbPolygon)
    for scene in scenes:
        seen = seen.Union(from_geojson(scene.footprint))
    assert seen.Contains(from_geojson(area))
