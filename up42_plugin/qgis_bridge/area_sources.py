"""Where the area is taken from: the selection, the map, a drawing, a layer's extent, a file, text, or a saved area."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry, QgsMapLayer, QgsProject, QgsRectangle
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.aoi import MINIMUM_KM2, AoiError
from up42_plugin.core.geometry.errors import UNREADABLE, refuse
from up42_plugin.core.job_areas import JobArea
from up42_plugin.core.mending import Mend, MendKind
from up42_plugin.core.shapes import Shapes, pasted_shapes, read_vector_file
from up42_plugin.qgis_bridge.area_material import AreaMaker, Material, Offer
from up42_plugin.qgis_bridge.jobs import Job, JobRunner
from up42_plugin.qgis_bridge.reprojection import LONGITUDE_LATITUDE
from up42_plugin.qgis_bridge.selection import SelectionState, SelectionTracker, collect_shapes, count_of


class SourceKind(Enum):
    """Where the area is taken from; the value is kept in settings."""

    SELECTION = "selection"
    MAP_EXTENT = "map_extent"
    POLYGON = "polygon"
    RECTANGLE = "rectangle"
    LAYER_EXTENT = "layer_extent"
    FILE = "file"
    TEXT = "text"
    SAVED = "saved"


@dataclass(frozen=True)
class AreaState(SelectionState):
    """A selection's state for any source.

    ``what`` is the second half of the size line (``1 selected feature``, ``map extent``); ``offers`` one for each
    problem; ``mends`` what was mended, in the person's order; ``before`` the unmended shapes in EPSG:4326.
    """

    kind: SourceKind = SourceKind.SELECTION
    what: str = ""
    offers: Tuple[Offer, ...] = ()
    mends: Tuple[Mend, ...] = ()
    before: Tuple[QgsGeometry, ...] = ()
    reading: bool = False
    areas: Tuple[JobArea, ...] = ()


_Found = Union[Material, AoiError]


@dataclass(frozen=True)
class AreaSnapshot:
    """Where the area was taken from, and what all sources held, to go back to."""

    kind: SourceKind
    found: Mapping[SourceKind, _Found]
    names: Mapping[SourceKind, str]
    extent_layer: str
    pinned: str
    mends: Tuple[Mend, ...]
    mended: Optional[Material]


class AreaSource(QObject):
    """The area of the form, from whichever source is chosen; offers what a selection tracker offers, and mends.

    ``changed`` brings an :class:`AreaState`. Mends belong to the shapes they were made for: other shapes, no mends.
    """

    changed = pyqtSignal(object)

    def __init__(
        self, tracker: SelectionTracker, project: QgsProject, runner: JobRunner, parent: Optional[QObject] = None
    ) -> None:
        super().__init__(parent)
        self._tracker, self._project, self._runner = tracker, project, runner
        self._kind = SourceKind.SELECTION
        self._found: Dict[SourceKind, _Found] = {}
        self._names: Dict[SourceKind, str] = {}
        self._extent_layer = ""
        self._reading: Optional[Job[Shapes]] = None
        self._mends: Tuple[Mend, ...] = ()
        self._mended: Optional[Material] = None
        self._boxed, self._minimum = False, MINIMUM_KM2
        self._closed = False
        self._state = AreaState()
        tracker.changed.connect(self._selection_changed)
        project.transformContextChanged.connect(self._again)
        project.layersRemoved.connect(self._again)
        self.refresh()

    @property
    def state(self) -> AreaState:
        """The area, or what is wrong with it."""
        return self._state

    @property
    def kind(self) -> SourceKind:
        """Where the area is taken from."""
        return self._kind

    @property
    def pinned_layer(self) -> Optional[QgsMapLayer]:
        """The layer the selection is followed in."""
        return self._tracker.layer

    def take(self, kind: SourceKind) -> None:
        """Take the area from there; what that source held before is still there."""
        if kind is not self._kind:
            self._kind = kind
            self.refresh()

    def pin(self, layer_id: str) -> None:
        """Stay with one layer's selection; an empty id follows the selection again."""
        self._tracker.pin(layer_id)
        self.refresh()

    def set_extent(self, extent: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> None:
        """The map's extent, as it is now."""
        self._hold(SourceKind.MAP_EXTENT, _rectangle(extent, crs, "map extent"), "map extent")

    def set_drawn(self, kind: SourceKind, geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> None:
        """A polygon or rectangle drawn on the map."""
        name = "drawn rectangle" if kind is SourceKind.RECTANGLE else "drawn polygon"
        self._hold(kind, Material((bytes(geometry.asWkb()),), crs, name), name)

    def set_extent_layer(self, layer_id: str) -> None:
        """The layer whose extent is taken, now and as it changes."""
        if layer_id != self._extent_layer:
            self._follow(False)
            self._extent_layer = layer_id
            self._follow(True)
            self.refresh()

    def set_text(self, text: str) -> None:
        """Pasted GeoJSON or WKT; nothing for none."""
        if not text.strip():
            self._found.pop(SourceKind.TEXT, None)
            self.refresh()
            return
        try:
            found: _Found = _material(pasted_shapes(text), "pasted text")
        except AoiError as error:
            found = error
        self._hold(SourceKind.TEXT, found, "pasted area")

    def set_saved(self, name: str, geojson: Mapping[str, Any]) -> None:
        """An area saved earlier."""
        geometry = QgsGeometry.fromWkt(_wkt_of(geojson))
        crs = QgsCoordinateReferenceSystem(LONGITUDE_LATITUDE)
        found: _Found = Material((bytes(geometry.asWkb()),), crs, name)
        if geometry.isNull():
            found = refuse(UNREADABLE, f"The saved area {name} cannot be read.")
        self._hold(SourceKind.SAVED, found, name)

    def forget(self, kind: SourceKind) -> None:
        """What that source held."""
        self._found.pop(kind, None)
        self.refresh()

    def read_file(self, path: Path) -> None:
        """All polygons of a vector file, read in the background; an earlier reading is given up."""
        if self._reading is not None:
            self._reading.cancel()
        self._found.pop(SourceKind.FILE, None)
        self._names[SourceKind.FILE] = path.stem
        job = self._runner.start(f"UP42: reading {path.name}", lambda context: read_vector_file(path, context))
        self._reading = job
        job.succeeded.connect(lambda shapes: self._file_read(job, _material(shapes, path.name)))
        job.failed.connect(lambda error: self._file_read(job, _as_problem(error, path)))
        job.cancelled.connect(lambda: self._file_read(job, None))
        self.refresh()

    def set_file(self, path: Path, shapes: Shapes) -> None:
        """The shapes of a vector file that was read already."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        self._hold(SourceKind.FILE, _material(shapes, path.name), path.stem)

    def snapshot(self) -> AreaSnapshot:
        """All that :meth:`restore` needs to go back to."""
        found, names, pinned = dict(self._found), dict(self._names), self._tracker.pinned
        return AreaSnapshot(self._kind, found, names, self._extent_layer, pinned, self._mends, self._mended)

    def restore(self, before: AreaSnapshot) -> None:
        """Take the area from where it was taken, mends included."""
        self._follow(False)
        self._extent_layer = before.extent_layer
        self._follow(True)
        self._kind, self._found, self._names = before.kind, dict(before.found), dict(before.names)
        self._mends, self._mended = before.mends, before.mended
        self.pin(before.pinned)

    def mend(self, mend: Mend) -> None:
        """Mend the area; replaces an earlier mend of the same kind."""
        found = self._material()
        if isinstance(found, Material):
            self._mends = (*(old for old in self._mends if old.kind is not mend.kind), mend)
            self._mended = found
            self.refresh()

    def undo(self, kind: Optional[MendKind] = None) -> None:
        """Undo one mend, or the last."""
        gone = kind or (self._mends[-1].kind if self._mends else None)
        self._mends = tuple(mend for mend in self._mends if mend.kind is not gone)
        self.refresh()

    def set_boxed(self, boxed: bool) -> None:
        """Whether the geometric filter is ``bbox``, which takes separate parts."""
        changed, self._boxed = boxed != self._boxed, boxed
        self._tracker.set_boxed(boxed)
        if changed:
            self.refresh()

    def set_minimum(self, minimum_km2: float) -> None:
        """The smallest area the service takes."""
        changed, self._minimum = minimum_km2 != self._minimum, minimum_km2
        self._tracker.set_minimum(minimum_km2)
        if changed:
            self.refresh()

    def refresh(self) -> AreaState:
        """Make the area anew, and tell when it changed."""
        if self._closed:
            return self._state
        state = self._made()
        if _shown(state) != _shown(self._state):
            self._state = state
            self.changed.emit(state)
        return self._state

    def close(self) -> None:
        """Stop following, for good. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        if self._reading is not None:
            self._reading.cancel()
        self._follow(False)
        self._tracker.changed.disconnect(self._selection_changed)
        self._project.transformContextChanged.disconnect(self._again)
        self._project.layersRemoved.disconnect(self._again)

    def _selection_changed(self, *_: object) -> None:
        if self._kind is SourceKind.SELECTION:
            self.refresh()

    def _again(self, *_: object) -> None:
        self.refresh()

    def _hold(self, kind: SourceKind, found: _Found, name: str) -> None:
        self._found[kind], self._names[kind] = found, name
        self.refresh()

    def _follow(self, follow: bool) -> None:
        layer = self._project.mapLayer(self._extent_layer)
        if layer is None or sip.isdeleted(layer):
            return
        for signal in (layer.dataChanged, layer.crsChanged, layer.nameChanged):
            if follow:
                signal.connect(self._again)
            else:
                signal.disconnect(self._again)

    def _file_read(self, job: Job[Shapes], found: Optional[_Found]) -> None:
        if job is not self._reading or self._closed:
            return
        self._reading = None
        if found is not None:
            self._found[SourceKind.FILE] = found
        self.refresh()

    def _made(self) -> AreaState:
        base = self._tracker.state if self._kind is SourceKind.SELECTION else self._named()
        found = self._material()
        if not (isinstance(found, Material) and found.same_shapes(self._mended)):
            self._mends, self._mended = (), None
        what = count_of(base.feature_count) if self._kind is SourceKind.SELECTION and base.feature_count else ""
        if isinstance(found, Material):
            return self._from_material(base, found, what or found.what)
        error = found or base.error
        offers = tuple(Offer(problem) for problem in error.problems) if error is not None else ()
        reading = self._kind is SourceKind.FILE and self._reading is not None
        return _state(base, self._kind, error=error, what=what, offers=offers, reading=reading)

    def _from_material(self, base: SelectionState, found: Material, what: str) -> AreaState:
        maker = AreaMaker(self._project.transformContext(), self._boxed, self._minimum)
        before = maker.shown(found, self._mends) if self._mends else ()
        try:
            if self._kind is SourceKind.SELECTION and not self._mends and base.error is not None:
                raise base.error
            known = base.aoi if self._kind is SourceKind.SELECTION and not self._mends else None
            aoi = known or maker.aoi(found, self._mends)
        except AoiError as error:
            offers = maker.offers(found, self._mends, error)
            return _state(base, self._kind, error=error, what=what, offers=offers, mends=self._mends, before=before)
        return _state(base, self._kind, aoi=aoi, what=what, mends=self._mends, before=before)

    def _named(self) -> SelectionState:
        if self._kind is SourceKind.LAYER_EXTENT:
            layer = self._project.mapLayer(self._extent_layer)
            return SelectionState(layer_id=layer.id(), layer_name=layer.name()) if layer else SelectionState()
        return SelectionState(layer_name=self._names.get(self._kind, ""))

    def _material(self) -> Optional[_Found]:
        """The shapes of the chosen source, why there are none, or None where nothing is chosen there."""
        if self._kind is SourceKind.SELECTION:
            return self._selected()
        if self._kind is SourceKind.LAYER_EXTENT:
            layer = self._project.mapLayer(self._extent_layer)
            if layer is None:
                return None
            if layer.extent().isEmpty():
                return refuse(UNREADABLE, "The layer has no extent.")
            return _rectangle(layer.extent(), layer.crs(), f"extent of {layer.name()}")
        return self._found.get(self._kind)

    def _selected(self) -> Optional[_Found]:
        state = self._tracker.state
        layer = self._project.mapLayer(state.layer_id)
        if layer is None or not state.feature_count or (state.aoi is None and state.error is None):
            return None
        try:
            return _collected(layer)
        except AoiError as error:
            return error


def _state(base: SelectionState, kind: SourceKind, **more: Any) -> AreaState:
    return AreaState(
        layer_id=base.layer_id,
        layer_name=base.layer_name,
        feature_count=base.feature_count,
        hint=base.hint,
        shapes_digest=base.shapes_digest,
        kind=kind,
        **more,
    )


def _collected(layer: Any) -> Material:
    collected = collect_shapes(layer)
    return Material(collected.wkbs, layer.crs(), collected.label)


def _rectangle(extent: QgsRectangle, crs: QgsCoordinateReferenceSystem, what: str) -> Material:
    return Material((bytes(QgsGeometry.fromRect(extent).asWkb()),), crs, what)


def _material(shapes: Shapes, what: str) -> Material:
    by_code = shapes.crs.upper().startswith("EPSG:")
    make = QgsCoordinateReferenceSystem if by_code else QgsCoordinateReferenceSystem.fromWkt
    return Material(shapes.wkbs, make(shapes.crs), what)


def _as_problem(error: BaseException, path: Path) -> AoiError:
    if isinstance(error, AoiError):
        return error
    return refuse(UNREADABLE, f"{path.name} cannot be read.", detail=str(error))


def _wkt_of(geojson: Mapping[str, Any]) -> str:
    try:
        rings = [[(float(x), float(y)) for x, y in ring] for ring in geojson["coordinates"]]
    except (KeyError, TypeError, ValueError):
        return ""
    return "Polygon (" + ", ".join("(" + ", ".join(f"{x!r} {y!r}" for x, y in ring) + ")" for ring in rings) + ")"


def _shown(state: AreaState) -> Tuple[Any, ...]:
    problems = state.error.problems if state.error is not None else ()
    named = (state.kind, state.what, state.layer_id, state.layer_name, state.feature_count, state.hint)
    return (state.aoi, problems, *named, state.offers, state.mends, state.reading)
