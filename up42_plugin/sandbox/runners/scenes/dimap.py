"""The description of a DIMAP product of version 2: what GDAL and the vendor's own blocks need to open its images.

A large image is several GeoTIFF files side by side, which only the description joins.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Sequence

from up42_plugin.sandbox.archive import Grid, Scene
from up42_plugin.sandbox.runners import grids
from up42_plugin.sandbox.runners.scenes.data_block import synthetic_part
from up42_plugin.sandbox.runners.scenes.sentinel2 import iso

TILE_PIXELS = 4096
"""The side of an image's files; those at its right and lower edge are smaller."""


@dataclass(frozen=True)
class Image:
    """One image of a product. ``bits`` are those that a value uses; ``name`` is what its files are called after."""

    grid: Grid
    bands: Sequence[str]
    bits: int
    name: str
    scene: Scene


@dataclass(frozen=True)
class Tile:
    """One file of an image: its row and column from 1, its name and what it covers."""

    row: int
    column: int
    file: str
    grid: Grid


def tiles_of(image: Image) -> Iterator[Tile]:
    """The files of an image, line by line."""
    grid = image.grid
    for row, top in enumerate(range(0, grid.height, TILE_PIXELS), 1):
        for column, left in enumerate(range(0, grid.width, TILE_PIXELS), 1):
            width, height = min(TILE_PIXELS, grid.width - left), min(TILE_PIXELS, grid.height - top)
            part = grids.part_of(grid, left, top, width, height)
            yield Tile(row, column, f"IMG_{image.name}_R{row}C{column}.TIF", part)


def write(path: Path, image: Image) -> None:
    """Write ``DIM_….XML``."""
    root = ET.Element("Dimap_Document")
    identification = ET.SubElement(root, "Metadata_Identification")
    ET.SubElement(identification, "METADATA_FORMAT", version="2.15").text = "DIMAP"
    ET.SubElement(identification, "METADATA_PROFILE").text = f"{image.scene.platform[:3]}_ORTHO"
    dataset = ET.SubElement(root, "Dataset_Identification")
    ET.SubElement(dataset, "DATASET_NAME").text = image.scene.id
    note = synthetic_part(image.scene).get("note")
    if note:
        ET.SubElement(dataset, "DATASET_ABSTRACT").text = str(note)
    crs = ET.SubElement(ET.SubElement(root, "Coordinate_Reference_System"), "Geodetic_CRS")
    _texts(crs, GEODETIC_CRS_TYPE="GEOGRAPHIC", GEODETIC_CRS_NAME="WGS 84")
    ET.SubElement(crs, "GEODETIC_CRS_CODE").text = f"urn:ogc:def:crs:EPSG::{image.grid.epsg}"
    insert = ET.SubElement(ET.SubElement(root, "Geoposition"), "Geoposition_Insert")
    grid = image.grid
    _texts(insert, ULXMAP=repr(grid.left), ULYMAP=repr(grid.top), XDIM=repr(grid.pixel), YDIM=repr(grid.pixel))
    _raster_data(root, image)
    source = ET.SubElement(ET.SubElement(root, "Dataset_Sources"), "Source_Identification")
    ET.SubElement(source, "SOURCE_ID").text = image.scene.id
    strip = ET.SubElement(source, "Strip_Source")
    _texts(strip, MISSION=image.scene.platform[:-1], MISSION_INDEX=image.scene.platform[-1:])
    _texts(strip, IMAGING_DATE=iso(image.scene.acquired)[:10], IMAGING_TIME=iso(image.scene.acquired)[11:])
    path.write_bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True))


def _raster_data(root: ET.Element, image: Image) -> None:
    data = ET.SubElement(root, "Raster_Data")
    access = ET.SubElement(data, "Data_Access")
    ET.SubElement(access, "DATA_FILE_FORMAT").text = "image/tiff"
    files, tiles = ET.SubElement(access, "Data_Files"), list(tiles_of(image))
    for tile in tiles:
        file = ET.SubElement(files, "Data_File", tile_R=str(tile.row), tile_C=str(tile.column))
        ET.SubElement(file, "DATA_FILE_PATH", href=tile.file)
    dimensions = ET.SubElement(data, "Raster_Dimensions")
    _texts(dimensions, NROWS=str(image.grid.height), NCOLS=str(image.grid.width), NBANDS=str(len(image.bands)))
    tile_set = ET.SubElement(dimensions, "Tile_Set")
    _texts(tile_set, NTILES=str(len(tiles)))
    regular = ET.SubElement(tile_set, "Regular_Tiling")
    last, side = tiles[-1], str(TILE_PIXELS)
    ET.SubElement(regular, "NTILES_SIZE", nrows=side, ncols=side)
    ET.SubElement(regular, "NTILES_COUNT", ntiles_R=str(last.row), ntiles_C=str(last.column))
    _texts(regular, OVERLAP_ROW="0", OVERLAP_COL="0")
    encoding = ET.SubElement(data, "Raster_Encoding")
    _texts(encoding, DATA_TYPE="INTEGER", NBITS=str(image.bits), SIGN="UNSIGNED")
    display = ET.SubElement(data, "Raster_Display")
    if len(image.bands) > 1:
        order = ET.SubElement(display, "Band_Display_Order")
        _texts(order, RED_CHANNEL=image.bands[0], GREEN_CHANNEL=image.bands[1], BLUE_CHANNEL=image.bands[2])
    special = ET.SubElement(display, "Special_Value")
    _texts(special, SPECIAL_VALUE_COUNT="0", SPECIAL_VALUE_TEXT="NODATA")


def _texts(parent: ET.Element, **texts: str) -> None:
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text
