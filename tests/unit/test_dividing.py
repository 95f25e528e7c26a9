"""Areas cut into pieces: they cover the whole, do not overlap, and each is one polygon under the limit."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from up42_plugin.core.aoi import AOI, bbox_ring
from up42_plugin.core.dividing import MOST_PIECES, divided, measured
from up42_plugin.core.geometry.area import polygon_area_km2
from up42_plugin.core.geometry.polygons import is_valid, to_ogr

LIMIT = 100.0
calm = settings(
    max_examples=60,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@st.composite
def stars(draw):
    """Stars of 100 to some thousand km², some with a hole."""
    corners = draw(st.integers(3, 40))
    size = draw(st.floats(0.08, 0.3))
    x0, y0 = draw(st.floats(-170, 170)), draw(st.floats(-65, 65))
    turns = sorted(draw(st.lists(st.integers(0, 359), min_size=corners, max_size=corners, unique=True)))
    reach = draw(st.lists(st.floats(0.25, 1), min_size=corners, max_size=corners))
    wide = size / math.cos(math.radians(y0)) if draw(st.booleans()) else size * draw(st.floats(0.3, 3))
    ring = [
        (x0 + wide * far * math.cos(math.radians(turn)), y0 + size * far * math.sin(math.radians(turn)))
        for turn, far in zip(turns, reach)
    ]
    rings = ((*ring, ring[0]),)
    if draw(st.booleans()):
        rings = (*rings, tuple(reversed(bbox_ring((x0 - 0.01, y0 - 0.01, x0 + 0.01, y0 + 0.01)))))
    assume(is_valid(rings) and LIMIT < polygon_area_km2(rings) < LIMIT * 30)
    return rings


def check(rings, pieces, boxed=False, limit=LIMIT):
    whole = to_ogr(rings)
    edge = whole.Boundary().Length() + sum(to_ogr(piece).Boundary().Length() for piece in pieces)
    aois = [AOI.from_polygons([piece]) for piece in pieces]
    for aoi in aois:
        assert is_valid(aoi.rings)
        assert measured(aoi.rings, boxed) <= limit
        assert aoi.area_km2 >= 0.1
    together = to_ogr(aois[0].rings)
    for aoi in aois[1:]:
        together = together.Union(to_ogr(aoi.rings))
    # All was rounded to a grid of 1e-6 degrees.
    assert together.SymDifference(whole).Area() <= edge * 2e-6
    assert sum(to_ogr(aoi.rings).Area() for aoi in aois) - together.Area() <= edge * 2e-6
    return aois


@calm
@given(stars())
def test_pieces_cover_the_whole_without_overlap_and_stay_under_the_limit(rings):
    pieces = divided(rings, LIMIT, 0.1)
    assert len(pieces) >= 2
    aois = check(rings, pieces)
    assert len(pieces) <= 2 * math.ceil(polygon_area_km2(rings) / LIMIT) + 2
    assert sum(aoi.area_km2 for aoi in aois) == pytest.approx(polygon_area_km2(rings), rel=1e-4)


@calm
@given(stars())
def test_with_the_box_filter_the_boxes_are_under_the_limit(rings):
    pieces = divided(rings, LIMIT, 0.1, boxed=True)
    assert pieces
    check(rings, pieces, boxed=True)


def box(west, south, east, north):
    return (bbox_ring((west, south, east, north)),)


def test_a_rectangle_is_halved_across_its_longer_side():
    rings = box(15, 37, 15.2, 37.075)
    area = polygon_area_km2(rings)
    assert 140 < area < 150
    one, other = check(rings, divided(rings, LIMIT, 0.1))
    assert one.area_km2 == pytest.approx(area / 2, rel=1e-3)
    assert {one.bbox[1], other.bbox[1]} == {37.0}
    assert {one.bbox[3], other.bbox[3]} == {37.075}


@pytest.mark.parametrize("count", [3, 5, 7, 12])
def test_more_pieces_are_of_nearly_equal_size(count):
    rings = box(15, 37, 15.3, 37.2)
    area = polygon_area_km2(rings)
    aois = check(rings, divided(rings, area / count * 1.02, 0.1), limit=area / count * 1.02)
    assert len(aois) == count
    assert max(aoi.area_km2 for aoi in aois) / min(aoi.area_km2 for aoi in aois) < 1.05


def test_an_area_just_at_the_limit_stays_whole():
    rings = box(15, 37, 15.1, 37.1)
    assert divided(rings, polygon_area_km2(rings), 0.1) == [rings]


def test_a_horseshoe_is_cut_so_that_every_piece_is_one_polygon():
    """Halved across its longer side it would fall into three."""
    horseshoe = (
        (
            (15.0, 37.0),
            (15.1, 37.0),
            (15.1, 37.3),
            (15.07, 37.3),
            (15.07, 37.03),
            (15.03, 37.03),
            (15.03, 37.3),
            (15.0, 37.3),
            (15.0, 37.0),
        ),
    )
    assert polygon_area_km2(horseshoe) > LIMIT
    assert len(check(horseshoe, divided(horseshoe, 130, 0.1), limit=130)) == 2


def test_a_comb_takes_more_pieces_rather_than_torn_ones():
    teeth = [
        (15 + 0.05 * n + dx, 37.3 if up else 37.02)
        for n in range(8)
        for dx, up in ((0.0, True), (0.02, True), (0.02, False), (0.05, False))
    ]
    comb = (((15.0, 37.0), *reversed([*teeth[:-1], (15.37, 37.02), (15.37, 37.0)]), (15.0, 37.0)),)
    assert is_valid(comb)
    assert len(check(comb, divided(comb, LIMIT, 0.1))) >= 4


def test_a_jagged_coast_leaves_no_crumbs():
    coast = [(15 + 0.3 * n / 400, 37.3 + 0.004 * math.sin(n * 1.7) + 0.003 * math.cos(n * 5.1)) for n in range(401)]
    sides = [(15.3 + 0.004 * math.sin(n * 2.3), 37.28 - 0.28 * n / 200) for n in range(200)]
    rings = (((15.0, 37.0), (15.3, 37.0), *reversed(sides), *reversed(coast), (15.0, 37.0)),)
    assert is_valid(rings)
    area = polygon_area_km2(rings)
    aois = check(rings, divided(rings, LIMIT, 0.1))
    assert len(aois) == math.ceil(area / LIMIT)
    assert min(aoi.area_km2 for aoi in aois) > area / len(aois) * 0.8


def test_what_would_take_too_many_pieces_is_not_divided():
    assert divided(box(10, 40, 20, 45), LIMIT, 0.1) == []
    assert len(divided(box(10, 40, 11, 40.9), LIMIT, 0.1)) <= MOST_PIECES


def test_a_very_detailed_outline_is_divided_in_a_moment():
    ring = [
        (
            15 + (0.1 + 0.004 * math.sin(n / 3)) * math.cos(2 * math.pi * n / 40_000),
            37 + (0.1 + 0.004 * math.sin(n / 3)) * math.sin(2 * math.pi * n / 40_000),
        )
        for n in range(40_000)
    ]
    rings = ((*ring, ring[0]),)
    start = time.monotonic()
    pieces = divided(rings, LIMIT, 0.1)
    assert time.monotonic() - start < 10
    assert len(pieces) >= 3
