"""The metadata files of a Sentinel-2 Level-2A product."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from pathlib import Path
from typing import Any, Iterable, List, Mapping, Optional, Sequence
from xml.etree import ElementTree

from up42_plugin.sandbox.archive import Grid, Scene
from up42_plugin.sandbox.runners import grids
from up42_plugin.sandbox.runners.scenes import sentinel2
from up42_plugin.sandbox.runners.scenes.safe_layers import RESOLUTIONS, SCENE_CLASSES
from up42_plugin.sandbox.runners.scenes.safe_names import ProductNames

_PSD = "https://psd-14.sentinel2.eo.esa.int/PSD"
_SAFE_VERSION = "esa/safe/sentinel/1.1/sentinel-2/msi/archive_l2a_user_product"
_STAMP = "%Y%m%dT%H%M%S"
_CIRRUS_INDEX = 10
_SOUTHERN = 327

Element = ElementTree.Element


def _element(name: str, *content: Any, **attributes: str) -> Element:
    """An element whose content is text or elements."""
    element = ElementTree.Element(name, attributes)
    for part in content:
        if isinstance(part, ElementTree.Element):
            element.append(part)
        else:
            element.text = (element.text or "") + str(part)
    return element


def _root(name: str, namespace: str, *content: Element) -> Element:
    return _element(f"n1:{name}", *content, **{"xmlns:n1": f"{_PSD}/{namespace}"})


def write_xml(path: Path, root: Element, note: str = "") -> None:
    """Write a document, with a comment in front when there is a note."""
    ElementTree.indent(root)
    comment = f"<!-- {note} -->\n" if note else ""
    body = ElementTree.tostring(root, encoding="unicode")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n{comment}{body}\n', encoding="utf-8")


def _iso_of_stamp(stamp: str) -> str:
    moment = datetime.strptime(stamp, _STAMP)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000000Z"


def product_metadata(scene: Scene, names: ProductNames, images: Sequence[str]) -> Element:
    """``MTD_MSIL2A.xml``. ``images`` are the band files without their ending; the footprint is the whole scene's."""
    return _root(
        "Level-2A_User_Product",
        "User_Product_Level-2A.xsd",
        _element("n1:General_Info", _product_info(names, images), _image_characteristics(scene)),
        _element("n1:Geometric_Info", _footprint(scene), _reference_systems()),
        _element(
            "n1:Quality_Indicators_Info",
            _element("Cloud_Coverage_Assessment", scene.cloud_cover),
            _element("Technical_Quality_Assessment", _element("DEGRADED_MSI_DATA_PERCENTAGE", 0)),
        ),
    )


def _product_info(names: ProductNames, images: Sequence[str]) -> Element:
    start = _iso_of_stamp(names.start)
    granule = _element(
        "Granule",
        *[_element("IMAGE_FILE", image) for image in images],
        datastripIdentifier=names.datastrip,
        granuleIdentifier=names.granule,
        imageFormat="JPEG2000",
    )
    return _element(
        "Product_Info",
        _element("PRODUCT_START_TIME", start),
        _element("PRODUCT_STOP_TIME", start),
        _element("PRODUCT_URI", names.safe),
        _element("PROCESSING_LEVEL", "Level-2A"),
        _element("PRODUCT_TYPE", "S2MSI2A"),
        _element("PROCESSING_BASELINE", names.dotted_baseline),
        _element("GENERATION_TIME", _iso_of_stamp(names.made)),
        _element("PREVIEW_IMAGE_URL", "Not applicable"),
        _element("PREVIEW_GEO_INFO", "Not applicable"),
        _element(
            "Datatake",
            _element("SPACECRAFT_NAME", f"Sentinel-{names.platform[1:]}"),
            _element("DATATAKE_TYPE", "INS-NOBS"),
            _element("DATATAKE_SENSING_START", start),
            _element("SENSING_ORBIT_NUMBER", names.relative_orbit),
            _element("SENSING_ORBIT_DIRECTION", "DESCENDING"),
            datatakeIdentifier=names.datatake,
        ),
        _element("Query_Options", _element("PRODUCT_FORMAT", "SAFE_COMPACT"), completeSingleTile="true"),
        _element("Product_Organisation", _element("Granule_List", granule)),
    )


