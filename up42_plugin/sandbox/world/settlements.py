"""Roads, towns and villages: places in the cells of a lattice, joined to their neighbours, with streets and houses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Tuple

import numpy as np

from up42_plugin.sandbox.world.lattice import (
    Array,
    F,
    Fields,
    Lattice,
    Number,
    Points,
    clamp,
    hashed,
    length,
    plane,
    uniform,
)
from up42_plugin.sandbox.world.parcels import Parcels, split
from up42_plugin.sandbox.world.region import ANCHOR

STREET_WIDTH = 8.0
MAIN_SIZE, MAIN_SALT, MAIN_LINK, MAIN_SETTLE = 5200.0, 230, 0.8, 0.75
MINOR_SIZE, MINOR_SALT, MINOR_LINK, MINOR_SETTLE = 1300.0, 240, 0.55, 0.35
"""Cells of the two networks (nominal metres), and the shares of joined neighbours and of settled places."""


@dataclass
class Network:
    """Distance to the nearest road, to the place of the cell, and its radius (0: none), in metres."""

    road: Array
    away: Array
    radius: Array


@dataclass
class Buildings:
    """Shares of street, roof and building shadow, light on the roof halves, random number per building (0..1)."""

    street: Array
    roof: Array
    shadow: Array
    ridge: Array
    number: Array


def origin(size: float) -> Tuple[float, float]:
    """Return where the lattice of a network begins: the anchor lies in the middle of a cell."""
    ax, ay = plane(*ANCHOR)
    return float(ax) - 0.5 * size, float(ay) - 0.5 * size


def places_of(salt: int, link: float, settle: float) -> Callable[[Array, Array], Fields]:
    """Return the function of a network's cells: place in the cell (2), joined to the east and north (2), and size."""

    def places(i: Array, j: Array) -> Fields:
        h = hashed(i, j, salt)
        home = (i == 0) & (j == 0)
        sx = np.where(home, F(0.5), 0.26 + 0.48 * uniform(h, 1))
        sy = np.where(home, F(0.5), 0.26 + 0.48 * uniform(h, 2))
        grade = np.where(home, F(0.5), np.where(uniform(h, 3) < settle, 0.25 + 0.75 * uniform(h, 4), F(0)))
        return sx, sy, (uniform(h, 5) < link) | home, (uniform(h, 6) < link) | home, grade

    return places


def network(p: Points, size: float, salt: int, link: float, settle: float) -> Network:
    """Return one place inside each cell of a lattice, joined by roads to the next cells; the anchor is one of them.

    ``link`` is the share of neighbours that are joined, ``settle`` the share of places where people live.
    """
    lat = Lattice(p, size, *origin(size))
    get = lat.table(places_of(salt, link, settle))
    sx, sy, east, north, grade = get(0, 0)
    px, py = lat.u - sx, lat.v - sy
    best = np.full(p.x.shape, 9, F)
    # A road that runs east or north belongs to this cell's place, one that runs west or south to the other's.
    for di, dj in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        qx, qy, its_east, its_north, _ = get(di, dj)
        joined = {(1, 0): east, (0, 1): north, (-1, 0): its_east, (0, -1): its_north}[di, dj]
        vx, vy = qx + F(di) - sx, qy + F(dj) - sy
        f = clamp((px * vx + py * vy) / (vx * vx + vy * vy), 0, 1)
        d = (px - f * vx) ** 2 + (py - f * vy) ** 2
        best = np.where(joined, np.minimum(best, d), best)
    m = F(lat.size)
    return Network(np.sqrt(best) * m, length(px, py) * m, grade * F(0.22) * m)


def density(n: Network, reach: Array, rim: Array) -> Array:
    """Return the built-up density 0..1: full in the middle of a settlement, ragged (``rim``, m) at its edge.

    ``reach`` scales the radius that the network gives its places.
    """
    radius = n.radius * reach
    return clamp((radius - n.away + rim * (radius > 0)) / (0.45 * radius + 40), 0, 1) * (radius > 30)


def _lots(along: Fields, lot: Array) -> Fields:
    """Fit lots between two streets: return number of the lot, place in it (-0.5..0.5) and its length (m).

    ``along`` is the way from the middle of one street to that of the next, and how far they lie apart.
    """
    into, apart = along
    wide = (apart - STREET_WIDTH) / np.maximum(np.rint((apart - STREET_WIDTH) / lot), 1)
    a = (into - STREET_WIDTH * 0.5) / wide
    i = np.floor(a)
    return i.astype(np.int32), a - i - 0.5, wide


def _streets(p: Points, f: Parcels, seed: int) -> Tuple[Array, Array, Fields, Fields]:
    """Return the share of street, the hash of the street block, and way into it and length in both directions."""
    k, into_s, length_s = split(f.s, np.full(f.s.shape, 48, F), f.block, seed + 250)
    n, into_t, length_t = split(f.t, np.full(f.s.shape, 110, F), f.block, seed + 251)
    street = np.maximum(
        p.stripe(np.minimum(into_s, length_s - into_s), STREET_WIDTH),
        p.stripe(np.minimum(into_t, length_t - into_t), STREET_WIDTH),
    )
    block = hashed(k, hashed(n, f.block, seed + 252), seed + 253)
    return street, block, (into_s, length_s), (into_t, length_t)


def buildings(p: Points, f: Parcels, dense: Array, seed: int) -> Buildings:
    """Return streets with houses in the frame of the parcels' blocks, as they stand at a density of 0..1."""
    street, block, along_s, along_t = _streets(p, f, seed)
    lot = 15 + 26 * uniform(block, 1) ** 3  # houses, some large sheds
    w = clamp(lot / p.res - 0.9, 0, 1)
    (i, a, la), (j, b, lb) = _lots(along_s, lot), _lots(along_t, lot)
    h = hashed(i, hashed(j, block, seed + 254), seed + 255)
    size = 0.30 + 0.17 * uniform(h, 1)
    built = uniform(h, 2) < 0.3 + 0.65 * dense
    sharp = 1 / np.maximum(p.res, 0.3)

    def cover(da: Number, db: Number) -> Array:  # box of the building, moved by metres
        ca = clamp((size * la - np.abs(a * la + da)) * sharp + 0.5, 0, 1)
        cb = clamp((size * 0.92 * lb - np.abs(b * lb + db)) * sharp + 0.5, 0, 1)
        return ca * cb * built

    mean = (0.25 + 0.6 * dense) * (0.3 + 0.4 * uniform(block, 2))
    roof = cover(0, 0)
    shadow = np.zeros_like(roof)
    if p.fine < 4:
        c, sine = np.cos(f.angle), np.sin(f.angle)
        shadow = clamp(cover(3.2 * (c - sine), -3.2 * (sine + c)) - roof, 0, 1) * w
    free = 1 - street
    return Buildings(
        street=street,
        roof=(mean + (roof - mean) * w) * free,
        shadow=shadow * free,
        ridge=1 + 0.13 * w * clamp(a * la * sharp, -1, 1) * np.cos(f.angle + 0.8),
        number=0.5 + (uniform(h, 3) - 0.5) * np.maximum(w, 0.3) + 0.3 * (uniform(block, 3) - 0.5),
    )
