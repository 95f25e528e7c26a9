"""Area: where it is taken from, how large it is, what is wrong with it and what mends that."""

from __future__ import annotations

from typing import Optional, Sequence

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QAction,
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.gui.area_inputs import SOURCES, AreaInputs
from up42_plugin.gui.area_problems import AreaProblems
from up42_plugin.gui.texts import area_text
from up42_plugin.gui.widgets import (
    SUCCESS,
    WARNING,
    ArrowButton,
    Section,
    icon_size,
    separator,
    theme_icon,
    tool_button,
)
from up42_plugin.qgis_bridge.area_sources import AreaState, SourceKind

_MORE = "More about the area"


class AreaSection(Section):
    """Shows the state of the area; its signals, and those of its parts, are the person's clicks."""

    source_asked = pyqtSignal(object)
    zoom_asked = pyqtSignal()
    per_feature_asked = pyqtSignal(bool)
    sample_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__("Area", "areaSection", parent)
        outer = QVBoxLayout(self)
        form = QFormLayout()
        form.addRow("Take from", self._source_row())
        self.inputs = AreaInputs()
        self._input_label = QLabel("Layer")
        form.addRow(self._input_label, self.inputs)
        size_row = QHBoxLayout()
        self._icon = QLabel()
        self._icon.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self._size = QLabel()
        self._size.setObjectName("areaSize")
        self._size.setWordWrap(True)
        size_row.addWidget(self._icon)
        size_row.addWidget(self._size, 1)
        form.addRow("Size", size_row)
        self.per_feature = QCheckBox("One job per feature")
        self.per_feature.setObjectName("areaPerFeature")
        self.per_feature.setToolTip("Run a job for each feature, instead of one for all of them together")
        self.per_feature.toggled.connect(self.per_feature_asked)
        form.addRow("", self.per_feature)
        outer.addLayout(form)
        self.problem = AreaProblems()
        outer.addWidget(self.problem)
        self._build_empty(outer)
        self.show_state(AreaState())

    def show_state(
        self,
        state: AreaState,
        box_km2: Optional[float] = None,
        advice: Sequence[str] = (),
    ) -> None:
        """Show the area; ``box_km2`` is that of the bounding boxes when the filter takes the box.

        ``advice`` is what blocks would like.
        """
        self._set_used("")
        aois = state.aois
        empty = not aois and state.error is None
        self._show_source(state.kind)
        self.zoom_button.setEnabled(bool(aois))
        self.zoom_button.setToolTip("Zoom to the area" if aois else "Zoom to the area: there is none yet")
        for action in (self.copy_action, self.save_layer_action, self.save_area_action):
            action.setEnabled(bool(aois))
        self.fill_action.setEnabled(any(aoi.holes for aoi in aois))
        self._show_per_feature(state)
        for part in (self._empty, self.sample_button):
            part.setVisible(empty and state.kind is SourceKind.SELECTION)
        size = _size_text(state, box_km2)
        self._size.setText(size)
        self.set_summary(size.replace("<b>", "").replace("</b>", ""))
        side = icon_size(self)
        icon = SUCCESS if aois and not state.offers else WARNING
        self._icon.setVisible(not empty)
        self._icon.setPixmap(theme_icon(icon).pixmap(side, side))
        told = [state.hint] if state.hint else []
        if state.per_feature and state.offers and not aois:
            told.append("No job runs until every feature is mended, or left out.")
        self.problem.show_rows(state, told, advice)

    def show_not_needed(self, reason: str) -> None:
        """No area is asked for: all of it is grey, and nothing of it is lost."""
        self._set_used(reason)
        self._size.setText(reason)
        self.set_summary(reason)
        self._icon.hide()
        for part in (self._empty, self.sample_button):
            part.hide()
        self.per_feature.hide()
        self.problem.show_rows(AreaState(), (), ())

    def _set_used(self, why_not: str) -> None:
        if self.body is not None:
            self.body.setEnabled(not why_not)
            self.body.setToolTip(why_not)
        self.menu_button.setToolTip(why_not or _MORE)
        if why_not:
            self.zoom_button.setToolTip(why_not)

    @property
    def size_text(self) -> str:
        """What the size line says."""
        return self._size.text()

    def _source_row(self) -> QHBoxLayout:
        self.source = QComboBox()
        self.source.setObjectName("areaSource")
        self.source.setAccessibleName("Take the area from")
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.source.setMinimumContentsLength(10)
        for kind, label, _, _ in SOURCES:
            self.source.addItem(label, kind.value)
        self.source.currentIndexChanged.connect(lambda _: self.source_asked.emit(SourceKind(self.source.currentData())))
        self.zoom_button = tool_button("/mActionZoomToSelected.svg", "Zoom to the area", "areaZoom")
        self.zoom_button.clicked.connect(self.zoom_asked)
        row = QHBoxLayout()
        row.addWidget(self.source, 1)
        row.addWidget(self.zoom_button)
        row.addWidget(self._menu_button())
        return row

    def _menu_button(self) -> QWidget:
        menu = QMenu(self)
        self.menu_button = ArrowButton(_MORE, "areaMenu", menu)
        self.copy_action = _action(menu, "Copy as GeoJSON", "Up42CopyArea")
        self.save_layer_action = _action(menu, "Save as Layer…", "Up42SaveAreaAsLayer")
        self.save_area_action = _action(menu, "Save Area…", "Up42SaveArea")
        menu.addSeparator()
        self.fill_action = _action(menu, "Fill Holes", "Up42FillHoles")
        return self.menu_button

    def _build_empty(self, outer: QVBoxLayout) -> None:
        self._empty = QWidget()
        layout = QVBoxLayout(self._empty)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(separator())
        hint = QLabel("Select polygons on the map, or draw the area.")
        hint.setWordWrap(True)
        hint.setObjectName("areaHint")
        layout.addWidget(hint)
        self.draw_button = _push("/mActionCapturePolygon.svg", "Draw Polygon", "drawPolygon")
        self.draw_button.clicked.connect(lambda: self.choose_source(SourceKind.POLYGON))
        self.extent_button = _push("/mActionSetToCanvasExtent.svg", "Use Map Extent", "useMapExtent")
        self.extent_button.clicked.connect(lambda: self.choose_source(SourceKind.MAP_EXTENT))
        self.sample_button = _push("/mActionAddOgrLayer.svg", "Try with Taormina", "trySample")
        self.sample_button.setToolTip("Add a sample area on the coast of Sicily and select it")
        self.sample_button.clicked.connect(self.sample_asked)
        for buttons in ((self.draw_button, self.extent_button), (self.sample_button,)):
            row = QHBoxLayout()
            for button in buttons:
                row.addWidget(button)
            row.addStretch(1)
            layout.addLayout(row)
        outer.addWidget(self._empty)

    def _show_per_feature(self, state: AreaState) -> None:
        """Offered where there is something to choose; what was chosen stays for the next time there is."""
        self.per_feature.setVisible(state.features > 1)
        if state.features > 1:
            self.per_feature.blockSignals(True)
            self.per_feature.setChecked(state.per_feature)
            self.per_feature.blockSignals(False)

    def choose_source(self, kind: SourceKind) -> None:
        """As if the person had chosen it."""
        self.source.setCurrentIndex(self.source.findData(kind.value))

    def _show_source(self, kind: SourceKind) -> None:
        self.source.blockSignals(True)
        self.source.setCurrentIndex(self.source.findData(kind.value))
        self.source.blockSignals(False)
        self._input_label.setText(next(label for known, _, label, _ in SOURCES if known is kind))
        self.inputs.show_kind(kind)


