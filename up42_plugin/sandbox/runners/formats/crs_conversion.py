"""Block ``crs-conversion``: images in another coordinate reference system, the local UTM zone if none is chosen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping

from osgeo import gdal

from up42_plugin.sandbox.geodesy import spatial_reference, utm_epsg
from up42_plugin.sandbox.geometry import bounds
from up42_plugin.sandbox.runners import data_json, grids, images, rasters
from up42_plugin.sandbox.runners.contract import RunnerError, Task, Usage
from up42_plugin.sandbox.runners.errors import INPUT_PARAMETERS_ERROR, WRONG_INPUT_ERROR
from up42_plugin.sandbox.runners.rasters import TiffSpec, TiffWriter

METHODS: Mapping[str, str] = {
    "nearest": "near",
    "bilinear": "bilinear",
    "cubic": "cubic",
    "cubic_spline": "cubicspline",
    "cubicspline": "cubicspline",
    "lanczos": "lanczos",
    "average": "average",
    "mode": "mode",
    "max": "max",
    "min": "min",
    "med": "med",
    "q1": "q1",
    "q3": "q3",
    "near": "near",
}
"""Names of ``resampling_method`` and GDAL's."""

_ROWS = 128  # of a block that GDAL computes at a time
_PIXELS = 8 * grids.STRIP_PIXELS


def run(task: Task) -> Usage:
    """Every file under its own name with the input's type and bands; sensor geometry is resolved with its RPC."""
    method = _method(task.parameters)
    code = _code(task.parameters)
    features: List[data_json.Feature] = []
    square_km, pixels = 0.0, 0
    for source in data_json.read_source(task):
        path = images.image_file(task, source)
        own = code or _utm_of(source)
        for file in images.files_of(path):
            task.log("INFO", f"Converting {file.name} to EPSG:{own} ({method})")
            pixels += _convert(task, file, own, METHODS[method])
        relative = source["properties"][data_json.DATA_PATH]
        features.append(data_json.passed_on(source, relative))
        square_km += images.priced_km2(task, source)
    data_json.write(task, features)
    return Usage(square_km, len(features), data_json.output_bytes(task), pixels)


def _method(parameters: Mapping[str, Any]) -> str:
    method = str(parameters.get("resampling_method") or "cubic")
    if method not in METHODS:
        names = ", ".join(name for name in METHODS if name != "near")
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"resampling_method must be one of {names}, not {method!r}")
    return method


def _code(parameters: Mapping[str, Any]) -> int:
    """The EPSG code asked for, 0 when there is none."""
    code = parameters.get("output_epsg_code")
    if code is None:
        return 0
    try:
        reference = spatial_reference(int(code))
    except (TypeError, ValueError, OverflowError) as error:
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"output_epsg_code {code!r} is no known EPSG code") from error
    if not (reference.IsProjected() or reference.IsGeographic()):
        raise RunnerError(INPUT_PARAMETERS_ERROR, f"EPSG:{code} is no system for maps")
    return int(code)


def _utm_of(source: data_json.Feature) -> int:
    west, south, east, north = source.get("bbox") or bounds(source["geometry"])
    return utm_epsg((west + east) / 2, (south + north) / 2)


def _convert(task: Task, path: Path, code: int, method: str) -> int:
    """Write the converted file at the same place in the output folder; returns its number of pixels."""
    dataset = rasters.open_raster(path)
    if not dataset.RasterCount:
        raise RunnerError(WRONG_INPUT_ERROR, f"{path.name} has no bands")
    warped = _warped(dataset, path.name, code, method)
    width, height = warped.RasterXSize, warped.RasterYSize
    first = rasters.read(warped.GetRasterBand(1), 0, 0, 1, 1)
    nodata = warped.GetRasterBand(1).GetNoDataValue()
    spec = TiffSpec(width, height, rasters.band_specs(dataset), first.dtype.name, nodata, tags=_tags(dataset))
    target = task.target / path.relative_to(task.source or path.parent)
    with TiffWriter(target, spec, like=warped) as writer:
        for number in range(1, dataset.RasterCount + 1):
            table = dataset.GetRasterBand(number).GetColorTable()
            if table is not None:
                writer.paint(number, table)
        for row, rows in grids.strips(width, height, _ROWS, _PIXELS):
            task.check()
            values = rasters.read(warped, 0, row, width, rows).reshape(dataset.RasterCount, rows, width)
            for number, band in enumerate(values, 1):
                writer.write(number, band, row=row)
    return width * height


def _warped(dataset: Any, name: str, code: int, method: str) -> Any:
    """The image in the CRS, computed where it is read; its own nodata or alpha says where it ends, else 0."""
    alpha = any(band.colour == gdal.GCI_AlphaBand for band in rasters.band_specs(dataset))
    nodata = dataset.GetRasterBand(1).GetNoDataValue()
    options: Dict[str, Any] = {} if alpha or nodata is not None else {"dstNodata": 0}
    with rasters.gdal_errors(WRONG_INPUT_ERROR, f"{name} cannot be converted"):
        warped = gdal.Warp("", dataset, format="VRT", dstSRS=f"EPSG:{code}", resampleAlg=method, **options)
        if warped is None or warped.RasterCount != dataset.RasterCount:
            raise RuntimeError(gdal.GetLastErrorMsg() or "its place is not known")
        warped.SetMetadata({}, "RPC")
    return warped


def _tags(dataset: Any) -> Dict[str, str]:
    return dict(dataset.GetMetadata() or {})
