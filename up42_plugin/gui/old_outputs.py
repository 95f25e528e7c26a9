"""Delete Old Outputs…: the jobs that lie on disk with their sizes, of which the person ticks those to be deleted."""

from __future__ import annotations

from typing import List, Optional, Set, Tuple

from qgis.core import QgsProject
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from up42_plugin.core.context import JobContext
from up42_plugin.core.disk_use import JobOnDisk, jobs_by_size
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.output_errors import format_bytes
from up42_plugin.gui.help_pages import Topic, show_help
from up42_plugin.gui.job_files import JobFiles, layers_in
from up42_plugin.gui.texts import count_text
from up42_plugin.gui.widgets import hint_label
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.output_places import OutputPlaces

_COLUMNS = ("Job", "Loaded", "Size", "In this project")
_NAME, _WHEN, _SIZE, _LAYERS = range(len(_COLUMNS))
_HINT = (
    "Files on this computer only. The service keeps outputs for a while, and they can be loaded from there again. "
    "Layers of this project that show deleted files go with them."
)
_SORT_ROLE = int(Qt.ItemDataRole.UserRole) + 1


class _Item(QTreeWidgetItem):
    """A job; numbers and dates are sorted as such."""

    def __init__(self, job: JobOnDisk, layers: int) -> None:
        used = count_text(layers, "layer") if layers else ""
        super().__init__([job.name, f"{job.when.astimezone():%Y-%m-%d}", format_bytes(job.size_bytes), used])
        self.job = job
        self.setCheckState(_NAME, Qt.CheckState.Unchecked)
        self.setToolTip(_NAME, str(job.folder))
        self.setTextAlignment(_SIZE, int(Qt.AlignmentFlag.AlignRight) | int(Qt.AlignmentFlag.AlignVCenter))
        self.setData(_WHEN, _SORT_ROLE, job.when.timestamp())
        self.setData(_SIZE, _SORT_ROLE, float(job.size_bytes))
        self.setData(_LAYERS, _SORT_ROLE, float(layers))

    def __lt__(self, other: QTreeWidgetItem) -> bool:
        column = self.treeWidget().sortColumn() if self.treeWidget() is not None else _NAME
        if column == _NAME:
            return self.text(_NAME).lower() < other.text(_NAME).lower()
        return float(self.data(column, _SORT_ROLE)) < float(other.data(column, _SORT_ROLE))


class OldOutputsDialog(QDialog):
    """Nothing is ticked at first; nothing is deleted but by the button."""

    def __init__(
        self, runner: JobRunner, places: OutputPlaces, files: JobFiles, parent: Optional[QWidget] = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("oldOutputs")
        self.setWindowTitle("Delete Old Outputs")
        self._runner, self._places, self._files = runner, places, files
        self._reading: Optional[BackgroundJob] = None
        layout = QVBoxLayout(self)
        self.tree = QTreeWidget()
        self.tree.setObjectName("outputsOnDisk")
        self.tree.setAccessibleName("Outputs on disk")
        self.tree.setHeaderLabels(list(_COLUMNS))
        self.tree.setRootIsDecorated(False)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.tree.setSortingEnabled(True)
        self.tree.sortByColumn(_SIZE, Qt.SortOrder.DescendingOrder)
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_NAME, QHeaderView.ResizeMode.Stretch)
        self.tree.itemChanged.connect(self._ticked)
        layout.addWidget(self.tree, 1)
        self.total = QLabel()
        self.total.setObjectName("ticked")
        layout.addWidget(self.total)
        layout.addWidget(hint_label(_HINT))
        box = QDialogButtonBox()
        self.delete_button = box.addButton("&Delete Files", QDialogButtonBox.ButtonRole.DestructiveRole)
        self.delete_button.setObjectName("deleteFiles")
        self.delete_button.setAutoDefault(False)
        box.addButton(QDialogButtonBox.StandardButton.Help)
        close = box.addButton(QDialogButtonBox.StandardButton.Close)
        close.setDefault(True)
        close.setFocus()
        self.delete_button.clicked.connect(self._delete)
        box.rejected.connect(self.reject)
        box.helpRequested.connect(lambda: show_help(Topic.OLD_OUTPUTS))
        layout.addWidget(box)
        self.resize(640, 420)
        files.deleted.connect(self.read)
        self.finished.connect(self._closed)
        self.read()

    @property
    def ticked(self) -> Tuple[JobOnDisk, ...]:
        """The jobs to be deleted."""
        return tuple(item.job for item in self._items() if item.checkState(_NAME) == Qt.CheckState.Checked)

    def read(self) -> None:
        """Look what lies on disk."""
        if self._reading is not None:
            self._reading.cancel()
        roots, outputs = self._places.now().roots, self._places.outputs

        def work(context: JobContext) -> Tuple[JobOnDisk, ...]:
            try:
                known = outputs.there()
            except LedgerError:  # the folders themselves tell enough
                known = ()
            return jobs_by_size(roots, known, context)

        job = self._reading = self._runner.start(
            "UP42: looking at outputs on disk", work, long_running=True, hidden=True
        )
        self._say("Looking at the disk…")
        job.succeeded.connect(self._show)
        job.failed.connect(self._failed)

    def _failed(self, error: BaseException) -> None:
        self._reading = None
        self._say(f"The disk cannot be looked at: {error}")

    def _show(self, found: Tuple[JobOnDisk, ...]) -> None:
        self._reading = None
        ticked: Set[str] = {str(one.folder) for one in self.ticked}
        project = QgsProject.instance()
        self.tree.blockSignals(True)
        self.tree.clear()
        for one in found:
            item = _Item(one, len(layers_in(project, one.folder)))
            if str(one.folder) in ticked:
                item.setCheckState(_NAME, Qt.CheckState.Checked)
            self.tree.addTopLevelItem(item)
        self.tree.blockSignals(False)
        if found:
            self._ticked()
        else:
            self._say("There are no outputs on this computer.")

    def _ticked(self, *_: object) -> None:
        jobs = self.ticked
        size = format_bytes(sum(job.size_bytes for job in jobs))
        whole = format_bytes(sum(item.job.size_bytes for item in self._items()))
        self._say(f"{size} of {whole} ticked, in {count_text(len(jobs), 'job')}" if jobs else f"{whole} on disk")
        layers = sum(int(item.data(_LAYERS, _SORT_ROLE)) for item in self._items() if item.job in jobs)
        gone = f"; {count_text(layers, 'layer')} of this project will go too" if layers else ""
        self.delete_button.setEnabled(bool(jobs))
        self.delete_button.setToolTip(f"Delete {size}{gone}" if jobs else "Tick the jobs to be deleted first.")

    def _say(self, text: str) -> None:
        self.total.setText(text)
        if not self.ticked:
            self.delete_button.setEnabled(False)
            self.delete_button.setToolTip("Tick the jobs to be deleted first.")

    def _delete(self) -> None:
        jobs = self.ticked
        if jobs:
            self.delete_button.setEnabled(False)
            self._files.delete_folders(jobs)

    def _items(self) -> List[_Item]:
        found = (self.tree.topLevelItem(number) for number in range(self.tree.topLevelItemCount()))
        return [item for item in found if isinstance(item, _Item)]

    def _closed(self, *_: object) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._files.deleted.disconnect(self.read)
