"""What mends do to polygons, for any polygon: they help, they keep what is sound, and they are as large as asked."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from osgeo import ogr

from up42_plugin.core import mending
from up42_plugin.core.advice import area_advice, sides_km
from up42_plugin.core.aoi import AOI, AoiError, bbox_ring
from up42_plugin.core.area_file import write_area
from up42_plugin.core.context import ThreadContext
from up42_plugin.core.geometry import errors as codes
from up42_plugin.core.geometry.area import polygon_area_km2
from up42_plugin.core.geometry.polygons import is_valid, to_ogr
from up42_plugin.core.shapes import pasted_shapes, read_vector_file
from up42_plugin.core.workflow import Block, BlockType, Step, Workflow

calm = settings(
    max_examples=100,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much],
)


def square(x, y, side=0.01):
    return (((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)),)


@st.composite
def stars(draw, smallest=1e-4, largest=0.2):
    corners = draw(st.integers(3, 12))
    size = draw(st.floats(smallest, largest))
    x0, y0 = draw(st.floats(-170, 170)), draw(st.floats(-70, 70))
    turns = sorted(draw(st.lists(st.integers(0, 359), min_size=corners, max_size=corners, unique=True)))
    reach = draw(st.lists(st.floats(0.2, 1), min_size=corners, max_size=corners))
    ring = [
        (x0 + size * far * math.cos(math.radians(turn)), y0 + size * far * math.sin(math.radians(turn)))
        for turn, far in zip(turns, reach)
    ]
    rings = ((*ring, ring[0]),)
    assume(is_valid(rings))
    return rings


@calm
@given(st.lists(stars(), min_size=1, max_size=4))
def test_the_hull_is_one_polygon_that_covers_all_parts(parts):
    hull = mending.joined(parts)
    assert len(hull) == 1
    assert len(hull[0]) == 1
    around = to_ogr(hull[0]).Buffer(1e-9)
    assert all(around.Contains(to_ogr(rings)) for rings in parts)


@calm
@given(stars(1e-4, 1e-3), st.floats(0, 0.002), st.floats(0.1, 50), st.booleans())
def test_enlarging_reaches_the_minimum_and_hardly_more(rings, apart, minimum, boxed):
    assume(mending.total_km2([rings]) > 1e-5)
    parts = [rings, tuple(tuple((x + apart, y) for x, y in ring) for ring in rings)]
    larger = mending.enlarged(parts, minimum, boxed)
    before, after = size_of(parts, boxed), size_of(larger, boxed)
    assert after >= minimum * (1 - 1e-3)
    assert after <= max(before, minimum) * 1.05
    assert [len(rings[0]) for rings in larger] == [len(rings[0]) for rings in parts]


def size_of(parts, boxed):
    return polygon_area_km2((bbox_ring(mending.box_of(parts)),)) if boxed else mending.total_km2(parts)


def test_enlarging_leaves_what_is_large_enough():
    assert mending.enlarged([square(15, 37)], 0.1) == [square(15, 37)]
    assert mending.enlarged([], 0.1) == []


@calm
@given(stars(0.01, 0.2), st.floats(5, 500))
def test_a_buffer_grows_by_its_distance(rings, metres):
    before = to_ogr(rings)
    grown = mending.buffered([bytes(before.ExportToWkb())], metres)
    assert len(grown) == 1
    assert to_ogr(grown[0]).Buffer(1e-9).Contains(before)


@pytest.mark.parametrize("latitude", [0.0, 37.85, -65.0])
def test_a_buffered_point_is_a_circle_of_that_radius(latitude):
    point = ogr.CreateGeometryFromWkt(f"Point (15 {latitude})")
    found = mending.buffered([bytes(point.ExportToWkb())], 1000)
    assert mending.total_km2(found) == pytest.approx(math.pi, rel=0.02)
    assert mending.buffered([bytes(point.ExportToWkb())], 0) == []


@calm
@given(st.lists(st.tuples(st.floats(10, 10.2), st.floats(40, 40.2)), min_size=4, max_size=9, unique=True))
def test_repaired_outlines_are_valid(points):
    for rings in mending.repaired([((*points, points[0]),)]):
        assert is_valid(rings)


def test_repairing_leaves_sound_polygons_alone():
    assert mending.total_km2(mending.repaired([square(15, 37)])) == pytest.approx(mending.total_km2([square(15, 37)]))


@calm
@given(st.floats(0.01, 5), st.floats(0.01, 5), st.floats(-70, 70), st.booleans())
def test_the_larger_side_of_the_meridian_is_kept(west, east, south, stepping):
    x1, x2 = 180 - west, 180 + east
    if stepping:
        x2 -= 360
    ring = ((x1, south), (x2, south), (x2, south + 1), (x1, south + 1), (x1, south))
    found = mending.larger_side([ring_of(ring)])
    assert len(found) == 1
    aoi = AOI.from_polygons(found)
    expected = (180 - west, 180) if west >= east else (-180, -180 + east)
    assert (aoi.bbox[0], aoi.bbox[2]) == pytest.approx(expected, abs=1e-5) or west == pytest.approx(east, rel=1e-3)


def ring_of(ring):
    return (tuple(ring),)


def test_an_outline_round_a_pole_has_no_sides():
    ring = tuple((x, 80.0) for x in (-170, -90, 0, 90, 170, -170))
    assert mending.larger_side([(ring,)]) == []


@calm
@given(stars(0.01, 0.2))
def test_cutting_never_leaves_the_frame(rings):
    x, y = rings[0][0]
    frame = square(x, y, 0.05)
    window = to_ogr(frame).Buffer(1e-9)
    assert all(window.Contains(to_ogr(part)) for part in mending.cut([rings], frame))


@calm
@given(stars(0.02, 0.2), st.sampled_from(mending.SIMPLIFYING_DEG))
def test_simplifying_keeps_to_its_tolerance(rings, tolerance):
    before = to_ogr(rings)
    found = mending.simplified([rings], tolerance)
    assert found
    assert all(is_valid(part) for part in found)
    after = to_ogr(found[0])
    for part in found[1:]:
        after = after.Union(to_ogr(part))
    # Corners are cut rather than rounded, so that sharp ones may reach a little farther.
    assert before.Buffer(4 * tolerance).Contains(after)
    assert after.Buffer(4 * tolerance).Contains(before)


def test_every_mendable_code_has_a_mend():
    for code in (codes.PARTS, codes.TOO_SMALL, codes.SELF_CROSSING, codes.ANTIMERIDIAN, codes.NO_CRS):
        assert mending.mends_of(code)
    assert mending.mends_of(codes.EMPTY) == ()


@pytest.mark.parametrize(
    ("text", "crs", "count"),
    [
        ("POLYGON((15 37,15.1 37,15.1 37.1,15 37))", "EPSG:4326", 1),
        ("SRID=32633;POLYGON((5e5 4e6,5.1e5 4e6,5.1e5 4.1e6,5e5 4e6))", "EPSG:32633", 1),
        ('{"type": "Polygon", "coordinates": [[[15, 37], [15.1, 37], [15.1, 37.1], [15, 37]]]}', "EPSG:4326", 1),
        ('{"type": "LineString", "coordinates": [[15, 37], [15.1, 37]]}', "EPSG:4326", 1),
    ],
)
def test_pasted_text_is_read(text, crs, count):
    shapes = pasted_shapes(text)
    assert shapes.crs == crs
    assert len(shapes.wkbs) == count


@pytest.mark.parametrize("text", ["hello", "{", '{"type": "Polygon"}', "POLYGON EMPTY", "POLYGON((1 2"])
def test_other_text_is_refused(text):
    with pytest.raises(AoiError):
        pasted_shapes(text)


@pytest.mark.parametrize("name", ["area.gpkg", "area.geojson", "area.shp", "area"])
def test_an_area_written_is_read_again(tmp_path, name):
    aoi = AOI.from_polygons([square(15.28, 37.84)], "here")
    path = write_area(tmp_path / name, aoi)
    shapes = read_vector_file(path, ThreadContext())
    assert AOI.from_wkbs(shapes.wkbs).digest == aoi.digest
    assert "84" in shapes.crs
    assert write_area(path, aoi) == path


def test_files_without_areas_are_refused(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no vectors here")
    with pytest.raises(AoiError, match="cannot be read"):
        read_vector_file(text, ThreadContext())
    with pytest.raises(AoiError, match=re.escape(f"missing.gpkg is not in {tmp_path}. Choose the file again.")):
        read_vector_file(tmp_path / "missing.gpkg", ThreadContext())


def test_super_resolution_advises_and_others_do_not():
    ring = ((15.0, 37.0), (15.019, 37.0), (15.019, 37.01), (15.0, 37.01), (15.0, 37.0))
    aoi = AOI.from_polygons([(ring,)])
    width, height = sides_km(aoi)
    assert width == pytest.approx(1.69, abs=0.01)
    assert height == pytest.approx(1.11, abs=0.01)
    data = Step("d:1", Block("1", "sentinelhub-s2", "Data", BlockType.DATA))
    step = Step("s:1", Block("2", "s2-superresolution", "Super-resolution Sentinel-2", BlockType.PROCESSING))
    told = area_advice(Workflow("w", "w", "", (data, step)), aoi)
    assert told == ("Super-resolution asks for at least 1.92\u00a0km on each side; this area is 1.69 × 1.11\u00a0km.",)
    assert area_advice(Workflow("w", "w", "", (data,)), aoi) == ()
    assert area_advice(None, aoi) == ()
