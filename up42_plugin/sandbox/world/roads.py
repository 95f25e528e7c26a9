"""The roads and places of the made-up Earth as lines and points, where the ground shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, List, Sequence, Tuple

import numpy as np

from up42_plugin.sandbox.world import settlements
from up42_plugin.sandbox.world.ground import Ground, bends, ground
from up42_plugin.sandbox.world.lattice import GIRTH, Array, F, Points, latitude, plane
from up42_plugin.sandbox.world.view import SEED

_SPACING = 24.0
_PIECE = 25  # points of a road in one way: 600 m
_REACH = 1200.0  # how far bends may carry a line (nominal metres)
_ROUNDS, _CLOSE = 40, 1.5
_SEEN_AT, _SEEN = 4.0, 0.35

LonLat = Tuple[float, float]
Box = Tuple[float, float, float, float]


@dataclass(frozen=True)
class Road:
    """A piece of road: ``main`` roads join towns. ``number`` is the same for all pieces of one link."""

    main: bool
    number: int
    line: Sequence[LonLat]


@dataclass(frozen=True)
class Place:
    """Where roads meet: longitude, latitude, and how large the settlement there is, 0 (nobody) to 1."""

    main: bool
    number: int
    lon: float
    lat: float
    size: float


@dataclass(frozen=True)
class _Net:
    main: bool
    size: float
    salt: int
    link: float
    settle: float


_NETS = (
    _Net(True, settlements.MAIN_SIZE, settlements.MAIN_SALT, settlements.MAIN_LINK, settlements.MAIN_SETTLE),
    _Net(False, settlements.MINOR_SIZE, settlements.MINOR_SALT, settlements.MINOR_LINK, settlements.MINOR_SETTLE),
)


@dataclass
class _Cells:
    """The cells of a network around a box: their numbers, places (nominal metres, still unbent), links and sizes."""

    i: Array
    j: Array
    x: Array
    y: Array
    east: Array
    north: Array
    size: Array
    cell: float
    count: int


@dataclass(frozen=True)
class _Link:
    """The straight line from a place to its neighbour, not bent yet (nominal metres)."""

    number: int
    x: Array
    y: Array


def roads(box: Box, seed: int = SEED) -> List[Road]:
    """Return the roads that touch a box (west, south, east, north), cut where the ground shows none."""
    found: List[Road] = []
    for net in _NETS:
        links = [link for link in _links(_cells(box, net, seed)) if _near(link, box)]
        if links:
            found.extend(_pieces(net, links, box, seed))
    return found


def _pieces(net: _Net, links: Sequence[_Link], box: Box, seed: int) -> Iterator[Road]:
    """The parts of links along which the ground shows a road; all points are looked at together."""
    lon, lat, good = _unbent(
        np.concatenate([link.x for link in links]), np.concatenate([link.y for link in links]), seed
    )
    shown = good & (_road(ground(lon, lat, _SEEN_AT, seed)) > _SEEN)
    west, south, east, north = box
    inside = shown & (lon > west) & (lon < east) & (lat > south) & (lat < north)
    first = 0
    for link in links:
        part = slice(first, first + link.x.size)
        first += link.x.size
        for start, end in _runs(shown[part]):
            if inside[part][start:end].any():
                line = list(zip(lon[part][start:end].tolist(), lat[part][start:end].tolist()))
                yield Road(net.main, link.number, line)


def places(box: Box, seed: int = SEED) -> List[Place]:
    """Return the places inside a box that lie on land."""
    found = []
    west, south, east, north = box
    for net in _NETS:
        cells = _cells(box, net, seed)
        lon, lat, good = _unbent(cells.x.ravel(), cells.y.ravel(), seed)
        inside = good & (lon > west) & (lon < east) & (lat > south) & (lat < north)
        if not inside.any():
            continue
        numbers = (cells.j * cells.count + cells.i % cells.count).ravel()
        dry = np.zeros(inside.shape, bool)
        dry[inside] = ground(lon[inside], lat[inside], 10.0, seed).sea < 0.5
        found.extend(
            Place(net.main, int(numbers[k]), float(lon[k]), float(lat[k]), float(cells.size.ravel()[k]))
            for k in np.flatnonzero(dry)
        )
    return found


def _cells(box: Box, net: _Net, seed: int) -> _Cells:
    west, south, east, north = box
    (x0, y0), (x1, y1) = ((float(a), float(b)) for a, b in (plane(west, south), plane(east, north)))
    count = max(round(GIRTH / net.size), 1)
    cell = GIRTH / count
    ox, oy = settlements.origin(net.size)
    i = np.arange(int(np.floor((x0 - ox - _REACH) / cell)) - 1, int(np.floor((x1 - ox + _REACH) / cell)) + 3)
    j = np.arange(int(np.floor((y0 - oy - _REACH) / cell)) - 1, int(np.floor((y1 - oy + _REACH) / cell)) + 3)
    columns, rows = np.meshgrid(i, j)
    place = settlements.places_of(seed + net.salt, net.link, net.settle)
    sx, sy, joins_east, joins_north, size = place(columns % count, rows)
    x, y = ox + (columns + sx) * cell, oy + (rows + sy) * cell
    return _Cells(columns, rows, x, y, joins_east, joins_north, size, cell, count)


def _links(cells: _Cells) -> Iterator[_Link]:
    """Every link between neighbouring cells."""
    rows, columns = cells.x.shape
    for row in range(rows):
        for column in range(columns):
            for joined, (down, right) in ((cells.east, (0, 1)), (cells.north, (1, 0))):
                if not joined[row, column] or row + down >= rows or column + right >= columns:
                    continue
                x0, y0 = cells.x[row, column], cells.y[row, column]
                x1, y1 = cells.x[row + down, column + right], cells.y[row + down, column + right]
                share = np.linspace(0, 1, max(int(np.hypot(x1 - x0, y1 - y0) / _SPACING), 2))
                number = int(cells.j[row, column]) * cells.count + int(cells.i[row, column]) % cells.count
                yield _Link(2 * number + down, x0 + share * (x1 - x0), y0 + share * (y1 - y0))


def _unbent(x: Array, y: Array, seed: int) -> Tuple[Array, Array, Array]:
    """Longitude and latitude of the points that bends carry to the given ones, and where they were found."""
    px, py = x.astype(float), y.astype(float)
    off = np.full(x.shape, np.inf)
    for _ in range(_ROUNDS):
        dx, dy = bends(Points(px, py, np.full(px.shape, 10.0, F)), seed)
        off = np.hypot(x - dx - px, y - dy - py)
        if float(off.max()) < _CLOSE / 10:
            break
        px, py = px + 0.7 * (x - dx - px), py + 0.7 * (y - dy - py)
    return px / GIRTH * 360.0, latitude(py), off < _CLOSE


def _near(link: _Link, box: Box) -> bool:
    """Whether a link may touch the box once it is bent."""
    (x0, y0), (x1, y1) = plane(box[0], box[1]), plane(box[2], box[3])
    across = link.x.max() > x0 - _REACH and link.x.min() < x1 + _REACH
    return bool(across and link.y.max() > y0 - _REACH and link.y.min() < y1 + _REACH)


def _runs(shown: Array) -> Iterator[Tuple[int, int]]:
    """First and behind-last index of the pieces of every run of true values, each with the end of the one before."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], shown, [False]]).astype(np.int8)))
    for first, after in zip(edges[::2].tolist(), edges[1::2].tolist()):
        for start in range(first - first % _PIECE, after - 1, _PIECE):
            begin, end = max(start, first), min(start + _PIECE + 1, after)
            if end - begin > 1:
                yield begin, end


def _road(g: Ground) -> Array:
    out = np.zeros(g.sea.shape, F)
    if g.land is not None:
        out[g.ashore] = g.land.town.road
    return out
