"""The runs of this session, by key."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.run import Run


class RunBook(QObject):
    """Holds each run as it stands now; ``changed(Run)`` for everything that happens to one."""

    changed = pyqtSignal(object)

    def __init__(self, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._runs: Dict[str, Run] = {}

    def of(self, key: str) -> Run:
        """A run of this session; raises ``KeyError`` for another's."""
        return self._runs[key]

    def all(self) -> Tuple[Run, ...]:
        """Every run, oldest first."""
        return tuple(self._runs.values())

    def find(self, connection_id: str, job_id: str) -> Optional[Run]:
        """The run of a job of the service, None when it is not of this session."""
        for run in self._runs.values():
            if run.connection_id == connection_id and run.job is not None and run.job.id == job_id:
                return run
        return None

    def put(self, run: Run) -> None:
        """Write down how a run stands now, and tell."""
        self._runs[run.key] = run
        self.changed.emit(run)
