"""One workflow for every block the sandbox can run, ending with that block: what the contact sheet shows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Tuple

Parameters = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Chain:
    """The names of the blocks, the last of them is the one that is shown; parameters by block name."""

    blocks: Tuple[str, ...]
    parameters: Parameters = field(default_factory=dict)


def _chain(*blocks: str, **parameters: Mapping[str, Any]) -> Chain:
    return Chain(blocks, {name.replace("_", "-"): values for name, values in parameters.items()})


def _zone(name: str, west: float, south: float) -> Mapping[str, Any]:
    east, north = west + 0.003, south + 0.002
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "properties": {"zone_id": name}, "geometry": geometry}


ZONES = [
    _zone(f"{column}{row}", 15.283 + 0.004 * column, 37.845 + 0.003 * row) for column in range(4) for row in range(3)
]
WEATHER = {"time": "2023-06-01T00:00:00Z/2023-06-01T23:59:59Z", "variables": ["t_2m:C"], "time_interval": 6}

OWN = {
    "cloud_provider": "gcs",
    "bucket_name": "up42-sandbox",
    "time": "2020-01-01T00:00:00Z/2021-12-31T00:00:00Z",
    "limit": 5,
}
TEXT_ONLY = frozenset({"up42-countobjects"})
"""Blocks whose output is nothing to draw."""

IMAGES: Tuple[Chain, ...] = (
    _chain("esa-s2-l2a-gtiff-visual"),
    _chain("esa-s2-l2a-gtiff-analytic"),
    _chain("aws-s2-l2a"),
    _chain("aws-s2-l2a", "s2-superresolution"),
    _chain("oneatlas-pleiades-primary"),
    _chain("oneatlas-pleiades-display"),
    _chain("oneatlas-pleiades-fullscene"),
    _chain("oneatlas-spot-display"),
    _chain("oneatlas-spot-fullscene"),
    _chain("esa-s2-l2a-gtiff-visual", "sharpening"),
    _chain("oneatlas-pleiades-primary", "ndvi"),
    _chain("oneatlas-pleiades-aoiclipped", oneatlas_pleiades_aoiclipped={"zoom_level": 17}),
    _chain("oneatlas-spot-aoiclipped", oneatlas_spot_aoiclipped={"panchromatic_band": True}),
    _chain("sobloo-s2-l1c-aoiclipped"),
    _chain("sentinelhub-s2-aoiclipped", sentinelhub_s2_aoiclipped={"zoom_level": 14}),
    _chain("oneatlas-spot-fullscene", "pansharpen"),
    _chain("oneatlas-spot-display", "data-conversion-dimap"),
    _chain("oneatlas-spot-aoiclipped", "crs-conversion", oneatlas_spot_aoiclipped={"zoom_level": 15}),
    _chain("oneatlas-spot-aoiclipped", "tiling", oneatlas_spot_aoiclipped={"zoom_level": 16}),
    _chain(
        "oneatlas-spot-aoiclipped",
        "oneatlas-cloudmask",
        oneatlas_spot_aoiclipped={"zoom_level": 15, "time": "2022-08-30T00:00:00Z/2022-08-31T00:00:00Z"},  # with clouds
    ),
)

CLASSES_AND_VECTORS: Tuple[Chain, ...] = (
    _chain("oneatlas-pleiades-primary", "ndvi", "up42-ndvithreshold", up42_ndvithreshold={"n_sieve_pixels": 5}),
    _chain("esa-s2-l2a-gtiff-visual", "kmeans-clustering", kmeans_clustering={"n_sieve_pixels": 8}),
    _chain("oneatlas-pleiades-primary", "landcover"),
    _chain("oneatlas-pleiades-primary", "up42-waterfinder-water"),
    _chain("esa-s2-l2a-gtiff-visual", "kmeans-clustering", "vectorising", kmeans_clustering={"n_sieve_pixels": 16}),
    _chain("esa-s2-l2a-gtiff-visual", "zonal-statistics", zonal_statistics={"zones": ZONES}),
    _chain("nextmapone-1m"),
    _chain("nextmapone-5m"),
    _chain("nextmapone-10m"),
    _chain("oneatlas-worlddem-12m"),
    _chain("oneatlas-spot-aoiclipped", "tiling", "ship-detection"),
    _chain("oneatlas-spot-aoiclipped", "tiling", "ship-detection", "ship-identification"),
    _chain("ais-hvp", ais_hvp={"time": "2023-06-01T00:00:00Z/2023-06-01T23:59:59Z"}),
    _chain("meteomatics", meteomatics=WEATHER),
    _chain("meteomatics", "data-conversion-netcdf", meteomatics=WEATHER),
    _chain("openstreetmap", openstreetmap={"osm_tags": ["building=*", "highway=*", "natural=*"]}),
    _chain("geotiff-custom", geotiff_custom=OWN),
)

CHAINS: Tuple[Chain, ...] = (*IMAGES, *CLASSES_AND_VECTORS)