def _image_characteristics(scene: Scene) -> Element:
    distance = _sun_distance_factor(scene.acquired)
    return _element(
        "Product_Image_Characteristics",
        *_special_values({"NODATA": 0, "SATURATED": 65535}),
        _element(
            "Image_Display_Order",
            *[_element(f"{name}_CHANNEL", index) for name, index in (("RED", 3), ("GREEN", 2), ("BLUE", 1))],
        ),
        _element(
            "QUANTIFICATION_VALUES_LIST",
            _element("BOA_QUANTIFICATION_VALUE", sentinel2.QUANTIFICATION, unit="none"),
            _element("AOT_QUANTIFICATION_VALUE", "1000.0", unit="none"),
            _element("WVP_QUANTIFICATION_VALUE", "1000.0", unit="cm"),
        ),
        _element("Reflectance_Conversion", _element("U", f"{distance:.15f}")),
        _spectral_information(),
        _element(
            "Scene_Classification_List",
            *[
                _element(
                    "Scene_Classification_ID",
                    _element("SCENE_CLASSIFICATION_TEXT", text),
                    _element("SCENE_CLASSIFICATION_INDEX", index),
                )
                for index, text in enumerate(SCENE_CLASSES)
            ],
        ),
    )


def _sun_distance_factor(moment: datetime) -> float:
    """ESA's U, 1 / d²: 0.97 in July, 1.03 in January (mean anomaly of the Earth, eccentricity 0.01673)."""
    day = moment.timetuple().tm_yday
    return 1.0 / (1.0 - 0.01673 * math.cos(0.0172 * (day - 2))) ** 2


def _special_values(values: Mapping[str, int]) -> List[Element]:
    return [
        _element(
            "Special_Values",
            _element("SPECIAL_VALUE_TEXT", text),
            _element("SPECIAL_VALUE_INDEX", index),
        )
        for text, index in values.items()
    ]


def _spectral_information() -> Element:
    rows = []
    for index, (name, band) in enumerate(sentinel2.BANDS.items()):
        half = band.width / 2
        rows.append(
            _element(
                "Spectral_Information",
                _element("RESOLUTION", band.pixel),
                _element(
                    "Wavelength",
                    _element("MIN", band.wavelength - half, unit="nm"),
                    _element("MAX", band.wavelength + half, unit="nm"),
                    _element("CENTRAL", float(band.wavelength), unit="nm"),
                ),
                # Band 10 (cirrus) exists in Level-1C only, but keeps its number.
                bandId=str(index if index < _CIRRUS_INDEX else index + 1),
                physicalBand=sentinel2.short_name(name),
            )
        )
    return _element("Spectral_Information_List", *rows)


def _footprint(scene: Scene) -> Element:
    positions = " ".join(f"{point[1]:.9f} {point[0]:.9f}" for point in scene.footprint["coordinates"][0])
    return _element(
        "Product_Footprint",
        _element(
            "Product_Footprint",
            _element("Global_Footprint", _element("EXT_POS_LIST", positions)),
            _element("RASTER_CS_TYPE", "POINT"),
            _element("PIXEL_ORIGIN", 1),
        ),
    )


def _reference_systems() -> Element:
    return _element(
        "Coordinate_Reference_System",
        _element("GEO_TABLES", "EPSG", version="1"),
        _element("HORIZONTAL_CS_TYPE", "GEOGRAPHIC"),
    )


