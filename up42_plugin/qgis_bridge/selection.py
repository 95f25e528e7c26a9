"""The map selection as the area of interest.

Everything here runs on the main thread: it reads layers. What is heavy is bounded (features, vertices), and the rules
of what a polygon must be are those of :mod:`up42_plugin.core.aoi`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from qgis.core import QgsFeatureRequest, QgsMapLayer, QgsProject, QgsVectorLayer, QgsWkbTypes
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from up42_plugin.core.aoi import AOI, MINIMUM_KM2, AoiError
from up42_plugin.core.geometry.errors import EMPTY, no_area, no_crs, refuse, too_many
from up42_plugin.qgis_bridge.feature_names import FeatureNamer
from up42_plugin.qgis_bridge.reprojection import Reprojection

MAX_FEATURES = 1000
MAX_VERTICES = 50_000
_DEBOUNCE_MS = 150
_POLYGONS = (QgsWkbTypes.GeometryType.PolygonGeometry, QgsWkbTypes.GeometryType.UnknownGeometry)
_WITHOUT_AREA = {
    QgsWkbTypes.GeometryType.LineGeometry: "Lines",
    QgsWkbTypes.GeometryType.PointGeometry: "Points",
    QgsWkbTypes.GeometryType.NullGeometry: "Table rows",
}


@dataclass(frozen=True)
class CollectedSelection:
    """Geometries of selected features as WKB in the layer's CRS, and what to call them all, and each of them."""

    wkbs: Tuple[bytes, ...]
    label: str
    names: Tuple[str, ...] = ()


@dataclass(frozen=True)
class SelectionState:
    """What the selection amounts to: an AOI, or an error that says why not, or neither when nothing is selected.

    ``layer_name`` is the layer it is taken from, also while nothing is selected in it. ``hint`` names a selection in
    another layer that cannot be used. ``shapes_digest`` changes with the shapes of several features, and with those of
    an area that has a problem.
    """

    aoi: Optional[AOI] = None
    error: Optional[AoiError] = None
    layer_id: str = ""
    layer_name: str = ""
    feature_count: int = 0
    hint: str = ""
    shapes_digest: int = 0

    def same_as(self, other: SelectionState) -> bool:
        """Whether the other state shows the same; errors are the same when their problems are."""
        return _shown(self) == _shown(other)


def collect(layer: QgsVectorLayer) -> CollectedSelection:
    """The geometries of a layer's selected features, edits included.

    Raises:
        AoiError: no polygon layer, no CRS, too many features or vertices, or features without geometry.
    """
    kind = layer.geometryType()
    if kind not in _POLYGONS:
        raise no_area(_WITHOUT_AREA.get(kind, "These features"))
    if not layer.crs().isValid():
        raise no_crs()
    return collect_shapes(layer)


def collect_shapes(layer: QgsVectorLayer, named: bool = False) -> CollectedSelection:
    """What is selected in a layer of any kind, with a CRS or without; raises as :func:`collect` does for the rest.

    ``named`` reads the features' names too, as the layer displays them.
    """
    count = layer.selectedFeatureCount()
    if count > MAX_FEATURES:
        raise too_many("features", count, MAX_FEATURES)
    wkbs: List[bytes] = []
    vertices = 0
    names: List[str] = []
    namer = FeatureNamer(layer) if named else None
    request = QgsFeatureRequest() if namer is not None else QgsFeatureRequest().setNoAttributes()
    # In the order of the layer, which the selection does not keep.
    for feature in sorted(layer.getSelectedFeatures(request), key=lambda feature: feature.id()):
        geometry = feature.geometry()
        if geometry.isNull() or geometry.isEmpty():
            continue
        vertices += geometry.constGet().nCoordinates()
        if vertices > MAX_VERTICES:
            raise too_many("vertices", vertices, MAX_VERTICES)
        wkbs.append(bytes(geometry.asWkb()))
        if namer is not None:
            names.append(namer.name(feature))
    if not wkbs:
        raise refuse(
            EMPTY, "The selected feature has no geometry." if count == 1 else "Nothing selected has a geometry."
        )
    return CollectedSelection(tuple(wkbs), label_of(count, layer.name()), tuple(names))


def aoi_of(layer: QgsVectorLayer, project: QgsProject, boxed: bool = False, minimum_km2: float = MINIMUM_KM2) -> AOI:
    """The union of a layer's selected features, reprojected with the project's transform context.

    ``boxed`` is for the geometric filter ``bbox``: separate parts become the box of all of them.

    Raises:
        AoiError: with everything that is wrong with the area.
    """
    return _united(collect(layer), layer, project, boxed, minimum_km2)