def _action(menu: QMenu, text: str, name: str) -> QAction:
    action = menu.addAction(text)
    action.setObjectName(name)
    return action


def _push(icon: str, text: str, name: str) -> QPushButton:
    button = QPushButton(theme_icon(icon), text)
    button.setObjectName(name)
    button.setAutoDefault(False)
    return button


def _size_text(state: AreaState, box_km2: Optional[float]) -> str:
    aois = state.aois
    if not aois:
        return _unusable_text(state)
    parts = [f"<b>{area_text(sum(aoi.area_km2 for aoi in aois))}</b>"]
    if state.what:
        parts.append(state.what)
    holes = sum(aoi.holes for aoi in aois)
    if holes:
        parts.append("1 hole kept" if holes == 1 else f"{holes:,} holes kept")
    if box_km2 is not None:
        parts.append(f"{'box is' if len(aois) == 1 else 'boxes are'} {area_text(box_km2)}")
    return ", ".join(parts)


def _unusable_text(state: AreaState) -> str:
    if state.reading:
        return "Reading the file…"
    if state.error is None:
        return next(nothing for kind, _, _, nothing in SOURCES if kind is state.kind)
    sizes = [state.size_km2] if state.size_km2 is not None else []
    sizes.extend([state.error.aoi.area_km2] if state.error.aoi is not None else [])
    if not state.per_feature:
        sizes.extend(offer.before_km2 for offer in state.offers if offer.before_km2 is not None)
    what = state.what or "Not usable"
    return f"<b>{area_text(sizes[0])}</b>, {what}" if sizes and state.what else what
