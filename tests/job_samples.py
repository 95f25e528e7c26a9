"""Blocks, workflows and an area to make job configurations of."""

from __future__ import annotations

from up42_plugin.core.aoi import AOI
from up42_plugin.core.workflow import Block, BlockType, Step, Workflow

SEARCH = {
    "ids": {"type": "array", "default": None},
    "bbox": {"type": "array", "default": None},
    "intersects": {"type": "geometry"},
    "contains": {"type": "geometry"},
    "time": {"type": "dateRange", "default": "2018-01-01T00:00:00+00:00/2021-12-31T23:59:59+00:00"},
    "time_series": {"type": "array", "default": None},
    "limit": {"type": "integer", "default": 1, "minimum": 1},
    "max_cloud_cover": {"type": "integer", "default": 100, "minimum": 0, "maximum": 100},
}
CLIPPING = {
    "bbox": {"type": "array", "default": None},
    "intersects": {"type": "geometry", "default": None},
    "contains": {"type": "geometry", "default": None},
    "clip_to_aoi": {"type": "boolean", "default": False},
}

SENTINEL = Block("b-s2", "aws-s2-l2a", "Sentinel-2 L2A (SAFE)", BlockType.DATA, parameters=SEARCH, test_query=True)
STORED = Block(
    "b-display",
    "oneatlas-pleiades-display",
    "Pléiades Display",
    BlockType.DATA,
    parameters={**SEARCH, "asset_ids": {"type": "array", "default": None}},
)
STREETS = Block(
    "b-osm",
    "openstreetmap",
    "OpenStreetMap",
    BlockType.DATA,
    parameters={"bbox": SEARCH["bbox"], "time": SEARCH["time"]},
)
VESSELS = Block("b-ais", "exactearth-ais", "Vessels", BlockType.DATA, parameters={"mmsi": {"type": "array"}})
GASES = Block(
    "b-s5p",
    "esa-s5p-l3-gtiff",
    "Sentinel-5P",
    BlockType.DATA,
    parameters={
        **{name: SEARCH[name] for name in ("bbox", "intersects", "contains", "time")},
        "layer": {"type": "string", "default": None, "required": True},
        "fail_on_missing": {"type": "boolean", "default": False},
    },
)
SUPER_RESOLUTION = Block(
    "b-sr",
    "s2-superresolution",
    "Super-resolution Sentinel-2",
    BlockType.PROCESSING,
    parameters={**CLIPPING, "copy_original_bands": {"type": "boolean", "default": True}},
)
TERRASAR = Block(
    "b-tsx",
    "terrasar-conversion",
    "TerraSAR conversion",
    BlockType.PROCESSING,
    parameters={name: CLIPPING[name] for name in ("bbox", "intersects", "clip_to_aoi")},
)
RADAR = Block(
    "b-snap",
    "snap-polarimetric",
    "SNAP polarimetric",
    BlockType.PROCESSING,
    parameters={
        **CLIPPING,
        "polarisations": {"type": "array", "default": ["VV"], "items": {"type": "string", "enum": ["VV", "VH"]}},
        "linear_to_db": {"type": "boolean", "default": True},
    },
)
TILING = Block(
    "b-tiling",
    "tiling",
    "Raster Tiling",
    BlockType.PROCESSING,
    parameters={
        "tile_width": {"type": "number", "default": 768, "required": True, "maximum": 4096},
        "nodata": {"type": "number", "default": None},
        "output_prefix": {"type": "string", "default": ""},
        "odd": {"type": "colour", "default": "red"},
    },
)

DATA_TASK = "aws-s2-l2a:1"
SR_TASK = "s2-superresolution:1"


def workflow_of(*blocks, workflow_id="w-1", name="a chain"):
    return Workflow(workflow_id, name, "", tuple(Step(f"{block.name}:1", block) for block in blocks))


def chain():
    """Sentinel-2 and super-resolution, as on the page about configuring a job."""
    return workflow_of(SENTINEL, SUPER_RESOLUTION)


def taormina():
    """The area of that page."""
    ring = [[15.282326, 37.854051], [15.281897, 37.843275], [15.301208, 37.843139], [15.301809, 37.853577]]
    return AOI.from_geojson({"type": "Polygon", "coordinates": [[*ring, ring[0]]]}, "1 selected feature of taormina")
