from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from archive_kit import NOW, TAORMINA, day, exact_lonlat, part_of, query

from up42_plugin.sandbox import footprints, made_archive
from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import WGS84, grid_lonlat, ground_resolution, transform
from up42_plugin.sandbox.made_archive import MadeArchive
from up42_plugin.sandbox.world.spectra import BANDS

RGBN = ("B04", "B03", "B02", "B08")
# An area with sea, town and fields around Taormina.
LEFT, TOP = 524_000.0, 4_190_600.0


@pytest.fixture(scope="module")
def archive():
    return MadeArchive(now=lambda: NOW)


def scene_of(archive, **wanted):
    """The newest scene over Taormina that has these properties."""
    times = [(day(2019, 1, 1), day(2023, 1, 1))]
    clouds = wanted.pop("clouds", (0, 100))
    sensor = wanted.pop("sensor", "sentinel2")
    for scene in archive.search(query(TAORMINA, sensor=sensor, times=times)):
        if clouds[0] <= scene.cloud_cover <= clouds[1] and all(
            getattr(scene, key, scene.properties.get(key)) == value for key, value in wanted.items()
        ):
            return scene
    raise AssertionError(f"no scene with {wanted}")


@pytest.fixture(scope="module")
def clear(archive):
    return scene_of(archive, relative_orbit=36, clouds=(0, 1))


@pytest.fixture(scope="module")
def cloudy(archive):
    return scene_of(archive, relative_orbit=36, clouds=(40, 60))


def test_pixels_are_reflectances_of_every_band(archive, clear):
    values = archive.read(clear, BANDS, Grid(32633, LEFT, TOP, 10.0, 60, 50))
    assert values.shape == (len(BANDS), 50, 60)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()
    assert values.min() >= 0
    assert values.max() <= 1.0


def test_windows_of_a_scene_are_parts_of_one_image(archive, cloudy, monkeypatch):
    whole = archive.read(cloudy, RGBN, Grid(32633, LEFT, TOP, 10.0, 200, 160))
    part = archive.read(cloudy, RGBN, Grid(32633, LEFT + 730.0, TOP - 410.0, 10.0, 90, 77))
    assert np.array_equal(whole[:, 41 : 41 + 77, 73 : 73 + 90], part)
    monkeypatch.setattr(made_archive, "_CHUNK", 3000)
    assert np.array_equal(archive.read(cloudy, RGBN, Grid(32633, LEFT, TOP, 10.0, 200, 160)), whole)


def test_a_new_archive_reads_the_same(archive, cloudy):
    grid = Grid(32633, LEFT, TOP, 20.0, 50, 50)
    again = MadeArchive(now=lambda: NOW)
    assert np.array_equal(archive.read(cloudy, RGBN, grid), again.read(cloudy, RGBN, grid))


def test_neighbouring_tiles_of_a_pass_agree_where_they_overlap(archive):
    """Also in their clouds: both show the same moment."""
    times = [(day(2021, 1, 1), day(2021, 6, 1))]
    corners = [(500_500, 4_189_000), (509_000, 4_189_000), (509_000, 4_191_500), (500_500, 4_189_000)]
    overlap = footprints.polygon(transform(corners, 32633, WGS84))
    scenes = archive.search(query(footprints.to_geojson(overlap), "intersects", times=times))
    passes = {}
    for scene in scenes:
        passes.setdefault(scene.id.split("_")[2], {})[scene.tile] = scene
    both = next(p for p in passes.values() if len(p) > 1 and 25 < p["33SWB"].cloud_cover < 75)
    grid = Grid(32633, 502_000.0, 4_191_200.0, 20.0, 150, 40)
    images = [archive.read(scene, RGBN, grid) for scene in both.values() if scene.grid.epsg == 32633]
    assert len(images) > 1
    assert all(np.array_equal(images[0], image, equal_nan=True) for image in images[1:])
    assert np.isfinite(images[0]).any()


def test_there_is_no_data_beyond_the_tile(archive, clear):
    grid = part_of(clear, -20, 40, 50, 30)
    values = archive.read(clear, ("B04",), grid)[0]
    assert np.isnan(values[:, :20]).all()
    assert np.isfinite(values[:, 20:]).all()
    beyond = part_of(clear, -200, 0, 50, 30)
    assert np.isnan(archive.read(clear, RGBN, beyond)).all()


def test_there_is_no_data_beyond_the_swath(archive):
    partial = scene_of(archive, relative_orbit=79)
    grid = Grid(32633, partial.grid.left, partial.grid.top, 600.0, 183, 183)
    known = np.isfinite(archive.read(partial, ("B08",), grid)[0])
    assert known.mean() == pytest.approx(partial.properties["data_coverage"] / 100, abs=0.01)
    assert known[:, 0].all()
    assert not known[-1, -1]
    assert (np.diff(known.astype(int), axis=1) <= 0).all()


