"""The UP42 dock: header, the form of a new job, what is running, and the foot."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsDockWidget, QgsScrollArea
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QFrame, QVBoxLayout, QWidget

from up42_plugin.gui.area_section import AreaSection
from up42_plugin.gui.foot import Foot
from up42_plugin.gui.header import Header
from up42_plugin.gui.parameters_section import ParametersSection, PresetRow
from up42_plugin.gui.runs_section import RunsSection
from up42_plugin.gui.search_section import SearchSection
from up42_plugin.gui.workflow_section import WorkflowSection


class Up42Dock(QgsDockWidget):
    """Widgets only: the presenter fills them and listens to them."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__("UP42", parent)
        self.setObjectName("Up42Dock")
        self.header = Header()
        self.area = AreaSection()
        self.workflow = WorkflowSection()
        self.presets = PresetRow()
        self.search = SearchSection()
        self.parameters = ParametersSection()
        self.runs = RunsSection()
        self.foot = Foot()
        for section in (self.area, self.workflow):
            section.enclose()
        content = QWidget()
        form = QVBoxLayout(content)
        form.setContentsMargins(0, 0, 0, 0)
        for section in (self.area, self.workflow, self.presets, self.search, self.parameters, self.runs):
            form.addWidget(section)
        form.addStretch(1)
        scroll = QgsScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        # never a clipped field: the dock is at least as wide as what it shows
        scroll.setMinimumWidth(content.minimumSizeHint().width() + scroll.verticalScrollBar().sizeHint().width())
        outer = QWidget()
        layout = QVBoxLayout(outer)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.header)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.foot)
        self.setWidget(outer)
