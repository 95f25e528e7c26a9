"""Styles, looked at: layers are drawn and their colours compared."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from osgeo import gdal
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRectangle

from tests.raster_samples import (
    LANDSAT,
    coast,
    geotiff,
    ndvi,
    output_of,
    pleiades_primary,
    safe,
    superresolution,
    visual,
)
from tests.rendering import BACKGROUND, colour, hexadecimal, rendered
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import JobProvenance
from up42_plugin.core.outputs import prepare_output
from up42_plugin.core.quicklooks import prepare_footprints, prepare_quicklook
from up42_plugin.core.scenes import Quicklook, Scene
from up42_plugin.qgis_bridge.layers import LayerLoader

JOB = JobProvenance("job", "Job", "sandbox")
WIDTH, HEIGHT = 160, 120
FOREST, FIELD, TOWN, SEA = (20, 80), (80, 100), (80, 15), (150, 60)

needs_landsat = pytest.mark.skipif(not LANDSAT.is_dir(), reason="the Landsat samples are not here")


@pytest.fixture
def project(qgis_app):
    project = QgsProject()
    yield project
    project.clear()


@pytest.fixture
def load(project):
    def loaded(folder, **options):
        loader = LayerLoader(project)
        layers = loader.add(prepare_output(folder, ThreadContext(), **options), "x", JOB)
        assert not loader.problems
        return layers

    return loaded


def stretched(value, low, high):
    return round(min(max((value - low) / (high - low), 0.0), 1.0) * 255)


def test_true_colour_is_stretched_band_by_band(load, tmp_path):
    land = coast()
    geotiff(tmp_path / "a.tif", [land[name] for name in ("B02", "B03", "B04")], descriptions=("blue", "green", "red"))
    image = rendered(load(output_of(tmp_path, "a.tif")), WIDTH, HEIGHT)
    for x, y in (FOREST, FIELD, TOWN, SEA):
        expected = []
        for name in ("B04", "B03", "B02"):
            low, high = np.percentile(land[name], (2, 98))
            expected.append(stretched(float(land[name][y, x]), low, high))
        assert colour(image, x, y) == pytest.approx(tuple(expected), abs=2)


def test_super_resolution_looks_like_a_coast(load, tmp_path):
    superresolution(tmp_path / "x_superresolution.tif")
    image = rendered(load(output_of(tmp_path, "x_superresolution.tif")), WIDTH, HEIGHT)
    forest, town, sea = colour(image, *FOREST), colour(image, *TOWN), colour(image, *SEA)
    assert max(forest) < 60
    assert forest[1] == max(forest)
    assert min(town) > 180
    assert sea[2] > sea[0]


def test_zero_is_transparent_in_sixteen_bits_without_nodata(load, tmp_path):
    land = coast()
    bands = [land[name].copy() for name in ("B04", "B03", "B02")]
    for band in bands:
        band[:40, :40] = 0
    geotiff(tmp_path / "a.tif", bands)
    image = rendered(load(output_of(tmp_path, "a.tif")), WIDTH, HEIGHT)
    assert hexadecimal(image, 10, 10) == BACKGROUND
    assert hexadecimal(image, 60, 60) != BACKGROUND


def test_ndvi_is_drawn_in_its_five_colours(load, tmp_path):
    ndvi(tmp_path / "x_ndvi.tif")
    image = rendered(load(output_of(tmp_path, "x_ndvi.tif")), WIDTH, HEIGHT)
    assert hexadecimal(image, *FOREST) == "#3f9a45"
    assert hexadecimal(image, *FIELD) == "#a8cf6a"
    assert hexadecimal(image, *SEA) == "#a97c50"
    assert hexadecimal(image, 3, 3) == BACKGROUND


@pytest.mark.parametrize(
    ("value", "drawn"),
    [(-1.0, "#a97c50"), (0.199, "#a97c50"), (0.201, "#e2d49a"), (0.5, "#a8cf6a"), (0.9, "#3f9a45"), (0.95, "#00441b"),
     (1.0, "#00441b"), (1.1, "#00441b")],
)  # fmt: skip
def test_every_break_of_the_ndvi_ramp(load, tmp_path, value, drawn):
    geotiff(tmp_path / "x_ndvi.tif", [np.full((10, 10), value, np.float32)])
    assert hexadecimal(rendered(load(output_of(tmp_path, "x_ndvi.tif")), 10, 10), 5, 5) == drawn


def test_an_eight_bit_picture_is_drawn_as_it_is(load, tmp_path):
    visual(tmp_path / "v.tif")
    image = rendered(load(output_of(tmp_path, "v.tif")), WIDTH, HEIGHT)
    land = coast()
    for x, y in (FOREST, FIELD, TOWN, SEA):
        assert colour(image, x, y) == tuple(int(land[name][y, x] / 12) for name in ("B04", "B03", "B02"))


def test_clusters_are_drawn_in_flat_colours(load, tmp_path):
    classes = np.kron(np.array([[0, 1], [2, 255]], np.uint8), np.ones((20, 20), np.uint8))
    geotiff(tmp_path / "a_kmeans.tif", [classes])
    layer = load(output_of(tmp_path, "a_kmeans.tif"))[0]
    image = rendered([layer], 40, 40)
    drawn = [hexadecimal(image, x, y) for x, y in ((5, 5), (30, 5), (5, 30), (30, 30))]
    assert drawn == [entry.color.name() for entry in layer.renderer().classes()] + [BACKGROUND]


def test_a_safe_product_shows_its_pixels(load, tmp_path):
    safe(tmp_path / "uuid")
    image = rendered(load(output_of(tmp_path, "uuid")), 240, 180)
    forest, town, sea = colour(image, 30, 120), colour(image, 100, 20), colour(image, 220, 90)
    assert max(forest) < 60
    assert min(town) > 170
    assert sea[2] > sea[0]
    assert sea[1] > sea[0]


def test_sensor_geometry_lies_where_its_coefficients_say(load, tmp_path):
    pleiades_primary(tmp_path)
    colour_layer, pan = load(output_of(tmp_path, "0123_pan.tif"))
    wgs84 = QgsCoordinateReferenceSystem("EPSG:4326")
    frame = QgsRectangle(15.29 - 0.010, 37.85 - 0.010, 15.29 + 0.010, 37.85 + 0.010)
    image = rendered([colour_layer], 200, 200, extent=frame, crs=wgs84)
    assert hexadecimal(image, 5, 100) == hexadecimal(image, 100, 195) == BACKGROUND
    assert max(colour(image, 30, 150)) < 60  # forest in the west
    assert min(colour(image, 90, 35)) > 200  # town in the north
    sea = colour(image, 170, 100)
    assert sea[2] > sea[0]
    grey = colour(rendered([pan], 200, 200, extent=frame, crs=wgs84), 90, 35)
    assert grey[0] == grey[1] == grey[2] > 200


def test_footprints_are_yellow_outlines_that_hide_nothing(project, tmp_path):
    ring = [[15.0, 37.0], [16.0, 37.0], [16.0, 38.0], [15.0, 38.0], [15.0, 37.0]]
    scene = Scene("f", "s", "j", {"type": "Polygon", "coordinates": [ring]}, (15, 37, 16, 38))
    layer = LayerLoader(project).add([prepare_footprints([scene], tmp_path)], "x", JOB)[0]
    image = rendered([layer], 120, 120, extent=QgsRectangle(14.9, 36.9, 16.1, 38.1))
    assert hexadecimal(image, 60, 60) == BACKGROUND
    assert hexadecimal(image, 10, 60) == hexadecimal(image, 60, 110) == "#ffee00"


def test_a_quicklook_lies_in_its_frame_with_its_border_transparent(project, tmp_path):
    memory = gdal.GetDriverByName("MEM").Create("", 100, 100, 3, gdal.GDT_Byte)
    for index, level in enumerate((200, 120, 60), start=1):
        values = np.full((100, 100), level, np.uint8)
        values[:, :20] = 0
        memory.GetRasterBand(index).WriteArray(values)
    gdal.GetDriverByName("PNG").CreateCopy(str(tmp_path / "in.png"), memory)
    ring = [[15.2, 37.0], [16.0, 37.0], [16.0, 38.0], [15.2, 38.0], [15.2, 37.0]]
    scene = Scene("f", "s", "j", {"type": "Polygon", "coordinates": [ring]}, (15, 37, 16, 38))
    quicklook = Quicklook(scene, (tmp_path / "in.png").read_bytes(), ".png", (15.0, 37.0, 16.0, 38.0))
    layer = LayerLoader(project).add([prepare_quicklook(quicklook, tmp_path / "out")], "x", JOB)[0]
    image = rendered([layer], 120, 120, extent=QgsRectangle(14.9, 36.9, 16.1, 38.1))
    assert hexadecimal(image, 5, 60) == hexadecimal(image, 20, 60) == BACKGROUND
    assert colour(image, 60, 60) == (200, 120, 60)


@needs_landsat
def test_a_real_landsat_scene_looks_like_a_coast(load, tmp_path):
    shutil.copy(LANDSAT / "L7_ETMs.tif", tmp_path / "L7_ETMs.tif")
    image = rendered(load(output_of(tmp_path, "L7_ETMs.tif")), 349, 352)
    sea = np.array([colour(image, x, y) for x in range(310, 340, 3) for y in range(250, 330, 5)]).mean(axis=0)
    forest = np.array([colour(image, x, y) for x in range(60, 150, 5) for y in range(90, 160, 5)]).mean(axis=0)
    town = np.array([colour(image, x, y) for x in range(80, 200, 5) for y in range(220, 260, 5)]).mean(axis=0)
    assert sea[1] > 1.3 * sea[0]
    assert sea[2] > 1.3 * sea[0]
    assert forest.mean() < 80
    assert town.mean() > 1.3 * forest.mean()
    assert abs(town[0] - town[2]) < 60


@needs_landsat
def test_real_landsat_as_ndvi_is_greener_in_the_forest_than_in_the_sea(load, tmp_path):
    dataset = gdal.Open(str(LANDSAT / "L7_ETMs.tif"))
    bands = dataset.ReadAsArray().astype(np.float32)
    values = (bands[3] - bands[2]) / (bands[3] + bands[2])
    geotiff(tmp_path / "l7_ndvi.tif", [values], epsg=31985)
    image = rendered(load(output_of(tmp_path, "l7_ndvi.tif")), 349, 352)
    shown = np.array([[hexadecimal(image, x, y) for x in range(0, 349, 4)] for y in range(0, 352, 4)])
    value_there = values[::4, ::4]
    assert (shown[value_there <= 0.19] == "#a97c50").mean() > 0.98
    assert (shown[(value_there > 0.41) & (value_there < 0.59)] == "#a8cf6a").mean() > 0.98


@needs_landsat
def test_real_eight_bit_rgb_keeps_its_border_transparent(load, tmp_path):
    shutil.copy(LANDSAT / "RGB.byte.tif", tmp_path / "RGB.byte.tif")
    image = rendered(load(output_of(tmp_path, "RGB.byte.tif")), 791, 718)
    values = gdal.Open(str(LANDSAT / "RGB.byte.tif")).ReadAsArray()
    assert hexadecimal(image, 3, 3) == BACKGROUND
    x, y = 300, 500
    assert colour(image, x, y) == tuple(int(band[y, x]) for band in values)
