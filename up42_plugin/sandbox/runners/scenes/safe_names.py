"""The names of a Sentinel-2 Level-2A product, its folders and files, as ESA's compact format has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Mapping

from up42_plugin.sandbox.archive import Scene

_PRODUCT = re.compile(
    r"S2[A-D]_MSIL2A_(?P<start>\d{8}T\d{6})_N(?P<baseline>\d{4})_R\d{3}_T[0-9A-Z]{5}_(?P<made>\d{8}T\d{6})"
)
_STAMP = "%Y%m%dT%H%M%S"
_LAUNCHES: Mapping[str, datetime] = {
    "S2A": datetime(2015, 6, 23, 1, 52, tzinfo=timezone.utc),
    "S2B": datetime(2017, 3, 7, 1, 49, tzinfo=timezone.utc),
}
_REVOLUTION = timedelta(days=10) / 143


@dataclass(frozen=True)
class ProductNames:
    """Names of one product. ``start`` is the datatake's, ``made`` when the product was processed (both in names)."""

    product: str
    tile: str
    platform: str
    acquired: datetime
    baseline: str
    start: str
    made: str
    relative_orbit: int

    @property
    def safe(self) -> str:
        """The product's folder."""
        return f"{self.product}.SAFE"

    @property
    def absolute_orbit(self) -> int:
        """Revolutions since the launch."""
        launch = _LAUNCHES.get(self.platform, _LAUNCHES["S2A"])
        return max(1, (self.acquired - launch) // _REVOLUTION + 1)

    @property
    def granule(self) -> str:
        """The granule's folder."""
        return f"L2A_T{self.tile}_A{self.absolute_orbit:06d}_{self.acquired:{_STAMP}}"

    @property
    def datastrip(self) -> str:
        """The datastrip's folder."""
        return f"DS_SAND_{self.made}_S{self.start}"

    @property
    def datatake(self) -> str:
        """The datatake's identifier."""
        return f"G{self.platform}_{self.start}_{self.absolute_orbit:06d}_N{self.dotted_baseline}"

    @property
    def dotted_baseline(self) -> str:
        """Like ``03.01``."""
        return f"{self.baseline[:2]}.{self.baseline[2:]}"

    def image(self, layer: str, pixel: int) -> str:
        """A layer's file, relative to the product's folder."""
        folder = f"GRANULE/{self.granule}"
        if layer in ("CLDPRB", "SNWPRB"):
            return f"{folder}/QI_DATA/MSK_{layer}_{pixel}m.jp2"
        return f"{folder}/IMG_DATA/R{pixel}m/T{self.tile}_{self.start}_{layer}_{pixel}m.jp2"


def names_of(scene: Scene) -> ProductNames:
    """The names for a scene: from its id where that is a product's name, else made from what is known."""
    parts = _PRODUCT.fullmatch(scene.id)
    orbit = int(scene.properties.get("relative_orbit") or 0)
    stamp = f"{scene.acquired:{_STAMP}}"
    start = parts["start"] if parts else stamp
    made = parts["made"] if parts else f"{scene.acquired + timedelta(hours=3):{_STAMP}}"
    baseline = parts["baseline"] if parts else "0301"
    product = scene.id if parts else f"{scene.platform}_MSIL2A_{start}_N{baseline}_R{orbit:03d}_T{scene.tile}_{made}"
    return ProductNames(product, scene.tile, scene.platform, scene.acquired, baseline, start, made, orbit)
