"""What covers the ground: shares of water, rock, vegetation, fields and towns, whatever the date."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.world.lattice import (
    Array,
    F,
    Fields,
    Lattice,
    Number,
    Points,
    clamp,
    fbm,
    hashed,
    length,
    noise,
    sampled,
    smooth,
    step,
    uniform,
)
from up42_plugin.sandbox.world.parcels import COARSE, Parcels, parcels
from up42_plugin.sandbox.world.region import Region, region_of
from up42_plugin.sandbox.world.relief import Landform, Relief, landform, relief
from up42_plugin.sandbox.world.settlements import (
    MAIN_LINK,
    MAIN_SALT,
    MAIN_SETTLE,
    MAIN_SIZE,
    MINOR_LINK,
    MINOR_SALT,
    MINOR_SETTLE,
    MINOR_SIZE,
    buildings,
    density,
    network,
)

CROWN_SIZE = 6.5
_BROAD_PATCHES = 3


@dataclass
class Broad:
    """Noise without detail below 200 m: vegetation patches, slow change, bends of roads and fields (m), lakes."""

    patch: Array
    wide: Array
    bend_x: Array
    bend_y: Array
    drift_x: Array
    drift_y: Array
    lake: Array


@dataclass
class Textures:
    """Noise that several layers follow: vegetation patches, fine grain down to the sample, slow change.

    ``damp`` and ``fertile`` (0..1) lie along the rivers, ``cool`` (0..1) above the tree line. ``shore`` is the distance
    inland (m, negative at sea), ``stem``, ``bed`` and ``brook`` are those to large river, river and stream (m).
    """

    patch: Array
    grain: Array
    wide: Array
    damp: Array
    fertile: Array
    cool: Array
    shore: Array
    stem: Array
    bed: Array
    brook: Array


@dataclass
class Vegetation:
    """Shares of grass, scrub, bare rock and forest, and the light on the crowns."""

    grass: Array
    scrub: Array
    rock: Array
    forest: Array
    crown: Array


@dataclass
class Farm:
    """Shares of fields, hedges and lanes; ``kind`` is the parcel's random number that decides the crop."""

    field: Array
    hedge: Array
    lane: Array
    kind: Array


@dataclass
class Town:
    """Shares of built-up area, roofs, shadows and roads; density; light on the roofs, their random numbers."""

    area: Array
    roof: Array
    shadow: Array
    road: Array
    dense: Array
    ridge: Array
    roof_kind: Array


@dataclass
class Water:
    """Shares of lake, river, its gravel banks, beach and cliff."""

    lake: Array
    river: Array
    bank: Array
    beach: Array
    cliff: Array


@dataclass
class Land:
    """What covers points that are not wholly at sea."""

    p: Points
    lat: Array
    relief: Relief
    tex: Textures
    parcels: Parcels
    vegetation: Vegetation
    farm: Farm
    town: Town
    water: Water


@dataclass
class Ground:
    """Everything about the points that does not depend on the date.

    ``sea`` is the share of sea, ``swirl`` the pattern of its currents, ``ashore`` where it leaves some land, ``land``
    what is there (None: nothing).
    """

    p: Points
    relief: Relief
    tex: Textures
    sea: Array
    swirl: Array
    ashore: Array
    land: Optional[Land]


def terrain(p: Points, seed: int) -> Tuple[Relief, Broad]:
    """Return the relief and the noise that changes slowly."""

    def layers(q: Points) -> Fields:
        region = region_of(q, seed)
        return *_values(landform(q, region, seed)), *_values(region), *_values(_broad(q, seed))

    values = smooth(p, layers)
    end = len(fields(Landform))
    form, values = Landform(*values[:end]), values[end:]
    end = len(fields(Region))
    region, broad = Region(*values[:end]), Broad(*values[end:])
    return relief(p, form, region, seed), broad


def _values(group: Any) -> List[Array]:
    return [getattr(group, member.name) for member in fields(group)]


