"""Reads what outputs on disk tell of what their jobs used (``usage.json``), in the background."""

from __future__ import annotations

from typing import Callable, Dict, Mapping, Optional, Sequence, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.context import JobContext
from up42_plugin.core.layer_words import usage_on_disk
from up42_plugin.core.storage import OutputFolders
from up42_plugin.qgis_bridge.jobs import Job as BackgroundJob
from up42_plugin.qgis_bridge.jobs import JobRunner


class UsageReader(QObject):
    """``read(connection id, texts by job id)`` with what was not told before; few outputs tell it."""

    read = pyqtSignal(str, object)

    def __init__(
        self, runner: JobRunner, folders: Callable[[], OutputFolders], parent: Optional[QObject] = None
    ) -> None:
        super().__init__(parent)
        self._runner, self._folders = runner, folders
        self._told: Dict[Tuple[str, str], str] = {}
        self._looking: Optional[BackgroundJob] = None

    def look(self, connection_id: str, _found: object, job_ids: Sequence[str]) -> None:
        """Look into the folders of these jobs."""
        if self._looking is not None and self._looking.active:
            return  # what is new will be looked for again
        folders, wanted = self._folders(), tuple(job_ids)

        def work(context: JobContext) -> Mapping[str, str]:
            found = {}
            for job_id, folder in folders.folders_of(wanted).items():
                context.check()
                usage = usage_on_disk(folder)
                if usage:
                    found[job_id] = usage
            return found

        job = self._looking = self._runner.start("UP42: reading what jobs used", work, long_running=True, hidden=True)
        job.succeeded.connect(lambda found: self._read(connection_id, found))

    def _read(self, connection_id: str, found: Mapping[str, str]) -> None:
        new = {job_id: text for job_id, text in found.items() if self._told.get((connection_id, job_id)) != text}
        self._told.update({(connection_id, job_id): text for job_id, text in new.items()})
        if new:
            self.read.emit(connection_id, new)
