"""Small, real outputs that come as folders, tiles, grids and tables; ``raster_samples`` has the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal, ogr, osr

from tests.raster_samples import EPSG, LEFT, PIXEL, TOP, coast, geotiff, wkt

_KINDS = {"float32": gdal.GDT_Float32, "float64": gdal.GDT_Float64}


def dimap(folder: Path, *, kinds: Sequence[str] = ("MS", "P"), order: str = "0b0e") -> Path:
    """A full scene of Pléiades as it is delivered: a description and an image that it alone explains, per kind."""
    root = folder / order
    land = coast()
    for kind in kinds:
        place = root / f"IMG_PHR1A_{kind}_001"
        place.mkdir(parents=True)
        names = ("B04",) if kind == "P" else ("B04", "B03", "B02", "B08")
        bands = [np.clip(land[name] / 4, 1, 4095).astype(np.uint16) for name in names]
        image = place / f"IMG_PHR1A_{kind}_202106201002033_ORT_{order}_R1C1.TIF"
        geotiff(image, bands, epsg=4326, left=15.2, top=37.9, pixel=0.0001)
        rows, columns = bands[0].shape
        description = place / f"DIM_PHR1A_{kind}_202106201002033_ORT_{order}.XML"
        description.write_text(_dimap_xml(image.name, rows, columns, len(bands)), encoding="utf-8")
    return root


def _dimap_xml(image: str, rows: int, columns: int, bands: int) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Dimap_Document><Metadata_Identification>'
        '<METADATA_FORMAT version="2.15">DIMAP</METADATA_FORMAT></Metadata_Identification>'
        "<Coordinate_Reference_System><Geodetic_CRS><GEODETIC_CRS_CODE>urn:ogc:def:crs:EPSG::4326</GEODETIC_CRS_CODE>"
        "</Geodetic_CRS></Coordinate_Reference_System>"
        "<Raster_Data><Data_Access><DATA_FILE_ORGANISATION>BAND_COMPOSITE</DATA_FILE_ORGANISATION>"
        '<DATA_FILE_FORMAT>image/tiff</DATA_FILE_FORMAT><Data_Files><Data_File tile_R="1" tile_C="1">'
        f'<DATA_FILE_PATH href="{image}"/></Data_File></Data_Files></Data_Access>'
        f"<Raster_Dimensions><NROWS>{rows}</NROWS><NCOLS>{columns}</NCOLS><NBANDS>{bands}</NBANDS><Tile_Set>"
        f'<NTILES>1</NTILES><Regular_Tiling><NTILES_SIZE nrows="{rows}" ncols="{columns}"/>'
        '<NTILES_COUNT ntiles_R="1" ntiles_C="1"/><OVERLAP_COL>0</OVERLAP_COL></Regular_Tiling></Tile_Set>'
        "</Raster_Dimensions><Raster_Encoding><DATA_TYPE>INTEGER</DATA_TYPE><NBITS>16</NBITS>"
        "<SIGN>UNSIGNED</SIGN></Raster_Encoding></Raster_Data></Dimap_Document>"
    )


def radar(folder: Path, *, product: str = "grd", complex_values: bool = False) -> Path:
    """A Sentinel-1 scene: one image per polarisation, placed by a grid of control points; returns the folder."""
    root = folder / f"S1A_IW_{product.upper()}_20200615T165812_20200615T165837_033033_03D3D6_1234.SAFE"
    place = root / "measurement"
    place.mkdir(parents=True)
    (root / "manifest.safe").write_text("<xfdu/>")
    rows, columns = 200, 300
    points = [
        gdal.GCP(15.0 + x / 1000 + y / 8000, 38.0 - y / 1200 + x / 9000, 0, x, y)
        for y in range(0, rows + 1, 20)
        for x in range(0, columns + 1, 15)
    ]
    for number, polarisation in enumerate(("vh", "vv"), start=1):
        path = place / f"s1a-iw-{product}-{polarisation}-20200615t165812-20200615t165837-033033-03d3d6-00{number}.tiff"
        kind = gdal.GDT_CInt16 if complex_values else gdal.GDT_UInt16
        dataset = gdal.GetDriverByName("GTiff").Create(str(path), columns, rows, 1, kind)
        dataset.SetGCPs(points, wkt(4326))
        values = np.full((rows, columns), 100 * number, np.uint16)
        values[50:100, 100:200] = 400 * number
        dataset.GetRasterBand(1).WriteArray(values * (0.6 + 0.8j) if complex_values else values)
        dataset.FlushCache()
    return root


LANDSAT8 = "LC08_L1TP_188034_20200615_20200623_01_T1"


def landsat8(folder: Path) -> Path:
    """A Landsat 8 scene: eleven bands at three kinds of pixels, flags, and two descriptions."""
    land = coast()
    known = {2: "B02", 3: "B03", 4: "B04", 5: "B08", 6: "B11"}
    for number in range(1, 12):
        values = land[known.get(number, "B02")]
        pixel = 30.0
        if number == 8:
            values, pixel = np.kron(values, np.ones((2, 2), np.uint16)), 15.0
        geotiff(folder / f"{LANDSAT8}_B{number}.TIF", [values], pixel=pixel)
    geotiff(folder / f"{LANDSAT8}_BQA.TIF", [np.full((120, 160), 2720, np.uint16)], pixel=30.0)
    for ending in ("MTL.txt", "MTL.json", "ANG.txt"):
        (folder / f"{LANDSAT8}_{ending}").write_text("GROUP = L1_METADATA_FILE")
    return folder


SINUSOIDAL = (
    'PROJCS["Sinusoidal",GEOGCS["Sphere",DATUM["Sphere",SPHEROID["Sphere",6371007.181,0]],PRIMEM["Greenwich",0],'
    'UNIT["degree",0.0174532925199433]],PROJECTION["Sinusoidal"],PARAMETER["longitude_of_center",0],'
    'PARAMETER["false_easting",0],PARAMETER["false_northing",0],UNIT["metre",1]]'
)
MODIS = "MCD43A4.A2020167.h19v05.006.2020177031458"


def modis(folder: Path) -> Path:
    """A MODIS tile: one file per band with flags beside each, in the sinusoidal projection."""
    land = coast()
    for number, name in ((1, "B04"), (2, "B08"), (3, "B02"), (4, "B03")):
        path = geotiff(folder / f"{MODIS}_B{number:02d}.TIF", [land[name]], pixel=463.3, left=1.2e6, top=4.2e6)
        dataset = gdal.Open(str(path), gdal.GA_Update)
        dataset.SetProjection(SINUSOIDAL)
        del dataset
        geotiff(folder / f"{MODIS}_B{number:02d}qa.TIF", [np.zeros((120, 160), np.uint8)], pixel=463.3)
    return folder


def tiles(
    folder: Path,
    image: str,
    *,
    columns: int = 3,
    rows: int = 2,
    side: int = 40,
    missing: Sequence[str] = (),
    **options: Any,
) -> List[Path]:
    """An image cut into tiles named ``<image>_<column>-<row>.tif``; the value of a tile is 100 x its number."""
    made = []
    left, top, pixel = options.pop("left", LEFT), options.pop("top", TOP), options.pop("pixel", PIXEL)
    bands, kind = options.pop("bands", 1), options.pop("kind", np.uint16)
    for column in range(columns):
        for row in range(rows):
            name = f"{column}-{row}"
            if name in missing:
                continue
            values = np.full((side, side), (column * rows + row + 1) * (100 if kind is np.uint16 else 1), kind)
            place = {"left": left + column * side * pixel, "top": top - row * side * pixel, "pixel": pixel}
            made.append(geotiff(folder / f"{image}_{name}.tif", [values] * bands, **place, **options))
    return made


def weather(path: Path, names: Sequence[str] = ("t_2m_C",), *, steps: int = 3, units: str = "") -> Path:
    """A NetCDF file with variables over time on a grid of degrees."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = gdal.GetDriverByName("netCDF").CreateMultiDimensional(str(path), [], ["FORMAT=NC4"])
    group = dataset.GetRootGroup()
    _attribute(group, "Conventions", "CF-1.6")
    time = group.CreateDimension("time", "TEMPORAL", None, steps)
    lat, lon = group.CreateDimension("lat", None, None, 20), group.CreateDimension("lon", None, None, 30)
    _array(group, "time", [time], np.arange(steps) * 6.0, units=units or "hours since 2020-06-15 00:00:00")
    _array(group, "lat", [lat], 38 - np.arange(20) * 0.05, units="degrees_north", standard_name="latitude")
    _array(group, "lon", [lon], 15 + np.arange(30) * 0.05, units="degrees_east", standard_name="longitude")
    for number, name in enumerate(names):
        values = np.arange(steps * 600, dtype=np.float32).reshape(steps, 20, 30) + 1000 * number
        _array(group, name, [time, lat, lon], values, units="C")
    return path


