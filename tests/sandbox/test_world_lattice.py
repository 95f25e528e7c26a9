from __future__ import annotations

import numpy as np
import pytest

from up42_plugin.sandbox.world.lattice import GIRTH, Lattice, Points, fbm, noise, plane, sampled, sloped_noise, step


def around(x: float, y: float, spacing: float = 1.0, count: int = 64) -> Points:
    xs, ys = np.meshgrid(x + np.arange(count) * spacing, y + np.arange(count) * spacing)
    return Points(xs.ravel(), ys.ravel(), np.full(xs.size, spacing, np.float32))


@pytest.mark.parametrize("size", [40.0, 3400.0, 27e3])
def test_noise_is_centred_and_bounded(size):
    rng = np.random.default_rng(3)
    p = Points(rng.uniform(0, GIRTH, 40_000), rng.uniform(-5e6, 5e6, 40_000), np.ones(40_000, np.float32))
    values = noise(p, size, 17)
    assert abs(values.mean()) < 0.01
    assert 0.3 < values.std() < 0.42
    assert np.abs(values).max() < 1.3


def test_slope_of_the_noise_is_its_derivative():
    p = around(1.2e6, 4.4e6, 7.0)
    value, gx, gy = sloped_noise(p, 900.0, 5)
    east = sloped_noise(p.moved(np.float64(2), np.float64(0)), 900.0, 5)[0]
    north = sloped_noise(p.moved(np.float64(0), np.float64(2)), 900.0, 5)[0]
    assert np.allclose((east - value) / 2, gx, atol=3e-5)
    assert np.allclose((north - value) / 2, gy, atol=3e-5)


def test_noise_goes_on_across_the_antimeridian():
    """The same steps west and east of it: no jump where longitude turns from 180 to -180."""
    lon = 180 + np.linspace(-0.02, 0.02, 81)
    p = sampled(lon, np.full(lon.shape, 12.0), 10.0)
    values = noise(p, 2600.0, 9)
    assert np.abs(np.diff(values)).max() < 0.15
    assert np.ptp(values) > 0.1


def test_longitudes_a_turn_apart_are_one_place():
    here, there = plane(np.array([179.0, -180.0]), np.array([4.0, 4.0])), plane(np.array([-181.0, 180.0]), 4.0)
    assert np.allclose(here[0], there[0], atol=1e-6)


def test_scattered_points_get_the_values_of_the_grid():
    p = around(2.5e6, -1.1e6, 11.0)
    order = np.random.default_rng(1).permutation(p.x.size)[:40]
    # Two far points widen the window so far that no table of nodes is made.
    x, y = np.append(p.x[order], [9e6, -9e6]), np.append(p.y[order], [4e6, -4e6])
    few = Points(x, y, np.full(x.size, 11.0, np.float32))
    assert np.array_equal(noise(p, 300.0, 2)[order], noise(few, 300.0, 2)[:40])


def test_octaves_finer_than_the_sampling_are_left_out():
    coarse, fine = around(3e5, 3e5, 1.0), around(3e5, 3e5, 1.0)
    coarse = Points(coarse.x, coarse.y, np.full(coarse.x.size, 80.0, np.float32))
    smooth, rough = fbm(coarse, 1000, 7, 4, 0.8), fbm(fine, 1000, 7, 4, 0.8)
    assert np.abs(np.diff(smooth.reshape(64, 64))).mean() < 0.5 * np.abs(np.diff(rough.reshape(64, 64))).mean()


def test_pattern_weight_fades_between_one_and_a_half_and_three_samples():
    p = Points(np.zeros(3), np.zeros(3), np.array([10, 20, 40], np.float32))
    assert np.allclose(p.weight(60.0), [1, 1, 0])
    assert np.allclose(p.weight(45.0), [1, 0.5, 0])
    assert p.weight(120.0) == 1.0
    assert p.weight(15.0) == 0.0


def test_stripe_covers_its_share_of_coarse_and_fine_samples():
    d = np.array([0.0, 3.0, 6.0, 30.0], np.float32)
    fine = Points(d.astype(float), d.astype(float), np.full(4, 0.5, np.float32)).stripe(d, 8.0)
    coarse = Points(d.astype(float), d.astype(float), np.full(4, 20.0, np.float32)).stripe(d, 8.0)
    assert fine.tolist() == [1, 1, 0, 0]
    assert np.allclose(coarse, [0.4, 0.4, 0.4, 0])


def test_interpolation_between_nodes_is_exact_at_the_nodes_and_linear_between():
    p = around(5000.0, 7000.0, 25.0, 32)
    lattice = Lattice(p, 400.0)
    (value,) = lattice.between(lambda i, j: ((3 * i + 2 * j).astype(np.float32),))
    assert np.allclose(value, 3 * p.x / lattice.size + 2 * p.y / lattice.size, atol=1e-3)


def test_step_runs_either_way():
    v = np.array([0.0, 1.0, 1.5, 2.0, 3.0], np.float32)
    assert np.allclose(step(1, 2, v), [0, 0, 0.5, 1, 1])
    assert np.allclose(step(2, 1, v), [1, 1, 0.5, 0, 0])
