"""Where outputs go, as rows of the options: the folder, what it holds, and the folder beside the project."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QObject, QStandardPaths, QTimer
from qgis.PyQt.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QPushButton

from up42_plugin.core.context import JobContext
from up42_plugin.core.disk_use import DiskUse, disk_use
from up42_plugin.core.output_errors import format_bytes
from up42_plugin.gui.job_files import JobFiles
from up42_plugin.gui.old_outputs import OldOutputsDialog
from up42_plugin.gui.texts import count_text
from up42_plugin.gui.widgets import WARNING, MessageRow, hint_label
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.output_places import NAME, OutputPlaces
from up42_plugin.qgis_bridge.settings import PluginSettings

_TYPING_MS = 300
_LOOKING = "Looking at the folder…"


class OutputPlace(QObject):
    """The rows. Nothing is taken before :meth:`apply`; the disk is looked at in the background."""

    def __init__(
        self, form: QFormLayout, *, settings: PluginSettings, runner: JobRunner, places: OutputPlaces, files: JobFiles
    ) -> None:
        super().__init__(form)
        self._settings, self._runner, self._places, self._files = settings, runner, places, files
        self._looking: Optional[BackgroundJob] = None
        self.dialog: Optional[OldOutputsDialog] = None
        self.folder = QgsFileWidget()
        self.folder.setObjectName("outputFolder")
        self.folder.setStorageMode(QgsFileWidget.StorageMode.GetDirectory)
        self.folder.setDialogTitle("Output Folder")
        self.folder.lineEdit().setPlaceholderText(str(settings.default_output_folder()))
        self.folder.setFilePath(settings.chosen_output_folder())
        form.addRow("&Output folder", self.folder)
        self.note = MessageRow()
        form.addRow("", self.note)
        self.use = hint_label(_LOOKING)
        self.use.setObjectName("outputFolderUse")
        self.delete_button = QPushButton("D&elete Old Outputs…")
        self.delete_button.setObjectName("deleteOldOutputs")
        self.delete_button.setAutoDefault(False)
        self.delete_button.setToolTip("Choose jobs whose files are no longer needed on this computer")
        self.delete_button.clicked.connect(self.show_old)
        row = QHBoxLayout()
        row.addWidget(self.use, 1)
        row.addWidget(self.delete_button)
        form.addRow("", row)
        self.beside_project = QCheckBox("Put outputs into the &project's folder")
        self.beside_project.setObjectName("outputsBesideProject")
        self.beside_project.setChecked(settings.outputs_beside_project())
        form.addRow(self.beside_project)
        self.beside_note = hint_label(
            f"Next to the project, in a folder “{NAME}”, when the project is saved; until then into the folder above."
        )
        form.addRow(self.beside_note)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_TYPING_MS)
        self._soon.timeout.connect(self.look)
        self.folder.fileChanged.connect(lambda _path: self._soon.start())
        files.deleted.connect(self.look)
        self.note.show_message(WARNING, "")
        self.look()

    def apply(self) -> None:
        """Take folder and choice: OK was clicked."""
        folder = self.folder.filePath().strip()
        self._settings.set_output_folder(Path(folder) if folder else None)
        self._settings.set_outputs_beside_project(self.beside_project.isChecked())

    def look(self) -> None:
        """Look what the folder in the field holds; the answer of an earlier look is no longer of interest."""
        if self._looking is not None:
            self._looking.cancel()
        chosen = self.folder.filePath().strip()
        root = Path(chosen) if chosen else self._settings.default_output_folder()
        temporary = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.TempLocation)

        def work(context: JobContext) -> DiskUse:
            return disk_use(root, context, temporary)

        self.use.setText(_LOOKING)
        job = self._looking = self._runner.start(
            "UP42: looking at the outputs folder", work, long_running=True, hidden=True
        )
        job.succeeded.connect(self._looked)
        job.failed.connect(self._failed)

    def show_old(self) -> None:
        """Open the list of jobs on disk."""
        if self.dialog is not None:
            self.dialog.raise_()
            return
        parent = self.delete_button.window()
        dialog = self.dialog = OldOutputsDialog(self._runner, self._places, self._files, parent)
        dialog.finished.connect(self._closed)
        dialog.open()

    def _closed(self, *_: object) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()

    def _looked(self, found: DiskUse) -> None:
        self._looking = None
        self.use.setText(use_text(found))
        self.note.show_message(WARNING, found.advice)

    def _failed(self, _error: BaseException) -> None:
        self._looking = None
        self.use.setText("")


def use_text(found: DiskUse) -> str:
    """``UP42 outputs here: 3.1 GB in 12 jobs, 40 GB free``."""
    free = f", {format_bytes(found.free)} free" if found.free is not None else ""
    if not found.jobs:
        return f"UP42 outputs here: none{free}"
    return f"UP42 outputs here: {format_bytes(found.size_bytes)} in {count_text(found.jobs, 'job')}{free}"