def swath(path: Path, *, placed: bool = True) -> Path:
    """A NetCDF file as Sentinel-5P's: a group, pixels that lie where two arrays say (or nobody says)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = gdal.GetDriverByName("netCDF").CreateMultiDimensional(str(path), [], ["FORMAT=NC4"])
    group = dataset.GetRootGroup().CreateGroup("PRODUCT")
    time = group.CreateDimension("time", None, None, 1)
    line, pixel = (
        group.CreateDimension("scanline", None, None, 40),
        group.CreateDimension("ground_pixel", None, None, 30),
    )
    y, x = np.mgrid[0:40, 0:30].astype(np.float32)
    axes = [time, line, pixel]
    if placed:
        _array(
            group, "latitude", axes, (36 + y * 0.05 + x * 0.01)[None], units="degrees_north", standard_name="latitude"
        )
        _array(
            group, "longitude", axes, (14 + x * 0.06 - y * 0.01)[None], units="degrees_east", standard_name="longitude"
        )
    where = {"coordinates": "longitude latitude"} if placed else {}
    _array(group, "nitrogendioxide_column", axes, (y * 100 + x)[None], units="mol m-2", **where)
    _array(group, "qa_value", axes, (x / 30)[None], **where)
    return path


def _array(group: Any, name: str, axes: Sequence[Any], values: np.ndarray, **attributes: str) -> None:
    kind = gdal.ExtendedDataType.Create(_KINDS[str(values.dtype)])
    array = group.CreateMDArray(name, list(axes), kind)
    array.Write(np.ascontiguousarray(values))
    for key, value in attributes.items():
        _attribute(array, key, value)


def _attribute(holder: Any, name: str, value: str) -> None:
    holder.CreateAttribute(name, [], gdal.ExtendedDataType.CreateString()).Write(value)


def vectors(
    path: Path, driver: str, layers: Sequence[Tuple[str, str]], *, epsg: Optional[int] = 4326, count: int = 3
) -> Path:
    """A vector file with layers of (name, WKT of its features)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = ogr.GetDriverByName(driver).CreateDataSource(str(path))
    for name, shape in layers:
        reference = osr.SpatialReference()
        reference.ImportFromEPSG(epsg)
        reference.SetAxisMappingStrategy(osr.OAMS_TRADITIONAL_GIS_ORDER)
        layer = source.CreateLayer(name, reference, ogr.CreateGeometryFromWkt(shape).GetGeometryType())
        layer.CreateField(ogr.FieldDefn("number", ogr.OFTInteger))
        layer.StartTransaction()
        for number in range(count):
            feature = ogr.Feature(layer.GetLayerDefn())
            feature.SetField("number", number)
            feature.SetGeometry(ogr.CreateGeometryFromWkt(shape))
            layer.CreateFeature(feature)
        layer.CommitTransaction()
    source.FlushCache()
    return path


