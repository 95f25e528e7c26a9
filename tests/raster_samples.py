"""Small, real outputs for tests, made with GDAL: each file opens by itself and shows something known."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from osgeo import gdal, osr

LEFT, TOP, PIXEL, EPSG = 524_000.0, 4_191_000.0, 10.0, 32633

# Real Landsat 7 scenes (L7_ETMs.tif, RGB.byte.tif), which are not part of the project.
LANDSAT = Path(os.environ.get("UP42_TEST_RASTERS") or Path(__file__).resolve().parents[2] / "shared" / "data")

_TYPES = {"uint8": gdal.GDT_Byte, "uint16": gdal.GDT_UInt16, "float32": gdal.GDT_Float32}


def coast(shape: Tuple[int, int] = (120, 160), seed: int = 1) -> Dict[str, np.ndarray]:
    """Reflectances x 10000 of a made-up coast: forest west, fields in the middle, sea east, a town in the north."""
    rows, columns = shape
    y, x = np.mgrid[0:rows, 0:columns]
    sea = x > columns * 0.7 + 6 * np.sin(y / 9.0)
    forest = (x < columns * 0.3) & ~sea
    town = (y < rows * 0.3) & ~sea & ~forest
    noise = np.random.default_rng(seed).normal(0, 40, shape)
    values = {"B02": (420, 900, 1500, 700), "B03": (500, 800, 1700, 650), "B04": (300, 1000, 1900, 350)}
    values.update({"B08": (4200, 3200, 2400, 120), "B05": (900, 1500, 2000, 250), "B11": (1500, 2800, 2600, 60)})
    bands = {}
    for name, (green, field, built, water) in values.items():
        band = np.full(shape, field, float)
        band[forest], band[town], band[sea] = green, built, water
        bands[name] = np.clip(band + noise * (0.3 if name != "B08" else 1.0), 1, 65535).astype(np.uint16)
    return bands


def geotiff(  # the fields of a raster
    path: Path,
    bands: Sequence[np.ndarray],
    *,
    descriptions: Sequence[str] = (),
    colours: Sequence[int] = (),
    nodata: Optional[float] = None,
    epsg: Optional[int] = EPSG,
    pixel: float = PIXEL,
    left: float = LEFT,
    top: float = TOP,
    rpc: Optional[Dict[str, str]] = None,
    options: Sequence[str] = ("COMPRESS=DEFLATE", "TILED=YES"),
) -> Path:
    """Write a GeoTIFF."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = bands[0].shape
    kind = _TYPES[str(bands[0].dtype)]
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), width, height, len(bands), kind, list(options))
    if epsg is not None:
        dataset.SetProjection(wkt(epsg))
        dataset.SetGeoTransform((left, pixel, 0, top, 0, -pixel))
    if rpc is not None:
        dataset.SetMetadata(rpc, "RPC")
    for index, values in enumerate(bands, start=1):
        band = dataset.GetRasterBand(index)
        if index <= len(colours):
            band.SetColorInterpretation(colours[index - 1])
        if index <= len(descriptions):
            band.SetDescription(descriptions[index - 1])
        if nodata is not None:
            band.SetNoDataValue(nodata)
        band.WriteArray(values)
    dataset.FlushCache()
    return path


def wkt(epsg: int) -> str:
    """A reference system's text."""
    reference = osr.SpatialReference()
    reference.ImportFromEPSG(epsg)
    return reference.ExportToWkt()


SUPERRESOLUTION_BANDS = (
    "B4", "B3", "B2", "B8", "SR B5 (705 nm)", "SR B6 (740 nm)", "SR B7 (783 nm)", "SR B8A (865 nm)",
    "SR B11 (1610 nm)", "SR B12 (2190 nm)", "SR B1 (443 nm)", "SR B9 (945 nm)",
)  # fmt: skip


def superresolution(path: Path, *, original: bool = True, described: bool = True) -> Path:
    """A Sentinel-2 super-resolution: 12 bands, or the 8 new ones."""
    land = coast()
    known = {"B4": "B04", "B3": "B03", "B2": "B02", "B8": "B08", "B5": "B05", "B11": "B11"}
    names = SUPERRESOLUTION_BANDS if original else SUPERRESOLUTION_BANDS[4:]
    bands = [land[known.get(name.replace("SR ", "").split(" ")[0], "B08")] for name in names]
    return geotiff(path, bands, descriptions=names if described else ())


def ndvi(path: Path) -> Path:
    """NDVI of the coast, with no-data in a corner."""
    land = coast()
    red, infrared = land["B04"].astype(np.float32), land["B08"].astype(np.float32)
    values = (infrared - red) / (infrared + red)
    values[:10, :10] = -9999
    return geotiff(path, [values], nodata=-9999)


