"""Drops on the dock: a polygon layer or a vector file becomes the area, a recipe fills the form; each can be undone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List, Optional, Union

from qgis.core import Qgis, QgsMimeDataUtils, QgsProject, QgsVectorLayer, QgsWkbTypes
from qgis.PyQt import sip
from qgis.PyQt.QtCore import QEvent, QMimeData, QObject, Qt
from qgis.PyQt.QtGui import QDropEvent

from up42_plugin.core.dropped_file import DroppedFile, read_dropped
from up42_plugin.core.job_form import JobForm
from up42_plugin.core.shapes import Shapes
from up42_plugin.gui.area_inputs import VECTOR_SUFFIXES
from up42_plugin.gui.dock import Up42Dock
from up42_plugin.gui.new_job import NewJob
from up42_plugin.gui.recipe_desk import RecipeDesk
from up42_plugin.qgis_bridge.area_sources import AreaSource, SourceKind
from up42_plugin.qgis_bridge.jobs import Job, JobRunner
from up42_plugin.qgis_bridge.selection import MAX_FEATURES

_DRAGS = (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop)
Droppable = Union[QgsVectorLayer, Path]


class DropDesk(QObject):
    """Takes what is dropped anywhere on the dock. What cannot be used is refused while it is still dragged."""

    def __init__(
        self,
        dock: Up42Dock,
        *,
        source: AreaSource,
        new_job: NewJob,
        recipes: RecipeDesk,
        runner: JobRunner,
        tell: Callable[[str, Qgis.MessageLevel], Any],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._dock, self._source, self._new_job = dock, source, new_job
        self._recipes, self._runner, self._tell = recipes, runner, tell
        self._notice = dock.new_job.notice
        self._reading: Optional[Job[DroppedFile]] = None
        self._undo: Optional[Callable[[], None]] = None
        self._stands: Callable[[], bool] = lambda: True
        self._notice.undo_asked.connect(self.undo)
        new_job.changed.connect(self._form_changed)
        dock.setAcceptDrops(True)
        dock.installEventFilter(self)

    def close(self) -> None:
        """Take no more drops; a file that is being read is given up."""
        self._dock.removeEventFilter(self)
        self._dock.setAcceptDrops(False)
        self._give_up_reading()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Accept what can be used, as a copy: a move would take the layer out of the layer tree."""
        if event.type() not in _DRAGS or not isinstance(event, QDropEvent):
            return False
        thing = droppable(event.mimeData())
        if thing is None:
            event.ignore()
            return True
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        if event.type() == QEvent.Type.Drop:
            self.take(thing)
        return True

    def take(self, thing: Droppable) -> None:
        """As if it had been dropped."""
        self._give_up_reading()
        self._forget()
        if isinstance(thing, Path):
            self._read(thing)
        else:
            self._take_layer(thing)

    def undo(self) -> None:
        """Bring back what was there before the last drop."""
        undo = self._undo
        self._forget()
        if undo is not None:
            undo()

    # layers

    def _take_layer(self, layer: QgsVectorLayer) -> None:
        """Its selection is the area; where nothing is selected, all its features are, as far as that is sensible."""
        before, selected = self._source.snapshot(), list(layer.selectedFeatureIds())
        if not selected and 0 < layer.featureCount() <= MAX_FEATURES:
            layer.selectAll()
        self._dock.area.choose_source(SourceKind.SELECTION)
        self._source.take(SourceKind.SELECTION)
        self._source.pin(layer.id())

        def undo() -> None:
            if not sip.isdeleted(layer):
                layer.selectByIds(selected)
            self._source.restore(before)

        what = f"Area from the dropped layer {layer.name()}, its selected features."
        if not selected:
            what = f"Area from the dropped layer {layer.name()}, all features."
        if not layer.selectedFeatureCount():
            what = f"Area from the dropped layer {layer.name()}: select features in it."
        self._area_taken(what, undo)

    # files

    def _read(self, path: Path) -> None:
        job = self._runner.start(f"UP42: reading {path.name}", lambda context: read_dropped(path, context))
        self._reading = job
        self._notice.show_reading(path.name)
        job.succeeded.connect(lambda found: self._file_read(job, path, found))
        job.failed.connect(lambda error: self._not_read(job, path, error))

    def _file_read(self, job: Job[DroppedFile], path: Path, found: DroppedFile) -> None:
        if job is not self._reading:
            return
        self._reading = None
        self._forget()
        if found.shapes is not None:
            self._take_shapes(path, found.shapes)
        else:
            self._take_recipe(path, found.recipe)

    def _not_read(self, job: Job[DroppedFile], path: Path, error: BaseException) -> None:
        if job is self._reading:
            self._reading = None
            self._forget()
            why = getattr(error, "user_message", f"{path.name} cannot be read.")
            self._tell(f"{why} The form is as it was.", Qgis.MessageLevel.Warning)

    def _take_shapes(self, path: Path, shapes: Shapes) -> None:
        inputs = self._dock.area.inputs
        before, shown = self._source.snapshot(), inputs.file.filePath()
        inputs.show_file(str(path))
        self._source.held.set_file(path, shapes)
        self._dock.area.choose_source(SourceKind.FILE)
        self._source.take(SourceKind.FILE)

        def undo() -> None:
            inputs.show_file(shown)
            self._source.restore(before)

        self._area_taken(f"Area from the dropped file {path.name}.", undo)

    def _take_recipe(self, path: Path, text: str) -> None:
        details = self._new_job.details
        if details.form is None or details.trouble:
            why = "Mend the JSON first, or go back to Form." if details.trouble else "Choose a workflow first."
            self._tell(f"{path.name} is not imported. {why}", Qgis.MessageLevel.Warning)
            return
        before = details.form
        self._recipes.import_text(text)
        after = details.form
        if after is before:
            return  # refused, with the reason
        what = f"Parameters from the dropped file {path.name}."
        self._remember(what, lambda: details.apply(before), lambda: _same(details.form, after))

    # undoing

    def _area_taken(self, text: str, undo: Callable[[], None]) -> None:
        source = self._source
        mark = (source.kind, source.snapshot().pinned)
        self._remember(text, undo, lambda: (source.kind, source.snapshot().pinned) == mark)

    def _remember(self, text: str, undo: Callable[[], None], stands: Callable[[], bool]) -> None:
        self._undo, self._stands = undo, stands
        self._notice.show_done(text)

    def _form_changed(self) -> None:
        """What was dropped was replaced since: going back would lose what the person did after it."""
        if self._undo is not None and not self._stands():
            self._forget()

    def _forget(self) -> None:
        self._undo, self._stands = None, lambda: True
        self._notice.hide()

    def _give_up_reading(self) -> None:
        job, self._reading = self._reading, None
        if job is not None:
            job.cancel()


