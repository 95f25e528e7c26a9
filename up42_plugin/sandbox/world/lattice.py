"""Hashes, lattices and gradient noise on a Mercator plane that closes at the antimeridian.

Points live in *nominal metres*: a Mercator plane scaled so that one unit is one metre at latitude 40. Every lattice
divides the girth of the Earth evenly, so a pattern that leaves at longitude 180 comes back at -180. A value depends on
the point, the sampling and the salt only: never on the window or the call in which it is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Sequence, Tuple, Union

import numpy as np

Array = np.ndarray
Number = Union[float, Array]
Fields = Tuple[Array, ...]
F = np.float32
U = np.uint32

COS40 = float(np.cos(np.radians(40.0)))
GIRTH = 40_075_016.686 * COS40
"""Nominal metres around the Earth."""
MAX_LATITUDE = 85.0
FINE = 3.0
"""Nominal metres per sample below which layers without fine detail are interpolated."""
SMOOTH_CELL = 24.0
_GOLDEN = 0x9E3779B1


def hashed(i: Array, j: Array, salt: int) -> Array:
    """Return well mixed 32-bit hashes of integer pairs."""
    with np.errstate(over="ignore"):  # numpy warns of it where the arrays are single numbers
        h = i.astype(U) * U(_GOLDEN) ^ j.astype(U) * U(0x85EBCA77) ^ U(salt * 0x27D4EB2F & 0xFFFFFFFF)
        h ^= h >> U(16)
        h *= U(0x7FEB352D)
        h ^= h >> U(15)
        h *= U(0x846CA68B)
        h ^= h >> U(16)
    return h


def uniform(h: Array, k: int = 0) -> Array:
    """Return the k-th uniform number in 0..1 that a hash carries."""
    with np.errstate(over="ignore"):
        return ((h * U(_GOLDEN * (2 * k + 1) & 0xFFFFFFFF)) >> U(8)).astype(F) * F(2.0**-24)


def clamp(v: Array, low: Number, high: Number) -> Array:
    """Return ``v`` limited to low..high; numpy's own clip takes six times as long on blocks of this size."""
    return np.minimum(np.maximum(v, low), high)


def length(x: Array, y: Array) -> Array:
    """Return the length of vectors (never near overflow, so without the care that numpy's hypot takes)."""
    return np.sqrt(x * x + y * y)


def step(low: float, high: float, v: Array) -> Array:
    """Return the smooth step of ``v``: 0 up to ``low``, 1 from ``high`` on (``high`` may be the lower one)."""
    t = clamp((v - F(low)) * F(1.0 / (high - low)), 0, 1)
    return t * t * (3 - 2 * t)


def plane(lon: Number, lat: Number) -> Tuple[Array, Array]:
    """Return nominal metres of longitude and latitude in degrees; the seam lies at the antimeridian."""
    phi = np.radians(clamp(np.asarray(lat, float), -MAX_LATITUDE, MAX_LATITUDE))
    turn = (np.asarray(lon, float) / 360.0 + 0.5) % 1.0 - 0.5
    return turn * GIRTH, np.arcsinh(np.tan(phi)) * (GIRTH / (2 * np.pi))


def latitude(y: Array) -> Array:
    """Return the latitude in degrees of nominal metres."""
    return np.degrees(np.arctan(np.sinh(y * (2 * np.pi / GIRTH))))


def nominal(y: Array) -> Array:
    """Return nominal metres per metre on the ground."""
    return np.cosh(y * (2 * np.pi / GIRTH)) * COS40


@dataclass
class Points:
    """Points to sample: nominal metres (float64) and nominal metres per sample (float32)."""

    x: Array
    y: Array
    res: Array

    def __post_init__(self) -> None:
        self.fine, self.coarse = float(self.res.min()), float(self.res.max())

    def moved(self, dx: Array, dy: Array) -> Points:
        """Return the points shifted by nominal metres."""
        return Points(self.x + dx, self.y + dy, self.res)

    def weight(self, size: float) -> Number:
        """Return how much of a pattern of this wavelength the sampling carries: 0 under 1.5 samples, 1 over 3."""
        if size >= 3 * self.coarse:
            return 1.0
        if size <= 1.5 * self.fine:
            return 0.0
        return clamp(F(size / 1.5) / self.res - 1, 0, 1)

    def stripe(self, d: Array, width: Number) -> Array:
        """Return the share of each sample that a band of this width covers whose middle is where d (metres) is 0."""
        s = 1 / np.maximum(self.res, 0.3)
        half = width * 0.5
        return clamp((half - d) * s + 0.5, 0, 1) - clamp((-half - d) * s + 0.5, 0, 1)


def sampled(lon: Array, lat: Array, resolution: Number) -> Points:
    """Return points (degrees) that are sampled every ``resolution`` metres on the ground."""
    res = resolution * COS40 / np.cos(np.radians(clamp(lat, -MAX_LATITUDE, MAX_LATITUDE)))
    return Points(*plane(lon, lat), np.broadcast_to(res, np.shape(lat)).astype(F))


