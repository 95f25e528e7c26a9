"""Images in another coordinate reference system, and images cut into tiles."""

from __future__ import annotations

import json

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import Ran, WaveArchive, Workbench, cut_footprint, pleiades_scene, reflectance

from up42_plugin.sandbox import display, geometry
from up42_plugin.sandbox.archive import Grid
from up42_plugin.sandbox.geodesy import grid_lonlat
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError, Usage
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter

BOX = geometry.polygon_of((15.2900, 37.8450, 15.2912, 37.8458))
HALF = cut_footprint(pleiades_scene(id="DS_PHR1B_202106211002033_FR1_PX_E015N37_0417_00067"), 15.2, 15.2906)
ZOOM = {"intersects": BOX, "zoom_level": 17, "limit": 2}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("crs"), WaveArchive([pleiades_scene()]))


@pytest.fixture(scope="module")
def streamed(bench):
    return bench.run(registry.ONEATLAS_PLEIADES_AOICLIPPED, ZOOM)


@pytest.fixture(scope="module")
def primary(bench):
    return bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, {"intersects": BOX})


def rasters_of(ran):
    return {name: gdal.Open(str(ran.output / name)) for name in ran.files if name.endswith(".tif")}


def refused(bench, before, block, parameters):
    with pytest.raises(RunnerError) as caught:
        bench.after(before, block, parameters, geometry=BOX)
    return caught.value


def left_classes(folder):
    """What a classifying block would have left: classes 0..3 in EPSG:4326 with a colour table, nodata 255."""
    folder.mkdir()
    grid = Grid(4326, 15.29, 37.8458, 1e-5, 120, 80)
    values = (np.indices((80, 120)).sum(axis=0) // 20 % 4).astype(np.uint8)
    table = gdal.ColorTable()
    for number in range(4):
        table.SetColorEntry(number, (60 * number, 10, 20, 255))
    spec = TiffSpec(120, 80, (BandSpec("class", gdal.GCI_PaletteIndex),), "uint8", 255, grid=grid)
    with TiffWriter(folder / "classes.tif", spec) as writer:
        writer.paint(1, table)
        writer.write(1, values)
    feature = {"type": "Feature", "id": "one", "geometry": BOX, "properties": {"up42.data_path": "classes.tif"}}
    (folder / "data.json").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8"
    )
    return Ran(folder, folder, [], Usage())


def test_the_local_utm_zone_is_where_an_image_goes_by_itself(bench, streamed):
    ran = bench.after(streamed, registry.CRS_CONVERSION, geometry=BOX)
    ((name, dataset),) = rasters_of(ran).items()
    (source,) = rasters_of(streamed).values()
    assert name in streamed.files
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "32633"
    left, pixel, _, top, _, down = dataset.GetGeoTransform()
    assert pixel == pytest.approx(source.GetGeoTransform()[1] * np.cos(np.radians(37.845)), rel=0.02)
    assert down == -pixel
    pixels = dataset.ReadAsArray()
    assert pixels.dtype == np.uint8
    assert pixels.shape[0] == 4
    assert dataset.GetRasterBand(4).GetColorInterpretation() == gdal.GCI_AlphaBand
    lon, lat = grid_lonlat(Grid(32633, left, top, pixel, dataset.RasterXSize, dataset.RasterYSize))
    wanted = display.grey_levels(reflectance("B04", lon, lat)[None])[0].astype(int)
    assert np.abs(pixels[0].astype(int) - wanted)[pixels[3] == 255].mean() < 3
    assert (pixels[:3, pixels[3] == 0] == 0).all()
    assert dataset.GetMetadataItem("SYNTHETIC") == "YES"
    assert ran.features[0]["properties"]["parentIdentifier"] == pleiades_scene().id


def test_classes_stay_classes_with_the_nearest_pixel(bench, tmp_path):
    ran = bench.after(
        left_classes(tmp_path / "output"),
        registry.CRS_CONVERSION,
        {"resampling_method": "nearest", "output_epsg_code": 3857},
    )
    ((_, dataset),) = rasters_of(ran).items()
    assert dataset.GetSpatialRef().GetAuthorityCode(None) == "3857"
    assert set(np.unique(dataset.ReadAsArray())) <= {0, 1, 2, 3, 255}
    assert dataset.GetRasterBand(1).GetNoDataValue() == 255
    assert dataset.GetRasterBand(1).GetColorTable().GetColorEntry(2) == (120, 10, 20, 255)


