"""Block ``vectorising``: polygons around pixels of equal value."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from osgeo import gdal, ogr, osr

from up42_plugin.sandbox.geodesy import spatial_reference
from up42_plugin.sandbox.runners import cancelling, data_json, geojson_files, images, rasters
from up42_plugin.sandbox.runners.checked import one_of, whole_number
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR, NO_OUTPUT_ERROR, WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.placing import open_placed

FIELD = "value"
_MOST_SIEVED, _MOST_BANDS = 1_000_000, 10_000
_MOST_POLYGONS = 400_000


def run(task: Task) -> Usage:
    """``<stem>.geojson`` per image: polygons with the pixels' value, in ``dst_crs``."""
    sieve = whole_number(task.parameters, "n_sieve_pixels", 0, _MOST_SIEVED)
    connected = one_of(task.parameters, "n_connectivity_pixels", (4, 8))
    number = whole_number(task.parameters, "src_band", 1, _MOST_BANDS)
    epsg = _target_crs(task.parameters.get("dst_crs"))
    features: List[data_json.Feature] = []
    square_km, pixels = 0.0, 0
    for source in data_json.read_source(task):
        path = images.image_file(task, source)
        dataset = open_placed(path)
        band = _band(dataset, number, path)
        turn = _to(dataset, epsg)
        polygons = _polygons(task, band, (sieve, connected), turn, spatial_reference(epsg).IsGeographic())
        target = images.free_path(task.target, f"{path.stem}.geojson")
        count = geojson_files.write(target, polygons, epsg)
        task.log("INFO", f"{path.name}: {count} polygons")
        pixels += dataset.RasterXSize * dataset.RasterYSize
        square_km += images.priced_km2(task, source)
        features.append(data_json.passed_on(source, target.name))
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def _target_crs(text: Any) -> int:
    code = str(text).upper().replace("EPSG:", "", 1)
    try:
        spatial_reference(int(code))
    except ValueError:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"dst_crs must be like EPSG:4326, got {text!r}") from None
    return int(code)


def _band(dataset: Any, number: int, path: Path) -> Any:
    if number > dataset.RasterCount:
        message = f"src_band is {number}, {path.name} has {dataset.RasterCount} bands"
        raise RunnerError(INPUT_PARAMETERS_ERROR, message)
    return dataset.GetRasterBand(number)


def _to(dataset: Any, epsg: int) -> Any:
    """The transformation from the image's CRS."""
    return osr.CoordinateTransformation(geojson_files.reference_of(dataset.GetProjection()), spatial_reference(epsg))


def _polygons(
    task: Task, band: Any, patches: Tuple[int, int], transformation: Any, degrees: bool
) -> Iterator[Dict[str, Any]]:
    """Features in the new CRS. ``patches``: the fewest pixels of one, and how they hang together (4 or 8)."""
    sieve, connected = patches
    whole = band.DataType in (gdal.GDT_Byte, gdal.GDT_UInt16, gdal.GDT_Int16, gdal.GDT_UInt32, gdal.GDT_Int32)
    _keep, layer = geojson_files.memory_layer(None, ogr.wkbPolygon)
    layer.CreateField(ogr.FieldDefn(FIELD, ogr.OFTInteger64 if whole else ogr.OFTReal))

    def check() -> None:
        task.check()
        if layer.GetFeatureCount() > _MOST_POLYGONS:
            message = f"More than {_MOST_POLYGONS} polygons: the image has too many values, classify it first"
            raise RunnerError(WRONG_INPUT_ERROR, message)

    what = "The image cannot be vectorised"
    options = ["8CONNECTED=8"] if connected > 4 else []  # noqa: PLR2004 - GDAL's own default
    with tempfile.TemporaryDirectory() as folder, _sieved(task, band, sieve, connected, Path(folder)) as sieved:
        polygonize = gdal.Polygonize if whole else gdal.FPolygonize
        with cancelling.watched(check, NO_OUTPUT_ERROR, what) as watch:
            polygonize(sieved, sieved.GetMaskBand(), layer, 0, options, callback=watch)
        del sieved
    for found in layer:
        shape = found.GetGeometryRef().Clone()
        shape.Transform(transformation)
        yield geojson_files.feature(geojson_files.as_json(shape, degrees), {FIELD: found.GetField(0)})


@contextmanager
def _sieved(task: Task, band: Any, sieve: int, connected: int, folder: Path) -> Iterator[Any]:
    """The band of a scratch raster without small patches; the band itself where nothing is to be sieved."""
    if sieve <= 1:
        yield band
        return
    what = "Small patches cannot be sieved"
    with rasters.gdal_errors(NO_OUTPUT_ERROR, what):
        driver = gdal.GetDriverByName("GTiff")
        scratch = driver.Create(str(folder / "sieved.tif"), band.XSize, band.YSize, 1, band.DataType)
        scratch.SetGeoTransform(band.GetDataset().GetGeoTransform())
        target = scratch.GetRasterBand(1)
        if band.GetNoDataValue() is not None:
            target.SetNoDataValue(band.GetNoDataValue())
    with cancelling.watched(task.check, NO_OUTPUT_ERROR, what) as watch:
        gdal.SieveFilter(band, band.GetMaskBand(), target, sieve, connected, callback=watch)
    yield target
    del target, scratch  # the file cannot be deleted everywhere while it is open
