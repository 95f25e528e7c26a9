"""Test Connection in the background: its steps come to the main thread as they end."""

from __future__ import annotations

from collections import deque
from typing import Deque, Optional, Tuple

from qgis.PyQt.QtCore import QObject, pyqtSignal

from up42_plugin.core.connection_check import CheckStep, Subject, check_connection
from up42_plugin.core.context import JobContext
from up42_plugin.qgis_bridge.jobs import Job, JobRunner
from up42_plugin.qgis_bridge.network import SessionFactory


class ConnectionTest(QObject):
    """Runs one test at a time; a new one ends the one before.

    ``stepped(CheckStep)`` as each step ends, ``finished`` after the last, ``broken(sentence)`` when it was cut short.
    """

    stepped = pyqtSignal(object)
    finished = pyqtSignal()
    broken = pyqtSignal(str)

    def __init__(self, runner: JobRunner, parent: Optional[QObject] = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._job: Optional[Job] = None

    def start(self, subject: Subject, sessions: SessionFactory) -> None:
        """Test a connection."""
        self.stop()
        # The worker's reports are thinned out on their way; the steps wait here, so that none is lost
        waiting: Deque[CheckStep] = deque()

        def work(context: JobContext) -> Tuple[CheckStep, ...]:
            def tell(step: CheckStep) -> None:
                waiting.append(step)
                context.progress(-1.0, step.name.value)

            return check_connection(subject, sessions, context, tell)

        job = self._job = self._runner.start("UP42: testing the connection", work, long_running=True)

        def deliver(*_: object) -> None:
            while waiting and job is self._job:
                self.stepped.emit(waiting.popleft())

        def succeeded(_steps: object) -> None:
            deliver()
            if job is self._job:
                self._job = None
                self.finished.emit()

        job.progressed.connect(deliver)
        job.succeeded.connect(succeeded)
        job.failed.connect(lambda error: self._cut_short(job, getattr(error, "user_message", "The test failed.")))
        job.cancelled.connect(lambda: self._cut_short(job, "The test was cancelled."))

    def stop(self) -> None:
        """End the test that runs, without a word."""
        job, self._job = self._job, None
        if job is not None:
            job.cancel()

    def _cut_short(self, job: Job, sentence: str) -> None:
        if job is self._job:
            self._job = None
            self.broken.emit(sentence)