def test_sensor_geometry_is_resolved_for_both_files(bench, primary):
    ran = bench.after(primary, registry.CRS_CONVERSION, {"output_epsg_code": 4326}, geometry=BOX)
    found = rasters_of(ran)
    assert sorted(name[-7:] for name in found) == ["_ms.tif", "pan.tif"]
    for name, dataset in found.items():
        assert dataset.GetSpatialRef().GetAuthorityCode(None) == "4326"
        assert not dataset.GetMetadata("RPC")
        left, pixel, _, top, _, _ = dataset.GetGeoTransform()
        lon, lat = grid_lonlat(Grid(4326, left, top, pixel, dataset.RasterXSize, dataset.RasterYSize))
        values = dataset.ReadAsArray().reshape(dataset.RasterCount, *lon.shape)[0].astype(float)
        known = values > 0
        truth = reflectance("PAN" if "pan" in name else "B04", lon, lat) * 4000
        assert np.corrcoef(values[known], truth[known])[0, 1] > 0.97


@pytest.mark.parametrize(
    "parameters",
    [
        {"resampling_method": "magic"},
        {"output_epsg_code": 999999},
        {"output_epsg_code": 4978},
        {"output_epsg_code": -1},
    ],
)
def test_an_unknown_method_or_code_is_refused(bench, streamed, parameters):
    assert refused(bench, streamed, registry.CRS_CONVERSION, parameters).code == "INPUT_PARAMETERS_ERROR"


def test_a_folder_is_no_image(bench):
    before = bench.run(registry.ONEATLAS_PLEIADES_DISPLAY, {"intersects": BOX})
    for block in (registry.CRS_CONVERSION, registry.TILING):
        assert refused(bench, before, block, {}).code == "WRONG_INPUT_ERROR"


