"""Joins the Area section with the source of the area, the map, files and the clipboard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence

from qgis.core import Qgis, QgsCoordinateReferenceSystem, QgsGeometry, QgsProject, QgsVectorLayer
from qgis.gui import QgsMapCanvas, QgsProjectionSelectionDialog
from qgis.PyQt.QtCore import QObject, Qt
from qgis.PyQt.QtWidgets import QApplication, QDialog, QFileDialog, QInputDialog, QWidget

from up42_plugin.core.area_file import geojson_of, write_areas
from up42_plugin.core.job_areas import JobArea
from up42_plugin.core.mending import Mend, MendKind
from up42_plugin.gui.area_section import AreaSection
from up42_plugin.gui.area_tools import AreaDrawing
from up42_plugin.qgis_bridge.area_memory import recall, remembered
from up42_plugin.qgis_bridge.area_sources import AreaSource, AreaState, SourceKind
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.saved_areas import SavedAreas

_DRAWN = (SourceKind.POLYGON, SourceKind.RECTANGLE)
_BUFFER_M, _LEAST_BUFFER_M, _MOST_BUFFER_M = 100.0, 1.0, 50_000.0
_FORMATS = "GeoPackage (*.gpkg);;GeoJSON (*.geojson);;Shapefile (*.shp)"


class AreaDesk(QObject):
    """Everything the person does in the Area section comes here."""

    def __init__(
        self,
        section: AreaSection,
        *,
        source: AreaSource,
        canvas: QgsMapCanvas,
        runner: JobRunner,
        window: QWidget,
        tell: Callable[[str, Qgis.MessageLevel], Any],
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._section, self._source, self._canvas = section, source, canvas
        self._runner, self._window, self._tell = runner, window, tell
        self._saved = SavedAreas()
        self._drawing = AreaDrawing(canvas, self)
        self._before_drawing = SourceKind.SELECTION
        self._dialog: Optional[QDialog] = None
        self._closed = False
        self._connect()
        source.changed.connect(self._changed)
        self._changed(source.state)

    def close(self) -> None:
        """Give the map tool back and close what is open. May be called more than once."""
        if self._closed:
            return
        self._closed = True
        self._source.changed.disconnect(self._changed)
        self._drawing.close()
        if self._dialog is not None:
            self._dialog.close()

    def stop_drawing(self) -> None:
        """The person closed the dock: an outline not yet ended is given up."""
        if self._drawing.active:
            self._drawing.close()
            self._given_up()

    def _connect(self) -> None:
        section, inputs = self._section, self._section.inputs
        section.source_asked.connect(self._choose)
        section.per_feature_asked.connect(self._source.set_per_feature)
        inputs.layer_pinned.connect(self._source.pin)
        inputs.extent_layer_chosen.connect(self._extent_layer_shown)
        inputs.extent_layer_picked.connect(self._source.held.set_extent_layer)
        inputs.map_extent_asked.connect(self._take_map_extent)
        inputs.draw_asked.connect(self._draw)
        inputs.file_chosen.connect(self._file_chosen)
        inputs.text_edited.connect(self._source.held.set_text)
        inputs.saved_chosen.connect(self._saved_chosen)
        inputs.remove_saved_asked.connect(self._remove_saved)
        section.copy_action.triggered.connect(self._copy)
        section.save_layer_action.triggered.connect(self._ask_for_file)
        section.save_area_action.triggered.connect(self._ask_for_name)
        section.fill_action.triggered.connect(lambda: self._source.mend(Mend(MendKind.FILL)))
        section.problem.mend_asked.connect(self._mend)
        section.problem.undo_asked.connect(self._source.undo)
        self._drawing.drawn.connect(self._drawn)
        self._drawing.given_up.connect(self._given_up)

    def _changed(self, state: AreaState) -> None:
        if state.kind is SourceKind.SELECTION:
            self._section.inputs.show_layer(QgsProject.instance().mapLayer(state.layer_id))
        elif state.kind is SourceKind.LAYER_EXTENT:
            self._section.inputs.show_extent_layer(self._source.held.extent_layer)

    def to_memory(self) -> Dict[str, Any]:
        """Where the area is taken from, as plain JSON."""
        return remembered(self._source)

    def restore_memory(self, values: Any) -> None:
        """Take the area from there again, and show it in the fields."""
        recall(self._source, values, self._saved)
        held, inputs = self._source.held, self._section.inputs
        inputs.show_file(str(held.path or ""))
        inputs.show_text(held.text)
        inputs.show_saved(self._saved.names(), held.name(SourceKind.SAVED))
        self._show_drawing()

    def _extent_layer_shown(self, layer_id: str) -> None:
        """The combo box shows another layer: chosen there, or the first of a project that is being opened."""
        if not self._source.held.expecting:
            self._source.held.set_extent_layer(layer_id)

    def _choose(self, kind: SourceKind) -> None:
        before = self._source.kind
        if kind is SourceKind.MAP_EXTENT:
            self._take_map_extent()
        elif kind is SourceKind.LAYER_EXTENT:
            layer = self._section.inputs.extent_layer.currentLayer()
            self._source.held.set_extent_layer(layer.id() if layer is not None else "")
        elif kind is SourceKind.SAVED:
            self._show_saved(self._section.inputs.saved.currentText())
        if self._drawing.active:
            self._drawing.close()
        elif before not in _DRAWN:
            self._before_drawing = before
        self._source.take(kind)
        if kind in _DRAWN and self._nothing:
            self._draw()
        if kind is SourceKind.TEXT:
            self._section.inputs.text.setFocus()
        self._show_drawing()

    @property
    def _nothing(self) -> bool:
        return not self._source.state.aois and self._source.state.error is None

    def _take_map_extent(self) -> None:
        self._source.held.set_extent(self._canvas.extent(), self._canvas.mapSettings().destinationCrs())

    def _draw(self) -> None:
        self._drawing.start(self._source.kind)
        self._show_drawing()

    def _drawn(self, kind: SourceKind, geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> None:
        self._source.held.set_drawn(kind, geometry, crs)
        self._show_drawing()

    def _given_up(self) -> None:
        """Back to where the area came from before, unless there is an earlier drawing."""
        self._show_drawing()
        if self._source.kind in _DRAWN and self._nothing:
            self._section.choose_source(self._before_drawing)

    def _show_drawing(self) -> None:
        self._section.inputs.show_drawing(self._source.kind, self._drawing.active)

    def _file_chosen(self, path: Optional[Path]) -> None:
        if path is None:
            self._source.held.forget(SourceKind.FILE)
        else:
            self._source.held.read_file(path)

    def _saved_chosen(self, name: str) -> None:
        if name:
            self._source.held.set_saved(name, self._saved.get(name))
        else:
            self._source.held.forget(SourceKind.SAVED)

    def _show_saved(self, name: str) -> None:
        names = self._saved.names()
        self._section.inputs.show_saved(names, name if name in names else "")
        self._saved_chosen(self._section.inputs.saved.currentText())

    def _remove_saved(self, name: str) -> None:
        self._saved.remove(name)
        self._show_saved("")

    def _mend(self, kind: MendKind) -> None:
        if kind is MendKind.BUFFER:
            self._ask_for_distance()
        elif kind is MendKind.SET_CRS:
            self._ask_for_crs()
        else:
            self._source.mend(Mend(kind))

    def _copy(self) -> None:
        areas = self._source.state.job_areas
        if areas:
            QApplication.clipboard().setText(json.dumps(geojson_of(areas)))

    def _ask_for_distance(self) -> None:
        dialog = QInputDialog(self._window)
        dialog.setInputMode(QInputDialog.InputMode.DoubleInput)
        dialog.setDoubleRange(_LEAST_BUFFER_M, _MOST_BUFFER_M)
        dialog.setDoubleDecimals(0)
        dialog.setDoubleValue(_BUFFER_M)
        dialog.doubleValueSelected.connect(lambda metres: self._source.mend(Mend(MendKind.BUFFER, metres)))
        self._open(dialog, "Buffer", "Distance in metres")

    def _ask_for_crs(self) -> None:
        dialog = QgsProjectionSelectionDialog(self._window)
        dialog.setCrs(QgsProject.instance().crs())
        dialog.accepted.connect(lambda: self._crs_chosen(dialog.crs()))
        self._open(dialog, "Set CRS")

    def _crs_chosen(self, crs: QgsCoordinateReferenceSystem) -> None:
        if crs.isValid():
            wkt = crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED)
            self._source.mend(Mend(MendKind.SET_CRS, crs=wkt))

    def _ask_for_name(self) -> None:
        areas = self._source.state.job_areas
        if not areas:
            return
        dialog = QInputDialog(self._window)
        dialog.setTextValue(self._source.state.layer_name)
        dialog.textValueSelected.connect(lambda name: self._save_area(name.strip(), areas))
        self._open(dialog, "Save Area", "Name")

    def _save_area(self, name: str, areas: Sequence[JobArea]) -> None:
        if name:
            self._saved.save(name, areas)
            self._tell(f"The area is saved as {name}.", Qgis.MessageLevel.Success)
            if self._source.kind is SourceKind.SAVED:
                self._show_saved(name)

    def _ask_for_file(self) -> None:
        areas = self._source.state.job_areas
        if not areas:
            return
        dialog = QFileDialog(self._window)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(_FORMATS)
        dialog.setDefaultSuffix("gpkg")
        dialog.fileSelected.connect(lambda path: self.save_as_layer(Path(path), areas))
        self._open(dialog, "Save as Layer")

    def save_as_layer(self, path: Path, areas: Sequence[JobArea]) -> None:
        """Write the areas in the background, a feature each, then add them to the project as a layer."""
        job = self._runner.start(f"UP42: writing {path.name}", lambda _: write_areas(path, areas))
        job.succeeded.connect(self._saved_as_layer)
        job.failed.connect(lambda error: self._not_saved(path, error))

    def _saved_as_layer(self, path: Path) -> None:
        layer = QgsVectorLayer(str(path), path.stem, "ogr")
        if layer.isValid():
            QgsProject.instance().addMapLayer(layer)

    def _not_saved(self, path: Path, error: BaseException) -> None:
        text = getattr(error, "user_message", f"The area could not be written to {path.name}.")
        self._tell(text, Qgis.MessageLevel.Warning)

    def _open(self, dialog: QDialog, title: str, label: str = "") -> None:
        """Show a dialog without a loop of its own."""
        if self._dialog is not None:
            self._dialog.close()
        dialog.setWindowTitle(title)
        if isinstance(dialog, QInputDialog):
            dialog.setLabelText(label)
        dialog.setObjectName("Up42AreaDialog")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.finished.connect(lambda _: self._forget(dialog))
        self._dialog = dialog
        dialog.open()

    def _forget(self, dialog: QDialog) -> None:
        if self._dialog is dialog:
            self._dialog = None
