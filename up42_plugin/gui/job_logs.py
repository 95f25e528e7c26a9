"""The log of a job's block, read from the service and shown as it is."""

from __future__ import annotations

from typing import Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtGui import QFontDatabase
from qgis.PyQt.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from up42_plugin.api.errors import NotFoundError, Up42Error
from up42_plugin.core.context import JobContext
from up42_plugin.core.jobs import JobState
from up42_plugin.core.run import Run
from up42_plugin.core.service import ServiceProvider
from up42_plugin.qgis_bridge.jobs import Job, JobRunner
from up42_plugin.qgis_bridge.sending import message_of

_FAILED = (JobState.FAILED, JobState.ERROR)
_READING = "Reading the log…"
_EMPTY = "The log is empty."


class LogDialog(QDialog):
    """A text to be read and copied, without line breaks of its own."""

    def __init__(self, title: str, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobLogs")
        self.setWindowTitle(title)
        layout = QVBoxLayout(self)
        self.text = QPlainTextEdit(_READING)
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Log")
        layout.addWidget(self.text)
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        layout.addWidget(box)
        self.resize(720, 420)


class JobLogs(QObject):
    """Shows one log at a time: of the block that failed, else of the last one. ``trouble(sentence)`` without one."""

    trouble = pyqtSignal(str)

    def __init__(self, runner: JobRunner, window: QWidget, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._runner, self._window = runner, window
        self.dialog: Optional[LogDialog] = None
        self._reading: Optional[Job] = None

    def show(self, run: Run, provider: ServiceProvider) -> None:
        """Open the dialog at once, and fill it when the log is here."""
        if run.job is None:
            return
        self.close()
        job_id = run.job.id

        def work(context: JobContext) -> Tuple[str, str]:
            with provider.open(context) as service:
                tasks = service.tasks(job_id)
                task = next((task for task in tasks if task.state in _FAILED), tasks[-1] if tasks else None)
                if task is None:
                    raise NotFoundError("This job has no log.")
                return task.name, service.logs(job_id, task.id)

        dialog = self.dialog = LogDialog(f"Logs of {run.name}", self._window)
        dialog.finished.connect(self._closed)
        job = self._reading = self._runner.start(f"UP42: reading logs of {run.name}", work, long_running=True)
        job.succeeded.connect(lambda found: self._read(dialog, *found))
        job.failed.connect(lambda error: self._failed(dialog, error))
        job.cancelled.connect(lambda: self._failed(dialog, Up42Error("Reading it was cancelled.")))
        dialog.show()

    def close(self) -> None:
        """Close the dialog if it is open."""
        if self.dialog is not None:
            self.dialog.reject()

    def _read(self, dialog: LogDialog, task: str, log: str) -> None:
        if dialog is self.dialog:
            dialog.setWindowTitle(f"{dialog.windowTitle()}, {task}")
            dialog.text.setPlainText(log or _EMPTY)

    def _failed(self, dialog: LogDialog, error: BaseException) -> None:
        if dialog is self.dialog:
            dialog.reject()
            self.trouble.emit(f"The log could not be read. {message_of(error)}")

    def _closed(self, *_: object) -> None:
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            dialog.deleteLater()