def test_bounding_box_of_partial_scenes_is_that_of_the_data(archive):
    partial, whole = scene_of(archive, relative_orbit=79), scene_of(archive, relative_orbit=36)
    assert partial.bbox[2] < whole.bbox[2]
    assert partial.bbox[0] == whole.bbox[0]


@pytest.mark.parametrize("epsg", [32633, 32632, 3857, 3035, 2154, 32733])
@pytest.mark.parametrize("pixel", [0.5, 10.0, 60.0, 500.0])
def test_coordinates_of_pixels_are_exact_to_a_hundredth_of_a_pixel(epsg, pixel):
    ((x, y),) = transform([(15.2, 37.8)], WGS84, epsg)
    grid = Grid(epsg, x // pixel * pixel, y // pixel * pixel, pixel, 150, 130)
    lon, lat = grid_lonlat(grid)
    columns, rows = np.arange(0, 150, 7), np.arange(0, 130, 11)
    xs, ys = np.meshgrid(grid.left + (columns + 0.5) * pixel, grid.top - (rows + 0.5) * pixel)
    exact = exact_lonlat(xs.ravel(), ys.ravel(), epsg)
    east = (lon[np.ix_(rows, columns)].ravel() - exact[:, 0]) * 111_320 * np.cos(np.radians(37.8))
    north = (lat[np.ix_(rows, columns)].ravel() - exact[:, 1]) * 110_570
    assert np.hypot(east, north).max() < max(0.01 * pixel, 0.005)


def test_coordinates_have_no_jump_at_the_antimeridian():
    ((x, y),) = transform([(179.99, -16.5)], WGS84, 32760)
    lon, _ = grid_lonlat(Grid(32760, x, y, 100.0, 60, 40))
    assert lon.max() > 180
    assert np.abs(np.diff(lon, axis=1)).max() < 0.01


@pytest.mark.parametrize(("epsg", "tolerance"), [(3857, 0.06), (32632, 0.06), (3035, 0.06)])
def test_another_projection_shows_the_same_place(archive, clear, epsg, tolerance):
    """Compared pixel by pixel with the scene's own grid; fields and houses leave a few that lie across an edge."""
    own = Grid(32633, LEFT, TOP, 20.0, 160, 160)
    image = archive.read(clear, RGBN, own)
    ((x, y),) = transform([(LEFT + 1600, TOP - 1600)], 32633, epsg)
    stretch = 1 / np.cos(np.radians(37.85)) if epsg == 3857 else 1.0
    other = Grid(epsg, x - 600 * stretch, y + 600 * stretch, 20.0 * stretch, 60, 60)
    seen = archive.read(clear, RGBN, other)
    lon, lat = grid_lonlat(other)
    places = np.array(transform(list(zip(lon.ravel().tolist(), lat.ravel().tolist())), WGS84, 32633))
    columns = np.floor((places[:, 0] - LEFT) / 20).astype(int)
    rows = np.floor((TOP - places[:, 1]) / 20).astype(int)
    difference = np.abs(seen.reshape(4, -1) - image[:, rows, columns])
    assert np.median(difference) < 0.01
    assert (difference[:3] > tolerance).mean() < 0.1


def test_the_ground_resolution_follows_the_projection():
    lat = np.array([[0.0, 60.0]])
    assert np.allclose(ground_resolution(Grid(3857, 0, 0, 10.0, 2, 1), lat), [[10, 5]])
    assert ground_resolution(Grid(32633, 0, 0, 10.0, 2, 1), lat) == 10
    assert ground_resolution(Grid(2263, 0, 0, 10.0, 2, 1), lat) == pytest.approx(3.048, abs=1e-3)  # US feet


def test_a_grid_in_degrees_can_be_read(archive, clear):
    values = archive.read(clear, RGBN, Grid(WGS84, 15.28, 37.86, 0.0002, 50, 40))
    assert values.shape == (4, 40, 50)
    assert np.isfinite(values).all()


@pytest.mark.parametrize("clouds", [(2, 8), (15, 30), (45, 60), (80, 95)])
def test_clouds_cover_what_the_metadata_says(archive, clouds):
    scene = scene_of(archive, relative_orbit=36, clouds=clouds)
    grid = Grid(32633, scene.grid.left, scene.grid.top, 450.0, 244, 244)
    white = archive.read(scene, ("B02",), grid)[0] > 0.36
    assert abs(float(white.mean()) * 100 - scene.cloud_cover) < 6


def test_clouds_cover_strips_as_the_metadata_says(archive):
    scenes = archive.search(query(sensor="pleiades", times=[(day(2020, 1, 1), day(2021, 6, 1))]))
    chosen = [s for s in scenes if s.cloud_cover > 5][:5]
    assert len(chosen) == 5
    for scene in chosen:
        g = scene.grid
        grid = Grid(g.epsg, g.left, g.top, 100.0, int(g.width * g.pixel // 100), int(g.height * g.pixel // 100))
        blue = archive.read(scene, ("B02",), grid)[0]
        known = np.isfinite(blue)
        assert 0.5 < known.mean() < 0.95
        assert abs(float((blue[known] > 0.36).mean()) * 100 - scene.cloud_cover) < 12


def test_dates_differ_in_season_and_clouds(archive):
    grid = Grid(32633, 520_000.0, TOP, 20.0, 60, 60)
    spring = archive.search(query(times=[(day(2021, 4, 1), day(2021, 5, 1))], clouds=3.0))[0]
    autumn = archive.search(query(times=[(day(2021, 9, 1), day(2021, 10, 15))], clouds=3.0))[0]
    first, second = archive.read(spring, RGBN, grid), archive.read(autumn, RGBN, grid)
    assert np.abs(first - second).mean() > 0.01


def test_pan_and_multispectral_pixels_agree(archive):
    scene = scene_of(archive, sensor="pleiades", clouds=(0, 5))
    fine = archive.read(scene, ("PAN",), Grid(32633, LEFT, TOP, 0.5, 160, 160))
    coarse = archive.read(scene, ("PAN",), Grid(32633, LEFT, TOP, 2.0, 40, 40))
    means = fine.reshape(1, 40, 4, 40, 4).mean((2, 4))
    assert np.isfinite(means).all()
    assert abs(float((means - coarse).mean())) < 0.01
    assert np.sqrt(((means - coarse) ** 2).mean()) < 0.05


@pytest.mark.parametrize("sensor", ["sentinel2", "pleiades"])
def test_a_quicklook_shows_the_bounding_box_with_black_outside_the_footprint(archive, sensor):
    wanted = {"relative_orbit": 79} if sensor == "sentinel2" else {}
    scene = scene_of(archive, sensor=sensor, clouds=(0, 30), **wanted)
    picture = archive.quicklook(scene, 128)
    assert picture.dtype == np.uint8
    assert max(picture.shape[:2]) == 128
    assert picture.shape[2] == 3
    west, south, east, north = scene.bbox
    across = (east - west) * np.cos(np.radians((south + north) / 2))
    assert picture.shape[1] / picture.shape[0] == pytest.approx(across / (north - south), rel=0.03)
    height, width = picture.shape[:2]
    black = (picture == 0).all(2)
    assert 0.03 < black.mean() < 0.6
    shape = footprints.from_geojson(scene.footprint)
    assert 1 - black.mean() == pytest.approx(shape.Area() / ((east - west) * (north - south)), abs=0.02)
    inside = footprints.mask_in_box(scene.footprint, scene.bbox, width, height)
    assert np.array_equal(inside, ~black)


def test_a_quicklook_is_bright_where_the_clouds_are(archive, clear, cloudy):
    bright = [float((archive.quicklook(scene, 96).min(2) > 190).mean()) for scene in (clear, cloudy)]
    assert bright[0] < 0.1
    assert abs(bright[1] * 100 - cloudy.cloud_cover) < 12


def test_land_of_a_quicklook_is_neither_dark_nor_burnt_out(archive, clear):
    picture = archive.quicklook(clear, 128)[20:100, 2:14]
    land = picture[picture.sum(2) > 120]
    assert len(land) > 50
    assert 60 < land.mean() < 190


@pytest.mark.parametrize("change", ["band", "scene", "crs"])
def test_what_cannot_be_read_is_refused(archive, clear, change):
    grid = Grid(32633, LEFT, TOP, 10.0, 4, 4)
    bands, scene = ("B04",), clear
    if change == "band":
        bands = ("B99",)
    elif change == "scene":
        scene = type(clear)(**{**vars(clear), "id": "S2A_unknown"})
    else:
        grid = Grid(999_999, LEFT, TOP, 10.0, 4, 4)
    with pytest.raises(ValueError, match=r"B99|S2A_unknown|999999"):
        archive.read(scene, bands, grid)


def test_the_archive_can_be_read_from_several_threads(archive, cloudy):
    grids = [Grid(32633, LEFT + 500 * k, TOP, 10.0, 50, 50) for k in range(6)]
    alone = [archive.read(cloudy, RGBN, grid) for grid in grids]
    fresh = MadeArchive(now=lambda: NOW)
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda grid: fresh.read(cloudy, RGBN, grid), grids))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together))
