from __future__ import annotations

import math

import pytest
from archive_kit import NOW, around, day, query
from osgeo import osr

from up42_plugin.sandbox.footprints import from_geojson
from up42_plugin.sandbox.geodesy import spatial_reference
from up42_plugin.sandbox.made_archive import MadeArchive

YEARS = (day(2020, 1, 1), day(2023, 1, 1))


@pytest.fixture(scope="module")
def archive():
    return MadeArchive(now=lambda: NOW)


def square_km(scene) -> float:
    shape = from_geojson(scene.footprint)
    target = spatial_reference(scene.grid.epsg)
    shape.Transform(osr.CoordinateTransformation(spatial_reference(4326), target))
    return shape.Area() / 1e6


@pytest.mark.parametrize(("sensor", "side"), [("pleiades", 20.0), ("spot", 60.0)])
def test_strips_are_about_as_large_as_the_real_ones(archive, sensor, side):
    scenes = archive.search(query(sensor=sensor, times=[YEARS]))
    areas = [square_km(scene) for scene in scenes]
    assert min(areas) > 0.9 * side * side
    assert max(areas) < 2.2 * side * side
    assert max(areas) > 1.2 * min(areas)


@pytest.mark.parametrize("sensor", ["pleiades", "spot"])
@pytest.mark.parametrize("place", [(15.29, 37.85), (139.0, -37.0), (24.9, 60.2), (-70.6, -33.2)])
def test_a_small_area_is_seen_whole_some_times_a_year(archive, sensor, place):
    whole = archive.search(query(around(*place, 0.015), "contains", sensor, times=[YEARS]))
    assert 3 * 6 < len(whole) < 3 * 80
    gaps = [(a.acquired - b.acquired).days for a, b in zip(whole, whole[1:])]
    assert len(set(gaps)) > 5


def test_images_are_taken_from_different_angles_by_both_satellites(archive):
    scenes = archive.search(query(sensor="pleiades", times=[YEARS]))
    angles = [scene.properties["incidence_angle"] for scene in scenes]
    assert min(angles) >= 0
    assert max(angles) <= 30
    assert max(angles) - min(angles) > 10
    assert {scene.platform for scene in scenes} == {"PHR1A", "PHR1B"}


@pytest.mark.parametrize(("sensor", "pixel"), [("pleiades", 0.5), ("spot", 1.5)])
def test_the_grid_frames_the_footprint(archive, sensor, pixel):
    for scene in archive.search(query(sensor=sensor, times=[YEARS]))[:10]:
        grid = scene.grid
        assert grid.pixel == pixel
        assert grid.epsg == 32633
        assert grid.width % 4 == 0
        assert grid.height % 4 == 0
        shape = from_geojson(scene.footprint)
        shape.Transform(osr.CoordinateTransformation(spatial_reference(4326), spatial_reference(32633)))
        left, right, bottom, top = shape.GetEnvelope()
        assert -0.1 <= left - grid.left < 4 * pixel + 1
        assert -0.1 <= grid.top - top < 4 * pixel + 1
        assert -0.1 <= grid.left + grid.width * pixel - right < 4 * pixel + 1
        assert -0.1 <= bottom - (grid.top - grid.height * pixel) < 4 * pixel + 1


def test_ids_name_the_square_degree_and_the_moment(archive):
    for scene in archive.search(query(sensor="pleiades", times=[YEARS])):
        parts = scene.id.split("_")
        assert parts[2] == f"{scene.acquired:%Y%m%d%H%M%S}{scene.acquired.microsecond // 100_000}"
        assert parts[5] == scene.tile
        lon, lat = from_geojson(scene.footprint).Centroid().GetPoint_2D()
        assert abs(lon - (int(scene.tile[1:4]) + 0.5)) < 0.6
        assert abs(lat - (int(scene.tile[5:7]) + 0.5)) < 0.6


@pytest.mark.parametrize("place", [(-70.6, -33.2), (-0.01, 0.01), (0.01, -0.01), (-179.99, 66.0)])
def test_ids_lead_back_on_all_sides_of_the_world(archive, place):
    scenes = archive.search(query(around(*place), sensor="pleiades", times=[(day(2021, 4, 1), day(2021, 10, 1))]))
    assert scenes
    assert archive.search(query(sensor="pleiades", ids=[scene.id for scene in scenes])) == scenes


def test_passes_are_in_the_late_morning(archive):
    for scene in archive.search(query(sensor="pleiades", times=[YEARS])):
        local = scene.acquired.hour + scene.acquired.minute / 60 + 15.3 / 15
        assert 10 < local < 11
        assert math.isfinite(scene.sun_elevation)
