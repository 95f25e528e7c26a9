"""The logs of a job: its blocks and what they write, read from the service and followed while somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Mapping, Optional, Tuple

from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QWidget

from up42_plugin.api.errors import NotFoundError
from up42_plugin.core.context import JobContext
from up42_plugin.core.job_entry import TaskEntry
from up42_plugin.core.jobs import JobState, JobTask
from up42_plugin.core.service import ServiceProvider
from up42_plugin.gui.logs_dialog import LogsDialog
from up42_plugin.qgis_bridge.jobs import Job, JobRunner
from up42_plugin.qgis_bridge.sending import message_of

FOLLOW_MS = 3000
_FAILED = (JobState.FAILED, JobState.ERROR)
_NOT_READ = "The log could not be read. {}"


@dataclass(frozen=True)
class _Shown:
    """Whose logs are shown. ``chosen`` is the block that was asked for, empty for the one that matters."""

    job_id: str
    provider: ServiceProvider
    chosen: str
    titles: Mapping[str, str]


class JobLogs(QObject):
    """Shows the logs of one job at a time. ``trouble(sentence)`` where there are none to be shown."""

    trouble = pyqtSignal(str)

    def __init__(self, runner: JobRunner, window: QWidget, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._runner, self._window = runner, window
        self.dialog: Optional[LogsDialog] = None
        self._shown: Optional[_Shown] = None
        self._reading: Optional[Job] = None
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(FOLLOW_MS)
        self._again.timeout.connect(self._follow)

    def show(
        self, name: str, job_id: str, provider: ServiceProvider, task_id: str = "", titles: Mapping[str, str] = {}
    ) -> None:
        """Open the dialog at once, at a block's log or at that of the block that failed, and fill it as it comes."""
        self.close()
        self._shown = _Shown(job_id, provider, task_id, dict(titles))
        dialog = self.dialog = LogsDialog(name, self._window)
        dialog.task_wanted.connect(self._read)
        dialog.shut.connect(self._closed)
        dialog.show()
        self._read("")

    def close(self) -> None:
        """Close the dialog if it is open."""
        if self.dialog is not None:
            self.dialog.reject()

    def _read(self, task_id: str) -> None:
        """Read the blocks, and the log of one of them; of the one that matters while none is chosen."""
        shown, dialog = self._shown, self.dialog
        if shown is None or dialog is None:
            return
        self._stop()
        provider, job_id, chosen = shown.provider, shown.job_id, task_id or shown.chosen

        def work(context: JobContext) -> Tuple[Tuple[JobTask, ...], str, str]:
            with provider.open(context) as service:
                tasks = service.tasks(job_id)
                task = next((task for task in tasks if task.id == chosen), None) or _telling(tasks)
                if task is None:
                    raise NotFoundError("This job has no log.")
                return tasks, task.id, service.logs(job_id, task.id)

        job = self._reading = self._runner.start(
            "UP42: reading logs", work, long_running=True, hidden=bool(dialog.task_id)
        )
        job.succeeded.connect(lambda found: self._here(dialog, shown, *found))
        job.failed.connect(lambda error: self._failed(dialog, task_id, error))

    def _here(self, dialog: LogsDialog, shown: _Shown, tasks: Tuple[JobTask, ...], task_id: str, log: str) -> None:
        if dialog is not self.dialog:
            return
        self._reading = None
        dialog.blockSignals(True)  # the log of the block that is chosen here is at hand
        dialog.show_tasks([_entry(task, shown.titles) for task in tasks], task_id)
        dialog.blockSignals(False)
        dialog.show_log(task_id, log, datetime.now(timezone.utc))
        self._again.start()

    def _failed(self, dialog: LogsDialog, task_id: str, error: BaseException) -> None:
        if dialog is not self.dialog:
            return
        sentence = _NOT_READ.format(message_of(error))
        if dialog.task_id:
            dialog.show_failure(task_id or dialog.task_id, sentence)
            self._again.start()
        else:
            dialog.reject()
            self.trouble.emit(sentence)

    def _follow(self) -> None:
        if self.dialog is not None and self._reading is None and self.dialog.following:
            self._read(self.dialog.task_id)
        elif self.dialog is not None:
            self._again.start()

    def _stop(self) -> None:
        self._again.stop()
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()

    def _closed(self) -> None:
        self._stop()
        self._shown = None
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()


def _telling(tasks: Tuple[JobTask, ...]) -> Optional[JobTask]:
    """The block that failed, else the one at work, else the last."""
    failed = next((task for task in tasks if task.state in _FAILED), None)
    begun = [task for task in tasks if task.started is not None]
    return failed or (begun[-1] if begun else tasks[-1] if tasks else None)


def _entry(task: JobTask, titles: Mapping[str, str]) -> TaskEntry:
    title = titles.get(task.name.partition(":")[0]) or task.block_name or task.name
    return TaskEntry(task.id, task.name, title, task.state, task.word, task.started, task.finished)
