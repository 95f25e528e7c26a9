"""What all blocks of Airbus' OneAtlas say about a Pléiades or SPOT scene."""

from __future__ import annotations

from typing import Any, Dict

from up42_plugin.sandbox.archive import Scene
from up42_plugin.sandbox.catalogue import Catalogue
from up42_plugin.sandbox.runners.contract import Task
from up42_plugin.sandbox.runners.scenes import data_block
from up42_plugin.sandbox.runners.scenes.sentinel2 import iso


def properties(scene: Scene, feature_id: str, constellation: str, level: str, resolution: float) -> Dict[str, Any]:
    """The properties of a scene's feature. ``resolution`` is that of its finest image in metres."""
    return {
        "id": feature_id,
        "acquisitionDate": iso(scene.acquired),
        "acquisitionIdentifier": scene.id,
        "parentIdentifier": scene.id,
        "sourceIdentifier": scene.id,
        "cloudCover": scene.cloud_cover,
        "constellation": constellation,
        "platform": scene.platform,
        "incidenceAngle": scene.properties.get("incidence_angle"),
        "illuminationAzimuthAngle": scene.sun_azimuth,
        "illuminationElevationAngle": scene.sun_elevation,
        "processingLevel": level,
        "resolution": resolution,
        "sensorType": "OPTICAL",
        **data_block.synthetic_part(scene),
    }


def credits_for(task: Task, amount: float) -> int:
    """What a test query of OneAtlas says that an amount (in the unit of the block's price) costs."""
    block = Catalogue.load().get(str(task.block["id"]))
    return 0 if block is None else block.price.credits(amount)