def _broad(p: Points, seed: int) -> Broad:
    drift_x, drift_y = noise(p, 2300, seed + 222), noise(p, 2500, seed + 223)
    return Broad(
        patch=fbm(p, 1100, _BROAD_PATCHES, seed + 300, 0.62),
        wide=noise(p, 4200, seed + 330),
        bend_x=noise(p, 760, seed + 220) * 75,
        bend_y=noise(p, 700, seed + 221) * 75,
        drift_x=drift_x * 330,
        drift_y=drift_y * 330,
        lake=noise(p.moved(drift_x * 1500, drift_y * 1500), 6400, seed + 340),
    )


def bends(p: Points, seed: int) -> Tuple[Array, Array]:
    """Return how far (m) the networks of roads are bent at each point."""
    broad = _broad(p, seed)
    return broad.bend_x + broad.drift_x, broad.bend_y + broad.drift_y


def ground(lon: Array, lat: Array, resolution: Number, seed: int) -> Ground:
    """Return what covers points (degrees, one-dimensional) that are sampled every ``resolution`` metres."""
    p = sampled(lon, lat, resolution)
    r, broad = terrain(p, seed)
    far = lat.astype(F)
    tex = _textures(p, r, broad, far, seed)
    sea = clamp(0.5 - tex.shore / p.res, 0, 1)
    ashore = sea < 1
    land = None
    if ashore.all():
        land = _land(p, far, r, broad, tex, seed=seed)
    elif ashore.any():
        part = Points(p.x[ashore], p.y[ashore], p.res[ashore])
        land = _land(part, far[ashore], *_part((r, broad, tex), ashore), seed=seed)
    return Ground(p, r, tex, sea, _swirl(p, seed) if sea.any() else sea, ashore, land)


def _swirl(p: Points, seed: int) -> Array:
    """Return the pattern of the sea's currents."""

    def layer(q: Points) -> Fields:
        x, y = noise(q, 4200, seed + 351) * 2600, noise(q, 3900, seed + 352) * 2600
        return (fbm(q.moved(x, y), 21e3, 3, seed + 350),)

    return smooth(p, layer)[0]


def _part(groups: Sequence[Any], where: Array) -> List[Any]:
    """Return dataclasses of arrays (or of such dataclasses) with the points where ``where`` is true."""
    return [
        type(group)(
            *[
                value[where] if isinstance(value, np.ndarray) else _part((value,), where)[0]
                for value in (getattr(group, member.name) for member in fields(group))
            ]
        )
        for group in groups
    ]


def _land(p: Points, lat: Array, r: Relief, broad: Broad, tex: Textures, *, seed: int) -> Land:
    bend = p.moved(broad.bend_x, broad.bend_y)
    f = parcels(bend, seed + 200)
    farm = _farm(p, r, f, tex)
    return Land(
        p=p,
        lat=lat,
        relief=r,
        tex=tex,
        parcels=f,
        vegetation=_vegetation(p, r, tex, farm.field, seed),
        farm=farm,
        town=_town(p, bend.moved(broad.drift_x, broad.drift_y), f, tex, r, seed=seed),
        water=_water(p, broad, r, tex),
    )


def _textures(p: Points, r: Relief, broad: Broad, lat: Array, seed: int) -> Textures:
    g, wide = r.region, broad.wide
    patch = broad.patch + fbm(p, 1100, 5, seed + 300, 0.62, first=_BROAD_PATCHES)
    bed, brook = np.abs(r.form.river + 75 * patch), np.abs(r.form.stream + 45 * patch)
    stem = np.abs(r.form.stem + 170 * patch + 550 * wide)
    return Textures(
        patch=patch,
        grain=F(0.9) * fbm(p, 36, 7, seed + 310, 0.85),
        wide=wide,
        damp=(np.exp(-brook * F(1 / 40)) + np.exp(-bed * F(1 / 80)) + np.exp(-stem * F(1 / 160)))
        * step(0.1, 0.45, g.wet),
        fertile=np.maximum(np.exp(stem * F(-1 / 1500)), F(0.5) * np.exp(bed * F(-1 / 350))),
        cool=step(1500, 2600, r.h + 28 * np.abs(lat) - 700),
        shore=r.h / (r.form.steep + F(0.01)),
        stem=stem,
        bed=bed,
        brook=brook,
    )


