"""Vectors and tables, in whatever file they come, are layers an analyst can use at once."""

from __future__ import annotations

import json

import numpy as np
import pytest
from osgeo import gdal, ogr

from tests.output_samples import vectors
from tests.raster_samples import data_json, feature, geotiff, output_of
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.layer_plan import LayerKind
from up42_plugin.core.outputs import prepare_output

POINT, SQUARE = "POINT (15 37)", "POLYGON ((15 37, 16 37, 16 38, 15 38, 15 37))"


def prepare(folder, **options):
    return prepare_output(folder, ThreadContext(), **options)


def titles(plans):
    return [plan.title for plan in plans]


def features_of(plan):
    """The features of a vector plan, as OGR reads them."""
    assert not plan.problem, plan.problem
    path, _, layer = plan.source.partition("|layername=")
    source = ogr.Open(path)
    found = source.GetLayerByName(layer.partition("|")[0]) if layer else source.GetLayer(0)
    return [json.loads(one.ExportToJson()) for one in found]


def test_a_geopackage_gives_each_layer_and_its_rasters(tmp_path):
    path = vectors(tmp_path / "a.gpkg", "GPKG", [("places", POINT), ("fields", SQUARE)])
    picture = geotiff(tmp_path / "b.tif", [np.full((300, 300), 7, np.uint8)])
    gdal.Translate(
        str(path), str(picture), format="GPKG", creationOptions=["APPEND_SUBDATASET=YES", "RASTER_TABLE=dem"]
    )
    plans = prepare(output_of(tmp_path, "a.gpkg"), block_title="Vectors")
    assert titles(plans)[:2] == ["Vectors 2021-09-18, places", "Vectors 2021-09-18, fields"]
    assert [len(features_of(plan)) for plan in plans[:2]] == [3, 3]
    assert plans[2].kind is LayerKind.RASTER
    assert gdal.Open(plans[2].source).RasterCount >= 1


@pytest.mark.parametrize(
    ("name", "driver"),
    [("a.shp", "ESRI Shapefile"), ("a.kml", "KML"), ("a.geojson", "GeoJSON"), ("a.fgb", "FlatGeobuf")],
)
def test_vector_files_in_a_folder_open(tmp_path, name, driver):
    vectors(tmp_path / "uuid" / name, driver, [("a", SQUARE)])
    (plan,) = prepare(output_of(tmp_path, "uuid"))
    assert (plan.kind, plan.source) == (LayerKind.VECTOR, str(tmp_path / "uuid" / name))
    assert features_of(plan)[0]["geometry"]["type"] == "Polygon"


ROWS = [("1", "15.25", "37.85", "A, b", "007"), ("2", "15.5", "37.9", "Ä", "")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("columns", [("lon", "lat"), ("Longitude", "LATITUDE"), ("X", "Y")])
def test_a_table_with_coordinates_is_points(tmp_path, delimiter, columns):
    lines = [delimiter.join(("id", *columns, "name", "code"))]
    lines += [delimiter.join(f'"{value}"' if delimiter in value else value for value in row) for row in ROWS]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    (plan,) = prepare(output_of(tmp_path, "a.csv"), block_title="Table")
    first, second = features_of(plan)
    assert first["geometry"] == {"type": "Point", "coordinates": [15.25, 37.85]}
    assert (first["properties"]["name"], first["properties"]["code"]) == ("A, b", "007")
    assert (second["properties"]["id"], second["properties"]["name"], second["properties"]["code"]) == (2, "Ä", None)


def test_a_table_of_shapes_and_one_with_decimal_commas_open(tmp_path):
    (tmp_path / "shapes.csv").write_text(f'name;wkt\na;"{SQUARE}"\nb;\n')
    (tmp_path / "comma.csv").write_bytes("Stadt;x;y\nMünchen;11,5;48,1\n".encode("latin-1"))
    shapes, comma = prepare(output_of(tmp_path, "shapes.csv", "comma.csv"))
    assert [one["geometry"] and one["geometry"]["type"] for one in features_of(shapes)] == ["Polygon", None]
    assert features_of(comma)[0]["geometry"]["coordinates"] == [11.5, 48.1]
    assert features_of(comma)[0]["properties"]["Stadt"] == "München"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,value\n1,2\n", "a.csv has no columns with coordinates"),
        ("x,y\n500000,4200000\n", "a.csv has coordinates that are no degrees"),
        ("x,y\na,b\n", "a.csv has no row with coordinates."),
        ("", "a.csv is empty."),
        (f"x,y,a\n1,2,{'long' * 50_000}\n", "a.csv cannot be read as a table."),
    ],
)
def test_a_table_that_cannot_be_placed_says_why(tmp_path, text, problem):
    (tmp_path / "a.csv").write_text(text)
    (plan,) = prepare(output_of(tmp_path, "a.csv"))
    assert plan.problem.startswith(problem)


def test_columns_of_a_table_are_numbers_only_where_nothing_is_lost(tmp_path):
    rows = ["x,y,count,id,code,share,part", "1,2,7,18446744073709551616,1_000,1e-3,nan", "1,2,-8,1,2,.5,1"]
    (tmp_path / "a.csv").write_text("\n".join(rows))
    (plan,) = prepare(output_of(tmp_path, "a.csv"))
    values = features_of(plan)[0]["properties"]
    assert [values[name] for name in ("count", "id", "code", "share", "part")] == [
        7, "18446744073709551616", "1_000", 0.001, "nan",
    ]  # fmt: skip


def test_the_merged_zonal_statistics_stand_for_those_of_each_image(tmp_path):
    for name in ("one.geojson", "two.geojson", "results_merged.geojson"):
        vectors(tmp_path / name, "GeoJSON", [("a", SQUARE)])
    days = {"one.geojson": "2021-01-01T10:00:00Z", "two.geojson": "2021-02-01T10:00:00Z"}
    data_json(tmp_path, *(feature(name, datetime=day) for name, day in days.items()))
    (plan,) = prepare(tmp_path, block_title="Zonal statistics")
    assert plan.source == str(tmp_path / "results_merged.geojson")
    assert (plan.title, plan.acquired) == ("Zonal statistics", None)


def test_several_vector_files_are_told_apart_by_what_they_hold(tmp_path):
    names = ("building=__2020-08-31T14_36_02Z.geojson", "highway=__2020-08-31T14_36_02Z.geojson")
    for name in names:
        vectors(tmp_path / "uuid" / name, "GeoJSON", [("a", SQUARE)])
    plans = prepare(data_json(tmp_path, *(feature(f"uuid/{name}") for name in names)), block_title="OpenStreetMap")
    assert titles(plans) == ["OpenStreetMap 2020-08-31, building", "OpenStreetMap 2020-08-31, highway"]
