"""The row below Take from: what each source needs to be told."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

from qgis.core import QgsMapLayer, QgsMapLayerProxyModel
from qgis.gui import QgsFileWidget, QgsMapLayerComboBox
from qgis.PyQt.QtCore import QMimeData, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QComboBox, QHBoxLayout, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from up42_plugin.gui.widgets import hint_label, tool_button
from up42_plugin.qgis_bridge.area_sources import SourceKind

# Kind, entry of the combo, label of the row below, what the size line says when there is nothing yet.
SOURCES: Tuple[Tuple[SourceKind, str, str, str], ...] = (
    (SourceKind.SELECTION, "Selected Features", "Layer", "No feature selected"),
    (SourceKind.MAP_EXTENT, "Map Canvas Extent", "Extent", "No map extent yet"),
    (SourceKind.POLYGON, "Drawn Polygon", "Drawing", "Nothing drawn yet"),
    (SourceKind.RECTANGLE, "Drawn Rectangle", "Drawing", "Nothing drawn yet"),
    (SourceKind.LAYER_EXTENT, "Layer Extent", "Layer", "No layer chosen"),
    (SourceKind.FILE, "Vector File", "File", "No file chosen"),
    (SourceKind.TEXT, "Pasted GeoJSON or WKT", "Text", "Nothing pasted yet"),
    (SourceKind.SAVED, "Saved Area", "Saved", "No area saved yet"),
)
#: Endings of the vector files that are offered, and taken when they are dropped.
VECTOR_SUFFIXES = (".gpkg", ".geojson", ".json", ".shp", ".kml", ".gml", ".fgb", ".gpx")
_FILES = f"Vector files ({' '.join(f'*{suffix}' for suffix in VECTOR_SUFFIXES)});;All files (*)"
_TYPING_MS = 300
_LINES = 3


class _PastedText(QPlainTextEdit):
    """Takes text; a file that is dropped on it is for the dock."""

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802 - Qt's name
        return not source.hasUrls() and bool(super().canInsertFromMimeData(source))


class AreaInputs(QWidget):
    """One widget for each source, one of them shown; signals are the person's choices."""

    layer_pinned = pyqtSignal(str)
    extent_layer_chosen = pyqtSignal(str)
    extent_layer_picked = pyqtSignal(str)
    map_extent_asked = pyqtSignal()
    draw_asked = pyqtSignal()
    file_chosen = pyqtSignal(object)
    text_edited = pyqtSignal(str)
    saved_chosen = pyqtSignal(str)
    remove_saved_asked = pyqtSignal(str)

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._build_layers()
        self._build_places()
        self._build_texts()
        self._widgets: Dict[SourceKind, QWidget] = {
            SourceKind.SELECTION: self.layer,
            SourceKind.MAP_EXTENT: self._extent_row,
            SourceKind.POLYGON: self._drawing_row,
            SourceKind.RECTANGLE: self._drawing_row,
            SourceKind.LAYER_EXTENT: self.extent_layer,
            SourceKind.FILE: self.file,
            SourceKind.TEXT: self.text,
            SourceKind.SAVED: self._saved_row,
        }
        for widget in dict.fromkeys(self._widgets.values()):
            layout.addWidget(widget)
        self.show_kind(SourceKind.SELECTION)

    def show_kind(self, kind: SourceKind) -> None:
        """Show what this source needs."""
        for widget in self._widgets.values():
            widget.setVisible(widget is self._widgets[kind])

    def show_layer(self, layer: Optional[QgsMapLayer]) -> None:
        """The layer whose selection is the area; nobody chose it."""
        self.layer.blockSignals(True)
        self.layer.setLayer(layer)
        self.layer.blockSignals(False)

    def show_file(self, path: str) -> None:
        """The file the area is from; nobody chose it here."""
        self.file.blockSignals(True)
        self.file.setFilePath(path)
        self.file.blockSignals(False)

    def show_text(self, text: str) -> None:
        """The text of last time; nobody typed it just now."""
        self.text.blockSignals(True)
        self.text.setPlainText(text)
        self.text.blockSignals(False)

    def show_extent_layer(self, layer: Optional[QgsMapLayer]) -> None:
        """The layer whose extent is the area; nobody chose it just now."""
        if layer is not None and self.extent_layer.currentLayer() is not layer:
            self.extent_layer.blockSignals(True)
            self.extent_layer.setLayer(layer)
            self.extent_layer.blockSignals(False)

    def show_drawing(self, kind: SourceKind, active: bool) -> None:
        """How to draw, while the person does."""
        text = "Drawn on the map"
        if active and kind is SourceKind.RECTANGLE:
            text = "Drag a rectangle on the map; Esc cancels"
        elif active:
            text = "Click the corners; right click ends, Esc cancels"
        self._drawing.setText(text)
        self.draw_button.setEnabled(not active)

    def show_saved(self, names: Sequence[str], chosen: str) -> None:
        """The saved areas; nobody chose yet."""
        self.saved.blockSignals(True)
        self.saved.clear()
        self.saved.addItems(list(names))
        self.saved.setCurrentIndex(self.saved.findText(chosen) if chosen else 0 if names else -1)
        self.saved.blockSignals(False)
        self.saved.setEnabled(bool(names))
        self.remove_button.setEnabled(bool(names))

    def _build_layers(self) -> None:
        self.layer = _layer_combo("areaLayer", "Layer", QgsMapLayerProxyModel.Filter.PolygonLayer)
        self.layer.setAllowEmptyLayer(True, "Layer last selected in")
        self.layer.setAcceptDrops(False)  # the dock takes them: only shown, a layer would not be the area
        self.layer.setToolTip("The polygon layer whose selected features are the area; choosing one stays with it")
        self.layer.activated.connect(lambda: self.layer_pinned.emit(_id_of(self.layer)))
        self.extent_layer = _layer_combo(
            "areaExtentLayer", "Layer whose extent is the area", QgsMapLayerProxyModel.Filter.HasGeometry
        )
        # Joined with the filters it has: members joined alone are a number in newer QGIS, which it no longer wants.
        self.extent_layer.setFilters(self.extent_layer.filters() | QgsMapLayerProxyModel.Filter.RasterLayer)
        self.extent_layer.layerChanged.connect(lambda _: self.extent_layer_chosen.emit(_id_of(self.extent_layer)))
        self.extent_layer.activated.connect(lambda _: self.extent_layer_picked.emit(_id_of(self.extent_layer)))

    def _build_places(self) -> None:
        extent = hint_label("As the map was when it was taken")
        self.extent_button = tool_button("/mActionRefresh.svg", "Take the map's extent as it is now", "areaTakeExtent")
        self.extent_button.clicked.connect(self.map_extent_asked)
        self._extent_row = _row(extent, self.extent_button)
        self._drawing = hint_label()
        self.draw_button = tool_button("/mActionCapturePolygon.svg", "Draw again", "areaDrawAgain")
        self.draw_button.clicked.connect(self.draw_asked)
        self._drawing_row = _row(self._drawing, self.draw_button)

    def _build_texts(self) -> None:
        self.file = QgsFileWidget()
        self.file.setObjectName("areaFile")
        self.file.setFilter(_FILES)
        self.file.lineEdit().setAccessibleName("Vector file")
        for button in self.file.findChildren(QToolButton):
            button.setAccessibleName("Choose a vector file")
        self.file.setDialogTitle("Take the Area from a Vector File")
        self.file.fileChanged.connect(lambda path: self.file_chosen.emit(Path(path) if path else None))
        self.text = _PastedText()
        self.text.setObjectName("areaText")
        self.text.setAccessibleName("Pasted GeoJSON or WKT")
        self.text.setPlaceholderText("GeoJSON or WKT, in longitude and latitude")
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(self.text.fontMetrics().lineSpacing() * _LINES + 12)
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(lambda: self.text_edited.emit(self.text.toPlainText()))
        self.text.textChanged.connect(self._typing.start)
        self.saved = QComboBox()
        self.saved.setObjectName("areaSaved")
        self.saved.setAccessibleName("Saved area")
        _narrow(self.saved)
        self.saved.currentTextChanged.connect(self.saved_chosen)
        self.remove_button = tool_button("/mActionDeleteSelected.svg", "Remove this saved area", "areaRemoveSaved")
        self.remove_button.clicked.connect(lambda: self.remove_saved_asked.emit(self.saved.currentText()))
        self._saved_row = _row(self.saved, self.remove_button)


def _layer_combo(name: str, label: str, kind: QgsMapLayerProxyModel.Filter) -> QgsMapLayerComboBox:
    combo = QgsMapLayerComboBox()
    combo.setObjectName(name)
    combo.setAccessibleName(label)
    combo.setFilters(kind)
    _narrow(combo)
    return combo


def _narrow(combo: QComboBox) -> None:
    """Long names do not make the dock wider."""
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(10)


def _row(*widgets: QWidget) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for number, widget in enumerate(widgets):
        layout.addWidget(widget, 0 if number else 1)
    return row


def _id_of(combo: QgsMapLayerComboBox) -> str:
    layer = combo.currentLayer()
    return layer.id() if layer is not None else ""
