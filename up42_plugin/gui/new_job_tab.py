"""The tab New Job: what is asked for, scrolling, above a foot that never scrolls."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsScrollArea
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QFrame, QVBoxLayout, QWidget

from up42_plugin.gui.area_section import AreaSection
from up42_plugin.gui.drop_notice import DropNotice
from up42_plugin.gui.foot import Foot
from up42_plugin.gui.parameters_section import ParametersSection, PresetRow
from up42_plugin.gui.search_section import SearchSection
from up42_plugin.gui.workflow_section import WorkflowSection


class NewJobTab(QWidget):
    """Sections in the order in which an analyst decides: where, what, which images, details, price, run."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("newJobTab")
        self.notice = DropNotice()
        self.area = AreaSection()
        self.workflow = WorkflowSection()
        self.presets = PresetRow()
        self.search = SearchSection()
        self.parameters = ParametersSection()
        self.foot = Foot()
        for section in (self.area, self.workflow):
            section.enclose()
        content = QWidget()
        form = QVBoxLayout(content)
        form.setContentsMargins(0, 0, 0, 0)
        for part in (self.notice, self.area, self.workflow, self.presets, self.search, self.parameters):
            form.addWidget(part)
        form.addStretch(1)
        scroll = QgsScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        # never a clipped field: the tab is at least as wide as what it shows
        scroll.setMinimumWidth(content.minimumSizeHint().width() + scroll.verticalScrollBar().sizeHint().width())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.foot)
