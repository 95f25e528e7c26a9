"""Opens the folder of a job's output in the desktop's file manager."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Optional

from qgis.PyQt.QtCore import QObject, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices

from up42_plugin.core.context import JobContext
from up42_plugin.core.storage import FINAL, OutputFolders, system_path
from up42_plugin.qgis_bridge.jobs import JobRunner


class FolderOpening(QObject):
    """``trouble(sentence)`` when the desktop does not open it. Where the folder is gone, the one around it is shown."""

    trouble = pyqtSignal(str)

    def __init__(
        self, runner: JobRunner, folders: Callable[[], OutputFolders], parent: Optional[QObject] = None
    ) -> None:
        super().__init__(parent)
        self._runner, self._folders = runner, folders

    def open(self, job_name: str, job_id: str, final: bool = False) -> None:
        """Open a job's folder, or that of its own output."""
        folders = self._folders()

        def work(context: JobContext) -> Path:
            context.check()
            folder = folders.job_folder(job_name, job_id)
            wanted = folder / FINAL if final else folder
            return next((place for place in (wanted, *wanted.parents) if system_path(place).is_dir()), wanted)

        job = self._runner.start("UP42: looking for a folder", work, hidden=True)
        job.succeeded.connect(self._show)
        job.failed.connect(lambda error: self.trouble.emit(f"The folder cannot be looked for: {error}"))

    def _show(self, folder: Path) -> None:
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.trouble.emit(f"The folder {folder} could not be opened.")
