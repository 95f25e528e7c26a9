"""The source of the area and what it holds, kept over restarts as plain JSON."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry

from up42_plugin.core.geometry.errors import UNREADABLE, refuse
from up42_plugin.core.mending import Mend, MendKind
from up42_plugin.qgis_bridge.area_holdings import source_digest
from up42_plugin.qgis_bridge.area_material import Material
from up42_plugin.qgis_bridge.area_sources import AreaSource
from up42_plugin.qgis_bridge.area_state import SourceKind
from up42_plugin.qgis_bridge.saved_areas import SavedAreas

# The settings are read whole whenever QGIS starts.
_MOST_CHARACTERS = 200_000
_SHAPED = (SourceKind.MAP_EXTENT, SourceKind.POLYGON, SourceKind.RECTANGLE)
_TOO_LONG = "too_long"


def remembered(source: AreaSource) -> Dict[str, Any]:
    """Where the area is taken from, with what it takes to have it again. A selection is the project's matter."""
    kind = source.kind
    values: Dict[str, Any] = {"kind": kind.value, "per_feature": source.per_feature}
    if kind is SourceKind.SELECTION:
        return values
    data = _data(source, kind)
    digest, mends = source.mended()
    if mends:
        data["shapes"] = digest
        data["mends"] = [{"kind": mend.kind.value, "amount": mend.amount, "crs": mend.crs} for mend in mends]
    if len(json.dumps(data)) > _MOST_CHARACTERS:
        data = {_TOO_LONG: True}
    return {**values, **data}


def recall(source: AreaSource, values: Any, saved: SavedAreas) -> None:
    """Take the area from where it was taken last; what cannot be read is as if there were nothing."""
    if not isinstance(values, dict):
        return
    source.set_per_feature(values.get("per_feature") is True)
    try:
        kind = SourceKind(values.get("kind"))
    except ValueError:
        return
    if kind is SourceKind.SELECTION:
        return
    source.take(kind)
    with suppress(TypeError, ValueError, AttributeError, KeyError):
        mends = _mends(values.get("mends", []))
        source.remember_mends(str(values.get("shapes", "")), mends)
    with suppress(TypeError, ValueError, AttributeError, KeyError):
        _fill(source, kind, values, saved)


def _data(source: AreaSource, kind: SourceKind) -> Dict[str, Any]:
    held = source.held
    if kind in (SourceKind.TEXT, SourceKind.SAVED):
        return {"text": held.text} if kind is SourceKind.TEXT else {"name": held.name(kind)}
    if kind is SourceKind.FILE:
        # What is no plain path may hold a password (a database's address).
        plain = held.path is not None and held.path.is_absolute() and not str(held.path).startswith("/vsi")
        return {"path": str(held.path)} if plain else {}
    if kind is SourceKind.LAYER_EXTENT:
        return _layer(source)
    found = held.material(kind)
    if not isinstance(found, Material):
        return {}
    return {"geometry": found.wkbs[0].hex(), "crs": found.crs.authid() or found.crs.toWkt()}


def _layer(source: AreaSource) -> Dict[str, Any]:
    layer = source.held.extent_layer
    if layer is None:
        return dict(source.held.expected_layer)
    return {"layer": layer.id(), "layer_name": layer.name(), "layer_source": source_digest(layer)}


def _fill(source: AreaSource, kind: SourceKind, values: Mapping[str, Any], saved: SavedAreas) -> None:
    held = source.held
    if values.get(_TOO_LONG):
        problem = refuse(UNREADABLE, "This area was too long to be remembered. Choose it again.")
        held.hold(kind, problem, "")
    elif kind is SourceKind.TEXT:
        held.set_text(str(values["text"]))
    elif kind is SourceKind.SAVED and values.get("name"):
        held.set_saved(str(values["name"]), saved.get(str(values["name"])))
    elif kind is SourceKind.FILE and values.get("path"):
        held.read_file(Path(values["path"]))
    elif kind is SourceKind.LAYER_EXTENT and values.get("layer"):
        held.expect_layer(*(str(values.get(key, "")) for key in ("layer", "layer_name", "layer_source")))
    elif kind in _SHAPED and values.get("geometry"):
        _shape(source, kind, values)


def _shape(source: AreaSource, kind: SourceKind, values: Mapping[str, Any]) -> None:
    geometry = QgsGeometry()
    geometry.fromWkb(bytes.fromhex(values["geometry"]))
    definition = str(values["crs"])
    crs = QgsCoordinateReferenceSystem(definition)
    if not crs.isValid():
        crs = QgsCoordinateReferenceSystem.fromWkt(definition)
    if geometry.isNull() or not crs.isValid():
        return
    if kind is SourceKind.MAP_EXTENT:
        source.held.set_extent(geometry.boundingBox(), crs)
    else:
        source.held.set_drawn(kind, geometry, crs)


def _mends(values: Sequence[Any]) -> List[Mend]:
    return [Mend(MendKind(value["kind"]), float(value["amount"]), str(value["crs"])) for value in values]
