"""Area: what is selected on the map, how large it is, and what is wrong with it."""

from __future__ import annotations

from typing import Optional

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from up42_plugin.core.aoi import AOI
from up42_plugin.gui.texts import area_text
from up42_plugin.gui.widgets import (
    SUCCESS,
    WARNING,
    ElidedLabel,
    MessageRow,
    Section,
    hint_label,
    icon_size,
    theme_icon,
    tool_button,
)
from up42_plugin.qgis_bridge.selection import SelectionState


class AreaSection(Section):
    """Shows the state of the selection; ``zoom_asked`` and ``sample_asked`` are the person's clicks."""

    zoom_asked = pyqtSignal()
    sample_asked = pyqtSignal()

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__("Area", "areaSection", parent)
        outer = QVBoxLayout(self)
        form = QFormLayout()
        self._layer = ElidedLabel()
        self._layer.setObjectName("areaLayer")
        self.zoom_button = tool_button("/mActionZoomToLayer.svg", "Zoom to the area", "areaZoom")
        self.zoom_button.clicked.connect(self.zoom_asked)
        layer_row = QHBoxLayout()
        layer_row.addWidget(self._layer, 1)
        layer_row.addWidget(self.zoom_button)
        form.addRow("Selected in", layer_row)
        size_row = QHBoxLayout()
        self._icon = QLabel()
        self._size = QLabel()
        self._size.setObjectName("areaSize")
        self._size.setWordWrap(True)
        size_row.addWidget(self._icon)
        size_row.addWidget(self._size, 1)
        form.addRow("Size", size_row)
        outer.addLayout(form)
        self.problem = MessageRow()
        self.problem.setObjectName("areaProblem")
        outer.addWidget(self.problem)
        self._hint = hint_label("Select a polygon on the map: its outline is the area of the job.")
        outer.addWidget(self._hint)
        self.sample_button = QPushButton(theme_icon("/mActionAddOgrLayer.svg"), "Try with Taormina")
        self.sample_button.setToolTip("Add a sample area on the coast of Sicily and select it")
        self.sample_button.setObjectName("trySample")
        self.sample_button.clicked.connect(self.sample_asked)
        sample_row = QHBoxLayout()
        sample_row.addWidget(self.sample_button)
        sample_row.addStretch(1)
        outer.addLayout(sample_row)

    def show_state(self, state: SelectionState, box_km2: Optional[float] = None) -> None:
        """Show the selection; ``box_km2`` is the bounding box's area when the filter takes the box."""
        aoi, error = state.aoi, state.error
        empty = aoi is None and error is None
        self._layer.setText(state.layer_name or "No polygon layer yet")
        self.zoom_button.setEnabled(aoi is not None)
        self.zoom_button.setToolTip("Zoom to the area" if aoi else "Zoom to the area: nothing is selected")
        self._hint.setVisible(empty)
        self.sample_button.setVisible(empty)
        size = _size_text(aoi, state, box_km2)
        self._size.setText(size)
        self.set_summary(size.replace("<b>", "").replace("</b>", ""))
        icon = SUCCESS if aoi is not None else WARNING
        side = icon_size(self)
        self._icon.setVisible(not empty)
        self._icon.setPixmap(theme_icon(icon).pixmap(side, side))
        self.problem.show_message(
            WARNING, "\n".join(problem.message for problem in error.problems) if error is not None else state.hint
        )

    @property
    def size_text(self) -> str:
        """What the size line says."""
        return self._size.text()


def _size_text(aoi: Optional[AOI], state: SelectionState, box_km2: Optional[float]) -> str:
    count = state.feature_count
    features = f"{count} selected feature" + ("" if count == 1 else "s")
    if aoi is None:
        return features if state.error is not None and count else "No feature selected"
    parts = [f"<b>{area_text(aoi.area_km2)}</b>", features]
    if aoi.holes:
        parts.append("1 hole kept" if aoi.holes == 1 else f"{aoi.holes} holes kept")
    if box_km2 is not None:
        parts.append(f"box is {area_text(box_km2)}")
    return ", ".join(parts)