def visual(path: Path) -> Path:
    """8-bit RGB as it is meant to be seen."""
    land = coast()
    bands = [np.clip(land[name] / 12, 1, 255).astype(np.uint8) for name in ("B04", "B03", "B02")]
    return geotiff(path, bands, colours=(gdal.GCI_RedBand, gdal.GCI_GreenBand, gdal.GCI_BlueBand), nodata=0)


def analytic(folder: Path, stem: str = "S2B_33SWB_20210918_0_L2A") -> List[Path]:
    """Single bands: four at 10 m, one at 20 m, one at 60 m."""
    land = coast()
    paths = [geotiff(folder / f"{stem}_{name}.tif", [land[name]]) for name in ("B08", "B02", "B04", "B03")]
    paths.append(geotiff(folder / f"{stem}_B11.tif", [land["B11"][::2, ::2]], pixel=20))
    paths.append(geotiff(folder / f"{stem}_B01.tif", [land["B02"][::6, ::6]], pixel=60))
    return paths


def rpc_of(longitude: float, latitude: float, half_degrees: float, columns: int, rows: int) -> Dict[str, str]:
    """Coefficients of a view straight down: sample grows with longitude, line with falling latitude."""

    def terms(**at: float) -> str:
        return " ".join(str(at.get(f"t{index}", 0.0)) for index in range(20))

    return {
        "LINE_OFF": str((rows - 1) / 2), "SAMP_OFF": str((columns - 1) / 2),
        "LAT_OFF": str(latitude), "LONG_OFF": str(longitude), "HEIGHT_OFF": "120",
        "LINE_SCALE": str(rows / 2), "SAMP_SCALE": str(columns / 2),
        "LAT_SCALE": str(half_degrees), "LONG_SCALE": str(half_degrees), "HEIGHT_SCALE": "500",
        "LINE_NUM_COEFF": terms(t2=-1.0), "LINE_DEN_COEFF": terms(t0=1.0),
        "SAMP_NUM_COEFF": terms(t1=1.0), "SAMP_DEN_COEFF": terms(t0=1.0),
    }  # fmt: skip


RPC_PLACE = (15.29, 37.85, 0.008)


def pleiades_primary(folder: Path, stem: str = "0123") -> Tuple[Path, Path]:
    """Colour and panchromatic image in sensor geometry, as ``<id>_ms.tif`` and ``<id>_pan.tif``."""
    land = coast()
    colour = [np.clip(land[name] / 4, 1, 4095).astype(np.uint16) for name in ("B04", "B03", "B02", "B08")]
    pan = np.kron(colour[1], np.ones((4, 4), np.uint16))
    rows, columns = colour[0].shape
    ms = geotiff(folder / f"{stem}_ms.tif", colour, epsg=None, rpc=rpc_of(*RPC_PLACE, columns, rows))
    fine = geotiff(folder / f"{stem}_pan.tif", [pan], epsg=None, rpc=rpc_of(*RPC_PLACE, columns * 4, rows * 4))
    return ms, fine


# GDAL finds the band files by this name, also inside the metadata.
SAFE_NAME = "S2A_MSIL2A_20200615T095031_N0214_R079_T33SWB_20200615T123456.SAFE"


