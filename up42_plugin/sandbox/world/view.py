"""The made-up Earth as it is asked for: reflectance, land cover and elevation of any points."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.world.ground import Ground, Land, ground, terrain
from up42_plugin.sandbox.world.lattice import Array, F, Number, clamp, sampled
from up42_plugin.sandbox.world.paint import paint
from up42_plugin.sandbox.world.seasons import orchards

SEED = 7
BLOCK = 65_536
"""Points computed at a time: bounds the memory and fits the cache."""
THREADS = 2
TREES_LOW, TREES_GROW = 3.0, 8.0
ROOFS_LOW, ROOFS_GROW = 4.0, 9.0
"""Metres that crowns and roofs rise above the ground, at least and with their kind."""

SEA, WATER, SAND, FOREST, SCRUB, GRASS, ROCK, CROP, ORCHARD, TOWN, ROAD = range(1, 12)
CLASS_NAMES = (
    "",
    "sea",
    "inland water",
    "sand",
    "forest",
    "scrub",
    "grass",
    "rock",
    "crop",
    "orchard",
    "town",
    "road",
)


def in_blocks(fn: Callable[..., Array], head: Tuple[int, ...], dtype: type, *points: Number) -> Array:
    """Return ``fn`` over flat blocks of the points, on two threads; ``fn`` returns ``head`` x points of the block."""
    arrays = np.broadcast_arrays(*[np.asarray(a, float) for a in points])
    shape = arrays[0].shape
    flat = [a.reshape(-1) for a in arrays]
    out = np.empty((*head, flat[0].size), dtype)
    spans = [slice(k, k + BLOCK) for k in range(0, flat[0].size, BLOCK)]

    def work(span: slice) -> None:
        out[..., span] = fn(*[a[span] for a in flat])

    if len(spans) == 1:
        work(spans[0])
    else:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(work, spans))
    return out.reshape(head + shape)


def render(
    lon: Number, lat: Number, date: dt.date, bands: Sequence[str], *, resolution: Number = 10.0, seed: int = SEED
) -> Array:
    """Return the surface reflectance 0..1 (float32, bands x the points' shape) without clouds.

    ``lon`` and ``lat`` are degrees (WGS 84) of any shape, sampled every ``resolution`` metres on the ground (a number
    or an array of that shape). ``bands`` are names of :data:`spectra.BANDS`.
    """
    return in_blocks(
        lambda x, y, res: paint(ground(x, y, res, seed), date, bands), (len(bands),), F, lon, lat, resolution
    )


def _classes(g: Ground, roads: bool) -> Array:
    out = np.full(g.sea.shape, GRASS, np.uint8)
    if g.land is not None:
        out[g.ashore] = _land_classes(g.land, roads)
    out[g.sea > 0.5] = SEA
    return out


def _land_classes(g: Land, roads: bool) -> Array:
    out = np.full(g.lat.shape, GRASS, np.uint8)
    layers = (
        (g.vegetation.scrub, SCRUB, 0.5),
        (g.vegetation.rock, ROCK, 0.5),
        (g.farm.field, CROP, 0.5),
        (g.farm.field * orchards(g), ORCHARD, 0.5),
        (g.vegetation.forest, FOREST, 0.5),
        (g.town.area, TOWN, 0.5),
        (g.town.road, ROAD, 0.5 if roads else 2),
        (g.relief.form.lava, ROCK, 0.5),
        (g.water.beach, SAND, 0.5),
        (g.water.cliff, ROCK, 0.5),
        (g.water.river, WATER, 0.8),
        (g.water.lake, WATER, 0.8),
    )
    for share, code, least in layers:
        out[share > least] = code
    return out


def land_cover(lon: Number, lat: Number, resolution: Number = 10.0, seed: int = SEED, *, roads: bool = True) -> Array:
    """Return the class of each point (uint8, see :data:`CLASS_NAMES`): the last layer that covers half of it.

    Without ``roads`` it is what they run through.
    """
    return in_blocks(lambda x, y, res: _classes(ground(x, y, res, seed), roads), (), np.uint8, lon, lat, resolution)


def roofs(lon: Number, lat: Number, resolution: Number = 1.5, seed: int = SEED) -> Array:
    """Return where roofs cover half of each point (uint8, 0 or 1)."""
    return in_blocks(lambda x, y, res: _roofs(ground(x, y, res, seed)), (), np.uint8, lon, lat, resolution)


def _roofs(g: Ground) -> Array:
    out = np.zeros(g.sea.shape, np.uint8)
    if g.land is not None:
        out[g.ashore] = (g.land.town.roof > 0.5) & (g.sea[g.ashore] + g.land.water.beach < 0.5)
    return out


def elevation(lon: Number, lat: Number, resolution: Number = 10.0, seed: int = SEED) -> Array:
    """Return metres above the sea (float32); negative is sea bed."""
    return in_blocks(lambda x, y, res: terrain(sampled(x, y, res), seed)[0].h, (), F, lon, lat, resolution)


def surface(lon: Number, lat: Number, resolution: Number = 10.0, seed: int = SEED) -> Array:
    """Return ground and surface in metres above the sea (float32, 2 x the points' shape): the sea is 0 in both.

    The surface lies on roofs and tree crowns where they cover the ground.
    """
    return in_blocks(lambda x, y, res: _heights(ground(x, y, res, seed)), (2,), F, lon, lat, resolution)


def _heights(g: Ground) -> Array:
    bare = np.maximum(g.relief.h, 0) * (1 - g.sea)
    cover = np.zeros_like(bare)
    if g.land is not None:
        trees = g.land.vegetation.forest * (TREES_LOW + TREES_GROW * clamp(g.land.vegetation.crown, 0, 2))
        roofs = ROOFS_LOW + ROOFS_GROW * g.land.town.roof_kind
        open_ground = 1 - np.maximum(g.land.town.road, np.maximum(g.land.water.river, g.land.water.lake))
        covered = trees * (1 - g.land.town.area) * open_ground
        cover[g.ashore] = np.maximum(covered, g.land.town.roof * roofs) * (1 - g.sea[g.ashore])
    return np.stack([bare, bare + cover])
