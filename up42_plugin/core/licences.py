"""Under which terms images come, and what is to be written beside them. The service tells the provider only.

The sentences are those that providers ask for; where none is known, the provider is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Optional, Tuple

_COMMERCIAL = "Terms of {}, as accepted for the account"


@dataclass(frozen=True)
class Licence:
    """``attribution`` is what is written beside a picture made from it. ``url`` is empty where no page is known."""

    name: str
    attribution: str
    url: str = ""


@dataclass(frozen=True)
class _Terms:
    blocks: str
    name: str
    attribution: str
    url: str = ""


# By the names of data blocks, the first that fits
_KNOWN: Tuple[_Terms, ...] = (
    _Terms(r"custom$|^up42-import", "", ""),  # the account's own data
    _Terms(r"pleiades", _COMMERCIAL.format("Airbus DS"), "© CNES {year}, Distribution Airbus DS"),
    _Terms(r"spot|basemap|worlddem|tsx|globalseeps", _COMMERCIAL.format("Airbus DS"), "© Airbus DS {year}"),
    _Terms(
        r"(^|-)s[1235]p?(-|$)|sentinel[-_]?[1235]",
        "Legal notice on the use of Copernicus Sentinel Data and Service Information",
        "Contains modified Copernicus Sentinel data {year}",
        "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice",
    ),
    _Terms(r"(^|-)l8(-|$)|landsat", "Public domain", "Landsat image courtesy of the U.S. Geological Survey"),
    _Terms(r"modis", "Open data of NASA", "MODIS data courtesy of NASA"),
    _Terms(
        r"openstreetmap",
        "Open Database License (ODbL) 1.0",
        "© OpenStreetMap contributors",
        "https://www.openstreetmap.org/copyright",
    ),
    _Terms(r"nextmap", _COMMERCIAL.format("Intermap"), "© Intermap {year}"),
    _Terms(r"hexagon", _COMMERCIAL.format("Hexagon"), "© Hexagon {year}"),
)


def licence_of(block_name: str, provider: str, year: Optional[int] = None) -> Licence:
    """The terms of a data block's images, taken in ``year``. Empty texts where nothing is known."""
    for terms in _KNOWN:
        if re.search(terms.blocks, block_name.lower()):
            attribution = terms.attribution.replace(" {year}", f" {year}" if year is not None else "")
            return Licence(terms.name, attribution, terms.url)
    return Licence(_COMMERCIAL.format(provider) if provider else "", provider)
