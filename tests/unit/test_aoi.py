"""The rules of the area of interest: what is mended, what is refused, and how it is said."""

from __future__ import annotations

import math

import pytest
from aoi_kit import (
    SAMPLE,
    aoi_of,
    box,
    gdal_style,  # noqa: F401 - a fixture for every test
    refusal,
)
from osgeo import ogr

from up42_plugin.core.aoi import AOI, AoiError, AoiProblem, box_area_km2, size_problems
from up42_plugin.core.geometry import errors as codes
from up42_plugin.core.geometry.area import polygon_area_km2
from up42_plugin.core.geometry.polygons import is_valid, signed_area


def test_the_sample_becomes_the_published_polygon():
    """Six decimals, the same starting point, anticlockwise: as in the vendor's example of a job."""
    aoi = AOI.from_geojson({"type": "Polygon", "coordinates": [SAMPLE]}, source="sample")
    assert aoi.geojson() == {
        "type": "Polygon",
        "coordinates": [
            [
                [15.282326, 37.854051],
                [15.281897, 37.843275],
                [15.301208, 37.843139],
                [15.301809, 37.853577],
                [15.282326, 37.854051],
            ]
        ],
    }
    assert round(aoi.area_km2, 2) == 2.01
    assert round(box_area_km2(aoi), 2) == 2.12
    assert aoi.bbox == (15.281897, 37.843139, 15.301809, 37.854051)
    assert (aoi.source, aoi.holes, aoi.vertices) == ("sample", 0, 4)


@pytest.mark.parametrize(
    "rings",
    [
        [(0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01)],
        [(0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01), (0, 0), (0, 0)],
        [(0, 0), (0, 0), (0.01, 0), (0.01, 0), (0.01, 0.01), (0, 0.01), (0, 0)],
        [(0, 0), (0, 0.01), (0.01, 0.01), (0.01, 0), (0, 0)],
        [(0, 0), (0.01, 0), (0.02, 0), (0.01, 0), (0.01, 0.01), (0, 0.01), (0, 0)],
        [(0, 0), (0.01, 0), (0.01, 0.01), (0.005, 0.01), (0.005, 0.02), (0.005, 0.01), (0, 0.01), (0, 0)],
        [(0.02, 0), (0, 0), (0, 0.01), (0.01, 0.01), (0.01, 0), (0.02, 0)],
    ],
    ids=["open", "closed twice", "repeated points", "clockwise", "spike", "spike in an edge", "spike at the start"],
)
def test_small_faults_are_mended(rings):
    aoi = AOI.from_geojson({"type": "Polygon", "coordinates": [rings]})
    assert aoi.bbox == (0, 0, 0.01, 0.01)
    assert aoi.area_km2 == pytest.approx(polygon_area_km2((((0, 0), (0.01, 0), (0.01, 0.01), (0, 0.01), (0, 0)),)))
    assert aoi.rings[0][0] == aoi.rings[0][-1]
    assert signed_area(aoi.rings[0]) > 0
    assert is_valid(aoi.rings)


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON((0 0,1 1,1 0,0 1,0 0))",
        "POLYGON((0 0,2 0,2 1,1 1,1 -1,0 -1,0 0))",
        "POLYGON((0 0,4 0,4 4,1 1,3 1,0 4,0 0))",
        "POLYGON((0 0,3 0,3 3,1 3,1 1,2 1,2 4,0 4,0 0))",
        "POLYGON((0 3,2 -3,-3 1,3 1,-2 -3,0 3))",
    ],
    ids=["bow tie", "loop", "small lobe", "loop over itself", "star"],
)
def test_an_outline_that_crosses_itself_is_refused(text):
    for boxed in (False, True):
        error = refusal(text, boxed=boxed)
        assert error.code == codes.SELF_CROSSING
        assert error.user_message == "The outline crosses itself."


