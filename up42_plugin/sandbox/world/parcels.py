"""Fields: blocks of cell noise, each ruled in its own direction into parcels of uneven size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np

from up42_plugin.sandbox.world.lattice import (
    Array,
    F,
    Fields,
    Lattice,
    Points,
    hashed,
    length,
    noise,
    uniform,
)

BLOCK_SIZE = 640.0
COARSE = 100.0


@dataclass
class Parcels:
    """Hashes of block and parcel, distances to their edges (m), place in the block (m) and its turn (rad).

    ``own`` is how much of a sample's look comes from one parcel: 1, or less where it covers many of them.
    """

    own: Array
    block: Array
    lane: Array
    parcel: Array
    edge: Array
    s: Array
    t: Array
    angle: Array

    def random(self, k: int) -> Array:
        """Return the k-th random number of each parcel, 0..1; near the middle where a sample sees many of them."""
        return 0.5 + self.own * (uniform(self.parcel, k) - 0.5)


def split(s: Array, width: Array, key: Array, salt: int) -> Fields:
    """Cut a line (m) into pieces of uneven length: return the number of the piece, the way into it, its length (m)."""
    a = s / width
    k = np.floor(a)
    f, n = a - k, k.astype(np.int32)
    cut = 0.45 * uniform(hashed(n, key, salt))
    low = f < cut
    side = 0.45 * uniform(hashed(n + np.where(low, -1, 1).astype(np.int32), key, salt))
    start = np.where(low, side - 1, cut)
    return n - low, (f - start) * width, (np.where(low, cut, side + 1) - start) * width


def _nearest(lat: Lattice, seeds: Callable[[Array, Array], Fields]) -> Fields:
    """Return the offset of the nearest seed's cell (2), the vector from it (2), and the distance to its border."""
    get = lat.table(seeds)
    near = second = np.full(lat.u.shape, 9, F)
    bx = by = ex = ey = near
    wi = wj = np.zeros(lat.u.shape, np.int32)
    for dj in (-1, 0, 1):
        for di in (-1, 0, 1):
            sx, sy, weight = get(di, dj, (0, 1, 2))
            dx, dy = lat.u - (sx + F(di)), lat.v - (sy + F(dj))
            d = dx * dx + dy * dy - weight
            closer, next_ = d < near, d < second
            ex = np.where(closer, bx, np.where(next_, dx, ex))
            ey = np.where(closer, by, np.where(next_, dy, ey))
            second = np.minimum(second, np.maximum(d, near))
            near = np.minimum(near, d)
            bx, by = np.where(closer, dx, bx), np.where(closer, dy, by)
            wi, wj = np.where(closer, np.int32(di), wi), np.where(closer, np.int32(dj), wj)
    # Without the separation of the seeds in it, the lanes between close seeds would swell.
    return wi, wj, bx, by, (second - near) * 0.5 / length(bx - ex, by - ey), *get(wi, wj, (3, 4, 5))


def parcels(p: Points, salt: int) -> Parcels:
    """Return block and parcel of each point."""
    lat = Lattice(p, BLOCK_SIZE, salt * 3.7, salt * 7.3)

    def seeds(i: Array, j: Array) -> Fields:
        h = hashed(i, j, salt)
        q = Points(i * lat.size, j * lat.size, np.ones(i.shape, F))
        turn = np.where(uniform(h, 3) < 0.2, F(np.pi), F(0.3)) * uniform(h, 4)
        angle = F(2.5) * noise(q, 9000, salt + 1) + turn  # neighbours mostly agree
        width = (46 + 90 * uniform(h, 5) ** 2) * np.exp(0.25 + 0.8 * noise(q, 14e3, salt + 2))
        return 0.04 + 0.92 * uniform(h, 1), 0.04 + 0.92 * uniform(h, 2), 0.16 * uniform(h, 6), h, angle, width

    _, _, bx, by, border, key, angle, width = _nearest(lat, seeds)
    m = F(lat.size)
    c, sine = np.cos(angle), np.sin(angle)
    s, t = (bx * c + by * sine) * m, (by * c - bx * sine) * m
    k, into_k, length_k = split(s, width, key, salt + 10)
    strip = hashed(k, key, salt + 11)
    n, into_n, length_n = split(t, width * (1.3 + 2 * uniform(key, 5)), strip, salt + 12)
    edge = np.minimum(np.minimum(into_k, length_k - into_k), np.minimum(into_n, length_n - into_n))
    many = p.res > COARSE  # such samples see blocks instead, all of one kind
    return Parcels(
        own=np.where(many, F(0.25), F(1)),
        block=key,
        lane=border * m,
        parcel=np.where(many, key, hashed(n, strip, salt + 13)),
        edge=edge,
        s=s,
        t=t,
        angle=angle,
    )
