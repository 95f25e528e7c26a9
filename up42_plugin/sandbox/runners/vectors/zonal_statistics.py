"""Block ``zonal-statistics``: statistics of every band inside zones, or of whole images."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal, ogr

from up42_plugin.sandbox import geometry
from up42_plugin.sandbox.geodesy import WGS84, spatial_reference
from up42_plugin.sandbox.runners import data_json, geojson_files, grids, images, pixels, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR
from up42_plugin.sandbox.runners.placing import open_placed
from up42_plugin.sandbox.runners.vectors import zone_numbers

MERGED = "results_merged.geojson"


@dataclass(frozen=True)
class Zone:
    """A polygon (GeoJSON, EPSG:4326; None: the image's outline), and its name under the key asked for."""

    name: Any
    polygon: Optional[Mapping[str, Any]]


@dataclass(frozen=True)
class _Image:
    """An open image, the EPSG code that its results are written in, and its CRS."""

    dataset: Any
    epsg: int
    reference: Any

    def in_results(self, shape: Any) -> Any:
        """A shape of the image's CRS as it is written."""
        target = spatial_reference(self.epsg)
        if not target.IsSame(self.reference):
            shape = shape.Clone()
            shape.AssignSpatialReference(self.reference)
            shape.TransformTo(target)
        return shape


def run(task: Task) -> Usage:
    """``<stem>.geojson`` per image in the image's CRS, and all of them in ``results_merged.geojson``.

    Properties are ``<band>_<statistic>`` and the zone's name; each zone of each image is a feature of ``data.json``.
    """
    names = zone_numbers.checked(task.parameters.get("stats"))
    key = str(task.parameters.get("zones_attribute_id") or "zone_id")
    zones = zones_of(task.parameters.get("zones"), key)
    features: List[data_json.Feature] = []
    merged: List[Tuple[int, Dict[str, Any]]] = []
    square_km, count = 0.0, 0
    for source in data_json.read_source(task):
        path = images.image_file(task, source)
        image = _opened(path)
        found = [(zone, *_measured(task, image, zone, names)) for zone in zones]
        written = [
            geojson_files.feature(
                geojson_files.as_json(image.in_results(shape), image.epsg == WGS84), {key: zone.name, **values}
            )
            for zone, shape, values in found
        ]
        target = images.free_path(task.target, f"{path.stem}.geojson")
        task.log("INFO", f"{path.name}: {len(zones)} zones, {len(pixels.value_bands(image.dataset))} bands")
        geojson_files.write(target, written, image.epsg)
        merged.extend((image.epsg, feature) for feature in written)
        features.extend(_feature(source, key, target.name, image, part) for part in found)
        square_km += images.priced_km2(task, source)
        count += image.dataset.RasterXSize * image.dataset.RasterYSize
    _write_merged(task.target / MERGED, merged)
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), count)


def zones_of(given: Any, key: str) -> List[Zone]:
    """The zones of the parameter, named by their property ``key`` or numbered; the outline when there is none.

    Raises:
        RunnerError: something that is no feature with a valid polygon.
    """
    if not given:
        return [Zone(0, None)]
    if not isinstance(given, list):
        raise RunnerError(INPUT_PARAMETERS_ERROR, "zones must be a list of features")
    zones = []
    for number, feature in enumerate(given):
        polygon = feature.get("geometry") if isinstance(feature, Mapping) else None
        wrong = geometry.polygon_problems(polygon)
        if wrong:
            raise RunnerError(INPUT_PARAMETERS_ERROR, f"zones: number {number} {'; '.join(wrong)}")
        zones.append(Zone((feature.get("properties") or {}).get(key, number), polygon))
    return zones


def _opened(path: Path) -> _Image:
    dataset = open_placed(path)
    reference = geojson_files.reference_of(dataset.GetProjection())
    return _Image(dataset, geojson_files.epsg_of(reference) or WGS84, reference)


def _measured(task: Task, image: _Image, zone: Zone, names: Sequence[str]) -> Tuple[Any, Dict[str, Any]]:
    """The zone's shape in the image's CRS, and its statistics."""
    dataset = image.dataset
    shape = _outline(dataset) if zone.polygon is None else geojson_files.shape(zone.polygon)
    if zone.polygon is not None:
        shape.Transform(geojson_files.from_degrees(image.reference))
    values: Dict[str, Any] = {}
    for number in pixels.value_bands(dataset):
        inside, missing = _values(task, image, shape if zone.polygon is not None else None, number)
        found = zone_numbers.numbers(names, inside, missing)
        values.update({f"{number}_{name}": value for name, value in found.items()})
    return shape, values


