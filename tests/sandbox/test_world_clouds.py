from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from world_kit import APRIL, BAVARIA, JULY, TAORMINA, points

from up42_plugin.sandbox.world import climate
from up42_plugin.sandbox.world.clouds import Sky, under_clouds
from up42_plugin.sandbox.world.spectra import BANDS


def sky(cover: float, salt: int = 4242, date: dt.date = APRIL, scale: float = 1.0) -> Sky:
    return Sky(salt, lambda lon, lat: np.full(np.shape(lon), cover), date, scale)


@pytest.mark.parametrize("place", [TAORMINA, BAVARIA, (-60.0, -5.0), (100.0, 60.0)])
@pytest.mark.parametrize("cover", [0.05, 0.2, 0.5, 0.8])
def test_clouds_cover_what_they_should_of_a_tile(place, cover):
    lon, lat = points(place, 250, 250, 400.0)
    opacity, _ = sky(cover, int(cover * 100))(lon, lat, 400.0)
    assert abs(float((opacity > 0.5).mean()) - cover) < 0.035


def test_small_clouds_cover_what_they_should_of_a_strip():
    lon, lat = points(TAORMINA, 200, 200, 100.0)
    for salt in range(5):
        opacity, _ = sky(0.25, salt, scale=1 / 3)(lon, lat, 100.0)
        assert abs(float((opacity > 0.5).mean()) - 0.25) < 0.08


def test_a_clear_sky_has_no_cloud_and_an_overcast_one_no_gap():
    lon, lat = points(TAORMINA, 100, 100, 200.0)
    opacity, shadow = sky(0.0)(lon, lat, 200.0)
    assert opacity.max() == 0
    assert shadow.max() == 0
    assert sky(1.0)(lon, lat, 200.0)[0].min() > 0.3


def test_a_part_of_a_window_equals_that_part():
    lon, lat = points(TAORMINA, 150, 120, 10.0)
    whole = sky(0.4)(lon, lat, 10.0)
    part = sky(0.4)(lon[40:100, 70:140], lat[40:100, 70:140], 10.0)
    assert np.array_equal(whole[0][40:100, 70:140], part[0])
    assert np.array_equal(whole[1][40:100, 70:140], part[1])


def test_two_resolutions_see_the_same_clouds():
    lon, lat = points(TAORMINA, 60, 60, 60.0)
    coarse = sky(0.4)(lon, lat, 60.0)[0]
    lon, lat = points(TAORMINA, 360, 360, 10.0)
    fine = sky(0.4)(lon, lat, 10.0)[0].reshape(60, 6, 60, 6).mean((1, 3))
    assert np.abs(coarse - fine).mean() < 0.03
    assert 0.02 < coarse.mean() < 0.98


def test_shadows_fall_away_from_the_sun():
    """In the north the sun stands in the south-east at the time of the pass: shadows lie to the north-west."""
    lon, lat = points(BAVARIA, 300, 300, 100.0)
    opacity, shadow = sky(0.15, 77, dt.date(2021, 1, 10))(lon, lat, 100.0)
    assert shadow.max() > 0.5
    best = max(
        (float((np.roll(opacity, (-dy, dx), (0, 1)) * shadow)[60:-60, 60:-60].sum()), dx, dy)
        for dx in range(-50, 51, 5)
        for dy in range(-50, 51, 5)
    )
    assert best[1] < 0
    assert best[2] > 0


def test_two_passes_have_different_clouds():
    lon, lat = points(TAORMINA, 100, 100, 200.0)
    first, second = (sky(0.4, salt)(lon, lat, 200.0)[0] for salt in (1, 2))
    assert np.abs(first - second).mean() > 0.2


def test_clouds_whiten_and_shadows_darken():
    ground = np.full((len(BANDS), 3), 0.1, np.float32)
    opacity, shadow = np.array([0, 1, 0], np.float32), np.array([0, 0, 1], np.float32)
    seen = under_clouds(ground, BANDS, opacity, shadow)
    assert np.allclose(seen[:, 0], 0.1)
    assert (seen[[BANDS.index(b) for b in ("B02", "B03", "B04", "B08")], 1] > 0.6).all()
    assert (seen[:, 2] < 0.06).all()


def test_sicily_is_clear_in_summer_and_cloudy_in_winter():
    """Share of passes with at most 10 percent of clouds over Taormina's tile."""
    salts = np.arange(3000, dtype=np.uint32) * 7919
    clear = {}
    for month in (1, 7):
        day = dt.date(2021, month, 15).timetuple().tm_yday
        clear[month] = float((climate.cover(15.6, 37.5, day, salts) <= 0.1).mean())
    assert clear[7] > 0.6
    assert 0.1 < clear[1] < 0.45


@pytest.mark.parametrize(("lat", "day"), [(0, 80), (10, 200), (-10, 20)])
def test_the_rain_belt_follows_the_sun(lat, day):
    assert climate.mean_cloudiness(lat, day) > climate.mean_cloudiness(25, day) + 0.3
    assert climate.mean_cloudiness(lat, day) > climate.mean_cloudiness(-25, day) + 0.3


@pytest.mark.parametrize("mean", [0.05, 0.2, 0.5, 0.85])
def test_covers_have_the_mean_of_the_climate(mean):
    covers = climate.cover_of((np.arange(4000) + 0.5) / 4000, np.array(mean))
    assert abs(float(covers.mean()) - mean) < 0.01
    assert covers.min() >= 0
    assert covers.max() <= 1


def test_weather_is_uniform_and_changes_slowly():
    rng = np.random.default_rng(2)
    values = climate.weather(rng.uniform(0, 3e7, 5000), rng.uniform(-5e6, 5e6, 5000), np.uint32(99))
    assert np.abs(np.quantile(values, (0.1, 0.5, 0.9)) - (0.1, 0.5, 0.9)).max() < 0.05
    near = climate.weather(np.array([1e6, 1.005e6]), np.array([2e6, 2e6]), np.arange(200, dtype=np.uint32)[:, None])
    assert np.abs(near[:, 0] - near[:, 1]).max() < 0.25


def test_clouds_of_july_do_not_depend_on_the_order_of_windows():
    lon, lat = points(TAORMINA, 80, 80, 100.0)
    first, second = sky(0.3, 5, JULY), sky(0.3, 5, JULY)
    second(lon + 1.0, lat + 1.0, 100.0)
    assert np.array_equal(first(lon, lat, 100.0)[0], second(lon, lat, 100.0)[0])