def _farm(p: Points, r: Relief, f: Parcels, t: Textures) -> Farm:
    g = r.region
    plain = 1 - step(0.13, 0.27, r.form.steep) - 0.6 * t.cool - r.form.lava
    wish = plain * step(0.14, 0.3, g.wet) + 0.55 * t.wide + 0.25 * t.patch + 0.2 * g.urban - 0.9 * (g.wild - 0.5)
    wish = wish + 0.4 * t.fertile * plain
    own = f.random(2)
    field = clamp((wish - 0.62 - 0.25 * (own + uniform(f.block, 6) - 1)) * 14, 0, 1)
    field = field * clamp(t.shore * 0.02 - 0.8, 0, 1)
    hedge = p.stripe(f.edge, 5) * (uniform(f.block, 7) > 0.45) * clamp(0.5 + t.grain, 0, 1)
    return Farm(
        field=field,
        hedge=hedge * field * g.wet,
        lane=0.8 * p.stripe(f.lane, 4) * field * step(-0.2, 0.1, t.patch + t.wide),
        kind=np.where(own < 0.4, uniform(f.block, 8), uniform(f.parcel, 1)),
    )


def _vegetation(p: Points, r: Relief, t: Textures, field: Array, seed: int) -> Vegetation:
    g = r.region
    green = g.wet + 0.25 * t.wide + 0.3 * t.damp
    grass = clamp(0.25 + 0.75 * green + 0.35 * t.patch + 0.12 * t.grain, 0, 1)
    rainy = step(0.12, 0.4, g.wet)
    scrub = step(-0.45, 0.4, 0.8 * t.patch + 0.35 * t.grain + 1.6 * r.form.steep - 0.05) * rainy * (1 - t.cool)
    slope = 0.9 * np.minimum(r.form.steep, 0.5)
    wood = 0.75 * t.patch + 0.45 * t.wide + 0.9 * (g.wet - 0.55) + slope + 0.45 * t.damp
    wood = wood + 1.2 * (g.wild - 0.5) - 0.8 * step(0.4, 0.1, g.wet) - 1.2 * t.cool * t.cool - 2 * r.form.lava
    trees = clamp((wood - 0.22) * np.where(p.res > COARSE, F(2.5), F(5)) + 1.2 * t.grain, 0, 1)
    crown = 1 + 0.3 * t.grain + 0.10 * t.patch
    w7 = p.weight(7.0)
    if np.any(w7):
        bushy = 0.45 * step(-0.6, 0.6, 0.8 * t.patch + 1.6 * r.form.steep) * rainy
        cover, light = _crowns(p, np.maximum(clamp((wood - 0.2) * 5, 0, 1.1), bushy), seed + 320)
        crown = crown + w7 * (np.where(cover > 0, light * (0.55 + 0.45 * cover), F(0.5)) - crown)
        scrub = scrub + w7 * (np.maximum(0.7 * scrub, cover * (bushy > 0.02)) - scrub)
        trees = trees + w7 * (np.maximum(cover * (wood > 0.2), step(0.3, 0.5, wood)) - trees)
    rough = length(r.gx, r.gy) + 0.3 * t.patch + 0.2 * t.grain + 0.35 * t.cool + 0.25 * (0.4 - g.wet)
    return Vegetation(
        grass=grass,
        scrub=scrub,
        rock=step(0.6, 1.2, rough),
        forest=trees * (1 - field * (1 - step(0.7, 0.76, wood))),
        crown=crown,
    )


