"""What each source of an area holds: the drawing, the map's extent, the file's shapes, the text, and the rest."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsMapLayer, QgsProject, QgsRectangle
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.aoi import AoiError
from up42_plugin.core.geometry.errors import UNREADABLE, refuse
from up42_plugin.core.shapes import Shapes, pasted_shapes, read_vector_file
from up42_plugin.qgis_bridge.area_material import Material
from up42_plugin.qgis_bridge.area_state import SourceKind
from up42_plugin.qgis_bridge.jobs import Job, JobRunner
from up42_plugin.qgis_bridge.selection import SelectionState

Found = Union[Material, AoiError]


@dataclass(frozen=True)
class HeldSnapshot:
    """What all sources held, to go back to."""

    found: Mapping[SourceKind, Found]
    names: Mapping[SourceKind, str]
    extent_layer: str
    path: Optional[Path]
    text: str


class AreaHoldings(QObject):
    """Keeps what was given to each source but the selection; ``changed`` when one holds something else."""

    changed = pyqtSignal()

    def __init__(self, project: QgsProject, runner: JobRunner, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._project, self._runner = project, runner
        self._found: Dict[SourceKind, Found] = {}
        self._names: Dict[SourceKind, str] = {}
        self._extent_layer = ""
        self._expected: Tuple[str, str, str] = ("", "", "")
        self._reading: Optional[Job[Shapes]] = None
        self._closed = False
        self.path: Optional[Path] = None
        self.text = ""
        project.layersAdded.connect(self._look_for_layer)

    @property
    def reading(self) -> bool:
        """Whether a file is being read."""
        return self._reading is not None

    @property
    def extent_layer(self) -> Optional[QgsMapLayer]:
        """The layer whose extent is taken."""
        return self._project.mapLayer(self._extent_layer)

    @property
    def expecting(self) -> bool:
        """Whether the layer of last time is still to come with its project."""
        return any(self._expected)

    @property
    def expected_layer(self) -> Dict[str, str]:
        """The layer that is still to come, for the memory; empty without one."""
        keys = ("layer", "layer_name", "layer_source")
        return dict(zip(keys, self._expected)) if self.expecting else {}

    def material(self, kind: SourceKind) -> Optional[Found]:
        """The shapes a source holds, why there are none, or None where it holds nothing."""
        if kind is not SourceKind.LAYER_EXTENT:
            return self._found.get(kind)
        layer = self.extent_layer
        if layer is None:
            name = self._expected[1]
            return refuse(UNREADABLE, f"The layer {name} is not in this project.") if name else None
        if layer.extent().isEmpty():
            return refuse(UNREADABLE, "The layer has no extent.")
        return rectangle(layer.extent(), layer.crs(), f"extent of {layer.name()}")

    def named(self, kind: SourceKind) -> SelectionState:
        """What the source's area is called."""
        if kind is SourceKind.LAYER_EXTENT:
            layer = self.extent_layer
            return SelectionState(layer_id=layer.id(), layer_name=layer.name()) if layer else SelectionState()
        return SelectionState(layer_name=self.name(kind))

    def name(self, kind: SourceKind) -> str:
        """What the source's area is called: the file's stem, the saved area's name."""
        return self._names.get(kind, "")

    def set_extent(self, extent: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> None:
        """The map's extent, as it is now."""
        self.hold(SourceKind.MAP_EXTENT, rectangle(extent, crs, "map extent"), "map extent")

    def set_drawn(self, kind: SourceKind, geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> None:
        """A polygon or rectangle drawn on the map."""
        name = "drawn rectangle" if kind is SourceKind.RECTANGLE else "drawn polygon"
        self.hold(kind, Material((bytes(geometry.asWkb()),), crs, name), name)

    def set_extent_layer(self, layer_id: str) -> None:
        """The layer whose extent is taken, now and as it changes."""
        expected, self._expected = self.expecting, ("", "", "")
        if layer_id != self._extent_layer:
            self._follow(False)
            self._extent_layer = layer_id
            self._follow(True)
        elif not expected:
            return
        self.changed.emit()

    def expect_layer(self, layer_id: str, name: str, digest: str) -> None:
        """The layer of last time, by its id or its source's digest: now, or when its project is opened."""
        self._expected = (layer_id, name, digest)
        self._look_for_layer()
        self.changed.emit()

    def set_text(self, text: str) -> None:
        """Pasted GeoJSON or WKT; nothing for none."""
        self.text = text
        if not text.strip():
            self.forget(SourceKind.TEXT)
            return
        try:
            found: Found = _material(pasted_shapes(text), "pasted text")
        except AoiError as error:
            found = error
        self.hold(SourceKind.TEXT, found, "pasted area")

    def set_saved(self, name: str, geojson: Mapping[str, Any]) -> None:
        """An area saved earlier: a GeoJSON polygon, or a collection of several."""
        try:
            found: Found = _material(pasted_shapes(json.dumps(geojson)), name)
        except AoiError as error:
            found = refuse(UNREADABLE, f"The saved area {name} cannot be read.", detail=error.user_message)
        self.hold(SourceKind.SAVED, found, name)

    def hold(self, kind: SourceKind, found: Found, name: str) -> None:
        """Shapes for a source, or why it has none."""
        self._found[kind], self._names[kind] = found, name
        self.changed.emit()

    def forget(self, kind: SourceKind) -> None:
        """What that source held."""
        self._found.pop(kind, None)
        if kind is SourceKind.FILE:
            self.path = None
        self.changed.emit()

    def read_file(self, path: Path) -> None:
        """All polygons of a vector file, read in the background; an earlier reading is given up."""
        if self._reading is not None:
            self._reading.cancel()
        self._found.pop(SourceKind.FILE, None)
        self.path, self._names[SourceKind.FILE] = path, path.stem
        job = self._runner.start(f"UP42: reading {path.name}", lambda context: read_vector_file(path, context))
        self._reading = job
        job.succeeded.connect(lambda shapes: self._file_read(job, _material(shapes, path.name)))
        job.failed.connect(lambda error: self._file_read(job, _as_problem(error, path)))
        job.cancelled.connect(lambda: self._file_read(job, None))
        self.changed.emit()

    def set_file(self, path: Path, shapes: Shapes) -> None:
        """The shapes of a vector file that was read already."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self.path = path
        self.hold(SourceKind.FILE, _material(shapes, path.name), path.stem)

    def snapshot(self) -> HeldSnapshot:
        """All that :meth:`restore` needs to go back to."""
        return HeldSnapshot(dict(self._found), dict(self._names), self._extent_layer, self.path, self.text)

    def restore(self, before: HeldSnapshot) -> None:
        """Hold again what was held."""
        self._follow(False)
        self._extent_layer = before.extent_layer
        self._follow(True)
        self._found, self._names = dict(before.found), dict(before.names)
        self.path, self.text = before.path, before.text
        self.changed.emit()

    def close(self) -> None:
        """Let go of the project and of what is being read. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        if self._reading is not None:
            self._reading.cancel()
        self._follow(False)
        self._project.layersAdded.disconnect(self._look_for_layer)

    def _look_for_layer(self, *_: object) -> None:
        """Take the extent of the layer of last time as soon as it is there."""
        layer_id, _name, digest = self._expected
        if not self.expecting or self._closed:
            return
        layers = self._project.mapLayers()
        found = layers.get(layer_id) or next((each for each in layers.values() if source_digest(each) == digest), None)
        if found is not None:
            self.set_extent_layer(found.id())

    def _follow(self, follow: bool) -> None:
        layer = self.extent_layer
        if layer is None or sip.isdeleted(layer):
            return
        for signal in (layer.dataChanged, layer.crsChanged, layer.nameChanged):
            if follow:
                signal.connect(self._layer_changed)
            else:
                with suppress(TypeError):  # a layer that came and goes with its project may never have been followed
                    signal.disconnect(self._layer_changed)

    def _layer_changed(self, *_: object) -> None:
        self.changed.emit()

    def _file_read(self, job: Job[Shapes], found: Optional[Found]) -> None:
        if job is not self._reading or self._closed:
            return
        self._reading = None
        if found is not None:
            self._found[SourceKind.FILE] = found
        self.changed.emit()


def rectangle(extent: QgsRectangle, crs: QgsCoordinateReferenceSystem, what: str) -> Material:
    """An extent as shapes."""
    return Material((bytes(QgsGeometry.fromRect(extent).asWkb()),), crs, what)


def source_digest(layer: QgsMapLayer) -> str:
    """Equal for layers of the same source; its passwords, if it has any, do not take part."""
    return hashlib.sha256(layer.publicSource().encode()).hexdigest()


def _material(shapes: Shapes, what: str) -> Material:
    by_code = shapes.crs.upper().startswith("EPSG:")
    make = QgsCoordinateReferenceSystem if by_code else QgsCoordinateReferenceSystem.fromWkt
    return Material(shapes.wkbs, make(shapes.crs), what, shapes.names)


def _as_problem(error: BaseException, path: Path) -> AoiError:
    if isinstance(error, AoiError):
        return error
    return refuse(UNREADABLE, f"{path.name} cannot be read.", detail=str(error))
