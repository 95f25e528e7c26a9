from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from world_kit import APRIL, BAVARIA, CHILE, CONGO, JANUARY, JULY, OCTOBER, RGBN, TAORMINA, ndvi, points

from up42_plugin.sandbox.world import view
from up42_plugin.sandbox.world.spectra import BANDS


@pytest.fixture(scope="module")
def town():
    """Taormina's surroundings: coordinates, an image of April and the classes (6.4 x 6.4 km at 20 m)."""
    lon, lat = points(TAORMINA, 320, 320, 20.0)
    image = view.render(lon, lat, APRIL, RGBN, resolution=20.0)
    return lon, lat, image, view.land_cover(lon, lat, 20.0)


def test_the_same_place_and_day_give_the_same_bits(town):
    lon, lat, image, _ = town
    again = view.render(lon[:90, :90], lat[:90, :90], APRIL, RGBN, resolution=20.0)
    assert np.array_equal(again, image[:, :90, :90])


@pytest.mark.parametrize(("rows", "columns"), [((120, 214), (87, 301)), ((319, 320), (0, 320)), ((0, 320), (200, 201))])
def test_a_part_of_a_window_equals_that_part(town, rows, columns):
    lon, lat, image, classes = town
    part = np.s_[rows[0] : rows[1], columns[0] : columns[1]]
    assert np.array_equal(view.render(lon[part], lat[part], APRIL, RGBN, resolution=20.0), image[(slice(None), *part)])
    assert np.array_equal(view.land_cover(lon[part], lat[part], 20.0), classes[part])


def test_scattered_points_equal_the_grid(town):
    lon, lat, image, _ = town
    chosen = np.random.default_rng(5).permutation(lon.size)[:300]
    values = view.render(lon.ravel()[chosen], lat.ravel()[chosen], APRIL, RGBN, resolution=20.0)
    assert np.abs(values - image.reshape(4, -1)[:, chosen]).max() < 1e-6


def test_one_point_can_be_asked_for(town):
    lon, lat, image, _ = town
    value = view.render(lon[160, 100], lat[160, 100], APRIL, ("B04",), resolution=20.0)
    assert value.shape == (1,)
    assert abs(float(value[0]) - float(image[0, 160, 100])) < 1e-6


def test_size_of_the_blocks_does_not_matter(town, monkeypatch):
    lon, lat, image, _ = town
    monkeypatch.setattr(view, "BLOCK", 5000)
    assert np.array_equal(view.render(lon[:60], lat[:60], APRIL, RGBN, resolution=20.0), image[:, :60])


def test_a_band_is_the_same_alone_and_among_others(town):
    lon, lat, image, _ = town
    alone = view.render(lon[:80], lat[:80], APRIL, ("B08",), resolution=20.0)
    assert np.array_equal(alone[0], image[3, :80])


def test_another_seed_is_another_world(town):
    lon, lat, image, _ = town
    other = view.render(lon[:60, :60], lat[:60, :60], APRIL, RGBN, resolution=20.0, seed=8)
    assert np.abs(other - image[:, :60, :60]).mean() > 0.01


def test_the_world_closes_at_the_antimeridian():
    lon = np.array([179.9999, 180.0, -180.0, -179.9999])
    values = view.render(lon, np.full(4, 66.0), JULY, RGBN)
    assert np.array_equal(values[:, 1], values[:, 2])
    wide = np.linspace(179.99, 180.01, 40)
    turned = (wide + 180) % 360 - 180
    lat = np.full(wide.shape, 66.5)
    assert np.allclose(view.render(wide, lat, JULY, RGBN), view.render(turned, lat, JULY, RGBN), atol=1e-5)


def test_all_bands_are_reflectances(town):
    lon, lat, _, _ = town
    values = view.render(lon[::4, ::4], lat[::4, ::4], JULY, BANDS, resolution=20.0)
    assert values.shape == (len(BANDS), 80, 80)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() <= 1


@pytest.mark.parametrize("place", [TAORMINA, (15.262, 37.861), (15.2975, 37.8488), BAVARIA])
def test_fine_pixels_average_to_the_coarse_one(place):
    lon, lat = points(place, 24, 24, 10.0)
    coarse = view.render(lon, lat, APRIL, RGBN, resolution=10.0)
    lon, lat = points(place, 480, 480, 0.5)
    fine = view.render(lon, lat, APRIL, RGBN, resolution=0.5).reshape(4, 24, 20, 24, 20).mean((2, 4))
    assert np.abs((coarse - fine).mean((1, 2))).max() < 0.02
    assert np.sqrt(((coarse - fine)[:3] ** 2).mean()) < 0.04