def tile_metadata(scene: Scene, names: ProductNames, window: Grid) -> Element:
    """``MTD_TL.xml``: where the rasters lie, which is the window they cover."""
    sizes, positions = [], []
    for pixel in RESOLUTIONS:
        grid = grids.coarser(window, pixel)
        sizes.append(
            _element("Size", _element("NROWS", grid.height), _element("NCOLS", grid.width), resolution=str(pixel))
        )
        positions.append(
            _element(
                "Geoposition",
                _element("ULX", round(grid.left)),
                _element("ULY", round(grid.top)),
                _element("XDIM", pixel),
                _element("YDIM", -pixel),
                resolution=str(pixel),
            )
        )
    zone, half = window.epsg % 100, ("S" if window.epsg // 100 == _SOUTHERN else "N")
    return _root(
        "Level-2A_Tile_ID",
        "S2_PDI_Level-2A_Tile_Metadata.xsd",
        _element(
            "n1:General_Info",
            _element("TILE_ID", f"{names.platform}_{names.granule}", metadataLevel="Brief"),
            _element("DATASTRIP_ID", names.datastrip, metadataLevel="Standard"),
            _element("SENSING_TIME", sentinel2.iso(scene.acquired), metadataLevel="Standard"),
        ),
        _element(
            "n1:Geometric_Info",
            _element(
                "Tile_Geocoding",
                _element("HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {zone}{half}"),
                _element("HORIZONTAL_CS_CODE", f"EPSG:{window.epsg}"),
                *sizes,
                *positions,
                metadataLevel="Brief",
            ),
            _element(
                "Tile_Angles",
                _element(
                    "Mean_Sun_Angle",
                    _element("ZENITH_ANGLE", round(90.0 - scene.sun_elevation, 6), unit="deg"),
                    _element("AZIMUTH_ANGLE", scene.sun_azimuth, unit="deg"),
                ),
                metadataLevel="Standard",
            ),
        ),
        _element(
            "n1:Quality_Indicators_Info",
            _element("Image_Content_QI", _element("CLOUDY_PIXEL_PERCENTAGE", scene.cloud_cover)),
            metadataLevel="Standard",
        ),
    )


def datastrip_metadata(names: ProductNames) -> Element:
    """``MTD_DS.xml``: which recording the product comes from."""
    start = _iso_of_stamp(names.start)
    return _root(
        "Level-2A_DataStrip_ID",
        "S2_PDI_Level-2A_Datastrip_Metadata.xsd",
        _element(
            "n1:General_Info",
            _element(
                "Datatake_Info",
                _element("SPACECRAFT_NAME", f"Sentinel-{names.platform[1:]}"),
                _element("DATATAKE_SENSING_START", start),
                _element("SENSING_ORBIT_NUMBER", names.relative_orbit),
                _element("SENSING_ORBIT_DIRECTION", "DESCENDING"),
                datatakeIdentifier=names.datatake,
            ),
            _element(
                "Datastrip_Time_Info",
                _element("DATASTRIP_SENSING_START", start),
                _element("DATASTRIP_SENSING_STOP", start),
            ),
            _element("Processing_Info", _element("PROCESSING_BASELINE", names.dotted_baseline)),
        ),
    )


def manifest(safe: Path, files: Iterable[str], note: Optional[str]) -> Element:
    """``manifest.safe``: every file with its size and checksum. ``files`` are relative to the product's folder."""
    objects = []
    for number, relative in enumerate(sorted(files), 1):
        content = (safe / relative).read_bytes()
        objects.append(
            _element(
                "dataObject",
                _element(
                    "byteStream",
                    _element("fileLocation", locatorType="URL", href=f"./{relative}"),
                    _element("checksum", hashlib.md5(content, usedforsecurity=False).hexdigest(), checksumName="MD5"),
                    mimeType="application/octet-stream",
                    size=str(len(content)),
                ),
                ID=f"File_{number}",
            )
        )
    about = _element("metadataObject", _element("note", note or ""), ID="about", classification="DESCRIPTION")
    return _element(
        "xfdu:XFDU",
        _element("informationPackageMap"),
        _element("metadataSection", about),
        _element("dataObjectSection", *objects),
        **{"xmlns:xfdu": "urn:ccsds:schema:xfdu:1", "version": _SAFE_VERSION},
    )