def _values(task: Task, image: _Image, shape: Any, number: int) -> Tuple[np.ndarray, int]:
    """Values of one band in a shape (None: everywhere), and how many of its pixels have none."""
    dataset, parts, missing = image.dataset, [], 0
    band = dataset.GetRasterBand(number)
    for place in _windows(dataset, shape):
        task.check()
        values = rasters.read(band, *place)
        known = rasters.read(band.GetMaskBand(), *place) > 0
        if values.dtype.kind == "f":
            known &= np.isfinite(values)
        inside = np.ones(values.shape, bool) if shape is None else _burnt(image, shape, place)
        parts.append(values[inside & known])
        missing += int((inside & ~known).sum())
    return (np.concatenate(parts) if parts else np.zeros(0)), missing


def _windows(dataset: Any, shape: Any) -> Iterator[Tuple[int, int, int, int]]:
    """Strips of the image's part around a shape."""
    left, top, width, height = 0, 0, dataset.RasterXSize, dataset.RasterYSize
    if shape is not None:
        inverse = gdal.InvGeoTransform(dataset.GetGeoTransform())
        west, east, south, north = shape.GetEnvelope()
        corners = [gdal.ApplyGeoTransform(inverse, x, y) for x in (west, east) for y in (south, north)]
        columns, rows = [c for c, _ in corners], [r for _, r in corners]
        left, top = max(math.floor(min(columns)), 0), max(math.floor(min(rows)), 0)
        width = min(math.ceil(max(columns)), dataset.RasterXSize) - left
        height = min(math.ceil(max(rows)), dataset.RasterYSize) - top
    if width > 0 and height > 0:
        for row, rows_here in grids.strips(width, height):
            yield left, top + row, width, rows_here


def _burnt(image: _Image, shape: Any, place: Tuple[int, int, int, int]) -> np.ndarray:
    """Which pixels of a window have their middle in the shape."""
    column, row, width, height = place
    raster = gdal.GetDriverByName("MEM").Create("", width, height, 1, gdal.GDT_Byte)
    transform = list(image.dataset.GetGeoTransform())
    transform[0], transform[3] = gdal.ApplyGeoTransform(transform, column, row)
    raster.SetGeoTransform(transform)
    raster.SetProjection(image.dataset.GetProjection())
    _keep, layer = geojson_files.memory_layer(image.reference, ogr.wkbPolygon)
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetGeometry(shape)
    layer.CreateFeature(feature)
    gdal.RasterizeLayer(raster, [1], layer, burn_values=[1])
    return np.asarray(raster.ReadAsArray()).astype(bool)


def _outline(dataset: Any) -> Any:
    """The image's four corners as a polygon in its CRS."""
    transform, ring = dataset.GetGeoTransform(), ogr.Geometry(ogr.wkbLinearRing)
    width, height = dataset.RasterXSize, dataset.RasterYSize
    for column, row in ((0, height), (width, height), (width, 0), (0, 0), (0, height)):
        ring.AddPoint_2D(*gdal.ApplyGeoTransform(transform, column, row))
    polygon = ogr.Geometry(ogr.wkbPolygon)
    polygon.AddGeometry(ring)
    return polygon


def _feature(
    source: data_json.Feature, key: str, data_path: str, image: _Image, part: Tuple[Zone, Any, Mapping[str, Any]]
) -> data_json.Feature:
    zone, shape, values = part
    outline: Any = zone.polygon
    if outline is None:
        degrees = shape.Clone()
        degrees.Transform(geojson_files.to_degrees(image.reference))
        outline = geojson_files.as_json(degrees)
    properties = {**data_json.provider_properties(source), key: zone.name, **values}
    return data_json.feature(source.get("id"), outline, properties, data_path)


def _write_merged(path: Path, found: Sequence[Tuple[int, Dict[str, Any]]]) -> None:
    """Everything in one file: in the images' CRS when they share one, else in EPSG:4326."""
    codes = {epsg for epsg, _ in found}
    if len(codes) == 1:
        geojson_files.write(path, [feature for _, feature in found], codes.pop())
        return
    turned = []
    for epsg, feature in found:
        shape = geojson_files.shape(feature["geometry"])
        shape.Transform(geojson_files.to_degrees(spatial_reference(epsg)))
        turned.append({**feature, "geometry": geojson_files.as_json(shape)})
    geojson_files.write(path, turned)
