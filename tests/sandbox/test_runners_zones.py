"""Zonal statistics against numpy's own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from derived_kit import document, image_left, layer_of
from osgeo import osr
from runner_kit import WaveArchive, Workbench, sentinel_scene

from up42_plugin.sandbox.runners import registry
from up42_plugin.sandbox.runners.contract import RunnerError

ZONAL = registry.ZONAL_STATISTICS
ALL = ["min", "max", "mean", "sum", "std", "median", "majority", "minority", "unique", "range", "nodata", "count"]


@pytest.fixture
def bench(tmp_path):
    return Workbench(tmp_path / "bench", WaveArchive([sentinel_scene()]))


def image(bands=2, height=50, width=60, dtype=np.uint16):
    rows, columns = np.mgrid[0:height, 0:width]
    values = np.stack([100 * band + rows // 7 * 9 + columns // 5 for band in range(1, bands + 1)]).astype(dtype)
    values[:, 10:14, 20:24] = 0
    return values


def zone(columns, rows, **properties):
    """A zone over pixels of the image, in degrees."""
    source, target = osr.SpatialReference(), osr.SpatialReference()
    source.ImportFromEPSG(32633)
    target.ImportFromEPSG(4326)
    for reference in (source, target):
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
    turn = osr.CoordinateTransformation(source, target)
    (left, right), (top, bottom) = columns, rows
    corners = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
    ring = [list(turn.TransformPoint(525000 + 10 * c, 4190000 - 10 * r)[:2]) for c, r in corners]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def expected(values):
    known = values[values > 0].astype(float)
    found, counts = np.unique(known, return_counts=True)
    return {
        "min": known.min(),
        "max": known.max(),
        "mean": pytest.approx(known.mean()),
        "sum": known.sum(),
        "std": pytest.approx(known.std()),
        "median": np.median(known),
        "majority": found[counts.argmax()],
        "minority": found[counts.argmin()],
        "unique": found.size,
        "range": known.max() - known.min(),
        "nodata": int((values == 0).sum()),
        "count": known.size,
        "percentile_90": pytest.approx(np.percentile(known, 90)),
    }


def test_every_statistic_is_numpys(bench, tmp_path):
    values = image()
    before = image_left(tmp_path / "source", values, nodata=0)
    zones = [zone((5, 31), (3, 33), field="A"), zone((40, 52), (30, 44))]
    ran = bench.after(before, ZONAL, {"stats": [*ALL, "percentile_90"], "zones": zones, "zones_attribute_id": "field"})
    assert ran.files == ["data.json", "image.geojson", "results_merged.geojson"]
    first, second = document(ran, "image.geojson")["features"]
    assert (first["properties"].pop("field"), second["properties"].pop("field")) == ("A", 1)
    for feature, (rows, columns) in ((first, (slice(3, 33), slice(5, 31))), (second, (slice(30, 44), slice(40, 52)))):
        wanted = {
            f"{band}_{name}": value
            for band in (1, 2)
            for name, value in expected(values[band - 1, rows, columns]).items()
        }
        assert feature["properties"] == wanted


def test_zones_are_in_the_crs_of_the_image_which_the_file_names(bench, tmp_path):
    before = image_left(tmp_path / "source", image(), nodata=0)
    ran = bench.after(before, ZONAL, {"zones": [zone((5, 31), (3, 33))]})
    for name in ("image.geojson", "results_merged.geojson"):
        assert document(ran, name)["crs"] == {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
        layer = layer_of(ran.output / name)
        assert layer.GetSpatialRef().GetAuthorityCode(None) == "32633"
        assert layer.GetExtent() == pytest.approx((525050, 525310, 4189670, 4189970), abs=0.01)


def test_data_json_holds_the_statistics_of_every_zone(bench, tmp_path):
    before = image_left(tmp_path / "source", image(), nodata=0)
    zones = [zone((5, 31), (3, 33)), zone((900, 910), (3, 33))]
    inside, outside = bench.after(before, ZONAL, {"stats": ["mean", "count"], "zones": zones}).features
    assert inside["geometry"] == zones[0]["geometry"]
    assert inside["properties"]["cloudCover"] == 3
    assert inside["properties"]["up42.data_path"] == "image.geojson"
    assert inside["properties"]["1_count"] == 30 * 26 - 16
    assert inside["properties"]["1_mean"] == pytest.approx(expected(image()[0, 3:33, 5:31])["mean"])
    assert (outside["properties"]["1_mean"], outside["properties"]["1_count"]) == (None, 0)


def test_without_zones_the_image_is_the_zone(bench, tmp_path):
    values = image(dtype=np.float32)
    values[0, 0, 0] = np.nan
    ran = bench.after(image_left(tmp_path / "source", values, nodata=0), ZONAL)
    (feature,) = document(ran, "image.geojson")["features"]
    known = values[0][np.isfinite(values[0]) & (values[0] != 0)]
    assert set(feature["properties"]) == {"zone_id"} | {
        f"{band}_{name}" for band in (1, 2) for name in ("min", "max", "mean", "median", "std", "count")
    }
    assert feature["properties"]["1_mean"] == pytest.approx(known.mean(dtype=float))
    assert feature["properties"]["1_count"] == known.size
    xs, ys = zip(*feature["geometry"]["coordinates"][0])
    assert (min(xs), max(xs), min(ys), max(ys)) == (525000, 525600, 4189500, 4190000)


def test_images_of_several_zones_are_merged_in_degrees(bench, tmp_path):
    before = image_left(tmp_path / "source", image(), nodata=0)
    image_left(tmp_path / "other", image(), "west.tif", epsg=32632, nodata=0)
    (tmp_path / "other" / "west.tif").replace(before.output / "west.tif")
    collection = document(before, "data.json")
    second = json.loads(json.dumps(collection["features"][0]))
    second["properties"]["up42.data_path"] = "west.tif"
    collection["features"].append(second)
    (before.output / "data.json").write_text(json.dumps(collection))
    ran = bench.after(before, ZONAL)
    assert ran.files == ["data.json", "image.geojson", "results_merged.geojson", "west.geojson"]
    merged = document(ran, "results_merged.geojson")
    assert "crs" not in merged
    west = [min(x for x, _ in feature["geometry"]["coordinates"][0]) for feature in merged["features"]]
    assert 15.2 < west[0] < 15.4
    assert 9.2 < west[1] < 9.4


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"stats": []}, "at least one"),
        ({"stats": ["average"]}, "'average' is none of"),
        ({"stats": ["percentile_101"]}, "percentile_101"),
        ({"zones": [{"type": "Point", "coordinates": [15, 37]}]}, "number 0"),
        ({"zones": [zone((5, 31), (3, 33)), {"type": "Feature", "geometry": None}]}, "number 1"),
    ],
)
def test_what_has_no_meaning_is_refused(bench, tmp_path, parameters, said):
    before = image_left(tmp_path / "source", image(), nodata=0)
    with pytest.raises(RunnerError, match=said) as caught:
        bench.after(before, ZONAL, parameters)
    assert caught.value.code == "INPUT_PARAMETERS_ERROR"