def test_a_crossing_far_from_the_origin_is_seen():
    error = refusal("POLYGON((15 37,15.01 37.01,15.01 37,15 37.01,15 37))")
    assert error.code == codes.SELF_CROSSING


def test_a_crossing_hole_is_refused():
    inside = "(0.2 0.2,0.4 0.2,0.4 0.4,0.2 0.4,0.2 0.2)"
    crossing = "(0.5 0.5,1.5 0.5,1.5 0.7,0.5 0.7,0.5 0.5)"
    outside = "(2 2,3 2,3 3,2 3,2 2)"
    overlapping = "(0.3 0.3,0.5 0.3,0.5 0.5,0.3 0.5,0.3 0.3)"
    shell = "(0 0,1 0,1 1,0 1,0 0)"
    for holes in (f"{crossing}", f"{outside}", f"{inside},{overlapping}"):
        error = refusal(f"POLYGON({shell},{holes})")
        assert error.code == codes.HOLE_CROSSING
        assert error.user_message == "A hole crosses the outline."


def test_holes_are_kept_clockwise():
    aoi = aoi_of("POLYGON((0 0,0 1,1 1,1 0,0 0),(0.2 0.2,0.4 0.2,0.4 0.4,0.2 0.4,0.2 0.2))")
    assert aoi.holes == 1
    assert signed_area(aoi.rings[0]) > 0 > signed_area(aoi.rings[1])
    filled = aoi.without_holes()
    assert filled.holes == 0
    assert filled.area_km2 == pytest.approx(aoi.area_km2 + polygon_area_km2(aoi.rings[1:]), rel=1e-9)


def test_a_hole_that_touches_the_outline_is_mended():
    touching = aoi_of("POLYGON((0 0,1 0,1 1,0 1,0 0),(0 0.5,0.2 0.4,0.2 0.6,0 0.5))")
    assert is_valid(touching.rings)
    along = aoi_of("POLYGON((0 0,1 0,1 1,0 1,0 0),(0 0.4,0.2 0.4,0.2 0.6,0 0.6,0 0.4))")
    assert along.holes == 0
    assert along.area_km2 == pytest.approx(12308.5 * 0.96, rel=1e-3)


def test_an_outline_that_touches_itself_is_mended():
    ring = "POLYGON((0 0,4 0,4 4,2 0,0 4,0 0))"
    aoi = aoi_of(ring)
    assert is_valid(aoi.rings)
    assert aoi.area_km2 == pytest.approx(98434, rel=1e-4)


def test_a_collapsed_hole_is_dropped():
    aoi = aoi_of("POLYGON((0 0,1 0,1 1,0 1,0 0),(0.5 0.5,0.5000001 0.5,0.5000001 0.5000001,0.5 0.5))")
    assert aoi.holes == 0


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON Z((0 0 5,0.1 0 5,0.1 0.1 5,0 0.1 5,0 0 5))",
        "POLYGON M((0 0 5,0.1 0 5,0.1 0.1 5,0 0.1 5,0 0 5))",
        "POLYGON ZM((0 0 5 1,0.1 0 5 1,0.1 0.1 5 1,0 0.1 5 1,0 0 5 1))",
        f"MULTIPOLYGON({box(0, 0, 0.1, 0.1)})",
        f"GEOMETRYCOLLECTION(POINT(3 3),POLYGON{box(0, 0, 0.1, 0.1)},LINESTRING(0 0,5 5))",
        "MULTISURFACE(((0 0,0.1 0,0.1 0.1,0 0.1,0 0)))",
        "CURVEPOLYGON((0 0,0.1 0,0.1 0.1,0 0.1,0 0))",
        "POLYHEDRALSURFACE Z(((0 0 0,0.1 0 0,0.1 0.1 0,0 0.1 0,0 0 0)))",
        "TIN Z(((0 0 0,0.1 0 0,0.1 0.1 0,0 0 0)),((0 0 0,0.1 0.1 0,0 0.1 0,0 0 0)))",
    ],
)
def test_polygons_of_every_kind(text):
    aoi = aoi_of(text)
    assert aoi.bbox == (0, 0, 0.1, 0.1)
    assert aoi.area_km2 == pytest.approx(123.09, rel=1e-3)
    assert all(len(point) == 2 for point in aoi.rings[0])


