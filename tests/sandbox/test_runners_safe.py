"""The SAFE folders of ``aws-s2-l2a``: GDAL opens them, and the pixels are those of the archive."""

from __future__ import annotations

import hashlib
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from osgeo import gdal
from runner_kit import AREA, NOTE, TILE, WaveArchive, Workbench, cut_footprint, grid_of, sentinel_scene

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.grids import projected_bounds
from up42_plugin.sandbox.runners.scenes import safe_layers, sentinel2

LABELS = {sentinel2.short_name(name): name for name in sentinel2.BANDS}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("safe"), WaveArchive([sentinel_scene()]))


@pytest.fixture(scope="module")
def delivered(bench):
    return bench.run(registry.AWS_S2_L2A, {"contains": AREA})


@pytest.fixture
def warnings():
    """What GDAL complains about during a test."""
    heard = []
    gdal.PushErrorHandler(lambda level, _number, text: heard.append((level, text)))
    yield heard
    gdal.PopErrorHandler()


def product_of(delivered):
    (metadata,) = delivered.output.glob("*/*.SAFE/MTD_MSIL2A.xml")
    return metadata


def subdatasets(metadata):
    names = [name for name, _ in gdal.Open(str(metadata)).GetSubDatasets()]
    return {re.search(r":(10m|20m|60m|TCI):", name).group(1): gdal.Open(name) for name in names}


def test_the_feature_points_to_the_folder_and_keeps_the_whole_footprint(delivered):
    (feature,) = delivered.features
    assert feature["properties"]["up42.data_path"] == feature["id"]
    assert (delivered.output / feature["id"]).is_dir()
    assert (delivered.quicklooks / f"{feature['id']}.jpg").is_file()
    assert feature["geometry"] == sentinel_scene().footprint
    assert feature["properties"]["identification"]["externalId"] == sentinel_scene().id
    assert "2 km around it" in feature["properties"]["rastersCover"]
    west, south, east, north = geometry.bounds(AREA)
    box = feature["properties"]["rastersBbox"]
    assert box[0] < west - 0.02
    assert box[1] < south - 0.017
    assert box[2] > east + 0.02
    assert box[3] > north + 0.017
    assert box[2] - box[0] < 0.1


def test_every_band_holds_the_values_of_the_archive(bench, delivered, warnings):
    seen = set()
    for name, dataset in subdatasets(product_of(delivered)).items():
        grid = grid_of(dataset)
        assert dataset.GetSpatialRef().GetAuthorityCode(None) == "32633"
        for number in range(1, dataset.RasterCount + 1):
            band = LABELS.get(dataset.GetRasterBand(number).GetMetadataItem("BANDNAME"))
            if name == "TCI" or band is None:
                continue
            expected = sentinel2.digital_numbers(bench.archive.read(sentinel_scene(), [band], grid))[0]
            assert np.array_equal(dataset.GetRasterBand(number).ReadAsArray(), expected), band
            assert expected.min() > 0
            seen.add(band)
    assert seen == set(sentinel2.BANDS)
    assert warnings == []  # GDAL only warns, and gives zeros, when a file is missing


def test_true_colour_and_quality_maps_are_there(delivered):
    datasets = subdatasets(product_of(delivered))
    picture = datasets["TCI"].ReadAsArray()
    assert picture.shape[0] == 3
    assert picture.min() >= 1
    assert picture.std() > 10
    for name in ("20m", "60m"):
        dataset = datasets[name]
        maps = {
            dataset.GetRasterBand(n).GetMetadataItem("BANDNAME"): dataset.GetRasterBand(n).ReadAsArray()
            for n in range(1, dataset.RasterCount + 1)
        }
        assert set(np.unique(maps["SCL"])) <= set(range(1, len(safe_layers.SCENE_CLASSES)))
        assert (maps["AOT"] > 0).all()
        assert (maps["WVP"] > 0).all()
        assert maps["CLD"].max() <= 100
        assert maps["SNW"].max() <= 100


def test_the_grid_lies_on_the_tiles_pixels_and_2_km_around_the_area(delivered):
    grid = grid_of(subdatasets(product_of(delivered))["10m"])
    assert (grid.left - TILE.left) % 60 == 0
    assert (TILE.top - grid.top) % 60 == 0
    left, bottom, right, top = projected_bounds(AREA, TILE.epsg)
    assert 0 <= left - 2000 - grid.left < 60
    assert 0 <= grid.top - top - 2000 < 60
    assert 0 <= grid.left + grid.width * 10 - right - 2000 < 60
    assert 0 <= bottom - 2000 - (grid.top - grid.height * 10) < 60