def test_around_the_town_lie_sea_fields_houses_roads_and_a_beach(town):
    lon, lat, _, classes = town
    area = (lon > 15.2819) & (lon < 15.3018) & (lat > 37.8431) & (lat < 37.8541)
    share = {name: float((classes[area] == code).mean()) for code, name in enumerate(view.CLASS_NAMES) if name}
    assert 0.1 < share["sea"] < 0.5
    assert share["town"] + share["road"] > 0.15
    assert share["crop"] + share["orchard"] > 0.1
    assert share["sand"] > 0
    everywhere = np.isin(view.CLASS_NAMES, ("forest", "scrub", "grass"))
    assert np.isin(classes, np.flatnonzero(everywhere)).mean() > 0.05


def test_land_rises_from_the_shore(town):
    lon, lat, _, classes = town
    height = view.elevation(lon, lat, 20.0)
    assert height[classes == view.SEA].max() < 5
    assert height[classes == view.TOWN].min() > 0
    assert height[:, 0].max() > 100
    assert (height[:, -1] < 0).all()


def test_water_vegetation_and_towns_have_their_spectra(town):
    _, _, image, classes = town
    red, green, blue, infrared = image
    index = ndvi(red, infrared)
    assert np.median(index[classes == view.SEA]) < 0
    assert np.median(index[classes == view.FOREST]) > 0.65
    assert 0.05 < np.median(index[classes == view.TOWN]) < 0.4
    assert 0.3 < np.median(index[classes == view.CROP]) < 0.85
    sea = classes == view.SEA
    assert np.median(infrared[sea]) < 0.03
    assert np.median(blue[sea]) > np.median(green[sea]) > np.median(red[sea])


def test_fields_differ_from_each_other(town):
    _, _, image, classes = town
    index = ndvi(image[0], image[3])[classes == view.CROP]
    low, high = np.percentile(index, (5, 95))
    assert high - low > 0.35


def test_seasons_change_the_look_and_not_the_place(town):
    lon, lat, april, classes = town
    october = view.render(lon, lat, OCTOBER, RGBN, resolution=20.0)
    crop, sea = classes == view.CROP, view.elevation(lon, lat, 20.0) < -20
    spring, autumn = (float(np.median(ndvi(image[0], image[3])[crop])) for image in (april, october))
    assert spring > autumn + 0.1
    assert sea.sum() > 1000
    assert np.array_equal(april[:, sea], october[:, sea])


def test_seasons_are_half_a_year_apart_in_the_south():
    lon, lat = points(CHILE, 60, 60, 60.0)
    fields = view.land_cover(lon, lat, 60.0) == view.CROP
    assert fields.mean() > 0.3
    spring, autumn = (
        float(np.median(ndvi(*view.render(lon, lat, day, ("B04", "B08"), resolution=60.0))[fields]))
        for day in (OCTOBER, APRIL)
    )
    assert spring > autumn + 0.05


def test_the_tropics_stay_green():
    lon, lat = points(CONGO, 50, 50, 60.0)
    for day in (JANUARY, JULY):
        values = view.render(lon, lat, day, ("B04", "B08"), resolution=60.0)
        assert np.median(ndvi(*values)) > 0.65


def test_snow_lies_on_the_volcano_in_winter_only():
    lon, lat = points((14.995, 37.745), 30, 30, 60.0)
    assert view.elevation(lon, lat, 60.0).max() > 2800
    winter, summer = (view.render(lon, lat, day, ("B04",), resolution=60.0)[0] for day in (JANUARY, JULY))
    assert np.median(winter) > 0.5
    assert summer.max() < 0.35


def test_leap_day_and_new_year_are_days_like_others(town):
    lon, lat, _, _ = town
    part = np.s_[100:130, 100:130]
    days = [dt.date(2020, 2, 28), dt.date(2020, 2, 29), dt.date(2020, 3, 1)]
    images = [view.render(lon[part], lat[part], day, RGBN, resolution=20.0) for day in days]
    assert np.abs(images[0] - images[2]).max() < 0.05
    assert np.abs(images[0] - images[1]).max() < 0.03
    turn = dt.date(2020, 12, 31), dt.date(2021, 1, 1)
    eve, new_year = (view.render(lon[part], lat[part], day, RGBN, resolution=20.0) for day in turn)
    assert np.abs(eve - new_year).max() < 0.03


def test_resolution_may_differ_from_point_to_point(town):
    lon, lat, image, _ = town
    resolution = np.full(lon[:40, :40].shape, 20.0)
    resolution[:, 20:] = 60.0
    mixed = view.render(lon[:40, :40], lat[:40, :40], APRIL, RGBN, resolution=resolution)
    assert np.array_equal(mixed[:, :, :20], image[:, :40, :20])
    coarse = view.render(lon[:40, 20:40], lat[:40, 20:40], APRIL, RGBN, resolution=60.0)
    assert np.allclose(mixed[:, :, 20:], coarse, atol=1e-6)