def safe(folder: Path, *, with_bands: bool = True) -> Path:
    """A small Sentinel-2 L2A product that GDAL opens; returns the ``.SAFE`` folder."""
    root = folder / SAFE_NAME
    granule = root / "GRANULE" / "L2A_T33SWB_A026000_20200615T095504"
    width, height, files = 2400, 1800, []
    land = coast((height // 10, width // 10))
    for pixel, names in {10: ("B02", "B03", "B04", "B08"), 20: ("B05", "B11"), 60: ("B01", "B09")}.items():
        place = granule / "IMG_DATA" / f"R{pixel}m"
        place.mkdir(parents=True)
        for name in names:
            target = place / f"T33SWB_20200615T095031_{name}_{pixel}m.jp2"
            files.append(target.relative_to(root).as_posix()[: -len(".jp2")])
            if with_bands:
                values = land.get(name, land["B02"])[: height // pixel, : width // pixel]
                _jpeg2000(target, np.ascontiguousarray(values), pixel)
    (root / "MTD_MSIL2A.xml").write_text(_product_xml(files), encoding="utf-8")
    (granule / "MTD_TL.xml").write_text(_tile_xml(width, height), encoding="utf-8")
    return root


def _jpeg2000(path: Path, values: np.ndarray, pixel: int) -> None:
    rows, columns = values.shape
    memory = gdal.GetDriverByName("MEM").Create("", columns, rows, 1, gdal.GDT_UInt16)
    memory.SetProjection(wkt(EPSG))
    memory.SetGeoTransform((LEFT, pixel, 0, TOP, 0, -pixel))
    memory.GetRasterBand(1).WriteArray(values)
    gdal.GetDriverByName("JP2OpenJPEG").CreateCopy(str(path), memory, options=["REVERSIBLE=YES", "QUALITY=100"])


def _product_xml(files: Sequence[str]) -> str:
    images = "".join(f"<IMAGE_FILE>{name}</IMAGE_FILE>" for name in files)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<n1:Level-2A_User_Product '
        'xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd"><n1:General_Info><Product_Info>'
        f"<PRODUCT_START_TIME>2020-06-15T09:50:31.024Z</PRODUCT_START_TIME><PRODUCT_URI>{SAFE_NAME}</PRODUCT_URI>"
        "<PROCESSING_LEVEL>Level-2A</PROCESSING_LEVEL>"
        '<PRODUCT_TYPE>S2MSI2A</PRODUCT_TYPE><Datatake datatakeIdentifier="x">'
        '<SPACECRAFT_NAME>Sentinel-2A</SPACECRAFT_NAME></Datatake><Query_Options completeSingleTile="true">'
        "<PRODUCT_FORMAT>SAFE_COMPACT</PRODUCT_FORMAT></Query_Options><Product_Organisation><Granule_List>"
        '<Granule datastripIdentifier="d" granuleIdentifier="L2A_T33SWB" imageFormat="JPEG2000">'
        f"{images}</Granule></Granule_List></Product_Organisation></Product_Info><Product_Image_Characteristics>"
        '<QUANTIFICATION_VALUES_LIST><BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>'
        "</QUANTIFICATION_VALUES_LIST></Product_Image_Characteristics></n1:General_Info>"
        "</n1:Level-2A_User_Product>"
    )


def _tile_xml(width: int, height: int) -> str:
    sizes = "".join(
        f'<Size resolution="{pixel}"><NROWS>{height // pixel}</NROWS><NCOLS>{width // pixel}</NCOLS></Size>'
        for pixel in (10, 20, 60)
    )
    places = "".join(
        f'<Geoposition resolution="{pixel}"><ULX>{LEFT:.0f}</ULX><ULY>{TOP:.0f}</ULY><XDIM>{pixel}</XDIM>'
        f"<YDIM>-{pixel}</YDIM></Geoposition>"
        for pixel in (10, 20, 60)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<n1:Level-2A_Tile_ID '
        'xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/S2_PDI_Level-2A_Tile_Metadata.xsd"><n1:Geometric_Info>'
        '<Tile_Geocoding metadataLevel="Brief"><HORIZONTAL_CS_NAME>WGS84 / UTM zone 33N</HORIZONTAL_CS_NAME>'
        f"<HORIZONTAL_CS_CODE>EPSG:{EPSG}</HORIZONTAL_CS_CODE>{sizes}{places}</Tile_Geocoding></n1:Geometric_Info>"
        "</n1:Level-2A_Tile_ID>"
    )


def feature(data_path: Optional[str], feature_id: str = "", **properties: Any) -> Dict[str, Any]:
    """A feature of ``data.json``."""
    own = {"up42.data_path": data_path} if data_path is not None else {}
    ring = [[15.2, 37.8], [15.3, 37.8], [15.3, 37.9], [15.2, 37.9], [15.2, 37.8]]
    return {
        "type": "Feature",
        "id": feature_id or data_path,
        "bbox": [15.2, 37.8, 15.3, 37.9],
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {**properties, **own},
    }


def data_json(folder: Path, *features: Dict[str, Any], **members: Any) -> Path:
    """Write ``data.json``; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"type": "FeatureCollection", "features": list(features), **members}
    (folder / "data.json").write_text(json.dumps(document), encoding="utf-8")
    return folder


def output_of(folder: Path, *names: str, acquired: str = "2021-09-18T09:50:31Z", **properties: Any) -> Path:
    """``data.json`` that points to files that are there."""
    return data_json(folder, *(feature(name, datetime=acquired, **properties) for name in names))


def pixels(source: str) -> np.ndarray:
    """All bands of a raster."""
    dataset = gdal.Open(source)
    assert dataset is not None, source
    values = dataset.ReadAsArray()
    return values if values.ndim == 3 else values[np.newaxis]
