"""What holds for any polygon: rounding never makes it invalid, joining never loses or invents area."""

from __future__ import annotations

import json
import math

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from up42_plugin.core.aoi import AOI, AoiError
from up42_plugin.core.geometry import errors as codes
from up42_plugin.core.geometry.area import polygon_area_km2
from up42_plugin.core.geometry.polygons import is_valid, length, planar_area, signed_area, to_wkb
from up42_plugin.core.geometry.rounding import STEP, rounded

calm = settings(
    max_examples=150,
    deadline=None,
    database=None,
    # The same examples in every run: a test that fails must fail again.
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much],
)


@st.composite
def stars(draw, smallest=1e-6, largest=0.3):
    """Polygons seen whole from a centre: simple, and as spiky as the numbers happen to be."""
    corners = draw(st.integers(3, 24))
    size = draw(st.floats(smallest, largest))
    x0, y0 = draw(st.floats(-170, 170)), draw(st.floats(-80, 80))
    turns = sorted(draw(st.lists(st.floats(0, 0.999), min_size=corners, max_size=corners, unique=True)))
    reach = draw(st.lists(st.floats(0.001, 1), min_size=corners, max_size=corners))
    ring = [
        (x0 + size * far * math.cos(2 * math.pi * turn), y0 + size * far * math.sin(2 * math.pi * turn))
        for turn, far in zip(turns, reach)
    ]
    return ((*ring, ring[0]),)


@st.composite
def combs(draw):
    """Teeth and gaps around the size of the grid that coordinates are rounded to."""
    teeth = draw(st.integers(1, 12))
    widths = draw(st.lists(st.floats(1e-8, 4e-6), min_size=2 * teeth, max_size=2 * teeth))
    depth = draw(st.floats(1e-6, 0.05))
    x, ring = 10.0, [(10.0, 0.0)]
    for number, width in enumerate(widths):
        y = depth if number % 2 else depth / 3
        ring += [(x, y), (x + width, y)]
        x += width
    ring += [(x + 0.01, 0.0)]
    return ((*ring, ring[0]),)


def on_grid(rings):
    return all(value == round(value, 6) for ring in rings for point in ring for value in point)


def attempt(function, *arguments, **options):
    """The result, or the code of the refusal."""
    try:
        return function(*arguments, **options), ""
    except AoiError as error:
        return None, error.code


def check_rounded(rings):
    assume(is_valid(rings))
    result, code = attempt(rounded, rings)
    if code:
        assert code == codes.TOO_FINE
        # Only what is hardly wider than a step of the grid may be refused.
        assert planar_area(rings) < 30 * STEP * length(rings[0])
        return
    assert is_valid(result)
    assert on_grid(result)
    assert signed_area(result[0]) > 0
    assert all(signed_area(hole) < 0 for hole in result[1:])
    assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in result)
    # No edge moves farther than the widest mending does.
    allowed = 12 * STEP * sum(map(length, rings)) + (12 * STEP) ** 2 * 4
    assert abs(planar_area(result) - planar_area(rings)) <= allowed
    assert rounded(result) == result


@calm
@given(stars())
def test_rounding_keeps_stars_valid(rings):
    check_rounded(rings)


@calm
@given(stars(smallest=2e-6, largest=4e-5))
def test_rounding_keeps_tiny_stars_valid(rings):
    check_rounded(rings)


@calm
@given(combs())
def test_rounding_keeps_combs_valid(rings):
    check_rounded(rings)


@calm
@given(stars(smallest=0.01), st.floats(1e-7, 1e-4))
def test_rounding_keeps_holes_valid(rings, gap):
    """A hole that runs along the outline at about the distance of the grid."""
    (shell,) = rings
    xs, ys = [x for x, _ in shell], [y for _, y in shell]
    x0, y0 = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    hole = tuple((x + (x0 - x) * gap, y + (y0 - y) * gap) for x, y in reversed(shell))
    check_rounded((shell, hole))


@calm
@given(stars(smallest=0.02), stars(smallest=0.02))
def test_joining_neither_loses_nor_invents_area(one, other):
    assume(is_valid(one) and is_valid(other))
    shift_x, shift_y = one[0][0][0] - other[0][0][0], one[0][0][1] - other[0][0][1]
    other = (tuple((x + shift_x, y + shift_y) for x, y in other[0]),)
    assume(all(abs(y) < 89 for _, y in other[0]))
    there, code = attempt(AOI.from_wkbs, [to_wkb(one), to_wkb(other)], minimum_km2=0)
    back, code_back = attempt(AOI.from_wkbs, [to_wkb(other), to_wkb(one)], minimum_km2=0)
    assert code == code_back
    if code:
        assert code in {codes.PARTS, codes.TOO_FINE, codes.EMPTY}
        return
    sizes = [polygon_area_km2(one), polygon_area_km2(other)]
    slack = 20 * STEP * 111 * (length(one[0]) + length(other[0])) * 111
    assert max(sizes) - slack <= there.area_km2 <= sum(sizes) + slack
    assert abs(there.area_km2 - back.area_km2) <= slack
    assert is_valid(there.rings)


@calm
@given(stars(smallest=0.01))
def test_an_area_goes_through_geojson_unchanged(rings):
    assume(is_valid(rings))
    aoi, code = attempt(AOI.from_wkbs, [to_wkb(rings)], minimum_km2=0)
    if code:
        assert code in {codes.TOO_FINE, codes.EMPTY}
        return
    assert AOI.from_geojson(json.loads(json.dumps(aoi.geojson())), minimum_km2=0) == aoi


@calm
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=3, max_size=9))
def test_any_ring_is_mended_or_refused_with_a_reason(corners):
    """Corners on a coarse grid: crossings, spikes, loops and repeated points of every kind."""
    ring = [(10 + x / 10, 40 + y / 10) for x, y in corners]
    aoi, code = attempt(AOI.from_geojson, {"type": "Polygon", "coordinates": [ring]})
    if code:
        # A line there and back between two parts joins nothing.
        assert code in {codes.SELF_CROSSING, codes.EMPTY, codes.PARTS}
        return
    assert is_valid(aoi.rings)
    assert on_grid(aoi.rings)
    size = abs(signed_area([*ring, ring[0]]))
    assert abs(planar_area(aoi.rings) - size) < 1e-4
