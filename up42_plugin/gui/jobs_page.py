"""The page behind the tab Jobs: batches and waiting jobs, where there are some, above the list of all jobs."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsScrollArea
from qgis.PyQt.QtCore import QEvent, QObject, QSize, Qt
from qgis.PyQt.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from up42_plugin.gui.jobs_tab import JobsTab
from up42_plugin.gui.runs_section import RunsSection

_HIGHEST = 240
_TOLD = (QEvent.Type.ShowToParent, QEvent.Type.HideToParent, QEvent.Type.LayoutRequest)


class JobsPage(QWidget):
    """Widgets only."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobsPage")
        self.tab = JobsTab()
        self.batches = RunsSection()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(_Low(self.batches, self))
        layout.addWidget(self.tab, 1)


class _Low(QgsScrollArea):
    """As high as what it holds, up to a height at which the list below still has room; gone while that is hidden."""

    def __init__(self, section: RunsSection, parent: QWidget) -> None:
        super().__init__(parent)  # shown without one, it would be a window
        self._section = section
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setWidget(section)
        section.hide()
        section.installEventFilter(self)
        self.setVisible(False)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        hint = self._section.sizeHint()
        return QSize(hint.width(), min(hint.height(), _HIGHEST))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return QSize(self._section.minimumSizeHint().width(), min(self._section.minimumSizeHint().height(), _HIGHEST))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if watched is self._section and event.type() in _TOLD:
            self.setVisible(not self._section.isHidden())
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))