def many_points(path: Path, count: int) -> Path:
    """A GeoJSON of many features: points and, one in ten, polygons."""
    lines = []
    for number in range(count):
        x, y = 15 + (number % 1000) / 1000, 37 + (number // 1000) / 1000
        shape = f'{{"type": "Point", "coordinates": [{x}, {y}]}}'
        if number % 10 == 0:
            ring = f"[[{x}, {y}], [{x + 0.001}, {y}], [{x}, {y + 0.001}], [{x}, {y}]]"
            shape = f'{{"type": "Polygon", "coordinates": [{ring}]}}'
        properties = f'{{"fid": {number}, "name": "feature {number}", "confidence": {number % 100 / 100}}}'
        lines.append(f'{{"type": "Feature", "properties": {properties}, "geometry": {shape}}}')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"type": "FeatureCollection", "features": [' + ",\n".join(lines) + "]}")
    return path


def elevation(path: Path) -> Path:
    """An elevation model in degrees, as a file without an ending."""
    made = geotiff(
        path.with_name(f"{path.name}.tif"),
        [np.linspace(0, 3000, 4800).reshape(60, 80).astype(np.float32)],
        epsg=4326, left=15.0, top=38.0, pixel=0.0001,
    )  # fmt: skip
    return made.rename(path)


def jpeg2000(path: Path) -> Path:
    """A georeferenced picture of its own."""
    memory = gdal.GetDriverByName("MEM").Create("", 160, 120, 1, gdal.GDT_UInt16)
    memory.SetProjection(wkt(EPSG))
    memory.SetGeoTransform((LEFT, PIXEL, 0, TOP, 0, -PIXEL))
    memory.GetRasterBand(1).WriteArray(coast()["B04"])
    path.parent.mkdir(parents=True, exist_ok=True)
    gdal.GetDriverByName("JP2OpenJPEG").CreateCopy(str(path), memory, options=["REVERSIBLE=YES", "QUALITY=100"])
    return path