def _united(
    collected: CollectedSelection, layer: QgsVectorLayer, project: QgsProject, boxed: bool, minimum_km2: float
) -> AOI:
    polygons = Reprojection(layer.crs(), project.transformContext()).polygons(collected.wkbs)
    return AOI.from_polygons(polygons, collected.label, boxed, minimum_km2)


def count_of(count: int) -> str:
    """``1 selected feature``, ``2 selected features``."""
    return f"{count:,} selected feature{'' if count == 1 else 's'}"


def label_of(count: int, layer_name: str) -> str:
    """``1 selected feature of taormina``."""
    return f"{count_of(count)} of {layer_name}"


class SelectionTracker(QObject):
    """Follows the selection of a project's layers.

    The area stays with the polygon layer in which something was selected last, until that selection is cleared; then
    with the one before it that still has a selection. Which layer is active does not matter, so that loading a result
    does not lose the area. A selection in a line or point layer is named, and not used.

    ``changed`` is emitted with the new :class:`SelectionState` a moment after the last change, and only when there is
    something new to show. :meth:`close` lets go of the project and its layers.
    """

    changed = pyqtSignal(object)

    def __init__(self, project: QgsProject, parent: Optional[QObject] = None, minimum_km2: float = MINIMUM_KM2) -> None:
        super().__init__(parent)
        self._project = project
        self._minimum_km2 = minimum_km2
        self._boxed = False
        self._pinned = ""
        self._named = ""
        self._layers: Dict[str, QgsVectorLayer] = {}
        self._order: List[str] = []
        self._unusable = ""
        self._state = SelectionState()
        self._made: Dict[bool, Tuple[Any, AOI]] = {}
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DEBOUNCE_MS)
        self._timer.timeout.connect(self.refresh)
        project.layersAdded.connect(self._add_layers)
        project.layersWillBeRemoved.connect(self._remove_layers)
        project.transformContextChanged.connect(self._context_changed)
        self._watch(_top_first(project), last=False)
        self.refresh()

    @property
    def state(self) -> SelectionState:
        """What was last read; see :meth:`refresh`."""
        return self._state

    @property
    def layer(self) -> Optional[QgsVectorLayer]:
        """The layer the area is taken from."""
        return self._layers.get(self._current())

    def set_boxed(self, boxed: bool) -> None:
        """Whether the geometric filter is ``bbox``, which takes separate parts."""
        if boxed != self._boxed:
            self._boxed = boxed
            self.refresh()

    def set_minimum(self, minimum_km2: float) -> None:
        """The smallest area the service takes."""
        if minimum_km2 != self._minimum_km2:
            self._minimum_km2 = minimum_km2
            self.refresh()

    @property
    def pinned(self) -> str:
        """The layer that is stayed with, an id, empty while the selection is followed."""
        return self._pinned

    def pin(self, layer_id: str) -> None:
        """Stay with one layer whatever is selected elsewhere; an empty id follows the selection again."""
        self._pinned = layer_id if layer_id in self._layers else ""
        self.refresh()

    def refresh(self) -> SelectionState:
        """Read the selection now, and tell when it changed."""
        self._timer.stop()
        if self._closed:
            return self._state
        state = self._read()
        if not state.same_as(self._state):
            self._state = state
            self.changed.emit(state)
        return self._state

    def close(self) -> None:
        """Stop following, for good. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        self._timer.stop()
        for signal, slot in (
            (self._project.layersAdded, self._add_layers),
            (self._project.layersWillBeRemoved, self._remove_layers),
            (self._project.transformContextChanged, self._context_changed),
        ):
            _disconnect(signal, slot)
        for layer in list(self._layers.values()):
            self._forget(layer)
        self._layers.clear()
        self._order.clear()
        self._made.clear()
        self._state = SelectionState()

    def _add_layers(self, layers: List[QgsMapLayer]) -> None:
        self._watch(layers, last=True)

    def _watch(self, layers: List[QgsMapLayer], last: bool) -> None:
        for layer in layers:
            if not isinstance(layer, QgsVectorLayer) or layer.id() in self._layers:
                continue
            self._layers[layer.id()] = layer
            for signal, slot in self._connections(layer):
                signal.connect(slot)
            self._note(layer, last)
        self._schedule()

    def _remove_layers(self, layer_ids: List[str]) -> None:
        for layer_id in layer_ids:
            layer = self._layers.pop(layer_id, None)
            if layer is not None:
                self._forget(layer)
            if layer_id in self._order:
                self._order.remove(layer_id)
            if layer_id == self._unusable:
                self._unusable = ""
            if layer_id == self._pinned:
                self._pinned = ""
        self._schedule()

    def _forget(self, layer: QgsVectorLayer) -> None:
        if sip.isdeleted(layer):
            return
        for signal, slot in self._connections(layer):
            _disconnect(signal, slot)

    def _connections(self, layer: QgsVectorLayer) -> Tuple[Tuple[Any, Any], ...]:
        return (
            (layer.selectionChanged, self._selection_changed),
            (layer.geometryChanged, self._schedule),
            (layer.featuresDeleted, self._schedule),
            (layer.afterRollBack, self._schedule),
            (layer.crsChanged, self._schedule),
            (layer.nameChanged, self._schedule),
        )

    def _selection_changed(self, *_: Any) -> None:
        layer = self.sender()
        if isinstance(layer, QgsVectorLayer) and layer.id() in self._layers:
            self._note(layer, last=True)
        self._schedule()

    def _note(self, layer: QgsVectorLayer, last: bool) -> None:
        """Remember in which layer something was selected, the latest at the end."""
        layer_id = layer.id()
        if layer.geometryType() not in _POLYGONS:
            if layer.selectedFeatureCount():
                self._unusable = layer_id
            return
        if layer.selectedFeatureCount() == 0:
            return
        if layer_id in self._order:
            self._order.remove(layer_id)
        self._order.insert(len(self._order) if last else 0, layer_id)
        if last:
            self._unusable = ""

    def _context_changed(self) -> None:
        self._made.clear()
        self._schedule()

    def _schedule(self, *_: Any) -> None:
        if not self._closed:
            self._timer.start()

    def _current(self) -> str:
        """The pinned layer, else the latest that still has a selection, else the one the area was last taken from."""
        if self._pinned:
            return self._pinned
        for layer_id in reversed(self._order):
            if self._layers[layer_id].selectedFeatureCount():
                return layer_id
        return self._named if self._named in self._layers else ""

    def _read(self) -> SelectionState:
        self._named = self._current()
        layer = self._layers.get(self._named)
        unusable = self._layers.get(self._unusable)
        if unusable is not None and not unusable.selectedFeatureCount():
            unusable = None
        count = layer.selectedFeatureCount() if layer is not None else 0
        if layer is None or count == 0:
            if unusable is not None:
                return self._refused(unusable)
            return (
                SelectionState(layer_id=layer.id(), layer_name=layer.name()) if layer is not None else SelectionState()
            )
        hint = _hint(unusable) if unusable is not None else ""
        try:
            aoi = self._area_of(layer)
        except AoiError as error:
            return SelectionState(None, error, layer.id(), layer.name(), count, hint, _digest(layer))
        # The same area may be made of other features.
        digest = _digest(layer) if count > 1 else 0
        return SelectionState(aoi, None, layer.id(), layer.name(), count, hint, digest)

    def _area_of(self, layer: QgsVectorLayer) -> AOI:
        """The area; of shapes that were united before, with the filter as it is now, it is known."""
        collected = collect(layer)
        asked = (collected, layer.crs(), self._minimum_km2)
        known = self._made.get(self._boxed)
        if known is not None and known[0] == asked:
            return known[1]
        aoi = _united(collected, layer, self._project, self._boxed, self._minimum_km2)
        self._made[self._boxed] = (asked, aoi)
        return aoi

    def _refused(self, layer: QgsVectorLayer) -> SelectionState:
        error = no_area(_WITHOUT_AREA.get(layer.geometryType(), "These features"))
        return SelectionState(None, error, layer.id(), layer.name(), layer.selectedFeatureCount(), "", _digest(layer))


def _digest(layer: QgsVectorLayer) -> int:
    """Another number for other shapes."""
    try:
        return hash(collect_shapes(layer).wkbs)
    except AoiError:
        return 0


def _hint(layer: QgsVectorLayer) -> str:
    count = layer.selectedFeatureCount()
    kind = _WITHOUT_AREA.get(layer.geometryType(), "these features").lower()
    verb = "is" if count == 1 else "are"
    return f"{label_of(count, layer.name())} {verb} not used: {kind} have no area."


def _shown(state: SelectionState) -> Tuple[Any, ...]:
    problems = state.error.problems if state.error is not None else ()
    return state.aoi, problems, state.layer_id, state.layer_name, state.feature_count, state.hint, state.shapes_digest


def _top_first(project: QgsProject) -> List[QgsMapLayer]:
    """The project's layers as the layer tree has them, those outside the tree at the end."""
    ordered = list(project.layerTreeRoot().layerOrder())
    known = {layer.id() for layer in ordered}
    return ordered + [layer for layer in project.mapLayers().values() if layer.id() not in known]


def _disconnect(signal: Any, slot: Any) -> None:
    """Disconnecting what Qt has disconnected already is an error to PyQt, and none to us."""
    try:
        signal.disconnect(slot)
    except (TypeError, RuntimeError):
        return