def test_curves_are_drawn_out_to_points():
    aoi = aoi_of("CURVEPOLYGON(CIRCULARSTRING(0 0,0.1 0.1,0.2 0,0.1 -0.1,0 0))")
    assert aoi.vertices > 300
    circle = math.pi * 0.1**2 * polygon_area_km2((((0, -0.5), (1, -0.5), (1, 0.5), (0, 0.5), (0, -0.5)),))
    assert aoi.area_km2 == pytest.approx(circle, rel=2e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LINESTRING(0 0,1 1)", "Lines have no area."),
        ("MULTILINESTRING((0 0,1 1))", "Lines have no area."),
        ("CIRCULARSTRING(0 0,1 1,2 0)", "Lines have no area."),
        ("POINT(0 0)", "Points have no area."),
        ("MULTIPOINT(0 0,1 1)", "Points have no area."),
        ("POLYGON EMPTY", "The geometry is empty."),
        ("GEOMETRYCOLLECTION EMPTY", "The geometry is empty."),
        ("POLYGON((0 0,1 1,2 2,0 0))", "The area is empty."),
        ("POLYGON((0 0,1 1,0 0))", "The geometry is empty."),
    ],
)
def test_what_has_no_area_is_refused(text, message):
    assert refusal(text).user_message == message


@pytest.mark.parametrize("content", [b"", b"abc", b"\x01\x03\x00\x00\x00\xff\xff\xff\xff"])
def test_broken_wkb_is_refused(content):
    with pytest.raises(AoiError) as caught:
        AOI.from_wkbs([content])
    assert caught.value.code == codes.UNREADABLE


def test_nothing_at_all_is_refused():
    with pytest.raises(AoiError) as caught:
        AOI.from_wkbs([])
    assert caught.value.code == codes.EMPTY


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_coordinates_that_are_no_numbers_are_refused(number):
    geometry = ogr.Geometry(ogr.wkbPolygon)
    ring = ogr.Geometry(ogr.wkbLinearRing)
    for x, y in ((0, 0), (1, 0), (1, number), (0, 0)):
        ring.AddPoint_2D(x, y)
    geometry.AddGeometry(ring)
    with pytest.raises(AoiError) as caught:
        AOI.from_wkbs([bytes(geometry.ExportToWkb())])
    assert caught.value.user_message == "A coordinate is not a number."


def test_touching_parts_are_joined():
    aoi = aoi_of(f"POLYGON{box(0, 0, 1, 1)}", f"POLYGON{box(1, 0, 2, 1)}", f"POLYGON{box(0.5, 0.5, 1.5, 1.5)}")
    assert aoi.bbox == (0, 0, 2, 1.5)
    assert aoi.holes == 0


def test_a_hairline_gap_between_parts_is_closed():
    aoi = aoi_of(f"POLYGON{box(0, 0, 1, 1)}", f"POLYGON{box(1.0000004, 0, 2, 1)}")
    assert aoi.bbox == (0, 0, 2, 1)
    assert aoi.area_km2 == pytest.approx(polygon_area_km2((((0, 0), (2, 0), (2, 1), (0, 1), (0, 0)),)), rel=1e-5)


def test_parts_that_touch_at_a_corner_are_joined_there():
    aoi = aoi_of(f"POLYGON{box(0, 0, 1, 1)}", f"POLYGON{box(1, 1, 2, 2)}")
    assert aoi.bbox == (0, 0, 2, 2)
    assert is_valid(aoi.rings)
    assert {(0, 0), (1, 0), (2, 2), (1, 2), (0, 1)} < set(aoi.rings[0])


