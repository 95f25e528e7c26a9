"""Clusters, thresholds, land cover and water: class rasters made from images, and polygons around them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from derived_kit import block_id, document, image_left, layer_of, made_archive, raster_of, same_files, vectors
from osgeo import gdal, ogr, osr
from runner_kit import SMALL_AREA, Workbench

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.archive import Grid, SceneQuery
from up42_plugin.sandbox.geodesy import grid_lonlat
from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError, RunnerStopped
from up42_plugin.sandbox.runners.derived.landcover import BARREN, HIGH, LOW, URBAN, WATER
from up42_plugin.sandbox.runners.rasters import BandSpec, TiffSpec, TiffWriter
from up42_plugin.sandbox.runners.vectors import vectorising
from up42_plugin.sandbox.world import view

KMEANS, VECTORISING = registry.KMEANS_CLUSTERING, registry.VECTORISING
COAST = geometry.polygon_of((15.2975, 37.8450, 15.3020, 37.8485))
TIME = "2021-04-01T00:00:00Z/2021-07-31T00:00:00Z"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Workbench(tmp_path_factory.mktemp("classes"), made_archive())


@pytest.fixture(scope="module")
def primary(bench):
    parameters = {"intersects": COAST, "max_cloud_cover": 5, "time": TIME}
    return bench.run(registry.ONEATLAS_PLEIADES_PRIMARY, parameters, geometry=COAST)


def patches(height=60, width=80):
    """Three flat areas in two bands, with a speck in the first and no data in a corner."""
    values = np.full((2, height, width), 40, np.uint16)
    values[:, :, 30:55] = np.array([200, 90], np.uint16)[:, None, None]
    values[:, :, 55:] = np.array([900, 1200], np.uint16)[:, None, None]
    values[:, 20:23, 10:13] = 910
    values[:, :5, :5] = 0
    return values


def test_clusters_are_numbered_from_dark_to_bright_without_specks(bench, tmp_path):
    before = image_left(tmp_path / "source", patches(), nodata=0)
    ran = bench.after(before, KMEANS, {"n_clusters": 3.0, "n_sieve_pixels": 16})
    assert ran.files == ["data.json", "image_kmeans.tif"]
    raster, source = raster_of(ran), gdal.Open(str(before.output / "image.tif"))
    classes = raster.ReadAsArray()
    assert (raster.RasterCount, classes.dtype, raster.GetRasterBand(1).GetNoDataValue()) == (1, np.uint8, 255)
    assert raster.GetGeoTransform() == source.GetGeoTransform()
    assert raster.GetProjection() == source.GetProjection()
    expected = np.repeat([0, 1, 2], [30, 25, 25])[None].repeat(60, axis=0)
    expected[:5, :5] = 255
    assert np.array_equal(classes, expected)
    (feature,) = ran.features
    assert feature["properties"] == {"cloudCover": 3, "up42.data_path": "image_kmeans.tif"}
    kept = raster_of(bench.after(before, KMEANS, {"n_clusters": 3, "n_sieve_pixels": 0})).ReadAsArray()
    assert (kept[20:23, 10:13] == 2).all()


def test_clusters_of_a_picture_part_its_values_best_and_are_the_same_twice(bench):
    parameters = {"intersects": SMALL_AREA, "max_cloud_cover": 5, "time": TIME}
    picture = bench.run(registry.ESA_S2_L2A_GTIFF_VISUAL, parameters)
    one, other = (bench.after(picture, KMEANS, {"n_clusters": 5, "n_sieve_pixels": 0}) for _ in range(2))
    assert same_files(one, other)
    raster, values = raster_of(one), raster_of(picture).ReadAsArray().astype(float)
    assert raster.GetMetadataItem("SYNTHETIC") == "YES"
    classes = raster.ReadAsArray()
    assert set(np.unique(classes)) == {0, 1, 2, 3, 4}
    centres = np.array([[band[classes == number].mean() for band in values] for number in range(5)])
    distances = ((values[:, None] - centres.T[:, :, None, None]) ** 2).sum(axis=0)
    assert (distances.argmin(axis=0) == classes).mean() > 0.97
    assert (np.diff(centres.sum(axis=1)) > 0).all()


@pytest.mark.parametrize(
    ("block", "parameters", "said"),
    [
        (KMEANS, {"n_clusters": 1}, "n_clusters"),
        (KMEANS, {"n_clusters": 2.5}, "n_clusters"),
        (KMEANS, {"n_iterations": 0}, "n_iterations"),
        (KMEANS, {"n_sieve_pixels": -1}, "n_sieve_pixels"),
        (VECTORISING, {"n_connectivity_pixels": 6}, "4, 8"),
        (VECTORISING, {"dst_crs": "EPSG:1"}, "dst_crs"),
        (VECTORISING, {"dst_crs": "somewhere"}, "dst_crs"),
        (VECTORISING, {"src_band": 9}, "src_band is 9"),
        (registry.LANDCOVER, {"nclasses": 3}, "4, 5"),
        (registry.NDVI_THRESHOLD, {"threshold_values": []}, "threshold_values"),
        (registry.NDVI_THRESHOLD, {"threshold_values": [{"a": "much"}]}, "limit of a"),
        (registry.NDVI_THRESHOLD, {"threshold_values": [{"a": 0.2, "b": 0.2}]}, "same limit"),
    ],
)
def test_parameters_without_a_meaning_are_refused(bench, tmp_path, block, parameters, said):
    before = image_left(tmp_path / "source", np.ones((4, 5, 5), np.uint16))
    with pytest.raises(RunnerError, match=said) as caught:
        bench.after(before, block, parameters)
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"


def test_sieving_stops_when_the_job_is_cancelled(bench, tmp_path):
    def stopped():
        raise RunnerStopped

    with pytest.raises(RunnerStopped):
        bench.after(image_left(tmp_path / "source", patches()), KMEANS, check=stopped)
    calls = []

    def later():
        calls.append(1)
        if len(calls) > 2:
            raise RunnerStopped

    with pytest.raises(RunnerStopped):
        bench.after(image_left(tmp_path / "other", patches()), KMEANS, check=later)


def test_an_image_without_data_cannot_be_clustered(bench, tmp_path):
    before = image_left(tmp_path / "source", np.zeros((2, 8, 8), np.uint16), nodata=0)
    with pytest.raises(RunnerError, match="no pixel with data") as caught:
        bench.after(before, KMEANS)
    assert caught.value.code == "WRONG_INPUT_ERROR"


def test_thresholds_cut_the_index_at_their_limits(bench, tmp_path):
    values = np.array([[[-0.5, 0.2, 0.2001, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, -9999]]], np.float32)
    before = image_left(tmp_path / "source", values, "x_ndvi.tif", nodata=-9999)
    ran = bench.after(before, registry.NDVI_THRESHOLD, {"n_sieve_pixels": 0})
    raster = raster_of(ran)
    assert ran.files == ["data.json", "x_ndvi_threshold.tif"]
    assert raster.ReadAsArray().tolist() == [[0, 0, 1, 1, 2, 2, 3, 3, 4, 255]]
    assert raster.GetRasterBand(1).GetNoDataValue() == 255
    assert raster.GetMetadataItem("CLASS_2") == "moderate_vegetation (up to 0.6)"
    own = {"n_sieve_pixels": 0, "threshold_values": [{"much": 0.7, "little": 0.45}]}
    assert raster_of(bench.after(before, registry.NDVI_THRESHOLD, own)).ReadAsArray().tolist() == [
        [0, 0, 0, 0, 1, 1, 2, 2, 2, 255]
    ]


def test_threshold_classes_of_an_image_agree_with_its_index(bench, primary):
    index = bench.after(primary, registry.NDVI)
    classes = raster_of(bench.after(index, registry.NDVI_THRESHOLD, {"n_sieve_pixels": 0})).ReadAsArray()
    values = raster_of(index).ReadAsArray()
    known = values > -2
    expected = np.digitize(values, np.array([0.2, 0.4, 0.6, 0.9], np.float32), right=True)
    assert np.array_equal(classes[known], expected[known])
    assert (classes[~known] == 255).all()


def coast_image(folder):
    """Red, green, blue and near infrared of the coast in UTM at 2 m, and what the ground there is."""
    grid = Grid(32633, 525400.0, 4189200.0, 2.0, 420, 300)
    lon, lat = grid_lonlat(grid)
    archive = made_archive()
    (scene,) = archive.search(SceneQuery("spot", COAST, "contains", limit=1, max_cloud_cover=1))
    seen = archive.read(scene, ("B04", "B03", "B02", "B08"), grid)
    before = image_left(folder, np.ones((1, 2, 2), np.uint8))
    bands = tuple(BandSpec(name) for name in ("red", "green", "blue", "nir"))
    spec = TiffSpec(grid.width, grid.height, bands, "uint16", grid=grid)
    with TiffWriter(folder / "image.tif", spec) as writer:
        for number, values in enumerate(np.clip(seen * 4000, 1, 4095).astype(np.uint16), 1):
            writer.write(number, values)
    return before, view.land_cover(lon, lat, 2.0)


def test_land_cover_agrees_with_the_ground(bench, tmp_path):
    before, truth = coast_image(tmp_path / "source")
    ran = bench.after(before, registry.LANDCOVER)
    assert ran.files == ["data.json", "one.tif"]
    classes = raster_of(ran).ReadAsArray()
    assert classes.dtype == np.uint8
    assert set(np.unique(classes)) <= {WATER, HIGH, LOW, BARREN, URBAN}
    sea = truth == view.SEA
    assert 0.05 < sea.mean() < 0.7
    assert (classes[sea] == WATER).mean() > 0.9
    assert (classes[~sea] == WATER).mean() < 0.02
    town = np.isin(truth, (view.TOWN, view.ROAD))
    assert (classes[town] == URBAN).mean() > 0.8
    assert (classes[np.isin(truth, (view.CROP, view.SAND))] == URBAN).mean() < 0.15
    four = raster_of(bench.after(before, registry.LANDCOVER, {"nclasses": 4})).ReadAsArray()
    assert np.array_equal(four, np.where(classes == URBAN, BARREN, classes))


def test_water_is_found_where_the_sea_is(bench, tmp_path):
    before, truth = coast_image(tmp_path / "source")
    raster = raster_of(bench.after(before, registry.WATERFINDER))
    water = raster.ReadAsArray()
    assert set(np.unique(water)) == {0, 1}
    assert ((water == 1) == (truth == view.SEA)).mean() > 0.94


@pytest.mark.parametrize("block", [registry.LANDCOVER, registry.WATERFINDER])
def test_three_colours_do_not_tell_the_cover(bench, tmp_path, block):
    before = image_left(tmp_path / "source", np.ones((3, 5, 5), np.uint8))
    with pytest.raises(RunnerError, match="3 bands") as caught:
        bench.after(before, block)
    assert caught.value.code == "WRONG_INPUT_ERROR"


def test_features_with_one_id_get_files_of_their_own(bench, primary, tmp_path):
    before = image_left(tmp_path / "source", np.ones((4, 5, 5), np.uint16))
    collection = document(before, "data.json")
    collection["features"] *= 2
    (before.output / "data.json").write_text(json.dumps(collection))
    ran = bench.after(before, registry.LANDCOVER)
    assert ran.files == ["data.json", "one.tif", "one_2.tif"]
    assert [feature["properties"]["up42.data_path"] for feature in ran.features] == ["one.tif", "one_2.tif"]


def test_polygons_cover_their_classes(bench, tmp_path):
    values = patches()[:1]
    before = image_left(tmp_path / "source", values, "classes.tif", nodata=0)
    ran = bench.after(before, VECTORISING)
    assert ran.files == ["classes.geojson", "data.json"]
    features = vectors(ran)
    assert sorted(feature["properties"]["value"] for feature in features) == [40, 200, 900, 910]
    areas = {feature["properties"]["value"]: geometry.area_km2(feature["geometry"]) for feature in features}
    counts = {value: int((values == value).sum()) for value in areas}
    assert areas == {value: pytest.approx(count * 1e-4, rel=2e-3) for value, count in counts.items()}
    layer = layer_of(ran.output / "classes.geojson")
    assert layer.GetSpatialRef().GetAuthorityCode(None) == "4326"
    west, east, south, north = layer.GetExtent()
    assert 15.2 < west < east < 15.4
    assert 37.8 < south < north < 37.9
    assert ran.features[0]["properties"]["up42.data_path"] == "classes.geojson"


def test_polygons_of_specks_are_sieved_and_corners_may_join(bench, tmp_path):
    values = patches()[:1]
    values[0, 40, 60], values[0, 41, 61] = 5, 5
    before = image_left(tmp_path / "source", values, nodata=0)
    assert len(vectors(bench.after(before, VECTORISING))) == 6
    assert len(vectors(bench.after(before, VECTORISING, {"n_connectivity_pixels": 8}))) == 5
    assert len(vectors(bench.after(before, VECTORISING, {"n_sieve_pixels": 4}))) == 4
    assert len(vectors(bench.after(before, VECTORISING, {"n_sieve_pixels": 20}))) == 3


def test_polygons_in_another_crs_say_so(bench, tmp_path):
    before = image_left(tmp_path / "source", patches()[:1], nodata=0)
    ran = bench.after(before, VECTORISING, {"dst_crs": "epsg:3857"})
    assert document(ran, "image.geojson")["crs"]["properties"]["name"] == "urn:ogc:def:crs:EPSG::3857"
    layer = layer_of(ran.output / "image.geojson")
    reference = layer.GetSpatialRef()
    assert reference.GetAuthorityCode(None) == "3857"
    web = osr.SpatialReference()
    web.ImportFromEPSG(3857)
    assert 1_690_000 < layer.GetExtent()[0] < 1_710_000


def test_an_image_of_a_thousand_values_or_no_place_is_not_vectorised(bench, tmp_path, monkeypatch):
    monkeypatch.setattr(vectorising, "_MOST_POLYGONS", 100)
    noise = np.random.default_rng(1).integers(0, 60_000, (1, 80, 80)).astype(np.uint16)
    with pytest.raises(RunnerError, match="classify it first") as caught:
        bench.after(image_left(tmp_path / "source", noise), VECTORISING)
    assert caught.value.code == "WRONG_INPUT_ERROR"
    with pytest.raises(RunnerError, match="no place on the map"):
        bench.after(image_left(tmp_path / "unplaced", patches()[:1], epsg=None), VECTORISING)


def test_images_in_sensor_geometry_are_placed(bench, primary):
    classes = bench.after(primary, registry.WATERFINDER)
    assert not raster_of(classes).GetProjection()
    ran = bench.after(classes, VECTORISING, {"n_sieve_pixels": 50})
    water = [feature for feature in vectors(ran) if feature["properties"]["value"] == 1]
    largest = max(water, key=lambda feature: geometry.area_km2(feature["geometry"]))
    inside = ogr.CreateGeometryFromJson(json.dumps(largest["geometry"])).PointOnSurface()
    assert view.elevation(inside.GetX(), inside.GetY(), 5.0) < 0
    (zone,) = vectors(bench.after(classes, registry.ZONAL_STATISTICS, {"stats": ["mean", "count"]}), "merged.geojson")
    assert 0 < zone["properties"]["1_mean"] < 1


def test_counting_writes_what_the_service_writes(bench, tmp_path):
    before = bench.after(image_left(tmp_path / "source", patches()[:1], nodata=0), VECTORISING)
    ran = bench.after(before, registry.COUNT_OBJECTS)
    assert ran.files == ["count_objects.json", "data.json"]
    assert (ran.output / "count_objects.json").read_text() == "[Counter({'Polygon': 4})]\n"
    with pytest.raises(RunnerError, match="no GeoJSON"):
        bench.after(image_left(tmp_path / "raster", patches()), registry.COUNT_OBJECTS)


def test_blocks_of_the_registry_are_those_meant():
    assert block_id("kmeans-clustering") == KMEANS
    assert block_id("up42-ndvithreshold") == registry.NDVI_THRESHOLD
    assert block_id("geotiff-custom") == registry.GEOTIFF_CUSTOM


@pytest.mark.parametrize(
    ("block", "parameters", "ending"),
    [
        (registry.VECTORISING, {}, ".geojson"),
        (registry.ZONAL_STATISTICS, {"stats": ["mean"]}, ".geojson"),
        (registry.NDVI, {"output_original_raster": True}, ".tif"),
    ],
)
def test_images_that_share_a_name_are_all_kept(bench, tmp_path, block, parameters, ending):
    values = np.full((4, 20, 30), 100, np.uint16)
    values[3] = 300
    for folder in ("one", "two"):
        image_left(tmp_path / "source" / folder, values, "tile_0-0.tif")
    source = image_left(tmp_path / "source", values)
    features = [
        {**source.features[0], "properties": {"up42.data_path": f"{folder}/tile_0-0.tif"}} for folder in ("one", "two")
    ]
    (source.output / "data.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    ran = bench.after(source, block, parameters)
    paths = [feature["properties"]["up42.data_path"] for feature in ran.features]
    assert len(paths) == len(set(paths)) >= 2
    assert all((ran.output / path).is_file() and path.endswith(ending) for path in paths)
    assert ran.usage.scenes == 2
