"""The UP42 dock: the header, and below it a tab for each part of the work."""

from __future__ import annotations

from typing import Optional

from qgis.gui import QgsDockWidget
from qgis.PyQt.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from up42_plugin.gui.header import Header
from up42_plugin.gui.jobs_page import JobsPage
from up42_plugin.gui.new_job_tab import NewJobTab
from up42_plugin.gui.tab_order import go_on
from up42_plugin.gui.texts import whole


class Up42Dock(QgsDockWidget):
    """Widgets only: the presenters fill them and listen to them."""

    def __init__(self, parent: Optional[QWidget] = None) -> None:
        super().__init__("UP42", parent)
        self.setObjectName("Up42Dock")
        self.header = Header()
        self.new_job = NewJobTab()
        # the parts of New Job, for those who have to do with one of them only
        self.area, self.workflow = self.new_job.area, self.new_job.workflow
        self.presets, self.search = self.new_job.presets, self.new_job.search
        self.parameters, self.foot = self.new_job.parameters, self.new_job.foot
        self.jobs_page = JobsPage()
        self.jobs, self.runs = self.jobs_page.tab, self.jobs_page.batches
        self.tabs = QTabWidget()
        self.tabs.setObjectName("tabs")
        self.tabs.setAccessibleName("Parts of the work")
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setObjectName("tabBar")
        self.tabs.tabBar().setAccessibleName("Parts of the work")
        self.tabs.addTab(self.new_job, "New Job")
        self.tabs.addTab(self.jobs_page, "Jobs")
        self.jobs.running_changed.connect(self._show_running)
        outer = QWidget()
        layout = QVBoxLayout(outer)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.header)
        layout.addWidget(self.tabs, 1)
        self.setWidget(outer)

    def _show_running(self, running: int) -> None:
        """``Jobs (1)``: how many run; no number at 0."""
        self.tabs.setTabText(self.tabs.indexOf(self.jobs_page), f"Jobs ({whole(running)})" if running else "Jobs")

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802 - Qt's name
        """Tab and Shift+Tab go in the order of what is seen; Qt's own order is that of making."""
        return go_on(self, forward) or bool(super().focusNextPrevChild(forward))