def test_a_hairline_hole_between_parts_is_closed():
    left = "POLYGON((0 0,1 0,1 0.4,0.9999997 0.5,1 0.6,1 1,0 1,0 0))"
    right = f"POLYGON{box(1, 0, 2, 1)}"
    assert aoi_of(left, right).holes == 0


def test_separate_parts_are_refused_and_counted():
    error = refusal(f"POLYGON{box(0, 0, 1, 1)}", f"MULTIPOLYGON({box(2, 0, 3, 1)},{box(4, 0, 5, 1)})")
    assert error.code == codes.PARTS
    assert error.user_message == "3 separate parts. A job takes one polygon."


def test_an_island_in_a_hole_is_a_separate_part():
    ring = "POLYGON((0 0,4 0,4 4,0 4,0 0),(1 1,3 1,3 3,1 3,1 1))"
    assert refusal(ring, f"POLYGON{box(1.5, 1.5, 2.5, 2.5)}").code == codes.PARTS


def test_separate_parts_with_the_bbox_filter_become_the_box_of_all():
    aoi = aoi_of(f"POLYGON{box(0, 0, 1, 1)}", f"POLYGON{box(2, 2, 3, 3)}", boxed=True)
    assert aoi.rings == (((0, 0), (3, 0), (3, 3), (0, 3), (0, 0)),)
    assert aoi.area_km2 == pytest.approx(box_area_km2(aoi))


def test_one_part_with_the_bbox_filter_stays_a_polygon():
    triangle = aoi_of("POLYGON((0 0,1 0,1 1,0 0))", boxed=True)
    assert triangle.vertices == 3
    assert box_area_km2(triangle) == pytest.approx(2 * triangle.area_km2, rel=1e-2)


def test_several_problems_are_told_together():
    error = refusal(f"POLYGON{box(0, 0, 0.001, 0.001)}", f"POLYGON{box(1, 0, 1.001, 0.001)}")
    assert error.codes == (codes.PARTS, codes.TOO_SMALL)
    expected = "2 separate parts. A job takes one polygon. Below the minimum of 0.1\u00a0km²."
    assert error.user_message == expected
    assert [problem.message for problem in error.problems] == [
        "2 separate parts. A job takes one polygon.",
        "Below the minimum of 0.1\u00a0km².",
    ]


def test_too_small_an_area_is_refused_and_handed_over_for_showing():
    side = math.sqrt(0.05) / 111.195
    error = refusal(f"POLYGON{box(0, 0, side, side)}")
    assert error.user_message == "Below the minimum of 0.1\u00a0km²."
    assert error.aoi.area_km2 == pytest.approx(0.05, rel=0.01)


def test_the_smallest_area_can_be_set():
    side = math.sqrt(0.05) / 111.195
    assert aoi_of(f"POLYGON{box(0, 0, side, side)}", minimum_km2=0).area_km2 == pytest.approx(0.05, rel=0.01)


def test_the_box_must_reach_the_minimum_when_the_filter_is_bbox():
    thin = "POLYGON((0 0,0.1 0.1,0.1 0.1001,0 0.0001,0 0))"
    assert aoi_of(thin, boxed=True).area_km2 > 0.1
    thinner = "POLYGON((0 0,0.01 0.01,0.01 0.01005,0 0.00005,0 0))"
    assert refusal(thinner).code == codes.TOO_SMALL
    assert aoi_of(thinner, boxed=True).area_km2 < 0.1


def test_the_maximum_is_the_project_s():
    assert size_problems(100.01, 0.1, 100)[0].message == (
        "Above 100\u00a0km², this project's limit for live jobs. Test queries have no upper limit."
    )
    assert size_problems(100, 0.1, 100) == ()
    assert size_problems(1e6, 0.1, None) == ()


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON((179 0,181 0,181 1,179 1,179 0))",
        "POLYGON((-179 0,-181 0,-181 1,-179 1,-179 0))",
        "POLYGON((179 0,-179 0,-179 1,179 1,179 0))",
        "POLYGON((-60 80,60 80,179 80,-179 80,-60 80))",
    ],
)
def test_the_180th_meridian_is_refused(text):
    assert refusal(text).user_message == "Crosses the 180° meridian."


