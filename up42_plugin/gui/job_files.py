"""Deletes what lies on disk of jobs, with the layers of the project that show it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple

from qgis.core import QgsMapLayer, QgsProject
from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.context import JobContext
from up42_plugin.core.disk_use import JobOnDisk
from up42_plugin.core.job_entry import JobEntry
from up42_plugin.core.kept_parts import is_being_fetched
from up42_plugin.core.ledger_file import LedgerError
from up42_plugin.core.ledger_outputs import LedgerOutputs
from up42_plugin.core.storage import OutputFolders, remove_tree, system_path
from up42_plugin.qgis_bridge.jobs import JobRunner
from up42_plugin.qgis_bridge.layer_metadata import identity


class _Known(NamedTuple):
    """A job by which the ledger knows an output."""

    connection_id: str
    job_id: str


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
        """Delete the folders of these jobs, wherever they lie: the person has said yes."""
        folders, project = self._folders(), QgsProject.instance()
        _remove(project, [layer for entry in entries for layer in _layers_of(project, entry)])
        jobs = [_Known(entry.connection_id, entry.job_id) for entry in entries if entry.job_id]

        def find() -> List[Path]:
            return [folder for job in jobs for folder in folders.all_folders_of(job.job_id)]

        self._delete(find, jobs)

    def delete_folders(self, jobs: Sequence[JobOnDisk]) -> None:
        """Delete these folders, also of jobs that nobody knows any more: the person has said yes."""
        project = QgsProject.instance()
        _remove(project, [layer for job in jobs for layer in layers_in(project, job.folder)])
        known = [_Known(connection_id, job.job_id) for job in jobs for connection_id in job.connection_ids]
        self._delete(lambda: [job.folder for job in jobs], known)

    def _delete(self, find: Callable[[], List[Path]], jobs: Sequence[_Known]) -> None:
        def work(context: JobContext) -> List[Path]:
            kept = []
            for folder in find():
                context.check()
                if not is_being_fetched(folder):
                    remove_tree(folder)
                if system_path(folder).exists():
                    kept.append(folder)
            for job in jobs:
                with suppress(LedgerError):  # whoever looks for an output sees for himself that it is gone
                    self._outputs.note_gone(*job)
            return kept

        def done(kept: List[Path]) -> None:
            if kept:
                self.trouble.emit(f"{kept[0]} could not be deleted: a download or another program uses it.")
            self.deleted.emit()

        self._runner.start("UP42: deleting local files", work, long_running=True).succeeded.connect(done)


def layers_in(project: QgsProject, folder: Path) -> Tuple[QgsMapLayer, ...]:
    """The layers of a project that read files of a folder. Nothing is read from disk."""
    inside = _comparable(str(folder)) + "/"
    return tuple(layer for layer in project.mapLayers().values() if inside in _comparable(layer.source()))


def _comparable(path: str) -> str:
    return os.path.normcase(path).replace("\\", "/")


def _remove(project: QgsProject, layers: Sequence[QgsMapLayer]) -> None:
    """An open file cannot be deleted everywhere."""
    if layers:
        project.removeMapLayers(list(dict.fromkeys(layer.id() for layer in layers)))


def _layers_of(project: QgsProject, entry: JobEntry) -> List[QgsMapLayer]:
    wanted = (entry.connection_id, entry.job_id)
    return [layer for layer in project.mapLayers().values() if identity(layer)[:2] == wanted]