def test_names_and_metadata_are_a_real_products(delivered):
    metadata = product_of(delivered)
    scene = sentinel_scene()
    assert metadata.parent.name == f"{scene.id}.SAFE"
    (granule,) = (metadata.parent / "GRANULE").iterdir()
    assert re.fullmatch(r"L2A_T33SWB_A031\d{3}_20210620T095156", granule.name)
    assert (granule / "IMG_DATA/R10m/T33SWB_20210620T094031_B02_10m.jp2").is_file()
    facts = gdal.Open(str(metadata)).GetMetadata()
    assert facts["PRODUCT_URI"] == metadata.parent.name
    assert facts["PROCESSING_BASELINE"] == "03.00"
    assert float(facts["CLOUD_COVERAGE_ASSESSMENT"]) == scene.cloud_cover
    assert facts["FOOTPRINT"].startswith("POLYGON((")
    assert 0.966 < float(facts["REFLECTANCE_CONVERSION_U"]) < 0.970  # June: far from the sun
    assert NOTE in metadata.read_text(encoding="utf-8")


def test_the_manifest_names_every_file_with_its_checksum(delivered):
    safe = product_of(delivered).parent
    root = ElementTree.parse(safe / "manifest.safe").getroot()  # noqa: S314 - written by this test
    listed = {
        stream.find("fileLocation").get("href")[2:]: stream.find("checksum").text for stream in root.iter("byteStream")
    }
    present = {str(path.relative_to(safe)) for path in safe.rglob("*") if path.is_file()} - {"manifest.safe"}
    assert set(listed) == present
    for relative, checksum in listed.items():
        assert hashlib.md5((safe / relative).read_bytes(), usedforsecurity=False).hexdigest() == checksum


def test_the_rasters_end_at_the_tiles_edge_and_are_nodata_beyond_the_swath(tmp_path):
    scene = cut_footprint(sentinel_scene(), 14.9, 15.02)
    corner = {"bbox": [15.0, 37.9, 15.03, 37.93]}
    ran = Workbench(tmp_path, WaveArchive([scene])).run(registry.AWS_S2_L2A, corner)
    dataset = subdatasets(product_of(ran))["10m"]
    assert grid_of(dataset).left == TILE.left
    values = dataset.ReadAsArray()
    assert (values[:, :, :150] > 0).all()
    assert (values[:, :, -150:] == 0).all()


def test_means_of_blocks_leave_missing_pixels_out():
    numbers = np.array([[10, 20, 0, 0], [30, 0, 0, 0]], np.uint16)
    assert safe_layers.shrunk(numbers, 2).tolist() == [[20, 0]]


def test_clouds_snow_water_and_plants_are_told_apart():
    # blue, green, red, near and short-wave infrared of a cloud, snow, water, a meadow and a bare field
    table = np.array(
        [
            [0.7, 0.7, 0.7, 0.7, 0.5],
            [0.9, 0.9, 0.9, 0.8, 0.1],
            [0.04, 0.03, 0.02, 0.01, 0.005],
            [0.04, 0.08, 0.05, 0.4, 0.2],
            [0.08, 0.11, 0.15, 0.2, 0.3],
        ]
    )
    values = (table.T * sentinel2.QUANTIFICATION).astype(np.uint16)[:, None]
    bands = dict(zip(("B02", "B03", "B04", "B8A", "B11"), values))
    layers = {(name, pixel): band for name, band in bands.items() for pixel in (10, 20, 60)}
    layers["B09", 60] = layers["B8A", 60]
    layers = {key: np.repeat(np.repeat(a, 60 // key[1], 0), 60 // key[1], 1) for key, a in layers.items()}
    safe_layers._add_quality(layers, sentinel_scene())
    names = [safe_layers.SCENE_CLASSES[value] for value in layers["SCL", 60][0]]
    assert names == ["SC_CLOUD_HIGH_PROBA", "SC_SNOW_ICE", "SC_WATER", "SC_VEGETATION", "SC_NOT_VEGETATED"]
