"""Sentinel-2 as its products have it: bands, names, numbers and metadata."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, Mapping, Tuple

import numpy as np

from up42_plugin.sandbox.archive import Scene
from up42_plugin.sandbox.runners.scenes.data_block import synthetic_part

SENSOR = "sentinel2"
QUANTIFICATION = 10_000
"""Digital number = surface reflectance x 10000, 0 = no data, at every date: ESA's offset of -1000 that began with
processing baseline 04.00 (January 2022) is not made, so that values of all years compare."""

_SATURATED = 65_535
_TCI_WHITE = 0.2  # surface reflectance that ESA's true-colour image shows as 255
_GREY_LEVELS = 254.0


@dataclass(frozen=True)
class Band:
    """A band's pixel in metres and central wavelength and width in nanometres."""

    pixel: int
    wavelength: int
    width: int


BANDS: Mapping[str, Band] = {
    "B01": Band(60, 443, 20),
    "B02": Band(10, 490, 65),
    "B03": Band(10, 560, 35),
    "B04": Band(10, 665, 30),
    "B05": Band(20, 705, 15),
    "B06": Band(20, 740, 15),
    "B07": Band(20, 783, 20),
    "B08": Band(10, 842, 115),
    "B8A": Band(20, 865, 20),
    "B09": Band(60, 945, 20),
    "B11": Band(20, 1610, 90),
    "B12": Band(20, 2190, 180),
}
TRUE_COLOUR = ("B04", "B03", "B02")


def bands_of(pixel: int) -> Tuple[str, ...]:
    """The bands that the sensor takes at a resolution."""
    return tuple(name for name, band in BANDS.items() if band.pixel == pixel)


def short_name(band: str) -> str:
    """``B4`` for ``B04``, as labels have it."""
    return band.replace("B0", "B", 1)


def digital_numbers(reflectance: np.ndarray) -> np.ndarray:
    """Reflectances (NaN: no data) as uint16; a valid pixel is at least 1."""
    known = np.isfinite(reflectance)
    numbers = np.clip(np.rint(np.where(known, reflectance, 0) * QUANTIFICATION), 1, _SATURATED)
    return np.where(known, numbers, 0).astype(np.uint16)


def true_colour(numbers: np.ndarray) -> np.ndarray:
    """Digital numbers of red, green and blue as ESA's true-colour image: uint8, 0 = no data, valid from 1."""
    grey = 1 + numbers.astype(np.float32) * np.float32(_GREY_LEVELS / (_TCI_WHITE * QUANTIFICATION))
    known = (numbers > 0).all(axis=0)
    return np.where(known, np.clip(np.rint(grey), 1, 255), 0).astype(np.uint8)


def water_vapour(numbers_8a: np.ndarray, numbers_09: np.ndarray, sun_elevation: float) -> np.ndarray:
    """A plausible map of the water vapour column in thousandths of a centimetre (uint16, 0 = no data).

    More of it under a high sun, and where the absorbing band 9 is darker than its neighbour; not retrieved by physics.
    """
    known = (numbers_8a > 0) & (numbers_09 > 0)
    ratio = np.clip(numbers_09 / np.maximum(numbers_8a, 1).astype(np.float32), 0.5, 1.5)
    centimetres = (0.6 + 2.2 * np.sin(np.radians(max(sun_elevation, 0.0)))) * (1.4 - 0.4 * ratio)
    return np.where(known, np.rint(centimetres * 1000), 0).astype(np.uint16)


def cog_name(scene: Scene) -> str:
    """The name that collections of single-band files use, like ``S2B_31TDF_20201228_0_L2A``."""
    named = scene.properties.get("cog_id")
    return str(named) if named else f"{scene.platform}_{scene.tile.lstrip('0')}_{scene.acquired:%Y%m%d}_0_L2A"


def iso(moment: datetime) -> str:
    """Like ``2020-12-28T10:49:39.000Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def hub_properties(scene: Scene) -> Dict[str, Any]:
    """Metadata in the words of the Copernicus hub; ``identification.externalId`` is usable in ``ids``."""
    return {
        "identification": {"externalId": scene.id},
        "identifier": scene.id,
        "beginposition": iso(scene.acquired),
        "endposition": iso(scene.acquired),
        "cloudcoverpercentage": scene.cloud_cover,
        "platformname": "Sentinel-2",
        "platformserialidentifier": f"Sentinel-{scene.platform[1:]}",
        "instrumentshortname": "MSI",
        "processinglevel": "Level-2A",
        "producttype": "S2MSI2A",
        "tileid": scene.tile,
        "relativeorbitnumber": scene.properties.get("relative_orbit"),
        "illuminationazimuthangle": scene.sun_azimuth,
        "illuminationzenithangle": round(90.0 - scene.sun_elevation, 3),
        **synthetic_part(scene),
    }


def level_1c_name(scene: Scene) -> str:
    """The product's name before atmospheric correction; usable in ``ids`` like the scene's own."""
    return scene.id.replace("_MSIL2A_", "_MSIL1C_")


def sobloo_properties(scene: Scene) -> Dict[str, Any]:
    """Metadata of a Level-1C product in the words of Sobloo; ``identification.externalId`` is usable in ``ids``."""
    milliseconds = round(scene.acquired.timestamp() * 1000)
    return {
        "timeStamp": milliseconds,
        "identification": {"externalId": level_1c_name(scene), "collection": "Sentinel-2", "type": "image"},
        "acquisition": {
            "beginViewingDate": milliseconds,
            "endViewingDate": milliseconds,
            "mission": "Sentinel-2",
            "missionCode": f"S2{scene.platform[2:]}",
            "sensorId": "MSI",
        },
        "contentDescription": {"cloudCoverPercentage": scene.cloud_cover},
        "production": {"levelCode": "L1C"},
        **synthetic_part(scene),
    }


def cog_properties(scene: Scene) -> Dict[str, Any]:
    """Metadata in the words of a STAC catalogue of cloud-optimised GeoTIFFs; the feature's id is usable in ``ids``."""
    return {
        "datetime": f"{scene.acquired:%Y-%m-%dT%H:%M:%SZ}",
        "eo:cloud_cover": scene.cloud_cover,
        "platform": f"sentinel-{scene.platform[1:].lower()}",
        "constellation": "sentinel-2",
        "proj:epsg": scene.grid.epsg,
        "view:sun_azimuth": scene.sun_azimuth,
        "view:sun_elevation": scene.sun_elevation,
        **synthetic_part(scene),
    }