def droppable(mime: QMimeData) -> Optional[Droppable]:
    """The one polygon layer or the one file of a known kind that is dragged; None for all else."""
    if QgsMimeDataUtils.isUriList(mime):
        found: List[Droppable] = []
        uris = QgsMimeDataUtils.decodeUriList(mime)
        for uri in uris:
            layer = QgsProject.instance().mapLayer(uri.layerId) if uri.layerId else None
            if _is_polygon_layer(layer):
                found.append(layer)
            elif not uri.layerId and uri.providerKey == "ogr" and _is_file(uri.uri):
                found.append(Path(uri.uri))
        return found[0] if len(uris) == len(found) == 1 else None
    if mime.hasUrls() and len(mime.urls()) == 1:
        local = mime.urls()[0].toLocalFile()
        return Path(local) if _is_file(local) else None
    return None


def _is_polygon_layer(layer: object) -> bool:
    polygons = QgsWkbTypes.GeometryType.PolygonGeometry
    return isinstance(layer, QgsVectorLayer) and layer.isValid() and layer.geometryType() == polygons


def _is_file(path: str) -> bool:
    """By its name only: nothing is read while it is dragged."""
    return bool(path) and "|" not in path and Path(path).suffix.lower() in VECTOR_SUFFIXES


def _same(form: Optional[JobForm], other: Optional[JobForm]) -> bool:
    if form is None or other is None:
        return form is other
    return (form.parameters, form.geometric_filter, form.geometries) == (
        other.parameters,
        other.geometric_filter,
        other.geometries,
    )