def test_parts_on_both_sides_of_the_180th_meridian_have_no_box():
    parts = [f"POLYGON{box(179, 0, 179.9, 1)}", f"POLYGON{box(-179.9, 0, -179, 1)}"]
    assert refusal(*parts, boxed=True).code == codes.ANTIMERIDIAN
    assert refusal(*parts).code == codes.PARTS


@pytest.mark.parametrize(
    ("west", "expected"), [(179, 179), (180, -180), (185, -175), (-185, 175), (-181, 179), (359, -1), (500, 140)]
)
def test_whole_turns_of_longitude_are_taken_back(west, expected):
    assert aoi_of(f"POLYGON{box(west, 10, west + 1, 11)}").bbox == (expected, 10, expected + 1, 11)


@pytest.mark.parametrize("text", [f"POLYGON{box(500000, 4100000, 500100, 4100100)}", f"POLYGON{box(0, 89, 1, 90.1)}"])
def test_coordinates_that_are_no_longitude_and_latitude_are_refused(text):
    error = refusal(text)
    assert error.code == codes.OUT_OF_RANGE
    assert error.user_message == "Outside the range of longitude and latitude. Check the layer's CRS."


def test_the_whole_world_is_an_area():
    aoi = AOI.from_bbox((-180, -90, 180, 90))
    assert aoi.area_km2 == pytest.approx(510_065_621.7, rel=1e-9)


def test_a_box():
    aoi = AOI.from_bbox((15.1234567, 37, 15.2, 37.1), source="map extent")
    assert aoi.rings == (((15.123457, 37), (15.2, 37), (15.2, 37.1), (15.123457, 37.1), (15.123457, 37)),)
    assert aoi.source == "map extent"


@pytest.mark.parametrize(
    ("bbox", "code"),
    [
        ((179, 0, -179, 1), codes.ANTIMERIDIAN),
        ((0, 1, 1, 0), codes.UNREADABLE),
        ((0, 0, math.nan, 1), codes.NOT_FINITE),
        ((0, 0, 1, 0), codes.EMPTY),
        ((0, 0, 0.0001, 0.0001), codes.TOO_SMALL),
    ],
)
def test_a_box_that_is_none(bbox, code):
    with pytest.raises(AoiError) as caught:
        AOI.from_bbox(bbox)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (AoiProblem(codes.PARTS, "2 separate parts. A job takes one polygon."), "it has 2 separate parts."),
        (AoiProblem(codes.TOO_SMALL, "Below the minimum of 0.1 km²."), "it is below the minimum of 0.1 km²."),
        (AoiProblem(codes.SELF_CROSSING, "The outline crosses itself."), "it crosses itself."),
        (AoiProblem(codes.ANTIMERIDIAN, "Crosses the 180° meridian."), "it crosses the 180° meridian."),
        (
            AoiProblem(codes.OUTSIDE_CRS, "Partly outside the area of EPSG:32633."),
            "it is partly outside the area of EPSG:32633.",
        ),
        (
            AoiProblem(codes.OUT_OF_RANGE, "Outside the range of longitude and latitude. Check the layer's CRS."),
            "it is outside the range of longitude and latitude.",
        ),
        (AoiProblem(codes.NOT_A_POLYGON, "Lines have no area."), "lines have no area."),
        (AoiProblem(codes.NO_CRS, "The layer has no CRS."), "the layer has no CRS."),
        (AoiProblem(codes.UNREADABLE, "GML cannot be read."), "GML cannot be read."),
    ],
)
def test_each_problem_goes_on_in_the_reason_line(problem, reason):
    assert problem.reason == reason
