"""Cloud masks of Pléiades and SPOT images: an alpha band that tells clouds, clear ground and no data apart."""

from __future__ import annotations

import json

import numpy as np
import pytest
from derived_kit import CATALOGUE
from osgeo import gdal, ogr
from runner_kit import Ran, WaveArchive, Workbench, pleiades_scene

from up42_plugin.sandbox import display, geometry
from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.capabilities import fits_behind, resolved_output
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError, Usage
from up42_plugin.sandbox.runners.derived import cloudmask
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter

BOX = geometry.polygon_of((15.29, 37.845, 15.2945, 37.848))
GRID = Grid(32633, 525000.0, 4189000.0, 2.0, 400, 300)
CLOUDY = (slice(80, 180), slice(100, 260))
ROOF = (slice(220, 228), slice(300, 308))
BARE = slice(0, 40)  # rows without data
COLOURS = (gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand)


@pytest.fixture
def bench(tmp_path):
    return Workbench(tmp_path / "bench", WaveArchive([pleiades_scene()]))


def scene():
    """Reflectances of dark ground with a white cloud, a white roof, and sand that is bright but not white."""
    values = np.empty((4, GRID.height, GRID.width), np.float32)
    values[:] = np.array([0.10, 0.09, 0.06, 0.3])[:, None, None]
    values[(slice(None), *CLOUDY)] = np.array([0.62, 0.62, 0.64, 0.65])[:, None, None]
    values[(slice(None), *ROOF)] = 0.6
    values[:, 250:, :80] = np.array([0.55, 0.45, 0.3, 0.6])[:, None, None]
    return values


def left(folder, *, eight_bits):
    """What a streaming block (8 bits, alpha) or a conversion (12 bits, nodata 0) would have left."""
    folder.mkdir()
    if eight_bits:
        pixels = display.grey_levels(scene()[:3])
        alpha = np.full((1, GRID.height, GRID.width), 255, np.uint8)
        pixels, specs = np.concatenate([pixels, alpha]), [*COLOURS, gdal.GCI_AlphaBand]
    else:
        pixels, specs = np.rint(scene() * 4000).astype(np.uint16), [*COLOURS, gdal.GCI_Undefined]
    pixels[:, BARE] = 0
    bands = tuple(BandSpec(f"band {number}", colour) for number, colour in enumerate(specs))
    spec = TiffSpec(GRID.width, GRID.height, bands, pixels.dtype.name, None if eight_bits else 0, grid=GRID)
    with TiffWriter(folder / "image.tif", spec) as writer:
        for number, values in enumerate(pixels, 1):
            writer.write(number, values)
    feature = {"type": "Feature", "id": "one", "geometry": BOX, "properties": {"up42.data_path": "image.tif"}}
    document = {"type": "FeatureCollection", "features": [feature]}
    (folder / "data.json").write_text(json.dumps(document), encoding="utf-8")
    return Ran(folder, folder, [], Usage()), pixels


@pytest.mark.parametrize(("eight_bits", "bands"), [(True, 4), (False, 5)])
def test_clouds_are_1_clear_ground_255_and_no_data_0(bench, tmp_path, eight_bits, bands):
    before, pixels = left(tmp_path / "output", eight_bits=eight_bits)
    ran = bench.after(before, registry.ONEATLAS_CLOUDMASK, geometry=BOX)
    assert ran.files == ["data.json", "image.gfs", "image.gml", "image.tif"]
    assert ran.features[0]["properties"]["up42.data_path"] == "image.tif"
    raster = gdal.Open(str(ran.output / "image.tif"))
    values = raster.ReadAsArray()
    assert values.shape[0] == bands
    assert values.dtype == pixels.dtype
    assert np.array_equal(values[:-1], pixels[: bands - 1])
    assert raster.GetRasterBand(bands).GetColorInterpretation() == gdal.GCI_AlphaBand
    mask = values[-1]
    assert (mask[BARE] == cloudmask.NO_DATA).all()
    assert (mask[CLOUDY] == cloudmask.CLOUD).all()
    assert (mask[ROOF] == cloudmask.CLEAR).all()
    assert (mask[250:, :80] == cloudmask.CLEAR).all()
    assert (mask == cloudmask.CLOUD).sum() < 2.0 * 100 * 160  # the cloud and its soft edge


def test_outlines_lie_around_the_clouds(bench, tmp_path):
    before, _ = left(tmp_path / "output", eight_bits=False)
    ran = bench.after(before, registry.ONEATLAS_CLOUDMASK, geometry=BOX)
    outlines = ogr.Open(str(ran.output / "image.gml"))
    layer = outlines.GetLayer(0)
    assert layer.GetFeatureCount() == 1
    assert layer.GetSpatialRef().GetAuthorityCode(None) == "32633"
    west, east, south, north = layer.GetExtent()
    middle = (525000 + 2 * 180, 4189000 - 2 * 130)
    assert ((west + east) / 2, (south + north) / 2) == pytest.approx(middle, abs=20)
    assert 320 <= east - west <= 320 + 100


def test_grey_levels_are_turned_back_into_reflectances():
    values = np.linspace(0.02, 0.5, 50, dtype=np.float32)[None, None]
    assert np.abs(display.reflectance_of(display.grey_levels(values)) - values).max() < 0.01
    coloured = np.concatenate([values * 0.8 + 0.05, values * 0.75 + 0.05, values * 0.7 + 0.05, values])
    assert np.abs(display.reflectance_of(display.grey_levels(coloured)) - coloured).max() < 0.01


def test_a_picture_spreads_what_land_reflects_over_most_of_the_grey_levels():
    levels = display.grey_levels(np.array([[[0.0, 0.03, 0.14, 0.35, 0.7, np.nan]]], np.float32)).ravel()
    black, shade, land, bright, cloud, nothing = levels.astype(int)
    assert (nothing, black, cloud) == (0, 1, 255)
    assert 15 <= shade <= 50
    assert 120 <= land <= 155
    assert 200 <= bright <= 240
    ground = np.array([0.16, 0.11, 0.08], np.float32)
    coloured = display.grey_levels(ground[:, None, None]).ravel().astype(int)
    plain = display.grey_levels(ground[None, None]).ravel().astype(int)
    assert np.ptp(coloured) > np.ptp(plain)  # colours are stronger
    assert abs(coloured.sum() - plain.sum()) <= 3  # and no brighter


def test_a_panchromatic_image_alone_is_refused(bench, tmp_path):
    full = bench.run(registry.ONEATLAS_PLEIADES_FULLSCENE, {"intersects": BOX})
    pan = bench.after(full, registry.DATA_CONVERSION_DIMAP, {"ms": False, "pan": True}, geometry=BOX)
    with pytest.raises(RunnerError, match="red, green and blue are needed") as caught:
        bench.after(pan, registry.ONEATLAS_CLOUDMASK, geometry=BOX)
    assert caught.value.code == "WRONG_INPUT_ERROR"


def test_it_is_offered_behind_pictures_in_colour_alone():
    mask, ndvi, dimap = (CATALOGUE.by_name(name) for name in ("oneatlas-cloudmask", "ndvi", "data-conversion-dimap"))
    converted = resolved_output(dimap, resolved_output(CATALOGUE.by_name("oneatlas-spot-fullscene"), {}))
    assert fits_behind(mask, converted)
    assert not fits_behind(mask, resolved_output(ndvi, converted))
