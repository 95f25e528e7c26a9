"""Deletes what lies on disk of jobs, with the layers of the project that show it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Callable, List, Optional, Sequence

from qgis.core import QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.context import JobContext
from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.storage import OutputFolders, remove_tree
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layer_metadata import identity


class JobFiles(QObject):
    """``deleted`` when files are gone, ``trouble(sentence)`` when some stayed."""

    deleted = pyqtSignal()
    trouble = pyqtSignal(str)

    def __init__(
        self,
        runner: JobRunner,
        folders: Callable[[], OutputFolders],
        outputs: LedgerOutputs,
        parent: Optional[QObject] = None,
    ) -> None:
        super().__init__(parent)
        self._runner, self._folders, self._outputs = runner, folders, outputs

    def delete(self, entries: Sequence[JobEntry]) -> None:
        """Delete the folders of these jobs: the person has said yes."""
        folders = self._folders()
        project = QgsProject.instance()
        layers = [layer.id() for entry in entries for layer in _layers_of(project, entry)]
        if layers:
            project.removeMapLayers(layers)  # an open file cannot be deleted everywhere
        doomed = [(entry.connection_id, entry.name, entry.job_id) for entry in entries if entry.job_id]

        def work(context: JobContext) -> List[Path]:
            kept = []
            for connection_id, name, job_id in doomed:
                context.check()
                folder = folders.job_folder(name, job_id)
                remove_tree(folder)
                if folder.exists():
                    kept.append(folder)
                with suppress(LedgerError):  # whoever looks for an output sees for himself that it is gone
                    self._outputs.note_gone(connection_id, job_id)
            return kept

        def done(kept: List[Path]) -> None:
            if kept:
                self.trouble.emit(f"{kept[0]} could not be deleted: another program may have a file of it open.")
            self.deleted.emit()

        self._runner.start("UP42: deleting local files", work, long_running=True).succeeded.connect(done)


def _layers_of(project: QgsProject, entry: JobEntry) -> List[QgsMapLayer]:
    wanted = (entry.connection_id, entry.job_id)
    return [layer for layer in project.mapLayers().values() if identity(layer)[:2] == wanted]