def _crowns(p: Points, wish: Array, seed: int) -> Fields:
    """Return the share of tree crowns on a jittered lattice, where ``wish`` (0..1) has them, and the light on them."""
    lat = Lattice(p, CROWN_SIZE)

    def places(i: Array, j: Array) -> Fields:
        h = hashed(i, j, seed)
        return uniform(h, 1), uniform(h, 2), 0.38 + 0.42 * uniform(h, 3), uniform(h, 4)

    get = lat.table(places)
    best, light = np.full(p.x.shape, -1, F), np.ones(p.x.shape, F)
    for dj in (-1, 0, 1):
        for di in (-1, 0, 1):
            tx, ty, radius, u = get(di, dj)
            dx, dy = (lat.u - tx - F(di)) / radius, (lat.v - ty - F(dj)) / radius
            dome = np.where(u < wish, 1 - dx * dx - dy * dy + F(0.2) * u, F(-1))
            top = dome > best
            best = np.maximum(best, dome)
            light = np.where(top, 0.95 + 0.5 * u + 0.35 * (dx - dy), light)
    return clamp(best * 4, 0, 1), light


def _town(p: Points, wind: Points, f: Parcels, t: Textures, r: Relief, *, seed: int) -> Town:
    main = network(wind, MAIN_SIZE, seed + MAIN_SALT, MAIN_LINK, MAIN_SETTLE)
    minor = network(wind, MINOR_SIZE, seed + MINOR_SALT, MINOR_LINK, MINOR_SETTLE)
    rim = 420 * t.wide + 520 * t.patch - 900 * r.form.steep + 90
    dense = np.maximum(
        density(main, np.minimum(0.55 + 0.9 * r.region.urban + 0.3 * t.fertile, 1), rim),
        density(minor, np.minimum(0.25 + r.region.urban, 1), rim * 0.3),
    )
    roadside = 0.42 * step(150, 60, np.minimum(main.road, minor.road)) * (uniform(f.parcel, 12) < 0.3 * r.region.urban)
    dense = np.maximum(dense, roadside * (r.region.wet > 0.2))
    dense = (
        dense * (1 - step(0.3, 0.5, r.form.steep)) * step(10, 40, t.shore) * step(60, 140, t.stem) * (1 - r.form.lava)
    )
    area = clamp((dense - 0.25 + 0.5 * (f.random(3) - 0.5)) * 16, 0, 1)
    b = buildings(p, f, dense, seed)
    tame = 1 - step(0.3, 0.6, r.form.steep)
    road = np.maximum(p.stripe(main.road, 14), p.stripe(minor.road, 6) * tame)
    return Town(
        area=area,
        roof=b.roof * area,
        shadow=b.shadow * area,
        road=np.maximum(road * step(2, 12, t.shore), b.street * area),
        dense=dense,
        ridge=b.ridge,
        roof_kind=b.number,
    )


def _water(p: Points, broad: Broad, r: Relief, t: Textures) -> Water:
    g = r.region
    width = 10 + 26 * step(-0.6, 0.8, t.wide)
    channel = 45 + 60 * step(-0.6, 0.8, t.wide)
    bank = p.stripe(t.bed, width * 2.6) * step(-0.4, 0.5, t.patch) * (1 - step(0.45, 0.7, g.wet))
    lake = broad.lake + 0.10 * t.patch + 0.25 * g.wet - 0.8 - 0.7 * g.rugged
    strand = 18 + 26 * step(-0.5, 0.7, t.patch + 0.5 * t.wide)
    near = clamp((strand - t.shore) / np.maximum(p.res, 4) + 0.5, 0, 1)
    beach = near * (1 - step(0.12, 0.3, length(r.gx, r.gy)))
    return Water(
        lake=clamp(lake * 1700 / np.maximum(p.res, 3), 0, 1),
        river=np.maximum(
            np.maximum(p.stripe(t.bed, width), p.stripe(t.stem, channel)),
            p.stripe(t.brook, 4) * step(0.4, 0.7, g.wet),
        ),
        bank=bank * 0.75,
        beach=beach,
        cliff=near * (1 - beach),
    )
