"""The area of the form, wherever it is taken from, as one area or one for each job; what is wrong with it, mended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Dict, Optional, Sequence, Tuple

from qgis.core import QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.aoi import MINIMUM_KM2, AoiError
from up42_plugin.core.mending import Mend, MendKind
from up42_plugin.qgis_bridge.area_batch import AreaBuilder, Made
from up42_plugin.qgis_bridge.area_holdings import AreaHoldings, Found, HeldSnapshot
from up42_plugin.qgis_bridge.area_material import Material, Offer
from up42_plugin.qgis_bridge.area_state import AreaState, SourceKind, shown
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.selection import SelectionState, SelectionTracker, collect_shapes, count_of

__all__ = ["AreaSource", "AreaState", "SourceKind"]


@dataclass(frozen=True)
class AreaSnapshot:
    """Where the area was taken from, and what all sources held, to go back to."""

    kind: SourceKind
    held: HeldSnapshot
    pinned: str
    per_feature: bool
    mends: Tuple[Mend, ...]
    mended: Optional[Material]


class AreaSource(QObject):
    """The area of the form, from whichever source is chosen; offers what a selection tracker offers, and mends.

    ``changed`` brings an :class:`AreaState`. Mends belong to the shapes they were made for: other shapes, no mends.
    ``held`` is what the sources other than the selection are given.
    """

    changed = pyqtSignal(object)

    def __init__(
        self, tracker: SelectionTracker, project: QgsProject, runner: JobRunner, parent: Optional[QObject] = None
    ) -> None:
        super().__init__(parent)
        self._tracker, self._project = tracker, project
        self.held = AreaHoldings(project, runner, self)
        self._kind = SourceKind.SELECTION
        self._per_feature = False
        self._mends: Tuple[Mend, ...] = ()
        self._mended: Optional[Material] = None
        self._remembered: Tuple[str, Tuple[Mend, ...]] = ("", ())
        self._boxed, self._minimum = False, MINIMUM_KM2
        self._maximum: Optional[float] = None
        self._closed = False
        self._state = AreaState()
        tracker.changed.connect(self._selection_changed)
        self.held.changed.connect(self._again)
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
    def per_feature(self) -> bool:
        """Whether each feature is an area of its own, where there are several."""
        return self._per_feature

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

    def set_per_feature(self, per_feature: bool) -> None:
        """Make one area of each feature, or one of all. What was mended was mended for the other."""
        if per_feature != self._per_feature:
            self._per_feature, self._mends, self._mended = per_feature, (), None
            self.refresh()

    def snapshot(self) -> AreaSnapshot:
        """All that :meth:`restore` needs to go back to."""
        pinned, per_feature = self._tracker.pinned, self._per_feature
        return AreaSnapshot(self._kind, self.held.snapshot(), pinned, per_feature, self._mends, self._mended)

    def restore(self, before: AreaSnapshot) -> None:
        """Take the area from where it was taken, mends included."""
        self.held.blockSignals(True)
        self.held.restore(before.held)
        self.held.blockSignals(False)
        self._kind, self._per_feature = before.kind, before.per_feature
        self._mends, self._mended = before.mends, before.mended
        self.pin(before.pinned)

    def mend(self, mend: Mend) -> None:
        """Mend the area; replaces an earlier mend of the same kind. A division is for the limit of now."""
        found = self._material()
        if mend.kind is MendKind.DIVIDE and not mend.amount:
            mend = replace(mend, amount=self._maximum or 0.0)
        if isinstance(found, Material):
            self._mends = (*(old for old in self._mends if old.kind is not mend.kind), mend)
            self._mended = found
            self.refresh()

    def undo(self, kind: Optional[MendKind] = None) -> None:
        """Undo one mend, or the last."""
        gone = kind or (self._mends[-1].kind if self._mends else None)
        self._mends = tuple(mend for mend in self._mends if mend.kind is not gone)
        self.refresh()

    def mended(self) -> Tuple[str, Tuple[Mend, ...]]:
        """The mends in use, and the digest of the shapes they are for."""
        return (self._mended.digest, self._mends) if self._mended is not None and self._mends else ("", ())

    def remember_mends(self, digest: str, mends: Sequence[Mend]) -> None:
        """Mends of last time, for when the same shapes are there again."""
        self._remembered = (digest, tuple(mends))
        self.refresh()

    def set_boxed(self, boxed: bool) -> None:
        """Whether the geometric filter is ``bbox``, which takes separate parts."""
        changed, self._boxed = boxed != self._boxed, boxed
        self._tracker.set_boxed(boxed)
        if changed:
            self.refresh()

    def set_limits(self, minimum_km2: float, maximum_km2: Optional[float] = None) -> None:
        """The smallest area the service takes, and the largest of a live job in the project; None for no limit."""
        changed = (minimum_km2, maximum_km2) != (self._minimum, self._maximum)
        self._minimum, self._maximum = minimum_km2, maximum_km2
        self._tracker.set_minimum(minimum_km2)
        if changed:
            self.refresh()

    def refresh(self) -> AreaState:
        """Make the area anew, and tell when it changed."""
        if self._closed:
            return self._state
        state = self._made()
        if shown(state) != shown(self._state):
            self._state = state
            self.changed.emit(state)
        return self._state

    def close(self) -> None:
        """Stop following, for good. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        self.held.close()
        self._tracker.changed.disconnect(self._selection_changed)
        self._project.transformContextChanged.disconnect(self._again)
        self._project.layersRemoved.disconnect(self._again)

    def _selection_changed(self, *_: object) -> None:
        if self._kind is SourceKind.SELECTION:
            self.refresh()

    def _again(self, *_: object) -> None:
        self.refresh()

    def _made(self) -> AreaState:
        selecting = self._kind is SourceKind.SELECTION
        base = self._tracker.state if selecting else self.held.named(self._kind)
        found = self._material()
        self._keep_mends(found)
        what = count_of(base.feature_count) if selecting and base.feature_count else ""
        if isinstance(found, Material):
            return self._from_material(base, found, what)
        error = found or base.error
        offers = tuple(Offer(problem) for problem in error.problems) if error is not None else ()
        reading = self._kind is SourceKind.FILE and self.held.reading
        return _state(base, self._kind, error=error, what=what, offers=offers, reading=reading)

    def _keep_mends(self, found: Optional[Found]) -> None:
        """Other shapes, no mends; the shapes of last time, those of last time."""
        if isinstance(found, Material) and any(self._remembered):
            (digest, mends), self._remembered = self._remembered, ("", ())
            if found.digest == digest:
                self._mends, self._mended = mends, found
        if not (isinstance(found, Material) and found.same_shapes(self._mended)):
            self._mends, self._mended = (), None

    def _from_material(self, base: SelectionState, found: Material, what: str) -> AreaState:
        builder = AreaBuilder(self._project.transformContext(), self._boxed, self._minimum, self._maximum)
        count = len(found.wkbs)
        per_feature = self._per_feature and count > 1
        if per_feature:
            made = builder.each(found, self._mends)
            what = what or f"{count:,} features of {found.what}"
        else:
            made = self._as_one(builder, base, found)
        before = [shape for part in made.touched for shape in builder.maker.shown(part, self._mends)]
        return _state(
            base,
            self._kind,
            aoi=made.aoi,
            areas=made.areas,
            error=made.error,
            what=what or found.what,
            offers=made.offers,
            mends=self._mends,
            before=tuple(before),
            features=count,
            per_feature=per_feature,
            size_km2=made.size_km2,
        )

    def _as_one(self, builder: AreaBuilder, base: SelectionState, found: Material) -> Made:
        """All shapes as one area; the tracker has made that of an unmended selection already."""
        fresh = self._kind is SourceKind.SELECTION and not self._mends
        if fresh and base.error is not None:
            offers = builder.maker.offers(found, (), base.error)
            return Made(error=base.error, offers=offers)
        return builder.whole(found, self._mends, base.aoi if fresh else None)

    def _material(self) -> Optional[Found]:
        """The shapes of the chosen source, why there are none, or None where nothing is chosen there."""
        return self._selected() if self._kind is SourceKind.SELECTION else self.held.material(self._kind)

    def _selected(self) -> Optional[Found]:
        state = self._tracker.state
        layer = self._project.mapLayer(state.layer_id)
        if layer is None or not state.feature_count or (state.aoi is None and state.error is None):
            return None
        try:
            collected = collect_shapes(layer, named=self._per_feature)
        except AoiError as error:
            return error
        return Material(collected.wkbs, layer.crs(), collected.label, collected.names)


def _state(base: SelectionState, kind: SourceKind, **more: Any) -> AreaState:
    common: Dict[str, Any] = {
        "layer_id": base.layer_id,
        "layer_name": base.layer_name,
        "feature_count": base.feature_count,
        "hint": base.hint,
        "shapes_digest": base.shapes_digest,
    }
    return AreaState(**common, kind=kind, **more)