class Lattice:
    """Square lattice around the world; functions of its nodes are evaluated once per node in reach.

    ``u`` and ``v`` are the place of each point in its cell (0..1). ``size`` is rounded so that the girth is a multiple.
    """

    def __init__(self, p: Points, size: float, ox: float = 0.0, oy: float = 0.0) -> None:
        self.n = max(round(GIRTH / size), 1)
        self.size = GIRTH / self.n
        inverse = 1.0 / self.size
        fx, fy = (p.x - ox) * inverse, (p.y - oy) * inverse
        self._i, self._j = np.floor(fx), np.floor(fy)
        self.u, self.v = (fx - self._i).astype(F), (fy - self._j).astype(F)
        i0, j0 = int(self._i.min()) - 1, int(self._j.min()) - 1
        self._w, rows = int(self._i.max()) - i0 + 3, int(self._j.max()) - j0 + 3
        self._dense = self._w * rows <= 3 * p.x.size + 1024
        if self._dense:
            self._nodes = np.meshgrid((i0 + np.arange(self._w)) % self.n, j0 + np.arange(rows))
            # Number of the node to the lower left of the cell's own lower left node: the first that is looked at.
            self._k = (self._j * self._w + (self._i - ((j0 + 1) * self._w + i0 + 1))).astype(np.intp)

    def table(self, fn: Callable[[Array, Array], Fields]) -> Callable[..., List[Array]]:
        """Return a getter of (some of) fn's values at the node (di, dj) cells from each point's lower left node.

        di and dj are from -1 to 1, or arrays of such numbers.
        """
        if not self._dense:  # scattered points: no table, evaluate per point
            i, j = self._i.astype(np.int64), self._j.astype(np.int64)

            def slow(di: Any, dj: Any, pick: Optional[Sequence[int]] = None) -> List[Array]:
                values = fn((i + di) % self.n, j + dj)
                return [values[c] for c in pick or range(len(values))]

            return slow
        tables = [t.ravel() for t in fn(*self._nodes)]

        def get(di: Any, dj: Any, pick: Optional[Sequence[int]] = None) -> List[Array]:
            ahead = (dj + 1) * self._w + di + 1
            wanted = [tables[c] for c in pick or range(len(tables))]
            if np.ndim(ahead):
                k = self._k + ahead
                return [t.take(k) for t in wanted]
            return [t[ahead:].take(self._k) for t in wanted]

        return get

    def corners(self, fn: Callable[[Array, Array], Fields]) -> Tuple[List[Array], ...]:
        """Return fn's values at the four nodes around each point: lower left, lower right, upper left, upper right."""
        get = self.table(fn)
        return get(0, 0), get(1, 0), get(0, 1), get(1, 1)

    def points(self, i: Array, j: Array) -> Points:
        """Return nodes (one-dimensional) as points that are sampled as far apart as they lie."""
        x = ((i + self.n // 2) % self.n - self.n // 2) * self.size  # around the prime meridian, as plane() has them
        return Points(x.ravel(), (j * self.size).ravel(), np.full(i.size, self.size, F))

    def between(self, fn: Callable[[Array, Array], Fields]) -> List[Array]:
        """Return fn's values interpolated between the nodes around each point (bilinear)."""
        u, v = self.u, self.v
        return [(1 - v) * (sw + u * (se - sw)) + v * (nw + u * (ne - nw)) for sw, se, nw, ne in zip(*self.corners(fn))]


def _gradients(lat: Lattice, salt: int) -> Tuple[List[Array], ...]:
    def gradient(i: Array, j: Array) -> Fields:
        a = hashed(i, j, salt).astype(F) * F(2 * np.pi / 2**32)
        return np.cos(a) * 1.42, np.sin(a) * 1.42

    return lat.corners(gradient)


def noise(p: Points, size: float, salt: int) -> Array:
    """Return gradient noise of wavelength ``size`` (nominal metres), about -1..1 with deviation 0.36."""
    return sloped_noise(p, size, salt, slope=False)[0]


def sloped_noise(p: Points, size: float, salt: int, slope: bool = True) -> Fields:
    """Return gradient noise and its slope east and north per nominal metre."""
    lat = Lattice(p, size, salt * 7919.37 % size, salt * 3571.91 % size)
    u, v = lat.u, lat.v
    u1, v1 = u - 1, v - 1
    (ax, ay), (bx, by), (cx, cy), (ex, ey) = _gradients(lat, salt)
    a, b, c, e = ax * u + ay * v, bx * u1 + by * v, cx * u + cy * v1, ex * u1 + ey * v1
    fu, fv = u * u * u * (u * (u * 6 - 15) + 10), v * v * v * (v * (v * 6 - 15) + 10)
    ba, ca = b - a, c - a
    k = e - c - ba
    value = a + fu * ba + fv * (ca + fu * k)
    if not slope:
        return (value,)
    du, dv = 30 * (u * u1) ** 2, 30 * (v * v1) ** 2
    inv, fuv = F(1 / lat.size), fu * fv
    gx = (ax + fu * (bx - ax) + fv * (cx - ax) + fuv * (ax - bx - cx + ex) + du * (ba + fv * k)) * inv
    gy = (ay + fu * (by - ay) + fv * (cy - ay) + fuv * (ay - by - cy + ey) + dv * (ca + fu * k)) * inv
    return value, gx, gy


def fbm(p: Points, size: float, octaves: int, salt: int, gain: float = 0.5, *, first: int = 0) -> Array:
    """Return the sum of octaves from wavelength ``size`` down, each kept as far as the sampling carries it.

    ``first`` leaves out the octaves before it.
    """
    out = np.zeros(p.x.shape, F)
    for octave in range(first, octaves):
        wavelength = size * 0.5**octave
        w = p.weight(wavelength)
        if isinstance(w, float) and w == 0.0:
            break
        out = out + noise(p, wavelength, salt + octave) * (F(gain**octave) * w)
    return out


def smooth(p: Points, fn: Callable[[Points], Fields]) -> List[Array]:
    """Return layers that have no detail below some 200 m: interpolated between nodes where the samples are fine."""
    if p.fine > FINE:
        return list(fn(p))
    lattice = Lattice(p, SMOOTH_CELL)
    between = lattice.between(lambda i, j: tuple(value.reshape(i.shape) for value in fn(lattice.points(i, j))))
    if p.coarse <= FINE:
        return between
    return [np.where(p.res <= FINE, value, direct) for value, direct in zip(between, fn(p))]
