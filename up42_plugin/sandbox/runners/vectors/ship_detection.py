"""Block ``ship-detection``: outlines of the ships that an 8-bit image shows, each with how sure it is.

The real block asks a neural network. This one knows where the made-up Earth's ships are on the day of the image, and
looks whether each stands out from the water around it: what a cloud hides is not found.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal

from up42_plugin.sandbox.runners import data_json, geojson_files, images, made_up, pixels
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.placing import open_placed
from up42_plugin.sandbox.world.ships import Ship, ships

_DATE = re.compile(r"(\d{4})[-:](\d{2})[-:](\d{2})[T ](\d{2}):(\d{2}):(\d{2})")
_DATE_KEYS = ("acquisitionDate", "datetime", "beginposition")
_LEAST_CONTRAST, _FULL_CONTRAST = 12.0, 120.0
_AROUND_M = 12.0


def run(task: Task) -> Usage:
    """``<stem>.geojson`` per image: polygons in EPSG:4326 with ``class`` and ``confidence`` (0..1)."""
    features: List[data_json.Feature] = []
    square_km, count = 0.0, 0
    for source in data_json.read_source(task):
        task.check()
        path = images.image_file(task, source)
        dataset = _opened(path)
        found = list(_found(dataset, day_of(source, dataset, path), made_up.seed_of(task)))
        task.log("INFO", f"{path.name}: {len(found)} ships")
        target = images.free_path(task.target, f"{path.stem}.geojson")
        geojson_files.write(target, found)
        count += dataset.RasterXSize * dataset.RasterYSize
        square_km += images.priced_km2(task, source)
        features.append(data_json.passed_on(source, target.name))
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), count)


def _opened(path: Path) -> Any:
    dataset = open_placed(path)
    if dataset.GetRasterBand(1).DataType != gdal.GDT_Byte:
        raise RunnerError(WRONG_INPUT_ERROR, f"{path.name} is no 8-bit image")
    return dataset


def moment_of(source: Mapping[str, Any], dataset: Any = None) -> Optional[datetime]:
    """When an image was taken (UTC): by its feature's metadata, else by its own tags."""
    properties = source.get("properties") or {}
    texts = [properties.get(key) for key in _DATE_KEYS]
    texts.append(None if dataset is None else dataset.GetMetadataItem("TIFFTAG_DATETIME"))
    for text in texts:
        found = _DATE.match(text) if isinstance(text, str) else None
        if found is not None:
            return datetime(*(int(part) for part in found.groups()), tzinfo=timezone.utc)  # type: ignore[arg-type, misc]
    return None


def day_of(source: Mapping[str, Any], dataset: Any, path: Path) -> date:
    """The day of an image; raises :class:`RunnerError` where nothing tells it."""
    moment = moment_of(source, dataset)
    if moment is None:
        raise RunnerError(WRONG_INPUT_ERROR, f"{path.name} does not say when it was taken")
    return moment.date()


def _found(dataset: Any, day: date, seed: int) -> Iterator[Dict[str, Any]]:
    reference = geojson_files.reference_of(dataset.GetProjection())
    to_degrees, from_degrees = geojson_files.to_degrees(reference), geojson_files.from_degrees(reference)
    transform, width, height = dataset.GetGeoTransform(), dataset.RasterXSize, dataset.RasterYSize
    corners = [gdal.ApplyGeoTransform(transform, c, r) for c in (0, width) for r in (0, height)]
    lons, lats = zip(*[to_degrees.TransformPoint(x, y)[:2] for x, y in corners])
    inverse = gdal.InvGeoTransform(transform)
    for ship in ships((min(lons), min(lats), max(lons), max(lats)), day, seed):
        place = [gdal.ApplyGeoTransform(inverse, *from_degrees.TransformPoint(*p)[:2]) for p in _corners(ship)]
        confidence = _confidence(dataset, ship, (from_degrees, inverse), place)
        if confidence is not None:
            ring = [[round(lon, 8), round(lat, 8)] for lon, lat in ship.outline]
            properties = {"class": "ship", "confidence": confidence, "length_m": round(ship.length, 1)}
            yield geojson_files.feature({"type": "Polygon", "coordinates": [ring]}, properties)


def _corners(ship: Ship) -> Sequence[Tuple[float, float]]:
    """The corners of a box around a ship and some water."""
    a, w = ship.length / 2 + _AROUND_M, ship.width / 2 + _AROUND_M
    return [ship.at(x, y) for x in (-a, a) for y in (-w, w)]


def _confidence(dataset: Any, ship: Ship, places: Tuple[Any, Any], around: Sequence[Any]) -> Optional[float]:
    """0..1 by how far the ship stands out from its surroundings; None when it is not in the image or not seen."""
    from_degrees, inverse = places
    width, height = dataset.RasterXSize, dataset.RasterYSize
    column, row = gdal.ApplyGeoTransform(inverse, *from_degrees.TransformPoint(ship.lon, ship.lat)[:2])
    if not (0 <= column < width and 0 <= row < height):
        return None
    left, right = max(int(min(c for c, _ in around)), 0), min(int(max(c for c, _ in around)) + 1, width)
    top, bottom = max(int(min(r for _, r in around)), 0), min(int(max(r for _, r in around)) + 1, height)
    values, known = pixels.window(dataset, pixels.value_bands(dataset)[:3], (left, top, right - left, bottom - top))
    inside = _inside(dataset, ship, (left, top, right - left, bottom - top)) & known
    water = known & ~inside
    if not inside.any() or not water.any():
        return None
    brightness = values.mean(axis=0)
    contrast = abs(float(brightness[inside].mean()) - float(np.median(brightness[water])))
    if contrast < _LEAST_CONTRAST:
        return None
    return round(0.5 + 0.49 * min(1.0, contrast / _FULL_CONTRAST), 3)


def _inside(dataset: Any, ship: Ship, place: Tuple[int, int, int, int]) -> np.ndarray:
    """Which pixels of a window have their middle on the ship."""
    left, top, width, height = place
    columns, rows = np.meshgrid(left + np.arange(width) + 0.5, top + np.arange(height) + 0.5)
    transform = dataset.GetGeoTransform()
    x = transform[0] + columns * transform[1] + rows * transform[2]
    y = transform[3] + columns * transform[4] + rows * transform[5]
    to_degrees = geojson_files.to_degrees(geojson_files.reference_of(dataset.GetProjection()))
    points = np.array(to_degrees.TransformPoints(np.stack([x.ravel(), y.ravel()], axis=1).tolist()))
    ahead, starboard = ship.local(points[:, 0].reshape(x.shape), points[:, 1].reshape(x.shape))
    return (np.abs(ahead) <= 0.45 * ship.length) & (np.abs(starboard) <= ship.width / 2)