def test_tiles_of_one_size_join_to_the_image(bench, streamed, tmp_path):
    ran = bench.after(streamed, registry.TILING, {"tile_width": 100, "tile_height": 80}, geometry=BOX)
    (source,) = rasters_of(streamed).values()
    found = rasters_of(ran)
    (stem,) = [name[:-4] for name in streamed.files if name.endswith(".tif")]
    width, height = source.RasterXSize, source.RasterYSize
    columns, rows = -(-width // 100), -(-height // 80)
    assert sorted(found) == sorted(f"{stem}/{stem}_{i}-{j}.tif" for i in range(columns) for j in range(rows))
    assert {(d.RasterXSize, d.RasterYSize) for d in found.values()} == {(100, 80)}
    joined = gdal.BuildVRT(str(tmp_path / "joined.vrt"), [str(ran.output / name) for name in found])
    assert joined.GetGeoTransform()[:2] == pytest.approx(source.GetGeoTransform()[:2])
    assert np.array_equal(joined.ReadAsArray(0, 0, width, height), source.ReadAsArray())
    assert not joined.ReadAsArray(width, 0, columns * 100 - width, height).any()
    first = found[f"{stem}/{stem}_0-0.tif"]
    assert first.GetRasterBand(4).GetColorInterpretation() == gdal.GCI_AlphaBand
    assert first.GetRasterBand(1).GetDescription() == "red"
    paths = {feature["properties"]["up42.data_path"]: feature for feature in ran.features}
    assert set(paths) == set(found)
    west, _, east, north = paths[f"{stem}/{stem}_0-0.tif"]["bbox"]
    assert streamed.features[0]["bbox"][0] == pytest.approx(west)
    assert streamed.features[0]["bbox"][3] == pytest.approx(north)
    assert east - west == pytest.approx(100 * 2 * 0.5971642834779395 / 111319.49, rel=1e-3)
    assert {feature["id"] for feature in ran.features} == {stem}


@pytest.fixture(scope="module")
def halves(tmp_path_factory):
    """One image with data everywhere and one that ends in the middle."""
    bench = Workbench(tmp_path_factory.mktemp("halves"), WaveArchive([pleiades_scene(), HALF]))
    return bench, bench.run(registry.ONEATLAS_PLEIADES_AOICLIPPED, ZOOM)


def test_empty_tiles_are_left_out_or_not(halves):
    bench, streamed = halves
    size = {"tile_width": 64, "tile_height": 64}
    kept = bench.after(streamed, registry.TILING, {**size, "discard_empty_tiles": False}, geometry=BOX)
    ran = bench.after(streamed, registry.TILING, size, geometry=BOX)
    assert 0.6 * len(rasters_of(kept)) < len(rasters_of(ran)) < 0.9 * len(rasters_of(kept))
    assert all(dataset.GetRasterBand(4).ReadAsArray().any() for dataset in rasters_of(ran).values())


def test_matched_images_have_the_same_tiles(halves):
    bench, streamed = halves
    ran = bench.after(
        streamed, registry.TILING, {"tile_width": 64, "tile_height": 64, "match_extents": True}, geometry=BOX
    )
    tiles = {}
    for name, dataset in rasters_of(ran).items():
        tiles.setdefault(name.partition("/")[0], {})[name.rpartition("_")[2]] = dataset.GetGeoTransform()
    one, other = tiles.values()
    assert one == other
    assert len(one) > 4


def test_images_of_different_pixels_are_not_matched(halves, tmp_path):
    bench, streamed = halves
    folder = tmp_path / "output"
    folder.mkdir()
    document = json.loads((streamed.output / "data.json").read_text(encoding="utf-8"))
    for number, feature in enumerate(document["features"]):
        name = feature["properties"]["up42.data_path"]
        options = {} if number else {"xRes": 2.0, "yRes": 2.0}
        gdal.Warp(str(folder / name), str(streamed.output / name), **options).FlushCache()
    (folder / "data.json").write_text(json.dumps(document), encoding="utf-8")
    error = refused(bench, Ran(folder, folder, [], Usage()), registry.TILING, {"match_extents": True})
    assert error.code == "WRONG_INPUT_ERROR"
    assert "pixel size" in str(error)


def test_a_matched_tile_is_opaque_where_its_image_has_no_pixels(bench, streamed, tmp_path):
    folder = tmp_path / "output"
    folder.mkdir()
    document = json.loads((streamed.output / "data.json").read_text(encoding="utf-8"))
    (feature,) = document["features"]
    name = feature["properties"]["up42.data_path"]
    moved = {**feature, "id": "two", "properties": {**feature["properties"], "up42.data_path": "two.tif"}}
    gdal.Translate(str(folder / name), str(streamed.output / name)).FlushCache()
    gdal.Translate(str(folder / "two.tif"), str(streamed.output / name), srcWin=[100, 0, 100, 200]).FlushCache()
    document["features"].append(moved)
    (folder / "data.json").write_text(json.dumps(document), encoding="utf-8")
    size = {"tile_width": 150, "tile_height": 150, "match_extents": True}
    ran = bench.after(Ran(folder, folder, [], Usage()), registry.TILING, size, geometry=BOX)
    tile = rasters_of(ran)["two/two_0-0.tif"].ReadAsArray()
    assert (tile[3] == 255).all()
    assert (tile[:3, :, :100] == 0).all()
    assert (tile[:3, :, 100:] > 0).all()


def test_prefix_nodata_and_augmentation(bench, streamed):
    parameters = {"tile_width": 128, "tile_height": 128, "output_prefix": "chip", "augmentation_factor": 2, "nodata": 0}
    ran = bench.after(streamed, registry.TILING, parameters, geometry=BOX)
    names = [name.partition("/")[2] for name in rasters_of(ran)]
    assert "chip_0-0.tif" in names
    assert "chip_0-0_1.tif" in names
    (source,) = rasters_of(streamed).values()
    shifted = next(d for name, d in rasters_of(ran).items() if name.endswith("chip_0-0_1.tif"))
    assert np.array_equal(shifted.ReadAsArray(), source.ReadAsArray(64, 64, 128, 128))


def test_tiles_keep_sensor_geometry(bench, primary):
    ran = bench.after(primary, registry.TILING, {"tile_width": 50, "tile_height": 50}, geometry=BOX)
    name, tile = next((name, d) for name, d in rasters_of(ran).items() if name.endswith("_pan_1-2.tif"))
    source = next(d for name, d in rasters_of(primary).items() if name.endswith("_pan.tif"))
    for key, shift in (("SAMP_OFF", 50), ("LINE_OFF", 100)):
        assert float(source.GetMetadata("RPC")[key]) - float(tile.GetMetadata("RPC")[key]) == pytest.approx(shift), name


@pytest.mark.parametrize(
    "parameters",
    [
        {"tile_width": 0},
        {"tile_height": 10.5},
        {"tile_width": -768},
        {"tile_width": 1, "tile_height": 1},
        {"augmentation_factor": 0},
        {"augmentation_factor": 1.5},
        {"output_prefix": "../up"},
        {"output_prefix": "a:b"},
    ],
)
def test_awkward_tiles_are_refused(bench, streamed, parameters):
    assert refused(bench, streamed, registry.TILING, parameters).code == "INPUT_PARAMETERS_ERROR"
